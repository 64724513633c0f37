"""The look before the copy: what a registry holds under a name, without fetching it.

Digests are asked for by HEAD, because Docker Hub counts each GET of a manifest as a pull; a
HEAD without a digest is refused and never made up for by a GET. Only `shape` and `describe`
send GETs of manifests: one, and those of an index's children only where they are not counted
or not missed. No host is asked that is not on the allow list, the operator's own, or where one
of those sent us by a redirect to a public address. Nothing here decides what an answer means
for a transfer.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Final

import httpx

from bot.adapters.registry.access import Access, Question
from bot.adapters.registry.auth import Endpoint, Login
from bot.adapters.registry.manifest import (
    ACCEPT,
    Config,
    Manifest,
    config_of,
    digest_of,
    is_digest,
    manifest_of,
    size_of,
)
from bot.adapters.registry.network_guard import GuardedTransport, Resolve, host_of, system_resolve
from bot.adapters.registry.pull_limits import Budgets
from bot.adapters.registry.tags import MOST_PAGES, MOST_TAGS, first_page, next_page, tags_of
from bot.adapters.registry.transport import BOUNDS, Answer, Bounds, one_line
from bot.core.errors import ConfigError, RefusedError, TransientError
from bot.core.image import DOCKER_HUB, DOCKER_HUB_HOSTS, ImageRef, Target
from bot.core.registry import ImageInfo, PullLimit

_HUB_ADDRESS: Final = httpx.URL("https://registry-1.docker.io")
_MANIFEST_BODY: Final = 4 * 1024 * 1024  # the limit that registries themselves keep to
_CONFIG_BODY: Final = 1024 * 1024
_TAGS_BODY: Final = 4 * 1024 * 1024
_MOST_CHILDREN: Final = 8
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
        bounds: Bounds = BOUNDS,
    ) -> None:
        self._bases = {name.lower(): _base_of(name, url) for name, url in addresses.items()}
        self._target = target
        self._target_login = Login(*target_login) if target_login else None
        self._logins = {name.lower(): Login(*pair) for name, pair in source_logins.items()}
        self._allowed = frozenset(name.lower() for name in allowed)
        network = transport or GuardedTransport(resolve=resolve, trust_env=trust_env)
        self._budgets = Budgets(clock)
        self._access = Access(network, clock, self._budgets, bounds)

    async def source_digest(self, image: ImageRef) -> str | None:
        """By HEAD. None where the image is missing or private: registries do not tell which."""
        endpoint = self._source(image)
        answer = await self._head(endpoint, image.digest or image.tag or "")
        if answer.status in _NOT_THERE:
            return None
        return digest_of(answer, endpoint.registry, wanted=image.digest)

    async def target_digest(self, image: ImageRef) -> str | None:
        """By HEAD. None where it is missing; Refused where the target may not be read."""
        reference = image.tag or image.digest or ""
        endpoint = self._place(image)
        answer = await self._head(endpoint, reference)
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        return digest_of(answer, endpoint.registry, wanted=None if image.tag else image.digest)

    async def shape(self, image: ImageRef, digest: str) -> ImageInfo:
        """By one GET of the manifest at the source; an index's size by GETs of its children.

        Where those are counted or too many, its size stays None.
        """
        endpoint = self._source(image)
        manifest = await self._manifest(endpoint, digest)
        children = await self._children(endpoint, manifest)
        return ImageInfo(manifest.platforms, size_of(manifest, children.values()))

    async def describe(self, image: ImageRef, digest: str, *, at_target: bool = False) -> ImageInfo:
        """The shape, and what the config of one platform adds to it.

        What cannot be had after the first manifest, or only by a pull that is not to spare, is
        left out; raises where that one cannot be had.
        """
        endpoint = self._place(image) if at_target else self._source(image)
        manifest = await self._manifest(endpoint, digest)
        children = await self._children(endpoint, manifest)
        config = await self._config(endpoint, await self._common(endpoint, manifest, children))
        platforms = manifest.platforms
        if not manifest.children and config.platform:
            platforms = (config.platform,)
        return ImageInfo(platforms, size_of(manifest, children.values()), config.created)

    async def tags(self, image: ImageRef) -> tuple[str, ...]:
        """The first few thousand tags of the image's repository, in the source's order.

        Empty where it is missing or private. No registry counts this as a pull.
        """
        endpoint = self._source(image)
        found: dict[str, None] = {}
        url = first_page(endpoint.tags())
        async with self._access.turn(endpoint):
            for _ in range(MOST_PAGES):
                question = Question(
                    method="GET", url=url, accept="application/json", limit=_TAGS_BODY
                )
                answer = await self._access.ask(endpoint, question)
                if answer.status in _NOT_THERE:
                    break
                found |= dict.fromkeys(tags_of(answer, endpoint.registry))
                following = next_page(url, answer)
                if following is None:
                    break
                url = following
        return tuple(found)[:MOST_TAGS]

    def budgets(self) -> Mapping[str, PullLimit]:
        """What registries have lately said of their pull limits, by the name of each."""
        return self._budgets.known()

    def spares(self, registry: str) -> bool:
        """Whether a GET that is not necessary may be sent: there is no limit, or half is left."""
        return self._budgets.spares(registry.lower())

    async def aclose(self) -> None:
        await self._access.aclose()

    def _source(self, image: ImageRef) -> Endpoint:
        name = image.registry.lower()
        if name not in self._allowed:
            raise RefusedError(f"{image.registry} is not an allowed registry")
        return self._endpoint(name, image.repository, login=self._logins.get(name))

    def _place(self, image: ImageRef) -> Endpoint:
        host = self._target.host
        reference = image.tag or image.digest or ""
        name = self._target.name_of(image).removeprefix(f"{host}/")
        repository = name[: -len(reference) - 1]  # and the ":" or "@" between them
        endpoint = self._endpoint(host.lower(), repository, login=self._target_login)
        return replace(endpoint, operators=True)

    def _endpoint(self, name: str, repository: str, *, login: Login | None) -> Endpoint:
        listed = self._bases.get(name)
        try:
            base = listed or (_HUB_ADDRESS if name == DOCKER_HUB else httpx.URL(f"https://{name}"))
        except httpx.InvalidURL as error:  # such as 0177.0.0.1
            raise RefusedError(f"{name} is no name of a host") from error
        path = f"{base.path.strip('/')}/{repository}".strip("/")
        return Endpoint(name, base, path, login, operators=listed is not None)

    async def _head(self, endpoint: Endpoint, reference: str) -> Answer:
        return await self._ask("HEAD", endpoint, endpoint.manifest(reference))

    async def _ask(
        self,
        method: str,
        endpoint: Endpoint,
        url: httpx.URL,
        *,
        accept: str = ACCEPT,
        limit: int = _MANIFEST_BODY,
    ) -> Answer:
        question = Question(method=method, url=url, accept=accept, limit=limit)
        async with self._access.turn(endpoint):
            return await self._access.ask(endpoint, question)

    async def _manifest(self, endpoint: Endpoint, digest: str) -> Manifest:
        if not is_digest(digest):
            raise RefusedError(f"{one_line(digest, 80)} is no digest")
        answer = await self._ask("GET", endpoint, endpoint.manifest(digest))
        return manifest_of(answer, endpoint.registry, digest)

    async def _manifest_if_any(self, endpoint: Endpoint, digest: str) -> Manifest | None:
        try:
            return await self._manifest(endpoint, digest)
        except (TransientError, RefusedError):
            return None

    async def _children(
        self, endpoint: Endpoint, manifest: Manifest
    ) -> Mapping[str, Manifest | None]:
        """All of an index's manifests by digest, None for one that fails; or none of them."""
        digests = manifest.parts
        if len(digests) > _MOST_CHILDREN or self._counts(endpoint):
            return {}
        found = await asyncio.gather(*(self._manifest_if_any(endpoint, d) for d in digests))
        return dict(zip(digests, found, strict=True))

    def _counts(self, endpoint: Endpoint) -> bool:
        """Whether a GET of a manifest is a pull there. Docker Hub counts for some in silence."""
        return host_of(endpoint.base) in DOCKER_HUB_HOSTS or self._budgets.counts(endpoint.registry)

    async def _common(
        self, endpoint: Endpoint, manifest: Manifest, children: Mapping[str, Manifest | None]
    ) -> Manifest | None:
        """The manifest of the one platform that is looked at closer."""
        digest = manifest.common_part()
        if digest is None:
            return manifest
        if digest in children:
            return children[digest]
        if not self.spares(endpoint.registry):
            return None
        return await self._manifest_if_any(endpoint, digest)

    async def _config(self, endpoint: Endpoint, manifest: Manifest | None) -> Config:
        """By one GET of a blob, which no registry counts."""
        if manifest is None or manifest.config is None:
            return Config()
        url = endpoint.blob(manifest.config)
        try:
            answer = await self._ask("GET", endpoint, url, accept="*/*", limit=_CONFIG_BODY)
        except (TransientError, RefusedError):
            return Config()
        return config_of(answer, manifest.config)


def _base_of(name: str, text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ConfigError(f"addresses: {name}: {error}") from error
    if url.scheme not in {"http", "https"} or not url.host or url.userinfo or url.query:
        raise ConfigError(f"addresses: {name}: expected a URL such as http://cache.example:5000")
    return url
