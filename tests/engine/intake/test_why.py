"""/why and /history: who asked, who decided on which digest, and who may learn of it where."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import ANA, GROUP, LI, NGINX, STATIC, WEI, World, digest_of, world

from bot.core.decision import Decision, Ground, Verdict
from bot.core.ids import ChatId, Person, TransferId
from bot.core.image import ImageRef
from bot.dialog.kept_decisions import DECISIONS_SHOWN

OTHER = ChatId("telegram:-1002")


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        made.chats.add(OTHER)
        made.start()
        yield made


async def told(w: World, person: Person, text: str, chat: ChatId = GROUP) -> str:
    await w.say(person, text, chat=chat)
    await w.settle(2)
    return w.last


async def asked(w: World, image: ImageRef, *, chat: ChatId = GROUP) -> None:
    w.upstream(image)
    await w.say(WEI, f"/mirror {image}", chat=chat)
    await w.settle(8)


async def keep(w: World, **values: object) -> None:
    plain = Decision(
        request=None,
        transfer=TransferId(1),
        image=NGINX,
        digest=digest_of("x"),
        verdict=Verdict.APPROVE,
        ground=Ground.RULE,
        at=w.clock(),
    )
    async with w.store.begin() as unit:
        await unit.keep_decision(replace(plain, **values))  # type: ignore[arg-type]


async def test_those_who_may_see_a_request_learn_who_decided(w: World) -> None:
    await asked(w, STATIC)
    await w.press(ANA, "approve:1")
    await w.settle(2)
    answer = await told(w, LI, f"/why {STATIC}")
    assert "Wei asked in #1" in answer
    assert f"Ana approved <code>{digest_of(str(STATIC))}</code>" in answer
    assert "telegram:" not in answer
    assert str(STATIC) in await told(w, WEI, f"/why {STATIC}", OTHER)  # it is Wei's own
    assert "no request" in await told(w, LI, f"/why {STATIC}", OTHER)


async def test_what_was_asked_in_private_is_not_told_in_a_group(w: World) -> None:
    await asked(w, NGINX, chat=ChatId(WEI.id))
    assert "no request" in await told(w, ANA, f"/why {NGINX}")
    assert "There is no record" in await told(w, ANA, "/history")
    private = await told(w, ANA, f"/why {NGINX}", ChatId(ANA.id))
    assert "the rule <code>docker.io/library/**</code> approved" in private
    assert str(NGINX) in await told(w, ANA, "/history", ChatId(ANA.id))


async def test_a_story_goes_on_before_a_retry(w: World) -> None:
    w.registries.source[str(STATIC)] = None
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(8)
    w.upstream(STATIC)
    await w.press(WEI, "retry:1")
    await w.settle(8)
    answer = await told(w, LI, f"/why {STATIC}")
    assert answer.count(f"<code>{STATIC}</code> ·") == 2
    assert "not found at the source" in answer


async def test_history_is_bounded_and_says_so(w: World) -> None:
    await asked(w, NGINX)
    for number in range(DECISIONS_SHOWN):
        await keep(w, reason=f"reason {number} " + "x" * 99, person=ANA.id, ground=Ground.PERSON)
    answer = await told(w, ANA, "/history #1")
    assert f"Only the newest {DECISIONS_SHOWN} are shown" in answer
    assert "reason 0 " in answer
    assert "xxx…" in answer
    assert await told(w, ANA, "/history #1", OTHER) != answer


async def test_each_ground_has_its_words_and_no_id_is_shown(w: World) -> None:
    await asked(w, NGINX)
    for ground in (Ground.KEPT, Ground.FLOATS, Ground.ROLLBACK):
        for verdict in (Verdict.APPROVE, Verdict.DENY):
            await keep(w, ground=ground, verdict=verdict, person=LI.id)
    await keep(w, ground=Ground.REGISTRY, verdict=Verdict.DENY)
    await keep(w, ground=Ground.NO_RULE)
    answer = await told(w, ANA, f"/history {NGINX}")
    for words in (
        "to keep fresh",
        "as floating",
        "rolled back to",
        "list of registries",
        "the rules",
    ):
        assert words in answer
    assert "somebody whose name is no longer kept" in answer  # Li has never written
    assert LI.id not in answer
