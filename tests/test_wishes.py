"""Commands on the host that write: done at once where no bot runs, else left as a wish."""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager, suppress
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import pytest
from fakes import ANA, NGINX, POLICY, STATIC, digest_of
from store_fixture import fresh_store
from test_cli import imageto_bot
from yaml import safe_dump, safe_load

from bot import refill
from bot.adapters.store.lock import alone
from bot.adapters.store.unit import StoreUnit
from bot.core.decision import Decision, Ground, Verdict
from bot.core.errors import RefusedError, TransientError
from bot.core.ids import TransferId
from bot.engine.decided import Rules
from bot.engine.ports.repository import ListFile
from bot.wishes import Wish, WishKind, carry_out_wishes, wish

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FORGET = Wish(WishKind.FORGET, ANA.id)
RULES = Rules(POLICY, {ANA.id})


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
    with pytest.raises(RefusedError, match="nothing is kept of"):
        await wish(path, FORGET, RULES)


async def test_a_bot_that_runs_carries_the_wish_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    path = tmp_path / "bot.sqlite3"
    await known(path)
    async with alone(path):
        assert "the bot that runs" in await wish(path, FORGET, RULES)
        assert "the bot that runs" in await wish(path, FORGET, RULES)
        with (tmp_path / "bot.sqlite3.wishes").open("a") as file:
            file.write('{"kind": "nonsense", "about": ""}\n')
        store = await fresh_store(tmp_path / "other.sqlite3")
        async with store.begin() as unit:
            await unit.save_person(ANA)
        done = asyncio.Event()
        restart = Mock(side_effect=done.set)
        work = asyncio.create_task(carry_out_wishes(path, store, lambda: NOW, restart, RULES))
        await asyncio.wait_for(done.wait(), 90)
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
        await store.close()
    said = [record.message for record in caplog.records if record.name == "bot.wishes"]
    assert said == [
        f"{ANA.id} is forgotten",
        f"a wish of the host: nothing is kept of {ANA.id}",
        'a wish of the host cannot be read: {"kind": "nonsense", "about": ""}',
    ]
    assert not (tmp_path / "bot.sqlite3.wishes").exists()


async def test_a_store_in_trouble_ends_no_bot_and_loses_no_wish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.wishes.LOOK_SECONDS", 0.01)
    path = tmp_path / "bot.sqlite3"
    store = await fresh_store(path)
    async with store.begin() as unit:
        await unit.save_person(ANA)
    async with alone(path):
        await wish(path, FORGET, RULES)
    begin, troubles = store.begin, [TransientError("the disk is full"), KeyError("a bug")]

    def stumbling() -> AbstractAsyncContextManager[StoreUnit]:
        if troubles:
            raise troubles.pop()
        return begin()

    monkeypatch.setattr(store, "begin", stumbling)
    done = asyncio.Event()
    work = asyncio.create_task(carry_out_wishes(path, store, lambda: NOW, done.set, RULES))
    waiting = asyncio.create_task(done.wait())
    await asyncio.wait({work, waiting}, timeout=90, return_when=asyncio.FIRST_COMPLETED)
    assert done.is_set()
    work.cancel()
    async with begin() as unit:
        assert not await unit.people([ANA.id])
    await store.close()


async def test_the_commands_of_the_host_tell_and_forget(tmp_path: Path) -> None:
    pseudonym = await known(tmp_path / "bot.sqlite3")
    example = safe_load((Path(__file__).parents[1] / "config.example.yaml").read_text())
    config = tmp_path / "config.yaml"
    config.write_text(safe_dump(example | {"database": str(tmp_path / "bot.sqlite3")}))
    given = ("--config", str(config))
    told = imageto_bot("who", pseudonym, *given)
    assert (told.returncode, told.stdout) == (0, f"{ANA.id} Ana\n")
    wrong = imageto_bot("forget", "Ana", *given)
    assert (wrong.returncode, "no id such as telegram:1003" in wrong.stderr) == (1, True)
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
    settings.rules.return_value = POLICY
    settings.access.return_value.admins = {ANA.id}
    await refill.refill_target(settings, Mock(), told.append)
    await refill.refill_target(settings, Mock(), told.append)
    lacking = f"{STATIC}: no decision on a digest is kept. Ask for it by /mirror {STATIC}"
    count = "1 of 2 images have a decision. A bot has to run to copy them."
    done = f"{NGINX}: goes to the target again as {digest_of('nginx')}"
    assert told == [lacking, done, count, lacking, f"not copied: {NGINX}: under way already", count]
    assert repository.closed
    async with alone(path):
        await refill.refill_target(settings, Mock(), told.append)
    assert "the bot that runs does it" in told[-2]
    wishes = (tmp_path / "bot.sqlite3.wishes").read_text()
    assert wishes == f'{{"kind": "refill", "about": "{NGINX}"}}\n'
