"""A bot that reaches no source: GitHub looks for it, and the image arrives all the same."""

import json
from collections.abc import Iterator

import pytest
from sandbox_process import Sandbox, start, stop

pytestmark = [pytest.mark.e2e, pytest.mark.sweep]


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = start(tmp_path_factory.mktemp("sandbox"))
    sandbox.fault(where="source", what="unreachable", times=1_000_000)
    yield sandbox
    if sandbox.process.poll() is None:
        assert stop(sandbox) == set()


def test_a_run_looks_where_the_bot_cannot_and_what_it_saw_arrives(s: Sandbox) -> None:
    image = "docker.io/library/nginx:1.27"
    asked = s.whisper("wei", f"/mirror {image}")
    result = s.result(asked, "Done, 1 of 1")
    assert f"docker pull {s.target()}/{image}" in result["text"]
    assert s.digests("target")[f"{s.target()}/{image}"] == s.digests("source")[image]
    card = s.card(asked, "digest verified")
    assert any("GitHub looks at it" in text for text in card["history"])
    look, copy = sorted(s.repository()["runs"], key=lambda run: run["id"])
    assert (look["event"], copy["event"]) == ("workflow_dispatch", "push")
    assert f"success {image}: sha256:" in look["log"]


def test_an_admin_sees_what_github_saw_and_a_missing_tag_is_met_with_near_ones(s: Sandbox) -> None:
    asked = s.say("wei", "/mirror gcr.io/distroless/static:nonroot redis:99")
    card = s.card(asked, "waits for an admin")
    assert "5 platforms, 213 kB" in card["text"]
    assert "redis:7" in s.result(asked, "docker.io/library/redis:99")["text"]


def test_without_telegram_too_an_issue_is_answered_with_a_verified_pull(s: Sandbox) -> None:
    """The bot reaches GitHub and the target alone."""
    image, path = "docker.io/library/redis:7", s.data / "config.yaml"
    config = json.loads(path.read_text())
    config["telegram"] = None
    config["github"]["issues"] = {"admins": [583231]}
    config["look"] = {"*": "run"}
    path.write_text(json.dumps(config))
    assert s.api.post("/api/bot", json={}).status_code == 200  # it is killed and starts again
    asked = {"as": "wei", "do": "open", "title": "Images", "body": f"/mirror {image}"}
    issue = s.api.post("/api/issues", json=asked).json()["issue"]

    def said() -> list[str]:
        (found,) = [i for i in s.api.get("/api/issues").json()["issues"] if i["number"] == issue]
        return [each["body"] for each in found["comments"] if each["author"] == "bot"]

    s.until(lambda: any("digest verified" in body for body in said()))
    s.until(lambda: any(f"docker pull {s.target()}/{image}" in body for body in said()))
    assert s.digests("target")[f"{s.target()}/{image}"] == s.digests("source")[image]
