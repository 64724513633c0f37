"""What happens between look and verification: tags are updated, rules change, decisions overtake.

The scenarios join those of engine_scenarios.py, so the process is killed at each of their points.
The mutations that they show are in decided_breaks.py.
"""

from dataclasses import replace
from typing import Final

from engine_mirror import Plan
from engine_scenarios import SCENARIOS, mirror, scenario
from engine_world import ChaosWorld
from fakes import ANA, NGINX, STATIC, WEI, digest_of

from bot.core.decision import Verdict
from bot.core.errors import TransientError
from bot.core.policy import Rule

__all__ = ["SCENARIOS"]
DOWN: Final = TransientError("GitHub is in trouble")
OLDER, NEWER = (STATIC.at(digest_of(name)) for name in ("older", "newer"))


@scenario
async def a_tag_is_updated_before_the_run(w: ChaosWorld) -> None:
    w.upstream(NGINX, STATIC)
    await mirror(w, WEI, NGINX, STATIC)
    await w.settle(5)
    for image in (NGINX, STATIC):
        w.registries.source[str(image)] = digest_of(f"updated {image}")
    await w.press(ANA, "approve:1")
    await w.rest()


@scenario
async def a_rule_denies_before_the_commit(w: ChaosWorld) -> None:
    w.upstream(NGINX, STATIC)
    w.repository.trouble["workflow"] = [DOWN] * 99
    await mirror(w, WEI, NGINX, STATIC)
    await w.settle(5)
    await w.press(ANA, "approve:1")
    await w.settle(3)
    w.policy = replace(w.policy, rules=(Rule("**", Verdict.DENY, "not any more"),))
    w.repository.trouble.clear()
    await w.restart()
    await w.rest()


@scenario
async def a_rule_asks_before_the_commit(w: ChaosWorld) -> None:
    w.upstream(NGINX)
    w.repository.trouble["workflow"] = [DOWN] * 99
    await mirror(w, WEI, NGINX)
    await w.settle(5)
    w.policy = replace(w.policy, rules=(Rule("**", Verdict.ASK),))
    w.repository.trouble.clear()
    await w.restart()
    await w.rest(hours=1)
    await w.press(ANA, "approve:1")
    await w.rest()


async def _both_asked(w: ChaosWorld) -> None:
    for image in (OLDER, NEWER):
        w.registries.source[str(STATIC)] = w.registries.source[str(image)] = str(image.digest)
        await mirror(w, WEI, image)
        await w.settle(6)


@scenario
async def the_newer_of_two_digests_is_approved_first(w: ChaosWorld) -> None:
    await _both_asked(w)
    await w.press(ANA, "approve:2")
    await w.settle(4)
    await w.press(ANA, "approve:1")
    await w.rest()


@scenario
async def the_older_of_two_digests_is_approved_first_and_its_run_is_slow(w: ChaosWorld) -> None:
    await _both_asked(w)
    await w.press(ANA, "approve:1")
    await w.settle(4)
    for job in w.repository.jobs.values():
        job.seconds = 60
    await w.press(ANA, "approve:2")
    await w.rest()


@scenario
async def a_later_decision_overtakes_a_copy_that_failed(w: ChaosWorld) -> None:
    broken = "source: read tcp: connection reset by peer"
    w.repository.plans[str(OLDER)] = Plan([broken])
    await _both_asked(w)
    await w.press(ANA, "approve:1")
    await w.settle(8)
    await w.press(ANA, "approve:2")
    await w.rest()
