"""What registries refuse, in their own words, and sources that are odd but real.

The target is the real one behind a front that answers as Harbor does: it refuses a tag only at the
last request, and hides what it may not show (github.com/goharbor/harbor, src/server/middleware).
After a clear refusal nothing else is tried, so that it costs no pulls.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from mirror_fronts import Front, Passing, at, errors, fronts, left_to_skopeo, willing
from registry_fixture import (
    INDEX,
    LAYER,
    MANIFEST,
    Quiet,
    World,
    digest_of,
    registries,
    serving,
    world,
)
from tls_world import tls_world
from token_registry import Signer, signer

from bot.core.failures import FailureKind, classify

__all__ = ["registries", "signer", "world"]  # fixtures: pytest finds them by these names

K = FailureKind
PLATFORMS = tuple(f"p{n}" for n in range(10))
NAME = "docker.io/wei/"

TAG, UPLOADS = "/manifests/1", "/blobs/uploads/"


def test_trouble_of_the_target_is_an_error_that_skopeo_does_not_repeat(world: World) -> None:
    name = f"{NAME}busy"
    world.seed(name, platforms=PLATFORMS)
    rule = at("PUT", TAG, 429, errors("TOOMANYREQUESTS", "slow down"))
    with fronts(world, willing, rule) as (near, _, run):
        ran = run(f"{name}:1\n")
    assert ran.says(f"{name}:1") == "error: target: toomanyrequests: slow down"
    assert near.of("GET", "/manifests/") == 11
    assert not ran.skopeo


def test_a_project_that_shows_nothing_unscanned_takes_the_image(world: World) -> None:
    """Harbor's HEAD is 412 then, by tag and by digest, and without words."""
    name = f"{NAME}hidden"
    digest = world.seed(name, platforms=("amd64",))

    def hides(method: str, path: str) -> tuple[int, bytes] | None:
        return (412, b"") if method in ("HEAD", "GET") and "/manifests/" in path else None

    with fronts(world, willing, hides) as (_, far, run):
        ran = run(f"{name}:1\n")
        assert ran.says(f"{name}:1").startswith(f"success: {digest} ")
        far.seen.clear()
        ran = run(f"{name}@{digest}\n")
    assert ran.says(f"{name}@{digest}") == f"success: {digest} skipped"
    assert not far.of("PUT", "/")
    assert world.target.head(name, "1") == digest


def test_a_layer_that_the_target_has_not_although_it_said_so_is_brought(world: World) -> None:
    name = f"{NAME}untrue"
    digest = world.seed(name, platforms=("amd64",))
    times = [2]

    def untrue(method: str, path: str) -> tuple[int, bytes] | None:
        if method == "HEAD" and "/blobs/" in path and times[0]:
            times[0] -= 1
            return 200, b""
        return None

    with fronts(world, willing, untrue) as (_, _, run):
        ran = run(f"{name}:1\n")
    assert ran.says(f"{name}:1").startswith(f"success: {digest} "), ran.output


def test_a_manifest_that_the_target_has_not_although_it_took_it_is_stored_again(
    world: World,
) -> None:
    name = f"{NAME}page"
    digest = world.seed(name, platforms=("amd64",))
    times = [1]

    def page(method: str, path: str) -> tuple[int, bytes] | None:
        if method == "PUT" and "/manifests/sha256:" in path and times[0]:
            times[0] -= 1
            return 200, b"<html>welcome</html>"
        return None

    with fronts(world, willing, page) as (_, _, run):
        ran = run(f"{name}:1\n")
    assert ran.says(f"{name}:1").startswith(f"success: {digest} "), ran.output


# --- what the target holds is not asked of the source


def test_a_second_tag_of_a_known_digest_is_one_request_to_store(world: World) -> None:
    name = f"{NAME}twice"
    digest = world.seed(name, platforms=PLATFORMS)
    with fronts(world, willing, willing) as (near, far, run):
        assert run(f"{name}:1\n").code == 0
        world.source.put(name, "2", json.loads(world.get(world.source, name, "1")))
        near.seen.clear()
        far.seen.clear()
        ran = run(f"{name}:2\n")
    assert ran.says(f"{name}:2").startswith(f"success: {digest} ")
    assert (near.of("GET", "/manifests/"), far.of("PUT", "/")) == (0, 1)
    assert near.of("GET", "/") == 2, "is there anything that belongs to it?"
    assert far.of("POST", "/") == 0


def test_many_tags_of_one_digest_ask_the_target_for_its_parts_once(world: World) -> None:
    name, tags = f"{NAME}tags", [str(n) for n in range(2, 8)]
    digest = world.seed(name, platforms=PLATFORMS)
    with fronts(world, willing, willing) as (_, far, run):
        assert run(f"{name}:1\n").code == 0
        for tag in tags:
            world.source.put(name, tag, json.loads(world.get(world.source, name, "1")))
        far.seen.clear()
        ran = run("".join(f"{name}:{tag}\n" for tag in tags))
    assert ran.code == 0, ran.output
    assert {world.target.head(name, tag) for tag in tags} == {digest}
    assert far.of("GET", "/manifests/sha256:") == 1 + len(PLATFORMS)


def test_one_platform_of_ten_that_was_updated_costs_two_pulls(world: World) -> None:
    name = f"{NAME}one-of-ten"
    world.seed(name, platforms=PLATFORMS)
    with fronts(world, willing, willing) as (near, far, run):
        assert run(f"{name}:1\n").code == 0
        index = json.loads(world.get(world.source, name, "1"))
        world.seed(f"{NAME}other", "9", platforms=("new",))
        world.seed(name, "new", platforms=("new",))
        index["manifests"][0] = json.loads(world.get(world.source, name, "new"))["manifests"][0]
        digest = world.source.put(name, "1", index)["digest"]
        near.seen.clear()
        far.seen.clear()
        ran = run(f"{name}:1\n")
    assert ran.says(f"{name}:1").startswith(f"success: {digest} ")
    assert near.of("GET", "/manifests/") == 2
    assert far.of("PUT", "/manifests/") == 2


def test_two_tags_of_one_digest_in_a_run_read_the_source_once(world: World) -> None:
    name = f"{NAME}both"
    digest = world.seed(name, platforms=PLATFORMS)
    world.source.put(name, "2", json.loads(world.get(world.source, name, "1")))
    with fronts(world, willing, willing) as (near, far, run):
        ran = run(f"{name}:1\n{name}:2\n")
    assert ran.code == 0, ran.output
    assert {world.target.head(name, tag) for tag in "12"} == {digest}
    assert near.of("GET", "/manifests/") <= 11
    assert far.of("PUT", "/manifests/") <= 10 + 2


# --- odd but real sources


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_source_that_does_not_know_head_costs_one_get(status: int, world: World) -> None:
    name = f"{NAME}headless-{status}"
    digest = world.seed(name, platforms=("amd64",))
    with fronts(world, at("HEAD", "/manifests/", status), willing) as (near, _, run):
        ran = run(f"{name}:1\n")
        assert ran.says(f"{name}:1").startswith(f"success: {digest} "), ran.output
        assert near.of("GET", "/manifests/") == 2
        assert not ran.skopeo
        again = run(f"{name}:1\n")
    assert again.says(f"{name}:1") == f"success: {digest} skipped"


def test_what_the_source_names_and_has_not_is_broken_there(world: World) -> None:
    for what, method in (("manifest", "/manifests/sha256:"), ("layer", "/blobs/")):
        name = f"{NAME}lost-{what}"
        digest = world.seed(name, platforms=("amd64",))

        def lost(asked: str, path: str, what: str = method, top: str = digest) -> Any:
            gone = asked == "GET" and what in path and top not in path
            return (404, errors("BLOB_UNKNOWN", "blob unknown to registry")) if gone else None

        with fronts(world, lost, willing) as (_, _, run):
            ran = run(f"{name}:1\n", PATIENCE="80")
        said = ran.says(f"{name}:1")
        assert said.startswith("failure: source: broken image: blob unknown: "), said
        assert classify(said.removeprefix("failure: ")) is K.SOURCE_BROKEN
        assert not ran.skopeo


@pytest.mark.parametrize("status", [200, 202])
def test_a_target_may_take_a_manifest_in_other_words_than_created(
    status: int, world: World
) -> None:
    class Otherwise(Passing):
        front, place = Front(), f"http://{world.target.address}"

        def own(self, _body: bytes) -> None:
            return None

        def answer(self, code: int, body: bytes = b"", **headers: str) -> None:
            taken = self.command == "PUT" and "/manifests/" in self.path and code == 201
            super().answer(status if taken else code, body, **headers)

    name = f"{NAME}taken-{status}"
    digest = world.seed(name, platforms=("amd64", "arm64"))
    with serving(Otherwise) as Otherwise.front.address:
        host = Otherwise.front.address.partition("://")[2]
        there = {"docker.io": f"http://{world.source.address}/docker.io", host: f"http://{host}"}
        given = {"HARBOR_HOST": host, "REGISTRY_ADDRESSES": json.dumps(there)}
        ran = world.run(f"{name}:1\n", None, **given)
    assert ran.says(f"{name}:1").startswith(f"success: {digest} "), ran.output
    assert world.target.head(name, "1") == digest
    assert not ran.skopeo


def test_a_layer_with_a_sha512_digest_arrives(world: World) -> None:
    name, body = f"{NAME}sha512", os.urandom(3000)
    config = world.source.blob(name, "application/vnd.oci.image.config.v1+json", b"{}")
    digest = f"sha512:{hashlib.sha512(body).hexdigest()}"
    begun = httpx.post(f"http://{world.source.address}/v2/{name}/blobs/uploads/")
    url = httpx.URL(begun.headers["Location"]).copy_merge_params({"digest": digest})
    if httpx.put(url, content=body).status_code != 201:
        pytest.skip("this registry takes no sha512")
    layer = {"mediaType": LAYER, "digest": digest, "size": len(body)}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
    pushed = world.source.put(name, "1", manifest)
    ran = world.run(f"{name}:1\n")
    assert ran.code == 0, ran.output
    assert world.target.head(name, "1") == pushed["digest"]


def test_the_sizes_in_an_index_are_summed_before_it_is_read(world: World) -> None:
    """Sixty manifests of 4 MiB would be 240 MiB in memory."""
    name = f"{NAME}wide"
    child = {"mediaType": MANIFEST, "size": 4 << 20}
    children = [{**child, "digest": digest_of(bytes([n]))} for n in range(60)]
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": children}).encode()
    asked: list[str] = []

    class Source(Quiet):
        def reply(self) -> None:
            asked.append(f"{self.command} {self.path}")
            found = self.path.endswith(("/1", digest_of(index)))
            told = {"Docker_Content_Digest": digest_of(index), "Content_Type": INDEX}
            self.answer(200 if found else 404, index if found else b"", **told)

    with serving(Source) as place:
        addresses = json.loads(world.environment()["REGISTRY_ADDRESSES"])
        addresses["docker.io"] = f"{place}/docker.io"
        ran = world.run(f"{name}:1\n", REGISTRY_ADDRESSES=json.dumps(addresses))
    assert "skopeo takes over" in ran.output
    assert not [each for each in asked[:2] if digest_of(b"\0") in each]


SYSTEM = "/etc/ssl/certs/ca-certificates.crt"


def test_an_authority_of_ones_own_is_trusted_by_its_variable_and_else_told(
    world: World, signer: Signer, tmp_path: Path
) -> None:
    folder = tmp_path / "tls"
    folder.mkdir()
    name, odd = f"{NAME}unvouched", f"{NAME}unvouched-odd"
    world.seed(name)
    world.seed(odd)
    with tls_world(world, signer, folder) as tls:
        ran = tls.run(f"{name}:1\n", SSL_CERT_FILE=SYSTEM)
        said = ran.says(f"{name}:1")
        own = {"SSL_CERT_FILE": SYSTEM, "CA_BUNDLE": tls.authority.read_text()}
        arrived = tls.run(f"{name}:1\n", **own)
        assert (arrived.code, arrived.skopeo) == (0, ""), arrived.output
        left_to_skopeo(world)
        arrived = tls.run(f"{odd}:1\n", **own)
        assert (arrived.code, "copy" in arrived.skopeo) == (0, True), arrived.output
    assert said.startswith("error: login to the target: ")
    assert "x509: " in said
    assert classify(said.removeprefix("error: ")) is K.TARGET_REFUSED
