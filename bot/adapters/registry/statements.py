"""Puts statements beside an image in the target, and reads what lies there.

As a cosign attestation, whose tag may hold what came along from the source, so both are joined by
the rules of the workflow: nothing is taken away, and what was written is read back. And as
referrers of the image, with a list under the tag `sha256-HEX` where the registry has no API.

https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests-with-subject
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final, TypeAlias

import httpx

from bot.adapters.registry.auth import Endpoint
from bot.adapters.registry.client import RegistryClient
from bot.adapters.registry.manifest import is_digest
from bot.adapters.registry.network_guard import host_of
from bot.adapters.registry.tags import next_page
from bot.adapters.registry.transport import RegistryResponse, first_error
from bot.core.errors import RefusedError, TransientError
from bot.core.image import ImageRef
from bot.core.retry import TroubleKind
from bot.core.statement import BUNDLE_TYPE, ENVELOPE_BYTES, IN_TOTO, StatementForm, kind_of
from bot.workflow.mirror.manifest import Manifest, NotMovedError
from bot.workflow.mirror.merging import merged
from bot.workflow.mirror.referrers import entry_of, fallback_tag

_Json: TypeAlias = dict[str, Any]
_DSSE: Final = "application/vnd.dsse.envelope.v1+json"
_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_INDEX: Final = "application/vnd.oci.image.index.v1+json"
_EMPTY: Final = "application/vnd.oci.empty.v1+json"
_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
_DONE: Final = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED})
_TRIES: Final = 6
"""How often a tag is read and written again while others write it too."""
_PAGES: Final = 5
_READ_AT_MOST: Final = 50
"""Referrers, and layers of one manifest. Those that came last count."""


@dataclass(frozen=True, slots=True)
class TargetStatements:
    """The statements in the target. Raises TransientError and RefusedError as the client does."""

    registries: RegistryClient

    async def attach(
        self, image: ImageRef, digest: str, form: StatementForm, documents: Sequence[bytes]
    ) -> bool:
        """Put documents beside the digest. False where all of it was there already.

        The same documents give the same manifests, so nothing is there twice.
        """
        place = _Place(self.registries, image, digest)
        subject = await place.subject()
        if form is StatementForm.BUNDLE:
            return any([await place.put_bundle(each, subject) for each in documents])
        wrote = await place.put_referrer(await place.referrer(documents, subject))
        return await place.join(f"{place.tag}.att", await place.attestation(documents)) or wrote

    async def documents(self, image: ImageRef, digest: str) -> list[bytes]:
        """The envelopes and bundles beside a digest, whoever signed them, the oldest first."""
        return await _Place(self.registries, image, digest).documents()


class _Place:
    """The repository of one image in the target, and a digest there."""

    def __init__(self, registries: RegistryClient, image: ImageRef, digest: str) -> None:
        self._registries, self._digest = registries, digest
        self._reads = registries.target_endpoint(image)
        self._writes = replace(self._reads, actions="pull,push")
        self.tag = fallback_tag(digest)

    # --- what is written

    async def attestation(self, documents: Sequence[bytes]) -> Manifest:
        """The manifest for the tag, as cosign writes it."""
        layers = [await self._layer(each, _DSSE) for each in documents]
        signature = {"dev.cosignproject.cosign/signature": ""}
        layers = [{**each, "annotations": {**signature, **each["annotations"]}} for each in layers]
        diffs = {"rootfs": {"type": "layers", "diff_ids": [each["digest"] for each in layers]}}
        config = json.dumps({"architecture": "", "os": "", "config": {}, **diffs}).encode()
        return _manifest(config=await self._blob(config, _CONFIG), layers=layers)

    async def referrer(self, documents: Sequence[bytes], subject: _Json) -> Manifest:
        """A manifest that names the digest as its subject, for who reads referrers and no tags."""
        layers = [await self._layer(each, _DSSE) for each in documents]
        config = await self._blob(b"{}", _EMPTY)
        return _manifest(artifactType=IN_TOTO, config=config, layers=layers, subject=subject)

    async def put_bundle(self, document: bytes, subject: _Json) -> bool:
        """Store one bundle as cosign does. False: it was there."""
        config = await self._blob(b"{}", _EMPTY)
        notes = {
            "dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": kind_of(document),
        }
        manifest = _manifest(
            artifactType=BUNDLE_TYPE,
            config=config,
            layers=[await self._blob(document, BUNDLE_TYPE)],
            subject=subject,
            annotations=notes,
        )
        return await self.put_referrer(manifest)

    async def put_referrer(self, manifest: Manifest) -> bool:
        """Store it, and list it where the registry keeps no list itself. False: it was there."""
        name = _digest_of(manifest.body)
        there = await self._ask("HEAD", self._reads, self._reads.manifest(name))
        if there.status == HTTPStatus.OK and name in await self._listed():
            return False
        answer = await self._put(name, manifest)
        if answer.headers.get("oci-subject") != self._digest:
            index = {"schemaVersion": 2, "mediaType": _INDEX}
            body = json.dumps({**index, "manifests": [entry_of(name, manifest)]}).encode()
            await self.join(self.tag, Manifest(body, _INDEX, {}, {}))
        return True

    async def join(self, tag: str, ours: Manifest) -> bool:
        """Store it under a tag with what is there, until all is there. False: it was there.

        A registry knows no "only if unchanged". So the tag is read again after each time.
        """
        wanted = ours
        for tries in range(_TRIES):
            theirs = await self._under(tag)
            try:
                wanted = wanted if theirs is None else merged(theirs, wanted)
            except NotMovedError as error:
                raise RefusedError(f"{self._reads.registry}: {tag}: {error}") from error
            if wanted is theirs:
                return tries > 0
            await self._put(tag, wanted)
        raise self._trouble(f"others write {tag} too")

    async def _layer(self, document: bytes, kind: str) -> _Json:
        blob = await self._blob(document, kind)
        return {**blob, "annotations": {"predicateType": kind_of(document)}}

    async def _blob(self, data: bytes, kind: str) -> _Json:
        """Upload it unless it is there, in one request. Returns its descriptor."""
        digest = _digest_of(data)
        there = await self._ask("HEAD", self._writes, self._writes.blob(digest))
        if there.status != HTTPStatus.OK:
            begun = await self._ask("POST", self._writes, self._writes.uploads())
            if begun.status not in _DONE:
                raise self._refused(begun)
            url = self._session(begun).copy_merge_params({"digest": digest})
            stream = "application/octet-stream"
            answer = await self._ask("PUT", self._writes, url, content=data, kind=stream)
            if answer.status not in _DONE:
                raise self._refused(answer)
        return {"mediaType": kind, "digest": digest, "size": len(data)}

    def _session(self, begun: RegistryResponse) -> httpx.URL:
        """Where the upload goes on: at the target itself, since the login goes along."""
        base = self._writes.base
        try:
            url = base.join(begun.headers.get("location", ""))
            if (url.scheme, host_of(url), url.port) == (base.scheme, host_of(base), base.port):
                return url
        except (httpx.InvalidURL, ValueError):
            pass
        raise RefusedError(f"{self._writes.registry} takes uploads at another place")

    async def subject(self) -> _Json:
        """The descriptor of the image itself. Raises RefusedError where the target lacks it."""
        answer = await self._ask("HEAD", self._reads, self._reads.manifest(self._digest))
        if answer.status != HTTPStatus.OK:
            why = await self._ask("GET", self._reads, self._reads.manifest(self._digest))
            raise self._refused(why)
        size = answer.headers.get("content-length", "0")
        return {
            "mediaType": answer.headers.get("content-type", _MANIFEST).partition(";")[0],
            "digest": self._digest,
            "size": int(size) if size.isdecimal() else 0,
        }

    async def _put(self, reference: str, manifest: Manifest) -> RegistryResponse:
        url = self._writes.manifest(reference)
        put = {"content": manifest.body, "kind": manifest.kind}
        answer = await self._ask("PUT", self._writes, url, **put)
        if answer.status not in _DONE:
            raise self._refused(answer)
        return answer

    # --- what is read

    async def documents(self) -> list[bytes]:
        """The envelopes of the attestation, and of all referrers that hold some.

        What is too long for a statement of ours, or is refused, stands as an empty document.
        """
        attested = await self._under(f"{self.tag}.att")
        manifests = [attested.body] if attested else []
        for name in (await self._listed())[-_READ_AT_MOST:]:
            body = await self._body(self._reads.manifest(name))
            if _digest_of(body) == name:
                manifests.append(body)
        names = [name for body in manifests for name in _layers(body)[-_READ_AT_MOST:]]
        urls = map(self._reads.blob, dict.fromkeys(names))
        return [await self._body(url, max_bytes=ENVELOPE_BYTES) for url in urls]

    async def _body(self, url: httpx.URL, **bounds: int) -> bytes:
        """What came along from elsewhere may be an SBOM of megabytes. Then it is empty."""
        try:
            answer = await self._ask("GET", self._reads, url, **bounds)
        except RefusedError:
            return b""
        return answer.body if answer.status == HTTPStatus.OK else b""

    async def _listed(self) -> list[str]:
        """The digests that name this one: by the API, and under the tag that stands for it."""
        path = f"/v2/{self._reads.path}/referrers/{self._digest}"
        url: httpx.URL | None = self._reads.base.copy_with(path=path)
        bodies: list[bytes] = []
        while url is not None and len(bodies) < _PAGES:
            answer = await self._ask("GET", self._reads, url)
            if answer.status != HTTPStatus.OK:
                break
            bodies.append(answer.body)
            url = next_page(url, answer)
        under = await self._under(self.tag)
        bodies += [under.body] if under else []
        return list(dict.fromkeys(name for body in bodies for name in _entries(body)))

    async def _under(self, reference: str) -> Manifest | None:
        answer = await self._ask("GET", self._reads, self._reads.manifest(reference))
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        if answer.status != HTTPStatus.OK:
            raise self._refused(answer)
        kind = answer.headers.get("content-type", "").partition(";")[0].strip()
        return Manifest(answer.body, kind, {}, {})

    async def _ask(
        self, method: str, endpoint: Endpoint, url: httpx.URL, **more: Any
    ) -> RegistryResponse:
        return await self._registries.ask(method, endpoint, url, **more)

    def _refused(self, answer: RegistryResponse) -> RefusedError:
        told = first_error(answer)
        words = f": {told[0]}: {told[1]}" if told else ""
        return RefusedError(f"{self._reads.registry} answers {answer.status}{words}")

    def _trouble(self, words: str) -> TransientError:
        name = self._reads.registry
        return TransientError(f"{name}: {words}", kind=TroubleKind.CONTESTED, who=name)


def _manifest(**parts: Any) -> Manifest:
    said = {"schemaVersion": 2, "mediaType": _MANIFEST, **{n: v for n, v in parts.items() if v}}
    return Manifest(json.dumps(said, separators=(",", ":")).encode(), _MANIFEST, {}, {})


def _digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _entries(index: bytes) -> list[str]:
    """The manifests of a list that may hold statements."""
    return _named(index, "manifests", "artifactType", (IN_TOTO, BUNDLE_TYPE))


def _layers(manifest: bytes) -> list[str]:
    return _named(manifest, "layers", "mediaType", (_DSSE, BUNDLE_TYPE))


def _named(body: bytes, part: str, field: str, kinds: Collection[str]) -> list[str]:
    """The digests in a part of a manifest whose field has one of these values, if it has any."""
    try:
        found: list[Mapping[str, Any]] = json.loads(body)[part]
        return [str(e["digest"]) for e in found if e.get(field) in kinds and is_digest(e["digest"])]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return []
