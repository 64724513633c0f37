"""The logins of sources: SOURCE_AUTH, the content of a docker config.json, as Docker writes it.

Keys and entries are described in containers-auth.json(5) and at
https://docs.docker.com/reference/cli/docker/login/. A wrong entry costs only its own registry.
The workflow reads the same text: bot/workflow/mirror/settings.py.
"""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from bot.core.errors import ConfigError
from bot.core.image import DOCKER_HUB, DOCKER_HUB_HOSTS

SourceLogin = tuple[str, str] | tuple[str, str, str]
"""User and password, and an identity token where a registry gave one instead of a password."""
_VERSION: Final = re.compile(r"v[12]/?")
_UNREADABLE: Final = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


def read_logins(text: str) -> tuple[dict[str, SourceLogin], tuple[str, ...]]:
    """The logins by registry or `registry/path`, and the keys of the entries that are wrong.

    An empty entry is none: Docker leaves one where a credential helper has the login. Raises
    ConfigError where the whole is malformed.
    """
    if not text:
        return {}, ()
    try:
        auths: dict[str, Any] = dict(json.loads(text)["auths"])
    except _UNREADABLE:
        # `from None`: the cause may quote the secret.
        shape = '{"auths": {"docker.io": {"auth": …}}}'
        raise ConfigError(f"SOURCE_AUTH: should be JSON like {shape}") from None
    logins, wrong = dict[str, SourceLogin](), list[str]()
    for key, entry in auths.items():
        try:
            login = _login(entry)
        except _UNREADABLE:
            wrong.append(key[:80])
            continue
        if login is not None:
            logins[login_key(key)] = login
    return logins, tuple(wrong)


def _login(entry: Mapping[str, str]) -> SourceLogin | None:
    """The login of an entry, or None for an empty one. Raises one of _UNREADABLE."""
    user, password = entry.get("username", ""), entry.get("password", "")
    if packed := entry.get("auth", ""):
        user, colon, password = base64.b64decode(packed, validate=True).decode().partition(":")
        if not colon:
            raise ValueError
    if token := entry.get("identitytoken", ""):
        return str(user), str(password), str(token)
    if not user and not password:
        return None
    if not (user and password):
        raise ValueError
    return str(user), str(password)


def login_key(text: str) -> str:
    """`host` or `host/path`. Docker writes `https://HOST/v1/` where others write `HOST`."""
    _, there, address = text.rpartition("://")
    host, slash, path = address.rstrip("/").partition("/")
    name = DOCKER_HUB if host.lower() in DOCKER_HUB_HOSTS else host.lower()
    return name if not slash or (there and _VERSION.fullmatch(path)) else f"{name}/{path}"
