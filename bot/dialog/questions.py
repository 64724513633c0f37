"""Questions that need a look at the world before they can be answered: /lookup, /list, /outdated.

Stored until they are answered, so that a restart loses none. Pure: what was seen comes in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

from bot.core.draft import neighbour_pages
from bot.core.ids import MessageId, PersonId, Place
from bot.core.image import ImageRef, Target
from bot.core.registry import ImageInfo
from bot.core.retry import Trouble
from bot.dialog.buttons import DATA_LIMIT, Verb, button_data
from bot.dialog.card import press, short
from bot.dialog.causes import trouble_words
from bot.dialog.language import Language
from bot.dialog.message import COPY_LIMIT, Button, Message, Moment, Phrase, say, size
from bot.dialog.result import copy

T = TypeVar("T")

PAGE: Final = 20
"""Lines of image.list on a page."""
PLATFORMS: Final = 12
_UNKNOWN: Final = ImageInfo()


class QuestionKind(StrEnum):
    LOOKUP = "lookup"
    LIST = "list"
    OUTDATED = "outdated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`text`: the image to look up, or what the lines should hold. Times are UTC.

    `edits` is the message that shows another page of the same list and is to show this one.
    """

    id: int
    kind: QuestionKind
    text: str
    person: PersonId
    place: Place
    language: Language
    opened_at: datetime
    page: int = 0
    message: MessageId | None = None
    edits: MessageId | None = None
    attempts: int = 0
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the registries say of an image. `source` None: missing, or private.

    `there` None where the target cannot be read, empty where it has no such image. `meant` are
    images that the source has in place of a missing one. `refusal` is why nobody could be asked.
    """

    image: ImageRef
    source: str | None = None
    shape: ImageInfo = _UNKNOWN
    there: str | None = None
    meant: tuple[ImageRef, ...] = ()
    refusal: str = ""


def looked_up(look: Look, target: Target, now: datetime) -> Message:
    """Whether the image is there, what it is, and whether the target has the same."""
    lines = [say("lookup-head", image=str(look.image))]
    if look.refusal:
        lines.append(say("lookup-refused", line=look.refusal))
    elif look.source is None:
        lines.append(say("lookup-missing"))
    else:
        lines += _facts(look.source, look.shape, now)
    lines += _at_target(look, target)
    return Message(tuple(lines), _offers(look, target))


def _facts(digest: str, shape: ImageInfo, now: datetime) -> list[Phrase]:
    lines = [say("lookup-digest", digest=digest)]
    if shape.platforms:
        names = ", ".join(shape.platforms[:PLATFORMS])
        more = len(shape.platforms) - PLATFORMS
        lines.append(say("lookup-platforms", platforms=names, more=max(0, more)))
    if shape.size is not None:
        lines.append(say("lookup-size", size=size(shape.size)))
    if shape.created is not None:
        days = max(0, (now - shape.created).days)
        lines.append(say("lookup-created", time=Moment(shape.created), days=days))
    return lines


def _at_target(look: Look, target: Target) -> list[Phrase]:
    if look.there is None:
        return [say("lookup-target-unreadable")]
    if not look.there:
        return [say("lookup-target-none")]
    if look.source is None:
        key = "lookup-target-only"
    else:
        key = "lookup-target-same" if look.there == look.source else "lookup-target-other"
    return [say(key), say("pull", command=_pull(look.image, target))]


def _pull(image: ImageRef, target: Target) -> str:
    return f"docker pull {target.name_of(image)}"


def _offers(look: Look, target: Target) -> tuple[tuple[Button, ...], ...]:
    """What can be done next, by one tap."""
    rows: list[tuple[Button, ...]] = []
    if look.there:
        command = _pull(look.image, target)
        rows += [(copy(say("button-copy"), command),)] if len(command) <= COPY_LIMIT else []
    if look.source is not None and look.there != look.source:
        rows += want(look.image, say("button-mirror-it"))
    for image in look.meant:
        rows += want(image, say("button-meant", image=short(image)))
    return tuple(rows)


def want(image: ImageRef, label: Phrase) -> list[tuple[Button, ...]]:
    """A button that asks for the image; none where its name is longer than a button holds."""
    if len(button_data(Verb.WANT, image).encode()) > DATA_LIMIT:
        return []
    return [(press(Verb.WANT, image, label=label),)]


def listing(entries: Sequence[str], text: str, page: int) -> Message:
    """A page of what image.list holds, of the lines with `text` in them."""
    found = holding(entries, text)
    if not found:
        return none_listed(text)
    pages = -(-len(found) // PAGE)
    page = min(page, pages - 1)
    head = say("list-head-text", count=len(found), text=text) if text else (
        say("list-head", count=len(found))
    )  # fmt: skip
    lines = [head, *(say("list-line", image=e) for e in found[page * PAGE : (page + 1) * PAGE])]
    if pages == 1:
        return Message(tuple(lines))
    turns = tuple(
        press(
            Verb.LIST,
            *(to, text),
            label=say("button-page", page=to + 1, pages=pages),
        )
        for to in neighbour_pages(page, pages)
    )
    return Message(tuple(lines), (turns,))


def holding(entries: Iterable[T], text: str) -> list[T]:
    """Those with `text` in their names, in whatever case."""
    wanted = text.lower()
    return [entry for entry in entries if wanted in str(entry).lower()]


def none_listed(text: str) -> Message:
    return Message((say("list-none", text=text) if text else say("list-empty"),))


def unanswered(question: QuestionKind, trouble: Trouble) -> Message:
    """Nobody answered for too long; the person may ask again."""
    return Message((say(f"{question}-unanswered", trouble=trouble_words(trouble)),))
