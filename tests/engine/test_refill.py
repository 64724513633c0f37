"""An empty target gets every listed image again, each at the digest that was decided last."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import ANA, LI, NGINX, POLICY, STATIC, WEI, World, digest_of, world

from bot.core.approvals import Approvals
from bot.core.decision import Verdict
from bot.core.errors import RefusedError
from bot.core.image import ImageRef
from bot.core.policy import Policy, Rule
from bot.core.transfer import State, Transfer
from bot.engine.decided import Rules
from bot.engine.refill import refill

ROOMY = replace(POLICY, open_limit=999, daily_limit=999, request_limit=999)


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, ROOMY) as made:
        yield made


async def mirrored(w: World, image: ImageRef, *admins: str) -> None:
    w.upstream(image)
    await w.say(WEI, f"/mirror {image}")
    await w.settle(8)
    if image == STATIC:
        await w.press(ANA, "approve:1")
        if admins:
            await w.press(LI, "approve:1")
    await w.settle(12)
    digest = digest_of(str(image))
    w.registries.target[str(image)] = digest
    w.repository.report(image, digest)
    w.repository.finish()
    await w.settle(60)


async def fill(w: World, image: ImageRef, policy: Policy | None = None) -> str:
    rules = Rules(policy or w.policy, w.admins)
    async with w.store.begin() as unit:
        return await refill(unit, image, rules, w.clock())


async def newest(w: World, image: ImageRef) -> Transfer:
    async with w.store.begin() as unit:
        return (await unit.transfers_of_image(image, limit=1))[0]


@pytest.mark.parametrize("image", [NGINX, STATIC])
async def test_the_decided_digest_goes_out_again_though_the_tag_was_updated(
    w: World, image: ImageRef
) -> None:
    await mirrored(w, image)
    assert (await newest(w, image)).state is State.MIRRORED
    w.registries.target.clear()
    w.registries.source[str(image)] = digest_of("new")
    w.clock.pass_time(timedelta(days=400).total_seconds())
    assert await fill(w, image) == digest_of(str(image))
    await w.settle(20)
    assert (await newest(w, image)).state is State.COPYING
    assert f"{image}@{digest_of(str(image))}" in w.repository.blocks[-1]


async def test_two_admins_carry_it_again(w: World) -> None:
    w.admins = {ANA.id, LI.id}
    w.policy = replace(
        ROOMY, rules=(Rule("**", Verdict.ASK, approvals=Approvals(count=2, own=False)),)
    )
    w.start()
    await mirrored(w, STATIC, LI.id)
    await fill(w, STATIC)
    await w.settle(20)
    again = await newest(w, STATIC)
    assert again.state is State.COPYING
    async with w.store.begin() as unit:
        carried = (await unit.decisions_on([again.id]))[again.id]
    assert {each.person for each in carried} == {ANA.id, LI.id}
    assert all(each.replaces is not None for each in carried)


async def test_what_was_never_decided_is_refused(w: World) -> None:
    with pytest.raises(RefusedError, match="no decision on a digest is kept"):
        await fill(w, NGINX)
    async with w.store.begin() as unit:
        assert await unit.transfers_of_image(NGINX, limit=1) == []


async def test_what_the_rules_no_longer_approve_is_refused(w: World) -> None:
    await mirrored(w, NGINX)
    denying = replace(ROOMY, rules=(Rule("**", Verdict.DENY),))
    with pytest.raises(RefusedError, match="now the rules say deny"):
        await fill(w, NGINX, denying)


async def test_what_is_under_way_is_left_alone(w: World) -> None:
    await mirrored(w, NGINX)
    await fill(w, NGINX)
    w.clock.pass_time(1)
    with pytest.raises(RefusedError, match="under way already"):
        await fill(w, NGINX)
