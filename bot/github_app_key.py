"""The private key of a GitHub App: GITHUB_APP_KEY is its text, or the name of a file that has it.

An environment file has a line for each value. So the ends of lines may be a backslash and an n.
"""

import os
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot.core.errors import ConfigError

_LIMIT: Final = 1 << 16
_NAME: Final = "GITHUB_APP_KEY"


def read_app_key(value: str) -> str:
    """The key as PEM. Raises ConfigError, which never quotes the value."""
    text = value if value.startswith("-----BEGIN") else _read(Path(value))
    pem = text.replace("\\n", "\n").strip() + "\n"
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):  # a TypeError: it has a password
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError(f"{_NAME}: is no private key of a GitHub App: a .pem file from its page")
    return pem


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise ConfigError(f"{_NAME}: others can read the file. Run chmod 600 on it")
            return file.read(_LIMIT)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{_NAME}: the file cannot be read ({type(error).__name__})") from error
