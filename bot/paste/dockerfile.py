"""The images that a Dockerfile starts from or copies from, and where it names them.

Follows https://docs.docker.com/reference/dockerfile/ as far as it concerns images: defaults of
ARGs before the first FROM, stages, continued lines, the escape directive. Here-documents are those
of BuildKit: https://github.com/moby/buildkit/blob/master/frontend/dockerfile/parser/parser.go. The
builder pulls the image in `# syntax=` as well.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from bot.core.bad_image import Gap
from bot.paste.finding import MENTION_LENGTH_LIMIT, Mention, Span
from bot.paste.interpolation import expand

_NAME: Final = re.compile(r"(?:.*[./])?(?:Dockerfile|Containerfile)(?:[.-].*)?", re.IGNORECASE)
_WORD: Final = re.compile(r"\S+")
_DIRECTIVE: Final = re.compile(r"#\s*([a-z]+)\s*=\s*(\S+)\s*", re.IGNORECASE)
_SHELL_WORD: Final = re.compile(r"""(?:[^\s"']|"[^"]*"|'[^']*'|["'])+""")
_HEREDOC: Final = re.compile(r"[0-9]*<<(-?)([\"']?)([^<\"'\s]+)\2")
_SYNTAX: Final = re.compile(
    r"(?:#[^\n=]{0,99}=[^\n]*\n){0,3}#[ \t]*syntax[ \t]*=[ \t]*(\S{1,1024})", re.IGNORECASE
)
_VARIABLE: Final = re.compile(r"\$(?:\{[^}]*\}|[A-Za-z_][A-Za-z0-9_]*)")
_FLAGS: Final = re.compile(r"--from=(?P<copy>.+)|--mount=(?:.*,)?from=(?P<run>[^,]+).*")
_INSTRUCTIONS: Final = frozenset(
    """
    FROM ARG RUN CMD LABEL EXPOSE ENV ADD COPY ENTRYPOINT VOLUME USER WORKDIR ONBUILD STOPSIGNAL
    HEALTHCHECK SHELL MAINTAINER
    """.split()
)
_FROM_AS: Final = 3  # image, AS, stage


@dataclass(frozen=True, slots=True)
class InstructionWord:
    """A word of an instruction. `start` is its position in the file."""

    text: str
    start: int

    def place(self, part: str) -> Span:
        """Where a part of this word is in the file. The last occurrence counts."""
        start = self.start + self.text.rindex(part)
        return Span(start, start + len(part))


Instruction = list[InstructionWord]


def is_name(name: str) -> bool:
    """Whether a file has a name of a Dockerfile."""
    return _NAME.fullmatch(name) is not None and not name.lower().endswith((".yaml", ".yml"))


def looks_like(text: str) -> bool:
    """Whether a text is a Dockerfile: only instructions, with an ARG or a FROM first."""
    found = False
    for instruction in instructions(text):
        verb, *words = [word.text for word in instruction]
        given = [word.upper() for word in words if not word.startswith("--")]
        is_from = len(given) == 1 or (len(given) == _FROM_AS and given[1] == "AS")
        if verb not in _INSTRUCTIONS or not (found or verb in {"ARG", "FROM"}):
            return False
        if verb == "FROM" and not is_from:
            return False
        found = True
    return found


def mentions(text: str, contexts: Iterable[str] = ()) -> Iterator[Mention]:
    """All images that the instructions name, in their order.

    `contexts` are names that the build gives to other sources, so they are no images.
    """
    known: dict[str, str] = {}
    stages = {name.lower() for name in contexts}
    started = False
    if syntax := _SYNTAX.match(text):
        yield Mention(syntax[1], (Span(syntax.start(1), syntax.end(1)),))
    for instruction in instructions(text):
        is_later = instruction[0].text.upper() == "ONBUILD" and len(instruction) > 1
        name, *words = instruction[is_later:]
        match name.text.upper():
            case "ARG" if not started:
                _learn(known, words)
            case "FROM":
                started = True
                yield from _base(words, known, stages)
            case "COPY" | "RUN" as verb:
                for flag in takewhile(lambda word: word.text.startswith("--"), words):
                    found = _FLAGS.fullmatch(flag.text)
                    if found and (source := found[verb.lower()]):
                        word = InstructionWord(source, flag.start + found.start(verb.lower()))
                        yield from _named(word, source, known, stages)


def _learn(known: dict[str, str], words: Instruction) -> None:
    """Store the defaults of an ARG, which may contain earlier ones."""
    for word in words:
        name, equals, value = word.text.partition("=")
        default = expand(value.strip("\"'")[:MENTION_LENGTH_LIMIT], known) if equals else None
        if default is not None:
            known[name] = default[:MENTION_LENGTH_LIMIT]


def _base(words: Instruction, known: dict[str, str], stages: set[str]) -> Iterator[Mention]:
    given = [word for word in words if not word.text.startswith("--")]
    if not given:
        return
    yield from _named(given[0], given[0].text.strip("\"'"), known, stages)
    if len(given) >= _FROM_AS and given[1].text.upper() == "AS":
        stages.add(given[2].text.lower())


def _named(
    word: InstructionWord, text: str, known: dict[str, str], stages: set[str]
) -> Iterator[Mention]:
    if not text or len(text) > MENTION_LENGTH_LIMIT or text.isdecimal():
        return
    if text.lower() in stages or text == "scratch":
        return
    image = (expand(text, known) or "").replace('"', "").replace("'", "")
    place = word.place(text)
    if not image and _is_stage(text, stages):
        return
    if not image:
        yield Mention(text, (place,), Gap.VARIABLE)
    elif len(image) <= MENTION_LENGTH_LIMIT and image.lower() not in stages and image != "scratch":
        yield Mention(image, (place,))


def _is_stage(text: str, stages: set[str]) -> bool:
    """Whether a name with a variable, such as `pick-$TARGETOS`, can only be one of the stages."""
    fixed = _VARIABLE.split(text.lower())
    if not any(fixed) or "/" in text or ":" in _VARIABLE.sub("", text):
        return False
    pattern = re.compile(".+".join(map(re.escape, fixed)))
    return any(pattern.fullmatch(stage) for stage in stages)


def instructions(text: str) -> Iterator[Instruction]:
    """The words of each instruction, with their positions in the text.

    Physical lines are joined, and comments and the lines of here-documents are left out.
    """
    heredocs = deque[tuple[str, str]]()  # `-` or nothing, and the word that ends each
    words: Instruction = []
    start, escape, has_directives = 0, "\\", True
    for line in text.splitlines(keepends=True):
        begin, start = start, start + len(line)
        if heredocs and not words:
            dash, end = heredocs[0]
            if (line.lstrip("\t") if dash else line).rstrip("\r\n") == end:
                heredocs.popleft()
            continue
        bare, body = line.strip(), line.rstrip()
        directive = _DIRECTIVE.fullmatch(bare) if has_directives else None
        has_directives = directive is not None
        if directive and directive[1].lower() == "escape" and directive[2] in {"\\", "`"}:
            escape = directive[2]
        if not bare or bare.startswith("#"):
            continue
        found = _WORD.finditer(body.removesuffix(escape))
        words += [InstructionWord(word[0], begin + word.start()) for word in found]
        if words and not body.endswith(escape):
            yield words
            heredocs.extend(_heredocs(words))
            words = []
    if words:
        yield words


def _heredocs(words: Instruction) -> Iterator[tuple[str, str]]:
    if words[0].text.upper() in {"RUN", "COPY", "ADD"}:
        line = " ".join(word.text for word in words[1:])
        found = (_HEREDOC.fullmatch(word) for word in _SHELL_WORD.findall(line))
        yield from ((match[1], match[3]) for match in found if match)
