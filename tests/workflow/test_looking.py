"""A run that only looks at images: what it posts of real registries, and what it does not do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from registry_fixture import KEY, RUN, Ran, World, registries, world

from bot.core.batch import Batch, Via
from bot.core.failures import FailureKind
from bot.core.ids import BatchId, RunId
from bot.core.image import ImageRef
from bot.core.look import AtTarget, Look
from bot.core.seal import sealed_block

__all__ = ["registries", "world"]  # fixtures: pytest finds them by these names

NOW = datetime.now(UTC)
BATCH = Batch(id=BatchId("2938cb00044e118d"), via=Via.LOOK, opened_at=NOW, run=RunId(int(RUN)))


def asked(*images: str, shape: bool = True) -> list[Look]:
    return [Look(image=ImageRef.parse(each), asked_at=NOW, shape=shape) for each in images]


def dispatch(
    world: World, looks: list[Look], *, age: timedelta = timedelta(), key: str = KEY, **env: str
) -> Ran:
    block = sealed_block(BATCH.id, datetime.now(UTC) - age, looks, key=bytes.fromhex(key))
    inputs = {"decision": block, "images": "", "batch": BATCH.id}
    event = "workflow_dispatch"
    return world.run("docker.io/wei/a:1\n", {"inputs": inputs}, GITHUB_EVENT_NAME=event, **env)


def read(ran: Ran, look: Look) -> Look | None:
    """Read an answer as the bot does."""
    assert all(len(each["description"]) <= 140 for each in ran.posted)
    statuses = {c: (each["state"], each["description"]) for c, each in ran.statuses.items()}
    return look.told(statuses, BATCH, bytes.fromhex(KEY), NOW)


def test_the_bot_reads_digest_target_platforms_and_size(world: World) -> None:
    name = "docker.io/library/looked"
    digest = world.seed(name)
    looks = asked(f"{name}:1", f"{name}:1@{digest}", f"{name}@{digest}")
    ran = dispatch(world, looks)
    assert ran.code == 0, ran.output
    found = [read(ran, look) for look in looks]
    size = world.size(world.source, name, digest)
    for look in found:
        assert look is not None
        assert (look.digest, look.at_target) == (digest, AtTarget.NONE)
        assert (look.platforms, look.size) == (("linux/amd64", "linux/arm64"), size)
    first = ran.statuses[f"look/{name}:1"]
    assert first["description"].startswith(f"{digest} none ")
    assert first["target_url"].endswith(f"/actions/runs/{RUN}")
    assert world.target.head(name, "1") is None, "it copied"
    assert ran.skopeo == ""


def test_what_the_target_has_is_told(world: World) -> None:
    name = "ghcr.io/wei/held"
    world.seed(name)
    assert world.run(f"{name}:1\n").code == 0
    (look,) = asked(f"{name}:1", shape=False)
    ran = dispatch(world, [look])
    assert (read(ran, look) or look).at_target is AtTarget.SAME
    assert set(ran.statuses) == {f"look/{name}:1"}, "the shape was not asked for"
    updated = world.seed(name, platforms=("arm64",))
    seen = read(dispatch(world, [look]), look)
    assert seen is not None
    assert (seen.digest, seen.at_target) == (updated, AtTarget.OTHER)


def test_tags_near_to_a_missing_one_are_told(world: World) -> None:
    name = "docker.io/library/near"
    for tag in ("1.27", "1.26", "latest"):
        world.seed(name, tag, platforms=("amd64",))
    looks = asked(f"{name}:1.277", "docker.io/library/absent:1", f"{name}@sha256:{'0' * 64}")
    ran = dispatch(world, looks)
    near, *others = [read(ran, look) for look in looks]
    assert near is not None
    assert (near.digest, near.tags[:2]) == ("", ("1.27", "1.26"))
    for look in others:
        assert look is not None
        assert (look.digest, look.tags, look.failure) == ("", (), None)


def test_a_source_that_the_runner_cannot_reach_is_told(world: World) -> None:
    (look,) = asked("quay.io/wei/away:1")
    seen = read(
        dispatch(world, [look], REGISTRY_ADDRESSES='{"quay.io": "http://127.0.0.1:9"}'), look
    )
    assert seen is not None
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.NETWORK
    assert seen.not_before is not None, "it is tried again"


@pytest.mark.parametrize(
    ("words", "more"),
    [
        ("its seal is wrong", {"key": "77" * 32}),
        ("over 48 hours old", {"age": timedelta(hours=49)}),
        ("from the future", {"age": timedelta(hours=-1)}),
        ("DECISION_KEY is not the bot's key", {"DECISION_KEY": "77" * 32}),
    ],
)
def test_without_the_bots_seal_nothing_is_looked_at(
    world: World, words: str, more: dict[str, Any]
) -> None:
    name = "docker.io/library/unsealed"
    world.seed(name)
    ran = dispatch(world, asked(f"{name}:1"), **more)
    assert ran.code == 1
    assert words in ran.output
    assert ran.posted == []
    assert world.target.head(name, "1") is None


@pytest.mark.parametrize("line", ["Look: ", "Look: docker.io/library/a:1; all", "Image: a:1; b"])
def test_a_block_of_another_form_is_none_of_the_bots(world: World, line: str) -> None:
    looks = asked("docker.io/library/unsealed:1")
    block = sealed_block(BATCH.id, NOW, looks, key=bytes.fromhex(KEY))
    text = block.replace("Seal:", f"{line}\nSeal:")
    inputs = {"decision": text, "images": "", "batch": BATCH.id}
    ran = world.run("", {"inputs": inputs}, GITHUB_EVENT_NAME="workflow_dispatch")
    assert (ran.code, ran.posted) == (1, [])
