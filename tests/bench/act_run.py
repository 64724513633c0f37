"""One run of the workflow by act, in a process of its own, so that its cost is measured alone.

Reads a job as JSON, checks the commit out as actions/checkout would, runs act as the sandbox
does, and prints its cost. The start and the imports of this process are not counted.
"""

import asyncio
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from bot.sandbox.github.act import Job, find_act, run_act
from bot.sandbox.github.git_repository import GitRepository


async def run(told: dict[str, Any]) -> dict[str, Any]:
    job = Job(directory=Path(told["directory"]), **told["job"])
    job.directory.mkdir()
    act = find_act()
    started = time.monotonic()
    await GitRepository(Path(told["repository"])).clone(told["sha"], job.clone)
    good = await run_act(act, job)
    wall = time.monotonic() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    log = job.log.read_text(errors="replace").splitlines()
    said = [line for line in log if " error " in line or " failure " in line] or log[-3:]
    return {
        "good": good,
        "wall": wall,
        "processor": used.ru_utime + used.ru_stime,
        "said": said[:3],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(run(json.load(sys.stdin)))))
