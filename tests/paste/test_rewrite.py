"""The same file with the target's names for its images, and nothing else changed."""

import codecs
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pasted import ALL, Paste

from bot.core.image import ImageRef, Naming, Target
from bot.paste import IMAGES_PER_PASTE, REWRITABLE, FileKind, extract_file, rewrite
from bot.paste.file_kind import scan

TARGET = Target("harbor.example.com:8443", "mirror")
DIGEST = "sha256:" + "0f" * 32
FILES = [paste for paste in ALL if paste.name and not paste.kind.startswith("text")]


def changed(text: str, name: str, *, target: Target = TARGET, keep: str = "") -> str:
    """Rewrite all images of a file, except the one to keep."""
    content = text.encode()
    found = extract_file(content, target_host=target.host, name=name).images
    images = [image for image in found if str(image) != keep]
    return rewrite(content, name=name, target=target, images=images).content.decode()


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        (
            "compose.yml",
            "services:\n  a: # web\n    image: \"nginx:1.27\"  # pinned\r\n  b: {image: 'redis'}\n",
            (
                'services:\n  a: # web\n    image: "H/docker.io/library/nginx:1.27"  # pinned\r\n'
                "  b: {image: 'H/docker.io/library/redis:latest'}\n"
            ),
        ),
        (
            "compose.yml",
            "services:\n  a: {image: 'nginx:${TAG:-1.27}'}\n",
            "services:\n  a: {image: 'H/docker.io/library/nginx:1.27'}\n",
        ),
        (
            "compose.yml",
            "x-i: &i nginx\nservices:\n  a: {image: *i}\n  b: {image: *i}\n",
            (
                "x-i: &i H/docker.io/library/nginx:latest\n"
                "services:\n  a: {image: *i}\n  b: {image: *i}\n"
            ),
        ),
        (
            "compose.yml",
            "services:\n  own: {build: ., image: x}\n  a:\n    image: >-\n      nginx:1\n",
            (
                "services:\n  own: {build: ., image: x}\n  a:\n    image: >-\n"
                "      H/docker.io/library/nginx:1\n"
            ),
        ),
        (
            "values.yaml",
            'image:\n  registry: docker.io\n  repository: bitnami/redis\n  tag: "7.2"\n',
            'image:\n  registry: h\n  repository: P/docker.io/bitnami/redis\n  tag: "7.2"\n',
        ),
        (
            "values.yaml",
            "image: {repository: quay.io/a/b, tag: 1.10}\n",
            "image: {repository: H/quay.io/a/b, tag: 1.10}\n",
        ),
        (
            "values.yaml",
            "image: a/b\nimageTag: 8.5.1\n",
            "image: H/docker.io/a/b\nimageTag: 8.5.1\n",
        ),
        (
            "values.yaml",
            "global: {imageRegistry: quay.io}\nimage: {repository: a/b, tag: 1}\n",
            "global: {imageRegistry: quay.io}\nimage: {repository: a/b, tag: 1}\n",
        ),
        (
            "kustomization.yaml",
            "images:\n- {name: a, newName: quay.io/a/b, newTag: 1}\n- {name: nginx, newTag: 2}\n",
            "images:\n- {name: a, newName: H/quay.io/a/b, newTag: 1}\n- {name: nginx, newTag: 2}\n",
        ),
        (
            "pod.yaml",
            "kind: Pod\napiVersion: v1\nspec: [{image: a/b:1}, {args: [--x-image=a/b:1]}]\n",
            (
                "kind: Pod\napiVersion: v1\n"
                "spec: [{image: H/docker.io/a/b:1}, {args: [--x-image=H/docker.io/a/b:1]}]\n"
            ),
        ),
        (
            "Dockerfile",
            f"FROM redis:7@{DIGEST}\nFROM nginx@{DIGEST}\n",
            f"FROM H/docker.io/library/redis:7@{DIGEST}\nFROM H/docker.io/library/nginx@{DIGEST}\n",
        ),
        (
            "values.yaml",
            f"image: {{repository: a/b, tag: 1, digest: '{DIGEST}'}}\n",
            f"image: {{repository: H/docker.io/a/b, tag: 1, digest: '{DIGEST}'}}\n",
        ),
        (
            "ci.yml",
            "steps: [{uses: docker://alpine:3}, {uses: actions/checkout@v4}]\n",
            "steps: [{uses: docker://H/docker.io/library/alpine:3}, {uses: actions/checkout@v4}]\n",
        ),
        (
            "app.yaml",
            "a: |\n  image: {repository: a/b, tag: 1}\n  x:\n    image: nginx:1\n",
            (
                "a: |\n  image: {repository: H/docker.io/a/b, tag: 1}\n  x:\n"
                "    image: H/docker.io/library/nginx:1\n"
            ),
        ),
        (
            "a.json",
            '{"image": "nginx:1", // image: redis:7\n "b": {"image": "redis:7"}}\n',
            (
                '{"image": "H/docker.io/library/nginx:1", // image: redis:7\n'
                ' "b": {"image": "H/docker.io/library/redis:7"}}\n'
            ),
        ),
        (
            "deployment.yaml",
            "  {{- if .Values.x }}\n  image: nginx:1 # a\n  image: {{ .Values.image }}\n",
            (
                "  {{- if .Values.x }}\n  image: H/docker.io/library/nginx:1 # a\n"
                "  image: {{ .Values.image }}\n"
            ),
        ),
        (
            "Dockerfile",
            (
                "ARG V=1.23\nFROM golang:${V} AS build # not a comment\n"
                "COPY --from=busybox /a /b\nFROM scratch\nCOPY --from=build /a /b\n"
                "RUN --mount=type=bind,from=alpine:3,target=/x echo FROM golang:1\n"
            ),
            (
                "ARG V=1.23\nFROM H/docker.io/library/golang:1.23 AS build # not a comment\n"
                "COPY --from=H/docker.io/library/busybox:latest /a /b\nFROM scratch\n"
                "COPY --from=build /a /b\nRUN --mount=type=bind,from=H/docker.io/library/alpine:3,"
                "target=/x echo FROM golang:1\n"
            ),
        ),
    ],
)
def test_only_the_images_change(name: str, before: str, after: str) -> None:
    place = f"{TARGET.host}/{TARGET.prefix}"
    expected = after.replace("H/", f"{place}/").replace("P/", f"{TARGET.prefix}/")
    expected = expected.replace("registry: h\n", f"registry: {TARGET.host}\n")
    assert changed(before, name) == expected


def test_an_image_that_is_not_to_be_changed_stays() -> None:
    text = "services:\n  a: {image: nginx:1}\n  b: {image: redis:7}\n"
    assert changed(text, "compose.yml", keep="docker.io/library/redis:7") == text.replace(
        "nginx:1", "harbor.example.com:8443/mirror/docker.io/library/nginx:1"
    )


def test_a_place_that_two_images_share_changes_for_both_or_not_at_all() -> None:
    text = (
        "a: {registry: &r docker.io, repository: a/a, tag: 1}\n"
        "b: {registry: *r, repository: b/b, tag: 1}\n"
        "c: {registry: quay.io, repository: b/b, tag: 1}\n"
    )
    both = changed(text, "values.yaml")
    assert "&r harbor.example.com:8443, repository: mirror/docker.io/a/a" in both
    one = changed(text, "values.yaml", keep="docker.io/b/b:1")
    assert one == text.replace("quay.io", TARGET.host).replace(
        f"{TARGET.host}, repository: b/b", f"{TARGET.host}, repository: mirror/quay.io/b/b"
    )


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (b"", "gb18030"),
    ],
)
def test_the_encoding_and_its_mark_stay(mark: bytes, encoding: str) -> None:
    before = mark + "# 网站 🚀\r\nservices: {a: {image: nginx:1}}\r\n".encode(encoding)
    images = extract_file(before, target_host="", name="c.yml").images
    assert rewrite(before, name="c.yml", target=TARGET, images=images).content == (
        mark
        + f"# 网站 🚀\r\nservices: {{a: {{image: {TARGET.name_of(images[0])}}}}}\r\n".encode(
            encoding
        )
    )


def test_what_is_no_file_that_names_images_comes_back_as_it_is() -> None:
    nginx = [ImageRef.parse("nginx:1")]
    for content in (
        b"please nginx:1\n",
        b"\xff\xfe\x00",
        b"image: \xff",
        b"\xcd\xf8\x01 nginx:1\n",
        b"image: nginx:1\n" * 80_000,
    ):
        assert rewrite(content, name="", target=TARGET, images=nginx).content == content


def test_what_can_not_be_rewritten_is_told() -> None:
    text = b"images:\n- {name: a, newName: quay.io/a/b, newTag: 1}\n- {name: nginx, newTag: 2}\n"
    found = extract_file(text, target_host="", name="kustomization.yaml")
    back = rewrite(text, name="kustomization.yaml", target=TARGET, images=found.images)
    assert [(str(fixed.image), fixed.lines) for fixed in back.fixed] == [
        ("docker.io/library/nginx:2", (3,))
    ]


def without_digest(image: ImageRef) -> str:
    return f"{image.registry}/{image.repository}" + (f":{image.tag}" if image.tag else "")


@pytest.mark.parametrize("naming", Naming)
@pytest.mark.parametrize("paste", FILES, ids=[paste.title for paste in FILES])
def test_a_rewritten_file_names_the_target_and_differs_by_nothing_else(
    paste: Paste, naming: Naming
) -> None:
    target = Target("h.example.com", "p", naming)
    content = paste.text.encode()
    before = extract_file(content, target_host="", name=paste.name)
    back = rewrite(content, name=paste.name, target=target, images=before.images)
    after = back.content
    found = {without_digest(i) for i in extract_file(after, target_host="", name=paste.name).images}
    expected = {
        without_digest(
            i if i in {fixed.image for fixed in back.fixed} else ImageRef.parse(target.name_of(i))
        )
        for i in before.images
    }
    assert found == expected
    assert rewrite(content, name=paste.name, target=target, images=()).content == content
    lines = paste.text.splitlines()
    new_lines = after.decode().splitlines()
    assert len(lines) == len(new_lines)
    assert all(
        line == new or "h.example.com" in new or "p/" in new
        for line, new in zip(lines, new_lines, strict=True)
    )


REFERENCES = st.sampled_from(
    ["nginx", "redis:7", "quay.io/a/b:1.2", "a/b@sha256:" + "0f" * 32, "gcr.io/x/y:v1", "Nginx:1"]
)
WORDS = st.text(alphabet="abcxyz 网🚀'é-", max_size=8)
LINES = st.one_of(
    st.builds("  image: {}\n".format, REFERENCES),
    st.builds('- image: "{}" # {}\n'.format, REFERENCES, WORDS),
    st.builds("  - {{a: 1, image: '{}'}}\r\n".format, REFERENCES),
    st.builds("# {}\n".format, WORDS),
    st.builds("k{}: x\n".format, st.integers(0, 9)),
    st.builds("FROM {} AS s{}\n".format, REFERENCES, st.integers(0, 9)),
    st.builds("COPY --from={} /a \\\n /b\n".format, REFERENCES),
    st.builds(
        "image: {{repository: {}, tag: 1}}\n".format, st.sampled_from(["a/b", "quay.io/c/d"])
    ),
    WORDS.map("{}\n".format),
)
NAMES = st.sampled_from(["a.yaml", "Dockerfile", "values.yaml", "docker-compose.yml", "a.txt", ""])


@given(lines=st.lists(LINES, max_size=12), name=NAMES)
def test_rewriting_changes_names_of_images_and_nothing_else(lines: list[str], name: str) -> None:
    """The text between the changes is the same, in the same order."""
    content = "".join(lines).encode()
    found = extract_file(content, target_host=TARGET.host, name=name)
    back = rewrite(content, name=name, target=TARGET, images=found.images)
    after = back.content
    assert rewrite(content, name=name, target=TARGET, images=()).content == content
    if found.kind not in REWRITABLE:
        assert after == content
        return
    spans = {
        (place.start, place.end)
        for mention in scan(content.decode(), name).mentions
        for place in mention.spans
    }
    pieces, position = [], 0
    for start, end in sorted(spans):
        pieces.append(re.escape(content.decode()[position:start]))
        position = end
    pieces.append(re.escape(content.decode()[position:]))
    assert re.fullmatch("[A-Za-z0-9./:@_-]+".join(pieces), after.decode())
    again = extract_file(after, target_host="", name=name)
    assert {i.registry for i in again.images} <= {
        TARGET.host,
        *(fixed.image.registry for fixed in back.fixed),
    }


def test_a_file_of_many_images_is_rewritten_up_to_the_bound() -> None:
    content = "".join(f"- image: a/b:{n}\n" for n in range(IMAGES_PER_PASTE)).encode()
    found = extract_file(content, target_host="", name="many.yaml")
    assert len(found.images) == IMAGES_PER_PASTE
    assert found.kind is FileKind.KUBERNETES
    after = rewrite(content, name="many.yaml", target=TARGET, images=found.images).content
    assert after.count(TARGET.host.encode()) == IMAGES_PER_PASTE
