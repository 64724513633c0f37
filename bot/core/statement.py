"""Statements: the signed record of a decision, which lies beside the image in the target.

For each decision there are two, both over the decided digest: a verification summary, which is
SLSA's, and the decision itself, which is ours. Each is an in-toto statement in a DSSE envelope.
This module makes and reads them. It must not sign, store or send anything.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
https://slsa.dev/spec/v1.0/verification_summary
https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from bot.core.decision import Decision, Ground, Verdict
from bot.core.ids import BatchId, CommitSha, TransferId
from bot.core.image import ImageRef
from bot.core.retry import Retried
from bot.core.transfer import Transfer

IN_TOTO: Final = "application/vnd.in-toto+json"
BUNDLE_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
SUMMARY_TYPE: Final = "https://slsa.dev/verification_summary/v1"
DECISION_TYPE: Final = "urn:imageto-bot:decision:v1"
"""The names of the fields are for ever: a change of their meaning needs another version here."""
NOT_EVALUATED: Final = "SLSA_BUILD_LEVEL_UNEVALUATED"
"""How the image was built is not looked at, so no level can be claimed."""
ENVELOPE_BYTES: Final = 64 * 1024
ASKERS_NAMED: Final = 50
_OF_PERSONS: Final = frozenset({Ground.PERSON, Ground.KEPT, Ground.ROLLBACK})

Sign = Callable[[bytes], bytes]
"""A signature over these bytes."""
IsSigned = Callable[[bytes, bytes], bool]
"""Whether a signature (first) is one over these bytes (second)."""


class StatementForm(StrEnum):
    """How statements lie beside an image. The config's words."""

    ATT = "att"
    """As layers of one manifest under cosign's tag `sha256-HEX.att`, and as a referrer."""
    BUNDLE = "bundle"
    """Each as a bundle of sigstore, which is a referrer of the image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement(Retried):
    """The stored facts about the statements of one transfer. Times are in UTC, None for "not yet".

    `envelopes` are the signed bytes in their form, empty until `signed_at`. `refusal` is why the
    target does not take them. `ended_at`: they are beside the image, or nobody tries any more.
    """

    transfer: TransferId
    image: ImageRef
    digest: str
    form: StatementForm
    envelopes: tuple[bytes, ...] = ()
    signed_at: datetime | None = None
    ended_at: datetime | None = None
    refusal: str = ""


def statement_for(transfer: Transfer, form: StatementForm) -> Statement:
    """What a transfer that was verified begins with: nothing is signed yet."""
    digest = transfer.digest or ""
    return Statement(transfer=transfer.id, image=transfer.image, digest=digest, form=form)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What the statements say. `digest` was decided on, copied and verified.

    `name`: of the copy at the target. `verifier`: the address of the mirror repository. `asked` and
    `approved` are pseudonyms. Where a tag is kept fresh, `approved` are those who wanted that.
    `commit` is None where the batch was a dispatch. `policy`: the SHA-256 of the rules that
    admitted it, in hexadecimal digits, empty where it is not known.
    """

    name: str
    image: ImageRef
    digest: str
    verifier: str
    ground: Ground
    rule: str
    asked: Sequence[str]
    approved: Sequence[str]
    asked_at: datetime
    decided_at: datetime
    verified_at: datetime
    batch: BatchId
    commit: CommitSha | None
    run: str
    policy: str


def approvals(transfer: Transfer, decisions: Iterable[Decision]) -> list[Decision]:
    """The decisions that let a transfer be copied at its digest. Empty: nobody decided on it."""
    return [
        each
        for each in decisions
        if each.verdict is Verdict.APPROVE
        and each.digest == transfer.digest == transfer.copied_digest
        and each.ground is not Ground.FLOATS
    ]


def payloads(stated: Stated) -> tuple[bytes, bytes]:
    """The two statements as JSON: the summary and the decision."""
    return (
        _statement(stated, SUMMARY_TYPE, _summary(stated)),
        _statement(stated, DECISION_TYPE, _decision(stated)),
    )


def _statement(stated: Stated, kind: str, predicate: Mapping[str, object]) -> bytes:
    algorithm, _, encoded = stated.digest.partition(":")
    said = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": stated.name, "digest": {algorithm: encoded}}],
        "predicateType": kind,
        "predicate": predicate,
    }
    return json.dumps(said, separators=(",", ":"), sort_keys=True).encode()


def _summary(stated: Stated) -> dict[str, object]:
    return {
        "verifier": {"id": stated.verifier},
        "timeVerified": _time(stated.verified_at),
        "resourceUri": f"oci://{stated.name}",
        "policy": {"uri": stated.verifier, "digest": _sha256(stated.policy)},
        "verificationResult": "PASSED",
        "verifiedLevels": [NOT_EVALUATED],
        "slsaVersion": "1.0",
    }


def _decision(stated: Stated) -> dict[str, object]:
    of_persons = stated.ground in _OF_PERSONS
    said: dict[str, object] = {
        "reference": str(stated.image.at(None) if stated.image.tag else stated.image),
        "target": stated.name,
        "sourceDigest": stated.digest,
        "ground": "persons" if of_persons else "rule",
        "kind": str(stated.ground),
        "rule": stated.rule,
        "asked": list(stated.asked[:ASKERS_NAMED]),
        "approved" if of_persons else "keptFreshBy": list(stated.approved),
        "askedAt": _time(stated.asked_at),
        "decidedAt": _time(stated.decided_at),
        "verifiedAt": _time(stated.verified_at),
        "repository": stated.verifier,
        "batch": stated.batch,
        "commit": stated.commit or "",
        "run": stated.run,
        "policyDigest": _sha256(stated.policy),
    }
    return {name: value for name, value in said.items() if value}


def _sha256(encoded: str) -> dict[str, str]:
    return {"sha256": encoded} if encoded else {}


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- envelopes


def signed_bytes(payload: bytes, kind: str = IN_TOTO) -> bytes:
    """What a signature of an envelope is over: DSSE's "pre-authentication encoding"."""
    return b"DSSEv1 %d %s %d %s" % (len(kind.encode()), kind.encode(), len(payload), payload)


def envelope(payload: bytes, sign: Sign) -> bytes:
    """The payload with its signature, as one line of JSON. cosign leaves `keyid` empty too."""
    signature = _base64(sign(signed_bytes(payload)))
    said = {
        "payloadType": IN_TOTO,
        "payload": _base64(payload),
        "signatures": [{"keyid": "", "sig": signature}],
    }
    return json.dumps(said, separators=(",", ":")).encode()


def bundle(envelope: bytes, key: str) -> bytes:
    """An envelope as a bundle of sigstore, version 0.3, without a transparency log.

    `key` names the public key. https://github.com/sigstore/protobuf-specs
    """
    said = {
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": {"publicKey": {"hint": key}, "tlogEntries": []},
        "dsseEnvelope": json.loads(envelope),
    }
    return json.dumps(said, separators=(",", ":")).encode()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def kind_of(document: bytes) -> str:
    """The type of the predicate in an envelope or a bundle of ours."""
    read = json.loads(document)
    payload = read.get("dsseEnvelope", read)["payload"]
    return str(json.loads(base64.b64decode(payload))["predicateType"])


# --- reading


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """A statement that one of its signatures proves, whatever it says."""

    kind: str
    digests: frozenset[str]
    predicate: Mapping[str, Any]

    def words(self, name: str) -> str:
        """A text of the predicate. Empty where it has none of this name."""
        found = self.predicate.get(name)
        return found if isinstance(found, str) else ""

    def texts(self, name: str) -> list[str]:
        """The texts of a list of the predicate."""
        found = self.predicate.get(name)
        return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def opened(data: bytes, is_signed: IsSigned) -> SignedStatement | None:
    """Read an envelope or a bundle. None where no signature is right, or it is no statement."""
    try:
        read = _object(data)
        signed = read.get("dsseEnvelope", read)
        kind, payload = signed["payloadType"], base64.b64decode(signed["payload"], validate=True)
        covered = signed_bytes(payload, kind)
        if kind != IN_TOTO or not any(is_signed(each, covered) for each in _signatures(signed)):
            return None
        said = _object(payload)
        predicate = said["predicate"]
        if said["_type"] != STATEMENT_TYPE or not isinstance(predicate, dict):
            return None
        return SignedStatement(str(said["predicateType"]), _digests(said), predicate)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _object(data: bytes) -> dict[str, Any]:
    if len(data) > ENVELOPE_BYTES:
        raise ValueError("too long")
    return dict(json.loads(data))


def _signatures(signed: Mapping[str, Any]) -> Iterator[bytes]:
    for each in signed["signatures"][:8]:
        yield base64.b64decode(each["sig"], validate=True)


def _digests(said: Mapping[str, Any]) -> frozenset[str]:
    pairs = [pair for each in said["subject"] for pair in each["digest"].items()]
    return frozenset(f"{algorithm}:{encoded}" for algorithm, encoded in pairs)


def proof_of(statements: Iterable[SignedStatement], digest: str) -> Sequence[SignedStatement]:
    """The decisions on a digest that a summary of the same copy and time confirms, newest first."""
    about = [each for each in statements if digest in each.digests]
    passed = {
        (each.words("resourceUri"), each.words("timeVerified"))
        for each in about
        if each.kind == SUMMARY_TYPE and each.words("verificationResult") == "PASSED"
    }
    decided = [
        each
        for each in about
        if each.kind == DECISION_TYPE
        and (f"oci://{each.words('target')}", each.words("verifiedAt")) in passed
    ]
    return sorted(decided, key=lambda each: each.words("verifiedAt"), reverse=True)
