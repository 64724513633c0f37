"""A cancelled run leaves nothing behind: no process and no pipe, whatever act was doing."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from sandbox_process import alive

from bot.sandbox.github import act
from bot.sandbox.github.act import Job, run_act

CASES = {
    "it writes faster than it is read": "yes",
    "it does not hear": "trap '' TERM\nyes",
    "its child holds the pipe": "sleep 60 &\necho $! > ../child\nexec yes",
}


@pytest.mark.parametrize("script", CASES.values(), ids=CASES)
async def test_a_cancelled_run_leaves_no_process_and_no_pipe(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(act, "_GRACE", 1.0)
    program = tmp_path / "act"
    program.write_text(f"#!/bin/sh\necho $$ > ../started\n{script}\n")
    program.chmod(0o755)
    (tmp_path / "clone").mkdir()
    files = open_files()
    run = asyncio.create_task(run_act(str(program), job(tmp_path)))
    await until(lambda: (tmp_path / "log.txt").exists() and (tmp_path / "log.txt").stat().st_size)
    run.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await run
    for note in (tmp_path / "started", tmp_path / "child"):
        if note.exists():
            await until(lambda note=note: not alive(int(note.read_text())))
    await until(lambda: open_files() <= files)


def job(directory: Path) -> Job:
    return Job(directory, "push", payload={}, context={}, variables={}, environment={}, secrets={})


def open_files() -> set[str]:
    return {entry.name for entry in Path("/proc/self/fd").iterdir()}


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(90):
        while not true():
            await asyncio.sleep(0.02)
