"""Runs fuzz targets under atheris, each in a child process, since libFuzzer ends its process.

    python fuzz_by_coverage.py FOLDER TARGET=RUNS… -- [options of libFuzzer] CORPUS

The product is instrumented, so that inputs that reach new code are kept and varied. Instrumenting
is slow, so it is done once, before the children are forked. libFuzzer's output is in
FOLDER/TARGET.log, the inputs that it kept in FOLDER/TARGET. The exit code is the number of
targets that failed.
"""

import logging
import os
import sys
from pathlib import Path

import atheris

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

with atheris.instrument_imports(include=["bot.core", "bot.adapters", "bot.workflow"]):
    import fuzz_targets
    from generators import Choices


def fuzz(name: str, options: list[str]) -> None:
    """Does not return."""
    check = fuzz_targets.TARGETS[name].check
    atheris.Setup([sys.argv[0], *options], lambda data: check(Choices(data)))
    atheris.Fuzz()


def in_a_child(folder: Path, name: str, runs: str, options: list[str]) -> bool:
    """Return whether nothing was found."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    log = os.open(folder / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    found = folder / name
    found.mkdir()
    fuzz(name, [f"-runs={runs}", *options[:-1], str(found), options[-1]])
    os._exit(70)


def main() -> None:
    logging.disable(logging.CRITICAL)
    end = sys.argv.index("--")
    folder, options = Path(sys.argv[1]), sys.argv[end + 1 :]
    targets = [target.split("=") for target in sys.argv[2:end]]
    sys.exit(sum(not in_a_child(folder, name, runs, options) for name, runs in targets))


main()
