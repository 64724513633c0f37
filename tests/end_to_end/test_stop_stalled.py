"""A stop ends in time whatever hangs. It needs a process, which a hanging thread keeps alive."""

import signal
import subprocess
import sys

HANGS = """
import asyncio, logging, threading, time
from bot import app

app.STOP_SECONDS = app.CLOSE_SECONDS = 0.3
logging.basicConfig(level=logging.INFO)

async def stalls(*_):
    done = asyncio.get_running_loop().run_in_executor(None, time.sleep, 600)
    print("stalls", flush=True)
    while True:
        try:
            await asyncio.shield(done)
        except asyncio.CancelledError:
            pass

app._work = stalls
asyncio.run(app.run(None, None, None))
"""


def test_a_disk_that_stalls_does_not_hold_up_a_stop() -> None:
    command = [sys.executable, "-c", HANGS]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "stalls\n"
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=90)
    assert process.returncode == 0, said
    assert "the next start repeats them" in said
