"""What was probably meant: one row per mistake that people make, and what no row may do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.bad_image import Mistake
from bot.core.image import BadReference, ImageRef
from bot.paste.correction import correct, is_surely_wrong

HOST = "harbor.example.com"
HEX64 = "be178c0543eb17f5f3043021c9e5fcf30285e557a4fc309cce97ff9ca6182912"
NGINX = "docker.io/library/nginx:latest"
NGINX_127 = "docker.io/library/nginx:1.27"
BITNAMI = "docker.io/bitnami/nginx:latest"
HUB = "https://hub.docker.com"
GITHUB = "https://github.com"
QUAY = "https://quay.io"

ROWS = {
    Mistake.INVISIBLE: [
        ("nginx\u200b:1.27", NGINX_127),
        ("\ufeffnginx:1.27", NGINX_127),
    ],
    Mistake.WEB_PAGE: [
        (f"{HUB}/_/nginx", NGINX),
        (f"{HUB}/_/nginx/", NGINX),
        (f"{HUB}/_/nginx/tags", NGINX),
        (f"{HUB}/_/nginx/tags?page=1&name=1.27", NGINX_127),
        (f"{HUB}/_/nginx/tags?name=", NGINX),
        (f"{HUB}/_/nginx?tab=tags#how-to-use", NGINX),
        (f"{HUB}/_/nginx/tags?name=not a tag", NGINX),
        (f"{HUB}/_/nginx:1.27", NGINX_127),
        (f"{HUB}/r/bitnami/nginx", BITNAMI),
        (f"{HUB}/r/bitnami/nginx/tags", BITNAMI),
        (f"{HUB}/r/bitnami/nginx/tags?name=1.27", "docker.io/bitnami/nginx:1.27"),
        (f"{HUB}/r/library/nginx", NGINX),
        (f"{HUB}/r/nginx", NGINX),
        (f"{HUB}/r/nginx/tags", NGINX),
        (f"{HUB}/layers/library/nginx/1.27/images/sha256-{HEX64}", NGINX_127),
        (f"{HUB}/layers/nginx/library/nginx/1.27/images/sha256-{HEX64}?context=explore", NGINX_127),
        (f"{HUB}/repository/docker/bitnami/nginx", BITNAMI),
        (f"{HUB}/repository/docker/bitnami/nginx/general", BITNAMI),
        (f"{HUB}/bitnami/nginx:1", "docker.io/bitnami/nginx:1"),
        ("hub.docker.com/_/nginx", NGINX),
        ("hub.docker.com/r/bitnami/nginx", BITNAMI),
        ("http://www.hub.docker.com/_/nginx", NGINX),
        ("HTTPS://Hub.Docker.com/_/nginx", NGINX),
        (f"{HUB}/_/nginx,", NGINX),
        (f"{HUB}/r/user/2048", "docker.io/user/2048:latest"),
        (f"{GITHUB}/Owner/App/pkgs/container/Other", "ghcr.io/owner/other:latest"),
        (f"{GITHUB}/o/app/pkgs/container/app%2Fsub?tag=v1", "ghcr.io/o/app/sub:v1"),
        (f"{GITHUB}/o/app/pkgs/container/app/1234?tag=v1", "ghcr.io/o/app:v1"),
        (f"{GITHUB}/orgs/O/packages/container/package/app", "ghcr.io/o/app:latest"),
        (f"{QUAY}/repository/prometheus/prometheus", "quay.io/prometheus/prometheus:latest"),
        (f"{QUAY}/repository/a/b?tab=tags&tag=v2", "quay.io/a/b:v2"),
        (f"{QUAY}/repository/a/b/manifest/sha256:{HEX64}", f"quay.io/a/b@sha256:{HEX64}"),
        ("quay.io/repository/a/b", "quay.io/a/b:latest"),
        (
            "https://gallery.ecr.aws/docker/library/nginx",
            "public.ecr.aws/docker/library/nginx:latest",
        ),
        (
            "https://console.cloud.google.com/gcr/images/distroless/GLOBAL/static",
            "gcr.io/distroless/static:latest",
        ),
        (
            "https://console.cloud.google.com/gcr/images/p/EU/a@sha256:12/details",
            "eu.gcr.io/p/a:latest",
        ),
        (
            "https://console.cloud.google.com/artifacts/docker/p/europe-west1/r/app?project=p",
            "europe-west1-docker.pkg.dev/p/r/app:latest",
        ),
        (
            "https://mcr.microsoft.com/en-us/product/dotnet/sdk/about",
            "mcr.microsoft.com/dotnet/sdk:latest",
        ),
        (
            "https://mcr.microsoft.com/en-us/artifact/mar/dotnet/sdk/tags",
            "mcr.microsoft.com/dotnet/sdk:latest",
        ),
    ],
    Mistake.SOURCE_PAGE: [
        (f"{GITHUB}/Owner/App", "ghcr.io/owner/app:latest"),
        (f"{GITHUB}/Owner/App.git", "ghcr.io/owner/app:latest"),
        (f"{GITHUB}/owner/app:V1", "ghcr.io/owner/app:V1"),
        (f"{GITHUB}/owner/app/releases/tag/v1", "ghcr.io/owner/app:latest"),
        ("github.com/owner/app", "ghcr.io/owner/app:latest"),
    ],
    Mistake.MIRROR_PREFIX: [
        ("m.daocloud.io/docker.io/library/nginx:1.27", NGINX_127),
        ("m.daocloud.io/ghcr.io/owner/app:v1", "ghcr.io/owner/app:v1"),
        ("m.daocloud.io/nginx:1.27", NGINX_127),
        ("docker.m.daocloud.io/library/nginx:1.27", NGINX_127),
        ("docker.m.daocloud.io/nginx:1.27", NGINX_127),
        ("k8s.m.daocloud.io/pause:3.9", "registry.k8s.io/pause:3.9"),
        ("m.daocloud.io/k8s.gcr.io/pause:3.6", "registry.k8s.io/pause:3.6"),
        ("elastic.m.daocloud.io/kibana/kibana:8.15.0", "docker.elastic.co/kibana/kibana:8.15.0"),
        ("k8s.gcr.io/pause:3.6", "registry.k8s.io/pause:3.6"),
        ("registry.aliyuncs.com/google_containers/pause:3.9", "registry.k8s.io/pause:3.9"),
        (
            "registry.aliyuncs.com/google_containers/coredns:v1.11.1",
            "registry.k8s.io/coredns/coredns:v1.11.1",
        ),
        (
            "registry.cn-hangzhou.aliyuncs.com/google_containers/kube-proxy:v1.31.0",
            "registry.k8s.io/kube-proxy:v1.31.0",
        ),
        (
            "registry.cn-hangzhou.aliyuncs.com/google_containers/nginx-ingress-controller:v1.11.2",
            "registry.k8s.io/ingress-nginx/controller:v1.11.2",
        ),
        (
            "registry.cn-hangzhou.aliyuncs.com/google_containers/storage-provisioner:v5",
            "gcr.io/k8s-minikube/storage-provisioner:v5",
        ),
        (
            f"registry.aliyuncs.com/google_containers/etcd@sha256:{HEX64}",
            f"registry.k8s.io/etcd@sha256:{HEX64}",
        ),
        ("docker.mirrors.ustc.edu.cn/library/nginx:1.27", NGINX_127),
        ("quay.mirrors.ustc.edu.cn/a/b:1", "quay.io/a/b:1"),
        ("ghcr.nju.edu.cn/owner/app:v1", "ghcr.io/owner/app:v1"),
        ("k8s.mirror.nju.edu.cn/pause:3.9", "registry.k8s.io/pause:3.9"),
        ("gcr.azk8s.cn/google-containers/etcd:3.4", "gcr.io/google-containers/etcd:3.4"),
        ("dockerproxy.com/library/nginx:1.27", NGINX_127),
        ("ghcr.dockerproxy.com/owner/app:v1", "ghcr.io/owner/app:v1"),
        ("docker.1ms.run/nginx:1.27", NGINX_127),
        ("mirror.ccs.tencentyun.com/library/nginx:1.27", NGINX_127),
        ("mirror.gcr.io/library/nginx:1.27", NGINX_127),
        ("abc123.mirror.aliyuncs.com/library/nginx:1.27", NGINX_127),
        (
            "swr.cn-north-4.myhuaweicloud.com/ddn-k8s/docker.io/library/nginx:1.27",
            NGINX_127,
        ),
        (
            "swr.cn-north-4.myhuaweicloud.com/ddn-k8s/quay.io/a/b:1-linuxarm64",
            "quay.io/a/b:1-linuxarm64",
        ),
    ],
    Mistake.COMMAND_LINE: [
        ("docker pull nginx:1.27", NGINX_127),
        ("$ docker pull nginx:1.27", NGINX_127),
        ("sudo docker pull nginx:1.27", NGINX_127),
        ("Docker pull nginx:1.27", NGINX_127),
        ("docker image pull nginx:1.27", NGINX_127),
        ("docker pull --platform linux/arm64 nginx:1.27", NGINX_127),
        ("docker pull --platform=linux/arm64 nginx:1.27", NGINX_127),
        ("docker pull nginx:1.27 --quiet", NGINX_127),
        ("docker pull -q nginx:1.27", NGINX_127),
        ("docker run -d --name web -p 80:80 nginx:1.27 nginx -g daemon", NGINX_127),
        ("docker run -it --rm -p80:80 -v /a:/b nginx:1.27", NGINX_127),
        ("docker run -d \\\n  --name web \\\n  nginx:1.27", NGINX_127),
        ("docker run -d nginx:1.27 && curl localhost", NGINX_127),
        ("podman pull nginx:1.27", NGINX_127),
        ("nerdctl pull nginx:1.27", NGINX_127),
        ("crictl pull nginx:1.27", NGINX_127),
        ("ctr images pull docker.io/library/nginx:1.27", NGINX_127),
        ("ctr -n k8s.io i pull docker.io/library/nginx:1.27", NGINX_127),
        ("docker pull nginx：1.27，", NGINX_127),
        ("docker pull nginx 1.27", NGINX_127),
        ("docker pull docker", "docker.io/library/docker:latest"),
        ("docker pull harbor.example.com/docker.io/library/nginx:1.27", NGINX_127),
        ("docker pull user/2048", "docker.io/user/2048:latest"),
        ("docker create --init nginx:1.27", NGINX_127),
        ("docker run -dp 80:80 nginx:1.27", NGINX_127),
        ("docker --context far pull nginx:1.27", NGINX_127),
    ],
    Mistake.QUOTES: [
        ('"nginx:1.27"', NGINX_127),
        ("'nginx:1.27'", NGINX_127),
        ("`nginx:1.27`", NGINX_127),
        ("“nginx:1.27”", NGINX_127),
        ("「nginx:1.27」", NGINX_127),
        ("【nginx：1.27】", NGINX_127),
        ("(nginx:1.27)", NGINX_127),
        ("<nginx:1.27>", NGINX_127),
        ("[nginx:1.27]", NGINX_127),
        ("（nginx:1.27）。", NGINX_127),
        ("`docker pull nginx:1.27`", NGINX_127),
    ],
    Mistake.SCHEME: [
        ("https://ghcr.io/owner/app:v1", "ghcr.io/owner/app:v1"),
        ("http://ghcr.io/owner/app/", "ghcr.io/owner/app:latest"),
        ("docker://nginx:1.27", NGINX_127),
        ("HTTPS://quay.io/a/b", "quay.io/a/b:latest"),
        ("https://nginx/1.27", NGINX_127),
        ("https://Harbor.example.com/docker.io/library/Nginx：1.26,", f"{NGINX[:-6]}1.26"),
    ],
    Mistake.FULL_WIDTH: [
        ("nginx：1.27", NGINX_127),
        ("bitnami／nginx", BITNAMI),
        (f"nginx＠sha256:{HEX64}", f"docker.io/library/nginx@sha256:{HEX64}"),
        ("nginx:1．27", NGINX_127),
        ("nginx:1。27", NGINX_127),
        ("nginx：1.27、", NGINX_127),
        ("nginx：1.27-Alpine", "docker.io/library/nginx:1.27-Alpine"),
        ("https：//hub.docker.com/_/nginx", NGINX),
        ("\uff4e\uff47\uff49\uff4e\uff58", NGINX),
    ],
    Mistake.BLANK: [
        ("nginx 1.27", NGINX_127),
        ("nginx  latest", NGINX),
        ("nginx: 1.27", NGINX_127),
        ("nginx :1.27", NGINX_127),
        (" nginx:1.27\n", NGINX_127),
        ("Nginx 1.27-Alpine", "docker.io/library/nginx:1.27-Alpine"),
        ("nginx 1.27.", NGINX_127),
    ],
    Mistake.TARGET_PREFIX: [
        ("harbor.example.com/docker.io/library/nginx:1.27", NGINX_127),
        ("HARBOR.example.com/docker.io/library/nginx:1.27", NGINX_127),
        ("harbor.example.com/mirror/docker.io/library/nginx:1.27", NGINX_127),
        ("harbor.example.com/library/nginx:1.27", NGINX_127),
        ("harbor.example.com/localhost_5000/app:1", "localhost:5000/app:1"),
        ("harbor.example.com/docker.io-library-nginx:1.27", NGINX_127),
        ("harbor.example.com/mirror/ghcr.io-a--b-c----d:1", "ghcr.io/a-b/c--d:1"),
        (f"harbor.example.com/ghcr.io-a@sha256:{HEX64}", f"ghcr.io/a@sha256:{HEX64}"),
        ("harbor.example.com/docker.io/library/nginx:1.27,", NGINX_127),
        ("harbor.example.com/docker.io/user/2048", "docker.io/user/2048:latest"),
    ],
    Mistake.UPPERCASE: [
        ("Nginx", NGINX),
        ("NGINX:1.27", NGINX_127),
        ("Bitnami/nginx", BITNAMI),
        ("bitnami/Nginx:1.27-Debian", "docker.io/bitnami/nginx:1.27-Debian"),
        ("GHCR.io/Owner/App:V1", "ghcr.io/owner/app:V1"),
        (f"Nginx@SHA256:{HEX64.upper()}", f"docker.io/library/nginx@sha256:{HEX64}"),
        ("Redis/7-alpine", "docker.io/library/redis:7-alpine"),
        ("Localhost:5000/A:T", "localhost:5000/a:T"),
    ],
    Mistake.PUNCTUATION: [
        ("nginx:1.27,", NGINX_127),
        ("nginx:1.27.", NGINX_127),
        ("nginx:1.27;", NGINX_127),
        ("nginx:1.27!", NGINX_127),
        ("nginx:1.27)", NGINX_127),
        ("nginx:1.27。", NGINX_127),
        ("nginx:1.27，", NGINX_127),
        ("nginx:1.27；", NGINX_127),
        ("nginx:1.27、", NGINX_127),
        ("nginx:", NGINX),
        ("nginx?", NGINX),
        ("ghcr.io/owner/app/", "ghcr.io/owner/app:latest"),
    ],
    Mistake.TAG_JOINED: [
        ("nginx-1.27", NGINX_127),
        ("nginx1.27", NGINX_127),
        ("nginx_1.27", NGINX_127),
        ("ubuntu22.04", "docker.io/library/ubuntu:22.04"),
        ("node-exporter-v1.8.2", "docker.io/library/node-exporter:v1.8.2"),
        ("python3.12-slim", "docker.io/library/python:3.12-slim"),
    ],
    Mistake.SLASH_FOR_COLON: [
        ("nginx/1.27", NGINX_127),
        ("redis/7-alpine", "docker.io/library/redis:7-alpine"),
        ("bitnami/nginx/latest", BITNAMI),
        ("docker.io/library/nginx/1.27", NGINX_127),
        ("library/nginx/1.27", NGINX_127),
        ("ghcr.io/owner/app/v1.2", "ghcr.io/owner/app:v1.2"),
        ("gcr.io/distroless/static/nonroot", "gcr.io/distroless/static:nonroot"),
        ("localhost:5000/app/1.0", "localhost:5000/app:1.0"),
        ("library/bitnami/nginx/1.27", "docker.io/bitnami/nginx:1.27"),
    ],
    Mistake.WRONG_LIBRARY: [
        ("library/bitnami/nginx", BITNAMI),
        ("docker.io/library/bitnami/nginx:1.27", "docker.io/bitnami/nginx:1.27"),
        ("ghcr.io/library/nginx", NGINX),
        ("ghcr.io/library/nginx:1.27", NGINX_127),
        ("ghcr.io/library/owner/app", "ghcr.io/owner/app:latest"),
    ],
}
CASES = [(text, mistake, image) for mistake, rows in ROWS.items() for text, image in rows]

# These are right, or nothing valid can be made of them.
NOTHING = [
    *("nginx", "nginx:1.27", "docker.io/library/nginx:1.27", "index.docker.io/nginx"),
    *("bitnami/nginx", "ghcr.io/owner/app:v1", "localhost:5000/app", "quay.io/repository/b"),
    *(
        "library/nginx",
        "user/3scale",
        "rancher/k3s:v1.31.2-k3s1",
        "public.ecr.aws/docker/library/x",
    ),
    *("nginx:LATEST", f"nginx@sha256:{HEX64}", f"nginx:1@sha256:{HEX64}", "quay.io/a/b"),
    *(
        "",
        " ",
        ",",
        "：",
        "()",
        "😀" * 1000,
        "$(id)",
        "nginx;curl",
        "evil|sh",
        "a b c",
        "nginx redis",
    ),
    *("nginx:1 2", "foo@1.27/2", "[::1]/repo", "my_host.com/a", HEX64, "-x", "../../etc/passwd"),
    *(
        "ghcr.io/7",
        "library/1.27",
        "docker.io/1.27",
        "https://",
        "https://[::1]/x",
        "https://ghcr.io/",
        "ghcr.io/",
        "ghcr.io,",
    ),
    *("mcr.microsoft.com/dotnet/sdk:8.0", "mcr.microsoft.com/a/b", "quay.io/c/d:1", "gcr.io/a/b"),
    *("https://gallery.ecr.aws/x", "https://console.cloud.google.com/home", "xyz.1ms.run/a/b:1"),
    *("swr.cn-north-4.myhuaweicloud.com/ddn-k8s/app:1", "docker please pull nginx"),
    *("docker pull", "docker ps", "docker pull nginx redis", "docker run -d", "docker"),
    *("docker pull nginx && docker pull redis", "docker run nginx ; docker run redis"),
    *(f"{HUB}/", f"{HUB}/search?q=nginx", f"{HUB}/u/bitnami", f"{HUB}/r", f"{HUB}/layers/x"),
    *(f"{GITHUB}/owner", f"{GITHUB}/orgs/owner/x", f"{QUAY}/repository/a", f"{QUAY}/user/a b"),
    *("harbor.example.com/team/app:1", "harbor.example.com/app", "harbor.example.com"),
    *("harbor.example.com/team/app/sub", "harbor.example.community/docker.io/library/nginx"),
]


@pytest.mark.parametrize(("text", "mistake", "image"), CASES, ids=[ascii(c[0]) for c in CASES])
def test_a_mistake_is_named_and_put_right(text: str, mistake: Mistake, image: str) -> None:
    correction = correct(text, target_host=HOST)
    assert correction is not None
    assert (correction.mistake, str(correction.image)) == (mistake, image)


def test_every_mistake_has_its_rows() -> None:
    assert set(ROWS) == set(Mistake)


@pytest.mark.parametrize("text", NOTHING, ids=[ascii(text)[:60] for text in NOTHING])
def test_nothing_is_proposed_where_nothing_is_wrong_or_nothing_valid_comes_out(text: str) -> None:
    assert correct(text, target_host=HOST) is None


def test_a_target_with_a_port_is_known_again() -> None:
    text = "127.0.0.1:5002/docker.io/library/nginx:1.27"
    correction = correct(text, target_host="127.0.0.1:5002")
    assert correction is not None
    assert str(correction.image) == NGINX_127


@pytest.mark.parametrize("path", ["docker.io/library/nginx", "docker.io-library-nginx"])
@pytest.mark.parametrize("prefix", ["", "mirror/", "team/mirror/", "a/b/c/"])
def test_a_target_with_any_prefix_is_known_again(prefix: str, path: str) -> None:
    correction = correct(f"{HOST}/{prefix}{path}:1.27", target_host=HOST)
    assert correction is not None
    assert (correction.mistake, str(correction.image)) == (Mistake.TARGET_PREFIX, NGINX_127)


def test_a_target_on_docker_hub_leaves_docker_hubs_own_images_alone() -> None:
    assert correct("docker.io/library/nginx:1.27", target_host="docker.io") is None


def test_without_a_target_no_prefix_is_taken_away() -> None:
    assert correct("harbor.example.com/docker.io/library/nginx", target_host="") is None


@pytest.mark.parametrize(
    "mistake", [Mistake.SLASH_FOR_COLON, Mistake.WRONG_LIBRARY, Mistake.PUNCTUATION]
)
def test_what_may_name_an_image_after_all_is_not_certain(mistake: Mistake) -> None:
    assert not is_surely_wrong(mistake)


@pytest.mark.parametrize(
    "mistake", [Mistake.WEB_PAGE, Mistake.TARGET_PREFIX, Mistake.UPPERCASE, Mistake.SCHEME]
)
def test_a_page_a_target_prefix_and_capitals_are_certain(mistake: Mistake) -> None:
    assert is_surely_wrong(mistake)


PIECES = st.sampled_from(
    [
        *("nginx", "Nginx", "library", "bitnami", "1.27", "latest", "docker.io", "ghcr.io", HOST),
        *("/", "/", "/", ":", "：", "@", " ", ",", "。", "https://", "docker pull ", "-p ", "&& "),
        *("hub.docker.com/", "_/", "r/", "layers/", "images/", "github.com/", "pkgs/container/"),
        *("quay.io/", "repository/", "manifest/", "?tag=", "?name=", "%2F", "%00", "#", "[", "]"),
        *("(", ")", "`", "-", "--", "_80", "\u200b", "\n", "\ud800", f"sha256:{HEX64}"),
    ]
)
TEXTS = st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=12).map("".join))


@given(TEXTS)
def test_a_correction_is_a_reference_and_never_what_was_typed(text: str) -> None:
    correction = correct(text, target_host=HOST)
    if correction is None:
        return
    assert ImageRef.parse(str(correction.image)) == correction.image
    assert str(correction.image) != text
    try:
        assert ImageRef.parse(text) != correction.image
    except BadReference:
        return


@given(TEXTS)
def test_nothing_certain_is_left_to_correct_in_a_correction(text: str) -> None:
    correction = correct(text, target_host=HOST)
    if correction is not None:
        again = correct(str(correction.image), target_host=HOST)
        assert again is None or not is_surely_wrong(again.mistake)


@pytest.mark.usefixtures("ends")
@pytest.mark.parametrize("repeated", ["a-", "docker pull ", "(", "a/", ": ", "-", " "])
@pytest.mark.no_cover  # it is long, and its lines are reached elsewhere
def test_the_time_does_not_grow_with_the_square_of_the_length(repeated: str) -> None:
    """A text far longer than any message: what grew with the square would not end."""
    text = f"a{repeated * (64 * 4096 // len(repeated))}b"
    correct(text, target_host=HOST)
    correct(f"{HOST}/{text}", target_host=HOST)


def test_so_many_wrappings_are_no_name() -> None:
    assert correct("docker://" * 14 + "nginx", target_host=HOST) is None
