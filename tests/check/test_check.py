"""`imageto-bot check`: what is well, and the mistakes of a first day, of which none is."""

import json
import os
import re
from pathlib import Path

import certifi
import pytest
from check_world import LOGIN, TOKEN, World, changed, open_world
from mistakes import CONFIG, ENVIRONMENT, MISTAKES, SLIPS, SWAPPED, Mistake, Slip
from setup_fixture import KEY

from bot.adapters.network import Network
from bot.check import everything
from bot.check.machine import machine
from bot.config import read_secrets, read_settings
from bot.config_policy import RuleSection
from bot.core.decision import Verdict
from bot.core.errors import ConfigError
from bot.core.look import LookBy
from bot.core.statement import StatementForm
from bot.sandbox.github.app_api import APP
from bot.statement_key import file_beside, make_key, required_key

PAGE = Path(__file__).parents[2] / "docs" / "first-day.md"
HEAD = """\
# The first day

`imageto-bot init` asks eight things, each proved at once, and waits for a code in the group. To try
it without an account, `imageto-bot sandbox --bare --data DIR` runs services with nothing set up.
`imageto-bot init --answers DIR/answers.yaml` uses them. `tests/end_to_end/test_e2e_first_day.py`
does that up to the first pulled image. It took 40 s on two busy cores, most of it the start of the
sandbox. The person sends one message and presses one button. On a machine of your own add
`pip install .`.

Below are the mistakes, with what is said of each. A test plays them all and compares this page.
After an intended change, `UPDATE_SCREENS=1 pytest tests/check` writes it anew.

## In the config and in the environment

These are told at once by every command, each with its line, before anything is asked.

| what went wrong | what is said |
| --- | --- |
{slips}
## Elsewhere

`imageto-bot check` says these. One that is a warning works today.

| what went wrong | what `check` says |
| --- | --- |
{mistakes}"""


async def test_the_key_of_statements_is_named_or_said_to_be_open_to_others(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        states = changed(world.settings, "statements", StatementForm.ATT)
        database = Path(states.database)
        make_key(database)
        name = required_key("", database).name
        assert f"statements: ok: key {name}, rules " in "\n".join(await world.check(states))
        file_beside(database).chmod(0o644)
        [line] = [each for each in await world.check(states) if each.startswith("statements: ")]
        assert line.startswith("statements: FAILED: ")
        assert "others can read it. Run chmod 600" in line


async def test_where_everything_is_well_every_line_says_so(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        said = await world.check(world.settings)
        assert [line for line in said if ": ok: " not in line] == []
        as_json: list[str] = []
        assert await everything(world.settings, world.secrets, as_json.append, as_json=True)
        found = json.loads("".join(as_json))
        assert found["ok"]
        # The texts hold what changes by itself, such as the free disk.
        names = [f"{each['name']}: {each['outcome']}: " for each in found["checks"]]
        assert [line[: len(name)] for line, name in zip(said, names, strict=True)] == names


async def test_a_demanded_signature_is_named(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        rule = RuleSection.model_validate(
            {"images": "**", "then": Verdict.APPROVE, "verify": {"identity": "a", "issuer": "b"}}
        )
        policy = world.settings.policy.model_copy(update={"rules": (rule,)})
        said = await world.check(world.settings.model_copy(update={"policy": policy}))
    assert "policy.rules.0.verify: ok: images have to be signed by a (b)" in said


async def test_who_looks_at_a_source_is_told_and_a_run_is_not_asked_twice(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        nowhere = changed(world.settings, "addresses.docker.io", "http://127.0.0.1:9")
        said = await world.check(changed(nowhere, "look", {"docker.*": LookBy.RUN}))
    words = "GitHub looks at its images, the bot does not connect"
    assert f"registry docker.io: ok: {words}" in said


async def test_of_an_app_github_tells_what_it_may(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        login = {"GITHUB_TOKEN": "", "GITHUB_APP_ID": APP, "GITHUB_APP_KEY": world.app.pem()}
        world.secrets = read_secrets(
            {"TELEGRAM_TOKEN": TOKEN, **LOGIN, "DECISION_KEY": KEY, **login}
        )
        said = await world.check(world.settings)
        assert [line for line in said if ": ok: " not in line] == []
        assert "token: ok: of a GitHub App, renewed each hour" in said
        world.app.permissions |= {"contents": "read", "statuses": "write"}
        del world.app.permissions["actions"]
        said = await world.check(world.settings)
        write, start = "right to write", "right to start"
        accept = "write in its settings, and accept it where it is installed"
        assert [line for line in said if line.startswith("right to ")] == [
            f"{write} contents: FAILED: the App has read access; give the App Contents: {accept}",
            f"{start} runs: FAILED: the App has no access; give the App Actions: {accept}",
            "right to read statuses: ok: the App has it",
        ]


async def test_who_is_reached_by_which_proxy_and_whom_is_trusted_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = read_settings(PAGE.parents[1] / "config.example.yaml")
    settings = changed(changed(settings, "addresses", {}), "ca_bundle", "/etc/own.pem")
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    proxies = {
        "HTTPS_PROXY": "socks5h://wei:hush@proxy.test",
        "no_proxy": f".ghcr.io,quay.io:443,api.github.com,{settings.target.host}",
    }
    direct = f"GitHub, ghcr.io, quay.io, {settings.target.host} directly"
    by = "socks5h://proxy.test:1080 (HTTPS_PROXY)"
    said = [str(line) async for line in machine(settings, Network(proxies))]
    assert said[:2] == [
        f"proxies: ok: Telegram, docker.io, gcr.io, registry.k8s.io by {by}. {direct}",
        f"certificates: ok: of SSL_CERT_FILE={certifi.where()} and of /etc/own.pem",
    ]
    settings = changed(settings, "ca_bundle", "")
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    said = [str(line) async for line in machine(settings, Network({}))]
    assert said[:2] == ["proxies: ok: none is used", "certificates: ok: of the public authorities"]


async def test_each_mistake_of_a_first_day_is_named_with_what_to_do(tmp_path: Path) -> None:
    wrong, rows = list[str](), list[str]()
    async with open_world(tmp_path) as world:
        for mistake in MISTAKES:
            said, host = await played(world, mistake), world.settings.target.host
            line = mistake.line.replace("HOST", host)
            found = next((each for each in said if each.startswith(line)), "")
            if not found:
                name = line.partition(": ")[0]
                wrong += [mistake.what, line, *(each for each in said if each.startswith(name))]
            rows.append(row(mistake.what, found.replace(host, "harbor.example.com")))
    assert not wrong, "\n".join(wrong)
    slips = [row(slip.what, slip.line) for slip in SLIPS] + [row(w, line) for w, _, line in SWAPPED]
    text = HEAD.format(slips="".join(slips), mistakes="".join(rows))
    if os.environ.get("UPDATE_SCREENS"):
        PAGE.write_text(text, "utf-8")
    assert PAGE.read_text("utf-8") == text


def test_the_page_has_the_mistakes_that_were_promised() -> None:
    assert len(MISTAKES) + len(SLIPS) + len(SWAPPED) >= 60
    well = [mistake.what for mistake in MISTAKES if ": ok: " in mistake.line]
    assert well == [
        "the bot is a member and its privacy mode is on",
        "a ruleset demands pull requests, and the token may bypass it",
    ]


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.what)
def test_a_slip_in_the_config_is_told_with_what_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slip: Slip
) -> None:
    monkeypatch.chdir(tmp_path)
    assert slip.instead in CONFIG
    Path("config.yaml").write_text(CONFIG.replace(slip.instead, slip.written))
    with pytest.raises(ConfigError) as caught:
        read_settings(Path("config.yaml"))
    assert str(caught.value) == slip.line


@pytest.mark.parametrize(("given", "line"), [row[1:] for row in SWAPPED])
def test_a_slip_in_the_environment_is_told_with_what_to_write(
    given: dict[str, str], line: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_secrets({**ENVIRONMENT, **given})
    assert str(caught.value) == line


async def played(world: World, mistake: Mistake) -> list[str]:
    settings = world.settings
    for path, value in mistake.changed.items():
        settings = changed(settings, path, value)
    return await world.check(settings, *mistake.told)


def row(what: str, line: str) -> str:
    """What depends on the time of the test is written as on the day when the page was made."""
    shown = re.sub(r"\d{4}-\d{2}-\d{2}", "2026-12-30", line)
    shown = re.sub(r"\d+ minutes", "9 minutes", shown).replace("|", r"\|")
    return f"| {what} | {shown} |\n"
