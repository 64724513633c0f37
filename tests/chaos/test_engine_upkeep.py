"""Images that are kept fresh, while the process is killed: nothing is lost, nothing done twice.

A tag and a version change upstream, and an admin approves the version. Wherever the process dies,
both are copied in the end, by one dispatch each. The alarm is raised once and each piece of news
sent once, except for messages that Telegram accepted at the moment of a kill. The last tests
break these promises on purpose, which must be detected.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest
from engine_breaks import ask_no_rules_before_the_commit
from engine_kills import Killer
from engine_world import ChaosWorld, chaos_world
from fakes import ANA, GROUP, LI, WEI, digest_of, fresh_plan

from bot.core.decision import Ground, Verdict
from bot.core.fresh import TrackedImage
from bot.core.ids import ChatId
from bot.core.image import ImageRef
from bot.core.policy import Ruling, decide
from bot.core.seal import DecidedImage
from bot.engine.decided import Rules
from bot.engine.lanes import registry_checks

LATEST: Final = ImageRef.parse("docker.io/library/nginx:latest")
FIXED: Final = ImageRef.parse("docker.io/library/redis:7.4.1")
LOST: Final = ImageRef.parse("docker.io/library/redis:7.4.0")
OLD, NEW, LATER = (digest_of(name) for name in ("old", "new", "later"))
PLAN: Final = fresh_plan(version=6)
NEWS: Final = "updated upstream, and our registry has it now"
MENTION: Final = "you watch this or asked for it, and our registry has it now"
GONE: Final = "Gone upstream"
ALARM: Final = "differs from its source"
EACH_IN_TEST: Final = 6
PARTS: Final = 4


async def play(w: ChaosWorld) -> None:
    w.repository.people_write(lambda _: f"{LATEST}\n{FIXED}\n{LOST}\n".encode())
    w.repository.work()
    w.repository.runs.clear()
    for image in (LATEST, FIXED, LOST):
        w.upstream(image)
        w.registries.source[str(image)] = OLD
        w.holds(image, OLD)
    await w.rest()
    await pass_interval(w)
    await w.say(WEI, "/watch nginx")
    await w.say(WEI, f"/watch {FIXED}")
    await w.rest()
    for image in (LATEST, FIXED):
        w.registries.source[str(image)] = NEW
    await pass_interval(w)
    await w.say(LI, f"/mirror {FIXED}", chat=ChatId(LI.id))  # bypasses no alarm
    await w.rest()
    w.left += [f"{FIXED} was copied before anybody approved"] * (_at_target(w, FIXED) != OLD)
    w.registries.source[str(FIXED)] = LATER
    await w.say(ANA, "/approve #1")
    await w.rest()  # the later one is an alarm of its own
    w.registries.source.pop(str(LOST))
    for _ in range(6):
        w.clock.pass_time(7 * 3600)
        await w.rest(hours=1)


async def pass_interval(w: ChaosWorld) -> None:
    for _ in range(7):
        w.clock.pass_time(3600)
        await w.rest(hours=1)


def _at_target(w: ChaosWorld, image: ImageRef) -> object:
    return w.registries.target[str(image)]


def broken(w: ChaosWorld) -> list[str]:
    """Return the promises that are broken."""
    wrong = list(w.left)
    wrong += [f"{i} is not at the target" for i in (LATEST, FIXED) if _at_target(w, i) != NEW]
    asked = Counter(str(i) for job in w.repository.jobs.values() for i in job.images)
    asked.subtract({str(LATEST): 1, str(FIXED): 1})
    for name in (str(LATEST), str(FIXED)):
        if asked.pop(name):
            wrong.append(f"{name} was not copied once, but {1 + asked[name]} times")
    texts = [
        (said.place.chat, text) for said in w.chat.messages.values() for text in said.texts[:1]
    ]
    digest = f"→ <code>{NEW[:19]}"
    for image, words, more in (
        (LATEST, NEWS, digest),
        (FIXED, MENTION, ""),
        (FIXED, ALARM, digest),
        (LOST, GONE, ""),
    ):
        wanted = (words, str(image), more)
        times = sum(chat == GROUP and all(part in t for part in wanted) for chat, t in texts)
        if not 1 <= times <= 1 + w.killer.repetitions:
            wrong.append(f"{words!r} of {image} was said {times} times")
    return wrong


async def played(folder: Path, killer: Killer) -> list[str]:
    async with chaos_world(folder, killer, plan=PLAN) as w:
        await play(w)
        return broken(w)


def differing(points: list[str]) -> list[int]:
    """Choose the first points of each kind, from the first upstream change on."""
    seen: Counter[str] = Counter()
    chosen = []
    for number, point in enumerate(points, 1):
        seen[point] += 1
        if seen[point] <= 3:
            chosen.append(number)
    return chosen


async def kill_at(folder: Path, points: list[str], chosen: list[int], tally: Counter[str]) -> None:
    found = {}
    for number in chosen:
        killer = Killer([number])
        wrong = await played(folder, killer)
        tally["kill points"] += killer.kills
        if wrong:
            found[f"{number}: {points[number - 1]}"] = wrong
    tally["violations"] += sum(map(len, found.values()))
    assert found == {}


@pytest.fixture
async def points(tmp_path: Path) -> list[str]:
    killer = Killer()
    assert await played(tmp_path, killer) == []
    return killer.passed


@pytest.mark.sample
async def test_a_kill_here_and_there_loses_and_doubles_nothing(
    points: list[str], tmp_path: Path, tally: Counter[str]
) -> None:
    chance = random.Random("upkeep")  # noqa: S311 - the same each time
    own = [n for n in differing(points) if "tracked" in points[n - 1]]
    assert len(own) >= EACH_IN_TEST
    await kill_at(tmp_path, points, chance.sample(own, EACH_IN_TEST), tally)


@pytest.mark.chaos
@pytest.mark.parametrize("part", range(PARTS))
async def test_a_kill_at_any_point_loses_and_doubles_nothing(
    part: int, points: list[str], tmp_path: Path, tally: Counter[str]
) -> None:
    await kill_at(tmp_path, points, differing(points)[part::PARTS], tally)


# -- the promises, broken on purpose ------------------------------------------------------


Break = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Mutation:
    breaks: Break
    words: str

    def __str__(self) -> str:
        return getattr(self.breaks, "__name__", "")


def approve_a_version_that_moved(patch: pytest.MonkeyPatch) -> None:
    found = TrackedImage.found_event

    def mutant(self: TrackedImage, *times: Any) -> Any:
        approved = Ruling(Verdict.APPROVE, Ground.LISTED)
        return replace(found(self, *times), ruling=approved)

    patch.setattr(TrackedImage, "found_event", mutant)
    ask_no_rules_before_the_commit(patch)


def let_people_past_the_alarm(patch: pytest.MonkeyPatch) -> None:
    async def by_rule_alone(
        _: object, rules: Rules, image: ImageRef, *__: Any, **___: Any
    ) -> Ruling:
        return decide(rules.policy, image)

    patch.setattr(registry_checks, "ruling_on", by_rule_alone)
    patch.setattr(TrackedImage, "needs_transfer", property(lambda self: False))
    ask_no_rules_before_the_commit(patch)


def copy_a_version_by_its_tag(patch: pytest.MonkeyPatch) -> None:
    line = DecidedImage.line
    patch.setattr(DecidedImage, "line", lambda self: line(replace(self, image=self.image.place)))


def forget_that_it_was_told(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(TrackedImage, "with_news_told", lambda self: replace(self, told=self.target))


def forget_what_arrived(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        TrackedImage, "after_transfer", lambda self, transfer, now: replace(self, transfer=None)
    )
    patch.setattr(
        TrackedImage, "with_target", lambda self, digest, now: replace(self, target=digest)
    )


MUTATIONS: Final = (
    Mutation(approve_a_version_that_moved, "was copied before anybody approved"),
    Mutation(let_people_past_the_alarm, "was copied before anybody approved"),
    Mutation(copy_a_version_by_its_tag, "is not at the target"),
    Mutation(forget_that_it_was_told, "was said"),
    Mutation(forget_what_arrived, "was said 0 times"),
)


@pytest.mark.sweep
@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
async def test_a_broken_promise_is_noticed(
    mutation: Mutation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tally: Counter[str]
) -> None:
    mutation.breaks(monkeypatch)
    found = await played(tmp_path, Killer())
    assert any(mutation.words in words for words in found), found
    tally["mutations noticed"] += 1
