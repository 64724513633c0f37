"""Who may use which command: intake, menus and /help all obey one table."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import ANA, MALLORY, NGINX, POLICY, WEI, World, world

from bot.core.policy import Role
from bot.dialog.buttons import Verb, button_data
from bot.dialog.command_values import CommandName
from bot.dialog.commands import ADMINS, COMMANDS, EVERYBODY, Audience, menu_for


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, replace(POLICY, minute_limit=3)) as here:
        yield here


def allow(
    monkeypatch: pytest.MonkeyPatch, name: CommandName, audience: Audience, **more: bool
) -> None:
    row = replace(COMMANDS[name], audience=audience, **more)
    monkeypatch.setitem(COMMANDS, name, row)  # type: ignore[arg-type]


async def test_a_command_that_the_table_keeps_for_admins_is_refused_to_members(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch, CommandName.LIST, ADMINS)
    await w.say(WEI, "/list")
    await w.settle(2)
    assert "Only an admin can do this." in w.last
    await w.say(ANA, "/list")
    await w.settle(2)
    assert w.last.startswith("image.list is empty")


async def test_menus_and_help_follow_the_table(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, CommandName.LIST, ADMINS)
    assert CommandName.LIST not in [spec.name for spec in menu_for(Role.MEMBER)]
    assert CommandName.LIST in [spec.name for spec in menu_for(Role.ADMIN)]
    await w.say(WEI, "/help")
    await w.say(ANA, "/help")
    await w.settle(3)
    for_member, for_admin = w.chat.texts
    assert "/list" not in for_member
    assert "/list" in for_admin


async def test_how_a_command_is_typed_is_not_explained_to_those_who_may_not_use_it(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch, CommandName.LOOKUP, ADMINS)
    for text in ("/lookup", "/lookup NGINX", "/lookup nginx:1.27"):
        await w.say(WEI, text)
        await w.settle(2)
        assert "Only an admin can do this." in w.last


async def test_a_command_for_everybody_is_open_to_guests(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch, CommandName.LIST, EVERYBODY)
    await w.say(MALLORY, "/list")
    await w.settle(2)
    assert w.last.startswith("image.list is empty")


async def test_a_guest_is_shown_how_to_become_a_member(w: World) -> None:
    await w.say(MALLORY, "/help")
    await w.settle(2)
    assert "/whoami" in w.last
    assert "/mirror" not in w.last
    assert "Your id is <code>1004</code>" in w.last


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (CommandName.MIRROR, button_data(Verb.MIRROR, NGINX)),
        (CommandName.MIRROR, button_data(Verb.ALL, 1)),
        (CommandName.LIST, button_data(Verb.LIST, 0, "")),
        (CommandName.CANCEL, button_data(Verb.DROP, 1)),
        (CommandName.RETRY, button_data(Verb.RETRY, 1)),
    ],
)
async def test_a_button_has_the_right_of_its_command(
    w: World, monkeypatch: pytest.MonkeyPatch, name: CommandName, data: str
) -> None:
    allow(monkeypatch, name, ADMINS)
    assert "Only an admin can do this." in await w.press(WEI, data)
    assert "Only an admin can do this." not in await w.press(ANA, data)


async def test_approving_can_be_opened_to_members(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch, CommandName.APPROVE, EVERYBODY)
    assert "This button is no longer in use." in await w.press(
        WEI, button_data(Verb.APPROVE, "AAAAAAAA")
    )


@pytest.mark.parametrize("counted", [True, False])
async def test_a_button_that_begins_work_counts_as_its_command(
    w: World, monkeypatch: pytest.MonkeyPatch, *, counted: bool
) -> None:
    allow(monkeypatch, CommandName.LIST, COMMANDS[CommandName.LIST].audience, begins_work=counted)
    answers = [await w.press(WEI, button_data(Verb.LIST, 0, "")) for _ in range(4)]
    assert [answer.startswith("That was fast") for answer in answers] == [False] * 3 + [counted]
