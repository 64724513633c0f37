"""Tells probes and Prometheus how the bot is: /healthz, /readyz and /metrics.

It brings together what the store and the running parts tell. Nothing of the bot depends on it. If
it cannot listen, the log says so, and the bot serves people all the same.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Final

from bot import __version__
from bot.adapters.monitoring.exposition import CONTENT_TYPE, Exposition
from bot.adapters.monitoring.server import Page, served
from bot.adapters.store import last_beat
from bot.adapters.store.measures import MeasuresOfStore
from bot.adapters.telegram import TELEGRAM
from bot.build import Adapters, budgets
from bot.core.errors import TransientError
from bot.core.hold import pause_of
from bot.engine.lanes.reconciler import Reconciler
from bot.engine.outage import ALIVE_WITHIN
from bot.engine.ports.measures import Vitals

log = logging.getLogger(__name__)

KEPT_SECONDS: Final = 3.0
"""A page that was made so recently is answered again."""
STUCK_AFTER: Final = timedelta(minutes=15)
"""A lane whose round takes longer hangs. A round of slow registries and retries takes minutes."""
READY: Final = "ready"
"""The heartbeat that is stored to see whether the database can be written."""


class Kept:
    """A page that is made at most every few seconds, and once at a time, however many ask.

    Who gives up does not end the making: a thread goes on, and what it counted would be lost.
    """

    def __init__(self, make: Callable[[], Awaitable[Page]]) -> None:
        self._make = make
        self._making: asyncio.Task[Page] | None = None
        self._until = 0.0

    async def __call__(self) -> Page:
        loop, making = asyncio.get_running_loop(), self._making
        if making is None or (making.done() and loop.time() >= self._until):
            making = self._making = loop.create_task(self._made())
        return await asyncio.shield(making)

    async def _made(self) -> Page:
        page = await self._make()
        self._until = asyncio.get_running_loop().time() + KEPT_SECONDS
        return page


class Monitoring:
    """The pages of a bot whose parts run."""

    def __init__(
        self,
        database: Path,
        adapters: Adapters,
        reconciler: Reconciler,
        services: Collection[str],
    ) -> None:
        """`services`: the names of those that have to answer."""
        self._services = services
        self._database = database
        self._adapters = adapters
        self._reconciler = reconciler
        self._measures = MeasuresOfStore(database, datetime.now(UTC), TELEGRAM)
        self.exposition = Exposition(__version__)
        self.pages: Mapping[str, Callable[[], Awaitable[Page]]] = {
            "/healthz": self._healthz,
            "/readyz": Kept(self._readyz),
            "/metrics": Kept(self._metrics),
        }

    async def _healthz(self) -> Page:
        """The process is alive and its lanes tick. A restart helps against the rest."""
        idle = self._reconciler.idle_for()
        stuck = [name for name, seconds in idle.items() if seconds > STUCK_AFTER.total_seconds()]
        return _page([f"lane {name}: no tick for {idle[name]:.0f} s" for name in stuck])

    async def _readyz(self) -> Page:
        """The database can be written, and each service answers. A restart does not help."""
        try:
            await self._adapters.store.beat(READY, datetime.now(UTC))
            beats = {
                name: await asyncio.to_thread(last_beat, self._database, name)
                for name in self._services
            }
        except TransientError:
            return _page(["database: cannot be written. The log says why"])
        now = datetime.now(UTC)
        return _page(
            [
                f"{name}: no answer for 3 minutes. The log says why"
                for name, last in beats.items()
                if last is None or abs(now - last) > ALIVE_WITHIN
            ]
        )

    async def _metrics(self) -> Page:
        now = datetime.now(UTC)
        try:
            measures = await asyncio.to_thread(self._measures.read, now)
        except TransientError as error:
            log.warning("no metrics: %s", error)
            return _page(["database: cannot be read. The log says why"])
        vitals = self._vitals(now)
        if "fresh" not in vitals.last_ticks:  # what the list had then is not late
            measures = replace(measures, next_check=None)
        page = self.exposition.render(measures, vitals, now)
        return Page(HTTPStatus.OK, page, CONTENT_TYPE)

    def _vitals(self, now: datetime) -> Vitals:
        repository = self._adapters.repository
        idle = self._reconciler.idle_for()
        return Vitals(
            last_ticks={name: now - timedelta(seconds=each) for name, each in idle.items()},
            budgets=budgets(self._adapters),
            token_expires=repository.token_expires(),
            workflow=repository.last_workflow(),
            paused=pause_of(self._adapters.holds) is not None,
        )


def _page(wrong: list[str]) -> Page:
    status = HTTPStatus.SERVICE_UNAVAILABLE if wrong else HTTPStatus.OK
    return Page(status, ("\n".join(wrong or ["ok"]) + "\n").encode())


@asynccontextmanager
async def monitored(
    address: tuple[str, int],
    database: Path,
    adapters: Adapters,
    reconciler: Reconciler,
    services: Collection[str],
) -> AsyncIterator[None]:
    """Serve the pages at an address and a port while the parts run."""
    monitoring = Monitoring(database, adapters, reconciler, services)
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(served(monitoring.pages, *address))
        except OSError as error:
            said = "http: cannot listen on %s port %d: %s. Change `http` in the config"
            log.error(said, *address, error)  # noqa: TRY400 - it is no bug
        else:
            log.info("http: /healthz, /readyz and /metrics at %s port %d", *address)
            logging.getLogger().addHandler(monitoring.exposition)
            stack.callback(logging.getLogger().removeHandler, monitoring.exposition)
        yield
