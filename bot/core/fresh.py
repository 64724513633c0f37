"""Keeping listed images fresh: which image is looked at when, and what a look comes to.

A `TrackedImage` holds what is known of one listed image. Two of its facts say what is owed.
`updated_at`: a transfer, since the image was updated upstream and has none yet. `arrived_at`: the
news, since nobody was told yet. An updated version is an alarm, raised once per digest. Pure:
digests and times come in.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Self
from zlib import crc32

from bot.core.events import Found
from bot.core.ids import ChatId, MessageId, PersonId, Place, TransferId
from bot.core.image import ImageRef
from bot.core.policy import Decision, Ground, Verdict
from bot.core.registry import ImageInfo
from bot.core.retry import LONGEST_DELAY, has_passed
from bot.core.tag_class import TagClass, tag_class
from bot.core.transfer import State, Transfer

BUDGET_WINDOW: Final = timedelta(hours=1)
CHECK_RETRY_WAIT: Final = timedelta(minutes=15)
"""An image that could not be looked at is looked at again after this, or its interval if less."""
CHECKS_AT_A_TIME: Final = 20
"""So many looks at one registry are taken together; then others have their turn."""
UPDATES_GATHERED_FOR: Final = timedelta(minutes=2)
"""So long what has moved waits for the rest of a round, to go with one dispatch."""
NEWS_GATHERED_FOR: Final = timedelta(minutes=10)
"""So long what has arrived waits for the rest of its batch, to be told in one message."""
ALARMS_PER_CARD: Final = 20
"""Versions of one repository on one card: who replaces one tag often replaces them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshPlan:
    """How often images of each class are looked at, how many an hour, and where alarms are told.

    `looks` is what a registry may be asked in an hour where `budgets` does not name it.
    """

    intervals: Mapping[TagClass, timedelta]
    looks: int
    budgets: Mapping[str, int]
    alarms: ChatId

    @property
    def shortest(self) -> timedelta:
        return min(self.intervals.values())

    def interval(self, image: ImageRef) -> timedelta:
        return self.intervals[tag_class(image)]

    def budget(self, registry: str) -> int:
        return self.budgets.get(registry, self.looks)

    def first_check(self, image: ImageRef, now: datetime) -> datetime:
        """Spread over the interval, so that a long list is no herd at the first start.

        By repository: a registry's token is for one, and its tags are mostly moved together.
        """
        place = crc32(f"{image.registry}/{image.repository}".encode()) / 2**32
        return now + self.interval(image) * place

    def checks_allowed(
        self, registries: Collection[str], spent: Mapping[str, int], *, target: str
    ) -> dict[str, int]:
        """How many looks each registry can be given now; each is one at the target, too.

        `spent` are the looks of the last hour, by source. Who was asked least goes first.
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
    """What is known of one listed image. Times are UTC; digests are empty where there is none.

    `source` and `target` are what each side had last, `told` what people know the target to
    have, `alarmed` what an alarm was raised about. `transfer` is what brings the new one.
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

    @property
    def is_version(self) -> bool:
        return tag_class(self.image) is TagClass.VERSION

    def after_check(self, source: str, target: str | None, now: datetime, plan: FreshPlan) -> Self:
        """After a look at both sides; `target` None: it may not be read.

        Then it is taken to have what it was last known to have, or else what the source has
        at the first look. What the target lacks was not moved: somebody took it away, or it never
        came, and neither is put right behind people's backs.
        """
        there = (self.target or source) if target is None else target
        seen = replace(
            self,
            looked_at=now,
            not_before=now + plan.interval(self.image),
            source=source,
            updated_at=None,
        ).with_target(there, now)
        return replace(seen, updated_at=now) if seen.owes_transfer else seen

    @property
    def owes_transfer(self) -> bool:
        if not self.source or not self.target or self.source == self.target:
            return False
        return not (self.is_version and self.source == self.alarmed)

    def with_target(self, digest: str, now: datetime) -> Self:
        """The target has this now, by whoever's doing. At first that is nothing new to anybody."""
        told = self.told or digest
        changed = bool(digest) and digest != told
        arrived = (self.arrived_at or now) if changed else None
        return replace(self, target=digest, told=told, arrived_at=arrived)

    def after_failed_check(
        self, now: datetime, plan: FreshPlan, *, retry_after: float | None = None
    ) -> Self:
        """After a look that nobody answered: later, and before it would be due anyhow."""
        wish = min(timedelta(seconds=retry_after or 0), LONGEST_DELAY)
        later = now + min(max(CHECK_RETRY_WAIT, wish), plan.interval(self.image))
        return replace(self, looked_at=now, not_before=later)

    def after_refused_check(self, now: datetime, plan: FreshPlan) -> Self:
        """After a look that was refused for good: waiting does not mend that."""
        return replace(self, looked_at=now, not_before=now + plan.interval(self.image))

    def with_other_transfer(self, now: datetime, plan: FreshPlan) -> Self:
        """A transfer of somebody else's is under way: what comes of it is looked at soon."""
        later = now + min(CHECK_RETRY_WAIT, plan.interval(self.image))
        return replace(self, updated_at=None, not_before=min(self.not_before, later))

    def is_asked_by(self, transfer: Transfer) -> bool:
        """Whether an open transfer waits for the very decision that an alarm would ask for.

        Somebody asked for the version, perhaps where no admin is: the alarm asks for both.
        """
        return (
            self.is_version and transfer.state is State.WAITING and transfer.digest == self.source
        )

    def with_transfer(self, transfer: TransferId) -> Self:
        alarmed = self.source if self.is_version else self.alarmed
        return replace(self, updated_at=None, transfer=transfer, alarmed=alarmed)

    def found_event(self, now: datetime, expires_at: datetime) -> Found:
        """What a look by the lane of checks would have said, but that the list was approved once.

        A version is not: that it moved was never approved by anybody.
        """
        verdict = Verdict.ASK if self.is_version else Verdict.APPROVE
        ground = Ground.UPDATED if self.is_version else Ground.LISTED
        return Found(
            now,
            self.source,
            ImageInfo(),
            Decision(verdict, ground),
            expires_at,
            replaces=self.target,
        )

    def after_transfer(self, transfer: Transfer, now: datetime) -> Self:
        """Its transfer is over. Where it brought nothing, the next look finds it behind again."""
        over = replace(self, transfer=None)
        digest = transfer.copied_digest or transfer.digest
        if transfer.state is not State.MIRRORED or digest is None:
            return over
        return over.with_target(digest, now)

    def with_news_told(self) -> Self:
        return replace(self, told=self.target, arrived_at=None)


def gathered_long_enough(
    since: Sequence[datetime | None], now: datetime, *, under_way: bool, wait: timedelta
) -> bool:
    """Whether what waits for others to go with them has waited long enough."""
    times = [at for at in since if at is not None]
    return bool(times) and (not under_way or has_passed(wait, min(times), now))


def alarm_cards(alarms: Sequence[TrackedImage]) -> list[list[TrackedImage]]:
    """The alarms of each card."""
    groups: dict[tuple[str, str], list[TrackedImage]] = {}
    for each in alarms:
        groups.setdefault((each.image.registry, each.image.repository), []).append(each)
    return [
        group[first : first + ALARMS_PER_CARD]
        for group in groups.values()
        for first in range(0, len(group), ALARMS_PER_CARD)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A person is told of an image in one place: where they said so last."""

    person: PersonId
    image: ImageRef
    place: Place
    message: MessageId | None
    since: datetime
