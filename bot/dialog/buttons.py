"""The grammar of buttons: their callback data, and what a press of each asks for.

    data = verb ":" arguments          at most DATA_LIMIT bytes

Data is untrusted: anybody can press a button, and an old button may refer to an earlier state.
So it holds ids and positions only, and engine/intake checks who may do what.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

from bot.core.ids import RequestId, TransferId
from bot.core.image import BadReference, ImageRef
from bot.core.request import PullFormat
from bot.dialog.commands import Approve, Cancel, CommandName, Confirm, List, Reject, Retry


class Verb(StrEnum):
    """What a button does."""

    APPROVE = "approve"
    REJECT = "reject"
    ALL = "all"
    PAGE = "page"
    TICK = "tick"
    DROP = "drop"
    SUGGESTION = "meant"
    RETRY = "retry"
    FORM = "form"
    LIST = "list"
    MIRROR = "want"


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


Pressed = (
    Approve
    | Reject
    | Confirm
    | ShowDraftPage
    | ToggleImage
    | Cancel
    | TakeSuggestion
    | Retry
    | ShowPullFormat
    | List
    | MirrorImage
)

DATA_LIMIT: Final = 64
"""Bytes of callback data: https://core.telegram.org/bots/api#inlinekeyboardbutton"""
_BUTTON: Final = re.compile(r"([a-z]+):(.*)", re.ASCII | re.DOTALL)
_NUMBERS: Final = re.compile(r"[0-9]{1,18}(?::[0-9]{1,18})*", re.ASCII)


def button_data(verb: Verb, *arguments: object) -> str:
    return ":".join([str(verb), *map(str, arguments)])


def parse_button(data: str) -> Pressed | None:
    """What a pressed button asks for. None for data that no button of this version has."""
    match = _BUTTON.fullmatch(data)
    if match is None or match[1] not in set(Verb):
        return None
    verb, rest = Verb(match[1]), match[2]
    if verb is Verb.MIRROR:
        return _mirror_image(rest)
    head, _, tail = rest.partition(":")
    if verb in (Verb.FORM, Verb.LIST) and _NUMBERS.fullmatch(head):
        if verb is Verb.LIST:
            return List(tail, int(head))
        known = tail in set(PullFormat)
        return ShowPullFormat(RequestId(int(head)), PullFormat(tail)) if known else None
    if not _NUMBERS.fullmatch(rest):
        return None
    return _numbered(verb, [int(number) for number in rest.split(":")])


def _mirror_image(text: str) -> MirrorImage | None:
    try:
        return MirrorImage(ImageRef.parse(text))
    except BadReference:
        return None


def _numbered(verb: Verb, numbers: list[int]) -> Pressed | None:
    request = RequestId(numbers[0])
    match verb, numbers[1:]:
        case Verb.APPROVE, []:
            return Approve(request)
        case Verb.REJECT, []:
            return Reject(request)
        case Verb.ALL, []:
            return Confirm(request)
        case Verb.PAGE, [page]:
            return ShowDraftPage(request, page)
        case Verb.TICK, [position]:
            return ToggleImage(request, position)
        case Verb.DROP, []:
            return Cancel(request)
        case Verb.RETRY, []:
            return Retry(request)
        case Verb.SUGGESTION, [transfer, position]:
            return TakeSuggestion(request, TransferId(transfer), position)
        case _:
            return None


def command_behind(pressed: Pressed) -> CommandName:
    """The command with the same rights: who may type it may press the button."""
    match pressed:
        case Approve():
            return CommandName.APPROVE
        case Reject():
            return CommandName.REJECT
        case Cancel():
            return CommandName.CANCEL
        case Retry() | TakeSuggestion():
            return CommandName.RETRY
        case List():
            return CommandName.LIST
        case Confirm() | ShowDraftPage() | ToggleImage() | ShowPullFormat() | MirrorImage():
            return CommandName.MIRROR
        case never:
            assert_never(never)
