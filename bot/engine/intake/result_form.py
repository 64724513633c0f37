"""Use case: show a result in another form, such as one that a tool reads."""

from dataclasses import replace
from typing import Protocol

from bot.dialog.buttons import ShowPullFormat
from bot.dialog.message import say
from bot.engine.intake.context import Context, ContextUnit, Outcome
from bot.engine.ports.store import Requests


class FormUnit(Requests, ContextUnit, Protocol):
    """What this use case reads and writes."""


async def change_form(context: Context[FormUnit], command: ShowPullFormat) -> Outcome:
    """Store the form and open the request again: the chat lane then edits the result."""
    request = await context.unit.request(command.request)
    if request is None or request.place.chat != context.place.chat:
        return Outcome(say("no-request", request=str(command.request)), done=False)
    form = say(f"form-{command.form}")
    if command.form is request.form:
        return Outcome(say("form-already", form=form))
    await context.unit.save_request(replace(request, form=command.form, closed_at=None))
    return Outcome(say("form-shown", form=form))
