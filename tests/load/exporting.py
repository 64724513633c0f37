"""How long `imageto-bot history` takes for 100,000 decisions, and how much memory.

The history is that of history.py, with a decision on each transfer. The command runs as a process
of its own. Its memory at the peak is compared with that for a tenth of the decisions.
"""

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import yaml
from history import write_history
from store_fixture import database_of

from bot.adapters.store import SqliteStore

DECISIONS = 100_000
FORMS = ("csv", "json", "in-toto")
SECONDS = 20.0
MORE_MEMORY = 10.0
"""Megabytes that ten times as many decisions may take more."""
_ROOT = Path(__file__).parents[2]
_KEPT = """
    INSERT INTO pseudonyms (person, pseudonym)
        SELECT id, 'p:' || printf('%08x', rowid) FROM people;
    INSERT INTO decisions (transfer, request, image, name, tag, digest, verdict, ground, rule, at)
        SELECT id, id, image, image, '1', digest, 'approve', 'rule', '**', ended_at FROM transfers
"""
_PEAK = "import resource,subprocess,sys;subprocess.run(sys.argv[1:],stdout=-3,check=True);"
_PEAK += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"


@dataclass(frozen=True)
class Exported:
    """Seconds and megabytes at the peak of each form, and megabytes for a tenth of it."""

    seconds: dict[str, float]
    memory: dict[str, float]
    smaller: dict[str, float]


async def measure(decisions: int = DECISIONS) -> Exported:
    seconds, memory, smaller = {}, {}, {}
    with tempfile.TemporaryDirectory(prefix="imageto-export-") as made:
        few = await _config(Path(made) / "few", decisions // 10)
        many = await _config(Path(made) / "many", decisions)
        for form in FORMS:
            _, smaller[form] = _run(few, form)
            seconds[form], memory[form] = _run(many, form)
    return Exported(seconds, memory, smaller)


async def _config(folder: Path, decisions: int) -> Path:
    folder.mkdir()  # noqa: ASYNC240 - nothing else runs
    store = await SqliteStore.open(folder / "bot.sqlite3")
    run = database_of(store).connection.exec_driver_sql
    write_history(run, decisions)
    for statement in _KEPT.split(";"):
        run(statement)
    await store.empty_journal()
    await store.close()
    config = yaml.safe_load((_ROOT / "config.example.yaml").read_text())
    config["database"] = str(folder / "bot.sqlite3")
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def _run(config: Path, form: str) -> tuple[float, float]:
    bot = str(Path(sys.executable).with_name("imageto-bot"))
    command = [bot, "history", "--config", str(config), "--format", form]
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, *command], capture_output=True, text=True, check=True
    )
    return time.perf_counter() - began, int(done.stdout) / 1024  # from kilobytes
