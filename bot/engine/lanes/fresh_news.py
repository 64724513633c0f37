"""News of updates that have arrived, for those who watch an image or asked for it lately.

News are notes, stored in the transaction that marks them as told. What arrived together is one
message per chat. People who may not use the bot any more get none. In the chat of an alarm its
card and its result have said everything. So who watches the image there is only mentioned.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from bot.core.fresh import NEWS_GATHERED_FOR, TrackedImage, gathered_long_enough
from bot.core.ids import ChatId, PersonId, Place, is_private
from bot.core.policy import AllowLists, Role
from bot.core.transfer import State, Transfer
from bot.dialog.language import Language
from bot.dialog.message import Text
from bot.dialog.outdated import arrived_after_alarm, updated_upstream
from bot.engine.ports.fresh import Audience, TrackedTransfers
from bot.engine.ports.outbox import NewNotes
from bot.engine.ports.store import ChatOrigins, KnownPeople
from bot.engine.view_loader import language_of, names_of

IMAGES_PER_TRANSACTION: Final = 50
"""Images told in one transaction."""
REQUEST_AGE: Final = timedelta(days=90)
"""People who asked for an image longer ago get no news of it, unless they watch it."""
REQUESTS_PER_IMAGE: Final = 50
WATCHES_PER_IMAGE: Final = 200
_MAY_BE_TOLD: Final = frozenset({Role.MEMBER, Role.ADMIN})


@dataclass
class _Told:
    """The news for one chat, the place in it, and the people whom they are for."""

    place: Place
    people: list[PersonId] = field(default_factory=list)
    images: list[TrackedImage] = field(default_factory=list)
    alarmed: list[TrackedImage] = field(default_factory=list)
    """Those of which an alarm in this chat has told."""


class AudienceUnit(Audience, ChatOrigins, Protocol):
    """What is read to know whom to tell."""


class FreshNewsUnit(TrackedTransfers, AudienceUnit, KnownPeople, NewNotes, Protocol):
    """What is read and written here."""


class FreshNews:
    def __init__(self, *, access: AllowLists, language: Language, alarms: ChatId) -> None:
        """`alarms`: the chat where admins are asked about updated versions."""
        self._access = access
        self._language = language
        self._alarms = alarms

    async def tell(self, unit: FreshNewsUnit, now: datetime) -> bool:
        """Store notes for what has arrived, unless more is about to arrive."""
        arrived = await unit.arrived(limit=IMAGES_PER_TRANSACTION)
        going = any(_is_on_its_way(transfer) for _, transfer in await unit.tracked_transfers())
        since = [each.arrived_at for each in arrived]
        if not gathered_long_enough(since, now, under_way=going, wait=NEWS_GATHERED_FOR):
            return False
        chats: dict[ChatId, _Told] = {}
        for each in arrived:
            for person, place in await self.audience(unit, each, now, but_for=each.target):
                told = chats.setdefault(place.chat, _Told(place))
                if person not in told.people:
                    told.people.append(person)
                by_alarm = place.chat == self._alarms and each.alarmed == each.target
                images = told.alarmed if by_alarm else told.images
                if each not in images:
                    images.append(each)
        for told in chats.values():
            await self._note(unit, told)
        await unit.save_tracked([each.with_news_told() for each in arrived])
        return True

    async def audience(
        self,
        unit: AudienceUnit,
        each: TrackedImage,
        now: datetime,
        *,
        but_for: str = "",
        age: timedelta = REQUEST_AGE,
    ) -> Iterable[tuple[PersonId, Place]]:
        """The people and places for the news of an image. A chat may occur several times.

        Without those whose request brought the digest `but_for`, or is older than `age`.
        """
        watches = await unit.watchers(each.image, limit=WATCHES_PER_IMAGE)
        asked = await unit.recent_requests_for(
            each.image, since=now - age, but_for=but_for, limit=REQUESTS_PER_IMAGE
        )
        places = [(watch.person, watch.place) for watch in watches]
        places += [(request.person, request.place) for request in asked]
        return [
            (person, place)
            for person, place in dict.fromkeys(places)
            if await may_be_told(unit, self._access, person, place.chat)
        ]

    async def _note(self, unit: FreshNewsUnit, told: _Told) -> None:
        """In a group, those who watch or asked are mentioned."""
        language = await language_of(unit, told.place, told.people[0], otherwise=self._language)
        private = is_private(told.place.chat)
        names = {} if private else names_of(await unit.people(told.people))
        if told.images:
            said = updated_upstream(told.images, names)
        elif names:
            said = arrived_after_alarm(told.alarmed, names)
        else:
            return
        await unit.add_note(told.place, Text(said, language), reply_to=None)


async def may_be_told(
    unit: ChatOrigins, access: AllowLists, person: PersonId, chat: ChatId
) -> bool:
    """Whether the person may use the bot in the chat, or in the chat before it moved."""
    if access.role_of(person, chat) in _MAY_BE_TOLD:
        return True
    return access.role_of(person, await unit.origin(chat)) in _MAY_BE_TOLD


def _is_on_its_way(transfer: Transfer) -> bool:
    """Whether it will arrive soon. Those that wait for an admin may take days."""
    return not transfer.state.is_final and transfer.state is not State.WAITING
