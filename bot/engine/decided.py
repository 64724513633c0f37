"""Decisions in the engine: what the rules say with them, how they are kept, what follows.

All lanes and use cases ask the rules by `ruling_on`. Those that store an approval or a denial call
`decided` in the same transaction. It must not decide anything: the rules are in core/policy.py.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from bot.core.approvals import ON_DIGESTS, ON_TAGS
from bot.core.decision import Decision, Ground, Verdict
from bot.core.events import Denied, Event, Found, Replaced
from bot.core.ids import BOT_ITSELF, PersonId, TransferId
from bot.core.image import ImageRef
from bot.core.policy import Policy, Ruling, admission, decide, removal
from bot.core.request import Request
from bot.core.signature import NO_SIGNATURE, Signature
from bot.core.transfer import State, Transfer, advance
from bot.engine.changes import log_change
from bot.engine.ports.decisions import (
    DecisionHistory,
    Decisions,
    DecisionsOnNames,
    KeepsDecisions,
)
from bot.engine.ports.registries import Signatures
from bot.engine.ports.store import ManyTransfers, Requesters, SameTag, SavesTransfers

DECISIONS_READ: Final = 200
"""Of those on one digest, and of those on one tag. The newest count."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules with what admins hold, and the admins whose approvals count."""

    policy: Policy
    admins: Collection[PersonId]


async def ruling_on(
    unit: DecisionsOnNames,
    rules: Rules,
    image: ImageRef,
    digest: str,
    *,
    transfer: TransferId | None = None,
    requesters: Collection[PersonId] = (),
    replaced: bool = False,
    signature: Signature = NO_SIGNATURE,
    decisions: Sequence[Decision] | None = None,
) -> Ruling:
    """What the rules say of a digest now: see core.policy.admission.

    `decisions` are those about it, where the caller has read them. Otherwise they are read here.
    """
    if decisions is None:
        decisions = await decisions_about(unit, image, digest)
    return admission(
        rules.policy,
        image,
        digest,
        transfer=transfer,
        decisions=decisions,
        requesters=requesters,
        admins=rules.admins,
        replaced=replaced,
        signature=signature,
    )


async def look_for_signature(
    registries: Signatures, policy: Policy, image: ImageRef, digest: str
) -> Signature:
    """Look for what a rule demands of a digest. Raises UnsignedError where it is not there."""
    signer = decide(policy, image).signer
    if signer is None:
        return NO_SIGNATURE
    return Signature(signer.name, await registries.signed_by(image, digest, signer))


async def ruling_on_transfer(
    unit: Decisions,
    rules: Rules,
    transfer: Transfer,
    requests: Sequence[Request],
    decisions: Sequence[Decision] | None = None,
) -> Ruling:
    """The same for a transfer with a digest. `requests` are those that ask for it.

    An offer is no copy of a digest: only who keeps the tag fresh counts for it. `decisions` are as
    `decisions_about_transfer` reads them.
    """
    if transfer.is_removal:
        if decisions is None:
            decisions = await decisions_about_transfer(unit, transfer)
        return removal(
            rules.policy,
            transfer.image,
            decisions=decisions,
            requesters=askers(requests),
            admins=rules.admins,
        )
    digest = transfer.digest
    assert digest is not None  # noqa: S101 - what the callers check
    return await ruling_on(
        unit,
        rules,
        transfer.image,
        digest,
        transfer=None if transfer.is_offer else transfer.id,
        requesters=askers(requests),
        replaced=transfer.replaces not in (None, digest),
        signature=transfer.signature,
        decisions=decisions,
    )


async def decisions_about(unit: DecisionsOnNames, image: ImageRef, digest: str) -> list[Decision]:
    """What persons decided on a digest under any tag, and on the image's tag for all digests."""
    name = (image.registry, image.repository)
    found = await unit.decisions_of(*name, digest=digest, grounds=ON_DIGESTS, limit=DECISIONS_READ)
    if image.tag is None:
        return list(found)
    on_tag = await unit.decisions_of(*name, tag=image.tag, grounds=ON_TAGS, limit=DECISIONS_READ)
    return [*found, *on_tag]


async def decisions_about_transfer(unit: Decisions, transfer: Transfer) -> list[Decision]:
    """The same for its image and digest. For a removal, what was decided on it."""
    if transfer.is_removal:
        return list((await unit.decisions_on([transfer.id]))[transfer.id])
    return await decisions_about(unit, transfer.image, transfer.digest or "")


class PastUnit(DecisionHistory, ManyTransfers, Protocol):
    """What is read to know what was approved before."""


async def approved_before(unit: PastUnit, image: ImageRef) -> list[tuple[Decision, bool]]:
    """The approvals that were enough, the newest first, each with whether its digest arrived.

    Of a transfer that was deleted nobody knows more, so its digest counts as arrived.
    """
    found = await unit.newest_decisions(about=image, limit=DECISIONS_READ)
    others = (Ground.FLOATS, Ground.REMOVAL)
    given = [d for d in found if d.verdict is Verdict.APPROVE and d.ground not in others]
    there = await unit.transfers({decision.transfer for decision in given})
    past = [(decision, there.get(decision.transfer)) for decision in given]
    enough = [(d, t) for d, t in past if t is None or t.approved_at is not None]
    return [(d, t is None or t.state is State.MIRRORED) for d, t in enough]


class TakesBackUnit(KeepsDecisions, DecisionsOnNames, Protocol):
    """What is read and written to take back what holds for a tag."""


async def take_back(
    unit: TakesBackUnit, image: ImageRef, person: PersonId | None, at: datetime
) -> bool:
    """Deny for each ground what the newest decision on the image's tag approved.

    False where none did.
    """
    name = (image.registry, image.repository)
    tag = image.tag or ""
    found = await unit.decisions_of(*name, tag=tag, grounds=ON_TAGS, limit=DECISIONS_READ)
    newest = {decision.ground: decision for decision in reversed(found)}
    standing = [each for each in newest.values() if each.verdict is Verdict.APPROVE]
    for each in standing:
        await unit.keep_decision(
            Decision(
                request=None,
                transfer=each.transfer,
                image=image,
                digest=each.digest,
                verdict=Verdict.DENY,
                ground=each.ground,
                person=person,
                at=at,
            )
        )
    return bool(standing)


def askers(requests: Sequence[Request]) -> list[PersonId]:
    """Those who asked and did not cancel, or all where everybody cancelled too late."""
    wanted = [request for request in requests if request.cancelled_at is None] or requests
    return list(dict.fromkeys(r.person for r in wanted if r.person != BOT_ITSELF))


class DecidedUnit(SavesTransfers, KeepsDecisions, SameTag, Requesters, Protocol):
    """What is read and written here."""


async def decided(unit: DecidedUnit, transfer: Transfer, event: Event) -> None:
    """Keep the decision that an event brings, and end what an approval replaces.

    `transfer` is as it is after the event, and stored already. A person's decision is kept where
    the person speaks: it may be one of several that are needed.
    """
    if isinstance(event, Found | Denied) and transfer.digest is not None:
        decision = _by_rule(transfer, transfer.digest, event)
        if decision.verdict is not Verdict.ASK and decision.ground is not Ground.PERSON:
            await unit.keep_decision(decision)
    if transfer.state is State.APPROVED:
        await end_older(unit, transfer, event.at)


async def end_older(unit: DecidedUnit, transfer: Transfer, now: datetime) -> None:
    """End the questions and approvals of another digest of the same tag that are older.

    Otherwise a late approval would put an older digest back. What one request asks for is decided
    together, so it is left alone.
    """
    others = await unit.open_on_tag(transfer.image)
    older = [other for other in others if _is_older(other, transfer)]
    if not older:
        return
    own = {each.id for each in await unit.requests_for(transfer.id)}
    by = min(own, default=None)
    for other in older:
        asked = {each.id for each in await unit.requests_for(other.id)}
        after = None if asked & own else advance(other, Replaced(now, by))
        if after is not None:
            await unit.save_transfer(after)
            log_change(other, after)


def _is_older(other: Transfer, decided_on: Transfer) -> bool:
    """Whether another digest was looked up, or approved, before the decision on this one.

    What is in a batch may arrive any time, so it is not ended. This one waits for it.
    """
    if other.digest == decided_on.digest:
        return False
    match other.state:
        case State.WAITING if other.ground is Ground.ROLLBACK:
            return True  # its card says what the tag has, which is about to change
        case State.WAITING:
            return _at(other.checked_at) <= _at(decided_on.checked_at)
        case State.APPROVED:
            return _at(other.approved_at) < _at(decided_on.approved_at)
        case _:
            return False


def _at(time: datetime | None) -> datetime:
    assert time is not None  # noqa: S101 - what these states mean
    return time


def _by_rule(transfer: Transfer, digest: str, event: Found | Denied) -> Decision:
    """The decision of a rule, or what follows from the word of a person who keeps a tag fresh."""
    kept = event.ruling.ground is Ground.KEPT
    return Decision(
        request=None,
        transfer=transfer.id,
        image=transfer.image,
        digest=digest,
        verdict=event.ruling.verdict,
        ground=Ground.REFRESHED if kept else event.ruling.ground,
        rule=event.ruling.rule,
        person=next(iter(event.ruling.persons), None),
        reason=event.ruling.reason,
        replaces=transfer.retries,
        signer=transfer.signer,
        signed_by=transfer.signed_by,
        at=event.at,
    )
