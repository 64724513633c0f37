"""Who may do what where, as one table: each command and button, each role, each kind of chat.

A new command or button fails here until it has a row. What is refused changes nothing in the
database. What is allowed changes it, or is answered.
"""

import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Final, get_args

import pytest
from fakes import ANA, GROUP, LI, MALLORY, NGINX, POLICY, WEI, World, fresh_plan, rendered, world

from bot.adapters.telegram import ANONYMOUS_ADMIN
from bot.core.card_version import CardVersion, pairs_of
from bot.core.draft import Draft
from bot.core.follow import News
from bot.core.ids import (
    ChatId,
    MessageId,
    Person,
    PersonId,
    Place,
    RequestId,
    TransferId,
    is_private_chat_of,
    number_of,
)
from bot.core.image import ImageRef
from bot.core.policy import Role
from bot.core.request import Request
from bot.dialog import buttons, command_values
from bot.dialog.buttons import Verb, button_data, parse_button, tag_key
from bot.dialog.command_values import CommandName
from bot.dialog.commands import COMMANDS, EVERYBODY, parse
from bot.dialog.language import Language, spoken
from bot.dialog.message import Message, say
from bot.engine.intake.context import Context, Outcome, Press
from bot.engine.intake.rights import Rights

OTHER: Final = ChatId("telegram:-1002")  # served too
UNSERVED: Final = ChatId("telegram:-1999")
SUPERGROUP: Final = ChatId("telegram:-1001000000777")
ANONYMOUS: Final = Person(ANONYMOUS_ADMIN, "Group", "en")
CHANNEL: Final = Person(PersonId("telegram:136817688"), "Channel", "en")
PLAN: Final = fresh_plan(version=168)
GENEROUS: Final = replace(POLICY, open_limit=9999, daily_limit=9999)

ROLES: Final = {
    "admin": ANA,
    "owner": WEI,  # a member, whose request it is
    "member": LI,
    "guest": MALLORY,
    "anonymous": ANONYMOUS,
    "channel": CHANNEL,
}
CHATS: Final = ("group", "topic", "moved", "other", "private", "unserved")
ELSEWHERE: Final = frozenset({"other", "private", "unserved"})
"""Where a request of the first group is addressed from outside."""

YES: Final = "yes"
Row = Mapping[str, str]


def row(admin: str, owner: str, member: str, guest: str, **elsewhere: str) -> Row:
    """What each role gets. `member_elsewhere` and the like are for another chat's request."""
    return {"admin": admin, "owner": owner, "member": member, "guest": guest, **elsewhere}


ASKING = row(YES, YES, YES, "guest")
DECIDING = row(YES, "admins-only", "admins-only", "admins-only")
OWN = row(YES, YES, "not-yours", "guest", member_elsewhere="no-request")
OPEN = row(YES, YES, YES, YES)
ON_A_CARD = DECIDING | {"admin_elsewhere": "button-unknown"}

BY_COMMAND: Final[Mapping[str, Row]] = {
    "/mirror IMAGE": ASKING,
    "/mirror #": OWN,
    "/status": ASKING,
    "/status IMAGE": ASKING,
    "/status #": ASKING | {"member_elsewhere": "no-request"},
    "/lookup IMAGE": ASKING,
    "/list": ASKING,
    "/list unused": ASKING,
    "/outdated": ASKING,
    "/watch": ASKING,
    "/watch IMAGE": ASKING,
    "/unwatch IMAGE": ASKING,
    "/follow": ASKING,
    "/follow IMAGE": ASKING,
    "/unfollow IMAGE": ASKING,
    "/why IMAGE": ASKING,
    "/rollback IMAGE": ASKING,
    "/remove IMAGE": ASKING,
    "/nodes": ASKING,
    "/approve #": DECIDING,
    "/reject #": DECIDING,
    "/unkeep": DECIDING,
    "/unkeep IMAGE": DECIDING,
    "/history": DECIDING,
    "/history #": DECIDING,
    "/history IMAGE": DECIDING,
    "/approve": DECIDING,
    "/reject": DECIDING,
    "/cancel": ASKING,
    "/retry": ASKING,
    "/cancel #": OWN,
    "/retry #": OWN,
    "/notify": DECIDING,
    "/notify off": DECIDING,
    "/pause": DECIDING,
    "/resume": DECIDING,
    "/block IMAGE": DECIDING,
    "/unblock IMAGE": DECIDING,
    "/reload": DECIDING,
    "/whoami": OPEN,
    "/help": OPEN,
    "/start": OPEN,
}
BY_BUTTON: Final[Mapping[Verb, Row]] = {
    Verb.APPROVE: ON_A_CARD,
    Verb.KEEP: ON_A_CARD,
    Verb.FLOATS: ON_A_CARD,
    Verb.REJECT: ON_A_CARD,
    Verb.REASON: ON_A_CARD,
    Verb.SHOW: ON_A_CARD,
    Verb.CHOOSE: ON_A_CARD,
    Verb.PICK: ON_A_CARD,
    Verb.DIGESTS: ASKING
    | {f"{role}_elsewhere": "button-unknown" for role in ("admin", "owner", "member")},
    Verb.ALL: OWN,
    Verb.PAGE: OWN,
    Verb.TICK: OWN,
    Verb.DROP: OWN,
    Verb.SUGGESTION: OWN,
    Verb.RETRY: OWN,
    Verb.FORM: ASKING
    | {f"{role}_elsewhere": "no-request" for role in ("admin", "owner", "member")},
    Verb.LIST: ASKING,
    Verb.MIRROR: ASKING,
    Verb.KEPT: DECIDING,
    Verb.UNKEEP: DECIDING,
    Verb.TAKE: ASKING
    | {f"{role}_elsewhere": "button-unknown" for role in ("admin", "owner", "member")},
    Verb.ADMIT: ON_A_CARD,
    Verb.FOLLOW: ASKING
    | {f"{role}_elsewhere": "button-unknown" for role in ("admin", "owner", "member")},
}
READS: Final = (
    "/approve",
    "/reject",
    "/cancel",
    "/retry",
    "/unkeep",
    "/why IMAGE",
    "/rollback IMAGE",
    "/history",
    "/history #",
    "/history IMAGE",
    "/status",
    "/status IMAGE",
    "/status #",
    "/watch",
    "/follow",
    "/unkeep IMAGE",
    "/notify",
    "/notify off",
    "/nodes",
    "/reload",
    "/whoami",
    "/help",
    "/start",
)
"""Those that are answered and change nothing."""
SHOWS: Final = frozenset({Verb.FOLLOW, Verb.DIGESTS, Verb.KEPT, Verb.UNKEEP})
"""Those that change nothing of a request. No tag is kept fresh here that could be taken back."""
KINDS: Final = {
    "/mirror #": "draft",
    "/retry #": "failed",
    Verb.SHOW: "choosing",
    Verb.PICK: "choosing",
    Verb.ALL: "draft",
    Verb.PAGE: "draft",
    Verb.TICK: "draft",
    Verb.SUGGESTION: "failed",
    Verb.RETRY: "failed",
}


# ---- the table is whole


def written(command: str, number: int = 1) -> str:
    return command.replace("#", f"#{number}").replace("IMAGE", str(NGINX))


def key_of(number: int) -> str:
    """Return the key of the version that a request's card shows."""
    return f"key{number:05}"


def pressed(verb: Verb, number: int = 1, transfer: int = 1) -> str:
    more: dict[Verb, tuple[object, ...]] = {
        Verb.PAGE: (0,),
        Verb.SHOW: (0,),
        Verb.CHOOSE: (0,),
        Verb.PICK: (transfer,),
        Verb.TICK: (0,),
        Verb.SUGGESTION: (transfer, 0),
        Verb.FORM: ("kubernetes",),
    }
    if verb in {Verb.APPROVE, Verb.KEEP, Verb.FLOATS, Verb.REJECT, Verb.REASON, Verb.DIGESTS}:
        return button_data(verb, key_of(number))
    if verb in {Verb.TAKE, Verb.ADMIT}:
        return button_data(verb, f"news{number:04}")
    if verb is Verb.LIST:
        return button_data(verb, 0, "")
    if verb is Verb.UNKEEP:
        return button_data(verb, 0, tag_key(NGINX))
    if verb is Verb.MIRROR:
        return button_data(verb, NGINX)
    return button_data(verb, number, *more.get(verb, ()))


def test_every_command_has_a_row_in_each_of_its_forms() -> None:
    assert {command.split()[0][1:] for command in BY_COMMAND} == set(CommandName)
    assert set(COMMANDS) == set(CommandName)
    read = [parse(written(c), me="b", target_host="h") for c in BY_COMMAND]
    assert {type(each.parsed) for each in read if each} == set(get_args(command_values.Command))


def test_every_button_has_a_row() -> None:
    assert set(BY_BUTTON) == set(Verb)
    assert {type(parse_button(pressed(verb))) for verb in Verb} == set(get_args(buttons.Pressed))


def test_every_row_says_something_of_every_role() -> None:
    for each in (*BY_COMMAND.values(), *BY_BUTTON.values()):
        assert {"admin", "owner", "member", "guest"} <= set(each)


def expected(each: Row, role: str, chat: str, *, press: bool) -> str:
    """Return the table's outcome, after the two rules that come before the table."""
    if chat == "unserved" or (chat == "private" and role not in {"admin", "owner", "member"}):
        # A press is answered in a popup that nobody else sees.
        if press:
            return each["guest"] if each["guest"] == "admins-only" else "guest"
        return "guest" if chat == "private" else "outside"
    if role in {"anonymous", "channel"}:
        # Telegram names the person of every press, so an anonymous press is nobody's.
        return each["guest"].replace(YES, "guest") if press else "faceless"
    if chat in ELSEWHERE:
        return each.get(f"{role}_elsewhere", each[role])
    return each[role]


# ---- the table is so


@dataclass
class Scene:
    """A world with one more served group, and a person in one of the chats."""

    world: World
    database: Path
    who: Person
    place: Place
    home: Place
    faceless: bool
    numbers: Callable[[], int]

    async def request(self, kind: str) -> tuple[RequestId, TransferId]:
        """Make a new request of Wei's: `draft`, `waiting`, `choosing` or `failed`."""
        w = self.world
        image = ImageRef.parse(f"gcr.io/wei/made:{self.numbers()}")
        if kind in {"waiting", "choosing"}:
            w.upstream(image)
        await w.say(WEI, f"/mirror {image}", chat=self.home.chat, thread=self.home.thread)
        async with w.store.begin() as unit:
            number = (await unit.open_requests())[-1].id
            request = await unit.request(number)
            transfer = (await unit.transfers_of(number))[0]
            assert request is not None
            if kind == "draft":
                await unit.save_request(replace(request, confirmed_at=None))
                await unit.save_draft(number, Draft(images=(image, NGINX)))
        if kind != "draft":
            await w.lanes["registry_checks"].tick()
        async with w.store.begin() as unit:
            found = await unit.transfer(transfer.id)
            assert found is not None
            if kind == "failed":
                assert found.state.is_final
                await unit.save_transfer(replace(found, meant=(NGINX,)))
        if kind in {"waiting", "choosing"}:
            await self._show(number, choosing=kind == "choosing")
        await self._tell_news(number)
        return number, transfer.id

    async def _tell_news(self, number: RequestId) -> None:
        told = News(
            key=f"news{number:04}",
            chat=self.home.chat,
            image=ImageRef.parse(f"gcr.io/wei/news:{number}"),
            digest=f"sha256:{number:064}",
            before="",
            platforms=(),
            size=None,
            told_at=self.world.clock(),
        )
        async with self.world.store.begin() as unit:
            await unit.add_news([told], before=told.told_at)

    async def _show(self, number: RequestId, *, choosing: bool) -> None:
        """Store what the card shows, as the chat lane does before it sends it."""
        async with self.world.store.begin() as unit:
            request, transfers = await unit.request(number), await unit.transfers_of(number)
            assert request is not None
            key = key_of(number)
            await unit.save_request(replace(request, choosing=choosing, version=key))
            await unit.add_card_version(
                CardVersion(
                    key=key,
                    request=number,
                    pairs=pairs_of(transfers),
                    made_at=self.world.clock(),
                )
            )

    def facts(self) -> list[object]:
        """Return everything that is stored about requests."""
        names = (
            "requests",
            "transfers",
            "request_transfers",
            "drafts",
            "files",
            "questions",
            "batches",
            "watches",
            "follows",
            "news",
            "holds",
            "decisions",
        )
        with sqlite3.connect(self.database) as connection:
            read = [connection.execute(f"select * from {name}").fetchall() for name in names]  # noqa: S608 - the names are fixed above
        connection.close()
        return [*read]

    async def command(self, text: str) -> str:
        """Return what the person is answered at once."""
        async with self.world.store.begin() as unit:
            for note in await unit.notes():
                await unit.drop_note(note.id)
        await self.world.say(
            self.who,
            text,
            chat=self.place.chat,
            thread=self.place.thread,
            faceless=self.faceless or self.who == ANONYMOUS,
        )
        async with self.world.store.begin() as unit:
            notes = await unit.notes()
        assert all(note.place == self.place for note in notes)
        return "\n".join(rendered(note.text).html for note in notes)

    async def press(self, data: str) -> str:
        self.world.last_update += 1
        press = Press(
            update=self.world.key,
            person=self.who,
            place=self.place,
            message=MessageId("telegram:7"),
            data=data,
            faceless=self.faceless or self.who == ANONYMOUS,
        )
        return await self.world.pressed(press)

    def words(self, key: str, number: int, *, press: bool) -> str:
        values: dict[str, str | int] = {
            "person": str(number_of(self.who.id)),
            "chat": str(number_of(self.place.chat)),
            "request": str(number),
        }
        if key == "admins-only":
            values |= {"count": 1, "people": "Ana"}
        own = press or is_private_chat_of(self.place.chat, self.who.id)
        language = spoken(self.who.language, otherwise=Language.EN) if own else Language.EN
        if press:
            return self.world.words.plain(say(key, **values), language)
        return self.world.words.render(Message((say(key, **values),)), language).html


@asynccontextmanager
async def scene(role: str, chat: str, folder: Path) -> AsyncIterator[Scene]:
    who = ROLES[role]
    home, place = {
        "group": (Place(GROUP), Place(GROUP)),
        "topic": (Place(GROUP, 7), Place(GROUP, 7)),
        "moved": (Place(SUPERGROUP), Place(SUPERGROUP)),
        "other": (Place(GROUP), Place(OTHER)),
        "private": (Place(GROUP), Place(ChatId(who.id))),
        "unserved": (Place(GROUP), Place(UNSERVED)),
    }[chat]
    async with world(folder, GENEROUS, plan=PLAN) as w:
        w.chats.add(OTHER)
        w.start()
        async with w.store.begin() as unit:
            await unit.save_person(ANA)  # a refusal names the admins that are known
        if chat == "moved":
            await w.move(GROUP, SUPERGROUP)
        faceless = role in {"anonymous", "channel"}
        numbers = count(1).__next__
        yield Scene(w, folder / "bot.sqlite3", who, place, home, faceless, numbers)


REFUSALS: Final = (
    "button-unknown",
    "guest",
    "faceless",
    "outside",
    "admins-only",
    "not-yours",
    "no-request",
)
cells = pytest.mark.parametrize(
    "chat", [pytest.param(c, marks=() if c == "group" else pytest.mark.chaos) for c in CHATS]
)
roles = pytest.mark.parametrize("role", ROLES)


Wrong = tuple[str, str, str, bool]


async def commands_gone_wrong(s: Scene, role: str, chat: str) -> list[Wrong]:
    wrong: list[Wrong] = []
    for command, each in BY_COMMAND.items():
        number, _ = await s.request(KINDS.get(command, "waiting"))
        s.world.clock.pass_time(3601)  # past the rate limit for people who have just written
        before = s.facts()
        answer = await s.command(written(command, number))
        changed = s.facts() != before
        wanted = expected(each, role, chat, press=False)
        good = answer == s.words(wanted, number, press=False) and not changed
        if wanted == YES:
            told = answer not in {s.words(key, number, press=False) for key in REFUSALS}
            good = told and changed is (command not in READS)
            good = good and (bool(answer) or command not in READS)
        wrong += [] if good else [(command, wanted, answer, changed)]
    return wrong


async def presses_gone_wrong(s: Scene, role: str, chat: str) -> list[Wrong]:
    wrong: list[Wrong] = []
    for verb, each in BY_BUTTON.items():
        number, transfer = await s.request(KINDS.get(verb, "waiting"))
        before = s.facts()
        answer = await s.press(pressed(verb, number, transfer))
        changed = s.facts() != before
        wanted = expected(each, role, chat, press=True)
        good = answer == s.words(wanted, number, press=True) and not changed
        if wanted == YES:
            refusals = {s.words(key, number, press=True) for key in REFUSALS}
            good = changed is (verb not in SHOWS) and answer not in refusals
        wrong += [] if good else [(verb, wanted, answer, changed)]
    return wrong


@cells
@roles
async def test_everybody_may_do_what_the_table_says_and_nothing_else(
    role: str, chat: str, tmp_path: Path, tally: Counter[str]
) -> None:
    async with scene(role, chat, tmp_path) as s:
        wrong = await commands_gone_wrong(s, role, chat)
        wrong += await presses_gone_wrong(s, role, chat)
    tally["inputs"] += len(BY_COMMAND) + len(BY_BUTTON)
    tally["violations"] += len(wrong)
    assert wrong == []


async def everything_is_ones_own(self: Context, number: RequestId) -> Request | Outcome:
    request = await self.unit.request(number)
    return request if request is not None else Outcome(say("no-request", request=str(number)))


async def everybody_is_a_member(self: Rights, *_: object, faceless: bool = False) -> Role:
    return Role.MEMBER


@pytest.mark.parametrize(
    ("where", "what", "role", "chat", "caught"),
    [
        (
            "bot.engine.intake.rights.Rights.role",
            everybody_is_a_member,
            "guest",
            "group",
            Verb.LIST,
        ),
        (
            "bot.engine.intake.context.Context.own_request",
            everything_is_ones_own,
            "member",
            "group",
            "/cancel #",
        ),
        (
            "bot.engine.intake.context.Context.may_see",
            lambda *_: True,
            "member",
            "other",
            "/status #",
        ),
    ],
)
async def test_the_table_notices_a_check_that_is_dropped(
    *,
    where: str,
    what: object,
    role: str,
    chat: str,
    caught: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(where, what)
    gone_wrong = presses_gone_wrong if isinstance(caught, Verb) else commands_gone_wrong
    async with scene(role, chat, tmp_path) as s:
        assert caught in {each for each, *_ in await gone_wrong(s, role, chat)}


@pytest.mark.parametrize(
    ("name", "role", "caught"),
    [
        (CommandName.APPROVE, "member", "/approve #"),
        (CommandName.APPROVE, "member", Verb.APPROVE),
        (CommandName.LIST, "guest", "/list"),
        (CommandName.LIST, "guest", Verb.LIST),
    ],
)
async def test_the_table_notices_a_command_that_is_open_to_everybody(
    name: CommandName, role: str, caught: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = replace(COMMANDS[name], audience=EVERYBODY)
    monkeypatch.setitem(COMMANDS, name, opened)  # type: ignore[arg-type]
    gone_wrong = presses_gone_wrong if isinstance(caught, Verb) else commands_gone_wrong
    async with scene(role, "group", tmp_path) as s:
        assert caught in {each for each, *_ in await gone_wrong(s, role, "group")}


# ---- presses with made-up data


async def test_a_made_up_press_cannot_write_a_list_over_a_card_or_a_result(tmp_path: Path) -> None:
    """A client may send any data for any message that has buttons."""
    async with world(tmp_path) as w:
        w.upstream(NGINX)
        await w.say(WEI, f"/mirror {NGINX}")
        await w.settle(20)
        w.copied(NGINX)
        await w.settle(20)
        before = {number: said.text for number, said in w.chat.messages.items()}
        assert len(before) == 2
        for number in before:
            w.last_update += 1
            press = Press(
                update=w.key, person=LI, place=Place(GROUP), message=number, data="list:0:"
            )
            assert await w.pressed(press) == w.words.plain(say("button-unknown"), Language.ZH_CN)
        await w.settle(20)
        assert {number: said.text for number, said in w.chat.messages.items()} == before


MADE_UP: Final = (
    "meant:1:999:0",
    "meant:1:1:99",
    "tick:1:999999999999999999",
    "page:1:999999999999999999",
    "form:1:html",
    "approve:999999999999999999",
    "approve:AAAAAAAA",
    "reject:AAAAAAAA:00000000",
    "reason:AAAAAAAA",
    "digests:AAAAAAAA",
    "show:1:999999999999999999",
    "choose:1:0",
    "pick:1:1",
    "approve:1:1",
    "want:127.0.0.1:80/a:1",
    "want:evil.example/a:1",
    "list:999999999999999999:x",
    "list:0:" + "x" * 400,
    "approve:-1",
    "approve:1\n",
    "approve:１",  # noqa: RUF001 - not an ASCII digit
    "",
    ":",
    "a" * 10_000,
)


async def test_a_made_up_press_is_answered_and_begins_nothing(
    tmp_path: Path, tally: Counter[str]
) -> None:
    async with scene("owner", "group", tmp_path) as s:
        await s.request("failed")
        before = s.facts()[:3]
        for data in MADE_UP:
            tally["inputs"] += 1
            assert isinstance(await s.press(data), str)
            assert s.facts()[:3] == before, data
        await s.world.settle(3)


async def test_a_strangers_press_leaves_nothing_behind(tmp_path: Path) -> None:
    async with scene("guest", "unserved", tmp_path) as s:
        await s.press("approve:1")
        with sqlite3.connect(s.database) as connection:
            names = connection.execute("select name from people").fetchall()
            assert names == [("Ana",)], "the admin whom the scene knows"
        connection.close()
