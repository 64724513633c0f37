"""Polls the issues of the mirror repository, and hands what they say to intake.

1. What is new is told by the time of creation. Other changes move an issue into the list again.
2. `since` moves only when something came. So an idle hour is answers 304, which do not count.
3. GitHub's reads can be late, so the last OVERLAP is read again. The store knows what was taken.
4. An issue or a comment that was edited starts nothing. Its author is told so once.

It must not decide what a text means: reading.py finds the command, and engine/intake obeys it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from bot.adapters.github.issues import GITHUB, chat_of, message_of, person_of
from bot.adapters.github.issues.chat import Accounts, file_id
from bot.adapters.github.issues.client import Account, IssueTracker, Post
from bot.adapters.github.issues.reading import Fence, Said, said_in
from bot.core.errors import BotError, TransientError
from bot.core.ids import Person, Place, UpdateKey
from bot.core.retry import REPEATED_WITHIN
from bot.dialog.language import Language
from bot.dialog.message import Message, Text, say
from bot.engine.changes import BUG
from bot.engine.intake.context import Attachment, Incoming
from bot.engine.ports.outbox import NewNotes
from bot.engine.ports.store import Cursors, Store, Updates
from bot.engine.shutdown import Shutdown

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 10.0
LONGEST_WAIT: Final = 300.0
OVERLAP: Final = 120
"""Seconds that are read again."""
QUIET: Final = 24 * 60 * 60
FORGOTTEN: Final = int((REPEATED_WITHIN - timedelta(days=1)).total_seconds())
"""Seconds after which nothing is read again, since intake may have forgotten that it took it."""
TAKEN_KEPT: Final = 2000
CURSOR: Final = "github-issues"
"""What the time of the newest change is stored under, in seconds since 1970."""
ROLES_KEPT: Final = 60.0
"""Seconds for which somebody is taken to be a collaborator still."""


class Receiver(Protocol):
    """What texts are handed to: see engine/intake/updates.py."""

    async def receive(self, incoming: Incoming) -> bool: ...
    async def pass_over(self, update: UpdateKey) -> None: ...


class PollingUnit(Cursors, Updates, NewNotes, Protocol):
    """What is read and written here."""


@dataclass(slots=True)
class Collaborators:
    """Who was given a role in the repository. `clock` gives seconds that never go back."""

    tracker: IssueTracker
    clock: Callable[[], float]
    _known: dict[int, tuple[float, bool]] = field(default_factory=dict)

    async def include(self, account: Account) -> bool:
        known = self._known.get(account.id)
        if known is None or self.clock() - known[0] > ROLES_KEPT:
            known = self.clock(), await self.tracker.is_collaborator(account.login)
            self._known[account.id] = known
        return known[1]


class IssuePolling:
    def __init__(
        self,
        *,
        tracker: IssueTracker,
        accounts: Accounts,
        collaborators: Collaborators,
        receiver: Receiver,
        store: Store[PollingUnit],
        form: Mapping[str, bool],
        language: Language,
        clock: Callable[[], datetime],
        alive: Callable[[], Awaitable[None]],
    ) -> None:
        """`form`: see reading.said_in. `alive` is called whenever GitHub has answered."""
        self._tracker = tracker
        self._accounts = accounts
        self._collaborators = collaborators
        self._receiver = receiver
        self._store = store
        self._form = form
        self._language = language
        self._clock = clock
        self._alive = alive
        self._done: deque[UpdateKey] = deque(maxlen=TAKEN_KEPT)

    async def run(self, shutdown: Shutdown) -> None:
        failures = 0
        while not shutdown.is_requested():
            wait = POLL_SECONDS
            try:
                await self.poll()
                failures = 0
            except BotError as error:
                failures += 1
                asked = error.retry_after if isinstance(error, TransientError) else None
                wait = min(max(asked or 0.0, POLL_SECONDS * 2**failures), LONGEST_WAIT)
                log.warning("issues: %s; next try in %.0f s", error, wait)
            except Exception:  # one answer that cannot be read must not end the bot
                log.exception("Unhandled exception while issues were read. %s", BUG)
                wait = LONGEST_WAIT
            await shutdown.unless_requested(asyncio.sleep(wait))

    async def poll(self) -> None:
        """Read once what is new, and hand it to intake in the order in which it was written."""
        began = int(self._clock().timestamp())
        since = await self._since(began)
        posts = [*await self._tracker.issues(since), *await self._tracker.comments(since)]
        await self._alive()
        me = await self._accounts.me()
        new = [p for p in posts if p.created_at >= since and key_of(p) not in self._done]
        said = [p for p in new if self._may_speak(p, me) and self._said(p, p.body, me) is not None]
        if said:
            await self._take(sorted(said, key=lambda p: (p.created_at, p.comment)), me)
        self._done.extend(key_of(post) for post in new)
        await self._move(max((int(p.updated_at.timestamp()) for p in posts), default=0), began)

    async def _since(self, began: int) -> datetime:
        """From when on changes are read. What was there before the first start is not."""
        async with self._store.begin() as unit:
            newest = await unit.cursor(CURSOR)
            if newest is None:
                newest = began
                await unit.save_cursor(CURSOR, newest)
        overlap = OVERLAP if began - newest < FORGOTTEN else 0
        return datetime.fromtimestamp(newest - overlap, UTC)

    async def _move(self, newest: int, began: int) -> None:
        """Never back: another page may have come late.

        After QUIET it moves to the present, since intake forgets in time what it took. That is
        safe only now that a read has shown that nothing is new.
        """
        async with self._store.begin() as unit:
            known = await unit.cursor(CURSOR) or 0
            if newest > known:
                await unit.save_cursor(CURSOR, newest)
            elif began - known > QUIET:
                await unit.save_cursor(CURSOR, began - OVERLAP)

    def _may_speak(self, post: Post, me: Account) -> bool:
        """Bots are nobody, and so is the account that this bot itself writes by."""
        if post.author.is_bot or post.author.id == me.id:
            return False
        self._accounts.note(post.author)
        return True

    def _said(self, post: Post, body: str, me: Account) -> Said | None:
        return said_in(body, me=me.login, form={} if post.comment else self._form)

    async def _take(self, posts: Sequence[Post], me: Account) -> None:
        """A post without a body here was deleted meanwhile."""
        found = await self._tracker.bodies(posts)
        for post in posts:
            trusted = await self._collaborators.include(post.author)
            body = found.get(post.node)
            if body is None and post.node in found and trusted:
                await self._refuse(post)
            elif body is not None and (said := self._said(post, body, me)) is not None:
                await self._hand_over(post, said, trusted=trusted)

    async def _hand_over(self, post: Post, said: Said, *, trusted: bool) -> None:
        """One command, and a further one for each further file."""
        files: Sequence[Fence | None] = said.files or [None]
        for position, fence in enumerate(files):
            incoming = self._incoming(post, said, position, fence, trusted=trusted)
            try:
                await self._receiver.receive(incoming)
            except TransientError:
                raise  # the store fails: it is read again
            except Exception:  # a text that cannot be handled must not block the rest
                log.exception(
                    "Unhandled exception in %s, which is skipped. %s", incoming.update, BUG
                )
                await self._receiver.pass_over(incoming.update)

    def _incoming(
        self, post: Post, said: Said, position: int, fence: Fence | None, *, trusted: bool
    ) -> Incoming:
        file = None
        if fence is not None:
            where = file_id(post.issue, post.comment, position, fence.key)
            file = Attachment(where, fence.name, len(fence.text.encode("utf-8", "replace")))
        return Incoming(
            update=key_of(post, position),
            person=Person(person_of(post.author.id), post.author.login),
            place=Place(chat_of(post.issue)),
            message=message_of(post.issue, post.comment),
            text=said.text if position == 0 else "/mirror",
            sent_at=post.created_at,
            hears_all=True,
            file=file,
            stranger=not trusted,
        )

    async def _refuse(self, post: Post) -> None:
        """Say once that an edited text starts nothing, unless it was taken before the edit."""
        text = Text(Message((say("issue-edited"),)), self._language)
        async with self._store.begin() as unit:
            if await unit.take(key_of(post), self._clock()):
                message = message_of(post.issue, post.comment)
                await unit.add_note(Place(chat_of(post.issue)), text, reply_to=message)


def key_of(post: Post, position: int = 0) -> UpdateKey:
    kind = f"comment-{post.comment}" if post.comment else f"issue-{post.issue}"
    return UpdateKey(f"{GITHUB}:{kind}" if position == 0 else f"{GITHUB}:{kind}.{position}")
