"""Signatures of a source, as a real docker-registry holds them. The keys are made here by openssl.

signatures/bundle.json is from Sigstore's conformance suite, signatures/layer.json from an image
that was signed in 2023. Both were signed without a key, and are checked offline.
"""

import asyncio
import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from registry_fixture import MANIFEST, Registry, digest_of, registry

from bot.adapters.registry import signatures
from bot.adapters.registry.client import RegistryClient
from bot.adapters.registry.signatures import (
    BUNDLE_TYPE,
    MOST_REQUESTS,
    PAYLOAD_TYPE,
    SIGNATURE,
    STATEMENT_TYPE,
    Signed,
    who_signed,
)
from bot.core.errors import TransientError, UnsignedError
from bot.core.image import ImageRef, Target
from bot.core.signature import Signer
from bot.public_key import public_key, signer_by

FOLDER = Path(__file__).with_name("signatures")
IMAGE = ImageRef.parse("docker.io/library/tool:1")
SIGN = "https://sigstore.dev/cosign/sign/v1"
MAKES = {
    "ec": ["ecparam", "-name", "prime256v1", "-genkey", "-noout"],
    "rsa": ["genrsa", "2048"],
    "ed": ["genpkey", "-algorithm", "ed25519"],
}


class Key:
    """A key that openssl made and signs with."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.path, self.kind = folder / f"{kind}-{id(self)}.pem", kind
        made = subprocess.run(["openssl", *MAKES[kind]], capture_output=True, check=True)
        self.path.write_bytes(made.stdout)
        public = ["openssl", "pkey", "-in", str(self.path), "-pubout"]
        self.public = subprocess.run(public, capture_output=True, check=True).stdout.decode()
        self.signer = signer_by(public_key(self.public))

    def sign(self, content: bytes) -> str:
        text = self.path.with_suffix(".txt")
        text.write_bytes(content)
        if self.kind == "ed":
            command = ["pkeyutl", "-sign", "-rawin", "-inkey", str(self.path), "-in", str(text)]
        else:
            command = ["dgst", "-sha256", "-sign", str(self.path), str(text)]
        done = subprocess.run(["openssl", *command], capture_output=True, check=True)
        return base64.b64encode(done.stdout).decode()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    return Key(tmp_path_factory.mktemp("key"), "ec")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Key:
    return Key(tmp_path_factory.mktemp("other"), "ec")


def payload_of(digest: str, **changes: str) -> bytes:
    said = {"docker-manifest-digest": digest}
    kind = changes.get("type", "cosign container image signature")
    critical = {"identity": {"docker-reference": "library/tool"}, "image": said, "type": kind}
    return json.dumps({"critical": critical, "optional": None}).encode()


def bundle_of(key: Key, digest: str, *, says: str = SIGN, kind: str = STATEMENT_TYPE) -> bytes:
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": digest.partition(":")[2]}}],
        "predicateType": says,
        "predicate": {},
    }
    payload = json.dumps(statement).encode()
    content = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": kind,
        "signatures": [{"sig": key.sign(content)}],
    }
    return json.dumps({"mediaType": BUNDLE_TYPE + ".v0.3+json", "dsseEnvelope": envelope}).encode()


class Source:
    """One image at the registry, and what is put beside it."""

    def __init__(self, site: Registry, name: str) -> None:
        self.site, self.name = site, f"library/{name}"
        config = site.blob(self.name, "application/vnd.oci.image.config.v1+json", b"{}")
        self.empty = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []}
        image = {**self.empty, "annotations": {"name": name}}
        self.digest = site.put(self.name, "1", image)["digest"]

    def layer(self, kind: str, body: bytes, **notes: str) -> dict[str, Any]:
        return {**self.site.blob(self.name, kind, body), "annotations": notes}

    def sign(self, *keys: Key, payload: bytes | None = None) -> None:
        """Sign as cosign did until its third version: layers under a tag."""
        body = payload or payload_of(self.digest)
        layers = [self.layer(PAYLOAD_TYPE, body, **{SIGNATURE: k.sign(body)}) for k in keys]
        tag = self.digest.replace(":", "-") + ".sig"
        self.site.put(self.name, tag, {**self.empty, "layers": layers})

    def attach(self, *bundles: bytes, subject: str = "", kind: str = BUNDLE_TYPE) -> None:
        """List manifests with a subject under the tag that registries without the API have."""
        listed = []
        for bundle in bundles:
            about = {"mediaType": MANIFEST, "digest": subject or self.digest, "size": 1}
            layers = [self.layer(BUNDLE_TYPE + ".v0.3+json", bundle)]
            put = self.site.put(self.name, "", {**self.empty, "layers": layers, "subject": about})
            listed.append({**put, "artifactType": kind})
        index = {"schemaVersion": 2, "manifests": listed}
        kind = "application/vnd.oci.image.index.v1+json"
        self.site.put(self.name, self.digest.replace(":", "-"), {**index, "mediaType": kind})

    async def signed_by(self, signer: Signer) -> str:
        client = RegistryClient(
            addresses={"docker.io": f"http://{self.site.address}"},
            target=Target("harbor.example.com"),
            allowed=["docker.io"],
            target_login=None,
            source_logins={},
        )
        try:
            image = ImageRef("docker.io", self.name, "1", None)
            return await client.signed_by(image, self.digest, signer)
        finally:
            await client.aclose()

    async def refusal(self, signer: Signer) -> str:
        with pytest.raises(UnsignedError) as raised:
            await self.signed_by(signer)
        return str(raised.value)


async def test_both_forms_are_found_and_proved_by_the_key(
    site: Registry, key: Key, other: Key
) -> None:
    old, new = Source(site, "old"), Source(site, "new")
    old.sign(other, key)
    new.attach(bundle_of(other, new.digest), bundle_of(key, new.digest))
    for source in (old, new):
        assert await source.signed_by(key.signer) == key.signer.name


async def test_what_proves_less_is_no_signature(site: Registry, key: Key, other: Key) -> None:
    none, foreign, moved, said = (Source(site, n) for n in ("none", "foreign", "moved", "said"))
    assert await none.refusal(key.signer) == "no signature there"
    foreign.sign(other)
    words = f"1 signature there, none by {key.signer.name}"
    assert await foreign.refusal(key.signer) == words
    moved.sign(key, payload=payload_of(foreign.digest))  # of another digest
    moved.attach(bundle_of(key, foreign.digest))
    assert await moved.refusal(key.signer) == f"2 signatures there, none by {key.signer.name}"
    said.sign(key, payload=payload_of(said.digest, type="a remark"))
    said.attach(bundle_of(key, said.digest, says="https://example.com/scanned"))
    assert await said.refusal(key.signer) == f"2 signatures there, none by {key.signer.name}"


async def test_a_manifest_about_another_image_or_of_another_kind_is_not_read(
    site: Registry, key: Key
) -> None:
    lent, sbom = Source(site, "lent"), Source(site, "sbom")
    lent.attach(bundle_of(key, lent.digest), subject="sha256:" + "0" * 64)
    sbom.attach(bundle_of(key, sbom.digest), kind="application/spdx+json")
    for source in (lent, sbom):
        assert await source.refusal(key.signer) == "no signature there"


@pytest.mark.parametrize("kind", ["rsa", "ed"])
def test_other_kinds_of_keys_sign_too(tmp_path: Path, kind: str) -> None:
    digest, made = "sha256:" + "a" * 64, Key(tmp_path, kind)
    body = payload_of(digest)
    found = Signed(body, {SIGNATURE: made.sign(body)}, is_bundle=False)
    assert who_signed(found, digest, made.signer) == made.signer.name
    assert who_signed(found, "sha256:" + "b" * 64, made.signer) == ""


NOTHING = [
    Signed(b"", {}, is_bundle=True),
    Signed(b"[" * 100_000, {}, is_bundle=True),
    Signed(b'{"dsseEnvelope": {"payload": "%", "signatures": 3}}', {}, is_bundle=True),
    Signed(b'{"dsseEnvelope": []}', {SIGNATURE: "%"}, is_bundle=False),
    Signed(payload_of("sha256:" + "a" * 64), {SIGNATURE: "%"}, is_bundle=False),
    Signed(payload_of("sha256:" + "a" * 64), {SIGNATURE: "AAAA"}, is_bundle=False),
    Signed(payload_of("sha256:" + "a" * 64), {}, is_bundle=False),
]


@pytest.mark.parametrize("found", NOTHING)
def test_what_cannot_be_read_proves_nothing(found: Signed, key: Key) -> None:
    for signer in (key.signer, Signer(identity="**", issuer="https://issuer.example.com")):
        assert who_signed(found, "sha256:" + "a" * 64, signer) == ""


# -- bounds -------------------------------------------------------------------------------


def client(answer: Any) -> RegistryClient:
    return RegistryClient(
        addresses={},
        target=Target("harbor.example.com"),
        allowed=["docker.io"],
        target_login=None,
        source_logins={},
        transport=httpx.MockTransport(answer),
    )


async def test_a_source_that_lists_without_end_is_left(key: Key) -> None:
    asked = []
    body = b"{}"
    layer = {"mediaType": PAYLOAD_TYPE, "digest": digest_of(body)}
    broken = {**layer, "digest": "sha256:" + "0" * 64}
    hostile = {**layer, "digest": "../../secret"}
    manifests = [{"digest": f"sha256:{number:064x}"} for number in range(1000)]

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if "/blobs/" in request.url.path:
            return httpx.Response(200, content=body)
        layers = [hostile, broken, *[layer] * 5]
        return httpx.Response(200, json={"layers": layers, "manifests": manifests})

    with pytest.raises(UnsignedError, match="5 signatures there"):
        await client(answer).signed_by(IMAGE, "sha256:" + "a" * 64, key.signer)
    assert len(asked) <= MOST_REQUESTS
    assert not any("secret" in path for path in asked)


async def test_signatures_and_requests_are_counted(key: Key) -> None:
    asked = []
    digest = "sha256:" + "a" * 64
    good = json.dumps(
        {
            "subject": {"digest": digest},
            "layers": [{"mediaType": PAYLOAD_TYPE, "digest": digest_of(b"")}] * 10,
        }
    ).encode()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        path = request.url.path
        if "/referrers/" in path:
            return httpx.Response(200, json={"manifests": [{"digest": digest_of(good)}] * 2})
        if path.endswith(".sig") and len(asked) == 1:
            layers = [{"mediaType": PAYLOAD_TYPE, "digest": "sha256:" + "1" * 64}] * 90
            return httpx.Response(200, json={"layers": layers})
        if digest_of(good) in path:
            return httpx.Response(200, content=good)
        return httpx.Response(200 if "/blobs/" in path else 404, content=b"")

    with pytest.raises(UnsignedError, match="10 signatures there"):
        await client(answer).signed_by(IMAGE, digest, key.signer)
    endless = {"layers": [{"mediaType": PAYLOAD_TYPE, "digest": digest_of(b"")}] * 90}
    with pytest.raises(UnsignedError, match="20 signatures there"):
        await client(
            lambda r: (
                httpx.Response(200, content=b"")
                if "/blobs/" in r.url.path
                else httpx.Response(200, json=endless)
            )
        ).signed_by(IMAGE, digest, key.signer)


async def test_a_silent_source_is_asked_again_and_a_refusal_is_no_signature(
    key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(signatures, "PERIOD", 0.01)
    with pytest.raises(TransientError, match="did not send the signatures in time"):
        await client(silent).signed_by(IMAGE, "sha256:" + "a" * 64, key.signer)
    monkeypatch.undo()
    moved = httpx.Response(302, headers={"Location": "http://127.0.0.1/"})
    with pytest.raises(UnsignedError, match="no signature there"):
        await client(lambda _: moved).signed_by(IMAGE, "sha256:" + "a" * 64, key.signer)


# -- without a key --------------------------------------------------------------------------

GITHUB = "https://token.actions.githubusercontent.com"
BEACON = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/"
BUNDLED = "sha256:a0cfc71271d6e278e57cd332ff957c3f7043fdda354c4cbb190a30d56efa01bf"
LAYERED = "sha256:83ab2ba6689713f2d68104cd208feadfebdd6bc881c455dcb55d2b45ac3a0753"
ACCOUNT = "cosign@cosign-test-383122.iam.gserviceaccount.com"
GOOGLE = "https://accounts.google.com"


def bundled(**changes: Any) -> Signed:
    written = json.loads((FOLDER / "bundle.json").read_bytes())
    return Signed(json.dumps({**written, **changes}).encode(), {}, is_bundle=True)


def layered(**changes: str) -> Signed:
    reference = "us-central1-docker.pkg.dev/cosign-test-383122/repo1/securebuild"
    critical = {
        "identity": {"docker-reference": reference},
        "image": {"docker-manifest-digest": LAYERED},
        "type": "cosign container image signature",
    }
    said = {"critical": critical, "optional": {"key1": "value1"}}
    body = json.dumps(said, separators=(",", ":")).encode()
    notes = json.loads((FOLDER / "layer.json").read_bytes())
    return Signed(body, notes | changes, is_bundle=False)


@pytest.mark.parametrize(
    ("found", "digest", "identity", "issuer", "by"),
    [
        (bundled(), BUNDLED, BEACON + "**", GITHUB, BEACON),
        (layered(), LAYERED, ACCOUNT, GOOGLE, ACCOUNT),
        (layered(), LAYERED, "cosign@*", GOOGLE, ACCOUNT),
        (bundled(), BUNDLED, BEACON + "*", GITHUB, ""),
        (bundled(), BUNDLED, BEACON + "**", GOOGLE, ""),
        (bundled(), LAYERED, BEACON + "**", GITHUB, ""),
        (layered(), BUNDLED, ACCOUNT, GOOGLE, ""),
        (layered(), LAYERED, "cosign", GOOGLE, ""),
        (layered(**{SIGNATURE: "AAAA"}), LAYERED, ACCOUNT, GOOGLE, ""),
    ],
)
def test_an_identity_is_proved_offline(
    found: Signed, digest: str, identity: str, issuer: str, by: str
) -> None:
    proved = who_signed(found, digest, Signer(identity=identity, issuer=issuer))
    assert proved.startswith(by)
    assert bool(proved) is bool(by)


def test_a_changed_promise_of_the_log_proves_nothing() -> None:
    notes = json.loads((FOLDER / "layer.json").read_bytes())
    promise = json.loads(notes["dev.sigstore.cosign/bundle"])
    promise["Payload"]["integratedTime"] += 1
    changed = layered(**{"dev.sigstore.cosign/bundle": json.dumps(promise)})
    assert who_signed(changed, LAYERED, Signer(identity=ACCOUNT, issuer=GOOGLE)) == ""
