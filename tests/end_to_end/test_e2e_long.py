"""End-to-end tests that take minutes, because limits and waits are that long: `make long`."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox_process import Message, Sandbox, start, stop

pytestmark = [pytest.mark.e2e, pytest.mark.long]

REQUESTS = 30
IMAGES = (
    *("nginx:1.26", "nginx:1.27", "nginx:latest", "redis:7", "alpine:3.20", "busybox:1.36"),
    *("hello-world:linux", "busybox:latest", "nginx:no-such-tag", "redis:no-such-tag"),
)


@pytest.fixture
def s(tmp_path: Path) -> Iterator[Sandbox]:
    sandbox = start(tmp_path)
    yield sandbox
    assert stop(sandbox) == set()


def test_thirty_requests_in_a_minute_are_all_answered_without_one_429(s: Sandbox) -> None:
    asked = []
    for number in range(REQUESTS):
        who = ("wei", "li", "ana")[number % 3]
        asked.append(s.say(who, f"/mirror {IMAGES[number % len(IMAGES)]}"))
        time.sleep(1.5)

    def answered() -> bool:
        said = [m for m in s.messages(chat="group") if m["from"] == "bot"]
        return all(any(is_answer(m, a.number) for m in said) for a in asked)

    s.until(answered, seconds=400)
    time.sleep(20)
    assert "asks to wait" not in s.log(), "the flood limit was met"


def is_answer(message: Message, to: int) -> bool:
    words = ("Done, 1 of 1", "Not mirrored")
    return message["reply_to"] == to and message["text"].startswith(words)


def test_a_network_that_fails_for_a_while_is_waited_for(s: Sandbox) -> None:
    s.fault(where="source", what="cut", times=40, path="/blobs/")
    asked = s.whisper("wei", "/mirror nginx:1.27")
    put_off = "I will try again at"
    s.until(lambda: [m for m in s.answers(asked)[:1] if put_off in m["text"]], seconds=120)
    s.api.delete("/api/faults")
    s.until(lambda: [m for m in s.answers(asked)[1:] if "Done, 1 of 1" in m["text"]], seconds=180)
