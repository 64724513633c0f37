"""How the log looks: one line an event on standard error, no payloads, no secrets."""

import logging
from collections.abc import Collection

_CHATTY = ("httpx", "httpcore", "telegram", "alembic", "github", "urllib3", "uvicorn")
"""Libraries whose log of each call would hold addresses with the token in them."""


SHORTEST_SECRET = 4


class HidingFormatter(logging.Formatter):
    """Replaces every known secret in what is written, tracebacks included."""

    def __init__(self, secrets: Collection[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        # Hiding one of a letter or two would only hide the log's own words.
        long = (secret for secret in secrets if len(secret) >= SHORTEST_SECRET)
        self._secrets = sorted(long, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def start_log(*, secrets: Collection[str] = (), level: int = logging.INFO) -> None:
    """Log to standard error from here on."""
    handler = logging.StreamHandler()
    handler.setFormatter(HidingFormatter(secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    # It calls a client that tries TLS first, as skopeo does, an invalid request.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
