"""Who looks at a source: the bot, or a run on GitHub where the bot cannot connect or shall not.

It asks for a look and reads the answer. The lane of batches starts the run (look_batches.py).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Protocol

from bot.core.errors import TransientError
from bot.core.image import ImageRef
from bot.core.look import BROKEN_CONNECTION, LOOKING, AtTarget, Look, LookBy, who_looks
from bot.core.registry import ImageInfo
from bot.core.retry import LONGEST_DELAY
from bot.core.signature import Signer
from bot.core.transfer import Transfer
from bot.engine.ports.looks import AsksForLooks
from bot.engine.ports.registries import Registries
from bot.engine.ports.store import Store, Transfers

OWN_TRIES: Final = 4
"""How often the bot tries to connect before it lets a run look."""
CUT_OFF_FOR: Final = timedelta(hours=1)
"""How long a registry that could not be reached is left to runs, before the bot tries once more."""
_LONGEST_WAIT: Final = LONGEST_DELAY / 2
"""Only a look that was forgotten takes as long: an answer wakes its transfer."""
_WAIT_IN_TROUBLE: Final = timedelta(seconds=50)
"""Short, so that the card names no time that is not that of the next try."""


class LooksUnit(AsksForLooks, Transfers, Protocol):
    """What is read and written here."""


class WhoLooks:
    """Who looks at which registry. What could not be reached is in memory alone."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        by: Mapping[str, LookBy] = MappingProxyType({}),
    ) -> None:
        """`by`: see core/look.py:who_looks."""
        self._by = by
        self._clock = clock
        self._cut_off: dict[str, datetime] = {}

    def by_run(self, registry: str, *, asked: bool = False) -> bool:
        """Whether a run has to look, by the config or since the bot could not connect lately.

        `asked`: a run was asked to look before.
        """
        registry = registry.lower()
        said, since = who_looks(self._by, registry), self._cut_off.get(registry)
        lately = since is not None and abs(self._clock() - since) < CUT_OFF_FOR
        return said is LookBy.RUN or (said is None and (asked or lately))

    def lets_run(self, registry: str, trouble: TransientError, *, tries: int) -> bool:
        """Whether a run has to look after the bot's own look failed so many times in a row."""
        registry, what = registry.lower(), trouble.trouble
        cut_off = what.kind in BROKEN_CONNECTION and what.who.lower() == registry
        if not cut_off or who_looks(self._by, registry) is LookBy.BOT:
            return False
        if tries < OWN_TRIES and registry not in self._cut_off:
            return False
        self._cut_off[registry] = self._clock()
        return True

    def reached(self, registry: str) -> None:
        """Note that the bot's own look had an answer."""
        self._cut_off.pop(registry.lower(), None)


@dataclass(frozen=True, slots=True)
class LooksByRun:
    """Asks for looks by runs, and reads the answers."""

    store: Store[LooksUnit]
    clock: Callable[[], datetime]

    async def at(self, transfer: Transfer, *, shape: bool) -> Mapping[ImageRef, Look] | None:
        """What runs saw of the image, also by its tag alone. None: asked for, not there yet."""
        image, now = transfer.image, self.clock()
        images = [image, replace(image, digest=None)] if image.tag and image.digest else [image]
        async with self.store.begin() as unit:
            known = {look.image: look for look in await unit.looks_at(images)}
            looks = [known.get(each) for each in images]
            if all(look and look.answers(transfer.opened_at, now) for look in looks):
                return known
            await unit.save_looks(
                _asked(images, looks, Look(image=image, asked_at=now, shape=shape), transfer)
            )
            current = await unit.transfer(transfer.id)
            if current == transfer:
                await unit.save_transfer(_waiting(transfer, looks, now))
        return None


def _waiting(transfer: Transfer, looks: Sequence[Look | None], now: datetime) -> Transfer:
    """The transfer while a run looks, or with the trouble that GitHub has had since it asked."""
    under_way = any(x and x.answered_at is None and x.transfer == transfer.id for x in looks)
    trouble = (under_way and transfer.trouble) or LOOKING
    wait = _LONGEST_WAIT if trouble == LOOKING else _WAIT_IN_TROUBLE
    return replace(transfer, trouble=trouble, not_before=now + wait)


def _asked(
    images: Sequence[ImageRef], looks: Sequence[Look | None], new: Look, transfer: Transfer
) -> Sequence[Look]:
    """The looks to store: what is under way stays, for this transfer too."""
    return [
        replace(
            replace(new, image=image) if look is None or look.answered_at else look,
            transfer=transfer.id,
        )
        for image, look in zip(images, looks, strict=True)
        if not (look and look.answers(transfer.opened_at, new.asked_at))
    ]


@dataclass(frozen=True, slots=True)
class Looked:
    """A source as a run saw it. The bot still asks the target by itself.

    Where it cannot, the run that copies will compare, and its status is the proof.
    """

    registries: Registries
    looks: Mapping[ImageRef, Look]

    async def source_digest(self, image: ImageRef) -> str | None:
        look = self.looks.get(image)
        return (look.digest or None) if look else None

    async def target_digest(self, image: ImageRef) -> str | None:
        try:
            return await self.registries.target_digest(image)
        except TransientError:
            look = self.looks.get(image)
            if look is None or look.at_target is AtTarget.UNKNOWN:
                raise
            return None

    async def signed_by(self, image: ImageRef, digest: str, signer: Signer) -> str:  # noqa: ARG002 - as the port
        return ""  # a run looks for no signature

    async def tags(self, image: ImageRef) -> tuple[str, ...]:
        look = self.looks.get(image)
        return look.tags if look else ()

    async def shape(self, image: ImageRef, digest: str) -> ImageInfo:  # noqa: ARG002 - as the port
        look = self.looks.get(image)
        return look.info if look else ImageInfo()
