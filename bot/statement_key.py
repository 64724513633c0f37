"""The key that signs statements: from the environment, or from a file beside the database.

Whoever has it can state decisions that nobody made. So its file is for its owner alone, and it must
not be printed or logged. An ECDSA key on P-256 as PKCS#8, see core/statement.py for what it signs.
"""

import base64
import binascii
import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bot.config import Secrets, Settings
from bot.core.errors import ConfigError
from bot.core.statement import IsSigned
from bot.env_file import write_private

ENVIRONMENT: Final = "STATEMENT_KEY"
_FILE_LIMIT: Final = 8 * 1024
_HASH: Final = ec.ECDSA(hashes.SHA256())
_UNREADABLE: Final = (ValueError, TypeError, UnsupportedAlgorithm, binascii.Error)


@dataclass(frozen=True, slots=True, repr=False)
class StatementKey:
    """The key. `public` is its other half as PEM, `name` names it in a bundle."""

    _private: ec.EllipticCurvePrivateKey

    @property
    def public(self) -> str:
        return self._public(serialization.Encoding.PEM).decode("ascii")

    @property
    def name(self) -> str:
        digest = hashlib.sha256(self._public(serialization.Encoding.DER)).digest()
        return base64.b64encode(digest).decode("ascii")

    def private(self) -> str:
        """The key itself as PEM, for its file alone."""
        form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return self._private.private_bytes(serialization.Encoding.PEM, form, none).decode("ascii")

    def sign(self, data: bytes) -> bytes:
        return self._private.sign(data, _HASH)

    def _public(self, encoding: serialization.Encoding) -> bytes:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self._private.public_key().public_bytes(encoding, form)


def file_beside(database: Path) -> Path:
    """The file that has the key of the bot with this database."""
    return database.with_name(f"{database.name}.statements.pem")


def read_key(given: str, database: Path) -> StatementKey | None:
    """The key of the environment, where `given` has one, or else of the file. None without a file.

    Raises ConfigError for a key that is none, and for a file that others may read.
    """
    if given:
        return _key_of(given, ENVIRONMENT)
    path = file_beside(database)
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read(_FILE_LIMIT)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    if mode & 0o077:
        raise ConfigError(f"{path}: others can read it. Run chmod 600 {path}")
    return _key_of(text, str(path))


def required_key(given: str, database: Path) -> StatementKey:
    """As `read_key`. Raises ConfigError where there is none."""
    key = read_key(given, database)
    if key is None:
        raise ConfigError(
            f"statements: there is no {file_beside(database)}. Run: imageto-bot keys,"
            f" or set {ENVIRONMENT}"
        )
    return key


def signing_key(settings: Settings, secrets: Secrets) -> StatementKey | None:
    """The key of a bot that signs, a new one where there is none yet. Raises ConfigError.

    None where the config wants no statements.
    """
    if settings.statements is None:
        return None
    given, database = secrets.statement_key.get_secret_value(), Path(settings.database)
    if not given:
        make_key(database)
    return required_key(given, database)


def make_key(database: Path) -> None:
    """Write a new key into the file, unless there is one. Raises ConfigError where it cannot."""
    path = file_beside(database)
    if not path.exists():
        write_private(path, new_key().private())


def new_key() -> StatementKey:
    return StatementKey(ec.generate_private_key(ec.SECP256R1()))


def _key_of(text: str, name: str) -> StatementKey:
    """The key in PEM, or what is between its first and last line: a variable has one line."""
    body = re.sub(r"-----[A-Z ]+-----|\\n|\s", "", text)
    try:
        found = serialization.load_der_private_key(base64.b64decode(body, validate=True), None)
    except _UNREADABLE:
        found = None
    if not isinstance(found, ec.EllipticCurvePrivateKey) or found.curve.name != "secp256r1":
        raise ConfigError(f"{name}: should be an ECDSA key on P-256, as imageto-bot keys makes it")
    return StatementKey(found)


def public_key(pem: str, name: str) -> IsSigned:
    """What tells signatures of this public key. Raises ConfigError for a text that is none."""
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except _UNREADABLE:
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise ConfigError(f"{name}: should be a public ECDSA key on P-256, in PEM")

    def is_signed(signature: bytes, data: bytes) -> bool:
        try:
            key.verify(signature, data, _HASH)
        except InvalidSignature:
            return False
        return True

    return is_signed
