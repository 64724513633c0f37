"""The `check` command: tests that every service in the config can be reached, or the bot is alive.

It must only read. Each line names what was checked. A line with FAILED also says what to do.
cli.py sets the exit code.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from bot.adapters.store import last_beat
from bot.adapters.store.lock import is_taken
from bot.adapters.telegram.chat import ask_name
from bot.build import Services, open_services
from bot.config import Secrets, Settings
from bot.core.errors import BotError, RefusedError
from bot.core.image import ImageRef
from bot.core.image_list import listed_images
from bot.core.policy import Policy
from bot.engine.outage import HEARTBEAT
from bot.engine.ports.repository import WORKFLOW_ADVICE, WorkflowState
from bot.policy_report import coverage
from bot.setup import policy_variable

Say = Callable[[str], None]


async def alive(settings: Settings, within: timedelta, say: Say) -> bool:
    """Return whether a bot uses this database and got an answer from Telegram in this time."""
    database = Path(settings.database)
    if not is_taken(database):
        say(f"FAILED: no bot uses {database}; start it with `imageto-bot run`")
        return False
    last = await asyncio.to_thread(last_beat, database, HEARTBEAT)
    # The answer may lie in the future if the clock was set back. A live bot soon stores a new one.
    if last is None or abs(datetime.now(UTC) - last) > within:
        say(f"FAILED: last answer from Telegram: {last or 'never'}; read the log of the bot")
        return False
    say(f"ok: last answer from Telegram at {last:%H:%M:%S} UTC")
    return True


async def everything(settings: Settings, secrets: Secrets, say: Say) -> bool:
    """Check Telegram, the mirror repository and the target. A failure does not stop the others."""
    say("config: ok")
    policy = settings.policy_in_force()
    for line in settings.policy.warnings():
        say(f"config: warning: {line}")
    checks = (
        ("telegram", _telegram, "check TELEGRAM_TOKEN and the network"),
        ("mirror repository", _repository, "check GITHUB_TOKEN and the settings under github"),
        (
            "rules of the workflow",
            partial(_rules, policy),
            "run `imageto-bot setup`",
        ),
        ("rules", partial(_coverage, policy), "check GITHUB_TOKEN"),
        ("target", _target, "check HARBOR_USER, HARBOR_PWD and the settings under target"),
    )
    succeeded = True
    async with open_services(settings, secrets) as services:
        for name, check, what_to_do in checks:
            try:
                say(f"{name}: ok: {await check(services)}")
            except BotError as error:
                say(f"{name}: FAILED: {error}; {what_to_do}")
                succeeded = False
    return succeeded


async def _telegram(services: Services) -> str:
    return f"the bot is @{await ask_name(services.bot)}"


async def _repository(services: Services) -> str:
    state = await services.repository.workflow()
    if state is not WorkflowState.ACTIVE:
        raise BotError(f"its workflow is {WORKFLOW_ADVICE[state]}")
    image_list = await services.repository.read_list()
    return f"the workflow is active, the list has {len(image_list.content)} bytes"


async def _rules(policy: Policy, services: Services) -> str:
    """The workflow obeys a copy of the rules for what was written by hand."""
    wanted = policy_variable(policy)
    try:
        variables = await services.repository.variables()
    except RefusedError as refusal:
        return f"not compared, since GITHUB_TOKEN may not read variables ({refusal})"
    if variables.get("POLICY", "") != wanted:
        raise BotError("the variable POLICY is not what the config says")
    return "they are those of the config"


async def _coverage(policy: Policy, services: Services) -> str:
    """A line for each rule: one that covers nothing of the list may be misspelt."""
    content = (await services.repository.read_list()).content
    images = await asyncio.to_thread(listed_images, content)
    lines = await asyncio.to_thread(coverage, policy, images)
    return "\n  ".join([f"{len(images)} images are in the list", *lines])


async def _target(services: Services) -> str:
    found = await services.registries.target_digest(ImageRef.parse("docker.io/library/hello-world"))
    return "it can be read" + (", and has hello-world" if found else "")
