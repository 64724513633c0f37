"""Rare cases of the batches lane: removed lines, targets that time out, tags updated again."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import ANA, LI, NGINX, POLICY, WEI, World, digest_of, fresh_plan, world

from bot.core.decision import Verdict
from bot.core.errors import RefusedError, TransientError
from bot.core.ids import TransferId
from bot.core.image import ImageRef
from bot.core.policy import Rule
from bot.core.retry import TroubleKind
from bot.core.seal import BLOCK_CHARACTERS, IMAGES_PER_BLOCK
from bot.core.transfer import State, Transfer

OPEN = replace(POLICY, rules=(Rule("**", Verdict.APPROVE),))
PLAN = fresh_plan(version=24)
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


async def test_a_run_without_a_runner_is_queued_and_not_copying(w: World) -> None:
    w.repository.runners_are_silent = True
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(30)
    assert "queued at GitHub, no runner has taken its" in w.card
    run = w.repository.runs[-1]
    run.run = replace(run.run, is_queued=False)
    await w.settle(60)
    assert "copying for 50 s" in w.card or "copying for 60 s" in w.card
    run.run = replace(run.run, is_queued=True)  # GitHub says so of a run that is repeated
    await w.settle(30)
    assert "copying for" in w.card


@pytest.mark.parametrize(
    ("conclusion", "words", "told"),
    [
        ("failure", "payments have failed", "before a runner took it (payments have failed)"),
        ("cancelled", "", "before a runner took it (cancelled)"),
        ("startup_failure", "", "GitHub cannot read the workflow file"),
        ("failure", None, "its run ended (failure) without a result"),
    ],
)
async def test_a_run_that_ended_without_a_step_is_explained(
    w: World, conclusion: str, words: str | None, told: str
) -> None:
    w.repository.runners_are_silent = True
    w.repository.why_unstarted = words
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(30)
    w.repository.finish(conclusion)
    await w.settle(60)
    assert told in w.last


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


# -- the decided digest -------------------------------------------------------------------


async def approved(w: World) -> None:
    """A version that was updated upstream: an admin approves what was looked up."""
    w.registries.source[str(FIXED)] = APPROVED
    w.registries.target[str(FIXED)] = OLD
    await w.say(WEI, f"/mirror {FIXED}")
    await w.settle(5)
    await w.say(ANA, "/approve 1")
    await w.settle(20)
    assert len(w.repository.commits) == 1


def report(w: World, digest: str) -> None:
    w.registries.target[str(FIXED)] = digest
    w.repository.report(FIXED, digest)
    w.repository.finish()


async def test_the_run_is_told_the_digest_that_was_decided(w: World) -> None:
    await approved(w)
    w.registries.source[str(FIXED)] = LATER
    assert f"\nImage: {FIXED}@{APPROVED}; asked p:" in w.repository.commits[0][1]
    report(w, APPROVED)
    await w.settle(20)
    assert w.last.startswith("Done, 1 of 1")
    (transfer,) = await transfers(w)
    assert transfer.copied_digest == APPROVED


@pytest.mark.parametrize("rules", [(Rule("**", Verdict.APPROVE),), (Rule("**", Verdict.ASK),)])
async def test_another_digest_than_the_decided_one_is_a_mismatch_whoever_decided(
    tmp_path: Path, rules: tuple[Rule, ...]
) -> None:
    async with world(tmp_path, replace(POLICY, rules=rules)) as w:
        w.upstream(LATEST)
        await w.say(WEI, f"/mirror {LATEST}")
        await w.settle(5)
        await w.say(ANA, "/approve 1")
        await w.settle(20)
        w.registries.target[str(LATEST)] = LATER
        w.repository.report(LATEST, LATER)
        w.repository.finish()
        await w.settle(20)
        assert await states(w) == [State.FAILED]
        assert "our registry holds another digest than the approved one" in w.last
        assert not any(text.startswith("Done") for text in w.chat.texts)


async def test_a_digest_that_the_source_lost_is_looked_up_and_decided_anew(w: World) -> None:
    await approved(w)
    gone = f"source: the decided digest is gone: {APPROVED}"
    w.repository.report(FIXED, None, gone)
    w.repository.finish("failure")
    await w.settle(20)
    assert "the source no longer has the approved digest" in w.last
    w.registries.source[str(FIXED)] = LATER
    await w.say(WEI, "/retry #1")
    await w.settle(20)
    assert await states(w) == [State.FAILED, State.WAITING]
    again = (await transfers(w))[1]
    assert (again.digest, again.retries) == (LATER, 1)


async def test_a_batch_holds_what_fits_and_the_rest_goes_with_the_next(tmp_path: Path) -> None:
    many = [ImageRef.parse(f"docker.io/library/app{n}:1") for n in range(IMAGES_PER_BLOCK + 5)]
    async with world(tmp_path, OPEN) as w:
        w.upstream(*many)
        w.repository.trouble["workflow"] = [GITHUB_DOWN] * 10_000
        async with w.store.begin() as unit:
            for image in many:
                await unit.open_transfer(image, w.clock())
        await w.settle(40)
        w.repository.trouble.clear()
        w.clock.pass_time(400)  # all are due again
        await w.settle(60)
        counts = [message.count("\nImage: ") for _, message in w.repository.commits]
        assert counts == [IMAGES_PER_BLOCK, 5]
        assert all(len(block) < BLOCK_CHARACTERS for block in w.repository.blocks)


# -- the rules of now, right before the commit --------------------------------------------


async def held(w: World, *, until: State = State.APPROVED) -> None:
    """An image that was approved, or put into a batch, while GitHub is in trouble."""
    call = "workflow" if until is State.APPROVED else "write_list"
    w.repository.trouble[call] = [GITHUB_DOWN] * 10_000
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    if await states(w) == [State.WAITING]:
        await w.press(ANA, "approve:1")
        await w.settle(8)
    assert await states(w) == [until]


def with_rules(w: World, *rules: Rule) -> None:
    """Start the bot again with other rules, and let GitHub answer."""
    w.policy = replace(w.policy, rules=rules)
    w.repository.trouble.clear()
    w.start()


@pytest.mark.parametrize("until", [State.APPROVED, State.SUBMITTED])
@pytest.mark.parametrize("verdict", [Verdict.APPROVE, Verdict.ASK])
async def test_a_rule_that_denies_meanwhile_ends_it_whoever_approved(
    tmp_path: Path, until: State, verdict: Verdict
) -> None:
    async with world(tmp_path, replace(OPEN, rules=(Rule("**", verdict),))) as w:
        await held(w, until=until)
        with_rules(w, Rule("**", Verdict.DENY, "known to be harmful"))
        await w.settle(400, step=5)
        assert await states(w) == [State.REJECTED]
        assert "known to be harmful" in w.last
        assert (w.repository.commits, w.repository.dispatched) == ([], [])
        async with w.store.begin() as unit:
            (decisions,) = (await unit.decisions_on([TransferId(1)])).values()
        assert [d.verdict for d in decisions] == [Verdict.APPROVE, Verdict.DENY]


@pytest.mark.parametrize("until", [State.APPROVED, State.SUBMITTED])
async def test_what_a_rule_approved_is_asked_about_where_the_rule_asks_now(
    w: World, until: State
) -> None:
    await held(w, until=until)
    with_rules(w, Rule("**", Verdict.ASK))
    await w.settle(400, step=5)
    assert await states(w) == [State.WAITING]
    assert w.repository.commits == []
    assert await w.press(ANA, "approve:1") == "#1: 1 image approved."
    await w.settle(20)
    assert len(w.repository.commits) == 1


async def test_an_approval_of_an_admin_of_then_is_asked_about_again(w: World) -> None:
    w.policy = replace(w.policy, rules=(Rule("**", Verdict.ASK),))
    w.start()
    await held(w)
    w.admins = {LI.id}
    w.repository.trouble.clear()
    w.start()
    await w.settle(20)
    assert await states(w) == [State.WAITING]


async def test_an_old_approval_without_a_digest_is_looked_up_again(w: World) -> None:
    await held(w)
    async with w.store.begin() as unit:
        transfer = await unit.transfer(TransferId(1))
        assert transfer is not None
        await unit.save_transfer(replace(transfer, digest=None))
    w.repository.trouble.clear()
    await w.settle(20)
    (block,) = w.repository.blocks
    assert f"Image: {NGINX}@{digest_of(str(NGINX))}; " in block


# -- one tag, one order -------------------------------------------------------------------

FIRST, SECOND = (NGINX.at(digest_of(name)) for name in ("first", "second"))


async def asked(w: World, *images: ImageRef) -> None:
    """Ask for each image in a request of its own. An admin is asked about all of them."""
    w.policy = replace(w.policy, rules=(Rule("**", Verdict.ASK),))
    w.start()
    for image in images:
        named = image.digest or digest_of(str(image))
        w.registries.source[str(image)] = w.registries.source[str(image.place)] = named
        await w.say(WEI, f"/mirror {image}")
        await w.settle(4)
    assert await states(w) == [State.WAITING] * len(images)


def copied(w: World, image: ImageRef, *, run: int = -1) -> None:
    digest = image.digest or digest_of(str(image))
    w.registries.target[str(NGINX)] = w.registries.target[str(image)] = digest
    w.repository.report(image, digest, run=run)
    w.repository.finish(run=run)


async def test_a_decision_ends_older_questions_of_its_tag_and_names_the_request(w: World) -> None:
    await asked(w, FIRST, SECOND)
    await w.press(ANA, "approve:2")
    await w.settle(4)
    assert (await states(w))[0] is State.REPLACED
    assert any("replaced: #2 brings another digest of this tag" in t for t in w.chat.texts)
    assert (await w.press(ANA, "approve:1")).startswith(
        "#1 was replaced by a later decision.\n/retry #1"
    )
    await w.settle(20)
    assert len(w.repository.blocks) == 1


async def test_a_newer_question_outlives_the_decision_on_an_older_one(w: World) -> None:
    await asked(w, FIRST, SECOND)
    await w.press(ANA, "approve:1")
    await w.settle(4)
    assert (await states(w))[1] is State.WAITING


async def test_other_tags_and_the_same_digest_are_left_alone(w: World) -> None:
    await asked(w, ImageRef.parse("nginx:1.26"), NGINX, NGINX.at(digest_of(str(NGINX))))
    await w.press(ANA, "approve:3")
    await w.settle(4)
    assert (await states(w))[:2] == [State.WAITING, State.WAITING]


async def test_two_spellings_in_one_request_are_decided_together_and_copied_in_turn(
    w: World,
) -> None:
    w.policy = replace(w.policy, rules=(Rule("**", Verdict.ASK),))
    w.start()
    w.registries.source[str(NGINX)] = w.registries.source[str(FIRST)] = FIRST.digest
    await w.say(WEI, f"/mirror {NGINX} {FIRST}")
    await w.settle(4)
    await w.press(ANA, "Approve")
    await w.settle(20)
    assert [block.count("\nImage: ") for block in w.repository.blocks] == [1]
    copied(w, FIRST)
    await w.settle(40)
    assert [str(FIRST) in block for block in w.repository.blocks] == [True, True]
    copied(w, FIRST)
    await w.settle(20)
    assert await states(w) == [State.MIRRORED, State.MIRRORED]


async def test_another_digest_of_a_tag_waits_for_the_end_of_the_copy_under_way(w: World) -> None:
    await asked(w, FIRST, SECOND)
    await w.press(ANA, "approve:1")
    await w.settle(20)
    await w.press(ANA, "approve:2")
    await w.settle(60)
    assert await states(w) == [State.COPYING, State.APPROVED]
    assert len(w.repository.blocks) == 1
    copied(w, FIRST)
    await w.settle(20)
    assert await states(w) == [State.MIRRORED, State.COPYING]
    copied(w, SECOND)
    await w.settle(20)
    assert w.registries.target[str(NGINX)] == SECOND.digest


async def test_a_copy_that_is_requeued_does_not_undo_a_later_decision(w: World) -> None:
    await asked(w, FIRST, SECOND)
    await w.press(ANA, "approve:1")
    await w.settle(20)
    await w.press(ANA, "approve:2")
    w.repository.report(FIRST, None, "source: read tcp: connection reset by peer")
    w.repository.finish("failure")
    await w.settle(20)
    assert await states(w) == [State.REPLACED, State.COPYING]
    assert str(SECOND) in w.repository.blocks[-1]
