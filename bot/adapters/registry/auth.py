"""Logs in to a registry after its 401: Basic, or a Bearer token from the realm that it names.

1. The registry chooses the realm. So a realm is used only if it is on the host of the registry
   or on the list of core/token_servers.py. A login is sent nowhere else.
2. The scope is chosen here, not by the registry: one repository, and pull unless `check` tries
   an upload.

The protocol: https://distribution.github.io/distribution/spec/auth/token/
"""

import asyncio
import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode
from urllib.request import parse_http_list, parse_keqv_list

import httpx

from bot.adapters.registry.network_guard import MAX_PORT, host_of
from bot.adapters.registry.transport import (
    REGISTRY_BOUNDS,
    BoundedTransport,
    RegistryBounds,
    RegistryResponse,
    one_line,
)
from bot.core.errors import RefusedError, TransientError
from bot.core.retry import TroubleKind

_TOKEN_BODY_BYTES: Final = 64 * 1024
_DEFAULT_LIFETIME: Final = 60.0  # seconds, by the token specification
_LONGEST_LIFETIME: Final = 60 * 60.0
_EXPIRY_MARGIN: Final = 10.0  # a token is not used in its last seconds, as clocks may differ
_DENIED: Final = frozenset({401, 403, 404})
_WRONG_LOGIN: Final = frozenset({400, 401})
"""400 is OAuth 2's answer to a refresh token that is not valid (RFC 6749, section 5.2)."""


@dataclass(frozen=True, slots=True)
class Login:
    """`identity_token`: what some registries give instead of a password."""

    user: str
    password: str = field(repr=False)
    identity_token: str = field(default="", repr=False)

    def header(self) -> str:
        pair = f"{self.user}:{self.password}".encode()
        return "Basic " + base64.b64encode(pair).decode("ascii")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address of one repository. `from_config`: the operator named this host.

    `actions`: what a token is asked for, in the words of the token specification. `token_servers`:
    the hosts that may give one, besides its own.
    """

    registry: str
    base: httpx.URL
    path: str
    login: Login | None
    from_config: bool
    actions: str = "pull"
    token_servers: tuple[str, ...] = ()

    def manifest(self, reference: str) -> httpx.URL:
        return self.base.copy_with(path=f"/v2/{self.path}/manifests/{reference}")

    def blob(self, digest: str) -> httpx.URL:
        return self.base.copy_with(path=f"/v2/{self.path}/blobs/{digest}")

    def below(self, path: str) -> httpx.URL:
        return self.base.copy_with(path=f"/v2/{self.path}/{path}")

    def uploads(self) -> httpx.URL:
        return self.base.copy_with(path=f"/v2/{self.path}/blobs/uploads/")

    def tags(self) -> httpx.URL:
        return self.base.copy_with(path=f"/v2/{self.path}/tags/list")


@dataclass(frozen=True, slots=True)
class Challenge:
    scheme: str
    realm: str = ""
    service: str = ""


def parse_challenge(headers: httpx.Headers) -> Challenge | None:
    """The challenge of a 401, Bearer before Basic. None if it is neither."""
    found = [_parse_challenge(text) for text in headers.get_list("www-authenticate")]
    for scheme in ("bearer", "basic"):
        for challenge in found:
            if challenge is not None and challenge.scheme == scheme:
                return challenge
    return None


def _parse_challenge(text: str) -> Challenge | None:
    scheme, _, rest = text[:4096].strip().partition(" ")
    try:
        values = parse_keqv_list(parse_http_list(rest))
    except (ValueError, IndexError):  # IndexError: `realm=` without a value
        values = {}
    fields = {key.lower(): value for key, value in values.items()}
    return Challenge(scheme.lower(), fields.get("realm", ""), fields.get("service", ""))


class Tokens:
    """Valid Authorization headers by endpoint. Fetches new ones, each once at a time."""

    def __init__(
        self,
        transport: BoundedTransport,
        clock: Callable[[], float] = time.monotonic,
        bounds: RegistryBounds = REGISTRY_BOUNDS,
    ) -> None:
        self._transport = transport
        self._bounds = bounds
        self._clock = clock
        self._kept: dict[Endpoint, tuple[str, float]] = {}
        self._fetching: dict[Endpoint, asyncio.Task[str | None]] = {}
        self._accepted: dict[tuple[str, Login], bool] = {}

    def logins(self) -> Mapping[str, bool]:
        """Whether each registry took all its logins when they were used last."""
        found: dict[str, bool] = {}
        for (registry, _), accepted in self._accepted.items():
            found[registry] = accepted and found.get(registry, True)
        return found

    def kept(self, endpoint: Endpoint) -> str | None:
        header, until = self._kept.get(endpoint, ("", 0.0))
        return header if header and self._clock() < until else None

    async def header_for(
        self, endpoint: Endpoint, challenge: Challenge | None, *, refused: str | None
    ) -> str | None:
        """A header other than `refused`, or None if there is none to try.

        Raises TransientError, or RefusedError if the realm or the login is not accepted.
        """
        kept = self.kept(endpoint)
        if kept is not None and kept != refused:
            return kept  # another request has fetched it meanwhile
        self._kept.pop(endpoint, None)
        if challenge is None:
            return None
        if challenge.scheme == "bearer":
            return await self._shared_fetch(endpoint, challenge)
        login = endpoint.login
        if login is None or not login.password:
            return None
        self._accepted[endpoint.registry, login] = login.header() != refused
        if login.header() == refused:
            return None
        return self._keep(endpoint, login.header(), _LONGEST_LIFETIME)

    async def _shared_fetch(self, endpoint: Endpoint, challenge: Challenge) -> str | None:
        task = self._fetching.get(endpoint)
        if task is None:
            task = asyncio.create_task(self._fetch_in_time(endpoint, challenge))
            self._fetching[endpoint] = task
            task.add_done_callback(lambda done: self._fetched(endpoint, done))
        # The first caller may be cancelled while others wait for the same token.
        return await asyncio.shield(task)

    def _fetched(self, endpoint: Endpoint, task: asyncio.Task[str | None]) -> None:
        self._fetching.pop(endpoint, None)
        if not task.cancelled():
            task.exception()  # mark it as retrieved: the waiting callers got it, if there are any

    async def _fetch_in_time(self, endpoint: Endpoint, challenge: Challenge) -> str | None:
        try:
            async with asyncio.timeout(self._bounds.whole):
                return await self._fetch(endpoint, challenge)
        except TimeoutError as error:
            raise TransientError(
                f"the login of {endpoint.registry} did not answer in time",
                kind=TroubleKind.SILENT,
                who=endpoint.registry,
            ) from error

    async def _fetch(self, endpoint: Endpoint, challenge: Challenge) -> str | None:
        url = checked_realm(endpoint, challenge.realm)
        query = {"scope": f"repository:{endpoint.path}:{endpoint.actions}"}
        if challenge.service:
            query["service"] = challenge.service
        login = endpoint.login
        if login is not None and login.identity_token:
            answer = await self._renewed(endpoint, url, query, login.identity_token)
        else:
            header = {"Authorization": login.header()} if login else {}
            asked = url.copy_merge_params(query)
            answer = await self._request(endpoint, "GET", asked, header)
        if login is not None and answer.status in {HTTPStatus.OK, *_WRONG_LOGIN}:
            self._accepted[endpoint.registry, login] = answer.status == HTTPStatus.OK
        if login is not None and answer.status in _WRONG_LOGIN:
            raise RefusedError(f"{endpoint.registry} does not accept the configured login")
        if answer.status in _DENIED:
            return None
        token, lifetime = _token_of(answer, endpoint.registry)
        return self._keep(endpoint, f"Bearer {token}", lifetime)

    async def _renewed(
        self, endpoint: Endpoint, url: httpx.URL, query: Mapping[str, str], token: str
    ) -> RegistryResponse:
        """By OAuth 2: https://distribution.github.io/distribution/spec/auth/oauth/"""
        form = {
            **query,
            "grant_type": "refresh_token",
            "client_id": "imageto-bot",
            "refresh_token": token,
        }
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self._request(endpoint, "POST", url, kind, urlencode(form).encode())

    async def _request(
        self,
        endpoint: Endpoint,
        method: str,
        url: httpx.URL,
        headers: Mapping[str, str],
        content: bytes = b"",
    ) -> RegistryResponse:
        return await self._transport.send(
            method,
            url,
            registry=endpoint.registry,
            prefix="the login of ",
            headers=headers,
            from_config=endpoint.from_config and host_of(url) == host_of(endpoint.base),
            max_bytes=_TOKEN_BODY_BYTES,
            content=content,
        )

    def _keep(self, endpoint: Endpoint, header: str, lifetime: float) -> str:
        now = self._clock()
        self._kept = {key: value for key, value in self._kept.items() if value[1] > now}
        self._kept[endpoint] = (header, now + lifetime - _EXPIRY_MARGIN)
        return header

    async def aclose(self) -> None:
        tasks = list(self._fetching.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def checked_realm(endpoint: Endpoint, text: str) -> httpx.URL:
    """The realm as a URL. Raises RefusedError if this registry may not use it."""
    try:
        realm = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise RefusedError(f"{endpoint.registry} names no usable token server") from error
    host = host_of(realm)
    if (realm.port or 0) > MAX_PORT:
        allowed = False
    elif host == host_of(endpoint.base):
        # Plain http only if the config has the registry itself with plain http.
        allowed = realm.scheme in {"https", endpoint.base.scheme}
    else:
        place = host if realm.port is None else f"{host}:{realm.port}"
        allowed = realm.scheme == "https" and place in endpoint.token_servers
    if not allowed or realm.userinfo:
        shown = one_line(host, 80) or "no host"
        raise RefusedError(
            f"{endpoint.registry} names the token server {shown}, which token_servers does not list"
        )
    return realm


def _token_of(answer: RegistryResponse, registry: str) -> tuple[str, float]:
    if answer.status != HTTPStatus.OK:
        raise RefusedError(f"the login of {registry} answers {answer.status}")
    try:
        token_data = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        text = f"the login of {registry} does not send JSON"
        raise TransientError(text, kind=TroubleKind.UNREADABLE, who=registry) from error
    if not isinstance(token_data, dict):
        raise RefusedError(f"the login of {registry} sends no token")
    token = token_data.get("token") or token_data.get("access_token")
    # It becomes a header, so only visible ASCII is allowed.
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
        raise RefusedError(f"the login of {registry} sends no token")
    return token, _lifetime(token_data.get("expires_in"))


def _lifetime(seconds: object) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
        return _DEFAULT_LIFETIME
    return float(min(seconds, _LONGEST_LIFETIME))
