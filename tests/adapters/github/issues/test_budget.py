"""How long two hundred issues take with GitHub's limits on new comments, in virtual time."""

from bisect import insort

from bot.adapters.github.issues.budget import LIMITS, ContentBudget

ISSUES = 200
OPENED_IN = 600.0
COPIED_AFTER = 60.0
"""Seconds from a card to the result, as for a small image."""
CALL = 1.25
"""Seconds from one write to the next: see MirrorRepository."""


def test_two_hundred_issues_in_ten_minutes_have_two_comments_each_within_the_limits() -> None:
    now = 0.0
    budget = ContentBudget(lambda: now)
    waiting = [(number * OPENED_IN / ISSUES, True, number) for number in range(ISSUES)]
    made: list[tuple[float, bool, int]] = []
    while waiting:
        due = [each for each in waiting if each[0] <= now]
        first = min(due, key=lambda each: (each[1], each), default=None)  # results before cards
        if first is None:
            now = waiting[0][0]
        elif wait := budget.wait(card=first[1]):
            now += wait
        else:
            budget.count()
            made.append((now, *first[1:]))
            waiting.remove(first)
            if first[1]:
                insort(waiting, (now + COPIED_AFTER, False, first[2]))
            now += CALL
    times = [at for at, _, _ in made]
    for seconds, most in LIMITS:
        assert max(sum(t <= u < t + seconds for u in times) for t in times) <= most
    assert sorted((number, card) for _, card, number in made) == sorted(
        (number, card) for number in range(ISSUES) for card in (False, True)
    )
    hours = times[-1] / 3600
    print(f"{len(made)} comments on {ISSUES} issues: the last after {times[-1] / 60:.1f} minutes")  # noqa: T201 - a measurement
    assert hours < 1
