"""The `setup` command: installs the workflow, its variables and its secrets in the repository.

All files go into one commit. It can be run again, and then changes only what differs. Each change
is one line of output. With `dry_run` nothing is changed. GitHub does not return secrets, so those
that are missing here are left as they are.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from bot.adapters.github.repository import entry_of
from bot.adapters.github.setup_repository import SetupRepository, Snapshot
from bot.config import Secrets, Settings
from bot.core.errors import ConfigError, RefusedError
from bot.workflow import shipped

FIRST_LIST: Final = b"# One image a line; imageto-bot appends, people may edit.\n"
MESSAGE: Final = "Install the mirror workflow\n\nVersion: {version}\n"
NO_RUN: Final = "[skip actions]\n\n"
"""In the message of a commit that adds an empty list, so that GitHub starts no run."""
FOLDER_MODE: Final = "040000"
OLD_SECRETS: Final = {
    "HARBOR_USER": "MIRROR_USER",
    "HARBOR_PWD": "MIRROR_PASSWORD",
    "SOURCE_AUTH": "MIRROR_SOURCE_AUTH",
}
"""The names of earlier versions -> those of this one.

The old ones are deleted: an old mirror.yml on another branch reads them, and runs a script whose
hash is not checked.
"""

Say = Callable[[str], None]


async def install(
    repository: SetupRepository,
    settings: Settings,
    secrets: Secrets,
    say: Say,
    *,
    dry_run: bool = False,
) -> None:
    """Bring the repository up to date.

    Raises ConfigError when a needed secret is missing here, RefusedError or TransientError for an
    error of GitHub, and StaleError when the branch changes meanwhile.
    """
    default = await repository.default_branch()
    there = await repository.secret_names()
    hidden = _secrets(secrets, there)
    await _set_variables(repository, settings, say, dry_run=dry_run)
    for name, value in hidden.items():
        if not dry_run:
            await repository.set_secret(name, value)
        say(f"secret {name}: {_done('set', dry_run)}")
    await _install_files(repository, settings, say, default, dry_run=dry_run)
    for name in sorted(there & OLD_SECRETS.keys()):  # after the files: the old ones need them
        if not dry_run:
            await repository.delete_secret(name)
        say(f"secret {name}: {_done('removed', dry_run)}")
    if default != settings.github.branch:
        await _install_for_dispatches(repository, settings, say, default, dry_run=dry_run)


def _done(what: str, dry_run: bool) -> str:  # noqa: FBT001 - the switch of the whole module
    return f"would be {what}" if dry_run else what


def _secrets(secrets: Secrets, there: frozenset[str]) -> dict[str, str]:
    """Return the secrets to set. Raises ConfigError if the workflow would lack one afterwards."""
    login, source = secrets.target_login(), secrets.source_auth.get_secret_value()
    hidden = {"MIRROR_USER": login[0], "MIRROR_PASSWORD": login[1]} if login else {}
    if source:
        hidden["MIRROR_SOURCE_AUTH"] = source
    for old, new in OLD_SECRETS.items():
        needed = new != "MIRROR_SOURCE_AUTH" or old in there
        if needed and new not in there and new not in hidden:
            raise ConfigError(
                f"{old} is not in the environment, and the repository has no secret {new} yet"
            )
    return hidden


async def _set_variables(
    repository: SetupRepository, settings: Settings, say: Say, *, dry_run: bool
) -> None:
    target = settings.target
    wanted = {
        "HARBOR_HOST": target.host,
        "HARBOR_PREFIX": target.prefix,
        "NAMING": str(target.naming),
    }
    there = await repository.variables()
    for name, value in wanted.items():
        if there.get(name, "") == value:
            continue
        if not dry_run:
            await (
                repository.set_variable(name, value) if value else repository.delete_variable(name)
            )
        said = f"set to {value}" if value else "removed"
        say(f"variable {name}: {_done(said, dry_run)}")


async def _install_files(
    repository: SetupRepository, settings: Settings, say: Say, default: str, *, dry_run: bool
) -> None:
    path, branch = settings.github.list, settings.github.branch
    now = await repository.snapshot()
    if now is None and branch != default:
        text = f"the mirror repository is empty and its default branch is {default}"
        raise RefusedError(f"{text}: push a first commit to {branch}")
    if now is None and not dry_run:  # GitHub's git data API needs a first commit
        await repository.put_file(path, FIRST_LIST, blob="", message=f"Add {path}\n\n{NO_RUN}")
        say(f"{path}: added, the first commit of the repository")
        now = await repository.snapshot()
    files = now.files if now else {}
    changes = _changes(files, settings)
    for changed, content in changes.items():
        say(f"{changed}: {_done(_verb(changed, content, files), dry_run)}")
        if dry_run:
            before = (await repository.read_file(changed)).content if changed in files else b""
            for line in _diff(changed, before, content or b""):
                say(line)
    if not changes:
        say(f"files: are there, version {shipped.version()}")
    elif now and not dry_run:
        await _commit(repository, path, changes, now)


async def _commit(
    repository: SetupRepository, path: str, changes: Mapping[str, bytes | None], now: Snapshot
) -> None:
    message = MESSAGE.format(version=shipped.version())
    if path in changes:
        message = message.replace("\n\n", f"\n\n{NO_RUN}", 1)
    await repository.commit_files(changes, on=now, message=message)


async def _install_for_dispatches(
    repository: SetupRepository, settings: Settings, say: Say, default: str, *, dry_run: bool
) -> None:
    """Put mirror.yml on the default branch too. GitHub dispatches no other workflows.

    It has the same content, so it runs on the configured branch alone. Raises RefusedError if
    GitHub does not accept the commit.
    """
    part = settings.github
    [(path, content)] = shipped.workflow_file(part.branch, part.list, part.workflow).items()
    now = await repository.snapshot(default)
    if now is None or now.files.get(path) == entry_of(content):
        return
    if not dry_run:
        message = MESSAGE.format(version=shipped.version())
        try:
            await repository.commit_files({path: content}, on=now, message=message)
        except RefusedError as refusal:
            text = f"{path} has to be on the default branch {default} too, or dispatches fail"
            raise RefusedError(f"{text}: copy it there by hand ({refusal})") from refusal
    say(f"{path} on {default}: {_done(_verb(path, content, now.files), dry_run)}")


def _changes(now: Mapping[str, str], settings: Settings) -> dict[str, bytes | None]:
    """Return the new content of files that differ, by path. None means to delete the file."""
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


def _diff(path: str, before: bytes, after: bytes) -> Iterator[str]:
    old, new = (text.decode(errors="replace").splitlines() for text in (before, after))
    return difflib.unified_diff(old, new, f"a/{path}", f"b/{path}", lineterm="")
