"""Signatures of source images: who has to have signed, as a rule demands it, and what was seen.

How a signature is found and proved is in adapters/registry/signatures.py. Nothing here decides.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who has to have signed: the owner of a key, or an identity that an issuer vouches for.

    `key` is a public key in PEM, and `fingerprint` the start of the SHA-256 of its DER, in hex.
    `identity` is exact or a pattern as rules have it (core/pattern.py). `issuer` is exact.
    """

    key: str = ""
    fingerprint: str = ""
    identity: str = ""
    issuer: str = ""

    @property
    def name(self) -> str:
        """What people read, and by which a later demand is known to be the same one."""
        return f"key:{self.fingerprint}" if self.key else f"{self.identity} ({self.issuer})"


@dataclass(frozen=True, slots=True)
class Signature:
    """What was seen of a digest's signature. `signer` is the name of the one that a rule demanded.

    `by` is who signed: it is empty where the bot could not look. Both are empty where no rule
    demanded a signature.
    """

    signer: str = ""
    by: str = ""

    def is_of(self, signer: Signer) -> bool:
        """Whether exactly the demanded signature was seen."""
        return bool(self.by) and self.signer == signer.name


NO_SIGNATURE: Final = Signature()
