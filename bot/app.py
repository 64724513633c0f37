"""Runs the bot: starts the parts that build.py and build_lanes.py make, and stops them.

A stop may come at any time. What it interrupts continues at the next start.
"""

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from pathlib import Path
from typing import Final

from bot import __version__, build, build_lanes
from bot.adapters.store.lock import alone
from bot.build import Adapters, Running
from bot.clients import CLOSE_SECONDS, make_registries
from bot.config import Secrets, Settings, wrong_logins
from bot.core.errors import ConfigError
from bot.engine.lanes.reconciler import Reconciler
from bot.engine.shutdown import Shutdown
from bot.reload import Reload
from bot.serve_issues import serve_issues
from bot.serve_telegram import serve_telegram
from bot.statement_key import signing_key

log = logging.getLogger(__name__)

STOP_SECONDS: Final = 10.0
"""How long a stop waits for steps that have begun. The next start repeats the rest."""


async def run(settings: Settings, secrets: Secrets, read: Callable[[], Settings]) -> None:
    """Serve until SIGTERM or SIGINT. Raises BotError if the bot cannot start.

    `read` reads the config again at SIGHUP and for /reload, and raises ConfigError.
    """
    shutdown, reload = Shutdown(), Reload(settings, lambda: _tried(read(), secrets))
    _stop_on_signals(shutdown, reload)
    work = asyncio.create_task(_work(secrets, shutdown, reload))
    requested = asyncio.create_task(shutdown.wait())
    await asyncio.wait({work, requested}, return_when=asyncio.FIRST_COMPLETED)
    requested.cancel()
    if not work.done():
        log.info("stopping: waiting up to %.0f s for steps that have begun", STOP_SECONDS)
        await asyncio.wait({work}, timeout=STOP_SECONDS)
    if not work.done():
        log.warning("stopping: some steps did not finish; the next start repeats them")
        work.cancel()
        await asyncio.wait({work}, timeout=CLOSE_SECONDS)
    if not work.done():
        _exit_despite_threads()
    if not work.cancelled():
        work.result()


def _exit_despite_threads() -> None:
    """Python would wait for the thread of a commit to a stalled disk. This is as safe as a kill."""
    logging.shutdown()
    os._exit(0)


def _tried(settings: Settings, secrets: Secrets) -> Settings:
    """The settings, if a registry client can be made of them, and a key is there for statements.

    Raises ConfigError.
    """
    make_registries(settings, secrets)
    signing_key(settings, secrets)
    return settings


def _stop_on_signals(shutdown: Shutdown, reload: Reload) -> None:
    """SIGHUP reads the config again. The first SIGTERM or SIGINT starts an orderly stop.

    The second one ends the process.
    """
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)

    def stop() -> None:
        for number in numbers:
            loop.remove_signal_handler(number)
            signal.signal(number, _exit_at_once)
        shutdown.request()
        reload.parts.request()

    for number in numbers:
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGHUP, _read_again, reload)


def _read_again(reload: Reload) -> None:
    try:
        changed = reload()
    except ConfigError as error:
        log.warning("config not read again: %s", str(error).replace("\n", "; "))
    else:
        log.info("config read again: %s", ", ".join(changed) or "nothing changed")


def _exit_at_once(number: int, _frame: object) -> None:
    """As safe as a kill. The first process of a container has no default signal handlers."""
    os._exit(128 + number)


async def _work(secrets: Secrets, shutdown: Shutdown, reload: Reload) -> None:
    log.info("version %s starts", __version__)
    async with AsyncExitStack() as stack:
        database = Path(reload.settings.database)
        if await shutdown.unless_requested(stack.enter_async_context(alone(database))) is None:
            return
        while not shutdown.is_requested():
            reload.parts = Shutdown()
            async with build.open_adapters(reload.settings, secrets) as adapters:
                gc.freeze()  # until the parts start anew: see cli.run
                await _serve(secrets, adapters, reload)
            gc.unfreeze()  # so that a restart of the parts leaves nothing behind


async def _serve(secrets: Secrets, adapters: Adapters, reload: Reload) -> None:
    settings, shutdown = reload.settings, reload.parts
    for line in (*settings.policy.warnings(), *wrong_logins(secrets)):
        log.warning("config: %s", line)
    reconciler = build_lanes.make_reconciler(settings, secrets, adapters, reload.restart)
    running = Running(settings, adapters, reconciler, reload)
    async with (
        _monitored(settings, adapters, reconciler),
        asyncio.TaskGroup() as group,
    ):
        if settings.telegram is not None and adapters.bot is not None:
            group.create_task(serve_telegram(running, adapters.bot, settings.telegram))
        if settings.github.issues is not None and adapters.issues is not None:
            group.create_task(serve_issues(running, adapters.issues, settings.github.issues))
        # Last: a service may hold the lanes while another bot does the same work.
        group.create_task(reconciler.run(shutdown))


def _monitored(
    settings: Settings, adapters: Adapters, reconciler: Reconciler
) -> AbstractAsyncContextManager[None]:
    address = settings.http_address()
    if address is None:
        return nullcontext()
    from bot.monitoring import monitored  # noqa: PLC0415 - only here are its libraries needed

    return monitored(address, Path(settings.database), adapters, reconciler, [*settings.services])
