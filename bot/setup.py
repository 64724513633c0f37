"""Installs in the mirror repository what it needs: the workflow, its script, its settings.

Says what it did, line by line; what is there already is left alone, so it can be run again.
"""

from collections.abc import Callable
from importlib import resources
from typing import Final

from bot.adapters.github.repository import MirrorRepository
from bot.config import Secrets, Settings

FIRST_LIST: Final = b"# One image a line; imageto-bot appends, people may edit.\n"
SCRIPT: Final = ".github/mirror.py"


async def install(
    repository: MirrorRepository, settings: Settings, secrets: Secrets, say: Callable[[str], None]
) -> None:
    """Bring the repository up to date. Raises RefusedError or TransientError as GitHub answers."""
    files = {
        settings.github.list: FIRST_LIST,
        SCRIPT: _packaged("mirror.py"),
        # Last: its commit is the first that can start a run, and finds everything in place.
        f".github/workflows/{settings.github.workflow}": _packaged("mirror.yml"),
    }
    await _configure(repository, settings, secrets, say)
    for path, content in files.items():
        now = await repository.read_file(path)
        if now.content == content or (now.blob and content == FIRST_LIST):
            say(f"{path}: is there")
            continue
        verb = "Update" if now.blob else "Add"
        await repository.put_file(path, content, blob=now.blob, message=f"{verb} {path}\n")
        say(f"{path}: {'updated' if now.blob else 'added'}")


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


def _packaged(name: str) -> bytes:
    return resources.files("bot.workflow").joinpath(name).read_bytes()
