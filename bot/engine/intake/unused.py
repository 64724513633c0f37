"""Use case: compare image.list with what clusters run. The lane of questions answers."""

from dataclasses import replace
from typing import Protocol

from bot.core.running import RunningImages
from bot.dialog import answers
from bot.dialog.command_values import Unused
from bot.dialog.message import Message, say
from bot.dialog.questions import QuestionKind
from bot.engine.intake.admission import QUESTIONS_OF_A_PERSON
from bot.engine.intake.context import Context, Incoming
from bot.engine.intake.questions import AskUnit, question_of
from bot.engine.ports.running import KeepsRunning
from bot.paste import PASTE_SIZE_LIMIT, Flaw, extract


class UnusedUnit(AskUnit, KeepsRunning, Protocol):
    """What is read and written here."""


async def unused(
    context: Context[UnusedUnit], command: Unused, incoming: Incoming
) -> Message | None:
    """Keep what a cluster runs: the text, the file, or what the message replies to."""
    waiting = await context.unit.count_questions(context.person.id)
    if waiting >= QUESTIONS_OF_A_PERSON:
        return Message((say("limit-questions", number=waiting),))
    asked = question_of(context, QuestionKind.UNUSED, command.name)
    text = command.text
    file = incoming.file or (None if text or incoming.quoted.strip() else incoming.quoted_file)
    if file is not None:
        if file.size > PASTE_SIZE_LIMIT:
            return answers.bad_file(Flaw.TOO_LARGE, file.name)
        asked = replace(asked, file=file.file_id, file_name=file.name or "file")
    elif text := text or incoming.quoted:
        found = extract(text, target_host=context.installation.target.host)
        if not found.images:
            return answers.nothing_found(file="")
        running = RunningImages(
            chat=context.place.chat, name=command.name, at=context.now, images=found.images
        )
        await context.unit.keep_running(running)
    await context.unit.add_question(asked)
    return None
