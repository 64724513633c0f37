"""Asks the rules once more, right before approved images are written to the mirror repository.

The rules may have changed since the approval. Who may be written gets a line in the block of
decisions. The others are denied or asked about again, in the same transaction. It must not write
to GitHub.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.approvals import Decided
from bot.core.decision import Ground, Verdict
from bot.core.events import AskedAgain, Denied, DigestUnknown, Event
from bot.core.ids import TransferId
from bot.core.policy import Ruling
from bot.core.previous import ending_of
from bot.core.request import Request
from bot.core.seal import DecidedImage
from bot.core.transfer import Transfer
from bot.engine.decided import Rules, askers, decisions_about, ruling_on_transfer
from bot.engine.lanes.lane import RecordUnit, record_in
from bot.engine.ports.decisions import Decisions, DecisionsOnNames, Pseudonyms
from bot.engine.ports.sightings import LastSightings
from bot.engine.ports.store import RequestersOfAll

_OF_PERSONS = {
    Ground.PERSON: "",
    Ground.KEPT: "kept ",
    Ground.ROLLBACK: "rollback ",
    Ground.REMOVAL: "",
}


class BatchAdmissionUnit(
    RecordUnit, Decisions, Pseudonyms, RequestersOfAll, LastSightings, Protocol
):
    """What is read and written here."""


@dataclass(frozen=True, slots=True)
class BatchAdmission:
    """Asks the rules of now, on transfers that were approved by the rules of then."""

    rules: Rules

    async def admitted(
        self, unit: BatchAdmissionUnit, transfers: Sequence[Transfer], now: datetime
    ) -> dict[TransferId, DecidedImage]:
        """What may be written of these approved transfers. The others leave this state."""
        requests = await unit.requests_for_all([transfer.id for transfer in transfers])
        approved = []
        for transfer in transfers:
            ruling = await self._ruling(unit, transfer, requests[transfer.id])
            if ruling is not None and await self._is_held(unit, transfer, ruling, now):
                ruling = None
            if ruling is not None and ruling.verdict is Verdict.APPROVE:
                approved.append((transfer, ruling))
            else:
                await record_in(unit, transfer.id, self._refusal(ruling, now))
        leaving = [t.id for t, _ in approved if await self._leaves_previous(unit, t)]
        return await _decided_images(
            unit, approved, requests, dict.fromkeys(leaving, ending_of(now))
        )

    async def _ruling(
        self, unit: BatchAdmissionUnit, transfer: Transfer, requests: Sequence[Request]
    ) -> Ruling | None:
        """None for a copy whose digest nobody knows, or whose signature nobody looked for."""
        if transfer.digest is None and not transfer.is_removal:
            return None
        ruling = await ruling_on_transfer(unit, self.rules, transfer, requests)
        if ruling.signer is None or ruling.signer.name == transfer.signer:
            return ruling
        if ruling.verdict is Verdict.DENY or ruling.ground is not Ground.ROLLBACK:
            return ruling if ruling.verdict is Verdict.DENY else None
        return Ruling(Verdict.DENY, Ground.SIGNATURE)  # a look finds what the tag has now

    async def _is_held(
        self, unit: LastSightings, transfer: Transfer, ruling: Ruling, now: datetime
    ) -> bool:
        """Whether the rules of now let its digest wait. Then it is looked at once more.

        Where the tag names another digest by now, this one is known since its own look. That of a
        digest which is put back into an empty target was long ago.
        """
        known = transfer.checked_at
        if not ruling.wait or known is None or ruling.verdict is Verdict.DENY:
            return False
        seen = await unit.last_sighting(transfer.image)
        if seen is not None and seen.digest == transfer.digest:
            known = seen.since
        return known + ruling.wait > now

    async def _leaves_previous(self, unit: DecisionsOnNames, transfer: Transfer) -> bool:
        """Whether the digest that is overwritten stays. One that a person rejected does not."""
        image, before = transfer.image, transfer.replaces
        if not self.rules.policy.keeps_previous or image.tag is None or transfer.is_removal:
            return False
        if before is None:
            return True
        said = await decisions_about(unit, image, before)
        return not Decided(image, before, said).is_rejected

    def _refusal(self, ruling: Ruling | None, now: datetime) -> Event:
        if ruling is None:
            return DigestUnknown(now)
        if ruling.verdict is Verdict.DENY:
            return Denied(now, ruling)
        return AskedAgain(now, ruling, now + self.rules.policy.expire_after)


async def _decided_images(
    unit: Pseudonyms,
    approved: Sequence[tuple[Transfer, Ruling]],
    requests: Mapping[TransferId, Sequence[Request]],
    previous: Mapping[TransferId, str],
) -> dict[TransferId, DecidedImage]:
    people = {person for _, ruling in approved for person in ruling.persons}
    people |= {person for t, _ in approved for person in askers(requests[t.id])}
    names = await unit.pseudonyms(people)
    return {
        transfer.id: DecidedImage(
            image=transfer.image.at(transfer.digest),
            removed=transfer.is_removal,
            asked=[names[person] for person in askers(requests[transfer.id])],
            approved=_ground(ruling, [names[person] for person in ruling.persons]),
            previous=previous.get(transfer.id, ""),
        )
        for transfer, ruling in approved
    }


def _ground(ruling: Ruling, persons: Sequence[str]) -> str:
    if ruling.ground in _OF_PERSONS:
        return _OF_PERSONS[ruling.ground] + ", ".join(persons)
    return f"{ruling.ground} {ruling.rule}".rstrip()
