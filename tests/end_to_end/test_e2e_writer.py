"""Who may write to the mirror repository, and has no key: what their commits and dispatches do."""

import asyncio
import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from sandbox_process import Sandbox
from sandbox_without_bot import sandbox_without_bot

from bot.core.ids import BatchId
from bot.core.image import ImageRef
from bot.core.seal import DecidedImage, sealed_block
from bot.sandbox.world import RunningSandbox

pytestmark = pytest.mark.e2e
REPOSITORY = "/github/repos/example/mirror"
NGINX = "docker.io/library/nginx:1.27"


def block(image: str, key: str) -> str:
    """Return what the bot would write about an image with its digest."""
    decided = DecidedImage(image=ImageRef.parse(image), asked=["p:7f3a91c2"], approved="p:c01d2e44")
    return sealed_block(
        BatchId("2938cb00044e118d"), datetime.now(UTC), [decided], key=bytes.fromhex(key)
    )


@dataclass
class Writer:
    """Has a token with Contents and Actions, and no key."""

    s: Sandbox
    token: str

    def push(self, line: str, message: str) -> dict[str, Any]:
        """Push a list of this line alone. Return the run once it is over."""
        sha = self._write(f"{line}\n".encode(), message)
        return self._run(sha, "push")

    def dispatch(self, **inputs: str) -> dict[str, Any]:
        known = {run["id"] for run in self.s.repository()["runs"]}
        sent = self._call("POST", "actions/workflows/mirror.yml/dispatches", inputs=inputs)
        assert sent.status_code == 204, sent.text
        return self._over(lambda run: run["id"] not in known)

    def _write(self, content: bytes, message: str) -> str:
        blob = self._call("GET", "contents/image.list").json()["sha"]
        encoded = base64.b64encode(content).decode()
        path = "contents/image.list"
        answer = self._call("PUT", path, content=encoded, message=message, sha=blob)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["commit"]["sha"])

    def _run(self, sha: str, event: str) -> dict[str, Any]:
        return self._over(lambda run: (run["sha"], run["event"]) == (sha, event))

    def _over(self, which: Any) -> dict[str, Any]:
        def look() -> list[dict[str, Any]]:
            return [r for r in self.s.repository()["runs"] if which(r) and r["conclusion"]]

        return cast("dict[str, Any]", self.s.until(look)[0])

    def _call(self, verb: str, path: str, **more: Any) -> httpx.Response:
        body = {"ref": "main", **more} if verb == "POST" else more or None
        login = {"Authorization": f"token {self.token}"}
        return self.s.api.request(verb, f"{REPOSITORY}/{path}", json=body, headers=login)


def tries_to_put_an_old_digest_back(s: Sandbox, place: RunningSandbox) -> None:
    writer, key = Writer(s, place.github.token), place.github.actions.secrets["DECISION_KEY"]
    old = s.digests("source")[NGINX]
    new, tag = s.move(NGINX), f"{s.target()}/{NGINX}"
    decided = f"{NGINX}@{old}"
    writer.push(NGINX, "Add nginx\n")
    assert s.digests("target")[tag] == new
    # tests/workflow/test_decisions.py has the other seals that do not count.
    forged = block(decided, "ab" * 32)
    run = writer.push(decided, f"Mirror {NGINX}\n\n{forged}\n")
    assert "counts as written by hand: its seal is wrong" in run["log"]
    assert "by digest alone: 1.27 has another" in run["log"]
    assert s.digests("target")[tag] == new
    run = writer.dispatch(decision=forged)
    assert "by digest alone: 1.27 has another" in run["log"]
    assert s.digests("target")[tag] == new
    run = writer.push(NGINX, f"Mirror {NGINX}\n\n{block(decided, key)}\n")
    assert "p:c01d2e44" in run["log"]
    assert s.digests("target")[tag] == old, "what the bot seals is carried out"
    run = writer.dispatch()
    assert "1 of 1 in the target" in run["log"]
    assert s.digests("target")[tag] == new, "a tag that floats is refreshed"


async def test_no_forged_trailer_and_no_spelling_puts_another_digest_under_a_tag(
    tmp_path: Path,
) -> None:
    async with sandbox_without_bot(tmp_path) as made:
        await asyncio.to_thread(tries_to_put_an_old_digest_back, made.people, made.place)
