"""The tally of the fault tests is printed in full at the end of a run."""

from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")
pytest_plugins = ["pytester"]

COUNTING = """
def test_one(tally):
    tally["kill points"] += 1200

def test_two(tally):
    tally["kill points"] += 34
    tally["violations"] += 1
"""


def test_what_all_workers_threw_is_told_at_the_end(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST.read_text())
    pytester.makepyfile(COUNTING)
    told = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-n", "2").stdout
    told.fnmatch_lines(["*thrown at the bot*", "kill points: 1,234", "violations: 1"])


def test_a_run_that_threw_nothing_says_nothing(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST.read_text())
    pytester.makepyfile("def test_one(tally):\n    pass\n")
    told = pytester.runpytest_subprocess("-p", "no:cacheprovider").stdout
    told.no_fnmatch_line("*thrown at the bot*")
