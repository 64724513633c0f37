"""The bot's own cost: measures it and compares it with the limits that the product promises.

bot_picture.py draws what has a limit.
"""

import asyncio
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import bot_list
from bot_requests import Alone, Found, Plan, requests
from bot_starts import Starts, starts
from crowd import Size
from meter import percentile
from play import Played, play
from report import Row

from bot.core.batch import poll_interval

BURST = Size(people=200, requests=200, images=200, seconds=10, groups=10)
PLAN = Plan(
    runs=(3.0, 3.2, 3.4, 3.6, 3.8, 15.0, 15.4, 15.8, 16.2, 16.6), calm=120, at_once=400, idle=60
)
STARTS = 5
TRANSFERS = 1_000_000
WORDS = """\
The bot is the real process, Telegram and GitHub are the sandbox's, the repository and both
registries are real. **act is replaced** by the runner of `make load`. It copies by HTTP and
posts the results, and its runs take 3 to 4 s and 15 to 17 s here. The processes that stand for
other machines run at a lower priority than the bot. The burst is {requests} requests for as
many images by {people} people in {seconds:.0f} s. A start counts from the end of the imports. A
used database holds {transfers:,} closed transfers, and its token was used within 90 s. With a
new one the bot first listens for 4 s, to be sure that no other bot has the token. Times are
medians where nothing else is said. 304 is GitHub's answer that nothing has changed, which no
limit counts.

![Each cost as a part of what is allowed](benchmarks-bot.svg)"""


@dataclass(frozen=True)
class Cost:
    """A measured value and its limit."""

    what: str
    found: float
    limit: float
    unit: str = ""
    up_to: bool = True
    """Whether the limit itself is allowed."""

    @property
    def good(self) -> bool:
        return self.found <= self.limit if self.up_to else self.found < self.limit

    @property
    def told(self) -> str:
        return f"{self.found:,.3g}{self.unit}"

    @property
    def bar(self) -> str:
        return f"{'at most' if self.up_to else 'under'} {self.limit:,g}{self.unit}"

    def row(self) -> Row:
        return Row(self.what, self.told, self.bar, self.good)


@dataclass(frozen=True)
class Measured:
    starts: Starts
    single: Found
    burst: Played
    list_of_one: float
    list_of_hundred: float


def measured(plan: Plan = PLAN, burst: Size = BURST) -> Measured:
    return Measured(
        asyncio.run(starts(STARTS, TRANSFERS)),
        asyncio.run(requests(plan, burst)),
        asyncio.run(play(burst)),
        bot_list.milliseconds(1),
        bot_list.milliseconds(100),
    )


def costs(of: Measured) -> list[Cost]:
    return [*_starting(of.starts), *_answering(of.single.alone), *_burst(of.burst), *_rest(of)]


def _starting(found: Starts) -> list[Cost]:
    new, used = (statistics.median(s.asking for s in each) for each in (found.new, found.used))
    return [
        Cost("start → asks for messages, new database", new, 2, " s", up_to=False),
        Cost("start → takes messages, used database", used, 2, " s", up_to=False),
    ]


def _answering(alone: Sequence[Alone]) -> list[Cost]:
    """The median for each polling interval. A slower polling permits a later answer."""
    rows = []
    for interval in sorted({each.interval for each in alone}):
        middle = statistics.median(each.answer for each in alone if each.interval == interval)
        what = f"6. run finished → answer, polled each {interval:g} s"
        rows.append(Cost(what, middle, interval, " s", up_to=False))
    slowest = max(poll_interval(timedelta(seconds=age)) for age in range(60))
    what = "6. polling interval in a run's first minute"
    return [*rows, Cost(what, slowest.total_seconds(), 3, " s")]


def _burst(burst: Played) -> list[Cost]:
    size = burst.size.requests
    return [
        Cost("5. burst: commits", len(burst.calls.commits), 3),
        Cost("5. burst: runs", burst.runs, 3),
        Cost("5. burst: GitHub calls a request", burst.github_calls / size, 1),
        Cost("5. burst: not answered, or wrongly", len(burst.wrong), 0),
        Cost("burst: memory at its peak", burst.bot.peak, 200, " MB", up_to=False),
    ]


def _rest(of: Measured) -> list[Cost]:
    return [
        Cost("GitHub calls in an idle minute", sum(of.single.idle.values()), 0),
        Cost("1 image into 100,000 lines, CPU", of.list_of_one, 100, " ms", up_to=False),
        Cost("100 images into 100,000 lines, CPU", of.list_of_hundred, 100, " ms", up_to=False),
    ]


def rows(of: Measured) -> list[Row]:
    """Return the values with a limit, then those without."""
    return [*(cost.row() for cost in costs(of)), *_told(of)]


def _told(of: Measured) -> list[Row]:
    new, used, single, burst = of.starts.new, of.starts.used, of.single, of.burst
    calm = [1000 * seconds for seconds in single.calm]
    answers, commits = ([getattr(a, n) for a in single.alone] for n in ("answer", "commit"))
    calls = [sum(each.calls.values()) for each in single.alone]
    unchanged = [each.unchanged for each in single.alone]
    asked, free = sum(burst.calls.of("github").values()), burst.calls.unchanged["github"]
    size = burst.size.requests
    return [
        Row("start → takes messages, new database", _seconds([each.taking for each in new])),
        Row("the process and its imports → asks", _seconds([each.whole for each in (*new, *used)])),
        Row(
            "message → stored when calm, median / p99",
            f"{statistics.median(calm):.0f} / {percentile(calm, 99):.0f} ms",
        ),
        Row("approval → commit (2 s of them for others to join)", _seconds(commits)),
        Row("run finished → answer, of any age", _seconds(answers)),
        Row(
            "one request alone: GitHub calls",
            f"{_range(calls)}, of which 304: {_range(unchanged)}",
        ),
        *[Row(f"… {what}", _range(_counts(single.alone, what))) for what in _kinds(single.alone)],
        Row("burst: GitHub calls", f"{asked}, of which 304: {free}"),
        Row("burst: requests answered a second", f"{size / burst.took:.1f}"),
        Row("burst: until all were answered", f"{burst.took:.0f} s"),
        Row("messages stored a second, when many wait", f"{single.stored_a_second:.0f}"),
    ]


def _seconds(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} s, longest {max(values):.2f} s"


def _range(values: Sequence[int]) -> str:
    least, most = min(values), max(values)
    return str(least) if least == most else f"{least} to {most}"


def _kinds(alone: Sequence[Alone]) -> list[str]:
    return list(dict.fromkeys(what for each in alone for what in each.calls))


def _counts(alone: Sequence[Alone], what: str) -> list[int]:
    return [each.calls.get(what, 0) for each in alone]


def words() -> str:
    return WORDS.format(transfers=TRANSFERS, **vars(BURST))
