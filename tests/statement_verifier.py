"""A second implementation of what reads statements, written from the specifications alone.

It shares nothing with the bot: DSSE, in-toto and SLSA are read here anew, so that a mistake in one
reading does not prove itself. https://github.com/secure-systems-lab/dsse/blob/master/protocol.md,
https://github.com/in-toto/attestation/tree/main/spec/v1, https://slsa.dev/spec/v1.0/verification_summary
"""

import base64
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SUMMARY = "https://slsa.dev/verification_summary/v1"
PAYLOAD = "application/vnd.in-toto+json"


class NotProvedError(Exception):
    pass


def pae(kind: str, body: bytes) -> bytes:
    parts = [b"DSSEv1", str(len(kind)).encode(), kind.encode(), str(len(body)).encode(), body]
    return b" ".join(parts)


def statement(envelope: bytes, public_pem: str, digest: str) -> dict[str, Any]:
    """Return the statement of an envelope or a bundle. Raises NotProvedError."""
    read = json.loads(envelope)
    if read.get("mediaType") == "application/vnd.dev.sigstore.bundle.v0.3+json":
        if set(read) != {"mediaType", "verificationMaterial", "dsseEnvelope"}:
            raise NotProvedError("a bundle of another form")
        read = read["dsseEnvelope"]
    if read["payloadType"] != PAYLOAD:
        raise NotProvedError("no in-toto statement")
    body = base64.b64decode(read["payload"], validate=True)
    key = serialization.load_pem_public_key(public_pem.encode())
    assert isinstance(key, ec.EllipticCurvePublicKey)
    for each in read["signatures"]:
        try:
            signature = base64.b64decode(each["sig"], validate=True)
            key.verify(signature, pae(PAYLOAD, body), ec.ECDSA(hashes.SHA256()))
            break
        except InvalidSignature:
            continue
    else:
        raise NotProvedError("no signature of this key")
    said: dict[str, Any] = json.loads(body)
    if said["_type"] != "https://in-toto.io/Statement/v1":
        raise NotProvedError("no statement")
    algorithm, _, encoded = digest.partition(":")
    if not any(subject["digest"].get(algorithm) == encoded for subject in said["subject"]):
        raise NotProvedError("about another digest")
    return said


def decision(envelopes: list[bytes], public_pem: str, digest: str) -> dict[str, Any]:
    """Return the predicate of the decision that a passed summary confirms."""
    found: dict[str, dict[str, Any]] = {}
    for each in envelopes:
        try:
            said = statement(each, public_pem, digest)
        except NotProvedError:
            continue
        found[said["predicateType"]] = said["predicate"]
    summary = found.get(SUMMARY)
    if summary is None or summary["verificationResult"] != "PASSED":
        raise NotProvedError("no summary that passed")
    needed = {"verifier", "timeVerified", "resourceUri", "policy", "verifiedLevels"}
    assert needed <= set(summary), "fields that SLSA requires"
    assert "id" in summary["verifier"]
    own = found.get("urn:imageto-bot:decision:v1")
    if own is None or summary["resourceUri"] != f"oci://{own['target']}":
        raise NotProvedError("no decision on this copy")
    return own
