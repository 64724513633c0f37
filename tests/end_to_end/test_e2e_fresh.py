"""Tags that are updated upstream, end to end: the bot notices, copies, and tells the watchers."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sandbox_process import Asked, Message, Sandbox, start, stop

pytestmark = [pytest.mark.e2e, pytest.mark.sweep]
EVERY = "3"


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = start(tmp_path_factory.mktemp("sandbox"), "--fresh", EVERY)
    yield sandbox
    if sandbox.process.poll() is None:
        assert stop(sandbox) == set()


def dispatches(s: Sandbox) -> list[dict[str, Any]]:
    return [run for run in s.repository()["runs"] if run["event"] == "workflow_dispatch"]


def told(s: Sandbox, words: str, **chat: str) -> list[Message]:
    return [m for m in s.messages(**chat) if m["from"] == "bot" and words in m["text"]]


def kept(s: Sandbox, image: str) -> set[str]:
    """Return the digests at the target that the image had before."""
    tag = f"{s.target()}/{image}-before-{datetime.now(UTC):%Y-}"
    return {digest for name, digest in s.digests("target").items() if name.startswith(tag)}


def mirrored(s: Sandbox, image: str) -> Asked:
    asked = s.whisper("wei", f"/mirror {image}")
    s.result(asked, "Done, 1 of 1")
    return asked


def test_a_tag_that_moves_is_noticed_copied_by_one_dispatch_and_told(s: Sandbox) -> None:
    image = "docker.io/library/busybox:latest"
    mirrored(s, image)
    old = s.digests("source")[image]
    watching = s.say("li", "/watch busybox")
    assert "I tell you here" in s.until(lambda: s.answers(watching))[0]["text"]
    new = s.move(image)
    assert new != old
    news = s.until(lambda: told(s, "our registry has it now", chat="group"))
    assert f"{image}: {old[:19]} → {new[:19]}" in news[0]["text"]
    assert s.digests("target")[f"{s.target()}/{image}"] == new
    assert kept(s, image) == {old}
    s.until(lambda: told(s, "our registry has it now", chat="private", **{"as": "wei"}))
    s.until(lambda: [run["conclusion"] for run in dispatches(s)] == ["success"])
    messages = [commit["message"] for commit in s.repository()["commits"]]
    assert sum(message.startswith("Mirror ") for message in messages) == 1


def test_a_version_that_moves_is_an_alarm_and_copied_after_an_approval(s: Sandbox) -> None:
    image = "ghcr.io/stefanprodan/podinfo:6.7.0"
    asked = s.whisper("wei", f"/mirror {image}")
    card = s.card(asked, "waits for an admin")
    s.whisper("ana", f"/approve {card['text'].split()[0]}")
    s.result(asked, "Done, 1 of 1")
    place, old = f"{s.target()}/{image}", s.digests("source")[image]
    runs = len(dispatches(s))
    new = s.move(image)
    (alarm,) = s.until(lambda: told(s, "differs from its source", chat="group"))
    assert f"{old} → {new}" in alarm["text"]
    assert s.digests("target")[place] == old
    assert len(dispatches(s)) == runs
    assert "Only an admin can do this." in s.press("wei", alarm, "Approve")
    assert s.press("ana", alarm, "Approve").endswith(": 1 image approved.")
    s.until(lambda: told(s, f"{image}: {old[:19]} → {new[:19]}", chat="private", **{"as": "wei"}))
    assert s.digests("target")[place] == new
    assert kept(s, image) == {old}
    assert len(dispatches(s)) == runs + 1
    assert len(told(s, "differs from its source", chat="group")) == 1
