"""Looks by runs: what the bot asks GitHub to look at, and what it makes of the answers."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import ANA, NGINX, STATIC, WEI, World, digest_of, fresh_plan, world

from bot.core.errors import RefusedError, TransientError
from bot.core.image import ImageRef
from bot.core.look import LookBy
from bot.core.retry import TroubleKind
from bot.core.transfer import State
from bot.engine.ports.repository import WorkflowState

DIGEST = digest_of(str(NGINX))
CUT_OFF = TransientError("no route", kind=TroubleKind.UNREACHABLE, who="docker.io")
LOOKS = "GitHub looks at it"


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    """A world in which docker.io and gcr.io are looked at by runs alone."""
    async with world(tmp_path) as w:
        w.look = {"*.io": LookBy.RUN}
        w.start()
        yield w


async def test_a_run_looks_a_rule_decides_and_a_run_copies_what_was_seen(w: World) -> None:
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(6)
    assert w.repository.looked == [("docker.io/library/nginx:1.27",)]
    assert not w.registries.looked_at, "the bot has asked the source"
    assert LOOKS in w.card
    w.repository.look(NGINX, f"{DIGEST} none")
    w.repository.finish()
    await w.settle(20)
    assert [f"{NGINX}@{DIGEST}" in block for block in w.repository.blocks] == [False, True]
    w.copied(NGINX)
    await w.settle(20)
    assert w.last.startswith("Done, 1 of 1")
    assert len(w.repository.runs) == 2


async def test_one_run_looks_at_all_that_waits_and_an_admin_sees_the_shape(w: World) -> None:
    await w.say(WEI, f"/mirror nginx:1.27 {STATIC}")
    await w.settle(6)
    assert w.repository.looked == [(str(NGINX), str(STATIC))]
    assert f"Look: {STATIC}; shape\n" in w.repository.blocks[0]
    assert f"Look: {NGINX}\n" in w.repository.blocks[0]
    w.repository.look(STATIC, f"{digest_of('static')} none", "2100000 linux/amd64 linux/arm64")
    await w.settle(6)
    assert "2 platforms, 2.1 MB" in w.card
    assert LOOKS in w.card, "nginx still waits"
    assert (await w.newest(STATIC)).state is State.WAITING
    await w.settle(120)
    assert len(w.repository.looked) == 1


async def test_nothing_is_dispatched_for_what_was_cancelled_meanwhile(w: World) -> None:
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(1)
    await w.say(WEI, "/cancel #1")
    await w.settle(60)
    assert w.repository.runs == []


async def test_tags_near_to_a_missing_one_are_offered(w: World) -> None:
    await w.say(WEI, "/mirror nginx:1.2777")
    await w.settle(6)
    w.repository.look(ImageRef.parse("nginx:1.2777"), "missing", "1.27 1.26")
    await w.settle(12)
    assert (await w.newest(ImageRef.parse("nginx:1.2777"))).meant[0] == NGINX


async def test_tag_and_digest_are_looked_at_both(w: World) -> None:
    both = replace(NGINX, digest=DIGEST)
    await w.say(WEI, f"/mirror {both}")
    await w.settle(6)
    assert w.repository.looked == [(str(NGINX), str(both))]
    w.repository.look(both, f"{DIGEST} none")
    w.repository.look(NGINX, f"{digest_of('newer')} none")
    await w.settle(12)
    transfer = await w.newest(both)
    assert transfer.state is State.FAILED
    assert transfer.meant == (replace(both, tag=None), NGINX)


async def test_the_bot_looks_by_itself_until_it_cannot_connect(w: World) -> None:
    w.look = {}
    w.start()
    w.registries.source[str(NGINX)] = CUT_OFF
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(12)
    assert w.repository.looked == []
    await w.settle(30)
    assert w.repository.looked == [(str(NGINX),)]
    assert len(w.registries.looked_at) == 4
    other = ImageRef.parse("nginx:1.26")
    await w.say(WEI, f"/mirror {other}")
    await w.settle(12)
    assert w.repository.looked[1:] == [(str(other),)], "it is known that docker.io is cut off"
    assert len(w.registries.looked_at) == 4
    w.start()
    w.repository.look(NGINX, f"{DIGEST} none", run=0)
    await w.settle(12)
    assert (await w.newest(NGINX)).digest == DIGEST
    assert len(w.registries.looked_at) == 4, "a restart does not begin anew"


@pytest.mark.parametrize(
    "found",
    [
        None,
        RefusedError("no"),
        TransientError("500", kind=TroubleKind.FAULTY, who="docker.io"),
        TransientError("away", kind=TroubleKind.SILENT, who="harbor.example.com"),
    ],
)
async def test_only_a_source_that_cannot_be_reached_is_left_to_a_run(
    w: World, found: Exception | None
) -> None:
    w.look = {}
    w.start()
    if found:
        w.registries.source[str(NGINX)] = found
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(120)
    assert w.repository.looked == []


async def test_a_config_that_lets_the_bot_alone_look_is_obeyed(w: World) -> None:
    w.look = {"docker.io": LookBy.BOT, "*": LookBy.RUN}
    w.start()
    w.registries.source[str(NGINX)] = CUT_OFF
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(120)
    assert w.repository.looked == []
    assert "docker.io cannot be reached" in w.card


@pytest.mark.parametrize("what", ["batch", "run", "state", "image", "key", "garbage"])
async def test_a_status_of_anything_else_is_no_answer(w: World, what: str) -> None:
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(6)
    repository, words = w.repository, f"{DIGEST} none"
    repository.look(NGINX, words, batch="batch9" if what == "batch" else "")
    context, (state, text) = repository.runs[-1].statuses.popitem()
    match what:
        case "run":
            repository._start("dispatch", repository.runs[-1].sha, "batch1")
            repository.look(NGINX, words)
            _, (state, text) = repository.runs.pop().statuses.popitem()
        case "state":
            state = "failure"
        case "image":
            repository.look(STATIC, words)
            _, (state, text) = repository.runs[-1].statuses.popitem()
        case "key":
            text = f"{text[:-16]}{'0' * 16}"
        case "garbage":
            text = "0" * 140
    repository.runs[-1].statuses[context] = state, text
    await w.settle(30)
    assert (await w.newest(NGINX)).state is State.CHECKING
    assert LOOKS in w.card


async def test_a_status_that_is_lost_is_asked_for_once_more_and_then_said(w: World) -> None:
    await w.say(WEI, "/mirror nginx:1.27")
    for times in (1, 2):
        await w.settle(15)
        assert len(w.repository.looked) == times
        w.repository.finish()
    await w.settle(15)
    assert len(w.repository.looked) == 2
    assert "its run ended (success) without a result for this image" in w.last


@pytest.mark.parametrize(
    ("conclusion", "words"), [("cancelled", "cancelled"), ("startup_failure", "workflow")]
)
async def test_a_run_that_ends_without_a_look_fails_as_for_a_copy(
    w: World, conclusion: str, words: str
) -> None:
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(6)
    w.repository.finish(conclusion)
    await w.settle(15)
    assert words in w.last
    assert (await w.newest(NGINX)).state is State.FAILED


async def test_a_run_that_never_appears_is_given_up(w: World) -> None:
    w.repository.dispatches_start_runs = False
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(120)
    assert (await w.newest(NGINX)).state is State.FAILED


async def test_trouble_of_the_source_at_the_runner_is_waited_out(w: World) -> None:
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(6)
    w.repository.look(NGINX, "source: dial tcp: connection refused", state="error")
    w.repository.finish()
    await w.settle(4)
    assert "connection refused" in w.card
    await w.settle(30)
    assert len(w.repository.looked) == 2
    assert LOOKS in w.card
    w.repository.look(NGINX, "source: toomanyrequests: denied by li", state="error")
    w.repository.finish()
    await w.settle(4)
    assert (await w.newest(NGINX)).state is State.CHECKING


async def test_what_the_source_refuses_for_good_is_said(w: World) -> None:
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(6)
    w.repository.look(NGINX, "source: x509: certificate signed by unknown authority", state="error")
    await w.settle(12)
    assert (await w.newest(NGINX)).state is State.FAILED


@pytest.mark.parametrize(
    ("state", "words"),
    [(WorkflowState.DIFFERS, "imageto-bot setup"), (WorkflowState.OFF, None)],
)
async def test_a_workflow_that_cannot_look_is_told_as_for_a_copy(
    w: World, state: WorkflowState, words: str | None
) -> None:
    w.repository.state = state
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(12)
    assert w.repository.looked == []
    if words is None:
        assert (await w.newest(NGINX)).state is State.FAILED
        return
    assert words in w.card
    w.repository.state = WorkflowState.ACTIVE
    await w.settle(70)
    assert len(w.repository.looked) == 1
    assert LOOKS in w.card


async def test_trouble_of_github_is_shown_until_it_has_passed(w: World) -> None:
    away = TransientError("away", kind=TroubleKind.FAULTY, who="GitHub")
    w.repository.trouble["dispatch"] = [away] * 8
    await w.say(WEI, "/mirror nginx:1.27")
    for _ in range(8):
        await w.settle(15)
        assert "GitHub reports an internal error: tried" in w.card
        assert "next try at 13" not in w.card
    await w.settle(600)
    assert LOOKS in w.card
    assert len(w.repository.looked) == 1


async def test_a_run_whose_start_was_not_answered_is_given_nothing_more(w: World) -> None:
    w.repository.lost["dispatch"] = [TransientError("no answer", unclear=True)]
    w.repository.trouble["run_of_dispatch"] = [TransientError("not yet")] * 3
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(6)
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(60)
    assert w.repository.looked == [(str(NGINX),), (str(STATIC),)]
    w.repository.look(NGINX, "missing", run=0)
    w.repository.finish("failure", run=0)
    await w.settle(12)
    assert (await w.newest(STATIC)).state is State.CHECKING
    w.repository.look(STATIC, f"{digest_of('static')} none")
    await w.settle(12)
    assert (await w.newest(STATIC)).state is State.WAITING


async def test_a_retry_looks_anew(w: World) -> None:
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(6)
    w.repository.look(NGINX, "missing")
    await w.settle(12)
    await w.say(WEI, "/retry #1")
    await w.settle(12)
    assert len(w.repository.looked) == 2


async def test_a_target_that_the_bot_cannot_reach_leaves_the_proof_to_the_run(w: World) -> None:
    away = TransientError("away", kind=TroubleKind.SILENT, who="harbor.example.com")
    w.registries.target[str(NGINX)] = away
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(6)
    w.repository.look(NGINX, f"{DIGEST} none")
    await w.settle(15)
    w.repository.report(NGINX, DIGEST)
    w.repository.finish()
    await w.settle(90)
    assert w.last.startswith("Done, 1 of 1")


async def test_an_admin_decides_on_the_digest_of_the_look(w: World) -> None:
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(6)
    w.repository.look(STATIC, f"{digest_of('seen')} other", "0 linux/amd64")
    w.repository.finish()
    await w.settle(12)
    await w.press(ANA, "Approve")
    await w.settle(15)
    assert f"{STATIC}@{digest_of('seen')}" in w.repository.blocks[-1]
    assert (await w.newest(STATIC)).platforms == ("linux/amd64",)


async def test_a_lookup_is_answered_by_a_run_which_is_said_at_once(w: World) -> None:
    await w.say(WEI, "/lookup nginx:1.27")
    await w.settle(6)
    assert w.last.startswith("docker.io is out of my reach, so GitHub looks up")
    assert w.repository.looked == [(str(NGINX),)]
    w.registries.target[str(NGINX)] = digest_of("old")
    w.repository.look(NGINX, f"{DIGEST} other", "2100000 linux/amd64 linux/arm64")
    await w.settle(12)
    assert f"Digest: <code>{DIGEST}</code>\nPlatforms: linux/amd64, linux/arm64" in w.last
    assert "holds another digest" in w.last
    assert not w.registries.looked_at


async def test_questions_and_requests_share_a_look(w: World) -> None:
    await w.say(WEI, "/lookup nginx:1.27")
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(20)
    assert w.repository.looked == [(str(NGINX),)]
    w.repository.look(NGINX, f"{DIGEST} none")
    await w.settle(12)
    assert any(f"Digest: <code>{DIGEST}" in text for text in w.chat.texts)
    assert (await w.newest(NGINX)).digest == DIGEST


async def test_a_lookup_of_what_is_missing_offers_what_is_near(w: World) -> None:
    await w.say(WEI, "/lookup nginx:1.28")
    await w.settle(6)
    w.repository.look(ImageRef.parse("nginx:1.28"), "missing", "1.27 latest")
    await w.settle(12)
    assert "Not found at the source" in w.last
    assert any("nginx:1.27" in label for label in w.chat.messages[max(w.chat.messages)].data)


async def test_a_lookup_says_why_no_run_could_look(w: World) -> None:
    await w.say(WEI, "/lookup nginx:1.27")
    await w.settle(6)
    w.repository.finish("cancelled")
    await w.settle(12)
    assert "The source cannot be asked: its run was cancelled" in w.last


async def test_a_lookup_that_no_run_answers_ends(w: World) -> None:
    w.repository.state = WorkflowState.DIFFERS
    await w.say(WEI, "/lookup nginx:1.27")
    await w.settle(16 * 60, step=10)
    assert "GitHub did not look it up: GitHub does not answer" in w.last


async def test_a_lookup_goes_to_a_run_once_the_bot_cannot_connect(w: World) -> None:
    w.look = {}
    w.start()
    w.registries.source[str(NGINX)] = CUT_OFF
    await w.say(WEI, "/lookup nginx:1.27")
    await w.settle(20)
    assert w.repository.looked == [(str(NGINX),)]
    assert len(w.registries.looked_at) == 2


async def test_who_follows_what_is_out_of_reach_is_told(w: World) -> None:
    await w.say(WEI, "/follow nginx ^1.27")
    await w.settle(12)
    assert "its registry is out of my reach" in w.last


async def test_outdated_says_what_it_cannot_compare(w: World) -> None:
    w.repository.content = b"nginx:1.27\nquay.example/a:1\n"
    await w.say(WEI, "/outdated")
    await w.settle(6)
    assert "1 image could not be compared, since I cannot reach its registry myself" in w.last
    assert str(NGINX) not in w.registries.looked_at


async def test_what_is_left_to_runs_is_not_kept_fresh(tmp_path: Path) -> None:
    async with world(tmp_path, plan=fresh_plan()) as w:
        w.look = {"docker.io": LookBy.RUN}
        w.start()
        w.repository.content = f"{NGINX}\n{STATIC}\n".encode()
        w.upstream(NGINX, STATIC)
        await w.settle(24 * 3600, step=600)
        assert set(w.registries.looked_at) == {str(STATIC)}
        assert w.repository.looked == []
