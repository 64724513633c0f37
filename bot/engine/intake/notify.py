"""Use case: an admin wants what waits for a decision in their private chat too, or no longer."""

from dataclasses import replace
from typing import Protocol

from bot.core.ids import is_private_chat_of
from bot.core.private_cards import PrivateCards
from bot.dialog import answers
from bot.dialog.command_values import Notify
from bot.dialog.message import Message
from bot.engine.intake.context import Context, ContextUnit
from bot.engine.ports.private_cards import HasPrivateCards


class NotifyUnit(ContextUnit, HasPrivateCards, Protocol):
    """What this use case reads and writes."""


async def notify(context: Context[NotifyUnit], command: Notify) -> Message:
    """Cards that are there stay, whatever is asked for."""
    person = context.person.id
    if not is_private_chat_of(context.place.chat, person):
        return answers.single_line("notify-elsewhere")
    known = {each.person: each for each in await context.unit.private_cards()}
    cards = known.get(person, PrivateCards(person=person, since=context.now))
    await context.unit.save_private_cards(replace(cards, wanted=command.wanted))
    return answers.single_line("notify-on" if command.wanted else "notify-off")
