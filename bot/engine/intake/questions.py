"""Use cases of questions that need the network: /lookup, /list, /outdated and /remove.

A question is only stored here. The lane in lanes/questions.py answers it later.
"""

from dataclasses import replace
from typing import Protocol

from bot.core.decision import Verdict
from bot.core.ids import MessageId
from bot.core.image import ImageRef
from bot.core.policy import decide
from bot.dialog import answers
from bot.dialog.causes import refused
from bot.dialog.command_values import CommandName, List, Looking, Lookup, Outdated, Remove
from bot.dialog.message import Message, say
from bot.dialog.questions import Question, QuestionKind
from bot.engine.intake.admission import QUESTIONS_OF_A_PERSON, AdmissionUnit, passed_limit
from bot.engine.intake.context import Context
from bot.engine.ports.store import AddsQuestions


class AskUnit(AddsQuestions, AdmissionUnit, Protocol):
    """What this use case reads and writes."""


async def ask(context: Context[AskUnit], command: Looking) -> Message | None:
    """Store the question. Its answer comes later, as a note."""
    waiting = await context.unit.count_questions(context.person.id)
    if waiting >= QUESTIONS_OF_A_PERSON:
        return Message((say("limit-questions", number=waiting),))
    match command:
        case Lookup(images, bad):
            if waiting + len(images) > QUESTIONS_OF_A_PERSON:
                return Message((say("limit-lookups", number=QUESTIONS_OF_A_PERSON),))
            each = [await _ask_for_image(context, image) for image in images]
            denied = [answer for answer in each if answer is not None]
            if denied or bad:
                return answers.together(denied, bad, command=CommandName.LOOKUP)
        case List():
            await ask_for_list(context, command)
        case Outdated(text):
            await context.unit.add_question(question_of(context, QuestionKind.OUTDATED, text))
        case Remove(image):
            if (limit := await passed_limit(context, 1)) is not None:
                return Message((limit,))
            await context.unit.add_question(question_of(context, QuestionKind.REMOVE, str(image)))
    return None


async def _ask_for_image(context: Context[AskUnit], image: ImageRef) -> Message | None:
    """Store the lookup, unless the rules deny the image: then no registry may be asked."""
    ruling = decide(context.installation.policy, image)
    if ruling.verdict is Verdict.DENY:
        return refused(image, ruling)
    await context.unit.add_question(question_of(context, QuestionKind.LOOKUP, str(image)))
    return None


async def ask_for_list(
    context: Context[AskUnit], command: List, *, edits: MessageId | None = None
) -> None:
    """Store the question. Its answer is a new message, or replaces the message `edits`."""
    question = question_of(context, QuestionKind.LIST, command.text)
    await context.unit.add_question(replace(question, page=command.page, edits=edits))


def question_of(context: Context[AskUnit], kind: QuestionKind, text: str) -> Question:
    """What the person asks here now. The store gives it its number."""
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
