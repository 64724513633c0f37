"""The file of secrets beside the config: `config.env` for config.yaml. `init` writes it.

A line is NAME=value up to its end, as docker's --env-file and systemd's EnvironmentFile have it. No
shell reads it: a `$`, as in the names of Harbor's robots, stands for itself.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bot.core.errors import ConfigError

_LIMIT: Final = 1 << 20


def beside(config: Path) -> Path:
    return config.with_suffix(".env")


def read_environment(config: Path, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment, and what it lacks from the file beside the config, if there is one.

    Raises ConfigError for a file that others may read, or that cannot be read.
    """
    path = beside(config)
    try:
        with path.open(encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise ConfigError(f"{path}: others can read it. Run chmod 600 {path}")
            lines = file.read(_LIMIT).splitlines()
    except FileNotFoundError:
        return dict(environment)
    except PermissionError as error:
        # systemd and docker read such a file as root, and hand it over as the environment.
        github = environment.get("GITHUB_TOKEN") or environment.get("GITHUB_APP_ID")
        if environment.get("TELEGRAM_TOKEN") and github:
            return dict(environment)
        raise ConfigError(f"{path}: belongs to another account. Run `chown` on it") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({type(error).__name__})") from error
    pairs = (line.strip().partition("=") for line in lines if not line.lstrip().startswith("#"))
    return {name: value for name, equals, value in pairs if equals} | dict(environment)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all.

    Raises ConfigError where it is there already, or cannot be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(handle)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise ConfigError(f"{path}: {error.strerror}") from error
