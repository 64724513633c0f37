"""Conversations that together cover the whole product, for kills and faults to be injected.

A scenario says what people do and lets time pass. It checks no outcome, since that depends on
where the process was killed. Each ends when nothing changes any more.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from engine.lines_service import HALL, LinesChat
from engine_mirror import Plan
from engine_world import STEP, ChaosWorld
from fakes import ANA, GROUP, LI, MALLORY, NGINX, STATIC, WEI, Clock, digest_of

from bot.core.decision import Verdict
from bot.core.errors import RefusedError, TransientError
from bot.core.ids import ChatId
from bot.core.image import ImageRef
from bot.core.look import LookBy
from bot.core.policy import Rule
from bot.engine.intake.context import Attachment

Scenario = Callable[[ChaosWorld], Awaitable[None]]
SUPERGROUP: Final = ChatId("telegram:-1009")
REDIS: Final = ImageRef.parse("docker.io/library/redis:7")
BASE: Final = ImageRef.parse("gcr.io/distroless/base:nonroot")
MISSING: Final = ImageRef.parse("docker.io/library/nginx:9.99")
COMPOSE: Final = b"services:\n  web:\n    image: nginx:1.27\n  cache:\n    image: redis:7\n"
START: Final = Clock().now
_ALL: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    _ALL[getattr(function, "__name__", "")] = function
    return function


async def mirror(w: ChaosWorld, person: object, *images: ImageRef) -> None:
    names = tuple(map(str, images))
    await w.say(person, "/mirror " + " ".join(names), images=names)  # type: ignore[arg-type]


@scenario
async def approved_by_the_policy(w: ChaosWorld) -> None:
    w.upstream(NGINX)
    await mirror(w, WEI, NGINX)
    await w.rest()


@scenario
async def looked_at_by_a_run(w: ChaosWorld) -> None:
    w.look = {"*": LookBy.RUN}
    w.start()
    w.upstream(NGINX, STATIC)
    await mirror(w, WEI, NGINX, STATIC)
    await w.say(LI, "/lookup nginx:1.27")
    await w.settle(60)
    await w.press(ANA, "approve:1")
    await w.rest()


@scenario
async def looks_meet_trouble_and_are_repeated(w: ChaosWorld) -> None:
    w.look = {"*": LookBy.RUN}
    w.start()
    w.upstream(NGINX, REDIS)
    w.repository.plans[str(NGINX)] = Plan(lines=["source: connection refused"])
    w.repository.lost["dispatch"] = [TransientError("no answer", unclear=True)]
    await mirror(w, WEI, NGINX, REDIS, MISSING)
    await w.rest()


@scenario
async def asked_and_approved(w: ChaosWorld) -> None:
    w.upstream(STATIC)
    await mirror(w, WEI, STATIC)
    await w.settle(5)
    await w.press(WEI, "approve:1")
    await w.press(ANA, "approve:1")
    await w.press(ANA, "approve:1")
    await w.rest()


@scenario
async def announced_before_it_is_approved(w: ChaosWorld) -> None:
    w.upstream(STATIC)
    await mirror(w, WEI, STATIC)
    await w.settle(5)
    w.clock.pass_time(90)
    await w.settle(5)
    await w.press(ANA, "approve:1")
    await w.rest()


@scenario
async def approved_by_a_command(w: ChaosWorld) -> None:
    w.upstream(NGINX, STATIC)
    await mirror(w, WEI, NGINX, STATIC)
    await w.settle(5)
    await w.say(LI, "/approve #1")
    await w.say(ANA, "/approve #1")
    await w.rest()


@scenario
async def some_are_chosen_and_others_rejected(w: ChaosWorld) -> None:
    w.upstream(STATIC, BASE)
    await mirror(w, WEI, STATIC, BASE)
    await w.settle(5)
    await w.press(ANA, "choose:1:0")
    await w.settle(5)
    await w.press(ANA, "pick:1:1")
    await w.settle(5)
    await w.press(ANA, "approve:1")
    await w.settle(5)
    await w.press(ANA, "digests:1")
    await w.press(ANA, "reject:1")
    await w.press(ANA, "approve:1")
    await w.rest()


@scenario
async def rejected_with_a_reason(w: ChaosWorld) -> None:
    w.upstream(STATIC)
    await mirror(w, WEI, STATIC)
    await w.settle(5)
    await w.say(ANA, "/reject #1 use <ours> instead")
    await w.rest()


@scenario
async def cancelled_while_it_waits(w: ChaosWorld) -> None:
    w.upstream(STATIC)
    await mirror(w, WEI, STATIC)
    await w.settle(5)
    await w.say(LI, "/cancel #1")
    await w.say(WEI, "/cancel #1")
    await w.rest()


@scenario
async def cancelled_before_its_commit(w: ChaosWorld) -> None:
    w.upstream(NGINX, STATIC)
    await mirror(w, WEI, NGINX, STATIC)
    await w.tick()
    await w.say(WEI, "/cancel #1")
    await w.rest()


@scenario
async def shared_by_two_people(w: ChaosWorld) -> None:
    w.upstream(NGINX, STATIC)
    await mirror(w, WEI, NGINX, STATIC)
    await mirror(w, LI, STATIC, NGINX)
    await w.settle(5)
    await w.say(LI, "/cancel #2")
    await w.press(ANA, "approve:1")
    await w.rest()


@scenario
async def one_of_two_is_missing(w: ChaosWorld) -> None:
    w.upstream(NGINX)
    await mirror(w, WEI, NGINX, MISSING)
    await w.rest()


@scenario
async def one_of_two_is_denied(w: ChaosWorld) -> None:
    w.upstream(NGINX)
    await mirror(w, WEI, NGINX, ImageRef.parse("docker.io/evil/miner:1"))
    await w.say(WEI, "/mirror quay.io/x/y:1")
    await w.rest()


@scenario
async def there_already(w: ChaosWorld) -> None:
    w.upstream(NGINX)
    w.holds(NGINX, digest_of(str(NGINX)))
    await mirror(w, WEI, NGINX)
    await w.rest()


@scenario
async def a_file_goes_back_rewritten(w: ChaosWorld) -> None:
    w.upstream(NGINX, REDIS)
    await w.send(WEI, "compose.yaml", COMPOSE, images=(str(NGINX), str(REDIS)))
    await w.settle(5)
    await w.press(WEI, "page:1:0")
    await w.press(WEI, "tick:1:1")
    await w.settle(5)
    await w.press(WEI, "all:1")
    await w.rest()


@scenario
async def a_long_text_arrives_in_parts(w: ChaosWorld) -> None:
    four = [ImageRef.parse(f"docker.io/library/many:{n}") for n in range(4)]
    w.upstream(*four)
    padding = "# for the shop\n" * 240
    names = [f"{image}\n" for image in four]
    await w.say(WEI, f"/mirror {names[0]}{padding}{names[1]}", images=tuple(map(str, four)))
    await w.say(WEI, f"{names[2]}{padding}")
    await w.press(ANA, "all:1")
    await w.say(WEI, names[3])
    await w.settle(5)
    await w.press(WEI, "all:1")
    await w.rest()


@scenario
async def an_album_goes_back_rewritten(w: ChaosWorld) -> None:
    w.upstream(NGINX, REDIS)
    files = {"web.yaml": b"image: nginx:1.27\n", "cache.yaml": b"image: redis:7\n"}
    w.chat.files |= files
    for name, text in zip(files, ("", "/mirror"), strict=True):
        file = Attachment(name, name, 10, "album")
        images = (str(NGINX), str(REDIS)) if text else ()
        await w.say(WEI, text, images=images, file=file)
    await w.settle(5)
    await w.press(WEI, "all:1")
    await w.rest()


@scenario
async def files_that_hold_nothing(w: ChaosWorld) -> None:
    await w.send(WEI, "notes.txt", b"nothing here\n")
    await w.say(WEI, "/mirror", file=Attachment("gone", "gone.yaml", 10))
    await w.rest()


@scenario
async def a_draft_is_dropped_and_one_forgotten(w: ChaosWorld) -> None:
    four = [ImageRef.parse(f"docker.io/library/many:{n}") for n in range(4)]
    w.upstream(*four)
    await mirror(w, WEI, *four)
    await mirror(w, LI, *four)
    await w.settle(5)
    await w.press(WEI, "drop:1")
    await w.rest()
    w.clock.pass_time(25 * 3600)
    await w.rest()


@scenario
async def corrected_by_a_press(w: ChaosWorld) -> None:
    w.upstream(NGINX)
    w.registries.tagged["docker.io/library/nginx"] = ("1.27", "1.26", "9.9")
    await mirror(w, WEI, MISSING)
    await w.rest()
    await w.press(WEI, "meant:1:1:0")
    w.upstream(ImageRef.parse("docker.io/library/nginx:9.9"))
    await w.rest()


@scenario
async def retried_after_a_failure(w: ChaosWorld) -> None:
    w.upstream(NGINX, REDIS)
    w.repository.plans[str(NGINX)] = Plan(["unauthorized: access to the project is denied"])
    await mirror(w, WEI, NGINX, REDIS)
    await w.rest()
    await w.say(WEI, "/retry #1")
    await w.say(WEI, "/retry #1")
    await w.rest()


@scenario
async def put_off_by_a_limit(w: ChaosWorld) -> None:
    w.upstream(NGINX, REDIS)
    limit = "toomanyrequests: You have reached your pull rate limit"
    w.repository.plans[str(NGINX)] = Plan([limit, limit])
    await mirror(w, WEI, NGINX, REDIS)
    await w.rest()


@scenario
async def listed_already(w: ChaosWorld) -> None:
    w.repository.people_write(lambda text: text + b"nginx:1.27 # ours\r\n")
    w.repository.work()
    w.upstream(NGINX, REDIS)
    await mirror(w, WEI, NGINX, REDIS)
    await w.rest()


@scenario
async def a_push_starts_no_run(w: ChaosWorld) -> None:
    w.repository.pushes_start_runs = False
    w.repository.dispatches_are_named = False
    w.upstream(NGINX)
    await mirror(w, WEI, NGINX)
    await w.rest()


@scenario
async def nothing_starts_a_run(w: ChaosWorld) -> None:
    w.repository.pushes_start_runs = False
    w.repository.dispatches_start_runs = False
    w.upstream(NGINX)
    await mirror(w, WEI, NGINX)
    await w.rest()


@scenario
async def a_run_that_says_nothing(w: ChaosWorld) -> None:
    w.upstream(NGINX, REDIS)
    w.repository.plans[str(NGINX)] = Plan(silent=True)
    await mirror(w, WEI, NGINX, REDIS)
    await w.rest()


@scenario
async def a_run_that_lies(w: ChaosWorld) -> None:
    w.upstream(NGINX)
    w.repository.plans[str(NGINX)] = Plan(lies=True)
    await mirror(w, WEI, NGINX)
    await w.rest()


@scenario
async def a_card_that_cannot_be_sent(w: ChaosWorld) -> None:
    w.upstream(NGINX)
    w.chat.trouble = [RefusedError("Telegram: not enough rights to send text messages")]
    await mirror(w, WEI, NGINX)
    await w.rest()


@scenario
async def somebody_else_pushes_right_after(w: ChaosWorld) -> None:
    w.upstream(NGINX, REDIS)
    await mirror(w, WEI, NGINX)
    while not w.repository.runs and w.clock() < START + timedelta(minutes=5):
        await w.settle(STEP)
    w.repository.people_write(lambda text: text + b"redis:7\n")
    await w.rest()


@scenario
async def looked_up_and_listed(w: ChaosWorld) -> None:
    w.upstream(NGINX)
    w.repository.people_write(lambda text: text + b"".join(b"a:%d\n" % n for n in range(30)))
    await w.say(WEI, "/lookup nginx:1.27")
    await w.say(LI, "/lookup nginx:9.99", chat=ChatId(LI.id))
    await w.say(LI, "/list", chat=ChatId(LI.id))
    await w.settle(5)
    await w.press(LI, "list:1:", chat=ChatId(LI.id))
    await w.rest()


@scenario
async def answers_at_once(w: ChaosWorld) -> None:
    await w.say(WEI, "/help")
    await w.say(ANA, "/status")
    await w.say(MALLORY, "/mirror nginx:1.27")
    await w.say(LI, "/mirror", chat=ChatId(LI.id))
    await w.say(WEI, "just talk")
    await w.say(WEI, "/whoami", chat=ChatId("telegram:-5"))
    await w.rest()


@scenario
async def the_group_becomes_a_supergroup(w: ChaosWorld) -> None:
    w.upstream(NGINX, STATIC)
    await mirror(w, WEI, NGINX, STATIC)
    await w.settle(5)
    await w.say(LI, "/help")
    w.chat.moves[GROUP] = SUPERGROUP
    await w.settle(5)
    await w.move(GROUP, SUPERGROUP)
    await w.press(ANA, "approve:1", chat=SUPERGROUP)
    await w.say(LI, "/status", chat=SUPERGROUP)
    await w.rest()


@scenario
async def nobody_decides(w: ChaosWorld) -> None:
    w.upstream(STATIC)
    await mirror(w, WEI, STATIC)
    await w.rest()
    w.clock.pass_time(73 * 3600)
    await w.rest()


@scenario
async def told_of_newer_versions(w: ChaosWorld) -> None:
    """A list of tags is read each day, and what it says is told and pressed."""
    name = "gcr.io/distroless/static"
    w.registries.tagged = {name: ("2.1.0",)}
    await w.say(WEI, f"/follow {name} ^2")
    await w.rest()
    w.registries.tagged = {name: ("2.1.0", "2.2.0")}
    image = ImageRef.parse(f"{name}:2.2.0")
    w.upstream(image, image.at(digest_of(str(image))))
    for hours in (19, 3):
        w.clock.pass_time(hours * 3600)
        await w.settle(6)
    await w.press(ANA, "Approve static 2.2.0")
    await w.say(LI, f"/unfollow {name}")
    await w.rest()


@scenario
async def held_until_it_is_old_enough(w: ChaosWorld) -> None:
    w.policy = replace(w.policy, rules=(Rule("**", Verdict.APPROVE, wait=timedelta(days=1)),))
    w.start()
    w.upstream(NGINX, STATIC)
    await mirror(w, WEI, NGINX, STATIC)
    await w.settle(20)
    await mirror(w, LI, REDIS)
    w.clock.pass_time(25 * 3600)
    await w.settle(6)
    await w.rest()


@scenario
async def written_for_another_tool(w: ChaosWorld) -> None:
    w.upstream(NGINX)
    await mirror(w, WEI, NGINX)
    await w.rest()
    await w.press(LI, "form:1:kubernetes")
    await w.rest()


@scenario
async def answers_get_lost(w: ChaosWorld) -> None:
    """Every write to GitHub once takes effect without an answer."""
    w.upstream(NGINX, REDIS)
    w.repository.people_write(lambda text: text + b"redis:7\n")
    lost = TransientError("GitHub is out of reach", unclear=True)
    w.repository.lost = {"write_list": [lost], "dispatch": [lost]}
    await mirror(w, WEI, NGINX, REDIS)
    await w.rest()


@scenario
async def the_disk_is_full_for_a_while(w: ChaosWorld) -> None:
    w.upstream(STATIC)
    await mirror(w, WEI, STATIC)
    await w.say(WEI, "/help")
    w.faults.down.add("store")
    await w.settle(30, 10)
    w.faults.down.clear()
    await w.rest()


@scenario
async def everything_stumbles_once(w: ChaosWorld) -> None:
    w.upstream(NGINX)
    calls = ("workflow", "read_list", "write_list", "run_of_commit", "run", "results")
    w.repository.trouble = {call: [TransientError("GitHub is in trouble")] for call in calls}
    w.chat.trouble = [TransientError("Telegram asks to wait", retry_after=5)]
    await mirror(w, WEI, NGINX)
    await w.rest()


SCENARIOS: Final[Mapping[str, Scenario]] = MappingProxyType(_ALL)


@scenario
async def decided_beside_a_group_of_another_service(w: ChaosWorld) -> None:
    """The hall shows a card of each question, which says how it ended: none is lost, none twice."""
    hall = LinesChat()
    w.others, w.approvals = {"lines": w.wired(hall)}, (HALL,)
    w.start()
    w.upstream(STATIC, BASE)
    await mirror(w, WEI, STATIC)
    await w.settle(8)
    await w.press(ANA, "approve:1")
    await mirror(w, LI, BASE)
    await w.settle(8)
    await w.press(ANA, "reject:2")
    await w.rest()
    told = [text for text in hall.messages.values() if "nothing waits for a decision" in text]
    for request in ("#1", "#2"):
        if not any(request in text for text in told):
            w.left.append(f"the card of {request} in another service: {hall.messages}")
    if len(hall.messages) > 2 + w.killer.repetitions:
        w.left.append(f"cards in another service that are there twice: {hall.messages}")
