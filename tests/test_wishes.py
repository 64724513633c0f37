"""Commands on the host that write: done at once where no bot runs, else left as a wish."""

import fcntl
import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from fakes import ANA, NGINX, POLICY, STATIC, digest_of
from store_fixture import fresh_store
from test_cli import imageto_bot
from yaml import safe_dump, safe_load

from bot import refill
from bot.adapters.store import SqliteStore
from bot.adapters.store.lock import alone
from bot.adapters.wish_file import WishFile
from bot.core.decision import Decision, Ground, Verdict
from bot.core.errors import RefusedError, TransientError
from bot.core.ids import TransferId
from bot.engine.decided import Rules
from bot.engine.lanes.wishes import WishesLane
from bot.engine.ports.repository import ListFile
from bot.engine.ports.wishes import Wish, WishKind
from bot.wishes import wish

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FORGET = Wish(WishKind.FORGET, ANA.id)
LIFT = Wish(WishKind.PAUSE)
RULES = Rules(POLICY, {ANA.id})


def lane(path: Path, store: SqliteStore, restart: Mock) -> WishesLane:
    return WishesLane(
        store=store, wishes=WishFile(path), rules=RULES, clock=lambda: NOW, restart=restart
    )


async def known(path: Path) -> str:
    """Store Ana, and return her pseudonym."""
    store = await fresh_store(path)
    async with store.begin() as unit:
        await unit.save_person(ANA)
        names = await unit.pseudonyms([ANA.id])
    await store.close()
    return names[ANA.id]


async def test_a_person_is_forgotten_at_once_where_no_bot_runs(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    await known(path)
    assert await wish(path, FORGET, RULES) == f"{ANA.id} is forgotten"
    with pytest.raises(RefusedError, match="nothing is stored about"):
        await wish(path, FORGET, RULES)


async def test_a_bot_that_runs_carries_the_wish_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    path = tmp_path / "bot.sqlite3"
    await known(path)
    async with alone(path):
        assert "the running bot" in await wish(path, FORGET, RULES)
        assert "the running bot" in await wish(path, FORGET, RULES)
        with (tmp_path / "bot.sqlite3.wishes").open("a") as file:
            file.write('{"kind": "nonsense", "about": ""}\n')
        store = await fresh_store(tmp_path / "other.sqlite3")
        async with store.begin() as unit:
            await unit.save_person(ANA)
        restart = Mock()
        wishes = lane(path, store, restart)
        await wishes.tick()
        await wishes.tick()
        assert restart.call_count == 1
        await store.close()
    said = [record.message for record in caplog.records if "wish" in record.name]
    assert said == [
        'a wish of the host cannot be read: {"kind": "nonsense", "about": ""}',
        f"{ANA.id} is forgotten",
        f"a wish of the host: nothing is stored about {ANA.id}",
    ]
    assert not (tmp_path / "bot.sqlite3.wishes").exists()


async def test_a_store_in_trouble_loses_no_wish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bot.sqlite3"
    store = await fresh_store(path)
    async with store.begin() as unit:
        await unit.save_person(ANA)
    async with alone(path):
        await wish(path, FORGET, RULES)
    restart = Mock()
    wishes = lane(path, store, restart)
    for trouble in (TransientError("the disk is full"), KeyError("a bug")):
        with monkeypatch.context() as patch:
            patch.setattr(store, "begin", Mock(side_effect=trouble))
            with pytest.raises(type(trouble)):  # which the reconciler logs, for any lane
                await wishes.tick()
    assert not restart.called
    await wishes.tick()
    assert restart.called
    async with store.begin() as unit:
        assert not await unit.people([ANA.id])
    await store.close()


async def test_a_folder_that_cannot_be_written_makes_wishes_wait(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bot.sqlite3"
    store = await fresh_store(path)
    WishFile(path).leave([FORGET])
    wishes = lane(path, store, Mock())
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", Mock(side_effect=PermissionError("read-only")))
        await wishes.tick()
    assert "wishes of the host have to wait: read-only" in caplog.text
    await wishes.tick()
    assert f"a wish of the host: nothing is stored about {ANA.id}" in caplog.text
    await store.close()


def test_no_wish_is_lost_that_is_written_while_the_bot_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot takes the file after the command has opened it, and before it writes."""
    file, opens = WishFile(tmp_path / "bot.sqlite3"), os.open
    file.leave([FORGET])

    def taken_after_the_open(*args: Any, **named: Any) -> int:
        opened = opens(*args, **named)
        monkeypatch.setattr(os, "open", opens)
        assert file.take() == [FORGET]
        file.done()
        return opened

    monkeypatch.setattr(os, "open", taken_after_the_open)
    file.leave([LIFT])
    assert file.take() == [LIFT]
    assert file.take() == [LIFT]
    file.done()
    assert file.take() is None


def test_the_bot_reads_no_file_that_a_command_writes(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3.wishes"
    file = WishFile(tmp_path / "bot.sqlite3")
    file.leave([LIFT])
    with path.open("ab") as writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        assert file.take() is None
    assert file.take() == [LIFT]


async def test_the_commands_of_the_host_tell_and_forget(tmp_path: Path) -> None:
    pseudonym = await known(tmp_path / "bot.sqlite3")
    example = safe_load((Path(__file__).parents[1] / "config.example.yaml").read_text())
    config = tmp_path / "config.yaml"
    config.write_text(safe_dump(example | {"database": str(tmp_path / "bot.sqlite3")}))
    given = ("--config", str(config))
    told = imageto_bot("who", pseudonym, *given)
    assert (told.returncode, told.stdout) == (0, f"{ANA.id} Ana\n")
    wrong = imageto_bot("forget", "Ana", *given)
    assert (wrong.returncode, "no id of the form service:number" in wrong.stderr) == (1, True)
    assert imageto_bot("forget", ANA.id, *given).returncode == 0
    gone = imageto_bot("who", pseudonym, *given)
    assert (gone.returncode, "nobody has the pseudonym" in gone.stderr) == (1, True)


class OneList:
    """A mirror repository that has a list and nothing else."""

    closed = False

    async def read_list(self) -> ListFile:
        return ListFile(f"{NGINX}\n{NGINX}\n{STATIC}\n".encode(), "blob")

    def close(self) -> None:
        self.closed = True


async def test_refill_wishes_for_what_was_decided_and_names_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bot.sqlite3"
    store = await fresh_store(path)
    decision = Decision(
        request=None,
        transfer=TransferId(1),
        image=NGINX,
        digest=digest_of("nginx"),
        verdict=Verdict.APPROVE,
        ground=Ground.RULE,
        at=NOW,
    )
    async with store.begin() as unit:
        await unit.keep_decision(decision)
    await store.close()
    repository = OneList()
    monkeypatch.setattr(refill, "make_repository", lambda *_: repository)
    settings, told = Mock(database=path), list[str]()
    settings.policy_in_force.return_value = POLICY
    settings.allow_lists.return_value.admins = {ANA.id}
    await refill.refill_target(settings, Mock(), told.append)
    await refill.refill_target(settings, Mock(), told.append)
    lacking = (
        f"{STATIC}: there is no record of a decision on its digest. Ask for it by /mirror {STATIC}"
    )
    count = "1 of 2 images have a decision. They are copied while a bot runs."
    done = f"{NGINX}: goes to the target again as {digest_of('nginx')}"
    assert told == [
        lacking,
        done,
        count,
        lacking,
        f"not copied: {NGINX}: under way already (approved)",
        count,
    ]
    assert repository.closed
    async with alone(path):
        await refill.refill_target(settings, Mock(), told.append)
    assert "the running bot does it" in told[-2]
    wishes = (tmp_path / "bot.sqlite3.wishes").read_text()
    assert wishes == f'{{"kind": "refill", "about": "{NGINX}"}}\n'
