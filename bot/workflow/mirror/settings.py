"""Reads the variables and secrets of the repository, and checks them before the first image."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .authorization import Authorization
from .certificates import readable
from .reference import HOST, PATH
from .registry_http import UNREADABLE
from .source_logins import Login, login_of, read_logins
from .token_servers import token_servers
from .waits import PATIENCE

T = TypeVar("T")
REQUIRED = ("HARBOR_HOST", "MIRROR_USER", "MIRROR_PASSWORD")
NAMES = (
    *REQUIRED,
    "HARBOR_PREFIX",
    "NAMING",
    "REGISTRY_ADDRESSES",
    "MIRROR_SOURCE_AUTH",
    "TOKEN_SERVERS",
    "REFERRERS",
    "PATIENCE",
    "CA_BUNDLE",
)
SECRETS = ("MIRROR_PASSWORD", "MIRROR_SOURCE_AUTH", "DECISION_KEY", "GITHUB_TOKEN")


@dataclass(frozen=True)
class Settings:
    """The settings of a run, and the logins that it has got so far."""

    host: str
    prefix: str
    naming: str
    user: str
    password: str = field(repr=False)
    addresses: dict[str, str]
    logins: dict[str, Login] = field(repr=False)  # by "host" or "host/namespace"
    patience: int = 0  # seconds to wait per image for a failing registry
    servers: dict[str, tuple[str, ...]] = field(default_factory=dict)  # token servers by host
    wrong: tuple[str, ...] = ()  # keys of source logins that are none
    attaches: bool = True  # whether signatures and the like go along
    authorizations: dict[tuple[str, "Login | None"], Authorization] = field(
        default_factory=dict, repr=False
    )  # by host and login

    def login(self, name: str) -> "Login | None":
        """Return the login of a repository, by the longest prefix of its name, if any."""
        own = [key for key in self.logins if f"{name}/".startswith(f"{key}/")]
        return self.logins[max(own, key=len)] if own else None

    def authorization(self, name: str, *, secure: bool) -> Authorization:
        """Return what the host of a repository is asked with. All that have a login share it."""
        login, host = self.login(name), name.partition("/")[0]
        known = self.authorizations.get((host, login))
        if known:
            return known
        servers = token_servers(host) + self.servers.get(host, ())
        made = Authorization(login, host=host, servers=servers, secure=secure)
        return self.authorizations.setdefault((host, login), made)

    @classmethod
    def read(cls, env: Mapping[str, str]) -> "Settings":
        """Read the environment. Raises ValueError with a line that holds no secret."""
        given = {name: env.get(name, "").strip() for name in NAMES}
        for name in REQUIRED:
            if not given[name]:
                raise ValueError(f"login to the target: {name} is not set in the repository")
        host, user, password, prefix, naming, *_, referrers, wish, bundle = given.values()
        if not HOST.fullmatch(host) or naming not in ("", "nested", "flat"):
            raise ValueError("HARBOR_HOST must be a bare host name, NAMING nested or flat")
        if prefix and not PATH.fullmatch(prefix):
            raise ValueError("HARBOR_PREFIX must be a project name, such as mirror")
        shape = '{"registry": "https://address"}'
        if bundle and not readable(bundle):
            raise ValueError("CA_BUNDLE must hold certificates in PEM: run imageto-bot setup")
        addresses = _read("REGISTRY_ADDRESSES", given, shape, _addresses)
        shape = '{"auths": {"registry": {"auth": "..."}}}'
        logins, wrong = _read("MIRROR_SOURCE_AUTH", given, shape, _logins)
        shape = '{"registry": ["token server"]}'
        servers = _read("TOKEN_SERVERS", given, shape, lambda read: _servers(read, addresses))
        logins[_place(host, addresses)] = login_of(user, password)
        patience = int(wish) if wish.isdecimal() else PATIENCE
        return cls(
            host,
            prefix,
            naming,
            user,
            password,
            addresses,
            logins,
            patience,
            servers,
            tuple(wrong),
            attaches=referrers.lower() != "off",
        )


def _place(registry: str, addresses: dict[str, str]) -> str:
    """Return the host at which a registry is reached."""
    return addresses.get(registry, f"https://{registry}").split("/")[2]


def _read(name: str, given: dict[str, str], shape: str, how: Callable[[Any], T]) -> T:
    try:
        return how(json.loads(given[name] or "{}"))
    except (*UNREADABLE, AttributeError, KeyError, TypeError):  # their text may hold a secret
        raise ValueError(f"{name} must be JSON such as {shape}") from None


def _addresses(read: Any) -> dict[str, str]:
    found = {name: str(url).rstrip("/") for name, url in read.items()}
    if not all(re.match(r"https?://[^/]", url) for url in found.values()):
        raise ValueError
    return found


def _logins(read: Any) -> tuple[dict[str, Login], list[str]]:
    return read_logins(dict(read.get("auths", {})))


def _servers(read: Any, addresses: dict[str, str]) -> dict[str, tuple[str, ...]]:
    return {_place(registry, addresses): tuple(map(str, hosts)) for registry, hosts in read.items()}
