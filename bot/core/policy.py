"""Who may do what: the rules for images, the limits of requests, and the allow lists of people.

The caller passes in every fact. Nothing here reads the config or the database.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

from bot.core.decision import Ground, Verdict
from bot.core.ids import TELEGRAM, ChatId, PersonId, is_private_chat_of, person_id
from bot.core.image import ImageRef

ANONYMOUS_ADMIN: Final = person_id(TELEGRAM, 1087968824)
"""GroupAnonymousBot: Telegram's sender of all messages of anonymous admins."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the config. `images` is a pattern, `reason` is shown to people.

    `*` matches within a component of the path, `**` across components. The pattern is matched
    against `registry/repository`, or against `registry/repository:tag` where it has a tag.
    """

    images: str
    verdict: Verdict
    reason: str = ""

    def covers(self, image: ImageRef) -> bool:
        """Whether the pattern matches an image."""
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
class Ruling:
    """The verdict on one image, and its ground.

    Where a rule decided, `rule` is its pattern and `reason` is what it gives, if any. `persons`
    are those whose approvals count, where persons decided.
    """

    verdict: Verdict
    ground: Ground
    reason: str = ""
    rule: str = ""
    persons: tuple[PersonId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the config says about requests. Registries that it does not name are denied."""

    registries: frozenset[str]
    rules: tuple[Rule, ...]
    expire_after: timedelta
    open_limit: int
    daily_limit: int
    request_limit: int
    minute_limit: int = 10
    """Commands of one person per minute."""
    watch_limit: int = 50
    """Images that one person may watch."""
    ask_for_updated_versions: bool = False
    """Whether an admin has to approve a version that was updated upstream, whoever asks for it."""


def decide(policy: Policy, image: ImageRef) -> Ruling:
    """The ruling of the first rule that matches. Without one, an admin is asked."""
    if image.registry not in policy.registries:
        return Ruling(Verdict.DENY, Ground.REGISTRY)
    for rule in policy.rules:
        if rule.covers(image):
            return Ruling(rule.verdict, Ground.RULE, rule.reason, rule.images)
    return Ruling(Verdict.ASK, Ground.NO_RULE)


def decide_updated_version(policy: Policy, ruling: Ruling) -> Ruling:
    """The ruling on a version that differs: the target has another digest than the source."""
    if policy.ask_for_updated_versions and ruling.verdict is not Verdict.DENY:
        return Ruling(Verdict.ASK, Ground.UPDATED)
    return ruling


class ExceededLimit(StrEnum):
    """The limit of the policy that a request would exceed."""

    REQUEST = "request"
    OPEN = "open"
    DAILY = "daily"


def exceeded_limit(
    policy: Policy, *, images: int, open_now: int, asked_today: int
) -> tuple[ExceededLimit, int] | None:
    """The limit that one more request of `images` images would exceed, and its value, or None.

    `open_now` and `asked_today` count images of the same person, without this request.
    """
    if images > policy.request_limit:
        return ExceededLimit.REQUEST, policy.request_limit
    if open_now + images > policy.open_limit:
        return ExceededLimit.OPEN, policy.open_limit
    if asked_today + images > policy.daily_limit:
        return ExceededLimit.DAILY, policy.daily_limit
    return None


class Role(StrEnum):
    """What a person may do in a chat. Admins may do everything that members may do."""

    OUTSIDE = "outside"
    """The bot does not serve this chat."""
    GUEST = "guest"
    """In a chat that the bot serves, but not on the list of members."""
    NOBODY = "nobody"
    """Writes as an anonymous admin or as a channel, so the person is not known."""
    MEMBER = "member"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowLists:
    """The chats, members and admins of the config. `members` None: everybody in an allowed chat."""

    chats: Collection[ChatId]
    members: Collection[PersonId] | None
    admins: Collection[PersonId]

    def role_of(self, person: PersonId, chat: ChatId, *, faceless: bool = False) -> Role:
        """The role of a person in a chat. `faceless`: the message has a chat as its sender."""
        listed = person in self.admins or (self.members is not None and person in self.members)
        private = is_private_chat_of(chat, person)
        if chat not in self.chats and not (private and listed):
            return Role.OUTSIDE
        if faceless or person == ANONYMOUS_ADMIN:
            return Role.NOBODY
        if person in self.admins:
            return Role.ADMIN
        if self.members is None or listed:
            return Role.MEMBER
        return Role.GUEST
