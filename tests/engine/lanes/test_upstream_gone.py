"""Gone upstream: told once where a source lacks an image for a day and answers for others."""

from collections.abc import AsyncIterator
from datetime import UTC, time
from pathlib import Path

import pytest
from fakes import ANA, GROUP, LI, POLICY, WEI, World, digest_of, fresh_plan, world

from bot.core.errors import RefusedError, TransientError
from bot.core.ids import ChatId
from bot.core.image import ImageRef
from bot.core.quiet_hours import QuietHours

GONE = ImageRef.parse("docker.io/library/nginx:1.27.3")
OTHER = ImageRef.parse("docker.io/library/redis:7")
ELSEWHERE = ImageRef.parse("gcr.io/distroless/static:nonroot")
SAYS, BACK = "Gone upstream", "There again upstream"


PLAN = fresh_plan(floating=6, version=24)


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, POLICY, plan=PLAN) as made:
        await asked(made, GONE, OTHER, ELSEWHERE)
        yield made


async def asked(w: World, *images: ImageRef) -> None:
    """List images, of which WEI asked for the first, and look at all of them."""
    for image in images:
        there(w, image)
        w.repository.content += f"{image}\n".encode()
    await w.say(ANA, f"/mirror {images[-1]}")
    await w.say(WEI, f"/mirror {images[0]}")
    await pass_hours(w, 26)


def there(w: World, image: ImageRef) -> None:
    w.registries.source[str(image)] = w.registries.target[str(image)] = digest_of(str(image))


def told(w: World, words: str) -> int:
    return sum(words in text for text in w.chat.texts)


async def pass_hours(w: World, hours: float) -> None:
    await w.settle(hours * 3600, step=1800)


async def test_admins_and_who_asked_learn_once_that_ours_is_the_last_copy(w: World) -> None:
    w.registries.source.pop(str(GONE))
    await pass_hours(w, 23)  # until the daily look, and not for a day after it
    assert not told(w, SAYS)
    w.start()
    await pass_hours(w, 30)
    (text,) = (text for text in w.chat.texts if SAYS in text)
    assert f"<code>{GONE}</code>, not there since" in text
    assert all(name in text for name in ("Wei", "Ana"))
    assert str(GONE).encode() in w.repository.content
    w.start()
    await pass_hours(w, 50)
    assert told(w, SAYS) == 1
    there(w, GONE)
    await pass_hours(w, 26)
    assert (told(w, SAYS), told(w, BACK)) == (1, 1)


async def test_an_outage_is_no_going(w: World) -> None:
    for trouble in (TransientError("502"), RefusedError("no"), None):
        for image in (GONE, OTHER):  # the last one: 404 to everything
            if trouble:
                w.registries.source[str(image)] = trouble
            else:
                w.registries.source.pop(str(image))
        await pass_hours(w, 52)
    assert not told(w, SAYS)
    there(w, OTHER)
    await pass_hours(w, 16)
    assert told(w, SAYS) == 1


async def test_what_the_target_lacks_is_no_last_copy(w: World) -> None:
    w.registries.source.pop(str(GONE))
    w.registries.target.pop(str(GONE))
    await pass_hours(w, 60)
    assert not told(w, SAYS)


async def test_a_look_in_between_that_finds_it_begins_anew(w: World) -> None:
    w.registries.source.pop(str(OTHER))
    await pass_hours(w, 20)
    there(w, OTHER)
    await pass_hours(w, 6)
    w.registries.source.pop(str(OTHER))
    await pass_hours(w, 22)
    assert not told(w, SAYS)


async def test_where_none_was_looked_at_lately_another_one_is(tmp_path: Path) -> None:
    async with world(tmp_path, POLICY, plan=fresh_plan(floating=6, version=240)) as w:
        other = ImageRef.parse("docker.io/library/redis:7.4.1")
        await asked(w, GONE, other)
        await pass_hours(w, 230)
        w.registries.source.pop(str(GONE))
        await pass_hours(w, 290)
        assert told(w, SAYS) == 1


async def test_nobody_is_told_in_quiet_hours_and_news_that_ended_is_no_news(w: World) -> None:
    w.quiet = QuietHours(time(0), time(23, 59), UTC)
    w.start()
    w.registries.source.pop(str(OTHER))
    await pass_hours(w, 40)
    assert not told(w, SAYS)
    there(w, OTHER)
    await pass_hours(w, 8)
    w.quiet = None
    w.start()
    await pass_hours(w, 2)
    assert not told(w, SAYS) + told(w, BACK)


async def test_several_are_told_together_and_in_private_without_names(w: World) -> None:
    private = ChatId(LI.id)
    await w.say(LI, f"/watch {OTHER}", chat=private)
    for image in (GONE, OTHER):
        w.registries.source.pop(str(image))
    third = ImageRef.parse("docker.io/library/nginx:1.29")
    there(w, third)
    w.repository.content += f"{third}\n".encode()
    await pass_hours(w, 60)
    told_at = [(m.place.chat, m.text) for m in w.chat.messages.values() if str(OTHER) in m.text]
    alone = [text for chat, text in told_at if chat == private]
    assert ["上游已消失" in text for text in alone] == [False, True]  # li reads Chinese
    assert not any(word in alone[1] for word in (str(GONE), "管理员", "<a href"))
    assert sum(chat == GROUP and SAYS in text for chat, text in told_at) == 1
