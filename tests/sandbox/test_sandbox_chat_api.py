"""The sandbox's API for people: what they write and read, and the errors for wrong calls."""

from typing import Any

import pytest
from sandbox_fixture import GROUP, Place, document, place

__all__ = ["place"]  # a fixture: pytest finds it by this name

COMPOSE = document("compose.yaml", b"services: {}\n")


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
        ({"as": "wei", "text": "x" * (2**20 + 1)}, 400, "send a file"),
        ({"as": "wei", "text": "x" * 1025, "document": COMPOSE}, 400, "at most 1024"),
        ({"as": "wei", "documents": COMPOSE}, 400, "must be a list"),
        ({"as": "wei", "documents": [COMPOSE] * 11}, 400, "at most 10 files"),
        ({"as": "wei", "bot": "administrator"}, 400, "no admin"),
        ({"as": "ana", "bot": "owner"}, 400, "owner"),
        ({"as": "ana", "bot": "administrator", "chat": "private"}, 400, "no admin of a group"),
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


# -- what the app of a person does before it sends


async def said(place: Place, **given: object) -> list[int]:
    answer = await place.api.post("/api/chat", json=given)
    assert answer.status_code == 200, answer.text
    ids: list[int] = answer.json()["ids"]
    return ids


async def test_a_long_text_arrives_in_parts_that_end_with_a_line(place: Place) -> None:
    lines = [f"registry.example.com/team/image-{number}:1.0" for number in range(150)]
    text = "/mirror " + "\n".join(lines)
    ids = await said(place, **{"as": "wei", "text": text, "chat": "private"})
    parts = [message.text or "" for message in await place.received()]
    assert len(parts) == len(ids) == 2
    assert all(4000 < len(part) <= 4096 for part in parts[:-1])
    assert "\n".join(parts) == text


async def test_a_long_text_without_a_line_end_is_cut_at_a_blank_or_anywhere(place: Place) -> None:
    await said(place, **{"as": "wei", "text": "/mirror " + "nginx " * 800, "chat": "private"})
    await said(place, **{"as": "wei", "text": "😀" * 2049, "chat": "private"})
    parts = [message.text or "" for message in await place.received()]
    assert [len(part) for part in parts] == [4093, 713, 2048, 1]


async def test_in_privacy_mode_the_bot_gets_only_the_part_with_the_command(place: Place) -> None:
    ids = await said(place, **{"as": "wei", "text": "/mirror " + "nginx:1\n" * 1000})
    assert len(ids) == 2
    assert [message.message_id for message in await place.received()] == ids[:1]


@pytest.mark.parametrize("caption_on", [0, 2])
async def test_an_album_is_several_messages_with_one_caption(place: Place, caption_on: int) -> None:
    album = [document(name, b"x: y\n") for name in ("a.yaml", "b.yaml", "c.yaml")]
    await said(
        place,
        **{"as": "wei", "text": "/mirror", "chat": "private", "documents": album},
        caption_on=caption_on,
    )
    files = await place.received()
    assert [file.document.file_name for file in files if file.document] == [
        *("a.yaml", "b.yaml", "c.yaml")
    ]
    assert len({file.media_group_id for file in files}) == 1
    assert [file.caption for file in files if file.caption] == ["/mirror"]
    assert files[caption_on].caption == "/mirror"


async def test_of_an_album_in_a_group_privacy_mode_lets_only_the_caption_through(
    place: Place,
) -> None:
    ids = await said(place, **{"as": "wei", "text": "/mirror", "documents": [COMPOSE, COMPOSE]})
    (file,) = await place.received()
    assert file.message_id == ids[0]
    assert file.media_group_id


async def test_one_file_is_no_album(place: Place) -> None:
    await said(place, **{"as": "wei", "text": "/mirror", "documents": [COMPOSE]})
    (file,) = await place.received()
    assert file.media_group_id is None


async def test_an_admin_bot_hears_everything_and_learns_that_it_is_one(place: Place) -> None:
    answer = await place.api.post("/api/chat", json={"as": "ana", "bot": "administrator"})
    assert answer.json() == {"bot": "administrator", "privacy": True}
    assert (await place.bot.get_chat_member(GROUP, place.bot.id)).status == "administrator"
    await place.say("wei", "just talk")
    promoted, talk = await place.bot.get_updates()
    assert promoted.my_chat_member is not None
    assert promoted.my_chat_member.new_chat_member.status == "administrator"
    assert talk.message is not None
    await place.api.post("/api/chat", json={"as": "ana", "bot": "administrator"})
    await place.api.post("/api/chat", json={"as": "ana", "bot": "member"})
    (demoted,) = await place.bot.get_updates(offset=talk.update_id + 1)
    assert demoted.my_chat_member is not None
    assert demoted.my_chat_member.new_chat_member.status == "member"


async def test_without_privacy_mode_the_bot_hears_everything(place: Place) -> None:
    assert (await place.bot.get_me()).can_read_all_group_messages is False
    await place.api.post("/api/chat", json={"as": "ana", "privacy": False})
    assert (await place.bot.get_me()).can_read_all_group_messages is True
    await place.say("wei", "just talk")
    (talk,) = await place.received()
    assert talk.text == "just talk"
