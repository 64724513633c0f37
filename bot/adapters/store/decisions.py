"""Queries for decisions, and for the pseudonyms by which decisions and commits name persons.

Decisions are only ever added: triggers in the database refuse anything else. They hold the
pseudonym of a person, so to forget a person is to delete one row of `pseudonyms`.
"""

import logging
import secrets
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    RowMapping,
    Select,
    bindparam,
    exists,
    or_,
    select,
    text,
)

from bot.adapters.store.rows import IDS, LIMIT, Rows, fields_of, without
from bot.adapters.store.schema import decisions, links, pseudonyms, requests
from bot.core.decision import PSEUDONYM, Decision, Ground
from bot.core.ids import ChatId, PersonId, RequestId, TransferId
from bot.core.image import ImageRef

log = logging.getLogger(__name__)


class DecisionQueries(Rows):
    """Adds and reads decisions."""

    async def keep_decision(self, decision: Decision) -> None:
        row = fields_of(decision)
        person = row.pop("person")
        image = decision.image
        row |= {"name": f"{image.registry}/{image.repository}", "tag": image.tag}
        row["pseudonym"] = person and (await self.pseudonyms([person]))[person]
        await self._add(decisions, row)
        by = row["pseudonym"] or f"rule {decision.rule or decision.ground}"
        asked = f" (request {decision.request})" if decision.request else ""
        log.info("%s %s%s: %s by %s", image, decision.digest, asked, decision.verdict, by)

    async def decisions_on(
        self, wanted: Collection[TransferId]
    ) -> Mapping[TransferId, Sequence[Decision]]:
        found: defaultdict[TransferId, list[Decision]] = defaultdict(list)
        for row in await self._all(_decisions_on(), ids=wanted):
            found[TransferId(row["transfer"])].append(_decision_of(row))
        return {transfer: found[transfer] for transfer in wanted}

    async def decisions_of(
        self,
        registry: str,
        repository: str,
        *,
        tag: str | None = None,
        digest: str | None = None,
        grounds: Collection[Ground] | None = None,
        limit: int,
    ) -> Sequence[Decision]:
        asked = {"tag": tag, "digest": digest, "ground": grounds}
        given = {name: value for name, value in asked.items() if value is not None}
        wanted = _decisions_of(tuple(given))
        name = f"{registry}/{repository}"
        return [
            _decision_of(row) for row in await self._all(wanted, name=name, limit=limit, **given)
        ]

    async def newest_decisions(
        self,
        *,
        chat: ChatId | None = None,
        about: ImageRef | RequestId | None = None,
        limit: int,
    ) -> Sequence[Decision]:
        asked = {"chat": chat} | _columns_of(about)
        given = {name: value for name, value in asked.items() if value is not None}
        wanted = _newest_decisions(tuple(given))
        return [_decision_of(row) for row in await self._all(wanted, limit=limit, **given)]

    async def decisions_on_tags(self, *, chat: ChatId | None = None) -> Sequence[Decision]:
        wanted = _WITH_PERSONS.where(_ON_TAGS).order_by(decisions.c.id)
        if chat is not None:
            wanted = wanted.where(_in_chat())
        rows = await self._all(wanted, **({} if chat is None else {"chat": chat}))
        return [_decision_of(row) for row in rows]

    async def pseudonyms(self, people: Collection[PersonId]) -> Mapping[PersonId, str]:
        rows = await self._all(_PSEUDONYMS, ids=people)
        known = {PersonId(row["person"]): str(row["pseudonym"]) for row in rows}
        for person in people:
            if person not in known:
                known[person] = await self._new_pseudonym()
                await self._upsert(pseudonyms, {"person": person, "pseudonym": known[person]})
        return known

    async def _new_pseudonym(self) -> str:
        while True:
            new = f"{PSEUDONYM}{secrets.token_hex(4)}"
            if not await self._any(_TAKEN, new=new):
                return new


def _decision_of(row: RowMapping) -> Decision:
    person = row["person"] or row["pseudonym"]
    return Decision(person=person, **without(row, "id", "name", "tag", "pseudonym", "person"))


def _columns_of(about: ImageRef | RequestId | None) -> dict[str, Any]:
    if isinstance(about, ImageRef):
        name = f"{about.registry}/{about.repository}"
        return {"name": name, "tag": about.tag, "digest": about.digest}
    return {"request": about}


# -- the statements, built once: to build one takes longer than to run it

_PSEUDONYMS = select(pseudonyms).where(pseudonyms.c.person.in_(IDS))
_TAKEN = (
    select(pseudonyms.c.pseudonym)
    .where(pseudonyms.c.pseudonym == bindparam("new"))
    .union(select(decisions.c.pseudonym).where(decisions.c.pseudonym == bindparam("new")))
)
_ON_TAGS = text("decisions.ground IN ('kept', 'floats')")  # as in the partial index
_WITH_PERSONS = select(decisions, pseudonyms.c.person).outerjoin(
    pseudonyms, pseudonyms.c.pseudonym == decisions.c.pseudonym
)


@cache
def _decisions_on() -> Select[Any]:
    return _WITH_PERSONS.where(decisions.c.transfer.in_(IDS)).order_by(decisions.c.id)


@cache
def _decisions_of(given: tuple[str, ...]) -> Select[Any]:
    """The query with a condition for each of the given columns."""
    wanted = _WITH_PERSONS.where(decisions.c.name == bindparam("name"))
    for column in given:
        many = column == "ground"
        value: BindParameter[Any] = bindparam(column, expanding=many)
        named = decisions.c[column]
        wanted = wanted.where(named.in_(value) if many else named == value)
    return wanted.order_by(decisions.c.id.desc()).limit(LIMIT)


@cache
def _newest_decisions(given: tuple[str, ...]) -> Select[Any]:
    """The query with a condition for each of the given columns. A chat is not a column."""
    conditions: dict[str, ColumnElement[bool]] = {"chat": _in_chat(), "request": _on_request()}
    wanted = _WITH_PERSONS
    for name in given:
        plain = name not in conditions
        wanted = wanted.where(decisions.c[name] == bindparam(name) if plain else conditions[name])
    return wanted.order_by(decisions.c.id.desc()).limit(LIMIT)


def _in_chat() -> ColumnElement[bool]:
    here = requests.c.chat == bindparam("chat")
    linked = [links.c.request == requests.c.id, links.c.transfer == decisions.c.transfer]
    return or_(
        exists().where(here, requests.c.id == decisions.c.request),
        exists().where(here, *linked),
    )


def _on_request() -> ColumnElement[bool]:
    """Also the decisions on transfers that a retry replaced."""
    number: BindParameter[int] = bindparam("request")
    first = select(links.c.transfer).where(links.c.request == number).cte(recursive=True)
    before = decisions.alias()
    replaced = select(before.c.replaces).where(
        before.c.transfer == first.c.transfer, before.c.replaces.is_not(None)
    )
    chain = first.union(replaced)
    return or_(decisions.c.request == number, decisions.c.transfer.in_(select(chain.c.transfer)))
