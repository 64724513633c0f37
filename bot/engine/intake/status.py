"""Use case: show the status of a request, of an image, or of all that is open in a chat."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from bot.core.approvals import Decided
from bot.core.hold import Hold
from bot.core.ids import RequestId
from bot.core.image import ImageRef
from bot.core.registry import PullLimit
from bot.dialog import answers
from bot.dialog.command_values import Status
from bot.dialog.message import Message
from bot.engine.decided import decisions_about
from bot.engine.intake.context import Context, ContextUnit
from bot.engine.ports.decisions import DecisionsOnNames
from bot.engine.ports.fresh import TrackedCounts
from bot.engine.ports.repository import WorkflowState
from bot.engine.ports.store import (
    LinkedTransfers,
    OpenBatches,
    OpenRequests,
    Requesters,
    TransferReports,
)

TRANSFERS_READ: Final = 50
"""How many transfers of an image are read, the latest first, until the person may see one."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """What the services said last: their rate limits, and the state of the workflow."""

    budgets: Callable[[], Mapping[str, PullLimit]]
    workflow: Callable[[], WorkflowState | None]


class StatusUnit(
    LinkedTransfers,
    DecisionsOnNames,
    OpenRequests,
    TransferReports,
    OpenBatches,
    TrackedCounts,
    ContextUnit,
    Requesters,
    Protocol,
):
    """What this use case reads and writes."""


async def status(context: Context[StatusUnit], command: Status, vitals: Vitals) -> Message:
    match command.about:
        case None:
            shown = await _of_chat(context, vitals)
            return answers.with_holds(shown, await _holds(context))
        case ImageRef() as image:
            return await _of_image(context, image)
        case number:
            return await _of_request(context, number)


async def _holds(context: Context[StatusUnit]) -> list[tuple[Hold, str]]:
    """What stands, each with the name of the admin who put it up."""
    holds = context.installation.holds
    people = await context.unit.people([hold.person for hold in holds])
    return [(each, people[each.person].name if each.person in people else "") for each in holds]


async def _of_request(context: Context[StatusUnit], number: RequestId) -> Message:
    request = await context.unit.request(number)
    if request is None or not context.may_see(request):
        return answers.single_line("no-request", request=str(number))
    transfers = await context.unit.transfers_of(number)
    view = await context.view(transfers, [request])
    if request.is_draft:
        return answers.status_of_draft(request, view)
    here = request.place.chat == context.place.chat
    return answers.status_of_request(request, transfers, view, here=here)


async def _of_chat(context: Context[StatusUnit], vitals: Vitals) -> Message:
    """A member sees their own requests, an admin also those of others and the bot's work."""
    requests = [
        request
        for request in await context.unit.open_requests()
        if context.place.chat in (request.place.chat, request.person)
    ]
    rows = [(request, await context.unit.transfers_of(request.id)) for request in requests]
    rows.sort(key=lambda row: row[0].id, reverse=True)
    mine = [row for row in rows if context.is_own(row[0].person)]
    view = await context.view((), requests)
    if not context.admin:
        return answers.status(mine, view)
    others = [row for row in rows if not context.is_own(row[0].person)]
    operations = answers.Operations(
        transfers=await context.unit.open_transfers(),
        budgets=vitals.budgets(),
        failed=await context.unit.last_failed(),
        batches=await context.unit.open_batches(),
        kept=await context.unit.count_tracked(context.now)
        if context.installation.kept_fresh
        else (0, 0),
        outdated=vitals.workflow() is WorkflowState.DIFFERS,
    )
    return answers.status_for_admin(mine, others, operations, view)


async def _of_image(context: Context[StatusUnit], image: ImageRef) -> Message:
    """What became of the image, as far as requests tell that the person may see."""
    for transfer in await context.unit.transfers_of_image(image, limit=TRANSFERS_READ):
        asked = await context.unit.requests_for(transfer.id)
        requests = [request for request in asked if context.may_see(request)]
        if requests:
            view = await context.view([transfer], requests)
            about = Decided(image, "", await decisions_about(context.unit, image, ""))
            kept = {"keepers": about.keepers, "floaters": about.floaters}
            return answers.status_of_image(transfer, requests, view, **kept)
    return answers.single_line("status-unknown", image=str(image))
