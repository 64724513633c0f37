"""People edit the mirror repository by hand, beside and against the bot, at each phase of a copy.

Over fakes. test_process_people.py does the same with the real process.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from engine_mirror import Plan
from engine_people import AWAY, DEEDS
from engine_scenarios import COMPOSE, MISSING, REDIS, mirror
from engine_world import ChaosWorld, chaos_world
from fakes import ANA, GROUP, NGINX, STATIC, WEI
from gathering import plain
from invariants import violations

from bot.core.ids import MessageId, Place
from bot.core.image import ImageRef
from bot.engine.intake.context import Press

PHASES: Final = ("before", "checked", "committing", "committed", "copying", "copied")

WORDS: Final = {
    ("delete_the_workflow", "before"): "has no workflow to copy it",
    ("delete_the_workflow", "checked"): "has no workflow to copy it",
    ("delete_the_workflow", "committing"): "has no workflow to copy it",
    ("disable_the_workflow", "before"): "the workflow is disabled",
    ("disable_the_workflow", "checked"): "the workflow is disabled",
    ("disable_the_workflow", "committing"): "the workflow is disabled",
    ("cancel_the_run", "committed"): "its run was cancelled",
    ("cancel_the_run", "copying"): "its run was cancelled",
    ("delete_the_runs", "committed"): "GitHub refused it",
    ("delete_the_runs", "copying"): "GitHub refused it",
    ("rename_the_branch_and_name_it_back", "before"): "No commit found for the ref main",
    ("rename_the_branch_and_name_it_back", "checked"): "No commit found for the ref main",
    ("rename_the_branch_and_name_it_back", "committing"): "Branch main not found",
}
"""What a person reads where the deed ends the copy. In all other cases the image arrives."""


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[ChaosWorld]:
    async with chaos_world(tmp_path) as made:
        made.upstream(NGINX, REDIS, STATIC)
        yield made


def results(w: ChaosWorld) -> list[str]:
    """Return the end of the copy, as people read it."""
    heads = ("Done", "Partly", "Not mirrored", "None of the")
    return [plain(text) for text in w.chat.texts if text.startswith(heads)]


async def done_at(w: ChaosWorld, phase: str, deed: str) -> None:
    """Request nginx, and do the deed when the copy has reached the phase."""
    repository = w.repository
    if phase == "committing":  # between the bot's read of the list and its write
        repository.race.append(lambda: DEEDS[deed](repository))
    if phase == "before":
        DEEDS[deed](repository)
    await mirror(w, WEI, NGINX)
    await w.tick()
    if phase == "checked":
        DEEDS[deed](repository)
    while phase in ("committed", "copying", "copied") and not repository.commits:
        await w.settle(1, 1)
    if phase == "committed":
        DEEDS[deed](repository)
    await w.settle(2, 1)
    if phase == "copying":
        DEEDS[deed](repository)
    if phase == "copied":
        await w.settle(4, 1)
        repository.work()
        DEEDS[deed](repository)
    await w.rest()


async def judged(w: ChaosWorld, deed: str, phase: str, tally: Counter[str]) -> None:
    await done_at(w, phase, deed)
    tally["faults"] += 1
    broken = violations(await w.evidence())
    tally["violations"] += len(broken)
    assert not broken, broken
    assert len(results(w)) == 1
    assert WORDS.get((deed, phase), "Done, 1 of 1") in results(w)[0]


@pytest.mark.chaos
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("deed", DEEDS)
async def test_what_people_do_meanwhile_ends_in_words_they_understand(
    w: ChaosWorld, deed: str, phase: str, tally: Counter[str]
) -> None:
    await judged(w, deed, phase, tally)


@pytest.mark.parametrize(
    ("deed", "phase"),
    [
        ("add_what_the_bot_is_about_to_add", "committing"),
        ("reorder_the_list", "committing"),
        ("delete_the_list", "committing"),
        ("force_push_it_away", "copying"),
        ("delete_the_workflow", "committing"),
        ("disable_the_workflow", "checked"),
        ("cancel_the_run", "copying"),
        ("run_it_again", "copied"),
        ("delete_the_runs", "copying"),
        ("rename_the_branch_and_name_it_back", "committing"),
    ],
)
async def test_what_people_are_likely_to_do_ends_in_words_they_understand(
    w: ChaosWorld, deed: str, phase: str, tally: Counter[str]
) -> None:
    await judged(w, deed, phase, tally)


async def test_an_image_that_somebody_else_listed_just_before_us_arrives_all_the_same(
    w: ChaosWorld,
) -> None:
    """Our push adds only the other image, so our run does not copy this one. Their run fails."""
    w.repository.plans[str(NGINX)] = Plan(["unauthorized: authentication required"])
    add = DEEDS["add_what_the_bot_is_about_to_add"]
    w.repository.race.append(lambda: add(w.repository))
    await mirror(w, WEI, NGINX, REDIS)
    await w.rest()
    assert results(w)[-1].startswith("Done, 2 of 2")
    assert violations(await w.evidence()) == []


async def test_a_cancelled_run_that_is_started_again_by_hand_can_be_retried(w: ChaosWorld) -> None:
    await done_at(w, "copying", "cancel_the_run")
    w.repository.rerun()
    await w.settle(20)
    await w.say(WEI, "/retry #1")
    await w.rest()
    assert results(w)[-1].startswith("Done, 1 of 1")
    assert violations(await w.evidence()) == []


async def test_what_a_renamed_branch_did_not_take_can_be_retried(w: ChaosWorld) -> None:
    """Nothing that was in its list may be lost by that."""
    before = w.repository.content
    await done_at(w, "checked", "rename_the_branch_and_name_it_back")
    assert w.repository.content == before
    w.clock.pass_time(AWAY.total_seconds())
    await w.say(WEI, "/retry #1")
    await w.rest()
    assert results(w)[-1].startswith("Done, 1 of 1")
    assert w.repository.content.startswith(before)
    assert violations(await w.evidence()) == []


async def both(w: ChaosWorld, data: str, *, message: int = 5000) -> list[str]:
    """Two people press the same button at the same moment."""
    _, data = w.chat.button(data)
    presses = [
        Press(
            update=9000 + number,
            person=ANA,
            place=Place(GROUP),
            message=MessageId(f"telegram:{message}"),
            data=data,
        )
        for number in range(2)
    ]
    w.last_update = 9001
    return list(await asyncio.gather(*(w.pressed(press) for press in presses)))


@pytest.mark.parametrize(
    ("data", "answers"),
    [
        ("approve:1", ["#1: 1 image approved.", "Already approved by Ana."]),
        ("reject:1", ["#1: 1 image rejected.", "Already rejected by Ana."]),
        ("drop:1", ["#1: 1 image cancelled.", "It is too late to cancel #1"]),
    ],
)
async def test_a_decision_pressed_twice_at_once_is_made_once(
    w: ChaosWorld, data: str, answers: list[str]
) -> None:
    await mirror(w, WEI, STATIC)
    await w.settle(5)
    said = await both(w, data)
    assert [each.startswith(words) for each, words in zip(said, answers, strict=True)] == [True] * 2
    await w.rest()
    assert violations(await w.evidence()) == []


@pytest.mark.parametrize(
    ("data", "answers"),
    [
        ("all:1", ["On it: 2 images.", "#1 is already under way."]),
        ("drop:1", ["#1: cancelled, nothing was started.", "#1 was cancelled."]),
        ("tick:1:0", ["1 of 2 ticked", "2 of 2 ticked"]),
        ("page:1:0", ["Tap what to leave out.", "Tap what to leave out."]),
    ],
)
async def test_a_draft_is_confirmed_once_however_often_its_buttons_are_pressed(
    w: ChaosWorld, data: str, answers: list[str]
) -> None:
    await w.send(WEI, "compose.yaml", COMPOSE)
    await w.settle(5)
    said = await both(w, data)
    assert [each.startswith(words) for each, words in zip(said, answers, strict=True)] == [True] * 2
    await w.rest()
    assert violations(await w.evidence()) == []


@pytest.mark.parametrize(
    ("data", "answers"),
    [
        (
            "retry:1",
            [
                "#1 continues: 1 image.",
                "There is nothing in #1 to retry.",
            ],
        ),
        (
            "meant:1:1:0",
            [
                "#1 continues: 1 image.",
                "#1 already continues with another image.",
            ],
        ),
    ],
)
async def test_going_on_pressed_twice_at_once_happens_once(
    w: ChaosWorld, data: str, answers: list[str]
) -> None:
    w.registries.tagged["docker.io/library/nginx"] = ("9.9",)
    w.upstream(ImageRef.parse("docker.io/library/nginx:9.9"))
    await mirror(w, WEI, MISSING)
    await w.rest()
    said = await both(w, data, message=5001)
    assert [each.splitlines()[0] for each in said] == answers
    await w.rest()
    assert violations(await w.evidence()) == []


async def test_a_page_of_the_list_asked_for_twice_at_once_is_shown_in_place(
    w: ChaosWorld,
) -> None:
    """It decides nothing: both questions are answered by the same edit."""
    w.repository.people_write(lambda text: text + b"".join(b"a:%d\n" % n for n in range(30)))
    w.repository.work()
    await w.say(WEI, "/list")
    await w.rest()
    assert await both(w, "list:1:", message=5000) == ["", ""]
    await w.rest()
    assert len(w.chat.messages) == 1
    assert "a:29" in plain(w.chat.messages[MessageId("telegram:5000")].text)
    assert violations(await w.evidence()) == []


async def test_an_image_wanted_twice_at_once_is_copied_once(w: ChaosWorld) -> None:
    """Each press is a request, as each message is. The image is copied once."""
    await w.say(WEI, f"/lookup {NGINX}")
    await w.rest()
    answers = await both(w, f"want:{NGINX}")
    await w.rest()
    assert answers == ["On it."] * 2
    assert len(w.repository.commits) == 1
    assert len(w.repository.runs) == 1
    assert violations(await w.evidence()) == []


async def test_a_form_pressed_twice_at_once_is_written_once(w: ChaosWorld) -> None:
    await mirror(w, WEI, NGINX)
    await w.rest()
    assert await both(w, "form:1:kubernetes") == [
        "Written for Kubernetes.",
        "Already written for Kubernetes.",
    ]
    await w.rest()
    assert results(w) == ["Done, 1 of 1:\nimage: harbor.example.com/docker.io/library/nginx:1.27"]
    assert violations(await w.evidence()) == []
