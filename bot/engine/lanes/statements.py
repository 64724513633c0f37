"""The lane that puts statements beside the images that arrived: who decided on them, and why.

Each step is stored before the next one. What was signed is stored before it is sent, and the same
bytes are sent again after a kill, which the target knows by their digest. Where others write to the
target at the same time, what was sent may get lost: so a later look has to find all of it before it
is done. An image is mirrored, whatever becomes of its statements.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from bot.core.decision import PSEUDONYM
from bot.core.errors import RefusedError, TransientError
from bot.core.image import Target
from bot.core.retry import has_passed
from bot.core.statement import (
    Sign,
    Stated,
    Statement,
    StatementForm,
    approvals,
    bundle,
    envelope,
    payloads,
)
from bot.core.transfer import State, Transfer
from bot.engine.decided import askers
from bot.engine.lanes.lane import TickResult, each
from bot.engine.ports.decisions import Decisions, Pseudonyms
from bot.engine.ports.registries import AttachesStatements
from bot.engine.ports.statements import Statements
from bot.engine.ports.store import Requesters, Store, Transfers
from bot.engine.shutdown import Stopped, never

log = logging.getLogger(__name__)

AT_ONCE: Final = 10
"""Statements in one tick, the oldest first."""
LOOKED_AT_AGAIN: Final = timedelta(seconds=5)
REFUSED_WAIT: Final = timedelta(hours=1)
"""After a refusal, such as one for a quota that is used up."""
GIVEN_UP: Final = timedelta(days=7)
TOLD_AFTER: Final = 10
"""Failures in a row after which trouble counts as a refusal, which the maintainer hears of."""


class StatementsUnit(Statements, Transfers, Requesters, Decisions, Pseudonyms, Protocol):
    """What this lane reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementsLane:
    """`verifier`: the address of the mirror repository, which names who verified.

    `key_name` names the public half of the key that signs, in a bundle.
    """

    store: Store[StatementsUnit]
    target: AttachesStatements
    names: Target
    sign: Sign
    key_name: str
    verifier: str
    clock: Callable[[], datetime]

    async def tick(self, stopped: Stopped = never) -> TickResult:
        """Take a step with each statement that is due."""
        async with self.store.begin() as unit:
            due = await unit.due_statements(self.clock(), limit=AT_ONCE)
            pulse = TickResult.OPEN if await unit.any_open_statement() else TickResult.IDLE
        return TickResult.CHANGED if await each(self._step, due, stopped) else pulse

    async def _step(self, statement: Statement) -> bool:
        now = self.clock()
        if statement.signed_at is None:
            await self._sign(statement, now)
            return True
        try:
            wrote = await self.target.attach(
                statement.image, statement.digest, statement.form, statement.envelopes
            )
        except TransientError as trouble:
            wait = trouble.retry_after
            later = statement.postponed(now, seed=statement.transfer, retry_after=wait)
            told = str(trouble) if later.attempts >= TOLD_AFTER else statement.refusal
            await self._save(replace(later, refusal=told), f"not beside it yet: {trouble}")
        except RefusedError as refusal:
            later = replace(statement, not_before=now + REFUSED_WAIT, refusal=str(refusal))
            if has_passed(GIVEN_UP, statement.signed_at, now):
                later = replace(later, ended_at=now)
            await self._save(later, f"not taken: {refusal}")
        else:
            calm = replace(statement, attempts=0, not_before=None, refusal="")
            if wrote:
                later = replace(calm, not_before=now + LOOKED_AT_AGAIN)
                await self._save(later, "sent")
            else:
                await self._save(replace(calm, ended_at=now), "beside it")
        return True

    async def _save(self, statement: Statement, words: str) -> None:
        log.info("%s@%s: statements: %s", statement.image.place, statement.digest, words)
        async with self.store.begin() as unit:
            await unit.save_statement(statement)

    async def _sign(self, statement: Statement, now: datetime) -> None:
        """Make the statements of what is stored. Without a decision on the bytes there is none."""
        async with self.store.begin() as unit:
            transfer = await unit.transfer(statement.transfer)
            stated = None if transfer is None else await self._stated(unit, transfer)
            if stated is None:
                log.warning("%s: nobody decided on it: no statement", statement.image)
                await unit.save_statement(replace(statement, signed_at=now, ended_at=now))
                return
            signed = [envelope(payload, self.sign) for payload in payloads(stated)]
            if statement.form is StatementForm.BUNDLE:
                signed = [bundle(each, self.key_name) for each in signed]
            await unit.save_statement(replace(statement, signed_at=now, envelopes=tuple(signed)))

    async def _stated(self, unit: StatementsUnit, transfer: Transfer) -> Stated | None:
        kept = await unit.decisions_on([transfer.id])
        given = approvals(transfer, kept[transfer.id])
        batch = None if transfer.batch is None else await unit.batch(transfer.batch)
        digest, decided, ended = transfer.digest, transfer.approved_at, transfer.ended_at
        if transfer.state is not State.MIRRORED or not given or batch is None:
            return None
        if digest is None or decided is None or ended is None:
            return None
        asked = askers(await unit.requests_for(transfer.id))
        persons = [each.person for each in given if each.person is not None]
        known = [person for person in persons if not person.startswith(PSEUDONYM)]
        names = await unit.pseudonyms({*asked, *known})
        return Stated(
            name=self.names.name_of(transfer.image),
            image=transfer.image,
            digest=digest,
            verifier=self.verifier,
            ground=given[-1].ground,
            rule=given[-1].rule,
            asked=[names[person] for person in asked],
            approved=list(dict.fromkeys(names.get(person, person) for person in persons)),
            asked_at=transfer.opened_at,
            decided_at=decided,
            verified_at=ended,
            batch=batch.id,
            commit=batch.sha,
            run=transfer.run_url,
            policy=batch.policy,
        )
