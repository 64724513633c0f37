"""Keeping listed images fresh: when each image is checked, and what follows from a check.

A `TrackedImage` is what is known about one image of the list. Two of its facts ask for work.
`updated_at` is set while an image was updated upstream and has no transfer for it yet. `arrived_at`
is set while a new digest is at the target and people have not been told. Whether the new digest may
be copied is decided as for people who ask. A question about it is an alarm, raised once per digest.
Nothing here does I/O.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Self
from zlib import crc32

from bot.core.events import Found
from bot.core.ids import ChatId, MessageId, PersonId, Place, TransferId
from bot.core.image import ImageRef
from bot.core.policy import Ruling
from bot.core.registry import ImageInfo
from bot.core.retry import LONGEST_DELAY, has_passed
from bot.core.tag_class import TagClass, tag_class
from bot.core.transfer import State, Transfer

BUDGET_WINDOW: Final = timedelta(hours=1)
"""The time for which the number of checks of a registry is limited."""
CHECK_RETRY_WAIT: Final = timedelta(minutes=15)
"""The wait after a failed check, unless the interval is shorter."""
CHECKS_AT_A_TIME: Final = 20
"""Checks of one registry in one turn. Then it is the other registries' turn."""
UPDATES_GATHERED_FOR: Final = timedelta(minutes=2)
"""How long an updated image waits for others, so that one dispatch takes them all."""
NEWS_GATHERED_FOR: Final = timedelta(minutes=10)
"""How long news waits for the rest of its batch, so that one message tells all."""
GONE_AFTER: Final = timedelta(days=1)
"""How long a source has to lack an image at all looks until it counts as gone upstream."""
GONE_LOOKS: Final = 4
MISSING_WAIT: Final = timedelta(hours=8)
"""The longest wait between these looks. Meanwhile the registry has to answer for another image."""
OFFERED_FOR: Final = timedelta(days=7)
"""How long an offer waits for its answer. Meanwhile nothing else is asked about its image."""
OFFERS_PER_CARD: Final = 200
"""Offers on one card. It is read and shown as a whole."""
ALARMS_PER_CARD: Final = 20
"""Alarms of one repository on one card. Often all tags of a repository are replaced at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshPlan:
    """How often images of each class are checked, how many in an hour, and where alarms go.

    `budgets` are the checks of a registry in an hour, `looks` is the number for all others.
    `alarms` is the chat that is told of updated versions. `floating` are patterns of tags that
    float besides those that tag_class knows.
    """

    intervals: Mapping[TagClass, timedelta]
    looks: int
    budgets: Mapping[str, int]
    alarms: ChatId
    floating: tuple[str, ...] = ()

    @property
    def shortest(self) -> timedelta:
        """The shortest interval of all classes."""
        return min(self.intervals.values())

    def interval(self, image: ImageRef) -> timedelta:
        """The time between two checks of an image."""
        return self.intervals[tag_class(image, self.floating)]

    def budget(self, registry: str) -> int:
        """The checks that a registry may be asked for in BUDGET_WINDOW."""
        return self.budgets.get(registry, self.looks)

    def first_check(self, image: ImageRef, now: datetime) -> datetime:
        """When to check an image that was not checked before.

        The first checks of a long list are spread over the interval. Tags of one repository have
        the same time, since a registry's token is for one repository and its tags are often
        updated together.
        """
        place = crc32(f"{image.registry}/{image.repository}".encode()) / 2**32
        return now + self.interval(image) * place

    def checks_allowed(
        self, registries: Collection[str], spent: Mapping[str, int], *, target: str
    ) -> dict[str, int]:
        """How many checks of each registry may be made now. Registries with none are left out.

        `spent` are the checks of the last hour by source registry. Each of them is a request to
        the `target` as well, which has its own budget. The registry with the fewest checks goes
        first.
        """
        left = self.budget(target) - sum(spent.values())
        rooms: dict[str, int] = {}
        waiting = sorted(registries, key=lambda registry: (spent.get(registry, 0), registry))
        for position, registry in enumerate(waiting):
            share = -(-left // (len(waiting) - position))
            own = min(self.budget(registry) - spent.get(registry, 0), share, CHECKS_AT_A_TIME)
            if own > 0:
                rooms[registry] = own
                left -= own
        return rooms


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedImage:
    """What is known about one image of the list. Times are in UTC, unknown digests are empty.

    `source` and `target` are the last known digests there. `told` is the digest at the target
    that people have been told of. `alarmed` is the digest that an admin was last asked about, or
    had rejected.
    `transfer` is the one that copies the new digest. `seen_at` is the last look at which the source
    had the image, `missing_since` the first of the `missed` looks in a row at which it had not.
    `gone_at` is when it counted as gone upstream. `gone_news` is since when people are to be told
    that it is gone, or, without `gone_at`, that it is there again.
    """

    image: ImageRef
    not_before: datetime
    looked_at: datetime | None = None
    source: str = ""
    target: str = ""
    told: str = ""
    alarmed: str = ""
    updated_at: datetime | None = None
    transfer: TransferId | None = None
    arrived_at: datetime | None = None
    seen_at: datetime | None = None
    missing_since: datetime | None = None
    missed: int = 0
    gone_at: datetime | None = None
    gone_news: datetime | None = None

    def after_check(self, source: str, target: str | None, now: datetime, plan: FreshPlan) -> Self:
        """After a check of both sides. Digests are empty where there is no image.

        `target` is None where the bot may not read the target and has copied nothing there. Then
        its last known digest counts, or at the first check the source's. An image that the target
        lacks is not copied again: somebody deleted it, or it was never copied, and people decide
        about both.
        """
        there = (self.target or source) if target is None else target
        later = now + plan.interval(self.image)
        seen = self._there(now) if source else self._missing(now)
        if not source and self.gone_at is None:
            later = min(later, now + MISSING_WAIT)
        seen = replace(seen, looked_at=now, not_before=later, source=source, updated_at=None)
        is_source = there == source or not self.told
        seen = seen.with_target(there, now) if is_source else seen.with_another_target(there)
        return replace(seen, updated_at=now) if seen.needs_transfer else seen

    def _there(self, now: datetime) -> Self:
        """The source has it. If people know that it was gone, they are to be told."""
        news = self.gone_news
        if self.gone_at is not None:
            news = now if news is None else None
        return replace(
            self, seen_at=now, missing_since=None, missed=0, gone_at=None, gone_news=news
        )

    def _missing(self, now: datetime) -> Self:
        """The source has no such image, or does not show it."""
        return replace(self, missing_since=self.missing_since or now, missed=self.missed + 1)

    def may_be_gone(self, now: datetime) -> bool:
        """Whether our copy may be the last one, if the registry answers for others meanwhile."""
        if not self.target or self.gone_at or self.missed < GONE_LOOKS or not self.missing_since:
            return False
        return has_passed(GONE_AFTER, self.missing_since, now)

    def after_other(self, other: Self, now: datetime) -> Self:
        """Itself as gone upstream, if the source had another image at the same time."""
        if other.seen_at is None or has_passed(MISSING_WAIT, other.seen_at, now):
            return self
        return replace(self, gone_at=now, gone_news=now)

    def due_at(self, now: datetime) -> Self:
        """With its next check now."""
        return replace(self, not_before=now)

    def with_gone_told(self) -> Self:
        """After people were told that it is gone upstream, or there again."""
        return replace(self, gone_news=None)

    def with_another_target(self, digest: str) -> Self:
        """The target has a digest that its source does not have now.

        If that is new, somebody put it there: a rollback, say. It is no update upstream, so nobody
        is told.
        """
        if digest == self.target:
            return self
        return replace(self, target=digest, told=digest or self.told, arrived_at=None)

    @property
    def needs_transfer(self) -> bool:
        """Whether the target differs, and nobody was asked about the new digest yet."""
        if not self.source or not self.target or self.source == self.target:
            return False
        return not self.is_alarm

    def with_target(self, digest: str, now: datetime) -> Self:
        """The target has this digest now. It is news, unless it is the first one known."""
        told = self.told or digest
        changed = bool(digest) and digest != told
        arrived = (self.arrived_at or now) if changed else None
        return replace(self, target=digest, told=told, arrived_at=arrived)

    def after_failed_check(
        self, now: datetime, plan: FreshPlan, *, retry_after: float | None = None
    ) -> Self:
        """After a check without an answer. `retry_after` is what the server asks for, in seconds.

        The next check comes later, but not later than the interval.
        """
        wish = min(timedelta(seconds=retry_after or 0), LONGEST_DELAY)
        later = now + min(max(CHECK_RETRY_WAIT, wish), plan.interval(self.image))
        return replace(self, looked_at=now, not_before=later)

    def after_refused_check(self, now: datetime, plan: FreshPlan) -> Self:
        """After a check that was refused for good. The next one follows after the interval."""
        return replace(self, looked_at=now, not_before=now + plan.interval(self.image))

    def with_other_transfer(self, now: datetime, plan: FreshPlan) -> Self:
        """While a person's transfer of this image is under way. Its result is checked soon."""
        later = now + min(CHECK_RETRY_WAIT, plan.interval(self.image))
        return replace(self, updated_at=None, not_before=min(self.not_before, later))

    def until(self, time: datetime) -> Self:
        """While its digest is not known for long enough. The next check sees it again."""
        return replace(self, updated_at=None, not_before=min(self.not_before, time))

    def is_asked_by(self, transfer: Transfer) -> bool:
        """Whether an open transfer waits for the same decision that an alarm would ask for.

        Somebody asked for this image, perhaps in a chat without an admin. One alarm then asks for
        both.
        """
        return transfer.state is State.WAITING and transfer.digest == self.source

    @property
    def is_alarm(self) -> bool:
        """Whether an admin was asked about the digest that the source has now."""
        return bool(self.source) and self.source == self.alarmed

    def with_transfer(self, transfer: TransferId) -> Self:
        """With the transfer that copies the new digest, which needs no question."""
        return replace(self, updated_at=None, transfer=transfer)

    def with_alarm(self, transfer: TransferId | None) -> Self:
        """With the transfer that waits for an admin. None where the digest was rejected before."""
        return replace(self, updated_at=None, transfer=transfer, alarmed=self.source)

    def found_event(self, ruling: Ruling, now: datetime, expires_at: datetime) -> Found:
        """The result of the check, as the transfer takes it.

        An approval holds as long as the list names the image: see Ground.LISTED.
        """
        seen = (now, self.source, ImageInfo(), ruling, expires_at)
        return Found(*seen, replaces=self.target, listed=True)

    def after_transfer(self, transfer: Transfer, now: datetime) -> Self:
        """After the end of its transfer. If nothing was copied, the next check sees that."""
        over = replace(self, transfer=None)
        digest = transfer.copied_digest or transfer.digest
        if transfer.state is not State.MIRRORED or digest is None:
            return over
        return over.with_target(digest, now)

    def with_news_told(self) -> Self:
        """After people were told what the target has."""
        return replace(self, told=self.target, arrived_at=None)


def gathered_long_enough(
    since: Sequence[datetime | None], now: datetime, *, under_way: bool, wait: timedelta
) -> bool:
    """Whether items gathered `since` these times have waited long enough.

    They wait for up to `wait`, but only while others are `under_way`.
    """
    times = [at for at in since if at is not None]
    return bool(times) and (not under_way or has_passed(wait, min(times), now))


def alarm_cards(alarms: Sequence[TrackedImage]) -> list[list[TrackedImage]]:
    """The alarms by card: those of one repository together, up to ALARMS_PER_CARD."""
    groups: dict[tuple[str, str], list[TrackedImage]] = {}
    for each in alarms:
        groups.setdefault((each.image.registry, each.image.repository), []).append(each)
    return [
        group[first : first + ALARMS_PER_CARD]
        for group in groups.values()
        for first in range(0, len(group), ALARMS_PER_CARD)
    ]


@dataclass(frozen=True, slots=True)
class KeptBefore:
    """A listed image that was kept fresh without a question before an upgrade.

    `digest` is what the target has, empty where that is unknown. `places` are those where people
    asked for it, one per chat, the latest first.
    """

    image: ImageRef
    digest: str
    places: tuple[Place, ...]


def offer_cards(
    offered: Sequence[tuple[Place, KeptBefore]],
) -> list[tuple[Place, list[KeptBefore]]]:
    """The images that are offered, by card: one per chat, unless there are too many for one."""
    chats: dict[ChatId, tuple[Place, list[KeptBefore]]] = {}
    for place, each in offered:
        chats.setdefault(place.chat, (place, []))[1].append(each)
    return [
        (place, images[first : first + OFFERS_PER_CARD])
        for place, images in chats.values()
        for first in range(0, len(images), OFFERS_PER_CARD)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A person who wants to be told about an image, and the place where they said so last."""

    person: PersonId
    image: ImageRef
    place: Place
    message: MessageId | None
    since: datetime
