"""Use cases of those who want to know: status, look-up, the list, and the form of a result."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.core.ids import Budget, MessageId, RequestId
from bot.core.image import ImageRef
from bot.core.policy import Verdict, decide
from bot.core.request import Request
from bot.dialog import answers
from bot.dialog.buttons import Show
from bot.dialog.card import denied
from bot.dialog.commands import List, Looking, Lookup, Outdated, Status
from bot.dialog.message import Message, say
from bot.dialog.questions import Inquiry, Question
from bot.engine.intake.context import Case, Outcome

Budgets = Callable[[], Mapping[str, Budget]]


async def status(case: Case, command: Status, budgets: Budgets) -> Message:
    match command.about:
        case None:
            return await _of_chat(case, budgets)
        case ImageRef() as image:
            return await _of_image(case, image)
        case number:
            return await _of_request(case, number)


async def _of_request(case: Case, number: RequestId) -> Message:
    request = await case.unit.request(number)
    if request is None or not _may_see(case, request):
        return answers.one("no-request", request=str(number))
    transfers = await case.unit.transfers_of(number)
    view = await case.view(transfers, [request])
    if request.is_draft:
        return answers.status_of_draft(request, view)
    return answers.status_of_request(request, transfers, view)


def _may_see(case: Case, request: Request) -> bool:
    """What others asked for in another chat is nobody's business here."""
    return case.admin or request.person == case.person.id or request.place.chat == case.place.chat


async def _of_chat(case: Case, budgets: Budgets) -> Message:
    """A member sees what concerns them here; an admin also what the house is doing."""
    requests = [
        request
        for request in await case.unit.open_requests()
        if case.place.chat in (request.place.chat, request.person)
    ]
    rows = [(request, await case.unit.transfers_of(request.id)) for request in requests]
    rows.sort(key=lambda row: row[0].id, reverse=True)
    mine = [row for row in rows if row[0].person == case.person.id]
    view = await case.view((), requests)
    if not case.admin:
        return answers.status(mine, view)
    others = [row for row in rows if row[0].person != case.person.id]
    vitals = answers.Vitals(
        transfers=await case.unit.open_transfers(),
        budgets=budgets(),
        failed=await case.unit.last_failed(),
        batches=await case.unit.open_batches(),
        kept=await case.unit.count_tracked(case.now) if case.house.kept_fresh else (0, 0),
    )
    return answers.status_for_admin(mine, others, vitals, view)


async def _of_image(case: Case, image: ImageRef) -> Message:
    transfer = await case.unit.latest_transfer(image)
    if transfer is None:
        return answers.one("status-unknown", image=str(image))
    asked = await case.unit.requests_for(transfer.id)
    requests = [r for r in asked if _may_see(case, r)]
    view = await case.view([transfer], requests)
    return answers.status_of_image(transfer, requests, view)


async def look(case: Case, command: Looking) -> Message | None:
    """What has to be asked of the world: the answer comes later, as a note."""
    match command:
        case Lookup():
            return await _look_up(case, command)
        case List():
            await list_images(case, command)
        case Outdated(text):
            await case.unit.add_inquiry(_inquiry(case, Question.OUTDATED, text))
    return None


async def _look_up(case: Case, command: Lookup) -> Message | None:
    """A denied image is not asked for."""
    decision = decide(case.house.policy, command.image)
    if decision.verdict is Verdict.DENY:
        words = denied(decision.ground, decision.reason, command.image.registry)
        return Message((say("lookup-denied", image=str(command.image), reason=words),))
    await case.unit.add_inquiry(_inquiry(case, Question.LOOKUP, str(command.image)))
    return None


async def list_images(case: Case, command: List, *, edits: MessageId | None = None) -> None:
    """The file is read later; the answer comes as a note, or as another page of one."""
    inquiry = _inquiry(case, Question.LIST, command.text)
    await case.unit.add_inquiry(replace(inquiry, page=command.page, edits=edits))


def _inquiry(case: Case, question: Question, text: str) -> Inquiry:
    return Inquiry(
        id=0,
        question=question,
        text=text,
        person=case.person.id,
        place=case.place,
        language=case.language,
        opened_at=case.now,
        message=case.message,
    )


async def show(case: Case, command: Show) -> Outcome:
    """Write a result for another tool: opened again, it is edited by the lane that talks."""
    request = await case.unit.request(command.request)
    if request is None or request.place.chat != case.place.chat:
        return Outcome(say("no-request", request=str(command.request)), done=False)
    form = say(f"form-{command.form}")
    if command.form is request.form:
        return Outcome(say("form-already", form=form))
    await case.unit.save_request(replace(request, form=command.form, closed_at=None))
    return Outcome(say("form-shown", form=form))
