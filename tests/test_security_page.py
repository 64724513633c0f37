"""SECURITY.md names only tests, make targets and numbers that exist."""

import re
import tomllib
from pathlib import Path

import yaml

from bot.adapters.telegram import PACE
from bot.config_policy import LimitsSection
from bot.engine.intake import rate_limit

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "SECURITY.md").read_text("utf-8")


def test_every_test_that_the_page_names_exists_and_holds_tests() -> None:
    named = set(re.findall(r"`(tests/[a-z_/]+\.py)`", PAGE))
    assert len(named) > 5
    for name in named:
        assert re.search(r"^(async )?def test_", (ROOT / name).read_text("utf-8"), re.MULTILINE)


def test_every_row_of_the_page_names_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("|")][2:]
    assert len(rows) > 8
    assert all("`tests/" in row.split("|")[-2] for row in rows)


def test_every_target_that_the_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)`", PAGE)) <= targets


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    most = LimitsSection.model_fields["minute"].default
    assert (
        f"{most} commands a minute for a member, {rate_limit.ANSWERS_TO_STRANGERS} for all" in PAGE
    )
    assert f"{PACE.messages} messages" in " ".join(PAGE.split())


def test_the_page_fits_on_one() -> None:
    assert len(PAGE.split()) < 1760


def test_known_vulnerabilities_are_looked_for_by_a_step_of_its_own() -> None:
    file = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text("utf-8"))
    runs = [step.get("run") for job in file["jobs"].values() for step in job["steps"]]
    assert "make audit" in runs
    target = (ROOT / "Makefile").read_text("utf-8").partition("\naudit:")[2]
    assert "--strict" in target.split("\n\n")[0]


def test_bandits_rules_are_on_and_every_exception_says_why() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"]["lint"]
    assert lint["select"] == ["ALL"]
    assert {rule for rule in lint["ignore"] if re.fullmatch("S[0-9]+", rule)} == {"S603", "S607"}
    for path in [*(ROOT / "bot").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]:
        for line in path.read_text("utf-8").splitlines():
            if "# noqa" in line and path != Path(__file__):
                assert re.search(r"# noqa: [A-Z0-9, ]+ - \w", line), f"{path.name}: {line}"
