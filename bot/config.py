"""The settings: public ones from a YAML file, secrets from environment variables.

Strict: keys that are unknown, missing or of a wrong type raise one ConfigError. It has a line for
each, with the file and the key. This module must not connect to anything: check tests the values.
"""

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import time
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote, quote_plus
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from bot.adapters.github.issues import GITHUB
from bot.adapters.telegram import TELEGRAM
from bot.config_file import FILE_LIMIT, UNREADABLE, Document, mistakes, one_line, read_document
from bot.config_policy import FreshSection, PolicySection
from bot.config_types import (
    Account,
    AnyChat,
    Chat,
    Host,
    Humans,
    Listening,
    Person,
    Prefix,
    Quiet,
    Registry,
    RegistryPattern,
    Repository,
    Section,
    Service,
    Url,
    Zone,
)
from bot.core.errors import ConfigError
from bot.core.fresh import FreshPlan
from bot.core.ids import ChatId, PersonId, is_private, person_id, service_of
from bot.core.image import Naming, Target
from bot.core.look import LookBy
from bot.core.people import People
from bot.core.policy import AllChats, AllowLists, Policy
from bot.core.quiet_hours import QuietHours
from bot.core.statement import StatementForm
from bot.dialog.language import Language
from bot.github_app_key import read_app_key
from bot.source_logins import SourceLogin, read_logins


class ServiceSection(Section):
    """What every service where people talk has. `chats`: those that are served."""

    chats: tuple[Chat, ...]
    admins: tuple[Person, ...] = Field(min_length=1)
    members: tuple[Person, ...] | None = None
    language: Language = Language.EN
    timezone: Zone = "UTC"
    quiet: Quiet = ""


class TelegramSection(ServiceSection):
    chats: tuple[Chat, ...] = Field(min_length=1)
    api: Service = "https://api.telegram.org"


class IssuesSection(Section):
    """Issues of the mirror repository, as one more service. All of them are served."""

    admins: tuple[Account, ...] = ()
    anybody: bool = False
    language: Language = Language.EN

    @property
    def chats(self) -> tuple[ChatId, ...]:
        return ()

    @property
    def members(self) -> None:
        """Everybody whom GitHub gave a role."""


class GitHubSection(Section):
    repository: Repository
    branch: str = Field(default="main", pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")
    list: str = Field(default="image.list", pattern=r"^[A-Za-z0-9._/-]+$")
    workflow: str = Field(default="mirror.yml", pattern=r"^[A-Za-z0-9._-]+\.ya?ml$")
    runner: str = Field(default="", pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*)?$")
    api: Service = "https://api.github.com"
    patience: int = Field(default=90, ge=1, le=3600)
    issues: IssuesSection | None = None


class TargetSection(Section):
    host: Host
    prefix: Prefix = ""
    naming: Naming = Naming.NESTED
    referrers: bool = True
    scan: bool = True


class MaintainerSection(Section):
    name: str = Field(min_length=1, max_length=64)
    id: Annotated[int, Field(ge=0)] = 0

    @property
    def person(self) -> PersonId | None:
        return person_id(TELEGRAM, self.id) if self.id else None


class Settings(Section):
    """The whole file. Its methods return values of core."""

    telegram: TelegramSection | None = None
    github: GitHubSection
    target: TargetSection
    policy: PolicySection
    approvals: tuple[AnyChat, ...] = ()
    people: Humans = ()
    fresh: FreshSection | None = None
    maintainer: MaintainerSection | None = None
    addresses: dict[Registry, Url] = {}  # noqa: RUF012 - pydantic copies it
    token_servers: dict[Registry, tuple[Host, ...]] = {}  # noqa: RUF012 - as above
    look: dict[RegistryPattern, LookBy] = {}  # noqa: RUF012 - as above
    ca_bundle: str = ""
    database: str = "imageto-bot.sqlite3"
    retention_days: int = Field(default=365, ge=1, le=36500)
    http: Listening = ""
    statements: StatementForm | None = None

    @model_validator(mode="after")
    def _people_can_talk(self) -> "Settings":
        if not self.services:
            raise ValueError("telegram: is missing, and github.issues too: people need one of them")
        return self

    @model_validator(mode="after")
    def _alarms_have_readers(self) -> "Settings":
        """An alarm has buttons, so the bot must accept presses in the chat that gets it."""
        if self.services and self.fresh and self.fresh.alarms is not None:
            served: set[str] = {*self.chats, *self.admins}
            if self.fresh.alarms not in served:
                raise ValueError("fresh.alarms: should be one of telegram.chats or telegram.admins")
        return self

    @model_validator(mode="after")
    def _decisions_are_made_where_people_are_served(self) -> "Settings":
        for number, chat in enumerate(self.approvals):
            if service_of(chat) not in self.services or is_private(chat):
                raise ValueError(f"approvals.{number}: should be a group of a configured service")
        return self

    @model_validator(mode="after")
    def _rules_can_be_satisfied(self) -> "Settings":
        self.policy.check_approvals(self.admins, self.members, People(self.people))
        return self

    @property
    def services(self) -> dict[str, ServiceSection | IssuesSection]:
        """Where people talk, by name. The first one's language counts where there is no chat."""
        found = {TELEGRAM: self.telegram, GITHUB: self.github.issues}
        return {name: section for name, section in found.items() if section is not None}

    @property
    def chats(self) -> tuple[ChatId, ...]:
        return tuple(chat for service in self.services.values() for chat in service.chats)

    @property
    def admins(self) -> tuple[PersonId, ...]:
        return tuple(admin for service in self.services.values() for admin in service.admins)

    @property
    def members(self) -> tuple[PersonId, ...] | None:
        """Who may ask anywhere. None: everybody in a served chat."""
        each = [service.members for service in self.services.values()]
        if None in each:
            return None
        return tuple(member for members in each if members is not None for member in members)

    @property
    def language(self) -> Language:
        """The language of groups."""
        return next(iter(self.services.values())).language

    @property
    def home(self) -> ChatId:
        """Where the bot speaks by itself: in the first chat, else to the first admin."""
        return next(iter(self.chats), ChatId(next(iter(self.admins), f"{GITHUB}:1")))

    def fresh_plan(self) -> FreshPlan | None:
        """How listed images are kept fresh, or None where the config has no `fresh`."""
        return self.fresh.plan(self.home) if self.fresh else None

    def policy_in_force(self) -> Policy:
        return self.policy.in_force(self.admins, self.fresh, People(self.people))

    def allow_lists(self) -> AllowLists:
        """Who may do what in chats. Those of issues are in `issue_lists`."""
        members = None if self.telegram is None else self.telegram.members
        return AllowLists(
            chats=frozenset(self.chats),
            members=None if members is None else frozenset(members),
            admins=frozenset(self.admins),
        )

    def issue_lists(self) -> AllowLists:
        """Who may do what in issues. GitHub says who has a role there."""
        return AllowLists(chats=AllChats(GITHUB), members=None, admins=frozenset(self.admins))

    def plain_http(self) -> bool:
        """Whether the target has no TLS."""
        return self.addresses.get(self.target.host, "").startswith("http://")

    def target_registry(self) -> Target:
        return Target(self.target.host, self.target.prefix, self.target.naming)

    def quiet_hours(self) -> QuietHours | None:
        """When nobody is called, by the clocks of the time zone. None: never quiet."""
        start, _, end = (self.telegram.quiet if self.telegram else "").partition("-")
        if not end:
            return None
        return QuietHours(time.fromisoformat(start), time.fromisoformat(end), self.zone())

    def http_address(self) -> tuple[str, int] | None:
        """The address and the port of the pages for probes. None: there are none."""
        host, _, port = self.http.rpartition(":")
        return (host.strip("[]"), int(port)) if port else None

    def repository_address(self) -> str:
        """The page of the mirror repository, which statements name as who verified."""
        server = self.github.api.removesuffix("/api/v3").replace("://api.github.", "://github.", 1)
        return f"{server}/{self.github.repository}"

    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.telegram.timezone if self.telegram else "UTC")


class Secrets(BaseModel):
    """The values of environment variables. Secrets are hidden in `repr`."""

    model_config = ConfigDict(frozen=True)

    telegram_token: SecretStr = SecretStr("")
    github_token: SecretStr = SecretStr("")
    github_app_id: str = ""
    github_app_key: SecretStr = SecretStr("")
    """PEM. It stands with `github_app_id`, instead of a token."""
    harbor_user: str = ""
    harbor_pwd: SecretStr = SecretStr("")
    source_auth: SecretStr = SecretStr("")
    decision_key: SecretStr = SecretStr("")
    """64 hexadecimal digits. Empty where neither the environment nor the file has a key."""
    statement_key: SecretStr = SecretStr("")
    """See bot/statement_key.py. Empty where the environment has none."""

    @property
    def key_id(self) -> str:
        """12 hexadecimal digits that name the key without giving it away. Empty without a key."""
        key = bytes.fromhex(self.decision_key.get_secret_value())
        return hashlib.sha256(key).hexdigest()[:12] if key else ""

    def target_login(self) -> tuple[str, str] | None:
        password = self.harbor_pwd.get_secret_value()
        return (self.harbor_user, password) if self.harbor_user and password else None

    def texts(self) -> tuple[str, ...]:
        """Every secret, also as encoded in URLs and in Basic auth headers, for the log to hide."""
        logins = [*source_logins(self).values(), *filter(None, [self.target_login()])]
        login = (self.harbor_pwd, self.source_auth)
        secrets = (self.telegram_token, self.github_token, *login, self.decision_key)
        texts = [secret.get_secret_value() for secret in secrets]
        for key in (self.github_app_key, self.statement_key):
            texts += [line for line in key.get_secret_value().splitlines() if "---" not in line]
        texts += [text for login in logins for text in login[1:]]
        texts += [quoted for text in texts for quoted in (quote(text, ""), quote_plus(text))]
        texts += [base64.b64encode(":".join(each[:2]).encode()).decode() for each in logins]
        return tuple(dict.fromkeys(filter(None, texts)))


def read_settings(path: Path) -> Settings:
    """The settings of a file. Raises ConfigError with one line for each mistake."""
    return _checked(read_document(path))


def settings_from(data: object, name: str) -> Settings:
    """The settings in parsed YAML. `name` is the file's name in a ConfigError, which it raises."""
    return _checked(Document(data, name))


def _checked(document: Document) -> Settings:
    name, data = document.name, document.data
    if not isinstance(data, dict):
        raise ConfigError(f"{name}: should hold keys such as telegram: and github:")
    try:
        # By JSON, where pydantic's strict mode takes lists for tuples and strings for enums.
        settings = Settings.model_validate_json(_json(data, name))
    except ValidationError as error:
        raise ConfigError(mistakes(error, document, Settings)) from error
    except UNREADABLE as error:
        raise ConfigError(one_line(f"{name}: cannot be read: {error}")) from error
    if document.repeated:
        raise ConfigError(mistakes(None, document, Settings))
    return settings


def _json(data: object, name: str) -> str:
    """The data as JSON, with a limit: JSON repeats what YAML holds once and refers to by alias."""
    pieces, size = list[str](), 0
    for piece in json.JSONEncoder(default=str).iterencode(data):
        pieces.append(piece)
        size += len(piece)
        if size > FILE_LIMIT:
            raise ConfigError(f"{name}: its aliases stand for more than {FILE_LIMIT} characters")
    return "".join(pieces)


_ENVIRONMENT: Final = {
    "telegram_token": "TELEGRAM_TOKEN",
    "github_token": "GITHUB_TOKEN",
    "github_app_id": "GITHUB_APP_ID",
    "github_app_key": "GITHUB_APP_KEY",
    "harbor_user": "HARBOR_USER",
    "harbor_pwd": "HARBOR_PWD",
    "source_auth": "SOURCE_AUTH",
    "decision_key": "DECISION_KEY",
    "statement_key": "STATEMENT_KEY",
}
_IS_GITHUB_TOKEN: Final = re.compile(r"gh[a-z]_|github_pat_")
_IS_TELEGRAM_TOKEN: Final = re.compile(r"[0-9]{6,}:[A-Za-z0-9_-]{30,}")
_APP: Final = re.compile(r"[A-Za-z0-9.]{1,64}")
_KEY: Final = re.compile(r"[0-9a-f]{64}")


def read_secrets(environment: Mapping[str, str] = os.environ, *, telegram: bool = True) -> Secrets:
    """The secrets of the environment. `telegram`: whether its token is needed.

    Raises ConfigError if one is missing or malformed.
    """
    found = {key: environment.get(name, "") for key, name in _ENVIRONMENT.items()}
    if wrong := [
        f"{_ENVIRONMENT[key]}: {words}" for key, words in _wrong_secrets(found, telegram=telegram)
    ]:
        raise ConfigError("\n".join(wrong))
    if key := found["github_app_key"].strip():
        found["github_app_key"] = read_app_key(key)
    secrets = Secrets.model_validate({key: value.strip() for key, value in found.items()})
    source_logins(secrets)
    if key := secrets.decision_key.get_secret_value():
        checked_key(key, _ENVIRONMENT["decision_key"])
    return secrets


def read_target_secrets(environment: Mapping[str, str]) -> Secrets:
    """What is needed to ask the target alone: its login and the key of statements."""
    names = ("harbor_user", "harbor_pwd", "statement_key")
    found = {key: environment.get(_ENVIRONMENT[key], "").strip() for key in names}
    return Secrets.model_validate({"telegram_token": "", **found})


def _wrong_secrets(found: Mapping[str, str], *, telegram: bool) -> Iterator[tuple[str, str]]:
    """What can be seen without a connection. The value itself is never quoted."""
    values = {key: value.strip() for key, value in found.items()}
    app = values["github_app_id"]
    for key, optional in (("telegram_token", not telegram), ("github_token", bool(app))):
        if words := _wrong_token(key, values[key], optional=optional):
            yield key, words
    if app and values["github_token"]:
        yield "github_token", "is there, and GITHUB_APP_ID too. Keep one of them"
    for pair in (("harbor_user", "harbor_pwd"), ("github_app_id", "github_app_key")):
        given, empty = sorted(pair, key=lambda key: not values[key])
        if values[given] and not values[empty]:
            yield empty, f"is missing, but {_ENVIRONMENT[given]} is there"
    if app and not _APP.fullmatch(app):
        yield "github_app_id", "should be the App's number or its Client ID"


def _wrong_token(key: str, value: str, *, optional: bool) -> str:
    """What is wrong with a token, or nothing."""
    if not value:
        return "" if optional else "is missing in the environment"
    if value[0] in "'\"" or value[-1] in "'\"":
        words = "has quotation marks around it. Remove them: "
        return f"{words}docker's --env-file takes them as part of the value"
    if _IS_GITHUB_TOKEN.match(value) and key == "telegram_token":
        return "is a token of GitHub. @BotFather gives the one for Telegram"
    if _IS_TELEGRAM_TOKEN.fullmatch(value) and key == "github_token":
        return "is a token of Telegram. github.com/settings/tokens gives the one for GitHub"
    return ""


def checked_key(text: str, name: str) -> str:
    """A key that seals decisions. Raises ConfigError with `name` for any other text."""
    if not _KEY.fullmatch(text):
        raise ConfigError(f"{name}: should be 64 hexadecimal digits in lower case")
    return text


def source_logins(secrets: Secrets) -> dict[str, SourceLogin]:
    """Registry or `registry/path` → login, from SOURCE_AUTH. Raises ConfigError as it does."""
    return read_logins(secrets.source_auth.get_secret_value())[0]


def wrong_logins(secrets: Secrets) -> list[str]:
    """A line for each entry of SOURCE_AUTH that cannot be read. It names the registry alone."""
    _, wrong = read_logins(secrets.source_auth.get_secret_value())
    return [f"SOURCE_AUTH: the entry of {one_line(key)} is no login" for key in wrong]
