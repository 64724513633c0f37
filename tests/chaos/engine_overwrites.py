"""Tags that are overwritten: updated, put back, kept, and filled anew for a host that wishes it.

The scenarios join those of engine_decided.py, so the process is killed at each of their points.
The mutations that they show are in decided_breaks.py.
"""

from dataclasses import replace
from typing import Final

from engine_decided import SCENARIOS
from engine_kills import Fault
from engine_mirror import Plan
from engine_scenarios import mirror, scenario
from engine_world import ChaosWorld
from fakes import ANA, LI, NGINX, STATIC, WEI, digest_of, fresh_plan

from bot.core.errors import RefusedError, TransientError
from bot.core.image import ImageRef
from bot.core.statement import StatementForm
from bot.engine.ports.wishes import Wish, WishKind

__all__ = ["SCENARIOS"]
OLD, NEW, THIRD = (digest_of(name) for name in ("old", "new", "third"))
DOWN: Final = TransientError("GitHub is in trouble")


async def mirrored(w: ChaosWorld, image: ImageRef, digest: str) -> None:
    w.registries.source[str(image)] = digest
    await mirror(w, WEI, image)
    await w.rest()


async def updated(w: ChaosWorld) -> None:
    """Two digests of a tag, one after the other. Both are requests, #1 and #2."""
    await mirrored(w, NGINX, OLD)
    await mirrored(w, NGINX, NEW)


async def asked_back(w: ChaosWorld) -> None:
    await updated(w)
    await w.say(WEI, f"/rollback {NGINX}")
    await w.settle(5)


@scenario
async def a_digest_is_put_back_and_what_went_out_is_asked_for(w: ChaosWorld) -> None:
    await asked_back(w)
    await w.press(WEI, "approve:3")
    await w.press(ANA, "approve:3")
    await w.press(ANA, "approve:3")
    await w.rest()
    await mirror(w, WEI, NGINX)
    await w.rest()


@scenario
async def a_rollback_is_rejected(w: ChaosWorld) -> None:
    await asked_back(w)
    await w.press(ANA, "reject:3")
    await w.rest()
    await mirrored(w, NGINX, THIRD)


@scenario
async def a_tag_is_updated_while_its_rollback_runs(w: ChaosWorld) -> None:
    await asked_back(w)
    await w.press(ANA, "approve:3")
    await w.settle(4)
    for job in w.repository.jobs.values():
        job.seconds = 60
    newer = NGINX.at(THIRD)
    w.registries.source[str(NGINX)] = w.registries.source[str(newer)] = THIRD
    await mirror(w, WEI, newer)
    await w.rest()


@scenario
async def a_rollback_fails_and_is_asked_for_again(w: ChaosWorld) -> None:
    w.repository.plans[str(NGINX.at(OLD))] = Plan(["target: no space left on device"])
    await asked_back(w)
    await w.press(ANA, "approve:3")
    await w.rest()
    await w.say(WEI, f"/rollback {NGINX}")
    await w.settle(5)
    await w.press(ANA, "approve:4")
    await w.rest()


@scenario
async def an_admin_blocks_before_a_rollback_is_written(w: ChaosWorld) -> None:
    await asked_back(w)
    w.repository.trouble["workflow"] = [DOWN] * 99
    await w.press(ANA, "approve:3")
    await w.settle(3)
    await w.say(ANA, "/block nginx bad bytes")
    w.repository.trouble.clear()
    await w.restart()
    await w.rest()


@scenario
async def what_is_overwritten_is_kept(w: ChaosWorld) -> None:
    w.policy = replace(w.policy, keeps_previous=True)
    await w.reread_holds()
    await updated(w)
    await mirrored(w, NGINX, THIRD)


@scenario
async def what_a_rollback_takes_out_is_not_kept(w: ChaosWorld) -> None:
    w.policy = replace(w.policy, keeps_previous=True)
    await w.reread_holds()
    await asked_back(w)
    await w.press(ANA, "approve:3")
    await w.rest()


@scenario
async def the_host_fills_an_empty_target(w: ChaosWorld) -> None:
    w.registries.source[str(STATIC)] = OLD
    w.upstream(NGINX)
    await mirror(w, WEI, NGINX, STATIC)
    await w.settle(5)
    await w.press(ANA, "approve:1")
    await w.rest()
    w.registries.target.clear()
    w.registries.source[str(STATIC)] = NEW
    w.wish(*(Wish(WishKind.REFILL, str(image)) for image in (NGINX, STATIC, "redis:7", "!")))
    await w.rest()


@scenario
async def the_host_fills_while_a_later_digest_is_asked_about(w: ChaosWorld) -> None:
    w.registries.source[str(STATIC)] = OLD
    await mirror(w, WEI, STATIC)
    await w.settle(5)
    await w.press(ANA, "approve:1")
    await w.rest()
    later = STATIC.at(NEW)
    w.registries.source[str(STATIC)] = w.registries.source[str(later)] = NEW
    await mirror(w, LI, later)
    await w.settle(5)
    w.registries.target.clear()
    w.wish(Wish(WishKind.REFILL, str(STATIC)))
    await w.settle(5)
    await w.press(ANA, "approve:2")
    await w.rest()


@scenario
async def the_host_lifts_holds_and_forgets_a_person(w: ChaosWorld) -> None:
    w.upstream(NGINX, STATIC)
    await mirror(w, LI, STATIC)
    await w.settle(5)
    await w.say(ANA, "/block nginx bad bytes")
    await w.say(ANA, "/pause")
    await w.reread_holds()
    await w.say(WEI, f"/mirror {NGINX}")
    await w.settle(5)
    w.wish(
        Wish(WishKind.BLOCK, f"{NGINX.registry}/{NGINX.repository}"),
        Wish(WishKind.PAUSE),
        Wish(WishKind.FORGET, LI.id),
        Wish(WishKind.FORGET, "telegram:404"),
    )
    await w.settle(5)
    await mirror(w, WEI, NGINX)
    await w.rest()


@scenario
async def an_image_leaves_the_list_and_comes_back(w: ChaosWorld) -> None:
    w.repository.people_write(lambda old: old + b"redis:7\r\n%s # again" % str(NGINX).encode())
    w.upstream(NGINX)
    await w.rest()
    w.plan = fresh_plan()
    await w.restart()
    await w.settle(10)
    await w.say(LI, f"/watch {NGINX}")
    await mirror(w, WEI, NGINX)
    await w.say(WEI, f"/remove {NGINX}")
    await w.settle(5)
    w.repository.race.append(lambda: w.repository.people_write(lambda old: b"# first\n" + old))
    await w.press(WEI, "approve:2")
    await w.press(ANA, "approve:2")
    await w.rest()
    await mirror(w, LI, NGINX)
    await w.rest()


@scenario
async def a_removal_meets_faults_and_who_asks_cancels_another(w: ChaosWorld) -> None:
    w.repository.people_write(lambda old: old + b"redis:7\nbusybox:1\n")
    await w.say(LI, "/remove redis:7")
    await w.say(WEI, "/remove busybox:1")
    await w.settle(5)
    w.faults.arm("write_list", Fault(DOWN, late=True))
    await w.say(WEI, "/cancel #2")
    await w.press(ANA, "approve:1")
    await w.rest()


@scenario
async def what_a_cluster_runs_is_compared_with_the_list(w: ChaosWorld) -> None:
    w.repository.people_write(lambda old: old + b"redis:7\nbusybox:1\n")
    w.faults.arm("read_list", Fault(DOWN))
    await w.say(LI, "/list unused prod\nredis:7\nnginx:1.27")
    await w.rest()


@scenario
async def what_was_kept_fresh_is_offered_after_an_upgrade(w: ChaosWorld) -> None:
    await mirrored(w, STATIC, OLD)
    await w.press(ANA, "approve:1")
    await w.rest()
    w.plan = fresh_plan()
    await w.restart()
    await w.settle(10)
    w.clock.pass_time(7 * 3600)
    await w.settle(10)
    w.upgrade()
    await w.settle(10)
    w.registries.source[str(STATIC)] = NEW
    w.clock.pass_time(7 * 3600)
    await w.settle(10)
    assert any("kept fresh without a question" in text for text in w.chat.texts)
    await w.press(WEI, "approve:2")
    await w.press(ANA, "approve:2")
    await w.rest(hours=1)


async def stating(w: ChaosWorld) -> None:
    w.statements = StatementForm.ATT
    await w.restart()


@scenario
async def stated_by_a_rule_and_by_a_person(w: ChaosWorld) -> None:
    await stating(w)
    await mirrored(w, NGINX, OLD)
    w.upstream(STATIC)
    await mirror(w, WEI, STATIC)
    await w.settle(5)
    await w.press(ANA, "approve:2")
    await w.rest()


@scenario
async def stated_while_answers_get_lost_and_others_write(w: ChaosWorld) -> None:
    await stating(w)
    w.attached.overwritten = 2
    w.attached.trouble = [RefusedError("412: immutable"), DOWN]
    w.faults.arm("attach", Fault(DOWN, late=True))
    await updated(w)
    await w.rest()


@scenario
async def nothing_is_stated_of_a_copy_that_nobody_decided_on(w: ChaosWorld) -> None:
    await stating(w)
    w.upstream(NGINX)
    w.repository.plans[str(NGINX)] = Plan(other=THIRD)
    w.repository.people_write(lambda old: old + b"redis:7\n")
    await mirror(w, WEI, NGINX)
    await w.rest()
