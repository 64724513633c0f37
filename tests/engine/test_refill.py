"""An empty target gets every listed image again, each at the digest that was decided last."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from pathlib import Path

import pytest
from fakes import ANA, LI, NGINX, POLICY, STATIC, WEI, World, digest_of, world

from bot.core.approvals import Approvals
from bot.core.decision import Decision, Ground, Verdict
from bot.core.errors import RefusedError, TransientError
from bot.core.ids import TransferId
from bot.core.image import ImageRef
from bot.core.policy import Policy, Rule
from bot.core.transfer import State
from bot.engine.decided import Rules
from bot.engine.refill import refill

BARE = replace(NGINX, tag=None, digest=digest_of("a"))
ROOMY = replace(POLICY, open_limit=999, daily_limit=999, request_limit=999)


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, ROOMY) as made:
        yield made


async def mirrored(w: World, image: ImageRef, *admins: str, digest: str = "") -> None:
    digest = digest or digest_of(str(image))
    w.registries.source[str(image)] = digest
    await w.say(WEI, f"/mirror {image}")
    await w.settle(8)
    if image == STATIC:
        await w.press(ANA, "approve:1")
        if admins:
            await w.press(LI, "approve:1")
    await w.settle(12)
    await w.arrive(image, digest)


async def fill(w: World, image: ImageRef, policy: Policy | None = None) -> str:
    rules = Rules(policy or w.policy, w.admins)
    async with w.store.begin() as unit:
        return await refill(unit, image, rules, w.clock())


@pytest.mark.parametrize("image", [NGINX, STATIC])
async def test_the_decided_digest_goes_out_again_though_the_tag_was_updated(
    w: World, image: ImageRef
) -> None:
    await mirrored(w, image)
    assert (await w.newest(image)).state is State.MIRRORED
    w.registries.target.clear()
    w.registries.source[str(image)] = digest_of("new")
    w.clock.pass_time(timedelta(days=400).total_seconds())
    assert await fill(w, image) == digest_of(str(image))
    await w.settle(20)
    assert (await w.newest(image)).state is State.COPYING
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
    again = await w.newest(STATIC)
    assert again.state is State.COPYING
    async with w.store.begin() as unit:
        carried = (await unit.decisions_on([again.id]))[again.id]
    assert {each.person for each in carried} == {ANA.id, LI.id}
    assert all(each.replaces is not None for each in carried)


async def test_what_was_never_decided_is_refused(w: World) -> None:
    with pytest.raises(RefusedError, match="there is no record of a decision on its digest"):
        await fill(w, NGINX)
    async with w.store.begin() as unit:
        assert await unit.transfers_of_image(NGINX, limit=1) == []


async def test_what_the_rules_no_longer_approve_is_refused(w: World) -> None:
    await mirrored(w, NGINX)
    denying = replace(ROOMY, rules=(Rule("**", Verdict.DENY),))
    with pytest.raises(RefusedError, match="now the rules say deny"):
        await fill(w, NGINX, denying)


@pytest.mark.parametrize("image", [NGINX, NGINX.at(digest_of("a")), BARE])
async def test_what_is_under_way_is_left_alone(w: World, image: ImageRef) -> None:
    w.registries.source[str(NGINX)] = digest_of("a")
    await mirrored(w, image, digest=digest_of("a") if image.digest else "")
    await fill(w, image)
    w.clock.pass_time(1)
    with pytest.raises(RefusedError, match="under way already"):
        await fill(w, image)


async def test_an_approval_that_was_not_enough_hides_no_digest_that_arrived(w: World) -> None:
    w.admins = {ANA.id, LI.id}
    two = Approvals(count=2, own=False)
    w.policy = replace(ROOMY, rules=(Rule("**", Verdict.ASK, approvals=two),))
    w.start()
    await mirrored(w, STATIC, LI.id)
    w.registries.source[str(STATIC)] = digest_of("new")
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(8)
    await w.press(ANA, "approve:2")
    await w.say(WEI, "/cancel #2")
    await w.settle(8)
    assert await fill(w, STATIC) == digest_of(str(STATIC))


async def test_a_digest_that_never_arrived_hides_none_that_did(w: World) -> None:
    await mirrored(w, NGINX)
    w.registries.source[str(NGINX)] = digest_of("new")
    await w.say(WEI, f"/mirror {NGINX}")
    await w.settle(20)
    w.repository.report(NGINX, None, f"source: the decided digest is gone: {digest_of('new')}")
    w.repository.finish("failure")
    await w.settle(20)
    assert (await w.newest(NGINX)).state is State.FAILED
    assert await fill(w, NGINX) == digest_of(str(NGINX))


async def test_what_was_decided_and_never_arrived_goes_too(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, f"/mirror {NGINX}")
    await w.settle(20)
    w.repository.report(NGINX, None, "target: no space left on device")
    w.repository.finish("failure")
    await w.settle(20)
    assert (await w.newest(NGINX)).state is State.FAILED
    assert await fill(w, NGINX) == digest_of(str(NGINX))


@pytest.mark.parametrize("troubles", [0, 99])
async def test_a_later_decision_that_is_under_way_is_not_overwritten(
    w: World, troubles: int
) -> None:
    await mirrored(w, NGINX)
    new = NGINX.at(digest_of("new"))
    w.registries.source[str(NGINX)] = w.registries.source[str(new)] = digest_of("new")
    w.repository.trouble["workflow"] = [TransientError("GitHub is in trouble")] * troubles
    await w.say(WEI, f"/mirror {new}")
    await w.settle(20)
    state = State.APPROVED if troubles else State.COPYING
    assert (await w.newest(new)).state is state
    with pytest.raises(RefusedError, match=f"under way already \\({state}\\)"):
        await fill(w, NGINX)


async def test_a_question_about_a_later_digest_stays_open(w: World) -> None:
    await mirrored(w, STATIC)
    new = STATIC.at(digest_of("new"))
    w.registries.source[str(STATIC)] = w.registries.source[str(new)] = digest_of("new")
    await w.say(WEI, f"/mirror {new}")
    await w.settle(8)
    assert (await w.newest(new)).state is State.WAITING
    await fill(w, STATIC)
    await w.settle(20)
    assert (await w.newest(STATIC)).state is State.COPYING
    assert (await w.newest(new)).state is State.WAITING


async def test_four_hundred_and_fifty_images_go_in_batches_that_github_takes(w: World) -> None:
    images = [ImageRef.parse(f"docker.io/library/image-{'x' * 90}-{n}:1") for n in range(450)]
    async with w.store.begin() as unit:
        for number, image in enumerate(images):
            await unit.keep_decision(
                Decision(
                    request=None,
                    transfer=TransferId(10_000 + number),
                    image=image,
                    digest=digest_of(str(number)),
                    verdict=Verdict.APPROVE,
                    ground=Ground.RULE,
                    rule="docker.io/library/**",
                    at=w.clock(),
                )
            )
    w.repository.content = "".join(f"{image}\n" for image in images).encode()
    for image in images:
        await fill(w, image)
    await w.settle(60, step=2)
    blocks = w.repository.blocks
    held = [re.findall(r"^Image: ([^;]+);", block, re.MULTILINE) for block in blocks]
    wanted = {f"{image}@{digest_of(str(n))}" for n, image in enumerate(images)}
    assert sorted(chain.from_iterable(held)) == sorted(wanted), "each once"
    assert max(map(len, held)) <= 200
    assert max(map(len, blocks)) <= 60_000
    assert w.repository.commits == [], "what is listed is dispatched by name"


async def test_a_wait_counts_from_when_the_digest_was_decided(w: World) -> None:
    await mirrored(w, NGINX)
    w.policy = replace(ROOMY, rules=(Rule("**", Verdict.APPROVE, wait=timedelta(days=3)),))
    w.registries.target.clear()
    w.registries.source[str(NGINX)] = digest_of("new")
    w.clock.pass_time(timedelta(days=400).total_seconds())
    w.start()
    async with w.store.begin() as unit:
        await unit.saw(NGINX, digest_of("new"), w.clock())
    await fill(w, NGINX)
    await w.settle(20)
    assert (await w.newest(NGINX)).state is State.COPYING
    assert f"{NGINX}@{digest_of(str(NGINX))}" in w.repository.blocks[-1]
    async with w.store.begin() as unit:
        assert (await unit.saw(NGINX, digest_of("new"), w.clock())).since < w.clock()
