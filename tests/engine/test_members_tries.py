"""What people try to get more copied than was decided: each try is asked about or refused."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import ANA, LI, POLICY, STATIC, WEI, World, digest_of, world

from bot.core.approvals import Approvals
from bot.core.decision import Ground, Verdict
from bot.core.errors import RefusedError, TransientError
from bot.core.image import ImageRef
from bot.core.policy import Rule
from bot.core.transfer import State
from bot.engine.decided import Rules
from bot.engine.refill import refill

ALONE = Approvals(own=False)
TWO_ADMINS = replace(
    POLICY, open_limit=999, daily_limit=999, rules=(Rule("**", Verdict.ASK, approvals=ALONE),)
)
DIGEST = digest_of("static")
DOWN = TransientError("GitHub is in trouble")


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, TWO_ADMINS) as made:
        made.admins = {ANA.id, LI.id}
        made.start()
        made.registries.source[str(STATIC)] = DIGEST
        yield made


async def mirrored(w: World, number: int = 1) -> None:
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(8)
    await w.press(ANA, f"approve:{number}")
    await w.settle(20)
    await w.arrive(STATIC, DIGEST)
    assert (await w.newest(STATIC)).state is State.MIRRORED


async def test_who_lends_a_request_to_an_admin_cannot_take_it_back_after_the_approval(
    w: World,
) -> None:
    w.repository.trouble["workflow"] = [DOWN] * 9
    await w.say(ANA, f"/mirror {STATIC}")
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(8)
    await w.press(ANA, "approve:1")
    assert (await w.newest(STATIC)).state is State.APPROVED
    await w.say(WEI, "/cancel #2")
    w.repository.trouble.clear()
    await w.settle(60)
    assert (await w.newest(STATIC)).state is State.WAITING
    assert w.repository.blocks == []


async def test_an_admin_is_counted_once_on_all_cards_of_an_image(w: World) -> None:
    w.policy = replace(TWO_ADMINS, rules=(Rule("**", Verdict.ASK, approvals=Approvals(count=2)),))
    w.start()
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(8)
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(8)
    for number in (1, 2, 1):
        await w.press(ANA, f"approve:{number}")
        await w.say(ANA, f"/approve #{number}")
    await w.settle(20)
    assert (await w.newest(STATIC)).state is State.WAITING
    await w.press(LI, "approve:2")
    await w.settle(20)
    assert (await w.newest(STATIC)).state is State.COPYING


async def test_a_rejection_under_another_tag_holds_for_a_refill(w: World) -> None:
    await mirrored(w)
    other = ImageRef.parse("gcr.io/distroless/static:other")
    w.registries.source[str(other)] = DIGEST
    await w.say(WEI, f"/mirror {other}")
    await w.settle(8)
    await w.press(LI, "reject:2")
    w.registries.target.clear()
    async with w.store.begin() as unit:
        with pytest.raises(RefusedError, match=f"now the rules say ask \\({Ground.REJECTED}\\)"):
            await refill(unit, STATIC, Rules(w.policy, w.admins), w.clock())


async def test_an_approval_of_somebody_who_is_no_admin_any_more_fills_nothing(w: World) -> None:
    await mirrored(w)
    async with w.store.begin() as unit:
        with pytest.raises(RefusedError, match="now the rules say ask"):
            await refill(unit, STATIC, Rules(w.policy, {LI.id}), w.clock())
    async with w.store.begin() as unit:
        await unit.forget(ANA.id)
        with pytest.raises(RefusedError, match="now the rules say ask"):
            await refill(unit, STATIC, Rules(w.policy, w.admins), w.clock())


async def test_who_asks_for_what_a_refill_copies_approves_nothing_by_that(w: World) -> None:
    """The approval of then stands for what was asked then. A new request is asked about."""
    await mirrored(w)
    w.registries.target.clear()
    w.repository.trouble["workflow"] = [DOWN] * 9
    async with w.store.begin() as unit:
        await refill(unit, STATIC, Rules(w.policy, w.admins), w.clock())
    await w.say(ANA, f"/mirror {STATIC}")
    w.repository.trouble.clear()
    blocks = len(w.repository.blocks)
    await w.settle(60)
    assert (await w.newest(STATIC)).state is State.WAITING
    assert w.repository.blocks[blocks:] == []
