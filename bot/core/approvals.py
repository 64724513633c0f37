"""What persons decided: whose approvals count for an image, how many it needs, and which stand.

Pure arithmetic on ids and kept decisions. Which rule asks for what is in core/policy.py.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from bot.core.decision import Decision, Ground, Verdict
from bot.core.ids import PersonId, TransferId
from bot.core.image import ImageRef
from bot.core.people import NO_PEOPLE, People
from bot.core.tag_class import is_version

Persons = Collection[PersonId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """What a rule asks for: `count` approvals of different people.

    `own`: the only person who asked may approve too. `by`: the only people whose approvals count,
    of whom each is an admin. None: all admins. `people` tells who is the same human.
    """

    count: int = 1
    own: bool = True
    by: frozenset[PersonId] | None = None
    people: People = NO_PEOPLE

    def accepts(self, person: PersonId, *, requesters: Persons, admins: Persons) -> bool:
        """Whether the approval of a person counts for an image that `requesters` asked for."""
        listed = person in admins and (self.by is None or self.people.has(self.by, person))
        alone = set(map(self.people.first, requesters)) == {self.people.first(person)}
        return listed and (self.own or not alone)

    def counted(
        self, approvers: Iterable[PersonId], *, requesters: Persons, admins: Persons
    ) -> tuple[PersonId, ...]:
        """The approvers who count, each human once."""
        accepted = partial(self.accepts, requesters=requesters, admins=admins)
        return self.people.each_once(filter(accepted, approvers))

    def can_be_met(self, *, askers: Persons | None, admins: Persons) -> bool:
        """Whether enough admins may approve what somebody asks for. `askers` None: anybody."""
        listed = (p for p in admins if self.by is None or self.people.has(self.by, p))
        pool = {self.people.first(person) for person in listed}
        best = len(pool)
        if not self.own and askers is not None and pool.issuperset(map(self.people.first, askers)):
            best -= 1  # whoever asks is one of them
        return best >= self.count


ONE_APPROVAL: Final = Approvals()
ON_DIGESTS: Final = frozenset({Ground.PERSON, Ground.KEPT, Ground.ROLLBACK})
"""The grounds of what persons decided on a digest that they were shown."""
ON_TAGS: Final = frozenset({Ground.KEPT, Ground.FLOATS})
"""The grounds of what persons decided on all later digests of a tag."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What persons decided before about one digest of an image.

    `decisions` are kept ones on the same repository, in any order, also more than once. A denial
    ends all approvals before it, and an approval after it stands again.
    """

    image: ImageRef
    digest: str
    decisions: Sequence[Decision]

    @property
    def is_rejected(self) -> bool:
        """Whether a person rejected this digest, under any tag, and nobody approved it since."""
        return bool(self._on_digest) and not _standing(self._on_digest)

    def approvers(
        self, transfer: TransferId | None, *, with_reason: bool = False
    ) -> list[PersonId]:
        """Who approved this digest for a transfer. `with_reason`: those who gave one."""
        standing = (d for d in _standing(self._on_digest) if d.transfer == transfer)
        return _persons(d for d in standing if d.reason or not with_reason)

    def is_put_back(self, transfer: TransferId | None) -> bool:
        """Whether a person puts this digest back with a transfer."""
        standing = (d for d in _standing(self._on_digest) if d.transfer == transfer)
        return any(d.ground is Ground.ROLLBACK for d in standing)

    @property
    def keepers(self) -> list[PersonId]:
        """Who approved to keep the tag fresh."""
        return _persons(_standing(self._on_tag(Ground.KEPT)))

    @property
    def floaters(self) -> list[PersonId]:
        """Who said that the tag floats."""
        return _persons(_standing(self._on_tag(Ground.FLOATS)))

    def is_version(self, floating: Iterable[str], admins: Persons) -> bool:
        """Whether the tag is a version by its spelling, and no admin of today said that it floats.

        `floating` are patterns of tags that float.
        """
        if self.image.tag is None or any(person in admins for person in self.floaters):
            return False
        return is_version(self.image.tag, floating)

    @property
    def _on_digest(self) -> list[Decision]:
        """What persons said of the digest. To keep a tag no more says nothing of a digest."""
        on_digest = (d for d in self.decisions if d.digest == self.digest)
        return [d for d in on_digest if _is_said_of_digest(d) and self._is_same_name(d.image)]

    def _on_tag(self, ground: Ground) -> list[Decision]:
        on_tag = (d for d in self.decisions if d.image.tag == self.image.tag is not None)
        return [d for d in on_tag if d.ground is ground and self._is_same_name(d.image)]

    def _is_same_name(self, other: ImageRef) -> bool:
        own = (self.image.registry, self.image.repository)
        return (other.registry, other.repository) == own


@dataclass(frozen=True, slots=True)
class KeptTag:
    """A tag about whose later digests persons have decided. Each person is in each list once.

    `keeping` are the standing decisions to keep it fresh, `floating` those that it floats.
    """

    image: ImageRef
    keeping: tuple[Decision, ...]
    floating: tuple[Decision, ...]


def kept_tags(decisions: Iterable[Decision]) -> list[KeptTag]:
    """The tags about which something stands, by name. `decisions` are those on tags, in any order.

    They may be on digests that were asked for with a tag: only the tag counts here.
    """
    tags: dict[ImageRef, list[Decision]] = {}
    for decision in decisions:
        tags.setdefault(decision.image.place, []).append(decision)
    found = [
        KeptTag(image, _of_ground(made, Ground.KEPT), _of_ground(made, Ground.FLOATS))
        for image, made in tags.items()
    ]
    standing = (tag for tag in found if tag.keeping or tag.floating)
    return sorted(standing, key=lambda tag: str(tag.image))


def _of_ground(decisions: Sequence[Decision], ground: Ground) -> tuple[Decision, ...]:
    """The first standing decision of each person."""
    standing = _standing([d for d in decisions if d.ground is ground])
    firsts: dict[PersonId | None, Decision] = {}
    for decision in sorted(standing, key=lambda d: d.at):
        firsts.setdefault(decision.person, decision)
    return tuple(firsts.values())


def _is_said_of_digest(decision: Decision) -> bool:
    ends_keeping = decision.ground is Ground.KEPT and decision.verdict is Verdict.DENY
    return decision.ground in ON_DIGESTS and not ends_keeping


def _standing(decisions: Sequence[Decision]) -> list[Decision]:
    """The approvals after the last denial. Of the same moment, the denial counts."""
    denied = max((d.at for d in decisions if d.verdict is Verdict.DENY), default=None)
    approved = (d for d in decisions if d.verdict is Verdict.APPROVE)
    return [d for d in approved if denied is None or d.at > denied]


def _persons(decisions: Iterable[Decision]) -> list[PersonId]:
    """The people who decided, each once."""
    return list(dict.fromkeys(d.person for d in decisions if d.person is not None))
