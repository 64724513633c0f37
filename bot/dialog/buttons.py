"""The grammar of buttons: what each carries, and what a press of it asks for.

    data = verb ":" arguments          short, since some services let a button carry 64 bytes

Data is untrusted: anybody can press a button, and an old button may refer to an earlier state.
So it holds ids, positions and keys only, and engine/intake checks who may do what. A button that
decides carries the key of the version of its card (core/card_version.py).
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final, assert_never
from zlib import crc32

from bot.core.decision import Ground
from bot.core.ids import RequestId, TransferId
from bot.core.image import BadReference, ImageRef
from bot.core.request import PullFormat
from bot.dialog.command_values import Cancel, CommandName, Confirm, List, Retry
from bot.dialog.message import Button, ButtonKind, Phrase, say


class Verb(StrEnum):
    """What a button does."""

    APPROVE = "approve"
    KEEP = "keep"
    FLOATS = "floats"
    REJECT = "reject"
    REASON = "reason"
    DIGESTS = "digests"
    SHOW = "show"
    CHOOSE = "choose"
    PICK = "pick"
    ALL = "all"
    PAGE = "page"
    TICK = "tick"
    DROP = "drop"
    SUGGESTION = "meant"
    RETRY = "retry"
    FORM = "form"
    LIST = "list"
    MIRROR = "want"
    KEPT = "kept"
    UNKEEP = "unkeep"
    TAKE = "take"
    ADMIT = "admit"
    FOLLOW = "follow"


@dataclass(frozen=True, slots=True)
class ApproveShown:
    """Approve what this version of a card shows.

    `later` is what the admin says of later digests: KEPT, that they need no approval, or FLOATS,
    that the tag is no version.
    """

    version: str
    later: Ground | None = None


@dataclass(frozen=True, slots=True)
class RejectShown:
    """Reject what this version of a card shows. `reason` is a `reason_key`, or empty."""

    version: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AskReason:
    """Ask the admin for the reason of a rejection."""

    version: str


@dataclass(frozen=True, slots=True)
class ShowDigests:
    """Send the full digests of what this version of a card shows."""

    version: str


@dataclass(frozen=True, slots=True)
class ShowWaitingPage:
    """Open a page of the images that wait, from 0. With `choosing`, with a tick for each."""

    request: RequestId
    page: int
    choosing: bool


@dataclass(frozen=True, slots=True)
class PickWaiting:
    """Tick an image that waits on or off."""

    request: RequestId
    transfer: TransferId


@dataclass(frozen=True, slots=True)
class ShowDraftPage:
    """Open the choice of a draft at a page, from 0."""

    request: RequestId
    page: int


@dataclass(frozen=True, slots=True)
class ToggleImage:
    request: RequestId
    position: int


@dataclass(frozen=True, slots=True)
class TakeSuggestion:
    """Take the suggestion at `position` in place of a missing image."""

    request: RequestId
    transfer: TransferId
    position: int


@dataclass(frozen=True, slots=True)
class ShowPullFormat:
    """Show the pull commands of a result for another tool."""

    request: RequestId
    form: PullFormat


@dataclass(frozen=True, slots=True)
class MirrorImage:
    image: ImageRef


@dataclass(frozen=True, slots=True)
class ShowKept:
    """Show a page of the tags that admins keep fresh, from 0."""

    page: int


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Ask again about later digests of a tag on this page. `tag` is a `tag_key`."""

    page: int
    tag: str


@dataclass(frozen=True, slots=True)
class TakeNews:
    """Ask for the version that a message told of, at the digest that it shows. Or approve it."""

    key: str
    approves: bool = False


@dataclass(frozen=True, slots=True)
class FollowImages:
    """Follow newer versions of the images of a request that have arrived."""

    request: RequestId


Deciding = ApproveShown | RejectShown
Opening = AskReason | ShowWaitingPage | PickWaiting
"""What changes only what the card shows."""
Pressed = (
    Deciding
    | Opening
    | ShowDigests
    | Confirm
    | ShowDraftPage
    | ToggleImage
    | Cancel
    | TakeSuggestion
    | Retry
    | ShowPullFormat
    | List
    | MirrorImage
    | ShowKept
    | TakeBack
    | TakeNews
    | FollowImages
)

_BUTTON: Final = re.compile(r"([a-z]+):(.*)", re.ASCII | re.DOTALL)
_VERSIONED: Final = re.compile(r"([A-Za-z0-9_-]{8})(?::([0-9a-f]{8}))?", re.ASCII)
_TAG: Final = re.compile(r"([0-9]{1,18}):([0-9a-f]{12})", re.ASCII)
_NUMBERS: Final = re.compile(r"[0-9]{1,18}(?::[0-9]{1,18})*", re.ASCII)


def button_data(verb: Verb, *arguments: object) -> str:
    return ":".join([str(verb), *map(str, arguments)])


def callback_button(verb: Verb, *arguments: object, label: Phrase | None = None) -> Button:
    data = button_data(verb, *arguments)
    return Button(label or say(f"button-{verb}"), ButtonKind.CALLBACK, data)


def reason_key(reason: str) -> str:
    """What a button carries for a reason of the config: a button carries little."""
    return f"{crc32(reason.encode()):08x}"


def tag_key(image: ImageRef) -> str:
    """What a button carries for an image: a button carries little."""
    return sha256(str(image).encode()).hexdigest()[:12]


def parse_button(data: str) -> Pressed | None:
    """What a pressed button asks for. None for data that no button of this version has."""
    match = _BUTTON.fullmatch(data)
    if match is None or match[1] not in set(Verb):
        return None
    verb, rest = Verb(match[1]), match[2]
    if verb is Verb.MIRROR:
        return _mirror_image(rest)
    if verb is Verb.UNKEEP:
        found = _TAG.fullmatch(rest)
        return None if found is None else TakeBack(int(found[1]), found[2])
    if verb in _BY_VERSION:
        return _versioned(verb, rest)
    head, _, tail = rest.partition(":")
    if verb in (Verb.FORM, Verb.LIST) and _NUMBERS.fullmatch(head):
        if verb is Verb.LIST:
            return List(tail, int(head))
        known = tail in set(PullFormat)
        return ShowPullFormat(RequestId(int(head)), PullFormat(tail)) if known else None
    if not _NUMBERS.fullmatch(rest):
        return None
    return _numbered(verb, [int(number) for number in rest.split(":")])


_BY_VERSION: Final = frozenset(
    {Verb.APPROVE, Verb.KEEP, Verb.FLOATS, Verb.REJECT, Verb.REASON, Verb.DIGESTS}
    | {Verb.TAKE, Verb.ADMIT}
)
_LATER: Final = {Verb.APPROVE: None, Verb.KEEP: Ground.KEPT, Verb.FLOATS: Ground.FLOATS}


def _versioned(verb: Verb, rest: str) -> Pressed | None:
    match = _VERSIONED.fullmatch(rest)
    if match is None or (match[2] and verb is not Verb.REJECT):
        return None
    match verb:
        case Verb.APPROVE | Verb.KEEP | Verb.FLOATS:
            return ApproveShown(match[1], _LATER[verb])
        case Verb.REJECT:
            return RejectShown(match[1], match[2] or "")
        case Verb.REASON:
            return AskReason(match[1])
        case Verb.TAKE | Verb.ADMIT:
            return TakeNews(match[1], verb is Verb.ADMIT)
        case _:
            return ShowDigests(match[1])


def _mirror_image(text: str) -> MirrorImage | None:
    try:
        return MirrorImage(ImageRef.parse(text))
    except BadReference:
        return None


def _numbered(verb: Verb, numbers: list[int]) -> Pressed | None:
    request = RequestId(numbers[0])
    match verb, numbers[1:]:
        case Verb.SHOW | Verb.CHOOSE, [page]:
            return ShowWaitingPage(request, page, verb is Verb.CHOOSE)
        case Verb.PICK, [transfer]:
            return PickWaiting(request, TransferId(transfer))
        case Verb.ALL, []:
            return Confirm(request)
        case Verb.PAGE, [page]:
            return ShowDraftPage(request, page)
        case Verb.TICK, [position]:
            return ToggleImage(request, position)
        case Verb.KEPT, []:
            return ShowKept(numbers[0])
        case Verb.DROP, []:
            return Cancel(request)
        case Verb.RETRY | Verb.FOLLOW, []:
            return Retry(request) if verb is Verb.RETRY else FollowImages(request)
        case Verb.SUGGESTION, [transfer, position]:
            return TakeSuggestion(request, TransferId(transfer), position)
        case _:
            return None


def command_behind(pressed: Pressed) -> CommandName:
    """The command with the same rights: who may type it may press the button."""
    match pressed:
        case ApproveShown() | ShowWaitingPage() | PickWaiting() | TakeNews(approves=True):
            return CommandName.APPROVE
        case RejectShown() | AskReason():
            return CommandName.REJECT
        case Cancel():
            return CommandName.CANCEL
        case Retry() | TakeSuggestion():
            return CommandName.RETRY
        case List():
            return CommandName.LIST
        case ShowKept() | TakeBack():
            return CommandName.UNKEEP
        case ShowDigests():
            return CommandName.LOOKUP
        case (
            Confirm()
            | ShowDraftPage()
            | ToggleImage()
            | ShowPullFormat()
            | (MirrorImage() | TakeNews())
        ):
            return CommandName.MIRROR
        case FollowImages():
            return CommandName.FOLLOW
        case never:
            assert_never(never)
