"""Answers and files that try to fill memory or to take forever, from every service and person.

Real servers on loopback, and the product's own clients. The limits are made small where waiting
for the real ones would take minutes.
"""

import asyncio
import functools
import json
import resource
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
from fakes import NGINX, TARGET, WORDS

from bot.adapters.github import transport as github_transport
from bot.adapters.github.repository import MirrorRepository
from bot.adapters.network import Network
from bot.adapters.registry import transport as registry_transport
from bot.adapters.registry.client import RegistryClient
from bot.adapters.registry.tags import MAX_TAG_PAGES, MAX_TAGS
from bot.adapters.telegram import transport as telegram_transport
from bot.adapters.telegram.chat import PollingBot, TelegramChat
from bot.core.errors import RefusedError, TransientError
from bot.paste import IMAGES_PER_PASTE, PASTE_SIZE_LIMIT, extract_file
from bot.workflow.mirror import registry_http
from bot.workflow.mirror.registry_http import ask

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
MIB = 1024 * 1024


def memory() -> int:
    """Return the peak memory of this process in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@asynccontextmanager
async def listening(answer: Answer) -> AsyncIterator[tuple[str, list[int]]]:
    """A server that gives every request the same answer and counts connections."""
    serving: set[asyncio.Task[None]] = set()
    opened: list[int] = []

    async def serve(reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
        opened.append(len(opened))
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                await reading.readuntil(b"\r\n\r\n")
                await answer(writing)
                await writing.drain()
        writing.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", opened
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving)
        await asyncio.sleep(0)  # lets aborted connections close


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[str]:
    async with listening(answer) as (address, _):
        yield address


def head(*headers: str) -> bytes:
    lines = ("HTTP/1.1 200 OK", "Content-Type: application/json", *headers, "", "")
    return "\r\n".join(lines).encode()


async def endless(writing: asyncio.StreamWriter) -> None:
    """A body without end, as fast as the connection allows."""
    writing.write(head("Transfer-Encoding: chunked"))
    piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    while True:
        writing.write(piece)
        await writing.drain()


async def huge(writing: asyncio.StreamWriter) -> None:
    """A gibibyte, with a Content-Length."""
    writing.write(head(f"Content-Length: {1024 * MIB}"))
    for _ in range(1024):
        writing.write(b" " * MIB)
        await writing.drain()


def packed(kind: str) -> Answer:
    """64 MiB of blanks, compressed to some 300 kB."""

    async def answer(writing: asyncio.StreamWriter) -> None:
        body = compressed(kind)
        writing.write(head(f"Content-Encoding: {kind}", f"Content-Length: {len(body)}") + body)

    return answer


@functools.cache
def compressed(kind: str) -> bytes:
    squeeze = zlib.compressobj(1, wbits=31 if kind == "gzip" else 15)
    return b"".join([*(squeeze.compress(b" " * MIB) for _ in range(64)), squeeze.flush()])


async def drip(writing: asyncio.StreamWriter) -> None:
    """A body of one byte every now and then, which never runs into a read timeout."""
    writing.write(head("Content-Length: 1000000"))
    while True:
        writing.write(b" ")
        await writing.drain()
        await asyncio.sleep(0.02)


async def headers(writing: asyncio.StreamWriter) -> None:
    """Headers without an end."""
    writing.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writing.write(b"X-More: " + b"x" * 8000 + b"\r\n")
        await writing.drain()


BOMBS = {
    "endless": endless,
    "huge": huge,
    "gzip": packed("gzip"),
    "deflate": packed("deflate"),
    "drip": drip,
    "headers": headers,
}
bombs = pytest.mark.parametrize("bomb", BOMBS)


@pytest.fixture(autouse=True)
def in_a_second(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Shorten the script's limits, and limit the memory that the test may take."""
    monkeypatch.setattr(registry_http, "BODY_SECONDS", 1.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    began = memory()
    yield
    assert memory() - began < 120 * MIB


SHORT = github_transport.GitHubBounds(whole=1.0, size=8 * MIB)


@asynccontextmanager
async def github(
    api: str, bounds: github_transport.GitHubBounds = SHORT
) -> AsyncIterator[MirrorRepository]:
    repository = MirrorRepository(
        api=api,
        token="t",
        repository="example/mirror",
        branch="main",
        path="image.list",
        workflow="mirror.yml",
        between=(0.0, 0.0),
        bounds=bounds,
    )
    try:
        yield repository
    finally:
        repository.close()


@bombs
async def test_an_answer_of_github_is_bounded(bomb: str, tally: Counter[str]) -> None:
    tally["faults"] += 1
    async with served(BOMBS[bomb]) as address, github(address) as repository:
        async with asyncio.timeout(90):
            with pytest.raises(TransientError):
                await repository.read_list()


@bombs
async def test_an_answer_of_telegram_is_bounded(bomb: str, tally: Counter[str]) -> None:
    tally["faults"] += 1
    async with served(BOMBS[bomb]) as address:
        bot = PollingBot("1:t", address, telegram_transport.Bounds(whole=1.0))
        async with asyncio.timeout(90):
            with pytest.raises(TransientError):
                await TelegramChat(bot, WORDS).fetch("file", limit=PASTE_SIZE_LIMIT)
        await bot.shutdown()


@bombs
async def test_an_answer_of_a_registry_is_bounded(bomb: str, tally: Counter[str]) -> None:
    tally["faults"] += 1
    async with served(BOMBS[bomb]) as address:
        client = RegistryClient(
            addresses={"docker.io": address},
            target=TARGET,
            allowed=["docker.io"],
            target_login=None,
            source_logins={},
            network=Network({}),
            bounds=registry_transport.RegistryBounds(whole=1.0),
        )
        for ask in (lambda: client.tags(NGINX), lambda: client.shape(NGINX, "sha256:" + "a" * 64)):
            async with asyncio.timeout(90):
                with pytest.raises((TransientError, RefusedError)):
                    await ask()
        await client.aclose()


@bombs
async def test_an_answer_to_the_workflow_is_bounded(bomb: str, tally: Counter[str]) -> None:
    tally["faults"] += 1
    async with served(BOMBS[bomb]) as address:
        async with asyncio.timeout(90):
            answer = await asyncio.to_thread(ask, "GET", f"{address}/v2/", {})
    assert len(answer.body) <= 4 * MIB


async def test_what_is_not_too_much_is_read_whole() -> None:
    """The limit of the list is far above the size of real lists."""
    body = json.dumps({"message": "x" * 20 * MIB}).encode()

    async def answer(writing: asyncio.StreamWriter) -> None:
        writing.write(b"HTTP/1.1 409 Conflict\r\n")
        writing.write(head(f"Content-Length: {len(body)}").partition(b"\r\n")[2] + body)

    bounds = github_transport.GitHubBounds()
    async with served(answer) as address, github(address, bounds) as repository:
        with pytest.raises(RefusedError, match="xxx"):
            await repository.read_list()


async def test_one_connection_to_github_serves_many_requests() -> None:
    """Limiting what is read must not cost a new connection each time."""
    body = json.dumps({"state": "active"}).encode()

    async def answer(writing: asyncio.StreamWriter) -> None:
        writing.write(head(f"Content-Length: {len(body)}") + body)

    async with listening(answer) as (address, opened), github(address) as repository:
        for _ in range(3):
            await repository.workflow()
        assert len(opened) == 1


async def test_a_file_without_a_size_is_read_up_to_the_bound_of_files() -> None:
    told = {"ok": True, "result": {"file_id": "f", "file_unique_id": "u", "file_path": "d/f"}}
    bodies = iter([json.dumps(told).encode(), b"x" * (PASTE_SIZE_LIMIT + 1)])

    async def answer(writing: asyncio.StreamWriter) -> None:
        body = next(bodies)
        writing.write(head(f"Content-Length: {len(body)}") + body)

    async with served(answer) as address:
        bot: PollingBot = PollingBot("1:t", address)
        with pytest.raises(RefusedError, match="1048577 bytes"):
            await TelegramChat(bot, WORDS).fetch("f", limit=PASTE_SIZE_LIMIT)
        await bot.shutdown()


async def test_a_repository_of_a_million_tags_is_read_in_a_few_pages(tally: Counter[str]) -> None:
    pages = 0

    async def answer(writing: asyncio.StreamWriter) -> None:
        nonlocal pages
        pages += 1
        tags = [f"{pages}.{number}" for number in range(1000)]
        body = json.dumps({"tags": tags}).encode()
        link = f'Link: </v2/library/nginx/tags/list?n=1000&last={pages}>; rel="next"'
        writing.write(head(link, f"Content-Length: {len(body)}") + body)

    async with served(answer) as address:
        client = RegistryClient(
            addresses={"docker.io": address},
            target=TARGET,
            allowed=["docker.io"],
            target_login=None,
            source_logins={},
            network=Network({}),
        )
        assert len(await client.tags(NGINX)) == MAX_TAGS
        assert pages == MAX_TAG_PAGES
        await client.aclose()
    tally["inputs"] += 1


# ---- files


def aliases() -> bytes:
    """The billion laughs: ten aliases of ten aliases of …"""
    lines = ["a0: &a0 [docker.io/library/x:1, y, z]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "\n".join([*lines, "image: *a11", "services: {a: {image: nginx:1.27}}"]).encode()


YAML_BOMBS: dict[str, Callable[[], bytes]] = {
    "aliases": aliases,
    "a cycle of aliases": lambda: b"a: &a [*a, *a]\nservices: {a: {image: nginx:1.27}}\n",
    "merges": lambda: b"a: &a {image: x}\n" + b"b: {<<: *a}\n" * 20_000,
    "nested lists": lambda: b"[" * 500_000,
    "nested maps": lambda: b"{a: " * 200_000,
    "nested blocks": lambda: b"".join(b" " * n + b"a:\n" for n in range(1300)),
    "a huge scalar": lambda: b"image: " + b"x" * (PASTE_SIZE_LIMIT - 10),
    "a huge number": lambda: b"image: " + b"9" * (PASTE_SIZE_LIMIT - 10),
    "a sexagesimal number": lambda: b"image: 1" + b":59" * 300_000,
    "a huge key": lambda: b"? " + b"k" * (PASTE_SIZE_LIMIT - 20) + b"\n: image: a\n",
    "many documents": lambda: b"---\nimage: a/b:1\n" * 60_000,
    "many images": lambda: b"".join(b"- image: a/b%d:1\n" % n for n in range(50_000)),
    "many anchors": lambda: b"".join(b"- &a%d x\n" % n for n in range(90_000)),
    "many tags": lambda: b"- !!python/object/apply:os.system ['touch owned']\n" * 20_000,
    "many comments": lambda: b"#\n" * 500_000,
    "many tabs": lambda: b"a:\t" * 300_000,
    "a Dockerfile of one line": lambda: b"FROM " + b"a\\\n" * 300_000,
    "variables of variables": lambda: b"ARG A=$A$A\n" * 30_000 + b"FROM $A\n",
    "braces": lambda: b"image: " + b"${a:-" * 100_000,
    "blanks": lambda: b" " * PASTE_SIZE_LIMIT,
    "zeros": lambda: b"\0" * PASTE_SIZE_LIMIT,
    "a command without an end": lambda: b"docker pull " + b"--a " * 200_000,
}


@pytest.mark.sweep(kept=4)
@pytest.mark.usefixtures("ends")
@pytest.mark.parametrize("bomb", YAML_BOMBS)
@pytest.mark.parametrize(
    "name",
    [
        "compose.yaml",
        pytest.param("Dockerfile", marks=pytest.mark.chaos),
        pytest.param("list.txt", marks=pytest.mark.chaos),
    ],
)
def test_a_file_made_to_explode_is_read_within_bounds(
    bomb: str, name: str, tally: Counter[str]
) -> None:
    content = YAML_BOMBS[bomb]()[:PASTE_SIZE_LIMIT]
    tally["inputs"] += 1
    finding = extract_file(content, target_host=TARGET.host, name=name)
    assert len(finding.images) <= IMAGES_PER_PASTE
    assert all(len(str(image)) < 1000 for image in finding.images)
