"""Offers to keep fresh what was kept fresh without a question before an upgrade.

A part of the fresh lane. A card in each chat that asked for such images lists them, and an admin
answers for all at once. Otherwise a question about each would follow, at its next update. What the
rules approve, or what an admin keeps fresh already, needs no offer.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bot.core.decision import Decision, Ground, Verdict
from bot.core.fresh import OFFERED_FOR, FreshPlan, KeptBefore, offer_cards
from bot.core.ids import BOT, BOT_ITSELF, ChatId, Place, is_private
from bot.core.image import ImageRef
from bot.engine.decided import Rules, ruling_on
from bot.engine.ports.decisions import DecisionsOnNames, DecisionsOnTags
from bot.engine.ports.fresh import Offers
from bot.engine.ports.store import ChatOrigins, NewRequest, OpensRequests, SavesPeople, Store


class FreshOffersUnit(
    Offers,
    DecisionsOnNames,
    DecisionsOnTags,
    ChatOrigins,
    OpensRequests,
    SavesPeople,
    Protocol,
):
    """What is read and written here."""


class FreshOffers:
    def __init__(
        self,
        *,
        store: Store[FreshOffersUnit],
        rules: Rules,
        chats: Collection[ChatId],
        plan: FreshPlan,
        clock: Callable[[], datetime],
    ) -> None:
        """`chats` are the groups that are served."""
        self._store = store
        self._rules = rules
        self._chats = chats
        self._plan = plan
        self._clock = clock
        self._open: int | None = None

    async def were_answered(self) -> bool:
        """Whether fewer offers are open than before: what was held because of them may go on."""
        if self._open == 0:
            return False
        async with self._store.begin() as unit:
            before, self._open = self._open, await unit.open_offers()
        return before is not None and self._open < before

    async def open(self) -> None:
        """Open a card in each chat. Each is one transaction, so that a kill repeats none."""
        async with self._store.begin() as unit:
            kept = await unit.kept_before()
            if not kept:
                return
            on_tags = _by_image(await unit.decisions_on_tags())
            offered = [each for each in kept if await self._needs_offer(unit, each, on_tags)]
            placed = [(await self._place(unit, each), each) for each in offered]
            others = set(kept).difference(offered)
            await unit.drop_kept_before([each.image for each in others])
        for place, images in offer_cards(placed):
            await self._open_card(place, images)
        self._open = None

    async def _needs_offer(
        self,
        unit: DecisionsOnNames,
        each: KeptBefore,
        on_tags: Mapping[ImageRef, Sequence[Decision]],
    ) -> bool:
        """Whether it was copied, and its rule asks about a new digest."""
        image, made = each.image, on_tags.get(each.image, ())
        ruling = await ruling_on(
            unit, self._rules, image, each.digest, replaced=True, decisions=made
        )
        asks = ruling.verdict is Verdict.ASK and ruling.ground in (Ground.RULE, Ground.NO_RULE)
        return bool(each.digest) and asks

    async def _place(self, unit: ChatOrigins, each: KeptBefore) -> Place:
        """The last group that asked for it, or the chat that gets alarms."""
        for place in each.places:
            if not is_private(place.chat) and await self._is_served(unit, place.chat):
                return place
        return Place(self._plan.alarms)

    async def _is_served(self, unit: ChatOrigins, chat: ChatId) -> bool:
        return chat in self._chats or await unit.origin(chat) in self._chats

    async def _open_card(self, place: Place, images: Sequence[KeptBefore]) -> None:
        now = self._clock()
        async with self._store.begin() as unit:
            await unit.save_person(BOT)
            request = await unit.open_request(
                NewRequest(
                    person=BOT_ITSELF,
                    place=place,
                    message=None,
                    opened_at=now,
                    confirmed_at=now,
                )
            )
            offers = await unit.offer(images, now, now + OFFERED_FOR)
            await unit.link(request.id, offers)
            await unit.drop_kept_before([each.image for each in images])


def _by_image(decisions: Collection[Decision]) -> defaultdict[ImageRef, list[Decision]]:
    found: defaultdict[ImageRef, list[Decision]] = defaultdict(list)
    for decision in decisions:
        found[decision.image.place].append(decision)
    return found
