"""Images in text that is no file: lists, chat, command lines, and the output of tools.

Each line is read as the first kind that matches. Other lines are a list or prose: plain_line.py.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Final

from bot.core.bad_image import Gap
from bot.core.image import has_host
from bot.paste import command_line, loose_file, structured
from bot.paste.correction import split_off_tag
from bot.paste.finding import FileKind, Flaw, Mention, ScanResult, has_tag, passed_over
from bot.paste.image_values import Look, look_of
from bot.paste.joined_lines import BREAK, joined
from bot.paste.official_images import OFFICIAL_IMAGES
from bot.paste.plain_line import FOREIGN, PlainLine, judged
from bot.paste.shell_variables import Variables
from bot.paste.tables import Table, is_rule, table_with_header
from bot.paste.tokens import TokenKind, known_host, tokens_of
from bot.paste.yaml_tree import ScalarNode, grown

FREE_TEXT_CHARACTERS: Final = 200_000
"""Characters of such a text that are read. Nobody types more."""
FREE_TEXT_LINES: Final = 20_000
_LINE_LIMIT: Final = 4_000
_TEMPLATE: Final = re.compile(r"\{\{[^{}\n]{0,400}\}\}")
_FILLED_IN: Final = re.compile(r"\s*(?:- )?[\"']?image[\"']?:\s.*\{\{")
_BULLET: Final = re.compile(
    r"\s*(?:[-*+•·>\u2013\u2014]+\s+|\[[ xX]\]\s+|\(?\d{1,3}[.)、）]\s+"
    r"|\d{1,3}、|\d{1,3}[.)](?=[a-z]))"
)
_NUMBER: Final = re.compile(r"[0-9]")
_NUMBER_WITHIN: Final = re.compile(r"(?<![^\s,，、;；])[0-9]{1,3}\.(?=[a-z])")
_BORDER: Final = re.compile(
    r"(?<=[\u3040-\u30ff\u3400-\u9fff])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?=[\u3040-\u30ff\u3400-\u9fff])"
)
_JOINT: Final = re.compile(
    r"(&&|\|\||[;|]|[,，、；。](?=\s*(?:docker|podman|nerdctl|crictl|ctr|kubectl)\s))"
)
_SPOKEN: Final = [[joint] for joint in ",，、；。"]
_LOG: Final = re.compile(
    r"[IWEF][0-9]{4} [0-9:.]+\s+[0-9]+ \S+\]|\s*Image ID:|\s*imageID:|.*\bSuccessfully assigned "
    r"|\s*[0-9a-f]{12}: (?:Pull|Already|Download|Verify|Extract|Wait|Layer)|\s*Digest: sha"
    r"|\s*Using default tag:"
)
_COLUMN: Final = re.compile(r"[ ]{2,}|\t")
_FIELD: Final = re.compile(r"[A-Z][A-Za-z /()-]{0,40}:")
_SHELL_WORDS: Final = frozenset(
    """
    echo printf tee grep awk sed sleep exit head tail test [ sh bash jq sort uniq cut tr wc less
    done fi true
    """.split()
)
_PUSHING: Final = frozenset(
    """
    push tag build rmi login logout commit manifest export helm make scp skopeo crane regctl oras
    mirror
    """.split()
)
"""Words of commands whose images are not pulled."""
_FEW_COLUMNS: Final = 3
_ERROR: Final = re.compile(
    r"\bnet/http: |\bdial tcp |\bi/o timeout|\bcontext deadline exceeded|\bTLS handshake|\bx509: "
    r"|\bconnection (?:refused|reset)|\bno such host|\btoomanyrequests: |\bunexpected EOF"
    r"|\brequest canceled|\brpc error: |\bError response from daemon: "
)
_SAID: Final = re.compile(
    r"\b[Ii]mage[:=]? {0,2}\\{0,3}[\"'“]([^\"'“”\\\s]{1,600})"
    r"|\breference \\{0,3}[\"'“]([^\"'“”\\\s]{1,600})"
    r"|\bmanifest for (\S{1,600}) not found"
    r"|\b(?:[Ii]mage is up to date|newer image|(?P<denied>pull access denied)|metadata)"
    r" for (?P<repository>[^\s,]{1,600})"
    r"|\bPulled (?:image )?([^\s\"]{1,600}[:@][^\s\"]{1,200})"
    r"|\b(?:source docker://|pull image |to pull )([^\s\"':@]{1,300}[:@][^\s\"']{1,300})"
)
_FETCHED: Final = re.compile(
    r"https?://([\w.-]{1,200}(?::[0-9]{1,5})?)/v2/([a-z0-9._/-]{1,300})/manifests/([\w.:-]{1,200})"
)
_PULLING: Final = re.compile(r"\s*([\w.-]{1,128}): Pulling from (\S{1,300})\s*")
_ENUMERATION: Final = re.compile(r"([^:\uff1a]*[\u3040-\u30ff\u3400-\u9fff])[:\uff1a](.*)")
_FENCE: Final = re.compile(r"\s*(?:```|~~~)[^`]*")
_COMMENT: Final = re.compile(r"(?<=\S)[ \t]+(?:#|//)(?=[\s\w]).*")
_COUNT: Final = re.compile(r"(?<![\w.])[0-9]{1,3} ?(?:\u4e2a|images?\b)")
_BUILT: Final = re.compile(
    r"\bbuild\b[^\n;&|]{0,300}?[ \t](?:-t|--tag)[ \t=][\"']?([^\s\"';&|]{1,300})"
)
_SET: Final = re.compile(r"(?<!\S)(\w{1,60})[ \t]{0,9}[:?]?=[ \t]{0,9}[\"']?([^\s\"']{1,300})")
_REMARK: Final = re.compile(r"^[ \t]*(?:#|//).*", re.MULTILINE)
_CHANGED: Final = re.compile(r"^[-+][ \t]", re.MULTILINE)
_BEGINS: Final = re.compile(r"\s*[^\s#/]")


def scan(text: str, *, is_file: bool = False) -> ScanResult:
    """The images that such a text names. Words of a file are never shown: it may hold passwords."""
    whole = joined(text[:FREE_TEXT_CHARACTERS], is_file=is_file)
    lines = whole.splitlines()
    rows = list(_rows(lines[:FREE_TEXT_LINES], Variables(whole), is_file=is_file))
    is_mixed = any(isinstance(row, PlainLine) and row.tokens and row.is_prose for row in rows)
    mentions: list[Mention] = []
    sure = len({mark[0][0] for mark in _CHANGED.finditer(whole)}) < len("-+")
    for row in rows:
        if isinstance(row, Mention):
            mentions.append(row)
        else:
            found, certain = judged(row, is_mixed=is_mixed)
            mentions += found
            sure = sure and certain
    hosts = {known_host(t.text) for row in rows if isinstance(row, PlainLine) for t in row.tokens}
    if len(hosts := hosts - {None}) == 1:  # the registry beside its images, as a question
        is_open = [m.gap is None and "://" not in m.text and not has_host(m.text) for m in mentions]
        host = "".join(filter(None, hosts))
        mentions = [
            replace(m, text=f"{host} {':'.join(m.text.split())}") if asked else m
            for m, asked in zip(mentions, is_open, strict=True)
        ]
    is_cut = len(text) > FREE_TEXT_CHARACTERS or len(lines) > FREE_TEXT_LINES
    flaw = Flaw.TOO_MANY if is_cut else None
    return ScanResult(FileKind.TEXT, tuple(_without_built(whole, mentions)), sure, flaw)


def of_other_file(text: str) -> Iterator[Mention]:
    """The images of a file that is no list: its keys about images, and its commands."""
    known = set[tuple[str, int]]()
    whole = joined(_REMARK.sub("", text[:FREE_TEXT_CHARACTERS]), is_file=True)
    rows = _rows(whole.splitlines()[:FREE_TEXT_LINES], Variables(whole), is_file=True)
    commands = (row for row in rows if isinstance(row, Mention))
    for mention in _without_built(whole, chain(loose_file.mentions(text), commands)):
        words = "" if mention.gap is Gap.PASSED_OVER else mention.text
        key = words, 0 if look_of(words) is Look.WHOLE else mention.line
        if mention.spans or key not in known:
            known.add(key)
            yield mention


def _without_built(text: str, mentions: Iterable[Mention]) -> Iterator[Mention]:
    """The mentions, with images as passed over that the text itself builds."""
    built = {found[1] for found in _BUILT.finditer(text)}
    names = {name.strip("${()}") for name in built if name.startswith("$")}
    built |= {found[2] for found in _SET.finditer(text) if found[1] in names}
    for m in mentions:
        words = "-" if m.line else m.text
        yield passed_over(words, line=m.line) if m.text in built else m


def possible_names(text: str) -> Iterator[str]:
    """The official images that sentences name, with their version where a line has just one."""
    for line in joined(text, is_file=False).replace(BREAK, "").splitlines():
        if _ERROR.search(line) or _LOG.match(line):
            continue
        tokens = [t for t in tokens_of(_BORDER.sub(" ", line)) if not command_line.is_tool(t.text)]
        bare = (token.text for token in tokens if token.kind is TokenKind.BARE)
        names = [name for name in bare if name in OFFICIAL_IMAGES]
        versions = [token.text for token in tokens if token.kind is TokenKind.VERSION]
        if not versions:
            yield from names
        elif len(names) == len(versions) == 1:
            yield f"{names[0]} {versions[0]}"


def _rows(
    lines: list[str], variables: Variables, *, is_file: bool = False
) -> Iterator[Mention | PlainLine]:
    """What each line is. `is_file`: plain lines get their number."""
    table: Table | None = None
    number = 1
    for line, below in zip(lines, [*lines[1:], ""], strict=False):
        rows, table = _read(line.replace(BREAK, ""), below, table, variables)
        for row in rows:
            if not is_file:
                yield row
            elif isinstance(row, PlainLine):
                yield replace(row, number=number)
            else:
                yield _of_file(row, number)
        number += 1 + line.count(BREAK)
    for text_set in variables.rest():
        yield PlainLine.with_images(text_set)


def _of_file(mention: Mention, number: int) -> Mention:
    """A mention of a file. One word of a command counts where it is surely an image."""
    look = look_of(mention.text.rstrip(".:"))
    is_word = look is Look.WORD and (mention.uncertain or mention.text not in OFFICIAL_IMAGES)
    is_odd = look is Look.NONE and split_off_tag(mention.text) is None
    if mention.gap is Gap.PASSED_OVER or (mention.gap is None and (is_word or is_odd)):
        return passed_over("-", line=number)
    return replace(mention, line=number)


def _read(
    line: str, below: str, table: Table | None, variables: Variables
) -> tuple[Iterator[Mention | PlainLine], Table | None]:
    """The rows of a line, and the table that it belongs to or begins."""
    if table is None and is_rule(below):
        table = table_with_header(line, is_piped=True)
        return iter(()) if table else _row(line, variables), table
    if is_rule(line):
        return iter(()), table
    if not line.strip() or _FENCE.fullmatch(line):
        return iter(()), None
    if len(line) > _LINE_LIMIT:
        return iter([PlainLine.of(line)]), table
    if header := table_with_header(line):
        return iter(()), header
    if table is not None and table.has(line):
        return table.mentions(line), table
    return _row(line.replace("`", " "), variables), None


def _row(line: str, variables: Variables) -> Iterator[Mention | PlainLine]:
    is_log = _LOG.match(line) is not None
    special = list(_said(line) if is_log else _special(line))
    if special or is_log:
        yield from special
    elif _is_output(line) or _ERROR.search(line):
        yield from _only_named(line)
    else:
        plain = _TEMPLATE.sub("$", line)
        comment = _COMMENT.search(plain) if _BEGINS.match(plain) else None
        if comment is not None and plain[: comment.start()].count('"') % 2 == 0:  # not in quotes
            plain = plain[: comment.start()]
        plain = _COUNT.sub(" ", plain)
        bullet = _BULLET.match(plain)
        plain = _BORDER.sub(" ", plain[len(bullet[0]) if bullet else 0 :])
        if bullet is not None and _NUMBER.search(bullet[0]):
            plain = _NUMBER_WITHIN.sub(" ", plain)
        yield from _commands(plain, variables)


def _is_output(line: str) -> bool:
    """Whether a line has columns, with numbers or headers in them: people do not write these."""
    cells = _COLUMN.split(line.strip())
    is_set = (len(cells) > 1 or line[:1] == " ") and _FIELD.fullmatch(cells[0])
    if len(cells) <= _FEW_COLUMNS and not is_set:
        return False
    names = {TokenKind.IMAGE, TokenKind.PATH, TokenKind.BARE, TokenKind.VERSION}
    is_list = line == line.lower() and all(token.kind in names for token in tokens_of(line))
    return not is_list and command_line.find_command(command_line.split_words(line)) is None


def _special(line: str) -> Iterator[Mention]:
    """The images of lines with a known form that are no commands."""
    if image := loose_file.of_image_line(line):
        yield image
    elif _FILLED_IN.match(line):
        yield passed_over(line.strip())
    elif found := _PULLING.fullmatch(line):
        yield Mention(f"{found[2]}:{found[1]}", uncertain=True)
    else:
        yield from _said(line)


def _said(line: str) -> Iterator[Mention]:
    """The image that a message of a tool is about."""
    if found := _SAID.search(line):
        text = found["repository"] or next(group for group in found.groups() if group)
        is_open = found["denied"] is not None and not has_tag(text)
        yield Mention(text.rstrip(":."), gap=Gap.NO_TAG if is_open else None, uncertain=True)
        yield from () if _LOG.match(line) else _only_named(line)
    elif found := _FETCHED.search(line):
        joint = "@" if found[3].startswith("sha256:") else ":"
        yield Mention(f"{found[1]}/{found[2]}{joint}{found[3]}", uncertain=True)


def _only_named(line: str) -> Iterator[Mention]:
    """The complete references of a tool's output, and names with their version, as a question."""
    tokens = deque(tokens_of(line))
    while tokens:
        token = tokens.popleft()
        if token.kind is TokenKind.IMAGE and "://" not in token.text:
            yield Mention(token.text, uncertain=True)
        elif tokens and tokens[0].kind is TokenKind.VERSION and token.text in OFFICIAL_IMAGES:
            yield Mention(f"{token.text} {tokens.popleft().text}")


def _commands(line: str, variables: Variables) -> Iterator[Mention | PlainLine]:
    """The images of the commands of a line, or the line itself where it has no command."""
    line, is_script = variables.learn(line)
    pieces = _JOINT.split(line)
    parts = [command_line.split_words(part) for part in pieces[::2]]
    starts = [command_line.find_command(words) if words else None for words in parts]
    if all(start is None for start in starts):
        listed = _ENUMERATION.fullmatch(line)  # a sentence before a colon, and a list after it
        is_listed = listed is not None and not FOREIGN.search(listed[2])
        for text in listed.groups() if listed and is_listed else (line,):
            yield PlainLine.with_images(text) if is_script else PlainLine.of(text)
        return
    is_fed = any("xargs" in words for words in parts)
    for number, (words, start) in enumerate(zip(parts, starts, strict=True)):
        begin = command_line.command_start(words)
        if start is not None:
            before = " ".join(words[begin:start])
            is_tool_before = begin < start and command_line.is_other_tool(words[begin])
            yield from [PlainLine.with_images(before)] if is_tool_before else _beside(before)
            yield from _command(words[start:], variables, is_said=start > begin)
        elif is_fed or not _SHELL_WORDS.intersection(words[begin : begin + 1]):
            text = pieces[2 * number]
            if is_fed:
                text = " ".join(word for word in words if word not in _SHELL_WORDS)
            is_said = is_fed or pieces[2 * number + 1 : 2 * number + 2] in _SPOKEN
            yield from [PlainLine.of(text)] if is_said else _beside(text)


def _beside(text: str) -> Iterator[Mention | PlainLine]:
    """Words beside a command: complete references, and what may be a name is passed over."""
    kinds = {TokenKind.BARE, TokenKind.PATH, TokenKind.VERSION, TokenKind.OTHER}
    yield PlainLine.with_images(text)
    yield from (passed_over(token.text) for token in tokens_of(text) if token.kind in kinds)


def _command(
    words: list[str], variables: Variables, *, is_said: bool
) -> Iterator[Mention | PlainLine]:
    """The images of a command. `is_said`: it stands within a sentence."""
    named = command_line.images_named_by(words)
    more = list(named.more)
    if not _PUSHING.intersection(words):
        yield from _unnamed(words, {*named.images, *more, *named.settings})
    yield from (
        passed_over(word) for word in more if word == "pull" and named.images
    )  # of another command
    is_all = "pull" in words and not {"-a", "--all-tags"}.isdisjoint(words)
    for text in named.images:
        for image in variables.texts(text):
            for mention in _named(image, more, is_said=is_said):
                gap = Gap.NO_TAG if is_all else mention.gap
                yield replace(mention, gap=gap, is_chart=named.are_charts)
    rest = " ".join(more)
    yield PlainLine.of(rest) if "pull" in words else PlainLine.with_images(rest)
    settings = (setting.partition("=") for setting in named.settings)
    values = ((key, ScalarNode(value)) for key, _, value in settings)
    yield from structured.mentions("", [grown(values)], within=of_other_file)


def _unnamed(words: list[str], named: set[str]) -> Iterator[Mention]:
    """The images in the words of a command that it does not name by a known rule."""
    is_sure = "pull" in words or not named
    for token in tokens_of(" ".join(word for word in words if word not in named)):
        is_image = token.kind is TokenKind.IMAGE and not any(token.text in one for one in named)
        if is_image and (is_sure or look_of(token.text) is Look.WHOLE):
            yield passed_over(token.text)


def _named(text: str, more: list[str], *, is_said: bool) -> Iterator[Mention]:
    """The image of one word of a command, with the version that follows as another word."""
    if text.startswith("oci://"):
        yield Mention(text.removeprefix("oci://"), gap=Gap.CHART_VERSION)
        return
    tokens = list(tokens_of(text))
    if not tokens or text.startswith("<") or tokens[0].kind is TokenKind.VERSION:
        return
    if "$" in text:
        yield Mention(text, gap=Gap.VARIABLE)
        return
    image = tokens[0].text
    following = next(tokens_of(more[0]), None) if more else None
    if following and following.kind is TokenKind.VERSION and not has_tag(image):
        image += f" {more.pop(0)}"
    is_odd = tokens[0].kind not in {TokenKind.IMAGE, TokenKind.PATH} and not split_off_tag(image)
    if is_said and tokens[0].kind in {TokenKind.WORD, TokenKind.THING}:
        return
    if is_said and is_odd and " " not in image and image not in OFFICIAL_IMAGES:
        yield passed_over(image)
        return
    yield Mention(image, uncertain=is_said and is_odd)
    nameable = {TokenKind.IMAGE, TokenKind.PATH, TokenKind.BARE}
    yield from (Mention(t.text, uncertain=True) for t in tokens[1:] if t.kind in nameable)
