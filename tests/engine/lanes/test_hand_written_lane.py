"""The admins hear once of each line of image.list that somebody wrote by hand."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes import ANA, GROUP, NGINX, POLICY, STATIC, WEI, World, world

from bot.core.errors import TransientError
from bot.core.ids import Place
from bot.dialog.language import Language
from bot.engine.lanes import hand_written
from bot.engine.lanes.hand_written import READ_INTERVAL, HandWrittenLane
from bot.engine.lanes.reconciler import Reconciler

HOUR = READ_INTERVAL.total_seconds()
ASKED, DENIED = "gcr.io/li/by-hand:1", "docker.io/evil/by-hand:1"


def begin(w: World) -> None:
    """Start the engine, or start it again with nothing in memory."""
    w.start()
    w.lanes["hand_written"] = HandWrittenLane(
        store=w.store,
        repository=w.repository,
        policy=POLICY,
        place=Place(GROUP),
        language=Language.EN,
        clock=w.clock,
    )
    w.reconciler = Reconciler(w.lanes)


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        begin(made)
        yield made


def told(w: World) -> list[str]:
    return [text for text in w.chat.texts if "into image.list by hand" in text]


async def later(w: World) -> None:
    """Let the list be read once more."""
    await w.settle(2)
    w.clock.pass_time(HOUR)
    await w.settle(4)


async def test_lines_that_nobody_decided_on_are_told_once(w: World) -> None:
    w.repository.content = f"# ours\n{ASKED}\n{NGINX}\n{DENIED} # please\nnot an image\n".encode()
    await later(w)
    [text] = told(w)
    assert "a line into image.list by hand. The rules ask an admin about it" in text
    assert "that the rules deny. The workflow does not copy it" in text
    assert f"<code>{ASKED}</code>" in text
    assert f"<code>{DENIED}</code>" in text
    assert str(NGINX) not in text, "a rule approves it"
    begin(w)
    w.repository.content += b"# a comment\n"
    await later(w)
    assert len(told(w)) == 1


async def test_what_was_approved_here_was_not_written_by_hand(w: World) -> None:
    w.upstream(STATIC)
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(4)
    await w.press(ANA, "Approve")
    await w.settle(15)
    assert str(STATIC) in w.repository.content.decode()
    await later(w)
    assert told(w) == []


async def test_a_line_that_comes_back_is_told_again(w: World) -> None:
    for content in (f"{ASKED}\n", "", f"{ASKED}\n"):
        w.repository.content = content.encode()
        await later(w)
    assert len(told(w)) == 2


async def test_a_list_that_cannot_be_read_is_read_later(
    w: World, caplog: pytest.LogCaptureFixture
) -> None:
    w.repository.content = f"{ASKED}\n".encode()
    w.repository.trouble["read_list"] = [TransientError("GitHub cannot be reached")]
    await w.settle(3)
    assert "cannot be searched for lines written by hand: GitHub cannot be reached" in caplog.text
    assert told(w) == []
    await later(w)
    assert len(told(w)) == 1


async def test_the_list_is_read_once_an_hour_and_not_while_stopping(w: World) -> None:
    await w.lanes["hand_written"].tick(lambda: True)
    assert w.repository.reads == 0
    await w.settle(60)
    assert w.repository.reads == 1


async def test_many_lines_are_one_message_and_none_is_forgotten(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hand_written, "ROWS_AT_ONCE", 5)
    images = [f"gcr.io/li/by-hand:{number}" for number in range(23)]
    w.repository.content = "\n".join(images).encode()
    await later(w)
    [text] = told(w)
    assert "wrote 23 lines into image.list by hand" in text
    assert "… and 13 more." in text
    begin(w)
    await later(w)
    assert len(told(w)) == 1
    w.repository.content = b""
    await later(w)
    async with w.store.begin() as unit:
        assert await unit.told_lines() == set()
