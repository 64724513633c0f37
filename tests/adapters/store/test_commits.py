"""Where a commit runs: on the event loop, or in a worker thread after a slow one."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from bot.adapters.store.commits import BESIDE, QUICK, Commits


class Disk:
    """A disk whose commits take `takes` seconds of a clock that the test sets."""

    def __init__(self) -> None:
        self.now, self.takes = 100.0, 0.0
        self.threads: list[bool] = []
        self.error: Exception | None = None
        self.go = threading.Event()
        self.go.set()

    def commit(self) -> None:
        self.threads.append(threading.current_thread() is not threading.main_thread())
        assert self.go.wait(90)
        self.now += self.takes
        if self.error is not None:
            raise self.error


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def commits(disk: Disk) -> Iterator[Commits]:
    commits = Commits(disk.commit, clock=lambda: disk.now)
    yield commits
    commits.close()


async def test_after_a_slow_commit_the_loop_waits_for_none_for_a_while(
    disk: Disk, commits: Commits
) -> None:
    disk.takes = QUICK / 2
    await commits.commit()
    disk.takes = QUICK * 2
    await commits.commit()
    await commits.commit()
    disk.now += BESIDE
    await commits.commit()
    assert disk.threads == [False, False, True, False]


@pytest.mark.parametrize("slow", [False, True])
async def test_a_commit_that_fails_says_so(disk: Disk, commits: Commits, *, slow: bool) -> None:
    if slow:
        disk.takes = 1.0
        await commits.commit()
    disk.error = OSError("full")
    with pytest.raises(OSError, match="full"):
        await commits.commit()
    assert disk.threads[-1] is slow


async def test_whoever_is_cancelled_meanwhile_learns_of_it_after_the_commit(
    disk: Disk, commits: Commits
) -> None:
    disk.takes = 1.0
    await commits.commit()
    disk.go.clear()
    waiting = asyncio.create_task(commits.commit())
    while len(disk.threads) < 2:
        await asyncio.sleep(0.01)
    waiting.cancel()
    await asyncio.sleep(0.05)
    assert not waiting.done()
    disk.go.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
