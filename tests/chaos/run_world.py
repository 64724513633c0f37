"""A run of the workflow in which each request can meet a fault or be the last before a kill.

Registries and skopeo are real. The sandbox's proxies are in front of both registries and of the
fake GitHub, and inject the faults. The workflow is as shipped, except for its shorter waits.
"""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from referrers_fixture import artifact, listed, signature, tag_of
from registry_fixture import BASH, COPY, INDEX, MANIFEST, Ran, Registry, World, digest_of
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.sandbox.faults.middleware import ArmedFaults, FaultMiddleware
from bot.sandbox.registry.proxy import RegistryProxy
from bot.sandbox.serve import served
from bot.workflow import shipped

SHORTER = {
    "registry_http.py": {
        "ANSWER_SECONDS = 30": "ANSWER_SECONDS = 8",
        "STORE_SECONDS = 300": "STORE_SECONDS = 8",
        "QUESTIONS_AT_A_TIME = 64": "QUESTIONS_AT_A_TIME = 8",
        "BODY_SECONDS = 120": "BODY_SECONDS = 4",
        "LONGEST_RETRY_AFTER = 60": "LONGEST_RETRY_AFTER = 2",
    },
    "waits.py": {
        "COPY_SECONDS = 3600": "COPY_SECONDS = 50",
        "ATTACH_PAUSE = 1": "ATTACH_PAUSE = 0.1",
        "GITHUB_PAUSES = (1, 5, 20)": "GITHUB_PAUSES = (0.2, 0.4)",
        "LONGEST_LIMIT = 3700": "LONGEST_LIMIT = 2",
    },
}
"""The workflow's waits and their values here. A service may be silent for hours as shipped."""
RUN_SECONDS = 300.0
ADDRESS = "docker.io/faults"


def image(name: str) -> str:
    """Return the source image of this name. It has the same path in the target."""
    return f"{ADDRESS}/{name}"


Moment = Callable[[str], None]
"""Called twice per request: with "before METHOD /path", then with "after …" ahead of the answer."""


@dataclass
class RunWorld:
    """`moment` is called for every request of the current run."""

    world: World
    faults: ArmedFaults
    environment: dict[str, str]
    moment: Moment = field(default=lambda _line: None)
    process: asyncio.subprocess.Process | None = None

    async def run(self, images: Sequence[str], *, patience: int = 0, before: str = "0" * 40) -> Ran:
        """Run the script for these images, as after a push of the list. `before` is a commit."""
        place = self.world.directory
        (place / "image.list").write_text("".join(f"{each}:1\n" for each in images))
        (place / "event.json").write_text(json.dumps({"before": before}))
        with (place / "output").open("w+") as output:
            self.process = await asyncio.create_subprocess_exec(
                *BASH,
                COPY["run"],
                cwd=place,
                env={**self.environment, "PATIENCE": str(patience)},
                stdout=output,
                stderr=output,
                start_new_session=True,  # so that its child processes can be killed with it
            )
            try:
                async with asyncio.timeout(RUN_SECONDS):
                    code = await self.process.wait()
            finally:
                self.kill()
                await self.process.wait()
            output.seek(0)
            return self.world.left(code, output.read())

    def signal(self, number: signal.Signals) -> None:
        """Signal the step's shell alone, as the runner does."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    def left_on_disk(self) -> list[str]:
        """Return what the run has left in RUNNER_TEMP, which it removes at its end."""
        return sorted(str(each) for each in Path(self.environment["RUNNER_TEMP"]).iterdir())

    def kill(self) -> None:
        """kill -9 of the run and of its skopeo, as when the runner is lost."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    async def held(self, name: str, digest: str) -> str:
        """Return "nothing" or "all" of this digest by what the tag holds, else what is wrong."""
        target = self.world.target
        async with httpx.AsyncClient(
            base_url=f"http://{target.address}/v2/{image(name)}",
            auth=target.auth,
            headers={"Accept": f"{INDEX}, {MANIFEST}"},
            trust_env=False,
        ) as client:
            top = await client.get("/manifests/1")
            if top.status_code == httpx.codes.NOT_FOUND:
                return "nothing"
            if digest_of(top.content) != digest:
                return f"{digest_of(top.content)} instead of {digest}"
            return await _lacks(client, top.json()["manifests"]) or "all"

    async def signed(self, name: str) -> str:
        """Put an image in the source with a signature and a bundle. Return its digest."""

        def made() -> str:
            source, path = self.world.source, image(name)
            digest = self.world.seed(path, "1", ("amd64",))
            signature(source, path, digest, "of the maker")
            listed(source, path, digest, artifact(source, path, digest))
            return digest

        return await asyncio.to_thread(made)

    async def attached(self, name: str, digest: str) -> str:
        """Return "all" or "not all" of what belongs to it, by its two tags, or what is wrong."""
        world, path = self.world, image(name)

        def named(side: Registry, tag: str) -> list[str]:
            return _named(world.get(side, path, tag)) if side.head(path, tag) else []

        def look() -> str:
            found = {
                tag: named(world.target, tag) for tag in (tag_of(digest), tag_of(digest, ".sig"))
            }
            wrong = [tag for tag, it in found.items() if it not in ([], named(world.source, tag))]
            return f"another {wrong[0]}" if wrong else "all" if all(found.values()) else "not all"

        return await asyncio.to_thread(look)


def _named(manifest: bytes) -> list[str]:
    """Return the digests that a manifest or a list names."""
    read = json.loads(manifest)
    return [each["digest"] for each in read.get("layers") or read["manifests"]]


async def _lacks(client: httpx.AsyncClient, platforms: Collection[dict[str, str]]) -> str:
    for platform in platforms:
        manifest = await client.get(f"/manifests/{platform['digest']}")
        if digest_of(manifest.content) != platform["digest"]:
            return f"no manifest {platform['digest']}"
        parts = manifest.json()
        for part in (parts["config"], *parts["layers"]):
            blob = await client.get(f"/blobs/{part['digest']}")
            if digest_of(blob.content) != part["digest"]:
                return f"no blob {part['digest']}"
    return ""


@asynccontextmanager
async def run_world(world: World) -> AsyncIterator[RunWorld]:
    faults = ArmedFaults()
    (world.directory / "temp").mkdir()
    _shorten(world.directory / shipped.FOLDER)
    async with AsyncExitStack() as stack:
        made = RunWorld(world, faults, {})

        async def front(where: str, address: str) -> str:
            client = httpx.AsyncClient(
                base_url=address, trust_env=False, timeout=60, limits=httpx.Limits()
            )
            await stack.enter_async_context(client)
            app = _Seen(FaultMiddleware(RegistryProxy(client), faults, where), lambda: made.moment)
            return f"127.0.0.1:{await stack.enter_async_context(served(app))}"

        source = await front("source", f"http://{world.source.address}")
        target = await front("target", f"http://{world.target.address}")
        github = await front("github", world.github.address)
        addresses = {"docker.io": f"http://{source}/docker.io", target: f"http://{target}"}
        made.environment = {
            **world.environment(),
            "HARBOR_HOST": target,
            "REGISTRY_ADDRESSES": json.dumps(addresses),
            "GITHUB_API_URL": f"http://{github}",
            "RUNNER_TEMP": str(world.directory / "temp"),
        }
        yield made


def _shorten(package: Path) -> None:
    for name, waits in SHORTER.items():
        module = package / name
        text = module.read_text()
        for long, short in waits.items():
            assert text.count(long) == 1, long
            text = text.replace(long, short)
        module.write_text(text)


class _Seen:
    """ASGI middleware that reports each request before it is served, and before its answer."""

    def __init__(self, app: ASGIApp, moment: Callable[[], Moment]) -> None:
        self._app, self._moment = app, moment

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        line = f"{scope['method']} {scope['path']}"
        self._moment()(f"before {line}")

        async def seen(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._moment()(f"after {line}")
            await send(message)

        await self._app(scope, receive, seen)
