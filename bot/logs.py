"""The format of the log: one line per event on standard error, no payloads, no secrets.

As text a line is for people. As JSON it is one object for programs, with the time in UTC.

Names and error texts come from untrusted people. They cannot start a line, hide text or change
colours, so every line that starts with a date was written by this program.
"""

import json
import logging
import re
import sys
import threading
import unicodedata
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Final

_LOG_URLS = ("aiohttp", "httpx", "httpcore", "telegram", "alembic", "github", "urllib3", "uvicorn")
"""Libraries that log the URL of each call, and a URL may hold a token."""

_TOKENS: Final = re.compile(
    r"[0-9]{6,}:[A-Za-z0-9_-]{30,}"  # Telegram
    r"|gh[a-z]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|glpat-[A-Za-z0-9_-]{16,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"  # a JSON Web Token
    r"|(?<=Bearer )[A-Za-z0-9._~+/=-]{16,}|(?<=Basic )[A-Za-z0-9+/=]{16,}"
    r"|(?<=://)[^/\s@]{1,200}:[^/\s@]{1,200}(?=@)"  # a login in an address
)
"""What looks like a secret, also of somebody else."""
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
    """Replaces by *** every known secret and what looks like a token, in tracebacks too."""

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
        return _TOKENS.sub("***", text)


class JsonFormatter(HidingFormatter):
    """The same as one object of JSON in a line. `trace` has the lines of a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": visible(self._hidden(record.getMessage())),
        }
        if record.exc_info:
            trace = self._hidden(self.formatException(record.exc_info))
            said["trace"] = [visible(line) for line in trace.splitlines()]
        return json.dumps(said)


FORMATS: Final[Mapping[str, type[HidingFormatter]]] = {
    "text": HidingFormatter,
    "json": JsonFormatter,
}
LEVELS: Final = ("debug", "info", "warning", "error")


def start_log(*, secrets: Collection[str] = (), level: str = "info", form: str = "text") -> None:
    """Log to standard error from now on, uncaught exceptions included.

    `secrets` are hidden in every line. `level` is one of LEVELS, and `form` one of FORMATS.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(FORMATS[form](secrets))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
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
