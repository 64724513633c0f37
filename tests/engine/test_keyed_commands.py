"""Where a service has no buttons, a command names the version of the card that it decides on."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import ANA, LI, STATIC, WEI, World, digest_of, world
from test_replies import OTHER, ask, states, transfers

from bot.adapters.telegram import SERVICE
from bot.core.decision import Ground
from bot.core.ids import ChatId
from bot.core.policy import for_strangers
from bot.core.transfer import State
from bot.dialog.typed_buttons import typed_instead

SILENT = replace(SERVICE, has_buttons=False, is_public=True)
WAITING = [State.WAITING, State.WAITING]


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        made.service = SILENT
        made.start()
        yield made


def typed(w: World, label: str) -> str:
    """Return the command that does what a button of the newest card does."""
    _, data = w.chat.button(label)
    request = (re.findall(r"<b>#(\d+)</b>", w.card) or ["1"])[0]
    command = typed_instead(data, request)  # type: ignore[arg-type]
    assert command is not None
    return command


@pytest.mark.parametrize(("word", "ground"), [("", Ground.PERSON), (" keep", Ground.KEPT)])
async def test_a_command_with_the_key_decides_what_the_card_shows(
    w: World, word: str, ground: Ground
) -> None:
    await ask(w, STATIC, OTHER)
    await w.say(ANA, f"{typed(w, 'Approve')}{word}")
    assert await states(w) == [State.APPROVED, State.APPROVED]
    asked = [transfer.id for transfer in await transfers(w)]
    async with w.store.begin() as unit:
        given = await unit.decisions_on(asked)
    assert {each.ground for many in given.values() for each in many} == {ground}


async def test_a_command_without_the_key_decides_nothing_and_is_answered_with_it(w: World) -> None:
    await ask(w, STATIC, OTHER)
    for said in ("/approve 1", "/reject #1 too old", "/reject 1 outdated since May"):
        await w.say(ANA, said)
    assert await states(w) == WAITING
    await w.settle(4)
    copied = re.findall(r"<code>(/\w+ 1 [A-Za-z0-9_-]{8}.*?)</code>", "\n".join(w.chat.texts))
    assert [line.split()[0] for line in copied] == ["/approve", "/reject", "/reject"]
    assert [" ".join(line.split()[3:]) for line in copied] == ["", "too old", "outdated since May"]
    await w.say(ANA, copied[2])
    assert {t.reason for t in await transfers(w)} == {"outdated since May"}
    assert await states(w) == [State.REJECTED, State.REJECTED]


async def test_a_key_that_is_not_of_this_request_decides_nothing(w: World) -> None:
    await ask(w, STATIC)
    approve = typed(w, "Approve")
    await ask(w, OTHER)
    other = approve.replace("/approve 1 ", "/approve 2 ")
    for said in (other, "/approve 1 AAAAAAAA", "/approve 2 AAAAAAAA keep"):
        await w.say(ANA, said)
    await w.say(LI, approve)
    assert await states(w) + await states(w, 2) == WAITING


async def test_what_changed_since_is_not_decided(w: World) -> None:
    await ask(w, STATIC, OTHER)
    approve = typed(w, "Approve")
    changed = (await transfers(w))[0]
    async with w.store.begin() as unit:
        await unit.save_transfer(replace(changed, digest=digest_of("another")))
    await w.say(ANA, approve)
    assert await states(w) == [State.WAITING, State.APPROVED]


async def test_where_there_are_buttons_a_number_is_enough_and_a_word_is_a_reason(w: World) -> None:
    w.service = SERVICE
    w.start()
    await ask(w, STATIC)
    await w.say(ANA, "/reject 1 outdated")
    assert [t.reason for t in await transfers(w)] == ["outdated"]
    await w.say(WEI, "/approve 1 AAAAAAAA")
    assert await states(w) == [State.REJECTED]


async def test_a_stranger_asks_for_nothing_but_an_admin_is_one_wherever_they_have_no_role(
    w: World,
) -> None:
    await w.say(WEI, "/mirror nginx:1.27", stranger=True)
    await w.settle(4)
    assert await states(w) == []
    assert "with a role in this repository" in w.last
    await ask(w, STATIC)
    await w.say(LI, "/approve 1", stranger=True)
    assert await states(w) == [State.WAITING]
    w.service = SERVICE
    w.start()
    await w.say(ANA, "/approve 1", stranger=True)
    assert await states(w) == [State.APPROVED]


async def test_a_stranger_may_ask_where_the_config_says_so_with_tighter_limits(w: World) -> None:
    told = w.intake._installation
    w.intake._rights._installation = w.intake._installation = replace(
        told, strangers=for_strangers(told.policy)
    )
    w.upstream(STATIC)
    names = " ".join(f"gcr.io/team/tool-{number}:1" for number in range(6))
    await w.say(WEI, f"/mirror {names}", stranger=True)
    await w.settle(4)
    await w.say(WEI, "/mirror #1", stranger=True)
    await w.settle(4)
    assert await states(w) == []
    await w.say(WEI, f"/mirror {STATIC}", stranger=True)
    await w.settle(4)
    assert await states(w, 2) == [State.WAITING]


async def test_in_public_nothing_is_shown_that_was_asked_elsewhere(w: World) -> None:
    await ask(w, STATIC)
    elsewhere = ChatId("github:-7")
    w.intake._installation = replace(
        w.intake._installation, access=replace(w.intake._installation.access, chats=[elsewhere])
    )
    w.intake._rights._installation = w.intake._installation
    w.intakes["github"] = w.intake
    for said in ("/status #1", "/approve 1", f"/why {STATIC}"):
        await w.say(ANA, said, chat=elsewhere)
    async with w.store.begin() as unit:
        notes = await unit.notes()
    keys = [note.text.message.lines[0].key for note in notes if note.place.chat == elsewhere]
    assert keys[:2] == ["no-request", "no-request"]
    assert await states(w) == [State.WAITING]
