"""`imageto-bot check` where a service answers what no documentation allows: it goes on."""

import os
from pathlib import Path
from typing import Any

import pytest
from check_world import Told, changed, open_world

HUGE = 10**400
ROBOT = "robot$mirror+bot"
MEMBER = "POST /telegram/bot.*/getChatMember"
CHAT = "POST /telegram/bot.*/getChat$"
SUMMARY = "GET /api/v2.0/projects/mirror/summary"
UPLOADS = "POST /v2/.*/blobs/uploads/"


def robot(expires: int) -> list[dict[str, Any]]:
    return [{"name": ROBOT, "expires_at": expires}]


def quota(used: int, hard: int) -> dict[str, Any]:
    return {"quota": {"used": {"storage": used}, "hard": {"storage": hard}}}


def user(status: str) -> dict[str, Any]:
    found = {"status": status, "user": {"id": 1, "is_bot": False, "first_name": "Ana"}}
    return {"ok": True, "result": found}


def chat(title: str) -> dict[str, Any]:
    kinds = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription")
    gifts = dict.fromkeys((*kinds, "gifts_from_channels"), False)
    more = {"accent_color_id": 0, "max_reaction_count": 1, "accepted_gift_types": gifts}
    return {"ok": True, "result": {"id": -1, "type": "supergroup", "title": title, **more}}


ODD = [
    (Told("GET /api/v2.0/robots", 200, robot(HUGE)), "expiry: not tried: Harbor sends no day"),
    (Told("GET /api/v2.0/robots", 200, robot(10**14)), "expiry: not tried: Harbor sends no day"),
    (Told(SUMMARY, 200, quota(HUGE, HUGE)), "quota: ok: 0.0 GiB used, no limit is known"),
    (Told(SUMMARY, 200, quota(5, 0)), "quota: "),
    (Told(MEMBER, 200, user("lurker")), "FAILED: the bot is not in “"),
    (Told(UPLOADS, 202, {}, {"Location": "http://[::1"}), "upload: ok: "),
    (Told("DELETE /v2/.*/uploads/17", 503, {}), "upload: ok: "),
    (Told("GET /github/repos/wei/mirror$", 200, {}), "repository: FAILED: "),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("odd")


async def test_no_answer_ends_the_check(folder: Path) -> None:
    async with open_world(folder) as world:
        for told, words in ODD:
            said = await world.check(world.settings, told)
            assert any(words in line for line in said), (words, said)
            assert any(line.startswith("target login, expiry: ") for line in said), said


async def test_nothing_of_an_answer_reaches_the_terminal_as_a_command(folder: Path) -> None:
    async with open_world(folder / "title") as world:
        title = "Images\x1b[2J\x9b1m\u202eko\r\nrepository: ok: wei/mirror"
        said = await world.check(world.settings, Told(CHAT, 200, chat(title)))
    assert not [line for line in said if not line.isprintable()]
    assert said.count("repository: ok: wei/mirror") == 1
    assert any(r"“Images\x1b[2J" in line for line in said), said[5:9]


async def test_a_database_that_cannot_be_written_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_world(folder / "disk") as world:
        file = folder / "there.sqlite3"
        file.touch()
        here = changed(world.settings, "database", str(file))
        access = os.access
        monkeypatch.setattr(os, "access", lambda path, mode: path != file and access(path, mode))
        said = await world.check(here)
        assert f"database: FAILED: {file} cannot be written" in "\n".join(said)
        monkeypatch.undo()
        lost = changed(world.settings, "database", str(folder / ("x" * 300)))
        assert any(line.startswith("database: ") for line in await world.check(lost))


@pytest.mark.parametrize(
    ("told", "failed", "checked"),
    [
        (Told(CHAT, 200, {"ok": True, "result": 7}), "chat -", "admin 1003: "),
        (Told("getWebhookInfo", 200, {"ok": True, "result": 7}), "webhook: ", "chat -"),
        (Told(MEMBER, 200, {"ok": True, "result": 7}), "chat -", "admin 1003: "),
        (Told("/rules/branches/", 500, {}), "branch: ", "right to write contents: ok"),
        (Told("/actions/workflows/mirror.yml$", 500, {}), "workflow: ", "image.list: ok"),
    ],
)
async def test_one_answer_that_cannot_be_read_leaves_the_rest_checked(
    folder: Path, told: Told, failed: str, checked: str
) -> None:
    async with open_world(folder / f"{failed}{told.to[:4]}".replace("/", "")) as world:
        said = await world.check(world.settings, told)
    assert any(line.startswith(failed) and "FAILED" in line for line in said), said
    assert any(line.startswith(checked) for line in said), said
