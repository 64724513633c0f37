"""The kinds of values in the config, each with the words for a value that is none of its kind."""

import re
from datetime import timedelta
from ipaddress import ip_address
from typing import Annotated, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from bot.adapters.github.issues import GITHUB
from bot.adapters.telegram import ANONYMOUS_ADMIN, TELEGRAM
from bot.core.ids import ChatId, PersonId, split_id
from bot.core.pattern import normalised_registry
from bot.public_key import public_key

_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?")
_LOGIN: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})")
_HOST_PATTERN: Final = re.compile(r"[A-Za-z0-9.:*-]+")
_SUPERGROUP: Final = re.compile(r"100[0-9]{10}")
"""A person's id has at most 12 digits today, and none with 13 begins so."""
_DASHES: Final = dict.fromkeys(map(ord, "\N{MINUS SIGN}\N{EN DASH}\N{EM DASH}"), "-")
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]*[A-Za-z0-9_-]")
_REPOSITORY_IN_ADDRESS: Final = re.compile(
    r"(?:^|[/:@])([A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+?)(?:\.git)?/?(?:[?#].*)?$"
)
_TIME: Final = r"((?:[01][0-9]|2[0-3]):[0-5][0-9])"
_HOURS: Final = re.compile(f"{_TIME}-{_TIME}")
_WAIT: Final = re.compile(r"([0-9]{1,4})([mhd])", re.ASCII)
_LONGEST_WAIT: Final = timedelta(days=90)
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
_PATH: Final = re.compile(r"[a-z0-9]+([._/-][a-z0-9]+)*")


def host(value: str) -> str:
    """A host with or without a port. Raises ValueError, as the other kinds of values do."""
    if not _HOST.fullmatch(value):
        raise ValueError(_no_host(value))
    return value


def _no_host(value: str) -> str:
    try:
        host = urlsplit(value).netloc
    except ValueError:
        host = ""
    if _HOST.fullmatch(host):
        return f"should be a host and no address: write {host}"
    if "/" in value:
        return "should be a host without a path, such as harbor.example.com"
    return "should be a host, such as harbor.example.com or harbor.example.com:8443"


def registry_pattern(value: str) -> str:
    """A registry, or a pattern such as *.example.com."""
    if "*" not in value:
        return normalised_registry(host(value))
    if not _HOST_PATTERN.fullmatch(value):
        raise ValueError("should be a registry such as docker.io, or a pattern such as *.io")
    return value.lower()


def target_prefix(value: str) -> str:
    """A path below the host of the target, or nothing."""
    if value and not _PATH.fullmatch(value):
        raise ValueError("should be empty or a lower-case path, such as mirror or team/mirror")
    return value


def address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise ValueError("should be an address, such as https://cache.example.com/dockerhub")
    if parts.username or parts.password:
        raise ValueError("should not hold a login: use SOURCE_AUTH")
    return value.rstrip("/")


def service_address(value: str) -> str:
    """The address of a service that gets a token with each request."""
    parts = urlsplit(address(value))
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ValueError("should begin with https://, since each request holds the token")
    return value.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def time_zone(value: str) -> str:
    """A name of the time zone database, such as Asia/Shanghai."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("should be a time zone, such as Asia/Shanghai or UTC") from error
    return value


def _quiet(value: str) -> str:
    found = _HOURS.fullmatch(value)
    if value and (found is None or found[1] == found[2]):
        raise ValueError("should be two times of the day, such as 22:00-08:00")
    return value


def _wait(value: object) -> timedelta:
    found = _WAIT.fullmatch(str(value))
    if found is None:
        raise ValueError("should be a number of minutes, hours or days, such as 30m, 12h or 3d")
    unit = {"m": "minutes", "h": "hours", "d": "days"}[found[2]]
    wait = timedelta(**{unit: int(found[1])})
    if wait > _LONGEST_WAIT:
        raise ValueError("should be 90 days at most, such as 3d")
    return wait


def written_wait(wait: timedelta) -> str:
    """A wait as `_wait` reads it: a config that is written is read again."""
    for letter, unit in (("d", timedelta(days=1)), ("h", timedelta(hours=1))):
        if not wait % unit:
            return f"{wait // unit}{letter}"
    return f"{wait // timedelta(minutes=1)}m"


def _listening(value: str) -> str:
    """Empty, or an address of this machine with a port."""
    if value and not _can_be_listened_on(*value.rpartition(":")[::2]):
        raise ValueError("should be an address and a port, such as 127.0.0.1:9464")
    return value


def _can_be_listened_on(host: str, port: str) -> bool:
    try:
        address = ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    brackets = host.startswith("[") and host.endswith("]")
    good = _PORT.fullmatch(port) is not None and int(port) < 1 << 16
    return good and brackets is (address.version == 6)  # noqa: PLR2004 - of the protocol


def _id(value: object) -> str:
    """An id such as telegram:1003, from itself or from the number that Telegram shows."""
    text = f"{TELEGRAM}:{value}" if type(value) is int else str(value)
    try:
        service, _ = split_id(text)
    except ValueError:
        service = ""
    if service != TELEGRAM:
        raise ValueError(_no_id(text))
    return text


def _account(value: object) -> str:
    """An id such as github:583231, from itself or from the number of the account."""
    text = f"{GITHUB}:{value}" if type(value) is int else str(value)
    try:
        service, number = split_id(text)
    except ValueError:
        service, number = "", 0
    if service != GITHUB or number <= 0:
        login = text.removeprefix("@").rpartition("/")[2]
        where = (
            f": https://api.github.com/users/{login} has it as id"
            if _LOGIN.fullmatch(login)
            else ""
        )
        raise ValueError(
            f"should be the number of an account, since a login can change hands{where}"
        )
    return text


def _no_id(text: str) -> str:
    number = text.translate(_DASHES)
    if number.removeprefix("-").isdecimal() and number.isascii():
        return f"should be a number without quotation marks: {number}"
    if text.startswith("@") or "t.me/" in text:
        return "should be a number, since a name can be taken by somebody else: send /whoami there"
    return "should be a number, such as 1003, or an id, such as telegram:1003"


def _chat(value: str) -> str:
    number = split_id(value)[1]
    if _SUPERGROUP.fullmatch(str(number)):
        raise ValueError(f"is the id of a group without its minus: write -{number}")
    return value


def repository_name(value: str) -> str:
    """`owner/name`, by GitHub's rules for both. An address is answered with what to write."""
    if _REPOSITORY.fullmatch(value) and not value.endswith(".git"):
        return value
    meant = _REPOSITORY_IN_ADDRESS.search(value)
    if meant and value != meant[1]:
        raise ValueError(f"should be a name and no address: write {meant[1]}")
    raise ValueError("should be owner/name, such as example/mirror")


def _person(value: str) -> str:
    if split_id(value)[1] <= 0:
        raise ValueError("should be the id of a person, which is above zero")
    if value == ANONYMOUS_ADMIN:
        raise ValueError("is Telegram's anonymous admin: anybody could be behind it")
    return value


def _id_of_any(value: object) -> str:
    text = f"{TELEGRAM}:{value}" if type(value) is int else str(value)
    try:
        split_id(text)
    except ValueError:
        raise ValueError(_no_id(text)) from None
    return text


def _any_id(value: str) -> str:
    try:
        split_id(value)
    except ValueError:
        raise ValueError("should be an id with its service, such as telegram:1003") from None
    return value


def _nobody_twice(humans: tuple[tuple[PersonId, ...], ...]) -> tuple[tuple[PersonId, ...], ...]:
    every = [person for ids in humans for person in ids]
    if twice := [person for person in every if every.count(person) > 1]:
        raise ValueError(f"{twice[0]} stands twice: each id is of one human")
    return humans


def _any_person(value: str) -> str:
    return _person(_any_id(value))


Host = Annotated[str, AfterValidator(host)]
Registry = Annotated[str, AfterValidator(host), AfterValidator(normalised_registry)]
"""A registry by the name that it has in references."""
RegistryPattern = Annotated[str, AfterValidator(registry_pattern)]
"""The same, with `*` for any characters."""
Prefix = Annotated[str, AfterValidator(target_prefix)]
Url = Annotated[str, AfterValidator(address)]
Service = Annotated[str, AfterValidator(service_address)]
Zone = Annotated[str, AfterValidator(time_zone)]
Quiet = Annotated[str, AfterValidator(_quiet)]
"""Empty, or the hours in which nobody is called, such as 22:00-08:00."""
Wait = Annotated[timedelta, BeforeValidator(_wait), PlainSerializer(written_wait)]
"""A number of minutes, hours or days, such as 3d."""
Listening = Annotated[str, AfterValidator(_listening)]
Chat = Annotated[ChatId, BeforeValidator(_id), AfterValidator(_chat)]
Repository = Annotated[str, AfterValidator(repository_name)]
"""`owner/name` of a repository at GitHub."""
PublicKey = Annotated[str, AfterValidator(public_key)]
"""PEM, from itself or from the file that it names."""
Person = Annotated[PersonId, BeforeValidator(_id), AfterValidator(_person)]
Decider = Annotated[PersonId, BeforeValidator(_id_of_any), AfterValidator(_person)]
"""A person of any service. A number alone is Telegram's."""
AnyPerson = Annotated[PersonId, AfterValidator(_any_person)]
"""A person of any service, such as telegram:1003 or github:583231."""
Humans = Annotated[
    tuple[Annotated[tuple[AnyPerson, ...], Field(min_length=2)], ...],
    AfterValidator(_nobody_twice),
]
"""The ids of each human who has several."""
AnyChat = Annotated[ChatId, AfterValidator(_any_id)]
"""A chat of any service, such as telegram:-1001234567890 or github:-41."""

Account = Annotated[PersonId, BeforeValidator(_account)]
"""The id of a person at GitHub."""


class Section(BaseModel):
    """A section of the config. Unknown keys and values of other types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
