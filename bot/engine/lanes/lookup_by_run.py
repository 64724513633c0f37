"""Answers /lookup by a run on GitHub, for images whose source the bot cannot reach.

The person is told at once, since a run takes a minute. The question then waits for the look, which
other questions and transfers share.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from bot.core.errors import RefusedError, TransientError
from bot.core.image import ImageRef, Target
from bot.core.look import Look
from bot.core.retry import Trouble, TroubleKind, has_passed
from bot.dialog.message import Message, Text
from bot.dialog.questions import (
    LookupFacts,
    Question,
    QuestionKind,
    lookup_answer,
    lookup_begun,
    unanswered,
)
from bot.engine.lanes.looks import Looked, WhoLooks
from bot.engine.lanes.suggestions import suggest_images
from bot.engine.ports.looks import AsksForLooks
from bot.engine.ports.outbox import NewNotes
from bot.engine.ports.registries import Registries
from bot.engine.ports.store import Questions, Store

RUN_PERIOD: Final = timedelta(minutes=15)
"""How long an answer of a run is waited for."""
_NEXT_TRY: Final = timedelta(seconds=2)
_HEAD_START: Final = 2
"""A person waits, so the bot tries less often to connect by itself than for a transfer."""


class LookupByRunUnit(AsksForLooks, Questions, NewNotes, Protocol):
    """What is read and written here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupByRun:
    store: Store[LookupByRunUnit]
    registries: Registries
    target: Target
    who: WhoLooks
    clock: Callable[[], datetime]

    def takes_over(self, question: Question, image: ImageRef, trouble: TransientError) -> bool:
        """Whether a run has to look after the bot's own look met this trouble."""
        tries = question.attempts + 1 + _HEAD_START
        return self.who.lets_run(image.registry, trouble, tries=tries)

    async def ask(self, question: Question, image: ImageRef) -> None:
        """Ask for a look, unless one is under way, and tell the person that it takes a while."""
        now = self.clock()
        waits = replace(
            question, kind=QuestionKind.LOOKUP_BY_RUN, attempts=0, not_before=now + _NEXT_TRY
        )
        begun = Text(lookup_begun(image), question.language)
        async with self.store.begin() as unit:
            looks = await unit.looks_at([image])
            if not any(look.answered_at is None for look in looks):
                await unit.save_looks([Look(image=image, asked_at=now)])
            await unit.save_question(waits)
            await unit.add_note(question.place, begun, reply_to=None)  # the answer replies

    async def answer(self, question: Question, image: ImageRef) -> Message | None:
        """The answer. None: the run has said nothing yet."""
        now = self.clock()
        async with self.store.begin() as unit:
            look = next(iter(await unit.looks_at([image])), None)
            if look is not None and look.answers(question.opened_at, now):
                found = look
            elif has_passed(RUN_PERIOD, question.opened_at, now):
                return unanswered(question.kind, Trouble(TroubleKind.SILENT, "GitHub"))
            else:
                if look is None or look.answered_at is not None:  # its transfer was cancelled
                    await unit.save_looks([Look(image=image, asked_at=now)])
                await unit.save_question(replace(question, not_before=now + _NEXT_TRY))
                return None
        return lookup_answer(await self._facts(found), self.target, now)

    async def _facts(self, look: Look) -> LookupFacts:
        looked = Looked(self.registries, {look.image: look})
        facts = LookupFacts(
            image=look.image,
            source_digest=look.digest or None,
            info=look.info,
            target_digest=await self._at_target(look.image),
            failure=look.failure,
        )
        if look.digest or look.failure:
            return facts
        meant = await suggest_images(looked, look.image, target_host=self.target.host)
        return replace(facts, suggestions=meant)

    async def _at_target(self, image: ImageRef) -> str | None:
        try:
            return await self.registries.target_digest(image) or ""
        except (RefusedError, TransientError):
            return None
