"""Queries for what chats follow, and for the news that they were told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, or_, select

from bot.adapters.store.rows import LIMIT, NOW, Rows, fields_of, place_of, placed, without
from bot.adapters.store.schema_follow import follows, news
from bot.core.follow import LIST_INTERVAL, Follow, News
from bot.core.ids import ChatId, PersonId, RequestId


class FollowQueries(Rows):
    """Implements engine/ports/follows.py."""

    async def follows_in(self, chat: ChatId) -> Sequence[Follow]:
        wanted = select(follows).where(follows.c.chat == chat).order_by(follows.c.id.desc())
        return [_follow(row) for row in await self._all(wanted)]

    async def count_follows(self, person: PersonId) -> int:
        counted = select(func.count()).select_from(follows).where(follows.c.person == person)
        return int((await self._connection.execute(counted)).scalar_one())

    async def add_follow(self, follow: Follow) -> None:
        await self._connection.execute(insert(follows), [placed(without_id(follow))])

    async def drop_follows(self, follows: Sequence[int]) -> None:
        await self._connection.execute(delete(_FOLLOWS).where(_FOLLOWS.c.id.in_(follows)))

    async def due_follows(self, now: datetime, *, limit: int) -> Sequence[Follow]:
        too_far = now + 2 * LIST_INTERVAL  # the clock was set back
        due = or_(
            follows.c.not_before.is_(None),
            follows.c.not_before <= NOW,
            follows.c.not_before > too_far,
        )
        wanted = select(follows).where(due).order_by(follows.c.not_before).limit(LIMIT)
        return [_follow(row) for row in await self._all(wanted, now=now, limit=limit)]

    async def save_follows(self, follows: Sequence[Follow]) -> None:
        if follows:
            await self._save_all(_FOLLOWS, [placed(fields_of(each)) for each in follows])

    async def chats_with_news(self) -> Sequence[ChatId]:
        wanted = select(follows.c.chat).where(follows.c.news != "").distinct()
        return [ChatId(chat) for chat in (await self._connection.execute(wanted)).scalars()]

    async def add_news(self, told: Sequence[News], *, before: datetime) -> None:
        await self._connection.execute(delete(news).where(news.c.told_at < before))
        await self._connection.execute(insert(news), [fields_of(each) for each in told])

    async def news(self, key: str) -> News | None:
        row = await self._one(select(news).where(news.c.key == key))
        return None if row is None else News(**row)

    async def take_news(self, key: str, request: RequestId) -> None:
        await self._save(news, {"key": key, "request": request})


_FOLLOWS = follows


def without_id(follow: Follow) -> dict[str, Any]:
    values = fields_of(follow)
    del values["id"]
    return values


def _follow(row: Any) -> Follow:
    return Follow(place=place_of(row), **without(row, "chat", "thread"))
