"""Files in the sandbox's chats, in both directions, with captions, replies and limits."""

import pytest
from sandbox_fixture import GROUP, TOKEN, Place, button, place
from telegram import MessageEntity, ReplyParameters
from telegram.error import BadRequest, RetryAfter

__all__ = ["place"]  # a fixture: pytest finds it by this name

COMPOSE = b"services:\n  web:\n    image: nginx\n"


async def test_a_document_of_a_person_can_be_downloaded_by_the_bot(place: Place) -> None:
    number = await place.send_file("wei", "compose.yml", COMPOSE, "/mirror")
    (message,) = await place.received()
    assert message.document is not None
    assert (message.message_id, message.caption) == (number, "/mirror")
    assert message.document.file_name == "compose.yml"
    assert message.document.file_size == len(COMPOSE)
    file = await place.bot.get_file(message.document.file_id)
    assert bytes(await file.download_as_bytearray()) == COMPOSE


@pytest.mark.parametrize("caption", ["/mirror", "/mirror@imageto_bot", "/mirror\nthese please"])
async def test_a_file_with_a_command_for_a_caption_gets_through(place: Place, caption: str) -> None:
    await place.send_file("wei", "compose.yml", COMPOSE, caption)
    (message,) = await place.received()
    assert message.caption == caption
    assert message.caption_entities[0].type == "bot_command"


@pytest.mark.parametrize("caption", ["", "our compose file", "/mirror@other_bot"])
async def test_privacy_mode_hides_other_files(place: Place, caption: str) -> None:
    await place.send_file("wei", "compose.yml", COMPOSE, caption)
    assert await place.received() == []


async def test_a_file_in_reply_to_the_bot_gets_through(place: Place) -> None:
    card = await place.bot.send_message(GROUP, "send me the file")
    await place.send_file("wei", "compose.yml", COMPOSE, reply_to=str(card.message_id))
    (message,) = await place.received()
    assert message.document is not None
    assert message.reply_to_message is not None
    assert message.reply_to_message.text == "send me the file"


async def test_a_reply_to_a_file_carries_the_file_and_its_caption_one_level_deep(
    place: Place,
) -> None:
    question = await place.say("wei", "what do we need?")
    file = await place.send_file("li", "compose.yml", COMPOSE, "this", reply_to=str(question))
    await place.say("wei", "/mirror", reply_to=file)
    (message,) = await place.received()
    answered = message.reply_to_message
    assert answered is not None
    assert answered.document is not None
    assert (answered.caption, answered.document.file_name) == ("this", "compose.yml")
    assert answered.reply_to_message is None
    kept = await place.bot.get_file(answered.document.file_id)
    assert bytes(await kept.download_as_bytearray()) == COMPOSE


async def test_an_update_shows_the_answered_message_as_it_was_then(place: Place) -> None:
    number = await place.say("li", "nginx:1.27")
    await place.say("wei", "/mirror", reply_to=number)
    await place.say("li", "redis:7", edit=number)
    (message,) = await place.received()
    assert message.reply_to_message is not None
    assert message.reply_to_message.text == "nginx:1.27"


async def test_a_document_of_the_bot_has_all_that_a_message_has(place: Place) -> None:
    number = await place.say("wei", "/mirror", topic=7)
    sent = await place.bot.send_document(
        GROUP,
        COMPOSE,
        filename="compose.txt",
        caption="  your file",
        caption_entities=[MessageEntity("bold", 2, 4)],
        reply_parameters=ReplyParameters(number),
        message_thread_id=7,
        reply_markup=button("Again", "again:1"),
    )
    assert sent.caption_entities == (MessageEntity("bold", 0, 4),)
    assert (sent.message_thread_id, sent.is_topic_message) == (7, True)
    shown = (await place.read())[1]
    assert (shown["text"], shown["reply_to"], shown["topic"]) == ("your file", number, 7)
    assert shown["buttons"][0][0]["text"] == "Again"
    assert shown["document"] == {
        "number": 1,
        "name": "compose.txt",
        "size": len(COMPOSE),
        "mime": "text/plain",
        "text": COMPOSE.decode(),
    }


async def test_a_document_that_is_known_is_sent_again_by_its_id(place: Place) -> None:
    await place.send_file("wei", "compose.yml", COMPOSE, "/mirror")
    (message,) = await place.received()
    assert message.document is not None
    await place.bot.send_document(GROUP, message.document.file_id)
    assert [m["document"]["number"] for m in await place.read()] == [1, 1]
    with pytest.raises(BadRequest, match="Wrong file identifier"):
        await place.bot.send_document(GROUP, "unknown")


async def test_documents_count_for_the_limit_of_a_group(place: Place) -> None:
    for _ in range(20):
        await place.bot.send_document(GROUP, b"x", filename="x.txt")
    with pytest.raises(RetryAfter):
        await place.bot.send_document(GROUP, b"x", filename="x.txt")


async def test_a_document_to_a_topic_or_a_message_that_is_not_there_is_refused(
    place: Place,
) -> None:
    with pytest.raises(BadRequest, match="Message thread not found"):
        await place.bot.send_document(GROUP, b"x", message_thread_id=8)
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        await place.bot.send_document(GROUP, b"x", reply_parameters=ReplyParameters(99))


async def test_an_empty_document_and_a_caption_over_1024_are_refused(place: Place) -> None:
    with pytest.raises(BadRequest, match="File must be non-empty"):
        await place.bot.send_document(GROUP, b"", filename="x.txt")
    with pytest.raises(BadRequest, match="Message caption is too long"):
        await place.bot.send_document(GROUP, b"x", caption="x" * 1025)


async def test_a_caption_is_edited_where_there_is_a_document_and_a_text_where_not(
    place: Place,
) -> None:
    file = await place.bot.send_document(GROUP, b"x", caption="one", reply_markup=button())
    text = await place.bot.send_message(GROUP, "one")
    await place.bot.edit_message_caption(GROUP, file.message_id, caption="two")
    shown = (await place.read())[0]
    assert (shown["text"], shown["history"], shown["buttons"]) == ("two", ["one"], [])
    with pytest.raises(BadRequest, match="There is no text in the message to edit"):
        await place.bot.edit_message_text("two", GROUP, file.message_id)
    with pytest.raises(BadRequest, match="There is no caption in the message to edit"):
        await place.bot.edit_message_caption(GROUP, text.message_id, caption="two")


async def test_a_document_over_20_mb_is_too_big_to_download(place: Place) -> None:
    await place.send_file("wei", "big.yml", b"x" * ((20 << 20) + 1), "/mirror")
    (message,) = await place.received()
    assert message.document is not None
    with pytest.raises(BadRequest, match="File is too big"):
        await place.bot.get_file(message.document.file_id)


@pytest.mark.parametrize("entity", [{"type": "bold"}, {"type": "bold", "offset": -1}, "bold"])
async def test_a_broken_entity_is_refused(place: Place, entity: object) -> None:
    body = {"chat_id": GROUP, "text": "x", "entities": [entity]}
    answer = await place.api.post(f"/telegram/bot{TOKEN}/sendMessage", json=body)
    assert (answer.status_code, answer.json()["ok"]) == (400, False)


# What people get


async def test_people_download_what_the_bot_sent_by_number_or_file_id(place: Place) -> None:
    sent = await place.bot.send_document(GROUP, COMPOSE, filename='对 "x".yml')
    assert sent.document is not None
    by_id = await place.api.get(f"/api/document/{sent.document.file_id}")
    by_number = await place.api.get("/api/document/1")
    assert by_id.content == by_number.content == COMPOSE


async def test_a_download_is_a_file_to_keep_whatever_its_name_and_content(place: Place) -> None:
    place.world.keep('a"\r\nX: y.html', "text/html", b"<script>alert(1)</script>")
    got = await place.api.get("/api/document/1")
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-disposition"] == (
        "attachment; filename*=UTF-8''a%22%0D%0AX%3A%20y.html"
    )
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "x" not in got.headers


@pytest.mark.parametrize("wanted", ["2", "0", "-1", "BQACAgUAAxk00000002", "..%2f..%2fetc"])
async def test_a_document_that_is_not_there_is_said_so(place: Place, wanted: str) -> None:
    await place.send_file("wei", "compose.yml", COMPOSE)
    got = await place.api.get(f"/api/document/{wanted}")
    assert got.status_code == 404
    assert got.json()["error"]
