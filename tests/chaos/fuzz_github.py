"""The fuzz target of GitHub's answers: the real adapter and PyGithub over a fake connection.

The connection answers from the choices instead of a socket. So thousands of exchanges a second
pass through all the code that reads an answer.
"""

import base64
import math
import re
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, Final

import requests
from generators import HEX, Choices, body, broken

from bot.adapters.github.errors import translate_errors
from bot.adapters.github.repository import MirrorRepository
from bot.core.batch import BatchId, CopyResult, Run
from bot.core.errors import RefusedError, StaleError, TransientError
from bot.core.ids import CommitSha, RunId
from bot.engine.ports.repository import ListFile

API: Final = "http://github.invalid/api"
PAGE: Final = "http://github.invalid/ana/mirror/actions/runs/7"
SHA: Final = HEX[:40]
DAY: Final = 24 * 60 * 60.0
LARGEST: Final = 2**63 - 1
"""The largest integer that a column of the database holds."""

_RUN: Final = {
    "id": 7,
    "name": "mirror",
    "path": ".github/workflows/mirror.yml",
    "head_sha": SHA,
    "event": "push",
    "status": "completed",
    "conclusion": "success",
    "html_url": PAGE,
    "display_title": "mirror b41",
    "url": f"{API}/repos/ana/mirror/actions/runs/7",
    "created_at": "2026-11-25T10:00:00Z",
}
_FILE: Final = {
    "type": "file",
    "encoding": "base64",
    "size": 9,
    "name": "image.list",
    "sha": SHA,
    "path": "image.list",
    "content": base64.b64encode(b"nginx:1\n").decode(),
    "url": f"{API}/repos/ana/mirror/contents/image.list",
}
_COMMIT: Final = {
    "sha": SHA,
    "url": f"{API}/repos/ana/mirror/commits/{SHA}",
    "commit": {"message": "Mirror x\n\nBatch: b41\n", "author": {"date": "2026-11-25T10:00:00Z"}},
}
_STATUSES: Final = [
    {
        "context": f"mirror/{name}",
        "state": state,
        "description": text,
        "target_url": PAGE,
        "created_at": "2026-11-25T10:00:00Z",
        "id": 1,
    }
    for name, state, text in (
        ("docker.io/library/nginx:1", "success", f"sha256:{HEX} 1234567 copied"),
        ("docker.io/library/redis:7", "failure", "source: manifest unknown"),
        ("quay.io/a/b:1", "success", f"sha256:{HEX} skipped"),
        ("quay.io/a/c:1", "pending", ""),
    )
]
_DOCUMENTS: Final[tuple[tuple[str, Any], ...]] = (
    (r".*/dispatches", {"workflow_run_id": 7, "run_url": _RUN["url"], "html_url": PAGE}),
    (r".*/actions/workflows/[^/]*", {"id": 1, "name": "mirror", "state": "active", "url": "x"}),
    (r".*/git/blobs/.*", {"sha": SHA, "content": "bmdpbng=", "encoding": "base64", "size": 5}),
    (r"PUT .*/contents/.*", {"content": _FILE, "commit": _COMMIT}),
    (r".*/contents/.*", _FILE),
    (r".*/statuses.*", _STATUSES),
    (r".*/commits/[^?]*", _COMMIT),
    (r".*/commits\?.*", [_COMMIT, _COMMIT]),
    (r".*/annotations", [{"path": ".github", "message": "It was not started."}]),
    (r".*/jobs", {"total_count": 1, "jobs": [{"id": 70, "runner_id": 0, "steps": []}]}),
    (r".*/actions/runs\?.*", {"total_count": 1, "workflow_runs": [_RUN]}),
    (r".*/actions/runs/.*", _RUN),
)
_STATUS: Final = (
    *(200, 200, 200, 200, 201, 204, 304, 301, 302, 400, 401, 403, 404, 409, 410, 422, 429, 451),
    *(500, 502, 503, 599, 0, 999),
)
_RESET: Final = "X-RateLimit-Reset"
_HEADERS: Final = (
    *(("Retry-After", wait) for wait in ("5", "nan", "inf", "1e300", "-5", "9" * 30, "", "x")),
    *(("Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT"), ("X-RateLimit-Limit", "5000")),
    *(("X-RateLimit-Remaining", "0"), ("X-RateLimit-Remaining", "x"), ("ETag", '"x"'), ("x", "")),
    *((_RESET, "1e17"), (_RESET, "nan"), (_RESET, "-1"), (_RESET, "253402300799")),
    *(("Location", "http://elsewhere.invalid/x"), ("Location", f"{API}/x"), ("Location", "//[")),
    *(("Link", "<x>; rel=next"), ("Link", f'<{API}/x?page=2>; rel="next"')),
    *(("Content-Type", "application/json; charset=utf-8"), ("Content-Type", "text/html")),
)
_TROUBLES: Final = (
    *(requests.exceptions.ConnectTimeout, requests.exceptions.ReadTimeout),
    *(requests.exceptions.ChunkedEncodingError, requests.exceptions.SSLError),
    requests.exceptions.ConnectionError,
)


class _Answer:
    def __init__(self, status: int, headers: list[tuple[str, str]], text: str) -> None:
        self.status = status
        self._headers = headers
        self._text = text

    def getheaders(self) -> list[tuple[str, str]]:
        return self._headers

    def read(self) -> str:
        return self._text


class _Wire:
    """One connection, as PyGithub's requester uses it."""

    choices: Choices
    host = "github.invalid"

    def __init__(self) -> None:
        self._asked = ""
        self._left = 0

    def begin(self, choices: Choices) -> None:
        self.choices = choices
        self._left = 20

    def __call__(self, *_: object, **__: object) -> "_Wire":
        return self

    def request(self, verb: str, url: str, *_: object) -> None:
        self._asked = f"{verb} {url}"
        self._left -= 1
        if self._left < 0:  # an endless list, or redirects in a circle
            raise requests.exceptions.ConnectionError

    def getresponse(self) -> _Answer:
        choices = self.choices
        if choices.below(40) == 1:
            raise choices.pick(_TROUBLES)
        status = choices.pick(_STATUS)
        headers = choices.several(lambda c: c.pick(_HEADERS), 3)
        if choices.below(8) == 1:
            headers.append((choices.pick(_HEADERS)[0], broken("60", choices, 2)))
        fitting = (shown for form, shown in _DOCUMENTS if re.fullmatch(form, self._asked))
        sent = body(next(fitting, {}), choices)
        return _Answer(status, headers, sent.decode(errors="replace"))

    def close(self) -> None:
        pass


_WIRE: Final = _Wire()


def _repository() -> MirrorRepository:
    found = MirrorRepository(
        api=API,
        token="t",
        repository="ana/mirror",
        branch="main",
        path="image.list",
        workflow="mirror.yml",
        between=(0.0, 0.0),
    )
    requester: Any = found._github.requester
    requester._Requester__connectionClass = _WIRE
    requester._Requester__seconds_between_requests = None

    async def call(work: Callable[[], Any]) -> Any:
        return translate_errors(work)

    found._call = call  # type: ignore[method-assign] - in this thread: the connection is fake
    return found


_REPOSITORY: Final = _repository()
_BLOCK: Final = "Batch: 1\nSeal: 2"
_BATCH: Final = BatchId("b41")
_CALLS: Final[tuple[Callable[[MirrorRepository], Coroutine[Any, Any, Any]], ...]] = (
    lambda r: r.workflow(),
    lambda r: r.read_list(),
    lambda r: r.write_list(b"x", blob="", message="m"),
    lambda r: r.write_list(b"x", blob=SHA, message="m"),
    lambda r: r.find_commit(_BATCH),
    lambda r: r.dispatch(_BLOCK, batch=_BATCH),
    lambda r: r.run_of_commit(CommitSha(SHA)),
    lambda r: r.run_of_dispatch(_BATCH, since=datetime(2026, 11, 25, tzinfo=UTC)),
    lambda r: r.run(RunId(7)),
    lambda r: r.results(
        Run(RunId(7), PAGE, "success", created_at=datetime(2026, 11, 25, tzinfo=UTC)),
        CommitSha(SHA),
        awaited=[["docker.io/library/nginx:1"], ["quay.io/a/d:1"]],
    ),
    lambda r: r.unstarted(RunId(7)),
)


def finished(work: Coroutine[Any, Any, Any]) -> Any:
    """Return the result of a coroutine that never waits."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    finally:
        work.close()
    raise AssertionError("it waits for something")


def expect_trouble(error: TransientError | RefusedError | StaleError) -> None:
    """Every error fits in one line, and its wait is valid."""
    words = str(error)
    assert words
    assert words.isprintable(), words
    assert len(words) <= 300
    if isinstance(error, TransientError):
        assert " " not in error.trouble.who  # blanks separate the parts of the column
    wait = error.retry_after if isinstance(error, TransientError) else None
    assert wait is None or (math.isfinite(wait) and 0 <= wait <= DAY), wait


def _storable(text: str) -> None:
    assert text.isprintable(), text
    text.encode()


def _expect_answer(found: Any) -> None:
    match found:
        case Run():
            assert 0 <= found.id <= LARGEST
            _storable(found.url)
            _storable(found.conclusion)
        case ListFile():
            assert isinstance(found.content, bytes)
            _storable(found.blob)
        case CopyResult():
            _storable(found.image)
            _storable(found.line)
            assert found.size is None or 0 <= found.size <= LARGEST
            assert found.digest is None or re.fullmatch(r"[a-z0-9]+:[0-9a-f]{32,}", found.digest)
        case tuple():
            for each in found:
                _expect_answer(each)
        case str():
            _storable(found)


def github_answers(choices: Choices) -> None:
    """Only the three errors of the port are raised. What is accepted can be stored and shown."""
    call = choices.pick(_CALLS)
    _WIRE.begin(choices)
    try:
        found = finished(call(_REPOSITORY))
    except (TransientError, RefusedError, StaleError) as error:
        expect_trouble(error)
        return
    _expect_answer(found)
    budget = _REPOSITORY.budget()
    assert budget is None or budget.remaining >= 0
