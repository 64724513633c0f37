"""Queries for the versions of cards: see core/card_version.py."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Delete, Select, bindparam, delete, exists, insert, select

from bot.adapters.store.rows import REQUEST_IDS, Rows, fields_of
from bot.adapters.store.schema import card_versions, requests
from bot.core.card_version import VERSIONS_KEPT, CardVersion
from bot.core.ids import RequestId


class CardVersionQueries(Rows):
    """Reads and writes versions of cards."""

    async def card_version(self, key: str) -> CardVersion | None:
        row = await self._one(_BY_KEY, key=key)
        return None if row is None else CardVersion(**row)

    async def card_versions_of_all(
        self, asked: Collection[RequestId]
    ) -> Mapping[RequestId, Sequence[CardVersion]]:
        found: defaultdict[RequestId, list[CardVersion]] = defaultdict(list)
        for row in await self._all(_of_all(), asked=asked):
            version = CardVersion(**row)
            found[version.request].append(version)
        return {request: found[request] for request in asked}

    async def add_card_version(self, version: CardVersion) -> None:
        await self._connection.execute(insert(card_versions), fields_of(version))
        await self._connection.execute(_old(), {"request": version.request, "kept": VERSIONS_KEPT})
        await self._connection.execute(_of_closed())


# -- the statements, built once: to build one takes longer than to run it

_IS_OPEN = exists(
    select(requests.c.id).where(
        requests.c.id == card_versions.c.request, requests.c.closed_at.is_(None)
    )
)
_BY_KEY = select(card_versions).where(card_versions.c.key == bindparam("key"), _IS_OPEN)
_OF_ONE = card_versions.c.request == bindparam("request")


@cache
def _of_all() -> Select[Any]:
    wanted = select(card_versions).where(card_versions.c.request.in_(REQUEST_IDS))
    return wanted.order_by(card_versions.c.made_at)


@cache
def _old() -> Delete:
    newest = select(card_versions.c.key).where(_OF_ONE)
    newest = newest.order_by(card_versions.c.made_at.desc()).limit(bindparam("kept"))
    return delete(card_versions).where(_OF_ONE, card_versions.c.key.not_in(newest))


@cache
def _of_closed() -> Delete:
    return delete(card_versions).where(~_IS_OPEN)
