"""The exceptions that this program raises.

    BotError
    ├── ConfigError        the config is wrong: one line, exit code 2
    ├── BadReference       a text is no image reference (core/image.py)
    ├── TransientError     an outside service has a problem: the same call may work later
    ├── RefusedError       an outside service refused: the same call will be refused again
    ├── StaleError         somebody else wrote first: read again, then write again
    ├── ChatMovedError     a group became a supergroup: it has another id now
    └── TakenError         another bot holds what only one may hold: one line, exit code 3

Expected results, such as an image that is not there or a press that came too late, are values and
not exceptions. The texts that people read are in bot/locales/. The causes that these texts
belong to are in core/retry.py (`TroubleKind`) and core/failures.py (`FailureKind`).
"""

from typing import Final

from bot.core.ids import ChatId
from bot.core.retry import TROUBLE_LINE_LIMIT, Trouble, TroubleKind


class BotError(Exception):
    """The base class of everything that this program raises on purpose."""


class ConfigError(BotError):
    """A setting is missing or wrong. The text names the file and the key."""


class TransientError(BotError):
    """A service did not answer, or asked us to wait.

    `text` is for the log, `trouble` for people. `retry_after` is how long the server asks us to
    wait, in seconds, or None. `unclear` is True when the request may have taken effect.
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
    """A service refused for good. The text is what it answered, bounded and without secrets."""


class UnsignedError(RefusedError):
    """A digest has no signature as a rule demands it. The text says what was found instead."""


class PullRefusedError(RefusedError):
    """The target has the image and lets nobody pull it. The text is the target's reason."""


class StaleError(BotError):
    """A compare-and-swap failed: the branch or the file has changed."""


class TakenError(BotError):
    """Another bot holds what only one may hold. The text says what, and what to do."""


class ChatMovedError(BotError):
    """A group became a supergroup. `chat` is its new id (`migrate_to_chat_id` of the Bot API)."""

    def __init__(self, chat: ChatId) -> None:
        super().__init__(f"the chat has moved to {chat}")
        self.chat = chat
