"""What waits is announced to the admins: seldom, in one message, which goes when nothing waits."""

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from fakes import ANA, GROUP, LI, POLICY, WEI, World, rendered, world

from bot.core.approvals import Approvals
from bot.core.decision import Verdict
from bot.core.errors import TransientError
from bot.core.ids import ChatId, MessageId, Person, Place
from bot.core.image import ImageRef
from bot.core.policy import Rule
from bot.core.quiet_hours import QuietHours
from bot.dialog.message import Text

NEW_GROUP = ChatId("telegram:-1002000000001")


@dataclass
class Watched:
    """The announcements of a world, and when each was sent."""

    w: World
    sent: dict[MessageId, datetime]

    @property
    def standing(self) -> list[str]:
        """Return the texts of those that were not deleted."""
        chat = self.w.chat
        return [chat.messages[n].text for n in self.sent if n not in chat.deleted]

    @property
    def gaps(self) -> list[timedelta]:
        times = sorted(self.sent.values())
        return [later - earlier for earlier, later in pairwise(times)]


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


@pytest.fixture
def announced(w: World) -> Watched:
    return watched(w)


def watched(w: World) -> Watched:
    found = Watched(w, {})
    send = w.chat.send

    async def noted(
        place: Place, text: Text, *, reply_to: MessageId | None, key: str = ""
    ) -> MessageId:
        number = await send(place, text, reply_to=reply_to)
        if " for an admin" in (html := rendered(text).html) and "<b>#" not in html:
            found.sent[number] = w.clock()
        return number

    w.chat.send = noted  # type: ignore[method-assign]
    return found


async def ask(w: World, number: int = 0, person: Person = WEI, **more: object) -> None:
    """Ask for an image about which an admin is asked."""
    image = ImageRef.parse(f"gcr.io/team/app:{number}")
    w.upstream(image)
    await w.say(person, f"/mirror {image}", **more)  # type: ignore[arg-type]


async def test_what_waits_is_announced_once_to_those_who_may_decide(
    w: World, announced: Watched
) -> None:
    await w.say(ANA, "/whoami")
    await ask(w)
    await w.settle(50, step=5)
    assert announced.sent == {}, "whoever is there has seen the card"
    await w.settle(3600, step=30)
    (said,) = announced.standing
    first, call = said.splitlines()
    assert first == "#1 waits for an admin."
    assert call.startswith('<a href="tg://user?id=1003">Ana</a>: please decide on the card.')
    (number,) = announced.sent
    async with w.store.begin() as unit:
        request = await unit.request(1)  # type: ignore[arg-type]
    assert request is not None
    assert w.chat.messages[number].reply_to == request.card


async def test_it_goes_as_soon_as_nothing_waits(w: World, announced: Watched) -> None:
    await ask(w)
    await w.settle(90, step=6)
    assert len(announced.standing) == 1
    assert await w.press(ANA, "approve:1")
    await w.settle(10)
    assert announced.standing == []
    assert len(announced.sent) == 1


async def test_what_comes_within_ten_minutes_is_added_and_announced_after_them(
    w: World, announced: Watched
) -> None:
    await ask(w, 1)
    await w.settle(90, step=6)
    await ask(w, 2)
    await w.settle(120, step=6)
    assert len(announced.sent) == 1
    assert announced.standing[0].startswith("2 requests wait for an admin: #1, #2.")
    await w.settle(600, step=10)
    assert len(announced.sent) == 2
    assert len(announced.standing) == 1
    assert announced.gaps >= [timedelta(minutes=10)]


async def test_only_those_are_called_whose_approval_counts(w: World, announced: Watched) -> None:
    w.admins = {ANA.id, LI.id}
    rule = Rule("gcr.io/**", Verdict.ASK, approvals=Approvals(own=False))
    w.policy = replace(POLICY, rules=(rule,))
    w.start()
    await w.say(LI, "/whoami")
    await ask(w, person=ANA)
    await w.settle(90, step=6)
    assert "Li</a>" in announced.standing[0]
    assert "1003" not in announced.standing[0]


async def test_two_requests_for_one_image_are_announced_as_the_first(
    w: World, announced: Watched
) -> None:
    await ask(w, 1)
    await ask(w, 1, person=LI)
    await w.settle(90, step=6)
    assert announced.standing[0].startswith("#1 waits for an admin.")


async def test_what_is_asked_in_private_is_announced_to_the_admins_in_private(
    w: World, announced: Watched
) -> None:
    await ask(w, chat=ChatId(WEI.id))
    await w.settle(90, step=6)
    (number,) = announced.sent
    assert w.chat.messages[number].place == Place(ChatId(ANA.id))
    assert w.chat.messages[number].reply_to is None
    assert "admin</a>" in announced.standing[0], "her name is not known yet"


async def test_an_admin_who_asks_in_private_is_not_called_to_the_own_card(
    w: World, announced: Watched
) -> None:
    await ask(w, person=ANA, chat=ChatId(ANA.id))
    await w.settle(900, step=30)
    assert announced.sent == {}


async def test_in_a_busy_group_there_is_never_more_than_one_in_ten_minutes(
    w: World, announced: Watched
) -> None:
    w.policy = replace(POLICY, open_limit=500, daily_limit=500)
    w.start()
    at_random = random.Random(7)  # noqa: S311 - a test that can be repeated
    for number in range(14):
        await ask(w, number, person=at_random.choice([WEI, LI]))
        for decided in range(1, number + 1):
            if at_random.random() < 0.2:
                await w.press(ANA, f"{at_random.choice(['approve', 'reject'])}:{decided}")
        await w.settle(at_random.choice([12, 300]), step=12)
    assert len(announced.sent) > 3
    assert min(announced.gaps) >= timedelta(minutes=10)
    assert len(announced.standing) <= 1
    await w.settle(60, step=12)
    for decided in range(1, 15):
        await w.press(ANA, f"reject:{decided}")
    await w.settle(120, step=12)
    assert announced.standing == []


async def test_before_telegram_refuses_to_delete_it_a_new_one_replaces_it(
    w: World, announced: Watched
) -> None:
    w.policy = replace(POLICY, expire_after=timedelta(days=9))
    w.start()
    await ask(w)
    await w.settle(90, step=6)
    await w.settle(46 * 3600 + 120, step=600)
    assert len(announced.sent) == 2
    assert len(announced.standing) == 1
    (gap,) = announced.gaps
    assert gap < timedelta(hours=47)


async def test_where_it_cannot_be_deleted_it_says_that_nothing_waits(
    w: World, announced: Watched
) -> None:
    await ask(w)
    await w.settle(90, step=6)
    w.chat.keeps_all = True
    await w.press(ANA, "reject:1")
    await w.settle(20)
    assert announced.standing == ["Nothing waits for an admin here any more."]
    await ask(w, 2)
    await w.settle(600, step=10)
    w.chat.deleted.add(list(announced.sent)[-1])  # by a person: the edit is refused as well
    await w.press(ANA, "reject:2")
    await w.settle(20)
    async with w.store.begin() as unit:
        assert [one.message for one in await unit.announcements()] == [None]


async def test_before_a_question_expires_people_are_called_once_more(
    w: World, announced: Watched
) -> None:
    await ask(w)
    await w.settle(90, step=6)
    w.chat.keeps_all = True
    await w.settle(46 * 3600, step=600)
    await w.settle(21 * 3600, step=600)
    assert len(announced.sent) == 3
    assert "#1 expires at 2026-03-04 12:00 UTC if nobody decides." in announced.standing[-1]
    assert announced.standing[0] == "A newer message of mine says what waits for an admin."
    await w.settle(6 * 3600, step=600)
    assert announced.standing[-1] == "Nothing waits for an admin here any more."


async def test_in_quiet_hours_nobody_is_called(w: World, announced: Watched) -> None:
    w.quiet = QuietHours(time(11, 0), time(14, 0), UTC)
    w.start()
    await ask(w)
    await w.settle(7080, step=60)
    assert announced.sent == {}
    await w.settle(300, step=10)
    assert [at.hour for at in announced.sent.values()] == [14]


async def test_a_kill_causes_no_second_one_and_a_known_one_is_deleted(
    w: World, announced: Watched
) -> None:
    await ask(w)
    await w.settle(50, step=5)
    send = w.chat.send

    async def killed(
        place: Place, text: Text, *, reply_to: MessageId | None, key: str = ""
    ) -> MessageId:
        await send(place, text, reply_to=reply_to)
        raise KeyboardInterrupt

    w.chat.send = killed  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        await w.settle(60)
    w.chat.send = send  # type: ignore[method-assign]
    w.start()
    await w.settle(1200, step=30)
    assert len(announced.sent) == 1
    await ask(w, 2)
    await w.settle(90, step=6)
    w.start()
    await w.press(ANA, "reject:1")
    await w.press(ANA, "reject:2")
    await w.settle(30)
    assert len(announced.sent) == 2
    assert len(announced.standing) == 1, "the one whose id was lost"


@pytest.mark.parametrize("unclear", [False, True])
async def test_a_send_that_fails_is_tried_again_only_where_it_surely_failed(
    w: World, announced: Watched, *, unclear: bool
) -> None:
    await ask(w)
    await w.settle(55)
    trouble = TransientError("later", retry_after=None if unclear else 20, unclear=unclear)
    w.chat.trouble = [trouble]
    await w.settle(300, step=6)
    assert w.chat.trouble == []
    assert len(announced.sent) == (not unclear)


async def test_an_edit_or_a_deletion_that_fails_is_tried_again(
    w: World, announced: Watched
) -> None:
    await ask(w)
    await w.settle(90, step=6)
    w.chat.trouble = [TransientError("later")]
    await w.press(ANA, "reject:1")
    await w.settle(120, step=6)
    assert announced.standing == []


async def test_it_is_counted_among_the_messages_of_the_chat(w: World, announced: Watched) -> None:
    await ask(w)
    await w.settle(50, step=5)
    now = w.clock()
    rate = w.lanes["chat"]._sending.rate  # type: ignore[attr-defined]
    for _ in range(19):
        rate.record_sent(GROUP, now)
    await w.settle(50, step=5)
    assert announced.sent == {}
    await w.settle(60)
    assert len(announced.sent) == 1
    assert rate._sent[GROUP]


async def test_it_follows_a_group_that_becomes_a_supergroup(w: World, announced: Watched) -> None:
    await ask(w)
    await w.settle(90, step=6)
    w.chat.moves[GROUP] = NEW_GROUP
    await w.press(ANA, "reject:1")
    await w.settle(60)
    async with w.store.begin() as unit:
        (one,) = await unit.announcements()
    assert (one.place.chat, one.message) == (NEW_GROUP, None)


async def test_where_the_group_has_just_moved_it_is_announced_in_the_new_one(
    w: World, announced: Watched
) -> None:
    await ask(w)
    await w.settle(50, step=5)
    w.chat.moves[GROUP] = NEW_GROUP
    await w.settle(60, step=5)
    (number,) = announced.sent
    assert w.chat.messages[number].place.chat == NEW_GROUP
