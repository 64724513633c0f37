"""Rules, limits, and who may do what where."""

from dataclasses import replace
from datetime import timedelta

import pytest
from fakes import ANA, GROUP, LI, MALLORY, POLICY, WEI

from bot.core.approvals import Approvals
from bot.core.decision import Ground, Verdict
from bot.core.ids import ChatId, PersonId
from bot.core.image import ImageRef
from bot.core.policy import (
    AllChats,
    AllowLists,
    ExceededLimit,
    Role,
    Rule,
    Ruling,
    decide,
    exceeded_limit,
    for_strangers,
    policy_digest,
)
from bot.core.signature import Signature, Signer


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


BARE = "docker.io/a/b@sha256:" + "a" * 64
ONE = Signer(key="PEM", fingerprint="1" * 16)
TWO = Signer(identity="https://example.com/**", issuer="https://issuer.example.com")
UNSEEN = (Verdict.ASK, Ground.SIGNATURE)
APPROVED = (Verdict.APPROVE, Ground.RULE)


@pytest.mark.parametrize(
    ("rules", "image", "signature", "says", "signer"),
    [
        ([("**", ONE)], "a/b:1", Signature(), UNSEEN, ONE),
        ([("**", ONE)], "a/b:1", Signature(ONE.name), UNSEEN, ONE),
        ([("**", ONE)], "a/b:1", Signature(TWO.name, "https://example.com/x"), UNSEEN, ONE),
        ([("**", ONE)], "a/b:1", Signature(ONE.name, ONE.name), APPROVED, ONE),
        ([("**", TWO)], "a/b:1", Signature(TWO.name, "https://example.com/x"), APPROVED, TWO),
        ([("**", None)], "a/b:1", Signature(), APPROVED, None),
        ([("docker.io/a/b:1", ONE), ("**", ONE)], BARE, Signature(), UNSEEN, ONE),
        ([("docker.io/a/b:1", ONE), ("**", ONE)], BARE, Signature(ONE.name, "x"), APPROVED, ONE),
        ([("docker.io/a/b:1", ONE), ("**", None)], BARE, Signature(ONE.name, "x"), None, ONE),
        ([("docker.io/a/b:1", None), ("**", TWO)], BARE, Signature(TWO.name, "x"), None, TWO),
    ],
)
def test_a_rule_that_demands_a_signature_approves_nothing_else(
    rules: list[tuple[str, Signer | None]],
    image: str,
    signature: Signature,
    says: tuple[Verdict, Ground] | None,
    signer: Signer | None,
) -> None:
    made = tuple(Rule(images, Verdict.APPROVE, signer=each) for images, each in rules)
    ruling = decide(replace(POLICY, rules=made), ImageRef.parse(image), signature)
    assert (ruling.verdict, ruling.ground) == (says or (Verdict.ASK, Ground.RULE))
    assert ruling.signer == signer


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


def test_all_chats_of_a_service_are_those_of_many_people_and_are_not_listed() -> None:
    issues = AllChats("github")
    assert ChatId("github:-7") in issues
    for other in (ChatId("github:7"), ChatId("telegram:-7"), 7):
        assert other not in issues
    assert ([*issues], len(issues)) == ([], 0)


def test_strangers_have_tighter_limits_and_the_same_rules() -> None:
    tight = for_strangers(POLICY)
    assert tight.rules == POLICY.rules
    assert tight.open_limit <= POLICY.open_limit
    assert (tight.request_limit, tight.watch_limit) == (min(POLICY.request_limit, 5), 0)


def test_the_digest_of_the_rules_changes_with_all_that_decides_and_names_nobody() -> None:
    def of(**changed: object) -> str:
        rule = replace(Rule("docker.io/**", Verdict.ASK), **changed)  # type: ignore[arg-type]
        return policy_digest(replace(POLICY, rules=(rule,)))

    by_two = [Approvals(count=1, by=frozenset({each.id, WEI.id})) for each in (ANA, LI)]
    demands = (
        {"signer": Signer(key="PEM", fingerprint="ab")},
        {"signer": Signer(identity="ana@example.com", issuer="https://login.example.com")},
        {"wait": timedelta(hours=1)},
        {"wait": timedelta(days=3)},
        {"approvals": by_two[0]},
        {"verdict": Verdict.APPROVE},
        {"images": "docker.io/library/**"},
    )
    assert len({of(), *(of(**each) for each in demands)}) == len(demands) + 1
    assert of(approvals=by_two[0]) == of(approvals=by_two[1])
