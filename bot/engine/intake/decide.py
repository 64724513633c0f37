"""Use cases of decisions: approve or reject what a version of a card shows.

A press and a typed command decide exactly the images that the version shows, as far as they still
wait at the digest that it shows. The answer names the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from bot.core.card_version import CardVersion, pair_of
from bot.core.decision import Decision, Ground, Verdict
from bot.core.decision_effect import DecidedTransfer, DecisionEffect
from bot.core.events import Rejected
from bot.core.request import Request
from bot.core.transfer import Transfer
from bot.dialog import answers, decision_answers
from bot.dialog.buttons import ApproveShown, RejectShown, parse_button, reason_key
from bot.dialog.command_values import Approve, CommandName, Reject, Replied
from bot.dialog.message import Message
from bot.dialog.waiting import held_in, is_alarm, waiting_in
from bot.engine.intake.approving import ApprovingUnit, approve
from bot.engine.intake.card_press import (
    CardPressUnit,
    pressed_version,
    refresh,
    refuse,
    refuse_outdated,
)
from bot.engine.intake.context import Context, Outcome
from bot.engine.ports.private_cards import ReadsPrivateCards
from bot.engine.ports.store import ManyTransfers


class DecideUnit(ManyTransfers, CardPressUnit, ApprovingUnit, ReadsPrivateCards, Protocol):
    """What this use case reads and writes."""


async def press(context: Context[DecideUnit], pressed: ApproveShown | RejectShown) -> Outcome:
    """Decide what the pressed version of a card shows."""
    found = await pressed_version(context, pressed.version)
    reason = _reason(context, pressed)
    if found is None or reason is None:
        return await refuse(context)
    request, version = found
    transfers = await context.unit.transfers_of(request.id)
    decided = version.still_waiting(transfers)
    if not decided or request.cancelled_at is not None:
        return await refuse_outdated(context, request)
    later = pressed.later if isinstance(pressed, ApproveShown) else None
    word = _Word(version, _verdict(pressed), reason, later)
    outcomes = await _decide(context, request, decided, word)
    gone = await _gone(context, version, decided)
    left = len(waiting_in(transfers)) - len(decided)
    view = await context.view(decided)
    return Outcome(
        decision_answers.decided_briefly(
            request.id, word.verdict, outcomes, view, gone=gone, left=left, later=later
        )
    )


async def command(context: Context[DecideUnit], typed: Approve | Reject) -> Message:
    """Decide what the card of a request showed last. Refused where more waits than that."""
    request = await context.unit.request(typed.request)
    transfers = await context.unit.transfers_of(typed.request)
    hidden = request is None or not context.may_see(request)
    if request is None or hidden or (not transfers and not request.is_draft):
        return answers.single_line("no-request", request=str(typed.request))
    view = await context.view(transfers, [request])
    if request.is_draft and request.cancelled_at is None:
        return decision_answers.unconfirmed(request, view)
    waiting = [] if request.cancelled_at is not None else waiting_in(transfers)
    held = held_in(request, transfers)
    if isinstance(typed, Approve) and held and not waiting:
        return await _end_wait(context, request, held, typed)
    if isinstance(typed, Approve) and typed.reason and waiting:
        return answers.misuse(CommandName.APPROVE)
    if not waiting:
        return Message((decision_answers.why_decided(typed.request, transfers, view),))
    reason = typed.reason if isinstance(typed, Reject) else ""
    named = await _version_named(context, request, typed)
    if named is not None:
        later = typed.later if isinstance(typed, Approve) else None
        word = _Word(named, _verdict(typed), reason.removeprefix(named.key).strip(), later)
        return await _on_version(context, request, word)
    if isinstance(typed, Approve) and typed.version:
        return Message(((await refuse_outdated(context, request)).words,))
    version = await context.unit.card_version(await _shown_last(context, request))
    shown = [] if version is None else version.still_waiting(waiting)
    if version is None or len(shown) < len(waiting):
        await refresh(context, request)
        return decision_answers.not_shown(request.id, [t for t in waiting if t not in shown])
    if not context.service.has_buttons:
        return decision_answers.key_needed(typed, version.key)
    word = _Word(version, _verdict(typed), reason)
    outcomes = await _decide(context, request, shown, word)
    return decision_answers.decided(request.id, word.verdict, outcomes, view)


async def _end_wait(
    context: Context[DecideUnit], request: Request, held: Sequence[Transfer], typed: Approve
) -> Message:
    """Let go on what waits for its digest to be old enough, for a reason, at what was shown."""
    named = await _version_named(context, request, typed)
    reason = typed.reason or ("" if named is not None else typed.version)
    if not reason:
        return answers.single_line("held-why", request=str(request.id))
    version = await context.unit.card_version(request.version)
    pairs = set() if version is None else set(version.pairs)
    unseen = [transfer for transfer in held if pair_of(transfer) not in pairs]
    if version is None or unseen:
        await refresh(context, request)
        return decision_answers.not_shown(request.id, unseen or held)
    outcomes = await _decide(context, request, held, _Word(version, Verdict.APPROVE, reason))
    view = await context.view(held)
    return decision_answers.decided(request.id, Verdict.APPROVE, outcomes, view)


async def _shown_last(context: Context[DecideUnit], request: Request) -> str:
    """The key of what the card showed last in this chat. An admin may have one in private, too."""
    for own in await context.unit.private_cards():
        card = own.cards.get(request.id) if str(own.person) == str(context.place.chat) else None
        if card is not None and card.version:
            return card.version
    return request.version


async def _version_named(
    context: Context[DecideUnit], request: Request, typed: Approve | Reject
) -> CardVersion | None:
    """The version of this request whose key was typed."""
    version = await context.unit.card_version(typed.version) if typed.version else None
    return version if version is not None and version.request == request.id else None


async def on_card(
    context: Context[DecideUnit], typed: Replied, request: Request, buttons: Sequence[str]
) -> Message:
    """Decide, like a press, what the card shows that the command replies to.

    `buttons` is what the buttons of that card carry.
    """
    if request.is_draft and request.cancelled_at is None:
        return decision_answers.unconfirmed(request, await context.view((), [request]))
    version = await _version_shown(context, request, buttons)
    if version is None:
        return Message(((await refuse_outdated(context, request)).words,))
    verdict = Verdict.APPROVE if typed.name is CommandName.APPROVE else Verdict.DENY
    return await _on_version(context, request, _Word(version, verdict, typed.reason))


async def _on_version(context: Context[DecideUnit], request: Request, word: "_Word") -> Message:
    """Decide what a version of a card shows, as far as it still waits."""
    transfers = await context.unit.transfers_of(request.id)
    shown = word.version.still_waiting(transfers)
    if not shown or request.cancelled_at is not None:
        return Message(((await refuse_outdated(context, request)).words,))
    outcomes = await _decide(context, request, shown, word)
    gone = await _gone(context, word.version, shown)
    left = len(waiting_in(transfers)) - len(shown)
    view = await context.view(shown)
    return decision_answers.decided(request.id, word.verdict, outcomes, view, gone=gone, left=left)


async def _version_shown(
    context: Context[DecideUnit], request: Request, buttons: Sequence[str]
) -> CardVersion | None:
    """The version that the card's own buttons carry, else the one that it was sent with last.

    That is of the card where it was asked for. A card in private may show something else.
    """
    for data in buttons:
        pressed = parse_button(data)
        if isinstance(pressed, ApproveShown | RejectShown):
            version = await context.unit.card_version(pressed.version)
            return version if version is not None and version.request == request.id else None
    if request.place.chat != context.place.chat:
        return None
    return await context.unit.card_version(request.version)


@dataclass(frozen=True, slots=True)
class _Word:
    """What an admin said of a version."""

    version: CardVersion
    verdict: Verdict
    reason: str = ""
    later: Ground | None = None
    """What holds for later digests of these tags: KEPT or FLOATS."""


def _verdict(said: ApproveShown | RejectShown | Approve | Reject) -> Verdict:
    return Verdict.APPROVE if isinstance(said, ApproveShown | Approve) else Verdict.DENY


def _reason(context: Context[DecideUnit], pressed: ApproveShown | RejectShown) -> str | None:
    """The reason of the config that was pressed, empty without one. None for an unknown one."""
    if isinstance(pressed, ApproveShown) or not pressed.reason:
        return ""
    known = {reason_key(reason): reason for reason in context.installation.reasons}
    return known.get(pressed.reason)


async def _decide(
    context: Context[DecideUnit], request: Request, transfers: Sequence[Transfer], word: _Word
) -> list[DecidedTransfer]:
    """Keep a decision on each image, and let it go on or end it."""
    outcomes = [await _decided(context, request, transfer, word) for transfer in transfers]
    await context.unit.save_request(
        replace(request, choosing=False, left_out=frozenset(), rejecting=None)
    )
    return outcomes


async def _decided(
    context: Context[DecideUnit], request: Request, transfer: Transfer, word: _Word
) -> DecidedTransfer:
    decision = _decision(context, request, transfer, word)
    if word.verdict is Verdict.APPROVE:
        outcome = await approve(context, transfer, decision)
        counts = outcome.effect in (DecisionEffect.ENOUGH, DecisionEffect.FIRST)
        if counts and word.later is Ground.FLOATS and is_alarm(transfer):
            await context.unit.keep_decision(replace(decision, ground=Ground.FLOATS))
        if outcome.effect is DecisionEffect.ENOUGH and transfer.ground is Ground.ROLLBACK:
            # Otherwise the rules would bring back what was taken out, at its next check.
            taken_out = replace(decision, digest=transfer.replaces or "", verdict=Verdict.DENY)
            await context.unit.keep_decision(taken_out)
        return outcome
    await context.unit.keep_decision(decision)
    await context.advance(transfer, Rejected(context.now, context.person.id, word.reason))
    return DecidedTransfer(transfer, DecisionEffect.ENOUGH)


def _decision(
    context: Context[DecideUnit], request: Request, transfer: Transfer, word: _Word
) -> Decision:
    keeps = word.later is Ground.KEPT and transfer.image.tag is not None and not is_alarm(transfer)
    return Decision(
        request=request.id,
        transfer=transfer.id,
        image=transfer.image,
        digest=transfer.digest or "",
        verdict=word.verdict,
        ground=_ground(transfer, word, keeps=keeps),
        person=context.person.id,
        card=word.version.key,
        reason=word.reason,
        replaces=transfer.retries,
        signer=transfer.signer,
        signed_by=transfer.signed_by,
        at=context.now,
    )


def _ground(transfer: Transfer, word: _Word, *, keeps: bool) -> Ground:
    if transfer.is_offer:
        return Ground.KEPT
    if transfer.is_removal:
        return Ground.REMOVAL
    if transfer.ground is Ground.ROLLBACK and word.verdict is Verdict.APPROVE:
        return Ground.ROLLBACK
    return Ground.KEPT if keeps else Ground.PERSON


async def _gone(
    context: Context[DecideUnit], version: CardVersion, decided: Sequence[Transfer]
) -> list[Transfer]:
    """What the version shows and no longer waits, or not at that digest."""
    done = {transfer.id for transfer in decided}
    gone = [number for number, _ in version.pairs if number not in done]
    found = await context.unit.transfers(gone) if gone else {}
    return [found[number] for number in gone if number in found]
