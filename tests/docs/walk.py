"""How many files of the product one `/mirror nginx:1.27` passes on its way to the result.

Run `python tests/docs/walk.py` for the counts, with `-v` for the files. The world is that of
tests/fakes.py, so of the adapters only the store and the words are counted.
"""

import asyncio
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import Final

ROOT: Final = Path(__file__).parents[2]
BOT: Final = f"{ROOT}/bot/"
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fakes import NGINX, WEI, world  # noqa: E402 - found by the line above


class Passed:
    """A profiler that records the first call into each file of bot/, in order."""

    def __init__(self) -> None:
        self.files: dict[str, set[str]] = {}

    def __call__(self, frame: FrameType, event: str, _arg: object) -> None:
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(BOT) and frame.f_code.co_name != "<module>":
            self.files.setdefault(file.removeprefix(BOT), set()).add(frame.f_code.co_qualname)


async def walked() -> tuple[Passed, int]:
    """Return the files that a mirrored image passes, and how many before the request is stored."""
    passed = Passed()
    with tempfile.TemporaryDirectory() as folder:
        async with world(Path(folder)) as w:
            w.upstream(NGINX)
            threading.setprofile(passed)
            sys.setprofile(passed)
            await w.say(WEI, "/mirror nginx:1.27")
            stored = len(passed.files)
            await w.settle(8)
            w.copied(NGINX)
            await w.settle(12)
            sys.setprofile(None)
            threading.setprofile(None)  # type: ignore[arg-type]
            assert w.last.startswith("Done, 1 of 1"), w.last
    return passed, stored


if __name__ == "__main__":
    all_passed, first = asyncio.run(walked())
    functions = sum(map(len, all_passed.files.values()))
    lines = [f"{file}: {', '.join(sorted(names))}" for file, names in all_passed.files.items()]
    lines = lines if "-v" in sys.argv else []
    lines.append(
        f"{len(all_passed.files)} files, {functions} functions. Until it is stored: {first} files."
    )
    print("\n".join(lines))  # noqa: T201 - a program's output
