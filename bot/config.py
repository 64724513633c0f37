"""The settings: public ones from a YAML file, secrets from environment variables.

Strict: a key that is unknown, missing or of a wrong type raises ConfigError. Its one line names
the file and the key. This module must not connect to anything: bot/check.py tests the values.
"""

import base64
import hashlib
import json
import os
import re
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote, quote_plus, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from bot.core.decision import Verdict
from bot.core.errors import ConfigError
from bot.core.fresh import FreshPlan
from bot.core.ids import TELEGRAM, ChatId, PersonId, split_id
from bot.core.image import DOCKER_HUB, DOCKER_HUB_HOSTS, Naming, Target
from bot.core.policy import ANONYMOUS_ADMIN, AllowLists, Policy, Rule
from bot.core.tag_class import TagClass
from bot.dialog.language import Language

FILE_LIMIT: Final = 1 << 20
_WORDS: Final = 1000
_UNREADABLE: Final = (
    *(ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError),
)
"""What the libraries raise on well-formed YAML, such as a 13th month or a list inside itself."""
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?")
_PATH: Final = re.compile(r"[a-z0-9]+([._/-][a-z0-9]+)*")


def _host(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise ValueError("should be a host, such as harbor.example.com or harbor.example.com:8443")
    return value


def _prefix(value: str) -> str:
    if value and not _PATH.fullmatch(value):
        raise ValueError("should be empty or a lower-case path, such as mirror or team/mirror")
    return value


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise ValueError("should be an address, such as https://cache.example.com/dockerhub")
    if parts.username or parts.password:
        raise ValueError("should not hold a login: use SOURCE_AUTH")
    return value.rstrip("/")


def _service(value: str) -> str:
    """The address of a service that gets a token with each request."""
    parts = urlsplit(_url(value))
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ValueError("should begin with https://, since each request holds the token")
    return value.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("should be a time zone, such as Asia/Shanghai or UTC") from error
    return value


def _id(value: object) -> str:
    """An id such as telegram:1003, from itself or from the number that Telegram shows."""
    text = f"{TELEGRAM}:{value}" if type(value) is int else str(value)
    try:
        service, _ = split_id(text)
    except ValueError:
        service = ""
    if service != TELEGRAM:
        raise ValueError("should be a number, such as 1003, or an id, such as telegram:1003")
    return text


def _person(value: str) -> str:
    if split_id(value)[1] <= 0:
        raise ValueError("should be the id of a person, which is above zero")
    if value == ANONYMOUS_ADMIN:
        raise ValueError("is Telegram's anonymous admin: anybody could be behind it")
    return value


Host = Annotated[str, AfterValidator(_host)]
Url = Annotated[str, AfterValidator(_url)]
Service = Annotated[str, AfterValidator(_service)]
Chat = Annotated[ChatId, BeforeValidator(_id)]
Person = Annotated[PersonId, BeforeValidator(_id), AfterValidator(_person)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TelegramPart(_Part):
    chats: tuple[Chat, ...] = Field(min_length=1)
    admins: tuple[Person, ...] = Field(min_length=1)
    members: tuple[Person, ...] | None = None
    language: Language = Language.EN
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    api: Service = "https://api.telegram.org"


class GitHubPart(_Part):
    repository: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$")
    branch: str = Field(default="main", pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")
    list: str = Field(default="image.list", pattern=r"^[A-Za-z0-9._/-]+$")
    workflow: str = Field(default="mirror.yml", pattern=r"^[A-Za-z0-9._-]+\.ya?ml$")
    api: Service = "https://api.github.com"
    patience: int = Field(default=90, ge=1, le=3600)


class TargetPart(_Part):
    host: Host
    prefix: Annotated[str, AfterValidator(_prefix)] = ""
    naming: Naming = Naming.NESTED


class RulePart(_Part):
    images: str = Field(min_length=1)
    then: Verdict
    reason: str = Field(default="", max_length=200)

    @model_validator(mode="after")
    def _denial_has_a_reason(self) -> "RulePart":
        if self.then is Verdict.DENY and not self.reason:
            raise ValueError("a rule that denies needs a reason: people will read it")
        return self


class LimitsPart(_Part):
    images: int = Field(default=60, ge=1, le=200)
    open: int = Field(default=120, ge=1)
    daily: int = Field(default=300, ge=1)
    watches: int = Field(default=50, ge=1, le=1000)
    minute: int = Field(default=10, ge=1)


class PolicyPart(_Part):
    registries: tuple[Host, ...] = Field(min_length=1)
    rules: tuple[RulePart, ...] = ()
    expire_after_hours: int = Field(default=72, ge=1, le=8760)
    limits: LimitsPart = LimitsPart()


Hours = Annotated[float, Field(gt=0, le=8760)]
Looks = Annotated[int, Field(ge=1)]


class FreshPart(_Part):
    floating: Hours = 6
    versions: Hours = 168
    looks: Looks = 600
    budgets: dict[Host, Looks] = {}
    alarms: Chat | None = None


class MaintainerPart(_Part):
    name: str = Field(min_length=1, max_length=64)
    id: Annotated[int, Field(ge=0)] = 0


class Settings(_Part):
    """The whole file. `rules()`, `access()`, `place()` and `plan()` return values of core."""

    telegram: TelegramPart
    github: GitHubPart
    target: TargetPart
    policy: PolicyPart
    fresh: FreshPart | None = None
    maintainer: MaintainerPart | None = None
    addresses: dict[Host, Url] = {}
    database: str = "imageto-bot.sqlite3"

    @model_validator(mode="after")
    def _alarms_have_readers(self) -> "Settings":
        """An alarm has buttons, so the bot must accept presses in the chat that gets it."""
        served: set[str] = {*self.telegram.chats, *self.telegram.admins}
        if self.fresh and self.fresh.alarms is not None and self.fresh.alarms not in served:
            raise ValueError("fresh.alarms: should be one of telegram.chats or telegram.admins")
        return self

    def plan(self) -> FreshPlan | None:
        """How listed images are kept fresh, or None where the config has no `fresh`."""
        part = self.fresh
        if part is None:
            return None
        floating, versions = timedelta(hours=part.floating), timedelta(hours=part.versions)
        alarms = self.telegram.chats[0] if part.alarms is None else part.alarms
        return FreshPlan(
            intervals={TagClass.FLOATING: floating, TagClass.VERSION: versions},
            looks=part.looks,
            budgets=part.budgets,
            alarms=alarms,
        )

    def rules(self) -> Policy:
        part = self.policy
        return Policy(
            registries=frozenset(part.registries),
            rules=tuple(Rule(rule.images, rule.then, rule.reason) for rule in part.rules),
            expire_after=timedelta(hours=part.expire_after_hours),
            open_limit=part.limits.open,
            daily_limit=part.limits.daily,
            request_limit=part.limits.images,
            minute_limit=part.limits.minute,
            watch_limit=part.limits.watches,
            ask_for_updated_versions=self.fresh is not None,
        )

    def access(self) -> AllowLists:
        members = self.telegram.members
        return AllowLists(
            chats=frozenset(self.telegram.chats),
            members=None if members is None else frozenset(members),
            admins=frozenset(self.telegram.admins),
        )

    def place(self) -> Target:
        return Target(self.target.host, self.target.prefix, self.target.naming)

    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.telegram.timezone)


class Secrets(BaseModel):
    """The values of environment variables. Secrets are hidden in `repr`."""

    model_config = ConfigDict(frozen=True)

    telegram_token: SecretStr
    github_token: SecretStr
    harbor_user: str = ""
    harbor_pwd: SecretStr = SecretStr("")
    source_auth: SecretStr = SecretStr("")
    decision_key: SecretStr = SecretStr("")
    """64 hexadecimal digits. Empty where neither the environment nor the file has a key."""

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
        texts += [password for _, password in logins]
        texts += [quoted for text in texts for quoted in (quote(text, ""), quote_plus(text))]
        texts += [base64.b64encode(":".join(login).encode()).decode() for login in logins]
        return tuple(dict.fromkeys(filter(None, texts)))


def read_settings(path: Path) -> Settings:
    """The settings of a file. Raises ConfigError with a text of one line."""
    try:
        with path.open("rb") as file:
            content = file.read(FILE_LIMIT + 1)
        if len(content) > FILE_LIMIT:
            raise ConfigError(f"{path}: is larger than {FILE_LIMIT} bytes")
        data = yaml.safe_load(content)
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror}. Copy config.example.yaml and fill it in."
        ) from error
    except (yaml.YAMLError, *_UNREADABLE) as error:
        raise ConfigError(_line(f"{path}: is no YAML: {error}")) from error
    return settings_from(data, str(path))


def settings_from(data: object, name: str) -> Settings:
    """The settings in parsed YAML. `name` is the file's name in a ConfigError, which it raises."""
    if not isinstance(data, dict):
        raise ConfigError(f"{name}: should hold keys such as telegram: and github:")
    try:
        # By JSON, where pydantic's strict mode takes lists for tuples and strings for enums.
        return Settings.model_validate_json(_json(data, name))
    except ValidationError as error:
        raise ConfigError(_line(f"{name}: {_first(error)}")) from error
    except _UNREADABLE as error:
        raise ConfigError(_line(f"{name}: cannot be read: {error}")) from error


def _json(data: object, name: str) -> str:
    """The data as JSON, with a limit: JSON repeats what YAML holds once and refers to by alias."""
    pieces, size = list[str](), 0
    for piece in json.JSONEncoder(default=str).iterencode(data):
        pieces.append(piece)
        size += len(piece)
        if size > FILE_LIMIT:
            raise ConfigError(f"{name}: says more than {FILE_LIMIT} characters by its aliases")
    return "".join(pieces)


def _line(text: str) -> str:
    """The text on one line: a key or a parser's message may contain line breaks."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_WORDS]


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    words = first["msg"].removeprefix("Value error, ")
    more = error.error_count() - 1
    return (f"{key}: " if key else "") + words + (f" (and {more} more)" if more else "")


_ENVIRONMENT: Final = {
    "telegram_token": "TELEGRAM_TOKEN",
    "github_token": "GITHUB_TOKEN",
    "harbor_user": "HARBOR_USER",
    "harbor_pwd": "HARBOR_PWD",
    "source_auth": "SOURCE_AUTH",
    "decision_key": "DECISION_KEY",
}
_KEY: Final = re.compile(r"[0-9a-f]{64}")


def read_secrets(environment: Mapping[str, str] = os.environ) -> Secrets:
    """The secrets of the environment. Raises ConfigError if one is missing or malformed."""
    found = {key: environment.get(name, "") for key, name in _ENVIRONMENT.items()}
    for key in ("telegram_token", "github_token"):
        if not found[key].strip():
            raise ConfigError(f"{_ENVIRONMENT[key]}: is missing in the environment")
    secrets = Secrets.model_validate({key: value.strip() for key, value in found.items()})
    source_logins(secrets)
    if key := secrets.decision_key.get_secret_value():
        checked_key(key, _ENVIRONMENT["decision_key"])
    return secrets


def checked_key(text: str, name: str) -> str:
    """A key that seals decisions. Raises ConfigError with `name` for any other text."""
    if not _KEY.fullmatch(text):
        raise ConfigError(f"{name}: should be 64 hexadecimal digits in lower case")
    return text


def source_logins(secrets: Secrets) -> dict[str, tuple[str, str]]:
    """Registry or `registry/path` → user and password, from SOURCE_AUTH.

    That is the `auths` of a docker config.json, with keys as in containers-auth.json(5).

    Raises ConfigError if it is malformed.
    """
    text = secrets.source_auth.get_secret_value()
    if not text:
        return {}
    logins: dict[str, tuple[str, str]] = {}
    try:
        auths: dict[str, Any] = json.loads(text)["auths"]
        for registry, entry in auths.items():
            user, password = base64.b64decode(entry["auth"]).decode().split(":", 1)
            logins[_login_key(registry)] = (user, password)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # `from None`: the cause may quote the secret.
        shape = '{"auths": {"docker.io": {"auth": …}}}'
        raise ConfigError(f"SOURCE_AUTH: should be JSON like {shape}") from None
    return logins


def _login_key(text: str) -> str:
    """`host` or `host/path`. Docker writes `https://HOST/v1/` where others write `HOST`."""
    _, there, address = text.rpartition("://")
    host, slash, path = address.rstrip("/").partition("/")
    name = DOCKER_HUB if host.lower() in DOCKER_HUB_HOSTS else host.lower()
    return name if there or not slash else f"{name}/{path}"
