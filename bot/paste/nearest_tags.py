"""Which tags of a repository were most likely meant by a tag that does not exist.

A tag is read as numbers with a flavour around them, such as `1.27` and `-alpine`. Tags of the same
or of a similar flavour are compared by their numbers. `_Way` lists the ways in which two can be
similar. The result takes the best tag of each way in turn. Tags without numbers are compared as
words. The list of tags is untrusted, so all work on it is bounded. A person chooses in the end.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import IntEnum
from heapq import nlargest
from itertools import takewhile, zip_longest
from typing import Final

from bot.core.image import DEFAULT_TAG

_DIGEST: Final = re.compile(r"sha(?:256|384|512)-[0-9a-f]{32,}.*")
_COMMIT: Final = re.compile(r"(?:[A-Za-z]+-)?((?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{7,40})")
_LEADING: Final = re.compile(r"([vV]?)([0-9]+(?:\.[0-9]+)*)(.*)")
_DOTTED: Final = re.compile(r"(.*?[^0-9.])([0-9]+(?:\.[0-9]+)+)(.*)")
_ANY: Final = re.compile(r"(.*?)([0-9]+)(.*)")
_DATE: Final = re.compile(
    r"(.*?(?<![0-9]))((?:19|20)[0-9]{2})([-._]?)(0[1-9]|1[0-2])\3(0[1-9]|[12][0-9]|3[01])(?![0-9])(.*)"
)
_DIGITS: Final = re.compile("[0-9]+")
_SEPARATORS: Final = re.compile(r"[._-]+")
_LETTERS: Final = re.compile(r"[a-z]+")
_PLAIN: Final = "*"  # stands for the numbers in a flavour

_ALIKE: Final = 0.6  # the default of difflib.get_close_matches
_SURELY_ALIKE: Final = 0.85  # for commits, since any two have much in common
_COMPARED: Final = 40  # characters of a tag, so that long tags take no more time
_COMPARED_EXACTLY: Final = 64  # tags, the best ones by a rough measure
_MOST_FLAVOURS: Final = 5  # each is one more pass over all tags
_BUILD: Final = 10_000  # a first number from here on is a date or a build, no version


class _Way(IntEnum):
    """How a tag can be similar to the one typed, the most likely way first."""

    SPELLING = 0
    INSIDE = 1  # `1.27.4` for `1.27`
    FIRST_INSIDE = 2  # `1.27.0` for `1.27`
    SIBLING = 3  # `1.27.4` for `1.27.99`
    LINE = 4  # `1.27` for `1.27.99`
    OTHER_FLAVOUR = 5  # `1.27-alpine3.20` for `1.27-alpine3.99`
    NEIGHBOUR = 6  # `1.28` for `1.27.99`
    FAR = 7  # `1.28.3` for `1.27`


@dataclass(frozen=True, slots=True)
class _Tag:
    """A tag in parts. `numbers` are empty for words and commits. `flavour` is the rest of it."""

    text: str
    numbers: tuple[int, ...]
    flavour: str


_Rank = tuple[int, ...]


def nearest_tags(wanted: str, tags: Collection[str], *, count: int = 3) -> tuple[str, ...]:
    """At most `count` of the tags, the most likely first, without `wanted` and signatures.

    Where none is similar, the result is all tags of a repository with up to `count`, and `latest`
    of a larger one.
    """
    pool = sorted({tag for tag in tags if tag != wanted and not _DIGEST.fullmatch(tag)})
    meant, there = _read(wanted), [_read(tag) for tag in pool]
    if meant.numbers:
        found = _by_numbers(meant, [tag for tag in there if tag.numbers], count)
    elif (commit := _COMMIT.fullmatch(wanted)) is not None:
        found = _by_commit(wanted, commit[1], pool)
    else:
        found = _by_words(meant.flavour, there, count)
    if found:
        return tuple(found[:count])
    return tuple(pool if len(pool) <= count else [tag for tag in pool if tag == DEFAULT_TAG])


def _read(text: str) -> _Tag:
    if _COMMIT.fullmatch(text):
        return _Tag(text, (), "")
    if (date := _DATE.fullmatch(text)) is not None:
        before, year, _, month, day, after = date.groups()
        number = (int(year) * 12 + int(month)) * 31 + int(day)
        return _Tag(text, (number,), f"{before.lower()}{_PLAIN}{_DIGITS.sub('#', after.lower())}")
    found = _LEADING.fullmatch(text) or _DOTTED.fullmatch(text) or _ANY.fullmatch(text)
    if found is None:
        return _Tag(text, (), text.lower())
    before, numbers, after = found.groups()
    flavour = f"{before.lower().removeprefix('v')}{_PLAIN}{after.lower()}"
    return _Tag(text, tuple(map(int, numbers.split("."))), flavour)


def _by_numbers(wanted: _Tag, tags: list[_Tag], count: int) -> list[str]:
    """Search the flavours that may be meant in turn, until `count` tags are found."""
    flavours = _flavours(wanted.flavour, Counter(tag.flavour for tag in tags))
    found: dict[str, None] = {}
    for flavour in flavours:
        ways: defaultdict[_Way, list[tuple[_Rank, str]]] = defaultdict(list)
        for tag in tags:
            near = _near(wanted, tag, flavour, flavours)
            if near is not None:
                ways[near[0]].append((near[1], tag.text))
        found |= dict.fromkeys(_in_turn(ways, count))
        if len(found) >= count:
            return list(found)
    versions = [] if flavours or not wanted.flavour.startswith(_PLAIN) else _one_of_each(tags)
    if not versions:
        return list(found)
    return _by_numbers(_Tag(wanted.text, wanted.numbers, _PLAIN), versions, count)


def _one_of_each(tags: Iterable[_Tag]) -> list[_Tag]:
    """Of each version the tag with the newest build, as if it had no flavour."""
    newest = sorted(tags, key=lambda tag: ([*map(int, _DIGITS.findall(tag.flavour))], tag.text))
    found = {tag.numbers: tag.text for tag in newest if tag.flavour.startswith(_PLAIN)}
    return [_Tag(text, numbers, _PLAIN) for numbers, text in found.items()]


def _flavours(wanted: str, there: Counter[str]) -> list[str]:
    """The flavours that may be meant, the most likely first."""
    alike = [] if wanted == _PLAIN else _alike(wanted, there, at_least=_ALIKE)
    longer = [flavour for flavour in there if _goes_on(wanted, flavour)]
    longer.sort(key=lambda f: (-there[f], [-int(n) for n in _DIGITS.findall(f)], f))
    likely = [wanted, *longer, *alike, _PLAIN]
    return list(dict.fromkeys(flavour for flavour in likely if flavour in there))[:_MOST_FLAVOURS]


def _goes_on(wanted: str, flavour: str) -> bool:
    """Whether a flavour goes on after the one wanted: `-devel-ubuntu22.04`."""
    after = flavour[len(wanted) : len(wanted) + 1]
    return wanted != _PLAIN and flavour.startswith(wanted) and bool(after) and not after.isalpha()


def _near(
    wanted: _Tag, tag: _Tag, flavour: str, flavours: Sequence[str]
) -> tuple[_Way, _Rank] | None:
    """In which way a tag is similar, and its rank. The smallest rank is the best."""
    if _squashed(wanted.text) == _squashed(tag.text):
        return _Way.SPELLING, (0, len(tag.text))
    ours, theirs = wanted.numbers, tag.numbers
    same = all(one == other for one, other in zip_longest(ours, theirs, fillvalue=0))
    if (ours[0] < _BUILD) != (theirs[0] < _BUILD):
        return None
    if tag.flavour != flavour:
        if same and _goes_on(wanted.flavour, tag.flavour) and tag.flavour in flavours:
            return _Way.SPELLING, (3, flavours.index(tag.flavour))
        if same and tag.flavour in flavours:
            return _Way.OTHER_FLAVOUR, (flavours.index(tag.flavour),)
        return None
    if same and len(theirs) <= len(ours):
        return _Way.SPELLING, (1, len(ours) - len(theirs))
    if _are_swapped(wanted.text, tag.text):
        return _Way.SPELLING, (2, len(tag.text))
    return _by_distance(ours, theirs, same=same)


def _by_distance(
    ours: tuple[int, ...], theirs: tuple[int, ...], *, same: bool
) -> tuple[_Way, _Rank]:
    shared = _shared(ours, theirs)
    newest = tuple(-number for number in theirs)
    if shared == len(ours):
        way = _Way.FIRST_INSIDE if same else _Way.INSIDE
        return way, (len(theirs), *newest)
    if shared == len(theirs):
        return _Way.LINE, (-shared,)
    apart = abs(ours[shared] - theirs[shared])
    rank = (-shared, apart, newest[shared], len(theirs), *newest)
    if len(theirs) > len(ours):
        return _Way.FAR, rank
    return (_Way.SIBLING if shared == len(ours) - 1 else _Way.NEIGHBOUR), rank


def _shared(one: Sequence[object], other: Sequence[object]) -> int:
    """How many items at the start are the same."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _in_turn(ways: defaultdict[_Way, list[tuple[_Rank, str]]], count: int) -> Iterator[str]:
    """One tag of each way in turn, so that the result is not all of one kind.

    Other spellings come first. FAR tags come last.
    """
    queues = {way: [tag for _, tag in sorted(ways[way])[:count]] for way in _Way}
    yield from queues.pop(_Way.SPELLING)
    far = queues.pop(_Way.FAR)
    for turn in range(count):
        yield from (queue[turn] for queue in queues.values() if turn < len(queue))
    yield from far


def _by_commit(wanted: str, commit: str, pool: list[str]) -> list[str]:
    """The same commit with another length, or with a typing mistake."""
    found = {tag: read[1] for tag in pool if (read := _COMMIT.fullmatch(tag)) is not None}
    same = [tag for tag, it in found.items() if it.startswith(commit) or commit.startswith(it)]
    return list(dict.fromkeys([*same, *_alike(wanted, found, at_least=_SURELY_ALIKE)]))


def _by_words(wanted: str, tags: list[_Tag], count: int) -> list[str]:
    """Similar words, then those that contain the word, or else versions that contain it."""
    words = defaultdict[str, list[str]](list)
    for tag in tags:
        if tag.flavour and not tag.numbers:
            words[tag.flavour].append(tag.text)
    alike = _alike(wanted, words, at_least=_ALIKE)
    holding = [word for word in words if wanted in _LETTERS.findall(word)]
    found = [text for word in dict.fromkeys([*alike, *holding]) for text in words[word]]
    versions = _versions(wanted, [tag for tag in tags if tag.numbers])
    ranked = [(tag.numbers[0] < _BUILD, tag.numbers, tag.text) for tag in versions]
    return found or [text for _, _, text in nlargest(count, ranked)]


def _versions(word: str, tags: list[_Tag]) -> list[_Tag]:
    """The versions with the word in their flavour. For `latest` those without a flavour."""
    if _alike(word, [DEFAULT_TAG], at_least=_ALIKE):
        return [tag for tag in tags if tag.flavour == _PLAIN] or _one_of_each(tags)
    parts = {part for tag in tags for part in _LETTERS.findall(tag.flavour)}
    meant = set(_alike(word, parts, at_least=_ALIKE)[:1])
    return [tag for tag in tags if meant.intersection(_LETTERS.findall(tag.flavour))]


def _are_swapped(one: str, other: str) -> bool:
    """Whether two letters side by side are swapped. Across a dot that would be another version."""
    ours, theirs = (text.lower().removeprefix("v") for text in (one, other))
    at = _shared(ours, theirs)
    pair = ours[at : at + 2]
    swapped = f"{ours[:at]}{pair[::-1]}{ours[at + 2 :]}"
    return ours != theirs == swapped and "." not in pair


def _squashed(text: str) -> str:
    """The text without what people write in several ways: case, a `v`, and separators."""
    letters = _SEPARATORS.sub("", text.lower())
    return letters.removeprefix("v") if letters[1:2].isdigit() else letters


def _alike(wanted: str, there: Iterable[str], *, at_least: float) -> list[str]:
    """The texts that differ in few letters, the most similar first."""
    matcher = SequenceMatcher(b=wanted[:_COMPARED])
    rough = list[tuple[float, str]]()
    for text in there:
        matcher.set_seq1(text[:_COMPARED])
        if matcher.real_quick_ratio() >= at_least and (most := matcher.quick_ratio()) >= at_least:
            rough.append((most, text))
    exact = list[tuple[float, int, str]]()
    for _, text in nlargest(_COMPARED_EXACTLY, rough):
        matcher.set_seq1(text[:_COMPARED])
        is_same = _squashed(wanted) == _squashed(text) or _are_swapped(wanted, text)
        ratio = 1.0 if is_same else matcher.ratio()
        if ratio >= at_least:
            exact.append((-ratio, len(text), text))
    return [text for _, _, text in sorted(exact)]
