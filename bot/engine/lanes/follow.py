"""The lane that tells chats of newer versions: it lists tags once a day, and says what is new.

A list is no pull anywhere, and is counted against the same number an hour as the looks of the
fresh lane. A registry that fails rests, and what it has not answered is no news. A list that was
cut off says nothing. What is stored after a list, and a message with the keys of its buttons, are
one transaction each, so a kill loses and repeats nothing.

It must not open a transfer: people press for that (engine/intake/follow.py).
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from bot.core.decision import Verdict
from bot.core.errors import RefusedError, TransientError
from bot.core.follow import (
    NEWS_KEPT,
    NEWS_PER_MESSAGE,
    Follow,
    ListTrouble,
    News,
    may_be_told,
)
from bot.core.fresh import BUDGET_WINDOW
from bot.core.image import ImageRef
from bot.core.policy import AllowLists, Policy, Role, decide
from bot.core.quiet_hours import QuietHours
from bot.core.registry import ImageInfo
from bot.core.retry import has_passed
from bot.dialog import follows as words_of
from bot.dialog.language import Language
from bot.dialog.message import Message, Text
from bot.engine.lanes.lane import TickResult
from bot.engine.lanes.looks import WhoLooks
from bot.engine.ports.follows import FollowLists, Follows
from bot.engine.ports.outbox import NewNotes
from bot.engine.ports.registries import Versions
from bot.engine.ports.sightings import Sightings
from bot.engine.ports.store import ChatOrigins, KnownPeople, Store
from bot.engine.shutdown import Stopped, never
from bot.engine.view_loader import language_of

log = logging.getLogger(__name__)

FOLLOWS_AT_ONCE: Final = 50
"""Read in one tick. Those of one repository share a list."""
LISTS_AN_HOUR: Final = 600
"""Requests to a registry, where the config does not say otherwise (`fresh.looks`)."""
REGISTRY_REST: Final = timedelta(minutes=5)
"""How long a registry that failed is not asked."""
_MAY_BE_TOLD: Final = frozenset({Role.MEMBER, Role.ADMIN})


class FollowUnit(FollowLists, Follows, Sightings, NewNotes, KnownPeople, ChatOrigins, Protocol):
    """What this lane reads and writes."""


@dataclass(kw_only=True)
class FollowLane:
    """`budgets` are the requests that a registry gets in an hour, by its name.

    `new_key` makes a key: see core/card_version.py. `language` is that of groups.
    """

    store: Store[FollowUnit]
    registries: Versions
    policy: Policy
    access: AllowLists
    language: Language
    quiet: QuietHours | None
    budgets: Mapping[str, int]
    who: WhoLooks
    clock: Callable[[], datetime]
    new_key: Callable[[], str]
    _asked: defaultdict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    _resting: dict[str, datetime] = field(default_factory=dict)

    async def tick(self, stopped: Stopped = never) -> TickResult:
        """List what is due, and tell the chats that have news."""
        now = self.clock()
        async with self.store.begin() as unit:
            due = await unit.due_follows(now, limit=FOLLOWS_AT_ONCE)
        kept = await self._allowed(due)
        names: defaultdict[str, list[Follow]] = defaultdict(list)
        for each in kept:
            names[each.name].append(each)
        moved = len(kept) < len(due)
        for follows in names.values():
            if not stopped() and self._may_ask(_registry(follows[0]), now):
                moved = await self._list(follows) or moved
        moved = await self._tell_all(stopped) or moved
        return TickResult.CHANGED if moved else TickResult.IDLE

    def _may_ask(self, registry: str, now: datetime) -> bool:
        rest = self._resting.get(registry)
        if rest is not None and not has_passed(REGISTRY_REST, rest, now):
            return False
        lately = [at for at in self._asked[registry] if not has_passed(BUDGET_WINDOW, at, now)]
        self._asked[registry] = lately
        return len(lately) < self.budgets.get(registry, LISTS_AN_HOUR)

    # -- lists --------------------------------------------------------------------------

    async def _list(self, follows: Sequence[Follow]) -> bool:
        """List the tags of one repository, for all that follow it here and are due."""
        name, registry = follows[0].name, _registry(follows[0])
        if self.who.by_run(registry):
            await self._save_useless(follows, ListTrouble.OUT_OF_REACH)
            return True
        try:
            found = await self.registries.all_tags(follows[0].image("latest"))
        except TransientError as trouble:
            log.info("follow: %s: %s", name, trouble)
            self._resting[registry] = self.clock()
            await self._save([self._postponed(each, trouble) for each in follows], follows)
            return True
        except RefusedError as refusal:
            log.info("follow: %s: %s", name, refusal)
            self._asked[registry].append(self.clock())
            await self._save_useless(follows, ListTrouble.MISSING)
            return True
        self._asked[registry] += [self.clock()] * found.pages
        if not found.tags or not found.is_whole:
            kind = ListTrouble.TOO_LONG if found.tags else ListTrouble.MISSING
            await self._save_useless(follows, kind)
            return True
        newest = await asyncio.to_thread(lambda: [f.wanted.newest(found.tags) for f in follows])
        now = self.clock()
        after = [each.after_list(tag, now) for each, tag in zip(follows, newest, strict=True)]
        await self._save(after, follows)
        for image in dict.fromkeys(each.image(each.news) for each in after if each.news):
            await self._digest(image)  # its age begins now, and not when the chat is told
        return True

    def _postponed(self, each: Follow, trouble: TransientError) -> Follow:
        grown = REGISTRY_REST.total_seconds() * 2.0 ** min(each.attempts, 8)
        wait = max(trouble.retry_after or 0.0, grown)
        return each.postponed(self.clock(), seed=each.name, retry_after=wait)

    async def _save_useless(self, follows: Sequence[Follow], trouble: ListTrouble) -> None:
        now = self.clock()
        await self._save([each.after_useless_list(trouble, now) for each in follows], follows)

    async def _save(self, after: Sequence[Follow], before: Sequence[Follow]) -> None:
        """Store them. Who has just begun to follow is told what was found."""
        async with self.store.begin() as unit:
            await unit.save_follows(after)
            for each, was in zip(after, before, strict=True):
                if was.listed_at is None and each.listed_at is not None:
                    await self._note(unit, each, words_of.first_list(each))

    # -- news ---------------------------------------------------------------------------

    async def _tell_all(self, stopped: Stopped) -> bool:
        now = self.clock()
        if self.quiet is not None and self.quiet.covers(now):
            return False
        async with self.store.begin() as unit:
            chats = [await unit.follows_in(chat) for chat in await unit.chats_with_news()]
        told = [
            await self._tell(follows)
            for follows in chats
            if may_be_told(follows, now) and not stopped()
        ]
        return any(told)

    async def _tell(self, follows: Sequence[Follow]) -> bool:
        """Tell a chat of its news, each with the digest that its tag has now."""
        told, news = list[Follow](), dict[ImageRef, News]()
        for each in reversed(await self._allowed(follows)):
            if each.news and len(news) < NEWS_PER_MESSAGE:
                image = each.image(each.news)
                found = news.get(image) or await self._looked_up(each, image)
                if found is not None:
                    news[image] = found
                    told.append(each)
        now = self.clock()
        shown = [one for one in news.values() if self._asks(one.image) is not None]
        async with self.store.begin() as unit:
            await unit.save_follows([each.after_telling(now) for each in told])
            if shown:
                await unit.add_news(shown, before=now - NEWS_KEPT)
                await self._note(unit, told[0], self._message(shown))
        return bool(told)

    async def _allowed(self, follows: Sequence[Follow]) -> list[Follow]:
        """Those whose person may still use the bot in their chat. The others end."""
        kept, gone = list[Follow](), list[int]()
        async with self.store.begin() as unit:
            for each in follows:
                places = (each.place.chat, await unit.origin(each.place.chat))
                roles = {self.access.role_of(each.person, chat) for chat in places}
                kept += [each] if roles & _MAY_BE_TOLD else []
                gone += [] if roles & _MAY_BE_TOLD else [each.id]
            if gone:
                await unit.drop_follows(gone)
        return kept

    async def _looked_up(self, each: Follow, image: ImageRef) -> News | None:
        """None where the registry does not say now which digest the tag has."""
        digest = await self._digest(image)
        if digest is None:
            return None
        info = await self._shape(image, digest)
        return News(
            key=self.new_key(),
            chat=each.place.chat,
            image=image,
            digest=digest,
            before=each.known,
            platforms=info.platforms,
            size=info.size,
            told_at=self.clock(),
        )

    async def _digest(self, image: ImageRef) -> str | None:
        """Look up a digest, and store that it was seen."""
        if not self._may_ask(image.registry, self.clock()):
            return None
        self._asked[image.registry].append(self.clock())
        try:
            digest = await self.registries.source_digest(image)
        except (TransientError, RefusedError) as trouble:
            log.info("follow: %s: %s", image, trouble)
            self._resting[image.registry] = self.clock()
            return None
        if digest is not None:
            async with self.store.begin() as unit:
                await unit.saw(image, digest, self.clock())
        return digest

    async def _shape(self, image: ImageRef, digest: str) -> ImageInfo:
        if not self.registries.spares(image.registry):
            return ImageInfo()
        try:
            return await self.registries.shape(image, digest)
        except (TransientError, RefusedError):
            return ImageInfo()

    def _asks(self, image: ImageRef) -> bool | None:
        """Whether the rules ask an admin about an image. None where they deny it."""
        verdict = decide(self.policy, image).verdict
        return None if verdict is Verdict.DENY else verdict is Verdict.ASK

    def _message(self, shown: Sequence[News]) -> Message:
        return words_of.news([(each, bool(self._asks(each.image))) for each in shown])

    async def _note(self, unit: FollowUnit, each: Follow, message: Message) -> None:
        language = await language_of(unit, each.place, each.person, otherwise=self.language)
        await unit.add_note(each.place, Text(message, language), reply_to=None)


def _registry(follow: Follow) -> str:
    return follow.name.partition("/")[0]
