"""Asked for, approved and answered in issues of the mirror repository, beside a chat."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sandbox_process import Sandbox, start, stop

pytestmark = pytest.mark.e2e
ANA = 583231


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = start(tmp_path_factory.mktemp("sandbox"))
    path = sandbox.data / "config.yaml"
    config = json.loads(path.read_text())
    config["github"]["issues"] = {"admins": [ANA]}
    path.write_text(json.dumps(config))
    sandbox.answer("ana", "/reload")
    sandbox.until(lambda: "bot in issues serves" in sandbox.log())
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
    command = re.findall(r"`(/approve \d+ [A-Za-z0-9_-]{8})`", card)[0]
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
