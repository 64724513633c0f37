"""The format of the log: one line per event on standard error, no payloads, no secrets.

Names and error texts come from untrusted people. They cannot start a line, hide text or change
colours, so every line that starts with a date was written by this program.
"""

import logging
import sys
import threading
import unicodedata
from collections.abc import Collection
from types import TracebackType

_LOG_URLS = ("aiohttp", "httpx", "httpcore", "telegram", "alembic", "github", "urllib3", "uvicorn")
"""Libraries that log the URL of each call, and a URL may hold a token."""

SHORTEST_SECRET = 4
_MARGIN = "  | "
"""The prefix of every further line of an event, such as those of a traceback."""
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that end lines, move the cursor, or change the direction of text."""


def visible(text: str) -> str:
    """The text on one line, with an escape code for each invisible character."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c.encode("unicode_escape").decode("ascii") if unicodedata.category(c) in _INVISIBLE else c
        for c in text
    )


class HidingFormatter(logging.Formatter):
    """Replaces every known secret by ***, in tracebacks too."""

    def __init__(self, secrets: Collection[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        # Hiding a secret of one or two letters would make the log unreadable.
        long = (secret for secret in secrets if len(secret) >= SHORTEST_SECRET)
        self._secrets = sorted(long, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        own = logging.makeLogRecord(record.__dict__)
        # Hide before escaping too: a secret may contain characters that are escaped.
        own.msg, own.args = visible(self._hidden(record.getMessage())), None
        own.exc_text = None  # another handler may have cached a text that contains secrets
        first, *more = self._hidden(super().format(own)).splitlines()
        return "\n".join([first, *(_MARGIN + visible(line) for line in more)])

    def _hidden(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def start_log(*, secrets: Collection[str] = (), level: int = logging.INFO) -> None:
    """Log to standard error from now on, uncaught exceptions included.

    `secrets` are hidden in every line. `level` is one of the logging module.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(HidingFormatter(secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _LOG_URLS:
        logging.getLogger(name).setLevel(logging.WARNING)
    # skopeo tries TLS first, which uvicorn would log as an invalid request.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    logging.getLogger("bot").critical("Unhandled exception", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(uncaught: threading.ExceptHookArgs) -> None:
    if uncaught.exc_value is not None:
        _log_uncaught(uncaught.exc_type, uncaught.exc_value, uncaught.exc_traceback)
