"""A rule demands a signature: what is signed arrives with it, and what is not fails and is told."""

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from registry_fixture import MANIFEST, digest_of
from sandbox_process import Sandbox, start, stop

from bot.sandbox.registry.storage import Storage

pytestmark = [pytest.mark.e2e, pytest.mark.sweep]
SIGNED, UNSIGNED = "docker.io/library/nginx:1.27", "docker.io/library/redis:7"


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = start(tmp_path_factory.mktemp("sandbox"))
    yield sandbox
    if sandbox.process.poll() is None:
        assert stop(sandbox) == set()


def signed_by_openssl(folder: Path, source: Storage, digest: str) -> str:
    """Sign nginx at its source as cosign does. Return the public key."""
    key, text = folder / "key.pem", folder / "payload.json"

    def openssl(*command: str) -> bytes:
        return subprocess.run(["openssl", *command], capture_output=True, check=True).stdout

    key.write_bytes(openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout"))
    critical = {
        "image": {"docker-manifest-digest": digest},
        "type": "cosign container image signature",
    }
    text.write_text(json.dumps({"critical": critical}))
    signature = base64.b64encode(openssl("dgst", "-sha256", "-sign", str(key), str(text)))
    layer = {
        "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
        "digest": digest_of(text.read_bytes()),
        "size": text.stat().st_size,
        "annotations": {"dev.cosignproject.cosign/signature": signature.decode()},
    }
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(b"{}")}
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {**config, "size": 2},
        "layers": [layer],
    }
    for blob in (b"{}", text.read_bytes()):
        source.blob("docker.io/library/nginx", blob)
    tag = digest.replace(":", "-") + ".sig"
    source.manifest("docker.io/library/nginx", json.dumps(manifest).encode(), (tag,))
    return openssl("pkey", "-in", str(key), "-pubout").decode()


def test_what_is_signed_arrives_with_its_signature_and_the_rest_fails(
    s: Sandbox, tmp_path: Path
) -> None:
    (storage,) = s.data.glob("**/source/storage")
    digest = s.digests("source")[SIGNED]
    public = signed_by_openssl(tmp_path, Storage(storage), digest)
    path = s.data / "config.yaml"
    config = json.loads(path.read_text())
    config["policy"]["rules"][0]["verify"] = {"key": public}
    path.write_text(json.dumps(config))
    assert s.api.post("/api/bot", json={}).status_code == 200  # it is killed and starts again
    asked = s.say("wei", f"/mirror {SIGNED}\n{UNSIGNED}")
    result = s.result(asked, f"docker pull {s.target()}/{SIGNED}")
    assert "not signed as a rule demands it: no signature there" in result["text"]
    assert "Signed by key:" in s.card(asked, "digest verified")["text"]
    there = s.digests("target")
    assert there[f"{s.target()}/{SIGNED}"] == digest
    assert f"{s.target()}/{UNSIGNED}" not in there
    tag = digest.replace(":", "-") + ".sig"
    assert f"{s.target()}/{SIGNED.partition(':')[0]}:{tag}" in there
