"""Finds the signatures of a digest at its source, and says who made them. Nothing sent is trusted.

1. Signatures stand under cosign's tag `sha256-HEX.sig`, or refer to the digest: by the referrers
   API, and under the tag `sha256-HEX`, which registries without the API use.
2. The old form is a payload whose signature is an annotation. The new one is a bundle, which holds
   a statement: https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md and
   https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto
3. Who signed is proved by a key here, and by keyless.py for an identity.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from itertools import count
from typing import Any, Final

import httpx
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bot.adapters.registry.manifest import ACCEPT_MANIFESTS, is_digest, matches_digest
from bot.adapters.registry.transport import RegistryResponse
from bot.core.errors import RefusedError, TransientError, UnsignedError
from bot.core.retry import TroubleKind
from bot.core.signature import Signer

MOST_SIGNATURES: Final = 20
"""Signatures that are read of one digest, and manifests that refer to it."""
MOST_REQUESTS: Final = 64
"""Requests that one digest may cost. What is not read by then does not count."""
PERIOD: Final = 60.0
"""Seconds that they may take together."""
PAYLOAD_TYPE: Final = "application/vnd.dev.cosign.simplesigning.v1+json"
BUNDLE_TYPE: Final = "application/vnd.dev.sigstore.bundle"
SIGNATURE: Final = "dev.cosignproject.cosign/signature"
STATEMENT_TYPE: Final = "application/vnd.in-toto+json"
SAYS_SIGNED: Final = frozenset(
    {"https://sigstore.dev/cosign/sign/v1", "https://slsa.dev/provenance/v1"}
)
"""What a statement has to say of the digest: its signer signed it, or built it."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature as it was found: over `payload`, or in a bundle.

    `annotations` are those of the layer: the signature and, without a key, the proof of who signed.
    """

    payload: bytes
    annotations: Mapping[str, str]
    is_bundle: bool


_NOTHING: Final = RegistryResponse(HTTPStatus.NOT_FOUND, httpx.Headers())
Get = Callable[[str, str], Awaitable[RegistryResponse]]
"""Sends GET for a path below the repository, with the media types to accept."""


async def signed_by(get: Get, digest: str, signer: Signer, *, registry: str) -> str:
    """Who signed the digest, as `signer` demands it.

    Raises UnsignedError where nobody did, and TransientError where `registry` did not answer.
    """
    others = 0
    try:
        async with asyncio.timeout(PERIOD):
            async for found in _found(_bounded(get), digest):
                if by := await asyncio.to_thread(who_signed, found, digest, signer):
                    return by
                others += 1
                if others == MOST_SIGNATURES:
                    break
    except TimeoutError as error:
        words = f"{registry} did not send the signatures in time"
        raise TransientError(words, kind=TroubleKind.SILENT, who=registry) from error
    there = f"{others or 'no'} signature{'s' if others > 1 else ''} there"
    raise UnsignedError(f"{there}, none by {signer.name}" if others else there)


def _bounded(get: Get) -> Get:
    """The same, but what is refused, or comes after MOST_REQUESTS, is an empty answer."""
    sent = count(1)

    async def bounded(path: str, accept: str) -> RegistryResponse:
        if next(sent) > MOST_REQUESTS:
            return _NOTHING
        try:
            return await get(path, accept)
        except RefusedError:
            return _NOTHING

    return bounded


async def _found(get: Get, digest: str) -> AsyncIterator[Signed]:
    """The signatures of a digest, the old form first. What is not readable is left out."""
    name = digest.replace(":", "-")
    old = _read(await get(f"manifests/{name}.sig", ACCEPT_MANIFESTS))
    async for found in _of_layers(get, old):
        yield found
    for each in await _referrers(get, digest, name):
        answer = await get(f"manifests/{each}", ACCEPT_MANIFESTS)
        manifest = _read(answer) if matches_digest(answer.body, each) else {}
        if _dict(manifest.get("subject")).get("digest") == digest:
            async for found in _of_layers(get, manifest):
                yield found


async def _referrers(get: Get, digest: str, tag: str) -> list[str]:
    """The manifests that refer to the digest and may be signatures, surely signed ones first."""
    listed: dict[str, bool] = {}
    for path in (f"referrers/{digest}", f"manifests/{tag}"):
        for each in _list(_read(await get(path, ACCEPT_MANIFESTS)).get("manifests")):
            kind, name = str(each.get("artifactType", "")), str(each.get("digest", ""))
            if is_digest(name) and (kind.startswith(BUNDLE_TYPE) or "cosign" in kind or not kind):
                says = _dict(each.get("annotations")).get("dev.sigstore.bundle.predicateType")
                listed.setdefault(name, says not in SAYS_SIGNED)
    return sorted(listed, key=lambda name: listed[name])[:MOST_SIGNATURES]


async def _of_layers(get: Get, manifest: Mapping[str, Any]) -> AsyncIterator[Signed]:
    for layer in _list(manifest.get("layers"))[:MOST_SIGNATURES]:
        kind, digest = str(layer.get("mediaType", "")), str(layer.get("digest", ""))
        is_bundle = kind.startswith(BUNDLE_TYPE)
        if is_digest(digest) and (is_bundle or kind == PAYLOAD_TYPE):
            answer = await get(f"blobs/{digest}", "*/*")
            if answer.status == HTTPStatus.OK and matches_digest(answer.body, digest):
                notes = _dict(layer.get("annotations"))
                texts = {key: text for key, text in notes.items() if isinstance(text, str)}
                yield Signed(answer.body, texts, is_bundle)


def who_signed(found: Signed, digest: str, signer: Signer) -> str:
    """Who made this signature of the digest, where `signer` means them. Empty where it proves less.

    It takes milliseconds, and at the first identity seconds.
    """
    if signer.key:
        return signer_by_key(found, digest, signer)
    from bot.adapters.registry.keyless import signer_by_identity  # noqa: PLC0415 - see there

    return signer_by_identity(found, digest, signer)


def signer_by_key(found: Signed, digest: str, signer: Signer) -> str:
    """The name of the signer where its key made this signature of the digest, else nothing."""
    try:
        content, signature = _signed_content(found, digest)
        key = load_pem_public_key(signer.key.encode())
        match key:
            case ec.EllipticCurvePublicKey():
                key.verify(signature, content, ec.ECDSA(SHA256()))
            case rsa.RSAPublicKey():
                key.verify(signature, content, padding.PKCS1v15(), SHA256())
            case ed25519.Ed25519PublicKey():
                key.verify(signature, content)
            case _:
                return ""
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return ""
    return signer.name


def _signed_content(found: Signed, digest: str) -> tuple[bytes, bytes]:
    """What was signed and the signature. Raises ValueError where it is not about the digest."""
    if not found.is_bundle:
        if not is_payload_of(found.payload, digest):
            raise ValueError
        return found.payload, base64.b64decode(found.annotations.get(SIGNATURE, ""), validate=True)
    envelope = _dict(_json(found.payload).get("dsseEnvelope"))
    kind, payload = str(envelope.get("payloadType")), _decoded(envelope.get("payload"))
    signatures = _list(envelope.get("signatures"))
    if not is_statement_of(kind, payload, digest) or len(signatures) != 1:
        raise ValueError
    encoded = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
    return encoded, _decoded(signatures[0].get("sig"))


def is_payload_of(payload: bytes, digest: str) -> bool:
    """Whether a payload of the old form names the digest, and is a signature by its own words."""
    said = _dict(_json(payload).get("critical"))
    named = _dict(said.get("image")).get("docker-manifest-digest")
    return named == digest and said.get("type") == "cosign container image signature"


def is_statement_of(kind: str, payload: bytes, digest: str) -> bool:
    """Whether a statement of this type says of the digest that it was signed or built."""
    statement = _json(payload)
    algorithm, _, value = digest.partition(":")
    subjects = (_dict(each.get("digest")) for each in _list(statement.get("subject")))
    named = any(each.get(algorithm) == value for each in subjects)
    return named and kind == STATEMENT_TYPE and statement.get("predicateType") in SAYS_SIGNED


# -- values that a registry sent -----------------------------------------------------------


def _read(answer: RegistryResponse) -> Mapping[str, Any]:
    return _json(answer.body) if answer.status == HTTPStatus.OK else {}


def _json(text: bytes) -> Mapping[str, Any]:
    try:
        return _dict(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def _decoded(text: object) -> bytes:
    return base64.b64decode(str(text), validate=True)


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
