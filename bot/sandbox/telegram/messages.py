"""The methods of the Bot API that send, edit and delete, as strict as the real server.

Refusals have the server's own words, since clients distinguish errors by them.
"""

import html
import itertools
from typing import Any

from bot.sandbox.telegram import entities, shapes
from bot.sandbox.telegram.flood import FloodGate
from bot.sandbox.telegram.params import BotApiError, Params, bad_request, keyboard_of
from bot.sandbox.telegram.state import TelegramState
from bot.sandbox.telegram.values import (
    LONGEST_CAPTION,
    LONGEST_TEXT,
    ChatInfo,
    ChatMessage,
    StoredDocument,
)

_DELETABLE_SECONDS = 48 * 3600
_MOST_BYTES = 50 * 1000 * 1000
_LONGEST_NAME = 255
_UPGRADED = "Bad Request: group chat was upgraded to a supergroup chat"
_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)


class MessageMethods:
    def __init__(self, state: TelegramState, flood: FloodGate) -> None:
        self._state, self._flood = state, flood

    async def send_message(self, params: Params) -> Any:
        chat = self.writable(params)
        written = _written(params, "text", longest=LONGEST_TEXT)
        if not written["text"]:
            raise bad_request("message text is empty")
        return self._post(chat, params, written)

    async def send_document(self, params: Params) -> Any:
        chat = self.writable(params)
        document = await self._document(params)
        written = _written(params, "caption", longest=LONGEST_CAPTION)
        return self._post(chat, params, written | {"document": document})

    async def edit_text(self, params: Params) -> Any:
        message = self._own(params, verb="edit")
        if message.document is not None:
            raise bad_request("there is no text in the message to edit")
        written = _written(params, "text", longest=LONGEST_TEXT)
        if not written["text"]:
            raise bad_request("message text is empty")
        return self._edit(message, written | {"keyboard": keyboard_of(params)})

    async def edit_caption(self, params: Params) -> Any:
        message = self._own(params, verb="edit")
        if message.document is None:
            raise bad_request("there is no caption in the message to edit")
        written = _written(params, "caption", longest=LONGEST_CAPTION)
        return self._edit(message, written | {"keyboard": keyboard_of(params)})

    async def edit_markup(self, params: Params) -> Any:
        message = self._own(params, verb="edit")
        return self._edit(message, {"keyboard": keyboard_of(params)})

    async def delete(self, params: Params) -> bool:
        message = self._own(params, verb="delete")
        if self._state.clock() - message.date > _DELETABLE_SECONDS:
            raise bad_request("message can't be deleted for everyone")
        self._state.delete(message)
        return True

    def chat(self, params: Params) -> ChatInfo:
        """Return the chat that chat_id names. Raises BotApiError."""
        named = params.text("chat_id")
        if not named:
            raise bad_request("chat_id is empty")
        digits = named.removeprefix("-")
        known = digits.isascii() and digits.isdigit() and int(named) in self._state.chats
        if not known:
            raise bad_request("chat not found")
        newer = self._state.upgraded.get(int(named))
        if newer is not None:
            raise BotApiError(400, _UPGRADED, migrate_to_chat_id=newer.id)
        return self._state.chats[int(named)]

    def writable(self, params: Params) -> ChatInfo:
        """Return the chat that chat_id names. Raises BotApiError if the bot may not write now."""
        chat = self.chat(params)
        if chat.id not in self._state.started:
            raise BotApiError(403, "Forbidden: bot can't initiate conversation with a user")
        seconds = self._flood.wait(chat.id)
        if seconds:
            text = f"Too Many Requests: retry after {seconds}"
            raise BotApiError(429, text, retry_after=seconds)
        return chat

    def _post(self, chat: ChatInfo, params: Params, parts: dict[str, Any]) -> Any:
        keyboard = keyboard_of(params)
        answered = self._answered(chat, params)
        topic = params.number("message_thread_id")
        if topic is not None and (chat.id, topic) not in self._state.topics:
            raise bad_request("message thread not found")
        if topic is None and answered is not None:
            topic = answered.topic
        if (chat.id, topic) in self._state.closed_topics:
            raise bad_request("TOPIC_CLOSED")
        self._flood.passed(chat.id)
        message = self._state.post(chat, **parts, keyboard=keyboard, answered=answered, topic=topic)
        return self._shown(message)

    def _edit(self, message: ChatMessage, parts: dict[str, Any]) -> Any:
        # `html` is not compared: <b> and <strong> make the same message.
        if all(getattr(message, k) == value for k, value in parts.items() if k != "html"):
            raise bad_request(_NOT_MODIFIED)
        self._flood.passed(message.chat.id)
        return self._shown(self._state.edit(message, **parts))

    def _shown(self, message: ChatMessage) -> Any:
        return shapes.message(self._state, self._state.seen(message))

    def _answered(self, chat: ChatInfo, params: Params) -> ChatMessage | None:
        older = {"message_id": params.number("reply_to_message_id")}
        reply = params.data("reply_parameters") or older
        if not isinstance(reply, dict):
            raise bad_request("can't parse reply parameters: object expected")
        number = Params(reply).number("message_id")
        if number is None:
            return None
        message = self._state.message(chat, number)
        allowed = Params(reply).flag("allow_sending_without_reply")
        if message is None and not (allowed or params.flag("allow_sending_without_reply")):
            raise bad_request("message to be replied not found")
        return message

    def _own(self, params: Params, *, verb: str) -> ChatMessage:
        chat = self.chat(params) if verb == "delete" else self.writable(params)
        message = self._state.message(chat, params.number("message_id") or 0)
        if message is None:
            raise bad_request(f"message to {verb} not found")
        if message.sender is not None:
            raise bad_request(
                "message can't be edited" if verb == "edit" else "message can't be deleted"
            )
        return message

    async def _document(self, params: Params) -> StoredDocument:
        upload = params.upload("document")
        if upload is None:
            kept = self._state.document(params.text("document"))
            if kept is None:
                raise bad_request("wrong file identifier/HTTP URL specified")
            return kept
        content = await upload.read(_MOST_BYTES + 1)
        if not content:
            raise bad_request("file must be non-empty")
        if len(content) > _MOST_BYTES:
            raise BotApiError(413, "Request Entity Too Large")
        mime = upload.content_type or "application/octet-stream"
        return self._state.keep((upload.filename or "file")[:_LONGEST_NAME], mime, content)


def _written(params: Params, name: str, *, longest: int) -> dict[str, Any]:
    """Return the fields of a message for its text: parsed, and as it was sent."""
    raw = params.text(name)
    match params.text("parse_mode").casefold():
        case "html":
            try:
                text, found = entities.parsed(raw)
            except entities.MarkupError as exc:
                raise bad_request(f"can't parse entities: {exc}") from exc
            markup = raw
        case "":
            text, found = entities.trimmed(raw, _given(params))
            markup = html.escape(text, quote=False)
        case _:
            raise bad_request("unsupported parse_mode (the sandbox knows HTML)")
    if entities.length(text) > longest:
        raise bad_request(
            "message is too long" if name == "text" else "message caption is too long"
        )
    return {"text": text, "html": markup, "entities": tuple(found)}


def _given(params: Params) -> list[entities.Entity]:
    given = itertools.chain.from_iterable(
        params.data(name) or [] for name in ("entities", "caption_entities")
    )
    return [_entity(each) for each in given]


def _entity(given: Any) -> entities.Entity:
    match given:
        case {"type": str(), "offset": int(offset), "length": int(length)} if offset >= 0:
            return {**given, "length": max(length, 0)}
        case _:
            raise bad_request("can't parse MessageEntity: type, offset and length expected")
