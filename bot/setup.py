"""Installs in the mirror repository what it needs: the workflow and its settings.

All files go into one commit. What is there already is left alone, so it can be run again. Says what
it did, line by line.
"""

from collections.abc import Callable, Mapping
from typing import Final

from bot.adapters.github.repository import MirrorRepository, entry_of
from bot.config import Secrets, Settings
from bot.workflow import shipped

FIRST_LIST: Final = b"# One image a line; imageto-bot appends, people may edit.\n"
MESSAGE: Final = "Install the mirror workflow\n\nVersion: {version}\n"
FOLDER_MODE: Final = "040000"
NO_RUN: Final = "[skip actions]\n\n"
"""In the message of a commit that adds the list, so that GitHub starts no run for an empty list."""


async def install(
    repository: MirrorRepository, settings: Settings, secrets: Secrets, say: Callable[[str], None]
) -> None:
    """Bring the repository up to date. Raises RefusedError or TransientError as GitHub answers."""
    await _configure(repository, settings, secrets, say)
    now = await repository.snapshot()
    changes = _changes(now.files, settings)
    for path, content in changes.items():
        say(f"{path}: {_verb(path, content, now.files)}")
    if not changes:
        say("all files are there")
        return
    message = MESSAGE.format(version=shipped.version())
    if settings.github.list in changes:
        message = message.replace("\n\n", f"\n\n{NO_RUN}", 1)
    await repository.commit_files(changes, on=now.tip, message=message)


def _changes(now: Mapping[str, str], settings: Settings) -> dict[str, bytes | None]:
    """What differs, by path: the content that a file should have, None for one that should go."""
    part = settings.github
    wanted = shipped.files(part.branch, part.list, part.workflow)
    changes: dict[str, bytes | None] = {
        path: content for path, content in wanted.items() if now.get(path) != entry_of(content)
    }
    inside = [path for path in now if path.startswith(f"{shipped.FOLDER}/")]
    for path in (*inside, *shipped.REPLACED):
        if path in now and path not in wanted and not now[path].startswith(FOLDER_MODE):
            changes[path] = None
    if part.list not in now:
        changes[part.list] = FIRST_LIST
    return changes


def _verb(path: str, content: bytes | None, now: Mapping[str, str]) -> str:
    if content is None:
        return "removed"
    return "updated" if path in now else "added"


async def _configure(
    repository: MirrorRepository, settings: Settings, secrets: Secrets, say: Callable[[str], None]
) -> None:
    target = settings.target
    variables = {
        "HARBOR_HOST": target.host,
        "HARBOR_PREFIX": target.prefix,
        "NAMING": target.naming,
    }
    for name, value in variables.items():
        if value:
            await repository.set_variable(name, str(value))
            say(f"variable {name}: {value}")
    login = secrets.target_login()
    hidden = {"HARBOR_USER": login[0], "HARBOR_PWD": login[1]} if login else {}
    if source := secrets.source_auth.get_secret_value():
        hidden["SOURCE_AUTH"] = source
    for name, value in hidden.items():
        await repository.set_secret(name, value)
        say(f"secret {name}: set")
    if not login:
        say("secrets HARBOR_USER, HARBOR_PWD: not in the environment, left as they are")
