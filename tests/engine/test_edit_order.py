"""A card that asks for a decision is edited before what only redraws."""

from pathlib import Path

from fakes import LI, NGINX, STATIC, WEI, world

from bot.core.errors import TransientError
from bot.core.transfer import State


async def test_a_question_is_shown_before_another_form_of_an_old_result(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.upstream(NGINX)
        w.registries.target[str(NGINX)] = w.registries.source[str(NGINX)]
        await w.say(WEI, f"/mirror {NGINX}")
        w.registries.source[str(STATIC)] = TransientError("slow")
        await w.say(LI, f"/mirror {STATIC}")
        await w.settle(10)
        w.upstream(STATIC)
        async with w.store.begin() as unit:
            (transfer,) = await unit.transfers_of_image(STATIC, limit=1)
        while transfer.state is not State.WAITING:
            w.clock.pass_time(5)
            await w.lanes["registry_checks"].tick()
            async with w.store.begin() as unit:
                (transfer,) = await unit.transfers_of_image(STATIC, limit=1)
        await w.press(WEI, "form:1:kubernetes")
        await w.lanes["chat"].tick()  # one edit of a chat in three seconds
        shown = [said.text for said in w.chat.messages.values()]
        assert any("waits for an admin" in text for text in shown)
        assert not any("image: " in text for text in shown)
