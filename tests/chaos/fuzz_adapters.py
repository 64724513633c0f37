"""Fuzz targets of the adapters that read people, files and the operator: updates, words, config.

Other fuzz files: fuzz_core.py (core and the script), fuzz_github.py, fuzz_registry.py.
"""

import asyncio
import contextlib
import re
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import httpx
from fuzz_core import expect_image, expect_line
from fuzz_github import LARGEST
from generators import HEX, VALUES, Choices, body, broken, command, mutated, reference
from sqlalchemy.dialects import sqlite

from bot.adapters.github.fields import parse_result
from bot.adapters.store import schema
from bot.adapters.telegram.polling import Polling
from bot.adapters.telegram.rendering import TelegramWords
from bot.adapters.telegram.takeover import Takeover
from bot.config import read_secrets, read_settings
from bot.core.bad_image import BadImage, Correction, Gap, Mistake
from bot.core.errors import ConfigError, TransientError
from bot.core.failures import Failure, FailureKind
from bot.core.ids import UpdateKey
from bot.core.image import BadReference, ImageRef, Problem
from bot.core.retry import Trouble, TroubleKind
from bot.dialog.language import Language
from bot.dialog.message import Button, ButtonKind, Message, Phrase
from bot.engine.intake.context import Added, Incoming, Press
from bot.sandbox.telegram import entities
from bot.workflow.mirror import authorization, registry
from bot.workflow.mirror.github import entries
from bot.workflow.mirror.layer import Layer
from bot.workflow.mirror.log import one_line
from bot.workflow.mirror.manifest import KINDS, Manifest, NotMovedError
from bot.workflow.mirror.reference import Image
from bot.workflow.mirror.registry import Repository
from bot.workflow.mirror.registry_http import Answer, NoAnswerError
from bot.workflow.mirror.settings import Settings
from bot.workflow.mirror.source_logins import Login
from bot.workflow.mirror.upload import Upload

ROOT: Final = Path(__file__).parents[2]

# --- updates from Telegram

_USER: Final = {"id": 1001, "is_bot": False, "first_name": "Wei", "language_code": "zh-hans"}
_CHAT: Final = {"id": -1001234567890, "type": "supergroup", "title": "images"}
_DOCUMENT: Final = {"file_id": "f", "file_unique_id": "u", "file_name": "a.yaml", "file_size": 9}
_MESSAGE: Final = {
    "message_id": 5,
    "date": 1_764_000_000,
    "from": _USER,
    "chat": _CHAT,
    "text": "/mirror nginx:1",
    "entities": [{"type": "bot_command", "offset": 0, "length": 7}],
}
_ANSWERING: Final = _MESSAGE | {
    "reply_to_message": _MESSAGE | {"document": _DOCUMENT, "caption": "nginx:1"},
    "quote": {"text": "nginx:1", "position": 0, "is_manual": True},
    "is_topic_message": True,
    "message_thread_id": 3,
}
_FILE: Final = {k: v for k, v in _MESSAGE.items() if k not in {"text", "entities"}} | {
    "document": _DOCUMENT,
    "caption": "/mirror",
}
_PRESS: Final = {
    "id": "9",
    "from": _USER,
    "chat_instance": "c",
    "data": "approve:41",
    "message": _MESSAGE,
}
_UPDATES: Final = (
    *({"update_id": 7, "message": each} for each in (_MESSAGE, _ANSWERING, _FILE)),
    {"update_id": 7, "callback_query": _PRESS},
    {"update_id": 7, "message": _MESSAGE | {"migrate_to_chat_id": -1009}},
    {"update_id": 7, "edited_message": _MESSAGE},
)


class _Bot:
    """Takes the two calls that handling an update makes."""

    async def set_message_reaction(self, *_: object, **__: object) -> None: ...
    async def answer_callback_query(self, *_: object, **__: object) -> None: ...


@dataclass
class _Inbox:
    """Records what it is given. `away` makes the store fail once."""

    away: bool = False
    taken: list[UpdateKey] = field(default_factory=list)

    def _take(self, update: UpdateKey) -> None:
        if self.away:
            raise TransientError("the database is locked")
        self.taken.append(update)

    async def receive(self, incoming: Incoming) -> bool:
        assert incoming.text.lstrip().startswith("/")
        self._take(incoming.update)
        return True

    async def added(self, added: Added) -> None:
        self._take(added.update)

    async def moved(self, update: UpdateKey, *_: object) -> None:
        self._take(update)

    async def press(self, press: Press) -> None:
        self._take(press.update)

    async def pass_over(self, update: UpdateKey) -> None:
        self._take(update)


class _Offset:
    async def read(self) -> int:
        return 7

    async def save(self, following: int) -> None: ...


async def _alive(_: float | None) -> None: ...


def updates(choices: Choices) -> None:
    """Each update is handled once or skipped. It comes again only when the store fails."""
    inbox = _Inbox(away=choices.below(20) == 1)
    polling = Polling(
        words=_WORDS,
        bot=_Bot(),  # type: ignore[arg-type] - it has only the methods used here
        receiver=inbox,
        offset=_Offset(),
        alive=_alive,
        turn=Takeover(settled=True, hold=lambda _: None),
    )
    raw = choices.pick(_UPDATES)
    if "message" in raw and choices.below(2):
        raw = raw | {"message": raw["message"] | {"text": command(choices)}}
    raw = mutated(raw, choices)
    if not isinstance(raw, dict):
        raw = {"message": raw}
    raw["update_id"] = 7
    try:
        asyncio.run(polling._handle(raw))
    except TransientError:
        assert inbox.away
        return
    assert inbox.taken == ["telegram:7"], raw


# --- the words of the bot

_WORDS: Final = TelegramWords()
_PATTERN: Final = (ROOT / "bot" / "locales" / "en.ftl").read_text(encoding="utf-8")
_KEYS: Final = {
    block.split(" =", 1)[0]: sorted(set(re.findall(r"\$(\w+)", block)))
    for block in re.split(r"\n(?=[a-z])", _PATTERN)
    if re.match(r"[a-z][a-z0-9-]* =", block)
}


def said(choices: Choices) -> None:
    """The markup stays well-formed, whatever a person, a file or an image is called."""
    key = choices.pick(sorted(_KEYS))
    values = tuple((name, _value(choices)) for name in _KEYS[key])
    language = choices.pick(tuple(Language))
    phrase = Phrase(key, values)
    label = Button(phrase, ButtonKind.COPY, "x")
    rendered = _WORDS.render(Message((phrase, phrase), ((label,),)), language)
    text, _ = entities.parsed(rendered.html)
    assert entities.length(text) <= 4096
    assert "{" not in text or "{" in str(values)
    if key in _SHOWN and "…" not in text:
        plain = [value for _, value in values if isinstance(value, str) and value.isprintable()]
        assert all(value.strip() in text for value in plain)
    assert len(rendered.buttons[0][0][0]) <= 200


_SHOWN: Final = {"pull", "outside", "bad-meant", "draft-line"}
"""Keys whose texts show every value unchanged."""


def _value(choices: Choices) -> str | int | Phrase:
    match choices.below(8):
        case 0:
            return choices.below(200)
        case 1:
            return Phrase("whoami-admin")
        case 2:
            return reference(choices).replace("\ud800", "?")
        case _:
            text = choices.pick(
                ("wei", "<b>", "&amp;", "</code>", "a\nb", "{ $x }", '"', "x" * 5000)
            )
            return broken(text, choices, choices.below(3)).replace("\ud800", "?")


# --- the config and the environment

_EXAMPLE: Final = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
_BARE: Final = "\n".join(
    line for line in _EXAMPLE.splitlines() if not line.lstrip().startswith("#")
)
_LINES: Final = (
    *("a: 2026-13-45", "a: !!int ''", "a: !!bool x", "a: !!timestamp x", "a: !!float x"),
    *("a: &a [*a]", "? [a, b]\n: c", "? {a: b}\n: c", "a: !!python/object:os.system x", "~: x"),
    *("2026-11-25: x", "a: !!binary é", "a: .nan", "a: .inf", "a: 0x", "a: 1:99:99", "<<: [1]"),
    *(f"a: {'9' * 5000}", "[" * 2000, "<<: *x", "a: !!set {b}", "a: !!omap [b: c]", "a: *a"),
    *("a: !!pairs [b]", "%YAML 9.9\n---", '"a\\nb": x', '"\\0": x', "a: |\n x\x85", "\ufeff"),
    *("--- a\n--- b", "a: !!str", "'", "\x07"),
)
_BOMB: Final = "a0: &a0 x\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
_PLAIN: Final = tuple(line for line in _BARE.splitlines() if ": " in line)
_FILES: Final = Path(tempfile.gettempdir())


def config_files(choices: Choices) -> None:
    """Any file is either a config or a ConfigError with a line for each mistake."""
    text = _BARE
    for _ in range(choices.below(4)):
        match choices.below(4):
            case 0:
                text += "\n" + (_BOMB if choices.below(30) == 1 else choices.pick(_LINES))
            case 1:
                line = choices.pick(_PLAIN)
                key = line[: line.index(":")]
                value = choices.pick(
                    (*map(repr, VALUES[:20]), *_LINES, "[]", "{}", "~", "-1", "1e9")
                )
                text = text.replace(line, f"{key}: {value.removeprefix('a: ')}")
            case _:
                text = broken(text, choices, 1)
    place = _FILES / "imageto-bot-fuzz.yaml"
    place.write_bytes(
        text.encode(errors="surrogatepass") + (choices.rest() if choices.below(9) == 1 else b"")
    )
    try:
        settings = read_settings(place)
    except ConfigError as error:
        for line in str(error).split("\n"):
            expect_line(line)
        return
    settings.policy_in_force(), settings.allow_lists(), settings.target_registry()
    assert datetime(2026, 1, 1, tzinfo=UTC) + settings.policy_in_force().expire_after


def environments(choices: Choices) -> None:
    login = choices.pick(
        ('{"auths": {"docker.io": {"auth": "d2VpOnA="}}}', "{}", "[" * 5000, "", "9" * 5000)
    )
    given = {"TELEGRAM_TOKEN": "t", "GITHUB_TOKEN": "g"}
    given["MIRROR_SOURCE_AUTH"] = broken(login, choices, choices.below(3))
    try:
        read_secrets(given)
    except ConfigError as error:
        _expect_no_secret(str(error))
    settings = given | {"HARBOR_HOST": "h", "MIRROR_USER": "u", "MIRROR_PASSWORD": "p"}
    for name in ("HARBOR_HOST", "NAMING", "HARBOR_PREFIX", "REGISTRY_ADDRESSES", "PATIENCE"):
        if choices.below(4) == 0:
            settings[name] = choices.pick(
                (login, '{"a.io": "http://b:1"}', "flat", broken("h", choices, 2))
            )
    try:
        Settings.read(settings)
    except ValueError as error:
        _expect_no_secret(str(error))


def _expect_no_secret(words: str) -> None:
    assert "d2Vp" not in words
    expect_line(words)


# --- values in the database


def stored_values(choices: Choices) -> None:
    """What is written to a column is read back the same, as text that a database accepts."""
    text = broken("source: manifest unknown", choices, choices.below(4))
    images = tuple(image for image in choices.several(_image, 4) if image is not None)
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=choices.below(2**16) ** 3)
    meant = Correction(choices.pick(tuple(Mistake)), images[0]) if images else None
    bad = BadImage(text, choices.pick((*Problem, *Gap)), meant)
    dialect = sqlite.dialect()
    columns: tuple[tuple[Any, Any], ...] = (
        (schema.Time(), moment),
        (schema.Images(), images),
        (schema.Positions(), frozenset(choices.several(lambda c: c.below(500), 5))),
        (schema.BadTexts(), (bad, bad)),
        (schema.Platforms(), ("linux/amd64", "linux/arm/v7")[: choices.below(3)]),
        (schema.FailureText(), Failure(choices.pick(tuple(FailureKind)), text)),
        (schema.TroubleText(), Trouble(choices.pick(tuple(TroubleKind)), "a.io:5000", text)),
        *((schema.Image(), image) for image in images),
    )
    for column, value in columns:
        kept = column.process_bind_param(value, dialect)
        assert isinstance(kept, str)
        assert column.process_result_value(kept, dialect) == value
        kept.encode(errors="strict" if "\ud800" not in text else "replace")


def _image(choices: Choices) -> ImageRef | None:
    try:
        return ImageRef.parse(reference(choices))
    except BadReference:
        return None


# --- what the workflow's script makes of answers

_BLOB: Final = {"digest": f"sha256:{HEX}", "size": 1234}
_MANIFESTS: Final = (
    {"config": _BLOB, "layers": [_BLOB, {"digest": f"sha256:{HEX[::-1]}", "size": 5}]},
    {"manifests": [_BLOB, _BLOB]},
    {"token": "t", "access_token": "t"},
)
_OWN: Final = re.compile(r"https://a\.io(?::443)?(?:[/?#]|$)", re.IGNORECASE)
"""Hosts that the login of a.io may be sent to."""
_CHALLENGES: Final = (
    *('Bearer realm="https://a.io/token",service="s",scope="repository:x:pull"', "Basic x"),
    *(
        'Bearer realm="http://a.io/t"',
        'Bearer realm="\0"',
        "Bearer ",
        "bearer realm=x",
        "",
        "Negotiate",
    ),
)


@dataclass(frozen=True)
class _Status:
    """A commit status as GitHub returns it."""

    context: str
    state: str
    description: str


def _answer(choices: Choices) -> Answer:
    """Any answer of a registry or of a token server."""
    headers = httpx.Headers()  # header names ignore case
    if choices.below(2):
        headers["WWW-Authenticate"] = choices.pick(_CHALLENGES)
    if choices.below(2):
        headers["Docker-Content-Digest"] = (
            broken(f"sha256:{HEX}", choices, choices.below(2)).encode("ascii", "replace").decode()
        )
    if choices.below(2):
        headers["Content-Type"] = choices.pick((*KINDS, "application/json"))
    if choices.below(2):
        place = broken(f"https://a.io/v2/x/blobs/uploads/{HEX}?state=[x]", choices, 2)
        headers["Location"] = place.encode("ascii", "replace").decode()
    for name in ("ratelimit-limit", "ratelimit-remaining"):
        if choices.below(2):
            value = broken("100;w=21600", choices, choices.below(3))
            headers[name] = value.encode("ascii", "replace").decode()
    status = choices.pick((0, 200, 200, 200, 201, 202, 202, 401, 404, 503))
    return Answer(status, headers, body(choices.pick(_MANIFESTS), choices))  # type: ignore[arg-type]


def script_answers(choices: Choices) -> None:
    """The script survives any answer. The bot reads back the success that the script reports."""
    settings = Settings("h", "", "nested", "", "", {}, {"a.io": Login("bG9naW4=")})

    def ask(*_: object, **__: object) -> Answer:
        return _answer(choices)

    def opened(*_: object, **__: object) -> SimpleNamespace:
        said = _answer(choices)
        if not said.status:
            raise NoAnswerError("unexpected EOF")
        return SimpleNamespace(status=said.status, headers=said.headers, answer=lambda *_: said)

    kept = registry.opened, authorization.ask
    registry.opened, authorization.ask = opened, ask  # type: ignore[assignment]
    try:
        repository = Repository(settings, "a.io", "x")
        digest, blobs = repository.digest("1"), dict[str, int]()
        with contextlib.suppress(NotMovedError):
            blobs = Manifest.read(repository.manifest("GET", "1")).blobs
        with contextlib.suppress(NotMovedError):
            layer = Layer(repository, f"sha256:{HEX}", 1)
            upload = Upload(repository, layer, repository.begin())
            assert _OWN.match(upload._address), upload._address
    finally:
        registry.opened, authorization.ask = kept
    assert digest is None or digest == "" or re.fullmatch(r"sha\d+:[0-9a-f]{64,128}", digest)
    size = sum(blobs.values())
    assert 0 <= size <= LARGEST
    assert repository.pulls is None or min(repository.pulls.left, repository.pulls.limit) >= 0
    assert repository.pulls is None or repository.pulls.need > 0
    if digest:
        words = " ".join([digest, *([str(size)] if blobs else []), "copied"])
        read = parse_result(_Status("mirror/a.io/x:1", "success", words))  # type: ignore[arg-type]
        assert read is not None
        assert read.digest == digest
        assert read.size == (size or None)


def dispatched(choices: Choices) -> None:
    """The script reads the list and the inputs: each line once, and only images."""
    lines = entries(b"\n".join(reference(choices).encode(errors="replace") for _ in range(3)))
    assert len(set(lines)) == len(lines)
    for line in lines:
        assert one_line(line).isprintable()
        image = Image.parse(line)
        if image is not None:
            expect_image(ImageRef.parse(str(image)))
