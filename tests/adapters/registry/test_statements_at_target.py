"""Statements beside images in a real docker-registry, read there by a second implementation."""

import asyncio
import base64
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from mirror_fronts import before, errors
from referrers_fixture import BUNDLE, ReferrersFront, artifact, referrers_front, signature, tag_of
from registry_fixture import CLIENT, INDEX, MANIFEST, Registry, digest_of, registry
from statement_fixture import NGINX, STATED
from statement_verifier import NotProvedError, decision, pae, statement

from bot.adapters.registry.client import RegistryClient
from bot.adapters.registry.statements import TargetStatements
from bot.core.errors import RefusedError, TransientError
from bot.core.image import Target
from bot.core.statement import StatementForm, bundle, envelope, payloads
from bot.statement_key import StatementKey, new_key

USER, PASSWORD = "robot$mirror", "a-password"
NAME = "docker.io/library/nginx"
DSSE = "application/vnd.dsse.envelope.v1+json"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("target"), (USER, PASSWORD)) as running:
        yield running


@pytest.fixture(scope="module")
def key() -> StatementKey:
    return new_key()


def pushed(target: Registry, what: str) -> str:
    """Lay an image of one platform into the target. Returns the digest of its index."""
    config = target.blob(NAME, "application/vnd.oci.image.config.v1+json", what.encode())
    child = target.put(
        NAME, "", {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []}
    )
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [child]}
    return str(target.put(NAME, "1.27", index)["digest"])


@asynccontextmanager
async def statements(target: Registry, address: str = "") -> AsyncIterator[TargetStatements]:
    """`address`: of a front before the target."""
    host = (address or target.address).removeprefix("http://")
    client = RegistryClient(
        addresses={host: f"http://{host}"},
        target=Target(host),
        allowed={"docker.io"},
        target_login=(USER, PASSWORD),
        source_logins={},
    )
    try:
        yield TargetStatements(client)
    finally:
        await client.aclose()


def signed(key: StatementKey, digest: str, form: StatementForm = StatementForm.ATT) -> list[bytes]:
    made = [envelope(each, key.sign) for each in payloads(replace(STATED, digest=digest))]
    return made if form is StatementForm.ATT else [bundle(each, key.name) for each in made]


def manifest(target: Registry, reference: str) -> dict[str, Any]:
    url = f"http://{target.address}/v2/{NAME}/manifests/{reference}"
    accept = {"Accept": f"{INDEX}, {MANIFEST}"}
    found = CLIENT.get(url, headers=accept, auth=target.auth).raise_for_status()
    return dict(json.loads(found.content))


def contents(target: Registry, read: dict[str, Any]) -> list[bytes]:
    """Return what the layers of a manifest hold."""
    urls = [f"http://{target.address}/v2/{NAME}/blobs/{e['digest']}" for e in read["layers"]]
    return [CLIENT.get(url, auth=target.auth).raise_for_status().content for url in urls]


def attested(target: Registry, digest: str) -> list[bytes]:
    return contents(target, manifest(target, tag_of(digest, ".att")))


def referring(target: Registry, digest: str) -> list[dict[str, Any]]:
    """Return what the list under the tag names."""
    entries = manifest(target, tag_of(digest))["manifests"]
    return [manifest(target, entry["digest"]) for entry in entries]


async def test_statements_lie_there_as_cosign_writes_them_and_once(
    target: Registry, key: StatementKey
) -> None:
    digest = pushed(target, "first")
    made = signed(key, digest)
    async with statements(target) as there:
        wrote = [await there.attach(NGINX, digest, StatementForm.ATT, made) for _ in range(3)]
    assert wrote == [True, False, False]
    read = manifest(target, tag_of(digest, ".att"))
    assert read["mediaType"] == MANIFEST
    assert read["config"]["mediaType"] == "application/vnd.oci.image.config.v1+json"
    kinds = ["https://slsa.dev/verification_summary/v1", "urn:imageto-bot:decision:v1"]
    assert [(each["mediaType"], each["annotations"]) for each in read["layers"]] == [
        (DSSE, {"dev.cosignproject.cosign/signature": "", "predicateType": kind}) for kind in kinds
    ]
    assert decision(attested(target, digest), key.public, digest)["batch"] == STATED.batch
    [own] = referring(target, digest)
    assert own["artifactType"] == "application/vnd.in-toto+json"
    index = manifest(target, digest)
    size = len(json.dumps(index).encode())
    assert own["subject"] == {"mediaType": INDEX, "digest": digest, "size": size}
    assert contents(target, own) == made
    other = pushed(target, "pushed by hand")
    for wrong, of in ((other, key.public), (digest, required_public())):
        with pytest.raises(NotProvedError):
            decision(attested(target, digest), of, wrong)
    async with statements(target) as there:
        assert await there.documents(NGINX, other) == []
        assert await there.documents(NGINX, digest) == made


def openssl(*words: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *words], input=stdin, capture_output=True, check=True).stdout


def required_public() -> str:
    private = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    return openssl("pkey", "-pubout", stdin=private).decode()


def of_upstream(folder: Path, digest: str, words: str) -> tuple[bytes, str]:
    """Attest as somebody upstream did, by openssl. Returns the envelope and the public key."""
    path = folder / "upstream.pem"
    if not path.exists():
        make = ("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        openssl(*make, "-out", str(path))
    kind = "application/vnd.in-toto+json"
    body = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": words, "digest": {"sha256": digest.removeprefix("sha256:")}}],
        "predicateType": "https://example.com/built/v1",
        "predicate": {"words": words},
    }
    payload = json.dumps(body).encode()
    made = openssl("dgst", "-sha256", "-sign", str(path), stdin=pae(kind, payload))
    text = {
        "payloadType": kind,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": "", "sig": base64.b64encode(made).decode()}],
    }
    return json.dumps(text).encode(), openssl("pkey", "-in", str(path), "-pubout").decode()


def attest(target: Registry, digest: str, content: bytes) -> None:
    """Put an attestation of upstream under the tag, as cosign 2 does."""
    notes = {"dev.cosignproject.cosign/signature": "", "predicateType": "built"}
    layer = {**target.blob(NAME, DSSE, content), "annotations": notes}
    config = target.blob(NAME, "application/vnd.oci.image.config.v1+json", b'{"rootfs": {}}')
    read = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
    target.put(NAME, tag_of(digest, ".att"), read)


async def test_what_came_along_from_upstream_stays_and_still_verifies(
    target: Registry, key: StatementKey, tmp_path: Path
) -> None:
    digest = pushed(target, "signed upstream")
    theirs, upstream = of_upstream(tmp_path, digest, "built there")
    attest(target, digest, theirs)
    signature(target, NAME, digest, "theirs")
    before_it = manifest(target, tag_of(digest, ".sig"))
    async with statements(target) as there:
        assert await there.attach(NGINX, digest, StatementForm.ATT, signed(key, digest))
        assert await there.documents(NGINX, digest) == [theirs, *attested(target, digest)[1:]]
    assert manifest(target, tag_of(digest, ".sig")) == before_it
    lying = attested(target, digest)
    assert statement(lying[0], upstream, digest)["predicate"] == {"words": "built there"}
    assert decision(lying, key.public, digest)["batch"] == STATED.batch


async def test_an_image_with_a_bundle_of_upstream_gets_bundles(
    target: Registry, key: StatementKey, tmp_path: Path
) -> None:
    """cosign 3 reads no `.att` where it finds a bundle, so ours have to be bundles too."""
    digest = pushed(target, "with a bundle")
    theirs, upstream = of_upstream(tmp_path, digest, "bundled there")
    blob = target.blob(NAME, BUNDLE, bundle(theirs, "theirs"))
    entry = artifact(target, NAME, digest, "upstream", layers=[blob])
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
    target.put(NAME, tag_of(digest), index)
    made = signed(key, digest, StatementForm.BUNDLE)
    async with statements(target) as there:
        wrote = [await there.attach(NGINX, digest, StatementForm.BUNDLE, made) for _ in range(2)]
        assert wrote == [True, False]
    first, *own = referring(target, digest)
    assert statement(contents(target, first)[0], upstream, digest)["predicate"]
    assert [each["artifactType"] for each in own] == [BUNDLE, BUNDLE]
    assert [each["annotations"]["dev.sigstore.bundle.predicateType"] for each in own] == [
        "https://slsa.dev/verification_summary/v1",
        "urn:imageto-bot:decision:v1",
    ]
    lying = [content for each in own for content in contents(target, each)]
    assert decision(lying, key.public, digest)["batch"] == STATED.batch
    assert CLIENT.head(
        f"http://{target.address}/v2/{NAME}/manifests/{tag_of(digest, '.att')}", auth=target.auth
    ).is_client_error


async def test_a_registry_with_the_api_needs_no_list(target: Registry, key: StatementKey) -> None:
    digest = pushed(target, "with the API")
    made = signed(key, digest)
    with referrers_front(f"http://{target.address}", ReferrersFront(keeps=True)) as front:
        async with statements(target, front.address) as there:
            assert await there.attach(NGINX, digest, StatementForm.ATT, made)
            for entries in front.named.values():  # as a registry lists them
                entries[:] = [
                    {**e, "artifactType": "application/vnd.in-toto+json"} for e in entries
                ]
            assert not await there.attach(NGINX, digest, StatementForm.ATT, made)
            assert await there.documents(NGINX, digest) == made
    with pytest.raises(httpx.HTTPStatusError):
        manifest(target, tag_of(digest))


async def test_two_who_write_at_once_leave_what_both_wrote(
    target: Registry, key: StatementKey
) -> None:
    digest = pushed(target, "twice")
    made = [signed(key, digest) for _ in range(2)]
    async with statements(target) as one, statements(target) as other:
        for _ in range(3):  # the lane looks again until nothing is left to write
            await asyncio.gather(
                one.attach(NGINX, digest, StatementForm.ATT, made[0]),
                other.attach(NGINX, digest, StatementForm.ATT, made[1]),
            )
        assert sorted(await one.documents(NGINX, digest)) == sorted([*made[0], *made[1]])


QUOTA = errors("DENIED", "will exceed the configured upper limit of 1 GiB")
REFUSALS = {
    "quota": ("POST", "/uploads/", (403, QUOTA), "403: DENIED: will exceed"),
    "immutable": ("PUT", ".att", (412, errors("PRECONDITION", "immutable")), "412: PRECONDITION"),
    "unscanned": ("", "/manifests/sha256:", (412, errors("PROJECTPOLICYVIOLATION", "x")), "412"),
    "elsewhere": ("POST", "/uploads/", (307, b""), "answers 307"),
}


@pytest.mark.parametrize("what", REFUSALS)
async def test_a_refusal_has_the_words_of_the_registry(
    target: Registry, key: StatementKey, what: str
) -> None:
    method, path, answer, words = REFUSALS[what]
    digest = pushed(target, what)

    def rule(asked: str, where: str) -> tuple[int, bytes] | None:
        return answer if (not method or asked == method) and path in where else None

    with before(f"http://{target.address}", rule) as front:
        async with statements(target, front.address) as there:
            with pytest.raises(RefusedError, match=words):
                await there.attach(NGINX, digest, StatementForm.ATT, signed(key, digest))


async def test_an_image_that_is_not_there_gets_none(target: Registry, key: StatementKey) -> None:
    digest = digest_of(b"nothing")
    async with statements(target) as there:
        with pytest.raises(RefusedError, match="answers 404"):
            await there.attach(NGINX, digest, StatementForm.ATT, signed(key, digest))


async def test_a_target_in_trouble_is_tried_again(target: Registry, key: StatementKey) -> None:
    digest = pushed(target, "trouble")
    with before(f"http://{target.address}", lambda *_: (503, b"")) as front:
        async with statements(target, front.address) as there:
            with pytest.raises(TransientError, match="answers 503"):
                await there.attach(NGINX, digest, StatementForm.ATT, signed(key, digest))


async def test_another_content_under_the_tag_is_left_alone(
    target: Registry, key: StatementKey
) -> None:
    digest = pushed(target, "other content")
    other = {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}
    target.put(NAME, tag_of(digest, ".att"), other)
    async with statements(target) as there:
        with pytest.raises(RefusedError, match="has another content under its tag"):
            await there.attach(NGINX, digest, StatementForm.ATT, signed(key, digest))
    assert manifest(target, tag_of(digest, ".att")) == other
