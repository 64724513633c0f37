"""Inputs by the million: only the errors of errors.py are raised, and nothing wrong is accepted.

Three drivers feed the targets of fuzz_targets.py with bytes. A seeded random is fast, hypothesis
shrinks what it finds, and atheris follows the coverage. What one of them has found becomes an
example in the ordinary test file of the part that was fixed.
"""

import importlib.util
import logging
import math
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType

import pytest
from fuzz_targets import TARGETS
from generators import FILES, SEEDS, Choices
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pasted import ALL

from bot import config
from bot.adapters import words
from bot.adapters.github import errors as github_errors
from bot.adapters.registry import manifest
from bot.core import image, image_list
from bot.workflow.mirror import reference
from bot.workflow.mirror.reference import REST

HERE = Path(__file__).parent
SIZES = (8, 16, 32, 64, 200)
PART = 100
"""The small selection takes one of so many inputs."""
BY_COVERAGE = {
    "references": 15_000,
    "corrections": 5_000,
    "files": 1_200,
    "github_answers": 10_000,
    "registry_bodies": 9_000,
    "typed_commands": 12_000,
    "pressed_buttons": 15_000,
    "lines_of_the_list": 3_000,
}
"""About two seconds each, after the four of their common start."""
SECONDS = 3
DONE = re.compile(r"^Done ([0-9]+) runs in", re.MULTILINE)


@pytest.fixture(autouse=True)
def _no_log() -> Iterator[None]:
    """Silence the log: a million inputs would write a million lines."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def throw(name: str, inputs: Iterable[bytes], tally: Counter[str]) -> None:
    check = TARGETS[name].check
    for data in inputs:
        tally["inputs"] += 1
        try:
            check(Choices(data))
        except Exception as error:
            tally["violations"] += 1
            error.add_note(f"{name} was given {data.hex()}")
            raise


def drawn(name: str, number: int) -> Iterator[bytes]:
    """The same bytes in each run."""
    source = random.Random(name)  # noqa: S311 - it has to be reproducible
    for _ in range(number):
        yield source.randbytes(source.choice(SIZES))


def shrinking(name: str, examples: int, tally: Counter[str]) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.binary(max_size=200))
    def some(data: bytes) -> None:
        throw(name, [data], tally)

    some()


@pytest.mark.sample
@pytest.mark.parametrize("name", TARGETS)
def test_no_input_of_a_fixed_selection_gets_through(name: str, tally: Counter[str]) -> None:
    number = max(1, TARGETS[name].inputs // PART)
    throw(name, drawn(name, number), tally)
    shrinking(name, min(20, number), tally)


BREAKS: dict[str, tuple[str, ModuleType | type, str, object]] = {
    "the script takes a line end": (
        *("references", reference, "REST"),
        re.compile(REST.pattern + r"\n?"),
    ),
    "the script takes any digit": (
        *("references", reference, "REST"),
        re.compile(REST.pattern.replace("0-9_", r"\d_")),
    ),
    "the bot takes a longer name": ("references", image, "REPOSITORY_LIMIT", 256),
    "a dash is a slash to a flat target": (
        *("targets_apart", image.Target, "name_of"),
        lambda self, ref: f"{self.host}/{str(ref).replace('/', '-')}",
    ),
    "a line is added without its end": (
        "lines_of_the_list",
        image_list,
        "_line_end",
        lambda _: b"",
    ),
    "a value is said as it is": ("said", words, "_escaped", str),
    "an answer of another shape is let through": (
        "github_answers",
        github_errors,
        "_MALFORMED_ANSWER_ERRORS",
        (),
    ),
    "no wait is too long": ("github_answers", github_errors, "LONGEST_LIMIT_WAIT", math.inf),
    "any digest is believed": ("registry_headers", manifest, "is_digest", bool),
    "a config may raise anything": ("config_files", config, "UNREADABLE", ()),
}


@pytest.mark.sweep(kept=2)
@pytest.mark.parametrize("name", BREAKS)
def test_a_break_on_purpose_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target, place, attribute, broken = BREAKS[name]
    monkeypatch.setattr(place, attribute, broken)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any exception of the mutant
        throw(target, drawn(name, 20_000), Counter())
    assert any("was given" in note for note in caught.value.__notes__)


@pytest.mark.chaos
@pytest.mark.parametrize("name", TARGETS)
def test_no_input_gets_through(name: str, tally: Counter[str]) -> None:
    throw(name, drawn(f"{name}, large", TARGETS[name].inputs), tally)
    shrinking(name, max(1, min(100, TARGETS[name].inputs // 10)), tally)


@pytest.mark.long
@pytest.mark.parametrize("name", TARGETS)
def test_no_input_that_nobody_has_thrown_yet_gets_through(name: str, tally: Counter[str]) -> None:
    """Other bytes in each run. Hypothesis prints the input that it finds."""
    throw(name, drawn(f"{name}, {time.time()}", 3 * TARGETS[name].inputs), tally)


@pytest.mark.chaos
def test_a_large_run_throws_a_million_inputs() -> None:
    assert sum(target.inputs for target in TARGETS.values()) >= 1_000_000


def seeded(folder: Path) -> Path:
    """Write a corpus of what people write, as the generators read it, and of some random bytes."""
    folder.mkdir()
    texts = [f"\0{text}".encode() for text in SEEDS]
    for paste in ALL:
        name = FILES.index(paste.name) if paste.name in FILES else 0
        texts += [bytes((1, name)) + paste.text.encode(), bytes((0, 1, name)) + paste.text.encode()]
    for number, data in enumerate((*texts, *drawn("corpus", 100))):
        (folder / str(number)).write_bytes(data)
    return folder


def followed(runs: Mapping[str, int], folder: Path, tally: Counter[str]) -> None:
    """Return the runs of each target, or as many as fit in SECONDS."""
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("no atheris here: it exists for CPython 3.11 to 3.13 on Linux x86_64 alone")
    done = subprocess.run(
        [
            *(sys.executable, str(HERE / "fuzz_by_coverage.py"), str(folder)),
            *(f"{name}={number}" for name, number in runs.items()),
            *("--", f"-max_total_time={SECONDS}", "-seed=41"),
            *("-max_len=2000", "-len_control=0", f"-artifact_prefix={folder}/"),
            str(seeded(folder / "corpus")),
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert all((folder / f"{name}.log").exists() for name in runs), done.stderr[-3000:]
    logs = {name: (folder / f"{name}.log").read_text() for name in runs}
    inputs = {name: int(m[1]) if (m := DONE.search(log)) else 0 for name, log in logs.items()}
    tally["inputs"] += sum(inputs.values())
    tally["violations"] += done.returncode
    silent = {name: logs[name][-3000:] for name, number in inputs.items() if number == 0}
    assert (done.returncode, silent) == (0, {})


@pytest.mark.sweep
@pytest.mark.sample
def test_coverage_leads_to_no_input_that_gets_through(tmp_path: Path, tally: Counter[str]) -> None:
    followed({"references": 1_000}, tmp_path, tally)


@pytest.mark.chaos
def test_coverage_leads_to_nothing_in_a_large_run(tmp_path: Path, tally: Counter[str]) -> None:
    followed(BY_COVERAGE, tmp_path, tally)
