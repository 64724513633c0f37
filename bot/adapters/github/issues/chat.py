"""Comments as messages: implements engine.ports.chat.Chat.

Each comment ends with a hidden mark, made of the key of what it says. After a kill between posting
and storing, or an answer that was lost, the comment of this key is found by it and edited, and not
posted again. Only a comment of the bot's own account counts: anybody can copy a mark.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from bot.adapters.github.issues import GITHUB, SERVICE, issue_of, message_of
from bot.adapters.github.issues.budget import ContentBudget
from bot.adapters.github.issues.client import Account, IssueTracker
from bot.adapters.github.issues.form import PREFIX
from bot.adapters.github.issues.markdown import code_block
from bot.adapters.github.issues.reading import said_in
from bot.adapters.github.issues.rendering import COMMENT_LIMIT, IssueWords
from bot.core.errors import RefusedError, TransientError
from bot.core.ids import ChatId, MessageId, Place, is_private, number_of, split_id
from bot.core.retry import TroubleKind
from bot.core.standing import Standing
from bot.dialog.message import Message, Text, say
from bot.engine.ports.chat import Document

LOGINS_KEPT: Final = 3600.0
"""Seconds for which a login is taken to be of the same account."""
_FILE: Final = re.compile(r"([0-9]{1,18}):([0-9]{1,18}):([0-9]{1,4}):([0-9a-f]{16})", re.ASCII)


@dataclass(slots=True)
class Accounts:
    """Who the bot is, and who has which login now. `clock` gives seconds that never go back."""

    tracker: IssueTracker
    clock: Callable[[], float]
    _me: Account | None = None
    _logins: dict[int, tuple[float, str]] = field(default_factory=dict)

    async def me(self) -> Account:
        if self._me is None:
            self._me = await self.tracker.me()
        return self._me

    def note(self, account: Account) -> None:
        """Keep a login that GitHub has just named."""
        self._logins[account.id] = self.clock(), account.login

    async def login(self, account: int) -> str | None:
        """The login, or None for an account that is gone."""
        known = self._logins.get(account)
        if known is None or self.clock() - known[0] > LOGINS_KEPT:
            try:
                self.note(Account(account, await self.tracker.login_of(account)))
            except RefusedError:
                return None
        return self._logins[account][1]


class IssueChat:
    service = SERVICE

    def __init__(
        self,
        tracker: IssueTracker,
        words: IssueWords,
        *,
        accounts: Accounts,
        budget: ContentBudget,
        form: Mapping[str, bool],
    ) -> None:
        """`form`: see reading.said_in."""
        self._tracker = tracker
        self._words = words
        self._accounts = accounts
        self._budget = budget
        self._form = form

    async def send(
        self, place: Place, text: Text, *, reply_to: MessageId | None, key: str
    ) -> MessageId:
        body = await self._body(text)
        if key.startswith("result") and reply_to is not None:
            author = await self._author(place, reply_to)
            body = f"@{author.login} {body}" if author is not None else body
        return await self._post(place, body, key)

    async def edit(self, place: Place, message: MessageId, text: Text) -> None:  # noqa: ARG002 - the port's
        """The mark goes: that the comment is edited shows that its id was stored."""
        await self._tracker.edit_comment(number_of(message), await self._body(text))

    async def delete(self, place: Place, message: MessageId) -> None:  # noqa: ARG002 - the port's
        await self._tracker.delete_comment(number_of(message))

    async def send_file(
        self,
        place: Place,
        document: Document,
        caption: Text,
        *,
        reply_to: MessageId | None,  # noqa: ARG002 - the port's
        key: str,
    ) -> None:
        """The file as a code block. One that is too long for a comment is only said."""
        body = await self._body(caption)
        ending = document.name.rpartition(".")[2].lower()
        info = ending if ending.isalnum() and ending.isascii() else ""
        block = code_block(document.content.decode("utf-8", "replace"), info)
        if len(body) + len(block) > COMMENT_LIMIT:
            too_long = Message((say("file-too-long-for-comment", file=document.name),))
            block = await self._body(Text(too_long, caption.language))
        await self._post(place, f"{body}\n\n{block}", key)

    async def fetch(self, file_id: str, *, limit: int) -> bytes:
        """A code block of an issue or a comment, if it is still what it was."""
        match = _FILE.fullmatch(file_id)
        if match is None:
            raise RefusedError("this names no file of a comment")
        issue, comment, position = int(match[1]), int(match[2]), int(match[3])
        post = await self._tracker.post(issue, comment)
        me = (await self._accounts.me()).login
        said = (
            None if post is None else said_in(post.body, me=me, form={} if comment else self._form)
        )
        files = () if said is None else said.files
        if position >= len(files) or files[position].key != match[4]:
            raise RefusedError("the text was edited")
        content = files[position].text.encode("utf-8", "replace")
        if len(content) > limit:
            raise RefusedError("the file is too large")
        return content

    async def show_standing(
        self, chat: ChatId, standing: Standing, asked: Collection[MessageId]
    ) -> None:
        """Label the issue. One that was opened as a request is closed once all is over."""
        issue = issue_of(chat)
        there = await self._tracker.labels(issue)
        wanted = {each for each in there if not each.startswith(PREFIX)} | {f"{PREFIX}{standing}"}
        if wanted != there:
            await self._tracker.set_labels(issue, sorted(wanted))
        if message_of(issue, 0) in asked:
            await self._tracker.set_state(issue, is_open=not standing.is_over)

    # -- comments -----------------------------------------------------------------------------

    async def _body(self, text: Text) -> str:
        logins = {}
        for person in self._words.people(text):
            service, number = split_id(person)
            if service == GITHUB and (login := await self._accounts.login(number)) is not None:
                logins[str(person)] = login
        return self._words.render(text, logins)

    async def _author(self, place: Place, message: MessageId) -> Account | None:
        number = number_of(message)
        try:
            post = await self._tracker.post(issue_of(place.chat), max(number, 0))
        except RefusedError:  # deleted
            return None
        return None if post is None or post.author.is_bot else post.author

    async def _post(self, place: Place, body: str, key: str) -> MessageId:
        """Raises TransientError where the budget makes it wait."""
        if is_private(place.chat):
            raise RefusedError("GitHub has no private chats")
        issue, mark = issue_of(place.chat), mark_of(place, key)
        marked = f"{body}\n\n{mark}"
        me = (await self._accounts.me()).id
        for comment, author, there in await self._comments(place):
            if author == me and there.rstrip().endswith(mark):
                if there != marked:
                    await self._tracker.edit_comment(comment, marked)
                return message_of(issue, comment)
        if wait := self._budget.wait(card=key.startswith("card")):
            raise TransientError(
                "GitHub's limit of new comments is used up",
                kind=TroubleKind.BUSY,
                who="GitHub",
                retry_after=wait,
            )
        self._budget.count()
        return message_of(issue, await self._tracker.create_comment(issue, marked))

    async def _comments(self, place: Place) -> list[tuple[int, int, str]]:
        return await self._tracker.own_comments(issue_of(place.chat))


def mark_of(place: Place, key: str) -> str:
    return f"<!-- imageto-bot {sha256(f'{place.chat} {key}'.encode()).hexdigest()[:32]} -->"


def file_id(issue: int, comment: int, position: int, key: str) -> str:
    """What `fetch` takes."""
    return f"{issue}:{comment}:{position}:{key}"
