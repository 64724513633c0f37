"""Tells the log what happens to images, so that it can be followed by the name of an image.

A line names the image, the numbers of request and transfer, and people by their pseudonyms. Nothing
here writes an id or a name of a person: `imageto-bot who p:7f3a91c2` says who it is.
"""

import logging
from collections.abc import Sequence
from typing import Final

from bot.core.ids import ChatId, RequestId, is_private
from bot.core.image import ImageRef
from bot.core.transfer import State, Transfer

log = logging.getLogger(__name__)

IMAGES_NAMED: Final = 20
"""Of one request. The others are counted."""
BUG: Final = "It is a bug: report it with the lines below. The bot goes on"
"""What to do about an exception that nobody expected."""


def log_request(number: RequestId, person: str, images: Sequence[ImageRef]) -> None:
    """`person` is a pseudonym."""
    more = f" and {rest} more" if (rest := len(images) - IMAGES_NAMED) > 0 else ""
    names = ", ".join(map(str, images[:IMAGES_NAMED]))
    log.info("request %d of %s: %s%s", number, person, names, more)


def log_change(before: Transfer, after: Transfer) -> None:
    """Where the transfer is now, with what was found out on the way there."""
    facts = [after.state.value, *_facts(before, after)]
    log.info("%s: %s", named(after), ", ".join(facts))


def _facts(before: Transfer, after: Transfer) -> list[str]:
    match after.state:
        case State.FAILED if after.failure is not None:
            return [f"{after.failure.kind}: {after.failure.line}"]
        case State.APPROVED if after.requeues > before.requeues and after.requeue_cause:
            return [f"again after {after.requeue_cause.kind}: {after.requeue_cause.line}"]
        case State.WAITING | State.APPROVED:
            return [f"digest {after.digest}"]
        case State.SUBMITTED:
            return [f"batch {after.batch}"]
        case State.COPYING:
            return [f"{'run' if after.copying_at else 'queued run'} {after.run_url or after.run}"]
        case _:
            return [after.reason] if after.reason else []


def named(transfer: Transfer) -> str:
    return f"{transfer.image} (transfer {transfer.id})"


def chat_name(chat: ChatId) -> str:
    """A chat for the log. The id of a private chat is that of the person."""
    return "a private chat" if is_private(chat) else f"chat {chat}"
