"""The grammar of commands, and the one table that help and menus are made from.

    message  = "/" name [ "@" bot ] [ blank arguments ]
    mirror   = [ number | anything that names images ]           see extract/
    status   = [ number | image ]                  number    = [ "#" ] 1*18 digits
    lookup   = image                               list      = [ text ]
    outdated = [ text ]                            watch     = [ image ]
    unwatch  = image
    approve  = number    cancel = number    retry = number
    reject   = number [ reason ]

Parsing cannot fail: what is no command of ours is None, what is a command wrongly used is a
`Misuse`. Single references are parsed here; what /mirror is given is read by extract/.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.core.bad_image import BadImage
from bot.core.ids import RequestId
from bot.core.image import ImageRef
from bot.paste.reading import read_image


class CommandName(StrEnum):
    MIRROR = "mirror"
    STATUS = "status"
    LOOKUP = "lookup"
    LIST = "list"
    OUTDATED = "outdated"
    WATCH = "watch"
    UNWATCH = "unwatch"
    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    RETRY = "retry"
    HELP = "help"
    START = "start"
    WHOAMI = "whoami"


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """A row of the table: what is typed after the name, and who the menu shows it to.

    The words of each are in `locales/`, under `command-<name>`.
    """

    name: CommandName
    arguments: str
    admins_only: bool = False
    in_menu: bool = True


COMMANDS: Final = (
    CommandSpec(CommandName.MIRROR, "IMAGE…"),
    CommandSpec(CommandName.STATUS, "[#41 | IMAGE]"),
    CommandSpec(CommandName.LOOKUP, "IMAGE"),
    CommandSpec(CommandName.LIST, "[text]"),
    CommandSpec(CommandName.OUTDATED, "[text]"),
    CommandSpec(CommandName.WATCH, "[IMAGE]"),
    CommandSpec(CommandName.UNWATCH, "IMAGE"),
    CommandSpec(CommandName.CANCEL, "#41"),
    CommandSpec(CommandName.RETRY, "#41"),
    CommandSpec(CommandName.APPROVE, "#41", admins_only=True),
    CommandSpec(CommandName.REJECT, "#41 [reason]", admins_only=True),
    CommandSpec(CommandName.WHOAMI, ""),
    CommandSpec(CommandName.HELP, ""),
    CommandSpec(CommandName.START, "", in_menu=False),
)
SPECS: Final = {spec.name: spec for spec in COMMANDS}


@dataclass(frozen=True, slots=True)
class Mirror:
    """`text` as it was pasted; empty where a file or the answered message is meant."""

    text: str


@dataclass(frozen=True, slots=True)
class Confirm:
    """A draft as it stands: all its images, or those that were left ticked."""

    request: RequestId


@dataclass(frozen=True, slots=True)
class Lookup:
    image: ImageRef


@dataclass(frozen=True, slots=True)
class List:
    """The lines of image.list that hold `text`, from the page on (0 is the first)."""

    text: str
    page: int = 0


@dataclass(frozen=True, slots=True)
class Outdated:
    """Of the lines of image.list that hold `text`, those that have moved at their sources."""

    text: str


@dataclass(frozen=True, slots=True)
class BeginWatch:
    """Be told when the image moves; None: what the person watches."""

    image: ImageRef | None


@dataclass(frozen=True, slots=True)
class EndWatch:
    image: ImageRef


@dataclass(frozen=True, slots=True)
class Status:
    """`about` None: what concerns the person, and what is going on."""

    about: RequestId | ImageRef | None


@dataclass(frozen=True, slots=True)
class Approve:
    request: RequestId


@dataclass(frozen=True, slots=True)
class Reject:
    request: RequestId
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Cancel:
    request: RequestId


@dataclass(frozen=True, slots=True)
class Retry:
    request: RequestId


@dataclass(frozen=True, slots=True)
class Simple:
    """A command without arguments: help, start, whoami."""

    name: CommandName


@dataclass(frozen=True, slots=True)
class Misuse:
    """A command of ours with arguments that it does not take."""

    name: CommandName


Looking = Lookup | List | Outdated
Watching = BeginWatch | EndWatch
Deciding = Approve | Reject | Cancel | Retry
Command = Mirror | Confirm | Status | Looking | Watching | Deciding | Simple
Parsed = Command | BadImage | Misuse

REASON_LIMIT: Final = 200
FILTER_LIMIT: Final = 48
"""Bytes: the buttons of a list carry its filter, and they hold 64."""
# Chinese needs no blank behind a command; Telegram sees one there all the same.
_COMMAND: Final = re.compile(
    r"/([A-Za-z]+)(?:@([A-Za-z0-9_]+))?(?:[\s,:\uff0c\uff1a]+(.*))?", re.DOTALL
)
_NUMBER: Final = re.compile(r"[#＃]?([0-9]{1,18})")


def parse(text: str, *, me: str, target_host: str) -> Parsed | None:
    """The command that a message holds; None where it is not one of ours.

    `me` is the bot's own name, without the at-sign; `target_host` is what people paste in
    front of an image that they have pulled before.
    """
    match = _COMMAND.fullmatch(text.strip())
    if match is None or (match[2] is not None and match[2].lower() != me.lower()):
        return None
    try:
        name = CommandName(match[1].lower())
    except ValueError:
        return None
    return _arguments(name, (match[3] or "").strip(), target_host)


def word_of(text: str) -> CommandName:
    """Which command of ours a message begins with, for an answer about what stands behind it."""
    match = _COMMAND.fullmatch(text.strip())
    return CommandName(match[1].lower()) if match is not None else CommandName.HELP


def _arguments(name: CommandName, rest: str, target_host: str) -> Parsed:
    match name:
        case CommandName.MIRROR:
            number = _NUMBER.fullmatch(rest) if rest.startswith(("#", "＃")) else None
            return Mirror(rest) if number is None else Confirm(RequestId(int(number[1])))
        case CommandName.STATUS | CommandName.LOOKUP | CommandName.WATCH | CommandName.UNWATCH:
            return _about_image(name, rest, target_host)
        case CommandName.LIST | CommandName.OUTDATED:
            text = " ".join(rest.split())
            if len(text.encode(errors="replace")) > FILTER_LIMIT:
                return Misuse(name)
            return List(text) if name is CommandName.LIST else Outdated(text)
        case CommandName.APPROVE | CommandName.REJECT | CommandName.CANCEL | CommandName.RETRY:
            return _about_request(name, rest)
        case _:
            return Simple(name)


_ABOUT: Final[Mapping[CommandName, Callable[[ImageRef], Command]]] = {
    CommandName.STATUS: Status,
    CommandName.LOOKUP: Lookup,
    CommandName.WATCH: BeginWatch,
    CommandName.UNWATCH: EndWatch,
}


def _about_request(name: CommandName, rest: str) -> Parsed:
    first, more = [*rest.split(None, 1), "", ""][:2]
    number = _NUMBER.fullmatch(first)
    if number is None or (more and name is not CommandName.REJECT):
        return Misuse(name)
    request = RequestId(int(number[1]))
    match name:
        case CommandName.APPROVE:
            return Approve(request)
        case CommandName.REJECT:
            return Reject(request, " ".join(more.split())[:REASON_LIMIT])
        case CommandName.CANCEL:
            return Cancel(request)
        case _:
            return Retry(request)


def _about_image(name: CommandName, rest: str, target_host: str) -> Parsed:
    if name is CommandName.STATUS and not rest:
        return Status(None)
    if name is CommandName.STATUS and (number := _NUMBER.fullmatch(rest)):
        return Status(RequestId(int(number[1])))
    if not rest:
        return BeginWatch(None) if name is CommandName.WATCH else Misuse(name)
    read = read_image(rest, target_host=target_host)
    return read if isinstance(read, BadImage) else _ABOUT[name](read)
