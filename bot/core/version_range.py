"""Ranges of versions, and the newest tag of a list that one covers.

    range    = comparator *( blank comparator ) | glob
    compared = [ "^" | "~" | ">=" | ">" | "<=" | "<" | "=" ] [ "v" ] numbers [ variant ]
    glob     = a tag in which each "*" stands for numbers: noble-*, 1.27.*-debian-12-r*

`^`, `~` and `x` mean what they mean to npm. Without an operator `^` is meant, as in Cargo. A tag is
no semantic version: it has two or four numbers or a date, zeros in front, a `v` or none, and what
follows a dash is a variant of the image and not a pre-release. Libraries for semver or PEP 440
(python-semver, packaging, univers) refuse such tags or order them wrongly, so none is used here.

A range covers one variant alone, and a pre-release only if it names one. Where the tags do not say
surely which is the newest, the answer is None: numbers of several schemes, a line without its
version, a later version that only exists in a form that is not understood. Pure, and the list of
tags is untrusted, so no work on it is more than a few passes.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Final

Numbers = tuple[int, ...]

LONGEST_RANGE: Final = 64
_MOST_COMPARATORS: Final = 3
_MOST_STARS: Final = 6
_BIG: Final = 100_000
"""A number from here on is a date or the number of a build."""
_YEARS: Final = range(1990, 2100)

_DASHED_DATE: Final = r"(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9](?![0-9])"
_NUMBERS: Final = rf"([vV]?)({_DASHED_DATE}|[0-9]{{1,20}}(?:[._][0-9]{{1,20}})*)"
_TAG: Final = re.compile(_NUMBERS + "(.*)", re.ASCII)
_PRE: Final = re.compile(
    r"[-._]?(alpha|beta|rc|cr|milestone|preview|pre|dev|snapshot|nightly|canary|ea|next"
    r"|(?<=[-._])m|(?<![-._])[ab](?=[0-9]))[-.]?([0-9]{1,18}(?:\.[0-9]{1,18})*)?(?![A-Za-z0-9])",
    re.IGNORECASE | re.ASCII,
)
"""A pre-release: -rc.1, rc1, -M2, a1. A lone letter counts only where nothing else fits."""
_VARIANT: Final = re.compile(r"[-._][A-Za-z][A-Za-z0-9._-]*", re.ASCII)
_REVISION: Final = re.compile(r"[-._](?:r|p|ls|rev|build|patch)?[.-]?[0-9].*", re.ASCII)
_COMMIT: Final = re.compile(r"(?=[0-9]*[a-f])[0-9a-f]{7,40}|.*-g[0-9a-f]{7,40}(?:-.*)?", re.ASCII)
_COMPARATOR: Final = re.compile(
    rf"(\^|~|>=|<=|>|<|=|)(?:([vV]?)([xX*])|{_NUMBERS}((?:\.[xX*])*))([-._A-Za-z][^*]*)?", re.ASCII
)
_GLOB: Final = re.compile(r"[A-Za-z0-9_*][A-Za-z0-9_.*-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Bound:
    """One comparator. A version is compared as far as the bound has numbers."""

    operator: str
    numbers: Numbers

    def holds(self, version: Numbers) -> bool:
        bound, there = self.numbers, _cut(version, len(self.numbers))
        match self.operator:
            case ">=":
                return there >= bound
            case ">":
                return there > bound
            case "<=":
                return there <= bound
            case "<":
                return there < bound
            case _:
                return there == bound


@dataclass(frozen=True, slots=True)
class _Pre:
    """A pre-release. The label is in lower case."""

    label: str
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class _Version:
    """A tag as a range reads it. `texts` are its numbers as written, a tuple for each star."""

    tag: str
    texts: tuple[tuple[str, ...], ...]
    groups: tuple[Numbers, ...]
    v: bool = False
    separators: str = ""
    pre: _Pre | None = None
    rest: str = ""

    @property
    def numbers(self) -> Numbers:
        return self.groups[0]

    @property
    def order(self) -> tuple[tuple[Numbers, ...], bool, Numbers]:
        """A pre-release comes before its release, and a line before its versions."""
        return self.groups, self.pre is None, self.pre.numbers if self.pre else ()

    @property
    def depth(self) -> tuple[int, ...]:
        return tuple(map(len, self.texts))

    def is_line_of(self, other: "_Version") -> bool:
        """Whether it is 1.27 or 1 beside 1.27.4."""
        pairs = zip(self.groups, other.groups, strict=True)
        return all(other[: len(own)] == own for own, other in pairs)


@dataclass(frozen=True, slots=True)
class VersionRange:
    """A range as it was read. `text` is what it was read from, without needless blanks."""

    text: str
    bounds: tuple[_Bound, ...] = ()
    parts: int = 1
    v: bool = False
    variant: str = ""
    pre: _Pre | None = None
    floor: Numbers = ()
    glob: re.Pattern[str] | None = None

    def newest(self, tags: Iterable[str]) -> str | None:
        """The newest of the tags that the range covers. None where it is not surely known."""
        tags = dict.fromkeys(tags)
        if self.glob is not None:
            covered = [each for tag in tags if (each := self._of_glob(tag)) is not None]
            return _surely_newest(covered)
        there = [each for tag in tags if (each := _read(tag)) is not None]
        newest = self._of_one_spelling([each for each in there if self._covers(each)])
        if newest is None or self._is_doubtful(newest, there):
            return None
        return newest.tag

    def is_newer(self, tag: str, than: str) -> bool:
        """Whether the first tag is a newer version than the second one, of this range."""
        one, other = map(self._version, (tag, than))
        if one is None or other is None:
            return False
        return one.order > other.order

    def _version(self, tag: str) -> _Version | None:
        if self.glob is not None:
            return self._of_glob(tag)
        read = _read(tag)
        return read if read is not None and self._covers(read) else None

    def _of_glob(self, tag: str) -> _Version | None:
        found = self.glob.fullmatch(tag) if self.glob is not None else None
        if found is None:
            return None
        texts = tuple(_split(each) for each in found.groups())
        return _Version(tag, texts, tuple(tuple(map(int, each)) for each in texts))

    def _covers(self, each: _Version) -> bool:
        if each.rest != self.variant or not self._is_in_range(each.numbers):
            return False
        return len(each.numbers) >= self.parts and (each.pre is None or self._names(each))

    def _is_in_range(self, version: Numbers) -> bool:
        kinds = {_kind(bound.numbers[0]) for bound in self.bounds}
        of_kind = not kinds or kinds == {_kind(version[0])}
        return of_kind and all(bound.holds(version) for bound in self.bounds)

    def _names(self, each: _Version) -> bool:
        """Whether the range names pre-releases of this kind, and begins no later."""
        if self.pre is None or each.pre is None or each.pre.label != self.pre.label:
            return False
        width = max(len(self.floor), len(each.numbers))
        is_first = _cut(each.numbers, width) == _cut(self.floor, width)
        return not is_first or each.pre.numbers >= self.pre.numbers

    def _of_one_spelling(self, covered: Sequence[_Version]) -> _Version | None:
        """With `v` where the range has it. Of both spellings only where they name one version."""
        written = [each for each in covered if each.v is self.v]
        others = [each for each in covered if each.v is not self.v]
        best, other = _newest(written), _newest(others)
        if not written:
            return other
        if not others or self.v:
            return best
        return best if best and other and best.order == other.order else None

    def _is_doubtful(self, newest: _Version, there: Iterable[_Version]) -> bool:
        """Whether there is a later version in another form, or versions of what is a line."""
        return any(
            _is_longer(each.numbers, newest.numbers)
            or (each.pre is not None and _may_name(newest, each))
            or (newest.pre is not None and self._is_released(each, newest))
            or (self._is_in_range(each.numbers) and self._is_other_form(each, newest))
            for each in there
        )

    def _is_released(self, each: _Version, pre: _Version) -> bool:
        """Whether it is the release of a pre-release, which may be written shorter."""
        final = each.pre is None and each.rest == self.variant
        return final and _stripped(each.numbers) >= _stripped(pre.numbers)

    def _is_other_form(self, each: _Version, newest: _Version) -> bool:
        """Whether it is of the same variant, later, and of no form that can be compared."""
        if each.pre is not None:
            return False
        if _VARIANT.fullmatch(each.rest) and not each.rest.startswith("."):
            after = each.rest.removeprefix(self.variant) if self.variant else ""
            is_form = after != each.rest and _REVISION.fullmatch(after) is not None
            return is_form and each.numbers > newest.numbers
        if not each.rest or not each.rest.endswith(self.variant):
            return False
        glued = each.rest[0].isalnum()
        return each.numbers >= newest.numbers if glued else each.numbers > newest.numbers


def parse_range(text: str) -> VersionRange | None:
    """The range that a person wrote. None where it is none, or covers no tag at all."""
    text = " ".join(text.replace(",", " ").split())
    if not text or len(text) > LONGEST_RANGE:
        return None
    written = re.sub(r"([\^~<>=]) ", r"\1", text).split(" ")
    compared = [found for each in written if (found := _COMPARATOR.fullmatch(each))]
    if len(compared) < len(written):
        return _glob(text) if len(written) == 1 else None
    if len(written) > _MOST_COMPARATORS:
        return None
    parts = [_comparator(each) for each in compared]
    endings = {(part.variant, part.pre) for part in parts if part.variant or part.pre}
    if len(endings) > 1 or not all(_is_ending(part.variant) for part in parts):
        return None
    variant, pre = next(iter(endings), ("", None))
    return VersionRange(
        text=" ".join(map(_normalised, written)),
        bounds=tuple(bound for part in parts for bound in part.bounds),
        parts=max(part.parts for part in parts),
        v=any(part.v for part in parts),
        variant=variant,
        pre=pre,
        floor=next((part.floor for part in parts if part.pre), ()),
    )


def _normalised(comparator: str) -> str:
    """With `^` where a version stands alone, so that people see what was understood."""
    found = _COMPARATOR.fullmatch(comparator)
    alone = found is not None and found[5] and not found[1] and not found[6]
    return f"^{comparator}" if alone else comparator


def _is_ending(variant: str) -> bool:
    return not variant or _VARIANT.fullmatch(variant) is not None


def _comparator(found: re.Match[str]) -> VersionRange:
    operator, any_v, anything, v, written, wild, ending = found.groups(default="")
    pre, variant = _ending(ending)
    if pre is not None and not pre.numbers:  # a word alone: a variant such as -dev
        pre, variant = None, ending
    numbers = () if anything else tuple(map(int, _split(written)))
    count = len(wild) // 2
    return VersionRange(
        text="",
        bounds=tuple(_bounds(operator, numbers, is_wild=bool(wild))) if numbers else (),
        parts=len(numbers) + count if wild and not operator else 1,
        v=bool(any_v or v),
        variant=variant,
        pre=pre,
        floor=numbers,
    )


def _bounds(operator: str, numbers: Numbers, *, is_wild: bool) -> Iterator[_Bound]:
    """What an operator says in comparisons. The last operator of each is an equality."""
    if operator in (">=", ">", "<=", "<", "="):
        yield _Bound(operator, numbers)
        return
    if is_wild and not operator:
        yield _Bound("=", numbers)
        return
    yield _Bound(">=", numbers)
    nonzero = next((at for at, number in enumerate(numbers) if number), len(numbers) - 1)
    kept = min(2, len(numbers)) if operator == "~" else nonzero + 1
    yield _Bound("=", numbers[:kept])


def _glob(text: str) -> VersionRange | None:
    if "*" not in text or "**" in text or text.count("*") > _MOST_STARS:
        return None
    if _GLOB.fullmatch(text) is None or text[0] in ".-":
        return None
    literals = text.split("*")
    pattern = re.escape(literals[0])
    for after in literals[1:]:
        more = "" if after[:1] in (".", "_") else r"(?:[._][0-9]{1,20})*"
        pattern += rf"([0-9]{{1,20}}{more})(?![0-9]){re.escape(after)}"
    return VersionRange(text=text, glob=re.compile(pattern, re.ASCII))


def _read(tag: str) -> _Version | None:
    """A tag that begins with numbers. None for others, and for what names a commit."""
    found = _TAG.fullmatch(tag)
    if found is None or _COMMIT.fullmatch(tag):
        return None
    v, written, after = found.groups()
    pre, rest = _ending(after)
    texts, separators = _split(written), re.sub("[0-9]+", "", written)
    numbers = tuple(map(int, texts))
    return _Version(tag, (texts,), (numbers,), bool(v), separators, pre, rest)


def _ending(text: str) -> tuple[_Pre | None, str]:
    """The pre-release at the start of what follows the numbers, and the rest of it."""
    found = _PRE.match(text)
    if found is None:
        return None, text
    numbers = tuple(map(int, _split(found[2]))) if found[2] else ()
    return _Pre(found[1].lower(), numbers), text[found.end() :]


def _split(written: str) -> tuple[str, ...]:
    return tuple(re.split("[._-]", written))


def _newest(covered: Sequence[_Version]) -> _Version | None:
    """The newest, where all numbers are of one scheme and the two newest are of one depth."""
    ranked = sorted(covered, key=lambda each: each.order, reverse=True)
    if not ranked or not _is_one_scheme(ranked):
        return None
    best, seen = ranked[0], ranked[:1]
    for each in islice(ranked, 1, None):
        if each.order == best.order:
            return None
        if not any(each.is_line_of(other) for other in seen):
            return best if each.depth == best.depth else None
        seen.append(each)
    return best


def _surely_newest(covered: Sequence[_Version]) -> str | None:
    best = _newest(covered)
    return None if best is None else best.tag


def _is_one_scheme(versions: Sequence[_Version]) -> bool:
    """Whether the numbers at each place are of one kind, and written in one way."""
    kinds: dict[tuple[int, int], tuple[object, ...]] = {}
    for each in versions:
        for group, texts in enumerate(each.texts):
            for place in range(len(texts)):
                first = group == place == 0
                number = each.groups[group][place]
                written = (_kind(number, first=first), each.separators[place - 1 : place])
                if kinds.setdefault((group, place), written) != written:
                    return False
    return _have_one_width(versions) and _have_no_gap({each.numbers[0] for each in versions})


def _have_one_width(versions: Sequence[_Version]) -> bool:
    """Whether numbers with zeros in front have one width there: 05 and 12, not 05 and 5."""
    widths: dict[tuple[int, int], set[int]] = {}
    padded: set[tuple[int, int]] = set()
    for each in versions:
        for group, texts in enumerate(each.texts):
            for place, text in enumerate(texts):
                widths.setdefault((group, place), set()).add(len(text))
                if len(text) > 1 and text[0] == "0":
                    padded.add((group, place))
    return all(len(widths[at]) == 1 for at in padded)


def _have_no_gap(firsts: Iterable[int]) -> bool:
    """Whether the first numbers follow one another: 4 and 125 number two different things."""
    return all(high <= 2 * low + 10 for low, high in pairwise(sorted(firsts)))


def _kind(number: int, *, first: bool = True) -> str:
    if number >= _BIG:
        return f"a date or a build of {len(str(number))} digits" if first else "big"
    return "year" if first and number in _YEARS else "small"


def _cut(version: Numbers, width: int) -> Numbers:
    return (version + (0,) * width)[:width]


def _is_longer(numbers: Numbers, line: Numbers) -> bool:
    return len(numbers) > len(line) and numbers[: len(line)] == line


def _may_name(line: _Version, pre: _Version) -> bool:
    """Whether what looks like a release may be the line of a pre-release: 6.0 beside 6.0-alpha1."""
    short = len(line.numbers) < 3  # noqa: PLR2004 - a whole version has three numbers
    return short and line.pre is None and line.numbers == pre.numbers


def _stripped(numbers: Numbers) -> Numbers:
    end = len(numbers)
    while end and not numbers[end - 1]:
        end -= 1
    return numbers[:end]
