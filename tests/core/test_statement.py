"""Statements: what they say, their envelopes, and which of them prove a decision."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from statement_fixture import AT, DIGEST, NGINX, OTHER, STATED
from statement_verifier import SUMMARY, NotProvedError, decision, pae, statement

from bot.core.decision import Decision, Ground, Verdict
from bot.core.events import Copied, Found, RunSeen, Submitted
from bot.core.ids import BatchId, RunId, TransferId
from bot.core.image import ImageRef
from bot.core.policy import Ruling
from bot.core.registry import ImageInfo
from bot.core.statement import (
    ASKERS_NAMED,
    DECISION_TYPE,
    ENVELOPE_BYTES,
    Stated,
    StatementForm,
    approvals,
    bundle,
    envelope,
    kind_of,
    opened,
    payloads,
    proof_of,
    signed_bytes,
    statement_for,
)
from bot.core.transfer import Transfer, advance

KEY = ec.generate_private_key(ec.SECP256R1())


def sign(data: bytes, key: ec.EllipticCurvePrivateKey = KEY) -> bytes:
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def public(key: ec.EllipticCurvePrivateKey = KEY) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def is_signed(signature: bytes, data: bytes) -> bool:
    try:
        KEY.public_key().verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except Exception:  # noqa: BLE001 - whatever is wrong with it
        return False
    return True


def signed(stated: Stated = STATED) -> list[bytes]:
    return [envelope(each, sign) for each in payloads(stated)]


def said(stated: Stated) -> tuple[dict[str, Any], dict[str, Any]]:
    summary, own = (json.loads(each)["predicate"] for each in payloads(stated))
    return summary, own


def test_what_the_two_statements_say() -> None:
    summary, own = said(STATED)
    assert summary == {
        "policy": {"digest": {"sha256": "d" * 64}, "uri": "https://github.com/example/mirror"},
        "resourceUri": f"oci://{STATED.name}",
        "slsaVersion": "1.0",
        "timeVerified": "2026-12-01T01:32:00Z",
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_BUILD_LEVEL_UNEVALUATED"],
        "verifier": {"id": "https://github.com/example/mirror"},
    }
    assert own == {
        "approved": ["p:c01d2e44"],
        "asked": ["p:7f3a91c2"],
        "askedAt": "2026-12-01T01:30:00Z",
        "batch": "2938cb00044e118d",
        "commit": "c" * 40,
        "decidedAt": "2026-12-01T01:31:00Z",
        "ground": "persons",
        "kind": "person",
        "policyDigest": {"sha256": "d" * 64},
        "reference": "docker.io/library/nginx:1.27",
        "repository": "https://github.com/example/mirror",
        "rule": "docker.io/**",
        "run": "https://github.com/example/mirror/actions/runs/7",
        "sourceDigest": DIGEST,
        "target": STATED.name,
        "verifiedAt": "2026-12-01T01:32:00Z",
    }


def test_what_is_not_known_is_not_said() -> None:
    image = ImageRef.parse(f"nginx@{DIGEST}")
    bare = replace(STATED, image=image, ground=Ground.RULE, asked=(), approved=(), commit=None)
    summary, own = said(replace(bare, policy=""))
    assert summary["policy"]["digest"] == {}
    assert own["reference"] == str(image)
    assert own["ground"] == "rule"
    assert not {"asked", "approved", "commit", "policyDigest"} & set(own)
    many = said(replace(STATED, asked=[f"p:{n:08x}" for n in range(99)]))[1]
    assert len(many["asked"]) == ASKERS_NAMED


def test_a_second_implementation_reads_them() -> None:
    assert pae("a", b"bc") == signed_bytes(b"bc", "a") == b"DSSEv1 1 a 2 bc"
    assert decision(signed(), public(), DIGEST)["approved"] == ["p:c01d2e44"]
    bundles = [bundle(each, "name of the key") for each in signed()]
    assert decision(bundles, public(), DIGEST)["batch"] == STATED.batch


def changed(data: bytes) -> bytes:
    """Put another person into the payload, and leave the signature."""
    read = json.loads(data)
    body = base64.b64decode(read["payload"]).replace(b"p:c01d2e44", b"p:00000000")
    read["payload"] = base64.b64encode(body.replace(b"PASSED", b"FAILED")).decode()
    return json.dumps(read).encode()


def by_another_key(_: bytes) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return envelope(payloads(STATED)[1], lambda data: sign(data, key))


def of_another_kind(_: bytes) -> bytes:
    body = payloads(STATED)[1]
    text = base64.b64encode(sign(signed_bytes(body, "text/plain"))).decode()
    payload = base64.b64encode(body).decode()
    return json.dumps(
        {"payloadType": "text/plain", "payload": payload, "signatures": [{"sig": text}]}
    ).encode()


def with_payload(payload: bytes) -> Callable[[bytes], bytes]:
    return lambda _: envelope(payload, sign)


BAD = {
    "changed": changed,
    "another key": by_another_key,
    "another kind": of_another_kind,
    "no JSON": lambda _: b"{",
    "a list": lambda _: b"[1]",
    "deep": lambda _: b"[" * 50_000,
    "long": lambda data: data + b" " * ENVELOPE_BYTES,
    "no signatures": lambda data: data.replace(b'"sig"', b'"gis"'),
    "no base64": lambda data: data.replace(b'"payload":"', b'"payload":"*'),
    "no statement": with_payload(b'{"_type": "other", "predicate": {}}'),
    "no predicate": with_payload(b'{"_type": "https://in-toto.io/Statement/v1", "predicate": 1}'),
    "no object": with_payload(b"7"),
}


@pytest.mark.parametrize("how", BAD)
def test_what_is_no_statement_of_this_key_is_not_read(how: str) -> None:
    assert opened(BAD[how](signed()[1]), is_signed) is None


def test_both_readings_refuse_the_same() -> None:
    own = signed()[1]
    for bad in (changed(own), by_another_key(own)):
        with pytest.raises(NotProvedError):
            statement(bad, public(), DIGEST)
    with pytest.raises(NotProvedError, match="another digest"):
        statement(own, public(), OTHER)


def proofs(*each: bytes, digest: str = DIGEST) -> list[str]:
    read = [found for data in each if (found := opened(data, is_signed)) is not None]
    return [one.words("batch") for one in proof_of(read, digest)]


def test_a_decision_is_proved_by_a_summary_of_the_same_copy() -> None:
    summary, own = signed()
    later = replace(STATED, batch=BatchId("later"), verified_at=AT + timedelta(days=1))
    other = replace(STATED, name="harbor.example.com/mirror/other:1")
    assert proofs(summary, own) == [STATED.batch]
    assert proofs(bundle(own, ""), bundle(summary, "")) == [STATED.batch]
    assert proofs(summary, own, *signed(later)) == ["later", STATED.batch]
    assert proofs(own) == []
    assert proofs(summary) == []
    assert proofs(own, signed(other)[0]) == []
    assert proofs(own, signed(later)[0]) == []
    assert proofs(summary, own, digest=OTHER) == []
    failed = payloads(STATED)[0].replace(b"PASSED", b"FAILED")
    assert proofs(envelope(failed, sign), own) == []


def test_a_statement_is_read_by_name_whatever_it_holds() -> None:
    body = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": "a" * 64}}],
        "predicateType": DECISION_TYPE,
        "predicate": {"batch": 7, "asked": ["p:1", 2], "approved": "p:3"},
    }
    read = opened(envelope(json.dumps(body).encode(), sign), is_signed)
    assert read is not None
    assert read.digests == {DIGEST}
    assert (read.words("batch"), read.words("run")) == ("", "")
    assert (read.texts("asked"), read.texts("approved")) == (["p:1"], [])
    assert read.kind != SUMMARY


def copied() -> Transfer:
    moved: Transfer | None = Transfer(id=TransferId(1), image=NGINX, opened_at=AT)
    ruling = Ruling(Verdict.APPROVE, Ground.RULE, "**")
    for event in (
        Found(AT, DIGEST, ImageInfo(), ruling, AT),
        Submitted(AT, BatchId("b")),
        RunSeen(AT, RunId(7), "https://github.com/example/mirror/actions/runs/7"),
        Copied(AT, DIGEST, 1),
    ):
        assert moved is not None
        moved = advance(moved, event)
    assert moved is not None
    return moved


def test_a_statement_begins_without_a_signature_and_names_what_it_is() -> None:
    begun = statement_for(copied(), StatementForm.BUNDLE)
    assert (begun.transfer, begun.digest, begun.envelopes) == (TransferId(1), DIGEST, ())
    for each, kind in zip(signed(), (SUMMARY, DECISION_TYPE), strict=True):
        assert kind_of(each) == kind_of(bundle(each, "")) == kind


def test_only_approvals_of_the_copied_digest_count() -> None:
    given = Decision(
        request=None,
        transfer=TransferId(1),
        image=NGINX,
        digest=DIGEST,
        verdict=Verdict.APPROVE,
        ground=Ground.RULE,
        at=AT.astimezone(UTC),
    )
    others = [
        replace(given, digest=OTHER),
        replace(given, verdict=Verdict.DENY),
        replace(given, ground=Ground.FLOATS),
    ]
    assert approvals(copied(), [given, *others]) == [given]
    assert approvals(replace(copied(), copied_digest=OTHER), [given, *others]) == []
