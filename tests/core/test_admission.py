"""The one choke point: which digest may be copied under which name, as things are now."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from fakes import ANA, LI, MALLORY, POLICY, WEI

from bot.core.approvals import Approvals
from bot.core.decision import Decision, Ground, Verdict
from bot.core.ids import BOT_ITSELF, PersonId, RequestId, TransferId
from bot.core.image import ImageRef
from bot.core.policy import Policy, Rule, Ruling, admission, decide, removal
from bot.core.signature import NO_SIGNATURE, Signature, Signer

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
A, B = ("sha256:" + letter * 64 for letter in "ab")
ONE, TWO = TransferId(1), TransferId(2)
ASKED = ImageRef.parse("bitnami/nginx:1.27.3")
FLOATING = ImageRef.parse("bitnami/nginx:1.27")
TRUSTED = ImageRef.parse("nginx:1.27.3")
BARE = ImageRef.parse(f"bitnami/nginx@{A}")


def by(
    person: PersonId | None = ANA.id,
    verdict: Verdict = Verdict.APPROVE,
    *,
    after: int = 0,
    **facts: Any,
) -> Decision:
    """Return a decision on ASKED, some minutes after NOW."""
    decision = Decision(
        request=RequestId(1),
        transfer=ONE,
        image=ASKED,
        digest=A,
        verdict=verdict,
        ground=Ground.PERSON,
        person=person,
        at=NOW + timedelta(minutes=after),
    )
    return replace(decision, **facts)


NO = Verdict.DENY


def admitted(
    *decisions: Decision,
    image: ImageRef = ASKED,
    digest: str = A,
    policy: Policy = POLICY,
    requesters: tuple[PersonId, ...] = (WEI.id,),
    admins: tuple[PersonId, ...] = (ANA.id, LI.id),
    replaced: bool = False,
    signature: Signature = NO_SIGNATURE,
) -> Ruling:
    return admission(
        policy,
        image,
        digest,
        transfer=ONE,
        decisions=decisions,
        requesters=requesters,
        admins=admins,
        replaced=replaced,
        signature=signature,
    )


def with_rules(*rules: Rule, **facts: Any) -> Policy:
    return replace(POLICY, rules=rules, **facts)


def test_who_keeps_a_tag_fresh_approves_no_digest_whose_signature_was_not_seen() -> None:
    signer = Signer(key="PEM", fingerprint="1" * 16)
    demands = with_rules(Rule("**", Verdict.ASK, signer=signer))
    kept = by(ground=Ground.KEPT, image=FLOATING)
    asked = partial(admitted, kept, image=FLOATING, digest=B, policy=demands)
    assert asked(signature=Signature(signer.name)).verdict is Verdict.ASK
    assert asked(signature=Signature(signer.name, signer.name)).ground is Ground.KEPT


# -- rules --------------------------------------------------------------------------------


def test_a_rule_decides_where_nobody_has_to_be_asked() -> None:
    ruling = admitted(image=TRUSTED)
    assert (ruling.verdict, ruling.ground, ruling.rule) == (
        Verdict.APPROVE,
        Ground.RULE,
        "docker.io/library/**",
    )


def test_a_rule_that_denies_wins_over_every_approval() -> None:
    denied = with_rules(Rule("docker.io/bitnami/**", NO, "no"))
    approvals = [by(), by(LI.id), by(ground=Ground.KEPT)]
    assert admitted(*approvals, policy=denied).verdict is NO
    gone = replace(POLICY, registries=frozenset({"gcr.io"}))
    assert admitted(*approvals, policy=gone).ground is Ground.REGISTRY


def test_what_a_rule_approved_waits_once_that_rule_asks() -> None:
    asks = with_rules(Rule("**", Verdict.ASK))
    assert admitted(image=TRUSTED, policy=asks).verdict is Verdict.ASK


@pytest.mark.parametrize(
    ("rules", "verdict", "rule"),
    [
        ([("docker.io/bitnami/nginx:1.27", NO), ("**", Verdict.APPROVE)], Verdict.ASK, 0),
        ([("docker.io/bitnami/*:latest", NO), ("**", Verdict.ASK)], Verdict.ASK, 0),
        ([("docker.io/bitnami/nginx:1.*", Verdict.APPROVE), ("**", NO)], Verdict.ASK, 0),
        ([("docker.io/bitnami/nginx:1.*", Verdict.APPROVE)], Verdict.ASK, 0),
        ([("docker.io/bitnami/nginx:1.*", NO), ("**", NO)], NO, 1),
        ([("docker.io/bitnami/nginx:*", NO), ("**", Verdict.APPROVE)], NO, 0),
        ([("docker.io/bitnami/nginx:*", Verdict.APPROVE)], Verdict.APPROVE, 0),
        ([("docker.io/bitnami/redis:1", NO), ("**", Verdict.APPROVE)], Verdict.APPROVE, 1),
    ],
)
def test_no_digest_slips_by_a_rule_for_some_tags(
    rules: list[tuple[str, Verdict]], verdict: Verdict, rule: int
) -> None:
    policy = with_rules(*(Rule(images, then) for images, then in rules))
    ruling = decide(policy, BARE)
    assert (ruling.verdict, ruling.rule) == (verdict, rules[rule][0])


def test_a_digest_alone_needs_what_the_strictest_of_its_rules_asks_for() -> None:
    two = Approvals(count=2)
    name = "docker.io/bitnami/nginx"
    for rules in (
        [Rule(f"{name}:1.*", Verdict.ASK, approvals=two), Rule(name, Verdict.ASK)],
        [Rule(f"{name}:1.*", Verdict.APPROVE), Rule(name, Verdict.ASK, approvals=two)],
    ):
        ruling = decide(with_rules(*rules), BARE)
        assert (ruling.verdict, ruling.needs) == (Verdict.ASK, two)


# -- persons ------------------------------------------------------------------------------


def test_an_approval_carries_exactly_the_digest_and_the_transfer_that_it_was_given_for() -> None:
    assert admitted().verdict is Verdict.ASK
    ruling = admitted(by())
    assert (ruling.verdict, ruling.ground, ruling.persons) == (
        Verdict.APPROVE,
        Ground.PERSON,
        (ANA.id,),
    )
    for other in (
        by(digest=B),
        by(transfer=TWO),
        by(ground=Ground.RULE),
        by(image=ImageRef.parse("docker.io/other/nginx:1.27.3")),
        by(MALLORY.id),
        by(PersonId("p:7f3a91c2")),
        by(None),
    ):
        assert admitted(other).verdict is Verdict.ASK


def test_an_approval_by_somebody_who_is_no_admin_any_more_does_not_count() -> None:
    assert admitted(by(), admins=(LI.id,)).verdict is Verdict.ASK


def test_two_approvals_are_those_of_two_people() -> None:
    policy = with_rules(Rule("**", Verdict.ASK, approvals=Approvals(count=2)))
    first = admitted(by(), by(after=1), policy=policy)
    assert (first.verdict, first.persons, first.missing) == (Verdict.ASK, (ANA.id,), 1)
    both = admitted(by(), by(LI.id), policy=policy)
    assert (both.verdict, both.persons, both.missing) == (Verdict.APPROVE, (ANA.id, LI.id), 0)


def test_an_approver_is_not_the_only_one_who_asked() -> None:
    policy = with_rules(approvals=Approvals(own=False))
    assert admitted(by(), policy=policy, requesters=(ANA.id,)).verdict is Verdict.ASK
    assert admitted(by(), policy=policy, requesters=(ANA.id, WEI.id)).verdict is Verdict.APPROVE
    assert admitted(by(), policy=policy, requesters=(BOT_ITSELF,)).verdict is Verdict.APPROVE
    assert admitted(by(LI.id), policy=policy, requesters=(ANA.id,)).verdict is Verdict.APPROVE


def test_only_those_whom_a_rule_names_approve() -> None:
    policy = with_rules(Rule("**", Verdict.ASK, approvals=Approvals(by=frozenset({LI.id}))))
    assert admitted(by(), policy=policy).missing == 1
    assert admitted(by(LI.id), policy=policy).verdict is Verdict.APPROVE


# -- rejections ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "image", [TRUSTED, ImageRef.parse("nginx:latest"), replace(TRUSTED, tag=None)]
)
def test_a_rejected_digest_is_asked_about_in_every_spelling(image: ImageRef) -> None:
    image = image if image.tag else replace(image, digest=A)
    rejected = by(verdict=NO, image=TRUSTED, transfer=TWO)
    ruling = admitted(rejected, image=image)
    assert (ruling.verdict, ruling.ground) == (Verdict.ASK, Ground.REJECTED)
    assert admitted(rejected, image=replace(image, digest=None, tag="1"), digest=B).ground is (
        Ground.RULE
    )


def test_the_later_of_a_rejection_and_an_approval_counts() -> None:
    rejected = by(verdict=NO, after=5)
    assert admitted(by(after=4), rejected).ground is Ground.REJECTED
    assert admitted(by(after=5), rejected).ground is Ground.REJECTED
    assert admitted(by(after=6), rejected).verdict is Verdict.APPROVE
    elsewhere = by(LI.id, after=6, transfer=TWO)
    ruling = admitted(elsewhere, rejected)
    assert (ruling.verdict, ruling.ground) == (Verdict.ASK, Ground.RULE)


# -- versions, and what is kept fresh -----------------------------------------------------


def test_a_version_that_was_overwritten_is_asked_about_whatever_the_rules_say() -> None:
    ruling = admitted(image=TRUSTED, replaced=True)
    assert (ruling.verdict, ruling.ground) == (Verdict.ASK, Ground.UPDATED)
    assert admitted(by(image=TRUSTED), image=TRUSTED, replaced=True).verdict is Verdict.APPROVE
    floating = ImageRef.parse("nginx:1.27")
    assert admitted(image=floating, replaced=True).verdict is Verdict.APPROVE
    named = replace(POLICY, floating=("1.27.*",))
    assert admitted(image=TRUSTED, replaced=True, policy=named).verdict is Verdict.APPROVE


def test_an_admin_may_say_that_a_tag_floats_and_take_it_back() -> None:
    floats = by(image=TRUSTED, ground=Ground.FLOATS, digest=B, transfer=TWO)
    assert admitted(floats, image=TRUSTED, replaced=True).verdict is Verdict.APPROVE
    back = replace(floats, verdict=NO, at=NOW + timedelta(minutes=1))
    assert admitted(floats, back, image=TRUSTED, replaced=True).ground is Ground.UPDATED
    by_nobody = replace(floats, person=MALLORY.id)
    assert admitted(by_nobody, image=TRUSTED, replaced=True).ground is Ground.UPDATED
    other = replace(floats, image=replace(TRUSTED, tag="1.27.4"))
    assert admitted(other, image=TRUSTED, replaced=True).ground is Ground.UPDATED


def test_a_tag_that_is_kept_fresh_needs_no_new_approval_for_a_new_digest() -> None:
    kept = by(image=FLOATING, ground=Ground.KEPT, digest=B, transfer=TWO)
    ruling = admitted(kept, image=FLOATING, replaced=True)
    assert (ruling.verdict, ruling.ground, ruling.persons) == (
        Verdict.APPROVE,
        Ground.KEPT,
        (ANA.id,),
    )
    back = by(LI.id, NO, after=1, image=FLOATING, ground=Ground.KEPT)
    rejected = by(verdict=NO, image=FLOATING, transfer=TWO)
    for others in (
        [back],
        [rejected],
    ):
        assert admitted(kept, *others, image=FLOATING, replaced=True).verdict is Verdict.ASK
    assert admitted(kept, image=FLOATING, admins=(LI.id,)).verdict is Verdict.ASK
    assert admitted(kept, image=replace(FLOATING, tag="1.28")).verdict is Verdict.ASK
    assert admitted(kept, image=BARE).verdict is Verdict.ASK


def test_to_keep_a_tag_fresh_approves_the_digest_that_was_shown_and_no_version() -> None:
    shown = by(ground=Ground.KEPT)
    assert admitted(shown).ground is Ground.PERSON
    assert admitted(shown, digest=B, replaced=True).ground is Ground.UPDATED


def test_to_keep_a_tag_no_more_rejects_no_digest() -> None:
    kept = by(image=FLOATING, ground=Ground.KEPT)
    back = by(verdict=NO, after=1, image=FLOATING, ground=Ground.KEPT)
    for decisions in ([kept, back], [back]):
        assert admitted(*decisions, image=FLOATING).ground is not Ground.REJECTED
    assert admitted(back, image=FLOATING).verdict is Verdict.ASK
    assert admitted(kept, back, image=FLOATING).ground is Ground.PERSON


def test_a_digest_that_is_put_back_is_carried_by_persons_and_by_no_rule() -> None:
    back = by(image=TRUSTED, ground=Ground.ROLLBACK)
    ruling = admitted(back, image=TRUSTED, replaced=True)
    assert (ruling.verdict, ruling.ground) == (Verdict.APPROVE, Ground.ROLLBACK)
    assert ruling.persons == (ANA.id,)
    gone = admitted(back, image=TRUSTED, admins=(LI.id,))
    assert (gone.verdict, gone.ground) == (Verdict.ASK, Ground.ROLLBACK)
    elsewhere = admitted(replace(back, transfer=TWO), image=TRUSTED)
    assert elsewhere.ground is Ground.RULE


def test_a_digest_that_a_rollback_took_out_is_asked_about() -> None:
    out = by(verdict=NO, image=TRUSTED, ground=Ground.ROLLBACK, digest=B)
    ruling = admitted(out, image=TRUSTED, digest=B)
    assert (ruling.verdict, ruling.ground) == (Verdict.ASK, Ground.REJECTED)


def test_to_keep_a_tag_fresh_takes_as_many_as_to_approve_it() -> None:
    policy = with_rules(Rule("**", Verdict.ASK, approvals=Approvals(count=2)))
    kept = by(image=FLOATING, ground=Ground.KEPT, digest=B)
    assert admitted(kept, image=FLOATING, policy=policy).verdict is Verdict.ASK
    both = [kept, replace(kept, person=LI.id)]
    assert admitted(*both, image=FLOATING, policy=policy).ground is Ground.KEPT


@pytest.mark.parametrize(
    ("needs", "askers", "met"),
    [
        (Approvals(), None, True),
        (Approvals(count=3), None, False),
        (Approvals(count=2, own=False), None, True),
        (Approvals(count=2, own=False), (ANA.id, LI.id), False),
        (Approvals(count=2, own=False), (ANA.id, WEI.id), True),
        (Approvals(own=False, by=frozenset({ANA.id})), (ANA.id, LI.id), True),
        (Approvals(by=frozenset({MALLORY.id})), None, False),
    ],
)
def test_whether_anybody_can_give_the_approvals(
    needs: Approvals, askers: tuple[PersonId, ...] | None, *, met: bool
) -> None:
    assert needs.can_be_met(askers=askers, admins=(ANA.id, LI.id)) is met


def test_persons_decide_on_a_removal_as_many_as_a_copy_needs_whatever_the_rules_say() -> None:
    def ruled(image: ImageRef, *made: Decision, own: bool = True, count: int = 1) -> Ruling:
        needs = Approvals(count=count, own=own)
        policy = with_rules(Rule("**", Verdict.DENY, approvals=needs))
        asked = {"requesters": (ANA.id,), "admins": (ANA.id, LI.id)}
        return removal(policy, image, decisions=made, **asked)

    ana, li = (by(person, ground=Ground.REMOVAL) for person in (ANA.id, LI.id))
    elsewhere = ImageRef.parse("nowhere.example.com/a:1")
    for image in (ASKED, elsewhere):
        assert ruled(image).verdict is Verdict.ASK
        assert ruled(image, ana).verdict is Verdict.APPROVE
    assert ruled(ASKED, ana, own=False).missing == 1
    assert ruled(ASKED, ana, ana, count=2).missing == 1
    assert ruled(ASKED, by(MALLORY.id), by(LI.id, NO)).verdict is Verdict.ASK
    assert ruled(ASKED, ana, li, count=2).persons == (ANA.id, LI.id)
