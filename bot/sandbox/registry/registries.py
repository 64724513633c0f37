"""The two registries of the sandbox: the source and the target of images.

Both are real docker-registry servers on Unix sockets. Each has a proxy on loopback in front of
it, where faults are injected. This module also writes the files that keep skopeo on this machine.
"""

import asyncio
import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import bcrypt
import httpx
from starlette.types import ASGIApp

from bot.core.errors import BotError, ConfigError
from bot.sandbox.faults.middleware import ArmedFaults, FaultMiddleware
from bot.sandbox.lifetime import stop, tied
from bot.sandbox.registry.confinement import environment, registries_conf
from bot.sandbox.registry.proxy import RegistryProxy
from bot.sandbox.registry.seed import (
    REGISTRIES,
    move,
    seed,
)
from bot.sandbox.registry.storage import Storage
from bot.sandbox.serve import HOST, served

Side = Literal["source", "target"]

_USER = "robot$mirror"
_READY_SECONDS = 60.0
_STOP_SECONDS = 3.0
_POLL = 0.02
_STORAGE = "storage"
"""The folder of a registry's content, in the folder of that registry."""
_CONFIG = """\
version: 0.1
log: {{level: warn}}
storage:
  filesystem: {{rootdirectory: "{storage}"}}
  delete: {{enabled: true}}
http:
  net: unix
  addr: "{socket}"
  relativeurls: true
"""
_PASSWORDS = """\
auth:
  htpasswd: {{realm: sandbox, path: "{path}"}}
"""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The login that may push to the target."""

    user: str
    password: str


class Registries:
    """Both registries, running while the context is open. With `internet`, only the target."""

    def __init__(self, *, data: Path, faults: ArmedFaults, internet: bool = False) -> None:
        self.internet = internet
        self.user = _USER
        self.password = secrets.token_urlsafe(16)
        self.home = data / "home"
        self.source_address = ""
        self.target_address = ""
        self._data = data
        self._source = Storage(data / "source" / _STORAGE)
        self._faults = faults
        self._clients: dict[Side, httpx.AsyncClient] = {}
        self._sockets: dict[Side, Path] = {}
        self._proxies: list[RegistryProxy] = []
        self._stack = AsyncExitStack()

    @property
    def changes(self) -> int:
        """Another number after a tag was written through one of the registries."""
        return sum(proxy.changes for proxy in self._proxies)

    async def __aenter__(self) -> Self:
        _expect_installed()
        async with AsyncExitStack() as stack:
            sockets = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="imageto-")))
            if not self.internet:
                await asyncio.to_thread(seed, self._source)
                self.source_address = await self._open(stack, "source", sockets, None)
            login = Credentials(self.user, self.password)
            self.target_address = await self._open(stack, "target", sockets, login)
            self._confine()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    @property
    def addresses(self) -> dict[str, str]:
        """The URL for each registry name, for the bot and for the workflow."""
        known = () if self.internet else REGISTRIES
        source = {name: f"http://{self.source_address}/{name}" for name in known}
        return source | {self.target_address: f"http://{self.target_address}"}

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a run, with which skopeo finds these registries."""
        return environment(self.home, internet=self.internet)

    def client(self, side: Side) -> httpx.AsyncClient:
        """Return a client with the right to push that bypasses the proxy and its faults."""
        return self._clients[side]

    def socket(self, side: Side) -> Path:
        """Return the registry's Unix socket, which bypasses the proxy and its faults."""
        return self._sockets[side]

    async def images(self, side: Side) -> list[dict[str, str]]:
        """List the tags of a registry with their digests. Faults do not apply."""
        if side not in self._clients:
            return []
        front = f"{self.target_address}/" if side == "target" else ""
        found = await asyncio.to_thread(Storage(self._data / side / _STORAGE).tags)
        return [{"name": f"{front}{name}", "digest": digest} for name, digest in found]

    async def statements(self, name: str) -> list[dict[str, Any]]:
        """Return what is attested of an image of the target, by its name at the source."""
        target = Storage(self._data / "target" / _STORAGE)
        return await asyncio.to_thread(target.attestations, name)

    async def move(self, name: str) -> str:
        """Update a tag of the source to another image, and return its digest.

        Raises BotError where there is no such tag.
        """
        there = {each["name"]: each["digest"] for each in await self.images("source")}
        if name not in there:
            raise BotError(f"the source registry of the sandbox has no {name!r}")
        return await asyncio.to_thread(move, self._source, name, after=there[name])

    async def _open(
        self, stack: AsyncExitStack, side: Side, sockets: Path, login: Credentials | None
    ) -> str:
        """Start one registry and its proxy. Return the proxy's address."""
        directory, socket = self._data / side, sockets / f"{side}.sock"
        config = await asyncio.to_thread(_configure, directory, socket, login)
        auth = None if login is None else (login.user, login.password)
        client = await stack.enter_async_context(_client(socket, auth))
        proxied = await stack.enter_async_context(_client(socket, None))
        await stack.enter_async_context(_running(config, client))
        self._clients[side], self._sockets[side] = client, socket
        proxy = RegistryProxy(proxied)
        self._proxies.append(proxy)
        app = FaultMiddleware(proxy, self._faults, side)
        return f"{HOST}:{await _serve(stack, app, directory / 'port')}"

    def _confine(self) -> None:
        path = self.home / ".config" / "containers" / "registries.conf"
        path.parent.mkdir(parents=True, exist_ok=True)
        known = () if self.internet else REGISTRIES
        text = registries_conf(
            known=known,
            source=self.source_address,
            target=self.target_address,
            internet=self.internet,
        )
        path.write_text(text, encoding="utf-8")


async def _serve(stack: AsyncExitStack, app: ASGIApp, memory: Path) -> int:
    """Serve on the port of last time if it is free, so that old pull commands still work."""
    with contextlib.suppress(OSError, ValueError):
        last = int(await asyncio.to_thread(memory.read_text))
        return await stack.enter_async_context(served(app, port=last))
    port = await stack.enter_async_context(served(app))
    await asyncio.to_thread(memory.write_text, str(port))
    return port


def _expect_installed() -> None:
    missing = [name for name in ("skopeo", "docker-registry") if shutil.which(name) is None]
    if missing:
        names = " and ".join(missing)
        raise ConfigError(f"not installed: {names}; apt-get install skopeo docker-registry")


def _client(socket: Path, auth: tuple[str, str] | None) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(uds=str(socket), limits=httpx.Limits(max_connections=64))
    return httpx.AsyncClient(
        transport=transport, base_url="http://registry", auth=auth, timeout=60.0, trust_env=False
    )


def _configure(directory: Path, socket: Path, login: Credentials | None) -> Path:
    """Write the configuration of one registry and return its path."""
    directory.mkdir(parents=True, exist_ok=True)
    text = _CONFIG.format(storage=directory / _STORAGE, socket=socket)
    if login is not None:
        passwords = directory / "htpasswd"
        passwords.touch(mode=0o600)
        hashed = bcrypt.hashpw(login.password.encode(), bcrypt.gensalt(rounds=4)).decode()
        passwords.write_text(f"{login.user}:{hashed}\n", encoding="utf-8")
        text += _PASSWORDS.format(path=passwords)
    config = directory / "config.yml"
    config.write_text(text, encoding="utf-8")
    return config


@asynccontextmanager
async def _running(config: Path, client: httpx.AsyncClient) -> AsyncIterator[None]:
    """Run one docker-registry process. It is ready when this yields."""
    log = config.with_name("registry.log")
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *tied(["docker-registry", "serve", str(config)]),
            env={"PATH": os.environ.get("PATH", os.defpath), "GOMAXPROCS": "1"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        await _ready(process, client, log)
        yield
    finally:
        await stop(process, grace=_STOP_SECONDS)


async def _ready(process: asyncio.subprocess.Process, client: httpx.AsyncClient, log: Path) -> None:
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while process.returncode is None:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get("/v2/")).status_code == httpx.codes.OK:
                        return
                await asyncio.sleep(_POLL)
    except TimeoutError:
        pass
    raise ConfigError(f"docker-registry did not start: see {log}")
