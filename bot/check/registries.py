"""Checks of the registries: each allowed source with its logins, and the target's projects."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bot.adapters.registry.harbor import Harbor, Project
from bot.adapters.registry.inspection import InspectedRegistries
from bot.check.report import CheckLine, CheckLines, failed, not_tried, ok, unanswered, warning
from bot.config import Secrets, Settings, wrong_logins
from bot.core.defect import ENDING_SOON
from bot.core.errors import BotError, ConfigError, TransientError
from bot.core.image import ImageRef
from bot.core.look import BROKEN_CONNECTION, LookBy, who_looks
from bot.core.policy import policy_digest
from bot.core.statement import StatementForm
from bot.statement_key import read_key
from bot.target_projects import probes

FULL: Final = 0.9
"""The part of a quota from which `check` warns."""
_ANY: Final = "library/hello-world"
_LOGIN: Final = "check HARBOR_USER, HARBOR_PWD and the settings under target"


async def sources(client: InspectedRegistries, settings: Settings, secrets: Secrets) -> CheckLines:
    """Sources are asked side by side, since a blocked one answers only after seconds."""
    for line in wrong_logins(secrets):
        yield failed("source logins", line, "write it as `docker login` writes config.json")
    wanted = sorted(settings.policy.registries)
    looks = (_source(client, each, who_looks(settings.look, each)) for each in wanted)
    for lines in await asyncio.gather(*looks):
        for found in lines:
            yield found
    for key in client.login_names(""):
        if key.partition("/")[0] not in wanted:
            advice = "add the registry to policy.registries, or remove the login"
            yield warning(f"login {key}", "its registry is not allowed", advice)


async def _source(
    client: InspectedRegistries, registry: str, who: LookBy | None
) -> list[CheckLine]:
    """`who`: None where a run looks as soon as the bot cannot connect."""
    if who is LookBy.RUN:
        return [ok(f"registry {registry}", "GitHub looks at its images, the bot does not connect")]
    found = []
    for key in client.login_names(registry) or (registry,):
        path = key.partition("/")[2] or _ANY
        login = "with its login" if client.login_names(registry) else "without a login"
        try:
            await client.try_source(registry, path)
            found.append(ok(f"registry {key}", f"it answers {login}"))
        except BotError as error:
            found.append(_unreachable(f"registry {key}", error, who))
    return found


def _unreachable(name: str, error: BotError, who: LookBy | None) -> CheckLine:
    cut_off = isinstance(error, TransientError) and error.trouble.kind in BROKEN_CONNECTION
    if cut_off and who is None:
        words = f"{error}. GitHub looks at its images instead"
        return warning(name, words, "let the bot connect, or write `run` for it under `look`")
    return unanswered(name, error, "check its login in SOURCE_AUTH")


async def target(
    client: InspectedRegistries, harbor: Harbor, settings: Settings, secrets: Secrets
) -> CheckLines:
    if secrets.target_login() is None:
        yield warning("target login", "HARBOR_USER and HARBOR_PWD are not set", _LOGIN)
    is_harbor = await harbor.is_there()
    for project, image in probes(settings):
        async for found in _probe(client, f"target {project}", image):
            yield found
        if is_harbor:
            yield await _quota(harbor, project)
    if settings.statements is not None:
        yield _statements(settings, secrets, is_harbor=is_harbor)
    if is_harbor:
        yield await _robot(harbor)
    else:
        yield not_tried("target quota", "the target does not answer as a Harbor does")


async def _probe(client: InspectedRegistries, name: str, image: ImageRef) -> CheckLines:
    try:
        await client.try_target(image)
        yield ok(name, "it can be read")
    except BotError as error:
        yield unanswered(name, error, _LOGIN)
        yield not_tried(f"{name}, upload", "it cannot be read")
        return
    try:
        cancelled = await client.try_upload(image)
        end = "cancelled" if cancelled else "is left to end by itself"
        yield ok(f"{name}, upload", f"one was begun and {end}")
    except BotError as error:
        missing = "project" in str(error) and "not found" in str(error)
        advice = "run `imageto-bot setup`" if missing else "let the account push to this project"
        yield unanswered(f"{name}, upload", error, advice)


def _statements(settings: Settings, secrets: Secrets, *, is_harbor: bool) -> CheckLine:
    """The key that signs. Whether the login may push is in the lines about uploads."""
    name = "statements"
    try:
        key = read_key(secrets.statement_key.get_secret_value(), Path(settings.database))
    except ConfigError as error:
        return failed(name, error, "then run `imageto-bot keys`")
    made = "the key is made at the first start" if key is None else f"key {key.name}"
    text = f"{made}, rules {policy_digest(settings.policy_in_force())[:12]}"
    if is_harbor and settings.statements is StatementForm.BUNDLE:
        words = f"Harbor counts each bundle as a signature of the image. {text}"
        return warning(name, words, "`statements: att` is enough where no image brings a bundle")
    return ok(name, text)


async def _quota(harbor: Harbor, name: str) -> CheckLine:
    label = f"target {name}, quota"
    try:
        project = await harbor.project(name)
        if project is None:
            return failed(label, "Harbor has no such project", "run `imageto-bot setup`")
        return _of_quota(label, await harbor.with_quota(project))
    except BotError as error:
        return not_tried(label, error)


def _of_quota(label: str, project: Project) -> CheckLine:
    used = f"{project.used / 2**30:.1f} GiB"
    if project.quota is None:
        return ok(label, f"{used} used, no limit is known")
    text = f"{used} of {project.quota / 2**30:.1f} GiB used"
    if project.used >= FULL * project.quota:
        return warning(label, text, "raise it, or add a retention rule in Harbor")
    return ok(label, text)


async def _robot(harbor: Harbor) -> CheckLine:
    name = "target login, expiry"
    try:
        ends = await harbor.last_day()
    except BotError as error:
        return not_tried(name, error)
    if ends is None:
        return ok(name, "it does not expire")
    left = ends - datetime.now(UTC)
    text = f"{ends:%Y-%m-%d}, in {max(left.days, 0)} days"
    if left < timedelta():
        return failed(name, f"it ended on {ends:%Y-%m-%d}", "renew the robot in Harbor")
    return (
        warning(name, text, "renew the robot in Harbor") if left < ENDING_SOON else ok(name, text)
    )
