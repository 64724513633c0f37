"""What is told beside the digest: what it overwrote, what came along, why nobody may pull it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import ANA, NGINX, POLICY, STATIC, WEI, World, digest_of, world

from bot.core.attachments import Attachments
from bot.core.errors import PullRefusedError
from bot.core.image import ImageRef
from bot.core.previous import Previous

ROOMY = replace(POLICY, open_limit=999, daily_limit=999, request_limit=999, keeps_previous=True)
OLD, NEW = digest_of("old"), digest_of("new")
LEAVES = "; previous before-2026-03-01; approved "
KEPT = Previous(ending="before-2026-03-01.2")
REFUSED = Previous(refusal="the target answers 412")


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, ROOMY) as made:
        yield made


async def submitted(w: World, image: ImageRef, digest: str) -> None:
    w.upstream(image)
    w.registries.source[str(image)] = digest
    await w.say(WEI, f"/mirror {image}")
    await w.settle(20)


async def overwritten(w: World, previous: Previous) -> None:
    await submitted(w, NGINX, OLD)
    await w.arrive(NGINX, OLD)
    await submitted(w, NGINX, NEW)
    await w.arrive(NGINX, NEW, previous=previous)


async def test_the_decision_names_the_tag_of_what_is_overwritten(w: World) -> None:
    await overwritten(w, KEPT)
    assert f"{NGINX}@{NEW}; asked p:" in w.repository.blocks[-1]
    assert LEAVES in w.repository.blocks[-1]


async def test_no_tag_is_named_where_the_config_does_not_say_so(w: World) -> None:
    w.policy = replace(ROOMY, keeps_previous=False)
    w.start()
    await overwritten(w, KEPT)
    assert all("previous" not in block for block in w.repository.blocks)


async def test_an_image_without_a_tag_overwrites_nothing(w: World) -> None:
    image = ImageRef.parse(f"{STATIC.registry}/{STATIC.repository}@{OLD}")
    await submitted(w, image, OLD)
    await w.press(ANA, "approve:1")
    await w.settle(20)
    assert str(image) in w.repository.blocks[-1]
    assert "previous" not in w.repository.blocks[-1]


async def test_what_a_rollback_takes_out_gets_no_tag(w: World) -> None:
    await overwritten(w, KEPT)
    await w.say(WEI, f"/rollback {NGINX}")
    await w.settle(4)
    await w.press(ANA, "approve:3")
    await w.settle(20)
    assert f"{NGINX}@{OLD}; asked p:" in w.repository.blocks[-1]
    assert "approved rollback p:" in w.repository.blocks[-1]
    assert "previous" not in w.repository.blocks[-1]


async def test_result_and_why_tell_where_it_is(w: World) -> None:
    await overwritten(w, KEPT)
    tag = f"{NGINX.tag}-before-2026-03-01.2"
    assert f"What the tag had before is kept as: nginx:{tag}" in w.last
    await w.say(WEI, f"/why {NGINX}")
    await w.settle(4)
    told = f"what the tag had before is kept as <code>docker.io/library/nginx:{tag}</code>"
    assert told in w.last


async def test_result_and_why_tell_that_the_target_refused_it(w: World) -> None:
    await overwritten(w, REFUSED)
    assert "could not be kept: nginx:1.27\n/why" in w.last
    assert "Done, 1 of 1" in w.last
    await w.say(WEI, f"/why {NGINX}")
    await w.settle(4)
    assert "could not be kept: the target answers 412" in w.last


async def test_result_and_why_tell_what_came_along_and_why_nobody_may_pull_it(w: World) -> None:
    await submitted(w, NGINX, NEW)
    w.registries.target[str(NGINX)] = PullRefusedError("the image is not scanned")
    attached = Attachments(3, "1: target: denied")
    w.repository.report(NGINX, NEW, attachments=attached)
    w.repository.finish()
    await w.settle(60)
    assert "Done, 1 of 1" in w.last
    assert "nginx:1.27 cannot be pulled now: the image is not scanned" in w.last
    assert "With 3 signatures and attestations." in w.last
    await w.say(WEI, f"/why {NGINX}")
    await w.settle(4)
    assert "not all signatures and attestations came along: 1: target: denied" in w.last


async def test_what_is_hidden_by_its_digest_is_there(w: World) -> None:
    image = ImageRef.parse(f"{STATIC.registry}/{STATIC.repository}@{OLD}")
    w.registries.target[str(image)] = PullRefusedError("the image is not scanned")
    w.registries.source[str(image)] = OLD
    await w.say(WEI, f"/mirror {image}")
    await w.settle(20)
    assert "Done, 1 of 1" in w.last
    assert "cannot be pulled now: the image is not scanned" in w.last
    assert w.repository.blocks == []
