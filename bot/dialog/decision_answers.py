"""What the bot answers to decisions, and to other presses on images that wait for one, as data.

Answers to all other commands and presses are in answers.py.
"""

from collections.abc import Sequence
from typing import Final

from bot.core.decision import Ground, Verdict
from bot.core.decision_effect import DecidedTransfer, DecisionEffect
from bot.core.ids import RequestId
from bot.core.request import Request
from bot.core.transfer import State, Transfer
from bot.dialog.command_values import Approve, CommandName, Reject
from bot.dialog.image_names import name_list, short_name
from bot.dialog.message import Message, Phrase, say
from bot.dialog.offer_card import answered
from bot.dialog.view import View
from bot.dialog.waiting import decided_line, names_in, repository_name, rows_of

NAMES_IN_A_POPUP: Final = 2
_DECIDED: Final = {Verdict.APPROVE: "approved", Verdict.DENY: "rejected"}


def why_decided(request: RequestId, transfers: Sequence[Transfer], view: View) -> Phrase:
    """Why nothing waits for a decision: who decided already, or how it ended."""
    if (said := answered(transfers, view)) is not None:
        return said
    for transfer in transfers:
        if transfer.ended is State.REJECTED and transfer.ended_by is not None:
            return say("already-rejected", person=view.name(transfer.ended_by))
    for transfer in transfers:
        if transfer.approved_by is not None:
            return say("already-approved", person=view.name(transfer.approved_by))
    for state in (State.CANCELLED, State.EXPIRED, State.REPLACED):
        if any(transfer.ended is state for transfer in transfers):
            return say(f"already-{state}", request=str(request))
    return say("nothing-to-decide", request=str(request))


def decided_briefly(
    request: RequestId,
    verdict: Verdict,
    outcomes: Sequence[DecidedTransfer],
    view: View,
    *,
    gone: Sequence[Transfer],
    left: int,
    later: Ground | None = None,
) -> Phrase:
    """What a press came to, which images it did not decide on, and how many others wait.

    `gone` are images that the card showed and that no longer wait as they were. `later` is what the
    press said of later digests.
    """
    phrases = _came_to(request, verdict, outcomes, view)
    counts = any(each.effect in (DecisionEffect.ENOUGH, DecisionEffect.FIRST) for each in outcomes)
    if later is not None and counts:
        phrases.append(say("decided-kept" if later is Ground.KEPT else "decided-floats"))
    phrases += _besides(gone, left)
    words = phrases[0]
    for others in phrases[1:]:
        words = say("decided-besides", words=words, others=others)
    return words


def decided(
    request: RequestId,
    verdict: Verdict,
    outcomes: Sequence[DecidedTransfer],
    view: View,
    *,
    gone: Sequence[Transfer] = (),
    left: int = 0,
) -> Message:
    """What a typed command came to, with the names and digests of what it decided on.

    `gone` and `left` as in `decided_briefly`.
    """
    done = [each.transfer for each in outcomes if each.effect is DecisionEffect.ENOUGH]
    head, *others = _came_to(request, verdict, outcomes, view)
    others += _besides(gone, left)
    return Message((head, *map(decided_line, rows_of(done)), *others))


def _besides(gone: Sequence[Transfer], left: int) -> list[Phrase]:
    """What was not decided on."""
    lines = [say("decided-gone", images=_names(gone))] if gone else []
    return [*lines, say("decided-left", count=left)] if left else lines


def _came_to(
    request: RequestId, verdict: Verdict, outcomes: Sequence[DecidedTransfer], view: View
) -> list[Phrase]:
    """A phrase for each kind of outcome, the best first."""
    phrases = []
    for effect in DecisionEffect:
        of = [each for each in outcomes if each.effect is effect]
        if of and effect is DecisionEffect.ENOUGH:
            phrases.append(say(_done(of[0].transfer, verdict), request=str(request), count=len(of)))
        elif of:
            people = [view.name(person) for person in sorted(of[0].by)]
            phrases.append(
                say(
                    f"effect-{effect}",
                    images=_names([each.transfer for each in of]),
                    count=len(of),
                    missing=of[0].missing,
                    people=name_list(people) if people else "",
                    known=len(people),
                )
            )
    return phrases


def _done(transfer: Transfer, verdict: Verdict) -> str:
    kind = "offer-" if transfer.is_offer else "removal-" if transfer.is_removal else ""
    return f"{kind}{_DECIDED[verdict]}"


def _names(transfers: Sequence[Transfer]) -> Phrase:
    names = [short_name(transfer.image) for transfer in transfers]
    return name_list(names, most=NAMES_IN_A_POPUP)


def not_shown(request: RequestId, images: Sequence[Transfer]) -> Message:
    """Why a typed command decides nothing: the card has not shown all that waits."""
    names = name_list([short_name(transfer.image) for transfer in images])
    return Message((say("not-shown", request=str(request), images=names, count=len(images)),))


def key_needed(typed: Approve | Reject, key: str) -> Message:
    """Where there are no buttons, a command names what it decides on. Here is that command."""
    name = CommandName.APPROVE if isinstance(typed, Approve) else CommandName.REJECT
    command = f"/{name} {typed.request} {key}"
    if isinstance(typed, Reject) and typed.reason:
        command = f"{command} {typed.reason}"
    return Message(
        (say("key-needed", request=str(typed.request)), say("command-line", command=command))
    )


def digests(request: RequestId, shown: Sequence[Transfer]) -> Message:
    """The full digests of images that a card shows in short."""
    lines: list[Phrase] = [say("digests-head", request=str(request), count=len(shown))]
    for row in rows_of(shown):
        if len(row) > 1:
            lines.append(say("digests-of", repository=repository_name(row[0].image)))
        for name, transfer in zip(names_in(row), row, strict=True):
            lines.append(say("digest-line", image=name, digest=transfer.digest or ""))
    return Message(tuple(lines))


def unconfirmed(request: Request, view: View) -> Message:
    """A draft needs no decision of an admin yet."""
    person = view.name(request.person)
    return Message((say("draft-unconfirmed", request=str(request.id), person=person),))
