"""What somebody tries who may write to the mirror repository: each try changes no tag.

Real registries and real skopeo, as in test_decisions.py, which has the plain cases.
"""

import json

import pytest
from registry_fixture import POLICY, World, registries, world
from test_decisions import RULE, dispatch, policy, push, sealed, updated, whole_list

__all__ = ["registries", "world"]  # fixtures: pytest finds them by these names

KEEPING = json.dumps({**POLICY, "keep": True})


def test_no_image_rides_along_with_a_sealed_decision(world: World) -> None:
    name = "docker.io/library/ride"
    old, now = updated(world, name)
    other_old, other_now = updated(world, f"{name}-other")
    block = sealed(f"{name}:1@{now}; {RULE}")
    images = f"{name}:1@{old} {name}-other:1@{other_old} {name}-other:9@{other_now}"
    ran = dispatch(world, block, images=images)
    assert ran.code == 0, ran.output
    assert world.target.head(name, "1") == now
    assert world.target.head(f"{name}-other", "1") is None
    assert world.target.head(f"{name}-other", "9") is None
    assert ran.summary.count("| `repository, by li` |") == 3


TAMPERED = {
    "a line more": lambda block: block.replace("\nSeal:", "\nImage: EXTRA; asked p:1\nSeal:"),
    "a line twice": lambda block: block.replace("Image: ", "Image: EXTRA; x\nImage: ", 1),
    "another ground": lambda block: block.replace("approved rule", "approved p:c01d2e44, rule"),
    "another batch": lambda block: block.replace("Batch: 2", "Batch: 3"),
    "a newer time": lambda block: block.replace("Time: 20", "Time: 21"),
    "ends of lines of another system": lambda block: block.replace("\n", "\r\n"),
    "two seals": lambda block: f"{block}\n{block.splitlines()[-1]}",
    "a seal in capitals": lambda block: (
        block.rpartition(" ")[0] + " " + block.rpartition(" ")[2].upper()
    ),
    "a paragraph below": lambda block: f"{block}\n\nSigned-off-by: li",
    "a blank line within": lambda block: block.replace("\nImage:", "\n\nImage:", 1),
}


@pytest.mark.sweep(kept=3)
@pytest.mark.parametrize("how", TAMPERED)
def test_a_block_that_was_touched_decides_nothing(world: World, how: str) -> None:
    name = f"docker.io/library/touched-{list(TAMPERED).index(how)}"
    old, now = updated(world, name)
    block = TAMPERED[how](sealed(f"{name}:1@{old}; {RULE}")).replace("EXTRA", f"{name}:2@{old}")
    ran = push(world, f"{name}:1\n", block)
    assert world.target.head(name, "1") == now
    assert world.target.head(name, "2") is None
    assert "| `repository, " in ran.summary
    dispatch(world, block)
    assert world.target.head(name, "1") == now
    assert world.target.head(name, "2") is None


@pytest.mark.parametrize("spelling", ["Docker.io/wei/case:1", "docker.io:443/wei/case:1"])
def test_no_spelling_of_a_host_walks_round_a_rule(world: World, spelling: str) -> None:
    world.seed("docker.io/wei/case")
    rules = policy(("docker.io/wei/**", "deny"), ("**", "approve"))
    ran = push(world, f"{spelling}\n", POLICY=rules)
    assert ran.says(spelling).startswith("failure: policy: denied")
    assert world.target.head("docker.io/wei/case", "1") is None


@pytest.mark.sweep
def test_no_line_by_hand_puts_another_digest_under_a_tag_of_before(world: World) -> None:
    name = "docker.io/library/pinned"
    old, now = updated(world, name)
    dispatch(world, sealed(f"{name}:1@{old}; {RULE}"))
    ran = whole_list(world, f"{name}:1\n", POLICY=KEEPING)
    (kept,) = [word for word in ran.summary.split() if word.startswith("before-")]
    tag = f"1-{kept.strip('`')}"
    assert world.target.head(name, tag) == old
    push(world, f"{name}:{tag}@{now}\n", POLICY=KEEPING)
    whole_list(world, f"{name}:{tag}@{now}\n{name}:{tag}\n", POLICY=KEEPING)
    assert world.target.head(name, tag) == old, "the source has no such tag"
    world.source.put(name, tag, json.loads(world.get(world.source, name, now)))
    ran = whole_list(world, f"{name}:{tag}\n", POLICY=KEEPING)
    assert world.target.head(name, tag) == old, "it counts as a version"
    assert "kept: the target's version differs from its source" in ran.summary
