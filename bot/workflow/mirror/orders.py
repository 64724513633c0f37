"""What a run does with each image: which digest it copies, and by whose decision.

A sealed decision of the bot is carried out as it stands. Everything else was written by hand: a
line, an input of a dispatch, a decision without its seal. For these the variable POLICY decides,
and no digest goes under a tag that does not name it. Pure: no I/O.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from .decision import Block, Decided, sealed
from .policy import APPROVE, DENY, Policy
from .reference import Image

HAND_WRITTEN = "repository"


@dataclass(frozen=True)
class Order:
    """One image of the run."""

    image: Image  # as the list or a dispatch names it. Its status has this name
    wanted: Image  # what to copy: for a sealed decision, with its digest
    ground: str = HAND_WRITTEN  # of the decision
    more: str = ""  # about the ground, for the table
    refusal: str = ""  # why it is not copied
    sealed: bool = False
    keeps: bool = False  # it must not overwrite another digest at the target
    previous: str = ""  # how the tag ends that gets the digest which is overwritten, if any
    alone: "Order | None" = None  # instead, where the source's tag does not name the digest


@dataclass(frozen=True)
class Orders:
    """Makes the orders of a run.

    `policy` may be a line that says why there is none. In a whole-list run (`whole`) nobody has
    asked for any image, so no version at the target is overwritten. `previous` is for images that
    no sealed decision covers: a decision says it by itself.
    """

    policy: "Policy | str"
    whole: bool
    actor: str
    previous: str = ""
    decided: Mapping[Image, Decided] = field(default_factory=dict)
    doubts: Mapping[Image, str] = field(default_factory=dict)

    @classmethod
    def by(
        cls,
        blocks: Iterable[Block],
        policy: "Policy | str",
        actor: str,
        *,
        whole: bool,
        previous: str,
    ) -> "Orders":
        """Return the maker of orders for a run that was told these decisions."""
        blocks = list(blocks)
        doubts = {_name(each.image): block.trouble for block in blocks for each in block.decided}
        return cls(policy, whole, actor, previous, sealed(blocks), doubts)

    def order(self, image: Image) -> Order:
        """Return the order for an image of the list or of a dispatch."""
        said = self.decided.get(_name(image))
        if said and image.digest in ("", said.image.digest):
            return Order(image, said.image, said.ground, sealed=True, previous=said.previous)
        return self._by_hand(image)

    def _by_hand(self, image: Image) -> Order:
        made = self._ruled(image, image)
        if not (image.tag and image.digest) or made.refusal:
            return made
        return replace(made, alone=self._ruled(image, replace(image, tag="")))

    def _ruled(self, image: Image, wanted: Image) -> Order:
        """Let POLICY decide. An image that an admin would be asked about is copied."""
        by = f"by {self.actor}" if self.actor else ""
        if isinstance(self.policy, str):
            return Order(image, wanted, more=by, refusal=self.policy)
        verdict, pattern = self.policy.decide(wanted)
        rule = f"rule {pattern}" if pattern else ""
        if verdict == DENY:
            why = f"denied by {rule}" if rule else "denied: its registry is not in the policy"
            return Order(image, wanted, more=by, refusal=f"policy: {why}")
        told = (by, self.doubts.get(_name(image)), rule if verdict == APPROVE else "")
        keeps = self.whole and bool(wanted.tag) and self.policy.is_version(wanted.tag)
        more = ", ".join(filter(None, told))
        return Order(image, wanted, more=more, keeps=keeps, previous=self.previous)


def _name(image: Image) -> Image:
    """The name on which a decision is: with a tag without its digest."""
    return replace(image, digest="") if image.tag else image
