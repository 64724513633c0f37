"""What the target has of what belongs to an image, what it refuses, and who else writes there."""

import json
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

import pytest
from mirror_fronts import at, before, errors, fronts, willing
from referrers_fixture import ReferrersFront, artifact, listed, referrers_front, signature, tag_of
from registry_fixture import INDEX, MANIFEST, Ran, Registry, World, registries, world

from bot.workflow.mirror.allowance import Allowance
from bot.workflow.mirror.copying import Result
from bot.workflow.mirror.github import described
from bot.workflow.mirror.manifest import Manifest, NotMovedError
from bot.workflow.mirror.merging import merged
from bot.workflow.mirror.reference import Image
from bot.workflow.mirror.referrers import by_buildkit, can_be_run, entry_of, subject_of
from bot.workflow.mirror.registry import Repository
from bot.workflow.mirror.registry_http import Answer
from bot.workflow.mirror.settings import Settings
from bot.workflow.mirror.traffic import Traffic

__all__ = ["registries", "world"]  # fixtures: pytest finds them by these names

NAME = "docker.io/wei/"


def held(registry: Registry, name: str, reference: str) -> dict[str, Any]:
    return dict(json.loads(World.get(registry, name, reference)))


def signers(registry: Registry, name: str, digest: str) -> set[str]:
    layers = held(registry, name, tag_of(digest, ".sig"))["layers"]
    return {layer["annotations"]["dev.cosignproject.cosign/signature"] for layer in layers}


def referrers(registry: Registry, name: str, digest: str) -> set[str]:
    return {each["digest"] for each in held(registry, name, tag_of(digest))["manifests"]}


def words(ran: Ran, name: str) -> str:
    """What the status says after the digest, its bytes and what was done."""
    return ran.says(f"{name}:1").partition(", ")[2]


# --- how much is asked


def test_what_is_asked_about_an_image_without_any(world: World) -> None:
    name = f"{NAME}plain"
    world.seed(name)
    with fronts(world, willing, willing) as (near, far, run):
        assert run(f"{name}:1\n").code == 0
        asked = [each for each in near.seen if "/manifests/" not in each and "/blobs/" not in each]
        assert len(asked) == 2
        assert not far.of("GET", "sha256-")
        near.seen.clear()
        run(f"{name}:1\n", REFERRERS="off")
        assert near.seen == [f"HEAD /v2/{name}/manifests/1"]


def test_a_host_with_the_api_is_asked_about_each_platform(world: World) -> None:
    name = f"{NAME}platforms"
    world.seed(name)
    with referrers_front(f"http://{world.source.address}", ReferrersFront()) as front:
        addresses = json.loads(world.environment()["REGISTRY_ADDRESSES"])
        addresses["docker.io"] = f"{front.address}/docker.io"
        assert world.run(f"{name}:1\n", REGISTRY_ADDRESSES=json.dumps(addresses))
    assert (front.of("GET", "/referrers/"), front.of("GET", "/tags/list")) == (3, 1)


def test_what_came_later_is_brought_when_the_image_is_asked_for_again(world: World) -> None:
    name = f"{NAME}later"
    digest = world.seed(name)
    child = held(world.source, name, "1")["manifests"][0]["digest"]
    with fronts(world, willing, willing) as (near, _, run):
        assert not words(run(f"{name}:1\n"), name)
        signature(world.source, name, child, "later")
        near.seen.clear()
        assert run(f"{name}:1\n", GITHUB_EVENT_NAME="schedule").code == 0
        assert near.seen == [f"HEAD /v2/{name}/manifests/1"]
        ran = run(f"{name}:1\n")
    assert ran.says(f"{name}:1") == f"success: {digest} skipped, 1 attached"
    assert not near.of("GET", "/manifests/1")
    assert signers(world.target, name, child) == {"later"}


def test_a_registry_that_does_not_list_its_tags_is_asked_for_each(world: World) -> None:
    name = f"{NAME}unlisted"
    digest = world.seed(name)
    signature(world.source, name, digest, "one")
    with fronts(world, at("GET", "/tags/list", 404), willing) as (near, _, run):
        assert words(run(f"{name}:1\n"), name) == "1 attached"
    assert near.of("HEAD", "/manifests/sha256-") == 4 * 3 + 4 + 1, "one more before it is read"


def test_two_tags_of_one_digest_are_looked_at_once(world: World) -> None:
    name = f"{NAME}two-names"
    signature(world.source, name, world.seed(name), "one")
    world.source.put(name, "2", held(world.source, name, "1"))
    with fronts(world, willing, willing) as (near, _, run):
        ran = run(f"{name}:1\n{name}:2\n")
    assert [ran.says(f"{name}:{tag}").partition(", ")[2] for tag in "12"] == ["1 attached"] * 2
    assert near.of("GET", "/manifests/sha256-") == 1


# --- what the target has already


def test_signatures_and_lists_are_joined_with_those_of_the_target(world: World) -> None:
    name = f"{NAME}joined"
    digest = world.seed(name)
    assert world.run(f"{name}:1\n").code == 0
    signature(world.target, name, digest, "ours")
    own = artifact(world.target, name, digest, "own")
    listed(world.target, name, digest, own)
    signature(world.source, name, digest, "maker", "another")
    theirs = artifact(world.source, name, digest, "theirs")
    listed(world.source, name, digest, theirs)
    for _ in range(2):
        assert words(world.run(f"{name}:1\n"), name) == "2 attached"
        assert signers(world.target, name, digest) == {"ours", "maker", "another"}
        assert referrers(world.target, name, digest) == {own["digest"], theirs["digest"]}


def test_one_more_signature_of_the_source_is_the_same_manifest_at_the_target(world: World) -> None:
    name = f"{NAME}one-more"
    digest = world.seed(name)
    for signed in (("one",), ("one", "two")):
        there = signature(world.source, name, digest, *signed)
        assert words(world.run(f"{name}:1\n"), name) == "1 attached"
        assert world.target.head(name, tag_of(digest, ".sig")) == there["digest"]


def test_an_sbom_that_differs_stays(world: World) -> None:
    name = f"{NAME}sbom"
    digest = world.seed(name)
    assert world.run(f"{name}:1\n").code == 0
    for registry, what in ((world.source, "theirs"), (world.target, "ours")):
        artifact(registry, name, digest, what, tag_of(digest, ".sbom"), subject=None)
    before = held(world.target, name, tag_of(digest, ".sbom"))
    said = words(world.run(f"{name}:1\n"), name)
    assert said == "not attached: 1: target: has another content under its tag"
    assert held(world.target, name, tag_of(digest, ".sbom")) == before


def test_a_tag_that_the_list_names_is_left_to_it(world: World) -> None:
    name = f"{NAME}listed"
    digest = world.seed(name)
    tag = tag_of(digest, ".sig")
    signature(world.source, name, digest, "one")
    text = f"{name}:1\n{name}:{tag}\n"
    ran = world.run(text)
    assert words(ran, name).startswith("not attached: 1: target: sha256-"), ran.output
    assert ran.says(f"{name}:{tag}").startswith("success: ")
    decided = world.target.head(name, tag)
    signature(world.source, name, digest, "one", "two")
    world.run(text, {"inputs": {"images": f"{name}:1"}}, GITHUB_EVENT_NAME="workflow_dispatch")
    assert world.target.head(name, tag) == decided


# --- what the target answers

IMMUTABLE = errors("PRECONDITION", "configured as immutable, by rule 7.")
REFUSED = {
    "immutable": (at("PUT", ".sig", 412, IMMUTABLE), "1 attached, not attached: 1: target: pre"),
    "quota": (at("PUT", ".sig", 403, errors("DENIED", "over")), "1 attached, not attached: 1: t"),
    "right": (at("PUT", ".sig", 401, errors("UNAUTHORIZED", "no")), "1 attached, not attached: "),
    "trouble": (at("GET", "/manifests/sha256-", 503), "not attached: 2: target: status 503"),
    "list": (at("PUT", "/manifests/sha256-", 500), "not attached: 2: target: status 500"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_target_refuses_fails_no_image(case: str, world: World) -> None:
    rule, said = REFUSED[case]
    name = f"{NAME}refused-{case}"
    digest = world.seed(name)
    signature(world.source, name, digest, "one")
    listed(world.source, name, digest, artifact(world.source, name, digest))
    with fronts(world, willing, rule) as (_, _, run):
        ran = run(f"{name}:1\n")
    assert ran.code == 0, ran.output
    assert words(ran, name).startswith(said)
    assert world.target.head(name, "1") == digest
    assert words(world.run(f"{name}:1\n"), name) == "2 attached"


@pytest.mark.parametrize("keeps", [True, False])
def test_a_target_that_lists_referrers_itself_gets_no_tag(keeps: bool, world: World) -> None:  # noqa: FBT001 - pytest names it
    """Without OCI-Subject, as at GHCR, it gets one."""
    name = f"{NAME}target-{keeps}".lower()
    digest = world.seed(name)
    one = artifact(world.source, name, digest)
    listed(world.source, name, digest, one)
    place = f"http://{world.target.address}"
    with referrers_front(place, ReferrersFront(keeps=keeps)) as front:
        host = front.address.partition("://")[2]
        addresses = {"docker.io": f"http://{world.source.address}/docker.io", host: front.address}
        given = {"HARBOR_HOST": host, "REGISTRY_ADDRESSES": json.dumps(addresses)}
        assert words(world.run(f"{name}:1\n", **given), name) == "1 attached"
        assert (world.target.head(name, tag_of(digest)) is None) == keeps
        stored = front.of("PUT", "/manifests/")
        assert words(world.run(f"{name}:1\n", **given), name) == "1 attached"
        assert front.of("PUT", "/manifests/") == stored
    if keeps:
        assert [each["digest"] for each in front.named[name, digest]] == [one["digest"]]


def test_a_body_that_reached_the_target_as_another_is_sent_again(world: World) -> None:
    """docker-registry also says so while another image links one of its layers anew."""
    name, times = f"{NAME}invalid", [1]
    digest = world.seed(name)

    def invalid(method: str, path: str) -> tuple[int, bytes] | None:
        if method == "PUT" and path.endswith("/manifests/1") and times[0]:
            times[0] -= 1
            return 400, errors("DIGEST_INVALID", "provided digest did not match")
        return None

    with fronts(world, willing, invalid) as (_, _, run):
        ran = run(f"{name}:1\n", PATIENCE="80")
    assert ran.says(f"{name}:1").startswith(f"success: {digest} ")
    assert not ran.skopeo


# --- two runs at once


@dataclass
class AtOnce:
    """Holds the requests of two runs for one tag, so that each reads before the other one writes.

    With `late`, the first run writes only when the second one has read again what it wrote. The
    last look of each is at what the other one has written.
    """

    tag: str
    late: bool
    wrote: tuple[threading.Event, threading.Event] = field(
        default_factory=lambda: (threading.Event(), threading.Event())
    )
    read_again: tuple[threading.Event, threading.Event] = field(
        default_factory=lambda: (threading.Event(), threading.Event())
    )

    def rule(self, own: int) -> Callable[[str, str], None]:
        other = 1 - own

        def rule(method: str, path: str) -> None:
            if not path.endswith(f"/manifests/{self.tag}"):
                return
            if method == "PUT" and not self.wrote[own].is_set():
                self.wrote[own].set()  # so it has read
                held_by = self.read_again if self.late and own == 0 else self.wrote
                assert held_by[other].wait(60)
            elif method == "GET" and self.wrote[own].is_set():
                again = self.read_again[own].is_set()
                self.read_again[own].set()
                if again:
                    assert self.read_again[other].wait(60)

        return rule


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("ending", [".sig", ""])
def test_two_runs_that_join_at_once_lose_nothing(
    ending: str,
    late: bool,  # noqa: FBT001 - pytest names it
    world: World,
) -> None:
    """Each has a source of its own, with the same image and another signature."""
    path = f"wei/at-once-{ending[1:]}-{late}".lower()
    digest = world.seed(f"one/{path}")
    repositories = world.source.data / "docker/registry/v2/repositories"
    shutil.copytree(repositories / "one" / path, repositories / "two" / path)
    named = set()
    for own in ("one", "two"):
        signature(world.source, f"{own}/{path}", digest, own)
        pushed = artifact(world.source, f"{own}/{path}", digest, own)
        listed(world.source, f"{own}/{path}", digest, pushed)
        named.add(pushed["digest"])
    at_once, target = AtOnce(tag_of(digest, ending), late), f"http://{world.target.address}"

    def run(number: int) -> int:
        source = f"http://{world.source.address}/{('one', 'two')[number]}"
        with before(target, at_once.rule(number)) as front:
            host = front.address.partition("://")[2]
            addresses = json.dumps({"docker.io": source, host: front.address})
            given = {"HARBOR_HOST": host, "REGISTRY_ADDRESSES": addresses}
            # docker-registry 2.8 answers 500 while the other run has the same blobs linked.
            return world.run(f"docker.io/{path}:1\n", PATIENCE="80", **given).code

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(run, range(2))) == [0, 0]
    assert referrers(world.target, f"docker.io/{path}", digest) == named
    assert signers(world.target, f"docker.io/{path}", digest) == {"one", "two"}


# --- pieces


def manifest(kind: str = MANIFEST, **more: Any) -> Manifest:
    return Manifest(json.dumps(more).encode(), kind, {}, {})


LAYERS = [{"digest": f"sha256:{n}", "annotations": {"signature": n}} for n in "abc"]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (manifest(layers=LAYERS[:1]), manifest(INDEX, layers=LAYERS[1:])),
        (manifest(manifests=LAYERS[:1]), manifest(layers=LAYERS[1:])),
        (manifest(layers=LAYERS[:1], config={"mediaType": "a"}), manifest(layers=LAYERS[1:])),
        (Manifest(b"<html>", MANIFEST, {}, {}), manifest(layers=LAYERS)),
        (manifest(layers=[{}]), manifest(layers=LAYERS)),
        (
            manifest(manifests=[{"digest": "a", "platform": {"os": "linux"}}]),
            manifest(manifests=LAYERS),
        ),
        (manifest(layers=5), manifest(layers=LAYERS)),
        (manifest(layers=LAYERS[:1] * 1001), manifest(layers=[{"digest": "x" * (5 << 20)}])),
    ],
)
def test_what_cannot_be_in_one_manifest_is_refused(theirs: Manifest, ours: Manifest) -> None:
    with pytest.raises(NotMovedError, match=r"^target: has "):
        merged(theirs, ours)


def test_what_is_of_another_kind_than_expected_is_nothing() -> None:
    index = {"manifests": [{"digest": "a", "annotations": 5}, {"digest": "b", "annotations": []}]}
    assert by_buildkit(Manifest(json.dumps(index).encode(), INDEX, {"a": 1}, {})) == []
    assert subject_of(manifest(subject="x")) == ""
    assert not can_be_run(manifest(config=[], layers=LAYERS))
    assert entry_of("d", manifest(config=1, annotations={}))["digest"] == "d"


def test_a_layer_with_another_annotation_is_another_signature() -> None:
    again = [{**LAYERS[0], "annotations": {"signature": "again"}}]
    joined = json.loads(merged(manifest(layers=LAYERS), manifest(layers=again)).body)
    assert joined["layers"] == [*LAYERS, *again]


def test_no_pull_is_spent_that_an_image_may_need() -> None:
    traffic = Traffic(4)
    allowance = Allowance(traffic, Repository(Settings("h", "", "", "", "", {}, {}), "a.io", "a"))

    def answer(left: int) -> Answer:
        headers = Message()
        headers["ratelimit-limit"], headers["ratelimit-remaining"] = "100;w=1", f"{left};w=1"
        return Answer(200, headers, b"")

    allowance.spare(Answer(200, Message(), b""))
    for _ in range(3):
        allowance.spare(answer(21))
    with pytest.raises(NotMovedError, match=r"^source: too many requests: 20 of 100 pulls left$"):
        allowance.spare(answer(20))


@pytest.mark.parametrize("previous", ["", "previous is before-2026-11-30.2"])
def test_a_status_holds_what_the_bot_reads_and_140_characters(previous: str) -> None:
    image = Image("docker.io", "wei/x", "1", "")
    text = f"sha256:{'a' * 64} 123456789012 copied"
    said = described(
        Result(image, "success", text, ground="rule **", previous=previous, attached="12 attached")
    )
    assert said.startswith(f"{text}, {previous}, 12 att" if previous else f"{text}, 12 attached, r")
    assert len(said) <= 140
