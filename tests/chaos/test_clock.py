"""The wall clock is set, or wrong: everything that was under way still ends."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fakes import ANA, GROUP, LI, NGINX, STATIC, WEI, World, digest_of, world

from bot.adapters.telegram import PACE, SERVICE
from bot.core.batch import Batch, Via
from bot.core.errors import TransientError
from bot.core.ids import BatchId
from bot.core.retry import LONGEST_DELAY, is_due, wait_after
from bot.engine.lanes.chat_rate import ChatRate
from bot.engine.outage import Outage

HOUR = 3600.0
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
JUMPS = (-30 * 24 * HOUR, -8 * HOUR, -20.0, 8 * HOUR)
"""After a small change, a wait may last longer by as much as the clock was set back."""
CASES = [(jump, after) for jump in JUMPS for after in (1, 4, 8, 14)]
CHOSEN = ((-8 * HOUR, 4), (8 * HOUR, 8))

KEPT = timedelta(days=1)
"""How long Telegram keeps messages."""


@pytest.mark.parametrize(
    ("jump", "after"),
    [pytest.param(*case, marks=[] if case in CHOSEN else pytest.mark.chaos) for case in CASES],
)
async def test_a_request_comes_to_its_end_wherever_the_clock_is_set(
    tmp_path: Path, jump: float, after: int
) -> None:
    async with world(tmp_path) as w:
        w.upstream(NGINX, STATIC)
        w.registries.source[str(NGINX)] = TransientError("no answer")
        w.repository.trouble["workflow"] = [TransientError("GitHub is away", retry_after=3)]
        w.chat.trouble = [TransientError("Telegram asks to wait", retry_after=2)]
        await w.say(WEI, f"/mirror {NGINX} {STATIC}")
        await w.say(LI, "/lookup nginx:1.27")
        await w.settle(after)
        w.clock.pass_time(jump)
        w.registries.source[str(NGINX)] = digest_of(str(NGINX))
        await w.settle(28, step=2)
        await w.press(ANA, "Approve")
        for _ in range(6):
            await w.settle(10, step=2)
            _copy_all(w)
        told = [text for text in w.chat.texts if "Done, 2 of 2" in text]
        assert len(told) == 1, w.chat.texts
        assert any("digest" in text and "nginx" in text for text in w.chat.texts)
        async with w.store.begin() as unit:
            assert await unit.open_requests() == []
            assert await unit.questions() == []
            assert await unit.notes() == []
            assert await unit.open_batches() == []


def _copy_all(w: World) -> None:
    for number, run in enumerate(w.repository.runs):
        if not run.run.is_finished:
            for image in (NGINX, STATIC):
                w.registries.target[str(image)] = digest_of(str(image))
                w.repository.report(image, digest_of(str(image)), run=number)
            w.repository.finish(run=number)


async def test_a_run_that_does_not_appear_is_given_up_though_the_clock_was_set_back(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.upstream(NGINX)
        w.repository.pushes_start_runs = w.repository.dispatches_start_runs = False
        await w.say(WEI, f"/mirror {NGINX}")
        await w.settle(6)
        assert w.repository.commits
        w.clock.pass_time(-8 * HOUR)
        await w.settle(5 * 60, step=5)
        assert "GitHub started no run" in w.last


def test_a_wait_that_is_longer_than_any_rule_gives_is_over() -> None:
    batch = Batch(id=BatchId("b"), via=Via.COMMIT, opened_at=NOW)
    wish = 10 * LONGEST_DELAY.total_seconds()
    later = batch.troubled(NOW, TransientError("away").trouble, seed=batch.id, retry_after=wish)
    assert wait_after(1, seed="x", retry_after=wish) == LONGEST_DELAY
    assert not is_due(later.not_before, NOW)
    assert is_due(later.not_before, NOW + LONGEST_DELAY)
    assert is_due(later.not_before, NOW - timedelta(seconds=1))


def test_patience_with_a_run_begins_anew_where_the_clock_was_set_back() -> None:
    batch = Batch(id=BatchId("b"), via=Via.COMMIT, opened_at=NOW, committed_at=NOW)
    earlier = NOW - timedelta(hours=8)
    assert batch.polled(earlier).committed_at == earlier
    assert batch.polled(NOW + timedelta(hours=8)).committed_at == NOW


def test_a_chat_is_spoken_to_though_the_clock_was_set_back() -> None:
    pace = ChatRate(PACE)
    for _ in range(PACE.messages):
        pace.record_sent(GROUP, NOW, edit=True)
    pace.block(GROUP, NOW, NOW + timedelta(minutes=1))
    assert not pace.can_send(GROUP, NOW)
    assert pace.can_edit(GROUP, NOW - timedelta(hours=8))


# -- away for a day -------------------------------------------------------------------------


def outage(w: World) -> Outage:
    return Outage(
        service=SERVICE,
        store=w.store,
        chats=[GROUP],
        language=w.language,
        clock=w.clock,
        wake=w.reconciler.wake,
    )


@pytest.mark.parametrize(
    ("away", "silence", "told"),
    [
        (KEPT, None, 0),
        (KEPT + timedelta(seconds=1), None, 1),
        (KEPT * 2, 60.0, 0),  # the clock was set forward, nobody was away
        (KEPT * 2, KEPT.total_seconds() + 1, 1),
        (-KEPT * 2, None, 0),
    ],
)
async def test_who_was_away_for_longer_than_messages_are_kept_says_so_once(
    tmp_path: Path, away: timedelta, silence: float | None, told: int
) -> None:
    async with world(tmp_path) as w:
        await outage(w).note_answer()
        w.clock.now += away
        await outage(w).note_answer(silence)
        await outage(w).note_answer(30.0)
        await w.settle(3)
        assert len([text for text in w.chat.texts if "I was offline from" in text]) == told


async def test_it_says_from_when_to_when_and_what_is_lost(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await outage(w).note_answer()
        w.clock.pass_time(30 * HOUR)
        await outage(w).note_answer()
        await w.settle(1)
        assert "from 2026-03-01 12:00 UTC to 2026-03-02 18:00 UTC" in w.last
        assert "before 2026-03-01 18:00 UTC" in w.last
