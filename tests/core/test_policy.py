"""Rules, limits, and who may do what where."""

from dataclasses import replace

import pytest
from fakes import ANA, GROUP, LI, MALLORY, POLICY, WEI

from bot.core.decision import Ground, Verdict
from bot.core.ids import ChatId, PersonId
from bot.core.image import ImageRef
from bot.core.policy import (
    AllowLists,
    ExceededLimit,
    Role,
    Rule,
    Ruling,
    decide,
    exceeded_limit,
)


@pytest.mark.parametrize(
    ("image", "ruling"),
    [
        ("nginx", Ruling(Verdict.APPROVE, Ground.RULE, rule="docker.io/library/**")),
        (
            "evil/miner",
            Ruling(Verdict.DENY, Ground.RULE, "known to be harmful", "docker.io/evil/**"),
        ),
        ("bitnami/nginx", Ruling(Verdict.ASK, Ground.RULE, rule="**")),
        ("gcr.io/a/b/c:1", Ruling(Verdict.ASK, Ground.RULE, rule="**")),
        ("quay.io/a/b", Ruling(Verdict.DENY, Ground.REGISTRY)),
    ],
)
def test_the_first_rule_that_matches_wins(image: str, ruling: Ruling) -> None:
    assert decide(POLICY, ImageRef.parse(image)) == ruling


def test_an_image_that_no_rule_covers_is_asked_about() -> None:
    ruling = decide(replace(POLICY, rules=()), ImageRef.parse("nginx"))
    assert ruling == Ruling(Verdict.ASK, Ground.NO_RULE)


@pytest.mark.parametrize(
    ("pattern", "image", "covered"),
    [
        ("docker.io/library/**", "nginx", True),
        ("docker.io/library/**", "bitnami/nginx", False),
        ("docker.io/*", "library/nginx", False),
        ("docker.io/*/nginx", "bitnami/nginx", True),
        ("ghcr.io/a/tool:v*", "ghcr.io/a/tool:v1", True),
        ("ghcr.io/a/tool:v*", "ghcr.io/a/tool:latest", False),
        ("ghcr.io/a/tool:v*", "ghcr.io/a/tool@sha256:" + "a" * 64, False),
        ("docker.io/library/ngin.", "nginx", False),
        ("**", "localhost:5000/x", True),
    ],
)
def test_a_pattern_covers_what_it_says(pattern: str, image: str, *, covered: bool) -> None:
    assert Rule(pattern, Verdict.ASK).covers(ImageRef.parse(image)) is covered


@pytest.mark.parametrize(
    ("images", "open_now", "today", "passed"),
    [
        (6, 0, 0, None),
        (7, 0, 0, (ExceededLimit.REQUEST, 6)),
        (3, 6, 0, (ExceededLimit.OPEN, 8)),
        (2, 6, 11, (ExceededLimit.DAILY, 12)),
        (2, 6, 10, None),
    ],
)
def test_limits_count_what_is_asked_for_too(
    images: int, open_now: int, today: int, passed: tuple[ExceededLimit, int] | None
) -> None:
    assert exceeded_limit(POLICY, images=images, open_now=open_now, asked_today=today) == passed


ACCESS = AllowLists(chats={GROUP}, members={WEI.id, LI.id}, admins={ANA.id})
ELSEWHERE = ChatId("telegram:-9")


@pytest.mark.parametrize(
    ("person", "chat", "faceless", "role"),
    [
        (WEI.id, GROUP, False, Role.MEMBER),
        (ANA.id, GROUP, False, Role.ADMIN),
        (MALLORY.id, GROUP, False, Role.GUEST),
        (ANA.id, GROUP, True, Role.NOBODY),
        (ANA.id, ELSEWHERE, False, Role.OUTSIDE),
        (WEI.id, ChatId(WEI.id), False, Role.MEMBER),
        (MALLORY.id, ChatId(MALLORY.id), False, Role.OUTSIDE),
    ],
)
def test_a_person_stands_in_a_chat_as_the_lists_say(
    person: PersonId, chat: ChatId, *, faceless: bool, role: Role
) -> None:
    assert ACCESS.role_of(person, chat, faceless=faceless) is role


def test_without_a_list_of_members_everybody_in_the_group_is_one() -> None:
    access = replace(ACCESS, members=None)
    assert access.role_of(MALLORY.id, GROUP) is Role.MEMBER
    assert access.role_of(MALLORY.id, ChatId(MALLORY.id)) is Role.OUTSIDE
