"""The port of the registries: what a source and the target hold, without fetching an image.

Each call that is awaited may raise `errors.TransientError`: the same call may work later. "Refused"
means `errors.RefusedError`: the registry will not answer this.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.core.image import ImageRef
from bot.core.registry import ImageInfo, PullLimit, Scan, TagList
from bot.core.signature import Signer
from bot.core.statement import StatementForm


class Digests(Protocol):
    """The digests at both sides, asked for in ways that no registry counts as a pull."""

    async def source_digest(self, image: ImageRef) -> str | None:
        """The digest at the source. None where the image is missing or private. May be refused."""

    async def target_digest(self, image: ImageRef) -> str | None:
        """The digest at the target. None where it is missing. Refused where it may not be read."""


class Signatures(Protocol):
    async def signed_by(self, image: ImageRef, digest: str, signer: Signer) -> str:
        """Who signed a digest of the source. Empty where this registry is not asked from here.

        Raises UnsignedError where no signature there is by `signer`. May be refused.
        """


class Tags(Protocol):
    """What a source has instead of a missing image."""

    async def source_digest(self, image: ImageRef) -> str | None:
        """As in `Digests`."""

    async def tags(self, image: ImageRef) -> tuple[str, ...]:
        """Tags of the image's repository at its source, a bounded number. May be refused.

        Empty where the repository is missing or private.
        """


class Versions(Protocol):
    """What is asked of a source to find newer versions. Nothing of it is counted as a pull."""

    async def all_tags(self, image: ImageRef) -> TagList:
        """All tags of the image's repository, a bounded number. May be refused.

        None where the repository is missing or private.
        """

    async def source_digest(self, image: ImageRef) -> str | None:
        """As in `Digests`."""

    async def shape(self, image: ImageRef, digest: str) -> ImageInfo:
        """As in `Registries`. This one is counted."""

    def spares(self, registry: str) -> bool:
        """As in `Registries`."""


class AttachesStatements(Protocol):
    async def attach(
        self, image: ImageRef, digest: str, form: StatementForm, documents: Sequence[bytes]
    ) -> bool:
        """Put documents beside a digest at the target. False where all of it was there already.

        May be refused.
        """


class KnowsLogins(Protocol):
    def logins(self) -> Mapping[str, bool]:
        """Whether each registry took its login when it was asked last. Makes no call."""


@dataclass(frozen=True, slots=True)
class TargetState:
    """`quotas`: bytes used and the most that may be, by project. `ends`: when the login does.

    Nothing is told by a target that is no Harbor.
    """

    quotas: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    ends: datetime | None = None


LooksAtTarget = Callable[[], Awaitable[TargetState]]
"""By a few calls. Raises TransientError or RefusedError."""


LooksAtScan = Callable[[ImageRef, str], Awaitable[Scan | None]]
"""What the target's scanner found in a digest, by one call. Raises as `LooksAtTarget`.

None: it is no Harbor, has not scanned it, or does not tell.
"""


class Registries(Digests, Signatures, Tags, Versions, Protocol):
    """Everything that is asked of registries."""

    async def shape(self, image: ImageRef, digest: str) -> ImageInfo:
        """Platforms and size at the source, by one GET of the manifest. May be refused.

        More GETs are sent only to registries that do not count them.
        """

    async def describe(self, image: ImageRef, digest: str, *, at_target: bool = False) -> ImageInfo:
        """All that is shown of an image, by a few GETs. May be refused."""

    def budgets(self) -> Mapping[str, PullLimit]:
        """The pulls left, by registry, where a registry has named a limit lately."""

    def spares(self, registry: str) -> bool:
        """Whether enough pulls are left there for a GET that is not strictly needed."""
