"""What was seen is what was decided is what is copied, in the conversations that once leaked.

The run is a fake that copies what the decision, the tag or the digest of a line names. What real
runs do is in tests/workflow/test_decisions.py.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from engine_world import ChaosWorld, chaos_world
from fakes import ANA, GROUP, NGINX, POLICY, STATIC, WEI, digest_of
from yaml import safe_load

from bot.config import settings_from
from bot.core.decision import Verdict
from bot.core.errors import RefusedError
from bot.core.fresh import FreshPlan
from bot.core.ids import ChatId, MessageId, Person, Place
from bot.core.image import ImageRef
from bot.core.policy import Policy, Rule, decide
from bot.core.tag_class import TagClass
from bot.core.transfer import Transfer
from bot.engine.intake.context import Press

OLD, NEW = digest_of("old"), digest_of("new")
ROOMY: Final = replace(POLICY, open_limit=999, daily_limit=999, request_limit=200)
HOUR: Final = timedelta(hours=1)
PLAN: Final = FreshPlan(
    intervals={TagClass.FLOATING: HOUR, TagClass.VERSION: HOUR}, looks=600, budgets={}, alarms=GROUP
)
VERSION: Final = ImageRef.parse("docker.io/library/app:1.2.3")
OTHER_CHAT: Final = ChatId("telegram:-777")
CONFIG: Final = Path(__file__).parents[2] / "config.example.yaml"


async def asked(w: ChaosWorld, image: ImageRef, digest: str) -> None:
    """Let a member ask for an image that has this digest at its source."""
    w.registries.source[str(image)] = digest
    await w.say(WEI, f"/mirror {image}")
    await w.settle(6)


async def listed(w: ChaosWorld, images: Sequence[ImageRef], digest: str) -> None:
    """Put images into the list and the target, as if they had been there for long."""
    w.repository.people_write(lambda _: "".join(f"{image}\n" for image in images).encode())
    w.repository.work()
    w.repository.runs.clear()
    for image in images:
        w.registries.source[str(image)] = digest
        w.holds(image, digest)
    await w.rest()


async def hours(w: ChaosWorld, count: int) -> None:
    for _ in range(count):
        w.clock.pass_time(HOUR.total_seconds())
        await w.rest(hours=0.5)


async def approved(w: ChaosWorld) -> list[Transfer]:
    async with w.store.begin() as unit:
        return [t for t in await unit.open_transfers() if t.approved_by is not None]


async def press_exactly(w: ChaosWorld, message: MessageId, data: str, chat: ChatId = GROUP) -> str:
    w.last_update += 1
    place = Place(chat)
    press = Press(update=w.key, person=ANA, place=place, message=message, data=data)
    return await w.pressed(press)


# --- a digest under a foreign tag


async def test_no_member_puts_another_digest_under_a_tag(tmp_path: Path) -> None:
    async with chaos_world(tmp_path, policy=ROOMY) as w:
        w.holds(NGINX, NEW)
        w.registries.source[str(NGINX)] = NEW
        await asked(w, replace(NGINX, digest=OLD), OLD)
        await w.rest()
        assert w.registries.target[str(NGINX)] == NEW


async def test_no_member_makes_a_tag_that_the_source_never_had(tmp_path: Path) -> None:
    async with chaos_world(tmp_path, policy=ROOMY) as w:
        await asked(w, ImageRef.parse(f"nginx:9.9-made-up@{OLD}"), OLD)
        await w.rest()
        assert w.registries.target == {}


async def test_no_spelling_walks_round_an_alarm(tmp_path: Path) -> None:
    async with chaos_world(tmp_path, policy=ROOMY, plan=PLAN) as w:
        await listed(w, [VERSION], OLD)
        w.registries.source[str(VERSION)] = NEW
        await hours(w, 3)
        for image in (VERSION, replace(VERSION, digest=NEW), replace(VERSION, digest=OLD)):
            await asked(w, image, image.digest or NEW)
            await w.rest()
            assert w.registries.target[str(VERSION)] == OLD


# --- an approval without bytes


async def test_the_bytes_that_were_approved_are_copied(tmp_path: Path) -> None:
    async with chaos_world(tmp_path, policy=ROOMY) as w:
        await asked(w, STATIC, OLD)
        assert OLD[:19] in w.last, "the question shows them"
        await w.press(ANA, "approve:1")
        w.registries.source[str(STATIC)] = NEW
        await w.rest()
        assert w.registries.target[str(STATIC)] == OLD


# --- an approval of what is not shown


async def test_a_press_approves_nothing_that_the_card_does_not_name(tmp_path: Path) -> None:
    rules = [ImageRef.parse(f"docker.io/library/go-{n}:1") for n in range(2)]
    asks = [ImageRef.parse(f"gcr.io/team-{n}/service-{n * 7919}:v{n}.x-build") for n in range(40)]
    async with chaos_world(tmp_path, policy=ROOMY) as w:
        for image in (*rules, *asks):
            w.registries.source[str(image)] = digest_of(str(image)[7:])
        await w.say(WEI, "/mirror " + " ".join(map(str, (*rules, *asks))))
        await w.settle(5)
        await w.press(WEI, "all:1")
        await w.settle(30)
        shown = "\n".join(w.chat.texts[-3:])
        await w.press(ANA, "approve:1")
        names = [f"{t.image.repository}:{t.image.tag}" for t in await approved(w)]
        assert names
        assert [name for name in names if name not in shown] == []


async def test_what_waits_is_shown_however_much_has_failed(tmp_path: Path) -> None:
    waiting = [ImageRef.parse(f"gcr.io/team-{n}/waiting-{n * 7919}:x") for n in range(14)]
    missing = [ImageRef.parse(f"gcr.io/team-{n}/missing-{n * 7919}:x") for n in range(46)]
    async with chaos_world(tmp_path, policy=ROOMY) as w:
        for image in waiting:
            w.registries.source[str(image)] = digest_of(str(image)[7:])
        await w.say(WEI, "/mirror " + " ".join(map(str, (*missing, *waiting))))
        await w.settle(5)
        await w.press(WEI, "all:1")
        await w.settle(60)
        card = next(text for text in reversed(w.chat.texts) if "░" in text)
        assert [str(image) for image in waiting if image.repository not in card] == []


async def test_a_substitute_is_not_approved_by_a_card_without_it(tmp_path: Path) -> None:
    base, wrong = (ImageRef.parse(f"gcr.io/distroless/{n}") for n in ("base:b", "static:nonrot"))
    async with chaos_world(tmp_path, policy=ROOMY) as w:
        w.registries.tagged["gcr.io/distroless/static"] = ("nonroot",)
        w.registries.source[str(STATIC)] = w.registries.source[str(base)] = OLD
        await w.say(WEI, f"/mirror {base} {wrong}")
        await w.settle(10)
        (card, buttons), *_ = [
            (number, list(said.data.values()))
            for number, said in w.chat.messages.items()
            if any(data.startswith("approve") for data in said.data.values())
        ]
        await w.press(WEI, next(data for data in buttons if data.startswith("meant:")))
        for _ in range(3):  # it is looked up, and the card is not edited yet
            await w.lanes["registry_checks"].tick()
        await press_exactly(w, card, next(d for d in buttons if d.startswith("approve")))
        assert [t.image for t in await approved(w)] == [base]


async def test_a_made_up_press_in_another_chat_decides_nothing(tmp_path: Path) -> None:
    async with chaos_world(tmp_path, policy=ROOMY) as w:
        w.chats.add(OTHER_CHAT)
        w.start()
        await asked(w, STATIC, OLD)
        await w.say(ANA, "/help", chat=OTHER_CHAT)
        await w.settle(6)
        sent = reversed(w.chat.messages.items())
        message = next(number for number, said in sent if said.place.chat == OTHER_CHAT)
        await press_exactly(w, message, "approve:1", OTHER_CHAT)
        assert await approved(w) == []


async def test_a_typed_approval_names_what_it_approved(tmp_path: Path) -> None:
    async with chaos_world(tmp_path, policy=ROOMY) as w:
        await asked(w, STATIC, OLD)
        await w.say(ANA, "/approve #1")
        await w.settle(6)
        answers = [text for text in w.chat.texts if "approved" in text and "░" not in text]
        assert any("distroless/static" in text for text in answers)


# --- keeping fresh


async def test_what_does_not_surely_float_is_not_refreshed_unasked(tmp_path: Path) -> None:
    tags = [
        "3.13.0rc2",
        "release-1.2.3",
        "V1.2.3",
        "sha-1a2b3c4",
        "20240101",
        "jammy-20240808",
        "go1.22.1",
    ]
    images = [ImageRef.parse(f"docker.io/library/app:{tag}") for tag in tags]
    async with chaos_world(tmp_path, policy=ROOMY, plan=PLAN) as w:
        await listed(w, images, OLD)
        w.registries.source |= {str(image): NEW for image in images}
        await hours(w, 3)
        assert {w.registries.target[str(image)] for image in images} == {OLD}


async def test_an_updated_version_asks_where_the_target_may_not_be_read(tmp_path: Path) -> None:
    async with chaos_world(tmp_path, policy=ROOMY, plan=PLAN) as w:
        await asked(w, VERSION, OLD)
        await w.rest()
        runs = len(w.repository.runs)
        w.registries.target[str(VERSION)] = RefusedError("no right to read")
        await asked(w, VERSION, NEW)
        await w.rest()
        assert len(w.repository.runs) == runs


async def test_an_updated_version_asks_without_fresh_too(tmp_path: Path) -> None:
    async with chaos_world(tmp_path, policy=ROOMY) as w:
        w.holds(VERSION, OLD)
        await asked(w, VERSION, NEW)
        await w.rest()
        assert w.registries.target[str(VERSION)] == OLD


async def test_a_floating_tag_that_was_asked_about_once_asks_again(tmp_path: Path) -> None:
    image = ImageRef.parse("gcr.io/distroless/static:latest")
    async with chaos_world(tmp_path, policy=ROOMY, plan=PLAN) as w:
        await asked(w, image, OLD)
        await w.press(ANA, "approve:1")
        await w.rest()
        await hours(w, 2)
        w.registries.source[str(image)] = NEW
        await hours(w, 3)
        assert w.registries.target[str(image)] == OLD


# --- rules that match nothing


@pytest.mark.parametrize(
    "spelling",
    [
        "nginx",
        "library/nginx",
        "docker.io/nginx",
        "index.docker.io/library/nginx",
        "Docker.io/library/nginx",
        "registry-1.docker.io/library/nginx",
        "nginx:1.27",
    ],
)
def test_a_rule_denies_in_any_spelling(spelling: str) -> None:
    config = safe_load(CONFIG.read_text())
    deny = {"images": spelling, "then": "deny", "reason": "no"}
    config["policy"]["rules"] = [deny, {"images": "**", "then": "approve"}]
    policy = settings_from(config, "config.yaml").policy_in_force()
    assert decide(policy, NGINX).verdict is Verdict.DENY


def ruled(*rules: Rule) -> Policy:
    return replace(ROOMY, rules=rules)


async def test_no_digest_walks_round_a_rule_for_its_tag(tmp_path: Path) -> None:
    deny = Rule("docker.io/library/nginx:1.27", Verdict.DENY, "no")
    async with chaos_world(tmp_path, policy=ruled(deny, Rule("**", Verdict.APPROVE))) as w:
        await asked(w, replace(NGINX, tag=None, digest=OLD), OLD)
        await w.rest()
        assert w.repository.runs == []


async def test_a_rule_that_denies_holds_for_what_waits_already(tmp_path: Path) -> None:
    async with chaos_world(tmp_path, policy=ROOMY) as w:
        await asked(w, STATIC, OLD)
        w.policy = ruled(Rule("**", Verdict.DENY, "no"))
        await w.restart()
        await w.press(ANA, "approve:1")
        await w.rest()
        assert w.repository.runs == []


# --- what was decided


async def test_who_approved_which_digest_can_be_asked_and_no_commit_names_an_id(
    tmp_path: Path,
) -> None:
    async with chaos_world(tmp_path, policy=ROOMY) as w:
        await asked(w, STATIC, OLD)
        await w.press(ANA, "approve:1")
        await w.rest()
        await w.say(WEI, f"/why {STATIC}")
        await w.settle(6)
        assert re.search(rf"Ana approved <code>{OLD}</code>", w.last)
        ((_, message),) = w.repository.commits
        for person in (WEI, ANA):
            assert person.id.partition(":")[2] not in message.replace(OLD, "")


async def test_what_was_tried_before_a_retry_is_told(tmp_path: Path) -> None:
    async with chaos_world(tmp_path, policy=ROOMY) as w:
        w.repository.trouble["workflow"] = [RefusedError("GitHub: no right to read")]
        await asked(w, NGINX, OLD)
        await w.rest()
        await w.say(WEI, "/retry #1")
        await w.rest()
        assert w.registries.target[str(NGINX)] == OLD
        await w.say(WEI, f"/why {NGINX}")
        await w.settle(6)
        assert w.last.count(f"<code>{NGINX}</code> ·") == 2


# --- what is shown


async def test_an_alarm_shows_both_digests_in_full(tmp_path: Path) -> None:
    async with chaos_world(tmp_path, policy=ROOMY, plan=PLAN) as w:
        await listed(w, [VERSION], OLD)
        w.registries.source[str(VERSION)] = NEW
        await hours(w, 3)
        assert any(OLD in text and NEW in text for text in w.chat.texts)


async def test_a_name_looks_like_no_other_part_of_a_card(tmp_path: Path) -> None:
    name = "Wei\u2028#9: \u202eevil\u0338\u0338\u0338\u200b"
    async with chaos_world(tmp_path, policy=ROOMY) as w:
        w.registries.source[str(STATIC)] = OLD
        await w.say(Person(WEI.id, name), f"/mirror {STATIC}")
        await w.settle(6)
        assert not re.search("[\u2028\u202e\u200b]|\u0338{3}|#9|9:", w.last)
