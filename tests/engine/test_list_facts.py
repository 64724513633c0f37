"""/list tells of each image who asked for it, when, its state, and what happens to its updates."""

from datetime import timedelta
from pathlib import Path

from fakes import ANA, GROUP, LI, NGINX, STATIC, WEI, decided_by_ana, digest_of, fresh_plan, world

from bot.core.decision import Ground
from bot.core.fresh import TrackedImage
from bot.core.ids import ChatId
from bot.core.image import ImageRef

PRIVATE = ChatId(LI.id)


async def test_what_is_known_stands_in_the_line_and_who_asked_elsewhere_does_not(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, plan=fresh_plan()) as w:
        redis = ImageRef.parse("redis:7")
        bare = ImageRef.parse(f"busybox@{digest_of('bare')}")
        w.repository.content = f"{redis}\n{STATIC}\n{bare}\n".encode()
        w.upstream(NGINX, redis, STATIC)
        await w.settle(20)
        await w.say(WEI, f"/mirror {NGINX}")
        await w.settle(20)
        w.copied(NGINX)
        await w.settle(20)
        w.clock.pass_time(60)
        await w.say(LI, f"/mirror {NGINX} {STATIC}", chat=PRIVATE)
        await w.settle(8)

        async def lines(person: object, chat: ChatId) -> dict[str, str]:
            await w.say(person, "/list", chat=chat)  # type: ignore[arg-type]
            await w.settle(4)
            pairs = (line.partition("</code>") for line in w.last.splitlines()[1:])
            return {name.removeprefix("<code>"): rest for name, _, rest in pairs}

        here = await lines(ANA, GROUP)
        assert here == {
            str(redis): " · 🌱 kept fresh",
            str(STATIC): " · waits for an admin · 🌱 updates are asked about",
            str(bare): "",
            str(NGINX): " · mirrored · Wei, 12:00 UTC",
        }
        own = await lines(LI, PRIVATE)
        assert "Li，12:02 UTC" in own[str(STATIC)]
        assert "Li，12:02 UTC" in own[str(NGINX)]
        gone = TrackedImage(image=redis, not_before=w.clock(), gone_at=w.clock())
        async with w.store.begin() as unit:
            await unit.save_tracked([gone])
        assert "上游已消失" in (await lines(LI, PRIVATE))[str(redis)]
        await decided_by_ana(w, STATIC, digest_of("x"), Ground.KEPT)
        w.clock.pass_time(timedelta(hours=2).total_seconds())
        await w.settle(20)
        later = await lines(WEI, GROUP)
        assert later[str(STATIC)].endswith("🌱 kept fresh")
        assert "🌱 kept fresh" in later[str(NGINX)]
