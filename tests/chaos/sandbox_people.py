"""People of a whole sandbox who ask, press, send files and retry, and the evidence of the end.

Everything goes through the sandbox's API and GitHub's. The evidence for invariants.py is what
people, the repository and the registries show in the end, and what the database holds.
"""

import json
import os
import signal
import sqlite3
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from gathering import Circumstances, plain, result_heads, stored
from invariants import Accepted, Evidence, Ran, Said
from sandbox_process import Asked, Message, Sandbox

from bot.adapters.store import SqliteStore
from bot.adapters.telegram import TELEGRAM
from bot.build import make_words
from bot.config import Settings, read_settings
from bot.core.batch import batch_of
from bot.core.ids import chat_id, message_id
from bot.dialog.buttons import parse_button
from bot.setup import FIRST_LIST

REST_SECONDS = 150.0
PEOPLE = {"wei": 1001, "li": 1002, "ana": 1003}
OPEN = """
SELECT (SELECT count(*) FROM requests WHERE closed_at IS NULL
        AND (confirmed_at IS NOT NULL OR cancelled_at IS NOT NULL))
     + (SELECT count(*) FROM batches WHERE closed_at IS NULL)
     + (SELECT count(*) FROM notes) + (SELECT count(*) FROM questions)
"""
"""Counts what is still open. A draft may wait for its person."""
STILL_OPEN = (
    "SELECT id, told_at, card, returned_at, not_before FROM requests WHERE closed_at IS NULL",
    "SELECT * FROM batches WHERE closed_at IS NULL",
    "SELECT * FROM notes",
    "SELECT * FROM questions",
)


@dataclass
class People:
    """What people have done in a sandbox so far."""

    sandbox: Sandbox
    accepted: list[Accepted] = field(default_factory=list)
    gone_on: Counter[int] = field(default_factory=Counter)
    people_list: bytes = FIRST_LIST
    removed: set[str] = field(default_factory=set)
    kills: int = 0
    presses: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8))

    # -- what they do -------------------------------------------------------------------

    def say(self, who: str, text: str, *images: str, chat: str = "private") -> Asked:
        return self._accepted(self.sandbox.say(who, text, chat=chat), images)

    def send(self, who: str, name: str, content: bytes, *images: str) -> Asked:
        return self._accepted(self.sandbox.send(who, name, content), images)

    def _accepted(self, asked: Asked, images: tuple[str, ...]) -> Asked:
        group = self.settings().telegram.chats[0]
        chat = chat_id(TELEGRAM, PEOPLE[asked.who]) if asked.chat == "private" else group
        self.accepted.append(Accepted(chat, message_id(TELEGRAM, asked.number), images))
        return asked

    def card(self, asked: Asked) -> Message | None:
        return next(iter(self.sandbox.answers(asked)), None)

    def press(self, who: str, message: Message, button: str, *, times: int = 1) -> None:
        """Press without waiting for an answer, since the bot may be dead."""
        pressed = {"as": who, "message": message["id"], "button": button, "chat": message["chat"]}
        address = self.sandbox.address
        for _ in range(times):
            self.presses.submit(
                httpx.post, f"{address}/api/press", json=pressed, trust_env=False, timeout=90
            )

    def kill(self) -> bool:
        """kill -9. Return False where no process is running."""
        bot = self.sandbox.bot()
        if bot is None:
            return False
        try:
            os.kill(bot, signal.SIGKILL)
        except ProcessLookupError:
            return False
        self.kills += 1
        return True

    # -- what they see ------------------------------------------------------------------

    def settings(self) -> Settings:
        return read_settings(self.sandbox.data / "config.yaml")

    def look(self, query: str) -> list[tuple[Any, ...]]:
        address = f"{(self.sandbox.data / 'imageto-bot.sqlite3').as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=10)) as connection:
            return connection.execute(query).fetchall()

    def rest(self, seconds: float = REST_SECONDS) -> None:
        """Wait until nothing is open any more, and no press is under way."""
        self.presses.shutdown()
        try:
            self.sandbox.until(lambda: self.look(OPEN) == [(0,)], seconds)
        except AssertionError as late:
            late.add_note(f"still open: {[self.look(rows) for rows in STILL_OPEN]}")
            raise
        time.sleep(1)

    async def evidence(self) -> Evidence:
        settings, repository = self.settings(), self.sandbox.repository()
        words = make_words(settings)
        store = await SqliteStore.open(Path(settings.database))
        circumstances = Circumstances(
            words=words,
            target=settings.target_registry(),
            language=settings.telegram.language,
            now=datetime.now(UTC),
            admins=settings.allow_lists().admins,
        )
        found = await stored(store, circumstances)
        await store.close()
        heads, prefix = result_heads(words), f"{self.sandbox.target()}/"
        batches = {c["sha"]: batch_of(c["message"]) or "" for c in repository["commits"]}
        return Evidence(
            now=datetime.now(UTC),
            policy=settings.policy_in_force(),
            admins=frozenset(settings.telegram.admins),
            asked=found.asked,
            transfers=found.transfers,
            batches=found.batches,
            decided=found.decided,
            accepted=tuple(self.accepted),
            said=tuple(_said(m, heads) for m in self._messages() if m["from"] == "bot"),
            people_list=self.people_list,
            list_now=repository["list"].encode(),
            commits=tuple(commit["message"] for commit in repository["commits"]),
            runs=tuple(_ran(run, batches) for run in repository["runs"]),
            target_now={
                name.removeprefix(prefix): digest
                for name, digest in self.sandbox.digests("target").items()
            },
            removed=frozenset(self.removed),
            gone_on=dict(self.gone_on),
            family=found.family,
            repetitions=self.kills,
            left=found.left,
        )

    def _messages(self) -> list[Message]:
        return self.sandbox.messages()


def _said(message: Message, heads: frozenset[str]) -> Said:
    texts = (*(plain(text) for text in message["history"]), message["text"])
    values = [button["value"] for row in message["buttons"] for button in row]
    answered = message["reply_to"]
    return Said(
        chat=chat_id(TELEGRAM, message["chat"]),
        id=message_id(TELEGRAM, message["id"]),
        reply_to=None if answered is None else message_id(TELEGRAM, answered),
        texts=texts,
        data=tuple(value for value in values if parse_button(value) is not None),
        is_result=texts[0].splitlines()[0] in heads,
        is_file="document" in message,
    )


def _ran(run: dict[str, Any], batches: dict[str, str]) -> Ran:
    pushed = run["event"] == "push"
    return Ran(run["id"], batches.get(run["sha"]) if pushed else None, dispatched=not pushed)


# -- people at the mirror repository --------------------------------------------------------


class Maintainer:
    """Somebody with the rights of the repository's owner, who uses GitHub's own API."""

    def __init__(self, sandbox: Sandbox) -> None:
        bot = sandbox.bot()
        environment = Path(f"/proc/{bot}/environ").read_bytes().split(b"\0")
        token = next(e for e in environment if e.startswith(b"GITHUB_TOKEN=")).partition(b"=")[2]
        self._api = httpx.Client(
            base_url=f"{sandbox.address}/github/repos/example/mirror",
            headers={"Authorization": f"Bearer {token.decode()}"},
            trust_env=False,
            timeout=90,
        )

    def close(self) -> None:
        self._api.close()

    def call(self, method: str, path: str, **body: object) -> Any:
        answer = self._api.request(method, path, json=body or None)
        assert answer.is_success, (method, path, answer.text)
        return json.loads(answer.content or b"null")

    def head(self) -> str:
        return str(self.call("GET", "/git/ref/heads/main")["object"]["sha"])

    def read(self, path: str = "image.list") -> bytes:
        answer = self._api.get(
            f"/contents/{path}", headers={"Accept": "application/vnd.github.raw+json"}
        )
        return answer.content if answer.is_success else b""

    def put(self, files: dict[str, str | None], message: str, *, on: str | None = None) -> str:
        """Commit on the head, or force-push onto another commit. None removes a file."""
        parent = on or self.head()
        tree = self.call("GET", f"/git/commits/{parent}")["tree"]["sha"]
        entries = [
            {"path": path, "mode": "100644", "type": "blob"}
            | ({"sha": None} if text is None else {"content": text})
            for path, text in files.items()
        ]
        made = self.call("POST", "/git/trees", base_tree=tree, tree=entries)["sha"]
        commit = self.call("POST", "/git/commits", message=message, tree=made, parents=[parent])
        self.call("PATCH", "/git/refs/heads/main", sha=commit["sha"], force=on is not None)
        return str(commit["sha"])
