"""The installed workflow is compared at start, and each minute while it is not as it should be."""

from datetime import UTC, datetime, timedelta

import pytest
from fakes import FakeRepository

from bot.core.errors import TransientError
from bot.engine.lanes.lane import TickResult
from bot.engine.lanes.workflow import INTERVAL, WorkflowLane
from bot.engine.ports.repository import WorkflowState

START = datetime(2026, 11, 30, 9, tzinfo=UTC)


class Watched:
    """The lane with a clock and a repository."""

    def __init__(self) -> None:
        self.now = START
        self.repository = FakeRepository()
        self.lane = WorkflowLane(repository=self.repository, clock=lambda: self.now)

    async def after(self, wait: timedelta) -> WorkflowState | None:
        self.now += wait
        assert await self.lane.tick() is TickResult.IDLE
        return self.repository.last_workflow()


async def test_a_difference_is_looked_at_each_minute_until_setup_has_run() -> None:
    watched = Watched()
    watched.repository.state = WorkflowState.DIFFERS
    assert await watched.after(timedelta()) is WorkflowState.DIFFERS
    watched.repository.state = WorkflowState.ACTIVE
    assert await watched.after(INTERVAL / 2) is WorkflowState.DIFFERS
    assert await watched.after(INTERVAL / 2) is WorkflowState.ACTIVE
    watched.repository.trouble["workflow"] = [AssertionError("looked again")]
    assert await watched.after(10 * INTERVAL) is WorkflowState.ACTIVE


async def test_github_that_cannot_say_is_asked_again_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watched = Watched()
    watched.repository.trouble["workflow"] = [TransientError("GitHub cannot be reached")]
    assert await watched.after(timedelta()) is None
    assert "the installed workflow cannot be compared: GitHub cannot be reached" in caplog.text
    assert await watched.after(INTERVAL) is WorkflowState.ACTIVE


async def test_a_bot_that_stops_does_not_look() -> None:
    watched = Watched()
    await watched.lane.tick(lambda: True)
    assert watched.repository.last_workflow() is None
