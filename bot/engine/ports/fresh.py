"""The part of the store that holds the tracked images, and who watches them.

The cost of a tick depends on what is due, has a transfer or has arrived, and not on the length of
the list. `tracked_names` and `count_tracked` are the exceptions.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bot.core.fresh import FreshPlan, KeptBefore, TrackedImage, Watch
from bot.core.ids import ChatId, PersonId, TransferId
from bot.core.image import ImageRef
from bot.core.request import Request
from bot.core.transfer import Transfer


class TrackedNames(Protocol):
    async def tracked_names(self) -> set[str]:
        """All tracked images as texts, since parsing a long list takes a while."""


class TrackedList(TrackedNames, Protocol):
    """Which images are tracked."""

    async def track(self, images: Sequence[TrackedImage]) -> None:
        """Add images. None of them may be tracked already."""

    async def untrack(self, images: Sequence[ImageRef]) -> None:
        """Forget images. Those that are not tracked change nothing."""

    async def bring_forward(self, plan: FreshPlan, now: datetime) -> None:
        """Make each check due that is further in the future than its interval.

        This happens after the clock was set back, or after the config's intervals were shortened.
        """


class TrackedChecks(Protocol):
    """The checks of tracked images."""

    async def checks_since(self, since: datetime, now: datetime) -> Mapping[str, int]:
        """How many images of each source registry were checked in that time."""

    async def due_tracked(
        self, registry: str, now: datetime, *, limit: int
    ) -> Sequence[TrackedImage]:
        """At most `limit` images of a registry whose check is due, the longest overdue first.

        Without those that were updated upstream or have a transfer.
        """

    async def next_check(self) -> datetime | None:
        """When the next check is due. None where no image waits for one."""

    async def last_seen(self, registry: str) -> TrackedImage | None:
        """The image of a registry that its source had at the latest look. Goes through them."""

    async def gone_news(self, *, limit: int) -> Sequence[TrackedImage]:
        """At most `limit` images that people are to be told of: gone upstream, or there again."""


class OpenOfImages(Protocol):
    async def open_transfers_of(self, images: Collection[ImageRef]) -> Mapping[ImageRef, Transfer]:
        """The open transfers that copy these images, where there are any."""


class TrackedUpdates(OpenOfImages, Protocol):
    """The images that were updated upstream."""

    async def next_check(self) -> datetime | None:
        """As in TrackedChecks."""

    async def updated_upstream(self, *, limit: int) -> Sequence[TrackedImage]:
        """At most `limit` images that were updated upstream and have no transfer yet.

        Without those about which an offer is open or will be opened.
        """


class Offers(Protocol):
    """What was kept fresh without a question before an upgrade, and is offered to admins once."""

    async def kept_before(self) -> Sequence[KeptBefore]:
        """The images that are still to be offered."""

    async def offer(
        self, offered: Sequence[KeptBefore], at: datetime, until: datetime
    ) -> Sequence[TransferId]:
        """Open a transfer for each that asks to keep it fresh `until` then, and copies nothing."""

    async def drop_kept_before(self, images: Sequence[ImageRef]) -> None:
        """Forget that these were kept fresh."""

    async def open_offers(self) -> int:
        """How many images wait for the answer to an offer."""


class TrackedTransfers(Protocol):
    """The results of the transfers of tracked images."""

    async def tracked_transfers(self) -> Sequence[tuple[TrackedImage, Transfer]]:
        """The tracked images that have a transfer, each with it."""

    async def arrived(self, *, limit: int) -> Sequence[TrackedImage]:
        """At most `limit` images that have arrived and whose news were not sent yet."""

    async def save_tracked(self, images: Sequence[TrackedImage]) -> None:
        """Store changed images. Those that are no longer tracked are left out."""


class Audience(Protocol):
    """The people who get news of an image."""

    async def watchers(self, image: ImageRef, *, limit: int) -> Sequence[Watch]:
        """At most `limit` watches of the image, the oldest first."""

    async def recent_requests_for(
        self, image: ImageRef, *, since: datetime, but_for: str, limit: int
    ) -> Sequence[Request]:
        """At most `limit` requests for the image that were opened after `since`, newest first.

        Without those that copied or named the digest `but_for`, since their people know it.
        """


class ListedFacts(Protocol):
    """What is known of listed images."""

    async def newest_transfers(self, images: Collection[ImageRef]) -> Mapping[ImageRef, Transfer]:
        """The newest transfer that copies each of the images, where there is any."""

    async def first_askers(
        self, images: Collection[ImageRef], *, chat: ChatId, person: PersonId
    ) -> Mapping[ImageRef, Request]:
        """The oldest kept request for each image of this chat or of this person."""

    async def tracked_among(
        self, images: Collection[ImageRef]
    ) -> Mapping[ImageRef, datetime | None]:
        """Those of the images that are checked for updates, with when they were gone upstream."""


class ForgetsListed(Protocol):
    """What ends with an image's line in image.list."""

    async def untrack(self, images: Sequence[ImageRef]) -> None:
        """As in TrackedList."""

    async def watchers(self, image: ImageRef, *, limit: int) -> Sequence[Watch]:
        """As in Audience."""

    async def drop_watches(self, image: ImageRef) -> None:
        """Delete all watches of the image."""


class Watches(Protocol):
    """What a person watches."""

    async def is_tracked(self, image: ImageRef) -> bool:
        """Whether the image is in the list and kept fresh."""

    async def watches_of(self, person: PersonId) -> Sequence[Watch]:
        """All watches of a person, the newest first."""

    async def save_watch(self, watch: Watch) -> None:
        """Store a watch. It replaces the person's older watch of the same image."""

    async def drop_watch(self, person: PersonId, image: ImageRef) -> bool:
        """Delete a watch. False where there was none."""


class TrackedCounts(Protocol):
    async def count_tracked(self, now: datetime) -> tuple[int, int]:
        """How many images are tracked, and of how many the check is due. Goes through all."""
