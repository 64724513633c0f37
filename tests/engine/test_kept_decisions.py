"""Decisions that are kept while people ask and admins decide: by which ground, on which digest."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes import ANA, NGINX, STATIC, WEI, World, digest_of, world

from bot.core.decision import Decision, Ground, Verdict
from bot.core.ids import TransferId


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def kept(w: World, transfer: int = 1) -> list[Decision]:
    async with w.store.begin() as unit:
        (found,) = (await unit.decisions_on([TransferId(transfer)])).values()
    return list(found)


async def test_a_rule_decides_at_the_look_on_the_digest_that_was_seen(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(4)
    (decision,) = await kept(w)
    assert (decision.verdict, decision.ground) == (Verdict.APPROVE, Ground.RULE)
    assert (decision.rule, decision.digest) == ("docker.io/library/**", digest_of(str(NGINX)))
    assert (decision.person, decision.request) == (None, None)


async def test_a_person_decides_on_the_digest_that_the_card_shows(w: World) -> None:
    w.upstream(STATIC)
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(4)
    assert await kept(w) == []
    await w.press(ANA, "Approve")
    (decision,) = await kept(w)
    assert (decision.verdict, decision.ground) == (Verdict.APPROVE, Ground.PERSON)
    assert (decision.person, decision.request) == (ANA.id, 1)
    assert decision.digest == digest_of(str(STATIC))
    assert decision.card


async def test_a_retry_says_what_it_tries_again(w: World) -> None:
    w.upstream(STATIC)
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(4)
    await w.press(ANA, "Approve")
    await w.settle(15)
    w.repository.report(STATIC, None, "source: manifest unknown")
    w.repository.finish("failure")
    await w.settle(10)
    await w.say(WEI, "/retry #1")
    await w.settle(4)
    await w.press(ANA, "Approve")
    (again,) = await kept(w, 2)
    assert again.replaces == 1
    assert len(await kept(w, 1)) == 1, "what was decided before is still known"
