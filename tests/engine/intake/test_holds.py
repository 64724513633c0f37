"""/pause, /resume, /block and /unblock: what each says, and what /status shows of it."""

from pathlib import Path
from unittest.mock import Mock

import pytest
from fakes import ANA, WEI, World, world


@pytest.fixture
def restart(monkeypatch: pytest.MonkeyPatch) -> Mock:
    return Mock()


async def says(w: World, command: str, words: str) -> None:
    await w.say(ANA, command)
    await w.settle(2)
    assert words in w.last, w.last


@pytest.mark.parametrize(
    ("begin", "lift", "stands"),
    [("/pause", "/resume", "paused"), ("/block nginx", "/unblock nginx", "blocked")],
)
async def test_a_hold_is_put_up_once_and_lifted_by_two(
    tmp_path: Path, restart: Mock, begin: str, lift: str, stands: str
) -> None:
    async with world(tmp_path) as w:
        w.intake._restart = restart
        await says(w, lift, f"not {stands}")
        await says(w, begin, "until two admins send")
        await says(w, begin, f"{stands} already")
        assert restart.call_count == 1
        await says(w, lift, "One more admin")
        async with w.store.begin() as unit:
            (hold,) = await unit.holds()
        assert (hold.person, hold.lift_by) == (ANA.id, ANA.id)
        await says(w, lift, "One more admin")
        await w.say(WEI, lift)
        await w.settle(2)
        assert "Only" in w.last


@pytest.mark.parametrize("command", ["/block", "/block !", "/unblock"])
async def test_a_pattern_that_matches_nothing_is_refused(tmp_path: Path, command: str) -> None:
    async with world(tmp_path) as w:
        await says(w, command, command.split(maxsplit=1)[0])
        async with w.store.begin() as unit:
            assert await unit.holds() == []
