"""The sections of the config that say which images are copied: `policy` and `fresh`.

What they mean is in core/policy.py and core/fresh.py, which these sections are turned into.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field, model_validator

from bot.config_types import Chat, Decider, PublicKey, Registry, Section, Wait
from bot.core.approvals import Approvals
from bot.core.decision import Verdict
from bot.core.fresh import FreshPlan
from bot.core.ids import ChatId, PersonId
from bot.core.people import NO_PEOPLE, People
from bot.core.policy import Policy, Rule
from bot.core.rule_warnings import pattern_in_force, warnings
from bot.core.signature import Signer
from bot.core.tag_class import TagClass
from bot.public_key import signer_by


class VerifySection(Section):
    key: PublicKey | None = None
    identity: str = Field(default="", max_length=200)
    issuer: str = Field(default="", max_length=200)

    @model_validator(mode="after")
    def _names_one_signer(self) -> "VerifySection":
        if bool(self.key) is bool(self.identity or self.issuer):
            raise ValueError("needs either a key, or an identity with its issuer")
        if bool(self.identity) is not bool(self.issuer):
            raise ValueError("needs an identity and its issuer: one alone proves nothing")
        return self

    def in_force(self) -> Signer:
        if self.key:
            return signer_by(self.key)
        return Signer(identity=self.identity, issuer=self.issuer)


class RuleSection(Section):
    images: str = Field(min_length=1)
    then: Verdict
    reason: str = Field(default="", max_length=200)
    approvals: int = Field(default=1, ge=1, le=20)
    own: bool | None = None
    by: tuple[Decider, ...] | None = Field(default=None, min_length=1)
    verify: VerifySection | None = None
    wait: Wait = timedelta()

    @model_validator(mode="after")
    def _denial_has_a_reason(self) -> "RuleSection":
        if self.then is Verdict.DENY and not self.reason:
            raise ValueError("a rule that denies needs a reason: people will read it")
        if self.then is Verdict.DENY and self.verify is not None:
            raise ValueError("verify belongs to a rule that approves or asks")
        if self.then is Verdict.DENY and self.wait:
            raise ValueError("wait belongs to a rule that approves or asks")
        return self

    @model_validator(mode="after")
    def _approvals_belong_to_questions(self) -> "RuleSection":
        approved = self.approvals > 1 or self.own is not None or self.by is not None
        if self.then is not Verdict.ASK and approved:
            raise ValueError("approvals, own and by belong to a rule with `then: ask`")
        return self

    def in_force(self, usual: Approvals) -> Rule:
        """The rule as it holds. `usual` is what holds where the rule does not say it."""
        approvals = Approvals(
            count=self.approvals,
            own=usual.own if self.own is None else self.own,
            by=None if self.by is None else frozenset(self.by),
            people=usual.people,
        )
        pattern = pattern_in_force(self.images, self.then)
        signer = None if self.verify is None else self.verify.in_force()
        return Rule(pattern, self.then, self.reason, approvals, signer, self.wait)


class LimitsSection(Section):
    images: int = Field(default=60, ge=1, le=200)
    open: int = Field(default=120, ge=1)
    daily: int = Field(default=300, ge=1)
    watches: int = Field(default=50, ge=1, le=1000)
    minute: int = Field(default=10, ge=1)


Hours = Annotated[float, Field(gt=0, le=8760)]
Looks = Annotated[int, Field(ge=1)]
TagPattern = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.*-]{1,128}$")]


class EverySection(Section):
    floating: Hours = 6
    versions: Hours = 168


class FreshSection(Section):
    every: EverySection = EverySection()
    floating: tuple[TagPattern, ...] = Field(default=(), strict=False)
    keep: bool = False
    looks: Looks = 600
    budgets: dict[Registry, Looks] = {}  # noqa: RUF012 - pydantic copies it
    alarms: Chat | None = None

    @model_validator(mode="before")
    @classmethod
    def _numbers_are_intervals(cls, given: Any) -> Any:
        """Before there was `every`, `floating` and `versions` were the hours between two checks."""
        if not isinstance(given, dict):
            return given
        old = {key: given[key] for key in ("floating", "versions") if _is_hours(given.get(key))}
        if not old:
            return given
        if "every" in given:
            raise ValueError("hours belong to `every` alone: every: {floating: 6, versions: 168}")
        return {"every": old, **{key: given[key] for key in given if key not in old}}

    def plan(self, first_chat: ChatId) -> FreshPlan:
        return FreshPlan(
            intervals={
                TagClass.FLOATING: timedelta(hours=self.every.floating),
                TagClass.VERSION: timedelta(hours=self.every.versions),
            },
            looks=self.looks,
            budgets=self.budgets,
            alarms=first_chat if self.alarms is None else self.alarms,
            floating=self.floating,
        )


def _is_hours(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


Reason = Annotated[str, Field(min_length=1, max_length=200)]


class PolicySection(Section):
    registries: tuple[Registry, ...] = Field(min_length=1)
    rules: tuple[RuleSection, ...] = ()
    reasons: tuple[Reason, ...] = Field(default=(), max_length=3)
    expire_after_hours: int = Field(default=72, ge=1, le=8760)
    limits: LimitsSection = LimitsSection()

    def in_force(
        self,
        admins: Collection[PersonId],
        fresh: FreshSection | None,
        people: People = NO_PEOPLE,
    ) -> Policy:
        """The policy as it holds. Where there are two admins, nobody approves alone what they ask.

        `fresh` says which tags float, and what happens to a digest that is overwritten.
        """
        alone = len(people.each_once(admins)) < 2  # noqa: PLR2004 - nobody else can be asked
        approvals = Approvals(own=alone, people=people)
        return Policy(
            registries=frozenset(self.registries),
            rules=tuple(rule.in_force(approvals) for rule in self.rules),
            expire_after=timedelta(hours=self.expire_after_hours),
            open_limit=self.limits.open,
            daily_limit=self.limits.daily,
            request_limit=self.limits.images,
            minute_limit=self.limits.minute,
            watch_limit=self.limits.watches,
            approvals=approvals,
            people=people,
            floating=fresh.floating if fresh else (),
            keeps_previous=fresh is not None and fresh.keep,
        )

    def check_approvals(
        self,
        admins: Collection[PersonId],
        members: Collection[PersonId] | None,
        people: People = NO_PEOPLE,
    ) -> None:
        """Raise ValueError for a rule that nobody can satisfy. `members` None: everybody may ask.

        People who may approve are admins, so `by` can name no others.
        """
        askers = None if members is None else {*members, *admins}
        for number, rule in enumerate(self.in_force(admins, None, people).rules):
            strangers = set(rule.approvals.by or ()).difference(admins)
            if strangers:
                raise ValueError(f"policy.rules.{number}.by: {min(strangers)} is not an admin")
            if not rule.approvals.can_be_met(askers=askers, admins=admins):
                needed = f"{rule.approvals.count} approvals, and nobody can give them"
                raise ValueError(f"policy.rules.{number}: needs {needed}: see by, own and admins")

    def warnings(self) -> list[str]:
        """A line for each registry and each rule that can match nothing."""
        return warnings(self.registries, [(rule.images, rule.then) for rule in self.rules])
