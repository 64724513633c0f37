"""Any order of messages, presses, ticks, faults, kills and people's edits, against a model.

Hypothesis chooses the order and shrinks what fails. At the end all faults are over, the world
comes to rest, and every promise must hold. Then days pass, and nothing may stay open.
"""

import asyncio
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

import pytest
from engine_kills import Fault, Killer
from engine_mirror import Plan
from engine_people import DEEDS
from engine_world import STEP, ChaosWorld, chaos_world
from fakes import ANA, GROUP, LI, MALLORY, NGINX, STATIC, WEI
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from invariants import violations

from bot.core.errors import RefusedError, TransientError
from bot.core.ids import ChatId, Person
from bot.core.image import ImageRef

SUPERGROUP: Final = ChatId("telegram:-1009")
REDIS: Final = ImageRef.parse("docker.io/library/redis:7")
OTHER: Final = ImageRef.parse("gcr.io/distroless/base:12-RC1")
MISSING: Final = ImageRef.parse("docker.io/library/nginx:9.99")
DENIED: Final = ImageRef.parse("docker.io/evil/miner:1")
IMAGES: Final = (NGINX, REDIS, STATIC, OTHER, MISSING, DENIED)
THERE: Final = (NGINX, REDIS, STATIC, OTHER)
ASKERS: Final = (WEI, LI, ANA)
NUMBERS: Final = st.integers(1, 4)
TELEGRAM, GITHUB, REGISTRY = "FakeChat", "MirrorRepository", "FakeRegistries"
READS: Final = (
    *("source_digest", "target_digest", "shape", "describe", "tags"),
    *("workflow", "read_list", "find_commit", "run_of_commit", "run_of_dispatch", "run"),
    *("results", "fetch", "begin", "commit"),
)
WRITES: Final = ("send", "edit", "send_file", "write_list", "dispatch")
REFUSED: Final = tuple(call for call in READS if call not in ("begin", "commit", "fetch"))
LINES: Final = (
    "toomanyrequests: pull rate limit",
    "unauthorized: authentication required",
    "dial tcp: i/o timeout",
    "no space left on device",
)

PRESSES: Final = (
    *("approve:{}", "approve:{}", "reject:{}", "all:{}", "all:{}", "drop:{}", "retry:{}"),
    *("form:{}:kubernetes", "page:{}:0", "tick:{}:0", "meant:{}:1:0", "want:redis:7"),
)


@dataclass
class Model:
    """The model: what must be known to tell right from wrong."""

    asked: set[str] = field(default_factory=set)


class AnyOrder(RuleBasedStateMachine):
    tally: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        self.killer = Killer()
        self.opened = chaos_world(self.folder, self.killer)
        self.model = Model()
        self.chat = GROUP
        self.do = self.runner.run
        self.w: ChaosWorld = self.do(self.opened.__aenter__())

    @initialize()
    def fill_the_source(self) -> None:
        self.w.upstream(*THERE)
        self.w.registries.tagged["docker.io/library/nginx"] = ("1.27", "1.26")

    # -- people ---------------------------------------------------------------------------

    @rule(person=st.sampled_from(ASKERS), images=st.sets(st.sampled_from(IMAGES), min_size=1))
    def ask(self, person: Person, images: set[ImageRef]) -> None:
        names = tuple(sorted(map(str, images)))
        self.model.asked |= set(names)
        self._say(person, "/mirror " + " ".join(names), images=names)

    @rule(images=st.sets(st.sampled_from(THERE), min_size=1))
    def ask_by_a_file(self, images: set[ImageRef]) -> None:
        names = tuple(sorted(map(str, images)))
        self.model.asked |= set(names)
        text = "".join(f"  - image: {name}\n" for name in names)
        file = f"spec:\n{text}".encode()
        name = f"pods{len(self.w.chat.files)}.yaml"
        self.do(self.w.send(WEI, name, file, images=names, chat=self.chat))

    @rule(
        person=st.sampled_from((*ASKERS, MALLORY)),
        command=st.sampled_from(("status", "cancel", "retry", "approve", "reject", "cancel")),
        number=NUMBERS,
    )
    def command(self, person: Person, command: str, number: int) -> None:
        self._say(person, f"/{command} #{number}")

    @rule(person=st.sampled_from(ASKERS), text=st.sampled_from(("/help", "/list", "/lookup nginx")))
    def look(self, person: Person, text: str) -> None:
        self._say(person, text)

    @rule(
        person=st.sampled_from((*ASKERS, ANA, MALLORY)),
        verb=st.sampled_from(PRESSES),
        number=NUMBERS,
        times=st.integers(1, 2),
    )
    def press(self, person: Person, verb: str, number: int, times: int) -> None:
        for _ in range(times):
            if verb.startswith("want"):
                self.model.asked.add(str(REDIS))
            self.do(self.w.press(person, verb.format(number), chat=self.chat))

    @rule(deed=st.sampled_from(sorted(DEEDS)), late=st.booleans())
    def work_at_the_repository(self, deed: str, late: bool) -> None:  # noqa: FBT001 - drawn
        repository = self.w.repository
        if late:  # between the bot's read and its write
            repository.race.append(lambda: DEEDS[deed](repository))
        else:
            DEEDS[deed](repository)

    @precondition(lambda self: self.w.chat.messages)
    @rule(which=st.integers(0, 50))
    def delete_a_message_of_the_bot(self, which: int) -> None:
        messages = list(self.w.chat.messages)
        self.w.chat.deleted.add(messages[which % len(messages)])

    @precondition(lambda self: self.chat == GROUP)
    @rule(announced=st.booleans())
    def make_the_group_a_supergroup(self, announced: bool) -> None:  # noqa: FBT001 - drawn
        self.w.chat.moves[GROUP] = self.chat = SUPERGROUP
        if announced:
            self.do(self.w.tick())
        self.do(self.w.move(GROUP, SUPERGROUP))

    # -- time, faults, kills --------------------------------------------------------------

    @rule(ticks=st.integers(1, 4), seconds=st.sampled_from((0.5, STEP, 20.0)))
    def pass_time(self, ticks: int, seconds: float) -> None:
        self.do(self.w.settle(ticks * seconds, seconds))

    @rule(hours=st.integers(-8, 30))
    def jump(self, hours: int) -> None:
        self.w.jump(hours)

    @rule(call=st.sampled_from(READS + WRITES), seconds=st.sampled_from((None, 7.0, 600.0)))
    def trouble(self, call: str, seconds: float | None) -> None:
        self.w.faults.arm(call, Fault(TransientError("in trouble", retry_after=seconds)))

    @rule(call=st.sampled_from(WRITES))
    def lose_an_answer(self, call: str) -> None:
        self.w.faults.arm(call, Fault(TransientError("no answer", unclear=True), late=True))

    @rule(call=st.sampled_from((*REFUSED, "write_list", "dispatch")))
    def refuse(self, call: str) -> None:
        self.w.faults.arm(call, Fault(RefusedError("no")))

    @rule(image=st.sampled_from(THERE), line=st.sampled_from(LINES), silent=st.booleans())
    def fail_a_copy(self, image: ImageRef, line: str, silent: bool) -> None:  # noqa: FBT001 - drawn
        self.w.repository.plans[str(image)] = Plan([] if silent else [line], silent=silent)

    @rule(port=st.sampled_from((TELEGRAM, GITHUB, REGISTRY)), hours=st.sampled_from((0.1, 25.0)))
    def be_away(self, port: str, hours: float) -> None:
        self.w.faults.down.add(port)
        self.do(self.w.settle(hours * 3600, hours * 450))
        self.w.faults.down.discard(port)

    @rule(ahead=st.integers(1, 25))
    def kill_soon(self, ahead: int) -> None:
        self.killer.kill_after(ahead)

    @rule()
    def restart(self) -> None:
        self.do(self.w.restart())

    @rule(back=st.integers(0, 3))
    def deliver_again(self, back: int) -> None:
        self.do(self.w.deliver_again(back))

    # -- what must be true ----------------------------------------------------------------

    @invariant()
    def only_what_was_asked_for_is_on_its_way(self) -> None:
        type(self).tally["inputs"] += 1  # runs after every step
        names = set(self.do(self.w.images()))
        meant = {f"docker.io/library/nginx:{tag}" for tag in ("1.26", "1.27", "latest")}
        assert names <= self.model.asked | meant

    def teardown(self) -> None:
        try:
            self.w.faults.clear()
            self.killer.calm()
            self.w.repository.state = type(self.w.repository.state).ACTIVE
            self.w.repository.race.clear()
            for hours in (0, 80):  # then no question is answered any more
                self.w.clock.pass_time(hours * 3600)
                self.do(self.w.rest(hours=100))
                self._judge()
            left = self.do(self.w.open_requests())
            assert left == []
        finally:
            self.do(self.opened.__aexit__(None, None, None))
            self.runner.close()
            shutil.rmtree(self.folder)

    def _judge(self) -> None:
        found = violations(self.do(self.w.evidence()))
        type(self).tally["violations"] += len(found)
        assert not found, found

    def _say(self, person: Person, text: str, **more: Any) -> None:
        self.w.clock.pass_time(16)  # past the rate limit for one person
        self.do(self.w.say(person, text, chat=self.chat, **more))


def throw(tally: Counter[str], *, examples: int, steps: int) -> None:
    class Counting(AnyOrder):
        pass

    Counting.tally = tally
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Counting,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.sample
def test_in_a_few_orders_no_promise_is_broken(tally: Counter[str]) -> None:
    throw(tally, examples=8, steps=12)


@pytest.mark.chaos
def test_in_any_order_no_promise_is_broken(tally: Counter[str]) -> None:
    throw(tally, examples=60, steps=30)
