"""The log tells the way of an image by its name, and people by their pseudonyms."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes import ANA, NGINX, STATIC, WEI, World, digest_of, world

from bot.core.errors import RefusedError
from bot.core.ids import ChatId, PersonId
from bot.engine.changes import chat_name


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as w:
        yield w


async def names(w: World) -> dict[PersonId, str]:
    async with w.store.begin() as unit:
        return dict(await unit.pseudonyms([WEI.id, ANA.id]))


async def test_the_way_of_an_image_can_be_followed_by_its_name(
    w: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    w.upstream(STATIC)
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(5)
    await w.press(ANA, "approve:1")
    await w.settle(20)
    w.copied(STATIC)
    await w.settle(60)
    said = [r.getMessage() for r in caplog.records if str(STATIC) in r.getMessage()]
    who = await names(w)
    digest = digest_of(str(STATIC))
    assert said[0] == f"request 1 of {who[WEI.id]}: {STATIC}"
    transfer = f"{STATIC} (transfer 1): "
    batch = next(line for line in said if "batch" in line)
    assert said[1:] == [
        f"{transfer}waiting, digest {digest}",
        f"{STATIC} {digest} (request 1): approve by {who[ANA.id]}",
        f"{transfer}approved, digest {digest}",
        batch,
        next(line for line in said if "copying" in line),
        f"{transfer}verifying",
        f"{transfer}mirrored",
    ]
    assert not [line for line in caplog.messages if str(WEI.id) in line or WEI.name in line]


async def test_a_failure_stands_in_the_log_with_its_cause(
    w: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    w.registries.source[str(NGINX)] = RefusedError("unauthorized: login needed")
    await w.say(WEI, f"/mirror {NGINX}")
    await w.settle(5)
    failed = [line for line in caplog.messages if "failed" in line]
    assert failed == [f"{NGINX} (transfer 1): failed, source-refused: unauthorized: login needed"]


def test_a_private_chat_is_not_named_by_the_person() -> None:
    assert chat_name(ChatId("telegram:1001")) == "a private chat"
    assert chat_name(ChatId("telegram:-1001")) == "chat telegram:-1001"
