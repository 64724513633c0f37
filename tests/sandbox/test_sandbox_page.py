"""The sandbox's page, as far as it can be tested without a browser. tests/browser has the rest."""

import re
from typing import Any

import pytest
from sandbox_fixture import Place, place
from telegram import BotCommandScopeChatMember

from bot.sandbox.page_files import PAGE, POLICY, _News

__all__ = ["place"]  # a fixture: pytest finds it by this name

SCRIPTS = {path.name: path.read_text("utf-8") for path in PAGE.glob("*.js")}
SCRIPT = "\n".join(SCRIPTS.values())
HTML = (PAGE / "index.html").read_text("utf-8")


async def test_the_page_is_whole_in_itself_and_never_kept(place: Place) -> None:
    for path in ("/", *re.findall(r"""(?:src|href)="(/[^"]*)\"""", HTML)):
        got = await place.api.get(path)
        assert got.status_code == 200, path
        assert got.headers["cache-control"] == "no-store"
        assert got.headers["content-security-policy"] == POLICY
    assert re.findall(r"""(?:src|href)="(?!/page/|data:)""", HTML) == []
    assert set(re.findall(r"""from "\./([a-z]+\.js)\"""", SCRIPT)) < set(SCRIPTS)


@pytest.mark.parametrize(
    "way", ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "srcdoc"]
)
def test_nothing_people_or_the_bot_wrote_becomes_markup(way: str) -> None:
    assert way not in SCRIPT


def test_only_tags_without_a_will_of_their_own_are_copied_from_a_message() -> None:
    table = re.search(r"const TAGS = \{(.*?)\};", SCRIPT, re.DOTALL)
    assert table is not None
    copied = set(re.findall(r': "([a-z]+)"', table[1]))
    assert copied == {"b", "i", "u", "s", "code", "pre", "a", "blockquote", "span"}


def test_every_part_that_the_scripts_look_for_is_in_the_page() -> None:
    wanted = set(re.findall(r"""\$\("([a-z-]+)"\)""", SCRIPT))
    there = set(re.findall(r"""\bid="([a-z-]+)\"""", HTML))
    made = {"tab-faults", "tab-issues", "about", "posts", "reply"}
    assert wanted
    assert wanted - made <= there


def test_both_languages_have_all_words_that_are_used() -> None:
    english, chinese = (
        set(re.findall(r"""(?:^|, ) *(?:"([\w-]+)"|(\w+)): \"""", part, re.MULTILINE))
        for part in SCRIPTS["words.js"].split('"zh-CN": {')
    )
    keys = {quoted or bare for quoted, bare in english}
    assert keys == {quoted or bare for quoted, bare in chinese}
    assert set(re.findall(r"""\bt\("([\w-]+)\"""", SCRIPT)) <= keys


def test_the_page_knows_the_people_and_the_chats_that_there_are(place: Place) -> None:
    people = re.search(r"const PEOPLE = \{(.*?)\};", SCRIPT)
    places = re.search(r"const PLACES = \[(.*?)\];", SCRIPT)
    assert people is not None
    assert places is not None
    assert re.findall(r"(\w+):", people[1]) == list(place.world.people)
    for name in re.findall(r'"(\w+)"', places[1]):
        place.world.chat_of(place.world.person("wei"), name)


async def test_the_menu_is_the_one_that_telegram_would_offer(place: Place) -> None:
    ana = BotCommandScopeChatMember(place.world.group.id, place.world.person("ana").id)
    await place.bot.set_my_commands([("plain", "for all")])
    await place.bot.set_my_commands([("chinese", "for Li")], language_code="zh")
    await place.bot.set_my_commands([("admins", "for Ana")], scope=ana)
    for person, command in (("wei", "plain"), ("li", "chinese"), ("ana", "admins")):
        answer = await place.api.get("/api/about", params={"as": person, "chat": "group"})
        assert [each["command"] for each in answer.json()["commands"]] == [command]
    assert (await place.api.get("/api/about", params={"as": "nobody"})).status_code == 404


async def test_the_page_hears_at_once_what_has_changed(place: Place) -> None:
    async with place.api.stream("GET", "/api/events") as news:
        lines = news.aiter_lines()
        assert await _next(lines) == "chat"
        assert await _next(lines) == "world"
        await place.say("wei", "/help")
        assert await _next(lines) == "chat"


async def test_what_changes_while_an_event_is_sent_is_heard_too(place: Place) -> None:
    """Nobody waits for a change at that moment."""
    marks = iter(range(1, 100))
    news = _News(place.world, {"world": lambda: next(marks)})._events()
    heard = [await anext(news), await anext(news)]
    await place.say("wei", "/help")
    while len(heard) < 4:
        heard.append(await anext(news))
    assert [each.split()[1] for each in heard] == ["chat", "world", "chat", "world"]
    await news.aclose()  # type: ignore[attr-defined]


async def _next(lines: Any) -> str:
    async for line in lines:
        if line.startswith("event: "):
            return str(line.removeprefix("event: "))
    raise AssertionError("the stream ended")
