"""Asked for, approved and answered in issues of the mirror repository, beside a chat."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sandbox_process import Message, Sandbox, start, stop

pytestmark = pytest.mark.e2e
LI, ANA = 583230, 583231
ROOM = 1
"""The issue that decides on what was asked in Telegram."""


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = start(tmp_path_factory.mktemp("sandbox"))
    path = sandbox.data / "config.yaml"
    config = json.loads(path.read_text())
    config["github"]["issues"] = {"admins": [LI, ANA]}
    config["people"] = [["telegram:1002", f"github:{LI}"], ["telegram:1003", f"github:{ANA}"]]
    config["approvals"] = [config["telegram"]["chats"][0], f"github:-{ROOM}"]
    path.write_text(json.dumps(config))
    sandbox.answer("ana", "/reload")
    sandbox.until(lambda: "bot in issues serves" in sandbox.log())
    room = does(sandbox, "ana", "open", title="Approvals", body="Admins decide here, too.")
    assert room["issue"] == ROOM
    yield sandbox
    if sandbox.process.poll() is None:
        assert stop(sandbox) == set()


def does(s: Sandbox, who: str, what: str, **given: object) -> dict[str, Any]:
    answer = s.api.post("/api/issues", json={"as": who, "do": what, **given})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def comment(s: Sandbox, issue: int, words: str) -> str:
    """Wait for a comment of the bot with these words."""

    def look() -> str | None:
        (found,) = [i for i in s.api.get("/api/issues").json()["issues"] if i["number"] == issue]
        said = [c["body"] for c in found["comments"] if c["author"] == "bot" and words in c["body"]]
        return said[0] if said else None

    return str(s.until(look))


def stands(s: Sandbox, issue: int) -> tuple[list[str], str]:
    (found,) = [i for i in s.api.get("/api/issues").json()["issues"] if i["number"] == issue]
    return found["labels"], found["state"]


def approval(card: str) -> str:
    return str(re.findall(r"`(/approve \d+ [A-Za-z0-9_-]{8})`", card)[0])


def shown(s: Sandbox, words: str) -> Message:
    """Wait for a message of the bot in Telegram's group with these words."""
    said = [*s.until(lambda: [m for m in s.messages() if words in m["text"]])]
    return next(m for m in said if m["from"] == "bot")


def test_a_rule_approves_what_an_issue_asks_for_and_its_pull_is_told(s: Sandbox) -> None:
    issue = does(s, "wei", "open", title="Images", body="/mirror nginx:1.27")["issue"]
    result = comment(s, issue, "Done, 1 of 1")
    assert result.startswith("@wei ")
    pull = f"docker pull {s.target()}/docker.io/library/nginx:1.27"
    assert f"```\n{pull}\n```" in result
    assert "digest verified" in comment(s, issue, "digest verified")
    s.until(lambda: stands(s, issue) == (["mirror: done"], "closed"))


def test_only_an_admins_command_with_the_key_of_the_card_decides(s: Sandbox) -> None:
    image = "gcr.io/distroless/static:nonroot"
    issue = does(s, "wei", "open", title="Images", body=f"/mirror {image}")["issue"]
    card = comment(s, issue, "/approve ")
    command = approval(card)
    does(s, "mallory", "comment", issue=issue, body=command)
    does(s, "wei", "comment", issue=issue, body=command)
    does(s, "ana", "comment", issue=issue, body=f"> {command}")
    does(s, "ana", "comment", issue=issue, body=command.rpartition(" ")[0])
    edited = does(s, "ana", "comment", issue=issue, body="looks good")["comment"]
    does(s, "ana", "edit", comment=edited, body=command)
    assert command in comment(s, issue, "which version of the card")
    comment(s, issue, "was edited")
    assert f"{s.target()}/{image}" not in s.digests("target")
    s.until(lambda: stands(s, issue) == (["mirror: waiting"], "open"))
    does(s, "ana", "comment", issue=issue, body=command)
    assert f"docker pull {s.target()}/{image}" in comment(s, issue, "Done, 1 of 1")


@pytest.mark.sweep
def test_what_an_issue_asks_for_is_approved_in_telegram_and_both_tell_it(s: Sandbox) -> None:
    image = "ghcr.io/stefanprodan/podinfo:6.7.0"
    issue = does(s, "wei", "open", title="Images", body=f"/mirror {image}")["issue"]
    card = shown(s, image)
    assert s.press("ana", card, "Approve").endswith("1 image approved.")
    assert f"docker pull {s.target()}/{image}" in comment(s, issue, "Done, 1 of 1")
    over = s.until(lambda: edited(s, card, "nothing waits for a decision any more"))
    assert "by Ana" in over["text"]
    assert not over["buttons"]


@pytest.mark.sweep
def test_what_telegram_asks_for_is_approved_by_the_command_of_its_card_in_an_issue(
    s: Sandbox,
) -> None:
    image = "quay.io/prometheus/node-exporter:v1.8.2"
    asked = s.say("wei", f"/mirror {image}")
    command = approval(comment(s, ROOM, image))
    does(s, "li", "comment", issue=ROOM, body=command)
    assert f"docker pull {s.target()}/{image}" in s.result(asked, "Done, 1 of 1")["text"]
    assert "by li" in comment(s, ROOM, "nothing waits for a decision any more")


@pytest.mark.sweep
def test_of_two_who_decide_at_two_services_one_decides_and_both_are_told(s: Sandbox) -> None:
    image = "registry.k8s.io/pause:3.10"
    issue = does(s, "wei", "open", title="Images", body=f"/mirror {image}")["issue"]
    command, card = approval(comment(s, issue, "/approve ")), shown(s, image)
    does(s, "li", "comment", issue=issue, body=command.replace("approve", "reject"))
    answer = s.press("ana", card, "Approve")
    if "1 image approved" in answer:
        comment(s, issue, "Already approved by Ana")
        comment(s, issue, "Done, 1 of 1")
    else:
        assert "rejected by li" in answer
        comment(s, issue, "rejected by li")
    assert (f"{s.target()}/{image}" in s.digests("target")) == ("1 image approved" in answer)
    assert s.answer("ana", f"/history {image}").count(image) == 1


def edited(s: Sandbox, message: Message, words: str) -> Message | None:
    """The message as it is now, where it has these words."""
    found = [m for m in s.messages() if m["id"] == message["id"] and words in m["text"]]
    return found[0] if found else None
