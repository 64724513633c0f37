"""`make load` and `make soak`: run a load against the bot, print what was measured, check the bars.

Usage: python tests/load load | history | retention | export | soak [minutes].
Exit code 1 means that a bar was missed.
"""

import asyncio
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import exporting
import history
import retention
from crowd import FULL
from play import Played, play
from report import Row, below, tell
from soak import EVERY, FAULT_EVERY, PATIENCE, SAMPLE_EVERY, Soaked, soak

MINUTES = 20.0
LOAD_WORDS = """\
{people} people send {requests} requests for {images} images in {seconds:.0f} s. One in ten of
them is in one of {groups} groups, the rest in private. Flood limits are on. The bot,
python-telegram-bot, PyGithub, the database and both registries are real, Telegram and GitHub
are the sandbox's. **act is replaced** by a runner that copies by HTTP and posts the results
(`tests/load/runner.py`)."""
HISTORY_WORDS = """\
The median of {times} times, over a database with {young} closed transfers and over one with
{transfers:,}. Each transfer has a request, and each hundred a batch. Below 0.5 ms counts as 0.5
ms."""
RETENTION_WORDS = """\
{days} days with {a_day:,} requests each. `retention_days: {kept}` keeps the last {kept}."""
EXPORT_WORDS = """\
`imageto-bot history` prints {decisions:,} decisions, started as a process of its own. The memory
at its peak is compared with that for a tenth of the decisions."""
SOAK_WORDS = """\
A request each {every} s for {minutes:g} minutes, and a fault each {fault:.0f} s. The metrics
are read each {sample:.0f} s. Memory and files are the medians of the second and the last
quarter. What is open is counted when all is closed, or after {patience:.0f} s."""


def load_rows(played: Played) -> list[Row]:
    size, stored = played.size, [1000 * seconds for seconds in played.stored]
    middle, calls = statistics.median(stored), played.calls.of("telegram")
    said = sum(calls.get(f"POST /{what}", 0) for what in ("sendMessage", "editMessageText"))
    answered = f"{statistics.median(played.answered):.0f} / {max(played.answered):.0f} s"
    return [
        Row(
            "lost, told twice, or otherwise wrong",
            "; ".join(played.wrong[:3]) or "0",
            "0",
            not played.wrong,
        ),
        below("message to stored, p99", 1000 * played.p99, 50, " ms"),
        Row("message to stored, median / longest", f"{middle:.0f} / {max(stored):.0f} ms"),
        below("memory of the bot at its peak", played.bot.peak, 200, " MB"),
        Row("processor time of the bot", f"{played.bot.processor:.0f} s"),
        below("calls to GitHub", played.github_calls, 1000),
        *[Row(f"… {what}", str(count)) for what, count in played.calls.of("github").items()],
        Row("commits", str(len(played.calls.commits))),
        Row(
            "nearest two commits",
            f"{played.nearest_commits:.1f} s",
            "10 s or more",
            played.nearest_commits >= 10,
        ),
        Row("refused for flooding (429)", str(played.too_many), "0", played.too_many == 0),
        Row(
            "warnings in the bot's log",
            "; ".join(line[:120] for line in played.warnings[:3]) or "0",
        ),
        Row("messages and edits", f"{said:,}"),
        Row("message to result, median / longest", answered),
        Row(f"until all {size.requests:,} were answered", f"{played.took:.0f} s"),
    ]


def history_rows(times: dict[str, tuple[float, float]]) -> list[Row]:
    return [
        Row(
            what,
            f"{1000 * without:.2f} → {1000 * with_it:.2f} ms"
            f" (x {history.ratio(without, with_it):.2f})",
            f"under x {history.LIMIT:g}",
            history.ratio(without, with_it) < history.LIMIT,
        )
        for what, (without, with_it) in times.items()
    ]


def retention_rows(swept: retention.Swept) -> list[Row]:
    megabytes = [size / 1e6 for size in (swept.before, swept.after, swept.kept)]
    times = [1000 * seconds for seconds in swept.ticks]
    return [
        Row("the file before and after", f"{megabytes[0]:.0f} → {megabytes[1]:.0f} MB"),
        below(
            "… by a file that only ever held what is kept",
            swept.after / swept.kept,
            retention.LARGEST,
            "",
        ),
        Row("ticks of the sweep", f"{len(times):,}, median {statistics.median(times):.1f} ms"),
        below("the longest tick", max(times), retention.LONGEST_MS, " ms"),
    ]


def export_rows(exported: exporting.Exported) -> list[Row]:
    rows = []
    for form in exporting.FORMS:
        more = exported.memory[form] - exported.smaller[form]
        rows += [
            below(f"`--format {form}`", exported.seconds[form], exporting.SECONDS, " s"),
            below("… memory more than for a tenth", more, exporting.MORE_MEMORY, " MB"),
        ]
    return rows


def soak_rows(soaked: Soaked) -> list[Row]:
    memory, files = soaked.medians("rss"), soaked.medians("files")
    first, last = soaked.processes
    return [
        Row("requests, faults", f"{soaked.requests:,}, {soaked.faults}"),
        Row(
            "samples",
            f"{len(soaked.samples)} of {soaked.expected}",
            "90 % or more",
            len(soaked.samples) >= 0.9 * soaked.expected,
        ),
        Row(
            "the bot's process at the end",
            "the same" if first == last else "another" if last else "none",
            "the same",
            first is not None and first == last,
        ),
        Row("requests open at the end", str(soaked.open), "0", soaked.open == 0),
        Row(
            "errors in the bot's log",
            "; ".join(line[:120] for line in soaked.errors[:3]) or "0",
            "0",
            not soaked.errors,
        ),
        Row(
            "memory",
            f"{memory[0]:.1f} → {memory[1]:.1f} MB",
            "+ 5 % or 3 MB at most",
            memory[1] - memory[0] <= max(3.0, 0.05 * memory[0]),
        ),
        Row(
            "open files",
            f"{files[0]:.0f} → {files[1]:.0f}",
            "+ 2 at most",
            files[1] - files[0] <= 2,
        ),
    ]


def main(what: str, minutes: float) -> bool:
    match what:
        case "load":
            words = LOAD_WORDS.format(**vars(FULL))
            return tell("Load", words, load_rows(asyncio.run(play(FULL))), "make load")
        case "history":
            words = HISTORY_WORDS.format(
                times=history.TIMES, young=history.YOUNG, transfers=history.TRANSFERS
            )
            rows = history_rows(asyncio.run(history.compare()))
            return tell("History", words, rows, "make load")
        case "retention":
            words = RETENTION_WORDS.format(
                days=retention.DAYS, kept=retention.KEPT, a_day=retention.A_DAY
            )
            rows = retention_rows(asyncio.run(retention.sweep()))
            return tell("Retention", words, rows, "make load")
        case "export":
            words = EXPORT_WORDS.format(decisions=exporting.DECISIONS)
            rows = export_rows(asyncio.run(exporting.measure()))
            return tell("Export", words, rows, "make load")
        case "soak":
            words = SOAK_WORDS.format(
                every=EVERY,
                minutes=minutes,
                fault=FAULT_EVERY,
                sample=SAMPLE_EVERY,
                patience=PATIENCE,
            )
            return tell("Soak", words, soak_rows(asyncio.run(soak(minutes))), "make soak")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    wanted = [*sys.argv[1:], ""][0]
    sys.exit(not main(wanted, float([*sys.argv[2:], MINUTES][0])))
