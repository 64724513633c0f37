"""Since when a digest is known, and until when a rule lets it wait."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.image import ImageRef
from bot.core.sighting import Sighting

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KNOWN = Sighting(image=ImageRef.parse("nginx:1.27"), digest="a", since=NOW - DAY, at=NOW - HOUR)

LOOKS = (
    ("a", NOW, NOW - DAY),
    ("b", NOW, NOW),
    ("a", NOW - 12 * HOUR, NOW - DAY),
    ("a", NOW - 2 * DAY, NOW - DAY),  # set back by a day: the time stands
    ("a", NOW - 3 * DAY, NOW - 3 * DAY),  # further: it was written by a wrong clock
)


@pytest.mark.parametrize(("digest", "now", "since"), LOOKS)
def test_a_digest_is_known_since_its_first_look(
    digest: str, now: datetime, since: datetime
) -> None:
    after = KNOWN.after_look(digest, now)
    assert (after.digest, after.since, after.at) == (digest, since, now)


@pytest.mark.parametrize(
    ("wait", "until"), [(timedelta(), None), (DAY, None), (3 * DAY, NOW + 2 * DAY)]
)
def test_it_waits_until_it_is_known_for_long_enough(
    wait: timedelta, until: datetime | None
) -> None:
    assert KNOWN.held_until(wait, NOW) == until
