"""The key that seals decisions: from the environment, or from a file beside the database.

Whoever has it can make the workflow copy any digest. So its file is for its owner alone, and it
must not be printed or logged. core/seal.py uses it, and `setup` gives it to the workflow.
"""

import os
import secrets as randomness
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr

from bot.config import Secrets, checked_key
from bot.core.errors import ConfigError

_FILE_LIMIT = 1024


def file_beside(database: Path) -> Path:
    """The file that has the key of the bot with this database."""
    return database.with_name(f"{database.name}.key")


def with_key(secrets: Secrets, database: Path, *, make: bool) -> Secrets:
    """The secrets with the key that seals decisions.

    The environment goes first, then the file. A missing file is written where `make` is set, or
    else there is no key. Raises ConfigError for a file that cannot be read or written.
    """
    if secrets.decision_key.get_secret_value():
        return secrets
    path = file_beside(database)
    try:
        if make:
            _make(path)
        with path.open(encoding="ascii", errors="replace") as file:
            text = file.read(_FILE_LIMIT).strip()
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not make:
            return secrets
        raise ConfigError(f"{path}: {error.strerror}") from error
    return secrets.model_copy(update={"decision_key": SecretStr(checked_key(text, str(path)))})


def _make(path: Path) -> None:
    """Write a new key, unless there is one. Two processes agree on the key of the first."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{randomness.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(randomness.token_hex(32) + "\n")
            file.flush()
            os.fsync(handle)
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
