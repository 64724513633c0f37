"""The part of the store that holds what chats follow, and the news that they were told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.core.follow import Follow, News
from bot.core.ids import ChatId, PersonId, RequestId


class Follows(Protocol):
    """What is followed in a chat."""

    async def follows_in(self, chat: ChatId) -> Sequence[Follow]:
        """All of a chat, the newest first."""

    async def count_follows(self, person: PersonId) -> int:
        """How many a person has asked for, in all chats."""

    async def add_follow(self, follow: Follow) -> None:
        """Store a new one. Its `id` is ignored: the store gives it one."""

    async def drop_follows(self, follows: Sequence[int]) -> None:
        """Delete these, by their ids."""


class FollowLists(Protocol):
    """What the lane reads and writes about lists of tags."""

    async def due_follows(self, now: datetime, *, limit: int) -> Sequence[Follow]:
        """At most `limit` whose list is due, the longest overdue first."""

    async def save_follows(self, follows: Sequence[Follow]) -> None:
        """Store changed ones. Those that were deleted are left out."""

    async def chats_with_news(self) -> Sequence[ChatId]:
        """The chats that are to be told of something."""

    async def add_news(self, news: Sequence[News], *, before: datetime) -> None:
        """Store what a chat is told, and delete what was told `before` then."""


class ToldNews(Protocol):
    """What a press on a message about news needs."""

    async def news(self, key: str) -> News | None:
        """The news of this key. None where there are none."""

    async def take_news(self, key: str, request: RequestId) -> None:
        """Store the request that a press has opened."""
