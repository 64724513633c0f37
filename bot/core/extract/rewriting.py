"""The same file with its images named as the target names them, and not a byte more changed.

Only what extract has read as an image is changed, at the places where it was read: a place
that several images share, by an anchor, is changed only if all of them are to be, and alike.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable

from bot.core.extract.finding import Meanings, Mention, Part, Place
from bot.core.image import ImageRef, Target

Wish = tuple[Mention, dict[Place, str]]


def rewritten(
    text: str, mentions: Iterable[Mention], *, target: Target, images: Collection[ImageRef]
) -> str:
    """The text in which every mention of one of the images names it at the target."""
    meanings = Meanings(target.host)
    wanted = frozenset(images)
    wishes: list[dict[Place, str | None]] = []
    for mention in mentions:
        read = meanings.of(mention)
        name = target.name_of(read) if isinstance(read, ImageRef) and read in wanted else None
        wishes.append({place: _part(name, place.part) for place in mention.places})
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
        case Part.REPOSITORY:
            return repository


def _agreed(wishes: list[dict[Place, str | None]]) -> dict[tuple[int, int], str]:
    """The changes that no mention objects to; an image is changed at all its places or none."""
    while True:
        asked: dict[tuple[int, int], set[str | None]] = defaultdict(set)
        for wish in wishes:
            for place, text in wish.items():
                asked[place.start, place.end].add(text)
        disputed = {span for span, texts in asked.items() if len(texts) > 1}
        if not disputed:
            return {span: text for span, (text,) in asked.items() if text is not None}
        wishes = [_withdrawn(wish, disputed) for wish in wishes]


def _withdrawn(
    wish: dict[Place, str | None], disputed: set[tuple[int, int]]
) -> dict[Place, str | None]:
    if any((place.start, place.end) in disputed for place in wish):
        return dict.fromkeys(wish)
    return wish


def _applied(text: str, changes: dict[tuple[int, int], str]) -> str:
    pieces: list[str] = []
    position = 0
    for (start, end), new in sorted(changes.items()):
        if start >= position:  # places never overlap; if they did, the first one would win
            pieces += (text[position:start], new)
            position = end
    return "".join((*pieces, text[position:]))
