"""The Bot API server of the sandbox, so that the production bot runs unchanged.

Mounted at /telegram it is reached with base_url http://127.0.0.1:PORT/telegram/bot and
base_file_url http://127.0.0.1:PORT/telegram/file/bot. It has the methods that this product may
use, and must be as strict as the real server. It lacks webhooks and Markdown, and does not slow
down polls that confirm nothing.
"""

import hmac
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.sandbox.telegram import shapes
from bot.sandbox.telegram.flood import FloodGate
from bot.sandbox.telegram.messages import MessageMethods
from bot.sandbox.telegram.params import BotApiError, Params, bad_request, params_of
from bot.sandbox.telegram.state import TelegramState
from bot.sandbox.telegram.updates import UPDATES_PER_POLL, TerminatedError
from bot.sandbox.telegram.values import CallbackAnswer, MemberStatus, StoredDocument, User

_LARGEST_DOWNLOAD = 20 << 20
_LONGEST_ANSWER = 200
_MOST_COMMANDS = 100
_LANGUAGE = re.compile(r"(?:[a-z]{2})?")
# Those of one character. Telegram also has a few joined from several.
_REACTIONS = frozenset(
    "👍👎❤🔥🥰👏😁🤔🤯😱🤬😢🎉🤩🤮💩🙏👌🕊🤡🥱🥴😍🐳🌚🌭💯🤣⚡🍌🏆💔🤨😐🍓🍾💋🖕"
    "😈😴😭🤓👻👀🎃🙈😇😨🤝✍🤗🫡🎅🎄☃💅🤪🗿🆒💘🙉🦄😘💊🙊😎👾🤷😡"
)
_CONFLICT = (
    "Conflict: terminated by other getUpdates request; "
    "make sure that only one bot instance is running"
)
_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"

Method = Callable[[Params], Awaitable[Any]]


def telegram_app(state: TelegramState, *, token: str, flood: FloodGate | None = None) -> Starlette:
    """Return the ASGI app. It accepts only `token`. `flood` defaults to the real limits."""
    server = _BotApi(state, token, flood or FloodGate(state.clock))
    return Starlette(
        routes=[
            Route("/bot{token}/{method}", server.call, methods=["GET", "POST"]),
            Route("/file/bot{token}/{path:path}", server.download, methods=["GET"]),
            Route("/{rest:path}", _not_found, methods=["GET", "POST"]),
        ]
    )


class _BotApi:
    def __init__(self, state: TelegramState, token: str, flood: FloodGate) -> None:
        self._state, self._token = state, token
        self._messages = MessageMethods(state, flood)
        self._methods = self._table()

    def _table(self) -> dict[str, Method]:
        return {
            "getme": self._get_me,
            "getupdates": self._get_updates,
            "deletewebhook": self._delete_webhook,
            "getwebhookinfo": self._get_webhook_info,
            "setmycommands": self._set_commands,
            "getmycommands": self._get_commands,
            "deletemycommands": self._delete_commands,
            "sendmessage": self._messages.send_message,
            "senddocument": self._messages.send_document,
            "sendchataction": self._send_action,
            "editmessagetext": self._messages.edit_text,
            "editmessagecaption": self._messages.edit_caption,
            "editmessagereplymarkup": self._messages.edit_markup,
            "deletemessage": self._messages.delete,
            "setmessagereaction": self._react,
            "answercallbackquery": self._answer,
            "getfile": self._get_file,
            "getchat": self._get_chat,
            "getchatmember": self._get_member,
            "getchatadministrators": self._get_admins,
        }

    async def call(self, request: Request) -> Response:
        try:
            self._check_token(request)
            method = self._methods.get(request.path_params["method"].casefold())
            if method is None:
                return await _not_found(request)
            result = await method(await params_of(request))
        except BotApiError as exc:
            return _refusal(exc)
        finally:
            await request.close()  # closes uploaded files
        return JSONResponse({"ok": True, "result": result})

    async def download(self, request: Request) -> Response:
        try:
            self._check_token(request)
        except BotApiError as exc:
            return _refusal(exc)
        wanted = request.path_params["path"]
        for document in self._state.documents():
            if _path(document) == wanted:
                return Response(document.content, media_type="application/octet-stream")
        return await _not_found(request)

    def _check_token(self, request: Request) -> None:
        given = request.path_params["token"]
        if not hmac.compare_digest(given.encode(errors="replace"), self._token.encode()):
            raise BotApiError(401, "Unauthorized")

    # The bot itself and its updates

    async def _get_me(self, _params: Params) -> Any:
        return shapes.bot(self._state) | {
            "can_join_groups": True,
            "can_read_all_group_messages": not self._state.privacy_mode,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }

    async def _get_updates(self, params: Params) -> Any:
        kinds = params.data("allowed_updates")
        if kinds is not None:
            if not isinstance(kinds, list):
                raise bad_request("can't parse allowed_updates: array expected")
            self._state.updates.allow([str(kind) for kind in kinds])
        limit = params.number("limit") or UPDATES_PER_POLL
        try:
            found = await self._state.updates.poll(
                offset=params.number("offset") or 0,
                limit=min(max(limit, 1), UPDATES_PER_POLL),
                timeout=max(params.number("timeout") or 0, 0),
            )
        except TerminatedError as exc:
            raise BotApiError(409, _CONFLICT) from exc
        return [shapes.update(self._state, update) for update in found]

    async def _delete_webhook(self, params: Params) -> bool:
        if params.flag("drop_pending_updates"):
            self._state.updates.drop()
        return True

    async def _get_webhook_info(self, _params: Params) -> Any:
        waiting = len(self._state.updates.pending())
        return {"url": "", "has_custom_certificate": False, "pending_update_count": waiting}

    async def _set_commands(self, params: Params) -> bool:
        commands = params.data("commands")
        if not isinstance(commands, list) or len(commands) > _MOST_COMMANDS:
            raise bad_request("can't parse commands: an array of at most 100 expected")
        self._state.commands[self._scope(params)] = [_command(command) for command in commands]
        return True

    async def _get_commands(self, params: Params) -> Any:
        return self._state.commands.get(self._scope(params), [])

    async def _delete_commands(self, params: Params) -> bool:
        self._state.commands.pop(self._scope(params), None)
        return True

    def _scope(self, params: Params) -> str:
        """Return the key under which one menu of commands is stored."""
        scope = params.data("scope") or {"type": "default"}
        if not isinstance(scope, dict):
            raise bad_request("can't parse BotCommandScope: object expected")
        if "chat_id" in scope:
            self._messages.chat(Params(scope))
        language = params.text("language_code")
        if not _LANGUAGE.fullmatch(language):
            raise bad_request("invalid language code specified")
        return json.dumps([scope, language], sort_keys=True)

    # Chat actions, reactions, button answers and files

    async def _send_action(self, params: Params) -> bool:
        self._messages.chat(params)
        if not params.text("action"):
            raise bad_request("wrong parameter action in request")
        return True

    async def _react(self, params: Params) -> bool:
        chat = self._messages.chat(params)
        message = self._state.message(chat, params.number("message_id") or 0)
        if message is None:
            raise bad_request("message to react not found")
        given = params.data("reaction") or []
        emojis = [each.get("emoji", "") for each in given if isinstance(each, dict)]
        if len(emojis) > 1 or not _REACTIONS.issuperset(emojis):
            raise bad_request("REACTION_INVALID")
        self._state.react(message, emojis)
        return True

    async def _answer(self, params: Params) -> bool:
        text = params.text("text")
        if len(text) > _LONGEST_ANSWER:
            raise bad_request("MESSAGE_TOO_LONG")
        answer = CallbackAnswer(text, alert=params.flag("show_alert"), url=params.text("url"))
        if not self._state.answer(params.text("callback_query_id"), answer):
            raise bad_request(_TOO_OLD)
        return True

    async def _get_file(self, params: Params) -> Any:
        document = self._state.document(params.text("file_id"))
        if document is None:
            raise bad_request("invalid file_id")
        if len(document.content) > _LARGEST_DOWNLOAD:
            raise bad_request("file is too big")
        shape = shapes.document(document)
        wanted = ("file_id", "file_unique_id", "file_size")
        return {key: shape[key] for key in wanted} | {"file_path": _path(document)}

    # Chats

    async def _get_chat(self, params: Params) -> Any:
        return shapes.full_chat(self._state, self._messages.chat(params))

    async def _get_member(self, params: Params) -> Any:
        chat, wanted = self._messages.chat(params), params.number("user_id")
        if wanted == self._state.bot_id:
            return shapes.bot_member(self._state, self._state.bot_role(chat))
        inside = self._state.people.values() if chat.person is None else [chat.person]
        for somebody in inside:
            if somebody.id == wanted:
                return shapes.member(_as_in(somebody, private=chat.person is not None))
        raise bad_request("PARTICIPANT_ID_INVALID")

    async def _get_admins(self, params: Params) -> Any:
        if self._messages.chat(params).person is not None:
            raise bad_request("there are no administrators in the private chat")
        people = self._state.people.values()
        return [
            shapes.member(somebody) for somebody in people if somebody.role is MemberStatus.ADMIN
        ]


async def _not_found(_request: Request) -> Response:
    return _refusal(BotApiError(404, "Not Found"))


def _refusal(error: BotApiError) -> Response:
    body: dict[str, Any] = {
        "ok": False,
        "error_code": error.status,
        "description": error.description,
    }
    headers = {}
    if error.parameters:
        body["parameters"] = error.parameters
    if "retry_after" in error.parameters:
        headers["Retry-After"] = str(error.parameters["retry_after"])
    return JSONResponse(body, status_code=error.status, headers=headers)


def _path(document: StoredDocument) -> str:
    # The name is by number, since a file name from a person is untrusted.
    suffix = PurePath(document.name).suffix
    plain = suffix if suffix[1:].isalnum() and suffix.isascii() else ""
    return f"documents/file_{document.number}{plain}"


def _as_in(somebody: User, *, private: bool) -> User:
    return replace(somebody, role=MemberStatus.MEMBER) if private else somebody


def _command(command: Any) -> dict[str, str]:
    match command:
        case {"command": str(name), "description": str(description)}:
            name = name.removeprefix("/")
        case _:
            raise bad_request(
                "can't parse BotCommand: object with command and description expected"
            )
    plain = name.replace("_", "").isalnum() and name.isascii() and name == name.lower()
    if not plain or not 1 <= len(name) <= 32:  # noqa: PLR2004 - the Bot API's own limit
        raise bad_request("BOT_COMMAND_INVALID")
    if not 1 <= len(description) <= 256:  # noqa: PLR2004 - the Bot API's own limit
        raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": name, "description": description}
