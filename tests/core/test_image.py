"""References and the names of the target.

The facts of the two tables are those of the distribution project's own grammar. Where this
product refuses more (an IPv6 host, an empty domain), the problem says so.
"""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.image import (
    BadReference,
    ImageRef,
    Naming,
    Problem,
    Target,
    is_host,
    source_name,
)

HEX64 = "be178c0543eb17f5f3043021c9e5fcf30285e557a4fc309cce97ff9ca6182912"
SHA256 = f"sha256:{HEX64}"
SHA384 = "sha384:" + "0f" * 48
SHA512 = "sha512:" + "0f" * 64
LONG = "/".join(["a" * 63] * 4)  # 255 characters

# What is typed, and the registry, repository and rest that Docker makes of it.
GOOD = [
    # short names
    ("nginx", "docker.io/library/nginx:latest"),
    ("nginx:1.27", "docker.io/library/nginx:1.27"),
    ("a", "docker.io/library/a:latest"),
    ("0", "docker.io/library/0:latest"),
    ("test_com", "docker.io/library/test_com:latest"),
    ("foo_bar", "docker.io/library/foo_bar:latest"),
    ("foo_bar.com", "docker.io/library/foo_bar.com:latest"),
    ("foo_bar.com:8080", "docker.io/library/foo_bar.com:8080"),
    ("test.com", "docker.io/library/test.com:latest"),
    ("test.com:tag", "docker.io/library/test.com:tag"),
    ("test.com:5000", "docker.io/library/test.com:5000"),
    ("ghcr.io", "docker.io/library/ghcr.io:latest"),
    ("localhost", "docker.io/library/localhost:latest"),
    ("localhost:5000", "docker.io/library/localhost:5000"),
    ("192.168.1.1", "docker.io/library/192.168.1.1:latest"),
    ("192.168.1.1:tag", "docker.io/library/192.168.1.1:tag"),
    ("192.168.1.1:5000", "docker.io/library/192.168.1.1:5000"),
    ("docker.io", "docker.io/library/docker.io:latest"),
    ("library", "docker.io/library/library:latest"),
    ("lowercase:Uppercase", "docker.io/library/lowercase:Uppercase"),
    ("ubuntu-12.04-base", "docker.io/library/ubuntu-12.04-base:latest"),
    ("dbcc1", "docker.io/library/dbcc1:latest"),
    (HEX64[:-1], f"docker.io/library/{HEX64[:-1]}:latest"),
    (HEX64 + "0", f"docker.io/library/{HEX64}0:latest"),
    (f"{HEX64}:tag", f"docker.io/library/{HEX64}:tag"),
    (f"sha256:{HEX64}", f"docker.io/library/sha256:{HEX64}"),
    ("thisisthesong" * 5, f"docker.io/library/{'thisisthesong' * 5}:latest"),
    # Docker Hub by its names
    ("library/nginx", "docker.io/library/nginx:latest"),
    ("docker.io/nginx", "docker.io/library/nginx:latest"),
    ("docker.io/nginx:1.27", "docker.io/library/nginx:1.27"),
    ("docker.io/library/nginx", "docker.io/library/nginx:latest"),
    ("index.docker.io/nginx", "docker.io/library/nginx:latest"),
    ("index.docker.io/library/nginx:1", "docker.io/library/nginx:1"),
    ("index.docker.io/bitnami/nginx", "docker.io/bitnami/nginx:latest"),
    ("registry-1.docker.io/nginx", "docker.io/library/nginx:latest"),
    ("registry-1.docker.io/library/nginx:1", "docker.io/library/nginx:1"),
    ("registry-1.docker.io/bitnami/nginx", "docker.io/bitnami/nginx:latest"),
    ("registry-2.docker.io/nginx", "registry-2.docker.io/nginx:latest"),
    ("docker.io:443/nginx", "docker.io:443/nginx:latest"),
    ("index.docker.io:443/nginx", "index.docker.io:443/nginx:latest"),
    (f"docker.io/{HEX64}", f"docker.io/library/{HEX64}:latest"),
    ("docker.io/library/foo/bar", "docker.io/library/foo/bar:latest"),
    ("library/foo/bar", "docker.io/library/foo/bar:latest"),
    ("store/foo/bar", "docker.io/store/foo/bar:latest"),
    ("fooo/bar", "docker.io/fooo/bar:latest"),
    ("bitnami/nginx:1", "docker.io/bitnami/nginx:1"),
    ("nonlibrary/ubuntu", "docker.io/nonlibrary/ubuntu:latest"),
    ("other/library", "docker.io/other/library:latest"),
    ("test_com/foo", "docker.io/test_com/foo:latest"),
    ("foo/foo_bar.com:8080", "docker.io/foo/foo_bar.com:8080"),
    ("docker/docker", "docker.io/docker/docker:latest"),
    ("docker/stevvooe/app", "docker.io/docker/stevvooe/app:latest"),
    ("d/docker", "docker.io/d/docker:latest"),
    ("jess/t", "docker.io/jess/t:latest"),
    ("aa/aa/bb/bb/bb", "docker.io/aa/aa/bb/bb/bb:latest"),
    ("a/a/a/a", "docker.io/a/a/a/a:latest"),
    # separators
    ("docker-rules/docker", "docker.io/docker-rules/docker:latest"),
    ("docker---rules/docker", "docker.io/docker---rules/docker:latest"),
    ("dock__er/docker", "docker.io/dock__er/docker:latest"),
    ("aa-a/a", "docker.io/aa-a/a:latest"),
    ("a/b.c_d__e-f--g", "docker.io/a/b.c_d__e-f--g:latest"),
    ("x/a--b---c", "docker.io/x/a--b---c:latest"),
    (
        "registry.io/foo/project--id.module--name.ver---sion--name",
        "registry.io/foo/project--id.module--name.ver---sion--name:latest",
    ),
    ("example.com/some_separator__underscore/i", "example.com/some_separator__underscore/i:latest"),
    # hosts
    ("test.com/foo", "test.com/foo:latest"),
    ("test.com/repo:tag", "test.com/repo:tag"),
    ("test.com:8080/foo", "test.com:8080/foo:latest"),
    ("test-com:8080/foo", "test-com:8080/foo:latest"),
    ("test:5000/repo", "test:5000/repo:latest"),
    ("test:5000/repo:tag", "test:5000/repo:tag"),
    ("nginx:1/2", "nginx:1/2:latest"),
    ("localhost/foo", "localhost/foo:latest"),
    ("localhost:8080/foo", "localhost:8080/foo:latest"),
    ("localhost:8080/foo/bar:1", "localhost:8080/foo/bar:1"),
    ("127.0.0.1:5000/docker/docker", "127.0.0.1:5000/docker/docker:latest"),
    ("127.0.0.1:5000/library/debian", "127.0.0.1:5000/library/debian:latest"),
    ("127.0.0.1:5000/debian", "127.0.0.1:5000/debian:latest"),
    ("127.0.0.1:8000/privatebase", "127.0.0.1:8000/privatebase:latest"),
    ("192.168.0.1:8/debian", "192.168.0.1:8/debian:latest"),
    ("192.168.0.2:25000/debian", "192.168.0.2:25000/debian:latest"),
    ("192.168.1.1/repo", "192.168.1.1/repo:latest"),
    ("192.168.1.1:5000/repo:5050", "192.168.1.1:5000/repo:5050"),
    ("192.168.1.1:750050/repo", "192.168.1.1:750050/repo:latest"),
    ("example.com/private/moonbase", "example.com/private/moonbase:latest"),
    ("example.com:8000/private/moonbase", "example.com:8000/private/moonbase:latest"),
    ("sub-dom1.foo.com/bar/baz/quux", "sub-dom1.foo.com/bar/baz/quux:latest"),
    ("sub-dom1.foo.com/bar/baz/quux:long-tag", "sub-dom1.foo.com/bar/baz/quux:long-tag"),
    ("b.gcr.io/test.example.com/my-app:t.e.c", "b.gcr.io/test.example.com/my-app:t.e.c"),
    ("xn--n3h.com/myimage:xn--n3h.com", "xn--n3h.com/myimage:xn--n3h.com"),
    ("xn--n3h.com:18080/foo", "xn--n3h.com:18080/foo:latest"),
    ("example.com/xn--7o8h.com/myimage", "example.com/xn--7o8h.com/myimage:latest"),
    ("a.b/c", "a.b/c:latest"),
    ("0101.com/a", "0101.com/a:latest"),
    ("001a.com/a", "001a.com/a:latest"),
    ("a-b.com/a", "a-b.com/a:latest"),
    ("ab.c-om/a", "ab.c-om/a:latest"),
    ("a--b.com/c", "a--b.com/c:latest"),
    ("foo.com/foo_bar", "foo.com/foo_bar:latest"),
    ("ghcr.io/owner/app:v1", "ghcr.io/owner/app:v1"),
    ("ghcr.io/library/nginx", "ghcr.io/library/nginx:latest"),
    ("quay.io/prometheus/node-exporter:v1.8.2", "quay.io/prometheus/node-exporter:v1.8.2"),
    ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
    ("gcr.io/distroless/static:nonroot", "gcr.io/distroless/static:nonroot"),
    ("mcr.microsoft.com/dotnet/sdk:9.0", "mcr.microsoft.com/dotnet/sdk:9.0"),
    # a first component in upper case is taken for a host
    ("Docker/docker", "Docker/docker:latest"),
    ("DOCKER/docker", "DOCKER/docker:latest"),
    ("Foo/bar", "Foo/bar:latest"),
    ("Asdf.com/foo/bar", "Asdf.com/foo/bar:latest"),
    ("Docker.io/nginx", "Docker.io/nginx:latest"),
    ("LOCALHOST/x", "LOCALHOST/x:latest"),
    ("Uppercase/lowercase:tag", "Uppercase/lowercase:tag"),
    # tags
    ("nginx:_", "docker.io/library/nginx:_"),
    ("nginx:_.-", "docker.io/library/nginx:_.-"),
    ("nginx:1.27.", "docker.io/library/nginx:1.27."),
    ("nginx:T-a.G_0", "docker.io/library/nginx:T-a.G_0"),
    ("nginx:latest", "docker.io/library/nginx:latest"),
    ("nginx:" + "t" * 128, "docker.io/library/nginx:" + "t" * 128),
    # digests
    (f"nginx@{SHA256}", f"docker.io/library/nginx@{SHA256}"),
    (f"nginx@{SHA384}", f"docker.io/library/nginx@{SHA384}"),
    (f"nginx@{SHA512}", f"docker.io/library/nginx@{SHA512}"),
    (f"nginx:1.27@{SHA256}", f"docker.io/library/nginx:1.27@{SHA256}"),
    (f"nginx:latest@{SHA256}", f"docker.io/library/nginx:latest@{SHA256}"),
    (f"test:5000/repo@{SHA256}", f"test:5000/repo@{SHA256}"),
    (f"test:5000/repo:tag@{SHA256}", f"test:5000/repo:tag@{SHA256}"),
    (f"xn--7o8h.com/myimage:t@{SHA512}", f"xn--7o8h.com/myimage:t@{SHA512}"),
    (f"localhost:8080@{SHA256}", f"docker.io/library/localhost:8080@{SHA256}"),
    (f"localhost:8080/name@{SHA256}", f"localhost:8080/name@{SHA256}"),
    (f"localhost@{SHA256}", f"docker.io/library/localhost@{SHA256}"),
    (f"dmcgowan/myapp@{SHA256}", f"docker.io/dmcgowan/myapp@{SHA256}"),
    # length: the repository counts, but not the host or the tag
    (f"{LONG}:tag-puts-this-over", f"docker.io/{LONG}:tag-puts-this-over"),
    (f"a-host.example.com/{LONG}", f"a-host.example.com/{LONG}:latest"),
    ("a/" * 127 + "a:tag", "docker.io/" + "a/" * 127 + "a:tag"),
    ("b" * 247, f"docker.io/library/{'b' * 247}:latest"),
]

BAD = [
    # nothing, and blanks
    ("", Problem.EMPTY),
    (" ", Problem.EMPTY),
    ("\n\t", Problem.EMPTY),
    (" nginx", Problem.BLANK),
    ("nginx ", Problem.BLANK),
    ("nginx\n", Problem.BLANK),
    ("nginx:1.27\n", Problem.BLANK),
    ("nginx\n1.27", Problem.BLANK),
    ("nginx 1.27", Problem.BLANK),
    ("nginx\u30001.27", Problem.BLANK),
    (f"nginx@{SHA256}\n", Problem.BLANK),
    ("docker pull nginx", Problem.BLANK),
    # characters
    ("nginx;curl", Problem.CHARACTER),
    ("$(id)", Problem.CHARACTER),
    ("nginx|sh", Problem.CHARACTER),
    ("`id`", Problem.CHARACTER),
    ("nginx：1.27", Problem.CHARACTER),
    ("镜像", Problem.CHARACTER),
    ("😀" * 1000, Problem.CHARACTER),
    ("nginx:\u0661", Problem.CHARACTER),
    ("ñginx", Problem.CHARACTER),
    ("nginx:é", Problem.CHARACTER),
    ("nginx\x00", Problem.CHARACTER),
    ("nginx\ud800", Problem.CHARACTER),
    ("aa/asdf$$^/aa", Problem.CHARACTER),
    ("asdf$$^/aa", Problem.CHARACTER),
    ("a^a", Problem.CHARACTER),
    ("registry.com:8080/myapp:invalid~tag", Problem.CHARACTER),
    ("[fe80::1%eth0]:5000/repo", Problem.CHARACTER),
    ("[fe80::1%@invalidzone]:5000/repo", Problem.CHARACTER),
    ("nginx,", Problem.CHARACTER),
    ("<nginx>", Problem.CHARACTER),
    # upper case in the repository
    ("Nginx", Problem.UPPERCASE),
    ("Uppercase:tag", Problem.UPPERCASE),
    ("docker/Docker", Problem.UPPERCASE),
    ("docker.io/docker/Docker", Problem.UPPERCASE),
    ("test:5000/Uppercase/lowercase:tag", Problem.UPPERCASE),
    ("Foo/FarB", Problem.UPPERCASE),
    ("ghcr.io/Owner/App:v1", Problem.UPPERCASE),
    (f"Nginx@{SHA256}", Problem.UPPERCASE),
    (HEX64.upper(), Problem.UPPERCASE),
    ("My_host.com/a", Problem.UPPERCASE),
    # ids
    (HEX64, Problem.BARE_ID),
    ("0" * 64, Problem.BARE_ID),
    # length
    (f"{LONG}a", Problem.TOO_LONG),
    ("a/" * 128 + "a:tag", Problem.TOO_LONG),
    ("b" * 248, Problem.TOO_LONG),
    ("ghcr.io/" + "b" * 256, Problem.TOO_LONG),
    ("x" * 270 + "/docker", Problem.TOO_LONG),
    # hosts that cannot be
    ("[2001:db8::1]/repo", Problem.IPV6_HOST),
    ("[2001:db8:1:2:3:4:5:6]/repo:tag", Problem.IPV6_HOST),
    ("[2001:db8::1]:5000/repo", Problem.IPV6_HOST),
    (f"[2001:db8::1]:5000/repo:tag@{SHA256}", Problem.IPV6_HOST),
    ("[2001:db8::]:5000/repo", Problem.IPV6_HOST),
    ("[::1]:5000/repo", Problem.IPV6_HOST),
    ("[fc00::1]:5000/docker/docker", Problem.IPV6_HOST),
    ("[fd00123123123]:75050/a", Problem.IPV6_HOST),
    ("[::]/x", Problem.IPV6_HOST),
    ("my_host.com/a", Problem.NO_DOMAIN),
    ("my_host.com/a/b:1", Problem.NO_DOMAIN),
    ("a__b.c/d", Problem.NO_DOMAIN),
    (f"foo_bar.com/a@{SHA256}", Problem.NO_DOMAIN),
    ("my_host.com:5000/a", Problem.HOST),
    ("bad_hostname.com:8080/myapp:tag", Problem.HOST),
    ("foo.com:http/bar", Problem.HOST),
    ("localhost:http/name", Problem.HOST),
    ("do__cker:8080/docker", Problem.HOST),
    ("-docker.io/docker/docker", Problem.HOST),
    ("docker./docker", Problem.HOST),
    (".docker/docker", Problem.HOST),
    ("do..cker/docker", Problem.HOST),
    ("dock..er/docker", Problem.HOST),
    ("-ab.com/a", Problem.HOST),
    ("ab-.com/a", Problem.HOST),
    ("ab.-com/a", Problem.HOST),
    ("ab.com-/a", Problem.HOST),
    ("test.com:/a", Problem.HOST),
    (":5000/a", Problem.HOST),
    ("fc00::1:5000/debian", Problem.HOST),
    ("[fd00:1:2::3]75050/a", Problem.HOST),
    ("[fd00:1:2::3]::75050/a", Problem.HOST),
    ("[2001:db8:3:4::192.0.2.33]:5000/debian", Problem.HOST),
    ("https://github.com/docker/docker", Problem.HOST),
    ("docker://nginx", Problem.HOST),
    ("localhost:80:80/a", Problem.HOST),
    # tags
    ("nginx:", Problem.TAG),
    ("nginx:-1", Problem.TAG),
    ("nginx:.1", Problem.TAG),
    ("nginx:1+2", Problem.TAG),
    ("nginx:" + "t" * 129, Problem.TAG),
    ("docker.io/library/nginx:", Problem.TAG),
    ("nginx:[1]", Problem.TAG),
    # digests
    ("nginx@", Problem.DIGEST),
    ("nginx@sha256", Problem.DIGEST),
    ("nginx@sha256:", Problem.DIGEST),
    ("nginx@1.27", Problem.DIGEST),
    ("registry.com:8080/myapp@bad", Problem.DIGEST),
    ("registry.com:8080/myapp@2bad", Problem.DIGEST),
    ("registry.com:8080/myapp@sha256:badbadbadbad", Problem.DIGEST),
    ("repo@sha256:" + "f" * 34, Problem.DIGEST),
    ("repo@sha256:" + "f" * 63, Problem.DIGEST),
    ("repo@sha256:" + "f" * 65, Problem.DIGEST),
    ("repo@sha384:" + "f" * 64, Problem.DIGEST),
    ("repo@sha512:" + "f" * 64, Problem.DIGEST),
    ("repo@sha256:" + "F" * 64, Problem.DIGEST),
    ("repo@SHA256:" + "f" * 64, Problem.DIGEST),
    ("repo@sha256:" + "g" * 64, Problem.DIGEST),
    ("repo@md5:" + "f" * 32, Problem.DIGEST),
    ("repo@sha256+b64:" + "f" * 64, Problem.DIGEST),
    ("validname@invaliddigest:" + "f" * 64, Problem.DIGEST),
    (f"nginx:1@{SHA256}@{SHA256}", Problem.DIGEST),
    (f"nginx@{SHA256}:1", Problem.DIGEST),
    # everything else
    (":justtag", Problem.MALFORMED),
    (f"@{SHA256}", Problem.MALFORMED),
    ("[2001:db8::1]", Problem.MALFORMED),
    ("[2001:db8::1]:5000", Problem.MALFORMED),
    ("[2001:db8::1]:tag", Problem.MALFORMED),
    ("-docker", Problem.MALFORMED),
    ("-foo", Problem.MALFORMED),
    ("-docker/docker", Problem.MALFORMED),
    ("docker-/docker", Problem.MALFORMED),
    ("-docker-/docker", Problem.MALFORMED),
    ("____/____", Problem.MALFORMED),
    ("_docker/_docker", Problem.MALFORMED),
    ("docker_/docker_", Problem.MALFORMED),
    ("_foo/bar", Problem.MALFORMED),
    ("foo/bar-", Problem.MALFORMED),
    ("foo/-bar", Problem.MALFORMED),
    ("x/dock_.er", Problem.MALFORMED),
    ("x/dock-.er", Problem.MALFORMED),
    ("x/a___b", Problem.MALFORMED),
    ("x/a..b", Problem.MALFORMED),
    ("x/a+b", Problem.MALFORMED),
    ("docker/", Problem.MALFORMED),
    ("docker///docker", Problem.MALFORMED),
    ("docker.io/docker///docker", Problem.MALFORMED),
    ("docker.io/", Problem.MALFORMED),
    ("ghcr.io/", Problem.MALFORMED),
    ("foo.com/", Problem.MALFORMED),
    ("/nginx", Problem.MALFORMED),
    ("/", Problem.MALFORMED),
    ("a/a/a/a/", Problem.MALFORMED),
    ("a//a/a", Problem.MALFORMED),
    ("foo.com/a-/a/a", Problem.MALFORMED),
    ("example.com/__underscore/myimage", Problem.MALFORMED),
    ("example.com/..dots/myimage", Problem.MALFORMED),
    ("example.com/.dots/myimage", Problem.MALFORMED),
    ("example.com/nodouble..dots/myimage", Problem.MALFORMED),
    ("nginx:1:2", Problem.TAG),
    (".", Problem.MALFORMED),
    ("..", Problem.MALFORMED),
    ("../../etc/passwd", Problem.HOST),
]


def test_the_tables_hold_at_least_200_cases() -> None:
    assert len({text for text, _ in GOOD} | {text for text, _ in BAD}) >= 200


@pytest.mark.parametrize(("text", "expected"), GOOD, ids=[text[:60] for text, _ in GOOD])
def test_a_reference_is_read_as_docker_reads_it(text: str, expected: str) -> None:
    assert str(ImageRef.parse(text)) == expected


@pytest.mark.parametrize(("text", "problem"), BAD, ids=[ascii(text)[:60] for text, _ in BAD])
def test_a_text_that_is_no_reference_is_refused_with_its_problem(
    text: str, problem: Problem
) -> None:
    with pytest.raises(BadReference) as caught:
        ImageRef.parse(text)
    assert (caught.value.problem, caught.value.text) == (problem, text)


def test_every_problem_occurs() -> None:
    assert {problem for _, problem in BAD} == set(Problem)


def test_tag_and_digest_are_both_kept() -> None:
    image = ImageRef.parse(f"nginx:1.27@{SHA256}")
    assert image == ImageRef("docker.io", "library/nginx", "1.27", SHA256)


def test_a_digest_alone_gets_no_tag() -> None:
    assert ImageRef.parse(f"nginx@{SHA256}").tag is None


def test_a_bad_reference_says_so_in_bounded_words() -> None:
    error = BadReference("x" * 5000, Problem.TOO_LONG)
    assert str(error).endswith("is no image reference: too-long")
    assert len(str(error)) < 400


@pytest.mark.parametrize(
    ("component", "expected"),
    [("a.b", True), ("a:1", True), ("localhost", True), ("A", True), ("a", False), ("a_b", False)],
)
def test_a_first_component_is_a_host_as_docker_sees_it(component: str, *, expected: bool) -> None:
    assert is_host(component) is expected


# Any text, texts of the grammar's characters, and texts that are mostly references.
PIECES = st.sampled_from(
    [
        *("docker.io", "index.docker.io", "registry-1.docker.io", "ghcr.io", "localhost", "[::1]"),
        *("library", "nginx", "a-b", "a--b", "a_b", "a__b", "a.b", "Foo", "my_host.com", "b" * 90),
        *(":", ":", "/", "/", "/", "@", "@", ".", "-", "_", "5000", "latest", "1.27", "\n", " "),
        *(HEX64, SHA256, SHA384, SHA512),
    ]
)
PARTS = st.sampled_from(["nginx", "library", "a-b", "a--b", "a_b", "a__b", "a.b", "0", "x---y"])
HOSTS = st.sampled_from(
    ["docker.io", "index.docker.io", "registry-1.docker.io", "ghcr.io", "localhost", "Foo", "a:80"]
)


@st.composite
def references(draw: st.DrawFn) -> str:
    host = draw(st.one_of(st.just(""), HOSTS.map(lambda host: f"{host}/")))
    path = "/".join(draw(st.lists(PARTS, min_size=1, max_size=4)))
    tag = draw(st.sampled_from(["", ":latest", ":1.27", ":_T.-"]))
    return host + path + tag + draw(st.sampled_from(["", "", f"@{SHA256}"]))


TEXTS = st.one_of(
    st.text(max_size=40),
    st.text(string.ascii_letters + string.digits + "._-/:@+[]", max_size=40),
    st.lists(PIECES, max_size=10).map("".join),
    references(),
)


def parsed(text: str) -> ImageRef | None:
    try:
        return ImageRef.parse(text)
    except BadReference:
        return None


@given(TEXTS)
def test_what_is_accepted_reads_as_itself_again(text: str) -> None:
    image = parsed(text)
    assert image is None or ImageRef.parse(str(image)) == image


@given(TEXTS)
def test_what_is_accepted_holds_nothing_that_a_shell_or_an_address_could_take_amiss(
    text: str,
) -> None:
    image = parsed(text)
    assert image is None or re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/:@-]*", str(image))


@given(TEXTS)
def test_every_text_that_is_read_as_an_image_is_among_its_spellings(text: str) -> None:
    image = parsed(text)
    assert image is None or text in image.spellings()


@given(references())
def test_every_spelling_is_read_as_the_image(text: str) -> None:
    image = ImageRef.parse(text)
    assert all(ImageRef.parse(spelling) == image for spelling in image.spellings())


def test_a_spelling_that_docker_reads_as_another_image_is_none() -> None:
    image = ImageRef.parse("docker.io/ghcr.io/app:1")
    assert image.spellings() == {
        "docker.io/ghcr.io/app:1",
        "index.docker.io/ghcr.io/app:1",
        "registry-1.docker.io/ghcr.io/app:1",
    }


def test_a_spelling_that_is_no_reference_is_left_out() -> None:
    assert HEX64 not in ImageRef.parse(f"{HEX64}:latest").spellings()


@pytest.mark.parametrize(
    ("prefix", "naming", "text", "expected"),
    [
        ("", "nested", "nginx:1.26", "h.example.com/docker.io/library/nginx:1.26"),
        ("mirror", "nested", "nginx", "h.example.com/mirror/docker.io/library/nginx:latest"),
        ("", "nested", "localhost:5000/a", "h.example.com/localhost_5000/a:latest"),
        ("", "nested", "Quay.IO/a", "h.example.com/quay.io/a:latest"),
        ("", "nested", f"ghcr.io/a@{SHA256}", f"h.example.com/ghcr.io/a@{SHA256}"),
        ("", "nested", f"ghcr.io/a:1@{SHA256}", "h.example.com/ghcr.io/a:1"),
        ("", "flat", "nginx:1.26", "h.example.com/docker.io-library-nginx:1.26"),
        ("p", "flat", "ghcr.io/a-b/c", "h.example.com/p/ghcr.io-a--b-c:latest"),
        ("p", "flat", "localhost:80/x--y", "h.example.com/p/localhost_80-x----y:latest"),
    ],
)
def test_the_target_names_an_image_after_its_whole_name(
    prefix: str, naming: str, text: str, expected: str
) -> None:
    target = Target("h.example.com", prefix, Naming(naming))
    assert target.name_of(ImageRef.parse(text)) == expected


FLAT = Target("h.example.com", "", Naming.FLAT)


@given(references(), references())
def test_flat_names_never_collide(one: str, other: str) -> None:
    first, second = ImageRef.parse(one), ImageRef.parse(other)
    same = (first.registry, first.repository) == (second.registry, second.repository)
    names = {FLAT.name_of(image).removeprefix("h.example.com/") for image in (first, second)}
    paths = {re.split("[:@]", name)[0] for name in names}
    assert (len(paths) == 1) is same


@given(
    st.one_of(
        references(),
        st.lists(st.sampled_from(["a", "-", "/", "b", "_"])).map(
            lambda parts: f"localhost:5000/a{''.join(parts)}b:1"
        ),
    ),
    st.sampled_from(["", "mirror", "team/mirror"]),
    st.sampled_from(Naming),
)
def test_the_source_can_be_read_back_from_a_name_of_the_target(
    text: str, prefix: str, naming: Naming
) -> None:
    image = parsed(text)
    if image is None or not is_host(image.registry.lower()):
        return  # `Foo/nginx` is a host only by its capital, which no name of the target keeps
    name = Target("h.example.com", prefix, naming).name_of(image)
    source = source_name(name.removeprefix("h.example.com/").removeprefix(f"{prefix}/"))
    assert source is not None
    suffix = f":{image.tag}" if image.tag else f"@{image.digest}"
    assert source == f"{image.registry.lower()}/{image.repository}{suffix}"


@pytest.mark.parametrize("path", ["", "nginx", "nginx:1", "library/nginx", "a-b", "a--b/c"])
def test_a_path_that_names_no_registry_is_no_name_of_the_target(path: str) -> None:
    assert source_name(path) is None


@given(references())
def test_a_flat_name_is_one_valid_path_component(text: str) -> None:
    name = FLAT.name_of(ImageRef.parse(text)).removeprefix("h.example.com/")
    assert re.fullmatch(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*", re.split("[:@]", name)[0])


@given(references())
def test_every_name_of_the_target_is_a_reference(text: str) -> None:
    for naming in Naming:
        assert ImageRef.parse(Target("h.example.com", "p", naming).name_of(ImageRef.parse(text)))
