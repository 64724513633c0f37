"""Queries for transfers: by number, by image, by request, and those that a lane has to handle.

As in requests.py, the cost of a query of a tick must not grow with closed transfers.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    type_coerce,
)

from bot.adapters.store.offers import IS_COPY
from bot.adapters.store.rows import (
    IDS,
    LIMIT,
    NOW,
    REQUEST_IDS,
    Rows,
    at_time,
    fields_of,
    in_time,
    without,
)
from bot.adapters.store.schema import decisions, links, transfers
from bot.core.decision import Ground, Verdict
from bot.core.ids import BatchId, RequestId, TransferId
from bot.core.image import ImageRef
from bot.core.transfer import State, Transfer


class TransferQueries(Rows):
    """Reads and writes transfers."""

    async def open_transfer(self, image: ImageRef, at: datetime) -> Transfer:
        row = await self._one(_OPEN_TRANSFER, image=image)
        if row is not None:
            return Transfer(**row)
        values = {"image": image, "opened_at": at}
        added = await self._add(transfers, values)
        return Transfer(id=TransferId(added), image=image, opened_at=at)

    async def transfer(self, transfer: TransferId) -> Transfer | None:
        row = await self._one(_TRANSFER, id=transfer)
        return None if row is None else Transfer(**row)

    async def transfers_of(self, request: RequestId) -> tuple[Transfer, ...]:
        return tuple(await self._transfers(_TRANSFERS_OF, request=request))

    async def transfers_of_all(
        self, asked: Collection[RequestId]
    ) -> Mapping[RequestId, tuple[Transfer, ...]]:
        found: defaultdict[RequestId, list[Transfer]] = defaultdict(list)
        values: dict[TransferId, Transfer] = {}  # many requests share transfers
        for row in await self._all(_transfers_of(), asked=asked):
            own = values.get(row["id"]) or Transfer(**without(row, "of"))
            values[own.id] = own
            found[RequestId(row["of"])].append(own)
        return {request: tuple(found[request]) for request in asked}

    async def open_transfers(self) -> Sequence[Transfer]:
        return await self._transfers(_OPEN_TRANSFERS)

    async def transfers_of_image(self, image: ImageRef, *, limit: int) -> Sequence[Transfer]:
        wanted = select(transfers).where(transfers.c.image == image, IS_COPY)
        rows = await self._all(wanted.order_by(transfers.c.id.desc()).limit(limit))
        return [Transfer(**row) for row in rows]

    async def last_copied(self, image: ImageRef) -> str | None:
        name = str(replace(image, digest=None))
        of = {"name": name, "digests": f"{name}@", "after": f"{name}A"}
        row = await self._one(_last_copied(), **of)
        if row is None and image.tag is not None:  # its transfer may have been deleted long ago
            name = f"{image.registry}/{image.repository}"
            row = await self._one(_last_approved(), name=name, tag=image.tag)
        return None if row is None else str(row["arrived"])

    async def last_failed(self) -> Transfer | None:
        wanted = select(transfers).where(transfers.c.failure.is_not(None))
        row = await self._one(wanted.order_by(transfers.c.ended_at.desc()).limit(1))
        return None if row is None else Transfer(**row)

    async def save_transfer(self, transfer: Transfer) -> None:
        await self._save(transfers, fields_of(transfer))

    async def transfers(self, wanted: Collection[TransferId]) -> Mapping[TransferId, Transfer]:
        found = await self._transfers(_TRANSFERS, ids=wanted)
        return {transfer.id: transfer for transfer in found}

    async def save_transfers(self, changed: Sequence[Transfer]) -> None:
        if changed:
            rows = [fields_of(transfer) for transfer in changed]
            await self._save_all(transfers, rows)

    async def any_open_transfer(self) -> bool:
        return await self._any(_ANY_OPEN)

    async def due_checks(self, now: datetime, *, limit: int) -> Sequence[Transfer]:
        return await self._transfers(_due_looks(), **at_time(now), limit=limit)

    async def due_submissions(self, now: datetime) -> Sequence[Transfer]:
        return await self._transfers(_due_submissions(), **at_time(now))

    async def images_in_batches(self) -> Sequence[ImageRef]:
        return [row["image"] for row in await self._all(_IN_BATCHES)]

    async def open_on_tag(self, image: ImageRef) -> Sequence[Transfer]:
        if image.tag is None:
            return []
        place = image.place
        text = str(place)
        found = await self._transfers(_ON_TAG, plain=place, first=f"{text}@", end=f"{text}A")
        return [transfer for transfer in found if transfer.image.place == place]

    async def any_unchecked_transfer(self) -> bool:
        return await self._any(_ANY_UNSEEN)

    async def queue(self) -> Sequence[tuple[datetime, BatchId | None]]:
        return [(at, batch) for at, batch in await self._connection.execute(_queue())]


# -- the statements, built once: to build one takes longer than to run it

_UNDER_WAY = transfers.c.ended.is_(None)
_TRANSFER = select(transfers).where(transfers.c.id == bindparam("id"))
_TRANSFERS = select(transfers).where(transfers.c.id.in_(IDS))
_OPEN_TRANSFERS = select(transfers).where(_UNDER_WAY, IS_COPY).order_by(transfers.c.id)
_OPEN_TRANSFER = _OPEN_TRANSFERS.where(transfers.c.image == bindparam("image"))
_TRANSFERS_OF = (
    select(transfers)
    .join(links, links.c.transfer == transfers.c.id)
    .where(links.c.request == bindparam("request"))
    .order_by(links.c.position)
)
_IN_BATCHES = select(transfers.c.image).where(_UNDER_WAY, transfers.c.batch.is_not(None))
# Every reference with this name and tag, and a digest: "@" is the character before "A".
_WITH_DIGEST = and_(
    type_coerce(transfers.c.image, Text) >= bindparam("first"),
    type_coerce(transfers.c.image, Text) < bindparam("end"),
)
_ON_TAG = _OPEN_TRANSFERS.where(or_(transfers.c.image == bindparam("plain"), _WITH_DIGEST))
_ANY_OPEN = select(transfers.c.id).where(_UNDER_WAY).limit(1)
_UNSEEN = and_(
    _UNDER_WAY,
    transfers.c.checked_at.is_(None),
    transfers.c.held_until.is_(None),
    transfers.c.attempts == 0,
)
_ANY_UNSEEN = select(transfers.c.id).where(_UNSEEN).limit(1)


@cache
def _transfers_of() -> Select[Any]:
    joined = transfers.join(links, links.c.transfer == transfers.c.id)
    wanted = select(links.c.request.label("of"), transfers).select_from(joined)
    return wanted.where(links.c.request.in_(REQUEST_IDS)).order_by(links.c.position)


@cache
def _last_copied() -> Select[Any]:
    """Also of images with tag and digest, which arrive under the tag. "A" follows "@"."""
    image = type_coerce(transfers.c.image, Text)
    with_digest = and_(image >= bindparam("digests"), image < bindparam("after"))
    arrived = func.coalesce(transfers.c.copied_digest, transfers.c.digest)
    wanted = select(arrived.label("arrived")).where(
        transfers.c.ended == State.MIRRORED, or_(image == bindparam("name"), with_digest)
    )
    return wanted.order_by(transfers.c.id.desc()).limit(1)


@cache
def _last_approved() -> Select[Any]:
    of = and_(decisions.c.name == bindparam("name"), decisions.c.tag == bindparam("tag"))
    wanted = select(decisions.c.digest.label("arrived")).where(of)
    copied = [decisions.c.verdict == Verdict.APPROVE, decisions.c.ground != Ground.REMOVAL]
    wanted = wanted.where(*copied)
    return wanted.order_by(decisions.c.id.desc()).limit(1)


@cache
def _due_looks() -> Select[Any]:
    checking = transfers.c.checked_at.is_(None)
    expired = and_(transfers.c.approved_at.is_(None), transfers.c.expires_at <= NOW)
    verifying = transfers.c.copied_digest.is_not(None)
    source = func.substr(transfers.c.image, 1, func.instr(transfers.c.image, "/"))
    asked = case((checking, source), (verifying, "target"), else_="nobody")
    since = func.coalesce(transfers.c.not_before, transfers.c.opened_at)
    turn = func.row_number().over(partition_by=asked, order_by=(since, transfers.c.id))
    # Sort ids only: sorting all columns of thousands of rows to return a few would be slow.
    due = select(transfers.c.id, turn.label("turn")).where(_due())
    line = due.where(or_(checking, expired, verifying)).subquery()
    wanted = select(transfers).join(line, line.c.id == transfers.c.id)
    return wanted.where(line.c.turn <= LIMIT).order_by(line.c.turn, transfers.c.id)


@cache
def _due_submissions() -> Select[Any]:
    ready = and_(transfers.c.approved_at.is_not(None), transfers.c.batch.is_(None))
    return select(transfers).where(_due(), ready).order_by(transfers.c.approved_at, transfers.c.id)


def _due() -> ColumnElement[bool]:
    return and_(_UNDER_WAY, in_time(transfers.c.not_before))


@cache
def _queue() -> Select[Any]:
    going = and_(transfers.c.approved_at.is_not(None), transfers.c.not_before.is_(None))
    wanted = select(transfers.c.approved_at, transfers.c.batch).where(_UNDER_WAY, going)
    return wanted.order_by(transfers.c.approved_at)
