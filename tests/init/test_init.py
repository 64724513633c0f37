"""`imageto-bot init`: the code in the group, proved answers, and files for their owner alone."""

import errno
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest
import setup_fixture
from check_world import LOGIN, TOKEN, Told, World, open_world

from bot.adapters.telegram import meeting
from bot.adapters.telegram.chat import PollingBot
from bot.adapters.telegram.meeting import ALPHABET, LENGTH, TIME, TRIES, Meeting, Met, new_code
from bot.config import read_secrets, read_settings
from bot.core.errors import ConfigError, RefusedError
from bot.env_file import beside, read_environment, write_private
from bot.init import Apis, Collecting, apis_of, go_on, said_in_the_chat
from bot.init.answers import FileOfAnswers, Question

NAME = "imageto_bot"


class Scripted:
    """Answers by key, each in turn. What a key has no answer for is its default."""

    repeats = True

    def __init__(self, answers: Mapping[str, list[str]], refused: tuple[str, ...] = ()) -> None:
        self._answers = {key: list(each) for key, each in answers.items()}
        self._refused = list(refused)

    def ask(self, question: Question) -> str:
        given = self._answers.get(question.key, [])
        assert given or question.default is not None, question.key
        return given.pop(0) if given else str(question.default)

    def confirm(self, key: str, text: str) -> bool:
        del text
        if key in self._refused:
            self._refused.remove(key)
            return False
        return True


class Person:
    """Reads the code at the terminal and sends it, as often as it is shown."""

    def __init__(self, world: World, *messages: str, **more: bool) -> None:
        self.said: list[str] = []
        self._world = world
        self._messages = messages or ("/start@imageto_bot CODE",)
        self._more = more

    def read(self, line: str) -> None:
        self.said.append(line)
        if found := re.search(r"/start@\w+ (\w+)", line):
            state = self._world.telegram
            ana = next(each for each in state.people.values() if each.name == "ana")
            for message in self._messages:
                state.say(ana, state.group, message.replace("CODE", found[1]))


def answers(world: World, **more: list[str]) -> dict[str, list[str]]:
    return {
        "telegram_token": [TOKEN],
        "repository": [setup_fixture.NAME],
        "github_token": [world.secrets.github_token.get_secret_value()],
        "target": [world.settings.target.host],
        "prefix": ["mirror"],
        "harbor_user": [LOGIN["HARBOR_USER"]],
        "harbor_pwd": [LOGIN["HARBOR_PWD"]],
        **more,
    }


def apis(world: World) -> Apis:
    settings = world.settings
    every = dict.fromkeys(("gcr.io", "quay.io"), f"http://{settings.target.host}")
    every["registry.k8s.io"] = f"http://{settings.target.host}"
    return Apis(settings.telegram.api, settings.github.api, {**settings.addresses, **every})


async def test_from_a_token_to_a_bot_whose_check_says_well(tmp_path: Path) -> None:
    path = tmp_path / "mine" / "config.yaml"
    path.parent.mkdir()
    async with open_world(tmp_path, installed=False) as world:
        person = Person(world)
        script = Scripted(
            answers(
                world,
                telegram_token=["1:wrong", TOKEN],
                repository=["https://github.com/wei/mirror", setup_fixture.NAME],
                target=["https://harbor.example.com", world.settings.target.host],
                timezone=["Asia/Beijing", "Asia/Shanghai"],
            )
        )
        await Collecting(script, apis(world), person.read).write(path)
        settings = read_settings(path)
        secrets = read_secrets({**read_environment(path, {}), "DECISION_KEY": setup_fixture.KEY})
        assert await go_on(script, settings, secrets, person.read), person.said
        told = said_by_bot(world)
    assert settings.telegram.admins == ("telegram:1003",)
    assert settings.telegram.chats == world.settings.telegram.chats
    assert secrets.target_login() == tuple(LOGIN.values())
    for file in (path, beside(path)):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert TOKEN not in path.read_text() + "".join(person.said)
    assert told == ["Thank you. Please go on at the terminal."]
    said = "\n".join(person.said)
    for words in (
        "does not accept the bot's token",
        "should be a name and no address: write wei/mirror",
        "should be a host and no address",
        "should be a time zone",
        "workflow: ok: ",
    ):
        assert words in said


async def test_who_says_no_at_the_terminal_meets_again_with_another_code(tmp_path: Path) -> None:
    async with open_world(tmp_path, installed=False) as world:
        person = Person(world)
        script = Scripted(answers(world), refused=("met",))
        await Collecting(script, apis(world), person.read).write(tmp_path / "config.yaml")
    codes = re.findall(r"/start@\w+ (\w+)", "\n".join(person.said))
    assert len(set(codes)) == 2
    assert all(len(code) == LENGTH and set(code) <= set(ALPHABET) for code in codes)


async def test_nothing_that_is_there_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    beside(path).write_text("TELEGRAM_TOKEN=mine\n")
    with pytest.raises(ConfigError, match=r"config\.env: is there already"):
        await Collecting(Scripted({}), Apis(), print).write(path)
    assert beside(path).read_text() == "TELEGRAM_TOKEN=mine\n"


def said_by_bot(world: World) -> list[str]:
    return [each.text for each in world.telegram.messages() if each.sender is None]


async def met(world: World, *messages: str, private: bool = False) -> Met:
    """Meet while ana sends these messages, with the code for CODE. The last one is in the group."""
    state, code = world.telegram, new_code()
    ana = next(each for each in state.people.values() if each.name == "ana")
    first, *others = messages
    chat = next(each for each in state.chats.values() if each.person == ana) if private else None
    state.say(ana, chat or state.group, first.replace("CODE", code))
    for message in others:
        text = message.replace("CODE", code).replace("code", code.lower())
        state.say(ana, state.group, text)
    ticks = iter(range(0, 3000, 300))
    bot = PollingBot(TOKEN, world.settings.telegram.api)
    try:
        clock = lambda: float(next(ticks))  # noqa: E731 - one line
        return await Meeting(bot, NAME, code, words=said_in_the_chat, clock=clock).wait()
    finally:
        await bot.shutdown()


@pytest.mark.parametrize(
    ("first", "where", "told"),
    [
        ("/start CODE", {"private": True}, "send this in the group"),
        ("/start@imageto_bot WRONGONE", {}, ""),
        ("/start@another_bot CODE", {}, ""),
        ("CODE", {}, ""),
    ],
)
async def test_only_the_code_of_a_person_in_a_group_counts(
    tmp_path: Path, first: str, where: dict[str, bool], told: str
) -> None:
    async with open_world(tmp_path, installed=False) as world:
        found = await met(world, first, "/start@imageto_bot code", **where)
        said = said_by_bot(world)
    assert (found.person, found.name) == (1003, "Ana")
    assert [text for text in said if told in text][:1] == said[:1]


async def test_codes_cannot_be_guessed_and_those_of_before_do_not_count(tmp_path: Path) -> None:
    async with open_world(tmp_path, installed=False) as world:
        wrong = ["/start@imageto_bot AAAAAAAA"] * TRIES
        with pytest.raises(RefusedError, match="wrong codes were sent"):
            await met(world, *wrong)
        assert (await met(world, "/start@imageto_bot CODE")).person == 1003
        bot = PollingBot(TOKEN, world.settings.telegram.api)
        assert await bot.raw_updates(0, seconds=0) == []
        await bot.shutdown()


async def test_a_code_that_an_anonymous_admin_sent_is_worth_nothing(tmp_path: Path) -> None:
    """Everybody in the group has read it, and could send it under the name of the admin."""
    async with open_world(tmp_path, installed=False) as world:
        state, codes = world.telegram, list[str]()
        people = {person.name: person for person in state.people.values()}

        def read(line: str) -> None:
            if found := re.search(r"/start@\w+ (\w+)", line):
                codes.append(found[1])
                state.say(people["ana"], state.group, found[0], anonymous=len(codes) == 1)
                state.say(people["wei"], state.group, f"/start@imageto_bot {codes[0]}")

        path = tmp_path / "config.yaml"
        await Collecting(Scripted(answers(world)), apis(world), read).write(path)
        said = said_by_bot(world)
    assert read_settings(path).telegram.admins == ("telegram:1003",)
    assert len(set(codes)) == 2
    assert said[0].startswith("I cannot see who you are.")


@pytest.mark.parametrize(
    ("status", "words", "told"),
    [
        (409, "Conflict: terminated by other getUpdates request", "another program polls"),
        (409, "Conflict: can't use getUpdates method while webhook is active", "by a webhook"),
        (500, "Internal Server Error", "10 minutes. Telegram is in trouble: .*: run init again"),
    ],
)
async def test_why_no_code_comes_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, words: str, told: str
) -> None:
    monkeypatch.setattr(meeting, "_PAUSE", 0)
    async with open_world(tmp_path, installed=False) as world:
        body = {"ok": False, "error_code": status, "description": words}
        world.services.told = (Told("POST /telegram/bot.*/getUpdates", status, body),)
        with pytest.raises(RefusedError, match=told):
            await met(world, "hello")


async def test_nobody_comes(tmp_path: Path) -> None:
    async with open_world(tmp_path, installed=False) as world:
        with pytest.raises(RefusedError, match="nobody sent the code within 10 minutes"):
            await met(world, "hello")
    assert TIME.total_seconds() == 600


async def test_a_wrong_answer_in_a_file_is_named_by_its_key(tmp_path: Path) -> None:
    async with open_world(tmp_path, installed=False) as world:
        for key, value, words in (
            ("telegram_token", "1:wrong", "telegram_token: Telegram does not accept"),
            ("github_token", "wrong", "github_token: GitHub does not accept"),
            ("telegram_token", "", "telegram_token: should be a token: one word"),
            ("github_token", "two words", "github_token: should be a token: one word"),
            ("harbor_user", "", "harbor_user: should not be empty"),
            ("harbor_pwd", "two\nlines", "harbor_pwd: should be one line"),
            ("harbor_pwd", 83, "harbor_pwd should be in quotation marks"),
            ("language", "fr", "language: should be en or zh-CN"),
        ):
            given = {name: each[0] for name, each in answers(world).items()} | {key: value}
            person = Person(world)
            collecting = Collecting(FileOfAnswers("a.yaml", given), apis(world), person.read)
            with pytest.raises(ConfigError, match=words):
                await collecting.write(tmp_path / "config.yaml")
    assert not (tmp_path / "config.yaml").exists()


async def test_what_cannot_be_written_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "link.yaml").symlink_to("nowhere")
    for name, given, words in (
        ("missing/config.yaml", {}, "missing: is no folder that can be written"),
        ("config.env", {}, "is the name of the file of secrets"),
        ("link.yaml", {}, r"link\.yaml: is there already"),
        ("c.yaml", {"GITHUB_TOKEN": "1"}, r"c\.env: the environment goes .* `unset GITHUB_TOKEN`"),
    ):
        with pytest.raises(ConfigError, match=words):
            await Collecting(Scripted({}), Apis(), print, given).write(tmp_path / name)


def test_a_file_that_could_not_be_written_whole_is_not_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="No space left"):
        write_private(tmp_path / "config.env", "A=1\n")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_only_systemd_may_read_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    given = {"TELEGRAM_TOKEN": "1", "GITHUB_TOKEN": "2"}
    assert read_environment(tmp_path / "config.yaml", given) == given
    with pytest.raises(ConfigError, match="belongs to another account"):
        read_environment(tmp_path / "config.yaml", {})


async def test_a_missing_answer_in_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a\.yaml: telegram_token is missing: Token of the bot"):
        await Collecting(FileOfAnswers("a.yaml", {}), Apis(), print).write(tmp_path / "c.yaml")
    with pytest.raises(ConfigError, match=r"a\.yaml: should hold keys"):
        FileOfAnswers("a.yaml", ["telegram_token"])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"telegram_api": "http://203.0.113.9"}, "telegram_api: should begin with https://"),
        ({"github_api": "api.github.com"}, "github_api: should be an address"),
        ({"addresses": {"docker.io": "cache"}}, "addresses.docker.io: should be an address"),
        ({"addresses": ["docker.io"]}, "addresses: should be registries with an address each"),
    ],
)
def test_an_address_is_checked_before_a_token_goes_there(given: object, told: str) -> None:
    with pytest.raises(ConfigError, match=f"a.yaml: {told}"):
        apis_of(given, "a.yaml")


def test_secrets_of_a_file_that_others_may_read_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    assert read_environment(path, {"A": "1"}) == {"A": "1"}
    beside(path).write_text("# mine\nA=file\nHARBOR_USER=robot$mirror\nno pair\n")
    beside(path).chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_environment(path, {})
    beside(path).chmod(0o600)
    assert read_environment(path, {"A": "1"}) == {"A": "1", "HARBOR_USER": "robot$mirror"}
