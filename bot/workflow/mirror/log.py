"""Writes the log of the run, and makes untrusted text safe for it and for a status."""

import re
import sys

STATUS_CHARACTERS = 140  # GitHub refuses a longer description
LOG_CHARACTERS = 1000


def one_line(text: str, limit: int = STATUS_CHARACTERS) -> str:
    """Return untrusted text as one printable line. A long text loses its middle."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    shown = " ".join(text.split())
    return shown if len(shown) <= limit else f"{shown[:40]}…{shown[41 - limit :]}"


def say(text: str) -> None:
    """Write one line of the log at once. Lines of several threads do not mix.

    The runner would execute `::name::` at the start of a line and `##[name]` anywhere in it.
    """
    line = one_line(text, LOG_CHARACTERS).replace("##[", "# #[")
    sys.stdout.write(f"{re.sub('^::', ': :', line)}\n")
    sys.stdout.flush()
