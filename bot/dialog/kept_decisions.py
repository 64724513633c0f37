"""The answers to /why and /history: what was decided, by whom, when, and what came of it.

They name people, and show no id of a person or a chat. Who was forgotten has no name here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.core.decision import Decision, Ground
from bot.core.ids import BOT_ITSELF, PersonId, RequestId
from bot.core.image import ImageRef
from bot.core.request import Request
from bot.core.transfer import State, Transfer
from bot.dialog.causes import cause
from bot.dialog.image_names import short_digest
from bot.dialog.message import Message, Moment, Phrase, Value, say

TRANSFERS_SHOWN: Final = 2
REQUESTS_NAMED: Final = 5
DECISIONS_OF_A_TRANSFER: Final = 4
"""The newest. Each names a full digest."""
DECISIONS_SHOWN: Final = 15
"""Each line may hold two long names and a reason. They have to fit into one message."""
REASON_SHOWN: Final = 60
Names = Mapping[PersonId, str]
_SAID: Final = frozenset(
    {Ground.KEPT, Ground.REFRESHED, Ground.FLOATS, Ground.ROLLBACK, Ground.REMOVAL}
)
"""Grounds of what persons say besides a plain approval or rejection."""


@dataclass(frozen=True, slots=True)
class Story:
    """One transfer of an image, the requests for it that may be told, and what was decided."""

    transfer: Transfer
    requests: Sequence[Request]
    decisions: Sequence[Decision]


def why(
    image: ImageRef, stories: Sequence[Story], names: Names, now: datetime, *, more: int
) -> Message:
    """The answer to /why: the newest stories. `more` older ones are left out."""
    if not stories:
        return Message((say("why-unknown", image=str(image)),))
    lines = [line for story in stories for line in _story(story, names, now)]
    return Message((*lines, say("why-older", count=more)) if more else tuple(lines))


def _story(story: Story, names: Names, now: datetime) -> list[Phrase]:
    transfer = story.transfer
    lines = [say("why-image", image=str(transfer.image), state=say(f"state-{transfer.state}"))]
    lines += [_asked(request, names, now) for request in story.requests[:REQUESTS_NAMED]]
    lines += [
        _line(each, names, now, what=each.digest or str(each.image))
        for each in story.decisions[-DECISIONS_OF_A_TRANSFER:]
    ]
    if not story.decisions:
        lines += _undecided(transfer)
    return [*lines, *_signed(transfer, now), *_outcome(transfer, now)]


def _undecided(transfer: Transfer) -> list[Phrase]:
    """What an admin is asked to decide, or that no decision was kept."""
    match transfer.state:
        case State.CHECKING:
            return []
        case State.WAITING:
            return [say("why-waiting", digest=transfer.digest or "")]
        case _:
            return [say("why-undecided")]


def _asked(request: Request, names: Names, now: datetime) -> Phrase:
    time, person = Moment(request.opened_at, now), _person(request.person, names)
    return say("why-asked", time=time, person=person, request=str(request.id))


def _outcome(transfer: Transfer, now: datetime) -> list[Phrase]:
    """The run, what arrived, and why nothing did."""
    lines = []
    if transfer.run_url and transfer.copying_at is not None:
        time = Moment(transfer.copying_at, now)
        lines.append(say("why-run", time=time, url=transfer.run_url))
    if transfer.copied_digest and transfer.copied_at is not None:
        time = Moment(transfer.copied_at, now)
        lines.append(say("why-arrived", time=time, digest=transfer.copied_digest))
        if transfer.previous_image is not None:
            lines.append(say("why-previous", time=time, image=str(transfer.previous_image)))
        if transfer.previous_refusal:
            lines.append(say("why-previous-refused", time=time, line=transfer.previous_refusal))
        lines += _beside(transfer, time)
    if transfer.failure is not None and transfer.ended_at is not None:
        time = Moment(transfer.ended_at, now)
        lines.append(say("why-failed", time=time, cause=cause(transfer.failure)))
    return lines


def _signed(transfer: Transfer, now: datetime) -> list[Phrase]:
    """Who signed the digest where a rule demands that, or that nobody looked for it."""
    if not transfer.signer or transfer.checked_at is None:
        return []
    time = Moment(transfer.checked_at, now)
    if transfer.signed_by:
        return [say("why-signed", time=time, by=transfer.signed_by)]
    return [say("why-unchecked", time=time, signer=transfer.signer)]


def _beside(transfer: Transfer, time: Moment) -> list[Phrase]:
    """What came along with the image, what did not, and why nobody can pull it."""
    lines = []
    if transfer.attachments:
        lines.append(say("why-attached", time=time, count=transfer.attachments))
    for key, line in (
        ("why-attached-refused", transfer.attachments_refusal),
        ("why-pull-refused", transfer.pull_refusal),
    ):
        lines += [say(key, time=time, line=line)] if line else []
    return lines


def history(
    found: Sequence[Decision],
    names: Names,
    now: datetime,
    *,
    about: RequestId | ImageRef | None,
    everywhere: bool,
) -> Message:
    """The answer to /history. `everywhere`: it is not limited to one chat."""
    where = "" if everywhere else "-here"
    if not found:
        return Message((say(f"decisions-none{where}"),))
    lines = [say(f"decisions-head{where}")]
    for each in found[:DECISIONS_SHOWN]:
        what = f"{each.image} {short_digest(each.digest)}".rstrip()
        lines.append(_line(each, names, now, what=what))
    if len(found) > DECISIONS_SHOWN:
        lines.append(say(f"decisions-more{_narrowed(about)}", count=DECISIONS_SHOWN))
    return Message(tuple(lines))


def _narrowed(about: RequestId | ImageRef | None) -> str:
    """The ending of the key that says how to see what is left out."""
    if about is None:
        return ""
    return "-of-image" if isinstance(about, ImageRef) else "-of-one"


def _line(decision: Decision, names: Names, now: datetime, *, what: str) -> Phrase:
    reason = decision.reason
    if len(reason) > REASON_SHOWN:
        reason = reason[:REASON_SHOWN] + "…"
    values: dict[str, Value] = {
        "time": Moment(decision.at, now),
        "person": _decider(decision, names),
        "did": _did(decision),
        "what": what,
    }
    if reason:
        return say("decision-because", **values, reason=reason)
    return say("decision", **values)


def _did(decision: Decision) -> Phrase:
    if decision.person is None:
        return say(f"did-{decision.verdict}")
    ground = decision.ground if decision.ground in _SAID else Ground.PERSON
    return say(f"did-{ground}-{decision.verdict}")


def _decider(decision: Decision, names: Names) -> Phrase:
    if decision.person is not None:
        return say("by-person", person=_person(decision.person, names))
    if decision.rule and decision.ground is Ground.RULE:
        return say("by-rule", rule=decision.rule)
    return say("by-registries" if decision.ground is Ground.REGISTRY else "by-rules")


def _person(person: PersonId, names: Names) -> Value:
    if person == BOT_ITSELF:
        return say("by-bot")
    return names.get(person) or say("by-nobody-known")
