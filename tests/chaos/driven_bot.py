"""The bot as it is, with a clock of the wall that a test can set, and less patience.

The file that CLOCK_FILE names holds by how many seconds the clock is off. A bot that gives way
to another with the same token comes back after some seconds instead of a minute.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot import build
from bot.adapters.telegram import takeover
from bot.cli import main

OFF = Path(os.environ["CLOCK_FILE"])


def set_clock() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=float(OFF.read_text()))


build.utc_now = set_clock
takeover.GIVE_WAY = 8.0  # type: ignore[misc]
main()
