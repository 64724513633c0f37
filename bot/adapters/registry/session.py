"""Sends one request to a registry: waits for its turn, logs in, follows redirects.

A login is never sent along with a redirect, and only the registry itself may ask for one. What is
requested, and what the response means, is up to client.py.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Final

import httpx

from bot.adapters.registry.auth import Endpoint, Tokens, parse_challenge
from bot.adapters.registry.network_guard import host_of
from bot.adapters.registry.pull_limits import PullLimits
from bot.adapters.registry.transport import (
    REGISTRY_BOUNDS,
    BoundedTransport,
    RegistryBounds,
    RegistryResponse,
)
from bot.core.errors import RefusedError, TransientError
from bot.core.retry import TroubleKind

_REQUESTS_PER_REGISTRY: Final = 8
"""How many requests to one registry run at the same time."""
_MAX_REDIRECTS: Final = 3
_READS: Final = frozenset({"GET", "HEAD"})
_REDIRECT_CODES: Final = frozenset({301, 302, 303, 307, 308})
_HOST: Final = re.compile(r"[A-Za-z0-9.:-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryRequest:
    """`max_bytes`: a longer answer is refused. `kind`: the media type of `content`."""

    method: str
    url: httpx.URL
    accept: str
    max_bytes: int
    content: bytes = b""
    kind: str = ""

    def headers(self, authorization: str | None) -> dict[str, str]:
        found = {"Content-Type": self.kind} if self.kind else {}
        found |= {"Authorization": authorization} if authorization else {}
        return {"Accept": self.accept, **found}


class RegistrySession:
    """Tokens, limits of concurrency and pull limits of all registries."""

    def __init__(
        self,
        network: httpx.AsyncBaseTransport,
        clock: Callable[[], float],
        pull_limits: PullLimits,
        bounds: RegistryBounds = REGISTRY_BOUNDS,
    ) -> None:
        self._bounds = bounds
        self._transport = BoundedTransport(network, bounds)
        self._tokens = Tokens(self._transport, clock, bounds)
        self._pull_limits = pull_limits
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(_REQUESTS_PER_REGISTRY)
        )

    @asynccontextmanager
    async def turn(self, endpoint: Endpoint) -> AsyncIterator[None]:
        """Wait until a request may start. Its time limit runs from then on.

        Raises TransientError if it is exceeded.
        """
        async with self._turns[host_of(endpoint.base)]:
            try:
                async with asyncio.timeout(self._bounds.whole):
                    yield
            except TimeoutError as error:
                raise TransientError(
                    f"{endpoint.registry} did not answer in time",
                    kind=TroubleKind.SILENT,
                    who=endpoint.registry,
                ) from error

    def logins(self) -> Mapping[str, bool]:
        """As in `Tokens`."""
        return self._tokens.logins()

    async def send(self, endpoint: Endpoint, request: RegistryRequest) -> RegistryResponse:
        """The response, after a login if the registry asks for one. Call it within a turn.

        Raises TransientError, or RefusedError if a login or a redirect is not allowed.
        """
        header = self._tokens.kept(endpoint)
        # Twice, because a kept token may have been revoked.
        for _ in range(2):
            answer = await self._follow(endpoint, request, header)
            if answer.status != HTTPStatus.UNAUTHORIZED:
                return answer
            challenge = parse_challenge(answer.headers)
            header = await self._tokens.header_for(endpoint, challenge, refused=header)
            if header is None:
                return answer
        return await self._follow(endpoint, request, header)

    async def aclose(self) -> None:
        await self._tokens.aclose()
        await self._transport.aclose()

    async def _follow(
        self, endpoint: Endpoint, request: RegistryRequest, header: str | None
    ) -> RegistryResponse:
        """Send, and follow redirects. registry.k8s.io and others use them.

        What is written goes to the registry itself, so its redirects are not followed.
        """
        url = request.url
        answer = await self._transport.send(
            request.method,
            url,
            registry=endpoint.registry,
            headers=request.headers(header),
            from_config=endpoint.from_config,
            max_bytes=request.max_bytes,
            content=request.content,
            on_headers=partial(self._pull_limits.record, endpoint.registry),
        )
        for _ in range(_MAX_REDIRECTS):
            if answer.status not in _REDIRECT_CODES or request.method not in _READS:
                return answer
            url = _next_url(url, answer, endpoint.registry)
            answer = await self._transport.send(
                request.method,
                url,
                registry=endpoint.registry,
                headers={"Accept": request.accept},
                from_config=endpoint.from_config and host_of(url) == host_of(endpoint.base),
                max_bytes=request.max_bytes,
            )
            answer.headers.pop("www-authenticate", None)
        if answer.status in _REDIRECT_CODES:
            raise RefusedError(f"{endpoint.registry} redirects more than {_MAX_REDIRECTS} times")
        return answer


def _next_url(url: httpx.URL, answer: RegistryResponse, registry: str) -> httpx.URL:
    try:
        following = url.join(answer.headers.get("location", ""))
        host = following.host  # decoding fails for hosts to which no request can be made
    except (httpx.InvalidURL, ValueError) as error:
        raise RefusedError(f"{registry} redirects to an address that cannot be read") from error
    if not _HOST.fullmatch(host):  # httpx quotes characters that a host cannot have
        raise RefusedError(f"{registry} redirects to an address that cannot be read")
    if following.scheme != "https" or following.userinfo:
        raise RefusedError(f"{registry} redirects to an address that is not plain https")
    return following
