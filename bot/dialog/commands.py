"""What people can type: the grammar of commands, and the table of all commands.

    message  = "/" name [ "@" bot ] [ blank arguments ]
    mirror   = [ number | anything that names images ]           see paste/
    status   = [ number | image ]                  number    = [ "#" ] 1*18 digits
    lookup   = 1*image                             list      = [ text | unused ]
    unused   = "unused" [ cluster ] [ what the cluster runs ]
    outdated = [ text ]                            watch     = *image
    nodes    = [ "containerd" | "k3s" ]
    unwatch  = 1*image                             unkeep    = image
    follow   = [ image range ]                     unfollow  = image [ range ]
    why      = image                               history   = [ number | image ]
    rollback = image                               remove  = image
    approve  = number [ key [ "keep" | "floats" ] | reason ]
    reject   = number [ key ] [ reason ]           key       = 8 characters of core/card_version.py
    cancel   = number    retry = number
    pause    = [ reason ]
    block    = pattern [ reason ]                  unblock   = pattern

In a reply to a card or a result, the number of its request may be left out.

`COMMANDS` says for each command how its arguments are read, who may use it, and whether it begins
work. Intake obeys it, and menus and /help are made from it. Buttons get their rights from it too,
see buttons.py. To add a command: a row and a class of values here, a use case in engine/intake/,
its words in locales/.

Parsing never raises. A text that is no command gives None, a command that we do not have gives an
`Unknown`, and one with wrong arguments a `Misuse`. Images are found by paste/, not here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bot.core.bad_image import BadImage
from bot.core.decision import Ground
from bot.core.ids import RequestId
from bot.core.image import ImageRef
from bot.core.nodes import NodeTool
from bot.core.pattern import corrected
from bot.core.policy import Role
from bot.core.version_range import VersionRange, parse_range
from bot.dialog.command_values import (
    Approve,
    BeginFollow,
    BeginWatch,
    Block,
    Cancel,
    Command,
    CommandName,
    Confirm,
    EndFollow,
    EndKeep,
    EndWatch,
    History,
    List,
    Lookup,
    Mirror,
    Misuse,
    Nodes,
    Notify,
    Outdated,
    Pause,
    Reject,
    Remove,
    Replied,
    Resume,
    Retry,
    Rollback,
    Simple,
    Status,
    Unblock,
    Unknown,
    Unused,
    Why,
)
from bot.paste import extract
from bot.paste.reference import read_image

Parsed = Command | BadImage | Misuse | Unknown
Parser = Callable[[str, str], Parsed]
"""Reads the arguments of one command. The second text is the host of the target registry."""

REASON_LIMIT: Final = 200
"""Characters of the reason of a rejection. The rest is cut off."""
FILTER_LIMIT: Final = 48
"""Bytes of a filter. The buttons of a list carry it, and some services let them hold little."""
# A Chinese argument may follow a command without a space. Apps recognise such a command too.
_COMMAND: Final = re.compile(
    r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]+))?(?:[\s,:\uff0c\uff1a]+(.*))?", re.DOTALL
)
_SWITCH: Final = {"": True, "on": True, "\u5f00": True, "off": False, "\u5173": False}
VERSION_KEY: Final = re.compile(r"[A-Za-z0-9_-]{8}", re.ASCII)
"""The key of a version of a card: see core/card_version.py."""
LATER_WORDS: Final = {"": None, "keep": Ground.KEPT, "floats": Ground.FLOATS}
"""What an approval says of later digests: that they need none, or that the tag is no version."""
_UNUSED: Final = frozenset({"unused", "\u672a\u4f7f\u7528"})
_CLUSTER: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,31})[^\S\n]*(?:\n|$)")
"""The name of a cluster stands alone in the first line."""
DEFAULT_CLUSTER: Final = "cluster"
_NUMBER: Final = re.compile(r"[#＃]?([0-9]{1,18})")


def _mirror(text: str, _target_host: str) -> Parsed:
    number = _NUMBER.fullmatch(text) if text.startswith(("#", "＃")) else None
    return Mirror(text) if number is None else Confirm(RequestId(int(number[1])))


def _of_anything(command: Callable[[RequestId | ImageRef | None], Command]) -> Parser:
    def parser(text: str, target_host: str) -> Parsed:
        if not text:
            return command(None)
        if number := _NUMBER.fullmatch(text):
            return command(RequestId(int(number[1])))
        return _of_image(command)(text, target_host)

    return parser


def _watch(text: str, target_host: str) -> Parsed:
    return _of_images(BeginWatch)(text, target_host) if text else BeginWatch()


def _follow(text: str, target_host: str) -> Parsed:
    return _with_range(BeginFollow)(text, target_host) if text else BeginFollow()


def _with_range(command: Callable[[ImageRef, VersionRange | None], Command]) -> Parser:
    """An image, and a range after a blank or a colon: nginx 1.27.x, nginx:^1.27."""

    def parser(text: str, target_host: str) -> Parsed:
        if not text:
            return Misuse()
        name, _, written = text.partition(" ")
        start = name.rfind("/") + 1
        bare, _, tag = name[start:].partition(":")
        image = read_image(name[:start] + bare, target_host=target_host)
        if isinstance(image, BadImage):
            return image
        said = f"{tag} {written}".strip()
        wanted = parse_range(said)
        return Misuse() if said and wanted is None else command(image, wanted)

    return parser


def _unkeep(text: str, target_host: str) -> Parsed:
    return _of_image(EndKeep)(text, target_host) if text else EndKeep(None)


def _approve(text: str, _target_host: str) -> Parsed:
    number, *more = [*text.split(), ""]
    found = _NUMBER.fullmatch(number)
    if found is None:
        return Misuse() if text else Replied(CommandName.APPROVE)
    match more[:-1]:
        case []:
            return Approve(RequestId(int(found[1])))
        case [key, *words] if VERSION_KEY.fullmatch(key) and " ".join(words) in LATER_WORDS:
            return Approve(RequestId(int(found[1])), key, LATER_WORDS[" ".join(words)])
        case _:
            return Approve(RequestId(int(found[1])), reason=_reason(text.partition(number)[2]))


def _reject(text: str, _target_host: str) -> Parsed:
    first, reason = [*text.split(None, 1), "", ""][:2]
    number = _NUMBER.fullmatch(first)
    if number is None:
        return Replied(CommandName.REJECT, _reason(text))
    key = [*reason.split(None, 1), ""][0]
    version = key if VERSION_KEY.fullmatch(key) else ""
    return Reject(RequestId(int(number[1])), _reason(reason), version)


def _pause(text: str, _target_host: str) -> Parsed:
    return Pause(_reason(text))


def _block(text: str, _target_host: str) -> Parsed:
    first, reason = [*text.split(None, 1), "", ""][:2]
    pattern = corrected(first)
    return Misuse() if pattern is None else Block(pattern, _reason(reason))


def _unblock(text: str, _target_host: str) -> Parsed:
    pattern = corrected(text)
    return Misuse() if pattern is None else Unblock(pattern)


def _notify(text: str, _target_host: str) -> Parsed:
    wanted = _SWITCH.get(text.lower())
    return Misuse() if wanted is None else Notify(wanted)


def _nodes(text: str, _target_host: str) -> Parsed:
    tool = text.lower() or NodeTool.CONTAINERD
    return Nodes(NodeTool(tool)) if tool in set(NodeTool) else Misuse()


def _reason(text: str) -> str:
    return " ".join(text.split())[:REASON_LIMIT]


def _of_image(command: Callable[[ImageRef], Command]) -> Parser:
    def parser(text: str, target_host: str) -> Parsed:
        if not text:
            return Misuse()
        read = read_image(text, target_host=target_host)
        return read if isinstance(read, BadImage) else command(read)

    return parser


def _of_images(
    command: Callable[[tuple[ImageRef, ...], tuple[BadImage, ...]], Command],
) -> Parser:
    """One image, or several as /mirror takes them."""

    def parser(text: str, target_host: str) -> Parsed:
        if not text:
            return Misuse()
        read = read_image(text, target_host=target_host)
        if not isinstance(read, BadImage):
            return command((read,), ())
        found = extract(text, target_host=target_host)
        return command(found.images, found.bad) if found.images else read

    return parser


def _of_request(name: CommandName, command: Callable[[RequestId], Command]) -> Parser:
    def parser(text: str, _target_host: str) -> Parsed:
        if not text:
            return Replied(name)
        number = _NUMBER.fullmatch(text)
        return Misuse() if number is None else command(RequestId(int(number[1])))

    return parser


def _of_filter(command: Callable[[str], Command]) -> Parser:
    def parser(text: str, _target_host: str) -> Parsed:
        text = " ".join(text.split())
        too_long = len(text.encode(errors="replace")) > FILTER_LIMIT
        return Misuse() if too_long else command(text)

    return parser


def _list(text: str, target_host: str) -> Parsed:
    first, rest = [*text.split(None, 1), "", ""][:2]
    if first.lower() not in _UNUSED:
        return _of_filter(List)(text, target_host)
    cluster = _CLUSTER.match(rest)
    name = cluster[1] if cluster else ""
    return Unused(name or DEFAULT_CLUSTER, rest[cluster.end() :].strip() if cluster else rest)


def _of_nothing(name: CommandName) -> Parser:
    return lambda _text, _target_host: Simple(name)


Audience = frozenset[Role]
ADMINS: Final[Audience] = frozenset({Role.ADMIN})
MEMBERS: Final[Audience] = ADMINS | {Role.MEMBER}
EVERYBODY: Final[Audience] = MEMBERS | {Role.GUEST}
"""Everybody whose identity is known, in a chat that is served."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSpec:
    """A row of the table. A command's texts are in locales/, under `command-<name>`.

    `audience` may use the command. `begins_work`: the answer comes later, so the message gets a
    reaction at once. A button for such a command counts against the commands per minute.
    """

    name: CommandName
    parser: Parser
    audience: Audience = MEMBERS
    begins_work: bool = False
    in_menu: bool = True


_ROWS: Final = (
    CommandSpec(name=CommandName.MIRROR, parser=_mirror, begins_work=True),
    CommandSpec(name=CommandName.STATUS, parser=_of_anything(Status)),
    CommandSpec(name=CommandName.LOOKUP, parser=_of_images(Lookup), begins_work=True),
    CommandSpec(name=CommandName.LIST, parser=_list, begins_work=True),
    CommandSpec(name=CommandName.OUTDATED, parser=_of_filter(Outdated), begins_work=True),
    CommandSpec(name=CommandName.WATCH, parser=_watch),
    CommandSpec(name=CommandName.UNWATCH, parser=_of_images(EndWatch)),
    CommandSpec(name=CommandName.FOLLOW, parser=_follow),
    CommandSpec(name=CommandName.UNFOLLOW, parser=_with_range(EndFollow)),
    CommandSpec(name=CommandName.WHY, parser=_of_image(Why)),
    CommandSpec(name=CommandName.ROLLBACK, parser=_of_image(Rollback), begins_work=True),
    CommandSpec(name=CommandName.REMOVE, parser=_of_image(Remove), begins_work=True),
    CommandSpec(name=CommandName.NODES, parser=_nodes, begins_work=True),
    CommandSpec(name=CommandName.CANCEL, parser=_of_request(CommandName.CANCEL, Cancel)),
    CommandSpec(
        name=CommandName.RETRY, parser=_of_request(CommandName.RETRY, Retry), begins_work=True
    ),
    CommandSpec(name=CommandName.APPROVE, parser=_approve, audience=ADMINS),
    CommandSpec(name=CommandName.REJECT, parser=_reject, audience=ADMINS),
    CommandSpec(name=CommandName.HISTORY, parser=_of_anything(History), audience=ADMINS),
    CommandSpec(name=CommandName.UNKEEP, parser=_unkeep, audience=ADMINS),
    CommandSpec(name=CommandName.NOTIFY, parser=_notify, audience=ADMINS),
    CommandSpec(name=CommandName.PAUSE, parser=_pause, audience=ADMINS),
    CommandSpec(name=CommandName.RESUME, parser=lambda _text, _host: Resume(), audience=ADMINS),
    CommandSpec(name=CommandName.BLOCK, parser=_block, audience=ADMINS),
    CommandSpec(name=CommandName.UNBLOCK, parser=_unblock, audience=ADMINS),
    CommandSpec(name=CommandName.RELOAD, parser=_of_nothing(CommandName.RELOAD), audience=ADMINS),
    CommandSpec(
        name=CommandName.WHOAMI, parser=_of_nothing(CommandName.WHOAMI), audience=EVERYBODY
    ),
    CommandSpec(name=CommandName.HELP, parser=_of_nothing(CommandName.HELP), audience=EVERYBODY),
    CommandSpec(
        name=CommandName.START,
        parser=_of_nothing(CommandName.START),
        audience=EVERYBODY,
        in_menu=False,
    ),
)
COMMANDS: Final[Mapping[CommandName, CommandSpec]] = {row.name: row for row in _ROWS}
"""Every command, in the order of menus and /help."""


@dataclass(frozen=True, slots=True)
class TypedCommand:
    """A command as it was typed: its name and its parsed arguments.

    An unknown one is answered like /help, by its rights.
    """

    name: CommandName
    parsed: Parsed


def parse(text: str, *, me: str, target_host: str) -> TypedCommand | None:
    """The command of a message, or None where it is none, or one for another bot.

    `me` is the bot's own name, without the at-sign. `target_host` is the registry that images are
    copied to: people paste names of it, too.
    """
    match = _COMMAND.fullmatch(text.strip())
    if match is None or (match[2] is not None and match[2].lower() != me.lower()):
        return None
    try:
        name = CommandName(match[1].lower())
    except ValueError:
        unknown = Unknown(match[1], addressed=match[2] is not None)
        return TypedCommand(CommandName.HELP, unknown)
    return TypedCommand(name, COMMANDS[name].parser((match[3] or "").strip(), target_host))


def menu_for(role: Role) -> list[CommandSpec]:
    """The commands that the menu and /help show to this role, in order."""
    return [spec for spec in COMMANDS.values() if spec.in_menu and role in spec.audience]
