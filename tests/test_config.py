"""The settings: strict, complete, and each mistake in a line that names file, line and key."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from bot.config import (
    Secrets,
    Settings,
    read_secrets,
    read_settings,
    settings_from,
    source_logins,
)
from bot.core.approvals import Approvals
from bot.core.decision import Verdict
from bot.core.errors import ConfigError
from bot.core.ids import ChatId, PersonId
from bot.core.image import ImageRef, Naming
from bot.core.policy import Role, decide
from bot.core.tag_class import TagClass
from bot.dialog.language import Language

EXAMPLE = Path(__file__).parents[1] / "config.example.yaml"


def example() -> dict[str, Any]:
    loaded = yaml.safe_load(EXAMPLE.read_text())
    assert isinstance(loaded, dict)
    return loaded


def keys_of(model: type[BaseModel], path: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        inner = next((a for a in (kind, *getattr(kind, "__args__", ())) if _is_part(a)), None)
        yield f"{path}{name}"
        if inner is not None:
            yield from keys_of(inner, f"{path}{name}.")


def _is_part(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def written(data: Any, path: str = "") -> Iterator[str]:
    if isinstance(data, list):
        for item in data:
            yield from written(item, path)
    free = {"addresses.", "fresh.budgets.", "token_servers.", "look."}
    if isinstance(data, dict) and path not in free:
        for key, value in data.items():
            yield f"{path}{key}"
            yield from written(value, f"{path}{key}.")


def test_the_example_loads_and_names_every_key_there_is() -> None:
    settings = read_settings(EXAMPLE)
    assert set(written(example())) == set(keys_of(Settings))
    assert settings.target_registry().naming is Naming.NESTED
    ana, group = PersonId("telegram:1003"), ChatId("telegram:-1001234567890")
    assert settings.allow_lists().role_of(ana, group) is Role.ADMIN
    assert decide(settings.policy_in_force(), ImageRef.parse("nginx")).verdict is Verdict.APPROVE


def test_the_example_explains_every_key() -> None:
    lines = EXAMPLE.read_text().splitlines()
    for number, line in enumerate(lines):
        if line.startswith("  ") and line.strip()[0].isalpha() and line.startswith("  "):
            indent = len(line) - len(line.lstrip())
            if indent == 2:
                assert lines[number - 1].strip().startswith("#") or number > 60, line


def wrong(path: str, value: Any) -> str:
    data = example()
    *parents, last = path.split(".")
    part: Any = data
    for parent in parents:
        part = part[int(parent)] if parent.isdigit() else part[parent]
    part[last] = value
    with pytest.raises(ConfigError) as caught:
        settings_from(data, "config.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("telegram.chats", [], "telegram.chats: "),
        (
            "telegram.chats",
            ["-100"],
            "telegram.chats.0: should be a number without quotation marks: -100",
        ),
        ("telegram.chats", ["github:5"], "telegram.chats.0: should be a number"),
        ("telegram.chats", [True], "telegram.chats.0: should be a number"),
        ("telegram.chats", [2**63], "telegram.chats.0: should be a number"),
        ("telegram.admins", [-1003], "telegram.admins.0: should be the id of a person"),
        ("telegram.admins", ["telegram:1087968824"], "telegram.admins.0: is Telegram's anonymous"),
        ("telegram.admins", [1087968824], "telegram.admins.0: is Telegram's anonymous admin"),
        ("telegram.timezone", "Asia/Beijing", "telegram.timezone: should be a time zone"),
        ("telegram.timezone", "../etc/passwd", "telegram.timezone: should be a time zone"),
        ("telegram.timezone", "", "telegram.timezone: should be a time zone"),
        ("telegram.quiet", "22:00", "telegram.quiet: should be two times of the day"),
        ("telegram.quiet", "08:00-08:00", "telegram.quiet: should be two times of the day"),
        ("telegram.admin", [1], "telegram.admin: is no key. Did you mean admins?"),
        ("github.repository", "mirror", "github.repository: "),
        ("github.patience", "90", "github.patience: "),
        ("target.host", "https://harbor.example.com", "target.host: should be a host"),
        ("target.prefix", "/Mirror", "target.prefix: should be empty or a lower-case path"),
        ("target.naming", "deep", "target.naming: "),
        ("policy.rules.0.then", "allow", "policy.rules.0.then: "),
        ("policy.rules.1.reason", "", "policy.rules.1: a rule that denies needs a reason"),
        ("policy.limits.images", 0, "policy.limits.images: "),
        ("addresses", {"docker.io": "cache.example.com"}, "addresses.docker.io: should be an"),
        ("addresses", {"docker.io": "https://a:b@c"}, "should not hold a login"),
        ("telegram", None, "fresh.alarms: "),
        ("fresh.floating", ["*-slim;"], "fresh.floating.0: "),
        ("fresh.floating", 6, "fresh: hours belong to `every` alone"),
        ("fresh.versions", "weekly", "fresh.versions: belongs to the section fresh.every"),
        ("fresh.every.versions", 0, "fresh.every.versions: "),
        ("fresh.looks", 0, "fresh.looks: "),
        ("fresh.budgets", {"docker.io": 0}, "fresh.budgets.docker.io: "),
        ("fresh.budgets", {"https://docker.io": 5}, "should be a host"),
        ("fresh.alarms", -1002, "fresh.alarms: should be one of telegram.chats"),
        ("fresh.every", 6, "fresh.every: "),
        ("fresh", 6, "fresh: "),
        ("policy.rules.0.verify", {}, "policy.rules.0.verify: needs either a key, or an identity"),
        ("policy.rules.0.verify", {"identity": "a"}, "verify: needs an identity and its issuer"),
        (
            "policy.rules.0.verify",
            {"key": "/no/file", "issuer": "b"},
            "policy.rules.0.verify.key: /no/file cannot be read (FileNotFoundError)",
        ),
        ("policy.rules.3.verify.key", "-----BEGIN", "key: should be a public key in PEM (ECDSA"),
        (
            "policy.rules.1.verify",
            {"identity": "a", "issuer": "b"},
            "policy.rules.1: verify belongs to a rule that approves or asks",
        ),
        ("policy.rules.0.wait", "3 days", "wait: should be a number of minutes, hours or days"),
        ("policy.rules.0.wait", "91d", "policy.rules.0.wait: should be 90 days at most"),
        (
            "policy.rules.1.wait",
            "3d",
            "policy.rules.1: wait belongs to a rule that approves or asks",
        ),
        ("policy.rules.0.approvals", 2, "policy.rules.0: approvals, own and by belong to a rule"),
        ("policy.rules.1.own", True, "policy.rules.1: approvals, own and by belong to a rule"),
        ("policy.rules.2.by", [], "policy.rules.2.by: "),
        ("policy.rules.2.by", [1001], "policy.rules.2.by: telegram:1001 is not an admin"),
        ("policy.rules.2.approvals", 3, "policy.rules.2: needs 3 approvals, and nobody can give"),
        ("policy.limits.watches", 0, "policy.limits.watches: "),
        *(
            ("http", value, "http: should be an address and a port, such as 127.0.0.1:9464")
            for value in ("9464", "localhost:9464", "127.0.0.1:0", "127.0.0.1:70000", "::1:9464")
        ),
    ],
)
def test_a_wrong_setting_is_named_with_its_file_in_one_line(
    path: str, value: Any, words: str
) -> None:
    text = wrong(path, value)
    assert text.startswith("config.yaml: ")
    assert words in text
    assert "\n" not in text


def test_without_a_section_fresh_nothing_is_kept_fresh() -> None:
    data = example()
    del data["fresh"]
    settings = settings_from(data, "config.yaml")
    assert settings.fresh_plan() is None


def test_a_section_fresh_without_a_key_has_the_defaults() -> None:
    settings = settings_from(example() | {"fresh": {}}, "config.yaml")
    plan = settings.fresh_plan()
    assert plan is not None
    hours = {kind: each.total_seconds() / 3600 for kind, each in plan.intervals.items()}
    assert hours == {TagClass.FLOATING: 6, TagClass.VERSION: 168}
    assert (plan.looks, plan.budgets, plan.alarms) == (600, {}, "telegram:-1001234567890")


@pytest.mark.parametrize(
    ("value", "address"),
    [("", None), ("127.0.0.1:9464", ("127.0.0.1", 9464)), ("[::1]:65535", ("::1", 65535))],
)
def test_the_pages_for_probes_have_an_address_or_none(
    value: str, address: tuple[str, int] | None
) -> None:
    assert settings_from(example() | {"http": value}, "x").http_address() == address


def test_ids_may_be_written_with_their_service() -> None:
    data = example()
    plain = settings_from(data, "config.yaml").allow_lists()
    telegram = data["telegram"]
    for key in ("chats", "admins", "members"):
        telegram[key] = [f"telegram:{number}" for number in telegram[key]]
    assert settings_from(data, "config.yaml").allow_lists() == plain


def test_alarms_may_go_to_an_admin_alone() -> None:
    plan = settings_from(example() | {"fresh": {"alarms": 1003}}, "config.yaml").fresh_plan()
    assert plan is not None
    assert plan.alarms == "telegram:1003"


def test_all_mistakes_are_told_at_once() -> None:
    data = example()
    data["telegram"]["chats"] = data["telegram"]["admins"] = []
    with pytest.raises(ConfigError) as caught:
        settings_from(data, "config.yaml")
    words = "should name at least one"
    assert str(caught.value).splitlines() == [
        f"config.yaml: telegram.chats: {words}",
        f"config.yaml: telegram.admins: {words}",
    ]


MISTAKEN = """\
telegram:
  chats: [1001234567890, "@group"]
  admin: [1003]
  admins: ["@ana", 1087968824]
github:
  repository: https://github.com/example/mirror.git
timezone: UTC
target:
  host: https://harbor.example.com/
  host: harbor.example.com
policy:
  registries: [docker.io]
  rules:
    - {image: nginx, then: allow}
cache: 5
"""
TOLD = """\
:2: telegram.chats.0: is the id of a group without its minus: write -1001234567890
:2: telegram.chats.1: should be a number, since a name can be taken by somebody else: \
send /whoami there
:3: telegram.admin: is no key. Did you mean admins?
:4: telegram.admins.0: should be a number, since a name can be taken by somebody else: \
send /whoami there
:4: telegram.admins.1: is Telegram's anonymous admin: anybody could be behind it
:6: github.repository: should be a name and no address: write example/mirror
:7: timezone: belongs to the section telegram
:10: target.host: stands twice in its section: remove one
:14: policy.rules.0.then: should be 'approve', 'ask' or 'deny'
:14: policy.rules.0.image: is no key. Did you mean images?
:15: cache: is no key of the config, which has telegram, github, target, policy, approvals, \
people, fresh, maintainer, addresses, token_servers, look, ca_bundle, database, \
retention_days, http, statements
"""


def test_each_mistake_in_a_file_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(MISTAKEN)
    with pytest.raises(ConfigError) as caught:
        read_settings(path)
    assert str(caught.value).replace(str(path), "") + "\n" == TOLD


def test_a_key_that_stands_twice_is_the_only_mistake_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"{EXAMPLE.read_text()}database: other.sqlite3\n")
    with pytest.raises(ConfigError, match=r"database: stands twice"):
        read_settings(path)


def test_many_mistakes_are_counted() -> None:
    with pytest.raises(ConfigError) as caught:
        settings_from(example() | {f"key{n}": n for n in range(30)}, "config.yaml")
    assert str(caught.value).splitlines()[-1] == "config.yaml: 10 more mistakes"


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("git@github.com:example/mirror.git", "example/mirror"),
        ("github.com/example/mirror", "example/mirror"),
        ("https://github.com/example/mirror/", "example/mirror"),
        ("https://github.com/example/mirror?tab=readme", "example/mirror"),
        ("example", "owner/name"),
        ("example/mirror.git", "example/mirror"),
    ],
)
def test_an_address_of_the_repository_is_answered_with_its_name(value: str, meant: str) -> None:
    assert meant in wrong("github.repository", value)


BOMB = b"a0: &a0 " + b"x" * 99 + b"\n"
BOMB += b"".join(
    b"a%d: &a%d [%s]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 20)
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a: [", "is not valid YAML"),
        (b"- 1", "should hold keys"),
        (b"", "should hold keys"),
        (b"\xff\xfe\x00", "is not valid YAML"),
        (b"x" * ((1 << 20) + 1), "is larger than"),
        (b"!!python/object/apply:os.system ['true']", "is not valid YAML"),
        (b"a: 2026-13-45", "is not valid YAML: month must be"),
        (b"a: !!int ''", "is not valid YAML"),
        (b"a: !!bool x", "is not valid YAML"),
        (b"a: !!timestamp x", "is not valid YAML"),
        (b"a: " + b"9" * 5000, "is not valid YAML"),
        (b"[" * 5000, "is not valid YAML"),
        (b"a: &a [*a]", "cannot be read: Circular"),
        (b"2026-11-25: x", "cannot be read: keys must be"),
        (b'"a\\nb": x', "github: is missing"),
        (b"a:\n\tb: 1", r"config\.yaml:2: is not valid YAML: there is a tab"),
        (BOMB, "its aliases stand for"),
    ],
    ids=range(17),
)
def test_a_file_that_is_no_config_is_said_to_be_so(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=words) as caught:
        read_settings(path)
    assert all(line.isprintable() for line in str(caught.value).split("\n"))


def test_a_key_of_two_lines_is_named_in_one(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(EXAMPLE.read_bytes() + b'"a\\nb": x\n')
    with pytest.raises(ConfigError, match="a b: is no key of the config"):
        read_settings(path)


def test_a_missing_file_says_where_to_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Copy config\.example\.yaml"):
        read_settings(tmp_path / "config.yaml")


TOKENS = {"TELEGRAM_TOKEN": "111:secret", "GITHUB_TOKEN": "ghp_secret"}


@pytest.mark.parametrize("name", sorted(TOKENS))
def test_a_missing_token_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name}: is missing in the environment"):
        read_secrets({**TOKENS, name: " "})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"TELEGRAM_TOKEN": "ghp_secret"}, "TELEGRAM_TOKEN: is a token of GitHub"),
        ({"GITHUB_TOKEN": f"123456789:{'a' * 35}"}, "GITHUB_TOKEN: is a token of Telegram"),
        ({"GITHUB_TOKEN": "'ghp_secret'"}, "GITHUB_TOKEN: has quotation marks"),
        ({"HARBOR_USER": "robot$x"}, "HARBOR_PWD: is missing"),
        ({"HARBOR_PWD": "hush"}, "HARBOR_USER: is missing"),
        ({"GITHUB_APP_ID": "12345"}, "GITHUB_TOKEN: is there, and GITHUB_APP_ID too"),
        ({"GITHUB_TOKEN": "", "GITHUB_APP_ID": "12345"}, "GITHUB_APP_KEY: is missing"),
        ({"GITHUB_APP_KEY": "/no/such.pem"}, "GITHUB_APP_ID: is missing"),
        (
            {"GITHUB_TOKEN": "", "GITHUB_APP_ID": "1 2", "GITHUB_APP_KEY": "/no/such.pem"},
            "GITHUB_APP_ID: should be",
        ),
        (
            {"GITHUB_TOKEN": "", "GITHUB_APP_ID": "12345", "GITHUB_APP_KEY": "/no/such.pem"},
            "GITHUB_APP_KEY: the file cannot be read",
        ),
        (
            {"GITHUB_TOKEN": "", "GITHUB_APP_ID": "12345", "GITHUB_APP_KEY": "-----BEGIN X"},
            "GITHUB_APP_KEY: is no private key",
        ),
    ],
)
def test_a_secret_in_the_wrong_place_is_told_without_quoting_it(
    given: dict[str, str], words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_secrets({**TOKENS, **given})
    assert str(caught.value).startswith(words)
    assert not any(value in str(caught.value) for value in given.values() if value)


def test_secrets_are_hidden_and_known_to_the_log() -> None:
    secrets = read_secrets({**TOKENS, "HARBOR_USER": "robot$x", "HARBOR_PWD": "hush\n"})
    assert "secret" not in repr(secrets)
    assert "hush" not in str(secrets)
    assert secrets.target_login() == ("robot$x", "hush")
    assert {"111:secret", "ghp_secret", "hush"} < set(secrets.texts())
    assert read_secrets(TOKENS).target_login() is None


def logins(text: str) -> dict[str, tuple[str, str]]:
    return source_logins(read_secrets({**TOKENS, "SOURCE_AUTH": text}))


def test_source_logins_are_read_from_docker_auth() -> None:
    auth = {"auth": "d2VpOmE6Yg=="}
    text = json.dumps({"auths": {"https://index.docker.io/v1/": auth, "ghcr.io": auth}})
    assert logins(text) == {"docker.io": ("wei", "a:b"), "ghcr.io": ("wei", "a:b")}
    assert source_logins(Secrets.model_validate({"telegram_token": "a", "github_token": "b"})) == {}


def test_each_team_of_a_registry_has_its_own_login() -> None:
    auths = {
        "GHCR.io/team-a": {"auth": "d2VpOmE="},
        "ghcr.io/team-b/": {"auth": "bGk6Yg=="},
        "https://quay.io/v2/": {"auth": "YW5hOmM="},
        "registry-1.docker.io/example": {"auth": "YW5hOmQ="},
    }
    assert logins(json.dumps({"auths": auths})) == {
        "ghcr.io/team-a": ("wei", "a"),
        "ghcr.io/team-b": ("li", "b"),
        "quay.io": ("ana", "c"),
        "docker.io/example": ("ana", "d"),
    }


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("people", [["telegram:1003"]], "people.0: "),
        ("people", [["telegram:1003", "ana"]], "people.0.1: should be an id with its service"),
        ("people", [["telegram:1003", "github:-2"]], "people.0.1: should be the id of a person"),
        ("people", [["telegram:1003", "github:2"], ["github:2", "github:3"]], "github:2 stands tw"),
        ("approvals", ["lines:-41"], "approvals.0: should be a group of a configured service"),
        ("approvals", ["telegram:1003"], "approvals.0: should be a group"),
    ],
)
def test_people_and_approvals_name_ids_of_services(key: str, value: object, words: str) -> None:
    data = example()
    with pytest.raises(ConfigError, match=words):
        settings_from(data | {key: value}, "config.yaml")
    good = {"people": [["telegram:1003", "github:2"]], "approvals": data["telegram"]["chats"]}
    good["approvals"] = [f"telegram:{number}" for number in good["approvals"]]
    settings = settings_from(data | good, "config.yaml")
    assert settings.policy_in_force().people.first("github:2") == "telegram:1003"  # type: ignore[arg-type]


@pytest.mark.parametrize("part", ["telegram", "github"])
@pytest.mark.parametrize("address", ["http://api.example.com", "http://10.0.0.1", "http://127.1"])
def test_no_token_is_sent_over_a_plain_connection_to_another_machine(
    part: str, address: str
) -> None:
    assert f"{part}.api: should begin with https://" in wrong(f"{part}.api", address)


@pytest.mark.parametrize("address", ["http://127.0.0.1:8081", "http://localhost", "http://[::1]:1"])
def test_a_server_on_this_machine_may_speak_plain_http(address: str) -> None:
    given = example()
    given["telegram"]["api"] = address
    assert settings_from(given, "config.yaml").telegram.api == address


@pytest.mark.parametrize("text", ["{x", "[]", "[" * 5000])
def test_a_bad_source_auth_is_named_without_being_quoted(text: str) -> None:
    with pytest.raises(ConfigError, match="SOURCE_AUTH: should be JSON like") as caught:
        logins(text)
    assert text not in str(caught.value)


def test_intervals_of_a_config_from_before_go_on_working() -> None:
    data = example()
    del data["fresh"]["every"]
    data["fresh"] |= {"floating": 3, "versions": 24.5}
    plan = settings_from(data, "config.yaml").fresh_plan()
    assert plan is not None
    hours = {kind: each.total_seconds() / 3600 for kind, each in plan.intervals.items()}
    assert hours == {TagClass.FLOATING: 3, TagClass.VERSION: 24.5}
    assert plan.floating == ()


def test_what_is_overwritten_is_kept_only_where_the_config_says_so() -> None:
    data = example()
    assert settings_from(data, "config.yaml").policy_in_force().keeps_previous
    del data["fresh"]["keep"]
    assert not settings_from(data, "config.yaml").policy_in_force().keeps_previous
    del data["fresh"]
    assert not settings_from(data, "config.yaml").policy_in_force().keeps_previous


def test_names_of_registries_and_rules_are_completed_as_references_are() -> None:
    data = example()
    data["policy"]["registries"] = ["Index.docker.io", "GHCR.io"]
    data["policy"]["rules"] = [{"images": "nginx", "then": "approve"}]
    data["addresses"] = {"Registry-1.docker.io": "https://cache.example.com"}
    data["fresh"]["budgets"] = {"index.docker.io": 5}
    settings = settings_from(data, "config.yaml")
    assert settings.policy_in_force().registries == {"docker.io", "ghcr.io"}
    assert decide(settings.policy_in_force(), ImageRef.parse("nginx")).verdict is Verdict.APPROVE
    assert settings.addresses == {"docker.io": "https://cache.example.com"}
    plan = settings.fresh_plan()
    assert plan is not None
    assert plan.budgets == {"docker.io": 5}
    assert settings.policy.warnings() == []


def test_a_rule_that_matches_nothing_is_a_warning_and_denies_what_was_meant() -> None:
    data = example()
    data["policy"]["rules"] = [{"images": "https://nginx", "then": "deny", "reason": "no"}]
    settings = settings_from(data, "config.yaml")
    (line,) = settings.policy.warnings()
    assert line.startswith("policy.rules.0.images: https://nginx matches nothing: write docker.io/")
    assert decide(settings.policy_in_force(), ImageRef.parse("nginx")).verdict is Verdict.DENY


@pytest.mark.parametrize(("admins", "own"), [([1003], True), ([1003, 1004], False)])
def test_where_there_are_two_admins_nobody_approves_alone_what_they_asked_for(
    admins: list[int], *, own: bool
) -> None:
    data = example()
    data["telegram"]["admins"], data["github"]["issues"] = admins, None
    data["policy"]["rules"] = [{"images": "nginx", "then": "ask"}]
    rules = settings_from(data, "config.yaml").policy_in_force()
    for name in ("nginx", "redis"):
        assert decide(rules, ImageRef.parse(name)).needs.own is own


def test_accounts_of_github_are_numbers_and_admins_like_the_others() -> None:
    data = example()
    settings = settings_from(data, "config.yaml")
    lists = settings.issue_lists()
    ana, issue = PersonId("github:583231"), ChatId("github:-7")
    assert ana in settings.allow_lists().admins
    assert lists.role_of(ana, issue) is Role.ADMIN
    assert lists.role_of(PersonId("github:7"), issue) is Role.MEMBER
    assert lists.role_of(ana, ChatId("telegram:-1")) is Role.OUTSIDE
    assert list(lists.chats) == []
    assert len(lists.chats) == 0
    for login in ("ana", "@ana", "https://github.com/ana"):
        data["github"]["issues"] = {"admins": [login]}
        with pytest.raises(
            ConfigError, match=r"a login can change hands: .*/users/ana has it as id"
        ):
            settings_from(data, "config.yaml")
    for wrong in ("telegram:1003", -5, 0, "a b"):
        data["github"]["issues"] = {"admins": [wrong]}
        with pytest.raises(
            ConfigError, match=r"issues\.admins\.0: should be the number of an account"
        ):
            settings_from(data, "config.yaml")
    data["github"]["issues"] = {}
    del data["telegram"], data["fresh"]
    data["policy"]["rules"] = []
    alone = settings_from(data, "config.yaml")
    assert (alone.chats, alone.language) == ((), Language.EN)
    data["github"]["issues"] = None
    with pytest.raises(ConfigError, match=r"telegram: is missing, and github\.issues too"):
        settings_from(data, "config.yaml")


def test_a_rule_says_who_approves_and_how_many() -> None:
    rules = settings_from(example(), "config.yaml").policy_in_force()
    needs = decide(rules, ImageRef.parse("gcr.io/a/b")).needs
    assert needs == Approvals(count=2, own=False, by=frozenset(example_ids(1003, 1004)))


def test_a_rule_for_own_requests_alone_is_refused_where_only_admins_ask() -> None:
    data = example()
    data["telegram"] |= {"admins": [1003, 1004], "members": []}
    data["github"]["issues"] = None
    rule = {"images": "**", "then": "ask", "approvals": 2, "own": False}
    data["policy"]["rules"] = [rule]
    with pytest.raises(ConfigError, match=r"policy\.rules\.0: needs 2 approvals"):
        settings_from(data, "config.yaml")
    data["policy"]["rules"] = [rule | {"own": True}]
    settings_from(data, "config.yaml")


def example_ids(*numbers: int) -> list[PersonId]:
    return [PersonId(f"telegram:{number}") for number in numbers]


@pytest.mark.parametrize("wait", ["0d", "90d", "12h", "90m"])
def test_a_config_that_is_written_is_read_again(wait: str) -> None:
    data = yaml.safe_load(EXAMPLE.read_text())
    data["policy"]["rules"] = [{"images": "docker.io/**", "then": "ask", "wait": wait}]
    settings = settings_from(data, "config.yaml")
    assert settings_from(json.loads(settings.model_dump_json()), "config.yaml") == settings
