"""kill -9 of the real process at random moments, with several conversations under way.

The moments come from a seed, which is printed. CHAOS_SEED=… repeats them, as far as the machine's
speed permits. test_engine_kills.py kills over fakes, at every point.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from invariants import violations
from sandbox_people import REST_SECONDS, People
from sandbox_process import Asked, Message, Sandbox, start, stop

pytestmark = pytest.mark.e2e

COMPOSE = b"services:\n  a: {image: 'alpine:3.20'}\n  b: {image: 'busybox:1.36'}\n"
ALPINE, BUSYBOX = "docker.io/library/alpine:3.20", "docker.io/library/busybox:1.36"
NGINX, REDIS = "docker.io/library/nginx:1.27", "docker.io/library/redis:7"
STARTED = "serves mirror repository"
START_SECONDS = 4.0
PARTS = 2
"""Each is a sandbox of its own, so that several workers share a hundred kills."""
MISSING = "docker.io/library/redis:no-such-tag"
STATIC, PODINFO = "gcr.io/distroless/static:nonroot", "ghcr.io/stefanprodan/podinfo:6.7.0"
EXPORTER, PAUSE = "quay.io/prometheus/node-exporter:v1.8.2", "registry.k8s.io/pause:3.10"


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    folder = tmp_path / "sandbox"
    folder.mkdir()
    sandbox = start(folder)
    yield People(sandbox)
    if sandbox.process.poll() is None:
        assert stop(sandbox) == set()


class Conversations:
    """Steps that are taken one after the other, each as soon as possible."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._open: list[tuple[str, Asked, str]] = []
        self._pressed: set[int] = set()
        self.begin: list[Callable[[], None]] = []

    def ask(self, who: str, text: str, *images: str, chat: str = "private") -> Asked:
        return self._people.say(who, text, *images, chat=chat)

    def decide(self, who: str, asked: Asked, button: str) -> None:
        """Press until the button is gone."""
        self._open.append((who, asked, button))

    def step(self) -> None:
        """Begin the next conversation, and press what can be pressed."""
        if self.begin:
            self.begin.pop(0)()
        for number, (who, asked, button) in enumerate(self._open):
            for message in self._shown(asked, button):
                self._people.press(who, message, button)
                self._pressed.add(number)

    def finish(self) -> None:
        """Without kills: wait until every planned button has been pressed."""
        deadline = time.monotonic() + REST_SECONDS
        while self.begin or self._unpressed():
            self.step()
            assert time.monotonic() < deadline, self._open
            time.sleep(1)

    def _unpressed(self) -> bool:
        """A card without the button may not have it yet, so it must have been pressed once."""
        if len(self._pressed) < len(self._open):
            return True
        return any(self._shown(asked, button) for _, asked, button in self._open)

    def _shown(self, asked: Asked, button: str) -> list[Message]:
        """Return the answers that have this button now."""
        return [
            message
            for message in self._people.sandbox.answers(asked)
            if any(button in b["text"] for row in message["buttons"] for b in row)
        ]


def small(people: People) -> Conversations:
    """A file, a draft, an approval, an image that two request, and one that is missing."""
    made = Conversations(people)

    def approved() -> None:
        made.decide("ana", made.ask("li", f"/mirror {STATIC}", STATIC, chat="group"), "Approve")

    def drafted() -> None:
        made.decide("wei", people.send("wei", "compose.yaml", COMPOSE, ALPINE, BUSYBOX), "Mirror")

    made.begin = [
        lambda: _unused(made.ask("wei", f"/mirror {NGINX} {MISSING}", NGINX, MISSING)),
        approved,
        drafted,
        lambda: _unused(made.ask("li", f"/mirror {NGINX}", NGINX)),
        lambda: _unused(made.ask("wei", "/status")),
    ]
    return made


def large(people: People) -> Conversations:
    """Also copies that fail and are retried, rejections, and commands that only read."""
    made = small(people)

    def failing() -> None:
        people.sandbox.fault(
            where="target", what="says quota", times=8, path="podinfo/blobs/uploads"
        )
        asked = made.ask("wei", f"/mirror {PODINFO}", PODINFO, chat="group")
        made.decide("ana", asked, "Approve")

    def rejected() -> None:
        asked = made.ask("li", f"/mirror {EXPORTER}", EXPORTER, chat="group")
        made.decide("ana", asked, "Reject")

    def shared() -> None:
        for who in ("wei", "li"):
            asked = made.ask(who, f"/mirror {PAUSE} {REDIS}", PAUSE, REDIS)
        made.decide("ana", made.ask("ana", f"/mirror {PAUSE}", PAUSE, chat="group"), "Approve")
        assert asked

    looks = ["/lookup nginx:1.26", "/list nginx", "/whoami", "/mirror NGINX:1.26", "/help"]
    made.begin += [
        failing,
        rejected,
        shared,
        *(lambda text=text: _unused(made.ask("li", text)) for text in looks),  # type: ignore[misc]
    ]
    return made


def _unused(_asked: Asked) -> None:
    return None


def await_moment(rng: random.Random, sandbox: Sandbox, starts: int) -> None:
    """One kill of four comes during a start, the others during work, on any machine."""
    if rng.random() < 1 / 4:
        time.sleep(rng.uniform(0.1, 1.5))
        return
    deadline = time.monotonic() + START_SECONDS
    while sandbox.log().count(STARTED) <= starts and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(rng.uniform(0.0, 1.6))


def play(people: People, talk: Conversations, *, kills: int, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - nothing secret
    sandbox: Sandbox = people.sandbox
    sandbox.answer("ana", "/whoami")  # from here on it confirms updates as they arrive
    talk.step()
    before: int | None = None
    starts = 0
    while people.kills < kills:
        before = sandbox.until(partial(_another, sandbox, before))
        await_moment(rng, sandbox, starts)
        if people.kills % max(1, kills // 16) == 0:
            talk.step()
        people.kill()
        starts = sandbox.log().count(STARTED)
    talk.finish()
    people.rest()


def _another(sandbox: Sandbox, before: int | None) -> int | None:
    """Wait for the bot to be started again, and return it."""
    bot = sandbox.bot()
    return None if bot == before else bot


def seed_of_this_run() -> int:
    return int(os.environ.get("CHAOS_SEED") or time.time())


async def check(people: People, seed: int, tally: Counter[str]) -> None:
    found = violations(await people.evidence())
    tally["kill points"] += people.kills
    tally["violations"] += len(found)
    assert found == [], f"CHAOS_SEED={seed}"
    log = people.sandbox.log()
    assert "Traceback" not in log, log[log.index("Traceback") :][:3000]


@pytest.mark.sweep
@pytest.mark.sample
async def test_three_kills_at_random_moments_break_no_promise(
    people: People, tally: Counter[str]
) -> None:
    seed = seed_of_this_run()
    play(people, small(people), kills=3, seed=seed)
    await check(people, seed, tally)


@pytest.mark.chaos
@pytest.mark.parametrize("part", range(PARTS))
async def test_a_hundred_kills_at_random_moments_break_no_promise(
    part: int, people: People, tally: Counter[str], capsys: pytest.CaptureFixture[str]
) -> None:
    seed = seed_of_this_run()
    with capsys.disabled():
        print(f"\nkills of the process, {part}: CHAOS_SEED={seed}")  # noqa: T201 - to repeat it
    play(people, large(people), kills=100 // PARTS, seed=seed + part)
    await check(people, seed, tally)
