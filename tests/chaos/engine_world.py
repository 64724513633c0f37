"""The engine over fakes, with kills: people act and time passes while the process is restarted.

A restart has nothing in memory and opens the store again on the same file. Telegram delivers
again what was not confirmed. `evidence` returns the end state for invariants.py.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from engine_kills import Faults, KillablePort, KillableStore, KillableWishes, Killed, Killer
from engine_mirror import MirrorRepository
from fakes import ANA, GROUP, POLICY, TARGET, WORDS, FakeChat, World
from gathering import Circumstances, plain, result_heads, stored
from invariants import Accepted, Evidence, Said
from sqlalchemy import select
from store_fixture import fresh_store, reopened, rows_of

from bot.adapters.store import SqliteStore
from bot.adapters.store.schema import transfers
from bot.adapters.wish_file import WishFile
from bot.core.errors import BotError, TransientError
from bot.core.fresh import FreshPlan
from bot.core.hold import with_blocks
from bot.core.ids import ChatId, MessageId, Person
from bot.core.image import ImageRef
from bot.core.policy import Policy
from bot.core.transfer import State
from bot.dialog.buttons import parse_button
from bot.dialog.command_values import Mirror, Retry
from bot.dialog.commands import parse
from bot.dialog.language import Language
from bot.engine.decided import Rules
from bot.engine.lanes.lane import Lane, TickResult
from bot.engine.lanes.wishes import WishesLane
from bot.engine.ports.wishes import Wish

T = TypeVar("T")
STEP: Final = 2.5
"""Seconds between two ticks. The engine's waits are of this order."""
MOST_TICKS: Final = 250
"""If anything still changes after this many ticks, it never stops."""


class OneHostsWishes(WishFile):
    """What commands on the host leave. It outlives the process."""

    def waiting(self) -> bool:
        return self._path.exists() or self._taken.exists()

    def clear(self) -> None:
        self._path.unlink(missing_ok=True)
        self.done()


class ChaosWorld(World):
    """The killer counts its points from the start, across restarts."""

    def __init__(
        self,
        store: SqliteStore,
        reopen: Callable[[], SqliteStore],
        killer: Killer,
        wishes: OneHostsWishes,
        *,
        policy: Policy = POLICY,
        plan: FreshPlan | None = None,
    ) -> None:
        self.killer = killer
        self.faults = Faults()
        self._reopen = reopen
        self.wishes = wishes
        self._is_outdated = False
        self.accepted: list[Accepted] = []
        self.left: list[str] = []
        self.unreachable: set[ChatId] = set()
        self.touched: set[str] = set()
        self.target_before: dict[str, str] = {}
        self._delivered: list[tuple[int, Callable[[], Awaitable[Any]]]] = []
        super().__init__(store, policy, plan=plan)

    def start(self) -> None:
        if not isinstance(self.repository, MirrorRepository):
            self.repository = MirrorRepository(self.registries, self.clock)
        super().start()
        self.lanes["wishes"] = WishesLane(
            store=KillableStore(self.store, self.killer, self.faults),
            wishes=KillableWishes(self.wishes, self.killer),
            rules=Rules(self.policy, self.admins),
            clock=self.clock,
            restart=self._outdate,
        )

    def _outdate(self) -> None:
        self._is_outdated = True

    def wired(self, port: Any) -> Any:
        if isinstance(port, SqliteStore):
            return KillableStore(port, self.killer, self.faults)
        return KillablePort(port, self.killer, self.faults)

    # -- kills ----------------------------------------------------------------------------

    async def surviving(self, step: Callable[[], Awaitable[T]]) -> T:
        """Do the work, and again after every kill, as Telegram repeats unconfirmed updates."""
        while True:
            before = asyncio.all_tasks()
            try:
                return await step()
            except TransientError:  # polling asks for the same update again
                self.clock.pass_time(1)
            except Killed:
                dying = asyncio.all_tasks() - before
                if dying:  # each of them ends at its next point
                    await asyncio.wait(dying)
                await self.restart()

    async def restart(self) -> None:
        """Start a new process on the same database."""
        await self.store.close()
        self.store = self._reopen()
        self.killer.revive()
        await self.reread_holds()

    async def reread_holds(self) -> None:
        """Start all parts anew with what admins hold, as after each change of it."""
        self._is_outdated = False
        ruled = self.policy
        async with self.store.begin() as unit:
            self.policy = with_blocks(ruled, await unit.holds())
        self.start()
        self.policy = ruled

    def wish(self, *wanted: Wish) -> None:
        """Leave wishes, as commands on the host do beside a bot that runs."""
        self.wishes.leave(wanted)

    # -- people ---------------------------------------------------------------------------

    async def say(
        self,
        person: Person,
        text: str,
        *,
        chat: ChatId = GROUP,
        thread: int | None = None,
        images: tuple[str, ...] = (),
        **more: object,
    ) -> bool:
        update, message = self.last_update, self.last_message
        more = {"sent_at": self.clock().replace(microsecond=0)} | more  # also of a repetition

        async def deliver() -> bool:
            latest = self.last_message
            self.last_update, self.last_message = update, message
            begun = await super(ChaosWorld, self).say(
                person, text, chat=chat, thread=thread, **more
            )
            self.last_message = max(latest, self.last_message)
            return begun

        begun = await self.surviving(deliver)
        self._delivered.append((update, deliver))
        command = parse(text, me="mirror_bot", target_host=TARGET.host)
        parsed = None if command is None else command.parsed
        wants = command is not None and not isinstance(parsed, Retry)
        asked = images if isinstance(parsed, Mirror) else ()
        self.accepted.append(
            Accepted(chat, MessageId(f"telegram:{self.last_message}"), asked, wants)
        )
        return begun

    async def press(self, person: Person, data: str, *, chat: ChatId = GROUP) -> str:
        if not any(said.place.chat == chat for said in list(self.chat.messages.values())[-1:]):
            return ""  # there is no such button
        update = self.last_update

        async def deliver() -> str:
            self.last_update = update
            return await super(ChaosWorld, self).press(person, data, chat=chat)

        answer = await self.surviving(deliver)
        self._delivered.append((update, deliver))
        return answer

    async def move(self, old: ChatId, new: ChatId) -> None:
        update = self.last_update

        async def deliver() -> None:
            self.last_update = update
            await super(ChaosWorld, self).move(old, new)

        await self.surviving(deliver)

    def jump(self, hours: float) -> None:
        """Set the bot's clock forward or back. GitHub's clock stays as it is."""
        self.clock.pass_time(hours * 3600)
        for job in self.repository.jobs.values():
            job.began += timedelta(hours=hours)

    async def deliver_again(self, back: int) -> None:
        """Deliver a recent update once more, as Telegram does when an answer is lost."""
        if back < len(self._delivered):
            number, repeat = self._delivered[-1 - back]
            latest, self.last_update = self.last_update, number
            await self.surviving(repeat)
            self.last_update = latest

    def holds(self, image: ImageRef, digest: str) -> None:
        """Put an image into the target before anybody asks for it."""
        self.registries.target[str(image)] = self.target_before[str(image)] = digest

    # -- time -----------------------------------------------------------------------------

    async def tick(self) -> TickResult:
        self.repository.work()
        return await self.surviving(self._tick_lanes)

    async def _tick_lanes(self) -> TickResult:
        """Tick each lane on its own, like the reconciler: an error ends only that lane's tick."""
        pulses = [await _tick(lane) for lane in self.lanes.values()]
        if self._is_outdated:
            await self.reread_holds()
        return max(pulses)

    async def settle(self, seconds: float = 10, step: float = STEP) -> None:
        passed = 0.0
        while passed < seconds:
            await self.tick()
            self.clock.pass_time(step)
            passed += step

    async def rest(self, *, hours: float = 6) -> None:
        """Let time pass in growing steps until nothing changes any more."""
        step, end = STEP, self.clock() + timedelta(hours=hours)
        for _ in range(MOST_TICKS):
            if self.clock() >= end:
                return
            pulse = await self.tick()
            if not self.repository.busy and pulse is not TickResult.CHANGED:
                if pulse is TickResult.IDLE or await self._waits_for_people():
                    return
                step = min(step * 1.5, 600)
            self.clock.pass_time(step)

    async def _waits_for_people(self) -> bool:
        """Return whether all that is open is a question to a person, and is shown."""
        async with self.store.begin() as unit:
            going = [t for t in await unit.open_transfers() if t.state is not State.WAITING]
            busy = going or await unit.open_batches() or await unit.notes()
            unread = [each for each in await unit.gatherings() if each.read_at is None]
            if busy or await unit.questions() or unread or await unit.any_open_statement():
                return False
        for asked in (await self._stored()).asked:
            request = asked.request
            asks = request.is_draft and request.cancelled_at is None
            waits = asks or any(not t.state.is_final for t in asked.transfers)
            shown = self.chat.messages.get(request.card) if request.card is not None else None
            settled = waits and shown is not None and plain(shown.text) in asked.cards
            if request.closed_at is None and not settled:
                return False
        return True

    async def images(self) -> list[str]:
        """Return the images of all transfers, open or ended."""
        async with self.store.begin() as unit:
            rows = await rows_of(unit, select(transfers.c.image))
        return [str(row["image"]) for row in rows]

    async def open_requests(self) -> list[int]:
        async with self.store.begin() as unit:
            return [int(request.id) for request in await unit.open_requests()]

    # -- the end state ------------------------------------------------------------------------

    def _left_wishes(self) -> list[str]:
        return ["wishes of the host"] if self.wishes.waiting() else []

    async def _stored(self) -> Any:
        return await stored(
            self.store,
            Circumstances(
                words=WORDS,
                target=TARGET,
                language=Language.EN,
                now=self.clock(),
                admins=[ANA.id],
            ),
        )

    async def evidence(self) -> Evidence:
        found = await self._stored()
        repository = self.repository
        return Evidence(
            now=self.clock(),
            policy=self.policy,
            admins=frozenset({ANA.id}),
            asked=found.asked,
            transfers=found.transfers,
            batches=found.batches,
            decided=found.decided,
            accepted=tuple(self.accepted),
            said=_said(self.chat, self.chat.deleted),
            people_list=repository.people_list,
            list_now=repository.content,
            commits=tuple(message for _, message in repository.commits),
            runs=repository.ran(),
            target_before=dict(self.target_before),
            target_now={
                name: digest
                for name, digest in self.registries.target.items()
                if isinstance(digest, str)
            },
            target_touched=frozenset(self.touched),
            removed=frozenset(repository.removed),
            gone_on=dict(self.killer.gone_on),
            unreachable=frozenset(self.unreachable),
            family=found.family,
            repetitions=self.killer.repetitions,
            overwritten=tuple(repository.overwritten),
            statements=None if self.statements is None else dict(self.attached.beside),
            left=(*found.left, *self.left, *self._left_wishes()),
        )


async def _tick(lane: Lane) -> TickResult:
    try:
        return await lane.tick()
    except BotError:
        return TickResult.OPEN


def _said(chat: FakeChat, deleted: set[MessageId]) -> tuple[Said, ...]:
    return tuple(
        Said(
            chat=said.place.chat,
            id=number,
            reply_to=said.reply_to,
            texts=tuple(plain(text) for text in (*said.texts, said.text)),
            data=tuple(v for v in said.data.values() if parse_button(v) is not None),
            is_result=plain(said.texts[0]).splitlines()[0] in result_heads(WORDS),
            is_file=said.document is not None,
            is_deleted=number in deleted,
        )
        for number, said in chat.messages.items()
    )


@asynccontextmanager
async def chaos_world(
    folder: Path,
    killer: Killer | None = None,
    *,
    policy: Policy = POLICY,
    plan: FreshPlan | None = None,
) -> AsyncIterator[ChaosWorld]:
    """A world with its own database in the folder. With a `plan` the list is kept fresh."""
    path = folder / "bot.sqlite3"
    store, wishes = await fresh_store(path), OneHostsWishes(path)
    wishes.clear()
    world = ChaosWorld(
        store, lambda: reopened(path), killer or Killer(), wishes, policy=policy, plan=plan
    )
    try:
        yield world
    finally:
        await world.store.close()
