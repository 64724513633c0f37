"""The lane that answers /lookup, /list and /outdated, and begins what /remove asks for.

It reads from registries and from the mirror repository, and must not write there. The answer is
stored as a note, or it is the card of a request. A question that cannot be answered within
ANSWER_PERIOD gets the reason.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Protocol

from bot.core import image_list
from bot.core.decision import Verdict
from bot.core.errors import RefusedError, TransientError
from bot.core.ids import PersonId, is_private
from bot.core.image import ImageRef, Target
from bot.core.retry import Trouble, TroubleKind, has_passed
from bot.dialog.message import Message, Text
from bot.dialog.outdated import IMAGES_COMPARED, Compared, comparable, outdated
from bot.dialog.questions import (
    Freshness,
    Listed,
    LookupFacts,
    Question,
    QuestionKind,
    containing,
    list_page,
    lookup_answer,
    on_page,
    unanswered,
)
from bot.dialog.removal import not_listed
from bot.engine.decided import Rules, ruling_on
from bot.engine.lanes.lane import TickResult, attempt
from bot.engine.lanes.looks import WhoLooks
from bot.engine.lanes.lookup_by_run import LookupByRun, LookupByRunUnit
from bot.engine.lanes.suggestions import suggest_images
from bot.engine.lanes.unused import UnusedImages, UnusedUnit
from bot.engine.ports.chat import Chat
from bot.engine.ports.decisions import DecisionsOnNames
from bot.engine.ports.fresh import ListedFacts, TrackedNames
from bot.engine.ports.outbox import NewNotes
from bot.engine.ports.registries import LooksAtScan, Registries
from bot.engine.ports.repository import ImageListFile
from bot.engine.ports.store import (
    AsksForRemovals,
    KnownPeople,
    NewRequest,
    OpensRequests,
    Questions,
    Store,
)
from bot.engine.shutdown import Stopped, never
from bot.engine.view_loader import names_of

log = logging.getLogger(__name__)

ANSWER_PERIOD: Final = timedelta(seconds=45)
"""How long a question is tried. A person does not wait longer for an answer."""
COMPARISONS_AT_ONCE: Final = 8
"""Images that are compared at a time for one answer."""
SCAN_SECONDS: Final = 5.0
"""How long an answer waits for what the scanner found, in seconds."""
COMPARE_SECONDS: Final = 20.0
"""How many seconds images are compared for one answer. It says how many were left out."""
QUESTIONS_AT_ONCE: Final = 16
QUESTIONS_AT_ONCE_OF_A_PERSON: Final = 2
OUTDATED_AT_ONCE: Final = 4
"""Of all people. Each person has one at a time, since a comparison takes long."""
NEXT_LOOK: Final = 0.1
"""Seconds until the lane looks for new questions while others are being answered."""


class QuestionsUnit(
    UnusedUnit,
    LookupByRunUnit,
    Questions,
    NewNotes,
    TrackedNames,
    ListedFacts,
    KnownPeople,
    DecisionsOnNames,
    OpensRequests,
    AsksForRemovals,
    Protocol,
):
    """What this lane reads and writes."""


class QuestionsLane:
    def __init__(
        self,
        *,
        store: Store[QuestionsUnit],
        registries: Registries,
        repository: ImageListFile,
        target: Target,
        rules: Rules,
        kept_fresh: bool,
        who: WhoLooks,
        chats: Mapping[str, Chat],
        clock: Callable[[], datetime],
        scan: LooksAtScan | None = None,
    ) -> None:
        """`kept_fresh`: whether the listed images are checked regularly. `chats`: by service.

        `scan`: how the target's scanner is asked, None where it shall not be.
        """
        self._unused = UnusedImages(
            store=store, repository=repository, chats=chats, host=target.host, clock=clock
        )
        self._store = store
        self._registries = registries
        self._repository = repository
        self._target = target
        self._rules = rules
        self._kept_fresh = kept_fresh
        self._clock = clock
        self._who = who
        self._scan = scan
        self._by_run = LookupByRun(
            store=store, registries=registries, target=target, who=who, clock=clock
        )

    async def tick(self, stopped: Stopped = never) -> TickResult:
        """Answer every question that is due, side by side, also those that come meanwhile.

        A stop interrupts them: nothing but the answer is written, and the next start answers them.
        """
        tasks = dict[Question, asyncio.Task[bool | None]]()
        moved = False
        try:
            while True:
                async with self._store.begin() as unit:
                    questions = await unit.questions()
                if not stopped():
                    for question in next_questions(questions, list(tasks), self._clock()):
                        tasks[question] = asyncio.create_task(self._try(question))
                if not tasks or stopped():
                    break
                await asyncio.wait(
                    tasks.values(), timeout=NEXT_LOOK, return_when=asyncio.FIRST_COMPLETED
                )
                for question in [each for each, task in tasks.items() if task.done()]:
                    moved = bool(tasks.pop(question).result()) or moved
        finally:
            await _cancel(tasks.values())
        if moved:
            return TickResult.CHANGED
        return TickResult.OPEN if questions else TickResult.IDLE

    async def _try(self, question: Question) -> bool | None:
        """Answer a question. If that raises, say so, and if that raises too, drop the question."""
        not_processed = unanswered(question.kind, Trouble(TroubleKind.OTHER))
        return await attempt(
            f"question {question.id}",
            partial(self._answer_or_postpone, question),
            partial(self._store_answer, question, not_processed),
            partial(self._drop, question),
        )

    async def _answer_or_postpone(self, question: Question) -> bool:
        """True where it is answered or postponed."""
        try:
            answer = await self._answer(question)
        except RefusedError as refusal:
            answer = unanswered(question.kind, Trouble(TroubleKind.OTHER, line=str(refusal)))
        except TransientError as trouble:
            log.warning("question %d: %s", question.id, trouble)
            now = self._clock()
            later = question.postponed(now, seed=question.id, retry_after=trouble.retry_after)
            if not has_passed(ANSWER_PERIOD, question.opened_at, later.not_before or now):
                async with self._store.begin() as unit:
                    await unit.save_question(later)
                return True
            answer = unanswered(question.kind, trouble.trouble)
        return answer is None or await self._store_answer(question, answer)

    async def _answer(self, question: Question) -> Message | None:
        """None where a card is the answer, or a run has to look first."""
        match question.kind:
            case QuestionKind.LOOKUP:
                return await self._lookup(question, ImageRef.parse(question.text))
            case QuestionKind.LOOKUP_BY_RUN:
                return await self._by_run.answer(question, ImageRef.parse(question.text))
            case QuestionKind.LIST:
                return await self._list(question)
            case QuestionKind.OUTDATED:
                return await self._outdated(question.text)
            case QuestionKind.UNUSED:
                return await self._unused.answer(question)
            case QuestionKind.REMOVE:
                return await self._remove(question, ImageRef.parse(question.text))

    async def _list(self, question: Question) -> Message:
        content = (await self._repository.read_list()).content
        images = list(dict.fromkeys(image_list.listed_images(content)))
        found = containing(images, question.text)
        known = await self._known(question, on_page(found, question.page)[1])
        now = self._clock()
        return list_page(
            found, known, text=question.text, page=question.page, target=self._target, now=now
        )

    async def _known(
        self, question: Question, images: Sequence[ImageRef]
    ) -> dict[ImageRef, Listed]:
        """What is known of the images of a page. Who asked elsewhere is told in no group."""
        chat = question.place.chat
        person = question.person if is_private(chat) else PersonId("")
        async with self._store.begin() as unit:
            newest = await unit.newest_transfers(images)
            asked = await unit.first_askers(images, chat=chat, person=person)
            names = names_of(await unit.people({each.person for each in asked.values()}))
            fresh = await self._fresh(unit, images)
        return {
            image: Listed(
                state=newest[image].state if image in newest else None,
                person=names.get(asked[image].person, "") if image in asked else "",
                asked_at=asked[image].opened_at if image in asked else None,
                fresh=fresh.get(image),
            )
            for image in images
        }

    async def _fresh(
        self, unit: QuestionsUnit, images: Sequence[ImageRef]
    ) -> dict[ImageRef, Freshness]:
        found: dict[ImageRef, Freshness] = {}
        tracked = await unit.tracked_among(images) if self._kept_fresh else {}
        for image, gone_at in tracked.items():
            ruling = await ruling_on(unit, self._rules, image, "", replaced=True)
            kept = Freshness.KEPT if ruling.verdict is Verdict.APPROVE else Freshness.ASKED
            found[image] = kept if gone_at is None else Freshness.GONE
        return found

    async def _remove(self, question: Question, image: ImageRef) -> Message | None:
        """Open a request whose card asks admins, or join the open one of the image."""
        listed = image_list.listed_images((await self._repository.read_list()).content)
        if image not in listed:
            name = (image.registry, image.repository)
            same = [i for i in dict.fromkeys(listed) if (i.registry, i.repository) == name]
            return not_listed(image, same)
        now = self._clock()
        async with self._store.begin() as unit:
            request = await unit.open_request(
                NewRequest(
                    person=question.person,
                    place=question.place,
                    message=question.message,
                    opened_at=now,
                    confirmed_at=now,
                )
            )
            before = await unit.open_removal(image)
            until = now + self._rules.policy.expire_after
            removal = before.id if before else await unit.ask_for_removal(image, now, until)
            await unit.link(request.id, [removal])
            await unit.drop_question(question.id)
        return None

    async def _outdated(self, text: str) -> Message:
        content = (await self._repository.read_list()).content
        images, fixed = comparable(image_list.listed_images(content), text)
        compared = await self._compared(images[:IMAGES_COMPARED])
        return outdated(compared, text=text, listed=len(images), fixed=fixed)

    async def _compared(self, images: Sequence[ImageRef]) -> list[Compared]:
        """Compare by HEAD only, which no registry counts as a pull."""
        places = asyncio.Semaphore(COMPARISONS_AT_ONCE)

        async def compared(image: ImageRef) -> Compared:
            if self._who.by_run(image.registry):
                return Compared(image, cut_off=True)
            async with places:
                there = await self._at_source(image), await self._at_target(image)
                return Compared(image, *there, self._rules.policy.floating)

        looks = {image: asyncio.create_task(compared(image)) for image in images}
        try:
            if looks:
                await asyncio.wait(looks.values(), timeout=COMPARE_SECONDS)
        finally:
            await _cancel(looks.values())
        return [
            Compared(image) if look.cancelled() else look.result() for image, look in looks.items()
        ]

    async def _at_source(self, image: ImageRef) -> str | None:
        """The digest. None where the registry does not answer, empty where it has no such image."""
        try:
            return await self._registries.source_digest(image) or ""
        except (RefusedError, TransientError) as trouble:
            log.info("comparing %s: %s", image, trouble)
            return None

    async def _lookup(self, question: Question, image: ImageRef) -> Message | None:
        try:
            if not self._who.by_run(image.registry):
                facts = await self._scanned(await self._look(image))
                return lookup_answer(facts, self._target, self._clock())
        except TransientError as trouble:
            if not self._by_run.takes_over(question, image, trouble):
                raise
        await self._by_run.ask(question, image)
        return None

    async def _scanned(self, facts: LookupFacts) -> LookupFacts:
        """With what the target's scanner found in what it holds. An answer without it is good."""
        if not facts.target_digest or self._scan is None:
            return facts
        with suppress(RefusedError, TransientError, TimeoutError):
            async with asyncio.timeout(SCAN_SECONDS):
                return replace(facts, scan=await self._scan(facts.image, facts.target_digest))
        return facts

    async def _look(self, image: ImageRef) -> LookupFacts:
        there = await self._at_target(image)
        try:
            source = await self._registries.source_digest(image)
        except RefusedError as refusal:
            return LookupFacts(image=image, target_digest=there, refusal=str(refusal))
        if source is None:
            async with self._store.begin() as unit:
                listed = await unit.tracked_names()
            host = self._target.host
            meant = await suggest_images(self._registries, image, target_host=host, listed=listed)
            return LookupFacts(image=image, target_digest=there, suggestions=meant)
        try:
            shape = await self._registries.describe(image, source)
        except (RefusedError, TransientError) as trouble:
            log.info("question about %s: no details: %s", image, trouble)
            return LookupFacts(image=image, source_digest=source, target_digest=there)
        return LookupFacts(image=image, source_digest=source, target_digest=there, info=shape)

    async def _at_target(self, image: ImageRef) -> str | None:
        """The digest. None where the target cannot be read, empty where it has no such image."""
        try:
            return await self._registries.target_digest(image) or ""
        except (RefusedError, TransientError) as trouble:
            log.info("question about %s: the target: %s", image, trouble)
            return None

    async def _store_answer(self, question: Question, answer: Message) -> bool:
        text = Text(answer, question.language)
        async with self._store.begin() as unit:
            await unit.drop_question(question.id)
            await unit.add_note(
                question.place, text, reply_to=question.message, edits=question.edits
            )
        return True

    async def _drop(self, question: Question) -> bool:
        async with self._store.begin() as unit:
            await unit.drop_question(question.id)
        return True


def next_questions(
    questions: Sequence[Question], answered: Sequence[Question], now: datetime
) -> list[Question]:
    """The questions to begin beside those that are being `answered`, the oldest first.

    Nobody can take the turns of others: each person has few at a time, and one comparison.
    """
    begun, known = list(answered), {question.id for question in answered}
    for question in questions:
        if question.id not in known and question.is_due(now) and _has_room(question, begun):
            begun.append(question)
    return begun[len(answered) :]


def _has_room(question: Question, begun: Sequence[Question]) -> bool:
    own = [each for each in begun if each.person == question.person]
    room = len(begun) < QUESTIONS_AT_ONCE
    if question.kind is QuestionKind.OUTDATED:
        compared = [each for each in begun if each.kind is QuestionKind.OUTDATED]
        return room and len(compared) < OUTDATED_AT_ONCE and not set(own) & set(compared)
    quick = [each for each in own if each.kind is not QuestionKind.OUTDATED]
    return room and len(quick) < QUESTIONS_AT_ONCE_OF_A_PERSON


async def _cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    late = [task for task in tasks if not task.done()]
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
