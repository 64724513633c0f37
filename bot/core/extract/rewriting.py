"""The same file with its images named as the target names them, and not a byte more changed.

Only what extract has read as an image is changed, at the places where it was read: a place
that several images share, by an anchor, is changed only if all of them are to be, and alike.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable

from bot.core.extract.finding import Meanings, Mention, Part
from bot.core.image import ImageRef, Target

Span = tuple[int, int]
Wish = dict[Span, str | None]
"""What a mention wants to stand at its places; None: what stands there now."""


def rewritten(
    text: str, mentions: Iterable[Mention], *, target: Target, images: Collection[ImageRef]
) -> str:
    """The text in which every mention of one of the images names it at the target."""
    meanings = Meanings(target.host)
    wanted = frozenset(images)
    wishes: list[Wish] = []
    for mention in mentions:
        read = meanings.of(mention)
        name = target.name_of(read) if isinstance(read, ImageRef) and read in wanted else None
        wishes.append({(p.start, p.end): _part(name, p.part) for p in mention.places})
    return _applied(text, _agreed(wishes))


def _part(name: str | None, part: Part) -> str | None:
    """What of a target's name belongs at a place."""
    if name is None:
        return None
    host, _, path = name.partition("/")
    repository = path.partition("@")[0].partition(":")[0]
    match part:
        case Part.WHOLE:
            return name
        case Part.NAME:
            return f"{host}/{repository}"
        case Part.REGISTRY:
            return host
        case _:
            return repository


def _agreed(wishes: list[Wish]) -> dict[Span, str]:
    """The changes that no mention objects to; an image is changed at all its places or none."""
    asked: dict[Span, set[str | None]] = defaultdict(set)
    sharers: dict[Span, list[int]] = defaultdict(list)
    for number, wish in enumerate(wishes):
        for span, text in wish.items():
            asked[span].add(text)
            sharers[span].append(number)
    disputed = [span for span, texts in asked.items() if len(texts) > 1 or None in texts]
    kept = set(range(len(wishes)))
    while disputed:
        # Who gives up one place gives up the others, and so those who share them do.
        for number in sharers.pop(disputed.pop(), ()):
            if number in kept:
                kept.remove(number)
                disputed += wishes[number]
    return {span: text for n in kept for span, text in wishes[n].items() if text is not None}


def _applied(text: str, changes: dict[Span, str]) -> str:
    pieces: list[str] = []
    position = 0
    for (start, end), new in sorted(changes.items()):
        pieces += (text[position:start], new)
        position = end
    return "".join((*pieces, text[position:]))
