"""What is gone upstream: a source had it not at all looks of a day, and answered for others.

Then our copy is the last one. It stays, in image.list and at the target, and people are told once:
admins, and those who asked for it or watch it. An outage is no reason. A part of the fresh lane.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from bot.core.fresh import NEWS_GATHERED_FOR, TrackedImage, gathered_long_enough
from bot.core.ids import ChatId, PersonId, Place, is_private
from bot.core.policy import AllowLists
from bot.core.quiet_hours import QuietHours
from bot.dialog.language import Language
from bot.dialog.message import Text
from bot.dialog.upstream_gone import upstream_gone
from bot.engine.lanes.fresh_news import IMAGES_PER_TRANSACTION, AudienceUnit, FreshNews
from bot.engine.ports.fresh import TrackedChecks, TrackedTransfers
from bot.engine.ports.outbox import NewNotes
from bot.engine.ports.store import KnownPeople
from bot.engine.view_loader import language_of, names_of

REQUEST_AGE: Final = timedelta(days=365)
"""People who asked for an image longer ago are not told, unless they watch it."""


class FreshGoneUnit(TrackedChecks, TrackedTransfers, AudienceUnit, KnownPeople, NewNotes, Protocol):
    """What is read and written here."""


class FreshGone:
    def __init__(
        self,
        *,
        news: FreshNews,
        access: AllowLists,
        language: Language,
        alarms: ChatId,
        quiet: QuietHours | None,
    ) -> None:
        """`alarms`: the chat where admins are told. `quiet`: when nobody is told."""
        self._news = news
        self._access = access
        self._language = language
        self._alarms = alarms
        self._quiet = quiet

    async def judge(
        self, unit: FreshGoneUnit, checked: Sequence[TrackedImage], now: datetime
    ) -> None:
        """Store which of these are gone. Where no other was seen lately, one is looked at now."""
        for each in checked:
            other = await unit.last_seen(each.image.registry) if each.may_be_gone(now) else None
            if other is not None:
                judged = each.after_other(other, now)
                await unit.save_tracked([judged if judged.gone_at else other.due_at(now)])

    async def tell(self, unit: FreshGoneUnit, now: datetime) -> bool:
        """Store notes for what is gone or there again, once it was gathered."""
        if self._quiet is not None and self._quiet.covers(now):
            return False
        found = await unit.gone_news(limit=IMAGES_PER_TRANSACTION)
        since = [each.gone_news for each in found]
        if not gathered_long_enough(since, now, under_way=True, wait=NEWS_GATHERED_FOR):
            return False
        for place, told in (await self._chats(unit, found, now)).items():
            await self._note(unit, place, told, now)
        await unit.save_tracked([each.with_gone_told() for each in found])
        return True

    async def _chats(
        self, unit: FreshGoneUnit, found: Sequence[TrackedImage], now: datetime
    ) -> dict[Place, dict[TrackedImage, list[PersonId]]]:
        """The images to tell of, and the people they matter to, by a place for each chat."""
        admins = Place(self._alarms)
        chats = {admins: {each: sorted(self._access.admins) for each in found}}
        places = {self._alarms: admins}
        for each in found:
            for person, place in await self._news.audience(unit, each, now, age=REQUEST_AGE):
                there = chats.setdefault(places.setdefault(place.chat, place), {})
                there.setdefault(each, []).append(person)
        return chats

    async def _note(
        self,
        unit: FreshGoneUnit,
        place: Place,
        told: dict[TrackedImage, list[PersonId]],
        now: datetime,
    ) -> None:
        """In a group, people are mentioned."""
        people = list(dict.fromkeys(person for each in told.values() for person in each))
        language = await language_of(unit, place, people[0], otherwise=self._language)
        names = {} if is_private(place.chat) else names_of(await unit.people(people))
        said = upstream_gone(list(told), names, now)
        await unit.add_note(place, Text(said, language), reply_to=None)
