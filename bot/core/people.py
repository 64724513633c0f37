"""Persons who have an id at more than one service: one human counts once, whatever they are called.

Rights are of an id, and never of its human: who may decide by one service may not by another. What
is counted is of the human: approvals, limits, and who asked.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from bot.core.ids import PersonId


@dataclass(frozen=True, slots=True)
class People:
    """`humans` are the ids of each human who has several. No id is in two of them."""

    humans: tuple[tuple[PersonId, ...], ...] = ()

    def ids(self, person: PersonId) -> tuple[PersonId, ...]:
        """All ids of the human behind this one."""
        return next((ids for ids in self.humans if person in ids), (person,))

    def first(self, person: PersonId) -> PersonId:
        """The id that stands for the human."""
        return self.ids(person)[0]

    def each_once(self, persons: Iterable[PersonId]) -> tuple[PersonId, ...]:
        """One id for each human among them, the first that was given."""
        found: dict[PersonId, PersonId] = {}
        for person in persons:
            found.setdefault(self.first(person), person)
        return tuple(found.values())

    def has(self, persons: Collection[PersonId], person: PersonId) -> bool:
        """Whether the human behind the id is among them."""
        return not set(self.ids(person)).isdisjoint(persons)


NO_PEOPLE: Final = People()
"""Everybody has one id."""
