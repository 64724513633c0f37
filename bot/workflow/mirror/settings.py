"""Reads the variables and secrets of the repository, and checks them before the first image."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .authorization import Authorization
from .reference import DOCKER_HUB, HOST, PATH
from .registry_http import UNREADABLE
from .waits import PATIENCE

REQUIRED = ("HARBOR_HOST", "MIRROR_USER", "MIRROR_PASSWORD")
NAMES = (
    *REQUIRED,
    "HARBOR_PREFIX",
    "NAMING",
    "REGISTRY_ADDRESSES",
    "MIRROR_SOURCE_AUTH",
    "PATIENCE",
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
    logins: dict[str, str] = field(repr=False)  # "host" or "host/namespace" -> Basic
    patience: int = 0  # seconds to wait per image for a failing registry
    authorizations: dict[tuple[str, str], Authorization] = field(
        default_factory=dict, repr=False
    )  # by host and login

    def login(self, name: str) -> str:
        """Return the Authorization of a repository, by the longest prefix of its name, if any."""
        own = [key for key in self.logins if f"{name}/".startswith(f"{key}/")]
        return f"Basic {self.logins[max(own, key=len)]}" if own else ""

    def authorization(self, name: str, *, secure: bool) -> Authorization:
        """Return what the host of a repository is asked with. All that have a login share it."""
        login = self.login(name)
        key = name.partition("/")[0], login
        known = self.authorizations.get(key)
        return known or self.authorizations.setdefault(key, Authorization(login, secure=secure))

    @classmethod
    def read(cls, env: Mapping[str, str]) -> "Settings":
        """Read the environment. Raises ValueError with a line that holds no secret."""
        given = {name: env.get(name, "").strip() for name in NAMES}
        for name in REQUIRED:
            if not given[name]:
                raise ValueError(f"login to the target: {name} is not set in the repository")
        host, user, password, prefix, naming, *_, wish = given.values()
        if not HOST.fullmatch(host) or naming not in ("", "nested", "flat"):
            raise ValueError("HARBOR_HOST must be a bare host name, NAMING nested or flat")
        if prefix and not PATH.fullmatch(prefix):
            raise ValueError("HARBOR_PREFIX must be a project name, such as mirror")
        addresses = _read(
            "REGISTRY_ADDRESSES", given, '{"registry": "https://address"}', _addresses
        )
        logins = _read(
            "MIRROR_SOURCE_AUTH", given, '{"auths": {"registry": {"auth": "..."}}}', _logins
        )
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        place = addresses.get(host, f"https://{host}").split("/")[2]
        logins, patience = {**logins, place: login}, int(wish) if wish.isdecimal() else PATIENCE
        return cls(host, prefix, naming, user, password, addresses, logins, patience)


def _read(
    name: str, given: dict[str, str], shape: str, how: Callable[[Any], dict[str, str]]
) -> dict[str, str]:
    try:
        return how(json.loads(given[name] or "{}"))
    except (*UNREADABLE, AttributeError, KeyError, TypeError):  # their text may hold a secret
        raise ValueError(f"{name} must be JSON such as {shape}") from None


def _addresses(read: Any) -> dict[str, str]:
    found = {name: str(url).rstrip("/") for name, url in read.items()}
    if not all(re.match(r"https?://[^/]", url) for url in found.values()):
        raise ValueError
    return found


def _logins(read: Any) -> dict[str, str]:
    """Normalise the keys. Docker writes https://HOST/v1/ where skopeo writes HOST."""
    found = {}
    for key, entry in read.get("auths", {}).items():
        name = re.sub(r"^https?://([^/]*).*", r"\1", key)
        found["docker.io" if name in DOCKER_HUB else name] = str(entry["auth"])
    return found
