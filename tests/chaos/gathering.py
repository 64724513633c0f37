"""Reads from a database the evidence that invariants.py judges, the same way for every world.

The texts that a request's messages may have are computed from the stored facts by the functions
of dialog. They are not taken from what the bot has recorded as shown.
"""

import functools
import html
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from fakes import rendered
from invariants import Asked
from sqlalchemy import Table, select
from store_fixture import rows_of

from bot.adapters.store import SqliteStore
from bot.adapters.store.schema import batches, decisions, moves, questions, requests, transfers
from bot.adapters.store.unit import StoreUnit
from bot.adapters.telegram import SERVICE
from bot.adapters.telegram.rendering import TelegramWords
from bot.core.batch import Batch
from bot.core.card_version import pairs_of
from bot.core.decision import Verdict
from bot.core.ids import ChatId, PersonId, RequestId, TransferId
from bot.core.image import Target
from bot.core.request import Request
from bot.core.transfer import RETRYABLE, Transfer
from bot.dialog.card import card
from bot.dialog.draft_card import draft_card
from bot.dialog.language import Language
from bot.dialog.message import ButtonKind, Message, say
from bot.dialog.result import result
from bot.dialog.view import View
from bot.dialog.waiting import decided_on
from bot.engine.view_loader import CopyQueue, language_of, view_of

MANY: Final = 40
"""Results with more images are not recognised by their first line."""
_TAG: Final = re.compile(r"<[^<>]*>")
_HEADS: Final = ("result-all", "result-some", "result-none", "result-removed", "result-not-removed")


@dataclass(frozen=True, slots=True)
class Stored:
    """The end state of a database. `left` describes the work that is still open."""

    asked: tuple[Asked, ...]
    transfers: tuple[Transfer, ...]
    batches: tuple[Batch, ...]
    decided: frozenset[tuple[str, str]]
    left: tuple[str, ...]
    family: dict[ChatId, tuple[ChatId, ...]]


def plain(text: str) -> str:
    """Return a text of Telegram's HTML without markup."""
    return html.unescape(_TAG.sub("", text))


@functools.cache
def result_heads(words: TelegramWords) -> frozenset[str]:
    """Return the first lines that distinguish a result from every other message."""
    return frozenset(
        words.plain(say(key, done=done, count=count, request="1"), language)
        for language in Language
        for key in _HEADS
        for count in range(1, MANY)
        for done in range(count + 1)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What texts depend on apart from the facts. `language` is that of groups."""

    words: TelegramWords
    target: Target
    language: Language
    now: datetime
    admins: Collection[PersonId] = ()

    async def spoken(self, unit: StoreUnit, request: Request) -> Language:
        return await language_of(unit, request.place, request.person, otherwise=self.language)

    async def view(self, unit: StoreUnit, request: Request, linked: Sequence[Transfer]) -> View:
        view = await view_of(
            unit,
            linked,
            [request],
            target=self.target,
            now=self.now,
            admins=self.admins,
            room=SERVICE.room,
        )
        versions = (await unit.card_versions_of_all([request.id]))[request.id]
        shown = pairs_of(decided_on(request, linked, SERVICE.room))
        version = next((each.key for each in versions if each.pairs == shown), "")
        return replace(view, ahead=CopyQueue(await unit.queue()).ahead(linked), version=version)


async def stored(store: SqliteStore, circumstances: Circumstances) -> Stored:
    """Return all that is in the database."""
    async with store.begin() as unit:
        found = [await unit.transfer(TransferId(n)) for n in await _ids(unit, transfers)]
        numbers = await _ids(unit, requests)
        asked = [await _asked(unit, RequestId(number), circumstances) for number in numbers]
        return Stored(
            tuple(asked),
            tuple(transfer for transfer in found if transfer is not None),
            tuple(Batch(**row) for row in await rows_of(unit, select(batches))),
            await _approvals(unit),
            tuple(await _left(unit, asked)),
            await _family(unit),
        )


async def _approvals(unit: StoreUnit) -> frozenset[tuple[str, str]]:
    """Return each name that a copy was approved for, with the digest of the approval."""
    rows = await rows_of(unit, select(decisions).where(decisions.c.verdict == Verdict.APPROVE))
    return frozenset((str(row["image"].place), row["digest"]) for row in rows)


async def _ids(unit: StoreUnit, table: Table) -> Sequence[int]:
    rows = await rows_of(unit, select(table.c.id).order_by(table.c.id))
    return [row["id"] for row in rows]


async def _left(unit: StoreUnit, asked: Iterable[Asked]) -> list[str]:
    """Return the notes and questions still open, and the files that no request needs any more."""
    notes = {note.id: plain(rendered(note.text).html) for note in await unit.notes()}
    left = [f"note {number}: {words[:60]!r}" for number, words in notes.items()]
    for row in await rows_of(unit, select(questions.c.id, questions.c.text)):
        left.append(f"question {row['id']} about {row['text']!r}")  # noqa: PERF401 - reads better
    for one in asked:
        files = await unit.files(one.request.id)
        gathering = await unit.gathering(one.request.id)
        if gathering is not None and gathering.read_at is None:
            left.append(f"what was sent for #{one.request.id} was never read")
        elif files and one.request.returned_at is not None and not _may_go_on(one):
            left.append(f"the file of #{one.request.id} is kept for nothing")
    return left


def _may_go_on(one: Asked) -> bool:
    return any(transfer.state in RETRYABLE for transfer in one.transfers)


async def _family(unit: StoreUnit) -> dict[ChatId, tuple[ChatId, ...]]:
    """Return the earlier ids of each chat whose id has changed, as far as they are known."""
    rows = await rows_of(unit, select(moves))
    return {row["chat"]: (row["origin"],) for row in rows}


async def _asked(unit: StoreUnit, number: RequestId, circumstances: Circumstances) -> Asked:
    request = await unit.request(number)
    assert request is not None
    linked, draft = await unit.transfers_of(number), await unit.draft(number)
    view = await circumstances.view(unit, request, linked)
    language = await circumstances.spoken(unit, request)

    def text(message: Message) -> str:
        return plain(circumstances.words.render(message, language).html)

    asked = Asked(request=request, transfers=linked, draft=draft)
    if request.is_draft:
        if not draft.images and not draft.bad:
            return asked
        shown = draft_card(request, draft, view)
        return replace(asked, cards=frozenset({text(shown)}), data=_data(shown))
    ended = all(transfer.state.is_final for transfer in linked)
    told = frozenset({text(result(request, linked, view))}) if ended else frozenset()
    if request.cancelled_at is not None:  # closed, and not updated any more
        return replace(asked, results=told)
    cards = frozenset(text(card(request, linked, each)) for each in _views(request, view))
    data = _data(card(request, linked, view))
    return replace(asked, cards=cards, results=told, data=data)


def _views(request: Request, view: View) -> list[View]:
    """A closed card still names the first requester, even if that person has withdrawn."""
    return [view] if request.closed_at is None else [view, replace(view, firsts={})]


def _data(message: Message) -> tuple[str, ...]:
    return tuple(
        button.value
        for row in message.buttons
        for button in row
        if button.kind is ButtonKind.CALLBACK
    )
