"""One line of a message that is neither a command nor the output of a tool: a list, or prose.

In a list every name is an image, in prose only a word that cannot be anything else. Each word is an
image, known not to be one, or passed over, so nothing is dropped without a word.
"""

import re
from collections import deque
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile
from typing import Final, Self

from bot.core.image import ImageRef
from bot.paste.command_line import is_tool
from bot.paste.correction import split_off_tag
from bot.paste.finding import Mention, has_tag, passed_over
from bot.paste.official_images import OFFICIAL_IMAGES
from bot.paste.tokens import LABELS, Token, TokenKind, is_doubtful, tokens_of
from bot.paste.web_addresses import image_on_page

FOREIGN: Final = re.compile(r"(?![\uff21-\uff3a\uff41-\uff5a])[^\W\d_a-zA-Z]")
_CODE: Final = re.compile(r"[][{}<>$^=]|[\"'\u201d] ?[:\uff1a]")
_DOUBT: Final = re.compile(
    r"(?i)\b(?:not|instead|except|without|rather|from|x?or)\b|不要|不是|除了|旧|替换|换成|改成|或|升级到?"
    r"|[-=]>|[\u2190-\u21ff\u27f0-\u27ff\u2794-\u27be❌✗✘🚫]"
)
"""Words and arrows that say that an image in the line is not meant, or only one of several."""
_MORE: Final = re.compile(r"[,，、/&和]|and")
_CUT: Final = re.compile(r"[^:/]+/[^:/]+(?:/[^:/]+)*/")
_VERSION_LABELS: Final = frozenset({"tag", "tags", "version", "\u7248\u672c", "\u6807\u7b7e"})
_COMMA: Final = re.compile(r"[,，、;；|]")


@dataclass(frozen=True)
class PlainLine:
    """A line that is neither a command nor the output of a tool."""

    text: str
    tokens: tuple[Token, ...]
    number: int = 0  # of a line of a file, 0 for one of a message

    @classmethod
    def of(cls, text: str) -> Self:
        """A text with all of its words."""
        return cls(text, tuple(tokens_of(text)))

    @classmethod
    def with_images(cls, text: str) -> Self:
        """Text beside commands. It is no list, so only complete references in it are images."""
        return cls(text, tuple(t for t in tokens_of(text) if t.kind is TokenKind.IMAGE))

    @cached_property
    def is_prose(self) -> bool:
        plain = {TokenKind.IMAGE, TokenKind.PATH, TokenKind.BARE, TokenKind.VERSION}
        odd = any(token.kind not in plain and not _is_open(token) for token in self.tokens)
        is_beside = self.text.lstrip().startswith(("|", "#"))  # a row of a table, a comment
        edges = [0, *(edge for t in self.tokens for edge in (t.start, t.end)), len(self.text)]
        between = (self.text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True))
        is_code = _CODE.search(" ".join(between)) is not None
        return odd or is_beside or is_code or FOREIGN.search(self.text) is not None

    @cached_property
    def has_whole(self) -> bool:
        """Whether an image with a tag or a registry stands in the line."""
        return any(token.kind is TokenKind.IMAGE for token in self.tokens)

    @cached_property
    def has_commas(self) -> bool:
        return _COMMA.search(self.text) is not None


def judged(line: PlainLine, *, is_mixed: bool) -> tuple[list[Mention], bool]:
    """The images of a line, and what was passed over. False where a word may be an image, too."""
    reader = _LineReader(line, is_mixed=is_mixed)
    reader.read()
    if reader.passed:
        words = "-" if line.number else " ".join(reader.passed)
        reader.found.append(passed_over(words, line=line.number))
    return reader.found, reader.sure


@dataclass(slots=True)
class _LineReader:
    """Reads the words of one line. Each is an image, known not to be one, or passed over."""

    line: PlainLine
    is_mixed: bool
    found: list[Mention] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    sure: bool = True

    def read(self) -> None:
        if self.line.text.lstrip().startswith("#"):  # a comment, or a list that was shut off
            self.passed += [t.text for t in self.line.tokens if t.kind is TokenKind.IMAGE]
            return
        line, tokens = self.line, self._without_targets()
        is_named = any(t.kind in {TokenKind.IMAGE, TokenKind.BARE} for t in line.tokens)
        self.sure = not (is_named and _DOUBT.search(line.text))
        while tokens:
            token = tokens.popleft()
            if _CUT.fullmatch(token.text) and tokens:  # a blank cuts the name
                self.passed += [token.text, tokens.popleft().text]
            elif joined := _with_version(line, token, tokens):
                self.found.append(Mention(joined))
            elif line.number and is_doubtful(token.text):
                self.passed.append(token.text)
            elif token.kind is TokenKind.IMAGE or _is_versioned(token, line.text):
                self.found.append(Mention(token.text, uncertain=line.is_prose))
                self.sure = self.sure and not is_doubtful(token.text)
                self._more_tags(token, tokens)
            elif token.kind in {TokenKind.PATH, TokenKind.BARE} and self._is_meant(token):
                self.found.append(Mention(token.text, uncertain=line.is_prose))
            elif token.kind not in {TokenKind.WORD, TokenKind.THING}:
                self.passed.append(token.text)
        self._join_the_rest()

    def _without_targets(self) -> deque[Token]:
        """The words, without images that have the name and the tag of one before: its copies."""
        kept, known = deque[Token](), dict[str, ImageRef | None]()
        for token in self.line.tokens:
            name = token.text.rpartition("/")[2]
            image = ImageRef.parse_or_none(token.text) if has_tag(name) else None
            if image is not None and known.setdefault(name, image) != image:
                self.passed.append(token.text)
            else:
                kept.append(token)
        return kept

    def _join_the_rest(self) -> None:
        """`version 3.1.1 of grafana/loki`: the only version belongs to the only name."""
        named = [image_on_page(mention.text) or mention.text for mention in self.found]
        bare = [n for n, text in enumerate(named) if "://" not in text and not has_tag(text)]
        versions = [t.text for t in self.line.tokens if t.kind is TokenKind.VERSION]
        if len(bare) == len(versions) == 1 and versions[0] in self.passed:
            self.passed.remove(versions[0])
            self.found[bare[0]] = Mention(f"{named[bare[0]]} {versions[0]}")

    def _more_tags(self, token: Token, tokens: deque[Token]) -> None:
        """`nginx:1.27,1.28` names two images. `nginx:1.27 and 1.28` most likely does."""
        name, _, tag = token.text.rpartition(":")
        end = token.end
        while name and "/" not in tag and (more := _next_tag(self.line.text, end, tokens)):
            end = more.end
            # `1,27` may be meant as 1.27.
            is_list = self.line.text[more.start - 1] == "," and "." in f"{tag}{more.text}"
            self.sure = self.sure and is_list
            self.found.append(Mention(f"{name}:{more.text}"))

    def _is_meant(self, token: Token) -> bool:
        """Whether a name without a tag is an image. Beside one in full it may be a remark."""
        line, is_lower = self.line, token.text == token.text.lower()
        if token.kind is TokenKind.PATH:
            taken = is_lower or not line.is_prose
            doubtful = line.is_prose or (line.has_whole and not line.has_commas)
        else:
            is_alone = len(line.tokens) == 1
            is_list = not self.is_mixed or is_alone or line.has_commas
            is_known = bool(split_off_tag(token.text)) or token.text.lower() in OFFICIAL_IMAGES
            is_known = (is_alone and not line.number) or (is_known and not is_tool(token.text))
            taken = not line.is_prose and is_list and is_known and (is_lower or not self.is_mixed)
            is_beside = line.has_commas and _is_beside(line, token)
            doubtful = self.is_mixed or line.has_whole or is_beside
        self.sure = self.sure and taken and not doubtful
        return taken


def _with_version(line: PlainLine, token: Token, tokens: deque[Token]) -> str | None:
    """`nginx 1.27` as one text, with the version taken from the tokens. Else None."""
    if not tokens or not _lacks_tag(token):
        return None
    words = (token.text.lower().rstrip(":\uff1a") for token in tokens)
    labels = sum(1 for _ in takewhile(_VERSION_LABELS.__contains__, words))
    if 0 < labels < len(tokens) and tokens[labels].kind in {TokenKind.VERSION, TokenKind.BARE}:
        return f"{token.text} {[tokens.popleft() for _ in range(labels + 1)][-1].text}"
    following = tokens[0]
    gap = line.text[token.end : following.start]
    between = re.sub("版本号?|标签", "", gap.replace("\uff0c", ","))
    is_path = token.kind is not TokenKind.BARE
    is_capital = _is_open(token) and token.text != token.text.lower()
    # In a list, a version may follow a comma. In a sentence, the comma may only separate words.
    is_listed = between == "," or (between == ", " and (not line.is_prose or is_path))
    is_joined = is_listed or not between.strip(" \t:\uff1a(\uff08[")
    is_sure = not line.is_prose or re.search(r"\.[0-9]|^v[0-9]|^latest", following.text)
    if following.kind is not TokenKind.VERSION or is_capital or not (is_joined and is_sure):
        return None
    tokens.popleft()
    is_apart = not set(gap) <= set(" \t:：")
    return f"{token.text} {following.text}" if is_apart else line.text[token.start : following.end]


def _next_tag(line: str, end: int, tokens: deque[Token]) -> Token | None:
    """The version after an image that ends at `end`, taken from the tokens, or None."""
    skip = int(len(tokens) > 1 and tokens[0].text == "and")
    if len(tokens) <= skip or tokens[skip].kind is not TokenKind.VERSION:
        return None
    between = line[end : tokens[skip].start]
    if between != "," and not (_MORE.fullmatch(between.strip()) and "." in tokens[skip].text):
        return None
    return [tokens.popleft() for _ in range(skip + 1)][-1]


def _is_beside(line: PlainLine, token: Token) -> bool:
    """Whether another word stands right beside a name in a line with commas: `redis alpine`."""
    before, after = line.text[: token.start].rstrip(" "), line.text[token.end :].lstrip(" ")
    return before[-1:].isalnum() or after[:1].isalnum()


def _lacks_tag(token: Token) -> bool:
    """Whether a version after a token can be its tag."""
    if token.kind is TokenKind.IMAGE:
        return not has_tag(image_on_page(token.text) or token.text.rstrip(":\uff1a"))
    return token.kind in {TokenKind.BARE, TokenKind.PATH} or _is_open(token)


def _is_versioned(token: Token, line: str) -> bool:
    """`mysql8.0.36` in a sentence. `python3.12` may be the language, so it counts less."""
    split = split_off_tag(token.text) if token.kind is TokenKind.BARE else None
    return split is not None and (split.count(".") > 1 or FOREIGN.search(line) is not None)


def _is_open(token: Token) -> bool:
    """Whether a token is like `nginx:` before a version, with a blank after the colon."""
    name = token.text.rstrip(":\uff1a")
    return name != token.text and token.kind is TokenKind.WORD and name.lower() not in LABELS
