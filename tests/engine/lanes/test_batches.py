"""Rare cases of the batches lane: removed lines, targets that time out, tags updated again."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import ANA, GROUP, NGINX, POLICY, WEI, World, digest_of, world

from bot.core.decision import Verdict
from bot.core.errors import RefusedError, TransientError
from bot.core.fresh import FreshPlan
from bot.core.image import ImageRef
from bot.core.policy import Rule
from bot.core.retry import TroubleKind
from bot.core.tag_class import TagClass
from bot.core.transfer import State, Transfer

OPEN = replace(POLICY, rules=(Rule("**", Verdict.APPROVE),))
PLAN = FreshPlan(
    intervals={TagClass.FLOATING: timedelta(hours=6), TagClass.VERSION: timedelta(hours=24)},
    looks=600,
    budgets={},
    alarms=GROUP,
)
LATEST = ImageRef.parse("docker.io/library/nginx:latest")
FIXED = ImageRef.parse("docker.io/library/nginx:1.27.3")
APPS = [ImageRef.parse(f"docker.io/library/app{n}:1") for n in range(3)]
OLD, APPROVED, LATER = (digest_of(name) for name in ("old", "approved", "later"))
HANGS = TransientError("read timeout", kind=TroubleKind.SILENT, who="harbor.example.com")
GITHUB_DOWN = TransientError("502", kind=TroubleKind.FAULTY, who="GitHub")
SHOWN = "harbor.example.com does not answer"


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, OPEN) as made:
        yield made


async def transfers(w: World) -> list[Transfer]:
    async with w.store.begin() as unit:
        found = [await unit.transfer(number) for number in range(1, 20)]  # type: ignore[arg-type]
        return [transfer for transfer in found if transfer is not None]


async def states(w: World) -> list[State]:
    return [transfer.state for transfer in await transfers(w)]


async def copying(w: World, *images: ImageRef) -> None:
    w.upstream(*images)
    await w.say(WEI, "/mirror " + " ".join(map(str, images)))
    await w.settle(8)
    assert set(await states(w)) == {State.COPYING}


def hang(w: World, *images: ImageRef) -> list[ImageRef]:
    """Let the target time out after 20 s for these images. Return the checks of them."""
    looks: list[ImageRef] = []
    answer = w.registries.target_digest

    async def slow(image: ImageRef) -> str | None:
        if image not in images:
            return await answer(image)
        looks.append(image)
        w.clock.pass_time(20)
        raise HANGS

    w.registries.target_digest = slow  # type: ignore[method-assign]
    return looks


async def looked(w: World, looks: list[ImageRef], *, times: int = 1) -> None:
    for _ in range(100):
        if len(looks) >= times:
            return
        await w.settle(1)
    pytest.fail(f"{len(looks)} looks")


# -- a target that hangs ------------------------------------------------------------------


async def test_a_target_that_hangs_is_asked_once_a_tick_and_what_the_run_said_is_kept(
    w: World,
) -> None:
    await copying(w, *APPS)
    looks = hang(w, *APPS)
    w.repository.report(APPS[2], None, "target: will exceed the configured upper limit of 1 GiB")
    w.repository.finish("failure")
    w.clock.pass_time(60)
    await w.reconciler.tick()
    assert len(looks) == 1
    assert await states(w) == [State.COPYING, State.COPYING, State.FAILED]
    await w.settle(5)
    assert SHOWN in w.card


async def test_others_are_committed_while_the_target_hangs(w: World) -> None:
    await copying(w, *APPS)
    hang(w, *APPS)
    w.repository.finish("cancelled")
    w.upstream(NGINX)
    w.clock.pass_time(60)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(4)
    assert len(w.repository.commits) == 2
    assert State.FAILED not in await states(w)


@pytest.mark.parametrize("gone", [False, True], ids=["a silent run", "a run that is gone"])
async def test_a_target_that_was_away_for_a_moment_loses_nothing(w: World, *, gone: bool) -> None:
    await copying(w, *APPS)
    if gone:
        w.repository.trouble["run"] = [RefusedError("GitHub: Not Found (404)")] * 100
    else:
        w.repository.finish("cancelled")
    for image in APPS:
        w.registries.target[str(image)] = HANGS
    await w.settle(5)
    assert set(await states(w)) == {State.COPYING}
    for image in APPS:
        w.registries.target[str(image)] = digest_of(str(image))
    await w.settle(15)
    assert w.last.startswith("Done, 3 of 3")


@pytest.mark.parametrize("gone", [False, True], ids=["a silent run", "a run that is gone"])
async def test_a_target_that_stays_away_is_asked_four_times_in_all(w: World, *, gone: bool) -> None:
    await copying(w, *APPS)
    looks = hang(w, *APPS)
    if gone:
        w.repository.trouble["run"] = [RefusedError("GitHub: Not Found (404)")] * 100
    else:
        w.repository.finish("cancelled")
    await w.settle(60)
    assert looks == [APPS[0]] * 4
    assert set(await states(w)) == {State.FAILED}
    assert ("GitHub refused it" if gone else "its run was cancelled") in w.last
    async with w.store.begin() as unit:
        assert await unit.open_batches() == []


async def test_githubs_own_troubles_are_no_looks_at_the_target(w: World) -> None:
    await copying(w, NGINX)
    w.repository.finish("cancelled")
    w.repository.trouble["run"] = [GITHUB_DOWN] * 5
    looks = hang(w, NGINX)
    await looked(w, looks)
    assert await states(w) == [State.COPYING]
    await w.settle(60)
    assert (len(looks), await states(w)) == (4, [State.FAILED])


async def test_an_answer_in_between_begins_the_looks_anew(w: World) -> None:
    await copying(w, *APPS)
    w.repository.finish("cancelled")
    first, second, _ = APPS
    answer = w.registries.target_digest
    looks = hang(w, first)
    await looked(w, looks, times=3)
    w.registries.target_digest = answer  # type: ignore[method-assign]
    w.registries.target[str(first)] = digest_of(str(first))
    looks = hang(w, second)
    await looked(w, looks)
    assert State.FAILED not in await states(w)
    assert (await states(w))[1:] == [State.COPYING, State.COPYING]


# -- a line that somebody removed ---------------------------------------------------------


async def kept_fresh(w: World) -> None:
    """The first check found both sides equal. Then the tag is updated upstream."""
    w.repository.content = f"{LATEST}\n".encode()
    w.registries.source[str(LATEST)] = w.registries.target[str(LATEST)] = OLD
    await w.settle(6.5 * 3600, step=120)
    w.registries.source[str(LATEST)] = LATER


async def opened(w: World) -> None:
    """Wait until the next check opens a transfer, which GitHub's trouble holds up."""
    w.repository.trouble["workflow"] = [GITHUB_DOWN] * 10_000
    for _ in range(300):
        if await transfers(w):
            break
        await w.settle(120, step=20)
    assert await states(w) == [State.APPROVED]


async def test_a_line_that_a_maintainer_took_out_is_not_put_back_nor_its_image_copied(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, OPEN, plan=PLAN) as w:
        await kept_fresh(w)
        await opened(w)
        w.repository.content = b"# images\n"
        w.repository.trouble.clear()
        await w.settle(600, step=20)
        assert w.repository.content == b"# images\n"
        assert (w.repository.commits, w.repository.dispatched) == ([], [])
        assert await states(w) == [State.FAILED]
        assert not w.chat.messages


async def test_who_asked_meanwhile_hears_why_and_gets_it_by_another_try(tmp_path: Path) -> None:
    async with world(tmp_path, OPEN, plan=PLAN) as w:
        await kept_fresh(w)
        await opened(w)
        await w.say(WEI, f"/mirror {LATEST}")
        w.repository.content = b"# images\n"
        w.repository.trouble.clear()
        await w.settle(600, step=20)
        assert "somebody removed it from image.list meanwhile" in w.last
        await w.say(WEI, "/retry #1")
        await w.settle(20)
        assert w.repository.content == f"# images\n{LATEST}\n".encode()


async def test_a_person_asks_for_what_the_list_lacks_as_before(w: World) -> None:
    await copying(w, LATEST)
    assert len(w.repository.commits) == 1


# -- a tag that is updated once more ------------------------------------------------------


async def approved(w: World) -> None:
    """An updated version that is not listed yet, so the push copies it by its tag."""
    w.registries.source[str(FIXED)] = APPROVED
    w.registries.target[str(FIXED)] = OLD
    await w.say(WEI, f"/mirror {FIXED}")
    await w.settle(5)
    await w.say(ANA, "/approve 1")
    await w.settle(20)
    assert len(w.repository.commits) == 1


def report(w: World, digest: str) -> None:
    w.registries.target[str(FIXED)] = digest
    name = FIXED if len(w.repository.runs) == 1 else replace(FIXED, digest=APPROVED)
    w.repository.report(name, digest)
    w.repository.finish()


async def test_another_digest_than_the_approved_one_is_replaced_by_it(w: World) -> None:
    await approved(w)
    report(w, LATER)
    await w.settle(20)
    assert w.repository.dispatched == [(f"{FIXED}@{APPROVED}",)]
    assert await states(w) == [State.COPYING]
    report(w, APPROVED)
    await w.settle(20)
    assert w.last.startswith("Done, 1 of 1")
    (transfer,) = await transfers(w)
    assert transfer.copied_digest == APPROVED


async def test_what_was_not_approved_is_never_called_mirrored(w: World) -> None:
    await approved(w)
    report(w, LATER)
    await w.settle(20)
    report(w, LATER)
    await w.settle(20)
    assert await states(w) == [State.FAILED]
    assert "our registry holds another digest than the one that was copied" in w.last
    assert not any(text.startswith("Done") for text in w.chat.texts)


async def test_the_approved_digest_is_done_with_the_push(w: World) -> None:
    await approved(w)
    report(w, APPROVED)
    await w.settle(20)
    assert w.last.startswith("Done, 1 of 1")
    assert w.repository.dispatched == []
