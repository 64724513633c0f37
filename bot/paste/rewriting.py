"""Rewrites a file: its images get the target's names, and nothing else changes.

Only mentions that `extract` found are changed, at their spans. Several images can share a span by
an anchor of YAML. Such a span is changed only if all of them need the same change.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from bot.core.bad_image import BadImage, Gap
from bot.core.image import ImageRef, Target
from bot.paste.finding import Mention, MentionReader, Part, Span

CharacterRange = tuple[int, int]
Replacements = dict[CharacterRange, str | None]
"""The new text for each span of a mention. None: the text must not change."""


@dataclass(frozen=True, slots=True)
class Rewriting:
    """A text with the target's names for its images, and what was not changed in it.

    `others` are mentions of other images. `passed` is what was not read: see `passed_over`.
    `fixed` are images that could not be renamed, since something else would change with them.
    """

    text: str
    others: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    fixed: tuple["Fixed", ...] = ()


@dataclass(frozen=True, slots=True)
class Fixed:
    """An image that kept its name, and the lines of the file that name it, as far as known."""

    image: ImageRef
    lines: tuple[int, ...] = ()


def rewrite_text(
    text: str, mentions: Iterable[Mention], *, target: Target, images: Collection[ImageRef]
) -> Rewriting:
    """The text with the target's name at every mention of one of the images."""
    meanings, wanted = MentionReader(target.host), frozenset(images)
    wishes: list[Replacements] = []
    found: list[ImageRef | None] = []
    others: dict[str, None] = {}
    given = list(mentions)
    for mention in given:
        read = meanings.of(mention)
        correction = read.correction if isinstance(read, BadImage) else None
        meant = read if isinstance(read, ImageRef) else correction and correction.image
        image = meant if meant in wanted else None
        if image is None and read is not None and mention.gap is not Gap.PASSED_OVER:
            others.setdefault(mention.text)
        name = target.name_of(image) if image is not None else None
        if image is not None and image.tag and image.digest:
            name = f"{name}@{image.digest}"
        found.append(image)
        wishes.append({(p.start, p.end): _part(name, p) for p in mention.spans})
    kept = _agreed(wishes)
    changes = {span: new for n in kept for span, new in wishes[n].items() if new is not None}
    stays = [n for n in range(len(found)) if n not in kept or not wishes[n]]
    lines: defaultdict[ImageRef, dict[int, None]] = defaultdict(dict)
    for n in stays:
        if (image := found[n]) is not None:
            lines[image] |= {given[n].line: None} if given[n].line else {}
    fixed = tuple(Fixed(image, tuple(where)) for image, where in lines.items())
    passed = tuple(dict.fromkeys(m.text for m in given if m.gap is Gap.PASSED_OVER))
    return Rewriting(_applied(text, changes), tuple(others), passed, fixed)


def _part(name: str | None, span: Span) -> str | None:
    """The part of a target's name for a span, or None where its tail cannot stay."""
    if name is None:
        return None
    host, _, path = name.partition("/")
    repository = path.partition("@")[0].partition(":")[0]
    ends = {
        Part.WHOLE: name,
        Part.REGISTRY: host,
        Part.PATH: path,
        Part.NAME: f"{host}/{repository}",
    }
    whole, tail = ends.get(span.part, repository), f"/{span.tail}"
    if not span.tail:
        return whole
    return whole.removesuffix(tail) if whole.endswith(tail) else None


def _agreed(wishes: list[Replacements]) -> set[int]:
    """The positions of the mentions that can be changed at all of their spans."""
    asked: dict[CharacterRange, set[str | None]] = defaultdict(set)
    sharers: dict[CharacterRange, list[int]] = defaultdict(list)
    for number, wish in enumerate(wishes):
        for span, text in wish.items():
            asked[span].add(text)
            sharers[span].append(number)
    disputed = [span for span, texts in asked.items() if len(texts) > 1 or None in texts]
    kept = set(range(len(wishes)))
    while disputed:
        # A mention that cannot change at one span does not change at its others either.
        for number in sharers.pop(disputed.pop(), ()):
            if number in kept:
                kept.remove(number)
                disputed += wishes[number]
    return kept


def _applied(text: str, changes: dict[CharacterRange, str]) -> str:
    pieces: list[str] = []
    position = 0
    for (start, end), new in sorted(changes.items()):
        pieces += (text[position:start], new)
        position = end
    return "".join((*pieces, text[position:]))
