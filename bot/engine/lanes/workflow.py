"""The lane that compares the installed workflow with the one that this bot ships.

It looks at start, and again each minute while they differ, so that the log and /status say so
before anybody asks for an image. The batches lane compares again before each batch. This lane only
reads.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from bot.core.errors import BotError
from bot.core.retry import has_passed
from bot.engine.lanes.lane import TickResult
from bot.engine.ports.repository import InstalledWorkflow, WorkflowState
from bot.engine.shutdown import Stopped, never

log = logging.getLogger(__name__)

_WHAT_TO_DO: Final = "It is tried again each minute. `imageto-bot check` tests the token"
INTERVAL: Final = timedelta(seconds=60)
"""The time between two looks while the workflow is not as it should be, or GitHub cannot say."""


class WorkflowLane:
    def __init__(self, *, repository: InstalledWorkflow, clock: Callable[[], datetime]) -> None:
        self._repository = repository
        self._clock = clock
        self._looked_at: datetime | None = None

    async def tick(self, stopped: Stopped = never) -> TickResult:
        """Look if it is due. What was found is logged by the repository when it has changed."""
        now = self._clock()
        if self._repository.last_workflow() is WorkflowState.ACTIVE or stopped():
            return TickResult.IDLE
        if self._looked_at is None or has_passed(INTERVAL, self._looked_at, now):
            self._looked_at = now
            try:
                await self._repository.workflow()
            except BotError as trouble:
                log.warning(
                    "the installed workflow cannot be compared: %s. %s", trouble, _WHAT_TO_DO
                )
        return TickResult.IDLE
