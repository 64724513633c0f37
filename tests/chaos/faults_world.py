"""The real adapters and the real engine between real servers that fail on demand.

Everything is in one process, and tests set the engine's clock, so a wait of an hour takes no
time. `heard` lists what each service was asked, and when. No act is used: `_Runner` copies and
posts its statuses at once, as a run would.
"""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx
from faults_registry import USER, SmallRegistry, digest_of
from gathering import Circumstances, result_heads, stored
from invariants import Accepted, Evidence, Ran, Said, violations
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send
from store_fixture import rows_of
from telegram.error import TelegramError

from bot.adapters.github.repository import MirrorRepository
from bot.adapters.github.transport import GitHubBounds
from bot.adapters.network import Network
from bot.adapters.registry.client import RegistryClient
from bot.adapters.registry.transport import RegistryBounds
from bot.adapters.store import SqliteStore
from bot.adapters.store.schema import requests
from bot.adapters.telegram import SERVICE, TELEGRAM
from bot.adapters.telegram.chat import PollingBot, TelegramChat, polling_wait
from bot.adapters.telegram.polling import STORE_SECONDS, Polling, StoredOffset
from bot.adapters.telegram.rendering import TelegramWords
from bot.adapters.telegram.takeover import Takeover
from bot.adapters.telegram.transport import Bounds as TelegramBounds
from bot.core.batch import batch_of
from bot.core.decision import Verdict
from bot.core.errors import BotError
from bot.core.ids import ChatId, MessageId, PersonId, chat_id, message_id
from bot.core.image import Naming, Target
from bot.core.look import LookBy
from bot.core.policy import AllowLists, Policy, Rule
from bot.core.request import Request
from bot.core.transfer import State
from bot.dialog.language import Language
from bot.engine.decided import Rules
from bot.engine.intake.context import Installation
from bot.engine.intake.updates import Intake
from bot.engine.lanes.batch_admission import BatchAdmission
from bot.engine.lanes.batches import BatchesLane
from bot.engine.lanes.chat import ChatLane
from bot.engine.lanes.files import FilesLane
from bot.engine.lanes.lane import Lane
from bot.engine.lanes.looks import WhoLooks
from bot.engine.lanes.questions import QuestionsLane
from bot.engine.lanes.registry_checks import RegistryChecksLane
from bot.engine.shutdown import Shutdown
from bot.sandbox.faults.middleware import ArmedFaults, FaultMiddleware
from bot.sandbox.github.server import GitHub
from bot.sandbox.github.triggers import Trigger
from bot.sandbox.serve import served
from bot.sandbox.telegram.flood import FloodGate
from bot.sandbox.telegram.server import telegram_app
from bot.sandbox.telegram.state import TelegramState
from bot.sandbox.telegram.values import ChatMessage

NAME: Final = "ana/mirror"
TOKEN: Final = "7000000001:sandbox"
LISTED: Final = 60
"""How many images are listed and not yet in the target, so that a run has to be dispatched."""
LIST: Final = b"# images\nnginx:1.26\n" + b"".join(
    b"docker.io/library/listed-%d:1\n" % number for number in range(LISTED)
)
WORKFLOW: Final = b"""\
name: mirror
run-name: mirror ${{ inputs.batch || github.sha }}
on:
  push: {branches: [main], paths: [image.list]}
  workflow_dispatch:
    inputs: {images: {type: string}, batch: {type: string}, decision: {type: string}}
"""
ADMINS: Final = frozenset({PersonId("telegram:1003")})
POLICY: Final = Policy(
    registries=frozenset({"docker.io"}),
    rules=(Rule("docker.io/library/**", Verdict.APPROVE), Rule("**", Verdict.ASK)),
    expire_after=timedelta(hours=72),
    open_limit=1000,
    daily_limit=1000,
    request_limit=30,
)
SLOW: Final = 4.0
"""Read timeout in seconds for faults that never answer. Other faults get five times as long."""
WORDS: Final = TelegramWords()
_SOON: Final = 2.0
_WAITING: Final = frozenset({State.CHECKING, State.APPROVED, State.VERIFYING})


@dataclass(slots=True)
class Clock:
    now: datetime = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()


@dataclass(frozen=True, slots=True)
class Heard:
    """A request that a service got: "METHOD /path", with the time by the clock that tests set."""

    where: str
    line: str
    at: datetime


@dataclass
class FaultsWorld:
    clock: Clock
    people: TelegramState
    faults: ArmedFaults
    source: SmallRegistry
    target: SmallRegistry
    github: GitHub
    store: SqliteStore
    bot: PollingBot
    repository: MirrorRepository
    registries: RegistryClient
    direct: httpx.AsyncClient
    host: str
    heard: list[Heard] = field(default_factory=list)
    accepted: list[Accepted] = field(default_factory=list)
    polled: list[float] = field(default_factory=list)
    dropped: set[str] = field(default_factory=set)
    listed: int = -1
    unreachable: frozenset[ChatId] = frozenset()
    target_before: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.place = Target(self.host, "", Naming.NESTED)
        members = frozenset({PersonId("telegram:1001"), PersonId("telegram:1002")})
        chats = {ChatId(f"telegram:{self.people.group.id}")}
        self.access = AllowLists(chats=chats, members=members, admins=ADMINS)
        installation = Installation(
            policy=POLICY,
            access=self.access,
            target=self.place,
            service=SERVICE,
            me="imageto_bot",
        )
        self.lanes = self._lanes(TelegramChat(self.bot, WORDS))
        ahead = self.store.ahead()
        intake = Intake(
            store=ahead,
            installation=installation,
            clock=self.clock,
            wake=lambda: None,
            budgets=self.registries.budgets,
        )
        self.halt = Shutdown()
        self.offset = StoredOffset(ahead)
        self.polling = Polling(
            words=WORDS,
            bot=self.bot,
            receiver=intake,
            offset=self.offset,
            alive=self._alive,
            turn=Takeover(settled=True, hold=lambda _: None),
            together=ahead.together,
        )

    def _lanes(self, chat: TelegramChat) -> dict[str, Lane]:
        store, clock, registries = self.store, self.clock, self.registries
        said = {"store": store, "chat": chat, "target": self.place, "clock": clock}
        return {
            "chat": ChatLane(**said, language=Language.EN, policy=POLICY),  # type: ignore[arg-type]
            "files": FilesLane(
                store=store,
                chats={chat.service.name: chat},
                target=self.place,
                language=Language.EN,
                clock=clock,
            ),
            "questions": QuestionsLane(
                store=store,
                registries=registries,
                repository=self.repository,
                target=self.place,
                rules=Rules(POLICY, ADMINS),
                kept_fresh=False,
                who=WhoLooks(clock, {"*": LookBy.BOT}),
                chats={chat.service.name: chat},
                clock=clock,
            ),
            "registry_checks": RegistryChecksLane(
                store=store,
                registries=registries,
                rules=Rules(POLICY, ADMINS),
                target=self.place,
                who=WhoLooks(clock, {"*": LookBy.BOT}),
                clock=clock,
            ),
            "batches": BatchesLane(
                store=store,
                repository=self.repository,
                registries=registries,
                admission=BatchAdmission(Rules(POLICY, ADMINS)),
                access=self.access,
                language=Language.EN,
                key=bytes(32),
                patience=timedelta(seconds=90),
                clock=clock,
                new_id=lambda: secrets.token_hex(8),
            ),
        }

    async def _alive(self, _: float | None) -> None:
        await self.store.beat(TELEGRAM, self.clock())

    # -- people -----------------------------------------------------------------------------

    def say(
        self, text: str, *, who: str = "wei", images: Iterable[str] = (), answered: bool = True
    ) -> int:
        """Return the message's number. It is delivered with the next step."""
        person = self.people.person(who)
        message = self.people.say(person, self.people.group, text)
        self._accept(message, images, answered=answered)
        return message.id

    def send_file(self, name: str, content: bytes) -> int:
        person, document = self.people.person("wei"), self.people.keep(name, "text/yaml", content)
        message = self.people.say(person, self.people.group, "/mirror", document=document)
        self._accept(message, ())
        return message.id

    def _accept(
        self, message: ChatMessage, images: Iterable[str], *, answered: bool = True
    ) -> None:
        chat, number = _chat(message), _message(message.id)
        self.accepted.append(Accepted(chat, number, tuple(images), answered))

    def press(self, message: int, button: str, *, who: str = "ana") -> None:
        self.people.press(self.people.person(who), self.people.group, message, button)

    def replies(self, message: int) -> list[ChatMessage]:
        return [m for m in self.people.messages() if m.sender is None and m.reply_to == message]

    def texts(self, message: int) -> list[str]:
        """Return every text ever sent in reply to it, without markup."""
        said = [(*reply.history, reply.text) for reply in self.replies(message)]
        return [text for texts in said for text in texts]

    # -- time -------------------------------------------------------------------------------

    async def step(self) -> None:
        """Do all that is due now, then set the clock to what is due next."""
        await self._deliver()
        await self._tick()
        self.clock.now += timedelta(seconds=await self._ahead())

    async def _tick(self) -> None:
        for lane in self.lanes.values():
            with suppress(BotError):
                await lane.tick(self.halt.is_requested)
            running = list(self.github.actions._tasks.values())
            if running:  # a run is at work: let it end before the next lane looks
                await asyncio.wait(running)

    async def _deliver(self) -> None:
        attempts = 0
        while await self._undelivered():
            try:
                wait = await self.polling._once(self.halt)
            except BotError:  # as Polling.run() does, but by this clock
                wait = STORE_SECONDS
            except TelegramError as error:
                attempts += 1
                wait = polling_wait(error, attempts)
            if wait:
                self.polled.append(wait)
                self.clock.now += timedelta(seconds=wait)

    async def _undelivered(self) -> bool:
        following = await self.offset.read()
        return any(update.id >= following for update in self.people.updates.pending())

    async def _ahead(self) -> float:
        """Return the seconds to the next due time, in steps that get smaller towards it."""
        now = self.clock.now
        async with self.store.begin() as unit:
            items = [
                *(t for t in await unit.open_transfers() if t.state in _WAITING),
                *await unit.open_batches(),
                *await unit.notes(),
                *await unit.questions(),
                *(each for each in await unit.gatherings() if each.read_at is None),
            ]
        later = [item.not_before for item in items if item.not_before is not None]
        waits = [(time - now).total_seconds() for time in later if time > now]
        if not waits or len(waits) < len(items):
            return 1.0
        return max(min(waits) / 2, min(1.0, *waits)) if min(waits) > _SOON else min(waits)

    async def request(self, message: int) -> Request | None:
        async with self.store.begin() as unit:
            wanted = select(requests.c.id).where(requests.c.message == _message(message))
            found = await rows_of(unit, wanted)
            return await unit.request(found[0]["id"]) if found else None

    def refuses(self) -> None:
        """Telegram has refused a message for good: no more are due in the group."""
        self.unreachable = frozenset({chat_id(TELEGRAM, self.people.group.id)})

    # -- the end ----------------------------------------------------------------------------

    async def evidence(self, *, repetitions: int = 0) -> Evidence:
        circumstances = Circumstances(
            words=WORDS, target=self.place, language=Language.EN, now=self.clock.now
        )
        found = await stored(self.store, circumstances)
        head = await self.github.repository.head()
        listed = await self.github.repository.file(head, "image.list")
        log = await self.github.repository.log(head, limit=1000)
        return Evidence(
            now=self.clock.now,
            policy=POLICY,
            admins=ADMINS,
            asked=found.asked,
            transfers=found.transfers,
            batches=found.batches,
            decided=found.decided,
            accepted=tuple(self.accepted),
            said=tuple(self._said()),
            people_list=LIST,
            list_now=listed.data if listed else b"",
            commits=tuple(commit.message for commit in log),
            runs=tuple([await self._ran(run.id) for run in self.github.actions.runs()]),
            target_before=self.target_before,
            target_now=dict(self._at_target()),
            repetitions=repetitions,
            unreachable=self.unreachable,
            left=found.left,
        )

    def _said(self) -> list[Said]:
        return [
            Said(
                _chat(message),
                _message(message.id),
                None if message.reply_to is None else _message(message.reply_to),
                (*message.history, message.text),
                tuple(b.value for row in message.keyboard for b in row if b.kind == "callback"),
                is_result=message.text.partition("\n")[0] in result_heads(WORDS),
                is_file=message.document is not None,
            )
            for message in self.people.messages()
            if message.sender is None
        ]

    async def _ran(self, number: int) -> Ran:
        run = self.github.actions.run(number)
        assert run is not None
        if run.event == "workflow_dispatch":
            return Ran(number, run.title.rpartition(" ")[2], dispatched=True)
        commit = await self.github.repository.commit(run.sha)
        return Ran(number, batch_of(commit.message) if commit else None)

    def _at_target(self) -> Iterable[tuple[str, str]]:
        for (name, tag), manifest in self.target.manifests.items():
            if ":" not in tag:
                yield f"{name}:{tag}", digest_of(manifest)

    async def violated(self, *, repetitions: int = 0) -> list[str]:
        return violations(await self.evidence(repetitions=repetitions))


@asynccontextmanager
async def faults_world(
    folder: Path, *, read: float = 5 * SLOW, turn: asyncio.Lock | None = None
) -> AsyncIterator[FaultsWorld]:
    """A world in `folder`, which must be empty or absent. NO_PROXY has to be set to *.

    `read` is the read timeout in seconds. Worlds that run at the same time share `turn`, since
    Alembic migrates one database at a time.
    """
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - once
    clock, faults, heard = Clock(), ArmedFaults(), list[Heard]()
    people = TelegramState(clock=clock.seconds)
    source, target = SmallRegistry(), SmallRegistry(password=secrets.token_urlsafe(12))

    def on(app: ASGIApp, where: str) -> ASGIApp:
        return _Listening(app, where, heard, clock)

    async with AsyncExitStack() as stack:
        files = {"image.list": LIST, ".github/workflows/mirror.yml": WORKFLOW}
        github = await stack.enter_async_context(
            GitHub(data=folder, name=NAME, files=files, faults=faults, environment={}, delay=0)
        )
        api = telegram_app(people, token=TOKEN, flood=FloodGate(clock.seconds, on=False))
        main = Starlette(
            routes=[
                Mount("/telegram", app=on(FaultMiddleware(api, faults, "telegram"), "telegram")),
                Mount("/github", app=on(github.app, "github")),
            ]
        )
        port = await stack.enter_async_context(served(main))
        ports = [
            await stack.enter_async_context(
                served(on(FaultMiddleware(r.app(), faults, where), where))
            )
            for r, where in ((source, "source"), (target, "target"))
        ]
        host = f"127.0.0.1:{ports[1]}"
        async with turn or asyncio.Lock():
            store = await SqliteStore.open(folder / "bot.sqlite3")
        stack.push_async_callback(store.close)
        bot = PollingBot(
            TOKEN,
            f"http://127.0.0.1:{port}/telegram",
            TelegramBounds(read=read, whole=1.5 * read, poll=0, size=1 << 20),
        )
        await bot.initialize()
        stack.push_async_callback(bot.shutdown)
        repository = MirrorRepository(
            api=f"http://127.0.0.1:{port}/github",
            token=github.token,
            repository=NAME,
            branch="main",
            path="image.list",
            workflow="mirror.yml",
            between=(0, 0),
            bounds=GitHubBounds(read=read, whole=1.5 * read, size=2 << 20),
        )
        stack.callback(repository.close)
        registries = RegistryClient(
            addresses={"docker.io": f"http://127.0.0.1:{ports[0]}", host: f"http://{host}"},
            target=Target(host, "", Naming.NESTED),
            allowed={"docker.io"},
            target_login=(USER, target.password),
            source_logins={},
            network=Network({}),
            clock=clock.seconds,
            bounds=RegistryBounds(connect=read, read=read, whole=1.5 * read),
        )
        stack.push_async_callback(registries.aclose)
        inner = github.app._app  # type: ignore[attr-defined]  # without the injected faults
        direct = await stack.enter_async_context(
            httpx.AsyncClient(
                transport=httpx.ASGITransport(inner),
                base_url=f"http://127.0.0.1:{port}",
                headers={"Authorization": f"token {github.token}"},
            )
        )
        world = FaultsWorld(
            clock=clock,
            people=people,
            faults=faults,
            source=source,
            target=target,
            github=github,
            store=store,
            bot=bot,
            repository=repository,
            registries=registries,
            direct=direct,
            host=host,
            heard=heard,
        )
        github.actions._conclude = _Runner(world)  # type: ignore[method-assign]
        yield world


class _Listening:
    def __init__(self, app: ASGIApp, where: str, heard: list[Heard], clock: Clock) -> None:
        self._app, self._where, self._heard, self._clock = app, where, heard, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        line = f"{scope['method']} {scope['path']}"
        self._heard.append(Heard(self._where, line, self._clock.now))
        await self._app(scope, receive, send)


class _Runner:
    """Copy what the trigger names and post a status for each image, as a run does."""

    def __init__(self, world: FaultsWorld) -> None:
        self._world = world

    async def __call__(self, number: int, trigger: Trigger) -> str:
        for image in await self._images(trigger):
            if image not in self._world.dropped:
                await self._copy(number, trigger, image)
        return "success"

    async def _images(self, trigger: Trigger) -> list[str]:
        if trigger.event == "workflow_dispatch":
            return re.findall(r"^Image: ([^@]+)@", trigger.inputs["decision"], re.MULTILINE)
        files = [
            await self._world.github.repository.file(sha, "image.list")
            for sha in (trigger.before, trigger.sha)
        ]
        before, after = ({*f.data.decode().splitlines()} if f else set() for f in files)
        return sorted(after - before)

    async def _copy(self, number: int, trigger: Trigger, image: str) -> None:
        world = self._world
        name, _, tag = image.partition(":")
        manifest = world.source.manifests[name.removeprefix("docker.io/"), tag]
        digest = world.target.hold(name, tag, manifest)
        answer = await world.direct.post(
            f"/repos/{NAME}/statuses/{trigger.sha}",
            json={
                "state": "success",
                "context": f"mirror/{image}",
                "description": f"{digest} {len(manifest)} copied",
                "target_url": f"{trigger.server}/{NAME}/actions/runs/{number}",
            },
        )
        answer.raise_for_status()


def _chat(message: ChatMessage) -> ChatId:
    return chat_id(TELEGRAM, message.chat.id)


def _message(number: int) -> MessageId:
    return message_id(TELEGRAM, number)
