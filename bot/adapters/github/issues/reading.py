"""What the text of an issue or a comment says to the bot. Pure, and it never raises.

Only what its author says here and now counts. So quotes, HTML comments, the rest of an e-mail reply
and everything within a code block or `<details>` name no command. It is read line by line like
CommonMark (https://spec.commonmark.org), and where in doubt a line says nothing.

A text begins with `/command`, or has the headings of the form that `setup` installs. A fence after
/mirror is a file. The grammar of commands is in dialog/commands.py.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import takewhile
from types import MappingProxyType
from typing import Final

from bot.dialog.command_values import CommandName

BODY_LIMIT: Final = 65_536
"""Characters of a body that are read. GitHub takes no more."""
_COMMAND: Final = re.compile(r"/([A-Za-z0-9_]{1,32})(?=$|[@\s,:\uff0c\uff1a])", re.ASCII)
_READ_WHOLE: Final = frozenset(
    {CommandName.MIRROR, CommandName.LOOKUP, CommandName.WATCH, CommandName.UNWATCH}
)
"""Commands that images may follow on further lines. All others end with their line."""
_FENCE: Final = re.compile(r" {0,3}(?:(`{3,})([^`]*)|(~{3,})(.*))")
_QUOTE: Final = re.compile(r" {0,3}>")
_TAG: Final = re.compile(
    r"<(/?)(details)\b[^>]*>|<summary\b[^>]*>.*?(?:</summary>|$)", re.IGNORECASE
)
_LINE_START: Final = re.compile(r" {0,3}\S")
"""More blanks, or a tab, make a code block of a line."""
_ADDRESSED: Final = re.compile(r" {0,3}@([A-Za-z0-9-]+)[ \t,:\uff0c\uff1a]+(\S.*)", re.ASCII)
_WRAPPED: Final = re.compile(r"^(On\b.{0,200})\n(.{0,200}\bwrote:[ \t]*)$", re.MULTILINE)
_HEADING: Final = re.compile(r" {0,3}#{1,6}[ \t]+(.*?)[ \t#]*")
_EMPTY_FIELD: Final = "_No response_"
"""What GitHub writes for a field of a form that was left empty."""
_ATTRIBUTION: Final = re.compile(
    r"(?:On\b.{0,200}\bwrote|Le\b.{0,200}\ba \u00e9crit|Am\b.{0,200}\bschrieb.{0,80}"
    r"|.{0,200}\d{4}\D.{0,200}\u5199\u9053)\s?[:\uff1a]"
)
"""The line above what a mail program quotes, such as "On Tue, Dec 1, 2026 Wei wrote:"."""
_MAIL_END: Final = re.compile(
    r"--\s?|_{10,}|\s*-{3,}\s?(?:Original Message|Forwarded message|\u539f\u59cb\u90ae\u4ef6"
    r"|\u8f6c\u53d1\u7684\u90ae\u4ef6|\u8f6c\u53d1\u90ae\u4ef6\u4fe1\u606f)\s?-{3,}\s*"
    r"|\u2014?\s*Reply to this email directly\b.*"
    r"|\*{0,2}(?:From|Sent|\u53d1\u4ef6\u4eba|\u53d1\u9001\u65f6\u95f4)\*{0,2}\s?[:\uff1a].*"
    r"|(?:Sent from|Get Outlook for|\u53d1\u81ea\u6211\u7684|\u6765\u81ea\u6211\u7684).*",
    re.IGNORECASE,
)
"""Where the rest of a mail is no longer what its author says: a signature, or older mails."""
_LINE_FILE: Final = frozenset({"", "text", "txt", "list", "console", "sh", "shell", "bash"})
"""Languages of a fence whose content is read as if it stood in the message."""
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_ENDINGS: Final = {"dockerfile": "Dockerfile", "docker": "Dockerfile", "yml": "file.yml"}


@dataclass(frozen=True, slots=True)
class Fence:
    """A code block: the first words after its marks, and its lines."""

    info: str
    text: str

    @property
    def is_file(self) -> bool:
        return self.info.split(" ")[0].lower() not in _LINE_FILE or "." in self.info

    @property
    def name(self) -> str:
        """A name for the file. Its kind is told by its content, the name is a hint."""
        words = [*_NAME.findall(self.info)]
        named = next((word for word in words if "." in word.strip(".")), "")
        kind = words[0].lower() if words else "txt"
        return named or _ENDINGS.get(kind, f"file.{kind}")

    @property
    def key(self) -> str:
        """What tells it from another text that stands there later."""
        return sha256(self.text.encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Said:
    """A command as it is typed, and the files that belong to it."""

    text: str
    files: tuple[Fence, ...] = ()


def said_in(body: str, *, me: str, form: Mapping[str, bool] = MappingProxyType({})) -> Said | None:
    """What a body asks for. None where it says nothing to the bot.

    `me` is the bot's login: "@me /mirror" is a command too. `form` are the headings of the form in
    every language, and whether the field below is a file. Only an issue may fill it in.
    """
    text = body[:BODY_LIMIT].replace("\r\n", "\n").replace("\r", "\n")
    own = list(_own_parts(_WRAPPED.sub(r"\1 \2", text)))
    while own and isinstance(own[0], str) and not own[0].strip():
        own.pop(0)
    if not own or not isinstance(first := own[0], str):
        return None
    heading = _HEADING.fullmatch(first)
    if heading is not None:
        return _filled(own, form) if heading[1] in form else None
    named = _ADDRESSED.match(first)
    if named is not None and named[1].lower() == me.lower():
        first = named[2]
    if not _LINE_START.match(first) or (command := _COMMAND.match(first.strip())) is None:
        return None
    own[0] = line = first.strip()
    name = command[1].lower()
    if name in _READ_WHOLE or any(_is_command(part) for part in own[1:]):
        return Said(_text_of(own), _files_in(own) if name == CommandName.MIRROR else ())
    return Said(line)


def _is_command(part: str | Fence) -> bool:
    """Whether a further line is a command: then the text is not one command, and is refused."""
    found = _COMMAND.match(part) if isinstance(part, str) else None
    return found is not None and found[1].lower() in set(CommandName)


def _text_of(own: Sequence[str | Fence]) -> str:
    """Everything as it is read after a command. Files are left out."""
    shown = (part for part in own if not (isinstance(part, Fence) and part.is_file))
    texts = (part if isinstance(part, str) else part.text for part in shown)
    return "\n".join(texts).strip()


def _files_in(own: Sequence[str | Fence]) -> tuple[Fence, ...]:
    return tuple(part for part in own if isinstance(part, Fence) and part.is_file)


def _filled(own: Sequence[str | Fence], form: Mapping[str, bool]) -> Said:
    """The fields of the form, as one /mirror."""
    kept: list[str | Fence] = ["/mirror"]
    heading = ""
    for part in own:
        head = _HEADING.fullmatch(part) if isinstance(part, str) else None
        if head is not None:
            heading = head[1]
        elif heading not in form or part == _EMPTY_FIELD:
            continue
        elif isinstance(part, Fence) and form[heading]:
            kept += [replace(part, info="file.txt")] if part.text.strip() else []
        else:
            kept.append(part)
    return Said(_text_of(kept), _files_in(kept))


def _own_parts(body: str) -> Iterator[str | Fence]:
    """The author's own lines and code blocks. Lines within `<details>` are indented."""
    lines = iter(_without_comments(body))
    depth, quoting = 0, False
    for line in lines:
        if (fence := _FENCE.fullmatch(line)) is not None:
            quoting = False
            yield _fence_of(fence, lines)
            continue
        # A line below a quote still belongs to it.
        quoting = _QUOTE.match(line) is not None or (quoting and bool(line.strip()))
        if quoting:
            continue
        if _ATTRIBUTION.fullmatch(line.strip()) and _quote_follows(lines):
            quoting = True
            continue
        if _ATTRIBUTION.fullmatch(line.strip()) or _MAIL_END.fullmatch(line):
            return
        shown = _TAG.sub("", line)
        depth = max(0, depth + sum(1 - 2 * bool(t[1]) for t in _TAG.finditer(line) if t[2]))
        yield line if depth == 0 and shown == line else f"\t{shown.strip()}"


def _quote_follows(lines: Iterator[str]) -> bool:
    """Pass over the blank lines below an attribution. Whether a quote follows them."""
    following = next((line for line in lines if line.strip()), "")
    return _QUOTE.match(following) is not None


def _closing(opened: re.Match[str]) -> re.Pattern[str]:
    """The line that ends the code block that a line opens."""
    marks = opened[1] or opened[3]
    return re.compile(rf" {{0,3}}{re.escape(marks[0])}{{{len(marks)},}}[ \t]*")


def _fence_of(opened: re.Match[str], lines: Iterator[str]) -> Fence:
    """The code block that a line opens. Without an end it goes on to the end of the text."""
    closing = _closing(opened)
    content = [*takewhile(lambda line: not closing.fullmatch(line), lines)]
    return Fence(" ".join((opened[2] or opened[4] or "").split()), "\n".join(content))


def _without_comments(body: str) -> Iterator[str]:
    """The lines without HTML comments. One that is not closed hides everything that follows.

    Within a code block the marks of a comment are text.
    """
    closing: re.Pattern[str] | None = None
    hidden = False
    for line in body.split("\n"):
        fence = None if hidden else _FENCE.fullmatch(line)
        if closing is not None:
            closing = None if closing.fullmatch(line) else closing
            yield line
        elif fence is not None:
            closing = _closing(fence)
            yield line
        else:
            shown, hidden = _uncommented(line, hidden=hidden)
            if shown is not None:
                yield shown


def _uncommented(line: str, *, hidden: bool) -> tuple[str | None, bool]:
    """The line without comments, or None where all of it is one. Then whether one goes on."""
    shown, touched = "", hidden
    while True:
        if hidden:
            _, end, line = line.partition("-->")
            if not end:
                break
        before, begin, line = line.partition("<!--")
        shown += before
        hidden = bool(begin)
        touched = touched or hidden
        if not begin:
            break
    return (None if touched and not shown.strip() else shown), hidden
