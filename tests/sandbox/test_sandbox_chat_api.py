"""The sandbox's API for people: what they write and read, and the errors for wrong calls."""

from typing import Any

import pytest
from sandbox_fixture import Place, place

__all__ = ["place"]  # a fixture: pytest finds it by this name


async def test_what_people_type_is_shown_escaped(place: Place) -> None:
    await place.say("wei", "/mirror <script>alert(1)</script>")
    (shown,) = await place.read()
    assert shown["from"] == "wei"
    assert shown["html"] == "/mirror &lt;script&gt;alert(1)&lt;/script&gt;"


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"as": "bob", "text": "x"}, 404, "the people are: wei, li, ana, mallory"),
        ({"text": "x"}, 400, "as is missing"),
        ({"as": "wei"}, 400, "text is empty"),
        ({"as": "wei", "text": 5}, 400, "text must be a text"),
        ({"as": "wei", "text": "x" * 4097}, 400, "at most 4096"),
        ({"as": "wei", "text": "x", "reply_to": 99}, 404, "no message 99"),
        ({"as": "wei", "text": "x", "reply_to": "y"}, 400, "reply_to must be a whole number"),
        ({"as": "wei", "text": "x", "chat": 1003}, 404, "in no chat 1003"),
        ({"as": "wei", "text": "x", "chat": "club"}, 404, "write group, team, private"),
        ({"as": "wei", "text": "x", "topic": 1}, 400, "leave it out for General"),
        ({"as": "wei", "text": "x", "topic": 5, "chat": "team"}, 400, "topics are in supergroups"),
        ({"as": "wei", "text": "x", "anonymous": "perhaps"}, 400, "must be true or false"),
        ({"as": "wei", "text": "x", "anonymous": []}, 400, "must be true or false"),
        ({"as": "wei", "text": "x", "document": "y"}, 400, "content"),
        ({"as": "wei", "text": "x", "document": {"content": "?"}}, 400, "must be base64"),
        ({"as": "wei", "text": "x", "document": {"content": ""}}, 400, "empty or larger"),
        ([], 400, "send a JSON object"),
    ],
)
async def test_mistakes_of_people_are_answered_with_words(
    place: Place, body: Any, status: int, words: str
) -> None:
    answer = await place.api.post("/api/chat", json=body)
    assert answer.status_code == status
    assert words in answer.json()["error"]


async def test_a_wrong_method_is_answered_in_json(place: Place) -> None:
    answer = await place.api.put("/api/chat", json={})
    assert (answer.status_code, answer.json()) == (405, {"error": "Method Not Allowed"})


async def test_a_broken_surrogate_does_no_harm(place: Place) -> None:
    kind = {"Content-Type": "application/json"}
    text = b'{"as": "wei", "text": "/mirror \\ud800"}'
    answer = await place.api.post("/api/chat", content=text, headers=kind)
    assert answer.status_code == 200
    assert (await place.read())[0]["text"] == "/mirror \ufffd"


async def test_reading_can_be_narrowed_to_a_chat_and_to_what_is_new(place: Place) -> None:
    await place.say("wei", "one")
    await place.say("wei", "two")
    await place.say("wei", "alone", chat="private")
    new = await place.api.get("/api/chat", params={"chat": "group", "after": 1})
    assert [m["text"] for m in new.json()["messages"]] == ["two"]
    own = await place.api.get("/api/chat", params={"chat": "private", "as": "wei"})
    assert [m["text"] for m in own.json()["messages"]] == ["alone"]
