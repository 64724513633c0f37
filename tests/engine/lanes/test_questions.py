"""One person's slow questions delay nobody else's.

Time is virtual and passes only while every task waits: see virtual_time.py.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import GROUP, LI, POLICY, TARGET, WEI, FakeRegistries, FakeRepository, digest_of
from store_fixture import fresh_store
from virtual_time import LoopClock, VirtualTimeLoop

from bot.adapters.store import SqliteStore
from bot.core.ids import MessageId, Person, Place
from bot.core.image import ImageRef
from bot.dialog.language import Language
from bot.dialog.questions import Question, QuestionKind
from bot.engine.decided import Rules
from bot.engine.lanes.looks import WhoLooks
from bot.engine.lanes.questions import COMPARE_SECONDS, SCAN_SECONDS, QuestionsLane
from bot.engine.lanes.reconciler import Reconciler
from bot.engine.shutdown import Shutdown

LOOP_FACTORY = VirtualTimeLoop
SLOW = 60.0
"""Seconds until the slow registry answers."""


class SlowAtQuay(FakeRegistries):
    async def source_digest(self, image: ImageRef) -> str | None:
        await asyncio.sleep(SLOW if image.registry == "quay.io" else 0.1)
        return digest_of(str(image))


class Site:
    """The lane as the reconciler runs it, over a real database."""

    def __init__(self, store: SqliteStore, clock: LoopClock) -> None:
        self.store, self.clock, self.asked = store, clock, 0
        registries = SlowAtQuay()
        registries.target["docker.io/library/nginx:1"] = digest_of("nginx")
        repository = FakeRepository()
        repository.content = b"quay.io/a/a:1\nquay.io/b/b:1\n"
        lane = QuestionsLane(
            store=store,
            registries=registries,
            repository=repository,
            target=TARGET,
            rules=Rules(POLICY, ()),
            kept_fresh=False,
            who=WhoLooks(clock),
            chats={},
            clock=clock,
            scan=self._scan,
        )
        self.reconciler, self.shutdown = Reconciler({"questions": lane}), Shutdown()

    async def _scan(self, *_: object) -> None:
        await asyncio.sleep(SLOW)

    async def ask(self, person: Person, kind: QuestionKind, text: str) -> MessageId:
        self.asked += 1
        message = MessageId(f"telegram:{self.asked}")
        question = Question(
            id=0,
            kind=kind,
            text=text,
            person=person.id,
            place=Place(GROUP),
            language=Language.EN,
            opened_at=self.clock(),
            message=message,
        )
        async with self.store.begin() as unit:
            await unit.add_question(question)
        self.reconciler.wake()
        return message

    async def waited(self, message: MessageId) -> timedelta:
        """How long the answer to this message takes from now."""
        began = self.clock()
        while True:
            async with self.store.begin() as unit:
                if message in {note.reply_to for note in await unit.notes()}:
                    return self.clock() - began
            assert self.clock() - began < timedelta(minutes=10)
            await asyncio.sleep(0.05)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    store = await fresh_store(tmp_path / "bot.sqlite3")
    made = Site(store, LoopClock())
    running = asyncio.create_task(made.reconciler.run(made.shutdown))
    yield made
    made.shutdown.request()
    await running
    await store.close()


async def eight_comparisons(site: Site) -> list[MessageId]:
    asked = [await site.ask(WEI, QuestionKind.OUTDATED, "quay") for _ in range(8)]
    await asyncio.sleep(1)
    return asked


@pytest.mark.parametrize(
    ("kind", "text"), [(QuestionKind.LOOKUP, "nginx:1.27"), (QuestionKind.LIST, "")]
)
async def test_a_question_of_another_is_answered_at_once_beside_slow_comparisons(
    site: Site, kind: QuestionKind, text: str
) -> None:
    await eight_comparisons(site)
    assert await site.waited(await site.ask(LI, kind, text)) < timedelta(seconds=1)


async def test_comparisons_of_two_people_go_side_by_side(site: Site) -> None:
    asked = await eight_comparisons(site)
    limit = timedelta(seconds=COMPARE_SECONDS + 2)
    assert await site.waited(await site.ask(LI, QuestionKind.OUTDATED, "quay")) < limit
    assert await site.waited(asked[7]) > limit  # one at a time of each person


async def test_slow_lookups_of_one_person_leave_room_for_another(site: Site) -> None:
    for number in range(20):
        await site.ask(WEI, QuestionKind.LOOKUP, f"quay.io/a/a:{number}")
    await asyncio.sleep(1)
    waited = await site.waited(await site.ask(LI, QuestionKind.LOOKUP, "nginx:1.27"))
    assert waited < timedelta(seconds=1)


async def test_an_answer_waits_seconds_for_a_scanner(site: Site) -> None:
    waited = await site.waited(await site.ask(LI, QuestionKind.LOOKUP, "nginx:1"))
    assert timedelta(seconds=SCAN_SECONDS) <= waited < timedelta(seconds=SCAN_SECONDS + 2)


async def test_a_stop_waits_for_no_question_and_loses_none(site: Site) -> None:
    await site.ask(WEI, QuestionKind.OUTDATED, "quay")
    await asyncio.sleep(1)
    began = site.clock()
    site.shutdown.request()
    site.reconciler.wake()
    await asyncio.sleep(1)
    async with site.store.begin() as unit:
        assert len(await unit.questions()) == 1
    assert site.clock() - began < timedelta(seconds=3)
