"""Questions whose answers need the network: /lookup, /list, /outdated and /remove.

A question is stored until it is answered, so a restart loses none. The answers are pure functions:
engine/lanes/questions.py passes in what registries and the repository say.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

from bot.core.draft import neighbour_pages
from bot.core.failures import Failure
from bot.core.ids import MessageId, PersonId, Place
from bot.core.image import ImageRef, Target
from bot.core.registry import ImageInfo, Scan
from bot.core.retry import Retried, Trouble
from bot.core.transfer import State
from bot.dialog.buttons import Verb, callback_button
from bot.dialog.causes import cause, trouble_words
from bot.dialog.image_names import name_list, short_name
from bot.dialog.language import Language
from bot.dialog.message import Button, Message, Moment, Phrase, Value, say, size
from bot.dialog.result import copy_button, copy_buttons, in_rows

T = TypeVar("T")

LIST_LINES_PER_PAGE: Final = 20
"""Lines of image.list on a page."""
FACTS_CHARACTERS: Final = 70
PAGE_CHARACTERS: Final = 3600
"""Characters of a page. Where more are needed, names alone are shown."""
PLATFORMS_SHOWN: Final = 12
_NO_INFO: Final = ImageInfo()


class QuestionKind(StrEnum):
    LOOKUP = "lookup"
    LOOKUP_BY_RUN = "lookup-by-run"
    """GitHub looks it up, since the bot cannot reach the source."""
    LIST = "list"
    OUTDATED = "outdated"
    REMOVE = "remove"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Retried):
    """`text`: the image to look up, or what the lines should contain. Times are UTC.

    `edits` is the message that shows another page of the same list. This page replaces it. `file`
    is the service's id of a file that came along.
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
    file: str = ""
    file_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupFacts:
    """What the registries say of an image.

    `source_digest` is None where the source has no such image, or keeps it private.
    `target_digest` is None where the target cannot be read, and empty where it has no such image.
    `scan` is what the target's scanner found. `suggestions` are images that the source has instead
    of a missing one. `refusal` says why the source could not be asked, and `failure` why a run
    could not look.
    """

    image: ImageRef
    source_digest: str | None = None
    info: ImageInfo = _NO_INFO
    target_digest: str | None = None
    scan: Scan | None = None
    suggestions: tuple[ImageRef, ...] = ()
    refusal: str = ""
    failure: Failure | None = None


def lookup_begun(image: ImageRef) -> Message:
    """What is said at once where a run has to look."""
    return Message((say("lookup-begun", image=str(image), registry=image.registry),))


def lookup_answer(facts: LookupFacts, target: Target, now: datetime) -> Message:
    """Whether the image is there, what it is, and whether the target has the same."""
    lines = [say("lookup-head", image=str(facts.image))]
    if facts.failure:
        lines.append(say("lookup-refused", line=cause(facts.failure)))
    elif facts.refusal:
        lines.append(say("lookup-refused", line=facts.refusal))
    elif facts.source_digest is None:
        lines.append(say("lookup-missing"))
    else:
        lines += _described(facts.source_digest, facts.info, now)
    lines += _at_target(facts, target)
    return Message(tuple(lines), _next_buttons(facts, target))


def _described(digest: str, info: ImageInfo, now: datetime) -> list[Phrase]:
    lines = [say("lookup-digest", digest=digest)]
    if info.platforms:
        names = name_list(info.platforms, most=PLATFORMS_SHOWN)
        lines.append(say("lookup-platforms", platforms=names))
    if info.size is not None:
        lines.append(say("lookup-size", size=size(info.size)))
    if info.created is not None:
        days = max(0, (now - info.created).days)
        lines.append(say("lookup-created", time=Moment(info.created), days=days))
    return lines


def _at_target(facts: LookupFacts, target: Target) -> list[Phrase]:
    if facts.target_digest is None:
        return [say("lookup-target-unreadable")]
    if not facts.target_digest:
        return [say("lookup-target-none")]
    if facts.source_digest is None:
        key = "lookup-target-only"
    else:
        key = (
            "lookup-target-same"
            if facts.target_digest == facts.source_digest
            else "lookup-target-other"
        )
    return [say(key), say("pull", command=_pull(facts.image, target)), *_scanned(facts.scan)]


def _scanned(scan: Scan | None) -> list[Phrase]:
    """How many vulnerabilities Harbor's scanner found, by severity, with its page."""
    if scan is None:
        return []
    counts = {key: getattr(scan, key) for key in ("critical", "high", "medium", "low", "other")}
    if not any(counts.values()):
        return [say("lookup-scan-clean", url=scan.url)]
    return [say("lookup-scan", url=scan.url, **counts)]


def _pull(image: ImageRef, target: Target) -> str:
    return f"docker pull {target.name_of(image)}"


def _next_buttons(facts: LookupFacts, target: Target) -> tuple[tuple[Button, ...], ...]:
    """Buttons for what can be done next."""
    rows: list[tuple[Button, ...]] = []
    if facts.target_digest:
        command = _pull(facts.image, target)
        rows.append((copy_button(say("button-copy"), command),))
    if facts.source_digest is not None and facts.target_digest != facts.source_digest:
        rows += mirror_button(facts.image, say("button-mirror-it"))
    for image in facts.suggestions:
        rows += mirror_button(image, say("button-meant", image=short_name(image)))
    return tuple(rows)


def mirror_button(image: ImageRef, label: Phrase) -> list[tuple[Button, ...]]:
    """A button that requests the image."""
    return [(callback_button(Verb.MIRROR, image, label=label),)]


class Freshness(StrEnum):
    """What happens to a listed image that is updated upstream."""

    KEPT = "kept"
    ASKED = "asked"
    """An admin is asked about each new digest."""
    GONE = "gone"
    """The source has it no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What is known of a listed image. None, or empty, for what nobody knows or may know here.

    `state` is that of its newest transfer, `person` the name of who asked for it first, and when.
    """

    state: State | None = None
    person: str = ""
    asked_at: datetime | None = None
    fresh: Freshness | None = None


NOTHING_KNOWN: Final = Listed()


def on_page(found: Sequence[T], page: int) -> tuple[int, Sequence[T]]:
    """The number of the page, and what is on it. A number beyond the end means the last page."""
    page = max(0, min(page, (len(found) - 1) // LIST_LINES_PER_PAGE))
    first = page * LIST_LINES_PER_PAGE
    return page, found[first : first + LIST_LINES_PER_PAGE]


def list_page(
    found: Sequence[ImageRef],
    known: Mapping[ImageRef, Listed],
    *,
    text: str,
    page: int,
    target: Target,
    now: datetime,
) -> Message:
    """A page of the lines of image.list that contain `text`, with what is `known` of them.

    Each image has a button that copies its pull.
    """
    if not found:
        return none_listed(text)
    pages = -(-len(found) // LIST_LINES_PER_PAGE)
    page, shown = on_page(found, page)
    head = say("list-head-text", count=len(found), text=text) if text else (
        say("list-head", count=len(found))
    )  # fmt: skip
    long = sum(FACTS_CHARACTERS + len(str(image)) for image in shown) > PAGE_CHARACTERS
    facts = {} if long else known
    lines = [head]
    lines += [_list_line(image, facts.get(image, NOTHING_KNOWN), now) for image in shown]
    pulls = [(image, _pull(image, target)) for image in shown]
    rows = in_rows(copy_buttons(pulls), 2)
    if pages == 1:
        return Message(tuple(lines), tuple(rows))
    turns = tuple(
        callback_button(
            Verb.LIST,
            *(to, text),
            label=say("button-page", page=to + 1, pages=pages),
        )
        for to in neighbour_pages(page, pages)
    )
    return Message(tuple(lines), (*rows, turns))


def _list_line(image: ImageRef, known: Listed, now: datetime) -> Phrase:
    facts: list[Value] = [say(f"state-{known.state}")] if known.state is not None else []
    if known.asked_at is not None:
        time = Moment(known.asked_at, now)
        facts.append(say("list-asked", person=known.person or say("by-nobody-known"), time=time))
    facts += [say(f"list-fresh-{known.fresh}")] if known.fresh is not None else []
    line = say("list-line", image=str(image))
    for fact in facts:
        line = say("list-fact", line=line, fact=fact)
    return line


def containing(entries: Iterable[T], text: str) -> list[T]:
    """The entries that contain `text`, without regard to case."""
    wanted = text.lower()
    return [entry for entry in entries if wanted in str(entry).lower()]


def none_listed(text: str) -> Message:
    return Message((say("list-none", text=text) if text else say("list-empty"),))


def unanswered(question: QuestionKind, trouble: Trouble) -> Message:
    """The answer where a service had trouble for too long. The person may ask again."""
    return Message((say(f"{question}-unanswered", trouble=trouble_words(trouble)),))
