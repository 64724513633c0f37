"""Each of the sandbox's faults as a client meets it, over a real connection."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Message

from bot.sandbox.faults.middleware import KINDS, PLACES, ArmedFaults, FaultMiddleware, _Half
from bot.sandbox.faults.responses import GITHUB_REFUSALS, REFUSALS
from bot.sandbox.page_api import chat_routes
from bot.sandbox.serve import served
from bot.sandbox.telegram.state import TelegramState


@dataclass
class Place:
    client: httpx.AsyncClient
    faults: ArmedFaults
    effects: list[str] = field(default_factory=list)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    faults, effects = ArmedFaults(), list[str]()

    async def effect(request: Request) -> Response:
        if request.url.path.endswith("/letters"):
            return Response(b"abcdefghij")
        effects.append(f"{request.url.path} {(await request.body()).decode()}".strip())
        return JSONResponse({"ok": True})

    inner = Starlette(routes=[Route("/{rest:path}", effect, methods=["GET", "POST"])])
    places = ("telegram", "github", "source")
    routes = [Mount(f"/{where}", FaultMiddleware(inner, faults, where)) for where in places]
    app = Starlette(routes=[*chat_routes(TelegramState(), faults), *routes])
    async with (
        served(app) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        yield Place(client, faults, effects)


@pytest.mark.parametrize(
    ("where", "body"),
    [
        ("telegram", {"ok": False, "error_code": 502, "description": "Bad Gateway"}),
        ("github", {"message": "Bad Gateway", "documentation_url": "https://docs.github.com/rest"}),
        ("source", {"errors": [{"code": "UNKNOWN", "message": "Bad Gateway", "detail": None}]}),
    ],
)
async def test_an_error_status_has_the_shape_of_its_service_and_no_effect(
    place: Place, where: str, body: dict[str, Any]
) -> None:
    place.faults.arm(where=where, what="status 502")
    answer = await place.client.post(f"/{where}/x", json={})
    assert (answer.status_code, answer.json()) == (502, body)
    assert place.effects == []


async def test_a_fault_hits_as_often_as_it_was_armed(place: Place) -> None:
    place.faults.arm(where="github", what="status 500", times=2)
    codes = [(await place.client.get("/github/x")).status_code for _ in range(3)]
    assert codes == [500, 500, 200]
    assert place.faults.armed() == []


async def test_a_delay_comes_before_the_effect(place: Place) -> None:
    place.faults.arm(where="source", what="delay 0.3")
    started = time.monotonic()
    assert (await place.client.get("/source/x")).status_code == 200
    assert time.monotonic() - started >= 0.3
    assert place.effects == ["/source/x"]


async def test_a_lost_answer_leaves_the_effect_and_not_a_byte(place: Place) -> None:
    place.faults.arm(where="github", what="lost")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        await place.client.post("/github/x", content=b"body")
    assert place.effects == ["/github/x body"]
    assert (await place.client.get("/github/x")).status_code == 200


async def test_a_refused_connection_has_no_effect(place: Place) -> None:
    place.faults.arm(where="github", what="refused")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await place.client.post("/github/x", content=b"body")
    assert place.effects == []


async def test_retry_after_asks_to_wait(place: Place) -> None:
    place.faults.arm(where="telegram", what="retry-after 7")
    place.faults.arm(where="source", what="retry-after 7")
    chat = await place.client.get("/telegram/x")
    assert (chat.status_code, chat.headers["Retry-After"]) == (429, "7")
    assert chat.json()["parameters"] == {"retry_after": 7}
    registry = await place.client.get("/source/x")
    assert registry.json()["errors"][0]["code"] == "TOOMANYREQUESTS"


async def test_garbage_is_html_with_status_200(place: Place) -> None:
    place.faults.arm(where="github", what="garbage")
    answer = await place.client.get("/github/x")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert place.effects == []


@pytest.mark.parametrize(("what", "effects"), [("silent", []), ("unanswered", ["/github/x body"])])
async def test_a_silent_service_never_answers_with_or_without_the_effect(
    place: Place, what: str, effects: list[str]
) -> None:
    place.faults.arm(where="github", what=what)
    with pytest.raises(httpx.ReadTimeout):
        await place.client.post("/github/x", content=b"body", timeout=httpx.Timeout(90, read=0.3))
    async with asyncio.timeout(90):
        while place.effects != effects:
            await asyncio.sleep(0.02)


async def test_a_gateway_refuses_with_a_page_of_its_own(place: Place) -> None:
    place.faults.arm(where="telegram", what="page 403")
    answer = await place.client.get("/telegram/x")
    assert (answer.status_code, answer.headers["content-type"][:9]) == (403, "text/html")
    assert place.effects == []


async def test_a_malformed_answer_is_json_that_breaks_off(place: Place) -> None:
    place.faults.arm(where="github", what="malformed")
    answer = await place.client.get("/github/x")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    with pytest.raises(ValueError, match="Unterminated string"):
        answer.json()
    assert place.effects == []


async def test_an_endless_answer_keeps_coming(place: Place) -> None:
    place.faults.arm(where="source", what="endless")
    got = 0
    async with place.client.stream("GET", "/source/x") as answer:
        async for piece in answer.aiter_raw():
            got += len(piece)
            if got == 8:
                break
    assert got == 8


@pytest.mark.parametrize("kind", ["huge", "packed"])
async def test_a_huge_answer_is_as_large_as_was_asked_for_when_unpacked(
    place: Place, kind: str
) -> None:
    place.faults.arm(where="github", what=f"{kind} 3")
    answer = await place.client.get("/github/x")
    assert len(answer.content) > 3 << 20
    assert answer.json() == {"ok": True, "result": []}
    assert (answer.num_bytes_downloaded < 100_000) is (kind == "packed")


@pytest.mark.parametrize("words", GITHUB_REFUSALS)
async def test_github_refuses_in_its_own_words_and_headers(place: Place, words: str) -> None:
    place.faults.arm(where="github", what=f"says {words}")
    answer = await place.client.post("/github/x", content=b"body")
    status, text, headers = GITHUB_REFUSALS[words]
    assert (answer.status_code, answer.json()["message"]) == (status, text)
    for name, value in headers.items():
        told = answer.headers[name]
        assert told == value or 590 <= int(told) - time.time() <= 610
    assert place.effects == []


@pytest.mark.parametrize("words", [name for name in REFUSALS if name != "too-large"])
async def test_a_registry_refuses_in_its_own_words(place: Place, words: str) -> None:
    place.faults.arm(where="source", what=f"says {words}")
    answer = await place.client.post("/source/x", content=b"body")
    status, code, text = REFUSALS[words]
    assert answer.status_code == status
    assert answer.json() == {"errors": [{"code": code, "message": text, "detail": None}]}
    assert place.effects == []


async def test_what_is_too_large_is_refused_by_the_server_in_front_in_html(place: Place) -> None:
    place.faults.arm(where="source", what="says too-large")
    answer = await place.client.post("/source/x", content=b"x" * 1_000_000)
    assert (answer.status_code, answer.headers["content-type"][:9]) == (413, "text/html")


async def test_a_cut_answer_breaks_off_in_the_middle_of_its_body(place: Place) -> None:
    place.faults.arm(where="github", what="cut")
    with pytest.raises(httpx.RemoteProtocolError, match="received 5 bytes, expected 10"):
        await place.client.get("/github/letters")


async def test_a_short_answer_looks_whole(place: Place) -> None:
    place.faults.arm(where="source", what="short")
    answer = await place.client.get("/source/letters")
    assert (answer.headers["content-length"], answer.content) == ("5", b"abcde")


async def test_a_slow_answer_trickles_and_is_whole_in_the_end(place: Place) -> None:
    place.faults.arm(where="source", what="slow 20")
    started = time.monotonic()
    assert (await place.client.get("/source/letters")).content == b"abcdefghij"
    assert time.monotonic() - started >= 0.3


async def test_a_body_of_unknown_length_is_cut_and_shortened_too(place: Place) -> None:
    pieces: list[Message] = []

    async def collect(message: Message) -> None:
        pieces.append(message)

    for announced in (True, False):
        pieces.clear()
        half = _Half(collect, announced=announced)
        await half({"type": "http.response.start", "status": 200, "headers": []})
        await half({"type": "http.response.body", "body": b"abcd", "more_body": True})
        await half({"type": "http.response.body", "body": b"efgh"})
        assert [piece.get("body") for piece in pieces[1:]] == [b"ab"]
        assert pieces[1]["more_body"] is not announced


async def test_a_path_narrows_a_fault_to_some_requests(place: Place) -> None:
    place.faults.arm(where="github", what="status 500", path="POST /github/git")
    assert (await place.client.get("/github/git")).status_code == 200
    assert (await place.client.post("/github/x")).status_code == 200
    assert (await place.client.post("/github/git/refs")).status_code == 500


async def test_a_fault_stays_in_its_place(place: Place) -> None:
    place.faults.arm(where="github", what="status 500")
    assert (await place.client.get("/source/x")).status_code == 200


async def test_long_polls_are_spared_unless_they_are_named(place: Place) -> None:
    place.faults.arm(where="telegram", what="status 500")
    poll = "/telegram/bot1:x/getUpdates"
    assert (await place.client.get(poll)).status_code == 200
    place.faults.arm(where="telegram", what="status 503", path="getUpdates")
    assert (await place.client.get(poll)).status_code == 503
    assert (await place.client.get("/telegram/bot1:x/getMe")).status_code == 500


async def test_the_oldest_fault_comes_first(place: Place) -> None:
    place.faults.arm(where="github", what="status 500")
    place.faults.arm(where="github", what="status 501")
    codes = [(await place.client.get("/github/x")).status_code for _ in range(2)]
    assert codes == [500, 501]


async def test_a_run_that_never_appears_is_taken_once(place: Place) -> None:
    place.faults.arm(where="actions", what="no-run")
    assert place.faults.take("actions", "no-run")
    assert not place.faults.take("actions", "no-run")


async def test_faults_are_armed_listed_explained_and_cleared_by_http(place: Place) -> None:
    body = {"where": "target", "what": "status 503", "times": 2}
    armed = await place.client.post("/api/faults", json=body)
    wanted = [{"where": "target", "what": "status 503", "times": 2, "path": ""}]
    assert armed.json() == {"armed": wanted}
    told = (await place.client.get("/api/faults")).json()
    assert (told["armed"], told["where"], told["what"]) == (wanted, PLACES, KINDS)
    assert (await place.client.delete("/api/faults")).json() == {"armed": []}
    assert place.faults.armed() == []


async def test_the_examples_in_the_documentation_can_be_armed(place: Place) -> None:
    for example in (await place.client.get("/api/faults")).json()["examples"]:
        assert (await place.client.post("/api/faults", json=example)).status_code == 200


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"where": "moon", "what": "lost"}, "no place is called 'moon'"),
        ({"where": "github", "what": "explode"}, "no fault is called 'explode'"),
        ({"where": "github", "what": ""}, "no fault is called ''"),
        ({"where": "github", "what": "lost 3"}, "no fault is called 'lost 3'"),
        ({"where": "github", "what": "status"}, "write status and a number from 400 to 599"),
        ({"where": "github", "what": "status 200"}, "write status and a number from 400 to 599"),
        ({"where": "github", "what": "delay x"}, "write delay and a number"),
        ({"where": "github", "what": "delay 601"}, "write delay and a number from 0 to 600"),
        ({"where": "github", "what": "retry-after 1.5"}, "write retry-after and a number"),
        ({"where": "github", "what": "says quota"}, "a source or a target says one of: login"),
        ({"where": "telegram", "what": "says login"}, "github: permission, primary-limit"),
        ({"where": "github", "what": "huge"}, "write huge and a number from 1 to 1024"),
        ({"where": "github", "what": "silent 3"}, "no fault is called 'silent 3'"),
        ({"where": "target", "what": "says"}, "a source or a target says one of: login"),
        ({"where": "target", "what": "says nothing"}, "a source or a target says one of: login"),
        ({"where": "source", "what": "slow 0"}, "write slow and a number from 1 to"),
        ({"where": "github", "what": "no-run"}, "are for actions alone"),
        ({"where": "actions", "what": "lost"}, "are for actions alone"),
        ({"where": "github", "what": "lost", "times": 0}, "times is 0"),
        ({"where": "github", "what": "lost", "times": "two"}, "times must be a whole number"),
        ({"what": "lost"}, "where is missing"),
    ],
)
async def test_a_mistake_in_arming_is_answered_with_words(
    place: Place, body: dict[str, Any], words: str
) -> None:
    answer = await place.client.post("/api/faults", json=body)
    assert answer.status_code == 400
    assert words in answer.json()["error"]
    assert place.faults.armed() == []
