"""The tree of this program's own exceptions.

    BotError
    ├── ConfigError        the config is wrong: one line, exit code 2
    ├── BadReference       a text is no image reference (core/image.py)
    ├── TransientError     an outside service is in trouble; the same call may work later
    ├── RefusedError       an outside service said no, and will say no again
    ├── StaleError         somebody else wrote first; read again, then write again
    ├── ChatMovedError     a group became a supergroup: it goes on under another id
    └── TakenError         another bot has what only one may have: one line, exit code 3

Expected results (an image that is not there, a press that came too late) are values, not
exceptions. Nothing here knows how an error is worded for people: core/retry.py and
core/failures.py name the causes.
"""

from typing import Final

from bot.core.retry import TROUBLE_LINE_LIMIT, Trouble, TroubleKind


class BotError(Exception):
    """The root: everything this program raises on purpose."""


class ConfigError(BotError):
    """A setting is missing or wrong; the text names the file and the key."""


class TransientError(BotError):
    """A service did not answer, or asked us to wait. `text` is for the log, `trouble` for people.

    `retry_after` is in seconds: the server's own wish, or None when it named none.
    `unclear` is True when the request may have taken effect all the same.
    """

    def __init__(
        self,
        text: str,
        *,
        kind: TroubleKind = TroubleKind.OTHER,
        who: str = "",
        retry_after: float | None = None,
        unclear: bool = False,
    ) -> None:
        super().__init__(text)
        self.trouble: Final = Trouble(kind, who, text[:TROUBLE_LINE_LIMIT])
        self.retry_after = retry_after
        self.unclear = unclear


class RefusedError(BotError):
    """A service refused for good; `text` is its own words, bounded, without secrets."""


class StaleError(BotError):
    """A compare-and-swap lost: the branch or the file moved on."""


class TakenError(BotError):
    """Another bot has what only one may have; the text says what, and what to do."""


class ChatMovedError(BotError):
    """A group became a supergroup: it goes on under another id."""

    def __init__(self, chat: int) -> None:
        super().__init__(f"the chat has moved to {chat}")
        self.chat = chat
