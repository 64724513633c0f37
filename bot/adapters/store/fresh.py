"""Queries for tracked images, and for who watches them.

The cost of a tick of the fresh lane depends on what is due, has a transfer or has arrived.
`tracked_names` and `count_tracked` go through the whole list, so do not call them at each tick.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Select,
    Text,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    type_coerce,
    update,
)

from bot.adapters.store.offers import HELD, IS_COPY
from bot.adapters.store.rows import (
    LIMIT,
    NOW,
    Rows,
    fields_of,
    place_of,
    placed,
    request_of,
    without,
)
from bot.adapters.store.schema import links, requests, tracked, transfers, watches
from bot.core.fresh import FreshPlan, TrackedImage, Watch
from bot.core.ids import BOT_ITSELF, ChatId, PersonId
from bot.core.image import ImageRef
from bot.core.request import Request
from bot.core.tag_class import TagClass, tag_class
from bot.core.transfer import Transfer

_LATE_TRANSFERS = 20
"""How many of the newest transfers of an image are searched for requests."""
_IDLE = and_(tracked.c.updated_at.is_(None), tracked.c.transfer.is_(None))


class FreshQueries(Rows):
    """Reads and writes tracked images and watches."""

    # -- the list -----------------------------------------------------------------------

    async def tracked_names(self) -> set[str]:
        names = await self._connection.execute(select(type_coerce(tracked.c.image, Text)))
        return set(names.scalars())

    async def track(self, images: Sequence[TrackedImage]) -> None:
        if images:
            await self._connection.execute(insert(tracked), [_row(each) for each in images])

    async def untrack(self, images: Sequence[ImageRef]) -> None:
        await self._connection.execute(tracked.delete().where(tracked.c.image.in_(images)))

    async def is_tracked(self, image: ImageRef) -> bool:
        return await self._any(_IS_TRACKED, image=image)

    async def save_tracked(self, images: Sequence[TrackedImage]) -> None:
        if images:
            await self._save_all(tracked, [_row(each) for each in images])

    async def bring_forward(self, plan: FreshPlan, now: datetime) -> None:
        taught = [type_coerce(tracked.c.image, Text).op("GLOB")(f"*:{p}") for p in plan.floating]
        for kind, interval in plan.intervals.items():
            of_kind = tracked.c.tag_class == kind
            if kind is TagClass.FLOATING:
                of_kind = or_(of_kind, *taught)
            far = and_(of_kind, tracked.c.not_before > now + interval)
            await self._connection.execute(update(tracked).where(far).values(not_before=now))

    # -- checks -------------------------------------------------------------------------

    async def checks_since(self, since: datetime, now: datetime) -> Mapping[str, int]:
        rows = await self._connection.execute(_looks(), {"since": since, "now": now})
        return {registry: count for registry, count in rows}  # noqa: C416 - rows are no pairs

    async def due_tracked(
        self, registry: str, now: datetime, *, limit: int
    ) -> Sequence[TrackedImage]:
        return await self._tracked(_due(), registry=registry, now=now, limit=limit)

    async def count_tracked(self, now: datetime) -> tuple[int, int]:
        row = (await self._connection.execute(_COUNTS, {"now": now})).one()
        return row[0], row[1]

    async def next_check(self) -> datetime | None:
        return (await self._connection.execute(_NEXT_LOOK)).scalar_one_or_none()

    async def last_seen(self, registry: str) -> TrackedImage | None:
        return next(iter(await self._tracked(_LAST_SEEN, registry=registry)), None)

    async def gone_news(self, *, limit: int) -> Sequence[TrackedImage]:
        return await self._tracked(_GONE_NEWS, limit=limit)

    # -- updated, with a transfer, arrived ----------------------------------------------

    async def updated_upstream(self, *, limit: int) -> Sequence[TrackedImage]:
        return await self._tracked(_UPDATED, limit=limit)

    async def tracked_transfers(self) -> Sequence[tuple[TrackedImage, Transfer]]:
        found = await self._tracked(_ON_WAY)
        ids = [each.transfer for each in found]
        going = {transfer.id: transfer for transfer in await self._transfers(_GOING, ids=ids)}
        return [(each, going[each.transfer]) for each in found if each.transfer is not None]

    async def arrived(self, *, limit: int) -> Sequence[TrackedImage]:
        return await self._tracked(_ARRIVED, limit=limit)

    async def open_transfers_of(self, images: Collection[ImageRef]) -> Mapping[ImageRef, Transfer]:
        found = await self._transfers(_OPEN_OF, images=images)
        return {transfer.image: transfer for transfer in found}

    # -- what is known of a page of the list --------------------------------------------

    async def newest_transfers(self, images: Collection[ImageRef]) -> Mapping[ImageRef, Transfer]:
        found = await self._transfers(_NEWEST_OF, images=images)
        return {transfer.image: transfer for transfer in found}

    async def first_askers(
        self, images: Collection[ImageRef], *, chat: ChatId, person: PersonId
    ) -> Mapping[ImageRef, Request]:
        rows = await self._all(_first_askers(), images=images, chat=chat, person=person)
        return {row["asked_for"]: request_of(row, "asked_for") for row in rows}

    async def tracked_among(
        self, images: Collection[ImageRef]
    ) -> Mapping[ImageRef, datetime | None]:
        wanted = select(tracked.c.image, tracked.c.gone_at).where(tracked.c.image.in_(images))
        return {row["image"]: row["gone_at"] for row in await self._all(wanted)}

    # -- whom to tell -------------------------------------------------------------------

    async def recent_requests_for(
        self, image: ImageRef, *, since: datetime, but_for: str, limit: int
    ) -> Sequence[Request]:
        of = {"image": image, "since": since, "digest": but_for, "limit": limit}
        return [request_of(row) for row in await self._all(_askers(), **of)]

    async def watchers(self, image: ImageRef, *, limit: int) -> Sequence[Watch]:
        return [_watch(row) for row in await self._all(_WATCHERS, image=image, limit=limit)]

    async def watches_of(self, person: PersonId) -> Sequence[Watch]:
        wanted = select(watches).where(watches.c.person == person)
        return [_watch(row) for row in await self._all(wanted.order_by(watches.c.since.desc()))]

    async def save_watch(self, watch: Watch) -> None:
        await self._upsert(watches, placed(fields_of(watch)))

    async def drop_watch(self, person: PersonId, image: ImageRef) -> bool:
        own = and_(watches.c.person == person, watches.c.image == image)
        return (await self._connection.execute(watches.delete().where(own))).rowcount > 0

    async def drop_watches(self, image: ImageRef) -> None:
        await self._connection.execute(watches.delete().where(watches.c.image == image))

    async def _tracked(self, wanted: Select[Any], **values: Any) -> list[TrackedImage]:
        rows = await self._all(wanted, **values)
        return [TrackedImage(**without(row, "registry", "tag_class")) for row in rows]


def _row(each: TrackedImage) -> dict[str, Any]:
    """With two columns derived from the image's name, for indexes."""
    kind = tag_class(each.image)
    return {**fields_of(each), "registry": each.image.registry, "tag_class": kind}


def _watch(row: Any) -> Watch:
    return Watch(place=place_of(row), **without(row, "chat", "thread"))


# -- the statements, built once: to build one takes longer than to run it

_IS_TRACKED = select(tracked.c.image).where(tracked.c.image == bindparam("image")).limit(1)
_COUNTS = select(func.count(), func.count().filter(_IDLE, tracked.c.not_before <= NOW)).select_from(
    tracked
)
_NEXT_LOOK = select(tracked.c.not_before).where(_IDLE).order_by(tracked.c.not_before).limit(1)
_UPDATED = (
    select(tracked)
    .where(tracked.c.updated_at.is_not(None), ~HELD)
    .order_by(tracked.c.updated_at)
    .limit(LIMIT)
)
_ON_WAY = select(tracked).where(tracked.c.transfer.is_not(None))
_GOING = select(transfers).where(transfers.c.id.in_(bindparam("ids", expanding=True)))
_ARRIVED = (
    select(tracked)
    .where(tracked.c.arrived_at.is_not(None))
    .order_by(tracked.c.arrived_at)
    .limit(LIMIT)
)
_LAST_SEEN = (
    select(tracked)
    .where(_IDLE, tracked.c.registry == bindparam("registry"), tracked.c.seen_at.is_not(None))
    .where(tracked.c.missing_since.is_(None))
    .order_by(tracked.c.seen_at.desc())
    .limit(1)
)
_GONE_NEWS = (
    select(tracked)
    .where(tracked.c.gone_news.is_not(None))
    .order_by(tracked.c.gone_news)
    .limit(LIMIT)
)
_OPEN_OF = select(transfers).where(
    transfers.c.ended.is_(None),
    IS_COPY,
    transfers.c.image.in_(bindparam("images", expanding=True)),
)
_WATCHERS = (
    select(watches)
    .where(watches.c.image == bindparam("image"))
    .order_by(watches.c.since)
    .limit(LIMIT)
)


_IMAGES: BindParameter[Any] = bindparam("images", expanding=True)
_NEWEST_OF = select(transfers).where(
    transfers.c.id.in_(
        select(func.max(transfers.c.id))
        .where(transfers.c.image.in_(_IMAGES), IS_COPY)
        .group_by(transfers.c.image)
    )
)


@cache
def _first_askers() -> Select[Any]:
    joined = transfers.join(links, links.c.transfer == transfers.c.id)
    joined = joined.join(requests, requests.c.id == links.c.request)
    here = or_(requests.c.chat == bindparam("chat"), requests.c.person == bindparam("person"))
    asked = (transfers.c.image.in_(_IMAGES), IS_COPY, requests.c.person != BOT_ITSELF, here)
    first = (
        select(transfers.c.image.label("asked_for"), func.min(requests.c.id).label("first"))
        .select_from(joined)
        .where(*asked)
        .group_by(transfers.c.image)
        .subquery()
    )
    return select(first.c.asked_for, requests).join(first, first.c.first == requests.c.id)


@cache
def _looks() -> Select[Any]:
    since: BindParameter[datetime] = bindparam("since")
    lately = and_(tracked.c.looked_at > since, tracked.c.looked_at <= NOW)
    wanted = select(tracked.c.registry, func.count()).where(lately)
    return wanted.group_by(tracked.c.registry)


@cache
def _due() -> Select[Any]:
    registry: BindParameter[str] = bindparam("registry")
    due = and_(tracked.c.registry == registry, tracked.c.not_before <= NOW)
    return select(tracked).where(_IDLE, due).order_by(tracked.c.not_before).limit(LIMIT)


@cache
def _askers() -> Select[Any]:
    late = select(transfers.c.id).where(transfers.c.image == bindparam("image"))
    late = late.order_by(transfers.c.id.desc()).limit(_LATE_TRANSFERS)
    there = func.coalesce(transfers.c.copied_digest, transfers.c.digest)
    joined = transfers.join(links, links.c.transfer == transfers.c.id)
    joined = joined.join(requests, requests.c.id == links.c.request)
    wanted = (
        select(requests)
        .select_from(joined)
        .where(
            transfers.c.id.in_(late),
            or_(there.is_(None), there != bindparam("digest")),
            requests.c.cancelled_at.is_(None),
            requests.c.opened_at >= bindparam("since"),
            requests.c.person != BOT_ITSELF,
        )
    )
    return wanted.distinct().order_by(requests.c.id.desc()).limit(LIMIT)
