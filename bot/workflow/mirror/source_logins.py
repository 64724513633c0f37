"""The logins of sources, in the forms that Docker writes them: see containers-auth.json(5).

A wrong entry costs only its own registry. bot/source_logins.py reads the same text, and a test
compares both.
"""

import base64
import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .reference import DOCKER_HUB
from .registry_http import UNREADABLE

_WRONG = (*UNREADABLE, AttributeError, KeyError, TypeError)


@dataclass(frozen=True)
class Login:
    """`basic`: user and password in base64. `token`: what some registries give instead of both."""

    basic: str = field(repr=False)
    token: str = field(default="", repr=False)

    @property
    def header(self) -> str:
        """Return the Authorization that a registry without a token server takes, if any."""
        return f"Basic {self.basic}" if self.basic else ""


def login_of(user: str, password: str) -> Login:
    """Return the login of a user with a password."""
    return Login(base64.b64encode(f"{user}:{password}".encode()).decode())


def read_logins(auths: Mapping[str, Any]) -> tuple[dict[str, Login], list[str]]:
    """Return the logins by `host` or `host/path`, and the keys of the entries that are wrong."""
    logins, wrong = {}, []
    for key, entry in auths.items():
        login = None
        with contextlib.suppress(*_WRONG):
            login = _login(entry)
        if login is None:
            wrong.append(key)
        elif login.basic or login.token:
            logins[_key(key)] = login
    return logins, wrong


def _login(entry: Mapping[str, Any]) -> Login:
    """Read an entry. Docker leaves an empty one where a credential helper has the login."""
    user, password = str(entry.get("username") or ""), str(entry.get("password") or "")
    if packed := entry.get("auth", ""):
        text = base64.b64decode(packed, validate=True).decode()
        user, colon, password = text.partition(":")
        if not colon:
            raise ValueError
    token = str(entry.get("identitytoken") or "")
    if not token and bool(user) is not bool(password):
        raise ValueError
    basic = login_of(user, password).basic if user and password else ""
    return Login(basic, token)


def _key(text: str) -> str:
    """Docker writes https://HOST/v1/ where skopeo writes HOST."""
    _, there, address = text.rpartition("://")
    host, slash, path = address.rstrip("/").partition("/")
    name = "docker.io" if host.lower() in DOCKER_HUB else host.lower()
    return name if not slash or (there and re.fullmatch("v[12]/?", path)) else f"{name}/{path}"
