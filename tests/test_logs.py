"""The log: text of strangers cannot forge a line, and no secret is in it."""

import base64
import json
import logging
import re
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import WORDS, plain

from bot.adapters.telegram.chat import PollingBot, TelegramChat
from bot.build import Adapters, open_adapters
from bot.config import read_secrets, read_settings
from bot.core.errors import TransientError
from bot.core.ids import ChatId, Place
from bot.logs import HidingFormatter, JsonFormatter, start_log, visible

LINE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:,]{12} [A-Z]+ [a-z._]+: ")
FORGED = "2026-11-25 12:00:00,000 INFO bot.engine: request 7 approved by Ana"
HOSTILE = [
    f"x\n{FORGED}",
    f"x\r\n{FORGED}",
    f"x\r{FORGED}",
    f"x\x0b{FORGED}",
    f"x\x0c{FORGED}",
    f"x\x85{FORGED}",
    f"x\u2028{FORGED}",
    f"x\u2029{FORGED}",
    "x\x1b[2J\x1b[1;31mall is lost",
    "x\x1b]0;title\x07",
    "x\x9b31m",
    "x\b\b\b\bok",
    "x\u202egnp.exe",
    "x\u2066hidden\u2069",
    "x\u200b\ufeff\u061c",
    "x\ud800",
    "x\U000e0041",
    "x\x00y",
]


def record(message: str, *, error: Exception | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error is not None else None
    return logging.LogRecord("bot.x", logging.INFO, "x", 1, "of %s", (message,), info)


def raise_it(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_whatever_a_stranger_is_called_an_event_is_one_line_of_visible_characters(
    text: str,
) -> None:
    line = HidingFormatter([]).format(record(text))
    assert len(line.splitlines()) == 1
    assert LINE.match(line)
    assert line.isprintable()


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_an_errors_words_cannot_begin_a_line_of_the_log(text: str) -> None:
    try:
        raise_it(ValueError(text))
    except ValueError as error:
        lines = HidingFormatter([]).format(record("it", error=error)).splitlines()
    assert LINE.match(lines[0])
    assert len(lines) > 2
    assert all(line.startswith("  | ") and line.isprintable() for line in lines[1:])


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_as_json_an_event_is_one_object_in_one_line_whatever_a_stranger_is_called(
    text: str,
) -> None:
    try:
        raise_it(ValueError(text))
    except ValueError as error:
        line = JsonFormatter([]).format(record(text, error=error))
    assert line.isascii()
    assert len(line.splitlines()) == 1
    said = json.loads(line)
    assert list(said) == ["time", "level", "logger", "message", "trace"]
    assert (said["level"], said["logger"]) == ("info", "bot.x")
    assert said["message"].isprintable()
    assert all(part.isprintable() for part in said["trace"])


@pytest.mark.parametrize(
    "token",
    [
        "7123456789:AAF-abcdefghijklmnopqrstuvwxyz0123456",
        "ghp_abcdefghijklmnop1234",
        "github_pat_11ABCDEFG0abcdefghijkl_mnop",
        "glpat-abcdefghijklmnopqrst",
        "eyJhbGciOiJSUzI1NiJ9.eyJhY2Nlc3MiOltdfQ.c2ln",
        "Authorization: Bearer abcdefghijklmnopqrst",
        "Basic cm9ib3QkbWlycm9yOmh1c2g=",
        "https://wei:hush-hush@registry.example.com/v2/",
    ],
)
@pytest.mark.parametrize("form", [HidingFormatter, JsonFormatter])
def test_what_looks_like_a_token_is_hidden_though_the_bot_does_not_know_it(
    form: type[HidingFormatter], token: str
) -> None:
    try:
        raise_it(ValueError(token))
    except ValueError as error:
        line = form([]).format(record(f"it says {token}!", error=error))
    assert line.count("***") == 2
    for part in ("abcdefgh", "eyJhY2Nl", "cm9ib3Qk", "hush"):
        assert part not in line


def test_digests_and_images_are_no_tokens() -> None:
    told = f"docker.io/library/nginx:1.27@sha256:{'ab' * 32} run https://github.com/a/b/runs/123"
    assert told in HidingFormatter([]).format(record(told))


def test_names_of_people_stay_readable() -> None:
    for name in ("李 伟", "Zoë", "👩🏽", "Ana 'x' \\n"):
        assert visible(name) == name


def test_a_trace_that_another_handler_has_kept_is_not_taken_over() -> None:
    kept = record("it", error=ValueError("hush-hush"))
    kept.exc_text = "ValueError: hush-hush"
    assert "hush" not in HidingFormatter(["hush-hush"]).format(kept)


def test_a_secret_of_several_lines_is_hidden_before_its_lines_are_escaped() -> None:
    secret = '{"auths":\n {"a.example": 1}}'
    assert "auths" not in HidingFormatter([secret]).format(record(secret))


def test_the_log_hides_every_secret_also_in_tracebacks() -> None:
    formatter = HidingFormatter(["hush", "hush-hush"])
    try:
        int("hush-hush")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "x", 1, "with %s", ("hush",), sys.exc_info())
    assert "hush" not in formatter.format(record)
    assert formatter.format(record).count("***") == 3


AUTH = base64.b64encode(b"wei:pass/word 1").decode()
SECRETS = read_secrets(
    {
        "TELEGRAM_TOKEN": "7000:AAF-secret",
        "GITHUB_TOKEN": "ghp_secret",
        "HARBOR_USER": "robot$mirror",
        "HARBOR_PWD": "hush/hush+1",
        "SOURCE_AUTH": json.dumps({"auths": {"ghcr.io": {"auth": AUTH}}}),
    }
)


@pytest.mark.parametrize(
    "leak",
    [
        "https://api.telegram.org/bot7000:AAF-secret/getMe",
        "https://api.telegram.org/bot7000%3AAAF-secret/getMe",
        "Authorization: token ghp_secret",
        "hush/hush+1",
        "https://robot$mirror:hush%2Fhush%2B1@harbor.example.com/",
        "Basic " + base64.b64encode(b"robot$mirror:hush/hush+1").decode(),
        f"Basic {AUTH}",
        "password is pass/word 1",
        "pass%2Fword%201",
        "pass%2Fword+1",
    ],
)
def test_a_secret_is_hidden_in_each_form_that_it_takes_on_its_way(leak: str) -> None:
    line = HidingFormatter(SECRETS.texts()).format(record(leak))
    assert "***" in line
    for part in ("secret", "hush", AUTH, "pass/", "pass%", leak.rpartition("Basic ")[2]):
        assert part not in line


def test_no_secret_is_in_what_the_settings_say_of_themselves() -> None:
    for told in (repr(SECRETS), str(SECRETS), SECRETS.model_dump_json()):
        assert not [text for text in SECRETS.texts() if text in told]


@pytest.fixture
def own_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Restore whatever start_log changes."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr("threading.excepthook", None)
    yield
    root.handlers[:] = before
    root.setLevel(level)


@pytest.mark.usefixtures("own_log")
@pytest.mark.parametrize(
    "name",
    ["httpx", "httpcore.http11", "telegram.ext", "github.Requester", "urllib3.connectionpool"],
)
def test_libraries_that_would_log_addresses_with_tokens_are_quiet(name: str) -> None:
    start_log()
    assert logging.getLogger(name).getEffectiveLevel() == logging.WARNING


@pytest.mark.parametrize(
    "crash",
    [
        "raise ValueError('hush-hush\\n2026 forged')",
        "import threading; t = threading.Thread(target=lambda: int('hush-hush')); t.start()",
        "import asyncio; asyncio.run(asyncio.sleep('hush-hush'))",
    ],
)
def test_what_nobody_caught_is_logged_like_everything_else(crash: str) -> None:
    code = f"from bot.logs import start_log\nstart_log(secrets=['hush-hush'])\n{crash}"
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    ).stderr
    first, *more = told.splitlines()
    assert LINE.match(first)
    assert first.endswith(" CRITICAL bot: Unhandled exception")
    assert more
    assert all(line.startswith("  | ") for line in more)
    assert "hush" not in told


TELEGRAM_TOKEN = "7000:AAF-secret"


async def test_no_adapter_shows_a_secret_when_it_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    settings = read_settings(Path(__file__).parents[1] / "config.example.yaml")
    settings = settings.model_copy(update={"database": str(tmp_path / "bot.sqlite3")})
    async with open_adapters(settings, SECRETS) as adapters:
        told = " ".join(
            [repr(adapters), str(adapters), *(repr(part) for part in shallow(adapters))]
        )
        await adapters.bot.shutdown()
    assert "PollingBot" in told
    assert not [text for text in SECRETS.texts() if text in told]


def shallow(adapters: Adapters) -> list[object]:
    """Return each adapter and its parts."""
    outer = [adapters.store, adapters.bot, adapters.repository, adapters.registries]
    inner = [part for each in outer for part in vars(each).values()]
    return [*outer, *(part for part in inner if not isinstance(part, str))]


async def test_an_error_of_telegrams_client_says_nothing_of_the_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its addresses hold the token."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    bot = PollingBot(TELEGRAM_TOKEN, "http://127.0.0.1:9")
    with pytest.raises(TransientError) as told:
        await TelegramChat(bot, WORDS).send(Place(ChatId("telegram:1")), plain("x"), reply_to=None)
    await bot.shutdown()
    trace = "".join(traceback.format_exception(told.value))
    assert "ClientConnectorError" in trace
    assert TELEGRAM_TOKEN not in trace
