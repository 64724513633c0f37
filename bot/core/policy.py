"""Who may do what: the rules for images, the limits of requests, and the allow lists of people.

The caller passes in every fact. Nothing here reads the config or the database.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Final

from bot.core.approvals import ONE_APPROVAL, Approvals, Decided
from bot.core.decision import Decision, Ground, Verdict
from bot.core.ids import ChatId, PersonId, TransferId, is_private, is_private_chat_of
from bot.core.image import ImageRef
from bot.core.pattern import fits, split_pattern
from bot.core.people import NO_PEOPLE, People
from bot.core.signature import NO_SIGNATURE, Signature, Signer

_NO_TAG: Final = "@"
"""Stands for the missing tag of an image: only a wildcard matches it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the config. `images` is a normalised pattern, `reason` is shown to people.

    `signer` is who has to have signed what the rule lets through, None where nobody has to.

    The pattern is matched against `registry/repository`, and against the tag where it has one: see
    core/pattern.py.
    """

    images: str
    verdict: Verdict
    reason: str = ""
    approvals: Approvals = ONE_APPROVAL
    signer: Signer | None = None
    wait: timedelta = timedelta()

    def covers(self, image: ImageRef) -> bool:
        """Whether the rule decides on an image. A rule for some tags covers no digest alone."""
        name, tag = split_pattern(self.images)
        matches = fits(name, f"{image.registry}/{image.repository}")
        return matches and (tag is None or fits(tag, image.tag or _NO_TAG))

    def may_cover(self, image: ImageRef) -> bool:
        """The same, but a digest alone may have any of the tags."""
        name, _ = split_pattern(self.images)
        unknown = image.tag is None and fits(name, f"{image.registry}/{image.repository}")
        return unknown or self.covers(image)


@dataclass(frozen=True, slots=True)
class Ruling:
    """The verdict on one image, and its ground.

    Where a rule decided, `rule` is its pattern and `reason` is what it gives, if any. `needs` is
    what approves the image where the verdict is to ask. `persons` are those whose approvals count:
    they carry an approval, or are not enough yet. `signer` is who has to have signed the digest.
    `wait` is how long the bot must have known the digest under its tag: see core/sighting.py.
    """

    verdict: Verdict
    ground: Ground
    reason: str = ""
    rule: str = ""
    persons: tuple[PersonId, ...] = ()
    needs: Approvals = ONE_APPROVAL
    signer: Signer | None = None
    wait: timedelta = timedelta()

    @property
    def missing(self) -> int:
        """How many approvals are still needed where an admin is asked."""
        return self.needs.count - len(self.persons) if self.verdict is Verdict.ASK else 0


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
    approvals: Approvals = ONE_APPROVAL
    """What approves an image that no rule covers, and one that a rule approves by itself."""
    floating: tuple[str, ...] = ()
    """Patterns of tags that float, besides those that tag_class knows."""
    keeps_previous: bool = False
    """Whether the digest that a copy overwrites stays at the target under a tag of its own."""
    people: People = NO_PEOPLE


def policy_digest(policy: Policy) -> str:
    """The SHA-256 of what decides on images, in hexadecimal digits, without the ids of persons."""
    rules = [
        [each.images, str(each.verdict), *_asks(each.approvals), *_demands(each)]
        for each in policy.rules
    ]
    said = {
        "registries": sorted(policy.registries),
        "rules": rules,
        "approvals": _asks(policy.approvals),
        "floating": policy.floating,
    }
    text = json.dumps(said, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _demands(rule: Rule) -> list[object]:
    return [rule.signer and rule.signer.name, rule.wait.total_seconds()]


def _asks(approvals: Approvals) -> list[object]:
    return [approvals.count, approvals.own, None if approvals.by is None else len(approvals.by)]


def decide(policy: Policy, image: ImageRef, signature: Signature = NO_SIGNATURE) -> Ruling:
    """The ruling of the first rule that covers the image. Without one, an admin is asked.

    A digest alone may have any tag. So where a rule for some tags comes first and says otherwise,
    an admin is asked. So too where a rule demands a signature and `signature` is not that one.
    """
    if image.registry not in policy.registries:
        return Ruling(Verdict.DENY, Ground.REGISTRY)
    possible = [rule for rule in policy.rules if rule.may_cover(image)]
    sure = next((n for n, rule in enumerate(possible) if rule.covers(image)), len(possible))
    by_tag, deciding = possible[:sure], possible[sure : sure + 1]
    ruling = _ruling(deciding[0]) if deciding else _without_rule(policy)
    says = (ruling.verdict, ruling.signer)
    other = next((rule for rule in by_tag if (rule.verdict, rule.signer) != says), None)
    everyone = [ruling.needs, *(rule.approvals for rule in by_tag)]
    needs = max(everyone, key=lambda each: each.count)
    wait = max((rule.wait for rule in possible[: sure + 1]), default=timedelta())
    if other is not None:
        signer = next((rule.signer for rule in by_tag if rule.signer), ruling.signer)
        asks = Ruling(Verdict.ASK, Ground.RULE, other.reason, other.images, signer=signer)
        return replace(asks, needs=needs, wait=wait)
    if ruling.signer is not None and not signature.is_of(ruling.signer):
        ruling = replace(ruling, verdict=Verdict.ASK, ground=Ground.SIGNATURE)
    return replace(ruling, needs=needs, wait=wait)


def _ruling(rule: Rule) -> Ruling:
    ruling = Ruling(rule.verdict, Ground.RULE, rule.reason, rule.images, needs=rule.approvals)
    return replace(ruling, signer=rule.signer)


def _without_rule(policy: Policy) -> Ruling:
    return Ruling(Verdict.ASK, Ground.NO_RULE, needs=policy.approvals)


def admission(
    policy: Policy,
    image: ImageRef,
    digest: str,
    *,
    transfer: TransferId | None,
    decisions: Sequence[Decision],
    requesters: Collection[PersonId],
    admins: Collection[PersonId],
    replaced: bool,
    signature: Signature = NO_SIGNATURE,
) -> Ruling:
    """Whether a digest may be copied under the image's name, as the rules and decisions are now.

    `decisions` are those on the same repository. Approvals count for this transfer only. Without
    one, which is None, only those who keep the tag fresh count. Rejections count for this digest
    under any tag, and what is kept fresh for the image's tag. `replaced` says whether another
    digest was copied under the tag before. A rule that denies wins over persons. Who keeps a tag
    fresh approves no digest whose demanded `signature` was not seen.
    Who approves with a reason ends the wait of a rule.
    """
    ruling = decide(policy, image, signature)
    if ruling.verdict is Verdict.DENY:
        return ruling
    past = Decided(image, digest, decisions)
    counted = partial(ruling.needs.counted, requesters=requesters, admins=admins)
    if past.is_put_back(transfer) or counted(past.approvers(transfer, with_reason=True)):
        ruling = replace(ruling, wait=timedelta())
    if past.is_put_back(transfer):
        ruling = replace(ruling, verdict=Verdict.ASK, ground=Ground.ROLLBACK)
    elif past.is_rejected:
        ruling = replace(ruling, verdict=Verdict.ASK, ground=Ground.REJECTED)
    elif replaced and past.is_version(policy.floating, admins):
        ruling = replace(ruling, verdict=Verdict.ASK, ground=Ground.UPDATED)
    if ruling.verdict is Verdict.APPROVE:
        return ruling
    by_person = Ground.ROLLBACK if ruling.ground is Ground.ROLLBACK else Ground.PERSON
    seen = ruling.signer is None or signature.is_of(ruling.signer)
    by_rule = seen and ruling.ground in (Ground.RULE, Ground.NO_RULE)
    approving = counted(past.approvers(transfer))
    keeping = counted(past.keepers) if by_rule else ()
    for ground, persons in ((by_person, approving), (Ground.KEPT, keeping)):
        if len(persons) >= ruling.needs.count:
            return replace(ruling, verdict=Verdict.APPROVE, ground=ground, persons=persons)
    return replace(ruling, persons=keeping if transfer is None else approving)


def removal(
    policy: Policy,
    image: ImageRef,
    *,
    decisions: Sequence[Decision],
    requesters: Collection[PersonId],
    admins: Collection[PersonId],
) -> Ruling:
    """Whether the lines of an image may leave image.list. Rules decide nothing here, persons do.

    It needs as many as a copy of the image. `decisions` are those on this question.
    """
    needs = decide(policy, image).needs
    approving = [d.person for d in decisions if d.person and d.verdict is Verdict.APPROVE]
    persons = needs.counted(approving, requesters=requesters, admins=admins)
    verdict = Verdict.APPROVE if len(persons) >= needs.count else Verdict.ASK
    return Ruling(verdict, Ground.REMOVAL, persons=persons, needs=needs)


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


def for_strangers(policy: Policy) -> Policy:
    """The same rules, with limits for people whom nobody gave a role."""
    return replace(
        policy,
        open_limit=min(policy.open_limit, 5),
        daily_limit=min(policy.daily_limit, 10),
        request_limit=min(policy.request_limit, 5),
        watch_limit=0,
    )


@dataclass(frozen=True, slots=True)
class AllChats(Collection[ChatId]):
    """Every conversation of many at a service. They are not listed, so it has no length."""

    service: str

    def __contains__(self, chat: object) -> bool:
        found = isinstance(chat, str) and chat.startswith(f"{self.service}:")
        return found and not is_private(ChatId(str(chat)))

    def __iter__(self) -> Iterator[ChatId]:
        return iter(())

    def __len__(self) -> int:
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowLists:
    """The chats, members and admins of the config. `members` None: everybody in an allowed chat."""

    chats: Collection[ChatId]
    members: Collection[PersonId] | None
    admins: Collection[PersonId]

    def role_of(self, person: PersonId, chat: ChatId, *, faceless: bool = False) -> Role:
        """The role of a person in a chat. `faceless`: the service does not say who it was."""
        listed = person in self.admins or (self.members is not None and person in self.members)
        private = is_private_chat_of(chat, person)
        if chat not in self.chats and not (private and listed):
            return Role.OUTSIDE
        if faceless:
            return Role.NOBODY
        if person in self.admins:
            return Role.ADMIN
        if self.members is None or listed:
            return Role.MEMBER
        return Role.GUEST
