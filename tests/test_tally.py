"""The tally that the fault tests count with is printed, whole, at the end of a run."""

import pytest

pytest_plugins = ["pytester"]

COUNTING = """
def test_one(tally):
    tally["kill points"] += 1200

def test_two(tally):
    tally["kill points"] += 34
    tally["violations"] += 1
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_what_all_workers_threw_is_told_at_the_end(
    pytester: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    pytester.makeconftest((pytester._request.path.parent / "conftest.py").read_text())
    pytester.makepyfile(COUNTING)
    told = pytester.runpytest_subprocess("-p", "no:cacheprovider", *workers).stdout
    told.fnmatch_lines(["*thrown at the bot*", "kill points: 1,234", "violations: 1"])


def test_a_run_that_threw_nothing_says_nothing(pytester: pytest.Pytester) -> None:
    pytester.makeconftest((pytester._request.path.parent / "conftest.py").read_text())
    pytester.makepyfile("def test_one(tally):\n    pass\n")
    told = pytester.runpytest_subprocess("-p", "no:cacheprovider").stdout
    told.no_fnmatch_line("*thrown at the bot*")
