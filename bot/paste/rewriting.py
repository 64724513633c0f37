"""The same file with its images named as the target names them, and not a byte more changed.

Only what extract has read as an image is changed, at the places where it was read: a place
that several images share, by an anchor, is changed only if all of them are to be, and alike.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from bot.core.bad_image import BadImage
from bot.core.image import ImageRef, Target
from bot.paste.finding import Mention, MentionReader, Part

CharacterRange = tuple[int, int]
Replacements = dict[CharacterRange, str | None]
"""What a mention wants to stand at its places; None: what stands there now."""


@dataclass(frozen=True, slots=True)
class Rewriting:
    """A text in which images are named as the target names them, and what had to stay.

    `others` are named as before because they are none of the images; `fixed` although they
    are: where they stand, something else would change with them.
    """

    text: str
    others: tuple[str, ...] = ()
    fixed: tuple[ImageRef, ...] = ()


def rewrite_text(
    text: str, mentions: Iterable[Mention], *, target: Target, images: Collection[ImageRef]
) -> Rewriting:
    """The text in which every mention of one of the images names it at the target."""
    meanings, wanted = MentionReader(target.host), frozenset(images)
    wishes: list[Replacements] = []
    found: list[ImageRef | None] = []
    others: dict[str, None] = {}
    for mention in mentions:
        read = meanings.of(mention)
        image = image if (image := _meant(read)) in wanted else None
        if image is None and read is not None:
            others.setdefault(mention.text)
        name = _name(image, target) if image is not None else None
        found.append(image)
        wishes.append({(p.start, p.end): _part(name, p.part) for p in mention.spans})
    kept = _agreed(wishes)
    changes = {span: new for n in kept for span, new in wishes[n].items() if new is not None}
    stays = (image for n, image in enumerate(found) if n not in kept or not wishes[n])
    fixed = tuple(dict.fromkeys(image for image in stays if image is not None))
    return Rewriting(_applied(text, changes), tuple(others), fixed)


def _meant(read: ImageRef | BadImage | None) -> ImageRef | None:
    """The image that a text names, or the one that the person has confirmed in its place."""
    if isinstance(read, BadImage):
        return None if read.correction is None else read.correction.image
    return read


def _name(image: ImageRef, target: Target) -> str:
    """Where the target holds an image, with the digest that pins it: it arrives unchanged."""
    name = target.name_of(image)
    return f"{name}@{image.digest}" if image.tag and image.digest else name


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


def _agreed(wishes: list[Replacements]) -> set[int]:
    """The mentions whose changes no other objects to: at all their places, or at none."""
    asked: dict[CharacterRange, set[str | None]] = defaultdict(set)
    sharers: dict[CharacterRange, list[int]] = defaultdict(list)
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
    return kept


def _applied(text: str, changes: dict[CharacterRange, str]) -> str:
    pieces: list[str] = []
    position = 0
    for (start, end), new in sorted(changes.items()):
        pieces += (text[position:start], new)
        position = end
    return "".join((*pieces, text[position:]))
