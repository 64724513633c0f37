"""`Shutdown.unless_requested`: a shutdown cancels the wait, and no error of the work is lost."""

import asyncio

import pytest

from bot.engine.shutdown import Shutdown


async def test_the_work_is_done_where_no_shutdown_is_requested() -> None:
    assert await Shutdown().unless_requested(asyncio.sleep(0, "done")) == "done"


async def test_a_request_cancels_what_is_under_way_wherever_it_waits() -> None:
    shutdown, ends = Shutdown(), list[str]()

    async def work(name: str) -> str:
        try:
            await asyncio.sleep(60)
        finally:
            ends.append(name)
        return name

    waits = [asyncio.create_task(shutdown.unless_requested(work(name))) for name in "ab"]
    await asyncio.sleep(0)
    shutdown.request()
    shutdown.request()  # a second signal
    assert await asyncio.gather(*waits) == [None, None]
    assert sorted(ends) == ["a", "b"]


async def test_after_the_request_nothing_is_begun() -> None:
    shutdown, begun = Shutdown(), list[bool]()

    async def work() -> None:
        begun.append(True)

    shutdown.request()
    assert await shutdown.unless_requested(work()) is None
    assert begun == []


async def test_what_work_says_that_was_called_off_is_of_no_account() -> None:
    shutdown = Shutdown()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise ValueError("half done") from None

    wait = asyncio.create_task(shutdown.unless_requested(work()))
    await asyncio.sleep(0)
    shutdown.request()
    assert await wait is None


async def test_an_error_of_the_work_is_raised() -> None:
    async def work() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        await Shutdown().unless_requested(work())


async def test_whoever_is_cancelled_without_a_request_stays_cancelled() -> None:
    wait = asyncio.create_task(Shutdown().unless_requested(asyncio.sleep(60)))
    await asyncio.sleep(0)
    wait.cancel()
    with pytest.raises(asyncio.CancelledError):
        await wait
