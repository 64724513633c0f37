"""Reads the parameters of a Bot API request, and refuses them in the server's own words.

A client may send them in the query, as a form, as multipart or as JSON. Except in JSON, values
that are no text are JSON-serialized (https://core.telegram.org/bots/api#making-requests).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import UploadFile
from starlette.requests import Request

from bot.sandbox.telegram.values import ButtonKind, InlineButton, Keyboard

MOST_DATA_BYTES = 64
_MOST_BUTTONS = 100
_MOST_IN_A_ROW = 8
_LONGEST_COPY = 256
_ACTIONS = frozenset(
    {
        "callback_data",
        "callback_game",
        "copy_text",
        "login_url",
        "pay",
        "switch_inline_query",
        "switch_inline_query_chosen_chat",
        "switch_inline_query_current_chat",
        "url",
        "web_app",
    }
)


class BotApiError(Exception):
    """An answer with ok=false. `parameters` are those of the Bot API's ResponseParameters."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.status, self.description, self.parameters = status, description, parameters


def bad_request(description: str) -> BotApiError:
    return BotApiError(400, f"Bad Request: {description}")


@dataclass(frozen=True, slots=True)
class Params:
    values: Mapping[str, Any]

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, bool | int | float):
            return json.dumps(value)
        if not isinstance(value, str):
            raise bad_request(f"parameter {name} must be a text")
        try:
            value.encode()
        except UnicodeEncodeError as exc:
            raise bad_request("strings must be encoded in UTF-8") from exc
        return value

    def number(self, name: str, default: int | None = None) -> int | None:
        value = self.text(name)
        if not value:
            return default
        try:
            return int(value)
        except ValueError as exc:
            raise bad_request(f"{name} must be an integer") from exc

    def flag(self, name: str) -> bool:
        return self.text(name).casefold() in {"true", "1", "yes"}

    def data(self, name: str) -> Any:
        """Return a value that is an object or a list, or None when it was not given."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError as exc:
            raise bad_request(f"can't parse {name} JSON object") from exc

    def upload(self, name: str) -> UploadFile | None:
        """Return the file under this name, or the one that "attach://…" points to."""
        value = self.values.get(name)
        if isinstance(value, str) and value.startswith("attach://"):
            value = self.values.get(value.removeprefix("attach://"))
        return value if isinstance(value, UploadFile) else None


async def params_of(request: Request) -> Params:
    values: dict[str, Any] = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind == "application/json":
        try:
            sent = await request.json()
        except ValueError as exc:
            raise bad_request("can't parse request body as JSON object") from exc
        if not isinstance(sent, dict):
            raise bad_request("can't parse request body as JSON object")
        values |= sent
    elif request.method == "POST":
        values |= dict(await request.form())
    return Params(values)


def keyboard_of(params: Params) -> Keyboard:
    """Return the inline keyboard of reply_markup, () for none."""
    markup = params.data("reply_markup")
    if not markup:
        return ()
    if not isinstance(markup, dict) or "inline_keyboard" not in markup:
        raise bad_request(
            "object expected as reply markup, with inline_keyboard (all the sandbox knows)"
        )
    rows = markup["inline_keyboard"]
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request('field "inline_keyboard" must be of type Array of Arrays')
    keyboard = tuple(tuple(_button(button) for button in row) for row in rows if row)
    widest = max(map(len, keyboard), default=0)
    if sum(map(len, keyboard)) > _MOST_BUTTONS or widest > _MOST_IN_A_ROW:
        raise bad_request("REPLY_MARKUP_TOO_LONG")
    return keyboard


def _button(button: Any) -> InlineButton:
    prefix = "can't parse inline keyboard button: "
    if not isinstance(button, dict):
        raise bad_request(f"{prefix}InlineKeyboardButton must be an Object")
    text = button.get("text")
    if not isinstance(text, str) or not text.strip():
        raise bad_request(f"{prefix}text of the button must be non-empty")
    if len(_ACTIONS & button.keys()) > 1:
        raise bad_request(f"{prefix}exactly one action is expected")
    match button:
        case {"callback_data": str(data)}:
            if not 1 <= len(data.encode()) <= MOST_DATA_BYTES:
                raise bad_request("BUTTON_DATA_INVALID")
            return InlineButton(text, ButtonKind.CALLBACK, data)
        case {"copy_text": {"text": str(copied)}}:
            if not 1 <= len(copied) <= _LONGEST_COPY:
                raise bad_request("BUTTON_COPY_TEXT_INVALID")
            return InlineButton(text, ButtonKind.COPY, copied)
        case {"url": str(url)}:
            if urlsplit(url).scheme not in {"http", "https", "tg"} or not urlsplit(url).hostname:
                raise bad_request(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")
            return InlineButton(text, ButtonKind.URL, url)
        case _:
            raise bad_request(f"{prefix}Text buttons are unallowed in the inline keyboard")
