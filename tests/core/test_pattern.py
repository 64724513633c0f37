"""Patterns of rules: every spelling of a name matches, or is told with the corrected pattern."""

import pytest

from bot.core.decision import Verdict
from bot.core.image import ImageRef
from bot.core.pattern import (
    can_match_registry,
    corrected,
    corrected_registry,
    includes,
    normalised,
    normalised_registry,
)
from bot.core.policy import Rule
from bot.core.rule_warnings import pattern_in_force, warnings

NGINX = ImageRef.parse("nginx:1.27")
OFFICIAL = "docker.io/library/nginx"


@pytest.mark.parametrize(
    "images",
    [
        "nginx",
        "docker.io/nginx",
        "docker.io/library/nginx",
        "index.docker.io/library/nginx",
        "index.docker.io/nginx",
        "registry-1.docker.io/library/nginx",
        "Docker.io/library/nginx",
        "DOCKER.IO/nginx",
        "library/nginx",
        "nginx:*",
        "nginx:1.27",
        "nginx:1.*",
        "ngin*",
        "library/**",
        "*/library/nginx",
        "**/nginx",
        "**",
    ],
)
def test_every_spelling_of_a_name_matches_its_images_without_a_word(images: str) -> None:
    for verdict in Verdict:
        assert Rule(pattern_in_force(images, verdict), verdict).covers(NGINX)
        assert warnings(["docker.io"], [(images, verdict)]) == []


@pytest.mark.parametrize(
    ("images", "meant"),
    [
        ("docker.io/library/nginx/", OFFICIAL),
        ("https://docker.io/library/nginx", OFFICIAL),
        ("https://nginx", OFFICIAL),
        ("docker://nginx", OFFICIAL),
        ("https://hub.docker.com/_/nginx", OFFICIAL),
        ("dockerhub/library/nginx", OFFICIAL),
        ("docker.com/nginx", OFFICIAL),
        ("registry.hub.docker.com/library/nginx", OFFICIAL),
        ("NGINX", OFFICIAL),
        ("docker.io/library/Nginx", OFFICIAL),
        (" nginx ", OFFICIAL),
        ("/nginx", OFFICIAL),
        ("docker.io//library/nginx", OFFICIAL),
        ("nginx:", OFFICIAL),
        (f"nginx@sha256:{'a' * 64}", OFFICIAL),
        ("library/", "docker.io/library/**"),
        ("docker.io", "docker.io/**"),
        ("Docker.io/", "docker.io/**"),
        ("docker.io/*", "docker.io/**"),
        ("*", "**"),
    ],
)
def test_a_pattern_that_matches_nothing_is_told_and_holds_as_corrected_where_it_denies(
    images: str, meant: str
) -> None:
    (line,) = warnings(["docker.io"], [(images, Verdict.APPROVE)])
    assert line == f"policy.rules.0.images: {images} matches nothing: write {meant}"
    assert not Rule(pattern_in_force(images, Verdict.APPROVE), Verdict.APPROVE).covers(NGINX)
    (line,) = warnings(["docker.io"], [(images, Verdict.DENY)])
    assert line.endswith(f": write {meant}, which it denies until then")
    assert Rule(pattern_in_force(images, Verdict.DENY), Verdict.DENY).covers(NGINX)
    assert normalised(meant) == corrected(meant) == meant


@pytest.mark.parametrize(
    ("images", "meant"),
    [
        ("bitnami/**", "docker.io/bitnami/**"),
        ("bitnami/nginx", "docker.io/bitnami/nginx"),
        ("Bitnami/**", "docker.io/bitnami/**"),
        ("hub.docker.com/r/bitnami/nginx", "docker.io/bitnami/nginx"),
        ("docker.io/bitnami/", "docker.io/bitnami/**"),
        ("quay.io", "quay.io/**"),
        ("REGISTRY.k8s.io/pause:3.*", "registry.k8s.io/pause:3.*"),
        ("localhost:5000/App:V1*", "localhost:5000/app:V1*"),
        ("*.example.com/**", "*.example.com/**"),
        ("docker.io/library/ngin?", None),
        ("^docker[.]io/.*", None),
        ("nginx; deny", None),
        ("", None),
    ],
)
def test_what_was_meant_by_other_patterns(images: str, meant: str | None) -> None:
    assert corrected(images) == meant


def test_a_pattern_that_nobody_understands_is_told_and_matches_nothing() -> None:
    rules = [("docker.io/library/ngin?", Verdict.DENY)]
    (line,) = warnings(["docker.io"], rules)
    assert line.endswith("matches nothing: a pattern holds letters, digits and ._-/:* only")
    assert pattern_in_force(*rules[0]) == "docker.io/library/ngin?"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("dockerhub", "docker.io"),
        ("hub.docker.com", "docker.io"),
        ("quay", "quay.io"),
        ("k8s", "registry.k8s.io"),
        ("mycompany", ""),
        ("docker.io", None),
        ("Index.docker.io", None),
        ("localhost", None),
        ("registry:5000", None),
    ],
)
def test_a_registry_that_no_reference_can_name_is_told(name: str, meant: str | None) -> None:
    assert corrected_registry(name) == meant
    told = warnings([name], [])
    assert len(told) == (meant is not None)
    assert all(f"policy.registries.0: {name} is no host" in line for line in told)
    assert normalised_registry("registry-1.Docker.io") == "docker.io"


def test_a_rule_for_a_registry_that_is_not_allowed_is_told() -> None:
    told = warnings(["docker.io"], [("quay.io/**", Verdict.DENY), ("**.io/x", Verdict.DENY)])
    assert told == [
        "policy.rules.0.images: quay.io/** matches nothing: policy.registries has no such registry"
    ]
    assert not can_match_registry("*.example.com/**", "docker.io")


def test_a_rule_behind_one_that_decides_on_all_of_it_is_told() -> None:
    rules = [("library/**", Verdict.APPROVE), ("nginx:1.27", Verdict.DENY), ("**", Verdict.ASK)]
    (line,) = warnings(["docker.io"], rules)
    assert line == (
        "policy.rules.1.images: nginx:1.27 is never asked: "
        "policy.rules.0 (library/**) decides before it"
    )


@pytest.mark.parametrize(
    ("wide", "narrow", "included"),
    [
        ("**", "docker.io/**", True),
        ("docker.io/**", "docker.io/library/ngin*", True),
        ("docker.io/*/nginx", "docker.io/*/nginx:1", True),
        ("docker.io/*/nginx", "docker.io/**/nginx", False),
        ("docker.io/a*/*b", "docker.io/a**b", False),
        ("docker.io/a/b:1.*", "docker.io/a/b:1.2*", True),
        ("docker.io/a/b:1.*", "docker.io/a/b:*", False),
        ("docker.io/a/b:*", "docker.io/a/b", False),
        ("docker.io/a/b", "docker.io/a/**", False),
    ],
)
def test_a_pattern_includes_another_where_it_surely_matches_all_of_it(
    wide: str, narrow: str, *, included: bool
) -> None:
    assert includes(wide, narrow) is included
