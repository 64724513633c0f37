"""The lane that tells the admins of lines that somebody wrote into image.list by hand.

The workflow copies such a line without asking anybody, unless the rules deny it. So the admins hear
of it once, where a rule would have asked them. This lane only reads the list, and seldom.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, Protocol, TypeVar

from bot.core.decision import Verdict
from bot.core.errors import BotError
from bot.core.ids import Place
from bot.core.image import ImageRef
from bot.core.image_list import listed_images
from bot.core.policy import Policy, decide
from bot.core.retry import has_passed
from bot.dialog.hand_written import hand_written
from bot.dialog.language import Language
from bot.dialog.message import Message, Text
from bot.engine.lanes.lane import TickResult
from bot.engine.ports.hand_written import HandWritten
from bot.engine.ports.outbox import NewNotes
from bot.engine.ports.repository import ImageListFile
from bot.engine.ports.store import Store
from bot.engine.shutdown import Stopped, never

log = logging.getLogger(__name__)
T = TypeVar("T")

READ_INTERVAL: Final = timedelta(hours=1)
ROWS_AT_ONCE: Final = 200
"""Rows read or written in one transaction: intake waits for it."""


class HandWrittenUnit(HandWritten, NewNotes, Protocol):
    """What this lane reads and writes."""


class HandWrittenLane:
    def __init__(
        self,
        *,
        store: Store[HandWrittenUnit],
        repository: ImageListFile,
        policy: Policy,
        place: Place,
        language: Language,
        clock: Callable[[], datetime],
    ) -> None:
        """`place`: the chat where the admins are told."""
        self._store = store
        self._repository = repository
        self._policy = policy
        self._place = place
        self._language = language
        self._clock = clock
        self._read_at: datetime | None = None
        self._blob: str | None = None

    async def tick(self, stopped: Stopped = never) -> TickResult:
        """Read the list if it is time, and tell of what is new in it."""
        now = self._clock()
        if stopped() or not (
            self._read_at is None or has_passed(READ_INTERVAL, self._read_at, now)
        ):
            return TickResult.IDLE
        self._read_at = now
        try:
            file = await self._repository.read_list()
        except BotError as trouble:
            log.warning("image.list cannot be searched for lines written by hand: %s", trouble)
            return TickResult.IDLE
        told = file.blob != self._blob and await self._compare(file.content, now)
        self._blob = file.blob
        return TickResult.CHANGED if told else TickResult.IDLE

    async def _compare(self, content: bytes, now: datetime) -> bool:
        """Forget what left the list, and tell of what nobody decided on. Whether there was any."""
        lines = await asyncio.to_thread(self._to_tell, content)
        async with self._store.begin() as unit:
            known = await unit.told_lines()
        for gone in _portions(sorted(known - lines.keys())):
            async with self._store.begin() as unit:
                await unit.drop_told_lines(gone)
        found = await self._undecided([lines[name] for name in lines if name not in known])
        # The note goes with the first rows. After a stop in between, the others are told later.
        for number, new in enumerate(_portions(found)):
            async with self._store.begin() as unit:
                await unit.save_told_lines(new, now)
                if not number:
                    text = Text(self._message(found), self._language)
                    await unit.add_note(self._place, text, reply_to=None)
        return bool(found)

    def _to_tell(self, content: bytes) -> dict[str, ImageRef]:
        """The images about which a rule would not have approved, by their names."""
        listed = dict.fromkeys(listed_images(content))
        return {str(image): image for image in listed if self._verdict(image) != Verdict.APPROVE}

    def _verdict(self, image: ImageRef) -> Verdict:
        return decide(self._policy, image).verdict

    async def _undecided(self, images: Iterable[ImageRef]) -> list[ImageRef]:
        found: list[ImageRef] = []
        for portion in _portions(images):
            async with self._store.begin() as unit:
                decided = await unit.decided_lines(portion)
            found += [image for image in portion if image not in decided]
        return found

    def _message(self, images: Iterable[ImageRef]) -> Message:
        by_verdict: dict[Verdict, list[ImageRef]] = {Verdict.ASK: [], Verdict.DENY: []}
        for image in images:
            by_verdict[self._verdict(image)].append(image)
        return hand_written(by_verdict[Verdict.ASK], by_verdict[Verdict.DENY])


def _portions(items: Iterable[T]) -> Iterator[list[T]]:
    waiting = iter(items)
    while portion := list(islice(waiting, ROWS_AT_ONCE)):
        yield portion
