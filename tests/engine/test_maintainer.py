"""The maintainer is told once of what they alone can mend: in private, or in the first chat."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from fakes import GROUP, LI, NGINX, WEI, FakeChat, World, plain, world

from bot.core.errors import BotError, RefusedError, TransientError
from bot.core.ids import ChatId, MessageId, PersonId, Place
from bot.core.quiet_hours import QuietHours
from bot.dialog.language import Language
from bot.dialog.message import Text
from bot.engine.lanes.maintainer import ToldWhere
from bot.engine.ports.outbox import Instead
from bot.engine.ports.registries import TargetState
from bot.engine.ports.repository import TokenState, WorkflowState

SOON = datetime(2026, 3, 9, tzinfo=UTC)
PRIVATE = ChatId(LI.id)


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        made.maintainer = where(LI.id)
        made.start()
        yield made


def where(person: PersonId | None, quiet: QuietHours | None = None) -> ToldWhere:
    return ToldWhere(GROUP, person, Language.EN, quiet)


def told(w: World) -> list[tuple[ChatId, str]]:
    """Return the chat and the causes of each message that has the words of a defect."""
    keys = (
        "not accept",
        "expires soon",
        "workflow",
        "nearly full",
        "no more",
        "for a runner",
    )
    found = []
    for said in w.chat.messages.values():
        causes = [k for line in said.text.splitlines() for k in keys if k in line]
        if causes and "<b>#" not in said.text:
            found.append((said.place.chat, " + ".join(dict.fromkeys(causes))))
    return found


def _token(w: World) -> None:
    w.repository.token_state = TokenState(accepted=False)


def _expiry(w: World) -> None:
    w.repository.token_state = TokenState(accepted=True, ends=SOON)


def _workflow(w: World) -> None:
    w.repository.seen = WorkflowState.DIFFERS


def _login(w: World) -> None:
    w.registries.accepted = {"quay.io": False, "docker.io": True}


def _target_login(w: World) -> None:
    w.registries.accepted = {"harbor.example.com": False}


def _quota(w: World) -> None:
    w.target = TargetState(quotas={"team": (95, 100), "other": (10, 100)})


def _robot(w: World) -> None:
    w.target = TargetState(ends=SOON)


@pytest.mark.parametrize(
    ("break_it", "cause"),
    [
        (_token, "not accept"),
        (_expiry, "expires soon"),
        (_workflow, "workflow"),
        (_login, "not accept"),
        (_target_login, "not accept"),
        (_quota, "nearly full"),
        (_robot, "expires soon"),
    ],
)
async def test_each_cause_is_told_once_in_private(
    w: World, break_it: Callable[[World], None], cause: str
) -> None:
    await w.settle(300, step=30)
    assert told(w) == []
    break_it(w)
    w.start()  # the target is looked at anew
    await w.settle(300, step=30)
    assert told(w) == [(PRIVATE, cause)]
    w.start()
    await w.settle(86_400, step=600)
    assert told(w) == [(PRIVATE, cause)]


async def test_one_that_was_gone_for_long_is_told_again(w: World) -> None:
    for gone, times in ((timedelta(minutes=20), 1), (timedelta(hours=2), 2)):
        _token(w)
        await w.settle(300, step=30)
        w.repository.token_state = TokenState(accepted=True)
        await w.settle(gone.total_seconds(), step=30)
        _token(w)
        await w.settle(300, step=30)
        assert len(told(w)) == times


async def test_several_are_one_message(w: World) -> None:
    for break_it in (_token, _workflow, _login):
        break_it(w)
    await w.settle(300, step=30)
    assert told(w) == [(PRIVATE, "not accept + workflow")]


@pytest.mark.parametrize("person", [None, LI.id])
async def test_who_is_not_known_or_does_not_listen_is_told_in_the_first_chat(
    w: World, person: PersonId | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = FakeChat.send

    async def refused(
        self: FakeChat, place: Place, text: Text, *, reply_to: MessageId | None, key: str = ""
    ) -> MessageId:
        if place.chat == PRIVATE:
            raise RefusedError("Telegram: Forbidden: bot can't initiate conversation with a user")
        return await send(self, place, text, reply_to=reply_to)

    monkeypatch.setattr(FakeChat, "send", refused)
    w.maintainer = where(person)
    w.start()
    _robot(w)
    await w.settle(300, step=30)
    assert told(w) == [(GROUP, "expires soon")]
    assert w.last.startswith("the maintainer, this needs you:")
    assert "2026" not in w.last, "the day is private"


async def test_the_words_are_in_the_language_of_the_person(w: World) -> None:
    await w.say(LI, "/whoami")
    _robot(w)
    await w.settle(300, step=30)
    assert "快要过期了" in w.last
    assert "2026-03-09" in w.last


async def test_in_quiet_hours_nothing_is_told_and_what_is_mended_by_then_never(w: World) -> None:
    w.maintainer = where(LI.id, QuietHours(time(11, 0), time(14, 0), UTC))
    w.start()
    _token(w)
    _login(w)
    await w.settle(3600, step=60)
    w.registries.accepted = {"quay.io": True}
    assert told(w) == []
    await w.settle(3900, step=60)
    assert told(w) == [(PRIVATE, "not accept")]
    assert "GitHub" in w.last


async def test_a_run_without_a_runner_and_a_full_target_are_told(w: World) -> None:
    w.repository.runners_are_silent = True
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    waiting = w.repository.runs[-1]
    await w.settle(840, step=10)
    assert told(w) == []
    await w.settle(300, step=10)
    assert told(w) == [(PRIVATE, "for a runner")]
    waiting.run = replace(waiting.run, is_queued=False)
    w.repository.report(
        NGINX, None, "target: denied: adding 1 MiB exceeds the configured upper limit"
    )
    w.repository.finish()
    await w.settle(400, step=10)
    assert told(w)[1:] == [(PRIVATE, "no more")]
    async with w.store.begin() as unit:
        assert (await unit.defects())["runner"].gone_at is not None


async def test_a_kill_between_two_steps_tells_neither_twice_nor_never(w: World) -> None:
    _token(w)
    await w.settle(60, step=30)
    lane = w.lanes["maintainer"]

    async def killed(*_: object) -> None:
        raise KeyboardInterrupt

    lane._tell = killed  # type: ignore[attr-defined]
    with pytest.raises(KeyboardInterrupt):
        await w.settle(200, step=30)
    async with w.store.begin() as unit:
        assert (await unit.defects())["github-token"].told_at is None
    w.start()
    await w.settle(200, step=30)
    w.start()
    await w.settle(200, step=30)
    assert len(told(w)) == 1


@pytest.mark.parametrize("trouble", [TransientError("away"), RefusedError("403")])
async def test_a_target_that_cannot_say_is_asked_again_after_an_hour(
    w: World, trouble: BotError, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[datetime] = []

    async def state(self: World) -> TargetState:
        asked.append(self.clock())
        if len(asked) == 1:
            raise trouble
        return TargetState(ends=SOON)

    monkeypatch.setattr(World, "_target_state", state)
    w.start()
    await w.settle(2 * 86_400, step=300)
    first, second, third, *_ = asked
    assert second - first < timedelta(hours=1, minutes=10)
    assert timedelta(days=1) <= third - second < timedelta(days=1, minutes=10)
    assert told(w) == [(PRIVATE, "expires soon")]


async def test_it_waits_its_turn_among_the_messages_of_the_chat(w: World) -> None:
    w.maintainer = where(None)
    w.start()
    _token(w)
    await w.settle(100, step=10)
    rate = w.lanes["chat"]._sending.rate  # type: ignore[attr-defined]
    for _ in range(19):
        rate.record_sent(GROUP, w.clock())
    await w.settle(40, step=10)
    assert told(w) == []
    await w.settle(60, step=10)
    assert told(w) == [(GROUP, "not accept")]


async def test_a_group_that_moved_before_it_was_needed_is_told_under_its_new_id(w: World) -> None:
    new = ChatId("telegram:-1002000000001")
    async with w.store.begin() as unit:
        instead = Instead(GROUP, plain("x"))
        await unit.add_note(Place(PRIVATE), plain("y"), reply_to=None, instead=instead)
        await unit.move_chat(GROUP, new)
        (note,) = await unit.notes()
    assert note.instead == Instead(new, plain("x"))
