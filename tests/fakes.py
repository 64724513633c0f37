"""The fakes of the engine's tests: a clock that tests set, and one fake for each outside port.

tests/chaos/engine_world.py builds on them. tests/chaos/faults_world.py has real adapters instead.
"""

import hashlib
import re
import secrets
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from store_fixture import fresh_store

from bot.adapters.store import SqliteStore
from bot.adapters.telegram import SERVICE
from bot.adapters.telegram.rendering import Rendered, TelegramWords
from bot.core.attachments import NO_ATTACHMENTS, Attachments
from bot.core.batch import CopyResult, Run, batch_of
from bot.core.decision import Decision, Ground, Verdict
from bot.core.errors import ChatMovedError, RefusedError, StaleError, UnsignedError
from bot.core.fresh import FreshPlan
from bot.core.ids import (
    BatchId,
    ChatId,
    CommitSha,
    MessageId,
    Person,
    PersonId,
    Place,
    RunId,
    UpdateKey,
    service_of,
)
from bot.core.image import ImageRef, Naming, Target
from bot.core.look import Look, LookBy, mark_of
from bot.core.policy import AllowLists, Policy, Rule
from bot.core.previous import Previous
from bot.core.quiet_hours import QuietHours
from bot.core.registry import ImageInfo, PullLimit, Scan, TagList
from bot.core.signature import Signer
from bot.core.statement import Sign, StatementForm
from bot.core.tag_class import TagClass
from bot.core.transfer import State, Transfer
from bot.dialog.language import Language
from bot.dialog.message import Button, ButtonKind, Message, Text, say
from bot.engine.decided import Rules
from bot.engine.intake.context import Attachment, Incoming, Installation, Press
from bot.engine.intake.rate_limit import RateLimit
from bot.engine.intake.updates import Intake
from bot.engine.lanes.batch_admission import BatchAdmission
from bot.engine.lanes.batches import BatchesLane
from bot.engine.lanes.chat import ChatLane
from bot.engine.lanes.files import FilesLane
from bot.engine.lanes.follow import FollowLane
from bot.engine.lanes.fresh import FreshLane
from bot.engine.lanes.fresh_gone import FreshGone
from bot.engine.lanes.fresh_news import FreshNews
from bot.engine.lanes.fresh_offers import FreshOffers
from bot.engine.lanes.fresh_updates import FreshUpdates
from bot.engine.lanes.lane import Lane, TickResult
from bot.engine.lanes.looks import WhoLooks
from bot.engine.lanes.maintainer import MaintainerLane, ToldWhere
from bot.engine.lanes.questions import QuestionsLane
from bot.engine.lanes.reconciler import Reconciler
from bot.engine.lanes.registry_checks import RegistryChecksLane
from bot.engine.lanes.statements import StatementsLane
from bot.engine.ports.chat import Document
from bot.engine.ports.registries import TargetState
from bot.engine.ports.repository import ListFile, Names, TokenState, WorkflowState

REST = 10.0
"""Seconds for which a lane without work rests, at most. In the bot it is IDLE_INTERVAL."""
GROUP = ChatId("telegram:-1001")
WEI = Person(PersonId("telegram:1001"), "Wei", "en")
LI = Person(PersonId("telegram:1002"), "Li", "zh")
ANA = Person(PersonId("telegram:1003"), "Ana", "en")
MALLORY = Person(PersonId("telegram:1004"), "Mallory <b>", "en")
NGINX = ImageRef.parse("docker.io/library/nginx:1.27")
STATIC = ImageRef.parse("gcr.io/distroless/static:nonroot")
TARGET = Target("harbor.example.com", "", Naming.NESTED)
WORDS = TelegramWords(registries=["docker.io", "gcr.io"])


def rendered(text: Text) -> Rendered:
    """Return what a person of Telegram sees."""
    return WORDS.render(text.message, text.language)


def plain(words: str, *row: tuple[str, ButtonKind, str]) -> Text:
    """Return a message of these words, with a row of buttons."""
    buttons = tuple(Button(say("plain", text=label), kind, value) for label, kind, value in row)
    message = Message((say("plain", text=words),), (buttons,) if buttons else ())
    return Text(message, Language.EN)


def digest_of(text: str) -> str:
    return "sha256:" + text.encode().hex()[:64].ljust(64, "0")


@dataclass
class Clock:
    now: datetime = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Said:
    place: Place
    text: str
    reply_to: MessageId | None
    buttons: tuple[tuple[str, ...], ...]
    data: dict[str, str]
    texts: list[str] = field(default_factory=list)
    ever: list[str] = field(default_factory=list)
    document: Document | None = None


def fresh_plan(*, floating: float = 6, version: float = 24) -> FreshPlan:
    """A plan that checks tags which float, and versions, after so many hours."""
    hours = {TagClass.FLOATING: floating, TagClass.VERSION: version}
    intervals = {kind: timedelta(hours=each) for kind, each in hours.items()}
    return FreshPlan(intervals=intervals, looks=600, budgets={}, alarms=GROUP)


class FakeChat:
    """Keeps every text that a message has had. Each exception in `trouble` is raised once.

    `files` is what people sent, by file id. `moves` maps a chat to its new id. `deleted` are the
    messages that people or the bot deleted. With `keeps_all` the bot may delete none.
    """

    service = SERVICE

    def __init__(self) -> None:
        self.messages: dict[MessageId, Said] = {}
        self.trouble: list[Exception] = []
        self.files: dict[str, bytes | Exception | list[bytes | Exception]] = {}
        self.moves: dict[ChatId, ChatId] = {}
        self.deleted: set[MessageId] = set()
        self.keeps_all = False

    async def send(
        self, place: Place, text: Text, *, reply_to: MessageId | None, key: str = ""
    ) -> MessageId:
        self.stumble(place)
        number = MessageId(f"telegram:{5000 + len(self.messages)}")
        shown = rendered(text)
        data, html = _data(shown), shown.html
        said = Said(place, html, reply_to, _labels(shown), data, [html], [*data.values()])
        self.messages[number] = said
        return number

    async def edit(self, place: Place, message: MessageId, text: Text) -> None:
        self.stumble(place)
        if message in self.deleted:
            raise RefusedError("message to edit not found")
        said = self.messages[message]
        assert said.place.chat == place.chat, "a message of another chat"
        shown = rendered(text)
        said.text, said.buttons, said.data = shown.html, _labels(shown), _data(shown)
        said.texts.append(shown.html)
        said.ever += said.data.values()

    async def delete(self, place: Place, message: MessageId) -> None:
        self.stumble(place)
        if self.keeps_all:
            raise RefusedError("message can't be deleted for everyone")
        assert self.messages[message].place.chat == place.chat, "a message of another chat"
        self.deleted.add(message)

    async def send_file(
        self,
        place: Place,
        document: Document,
        caption: Text,
        *,
        reply_to: MessageId | None,
        key: str = "",
    ) -> None:
        number = await self.send(place, caption, reply_to=reply_to, key=key)
        self.messages[number].document = document

    async def fetch(self, file_id: str, *, limit: int) -> bytes:
        found = self.files.get(file_id, RefusedError("the file is gone"))
        if isinstance(found, list):
            found = found.pop(0)
        if isinstance(found, Exception):
            raise found
        assert len(found) <= limit
        return found

    def stumble(self, place: Place) -> None:
        if place.chat in self.moves:
            raise ChatMovedError(self.moves[place.chat])
        if self.trouble:
            raise self.trouble.pop(0)

    def button(self, wanted: str) -> tuple[MessageId, str]:
        """Return a message, and what a button of it carries.

        `wanted` is what the button carries now, or words of its label, or such as `approve:1`: the
        newest button for that which the card of #1 ever had, since old ones can be pressed too.
        """
        verb, _, number = wanted.partition(":")
        message, carried = next(reversed(self.messages), MessageId("telegram:0")), wanted
        for found, said in self.messages.items():
            if number.isdecimal() and f"<b>#{number}</b>" in said.text:
                own = [data for data in said.ever if data.startswith(f"{verb}:")]
                message, carried = (found, own[-1]) if own else (message, carried)
            for label, data in said.data.items():
                if wanted in label:
                    message, carried = found, data
        return message, carried

    @property
    def documents(self) -> list[Document]:
        return [said.document for said in self.messages.values() if said.document is not None]

    @property
    def texts(self) -> list[str]:
        return [said.text for n, said in self.messages.items() if n not in self.deleted]


def _labels(text: Rendered) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(button[0] for button in row) for row in text.buttons)


def _data(text: Rendered) -> dict[str, str]:
    """Return what each button carries, by its label."""
    return {label: value for row in text.buttons for label, _, value in row}


class FakeRegistries:
    """The digests at the source and at the target, by image. An exception as a value is raised."""

    def __init__(self) -> None:
        self.source: dict[str, str | Exception] = {}
        self.target: dict[str, str | Exception] = {}
        self.shapes: dict[str, ImageInfo | Exception] = {}
        self.tagged: dict[str, tuple[str, ...] | Exception] = {}
        self.limited = False
        self.scans: dict[str, Scan | Exception] = {}
        self.signed: dict[str, str | Exception] = {}
        self.lists = 0
        self.whole = True
        self.looks = 0
        self.looked_at: list[str] = []
        self.accepted: dict[str, bool] = {}

    async def source_digest(self, image: ImageRef) -> str | None:
        self.looks += 1
        self.looked_at.append(str(image))
        by_digest = replace(image, tag=None) if image.digest else image
        return _given(self.source.get(str(image), self.source.get(str(by_digest))))

    async def target_digest(self, image: ImageRef) -> str | None:
        by_tag = replace(image, digest=None) if image.tag else image
        return _given(self.target.get(str(image), self.target.get(str(by_tag))))

    async def scan(self, image: ImageRef, digest: str) -> Scan | None:
        found = self.scans.get(f"{image} {digest}")
        if isinstance(found, Exception):
            raise found
        return found

    async def signed_by(self, image: ImageRef, digest: str, signer: Signer) -> str:
        """By image and digest, or by image. An exception is raised."""
        there = self.signed.get(str(image), UnsignedError("no signature there"))
        return _given(self.signed.get(f"{image} {digest}", there)) or ""

    async def shape(self, image: ImageRef, digest: str) -> ImageInfo:
        shape = self.shapes.get(str(image), ImageInfo(("linux/amd64", "linux/arm64"), None))
        if isinstance(shape, Exception):
            raise shape
        return shape

    async def describe(self, image: ImageRef, digest: str, *, at_target: bool = False) -> ImageInfo:
        return await self.shape(image, digest)

    async def all_tags(self, image: ImageRef) -> TagList:
        self.lists += 1
        return TagList(await self.tags(image), 1, is_whole=self.whole)

    async def tags(self, image: ImageRef) -> tuple[str, ...]:
        found = self.tagged.get(f"{image.registry}/{image.repository}", ())
        if isinstance(found, Exception):
            raise found
        return found

    def spares(self, registry: str) -> bool:
        return not self.limited

    def logins(self) -> dict[str, bool]:
        return self.accepted

    def budgets(self) -> dict[str, PullLimit]:
        return {"docker.io": PullLimit(40, 100)} if self.limited else {}


def _given(value: str | Exception | None) -> str | None:
    if isinstance(value, Exception):
        raise value
    return value


@dataclass
class FakeRun:
    run: Run
    sha: CommitSha
    event: str
    title: str
    results: list[CopyResult] = field(default_factory=list)
    statuses: dict[str, tuple[str, str]] = field(default_factory=dict)


class FakeRepository:
    """A list with its commits and the runs that they start. Each fault has a switch."""

    def __init__(self) -> None:
        self.content = b"# images\n"
        self.commits: list[tuple[CommitSha, str]] = []
        self.runs: list[FakeRun] = []
        self.state = WorkflowState.ACTIVE
        self.seen: WorkflowState | None = None
        self.token_state = TokenState(accepted=True)
        self.pushes_start_runs = True
        self.runners_are_silent = False
        self.why_unstarted: str | None = None
        self.dispatches_are_named = True
        self.dispatches_start_runs = True
        self.writes = 0
        self.reads = 0
        self.dispatched: list[tuple[str, ...]] = []
        """The names that each dispatch asked for, without the decided digests."""
        self.looked: list[tuple[str, ...]] = []
        """The images that each dispatch asked to look at."""
        self.blocks: list[str] = []
        """What was sealed, in the order of commits and dispatches."""
        self.trouble: dict[str, list[Exception]] = {}
        self.lost: dict[str, list[Exception]] = {}

    def _stumble(self, call: str) -> None:
        if self.trouble.get(call):
            raise self.trouble[call].pop(0)

    def _lose(self, call: str) -> None:
        """Raise after the effect: the write takes place, but its answer is lost."""
        if self.lost.get(call):
            raise self.lost[call].pop(0)

    async def workflow(self) -> WorkflowState:
        self._stumble("workflow")
        self.seen = self.state
        return self.state

    def last_workflow(self) -> WorkflowState | None:
        return self.seen

    def token(self) -> TokenState:
        return self.token_state

    async def read_list(self) -> ListFile:
        self.reads += 1
        self._stumble("read_list")
        return ListFile(self.content, f"blob-{hash(self.content)}")

    async def write_list(self, content: bytes, *, blob: str, message: str) -> CommitSha:
        self._stumble("write_list")
        if blob != f"blob-{hash(self.content)}":
            raise StaleError("image.list does not match")
        self.writes += 1
        self.content = content
        self.blocks.append(message.partition("\n\n")[2])
        sha = CommitSha(f"{self.writes:040x}")
        self.commits.append((sha, message))
        if self.pushes_start_runs:
            self._start("push", sha, "push")
        self._lose("write_list")
        return sha

    def _start(self, event: str, sha: CommitSha, title: str) -> Run:
        number = RunId(300 + len(self.runs))
        url = f"https://github.example.com/runs/{number}"
        run = Run(number, url, is_queued=self.runners_are_silent)
        self.runs.append(FakeRun(run, sha, event, title))
        return run

    async def find_commit(self, batch: BatchId) -> CommitSha | None:
        self._stumble("find_commit")
        return next((sha for sha, message in self.commits if batch_of(message) == batch), None)

    async def dispatch(self, decision: str, *, batch: BatchId) -> Run | None:
        self._stumble("dispatch")
        self.blocks.append(decision)
        found = map(ImageRef.parse, re.findall(r"^Image: ([^;]+);", decision, re.MULTILINE))
        self.dispatched.append(tuple(str(image.place) for image in found))
        if looks := re.findall(r"^Look: ([^;\n]+)", decision, re.MULTILINE):
            self.looked.append(tuple(looks))
        if not self.dispatches_start_runs:
            return None
        run = self._start("dispatch", CommitSha("f" * 40), batch)
        self._lose("dispatch")
        return run if self.dispatches_are_named else None

    async def run_of_commit(self, sha: CommitSha) -> Run | None:
        self._stumble("run_of_commit")
        found = (r.run for r in self.runs if r.event == "push" and r.sha == sha)
        return next(found, None)

    async def run_of_dispatch(self, batch: BatchId, *, since: datetime) -> Run | None:
        self._stumble("run_of_dispatch")
        found = (r.run for r in self.runs if r.event == "dispatch" and batch in r.title)
        return next(found, None)

    async def run(self, run: RunId) -> tuple[Run, CommitSha]:
        self._stumble("run")
        found = next(r for r in self.runs if r.run.id == run)
        return found.run, found.sha

    async def results(
        self, run: Run, sha: CommitSha, *, awaited: Collection[Names]
    ) -> tuple[CopyResult, ...]:
        found = next(r for r in self.runs if r.run.id == run.id)
        return tuple(found.results)

    async def statuses(
        self, run: Run, sha: CommitSha, *, contexts: Collection[str]
    ) -> dict[str, tuple[str, str]]:
        self._stumble("statuses")
        found = next(r for r in self.runs if r.run.id == run.id)
        return {name: said for name, said in found.statuses.items() if name in contexts}

    async def unstarted(self, run: RunId) -> str | None:
        self._stumble("unstarted")
        return self.why_unstarted

    def report(
        self,
        image: ImageRef,
        digest: str | None,
        line: str = "",
        *,
        run: int = -1,
        previous: Previous | None = None,
        attachments: Attachments = NO_ATTACHMENTS,
    ) -> None:
        size = 2_100_000 if digest else None
        said = CopyResult(str(image), digest, size, line, previous, attachments)
        self.runs[run].results.append(said)

    def look(
        self,
        image: ImageRef,
        words: str,
        more: str = "",
        *,
        state: str = "success",
        run: int = -1,
        batch: str = "",
    ) -> None:
        """Post what a look of the run saw, marked as the run does. `batch`: for another one."""
        of = self.runs[run]
        first, second = Look(image=image, asked_at=Clock.now).contexts()
        for context, state_, text in ((second, "success", more), (first, state, words)):
            if text:
                mark = mark_of(batch or of.title, of.run.id, context, state_, text, key=KEY)
                of.statuses[context] = state_, f"{text} {mark}"

    def finish(self, conclusion: str = "success", *, run: int = -1) -> None:
        self.runs[run].run = replace(self.runs[run].run, conclusion=conclusion)


class FakeStatements:
    """What lies beside each digest in the target. Each exception in `trouble` is raised once.

    Those in `lost` are raised after the effect. `overwritten`: so often others undo what was sent.
    """

    def __init__(self) -> None:
        self.beside: defaultdict[tuple[str, str], list[bytes]] = defaultdict(list)
        self.calls = 0
        self.overwritten = 0
        self.trouble: list[Exception] = []
        self.lost: list[Exception] = []

    async def attach(
        self, image: ImageRef, digest: str, form: StatementForm, documents: Sequence[bytes]
    ) -> bool:
        self.calls += 1
        if self.trouble:
            raise self.trouble.pop(0)
        there = self.beside[str(image.at(None)), digest]
        new = [each for each in documents if each not in there]
        if self.overwritten:
            self.overwritten -= 1
            return True
        there += new
        if self.lost:
            raise self.lost.pop(0)
        return bool(new)


KEY = bytes(range(32))
"""Seals decisions."""
RULES = (
    Rule("docker.io/library/**", Verdict.APPROVE),
    Rule("docker.io/evil/**", Verdict.DENY, "known to be harmful"),
    Rule("**", Verdict.ASK),
)
POLICY = Policy(
    registries=frozenset({"docker.io", "gcr.io"}),
    rules=RULES,
    expire_after=timedelta(hours=72),
    open_limit=8,
    daily_limit=12,
    request_limit=6,
    minute_limit=1000,
)


class World:
    """The engine over the fakes and a real database. `settle` runs it until nothing changes.

    With a `plan` the list is kept fresh.
    """

    def __init__(
        self,
        store: SqliteStore,
        policy: Policy = POLICY,
        *,
        language: Language = Language.EN,
        plan: FreshPlan | None = None,
    ) -> None:
        self.plan = plan
        self.clock = Clock()
        self.chat = FakeChat()
        self.registries = FakeRegistries()
        self.repository = FakeRepository()
        self.store = store
        self.words = WORDS
        self.language = language
        self.policy = policy
        self.service = SERVICE
        self.chats = {GROUP}
        self.admins = {ANA.id}
        self.reasons: tuple[str, ...] = ()
        self.look: dict[str, LookBy] = {}
        self.quiet: QuietHours | None = None
        self.others: dict[str, Any] = {}
        """The chats of other services than Telegram, by name."""
        self.approvals: tuple[ChatId, ...] = ()
        self.maintainer: ToldWhere | None = None
        self.statements: StatementForm | None = None
        self.attached = FakeStatements()
        self.sign: Sign = lambda data: hashlib.sha256(data).digest()
        self.target = TargetState()
        self.last_update = 100
        self.last_message = 10
        self._batch = 0
        self.start()

    def start(self, members: frozenset[PersonId] = frozenset({WEI.id, LI.id})) -> None:
        """Start the engine, or start it again with nothing in memory."""
        access = AllowLists(chats=self.chats, members=members, admins=self.admins)
        installation = Installation(
            policy=self.policy,
            access=access,
            target=TARGET,
            service=self.service,
            me="mirror_bot",
            language=self.language,
            kept_fresh=self.plan is not None,
            reasons=self.reasons,
            approvals=self.approvals,
        )
        self.chat.service = self.service
        store, clock = self.wired(self.store), self.clock
        self.who = WhoLooks(clock, self.look)
        chats = {SERVICE.name: self.wired(self.chat), **self.others}
        registries, repository = self.wired(self.registries), self.wired(self.repository)
        said: dict[str, Any] = {"language": self.language, "target": TARGET, "clock": clock}
        self.lanes: dict[str, Lane] = {
            **{
                "chat" if name == SERVICE.name else f"chat_{name}": ChatLane(
                    store=store,
                    chat=each,
                    policy=self.policy,
                    admins=access.admins,
                    reasons=self.reasons,
                    quiet=self.quiet,
                    approvals=self.approvals,
                    **said,
                )
                for name, each in chats.items()
            },
            "files": FilesLane(store=store, chats=chats, **said),
            "questions": QuestionsLane(
                store=store,
                registries=registries,
                repository=repository,
                target=TARGET,
                rules=Rules(self.policy, access.admins),
                kept_fresh=self.plan is not None,
                who=self.who,
                chats=chats,
                clock=clock,
                scan=self.wired(self.registries).scan,
            ),
            "registry_checks": RegistryChecksLane(
                rules=Rules(self.policy, access.admins),
                store=store,
                registries=registries,
                target=TARGET,
                who=self.who,
                clock=clock,
                statements=self.statements,
            ),
            "batches": BatchesLane(
                store=store,
                repository=repository,
                registries=registries,
                admission=BatchAdmission(Rules(self.policy, access.admins)),
                access=access,
                language=self.language,
                key=KEY,
                patience=timedelta(seconds=90),
                clock=clock,
                new_id=self._new_batch,
            ),
            **self._statements(),
            **self._maintainer(),
            "follow": FollowLane(
                store=store,
                registries=registries,
                policy=self.policy,
                access=access,
                language=self.language,
                quiet=self.quiet,
                budgets={},
                who=self.who,
                clock=clock,
                new_key=lambda: secrets.token_urlsafe(6),
            ),
            **self._fresh(access),
        }
        self.reconciler = Reconciler(self.lanes)
        limits = RateLimit()
        self.intakes = {
            name: Intake(
                store=store,
                installation=replace(installation, service=each.service),
                rate_limit=limits,
                clock=clock,
                wake=self.reconciler.wake,
                budgets=self.registries.budgets,
                workflow=repository.last_workflow,
            )
            for name, each in chats.items()
        }
        self.intake = self.intakes[SERVICE.name]

    def _statements(self) -> dict[str, StatementsLane]:
        if self.statements is None:
            return {}
        return {
            "statements": StatementsLane(
                store=self.wired(self.store),
                target=self.wired(self.attached),
                names=TARGET,
                sign=self.sign,
                key_name="fake",
                verifier="https://github.com/example/mirror",
                clock=self.clock,
            )
        }

    def _maintainer(self) -> dict[str, MaintainerLane]:
        if self.maintainer is None:
            return {}
        return {
            "maintainer": MaintainerLane(
                store=self.wired(self.store),
                github=self.wired(self.repository),
                registries=self.wired(self.registries),
                target=self._target_state,
                host=TARGET.host,
                where=self.maintainer,
                clock=self.clock,
            )
        }

    async def _target_state(self) -> TargetState:
        return self.target

    def _fresh(self, access: AllowLists) -> dict[str, FreshLane]:
        if self.plan is None:
            return {}
        store = self.wired(self.store)
        told: dict[str, Any] = {
            "access": access,
            "language": self.language,
            "alarms": self.plan.alarms,
        }
        news = FreshNews(**told)
        return {
            "fresh": FreshLane(
                updates=FreshUpdates(
                    store=store,
                    registries=self.wired(self.registries),
                    rules=Rules(self.policy, access.admins),
                    plan=self.plan,
                    clock=self.clock,
                ),
                offers=FreshOffers(
                    store=store,
                    rules=Rules(self.policy, access.admins),
                    chats=access.chats,
                    plan=self.plan,
                    clock=self.clock,
                ),
                store=store,
                registries=self.wired(self.registries),
                repository=self.wired(self.repository),
                policy=self.policy,
                target=TARGET,
                plan=self.plan,
                news=news,
                gone=FreshGone(news=news, quiet=self.quiet, **told),
                who=self.who,
                clock=self.clock,
            )
        }

    @property
    def key(self) -> UpdateKey:
        """Return the key of the last update."""
        return UpdateKey(f"telegram:{self.last_update}")

    def wired(self, port: Any) -> Any:
        """Return what the engine gets for a port. The chaos tests wrap it to inject faults."""
        return port

    def _new_batch(self) -> str:
        self._batch += 1
        return f"batch{self._batch}"

    async def say(
        self,
        person: Person,
        text: str,
        *,
        chat: ChatId = GROUP,
        thread: int | None = None,
        **more: object,
    ) -> bool:
        """Deliver a message. Return True where it began work that will get an answer."""
        self.last_update += 1
        self.last_message += 1
        incoming = Incoming(
            update=self.key,
            person=person,
            place=Place(chat, thread),
            message=MessageId(f"{service_of(chat)}:{self.last_message}"),
            text=text,
            **({"sent_at": self.clock().replace(microsecond=0)} | more),  # type: ignore[arg-type]
        )
        return await self.intakes[service_of(chat)].receive(incoming)

    async def send(self, person: Person, name: str, content: bytes, **more: Any) -> None:
        """Send a file with /mirror as its caption."""
        self.chat.files[name] = content
        file = Attachment(name, name, len(content))
        await self.say(person, "/mirror", file=file, **more)

    async def press(self, person: Person, data: str, *, chat: ChatId = GROUP) -> str:
        """Press a button: see `FakeChat.button`."""
        self.last_update += 1
        number, wanted = self.chat.button(data)
        press = Press(
            update=self.key, person=person, place=Place(chat), message=number, data=wanted
        )
        return await self.pressed(press)

    async def pressed(self, press: Press) -> str:
        """Press a button, and return the popup."""
        return WORDS.popup(await self.intake.press(press))

    async def move(self, old: ChatId, new: ChatId) -> None:
        self.last_update += 1
        await self.intake.moved(self.key, old, new)

    async def settle(self, seconds: float = 30, step: float = 1) -> None:
        """Let time pass, tick by tick. As in the bot, a lane without work rests until one has."""
        passed, rested = 0.0, dict.fromkeys(self.reconciler._lanes, 0.0)
        while passed < seconds:
            due = [name for name, until in rested.items() if until <= passed]
            ticks = {name: await self.reconciler._lanes[name].tick() for name in due}
            rested |= {n: passed + REST for n, tick in ticks.items() if tick is TickResult.IDLE}
            if TickResult.CHANGED in ticks.values():
                rested = dict.fromkeys(rested, 0.0)
            self.clock.pass_time(step)
            passed += step
        await self.reconciler.tick()

    def upgrade(self) -> None:
        """Start as after the upgrade that asks about each new digest of what is kept fresh."""
        with closing(sqlite3.connect(self.store._path)) as database, database:
            database.execute("INSERT INTO kept_before SELECT image FROM tracked")
        self.start()

    def upstream(self, *images: ImageRef) -> None:
        for image in images:
            self.registries.source[str(image)] = digest_of(str(image))

    def copied(self, *images: ImageRef) -> None:
        """Let the run copy these images and report it."""
        for image in images:
            digest = digest_of(str(image))
            self.registries.target[str(image)] = digest
            self.repository.report(image, digest)
        self.repository.finish()

    async def arrive(self, image: ImageRef, digest: str, **more: Any) -> None:
        """Let the run copy this digest and report it. `more`: see `FakeRepository.report`."""
        self.registries.target[str(image)] = digest
        self.repository.report(image, digest, **more)
        self.repository.finish()
        await self.settle(60)

    async def newest(self, image: ImageRef) -> Transfer:
        """Return the last transfer of an image."""
        async with self.store.begin() as unit:
            return (await unit.transfers_of_image(image, limit=1))[0]

    @property
    def card(self) -> str:
        """Return the newest message."""
        cards = [text for text in self.chat.texts if "▓" in text or "░" in text]
        return cards[-1]

    @property
    def last(self) -> str:
        return self.chat.texts[-1]


@asynccontextmanager
async def world(
    folder: Path,
    policy: Policy = POLICY,
    *,
    language: Language = Language.EN,
    plan: FreshPlan | None = None,
) -> AsyncIterator[World]:
    store = await fresh_store(folder / "bot.sqlite3")
    try:
        yield World(store, policy, language=language, plan=plan)
    finally:
        await store.close()


async def decided_by_ana(
    w: World, image: ImageRef, digest: str, ground: Ground, verdict: Verdict = Verdict.APPROVE
) -> None:
    """Keep a decision of Ana's on a transfer that has ended."""
    w.clock.pass_time(1)
    async with w.store.begin() as unit:
        on = await unit.open_transfer(image, w.clock())
        await unit.save_transfer(replace(on, ended=State.CANCELLED, ended_at=w.clock()))
        decision = Decision(
            request=None,
            transfer=on.id,
            image=image,
            digest=digest,
            verdict=verdict,
            ground=ground,
            person=ANA.id,
            at=w.clock(),
        )
        await unit.keep_decision(decision)
