"""What is said of a removal, which takes the line of an image out of image.list.

Its card and its result are those of card.py and result.py, with these words and buttons.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from bot.core.ids import PersonId
from bot.core.image import ImageRef
from bot.core.transfer import State, Transfer
from bot.dialog.buttons import Verb, callback_button
from bot.dialog.image_names import name_list
from bot.dialog.mention import mention
from bot.dialog.message import Button, Message, Phrase, say
from bot.dialog.view import View

LISTED_NAMED: Final = 5
_WITH_NOTE: Final = (State.APPROVED, State.SUBMITTED, State.REMOVED)


def is_removal(transfers: Sequence[Transfer]) -> bool:
    """Whether a request is one. Then it has this transfer alone."""
    return any(transfer.is_removal for transfer in transfers)


def removal_lines(transfers: Sequence[Transfer]) -> list[Phrase]:
    """What an approval will do, while it waits for one."""
    return [say("card-removal")] if is_removal(transfers) else []


def removal_note(transfer: Transfer, view: View) -> Phrase | None:
    """Its state. None where that is the same as for any other transfer."""
    own = transfer.is_removal and transfer.state in _WITH_NOTE and transfer.trouble is None
    if not own or transfer.approved_by is None:
        return None
    return say(f"note-removal-{transfer.state}", person=view.name(transfer.approved_by))


def removal_buttons(view: View) -> tuple[Button, ...]:
    return (
        callback_button(Verb.APPROVE, view.version, label=say("button-removal")),
        callback_button(Verb.REJECT, view.version, label=say("button-stay")),
    )


def removal_head(transfer: Transfer) -> Phrase:
    """The first line of the result."""
    return say("result-removed" if transfer.state is State.REMOVED else "result-not-removed")


def removal_step(transfer: Transfer) -> Phrase | None:
    """What a person can do after it."""
    ended = transfer.state is State.REMOVED
    return None if ended else say("result-ask-again", image=str(transfer.image))


def not_listed(image: ImageRef, listed: Sequence[ImageRef]) -> Message:
    """There is no line to remove. `listed` are the images of its repository that have one."""
    if not listed:
        return Message((say("remove-unlisted", image=str(image)),))
    names = name_list([str(each) for each in listed[:LISTED_NAMED]])
    return Message((say("remove-others", image=str(image), images=names),))


def watch_ended(image: ImageRef, names: Mapping[PersonId, str]) -> Message:
    """To those who watched the image. `names` are those of the people to mention."""
    people = [mention(person, name) for person, name in names.items()]
    lines = [say("removal-news", image=str(image))]
    return Message((*lines, say("news-for", people=name_list(people))) if people else tuple(lines))
