"""Proves who signed without a key: by the certificate that Sigstore gave to an identity.

The sigstore library decides, with the trust root that comes with it. It asks nobody. Importing this
module loads that library, so signatures.py does so only where a rule demands an identity.
"""

import base64
import json
import logging
from functools import cache
from importlib import resources
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sigstore.errors import VerificationError
from sigstore.models import Bundle, TransparencyLogEntry, TrustedRoot
from sigstore.verify import Verifier
from sigstore.verify.policy import AllOf, AnyOf, OIDCIssuer, OIDCIssuerV2

from bot.adapters.registry.signatures import (
    SIGNATURE,
    Signed,
    is_payload_of,
    is_statement_of,
)
from bot.adapters.registry.transport import one_line
from bot.core.pattern import fits
from bot.core.signature import Signer

log = logging.getLogger(__name__)

_CERTIFICATE: Final = "dev.sigstore.cosign/certificate"
_PROMISE: Final = "dev.sigstore.cosign/bundle"
_TRUST_ROOT: Final = "_store/https%3A%2F%2Ftuf-repo-cdn.sigstore.dev/trusted_root.json"
_NO_PROOF: Final = {
    "logIndex": "0",
    "rootHash": "",
    "treeSize": "1",
    "hashes": [],
    "checkpoint": {"envelope": "none"},
}


class _PromisedEntry(TransparencyLogEntry):
    """An entry of the log with its promise to take it, which is all that the old form keeps.

    Nothing else is left out. cosign accepts the old form so too.
    """

    def _verify(self, keyring: Any) -> None:
        self._verify_set(keyring)


@cache
def _verifier() -> Verifier:
    root = resources.files("sigstore") / _TRUST_ROOT
    with resources.as_file(root) as path:
        return Verifier(trusted_root=TrustedRoot.from_file(str(path)))


class _Identity:
    """A policy of the library: one of the certificate's names has to fit `pattern`."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self.found = ""

    def verify(self, cert: x509.Certificate) -> None:
        names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        given = [
            *names.get_values_for_type(x509.RFC822Name),
            *names.get_values_for_type(x509.UniformResourceIdentifier),
        ]
        self.found = next((name for name in given if fits(self._pattern, name)), "")
        if not self.found:
            raise VerificationError("signed by another identity")


def signer_by_identity(found: Signed, digest: str, signer: Signer) -> str:
    """The identity that made this signature of the digest, if `signer` means it, else nothing."""
    identity = _Identity(signer.identity)
    issuer = AnyOf([OIDCIssuer(signer.issuer), OIDCIssuerV2(signer.issuer)])
    policy = AllOf([issuer, identity])
    try:
        if found.is_bundle:
            bundle = Bundle.from_json(found.payload)
            good = is_statement_of(*_verifier().verify_dsse(bundle, policy), digest)
        else:
            _verifier().verify_artifact(found.payload, _bundle_of(found), policy)
            good = is_payload_of(found.payload, digest)
    except Exception as error:  # noqa: BLE001 - what the library cannot read proves nothing
        log.info("a signature of %s proves nothing: %s", digest, one_line(str(error)))
        return ""
    return identity.found if good else ""


def _bundle_of(found: Signed) -> Bundle:
    """The bundle in which an old signature would be today."""
    certificate = x509.load_pem_x509_certificate(found.annotations[_CERTIFICATE].encode())
    promise = json.loads(found.annotations[_PROMISE])
    payload = promise["Payload"]
    entry = {
        "logIndex": str(payload["logIndex"]),
        "logId": {"keyId": _base64(bytes.fromhex(payload["logID"]))},
        "kindVersion": {"kind": "hashedrekord", "version": "0.0.1"},
        "integratedTime": str(payload["integratedTime"]),
        "inclusionPromise": {"signedEntryTimestamp": promise["SignedEntryTimestamp"]},
        "inclusionProof": _NO_PROOF,
        "canonicalizedBody": payload["body"],
    }
    raw = {"rawBytes": _base64(certificate.public_bytes(Encoding.DER))}
    material = {"x509CertificateChain": {"certificates": [raw]}, "tlogEntries": [entry]}
    written = {
        "mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.1",
        "verificationMaterial": material,
        "messageSignature": {"signature": found.annotations[SIGNATURE]},
    }
    bundle = Bundle.from_json(json.dumps(written))
    bundle._log_entry = _PromisedEntry(bundle.log_entry._inner)  # noqa: SLF001 - see the class
    return bundle


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
