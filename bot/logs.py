"""How the log looks: one line an event on standard error, no payloads, no secrets.

What strangers choose gets into it by names and error texts. So a line that begins with a date is
always ours: theirs cannot begin one, nor hide or recolour what stands there.
"""

import logging
import sys
import threading
import unicodedata
from collections.abc import Collection
from types import TracebackType

_CHATTY = ("aiohttp", "httpx", "httpcore", "telegram", "alembic", "github", "urllib3", "uvicorn")
"""Libraries whose log of each call would hold addresses with the token in them."""

SHORTEST_SECRET = 4
_MARGIN = "  | "
"""Before every further line of an event: a traceback's."""
_UNSHOWN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode's categories of what ends lines, moves the cursor, or turns the direction of text."""


def visible(text: str) -> str:
    """The text on one line, with an escape code for each character that shows nothing."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c.encode("unicode_escape").decode("ascii") if unicodedata.category(c) in _UNSHOWN else c
        for c in text
    )


class HidingFormatter(logging.Formatter):
    """Replaces every known secret in what is written, tracebacks included."""

    def __init__(self, secrets: Collection[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        # Hiding one of a letter or two would only hide the log's own words.
        long = (secret for secret in secrets if len(secret) >= SHORTEST_SECRET)
        self._secrets = sorted(long, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        own = logging.makeLogRecord(record.__dict__)
        # Hidden before escaping too: a secret may itself hold what is escaped.
        own.msg, own.args = visible(self._hidden(record.getMessage())), None
        own.exc_text = None  # another handler may have left its own, in which nothing is hidden
        first, *more = self._hidden(super().format(own)).splitlines()
        return "\n".join([first, *(_MARGIN + visible(line) for line in more)])

    def _hidden(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def start_log(*, secrets: Collection[str] = (), level: int = logging.INFO) -> None:
    """Log to standard error from here on; so does what nobody caught, instead of Python."""
    handler = logging.StreamHandler()
    handler.setFormatter(HidingFormatter(secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    # It calls a client that tries TLS first, as skopeo does, an invalid request.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    logging.getLogger("bot").critical("nobody foresaw this", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None:
        _log_uncaught(told.exc_type, told.exc_value, told.exc_traceback)
