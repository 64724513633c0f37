"""What `check` asks registries: does each answer with its login, and may the bot write to ours.

An upload is begun and cancelled: no registry tells otherwise whether it would take one.
"""

from dataclasses import replace
from http import HTTPStatus
from typing import Final

import httpx

from bot.adapters.registry.auth import Endpoint
from bot.adapters.registry.client import RegistryClient
from bot.adapters.registry.network_guard import host_of
from bot.adapters.registry.transport import RegistryResponse, first_error
from bot.core.errors import BotError, RefusedError
from bot.core.image import ImageRef

_ANSWER_BYTES: Final = 1024 * 1024
_LOCKED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class InspectedRegistries(RegistryClient):
    """Each method raises TransientError, or RefusedError with the registry's own words."""

    def login_names(self, registry: str) -> tuple[str, ...]:
        """The keys of SOURCE_AUTH that are for this registry, such as ghcr.io/team."""
        return tuple(key for key in self._logins if f"{key}/".startswith(f"{registry}/"))

    async def try_source(self, registry: str, path: str) -> None:
        """Ask for the registry's API, logged in as for the repository `path`.

        A registry that refuses strangers here may still give its images to them.
        """
        endpoint = self._endpoint(registry, path, login=self._login(registry, path))
        answer = await self._send("GET", endpoint, endpoint.base.copy_with(path="/v2/"))
        if answer.status in _LOCKED and endpoint.login is None:
            return
        if answer.status != HTTPStatus.OK:
            raise RefusedError(f"{registry} answers {answer.status}{_words(answer)}")

    async def try_target(self, image: ImageRef) -> None:
        """Look for an image that is not there, by GET: only its answer has the target's words."""
        endpoint = self.target_endpoint(image)
        answer = await self._send("GET", endpoint, endpoint.manifest(image.tag or ""))
        if answer.status not in {HTTPStatus.NOT_FOUND, HTTPStatus.OK}:
            raise RefusedError(f"{endpoint.registry} answers {answer.status}{_words(answer)}")

    async def try_upload(self, image: ImageRef) -> bool:
        """Begin an upload of a layer and cancel it. Returns whether it was cancelled.

        The login goes to no other place than the target, whatever the answer names.
        """
        endpoint = replace(self.target_endpoint(image), actions="pull,push")
        answer = await self._send("POST", endpoint, endpoint.uploads())
        if answer.status != HTTPStatus.ACCEPTED:
            raise RefusedError(f"{endpoint.registry} answers {answer.status}{_words(answer)}")
        try:
            session = endpoint.base.join(answer.headers.get("location", ""))
            if _place(session) != _place(endpoint.base):
                return False
            cancelled = await self._send("DELETE", endpoint, session)
        except (BotError, httpx.InvalidURL, ValueError):
            return False
        return cancelled.status == HTTPStatus.NO_CONTENT

    async def _send(self, method: str, endpoint: Endpoint, url: httpx.URL) -> RegistryResponse:
        return await self.ask(method, endpoint, url, accept="*/*", max_bytes=_ANSWER_BYTES)


def _place(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, host_of(url), url.port


def _words(answer: RegistryResponse) -> str:
    """The registry's own words: `: DENIED: requested access is denied`."""
    found = first_error(answer)
    return "" if found is None else f": {found[0]}: {found[1]}"
