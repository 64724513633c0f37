"""The look before the copy: what a registry holds under a name, without fetching it.

Digests are asked for by HEAD, because Docker Hub counts each GET of a manifest as a pull; a
HEAD without a digest is refused and never made up for by a GET. Only `shape` sends a GET. No
host is asked that is not on the allow list, the operator's own, or where one of those sent us
by a redirect to a public address. Nothing here decides what an answer means for a transfer.
"""

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import Final

import httpx

from bot.adapters.network_guard import GuardedTransport, Resolve, host_of, system_resolve
from bot.adapters.registry_auth import TIME_LIMIT, Endpoint, Login, Tokens, challenge_of
from bot.adapters.registry_manifest import ACCEPT, digest_of, is_digest, shape_of
from bot.adapters.registry_wire import Answer, Wire, one_line
from bot.core.facts import Shape
from bot.core.image import HUB, ImageRef, Target
from bot.errors import ConfigError, Refused, Temporary

_HUB_ADDRESS: Final = "https://registry-1.docker.io"
_MANIFEST_BODY: Final = 4 * 1024 * 1024  # the limit that registries themselves keep to
_AT_ONCE: Final = 8
_REDIRECTS: Final = 3
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_NOT_THERE: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})


class RegistryClient:
    """Reads manifests of allowed source registries and of the target.

    `addresses` are where registries are really reached, in the operator's words: they may be
    plain http and private, and so may the target be private. A login of `source_logins` is for
    the registry of that name, at whatever address the operator gave for it. `transport` stands
    in for the whole network, the guard of addresses included. With `trust_env`, the proxy
    variables of the environment count: see GuardedTransport for what that means.
    """

    def __init__(
        self,
        *,
        addresses: Mapping[str, str],
        target: Target,
        allowed: Collection[str],
        target_login: tuple[str, str] | None,
        source_logins: Mapping[str, tuple[str, str]],
        transport: httpx.AsyncBaseTransport | None = None,
        resolve: Resolve = system_resolve,
        trust_env: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bases = {name.lower(): _base_of(name, url) for name, url in addresses.items()}
        self._target = target
        self._target_login = Login(*target_login) if target_login else None
        self._logins = {name.lower(): Login(*pair) for name, pair in source_logins.items()}
        self._allowed = frozenset(name.lower() for name in allowed)
        network = transport or GuardedTransport(resolve=resolve, trust_env=trust_env)
        self._wire = Wire(network)
        self._tokens = Tokens(self._wire, clock)
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(_AT_ONCE)
        )

    async def source_digest(self, image: ImageRef) -> str | None:
        """By HEAD. None where the image is missing or private: registries do not tell which."""
        endpoint = self._source(image)
        answer = await self._manifest("HEAD", endpoint, image.digest or image.tag or "")
        if answer.status in _NOT_THERE:
            return None
        return digest_of(answer, endpoint.registry, wanted=image.digest)

    async def target_digest(self, image: ImageRef) -> str | None:
        """By HEAD. None where it is missing; Refused where the target may not be read."""
        reference = image.tag or image.digest or ""
        endpoint = self._place(image, reference)
        answer = await self._manifest("HEAD", endpoint, reference)
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        return digest_of(answer, endpoint.registry, wanted=None if image.tag else image.digest)

    async def shape(self, image: ImageRef, digest: str) -> Shape:
        """By one GET of the manifest at the source."""
        if not is_digest(digest):
            raise Refused(f"{one_line(digest, 80)} is no digest")
        endpoint = self._source(image)
        answer = await self._manifest("GET", endpoint, digest)
        return shape_of(answer, endpoint.registry, digest)

    async def aclose(self) -> None:
        await self._tokens.aclose()
        await self._wire.aclose()

    def _source(self, image: ImageRef) -> Endpoint:
        name = image.registry.lower()
        if name not in self._allowed:
            raise Refused(f"{image.registry} is not an allowed registry")
        return self._endpoint(name, image.repository, login=self._logins.get(name))

    def _place(self, image: ImageRef, reference: str) -> Endpoint:
        host = self._target.host
        name = self._target.name_of(image).removeprefix(f"{host}/")
        repository = name[: -len(reference) - 1]  # and the ":" or "@" between them
        endpoint = self._endpoint(host.lower(), repository, login=self._target_login)
        return replace(endpoint, operators=True)

    def _endpoint(self, name: str, repository: str, *, login: Login | None) -> Endpoint:
        listed = self._bases.get(name)
        default = _HUB_ADDRESS if name == HUB else f"https://{name}"
        base = listed or httpx.URL(default)
        path = f"{base.path.strip('/')}/{repository}".strip("/")
        return Endpoint(name, base, path, login, operators=listed is not None)

    @asynccontextmanager
    async def _turn(self, endpoint: Endpoint) -> AsyncIterator[None]:
        """One of the few places at a registry; the time runs from when it is taken."""
        async with self._turns[host_of(endpoint.base)]:
            try:
                async with asyncio.timeout(TIME_LIMIT):
                    yield
            except TimeoutError as error:
                raise Temporary(f"{endpoint.registry} takes too long to answer") from error

    async def _manifest(self, method: str, endpoint: Endpoint, reference: str) -> Answer:
        """The registry's answer, after it was given what it asks for to let us in."""
        async with self._turn(endpoint):
            header = self._tokens.kept(endpoint)
            # A kept token may have been withdrawn: so twice.
            for _ in range(2):
                answer = await self._follow(method, endpoint, reference, header)
                if answer.status != HTTPStatus.UNAUTHORIZED:
                    return answer
                challenge = challenge_of(answer.headers)
                header = await self._tokens.answer(endpoint, challenge, refused=header)
                if header is None:
                    return answer
            return await self._follow(method, endpoint, reference, header)

    async def _follow(
        self, method: str, endpoint: Endpoint, reference: str, header: str | None
    ) -> Answer:
        """registry.k8s.io and others send readers elsewhere; a login never goes along."""
        url, operators = endpoint.manifest(reference), endpoint.operators
        headers = {"Accept": ACCEPT} | ({"Authorization": header} if header else {})
        answer = await self._ask(method, url, endpoint, headers, operators=operators)
        for _ in range(_REDIRECTS):
            if answer.status not in _MOVED:
                return answer
            url = _next_url(url, answer, endpoint.registry)
            operators = endpoint.operators and host_of(url) == host_of(endpoint.base)
            headers = {"Accept": ACCEPT}
            answer = await self._ask(method, url, endpoint, headers, operators=operators)
            # Only the registry itself may ask for a login.
            answer.headers.pop("www-authenticate", None)
        if answer.status in _MOVED:
            raise Refused(f"{endpoint.registry} redirects more than {_REDIRECTS} times")
        return answer

    async def _ask(
        self,
        method: str,
        url: httpx.URL,
        endpoint: Endpoint,
        headers: Mapping[str, str],
        *,
        operators: bool,
    ) -> Answer:
        return await self._wire.ask(
            method,
            url,
            who=endpoint.registry,
            headers=headers,
            operators=operators,
            limit=_MANIFEST_BODY,
        )


_HOST: Final = re.compile(r"[A-Za-z0-9.:-]+")


def _base_of(name: str, text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ConfigError(f"addresses: {name}: {error}") from error
    if url.scheme not in {"http", "https"} or not url.host or url.userinfo or url.query:
        raise ConfigError(f"addresses: {name}: expected a URL such as http://cache.example:5000")
    return url


def _next_url(url: httpx.URL, answer: Answer, registry: str) -> httpx.URL:
    try:
        following = url.join(answer.headers.get("location", ""))
    except (httpx.InvalidURL, ValueError) as error:
        raise Refused(f"{registry} redirects to an address that cannot be read") from error
    if not _HOST.fullmatch(following.host):  # httpx quotes what cannot stand in a host
        raise Refused(f"{registry} redirects to an address that cannot be read")
    if following.scheme != "https" or following.userinfo:
        raise Refused(f"{registry} redirects to an address that is not plain https")
    return following
