"""Virtual time waits for threads and skips every other wait."""

import asyncio
import time

from virtual_time import VirtualTimeLoop

LOOP_FACTORY = VirtualTimeLoop


async def test_no_time_passes_while_a_thread_is_at_work() -> None:
    loop = asyncio.get_running_loop()
    hour = asyncio.create_task(asyncio.sleep(3600))
    for _ in range(20):
        await asyncio.to_thread(time.sleep, 0.002)
        await asyncio.sleep(0)
    assert loop.time() == 0
    await hour
    assert loop.time() >= 3600
