"""Whose approval counts for what waits, and who has approved it: for cards and announcements.

The rules are in core/policy.py, and the arithmetic is in core/approvals.py.
"""

from collections.abc import Collection, Mapping, Sequence

from bot.core.approvals import Decided
from bot.core.decision import Decision, Verdict
from bot.core.ids import PersonId, TransferId
from bot.core.policy import Policy, decide
from bot.core.request import Request
from bot.core.transfer import State, Transfer
from bot.dialog.view import Progress
from bot.dialog.waiting import waiting_in
from bot.engine.ports.decisions import Decisions
from bot.engine.view_loader import FirstRequests


class Approvers:
    def __init__(self, policy: Policy, admins: Collection[PersonId]) -> None:
        self._policy = policy
        self.admins = admins
        needs = [policy.approvals, *(rule.approvals for rule in policy.rules)]
        self._may_need_several = any(each.count > 1 for each in needs)

    async def progress(
        self, unit: Decisions, transfers: Sequence[Transfer]
    ) -> Mapping[TransferId, Progress]:
        """Who has approved those that need the approvals of several admins."""
        if not self._may_need_several:
            return {}
        needed = {
            transfer: count
            for transfer in transfers
            if transfer.state is State.WAITING or transfer.approved_by is not None
            if (count := decide(self._policy, transfer.image).needs.count) > 1
        }
        found = await unit.decisions_on([t.id for t in needed]) if needed else {}
        return {t.id: _progress(t, count, found[t.id]) for t, count in needed.items()}

    def of(
        self,
        request: Request,
        transfers: Sequence[Transfer],
        firsts: FirstRequests,
        progress: Mapping[TransferId, Progress],
    ) -> Collection[PersonId]:
        """The admins whose approval surely counts for an image that waits.

        An admin who asked alone is left out, also where somebody joined later: the card stays true.
        """
        found = set[PersonId]()
        for transfer in waiting_in(transfers):
            if len(found) == len(self.admins):
                break
            needs = decide(self._policy, transfer.image).needs
            first = firsts.get(transfer.id, request)
            given = progress[transfer.id].given if transfer.id in progress else ()
            found |= {
                admin
                for admin in self.admins
                if not self._policy.people.has(given, admin)
                and needs.accepts(
                    admin, requesters={request.person, first.person}, admins=self.admins
                )
            }
        return found


def _progress(transfer: Transfer, needed: int, decisions: Sequence[Decision]) -> Progress:
    if transfer.is_removal:
        approved = (d.person for d in decisions if d.verdict is Verdict.APPROVE)
        return Progress(tuple(person for person in approved if person), needed)
    made = Decided(transfer.image, transfer.digest or "", decisions)
    given = made.keepers if transfer.is_offer else made.approvers(transfer.id)
    return Progress(tuple(given), needed)
