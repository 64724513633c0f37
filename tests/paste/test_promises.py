"""What holds for every paste: nothing in full is lost in a file, and no word of a message is.

The cases say what is right for the inputs that people send. These tests say what is right for all.
"""

import json
import re
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pasted import HOST

from bot.core.bad_image import Gap
from bot.core.image import ImageRef
from bot.paste import extract, extract_file
from bot.paste.official_images import OFFICIAL_IMAGES
from bot.paste.tokens import ENGLISH_WORDS, TokenKind, token_kind

REFERENCES = st.builds(
    "{}/{}/{}:v{}.{}".format,
    st.sampled_from(
        ["quay.io", "ghcr.io", "registry.k8s.io", "registry.example.com", "r.corp.test"]
    ),
    st.sampled_from(["acme", "team-1"]),
    st.sampled_from(["web", "api-server", "side.car"]),
    *(st.integers(0, 99), st.integers(0, 9)),
)
KEYS = st.sampled_from(
    [
        *("image", "webImage", "images", "imageK8S", "WEB_IMAGE", "source", "builder", "value"),
        *("args", "spec", "x", "name", "items", "env", "data", "global", "registry2", "a-b"),
    ]
)
OTHERS = st.sampled_from(["v1", "web", 7, None, True, "10.0.0.1:80", "/etc/x", "--flag", "a b"])
TREES = st.recursive(
    st.one_of(
        REFERENCES, OTHERS, REFERENCES.map("--x={}".format), REFERENCES.map("see {} now".format)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)
HEADS = st.sampled_from(
    [{}, {"apiVersion": "v1", "kind": "Thing"}, {"jobs": {"a": {}}}, {"stages": ["a"]}]
)


def references_in(node: Any) -> set[str]:
    """The images in full in all values of a tree."""
    match node:
        case str():
            return set(re.findall(r"[a-z.0-9]+/[\w.-]+/[\w.-]+:v\d+\.\d+", node))
        case list():
            return {found for item in node for found in references_in(item)}
        case dict():
            return {found for item in node.values() for found in references_in(item)}
        case _:
            return set()


@given(
    tree=st.dictionaries(KEYS, TREES, max_size=5),
    head=HEADS,
    name=st.sampled_from(["a.json", "a.yaml"]),
)
def test_every_image_in_full_of_a_file_is_found_or_asked_about_or_named(
    tree: dict[str, Any], head: dict[str, Any], name: str
) -> None:
    data = {**head, **tree}
    text = json.dumps(data, indent=1) if name == "a.json" else yaml.safe_dump(data, width=1000)
    finding = extract_file(text.encode(), target_host=HOST, name=name)
    found = {str(image) for image in finding.images}
    asked = " ".join(bad.text for bad in finding.bad)
    passed = {
        int(bad.text.partition(":")[0]) for bad in finding.bad if bad.problem is Gap.PASSED_OVER
    }
    lines = text.splitlines()
    for reference in references_in(data):
        at = {number for number, line in enumerate(lines, 1) if reference in line}
        assert reference in found or reference in asked or at <= passed, (reference, text)


WORDS = st.sampled_from(
    [
        *("nginx:1.27", "redis:7.4", "quay.io/a/b:v1", "ghcr.io/a/b@sha256:" + "0f" * 32, "a/b:1"),
        *(
            "nginx",
            "redis",
            "web",
            "frontend",
            "prod",
            "urgent",
            "x2",
            "1.27",
            "v2",
            "80",
            "latest",
        ),
        *("please", "mirror", "and", "thanks", "not", "the", "->", "=>", "|", "-", "(", ")", "+"),
        *(
            "$TAG",
            "a/b:$TAG",
            "a/b:<v>",
            "{{ x }}/b:1",
            "nginx@1.27",
            "a:1~2",
            "x:1:2",
            "owner/name",
        ),
        *(
            "同步",
            "谢谢",
            "版本",
            "，",
            "：",
            "、",
            "# note",
            "https://example.com/x",
            "@wei",
            "10.0.0.1",
        ),
        *(
            "docker",
            "pull",
            "helm",
            "kind",
            "--image",
            "\n",
            "\n- ",
            "\n1. ",
            '"',
            "`",
            "[x]",
            "linux/arm64",
            "or",
            "quay.io",
            "\n镜像",
            "tag:",
            "\n版本：1.2.3",
            "x:1=y:2",
            "redis:7.x",
            "r.test/a/b:v1",
            "docker pull nginx",
            "->",
        ),
    ]
)
NUMBERING = re.compile(r"(?m)^\s*(?:(?:[0-9]+\.|-)\s|[0-9]+\s+(?=\S+$))")
"""Of a list, or a count before an image as `uniq -c` prints it."""
KNOWN = re.compile(r"[\s,，、;；：:|()\[\]\"'`.!?+\-/&*>\u3000-\u303f\u3400-\u9fff]|#.*")


@given(words=st.lists(WORDS, min_size=1, max_size=8))
@settings(max_examples=200)
def test_what_is_taken_at_once_leaves_nothing_that_is_not_understood(words: list[str]) -> None:
    text = " ".join(words)
    finding = extract(text, target_host=HOST)
    if not finding.images or finding.bad or not finding.certain or finding.flaw:
        return
    for line in NUMBERING.sub("", text).splitlines():
        if re.search(r"\b(?:helm|kind)\b|docker(?! pull)", line):  # they have words of their own
            continue
        said = line.partition("#")[0].replace("docker pull", "")
        for word in re.split(r"[\s，、：|]+", said):
            plain = word.strip("()[]\"'`+->=.,")
            image = ImageRef.parse_or_none(plain)
            is_taken = image in finding.images
            is_known = not KNOWN.sub("", plain) or plain.lower() in ENGLISH_WORDS
            is_thing = token_kind(plain or "x") in {TokenKind.THING, TokenKind.WORD}
            assert is_taken or is_known or is_thing, (text, word)


@given(words=st.lists(WORDS, min_size=1, max_size=6))
def test_a_bare_word_is_taken_at_once_only_where_it_is_meant(words: list[str]) -> None:
    line = " ".join(word for word in words if "\n" not in word)
    finding = extract(line, target_host=HOST)
    if not finding.certain or finding.bad:
        return
    for image in finding.untagged:
        name = image.repository.rpartition("/")[2]
        assert "/" in image.repository.removeprefix("library/") or (
            name in OFFICIAL_IMAGES or name in line.split()
        )
