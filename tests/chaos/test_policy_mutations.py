"""Proves that what the policy promises is noticed when it breaks.

Each scenario is a person, a registry or a config that tries to get something past the rules. It
returns what went wrong, which is nothing. Each mutation breaks one promise, and then the scenario
must say so. The lanes, the store and the rules are the real ones.
Alone: `pytest tests/chaos/test_policy_mutations.py`.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from unittest.mock import AsyncMock

import pytest
import yaml
from engine_breaks import ask_no_rules_before_the_commit
from fakes import (
    ANA,
    LI,
    NGINX,
    POLICY,
    STATIC,
    WEI,
    World,
    decided_by_ana,
    digest_of,
    fresh_plan,
    world,
)

from bot import config_policy
from bot.adapters.store.unit import StoreUnit
from bot.config import settings_from
from bot.core import approvals
from bot.core.approvals import Approvals, Decided
from bot.core.decision import Decision, Ground, Verdict
from bot.core.errors import RefusedError
from bot.core.ids import PersonId, TransferId
from bot.core.image import ImageRef
from bot.core.pattern import normalised
from bot.core.policy import Rule, Ruling, admission, decide
from bot.core.transfer import State
from bot.engine.lanes import fresh_updates, registry_checks

EXAMPLE: Final = Path(__file__).parents[2] / "config.example.yaml"
HOUR: Final = timedelta(hours=1)
PLAN: Final = fresh_plan(version=24)
OLD, NEW = digest_of("old"), digest_of("new")
VERSION: Final = ImageRef.parse("docker.io/library/nginx:1.27.3")
BUILD: Final = ImageRef.parse("docker.io/library/nginx:20240101")
TAG_RULE: Final = Rule("docker.io/library/nginx:1.26", Verdict.DENY, "too old")

Scenario = Callable[[Path], Awaitable[list[str]]]
Break = Callable[[pytest.MonkeyPatch], None]


# -- what somebody tries ------------------------------------------------------------------


async def sent(w: World) -> list[str]:
    """Return what was sent to be copied without an admin."""
    await w.settle(10)
    async with w.store.begin() as unit:
        going = [t for t in await unit.open_transfers() if t.approved_at is not None]
    return [f"{transfer.image} goes as {transfer.digest}" for transfer in going]


async def a_digest_under_a_foreign_tag(folder: Path) -> list[str]:
    async with world(folder) as w:
        w.upstream(NGINX)
        w.registries.source[f"docker.io/library/nginx@{OLD}"] = OLD
        await w.say(WEI, f"/mirror nginx:1.27@{OLD}")
        return await sent(w)


async def a_digest_of_a_denied_tag(folder: Path) -> list[str]:
    async with world(folder, replace(POLICY, rules=(TAG_RULE, *POLICY.rules))) as w:
        w.registries.source[f"docker.io/library/nginx@{OLD}"] = OLD
        await w.say(WEI, f"/mirror nginx@{OLD}")
        return await sent(w)


async def a_rejected_digest_under_another_tag(folder: Path) -> list[str]:
    async with world(folder) as w:
        w.registries.source[str(NGINX)] = NEW
        await decided_by_ana(w, replace(NGINX, tag="1.26"), NEW, Ground.PERSON, Verdict.DENY)
        await w.say(WEI, "/mirror nginx:1.27")
        return await sent(w)


async def a_build_that_was_overwritten(folder: Path) -> list[str]:
    async with world(folder) as w:
        w.registries.source[str(BUILD)] = NEW
        w.registries.target[str(BUILD)] = OLD
        await w.say(WEI, f"/mirror {BUILD}")
        return await sent(w)


async def a_version_overwritten_behind_a_silent_target(folder: Path) -> list[str]:
    async with world(folder) as w:
        w.registries.target[str(VERSION)] = RefusedError("403")
        async with w.store.begin() as unit:
            before = await unit.open_transfer(VERSION, w.clock())
            arrived = {"checked_at": w.clock(), "digest": OLD, "ended": State.MIRRORED}
            await unit.save_transfer(replace(before, ended_at=w.clock(), **arrived))
        w.registries.source[str(VERSION)] = NEW
        await w.say(WEI, f"/mirror {VERSION}")
        return await sent(w)


async def a_floating_tag_that_an_admin_once_let_in(folder: Path) -> list[str]:
    return await kept_fresh(folder, STATIC)


async def a_kept_tag_that_is_kept_no_more(folder: Path) -> list[str]:
    return await kept_fresh(folder, STATIC, Verdict.APPROVE, Verdict.DENY)


async def a_listed_version(folder: Path) -> list[str]:
    return await kept_fresh(folder, VERSION)


async def kept_fresh(folder: Path, image: ImageRef, *kept: Verdict) -> list[str]:
    """Update a listed image upstream, after decisions whether to keep it fresh."""
    async with world(folder, plan=PLAN) as w:
        w.repository.content = f"{image}\n".encode()
        w.registries.source[str(image)] = w.registries.target[str(image)] = OLD
        for verdict in kept:
            await decided_by_ana(w, image, OLD, Ground.KEPT, verdict)
        for hour in range(56):
            if hour == 26:
                w.registries.source[str(image)] = NEW
            await w.settle(9, step=3)
            w.clock.pass_time(3591)
        return [f"{image} goes again" for _ in w.repository.dispatched]


async def two_approvals_of_one_admin(_: Path) -> list[str]:
    return await approved_by(Approvals(count=2), ANA.id, ANA.id)


async def an_admin_who_asked_alone(_: Path) -> list[str]:
    return await approved_by(Approvals(own=False), WEI.id)


async def an_admin_whom_the_rule_does_not_name(_: Path) -> list[str]:
    return await approved_by(Approvals(by=frozenset({LI.id})), ANA.id)


async def an_approval_of_another_digest(_: Path) -> list[str]:
    return await approved_by(Approvals(), ANA.id, digest=OLD)


async def approved_by(needs: Approvals, *people: PersonId, digest: str = NEW) -> list[str]:
    """Let admins approve a digest that WEI asked for, who is an admin too."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    ruling = admission(
        replace(POLICY, rules=(Rule("**", Verdict.ASK, approvals=needs),)),
        NGINX,
        NEW,
        transfer=TransferId(1),
        decisions=[
            Decision(
                request=None,
                transfer=TransferId(1),
                image=NGINX,
                digest=digest,
                verdict=Verdict.APPROVE,
                ground=Ground.PERSON,
                person=person,
                at=at,
            )
            for person in people
        ],
        requesters=[WEI.id],
        admins=[WEI.id, ANA.id, LI.id],
        replaced=False,
    )
    return [f"approved by {people}"] if ruling.verdict is Verdict.APPROVE else []


# -- configs ------------------------------------------------------------------------------


async def a_deny_in_another_spelling(_: Path) -> list[str]:
    return denied_by("nginx", "docker.io/nginx", "Index.docker.io/library/nginx", "nginx:1.27")


async def a_deny_that_is_misspelt(_: Path) -> list[str]:
    return denied_by("https://nginx", "NGINX", "docker.io/library/nginx/", "docker.io/*", "*")


def denied_by(*patterns: str) -> list[str]:
    """Return the patterns that do not deny nginx before a rule that approves everything."""
    data = yaml.safe_load(EXAMPLE.read_text())
    walked_round = []
    for pattern in patterns:
        rules = [{"images": pattern, "then": "deny", "reason": "no"}]
        data["policy"]["rules"] = [*rules, {"images": "**", "then": "approve"}]
        found = decide(settings_from(data, "config.yaml").policy_in_force(), NGINX).verdict
        walked_round += [f"{pattern} does not deny"] if found is not Verdict.DENY else []
    return walked_round


# -- mutations ----------------------------------------------------------------------------


def look_for_the_digest_instead_of_its_tag(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(registry_checks, "replace", lambda image, **_: image)


def ask_no_rule_for_tags_about_a_digest(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Rule, "may_cover", Rule.covers)


def forget_rejections(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Decided, "is_rejected", property(lambda self: False))


def remember_rejections_by_tag(patch: pytest.MonkeyPatch) -> None:
    rejected = Decided.is_rejected.fget
    assert rejected is not None

    def mutant(self: Decided) -> bool:
        same = [d for d in self.decisions if d.image == self.image]
        return bool(rejected(replace(self, decisions=same)))

    patch.setattr(Decided, "is_rejected", property(mutant))


def take_three_numbers_alone_for_a_version(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(approvals, "is_version", lambda tag, _: tag.count(".") == 2)


def believe_that_a_silent_target_has_nothing(patch: pytest.MonkeyPatch) -> None:
    async def nothing(self: StoreUnit, image: ImageRef) -> None:
        return None

    patch.setattr(StoreUnit, "last_copied", nothing)


def refresh_whatever_is_listed(patch: pytest.MonkeyPatch) -> None:
    approved = Ruling(Verdict.APPROVE, Ground.LISTED)
    patch.setattr(fresh_updates, "ruling_on", AsyncMock(return_value=approved))
    ask_no_rules_before_the_commit(patch)


def keep_for_ever(patch: pytest.MonkeyPatch) -> None:
    def mutant(self: Decided) -> list[PersonId]:
        return [d.person for d in self.decisions if d.ground is Ground.KEPT and d.person]

    patch.setattr(Decided, "keepers", property(mutant))


def count_an_approval_twice(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Approvals, "counted", lambda self, approvers, **_: tuple(approvers))
    take_an_approval_for_any_digest(patch)


def accept_everybody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Approvals, "accepts", lambda self, person, **_: True)


def take_an_approval_for_any_digest(patch: pytest.MonkeyPatch) -> None:
    def mutant(self: Decided, transfer: TransferId, *, with_reason: bool = False) -> list[PersonId]:
        decided = [d for d in self.decisions if d.reason or not with_reason]
        return [d.person for d in decided if d.person]

    patch.setattr(Decided, "approvers", mutant)


def take_patterns_as_they_are_written(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(config_policy, "pattern_in_force", lambda images, verdict: images)


def correct_no_pattern(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(config_policy, "pattern_in_force", lambda images, verdict: normalised(images))


@dataclass(frozen=True)
class Case:
    scenario: Scenario
    breaks: Break

    def __str__(self) -> str:
        names = (getattr(each, "__name__", "") for each in (self.breaks, self.scenario))
        return " in ".join(names)


CASES: Final = (
    Case(a_digest_under_a_foreign_tag, look_for_the_digest_instead_of_its_tag),
    Case(a_digest_of_a_denied_tag, ask_no_rule_for_tags_about_a_digest),
    Case(a_rejected_digest_under_another_tag, forget_rejections),
    Case(a_rejected_digest_under_another_tag, remember_rejections_by_tag),
    Case(a_build_that_was_overwritten, take_three_numbers_alone_for_a_version),
    Case(a_version_overwritten_behind_a_silent_target, believe_that_a_silent_target_has_nothing),
    Case(a_floating_tag_that_an_admin_once_let_in, refresh_whatever_is_listed),
    Case(a_listed_version, refresh_whatever_is_listed),
    Case(a_kept_tag_that_is_kept_no_more, keep_for_ever),
    Case(two_approvals_of_one_admin, count_an_approval_twice),
    Case(an_admin_who_asked_alone, accept_everybody),
    Case(an_admin_whom_the_rule_does_not_name, accept_everybody),
    Case(an_approval_of_another_digest, take_an_approval_for_any_digest),
    Case(a_deny_in_another_spelling, take_patterns_as_they_are_written),
    Case(a_deny_that_is_misspelt, correct_no_pattern),
)


@pytest.mark.sweep(kept=1)
@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_broken_promise_of_the_policy_is_noticed(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tally: Counter[str]
) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "broken").mkdir()
    assert await case.scenario(tmp_path / "whole") == []
    case.breaks(monkeypatch)
    assert await case.scenario(tmp_path / "broken") != []
    tally["mutations noticed"] += 1
