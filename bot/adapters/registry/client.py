"""Reads digests, sizes, platforms and tags from registries: implements engine.ports.Registries.

1. A digest is requested by HEAD, because Docker Hub counts each GET of a manifest as a pull.
   Sources that answer HEAD wrongly, such as Nexus, are sent a GET, if it is not counted.
2. `shape` and `describe` GET one manifest. They GET more of them only if they are not counted, or
   if enough of the pull limit is left.
3. A request goes to an allowed registry, to a host in the config, or to a public address to
   which one of these redirects.

It decides nothing about a transfer. Public methods raise TransientError if the same call may work
later, and RefusedError if it will not. The API:
https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

import httpx

from bot.adapters.network import Network
from bot.adapters.registry.auth import Endpoint, Login
from bot.adapters.registry.manifest import (
    ACCEPT_MANIFESTS,
    ImageConfig,
    Manifest,
    head_digest,
    is_digest,
    parse_config,
    parse_manifest,
    says_nothing,
    total_size,
    with_digest,
)
from bot.adapters.registry.network_guard import GuardedTransport, Resolve, host_of, system_resolve
from bot.adapters.registry.pull_limits import PullLimits
from bot.adapters.registry.session import RegistryRequest, RegistrySession
from bot.adapters.registry.signatures import signed_by
from bot.adapters.registry.tags import (
    MAX_LISTED_PAGES,
    MAX_LISTED_TAGS,
    MAX_TAG_PAGES,
    MAX_TAGS,
    first_page,
    next_page,
    parse_tags,
)
from bot.adapters.registry.transport import (
    REGISTRY_BOUNDS,
    RegistryBounds,
    RegistryResponse,
    first_error,
    one_line,
)
from bot.core.errors import ConfigError, PullRefusedError, RefusedError, TransientError
from bot.core.image import DOCKER_HUB, DOCKER_HUB_HOSTS, ImageRef, Target
from bot.core.registry import ImageInfo, PullLimit, TagList
from bot.core.signature import Signer
from bot.core.token_servers import token_servers

HUB_ADDRESS: Final = httpx.URL("https://registry-1.docker.io")
_MANIFEST_BYTES: Final = 4 * 1024 * 1024  # the limit of the registries themselves
_CONFIG_BYTES: Final = 1024 * 1024
_SIGNATURE_BYTES: Final = 1024 * 1024  # of a bundle, which has a few certificates
_TAGS_PAGE_BYTES: Final = 4 * 1024 * 1024
_MAX_CHILDREN: Final = 8
_MISSING_OR_PRIVATE: Final = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
)


class RegistryClient:
    """Reads manifests of allowed source registries and of the target.

    `addresses`: the URL of a registry by its name, as in the config. It may be plain http and
    private. The target may be private too. `source_logins` (user, password, and an identity token
    if there is one) are by the name of a registry, or the first parts of a repository's name such
    as `ghcr.io/team`, whatever the address. `own_token_servers`: hosts by the name of a registry,
    beside those of core/token_servers.py. `transport` replaces the whole network, the guard
    against private addresses included. `network`: proxies and certificates, None for those of the
    environment.
    """

    def __init__(
        self,
        *,
        addresses: Mapping[str, str],
        target: Target,
        allowed: Collection[str],
        target_login: tuple[str, str] | None,
        source_logins: Mapping[str, tuple[str, str] | tuple[str, str, str]],
        own_token_servers: Mapping[str, Collection[str]] = MappingProxyType({}),
        transport: httpx.AsyncBaseTransport | None = None,
        resolve: Resolve = system_resolve,
        network: Network | None = None,
        clock: Callable[[], float] = time.monotonic,
        bounds: RegistryBounds = REGISTRY_BOUNDS,
    ) -> None:
        self._bases = {name.lower(): _base_of(name, url) for name, url in addresses.items()}
        self._target = target
        self._target_login = Login(*target_login) if target_login else None
        self._logins = {key: Login(*pair) for key, pair in source_logins.items()}
        self._token_servers = {key: tuple(hosts) for key, hosts in own_token_servers.items()}
        self._allowed = frozenset(name.lower() for name in allowed)
        transport = transport or GuardedTransport(resolve=resolve, network=network)
        self._pull_limits = PullLimits(clock)
        self._knows_head: dict[str, bool] = {}
        self._session = RegistrySession(transport, clock, self._pull_limits, bounds)

    async def source_digest(self, image: ImageRef) -> str | None:
        """By HEAD. None if the image is missing or private. Registries do not tell which."""
        endpoint = self._source_endpoint(image)
        answer = await self._head_or_get(endpoint, image.digest or image.tag or "")
        if answer.status in _MISSING_OR_PRIVATE:
            return None
        return head_digest(answer, endpoint.registry, wanted=image.digest)

    async def target_digest(self, image: ImageRef) -> str | None:
        """By HEAD. None if it is missing. Raises RefusedError if the target may not be read.

        Harbor has what it lets nobody pull, such as an image that is not scanned yet. Its reason,
        which only the answer to a GET holds, is the text of the PullRefusedError.
        """
        reference = image.tag or image.digest or ""
        endpoint = self.target_endpoint(image)
        answer = await self._head(endpoint, reference)
        if answer.status == HTTPStatus.PRECONDITION_FAILED:
            told = first_error(await self.ask("GET", endpoint, endpoint.manifest(reference)))
            raise PullRefusedError(told[1] if told else f"{endpoint.registry} answers 412")
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        return head_digest(answer, endpoint.registry, wanted=None if image.tag else image.digest)

    async def signed_by(self, image: ImageRef, digest: str, signer: Signer) -> str:
        """As in `Signatures`: by a few GETs. See signatures.py."""
        endpoint = self._source_endpoint(image)
        ask = partial(self.ask, "GET", endpoint, max_bytes=_SIGNATURE_BYTES)
        return await signed_by(
            lambda path, accept: ask(endpoint.below(path), accept=accept),
            digest,
            signer,
            registry=endpoint.registry,
        )

    async def shape(self, image: ImageRef, digest: str) -> ImageInfo:
        """Platforms and size, by one GET of the manifest at the source.

        The size of an index needs a GET per child. It is None if these are counted or too many.
        """
        endpoint = self._source_endpoint(image)
        manifest = await self._manifest(endpoint, digest)
        children = await self._children(endpoint, manifest)
        return ImageInfo(manifest.platforms, total_size(manifest, children.values()))

    async def describe(self, image: ImageRef, digest: str, *, at_target: bool = False) -> ImageInfo:
        """Platforms, size and creation time, which is in the config of one platform.

        Raises if the first manifest cannot be read. What fails after it, or would use up the pull
        limit, is left out.
        """
        endpoint = self.target_endpoint(image) if at_target else self._source_endpoint(image)
        manifest = await self._manifest(endpoint, digest)
        children = await self._children(endpoint, manifest)
        config = await self._config(
            endpoint, await self._common_manifest(endpoint, manifest, children)
        )
        platforms = manifest.platforms
        if not manifest.children and config.platform:
            platforms = (config.platform,)
        return ImageInfo(platforms, total_size(manifest, children.values()), config.created)

    async def tags(self, image: ImageRef) -> tuple[str, ...]:
        """The first MAX_TAGS tags of the image's repository, in the order of the source.

        Empty if it is missing or private. Registries do not count this as a pull: Docker Hub
        counts a GET of a manifest alone, see https://docs.docker.com/docker-hub/usage/pulls/.
        """
        return (await self._tags(image, pages=MAX_TAG_PAGES, most=MAX_TAGS)).tags

    async def all_tags(self, image: ImageRef) -> TagList:
        """All tags of the image's repository, up to MAX_LISTED_TAGS."""
        return await self._tags(image, pages=MAX_LISTED_PAGES, most=MAX_LISTED_TAGS)

    async def _tags(self, image: ImageRef, *, pages: int, most: int) -> TagList:
        """Other requests to the registry may come between two pages."""
        endpoint = self._source_endpoint(image)
        found: dict[str, None] = {}
        url: httpx.URL | None = first_page(endpoint.tags())
        asked = 0
        while url is not None and asked < pages and len(found) < most:
            asked += 1
            answer = await self.ask(
                "GET", endpoint, url, accept="application/json", max_bytes=_TAGS_PAGE_BYTES
            )
            if answer.status in _MISSING_OR_PRIVATE:
                return TagList(tuple(found)[:most], asked, is_whole=asked == 1)
            found |= dict.fromkeys(parse_tags(answer, endpoint.registry))
            url = next_page(url, answer)
        return TagList(tuple(found)[:most], asked, is_whole=url is None and len(found) <= most)

    def budgets(self) -> Mapping[str, PullLimit]:
        """The pull limits that registries reported lately, by registry."""
        return self._pull_limits.current()

    def logins(self) -> Mapping[str, bool]:
        """Whether each registry took its login when it was asked last."""
        return self._session.logins()

    def spares(self, registry: str) -> bool:
        """Whether an optional GET may be sent: no limit is known, or more than half is left."""
        return self._pull_limits.allows_optional(registry.lower())

    async def aclose(self) -> None:
        await self._session.aclose()

    def _source_endpoint(self, image: ImageRef) -> Endpoint:
        name = image.registry.lower()
        if name not in self._allowed:
            raise RefusedError(f"{image.registry} is not an allowed registry")
        return self._endpoint(name, image.repository, login=self._login(name, image.repository))

    def _login(self, registry: str, repository: str) -> Login | None:
        """The login for the longest part of the name that has one, as containers-auth.json says."""
        name = f"{registry}/{repository}"
        keys = [key for key in self._logins if f"{name}/".startswith(f"{key}/")]
        return self._logins[max(keys, key=len)] if keys else None

    def target_endpoint(self, image: ImageRef) -> Endpoint:
        """The repository that has the copy of an image."""
        host = self._target.host
        reference = image.tag or image.digest or ""
        name = self._target.name_of(image).removeprefix(f"{host}/")
        repository = name[: -len(reference) - 1]  # without ":" or "@" and the reference
        endpoint = self._endpoint(host.lower(), repository, login=self._target_login)
        return replace(endpoint, from_config=True)

    def _endpoint(self, name: str, repository: str, *, login: Login | None) -> Endpoint:
        listed = self._bases.get(name)
        try:
            base = listed or (HUB_ADDRESS if name == DOCKER_HUB else httpx.URL(f"https://{name}"))
        except httpx.InvalidURL as error:  # such as 0177.0.0.1
            raise RefusedError(f"{name} is not a host name") from error
        path = f"{base.path.strip('/')}/{repository}".strip("/")
        return Endpoint(
            name,
            base,
            path,
            login,
            from_config=listed is not None,
            token_servers=token_servers(name) + self._token_servers.get(name, ()),
        )

    async def _head(self, endpoint: Endpoint, reference: str) -> RegistryResponse:
        return await self.ask("HEAD", endpoint, endpoint.manifest(reference))

    async def _head_or_get(self, endpoint: Endpoint, reference: str) -> RegistryResponse:
        """The response to a HEAD. One to a GET, with its digest, where HEAD says nothing.

        Which of both a host knows is remembered until the bot ends.
        """
        host = host_of(endpoint.base)
        if self._knows_head.get(host, True):
            answer = await self._head(endpoint, reference)
            if answer.status == HTTPStatus.OK and not says_nothing(answer):
                self._knows_head[host] = True
            known = host in self._knows_head or self._counts_pulls(endpoint)
            if known or not says_nothing(answer):
                return answer
        found = await self.ask("GET", endpoint, endpoint.manifest(reference))
        if found.status != HTTPStatus.OK:
            return found
        self._knows_head[host] = False
        return with_digest(found, endpoint.registry)

    async def ask(
        self,
        method: str,
        endpoint: Endpoint,
        url: httpx.URL,
        *,
        accept: str = ACCEPT_MANIFESTS,
        max_bytes: int = _MANIFEST_BYTES,
        content: bytes = b"",
        kind: str = "",
    ) -> RegistryResponse:
        """One request. `kind`: the media type of `content`."""
        request = RegistryRequest(
            method=method,
            url=url,
            accept=accept,
            max_bytes=max_bytes,
            content=content,
            kind=kind,
        )
        async with self._session.turn(endpoint):
            return await self._session.send(endpoint, request)

    async def _manifest(self, endpoint: Endpoint, digest: str) -> Manifest:
        if not is_digest(digest):
            raise RefusedError(f"{one_line(digest, 80)} is not a digest")
        answer = await self.ask("GET", endpoint, endpoint.manifest(digest))
        return parse_manifest(answer, endpoint.registry, digest)

    async def _manifest_if_any(self, endpoint: Endpoint, digest: str) -> Manifest | None:
        try:
            return await self._manifest(endpoint, digest)
        except (TransientError, RefusedError):
            return None

    async def _children(
        self, endpoint: Endpoint, manifest: Manifest
    ) -> Mapping[str, Manifest | None]:
        """The children of an index by digest, None for a failed one.

        Empty if they are too many, or if their GETs are counted as pulls.
        """
        digests = manifest.child_digests
        if len(digests) > _MAX_CHILDREN or self._counts_pulls(endpoint):
            return {}
        found = await asyncio.gather(*(self._manifest_if_any(endpoint, d) for d in digests))
        return dict(zip(digests, found, strict=True))

    def _counts_pulls(self, endpoint: Endpoint) -> bool:
        """Whether a GET of a manifest counts as a pull. Docker Hub does not always report it."""
        return host_of(endpoint.base) in DOCKER_HUB_HOSTS or self._pull_limits.is_counting(
            endpoint.registry
        )

    async def _common_manifest(
        self, endpoint: Endpoint, manifest: Manifest, children: Mapping[str, Manifest | None]
    ) -> Manifest | None:
        """The manifest of the platform whose config is read, None if it cannot be had."""
        digest = manifest.common_child()
        if digest is None:
            return manifest
        if digest in children:
            return children[digest]
        if not self.spares(endpoint.registry):
            return None
        return await self._manifest_if_any(endpoint, digest)

    async def _config(self, endpoint: Endpoint, manifest: Manifest | None) -> ImageConfig:
        """By one GET of a blob, which is not counted as a pull."""
        if manifest is None or manifest.config is None:
            return ImageConfig()
        url = endpoint.blob(manifest.config)
        try:
            answer = await self.ask("GET", endpoint, url, accept="*/*", max_bytes=_CONFIG_BYTES)
        except (TransientError, RefusedError):
            return ImageConfig()
        return parse_config(answer, manifest.config)


def _base_of(name: str, text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ConfigError(f"addresses: {name}: {error}") from error
    if url.scheme not in {"http", "https"} or not url.host or url.userinfo or url.query:
        raise ConfigError(f"addresses: {name}: expected a URL such as http://cache.example:5000")
    return url
