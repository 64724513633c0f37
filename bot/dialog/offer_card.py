"""What the card of an offer says besides lines of images: core/transfer.py explains offers.

It is a card as in card.py, with the same pages and ticks. Its buttons keep tags fresh and copy
nothing.
"""

from collections.abc import Sequence

from bot.core.transfer import State, Transfer
from bot.dialog.buttons import Verb, callback_button
from bot.dialog.message import Button, Moment, Phrase, say
from bot.dialog.view import View


def is_offer(transfers: Sequence[Transfer]) -> bool:
    """Whether a request is an offer. Then all its transfers are."""
    return any(transfer.is_offer for transfer in transfers)


def is_declined(transfer: Transfer) -> bool:
    """Whether an admin answered that each new digest is asked about."""
    return transfer.is_offer and transfer.state is State.REJECTED and transfer.ended_by is not None


def offer_lines(transfers: Sequence[Transfer], view: View) -> list[Phrase]:
    """What the offer means, and until when it waits."""
    ends = [t.expires_at for t in transfers if t.is_offer and t.expires_at is not None]
    return [say("card-offer", time=Moment(min(ends), view.now))] if ends else []


def offer_note(transfer: Transfer, view: View) -> Phrase | None:
    """What came of an offer. None where that is the same as for any other transfer."""
    if not transfer.is_offer:
        return None
    if transfer.state is State.EXPIRED:
        return say("note-offer-expired")
    if transfer.ended_by is None or transfer.state is State.CANCELLED:
        return None
    key = "note-not-kept" if is_declined(transfer) else "note-kept"
    return say(key, person=view.name(transfer.ended_by))


def offer_buttons(chosen: Sequence[Transfer], waiting: int, view: View) -> tuple[Button, ...]:
    """Keep fresh, or ask each time. `waiting`: how many images wait on all pages."""
    count = len(chosen)
    some = "" if count == waiting else "-these"
    return (
        callback_button(Verb.APPROVE, view.version, label=say(f"button-offer{some}", count=count)),
        callback_button(Verb.REJECT, view.version, label=say(f"button-ask{some}", count=count)),
    )


def answered(transfers: Sequence[Transfer], view: View) -> Phrase | None:
    """Who answered an offer."""
    people = [t.ended_by for t in transfers if t.is_offer and t.ended_by is not None]
    return say("already-answered", person=view.name(people[0])) if people else None
