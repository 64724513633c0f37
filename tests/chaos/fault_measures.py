"""Injects one fault into one call for a while and measures what happens.

The fault stays until the call was tried again and the card had time to show the trouble. Then the
fault is removed. Everything must then end well by itself, or must have failed with the right
cause.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from fault_calls import Call, confirmed, is_over, transfers
from faults_world import WORDS, FaultsWorld

from bot.core.retry import TroubleKind
from bot.core.transfer import State
from bot.dialog.language import Language
from bot.dialog.message import Phrase, say

SHOWN: Final = 4.0
"""Seconds after which a card shows a trouble. A card is edited every three seconds."""
CALM: Final = timedelta(seconds=61)
"""Wait between two conversations, so that the chat's rate limit delays no card."""
MANY: Final = 1000
MOST_STEPS: Final = 40
UNCLEAR: Final = frozenset({"unanswered", "lost", "cut"})


@dataclass(frozen=True, slots=True)
class Measure:
    """`seen` is every text sent to the person, `waited` the seconds until the second try.

    `waited` is None if there was no second try. `end` is a word of ENDS, plus a failure's kind.
    """

    call: Call
    fault: str
    seen: tuple[str, ...]
    waited: float | None
    end: str

    @property
    def troubles(self) -> frozenset[TroubleKind]:
        """The kinds of trouble that the person has read about."""
        told = "\n".join(self.seen)
        return frozenset(kind for kind, words in _SIGNS.items() if words in told)

    @staticmethod
    def sign(kind: TroubleKind) -> str:
        """Return the words of a trouble that follow the name of the service."""
        return _SIGNS[kind]


def _sign(kind: TroubleKind) -> str:
    phrase: Phrase = say(f"trouble-{kind}", who="")
    return WORDS.plain(phrase, Language.EN).strip()


_SIGNS: Final = {
    kind: _sign(kind)
    for kind in TroubleKind
    if kind not in (TroubleKind.OTHER, TroubleKind.CONTESTED)
}


async def measure(world: FaultsWorld, call: Call, fault: str, name: str) -> Measure:
    world.clock.now += CALM
    async for message in call.conversation(world, name):
        begun = len(world.heard)
        polls = len(world.polled)
        world.faults.arm(where=call.service, what=fault, times=_times(call), path=call.path)
        for _ in range(MOST_STEPS):
            shown = _is_enough(_tries(world, call, begun), world)
            await world.step()
            if shown or await _decided(world, call, message):
                break
        seen = tuple(world.texts(message))
        tries = _tries(world, call, begun)
        world.faults.clear()
        await _rest(world, call, message)
        waited = tries[1] - tries[0] if len(tries) > 1 else None
        if call.name == "updates":
            waited = world.polled[polls] if len(world.polled) > polls else None
        seen = (*seen, *world.texts(message))
        return Measure(call, fault, seen, waited, await _end(world, call, message))
    raise AssertionError


def _is_enough(tries: list[float], world: FaultsWorld) -> bool:
    return len(tries) > 1 and world.clock.seconds() >= tries[0] + SHOWN


def _times(call: Call) -> int:
    return 2 if call.name == "updates" else MANY


def _tries(world: FaultsWorld, call: Call, begun: int) -> list[float]:
    """Return the times of the tries. Several requests at one time are one try."""
    times = [
        heard.at.timestamp()
        for heard in world.heard[begun:]
        if heard.where == call.service and call.tries(heard.line)
    ]
    return sorted(set(times))


async def _decided(world: FaultsWorld, call: Call, message: int) -> bool:
    """Return whether the call itself has no further effect."""
    if call.kind == "answer":
        return await _all_said(world)
    request = await world.request(message)
    if request is None:
        return False
    match call.name:
        case "card":
            return bool(request.shown)
        case "result":
            return request.told_at is not None
        case "check":
            found = await transfers(world, message)
            return bool(found) and all(t.state is not State.CHECKING for t in found)
    return request.closed_at is not None or request.cancelled_at is not None


async def _all_said(world: FaultsWorld) -> bool:
    async with world.store.begin() as unit:
        return not await unit.notes() and not await unit.questions()


async def _rest(world: FaultsWorld, call: Call, message: int) -> None:
    """Run until everything has ended, and answer the questions of drafts."""
    asked = False
    for _ in range(2 * MOST_STEPS):
        request = await world.request(message)
        if call.kind == "answer":
            if await _decided(world, call, message):
                return
        elif request is not None and request.closed_at is not None:
            if await _all_said(world):
                return
        elif request is not None and request.is_draft and not asked:
            asked = await confirmed(world, message)
        await world.step()


async def _end(world: FaultsWorld, call: Call, message: int) -> str:
    replies = world.replies(message)
    if call.kind == "answer":
        return {0: "missing", 1: "well"}.get(len(replies), "twice")
    failures = [t.failure for t in await transfers(world, message) if t.failure is not None]
    if failures and call.name != "tags":
        return f"fails: {failures[0].kind}"
    if any("Send it again" in text for text in world.texts(message)):
        return "asked for again"
    if not await is_over(world, message):
        return "open"
    if call.name == "tags":
        meant = any(t.meant for t in await transfers(world, message))
        return "well" if meant else "without"
    return _messages(world, call, message)


def _messages(world: FaultsWorld, call: Call, message: int) -> str:
    replies = world.replies(message)
    files = [reply for reply in replies if reply.document is not None]
    results = [r for r in replies if r.text.startswith("Done") and r.document is None]
    cards = [r for r in replies if r not in files and r not in results]
    if not cards or not results or (call.name == "file back" and not files):
        return "missing"
    if "1 of 1" not in cards[-1].text:
        return "missing"
    return "twice" if max(len(cards), len(results), len(files)) > 1 else "well"
