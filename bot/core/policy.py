"""Who may ask for what: rules of the config, and the decision on one image with its reason.

Pure: the caller brings every fact, and the time. Nothing here reads the config itself.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache

from bot.core.ids import ChatId, PersonId
from bot.core.image import ImageRef

ANONYMOUS_ADMIN = PersonId(1087968824)
"""GroupAnonymousBot: whoever speaks through it, nobody can be told apart behind it."""


class Verdict(StrEnum):
    APPROVE = "approve"
    ASK = "ask"
    DENY = "deny"


class Ground(StrEnum):
    """Why a decision fell as it did."""

    REGISTRY = "registry"
    RULE = "rule"
    NO_RULE = "no-rule"
    LISTED = "listed"
    """It is in the list: what its tag names by now was let in with it."""
    UPDATED = "updated"
    """A version names other bytes than those that were copied once."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`images` is a pattern: `*` stays within a path component, `**` crosses them.

    It is matched against `registry/repository`, or, where the pattern itself names a tag,
    against `registry/repository:tag`.
    """

    images: str
    verdict: Verdict
    reason: str = ""

    def covers(self, image: ImageRef) -> bool:
        text = f"{image.registry}/{image.repository}"
        if ":" in self.images.rsplit("/", 1)[-1]:
            text += f":{image.tag or ''}"
        return _pattern(self.images).fullmatch(text) is not None


@lru_cache(maxsize=1024)
def _pattern(images: str) -> re.Pattern[str]:
    pieces = re.split(r"(\*\*|\*)", images)
    wild = {"**": ".*", "*": "[^/]*"}
    return re.compile("".join(wild.get(piece, re.escape(piece)) for piece in pieces))


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on one image, on what ground, and the words of the rule if it has any."""

    verdict: Verdict
    ground: Ground
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    registries: frozenset[str]
    rules: tuple[Rule, ...]
    expire_after: timedelta
    open_limit: int
    daily_limit: int
    request_limit: int
    minute_limit: int = 10
    """Commands of one person within a minute."""
    watch_limit: int = 50
    """Images that one person may watch."""
    ask_for_updated_versions: bool = False
    """Whether a version that moved is copied only after an admin's word, whoever asks for it."""


def decide(policy: Policy, image: ImageRef) -> Decision:
    """The first matching rule wins; an image that no rule covers is asked about."""
    if image.registry not in policy.registries:
        return Decision(Verdict.DENY, Ground.REGISTRY)
    for rule in policy.rules:
        if rule.covers(image):
            return Decision(rule.verdict, Ground.RULE, rule.reason)
    return Decision(Verdict.ASK, Ground.NO_RULE)


def decide_updated_version(policy: Policy, decision: Decision) -> Decision:
    """The decision on a version whose copy at the target is another one than at the source."""
    if policy.ask_for_updated_versions and decision.verdict is not Verdict.DENY:
        return Decision(Verdict.ASK, Ground.UPDATED)
    return decision


class ExceededLimit(StrEnum):
    """The limit of the policy that a request would pass."""

    REQUEST = "request"
    OPEN = "open"
    DAILY = "daily"


def exceeded_limit(
    policy: Policy, *, images: int, open_now: int, asked_today: int
) -> tuple[ExceededLimit, int] | None:
    """Which limit one more request of `images` images would pass, with its number.

    `open_now` and `asked_today` count the images of the same person, before this request.
    """
    if images > policy.request_limit:
        return ExceededLimit.REQUEST, policy.request_limit
    if open_now + images > policy.open_limit:
        return ExceededLimit.OPEN, policy.open_limit
    if asked_today + images > policy.daily_limit:
        return ExceededLimit.DAILY, policy.daily_limit
    return None


class Role(StrEnum):
    """What a person may do in a chat."""

    OUTSIDE = "outside"
    """The chat is not served."""
    GUEST = "guest"
    """In a served chat, but not on the list of members."""
    NOBODY = "nobody"
    """Speaks as an anonymous admin or a channel: there is no person to hold to it."""
    MEMBER = "member"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowLists:
    """The allow lists: chats, members (None: everybody in an allowed chat) and admins."""

    chats: Collection[ChatId]
    members: Collection[PersonId] | None
    admins: Collection[PersonId]

    def role_of(self, person: PersonId, chat: ChatId, *, faceless: bool = False) -> Role:
        """`faceless`: the message was sent in the name of a chat, not of a person."""
        listed = person in self.admins or (self.members is not None and person in self.members)
        private = int(chat) == int(person)  # Telegram gives a private chat the id of its person
        if chat not in self.chats and not (private and listed):
            return Role.OUTSIDE
        if faceless or person == ANONYMOUS_ADMIN:
            return Role.NOBODY
        if person in self.admins:
            return Role.ADMIN
        if self.members is None or listed:
            return Role.MEMBER
        return Role.GUEST
