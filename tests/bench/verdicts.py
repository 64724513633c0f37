"""The table of the measurements, and which of the promised bars are met.

A bar whose counterpart was not measured is shown as such. It is neither met nor missed.
"""

from collections.abc import Sequence

from comparing import Measure, Result
from report import Row, below

WORKFLOW, FLOOR = "this workflow", "floor (curl)"
LOOPS = ("original loop (docker)", "original loop (podman)")
EVERYTHING, ALONE, ONE = "everything new (20)", "one new image alone", "one new in 500"
NOTHING, MOVED = "nothing new in 500", "ten of 500 moved"
COLUMNS = (
    "work, round trip",
    "way",
    "s",
    "of ours",
    "CPU s",
    "MB from source",
    "MB to target",
    "peak MB",
    "requests",
    "digests kept",
    "platforms kept",
    "runs",
)


class Found:
    """The results, by work and contender."""

    def __init__(self, results: Sequence[Result]) -> None:
        self.all = [each for each in results if each.measures]

    def of(self, title: str, milliseconds: float, contender: str) -> Result | None:
        for each in self.all:
            of = each.work.title, each.work.link.milliseconds, each.contender
            if of == (title, milliseconds, contender) and not each.failed:
                return each
        return None

    def loop(self, title: str, milliseconds: float) -> Result | None:
        """Return the original loop's result, by docker or by podman. There is at most one."""
        return next(filter(None, (self.of(title, milliseconds, name) for name in LOOPS)), None)

    def others(self, title: str, milliseconds: float) -> list[Result]:
        own = {WORKFLOW, FLOOR}
        names = dict.fromkeys(each.contender for each in self.all if each.contender not in own)
        found = (self.of(title, milliseconds, name) for name in names)
        return [each for each in found if each is not None]


def table(found: Found) -> list[list[str]]:
    return [_line(found, each) for each in found.all]


def _line(found: Found, result: Result) -> list[str]:
    work = result.work
    if result.failed:
        return [work.name, result.contender, f"failed: {result.failed}", *[""] * 9]
    ours = found.of(work.title, work.link.milliseconds, WORKFLOW)
    images = len(work.images)
    last = result.measures[-1]
    requests = result.median(lambda m: m.source.requests + m.target.requests)
    return [
        work.name,
        result.contender,
        f"{result.wall:.2f}",
        f"{result.wall / ours.wall:.2f}" if ours else "",
        f"{result.processor:.2f}",
        f"{result.median(lambda m: m.source.sent) / 1e6:.1f}",
        f"{result.median(lambda m: m.target.taken) / 1e6:.1f}",
        f"{result.median(lambda m: m.peak) / 1e6:.0f}",
        f"{requests:.0f}",
        f"{last.digests} of {images}",
        f"{last.platforms} of {images}",
        str(len(result.measures)),
    ]


def bars(found: Found) -> list[Row]:
    return [*_everything(found), *_one(found), *_nothing(found), *_same(found)]


def _everything(found: Found) -> list[Row]:
    rows = [
        _times(found, "less CPU than the original loop, 0 ms", (EVERYTHING, 0.0), 12, cpu=True),
        _times(found, "faster than the original loop, 0 ms", (EVERYTHING, 0.0), 5),
        _times(found, "faster than the original loop, 50 ms", (EVERYTHING, 50.0), 6),
    ]
    for milliseconds in (0.0, 20.0, 50.0):
        what = f"1. not slower than the best of the others, {milliseconds:.0f} ms"
        ours = found.of(EVERYTHING, milliseconds, WORKFLOW)
        others = found.others(EVERYTHING, milliseconds)
        if not ours or not others:
            rows.append(_unknown(what))
            continue
        best = min(others, key=lambda each: each.wall)
        said = f"{ours.wall:.2f} s, {best.contender} {best.wall:.2f} s"
        rows.append(Row(what, said, "at most 1 times", ours.wall <= best.wall))
    ours, floor = (found.of(EVERYTHING, 20.0, name) for name in (WORKFLOW, FLOOR))
    what = "1. of the floor's time, 20 ms"
    rows.append(_at_most(what, ours.wall / floor.wall, 1.5) if ours and floor else _unknown(what))
    return rows


def _one(found: Found) -> list[Row]:
    ours, alone = found.of(ONE, 0.0, WORKFLOW), found.of(ALONE, 0.0, WORKFLOW)
    what = "2. one new in a list of 500, of the time for that image alone"
    first = _at_most(what, ours.wall / alone.wall, 1.2) if ours and alone else _unknown(what)
    return [
        first,
        _times(found, "faster than the original loop, one new in 500", (ONE, 0.0), 100, number=2),
    ]


def _nothing(found: Found) -> list[Row]:
    ours = found.of(NOTHING, 20.0, WORKFLOW)
    if ours is None:
        return [_unknown("3. nothing new in 500, 20 ms")]
    seen = ours.measures[-1]
    gets = max(m.source.of("GET manifest") + m.target.of("GET manifest") for m in ours.measures)
    return [
        below("3. nothing new in 500, 20 ms", ours.wall, 10, " s"),
        Row("3. GETs of a manifest, both sides", str(gets), "0", gets == 0),
        Row("… asked of the source", _counts(seen, "source")),
        Row("… asked of the target", _counts(seen, "target")),
    ]


def _counts(measure: Measure, side: str) -> str:
    made = (measure.source if side == "source" else measure.target).made
    return ", ".join(f"{count} {what}" for what, count in made.most_common())


def _same(found: Found) -> list[Row]:
    rows = []
    for name in dict.fromkeys(each.contender for each in found.all):
        done = [e for e in found.all if e.contender == name and not e.failed]
        images = sum(len(e.work.images) * len(e.measures) for e in done)
        digests = sum(m.digests for e in done for m in e.measures)
        platforms = sum(m.platforms for e in done for m in e.measures)
        bar, good = ("all", digests == platforms == images) if name == WORKFLOW else ("", None)
        said = f"{digests:,} digests, {platforms:,} platforms of {images:,}"
        rows.append(Row(f"4. equal at source and target: {name}", said, bar, good))
    return rows


def _times(
    found: Found,
    what: str,
    work: tuple[str, float],
    least: float,
    *,
    cpu: bool = False,
    number: int = 1,
) -> Row:
    ours, loop = found.of(*work, WORKFLOW), found.loop(*work)
    if not ours or not loop:
        return _unknown(f"{number}. {what}")
    program = "" if loop.contender == LOOPS[0] else " (podman)"
    ratio = loop.processor / ours.processor if cpu else loop.wall / ours.wall
    return Row(
        f"{number}. {what}{program}",
        f"{ratio:.1f} times",
        f"at least {least:g} times",
        ratio >= least,
    )


def _at_most(what: str, found: float, most: float) -> Row:
    return Row(what, f"{found:.2f} times", f"at most {most:g} times", found <= most)


def _unknown(what: str) -> Row:
    return Row(what, "could not be measured here")
