"""How long to wait after a temporary trouble: growing, spread out, never against the server.

Pure on purpose: the spread comes from a seed, not from chance, so a test can name the wait.
"""

from datetime import timedelta
from zlib import crc32

FIRST_WAIT = 2.0
LONGEST_WAIT = 300.0


def wait_after(attempts: int, *, seed: object, retry_after: float | None = None) -> timedelta:
    """The wait after the `attempts`-th failure in a row (1 is the first), in time.

    Doubles from 2 s to 5 min, each spread over ±25 % by `seed` so that many waits do not end
    together. `retry_after` (seconds) is the server's own wish: the wait is never shorter.
    """
    grown = min(FIRST_WAIT * 2.0 ** min(attempts - 1, 16), LONGEST_WAIT)
    spread = 0.75 + (crc32(f"{seed}/{attempts}".encode()) % 1000) / 2000
    return timedelta(seconds=max(grown * spread, retry_after or 0.0))
