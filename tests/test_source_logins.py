"""The logins of sources in all the forms that Docker writes, as bot and workflow read them."""

import base64
import json

import pytest

from bot.core.errors import ConfigError
from bot.source_logins import SourceLogin, read_logins
from bot.workflow.mirror import source_logins as of_the_run


def packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


WEI = {"auth": packed("wei:a:b")}
ENTRIES: list[tuple[object, SourceLogin | None]] = [
    (WEI, ("wei", "a:b")),
    ({"username": "wei", "password": "a:b"}, ("wei", "a:b")),
    ({"auth": packed("wei:a:b"), "email": "wei@example.com"}, ("wei", "a:b")),
    ({"auth": packed("0000:"), "identitytoken": "eyJ"}, ("0000", "", "eyJ")),
    ({"identitytoken": "eyJ"}, ("", "", "eyJ")),
    ({"auth": packed("wei:a:b"), "identitytoken": None}, ("wei", "a:b")),
    ({"username": None, "password": None}, None),
    ({}, None),
    ({"auth": ""}, None),
]
WRONG: list[object] = [
    {"auth": "?"},
    {"auth": packed("no colon")},
    {"auth": packed("wei:")},
    {"auth": 5},
    {"username": "wei"},
    {"password": "a"},
    "wei:a",
    None,
    5,
]
KEYS = {
    "https://index.docker.io/v1/": "docker.io",
    "index.docker.io": "docker.io",
    "docker.io/": "docker.io",
    "registry-1.docker.io/example": "docker.io/example",
    "https://quay.io/v2/": "quay.io",
    "GHCR.io/team-a": "ghcr.io/team-a",
    "https://ghcr.io/team": "ghcr.io/team",
    "ghcr.io/team-b/": "ghcr.io/team-b",
    "localhost:5000": "localhost:5000",
    "http://registry.example.com:5000": "registry.example.com:5000",
}


def bot_reads(auths: dict[str, object]) -> tuple[dict[str, SourceLogin], tuple[str, ...]]:
    return read_logins(json.dumps({"auths": auths}))


@pytest.mark.parametrize(("entry", "login"), ENTRIES)
def test_an_entry_is_read_as_docker_writes_it(entry: object, login: SourceLogin | None) -> None:
    assert bot_reads({"ghcr.io": entry}) == ({"ghcr.io": login} if login else {}, ())
    found, wrong = of_the_run.read_logins({"ghcr.io": entry})
    assert (list(found), wrong) == (["ghcr.io"] if login else [], [])
    if login:
        user, password, *token = login
        basic = packed(f"{user}:{password}") if password else ""
        assert found["ghcr.io"] == of_the_run.Login(basic, *token)


@pytest.mark.parametrize("entry", WRONG)
def test_a_wrong_entry_is_named_and_costs_only_its_registry(entry: object) -> None:
    auths = {"ghcr.io": entry, "quay.io": WEI}
    assert bot_reads(auths) == ({"quay.io": ("wei", "a:b")}, ("ghcr.io",))
    found, wrong = of_the_run.read_logins(auths)
    assert (list(found), wrong) == (["quay.io"], ["ghcr.io"])


@pytest.mark.parametrize(("key", "name"), KEYS.items())
def test_a_key_is_read_in_all_of_dockers_spellings(key: str, name: str) -> None:
    assert list(bot_reads({key: WEI})[0]) == [name]
    assert list(of_the_run.read_logins({key: WEI})[0]) == [name]


@pytest.mark.parametrize("text", ["{x", "[]", "55", '{"auths": 5}', '{"auths": [1]}', "[" * 5000])
def test_what_is_no_docker_config_is_refused_as_a_whole(text: str) -> None:
    with pytest.raises(ConfigError, match="SOURCE_AUTH: should be JSON like") as caught:
        read_logins(text)
    assert text not in str(caught.value)
