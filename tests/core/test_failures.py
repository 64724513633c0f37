"""From skopeo's output to a kind of failure: recorded texts, and some of them provoked again."""

import asyncio
import base64
import json
import logging
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from bot.core.failures import FailureKind, classify
from bot.core.retry import REQUEUE_WAITS
from bot.sandbox.faults.middleware import ArmedFaults
from bot.sandbox.registry.registries import Registries
from bot.workflow.mirror import waits
from bot.workflow.mirror.skopeo import TROUBLE, cause, skopeo

K = FailureKind
HEX = "0123456789abcdef" * 4
BLOB = f"sha256:{HEX}"

# --- what skopeo 1.9.3 printed when it was provoked


def provoked() -> list[tuple[str, str, FailureKind]]:
    text = (Path(__file__).parent / "errors" / "skopeo-1.9.3.txt").read_text(encoding="utf-8")
    blocks = [block.splitlines() for block in text.strip().split("\n\n")]
    return [(words, line, FailureKind(kind)) for words, line, kind in blocks[1:]]


PROVOKED = provoked()


@pytest.mark.parametrize(("words", "line", "kind"), PROVOKED)
def test_what_skopeo_says_becomes_a_short_line_and_a_class(
    words: str, line: str, kind: FailureKind
) -> None:
    assert cause(f'time="t" {words}\n') == line
    assert classify(line) is kind


# --- what others reported of registries and of skopeo versions that are not here


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (
            "source: unauthorized: access to the requested resource is not authorized",
            K.SOURCE_LOGIN,
        ),
        ("source: requested access to the resource is denied", K.SOURCE_LOGIN),
        ("source: authentication required", K.SOURCE_LOGIN),
        ("source: toomanyrequests: retry-after: 1.2ms, allowed: 44000/minute", K.RATE_LIMITED),
        ("target: toomanyrequests: Rate exceeded", K.TARGET_BUSY),
        ("source: no image found in manifest list for architecture s390x", K.PLATFORM),
        ("target: denied: permission_denied: write_package", K.TARGET_LOGIN),
        ("target: unauthorized: project not found, name: docker.io", K.TARGET_PROJECT),
        ("target: invalid repository name", K.TARGET_PROJECT),
        (
            "target: name unknown: The repository 'x' does not exist in the registry",
            K.TARGET_PROJECT,
        ),
        ("target: tag invalid: 'x' exists and cannot be overwritten: is immutable.", K.IMMUTABLE),
        ("target: denied: The system is in read only mode.", K.UNKNOWN),
        ("target: manifest blob unknown: blob unknown to registry", K.UNKNOWN),
        ('target: storing blob to file "/var/tmp/x": no space left on device', K.TOO_LARGE),
        ("source: a.io: net/http: TLS handshake timeout", K.NETWORK),
        ("source: a.io: dial tcp 192.0.2.1:443: i/o timeout", K.NETWORK),
        ("source: context deadline exceeded (Client.Timeout exceeded)", K.NETWORK),
        ("source: read tcp 192.0.2.1: read: connection reset by peer", K.NETWORK),
        ("source: stream error: stream ID 5; INTERNAL_ERROR; received from peer", K.NETWORK),
        ("source: happened during read: Digest did not match, expected a, got b", K.NETWORK),
        ("source: invalid status code from registry 504 (Gateway Timeout)", K.NETWORK),
        ("source: a.io: remote error: tls: handshake failure", K.SOURCE_REFUSED),
        ("target: h.io: x509: self-signed certificate", K.TARGET_REFUSED),
        ("target: h.io: tls: server gave HTTP response to HTTPS client", K.TARGET_REFUSED),
        ("target: status 507 (Insufficient Storage)", K.TOO_LARGE),
        ("source: broken image: blob unknown: sha256:ab", K.SOURCE_BROKEN),
        ("source: h.io: malformed HTTP response", K.NETWORK),
    ],
)
def test_words_of_other_registries_and_versions_are_known(line: str, kind: FailureKind) -> None:
    assert classify(line) is kind


BLOBS = "copying image 1/3 from manifest list: writing blob: "
NEWER = {
    r"reading manifest 1 in a.io/x: toomanyrequests: retry-after: 1.2ms": K.RATE_LIMITED,
    r"reading manifest 1 in a.io/x: requesting bearer token: invalid status code from registry 403"
    r" (Forbidden)": K.SOURCE_LOGIN,
    r"reading manifest 1 in a.io/x: requesting bearer token: received unexpected HTTP status: 503"
    r" Service Unavailable": K.NETWORK,
    r"reading manifest 1 in a.io/x: StatusCode: 429, \"slow down\"": K.RATE_LIMITED,
    rf"{BLOBS}uploading layer chunked: StatusCode: 413, \"<html>\\r\\n413...\"": K.TOO_LARGE,
    rf"{BLOBS}initiating layer upload to /v2/x/ in h.io: StatusCode: 502, \"<html>\"": (K.NETWORK),
    rf"reading blob {BLOB}: fetching blob: invalid status code from registry 404 (Not Found)": (
        K.MISSING
    ),
}
"""What newer versions write, such as the runner's 1.13: from github.com/containers/image."""


@pytest.mark.parametrize("words", NEWER)
def test_what_a_newer_skopeo_says_has_the_same_class(words: str) -> None:
    line = cause(f'time="t" level=fatal msg="{words}"\n')
    assert line.startswith("target: " if words.startswith(BLOBS) else "source: "), line
    assert classify(line) is NEWER[words], line
    passing = NEWER[words] in REQUEUE_WAITS
    assert bool(TROUBLE.search(line)) is passing


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("login to the target: MIRROR_PASSWORD is not set in the repository", K.TARGET_LOGIN),
        ('login to the target: logging into "h": invalid username/password', K.TARGET_LOGIN),
        ("login to the target: h.io: dial tcp: lookup h.io: no such host", K.NETWORK),
        ("mismatch: copied sha256:ab, target holds sha256:cd", K.MISMATCH),
        ("mismatch: copied sha256:ab, target holds nothing", K.ABSENT),
        ("skopeo: TimeoutExpired", K.TIMED_OUT),
        ("policy: denied by rule docker.io/wei/**", K.UNKNOWN),
        ("POLICY is not set: run imageto-bot setup", K.UNKNOWN),
        ("skopeo: FileNotFoundError", K.UNKNOWN),
        ("workflow: TypeError", K.UNKNOWN),
        ("", K.UNKNOWN),
    ],
)
def test_what_the_script_says_by_itself_is_known(line: str, kind: FailureKind) -> None:
    assert classify(line) is kind


@pytest.mark.parametrize("words", ["unauthorized", "denied", "name unknown", "not found"])
def test_the_side_decides_whose_fault_it_is(words: str) -> None:
    source, target = classify(f"source: {words}"), classify(f"target: {words}")
    assert source in {K.MISSING, K.SOURCE_LOGIN}
    assert target in {K.TARGET_PROJECT, K.TARGET_LOGIN}


@given(st.text(max_size=200))
def test_any_text_has_a_class(text: str) -> None:
    assert classify(text) in FailureKind
    assert classify(f"target: {text}") not in {K.MISSING, K.SOURCE_LOGIN, K.SOURCE_REFUSED}


def test_what_passes_by_itself_is_an_error_of_the_service_in_the_status() -> None:
    lines = [line for _, line, kind in PROVOKED if kind in REQUEUE_WAITS]
    assert [line for line in lines if not TROUBLE.search(line)] == []


# --- the same again for real: skopeo, two registries, and faults between them


@dataclass
class World:
    registries: Registries
    faults: ArmedFaults


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    # skopeo tries TLS first even where plain HTTP is allowed, and uvicorn warns about each try.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    faults = ArmedFaults()
    directory = tmp_path_factory.mktemp("failures")
    async with Registries(data=directory, faults=faults) as registries:
        yield World(registries, faults)


NGINX_IMAGE = "docker.io/library/nginx:1.27"


async def copied(
    world: World,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *options: str,
    image: str = NGINX_IMAGE,
    password: str = "",
    target: str = "",
) -> str:
    """Copy with the script's own call of skopeo. Return its line."""
    registries = world.registries
    for name, value in registries.environment.items():
        monkeypatch.setenv(name, value)
    login = f"{registries.user}:{password or registries.password}".encode()
    auth = {"auths": {registries.target_address: {"auth": base64.b64encode(login).decode()}}}
    (folder / "auth.json").write_text(json.dumps(auth))
    place = f"docker://{target or registries.target_address}/{folder.name}/x:1"
    arguments = ("copy", "--quiet", "--dest-tls-verify=false", *options, f"docker://{image}", place)
    return await asyncio.to_thread(skopeo, folder, *arguments)


WHOLE = ("--all", "--preserve-digests")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("source|says login|/manifests/", K.SOURCE_LOGIN),
        ("source|says login|/blobs/", K.SOURCE_LOGIN),
        ("source|says denied|/manifests/", K.SOURCE_LOGIN),
        ("source|says name-unknown|/manifests/", K.MISSING),
        ("source|retry-after 0|/manifests/", K.RATE_LIMITED),
        ("source|retry-after 0|/blobs/", K.RATE_LIMITED),
        ("source|status 503|/manifests/", K.NETWORK),
        ("source|refused|/blobs/", K.NETWORK),
        ("source|cut|/blobs/", K.NETWORK),
        ("source|short|/blobs/", K.NETWORK),
        ("source|garbage|/manifests/", K.NETWORK),
        ("target|says no-permission|POST ", K.TARGET_LOGIN),
        ("target|says denied|HEAD ", K.TARGET_LOGIN),
        ("target|says no-project|POST ", K.TARGET_PROJECT),
        ("target|says name-unknown|POST ", K.TARGET_PROJECT),
        ("target|says proxy-project|/manifests/", K.TARGET_PROJECT),
        ("target|says quota|/manifests/", K.TARGET_QUOTA),
        ("target|says immutable|/manifests/", K.IMMUTABLE),
        ("target|says too-large|PATCH ", K.TOO_LARGE),
        ("target|status 502|HEAD ", K.NETWORK),
        ("target|lost|PUT ", K.NETWORK),
    ],
)
async def test_a_fault_on_the_way_ends_in_its_class(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    kind: FailureKind,
) -> None:
    where, what, path = fault.split("|")
    world.faults.clear()
    world.faults.arm(where=where, what=what, times=100, path=path)
    line = await copied(world, tmp_path, monkeypatch, *WHOLE)
    assert line.startswith(f"{where}: ")
    assert classify(line) is kind, line


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("image", "kind"),
    [
        ("docker.io/library/nginx:gone", K.MISSING),
        ("docker.io/library/nowhere:1", K.MISSING),
        (f"docker.io/library/nginx@{BLOB}", K.MISSING),
        ("registry.museum/a/b:1", K.NETWORK),
    ],
)
async def test_a_source_that_has_nothing_or_is_nowhere_ends_in_its_class(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image: str, kind: FailureKind
) -> None:
    world.faults.clear()
    line = await copied(world, tmp_path, monkeypatch, *WHOLE, image=image)
    assert line.startswith("source: ")
    assert classify(line) is kind, line


@pytest.mark.asyncio(loop_scope="module")
async def test_a_wrong_password_and_a_closed_port_are_the_targets(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.faults.clear()
    refused = await copied(world, tmp_path, monkeypatch, *WHOLE, password="wrong")
    assert (refused[:8], classify(refused)) == ("target: ", K.TARGET_LOGIN)
    closed = await copied(world, tmp_path, monkeypatch, *WHOLE, target="127.0.0.1:9")
    assert (closed[:8], classify(closed)) == ("target: ", K.NETWORK)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_platform_that_is_not_there_has_a_class_of_its_own(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.faults.clear()
    line = await copied(world, tmp_path, monkeypatch, "--override-arch=s390x")
    assert classify(line) is K.PLATFORM, line


@pytest.mark.asyncio(loop_scope="module")
async def test_a_copy_over_its_time_limit_is_timed_out(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.faults.clear()
    world.faults.arm(where="source", what="slow 20", times=100, path="/blobs/")
    monkeypatch.setattr(waits, "COPY_SECONDS", 1)
    line = await copied(world, tmp_path, monkeypatch, *WHOLE)
    assert classify(line) is K.TIMED_OUT, line
    world.faults.clear()
    monkeypatch.setattr(waits, "COPY_SECONDS", 30)
    assert await copied(world, tmp_path, monkeypatch, *WHOLE) == "", os.environ["HOME"]
