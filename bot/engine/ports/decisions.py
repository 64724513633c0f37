"""The part of the database's port that keeps decisions. store.py says how to use such a port."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from bot.core.decision import Decision, Ground
from bot.core.ids import ChatId, PersonId, RequestId, TransferId
from bot.core.image import ImageRef


class KeepsDecisions(Protocol):
    async def keep_decision(self, decision: Decision) -> None:
        """Store a decision for ever. Nothing changes or deletes it."""


class DecisionsOnNames(Protocol):
    """What was decided. It names a person by pseudonym once that person was forgotten."""

    async def decisions_of(
        self,
        registry: str,
        repository: str,
        *,
        tag: str | None = None,
        digest: str | None = None,
        grounds: Collection[Ground] | None = None,
        limit: int,
    ) -> Sequence[Decision]:
        """The decisions on images of this name, the newest first.

        `tag`, `digest` and `grounds` leave only the decisions on that tag, on that full digest and
        with one of these grounds.
        """


class Decisions(DecisionsOnNames, Protocol):
    """The same, also by transfer."""

    async def decisions_on(
        self, wanted: Collection[TransferId]
    ) -> Mapping[TransferId, Sequence[Decision]]:
        """The decisions on each of these transfers, the oldest first. Empty where none is."""


class DecisionsOnTags(Protocol):
    async def decisions_on_tags(self, *, chat: ChatId | None = None) -> Sequence[Decision]:
        """All decisions on later digests of tags (ON_TAGS), the oldest first, also taken back ones.

        `chat` leaves only those on what a kept request of that chat asked for.
        """


class DecisionHistory(Protocol):
    async def newest_decisions(
        self,
        *,
        chat: ChatId | None = None,
        about: ImageRef | RequestId | None = None,
        limit: int,
    ) -> Sequence[Decision]:
        """The newest decisions, the newest first.

        `chat` leaves only those on what a kept request of that chat asked for. `about` leaves only
        those on the image's name with its tag and its digest, as far as it has them, or those on
        what a request asked for, also before a retry.
        """


class Pseudonyms(Protocol):
    async def pseudonyms(self, people: Collection[PersonId]) -> Mapping[PersonId, str]:
        """The pseudonym of each person, such as `p:7f3a91c2`. Given once and then kept."""


class ForgetsPeople(Protocol):
    async def forget(self, person: PersonId) -> bool:
        """Delete the pseudonym, the name and the watches of a person. Decisions stay.

        While requests of the person are kept, their id stays with these, without a name. False
        where nothing was known of the person.
        """
