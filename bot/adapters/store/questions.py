"""Queries for questions that wait for an answer."""

from collections.abc import Sequence

from sqlalchemy import select

from bot.adapters.store.rows import Rows, fields_of, place_of, placed, without
from bot.adapters.store.schema import questions
from bot.core.ids import PersonId
from bot.dialog.questions import Question


class QuestionQueries(Rows):
    """Reads and writes questions."""

    async def add_question(self, question: Question) -> None:
        row = placed(fields_of(question))
        del row["id"]
        await self._add(questions, row)

    async def questions(self) -> Sequence[Question]:
        rows = await self._all(_QUESTIONS)
        return [Question(place=place_of(row), **without(row, "chat", "thread")) for row in rows]

    async def count_questions(self, person: PersonId) -> int:
        return len(await self._all(_QUESTIONS.where(questions.c.person == person)))

    async def save_question(self, question: Question) -> None:
        await self._upsert(questions, placed(fields_of(question)))

    async def drop_question(self, question: int) -> None:
        await self._connection.execute(questions.delete().where(questions.c.id == question))


# -- the statements, built once: to build one takes longer than to run it

_QUESTIONS = select(questions).order_by(questions.c.id)
