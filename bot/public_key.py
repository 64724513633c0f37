"""The public keys that rules of the config demand signatures by: their text, or a file with it."""

from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from bot.core.signature import Signer

_LIMIT: Final = 1 << 16
_KINDS: Final = (ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey, rsa.RSAPublicKey)


def public_key(value: str) -> str:
    """The key as PEM. Raises ValueError where it is none that signs images."""
    text = value if value.lstrip().startswith("-----BEGIN") else _read(value)
    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, _KINDS):
        words = "should be a public key in PEM (ECDSA, RSA or Ed25519), or a file with one"
        raise ValueError(words)  # noqa: TRY004 - pydantic takes this kind
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def signer_by(pem: str) -> Signer:
    """Who owns a key that `public_key` returned."""
    key = load_pem_public_key(pem.encode())
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Signer(key=pem, fingerprint=sha256(der).hexdigest()[:16])


def _read(path: str) -> str:
    try:
        with Path(path).open(encoding="utf-8") as file:
            return file.read(_LIMIT)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path[:200]} cannot be read ({type(error).__name__})") from error
