"""The cache of GitHub's answers: used only after a 304, with few entries and small ones."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from requests.structures import CaseInsensitiveDict
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.adapters.github.etags import CACHED_BODY_BYTES, CACHED_RESPONSES, EtagCache
from bot.adapters.github.repository import MirrorRepository
from bot.core.errors import TransientError
from bot.core.registry import PullLimit
from bot.engine.ports.repository import WorkflowState
from bot.sandbox.serve import served

MARKED = CaseInsensitiveDict({"etag": 'W/"1"'})


class Server:
    """Answers as the test says, and records the If-None-Match headers."""

    def __init__(self) -> None:
        self.answers: list[Response] = []
        self.marks: list[str | None] = []

    async def __call__(self, request: Request) -> Response:
        self.marks.append(request.headers.get("if-none-match"))
        return self.answers.pop(0)


@asynccontextmanager
async def asked(server: Server) -> AsyncIterator[MirrorRepository]:
    async with served(Starlette(routes=[Route("/{rest:path}", server.__call__)])) as port:
        repository = MirrorRepository(
            api=f"http://127.0.0.1:{port}",
            token="token",
            repository="ana/mirror",
            branch="main",
            path="image.list",
            workflow="mirror.yml",
            between=(0.0, 0.0),
        )
        try:
            yield repository
        finally:
            repository.close()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


def state(text: str, **headers: str) -> Response:
    return JSONResponse({"id": 1, "state": text}, headers=headers)


async def test_not_modified_is_the_old_answer_with_the_limits_of_the_new_one() -> None:
    server = Server()
    limits = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "17"}
    lower = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "16", "etag": 'W/"1"'}
    server.answers = [state("active", ETag='W/"1"', **limits), Response(status_code=304)]
    server.answers[1].headers.update(lower)
    async with asked(server) as repository:
        assert await repository.workflow() is WorkflowState.ACTIVE
        assert await repository.workflow() is WorkflowState.ACTIVE
        assert repository.budget() == PullLimit(16, 5000)
    assert server.marks == [None, 'W/"1"']


async def test_a_new_answer_takes_the_place_of_the_old_one() -> None:
    server = Server()
    server.answers = [state("active", ETag="1"), state("off", ETag="2"), state("active")]
    server.answers.append(state("active"))
    async with asked(server) as repository:
        found = [await repository.workflow() for _ in range(4)]
    assert found == [WorkflowState(s) for s in ("active", "off", "active", "active")]
    assert server.marks == [None, "1", "2", None]  # the last one had no ETag


async def test_what_could_not_be_read_is_asked_for_anew() -> None:
    server = Server()
    server.answers = [JSONResponse([1], headers={"ETag": "1"}), state("active", ETag="1")]
    async with asked(server) as repository:
        with pytest.raises(TransientError):
            await repository.workflow()
        assert await repository.workflow() is WorkflowState.ACTIVE
    assert server.marks == [None, None]


def test_few_are_kept_those_that_were_wanted_last() -> None:
    cache = EtagCache()
    for number in range(CACHED_RESPONSES):
        cache.keep(str(number), "", MARKED, b"")
    assert cache.get("0", "") is not None
    cache.keep("new", "", MARKED, b"")
    assert cache.get("0", "") is not None
    assert cache.get("1", "") is None


def test_the_large_and_the_unmarked_are_not_kept_and_leave_nothing_old() -> None:
    cache = EtagCache()
    for headers, body in ((MARKED, b"x" * (CACHED_BODY_BYTES + 1)), (CaseInsensitiveDict(), b"x")):
        cache.keep("a", "", MARKED, b"x")
        cache.keep("a", "", headers, body)
        assert cache.get("a", "") is None


def test_another_form_of_the_same_address_is_another_answer() -> None:
    cache = EtagCache()
    cache.keep("a", "application/json", MARKED, b"x")
    assert cache.get("a", "text/html") is None
