"""The sandbox's page, as far as it can be tested without a browser."""

import re

import pytest
from sandbox_fixture import Place, place

from bot.sandbox.page_api import page_route

__all__ = ["place"]  # a fixture: pytest finds it by this name


@pytest.fixture
async def page(place: Place) -> str:
    return (await place.api.get("/")).text


async def test_the_page_is_html_that_is_never_kept(place: Place) -> None:
    got = await place.api.get(page_route.path)
    assert got.headers["content-type"].startswith("text/html")
    assert got.headers["cache-control"] == "no-store"


async def test_the_page_is_whole_in_itself(page: str) -> None:
    assert re.findall(r"""\b(?:src|srcset)\s*=""", page) == []
    assert re.findall(r"""<link[^>]*href="(?!data:)""", page) == []


@pytest.mark.parametrize(
    "way", ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "srcdoc"]
)
async def test_nothing_people_or_the_bot_wrote_becomes_markup(page: str, way: str) -> None:
    assert way not in page


async def test_no_tag_has_a_handler_of_events_in_it(page: str) -> None:
    assert re.findall(r"<[a-z][^<>]*\son[a-z]+\s*=", page) == []


async def test_only_tags_without_a_will_of_their_own_are_copied_from_a_message(page: str) -> None:
    table = re.search(r"const TAGS = \{(.*?)\};", page, re.DOTALL)
    assert table is not None
    copied = set(re.findall(r': "([a-z]+)"', table[1]))
    assert copied == {"b", "i", "u", "s", "code", "pre", "a", "blockquote", "span"}


async def test_every_part_that_the_script_looks_for_is_in_the_page(page: str) -> None:
    wanted = set(re.findall(r"""\$\("([a-z]+)"\)""", page))
    there = set(re.findall(r"""\bid="([a-z]+)\"""", page))
    assert wanted
    assert wanted <= there


async def test_every_address_that_the_script_asks_is_served(place: Place, page: str) -> None:
    asked = set(re.findall(r"""[`"](/api/(?:chat|press|document))""", page))
    assert asked == {"/api/chat", "/api/press", "/api/document"}
    assert (await place.api.get("/api/chat")).status_code == 200
    assert (await place.api.get("/api/press")).status_code == 405
    assert (await place.api.get("/api/document/1")).json()["error"]


async def test_the_page_knows_the_people_and_the_chats_that_there_are(
    place: Place, page: str
) -> None:
    people = re.search(r"const PEOPLE = \{(.*?)\};", page)
    chats = re.search(r"const PLACES = \{(.*?)\};", page)
    assert people is not None
    assert chats is not None
    assert re.findall(r"(\w+):", people[1]) == list(place.world.people)
    for name in re.findall(r"(\w+): \"", chats[1]):
        answer = await place.api.get("/api/chat", params={"chat": name, "as": "wei"})
        assert answer.status_code == 200, name
