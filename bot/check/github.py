"""Checks of GitHub: the repository, its branch, what the token may do, and the workflow there."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.adapters.github.inspection import InspectedRepository, RepositoryFacts
from bot.check.issues import issues
from bot.check.report import (
    CheckLine,
    CheckLines,
    failed,
    not_tried,
    ok,
    part,
    unanswered,
    warning,
)
from bot.config import Settings
from bot.core.defect import ENDING_SOON
from bot.core.errors import BotError, ConfigError, RefusedError, TransientError
from bot.core.image_list import listed_images
from bot.engine.ports.repository import WORKFLOW_ADVICE, WorkflowState
from bot.policy_report import coverage
from bot.setup import variables_of

SKEW: Final = timedelta(minutes=1)


async def github(repository: InspectedRepository, settings: Settings) -> CheckLines:
    try:
        facts = await repository.facts()
    except BotError as error:
        yield unanswered("repository", error, _advice(error))
        yield not_tried("the rest of GitHub", "it is asked for this repository")
        return
    yield _usable(facts, settings)
    yield _expiry(facts)
    yield _clock(facts)
    if facts.permissions is not None:
        needed = (*_NEEDED, *([_NEEDED_IN_ISSUES] if settings.github.issues else []))
        for line in _permitted(facts.permissions, needed):
            yield line
    for name, lines in _PARTS.items():
        if name != "rights" or facts.permissions is None:
            async for found in part(name, lines(repository, settings)):
                yield found


def _advice(error: BotError) -> str:
    text = str(error)
    if "change github.repository" in text:
        return ""
    if "(404)" in text:
        return "correct github.repository, or give the token this repository"
    if "GITHUB_TOKEN" in text:
        return "make a new token: docs/operating.md lists its permissions"
    return "ask an owner of the repository or of its organisation"


def _usable(facts: RepositoryFacts, settings: Settings) -> CheckLine:
    name = settings.github.repository
    if facts.archived:
        return failed("repository", f"{name} is archived", "unarchive it in its settings")
    if facts.disabled:
        return failed("repository", f"GitHub has disabled {name}", "ask GitHub's support why")
    return ok("repository", name)


def _expiry(facts: RepositoryFacts) -> CheckLine:
    name, ends = "token", facts.expires
    if facts.permissions is not None:
        return ok(name, "of a GitHub App, renewed each hour")
    if ends is None:
        return not_tried(name, "GitHub tells no day on which it expires")
    left = ends - datetime.now(UTC)
    text = f"it expires on {ends:%Y-%m-%d}, in {max(left.days, 0)} days"
    return warning(name, text, "make a new one in time") if left < ENDING_SOON else ok(name, text)


def _clock(facts: RepositoryFacts) -> CheckLine:
    if facts.now is None:
        return not_tried("clock", "GitHub tells no time")
    skew = abs(datetime.now(UTC) - facts.now)
    if skew > SKEW:
        text = f"it differs from GitHub's by {skew.total_seconds() / 60:.0f} minutes"
        return failed("clock", text, "set it by NTP: decisions carry their time")
    return ok("clock", "it agrees with GitHub's")


async def _branch(repository: InspectedRepository, settings: Settings) -> CheckLines:
    branch = settings.github.branch
    name = f"branch {branch}"
    protected = await repository.branch_is_protected()
    if protected is None:
        yield failed(name, "it does not exist", "create it, or correct github.branch")
        return
    demands = await repository.branch_rules()
    allow = "let the owner of the token, or its App, bypass the rule"
    if demands:
        yield failed(name, f"a ruleset demands {' and '.join(demands)}", allow)
    elif protected:
        text = "it is protected. Commits fail if the rule demands reviews or status checks"
        yield warning(name, text, allow)
    else:
        yield ok(name, "no rule refuses commits")


_NEEDED: Final = (
    ("right to write contents", "contents", "Contents: write"),
    ("right to start runs", "actions", "Actions: write"),
    ("right to read statuses", "statuses", "Commit statuses: read"),
)
_NEEDED_IN_ISSUES: Final = ("right to write issues", "issues", "Issues: write")


def _permitted(
    permissions: Mapping[str, str], needed: Sequence[tuple[str, str, str]]
) -> Iterator[CheckLine]:
    """GitHub tells what an App may do, so nothing has to be tried."""
    for name, key, permission in needed:
        if permissions.get(key) in {"write", permission.partition(": ")[2]}:
            yield ok(name, "the App has it")
        else:
            advice = (
                f"give the App {permission} in its settings, and accept it where it is installed"
            )
            yield failed(name, f"the App has {permissions.get(key, 'no')} access", advice)


async def _rights(repository: InspectedRepository, _: Settings) -> CheckLines:
    attempts = (repository.try_contents, repository.try_dispatch, repository.try_statuses)
    for (name, _key, permission), attempt in zip(_NEEDED, attempts, strict=True):
        yield await _right(name, attempt, permission)


async def _right(name: str, attempt: Callable[[], Awaitable[None]], permission: str) -> CheckLine:
    try:
        await attempt()
    except TransientError as error:
        return not_tried(name, error)
    except RefusedError as error:
        return failed(name, error, f"give the token the permission {permission}")
    return ok(name, "the token has it")


async def _workflow(repository: InspectedRepository, _: Settings) -> CheckLines:
    enabled = await repository.actions_enabled()
    if enabled is False:
        advice = "allow them in the repository's settings, under Actions"
        yield failed("actions", "they are switched off", advice)
        return
    if enabled is None:
        yield not_tried("actions", "only a token with Administration may see whether they are on")
    else:
        yield ok("actions", "they are on")
    state = await repository.workflow()
    if state is WorkflowState.ACTIVE:
        yield ok("workflow", "it is active, and the one that this bot ships")
    else:
        text, advice = WORKFLOW_ADVICE[state].split(": ", 1)
        yield failed("workflow", f"it is {text}", advice)


async def _image_list(repository: InspectedRepository, settings: Settings) -> CheckLines:
    name = settings.github.list
    try:
        file = await repository.read_list()
    except RefusedError as error:
        yield failed(name, error, "correct github.list")
        return
    if not file.blob:
        text = "it does not exist, and begins with the first image"
        yield warning(name, text, "if there is a list already, correct github.list")
        return
    images = await asyncio.to_thread(listed_images, file.content)
    yield ok(name, f"it has {len(images)} images")
    # A rule that covers nothing of the list may be misspelt.
    for line in await asyncio.to_thread(coverage, settings.policy_in_force(), images):
        yield ok("rule", line)


async def _variables(repository: InspectedRepository, settings: Settings) -> CheckLines:
    """The workflow obeys a copy of the rules for what was written by hand, and other variables."""
    name = "variables of the workflow"
    try:
        wanted, there = variables_of(settings), await repository.variables()
    except ConfigError as error:
        yield failed(name, error, "")
    except RefusedError as refusal:
        yield not_tried(name, f"GITHUB_TOKEN may not read variables ({refusal})")
    else:
        other = [each for each in wanted if there.get(each, "") != wanted[each]]
        text = f"not what the config says: {', '.join(other)}"
        advice = "run `imageto-bot setup`"
        yield failed(name, text, advice) if other else ok(name, "they are what the config says")


_PARTS: Final = {
    "branch": _branch,
    "rights": _rights,
    "workflow": _workflow,
    "variables of the workflow": _variables,
    "image list": _image_list,
    "issues": issues,
}
