"""The real process while people edit the mirror repository and act in the chat.

test_engine_people.py does the same over fakes, at each phase.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from invariants import violations
from sandbox_people import Maintainer, People
from sandbox_process import Asked, start, stop

pytestmark = [pytest.mark.e2e, pytest.mark.chaos]

NGINX, OLD_NGINX = "docker.io/library/nginx:1.27", "docker.io/library/nginx:1.26"
REDIS, ALPINE = "docker.io/library/redis:7", "docker.io/library/alpine:3.20"
BUSYBOX, HELLO = "docker.io/library/busybox:1.36", "docker.io/library/hello-world:linux"
LATEST, MORE = "docker.io/library/nginx:latest", "docker.io/library/busybox:latest"
PODINFO, STATIC = "ghcr.io/stefanprodan/podinfo:6.7.0", "gcr.io/distroless/static:nonroot"
WORKFLOW = ".github/workflows/mirror.yml"


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory, tally: Counter[str]) -> Iterator[People]:
    """After all that a worker runs here, every promise holds."""
    sandbox = start(tmp_path_factory.mktemp("sandbox"))
    made = People(sandbox)
    try:
        yield made
        made.rest()
        found, log = violations(asyncio.run(made.evidence())), sandbox.log()
    finally:
        left = stop(sandbox)
    assert left == set()
    tally["violations"] += len(found)
    assert found == []
    assert "Traceback" not in log, log[log.index("Traceback") :][:3000]


@pytest.fixture(scope="module")
def maintainer(people: People) -> Iterator[Maintainer]:
    made = Maintainer(people.sandbox)
    yield made
    made.close()


def mirror(people: People, image: str, *, who: str = "wei", chat: str = "private") -> Asked:
    return people.say(who, f"/mirror {image}", image, chat=chat)


def done(people: People, asked: Asked) -> None:
    people.sandbox.result(asked, "Done, 1 of 1")


def refused(people: People, asked: Asked, words: str) -> bool:
    """Return whether it ended with these words and offers a retry."""
    answers = people.sandbox.answers(asked)
    return any(words in m["text"] and "Try again" in str(m["buttons"]) for m in answers)


def slowly(people: People, seconds: int = 3) -> None:
    """Slow the next copy down, so that somebody can act meanwhile."""
    people.sandbox.fault(where="target", what=f"delay {seconds}", path="POST /v2/")


def number_of(people: People, asked: Asked) -> int:
    card = people.card(asked)
    assert card is not None
    return int(card["text"].split()[0].lstrip("#"))


def again(people: People, asked: Asked) -> None:
    number = number_of(people, asked)
    people.gone_on[number] += 1
    people.sandbox.say(asked.who, f"/retry #{number}", chat=asked.chat)  # the card answers


def test_somebody_edits_and_reorders_the_list_between_look_and_commit(
    people: People, maintainer: Maintainer, tally: Counter[str]
) -> None:
    people.sandbox.fault(where="github", what="delay 2", path="PUT /github")
    asked = mirror(people, NGINX)
    people.sandbox.until(lambda: not people.sandbox.api.get("/api/faults").json()["armed"])
    theirs = "# ours, sorted by hand\nquay.io/theirs/app:1\n\n# the end"
    maintainer.put({"image.list": theirs}, "Sort the list")
    people.people_list = theirs.encode()
    done(people, asked)
    assert maintainer.read().decode() == f"{theirs}\n{NGINX}\n"
    reordered = f"# ours\n{NGINX}\n# theirs\nquay.io/theirs/app:1\n"
    maintainer.put({"image.list": reordered}, "Reorder the list")
    people.people_list = b"# ours\n# theirs\nquay.io/theirs/app:1\n"
    done(people, mirror(people, OLD_NGINX))
    assert maintainer.read().decode() == f"{reordered}{OLD_NGINX}\n"
    tally["faults"] += 2


def test_somebody_pushes_by_force_over_the_commit_whose_run_is_under_way(
    people: People, maintainer: Maintainer, tally: Counter[str]
) -> None:
    before = maintainer.head()
    slowly(people)
    asked = mirror(people, REDIS)
    people.sandbox.card(asked, "copying")
    listed = maintainer.read().decode().replace(f"{REDIS}\n", "")
    maintainer.put({"image.list": listed}, "Undo [skip ci]", on=before)
    people.removed.add(REDIS)
    done(people, asked)
    tally["faults"] += 1


def test_somebody_deletes_the_list_and_it_is_made_anew(
    people: People, maintainer: Maintainer, tally: Counter[str]
) -> None:
    gone = {line for line in maintainer.read().decode().splitlines() if "/" in line}
    maintainer.put({"image.list": None}, "Remove the list")
    people.people_list = b""
    people.removed |= gone
    done(people, mirror(people, ALPINE))
    assert maintainer.read().decode() == f"{ALPINE}\n"
    tally["faults"] += 1


def test_somebody_renames_the_branch_and_hears_of_it_until_it_is_named_back(
    people: People, maintainer: Maintainer, tally: Counter[str]
) -> None:
    maintainer.call("POST", "/branches/main/rename", new_name="trunk")
    try:
        asked = mirror(people, BUSYBOX)
        people.sandbox.until(lambda: refused(people, asked, "No commit found for the ref main"))
    finally:
        maintainer.call("POST", "/branches/trunk/rename", new_name="main")
    again(people, asked)
    done(people, asked)
    tally["faults"] += 1


def test_somebody_deletes_the_workflow_and_people_are_told_what_to_do(
    people: People, maintainer: Maintainer, tally: Counter[str]
) -> None:
    workflow = maintainer.read(WORKFLOW).decode()
    assert workflow
    maintainer.put({WORKFLOW: None}, "Remove the workflow")
    asked = mirror(people, LATEST)
    people.sandbox.result(asked, "imageto-bot setup")
    maintainer.put({WORKFLOW: workflow}, "Bring the workflow back")
    again(people, asked)
    done(people, asked)
    tally["faults"] += 1


def test_somebody_cancels_a_run_and_runs_it_again(
    people: People, maintainer: Maintainer, tally: Counter[str]
) -> None:
    slowly(people, 8)
    asked = mirror(people, HELLO)
    people.sandbox.card(asked, "copying")
    run = people.sandbox.repository()["runs"][0]["id"]
    maintainer.call("POST", f"/actions/runs/{run}/cancel")
    result = people.sandbox.result(asked, "Not mirrored")
    assert "its run was cancelled" in result["text"]

    def ended() -> bool:
        state: str = maintainer.call("GET", f"/actions/runs/{run}")["status"]
        return state == "completed"

    people.sandbox.until(ended)
    maintainer.call("POST", f"/actions/runs/{run}/rerun")
    time.sleep(0.2)
    people.sandbox.until(ended)
    assert maintainer.call("GET", f"/actions/runs/{run}")["run_attempt"] == 2
    again(people, asked)
    people.sandbox.result(asked, "was already there, same digest")
    done(people, asked)
    tally["faults"] += 2


def test_everybody_presses_every_button_twice_at_once(people: People, tally: Counter[str]) -> None:
    slowly(people)
    approve = mirror(people, STATIC, who="li", chat="group")
    draft = people.send("wei", "images.txt", f"{MORE}\n".encode(), MORE)
    people.sandbox.card(approve, "waits for an admin")
    pressed = 0
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        over = [
            any("Done" in m["text"] for m in people.sandbox.answers(a)) for a in (approve, draft)
        ]
        if all(over):
            break
        for asked in (approve, draft):
            card = people.card(asked)
            for row in card["buttons"] if card else []:
                for button in row:
                    if any(word in button["text"] for word in ("Approve", "Yes", "Mirror")):
                        for who in ("ana", "wei") if asked is approve else ("wei",):
                            people.press(who, card, button["text"], times=2)  # type: ignore[arg-type]
                            pressed += 2
        time.sleep(0.5)
    for asked in (approve, draft):
        done(people, asked)
    assert pressed >= 4
    tally["inputs"] += pressed
