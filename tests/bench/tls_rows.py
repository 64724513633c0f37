"""The rows of the bench over TLS: which work, on which lines, in which ways, and the goals."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import over_tls
from over_tls import (
    BEFORE,
    EIGHT,
    FLOOR,
    MB,
    OTHERS,
    SKOPEO,
    WORKFLOW,
    Found,
    Work,
    missing,
)
from own_images import FRONT, TAGS, Image, Recipe, big, publish, tiny
from report import Row
from sites import Link

CUT = 8 << 20
NUMBERS = (
    *(("wall", 2), ("processor", 2), ("peak", 0), ("connections", 0), ("requests", 0)),
    *(("refused", 0), ("gets", 0), ("puts", 0), ("down", 1), ("up", 1), ("left", 1)),
)
"""What is shown of the runs, and its digits after the point."""
COLUMNS = (
    *("work, round trip", "way", "s", "CPU s", "peak MB", "connections", "requests", "401"),
    *("GETs of manifests at the source", "PUTs of manifests", "MB from source", "MB to target"),
    *("MB left", "all there", "runs"),
)
MIXED = Link(5), Link(200)
PLATFORMS = (
    "amd64",
    "arm64",
    "s390x",
    "ppc64le",
    "riscv64",
    "386",
    "arm",
    "mips",
    "mips64",
    "loong64",
)


SIZE, WRONG = "its size", "a wrong layer"


class Goal(NamedTuple):
    """The most that a number of this workflow may be: in itself, or of another way's."""

    work: str
    what: str
    of: str
    most: float


# The floor needs no challenge, token, proof of a login, nor a start of Python: 0.6 s less at 50 ms.
ROUND_TRIPS = (
    Goal("1 tiny image, 50 ms", "wall", SKOPEO, 0.5),
    Goal("1 tiny image, 50 ms", "wall", FLOOR, 1.5),
    Goal("20 images, 20 ms", "wall", EIGHT, 0.55),
    Goal("20 images, 50 ms", "wall", EIGHT, 0.45),
    Goal("20 images, 50 ms", "wall", FLOOR, 0.9),
    Goal("20 images, 50 ms", "connections", "", 200),
    Goal("100 tiny new, 50 ms", "wall", EIGHT, 0.5),
    Goal("one platform of ten, 50 ms", "gets", "", 2),
    Goal("one platform of ten, 50 ms", "puts", "", 2),
    Goal("a second tag of one digest, 50 ms", "gets", "", 0),
    Goal("a second tag of one digest, 50 ms", "puts", "", 1),
    Goal("500 unchanged, 50 ms", "refused", "", 60),
    Goal("500 unchanged, 50 ms", "gets", "", 0),
    Goal("500 unchanged, 50 ms", "connections", "", 200),
    Goal("500 unchanged, 50 ms", "wall", FLOOR, 2),
    Goal("500 unchanged, 0 ms", "processor", FLOOR, 3),
    Goal("20 images, 5 ms, target 200 ms", "wall", EIGHT, 0.4),
    Goal("10,000 unchanged, 0 ms", "wall", BEFORE, 0.35),
    Goal("10,000 unchanged, 0 ms", "processor", BEFORE, 0.28),
    Goal("10,000 unchanged, 0 ms", "peak", "", 150),
)
POOR_LINES = (
    Goal("a large layer, the source is cut each 8 MB, 50 ms", "down", SIZE, 1.05),
    Goal("a large layer, both are cut each 8 MB, 50 ms", "up", SIZE, 1.3),
    Goal("… and the target keeps uploads, 50 ms", "up", SIZE, 1.1),
    Goal("a wrong layer, the target keeps uploads, 50 ms", "left", "", 0),
    Goal("60 layers of 20 MB, 0 ms", "peak", "", 100),
)


@dataclass(frozen=True)
class Sizes:
    """How large all is. `SMALL` is for a test."""

    unit: int = 240_000
    few: int = 500
    many: int = 10_000
    large: int = 105 * MB
    failing: int = 30 * MB
    layers: int = 60
    layer: int = 20 * MB
    megabits: float = 20
    seconds: float = 30


SMALL = Sizes(1000, 12, 40, 20 * MB, 2 * MB, 4, MB, 200)


def one(name: str, size: int, number: int = 1) -> Recipe:
    """An image of so many large layers."""
    layers = tuple((f"{name}{n}", size) for n in range(number))
    return Recipe(f"{FRONT}/{name}", "1", {"amd64": layers})


def ten(changed: str) -> Recipe:
    """An index of ten platforms, one of which was changed."""
    layers = {
        each: (("ten", 2000), (f"{each}{changed * (each == 'arm64')}", 4000)) for each in PLATFORMS
    }
    return Recipe(f"{FRONT}/ten", "1", layers)


def copies(data: Path, number: int) -> list[Image]:
    """Lay out a long list: each repository has the ten tags of the first one."""
    first = publish(data, tiny(range(TAGS)))
    names = [f"{FRONT}/tiny{n}" for n in range(number // TAGS)]
    root = data / "docker/registry/v2/repositories"
    for name in names[1:]:
        shutil.copytree(root / names[0], root / name)
    return [replace(image, repository=name) for name in names for image in first]


def spoiled(data: Path, recipe: Recipe) -> list[Image]:
    """Lay out an image whose layer has another last byte than its digest says."""
    made = publish(data, [recipe])
    digest = max(made[0].blobs, key=made[0].blobs.__getitem__).partition(":")[2]
    path = data / "docker/registry/v2/blobs/sha256" / digest[:2] / digest / "data"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    return made


def row(
    data: Path,
    title: str,
    what: Sequence[Image],
    *links: Link,
    ways: tuple[str, ...] = (),
    **more: Any,
) -> Work:
    """Return a row: `links` is one for both sides, or the source's and the target's."""
    return Work(title, what, data, links[0], links[-1], ways=(WORKFLOW, *ways), **more)


def round_trips(folder: Path, sizes: Sizes) -> list[Work]:
    """Lay out the images, and return the rows about round trips."""
    data, held, few = folder / "data", folder / "held", sizes.few
    images, listed = publish(data, big(sizes.unit)), publish(data, tiny(range(few)))
    twice = Recipe(f"{FRONT}/twice", "1", {"amd64": (("twice", 4000),)})
    publish(held, [ten(""), twice])
    moved, again = publish(data, [ten("x"), replace(twice, tag="2")])
    many = copies(folder / "many", sizes.many)
    near, fast, one_by_one = Link(50), (EIGHT, *OTHERS, FLOOR), (SKOPEO, *OTHERS, FLOOR)
    whole = {"held": data, "whole": True}
    long = {"held": folder / "many", "whole": True, "runs": 1}
    return [
        row(data, "1 tiny image", listed[:1], near, ways=one_by_one),
        row(data, "20 images", images, Link(0), ways=fast),
        row(data, "20 images", images, Link(20), ways=fast),
        row(data, "20 images", images, near, ways=(SKOPEO, *fast)),
        row(data, "20 images", images, Link(150), ways=fast[1:]),
        row(data, "100 tiny new", listed[:100], near, ways=fast),
        row(data, "one platform of ten", [moved], near, held=held, ways=one_by_one[:-1]),
        row(data, "a second tag of one digest", [again], near, held=held),
        row(data, f"{few} unchanged", listed, Link(0), **whole, ways=fast),
        row(data, f"{few} unchanged", listed, near, **whole, ways=(OTHERS[2], FLOOR)),
        row(data, "1 tiny image", listed[:1], *MIXED, ways=one_by_one),
        row(data, "20 images", images, *MIXED, ways=fast),
        row(data, f"{few} unchanged", listed, *MIXED, **whole, ways=(OTHERS[2], FLOOR)),
        row(folder / "many", f"{sizes.many:,} unchanged", many, Link(0), **long, ways=(BEFORE,)),
    ]


def poor_lines(folder: Path, sizes: Sizes) -> list[Work]:
    """Lay out the images, and return the rows about lines that break, and about much at a time."""
    data, bad, deep = (folder / name for name in ("data", "broken", "layers"))
    images = publish(data, big(sizes.unit)[:4])
    large = publish(data, [one("large", sizes.large)])
    broken = spoiled(bad, one("broken", sizes.failing))
    layers = publish(deep, [one("layers", sizes.layer, sizes.layers)])
    near, slow = Link(50), Link(50, sizes.megabits)
    down, up = Link(50, down=CUT), Link(50, up=CUT)
    breaks = Link(50, sizes.megabits, seconds=sizes.seconds)
    at_times = f"each connection lives {sizes.seconds:g} s"
    once, kept = {"runs": 1}, {"runs": 1, "keeps": True}
    return [
        row(data, "4 images", images, slow, ways=(EIGHT, *OTHERS, FLOOR)),
        row(data, "a large layer, the source is cut each 8 MB", large, down, near, ways=(SKOPEO,)),
        row(data, "a large layer, both are cut each 8 MB", large, down, up),
        row(data, "… and the target keeps uploads", large, down, up, keeps=True),
        row(data, f"a large layer, {at_times}", large, breaks, **once),
        row(data, f"… and the target keeps uploads, {at_times}", large, breaks, **kept),
        row(bad, "a wrong layer", broken, near, ways=(SKOPEO,), **once),
        row(bad, "a wrong layer, the target keeps uploads", broken, near, **kept),
        row(deep, f"{sizes.layers} layers of {sizes.layer // MB} MB", layers, Link(0), **kept),
    ]


def words(works: Sequence[Work]) -> str:
    """Return what a table says about itself, and which ways could not be measured."""
    ways = dict.fromkeys(way for work in works for way in work.ways)
    absent = [f"{way} ({missing(way)})" for way in ways if missing(way)]
    out = f"\n\nNot measured here: {', '.join(absent)}." if absent else ""
    return f"{(over_tls.__doc__ or '').strip()}{out}"


def lines(found: Sequence[Found]) -> list[list[str]]:
    return [_line(each) for each in found]


def _line(found: Found) -> list[str]:
    numbers = [f"{found.of(what):.{digits}f}" for what, digits in NUMBERS]
    whole = "yes" if found.whole else "**no**"
    return [found.work.name, found.contender, *numbers, whole, str(len(found.measures))]


def bars(found: Sequence[Found], goals: Sequence[Goal]) -> list[Row]:
    """Return whether all arrives, and which of the goals are met."""
    known = {(each.work.name, each.contender): each for each in found}
    ours = [each for each in found if each.contender == WORKFLOW]
    right = [each for each in ours if not each.work.title.startswith(WRONG)]
    there = sum(each.whole for each in right)
    said = Row(
        "all arrives by this workflow", f"{there} of {len(right)} works", "all", there == len(right)
    )
    return [said, *(_bar(known, goal) for goal in goals if (goal.work, WORKFLOW) in known)]


def _bar(known: dict[tuple[str, str], Found], goal: Goal) -> Row:
    ours, other = known[goal.work, WORKFLOW], known.get((goal.work, goal.of))
    what = f"{goal.work}: {goal.what}{f', of {goal.of}' if goal.of else ''}"
    value = ours.of(goal.what)
    if goal.of == SIZE:
        value /= ours.work.size
    elif goal.of:
        if other is None or not other.whole:
            return Row(what, "could not be measured here")
        value /= other.of(goal.what)
    return Row(what, f"{value:.3g}", f"at most {goal.most:g}", value <= goal.most)


TABLES = {
    "tls": ("Over TLS", round_trips, ROUND_TRIPS),
    "lines": ("Over lines that break", poor_lines, POOR_LINES),
}
"""The title of a table in the docs, its rows, and its goals."""
