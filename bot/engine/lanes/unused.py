"""Answers /list unused, for the lane of questions: image.list beside what clusters run."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core import image_list
from bot.core.draft import DRAFTS_OF_A_PERSON, draft_of
from bot.core.ids import service_of
from bot.core.running import RunningImages, counting, missing, unused
from bot.dialog import answers
from bot.dialog.message import Message, Text, say
from bot.dialog.questions import Question
from bot.dialog.unused import unused_answer
from bot.engine.ports.chat import Chat
from bot.engine.ports.files import SavesDrafts
from bot.engine.ports.outbox import NewNotes
from bot.engine.ports.repository import ImageListFile
from bot.engine.ports.running import Running
from bot.engine.ports.store import NewRequest, OpensRequests, Questions, Store, UsageCounts
from bot.paste import PASTE_SIZE_LIMIT, Finding, extract_file


class UnusedUnit(Questions, NewNotes, UsageCounts, SavesDrafts, OpensRequests, Running, Protocol):
    """What is read and written here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusedImages:
    """`chats` are where files come from, by service. `host` is that of the target registry."""

    store: Store[UnusedUnit]
    repository: ImageListFile
    chats: Mapping[str, Chat]
    host: str
    clock: Callable[[], datetime]

    async def answer(self, question: Question) -> Message | None:
        """None where it is stored with the draft of what is missing."""
        if question.file and (refusal := await self._keep_file(question)) is not None:
            return refusal
        listed = image_list.listed_images((await self.repository.read_list()).content)
        async with self.store.begin() as unit:
            kept = counting(await unit.running(question.place.chat), self.clock())
        given = [each for each in kept if _was_given(each, question)]
        lacking = [image for each in given for image in missing(listed, each)]
        said = unused_answer(
            unused(listed, kept),
            kept,
            self.clock(),
            listed=len(set(listed)),
            missing=len(lacking),
        )
        if not lacking:
            return said
        async with self.store.begin() as unit:
            if (drafts := await unit.count_drafts(question.person)) >= DRAFTS_OF_A_PERSON:
                return Message((say("limit-drafts", number=drafts),))
            request = await unit.open_request(
                NewRequest(
                    person=question.person,
                    place=question.place,
                    message=question.message,
                    opened_at=self.clock(),
                    confirmed_at=None,
                )
            )
            await unit.save_draft(request.id, draft_of(tuple(lacking)))
            await unit.drop_question(question.id)
            text = Text(said, question.language)
            # The card is the reply.
            await unit.add_note(question.place, text, reply_to=None)
        return None

    async def _keep_file(self, question: Question) -> Message | None:
        """Why the file cannot be read. None where it is kept."""
        found = await self._read(question)
        if found.flaw is not None:
            return answers.bad_file(found.flaw, question.file_name)
        if not found.images:
            return answers.nothing_found(file=question.file_name)
        running = RunningImages(
            chat=question.place.chat,
            name=question.text,
            at=question.opened_at,
            images=found.images,
        )
        async with self.store.begin() as unit:
            await unit.keep_running(running)
        return None

    async def _read(self, question: Question) -> Finding:
        chat = self.chats[service_of(question.place.chat)]
        content = await chat.fetch(question.file, limit=PASTE_SIZE_LIMIT)
        return await asyncio.to_thread(
            extract_file, content, target_host=self.host, name=question.file_name
        )


def _was_given(cluster: RunningImages, question: Question) -> bool:
    """Whether the list came with this question."""
    return (cluster.name, cluster.at) == (question.text, question.opened_at)
