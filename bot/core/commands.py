"""The grammar of commands and buttons, and the one table that help and menus are made from.

    message  = "/" name [ "@" bot ] [ blank arguments ]
    mirror   = image *( separator image )          separator = blank | newline | , | ， | 、
    status   = [ number | image ]                  number    = [ "#" ] 1*18 digits
    approve  = number    cancel = number    retry = number
    reject   = number [ reason ]
    button   = ( "approve" | "reject" ) ":" number      under 64 bytes, as Telegram wants

Parsing cannot fail: what is no command of ours is None, what is a command wrongly used is a
`Misuse`. References are parsed here, so that nothing else ever holds an unchecked one.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.core.facts import RequestId
from bot.core.image import ImageRef
from bot.core.reading import BadImage, read_image


class Name(StrEnum):
    MIRROR = "mirror"
    STATUS = "status"
    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    RETRY = "retry"
    HELP = "help"
    START = "start"
    WHOAMI = "whoami"


@dataclass(frozen=True, slots=True)
class Spec:
    """A row of the table: what is typed after the name, and who the menu shows it to.

    The words of each are in `locales/`, under `command-<name>`.
    """

    name: Name
    arguments: str
    admins_only: bool = False
    in_menu: bool = True


COMMANDS: Final = (
    Spec(Name.MIRROR, "IMAGE…"),
    Spec(Name.STATUS, "[#41 | IMAGE]"),
    Spec(Name.CANCEL, "#41"),
    Spec(Name.RETRY, "#41"),
    Spec(Name.APPROVE, "#41", admins_only=True),
    Spec(Name.REJECT, "#41 [reason]", admins_only=True),
    Spec(Name.WHOAMI, ""),
    Spec(Name.HELP, ""),
    Spec(Name.START, "", in_menu=False),
)
SPECS: Final = {spec.name: spec for spec in COMMANDS}


@dataclass(frozen=True, slots=True)
class Mirror:
    images: tuple[ImageRef, ...]


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
class Plain:
    """A command without arguments: help, start, whoami."""

    name: Name


@dataclass(frozen=True, slots=True)
class BadImages:
    """Some of the images cannot be read: nothing is done. `good` are the readable ones."""

    bad: tuple[BadImage, ...]
    good: tuple[ImageRef, ...]


@dataclass(frozen=True, slots=True)
class Misuse:
    """A command of ours with arguments that it does not take."""

    name: Name


Command = Mirror | Status | Approve | Reject | Cancel | Retry | Plain
Parsed = Command | BadImages | Misuse

REASON_LIMIT: Final = 200
_COMMAND: Final = re.compile(r"/([A-Za-z]+)(?:@([A-Za-z0-9_]+))?(?:\s+(.*))?", re.DOTALL)
_NUMBER: Final = re.compile(r"[#＃]?([0-9]{1,18})")
_SEPARATORS: Final = re.compile(r"[\s,，、]+")
_VERSION: Final = re.compile(r"v?[0-9]+(?:\.[0-9]+)*(?:-[A-Za-z0-9.-]+)?")
_TAGGED: Final = re.compile(r"[:@： ]")
_TOOLS: Final = frozenset({"docker", "podman", "nerdctl", "crictl", "ctr", "sudo"})


def parse(text: str, *, me: str, target_host: str) -> Parsed | None:
    """The command that a message holds; None where it is not one of ours.

    `me` is the bot's own name, without the at-sign; `target_host` is what people paste in
    front of an image that they have pulled before.
    """
    match = _COMMAND.fullmatch(text.strip())
    if match is None or (match[2] is not None and match[2].lower() != me.lower()):
        return None
    try:
        name = Name(match[1].lower())
    except ValueError:
        return None
    return _arguments(name, (match[3] or "").strip(), target_host)


def _arguments(name: Name, rest: str, target_host: str) -> Parsed:
    match name:
        case Name.MIRROR:
            return _mirror(rest, target_host)
        case Name.STATUS:
            return _status(rest, target_host)
        case Name.APPROVE | Name.REJECT | Name.CANCEL | Name.RETRY:
            return _about_request(name, rest)
        case _:
            return Plain(name)


def _about_request(name: Name, rest: str) -> Parsed:
    first, more = [*rest.split(None, 1), "", ""][:2]
    number = _NUMBER.fullmatch(first)
    if number is None or (more and name is not Name.REJECT):
        return Misuse(name)
    request = RequestId(int(number[1]))
    match name:
        case Name.APPROVE:
            return Approve(request)
        case Name.REJECT:
            return Reject(request, " ".join(more.split())[:REASON_LIMIT])
        case Name.CANCEL:
            return Cancel(request)
        case _:
            return Retry(request)


def _status(rest: str, target_host: str) -> Parsed:
    if not rest:
        return Status(None)
    if number := _NUMBER.fullmatch(rest):
        return Status(RequestId(int(number[1])))
    read = read_image(rest, target_host=target_host)
    return BadImages((read,), ()) if isinstance(read, BadImage) else Status(read)


def _mirror(rest: str, target_host: str) -> Parsed:
    read = [read_image(text, target_host=target_host) for text in _texts(rest)]
    bad = tuple(item for item in read if isinstance(item, BadImage))
    good = tuple(dict.fromkeys(item for item in read if isinstance(item, ImageRef)))
    if bad:
        return BadImages(bad, good)
    return Mirror(good) if good else Misuse(Name.MIRROR)


def _texts(rest: str) -> list[str]:
    """The single texts of a list. A pasted command line stays whole: it is one mistake."""
    texts: list[str] = []
    for line in rest.splitlines():
        words = [word for word in _SEPARATORS.split(line) if word]
        if words and words[0] in _TOOLS and len(words) > 1:
            texts.append(line.strip())
        else:
            texts.extend(_joined(words))
    return texts


def _joined(words: list[str]) -> list[str]:
    """`nginx 1.27` is one image with a blank in it; nobody means an image called 1.27."""
    texts: list[str] = []
    for word in words:
        if texts and _VERSION.fullmatch(word) and not _TAGGED.search(texts[-1]):
            texts[-1] += f" {word}"
        else:
            texts.append(word)
    return texts


class Verb(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


_BUTTON: Final = re.compile(r"(approve|reject):([0-9]{1,18})", re.ASCII)


def button_data(verb: Verb, request: RequestId) -> str:
    return f"{verb}:{request}"


def parse_button(data: str) -> Approve | Reject | None:
    """What a pressed button asks for; None for data that is not ours (or no longer)."""
    match = _BUTTON.fullmatch(data)
    if match is None:
        return None
    request = RequestId(int(match[2]))
    return Approve(request) if match[1] == Verb.APPROVE else Reject(request)
