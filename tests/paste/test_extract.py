"""Everything that people paste, and exactly the images that are in it.

The pastes are in tests/paste/pastes/, each above its expected findings. README.md there has the
format.
"""

import codecs

import pytest
import yaml
from bombs import BOMBS
from hypothesis import given
from hypothesis import strategies as st
from pasted import ALL, HOST, Paste

from bot.core.image import ImageRef, Target
from bot.paste import (
    IMAGES_PER_PASTE,
    PASTE_SIZE_LIMIT,
    Finding,
    Flaw,
    extract,
    extract_file,
    free_text,
    image_values,
    rewrite,
    yaml_tree,
)
from bot.paste.file_kind import scan
from bot.paste.interpolation import expand
from bot.paste.tokens import TokenKind, token_kind

ENOUGH = 70


def told(finding: Finding) -> str:
    """Write a finding in the notation of the pastes."""
    lines = [str(image) for image in finding.images]
    for bad in finding.bad:
        if bad.correction is not None:
            lines.append(f"? {bad.text} = {bad.correction.image}")
        else:
            lines.append(f"! {bad.text} = {bad.problem}")
    return "".join(f"{line}\n" for line in lines)


def kind_told(finding: Finding) -> str:
    words = [str(finding.kind), "" if finding.certain else "unsure", str(finding.flaw or "")]
    return " ".join(word for word in words if word)


@pytest.mark.parametrize("paste", ALL, ids=[paste.title for paste in ALL])
def test_a_paste_gives_exactly_its_images_and_none_besides(paste: Paste) -> None:
    finding = paste.finding()
    assert told(finding) == paste.expected
    assert kind_told(finding) == paste.kind


def test_there_are_enough_pastes_and_no_two_are_called_alike() -> None:
    assert len(ALL) >= ENOUGH
    assert len({paste.title for paste in ALL}) == len(ALL)


def found(text: str, name: str = "") -> list[str]:
    return [str(image) for image in extract(text, target_host=HOST, name=name).images]


PIECES = st.sampled_from(
    [
        *(
            "nginx",
            "nginx:1.27",
            "Nginx",
            "quay.io/a/b:1",
            "a/b",
            "1.27",
            "latest",
            HOST,
            "@sha256:",
        ),
        *(
            "image: ",
            "- ",
            "  ",
            "\n",
            "\r\n",
            "\t",
            ": ",
            "{",
            "}",
            "[",
            "]",
            ",",
            "&a ",
            "*a",
            "<<: ",
        ),
        *(
            "services:\n",
            "apiVersion: v1\nkind: Pod\n",
            "repository: ",
            "tag: ",
            "registry: ",
            "---\n",
        ),
        *(
            "docker pull ",
            "docker run ",
            "--set ",
            "helm x ",
            "image.tag=",
            "kubectl set image ",
            "&& ",
        ),
        *(
            "FROM ",
            "ARG ",
            "COPY --from=",
            "RUN --mount=type=bind,from=",
            " AS ",
            "\\\n",
            "<<EOF\n",
        ),
        *(
            "${",
            "$",
            "{{",
            "}}",
            ":-",
            "`",
            "```\n",
            "~~~",
            '"',
            "'",
            "|",
            ">-\n",
            "#",
            "# escape=`\n",
        ),
        *(
            "REPOSITORY  TAG  IMAGE ID\n",
            "IMAGES",
            "https://",
            "hub.docker.com/_/",
            "同步",
            "，",
            "：",
        ),
        *("🚀", "\u200b", "\0", "\ud800", "\x85", "\u2028", "\ufeff", "12:30", "/etc", "null", "~"),
    ]
)
TEXTS = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=25).map("".join))
NAMES = st.sampled_from(["", "a.yaml", "values.yaml", "Dockerfile", "a.txt", "a.json", "\0"])


@given(text=TEXTS, name=NAMES)
def test_no_text_whatever_raises(text: str, name: str) -> None:
    finding = extract(text, target_host=HOST, name=name)
    assert len(set(finding.images)) == len(finding.images) <= IMAGES_PER_PASTE


@given(
    content=st.one_of(st.binary(max_size=60), TEXTS.map(lambda t: t.encode(errors="replace"))),
    name=NAMES,
)
def test_no_file_whatever_raises_and_without_images_it_comes_back_as_it_is(
    content: bytes, name: str
) -> None:
    extract_file(content, target_host=HOST, name=name)
    assert rewrite(content, name=name, target=Target(HOST), images=()).content == content


@pytest.mark.usefixtures("ends")
@pytest.mark.parametrize(
    "text", ["{/* " * (PASTE_SIZE_LIMIT // 4), "{" + '"a/*' * (PASTE_SIZE_LIMIT // 4)]
)
def test_comments_that_never_end_are_passed_over(text: str) -> None:
    assert extract(text, target_host=HOST, name="a.json").flaw is not None


@pytest.mark.usefixtures("ends")
@pytest.mark.parametrize("name", ["", "list.txt", "compose.yaml"])
@pytest.mark.parametrize("text", ["1" + ":59" * 300_000, "a@b." + "a" * 900_000 + "@"])
def test_a_word_without_an_end_is_read_once(text: str, name: str) -> None:
    assert extract(text, target_host=HOST, name=name).images == ()


@pytest.mark.parametrize("bomb", ["dashes", "braces", "documents", "scalars"])
def test_a_bound_that_is_passed_is_told(bomb: str) -> None:
    content = BOMBS[bomb].encode()[:PASTE_SIZE_LIMIT]
    finding = extract_file(content, target_host=HOST, name="a.yaml")
    assert finding.flaw is Flaw.TOO_DEEP
    assert finding.images == ()


def test_a_fence_that_names_a_language_closes_no_other() -> None:
    text = "see:\n```yaml\nimage: nginx:1.27\n```yaml\nimage: redis:7\n```\n"
    assert told(extract(text, target_host=HOST)) == (
        "docker.io/library/nginx:1.27\ndocker.io/library/redis:7\n"
    )


def test_no_place_is_looked_for_in_a_very_long_spelling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_values, "LONGEST_SPELLING", 20)
    content = b"services: {a: {image: 'nginx:1.27-with-a-long-tag'}, b: {image: redis}}"
    images = extract_file(content, target_host=HOST, name="c.yml").images
    back = rewrite(content, name="c.yml", target=Target(HOST), images=images)
    assert b"'nginx:1.27-with-a-long-tag'" in back.content
    assert [fixed.image for fixed in back.fixed] == [*images[1:]]


def test_a_bomb_of_aliases_hides_no_image() -> None:
    text = "a: &a [*a, {image: nginx}]\nb: &b {b: *b, <<: *b}\n"
    assert found(text, "a.yaml") == ["docker.io/library/nginx:latest"]


def test_a_file_is_at_most_so_large() -> None:
    large = b"image: a\n" * (PASTE_SIZE_LIMIT // 9 + 1)
    assert extract_file(large, target_host=HOST, name="a.yaml").flaw is Flaw.TOO_LARGE
    assert extract(large.decode(), target_host=HOST).flaw is Flaw.TOO_LARGE


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n\0", b"image: \xff", b"\0\0", b"\xff\xfea", b"\xcd\xf8\x01"]
)
def test_a_file_that_is_no_text_is_told(content: bytes) -> None:
    assert extract_file(content, target_host=HOST, name="a").flaw is Flaw.NOT_TEXT


def test_a_file_with_a_mark_of_utf16_is_text() -> None:
    content = codecs.BOM_UTF16_LE + "nginx:1.27\r\n".encode("utf-16-le")
    finding = extract_file(content, target_host=HOST, name="list.txt")
    assert [str(image) for image in finding.images] == ["docker.io/library/nginx:1.27"]


def test_a_file_as_windows_in_china_saves_it_is_text() -> None:
    content = "需要同步：nginx:1.27、redis:7\r\n".encode("gbk")
    finding = extract_file(content, target_host=HOST, name="镜像.txt")
    assert told(finding) == "docker.io/library/nginx:1.27\ndocker.io/library/redis:7\n"


@pytest.mark.parametrize(
    ("text", "name", "untagged"),
    [
        ("nginx redis:latest mysql:8", "", ["docker.io/library/nginx:latest"]),
        ("nginx nginx:latest", "", []),
        ("nginx 镜像，还有 busybox:latest", "", []),
        ("docker pull nginx", "", ["docker.io/library/nginx:latest"]),
        ("能不能同步 nginx", "", ["docker.io/library/nginx:latest"]),
        ("REPOSITORY  TAG  IMAGE ID\nnginx  latest  39286ab8a5e1\n", "", []),
        ("latest: Pulling from library/nginx", "", []),
        ("https://hub.docker.com/r/bitnami/redis", "", ["docker.io/bitnami/redis:latest"]),
        ("https://quay.io/repository/a/b?tab=tags&tag=latest", "", []),
        ("image: {repository: a/b, tag: latest}", "values.yaml", []),
        ("images: [{name: a, newName: a/b, newTag: latest}]", "kustomization.yaml", []),
        (
            "services: {a: {image: 'nginx:${TAG:-latest}'}, b: {image: redis}}",
            "c.yml",
            ["docker.io/library/redis:latest"],
        ),
        ("image: nginx@sha256:" + "0f" * 32, "a.yaml", []),
    ],
)
def test_only_what_is_named_without_a_tag_is_said_to_be(
    text: str, name: str, untagged: list[str]
) -> None:
    finding = extract(text, target_host=HOST, name=name)
    assert finding.images or finding.bad
    assert [str(image) for image in finding.untagged] == untagged


def test_a_tag_in_a_file_with_a_mark_is_seen() -> None:
    content = codecs.BOM_UTF16_LE + "nginx:latest\r\nredis\r\n".encode("utf-16-le")
    finding = extract_file(content, target_host=HOST, name="list.txt")
    assert [str(image) for image in finding.untagged] == ["docker.io/library/redis:latest"]


@pytest.mark.parametrize("line", ["a{n}:1", "A{n}:1", "A/a:1 a{n}:1"])
def test_more_images_than_a_request_may_hold_are_told(line: str) -> None:
    text = "\n".join(line.format(n=n) for n in range(IMAGES_PER_PASTE + 1))
    finding = extract(text, target_host=HOST)
    assert finding.flaw is Flaw.TOO_MANY
    assert max(len(finding.images), len(finding.bad)) == IMAGES_PER_PASTE


def test_a_loop_makes_only_so_many_texts() -> None:
    values = " ".join(f"x:{n}" for n in range(600))
    pulls = "".join(f"docker pull a{n}/$a\n" for n in range(100))
    finding = extract(f"for a in {values}; do\n{pulls}done", target_host=HOST)
    assert finding.flaw is Flaw.TOO_MANY
    assert len(finding.images) == IMAGES_PER_PASTE
    assert len(free_text.scan(f"for a in {values}; do\n{pulls}done").mentions) < 6000


def test_only_so_many_texts_are_read_even_if_they_mean_the_same() -> None:
    hidden = ("\u200b" * (n % 40) + "nginx" + "\u200b" * (n // 40) + ":1" for n in range(3000))
    finding = extract(" ".join(hidden), target_host=HOST)
    assert finding.flaw is Flaw.TOO_MANY
    assert [str(image) for image in finding.images] == ["docker.io/library/nginx:1"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f"docker pull a/{'b' * 2000}:1", ""),
        (f"services: {{a: {{image: {'b' * 2000}}}}}", "compose.yml"),
        (f"FROM {'b' * 2000}", "Dockerfile"),
    ],
)
def test_a_text_that_no_image_is_as_long_as_is_passed_over(text: str, name: str) -> None:
    finding = extract(text, target_host=HOST, name=name)
    assert (finding.images, finding.bad, finding.flaw) == ((), (), None)


def test_a_long_text_that_is_no_file_is_read_to_a_bound() -> None:
    finding = extract("nginx:1 " + "同步 " * 100_000, target_host=HOST)
    assert finding.flaw is Flaw.TOO_MANY
    assert [str(image) for image in finding.images] == ["docker.io/library/nginx:1"]


@pytest.mark.no_cover  # it is long, and its lines are reached elsewhere
def test_a_text_of_very_many_lines_is_read_to_a_bound() -> None:
    finding = extract("nginx:1\n" + "for wei\n" * 20_000, target_host=HOST)
    assert finding.flaw is Flaw.TOO_MANY
    assert [str(image) for image in finding.images] == ["docker.io/library/nginx:1"]


def test_the_parser_in_c_and_the_one_in_python_see_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = next(paste.text for paste in ALL if "WordPress" in paste.title) + "# 网🚀\nx: '网' # y\n"
    mentions = scan(text, "a.yaml").mentions
    monkeypatch.setattr(yaml_tree, "_LOADER", yaml.SafeLoader)
    assert scan(text, "a.yaml").mentions == mentions


WORDS = {
    "nginx:1.27": TokenKind.IMAGE,
    "nginx@sha256:" + "0f" * 32: TokenKind.IMAGE,
    "ghcr.io/a/b": TokenKind.IMAGE,
    "docker://a": TokenKind.IMAGE,
    "https://quay.io/a/b": TokenKind.IMAGE,
    "https://example.com/a:1": TokenKind.IMAGE,
    "10.0.0.1:5000/a:1": TokenKind.IMAGE,
    "hub.docker.com/_/nginx": TokenKind.IMAGE,
    "a/b": TokenKind.THING,
    "owner/name": TokenKind.PATH,
    "nginx": TokenKind.BARE,
    "1.27": TokenKind.VERSION,
    "latest": TokenKind.VERSION,
    "please": TokenKind.WORD,
    "nginx:": TokenKind.WORD,
    "version:1.27": TokenKind.WORD,
    "12:30": TokenKind.THING,
    "1.2.3.4": TokenKind.THING,
    "1.2.3.4:80": TokenKind.THING,
    "localhost:8080": TokenKind.THING,
    "example.com:443": TokenKind.THING,
    "example.com": TokenKind.THING,
    "/etc/x": TokenKind.THING,
    "./x": TokenKind.THING,
    "~/x": TokenKind.THING,
    "--flag": TokenKind.OTHER,
    "@wei": TokenKind.THING,
    "wei@example.com": TokenKind.THING,
    "git@github.com:owner/app.git": TokenKind.THING,
    "2024/05/01": TokenKind.THING,
    "and/or": TokenKind.THING,
    "docs/": TokenKind.THING,
    "k8s/app.yaml": TokenKind.THING,
    "a/b:c:d": TokenKind.OTHER,
    "a/b?c": TokenKind.OTHER,
    "x:y": TokenKind.OTHER,
    "x.y": TokenKind.THING,
    "$A/b": TokenKind.OTHER,
    "C:\\x": TokenKind.OTHER,
    "ftp://a/b:1": TokenKind.THING,
    "https://example.com/a": TokenKind.THING,
    "https://github.com/a/b": TokenKind.THING,
    "https://registry-1.docker.io/v2/": TokenKind.THING,
    "nginx@1.27": TokenKind.IMAGE,
    "wei@10.0.0.1": TokenKind.OTHER,
    "x.y:z": TokenKind.OTHER,
    "a/b~c": TokenKind.OTHER,
    "a+b": TokenKind.OTHER,
    "k": TokenKind.THING,
    "39286ab8a5e1": TokenKind.THING,
    "name:": TokenKind.WORD,
    "...": TokenKind.THING,
    "a_:b": TokenKind.OTHER,
    "a" * 2000: TokenKind.OTHER,
}


@pytest.mark.parametrize(("word", "shape"), WORDS.items(), ids=[word[:30] for word in WORDS])
def test_a_word_alone_is_what_it_looks_like(word: str, shape: TokenKind) -> None:
    assert token_kind(word) is shape


WORDLIKE = """
bash caddy composer crate dart docker express flink friendica ghost hitch jetty julia kong maven
mono node notary odoo perl photon plone python redmine registry rocket ruby rust solr spark storm
swift tomcat traefik unit varnish vault znc
"""


@pytest.mark.parametrize("name", WORDLIKE.split())
def test_no_official_image_is_taken_for_a_word_of_a_language(name: str) -> None:
    assert token_kind(name) is TokenKind.BARE
    assert token_kind(f"{name}:1.2") is TokenKind.IMAGE
    assert found(name) == [f"docker.io/library/{name}:latest"]


@pytest.mark.parametrize(
    ("text", "known", "value"),
    [
        ("a", {}, "a"),
        ("$A-${A}", {"A": "1"}, "1-1"),
        ("$$A \\$A", {}, "$A $A"),
        ("${A:-d}${A-d}${A:+d}${A+d}", {}, "dd"),
        ("${A:-d}${A-d}${A:+d}${A+d}", {"A": ""}, "dd"),
        ("${A:-d}${A:+e}${A:?x}", {"A": "1"}, "1e1"),
        ("${A:-${B:-c}}", {}, "c"),
        ("$A", {}, None),
        ("${A}", {}, None),
        ("${A", {}, None),
        ("${A?b}", {}, None),
        ("${A/b/c}", {"A": "b"}, None),
        ("${}", {}, None),
        ("$", {}, None),
        ("$(A)", {}, None),
        ("${A:-" * 9 + "}" * 9, {}, None),
    ],
)
def test_a_variable_is_what_the_file_says_or_nothing(
    text: str, known: dict[str, str], value: str | None
) -> None:
    assert expand(text, known) == value


CHART = "ghcr.io/acme/charts/shop:2.1.0"


@pytest.mark.parametrize(
    "text",
    [
        "helm pull oci://ghcr.io/acme/charts/shop --version 2.1.0",
        "helm install shop oci://ghcr.io/acme/charts/shop --version=2.1.0",
        "oci://ghcr.io/acme/charts/shop:2.1.0",
        "nginx:1.27 oci://ghcr.io/acme/charts/shop:2.1.0",
    ],
)
def test_a_chart_is_known_as_one(text: str) -> None:
    found = extract(text, target_host="harbor.example.com")
    assert found.charts == (ImageRef.parse(CHART),)
    assert set(found.charts) <= set(found.images)


def test_an_image_with_the_name_of_a_chart_is_none() -> None:
    assert extract(f"docker pull {CHART}", target_host="harbor.example.com").charts == ()
