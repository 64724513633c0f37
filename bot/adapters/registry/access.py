"""How one question gets to a registry: its turn, the login it asks for, where it sends us on.

A login never goes along with a redirect, and only the registry itself may ask for one. What is
asked, and what an answer means, is not known here.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Final

import httpx

from bot.adapters.registry.auth import Endpoint, Tokens, challenge_of
from bot.adapters.registry.network_guard import host_of
from bot.adapters.registry.pull_limits import Budgets
from bot.adapters.registry.transport import BOUNDS, Answer, Bounds, Wire
from bot.core.errors import RefusedError, TransientError
from bot.core.retry import TroubleKind

_AT_ONCE: Final = 8
_REDIRECTS: Final = 3
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_HOST: Final = re.compile(r"[A-Za-z0-9.:-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`limit` is how many bytes of an answer are read."""

    method: str
    url: httpx.URL
    accept: str
    limit: int


class Access:
    """The way in to every registry, and what they say of their pull limits on it."""

    def __init__(
        self,
        network: httpx.AsyncBaseTransport,
        clock: Callable[[], float],
        budgets: Budgets,
        bounds: Bounds = BOUNDS,
    ) -> None:
        self._bounds = bounds
        self._wire = Wire(network, bounds)
        self._tokens = Tokens(self._wire, clock, bounds)
        self._budgets = budgets
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(_AT_ONCE)
        )

    @asynccontextmanager
    async def turn(self, endpoint: Endpoint) -> AsyncIterator[None]:
        """One of the few places at a registry; the time runs from when it is taken."""
        async with self._turns[host_of(endpoint.base)]:
            try:
                async with asyncio.timeout(self._bounds.whole):
                    yield
            except TimeoutError as error:
                raise TransientError(
                    f"{endpoint.registry} takes too long to answer",
                    kind=TroubleKind.SILENT,
                    who=endpoint.registry,
                ) from error

    async def ask(self, endpoint: Endpoint, question: Question) -> Answer:
        """The answer, after the registry was given what it asks for to let us in.

        Only within a turn. Raises TransientError, and RefusedError where a login or a
        redirect is not allowed.
        """
        header = self._tokens.kept(endpoint)
        # A kept token may have been withdrawn: so twice.
        for _ in range(2):
            answer = await self._follow(endpoint, question, header)
            if answer.status != HTTPStatus.UNAUTHORIZED:
                return answer
            challenge = challenge_of(answer.headers)
            header = await self._tokens.answer(endpoint, challenge, refused=header)
            if header is None:
                return answer
        return await self._follow(endpoint, question, header)

    async def aclose(self) -> None:
        await self._tokens.aclose()
        await self._wire.aclose()

    async def _follow(self, endpoint: Endpoint, question: Question, header: str | None) -> Answer:
        """registry.k8s.io and others send readers elsewhere."""
        url = question.url
        answer = await self._wire.ask(
            question.method,
            url,
            who=endpoint.registry,
            headers={"Accept": question.accept} | ({"Authorization": header} if header else {}),
            operators=endpoint.operators,
            limit=question.limit,
            heard=partial(self._budgets.note, endpoint.registry),
        )
        for _ in range(_REDIRECTS):
            if answer.status not in _MOVED:
                return answer
            url = _next_url(url, answer, endpoint.registry)
            answer = await self._wire.ask(
                question.method,
                url,
                who=endpoint.registry,
                headers={"Accept": question.accept},
                operators=endpoint.operators and host_of(url) == host_of(endpoint.base),
                limit=question.limit,
            )
            answer.headers.pop("www-authenticate", None)
        if answer.status in _MOVED:
            raise RefusedError(f"{endpoint.registry} redirects more than {_REDIRECTS} times")
        return answer


def _next_url(url: httpx.URL, answer: Answer, registry: str) -> httpx.URL:
    try:
        following = url.join(answer.headers.get("location", ""))
        host = following.host  # decoded, which fails for some; a request to those cannot be made
    except (httpx.InvalidURL, ValueError) as error:
        raise RefusedError(f"{registry} redirects to an address that cannot be read") from error
    if not _HOST.fullmatch(host):  # httpx quotes what cannot stand in a host
        raise RefusedError(f"{registry} redirects to an address that cannot be read")
    if following.scheme != "https" or following.userinfo:
        raise RefusedError(f"{registry} redirects to an address that is not plain https")
    return following
