"""The answer to a registry's 401: Basic, or a token from the realm that it names.

The server chooses the realm, so it is asked only where it is on the list for that registry:
the registry's own host, and for some well-known ones one host more. A login goes nowhere else.
The scope is ours, never the server's: pull from the one repository that is asked for.
"""

import asyncio
import base64
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.request import parse_http_list, parse_keqv_list

import httpx

from bot.adapters.registry.network_guard import host_of
from bot.adapters.registry.transport import BOUNDS, Answer, Bounds, Wire, one_line
from bot.core.errors import RefusedError, TransientError
from bot.core.retry import TroubleKind

REALMS: Final = {
    "docker.io": frozenset({"auth.docker.io"}),
    "docker.elastic.co": frozenset({"docker-auth.elastic.co"}),
    "registry.gitlab.com": frozenset({"gitlab.com"}),
}
"""Token servers on another host than their registry; each is that registry's own."""

_TOKEN_BODY: Final = 64 * 1024
_DEFAULT_LIFE: Final = 60.0  # by the token specification, where the answer names none
_LONGEST_LIFE: Final = 60 * 60.0
_MARGIN: Final = 10.0  # a token is not used in its last seconds: our clocks may differ
_NO_ENTRY: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})


@dataclass(frozen=True, slots=True)
class Login:
    user: str
    password: str = field(repr=False)

    def header(self) -> str:
        pair = f"{self.user}:{self.password}".encode()
        return "Basic " + base64.b64encode(pair).decode("ascii")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one repository is really read. `operators`: the operator wrote that host down."""

    registry: str
    base: httpx.URL
    path: str
    login: Login | None
    operators: bool

    def manifest(self, reference: str) -> httpx.URL:
        return self.base.copy_with(path=f"/v2/{self.path}/manifests/{reference}")

    def blob(self, digest: str) -> httpx.URL:
        return self.base.copy_with(path=f"/v2/{self.path}/blobs/{digest}")

    def tags(self) -> httpx.URL:
        return self.base.copy_with(path=f"/v2/{self.path}/tags/list")


@dataclass(frozen=True, slots=True)
class Challenge:
    scheme: str
    realm: str = ""
    service: str = ""


def challenge_of(headers: httpx.Headers) -> Challenge | None:
    """What a 401 asks for; Bearer before Basic, None where it is neither."""
    found = [_parse(text) for text in headers.get_list("www-authenticate")]
    for scheme in ("bearer", "basic"):
        for challenge in found:
            if challenge is not None and challenge.scheme == scheme:
                return challenge
    return None


def _parse(text: str) -> Challenge | None:
    scheme, _, rest = text[:4096].strip().partition(" ")
    try:
        values = parse_keqv_list(parse_http_list(rest))
    except (ValueError, IndexError):  # the second for `realm=` with nothing behind it
        values = {}
    fields = {key.lower(): value for key, value in values.items()}
    return Challenge(scheme.lower(), fields.get("realm", ""), fields.get("service", ""))


class Tokens:
    """The Authorization headers that are in force, and the way to new ones."""

    def __init__(
        self, wire: Wire, clock: Callable[[], float] = time.monotonic, bounds: Bounds = BOUNDS
    ) -> None:
        self._wire = wire
        self._bounds = bounds
        self._clock = clock
        self._kept: dict[Endpoint, tuple[str, float]] = {}
        self._fetching: dict[Endpoint, asyncio.Task[str | None]] = {}

    def kept(self, endpoint: Endpoint) -> str | None:
        header, until = self._kept.get(endpoint, ("", 0.0))
        return header if header and self._clock() < until else None

    async def answer(
        self, endpoint: Endpoint, challenge: Challenge | None, *, refused: str | None
    ) -> str | None:
        """A header that may be let in, other than `refused`; None where there is none."""
        kept = self.kept(endpoint)
        if kept is not None and kept != refused:
            return kept  # somebody else got it meanwhile
        self._kept.pop(endpoint, None)
        if challenge is None:
            return None
        if challenge.scheme == "bearer":
            return await self._shared_fetch(endpoint, challenge)
        if endpoint.login is None or endpoint.login.header() == refused:
            return None
        return self._keep(endpoint, endpoint.login.header(), _LONGEST_LIFE)

    async def _shared_fetch(self, endpoint: Endpoint, challenge: Challenge) -> str | None:
        task = self._fetching.get(endpoint)
        if task is None:
            task = asyncio.create_task(self._fetch_in_time(endpoint, challenge))
            self._fetching[endpoint] = task
            task.add_done_callback(lambda done: self._fetched(endpoint, done))
        # Whoever came first may give up; the others still wait for the same answer.
        return await asyncio.shield(task)

    def _fetched(self, endpoint: Endpoint, task: asyncio.Task[str | None]) -> None:
        self._fetching.pop(endpoint, None)
        if not task.cancelled():
            task.exception()  # has been told to those who wait, if anybody still does

    async def _fetch_in_time(self, endpoint: Endpoint, challenge: Challenge) -> str | None:
        try:
            async with asyncio.timeout(self._bounds.whole):
                return await self._fetch(endpoint, challenge)
        except TimeoutError as error:
            raise TransientError(
                f"the login of {endpoint.registry} takes too long",
                kind=TroubleKind.SILENT,
                who=endpoint.registry,
            ) from error

    async def _fetch(self, endpoint: Endpoint, challenge: Challenge) -> str | None:
        url = realm_of(endpoint, challenge.realm)
        query = {"scope": f"repository:{endpoint.path}:pull"}
        if challenge.service:
            query["service"] = challenge.service
        login = endpoint.login
        answer = await self._wire.ask(
            "GET",
            url.copy_merge_params(query),
            who=endpoint.registry,
            part="the login of ",
            headers={"Authorization": login.header()} if login else {},
            operators=endpoint.operators and host_of(url) == host_of(endpoint.base),
            limit=_TOKEN_BODY,
        )
        if answer.status == HTTPStatus.UNAUTHORIZED and login is not None:
            raise RefusedError(f"{endpoint.registry} does not accept the configured login")
        if answer.status in _NO_ENTRY:
            return None
        token, life = _token_of(answer, endpoint.registry)
        return self._keep(endpoint, f"Bearer {token}", life)

    def _keep(self, endpoint: Endpoint, header: str, life: float) -> str:
        now = self._clock()
        self._kept = {key: value for key, value in self._kept.items() if value[1] > now}
        self._kept[endpoint] = (header, now + life - _MARGIN)
        return header

    async def aclose(self) -> None:
        tasks = list(self._fetching.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


LAST_PORT: Final = 65535


def realm_of(endpoint: Endpoint, text: str) -> httpx.URL:
    """The realm, if it is one that this registry may name; Refused if not."""
    try:
        realm = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise RefusedError(f"{endpoint.registry} names no usable token server") from error
    host = host_of(realm)
    if (realm.port or 0) > LAST_PORT:
        good = False
    elif host == host_of(endpoint.base):
        # Plain http only where the operator has the registry itself by plain http.
        good = realm.scheme in {"https", endpoint.base.scheme}
    else:
        listed = host in REALMS.get(endpoint.registry, ())
        good = listed and realm.scheme == "https" and realm.port is None
    if not good or realm.userinfo:
        shown = one_line(host, 80) or "nobody"
        raise RefusedError(f"{endpoint.registry} sends logins to {shown}, which is not on its list")
    return realm


def _token_of(answer: Answer, registry: str) -> tuple[str, float]:
    if answer.status != HTTPStatus.OK:
        raise RefusedError(f"the login of {registry} answers {answer.status}")
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        text = f"the login of {registry} sends what is no JSON"
        raise TransientError(text, kind=TroubleKind.UNREADABLE, who=registry) from error
    if not isinstance(told, dict):
        raise RefusedError(f"the login of {registry} sends no token")
    token = told.get("token") or told.get("access_token")
    # It becomes a header: nothing but visible ASCII may be in it.
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
        raise RefusedError(f"the login of {registry} sends no token")
    return token, _life_of(told.get("expires_in"))


def _life_of(told: object) -> float:
    if isinstance(told, bool) or not isinstance(told, int | float) or not told > 0:
        return _DEFAULT_LIFE
    return float(min(told, _LONGEST_LIFE))
