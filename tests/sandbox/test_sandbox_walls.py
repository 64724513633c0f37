"""Pages of other sites in the same browser can neither read nor write the sandbox's API."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from sandbox_fixture import Place, place

from bot.sandbox import world
from bot.sandbox.page_files import POLICY

__all__ = ["place"]  # a fixture: pytest finds it by this name

JSON = {"Content-Type": "application/json"}
HELP = b'{"as": "wei", "text": "/help"}'


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {},
        {**JSON, "Origin": "https://example.org"},
        {**JSON, "Origin": "null"},
        {**JSON, "Origin": "http://127.0.0.1:1"},
        {**JSON, "Host": "sandbox.example.org"},
        {**JSON, "Host": "127.0.0.1.example.org:80"},
        {**JSON, "Host": ""},
    ],
)
async def test_a_page_of_another_site_writes_nothing(
    place: Place, headers: Mapping[str, str]
) -> None:
    for path in ("/api/chat", "/api/press", "/api/faults"):
        answer = await place.api.post(path, content=HELP, headers=headers)
        assert answer.status_code in {400, 403, 415}, (path, answer.text)
        assert answer.json()["error"]
    assert await place.read() == []


async def test_another_site_deletes_no_fault(place: Place) -> None:
    answer = await place.api.delete("/api/faults", headers={"Origin": "https://example.org"})
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/", "/api/chat", "/api/document/1", "/api/faults"])
async def test_a_name_that_somebody_points_at_this_machine_reads_nothing(
    place: Place, path: str
) -> None:
    answer = await place.api.get(path, headers={"Host": "sandbox.example.org"})
    assert answer.status_code == 403
    assert "127.0.0.1" in answer.text


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
async def test_every_name_of_this_machine_is_served(place: Place, name: str) -> None:
    host = f"{name}:{place.port}"
    own = {**JSON, "Host": host, "Origin": f"http://{host}"}
    assert (await place.api.get("/", headers={"Host": host})).status_code == 200
    assert (await place.api.post("/api/chat", content=HELP, headers=own)).status_code == 200


async def test_the_page_may_run_its_own_script_alone(place: Place) -> None:
    answer = await place.api.get("/")
    policy = answer.headers["content-security-policy"]
    assert policy == POLICY
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy


def test_no_two_sandboxes_have_the_same_token_of_the_bot() -> None:
    assert world.new_token() != world.new_token()
    assert re.fullmatch(r"[0-9]+:[A-Za-z0-9_-]{35,}", world.new_token())
    assert "sandbox-only-token" not in Path(world.__file__).read_text("utf-8")
