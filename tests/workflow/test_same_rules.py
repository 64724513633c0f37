"""The workflow decides by the variable POLICY as the bot decides by its config."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import tag_class as core_tags
from bot.core.batch import status_context, status_name
from bot.core.decision import Verdict
from bot.core.image import ImageRef
from bot.core.pattern import normalised
from bot.core.policy import Policy, Rule, decide
from bot.setup import policy_variable
from bot.workflow.mirror import policy as run_policy
from bot.workflow.mirror import tag_class as run_tags
from bot.workflow.mirror.github import context_of
from bot.workflow.mirror.reference import Image

DIGEST = f"sha256:{'0' * 64}"
PATTERNS = [
    *(
        "nginx",
        "nginx:1.27",
        "nginx:*",
        "nginx:1.*",
        "*:latest",
        "**:latest",
        "**",
        "*/*",
        "*.io/**",
    ),
    *("bitnami/**", "bitnami/*", "docker.io/**", "quay.io/*", "quay.io/**:v*", "a.io:5000/a/b:*"),
    *("docker.io/library/**", "docker.io/*/nginx:**", "library/nginx:1.27-*", "quay.io/a/**/c:1"),
]
IMAGES = [
    f"{name}{suffix}"
    for name in ("nginx", "bitnami/redis", "quay.io/a", "quay.io/a/b/c", "a.io:5000/a/b", "x.io/a")
    for suffix in ("", ":1", ":1.27", ":v1", f"@{DIGEST}", f":1.27@{DIGEST}", ":1.27-alpine")
]


def policy(rules: list[tuple[str, Verdict]], floating: tuple[str, ...] = ()) -> Policy:
    return Policy(
        registries=frozenset({"docker.io", "quay.io", "a.io:5000"}),
        rules=tuple(Rule(normalised(pattern), verdict) for pattern, verdict in rules),
        expire_after=timedelta(hours=1),
        open_limit=1,
        daily_limit=1,
        request_limit=1,
        floating=floating,
    )


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.sampled_from(PATTERNS), st.sampled_from(list(Verdict))), max_size=5),
)
def test_every_image_gets_the_same_verdict_by_the_same_rule(
    rules: list[tuple[str, Verdict]],
) -> None:
    config = policy(rules)
    there = run_policy.Policy.read(policy_variable(config))
    for text in IMAGES:
        ruling = decide(config, ImageRef.parse(text))
        image = Image.parse(text)
        assert image is not None
        assert there.decide(image) == (ruling.verdict, ruling.rule), text


@pytest.mark.parametrize("length", [1, 247, 248, 249, 250, 520])
def test_an_image_is_named_alike_in_its_status_and_by_the_bot(length: int) -> None:
    names = ["a" * (length - 1) + end for end in "bc"]
    contexts = [context_of(f"mirror/{name}") for name in names]
    assert [f"mirror/{status_name(name)}" for name in names] == contexts
    looks = [context_of(f"look/{name}") for name in names]
    assert [status_context("look", name) for name in names] == looks
    assert contexts[0] != contexts[1]
    assert max(map(len, contexts)) <= 255
    if length <= 248:
        assert contexts == [f"mirror/{name}" for name in names]


WORDS = sorted(core_tags._WORDS)
TAGS = st.lists(
    st.one_of(
        st.sampled_from(WORDS),
        st.from_regex(r"v?[0-9]{1,4}(\.[0-9x]{1,4}){0,3}", fullmatch=True),
        st.tuples(st.sampled_from(WORDS), st.from_regex(r"[0-9.]{0,5}", fullmatch=True)).map(
            "".join
        ),
        st.text(st.sampled_from("aR0.-_x1"), min_size=1, max_size=6),
    ),
    min_size=1,
    max_size=4,
).map("-".join)


@settings(max_examples=200)
@given(TAGS)
def test_a_tag_floats_in_the_workflow_exactly_where_it_does_for_the_bot(tag: str) -> None:
    assert run_tags.floats(tag) is not core_tags.is_version(tag)


def test_the_words_of_tags_are_the_same() -> None:
    assert run_tags._WORDS == core_tags._WORDS
    assert run_tags._WITH_RELEASE == core_tags._WITH_RELEASE


@pytest.mark.parametrize("tag", ["mytag", "team-slim", "1.27.3", "1.27", "slim-x", "nightly"])
def test_the_patterns_of_the_config_hold_in_the_workflow_too(tag: str) -> None:
    floating = ("*-slim", "mytag")
    there = run_policy.Policy.read(policy_variable(policy([], floating)))
    assert there.is_version(tag) is core_tags.is_version(tag, floating)
