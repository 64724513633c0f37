"""The port of a service whose conversations show how what was asked for there stands."""

from collections.abc import Collection
from typing import Protocol

from bot.core.ids import ChatId, MessageId
from bot.core.service import Service
from bot.core.standing import Standing


class Conversations(Protocol):
    """Each call may raise TransientError, or RefusedError where the conversation is gone."""

    service: Service

    async def show_standing(
        self, chat: ChatId, standing: Standing, asked: Collection[MessageId]
    ) -> None:
        """Show how the requests stand. `asked` are the messages that asked for them."""
