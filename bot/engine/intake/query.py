"""Use cases of those who want to know: status, look-up, the list, and the form of a result."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.core.ids import MessageId, RequestId
from bot.core.image import ImageRef
from bot.core.policy import Verdict, decide
from bot.core.registry import PullLimit
from bot.core.request import Request
from bot.dialog import answers
from bot.dialog.buttons import ShowForm
from bot.dialog.causes import denied
from bot.dialog.commands import List, Looking, Lookup, Outdated, Status
from bot.dialog.message import Message, say
from bot.dialog.questions import Question, QuestionKind
from bot.engine.intake.context import Context, Outcome

Budgets = Callable[[], Mapping[str, PullLimit]]


async def status(context: Context, command: Status, budgets: Budgets) -> Message:
    match command.about:
        case None:
            return await _of_chat(context, budgets)
        case ImageRef() as image:
            return await _of_image(context, image)
        case number:
            return await _of_request(context, number)


async def _of_request(context: Context, number: RequestId) -> Message:
    request = await context.unit.request(number)
    if request is None or not _may_see(context, request):
        return answers.one("no-request", request=str(number))
    transfers = await context.unit.transfers_of(number)
    view = await context.view(transfers, [request])
    if request.is_draft:
        return answers.status_of_draft(request, view)
    return answers.status_of_request(request, transfers, view)


def _may_see(context: Context, request: Request) -> bool:
    """What others asked for in another chat is nobody's business here."""
    return (
        context.admin
        or request.person == context.person.id
        or request.place.chat == context.place.chat
    )


async def _of_chat(context: Context, budgets: Budgets) -> Message:
    """A member sees what concerns them here; an admin also what the house is doing."""
    requests = [
        request
        for request in await context.unit.open_requests()
        if context.place.chat in (request.place.chat, request.person)
    ]
    rows = [(request, await context.unit.transfers_of(request.id)) for request in requests]
    rows.sort(key=lambda row: row[0].id, reverse=True)
    mine = [row for row in rows if row[0].person == context.person.id]
    view = await context.view((), requests)
    if not context.admin:
        return answers.status(mine, view)
    others = [row for row in rows if row[0].person != context.person.id]
    vitals = answers.Vitals(
        transfers=await context.unit.open_transfers(),
        budgets=budgets(),
        failed=await context.unit.last_failed(),
        batches=await context.unit.open_batches(),
        kept=await context.unit.count_tracked(context.now)
        if context.installation.kept_fresh
        else (0, 0),
    )
    return answers.status_for_admin(mine, others, vitals, view)


async def _of_image(context: Context, image: ImageRef) -> Message:
    transfer = await context.unit.latest_transfer(image)
    if transfer is None:
        return answers.one("status-unknown", image=str(image))
    asked = await context.unit.requests_for(transfer.id)
    requests = [r for r in asked if _may_see(context, r)]
    view = await context.view([transfer], requests)
    return answers.status_of_image(transfer, requests, view)


async def look(context: Context, command: Looking) -> Message | None:
    """What has to be asked of the world: the answer comes later, as a note."""
    match command:
        case Lookup():
            return await _look_up(context, command)
        case List():
            await list_images(context, command)
        case Outdated(text):
            await context.unit.add_question(_question(context, QuestionKind.OUTDATED, text))
    return None


async def _look_up(context: Context, command: Lookup) -> Message | None:
    """A denied image is not asked for."""
    decision = decide(context.installation.policy, command.image)
    if decision.verdict is Verdict.DENY:
        words = denied(decision.ground, decision.reason, command.image.registry)
        return Message((say("lookup-denied", image=str(command.image), reason=words),))
    await context.unit.add_question(_question(context, QuestionKind.LOOKUP, str(command.image)))
    return None


async def list_images(context: Context, command: List, *, edits: MessageId | None = None) -> None:
    """The file is read later; the answer comes as a note, or as another page of one."""
    question = _question(context, QuestionKind.LIST, command.text)
    await context.unit.add_question(replace(question, page=command.page, edits=edits))


def _question(context: Context, kind: QuestionKind, text: str) -> Question:
    return Question(
        id=0,
        kind=kind,
        text=text,
        person=context.person.id,
        place=context.place,
        language=context.language,
        opened_at=context.now,
        message=context.message,
    )


async def show(context: Context, command: ShowForm) -> Outcome:
    """Write a result for another tool: opened again, it is edited by the lane that talks."""
    request = await context.unit.request(command.request)
    if request is None or request.place.chat != context.place.chat:
        return Outcome(say("no-request", request=str(command.request)), done=False)
    form = say(f"form-{command.form}")
    if command.form is request.form:
        return Outcome(say("form-already", form=form))
    await context.unit.save_request(replace(request, form=command.form, closed_at=None))
    return Outcome(say("form-shown", form=form))
