"""`make bench`: this workflow against every other way to copy the same images, and the bot's cost.

Usage: python tests/bench [RUNS [MEGABITS]] | bot | page | pastes | (tls | lines) [RUNS [WORKS]].
Alone it measures the copying, by default with 3 runs and without a limit of bandwidth. Registries
and programs are real, the images are its own. With `bot` it measures the bot alone, with `page` the
sandbox's page in a browser, with `pastes` how long it reads large texts, with `tls` the workflow
over TLS, with `lines` on lines that break. WORKS is an expression for the names of works: then the
numbers are printed alone. The variable BEFORE may be a reference of git: the version of the
workflow with which the longest list is compared. Writes docs/benchmarks.md, and a picture beside
it. Exit code 1 means that a bar was missed.
"""

import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "load"))

import bot_cost
import bot_picture
import contenders as ways
import over_tls
import pastes
import tls_rows
import verdicts
from comparing import Result, compare, note
from own_images import Image, big, publish, tiny
from picture import picture
from registry_fixture import Registry, registry
from report import PAGE, table, tell
from sites import Link, Work, storage
from the_floor import Floor
from this_workflow import ThisWorkflow

from bot.sandbox.github.act import find_act

RUNS = 3
LISTED = 500
SAME_WHATEVER_IS_NEW = frozenset({*verdicts.LOOPS, ways.SkopeoCopy.name, ways.Crane.name})
WORDS = """\
This workflow, as it ships and through act, beside every other way on the same work. The work is
{big} images of our own and a list of {listed} tiny ones. The {big} have {size:.0f} MB of shared
and other layers, and six of them have several platforms. They move between two real
docker-registry servers, and the target asks for a login. Both have an added round trip, and
keep all in memory if there is room. Numbers are medians. A way that takes over {slow:.0f} s is
run once. CPU and memory are those of the way's own processes and of docker's daemon, not of the
registries. A peak is the sum of the kernel's own peaks of the processes that ran at a time. MB and
requests come from the registries' own logs. The workflow's time is from the checkout
to act's end, without GitHub's queue. A loop over the list does the same whatever is new. So it
is measured on one new in {listed} and not on the other two. The daemon of the original loop is
empty at each start, as on a new runner. It copies one platform of each image, so it moves fewer
bytes.
{left_out}

![Seconds of each way, by kind of work](benchmarks.svg)"""


def all_contenders() -> list[ways.Contender]:
    """Return all contenders, in the order of each round. podman replaces a missing docker."""
    docker = ways.DockerLoop()
    return [
        ThisWorkflow(),
        docker,
        *([ways.PodmanLoop()] if docker.missing() else []),
        ways.SkopeoCopy(),
        ways.SkopeoSync(),
        ways.Crane(),
        ways.Regsync(),
        ways.ImageSyncer(),
        Floor(),
    ]


def held(folder: Path) -> Path:
    """Fill a target with the list as it is before anything is added. Return its storage."""
    publish(folder / "held", tiny(range(LISTED)))
    return folder / "held"


def everything(images: Sequence[Image], megabits: float) -> list[Work]:
    return [
        Work(verdicts.EVERYTHING, Link(milliseconds, megabits), images, images, added=images)
        for milliseconds in (0.0, 20.0, 50.0)
    ]


def in_a_list(source: Registry, before: Path) -> list[Work]:
    """One new image, and none: the source holds all that is listed."""
    listed = publish(source.data, tiny(range(LISTED + 1)))
    new, old = listed[-1:], listed[: LISTED - 1]
    own = frozenset(way.name for way in all_contenders()) - {verdicts.WORKFLOW}
    return [
        Work(verdicts.ALONE, Link(), new, new, added=new, without=own),
        Work(verdicts.ONE, Link(), [*old, *new], new, added=new, held=before),
        Work(
            verdicts.NOTHING,
            Link(20),
            listed[:LISTED],
            (),
            held=before,
            without=SAME_WHATEVER_IS_NEW | {verdicts.FLOOR},
        ),
    ]


def some_moved(source: Registry, before: Path) -> Work:
    """Update ten tags at the source. It changes the source, so this work comes last."""
    moved = publish(source.data, tiny(range(0, LISTED, LISTED // 10), moved=True))
    rest = publish(source.data, tiny(n for n in range(LISTED) if n % (LISTED // 10)))
    images = [*moved, *rest]
    return Work(verdicts.MOVED, Link(), images, moved, held=before, without=SAME_WHATEVER_IS_NEW)


def bench(runs: int, megabits: float, folder: Path) -> tuple[list[Result], list[str], float]:
    found = [(way, way.missing()) for way in all_contenders()]
    left_out = [f"{way.name}: {why}" for way, why in found if why]
    here = [way for way, why in found if not why]
    with registry(folder / "source") as source:
        note("making images")
        images = publish(source.data, big())
        before = held(folder)
        works = everything(images, megabits)
        results = compare(works, here, source, folder, runs=runs)
        results += compare(in_a_list(source, before), here, source, folder, runs=runs)
        last = [some_moved(source, before)]
        results += compare(last, here, source, folder, runs=runs)
    size = sum({digest: n for i in images for digest, n in i.blobs.items()}.values()) / 1e6
    return results, left_out, size


def versions() -> str:
    """Return the version that each program reports."""
    asked = [(find_act(), "--version"), *((name, "--version") for name in ("skopeo", "curl"))]
    asked += [("docker-registry", "--version"), ("dockerd", "--version"), ("git", "--version")]
    said = []
    for name, option in asked:
        if shutil.which(name):
            out = subprocess.run([name, option], capture_output=True, text=True, check=False).stdout
            number = re.search(r"v?(\d+\.\d[\w.+~-]*)", out)
            said.append(f"{Path(name).name} {number[1] if number else '?'}")
    return ", ".join(said)


def main(runs: int, megabits: float) -> bool:
    with storage() as folder:
        results, left_out, size = bench(runs, megabits, folder)
    found = verdicts.Found(results)
    listed = "Not measured here: " + ", ".join(left_out) + "." if left_out else ""
    words = WORDS.format(size=size, big=20, listed=LISTED, slow=40, left_out=listed)
    measured = table(verdicts.COLUMNS, verdicts.table(found))
    PAGE.with_suffix(".svg").write_text(picture(results), "utf-8")
    return tell(
        "Bench",
        f"{words}\n\n{measured}",
        verdicts.bars(found),
        "make bench",
        versions=versions(),
    )


def own_cost() -> bool:
    found = bot_cost.measured()
    drawn = bot_picture.picture(bot_cost.costs(found))
    PAGE.with_name("benchmarks-bot.svg").write_text(drawn, "utf-8")
    words, rows = bot_cost.words(), bot_cost.rows(found)
    return tell("The bot's own cost", words, rows, "python tests/bench bot", versions=libraries())


def reading() -> bool:
    words = pastes.WORDS.format(runs=pastes.RUNS, loop=pastes.LOOP)
    return tell("Reading pastes", words, pastes.rows(), "python tests/bench pastes")


def page() -> bool:
    import sandbox_page  # noqa: PLC0415 - what it needs is installed by `make browser`

    found = sandbox_page.measured()
    return tell("The sandbox's page", sandbox_page.WORDS, found, "python tests/bench page")


def libraries() -> str:
    names = ("python-telegram-bot", "PyGithub", "SQLAlchemy")
    said = (f"{name} {metadata.version(name)}" for name in names)
    return ", ".join([*said, f"SQLite {sqlite3.sqlite_version}"])


def tls(name: str, runs: int, chosen: str) -> bool:
    """Measure the works whose names match. Only the whole table goes into the docs."""
    title, rows, goals = tls_rows.TABLES[name]
    with storage() as folder:
        works = [work for work in rows(folder, tls_rows.Sizes()) if re.search(chosen, work.name)]
        found = over_tls.measured(folder, works, runs)
    shown = table(tls_rows.COLUMNS, tls_rows.lines(found))
    bars = tls_rows.bars(found, goals)
    if chosen:
        print(shown, *bars, sep="\n")  # noqa: T201 - a program's output
        return all(row.good is not False for row in bars)
    PAGE.with_name(f"benchmarks-{name}.svg").write_text(picture(found), "utf-8")
    words = f"{tls_rows.words(works)}\n\n![Seconds of each way](benchmarks-{name}.svg)\n\n{shown}"
    return tell(title, words, bars, f"python tests/bench {name}", versions=versions())


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in tls_rows.TABLES:
        number, which = [*sys.argv[2:4], *("", "")][:2]
        sys.exit(not tls(sys.argv[1], int(number or RUNS), which))
    if sys.argv[1:] == ["bot"]:
        sys.exit(not own_cost())
    if sys.argv[1:] == ["page"]:
        sys.exit(not page())
    if sys.argv[1:] == ["pastes"]:
        sys.exit(not reading())
    wanted = [*sys.argv[1:], str(RUNS)][0]
    sys.exit(not main(int(wanted), float([*sys.argv[2:], "0"][0])))
