"""Runs the bot with a wall clock that a test can set, and with a shorter takeover wait.

The file named by CLOCK_FILE holds the clock's offset in seconds. A bot that yields to another
with the same token tries again after seconds instead of a minute.
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
