"""Each fault as a client meets it: over a real connection."""

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

from bot.sandbox.chat import ChatWorld
from bot.sandbox.chat_api import chat_routes
from bot.sandbox.faults import KINDS, PLACES, Faults, Faulty
from bot.sandbox.serve import served


@dataclass
class Place:
    client: httpx.AsyncClient
    faults: Faults
    effects: list[str] = field(default_factory=list)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    faults, effects = Faults(), list[str]()

    async def effect(request: Request) -> Response:
        effects.append(f"{request.url.path} {(await request.body()).decode()}".strip())
        return JSONResponse({"ok": True})

    inner = Starlette(routes=[Route("/{rest:path}", effect, methods=["GET", "POST"])])
    places = ("telegram", "github", "source")
    routes = [Mount(f"/{where}", Faulty(inner, faults, where)) for where in places]
    app = Starlette(routes=[*chat_routes(ChatWorld(), faults), *routes])
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
        ({"where": "github", "what": "no-run"}, "no-run is for actions"),
        ({"where": "actions", "what": "lost"}, "no-run is for actions"),
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
