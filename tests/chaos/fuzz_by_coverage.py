"""Runs one fuzz target under atheris, in a process of its own: libFuzzer ends it.

    python fuzz_by_coverage.py TARGET [options of libFuzzer] CORPUS

The product is instrumented, so that inputs that reach something new are kept and varied.
"""

import logging
import sys
from pathlib import Path

import atheris

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

with atheris.instrument_imports(include=["bot.core", "bot.adapters", "bot.workflow"]):
    import fuzz_targets
    from generators import Choices


def main() -> None:
    logging.disable(logging.CRITICAL)
    check = fuzz_targets.TARGETS[sys.argv.pop(1)].check
    atheris.Setup(sys.argv, lambda data: check(Choices(data)))
    atheris.Fuzz()


main()
