"""What a run does with decisions of the bot, and with everything that has no seal of the bot.

Real registries and real skopeo, as in test_workflow.py.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from act_fixture import by_act
from registry_fixture import KEY, POLICY, Ran, World, registries, world

from bot.core.ids import BatchId
from bot.core.image import ImageRef
from bot.core.seal import DecidedImage, sealed_block

__all__ = ["registries", "world"]  # fixtures: pytest finds them by these names

RULE = "asked p:7f3a91c2; approved rule docker.io/library/**"
PERSONS = "asked p:7f3a91c2, p:11aa22bb; approved p:c01d2e44, p:9b9b9b9b"
GONE = f"sha256:{'0' * 64}"


def sealed(*images: str, age: timedelta = timedelta(), key: str = KEY) -> str:
    """Return the bot's block.

    Each image is `NAME:TAG@DIGEST; asked …; previous …; approved …`, the third part where wanted.
    """
    decided = [_decided(*each.split("; ")) for each in images]
    at = datetime.now(UTC) - age
    return sealed_block(BatchId("2938cb00044e118d"), at, decided, key=bytes.fromhex(key))


def _decided(image: str, asked: str, *more: str) -> DecidedImage:
    people = asked.removeprefix("asked ").split(", ")
    previous, ground = ["", *(each.partition(" ")[2] for each in more)][-2:]
    return DecidedImage(
        image=ImageRef.parse(image), asked=people, previous=previous, approved=ground
    )


def pushed(*blocks: str) -> dict[str, Any]:
    """Return the event of a push: one commit with each block."""
    messages = [f"Mirror images\n\n{block}\n" for block in blocks]
    return {"before": "b" * 40, "commits": [{"message": message} for message in messages]}


def push(world: World, lines: str, *blocks: str, **env: str) -> Ran:
    """Run for a push that adds these lines to a list of before."""
    world.github.lists["b" * 40] = "docker.io/wei/before:1\n"
    return world.run(f"docker.io/wei/before:1\n{lines}", pushed(*blocks), **env)


def dispatch(world: World, text: str = "", *, images: str = "", **env: str) -> Ran:
    inputs = {"decision": text, "images": images, "batch": "2938cb00044e118d"}
    event = "workflow_dispatch"
    return world.run("docker.io/wei/other:1\n", {"inputs": inputs}, GITHUB_EVENT_NAME=event, **env)


def whole_list(world: World, lines: str, **env: str) -> Ran:
    return world.run(lines, {}, GITHUB_EVENT_NAME="schedule", **env)


def policy(*rules: tuple[str, str]) -> str:
    return json.dumps({**POLICY, "rules": rules})


def updated(world: World, name: str, tag: str = "1") -> tuple[str, str]:
    """Update a tag of the source. Return its digest before and now."""
    old = world.seed(name, tag, platforms=("amd64",))
    return old, world.seed(name, tag, platforms=("arm64",))


# --- sealed decisions


def test_a_sealed_line_gets_the_decided_digest_whatever_its_tag_has_by_now(world: World) -> None:
    name = "docker.io/library/decided"
    decided, now = updated(world, name)
    ran = push(world, "decided:1\n", sealed(f"{name}:1@{decided}; {RULE}"))
    assert ran.code == 0, ran.output
    assert world.target.head(name, "1") == decided != now
    said = ran.says(f"{name}:1")
    assert said.startswith(f"success: {decided} ")
    assert said.endswith(" copied, rule docker.io/library/**")
    assert f"| `{name}:1` | `success` | `rule docker.io/library/**` | " in ran.summary


def test_the_persons_who_approved_are_told(world: World) -> None:
    name = "ghcr.io/wei/persons"
    digest = world.seed(name)
    ran = push(world, f"{name}:1\n", sealed(f"{name}:1@{digest}; {PERSONS}"))
    assert ran.says(f"{name}:1").endswith(" copied, p:c01d2e44, p:9b9b9b9b")
    assert "p:7f3a91c2" not in ran.output + ran.summary + str(ran.posted)


def test_a_sealed_dispatch_copies_the_decided_digests_and_nothing_else(world: World) -> None:
    name = "docker.io/library/dispatched"
    decided, _ = updated(world, name)
    bare = world.seed("docker.io/library/dispatched-bare")
    block = sealed(f"{name}:1@{decided}; {RULE}", f"{name}-bare@{bare}; {RULE}")
    ran = dispatch(world, block)
    assert ran.code == 0, ran.output
    assert world.target.head(name, "1") == decided
    assert world.target.head(f"{name}-bare", bare) == bare
    assert world.target.head(f"{name}-bare", "1") is None
    assert set(ran.statuses) == {f"mirror/{name}:1@{decided}", f"mirror/{name}-bare@{bare}"}


def test_of_several_commits_of_a_push_each_is_read_and_the_newest_decision_counts(
    world: World,
) -> None:
    name = "docker.io/wei/twice"
    old, now = updated(world, name)
    other = world.seed("docker.io/wei/other-commit")
    blocks = (
        sealed(f"{name}:1@{now}; {RULE}", age=timedelta(minutes=1)),
        sealed(f"docker.io/wei/other-commit:1@{other}; {PERSONS}"),
        sealed(f"{name}:1@{old}; {RULE}", age=timedelta(minutes=2)),
    )
    ran = push(world, f"{name}:1\ndocker.io/wei/other-commit:1\n", *blocks)
    assert ran.code == 0, ran.output
    assert world.target.head(name, "1") == now
    assert ran.says("docker.io/wei/other-commit:1").endswith(", p:c01d2e44, p:9b9b9b9b")


def test_a_decided_digest_that_the_source_lost_is_told_as_gone(world: World) -> None:
    name = "docker.io/wei/lost"
    world.seed(name)
    ran = push(world, f"{name}:1\n", sealed(f"{name}:1@{GONE}; {RULE}"))
    assert ran.code == 1
    assert ran.says(f"{name}:1") == f"failure: source: the decided digest is gone: {GONE}"
    assert world.target.head(name, "1") is None


@pytest.mark.sweep
def test_two_hundred_decisions_of_34_kilobytes_are_carried_out(world: World) -> None:
    name, images = "docker.io/wei/one-of-very-many", {}
    index = json.loads(world.get(world.source, name, world.seed(name, "base", ("amd64",))))
    base = json.loads(world.get(world.source, name, index["manifests"][0]["digest"]))
    for number in range(200):  # which share all layers: what is decided is not their content
        manifest = base | {"annotations": {"number": str(number)}}
        images[f"{name}:{number}"] = world.source.put(name, str(number), manifest)["digest"]
    block = sealed(*(f"{image}@{digest}; {PERSONS}" for image, digest in images.items()))
    assert 30_000 < len(block) < 60_000
    ran = push(world, "".join(f"{image}\n" for image in images), block)
    assert (ran.code, len(ran.statuses)) == (0, 200), ran.output
    inputs = {"decision": block, "images": "", "batch": "2938cb00044e118d"}
    done = by_act(world, "workflow_dispatch", {"inputs": inputs}, "docker.io/wei/other:1\n")
    ran = world.left(*done)
    assert (ran.code, len(ran.statuses)) == (0, 200), ran.output
    assert all("skipped, p:c01d2e44" in status["description"] for status in ran.posted)
    assert "docker.io/wei/other" not in ran.output


# --- seals that do not count


def forged(block: str) -> str:
    """Put another image into a block of the bot."""
    return block.replace("; asked p:7f3a91c2", "; asked p:00000000")


UNSEALED = {
    "its seal is wrong": lambda image: forged(sealed(image)),
    "DECISION_KEY is not": sealed,
    "its seal is over 48 hours old": lambda image: sealed(
        image, age=timedelta(hours=48, minutes=1)
    ),
    "its seal is from the future": lambda image: sealed(image, age=timedelta(minutes=-12)),
    "the bot did not seal it": lambda image: sealed(image).rpartition("\n")[0],
    "the bot did not seal it ": lambda image: (
        f"{sealed(image)}\n(cherry picked from commit {'a' * 40})"
    ),
}
"""What is said of a block that does not count -> how to make one."""


@pytest.mark.sweep(kept=4)
@pytest.mark.parametrize("why", UNSEALED)
@pytest.mark.parametrize("event", ["push", "dispatch"])
def test_without_a_right_seal_no_digest_goes_under_a_tag_that_does_not_name_it(
    world: World, why: str, event: str
) -> None:
    name = f"docker.io/wei/unsealed-{event}-{list(UNSEALED).index(why)}"
    old, now = updated(world, name)
    block = UNSEALED[why](f"{name}:1@{old}; {RULE}")
    env = {"DECISION_KEY": ""} if why.startswith("DECISION_KEY") else {}
    if event == "dispatch":
        ran = dispatch(world, block, **env)
        assert world.target.head(name, old) == old
        assert world.target.head(name, "1") is None
    else:
        ran = push(world, f"{name}:1\n", block, **env)
        assert world.target.head(name, "1") == now
    assert ran.code == 0, ran.output
    assert f"written by hand: {why.strip()}" in ran.output
    assert why.strip() in ran.summary
    assert "| `repository, " in ran.summary


def test_a_key_that_is_not_the_bots_is_said_so(world: World) -> None:
    name = "docker.io/wei/other-key"
    digest = world.seed(name)
    key = "ab" * 32
    block = sealed(f"{name}:1@{digest}; {RULE}", key=key)
    ran = push(world, f"{name}:1\n", block, DECISION_KEY=key)
    assert "DECISION_KEY is not the bot's key: run imageto-bot setup" in ran.output
    assert "| `repository, " in ran.summary


def test_a_run_that_is_repeated_days_later_does_not_put_the_old_image_back(world: World) -> None:
    name = "docker.io/library/repeated"
    old, now = updated(world, name)
    block = sealed(f"{name}:1@{old}; {RULE}", age=timedelta(days=3))
    world.run(f"{name}:1\n")
    assert world.target.head(name, "1") == now
    for ran in (push(world, f"{name}:1\n", block), dispatch(world, block)):
        assert ran.code == 0, ran.output
        assert world.target.head(name, "1") == now


def test_a_trailer_of_the_bot_decides_only_its_own_lines(world: World) -> None:
    """A commit that a person wrote may hold a copied block and more lines."""
    digest = world.seed("docker.io/wei/in-block")
    world.seed("docker.io/wei/beside-it")
    block = sealed(f"docker.io/wei/in-block:1@{digest}; {RULE}")
    rules = policy(("docker.io/wei/**", "deny"))
    lines = "docker.io/wei/in-block:1\ndocker.io/wei/beside-it:1\n"
    ran = push(world, lines, block, POLICY=rules)
    assert ran.says("docker.io/wei/in-block:1").startswith("success: ")
    denied = "failure: policy: denied by rule docker.io/wei/**"
    assert ran.says("docker.io/wei/beside-it:1") == denied
    assert world.target.head("docker.io/wei/beside-it", "1") is None


@pytest.mark.parametrize("text", ["Image: nothing at all; approved p:1", "Seal: 0", " ", "\n\n"])
def test_a_dispatch_with_a_decision_is_never_a_run_of_the_whole_list(
    world: World, text: str
) -> None:
    world.seed("docker.io/wei/other")
    ran = dispatch(world, text)
    assert world.target.head("docker.io/wei/other", "1") is None
    assert ran.statuses == {}


# --- lines written by hand


def test_a_line_with_tag_and_another_digest_is_copied_by_the_digest_alone(world: World) -> None:
    name = "docker.io/library/foreign"
    old, now = updated(world, name)
    world.run(f"{name}:1\n")
    ran = push(world, f"{name}:1@{old}\n")
    assert ran.code == 0, ran.output
    assert world.target.head(name, "1") == now
    assert world.target.head(name, old) == old
    assert ran.says(f"{name}:1@{old}").endswith(" copied, by digest alone: 1 has another")
    assert "by digest alone: 1 has another" in ran.summary


def test_a_line_with_a_tag_that_the_source_never_had_creates_no_tag(world: World) -> None:
    name = "docker.io/library/made-up"
    digest = world.seed(name)
    ran = push(world, f"{name}:9.9-made-up@{digest}\n")
    assert ran.code == 0, ran.output
    assert world.target.head(name, "9.9-made-up") is None
    assert world.target.head(name, digest) == digest


def test_a_line_with_tag_and_the_digest_that_it_has_is_copied_under_both(world: World) -> None:
    name = "docker.io/library/both"
    digest = world.seed(name)
    ran = push(world, f"{name}:1@{digest}\n")
    assert world.target.head(name, "1") == digest == world.target.head(name, digest)
    assert ran.says(f"{name}:1@{digest}").endswith(" copied")


def test_a_list_with_both_forms_of_an_image_comes_to_rest(world: World) -> None:
    name = "docker.io/library/forms"
    old, now = updated(world, name)
    for _ in range(3):
        ran = whole_list(world, f"{name}:1@{old}\n{name}:1\n{name}@{old}\n")
        assert ran.code == 0, ran.output
        assert ran.summary.count("| `success` |") == 3
        assert world.target.head(name, "1") == now
        assert world.target.head(name, old) == old
    assert ran.statuses == {}


def test_a_denied_line_is_told_and_not_copied(world: World) -> None:
    for name in ("denied", "asked", "ruled"):
        world.seed(f"docker.io/wei/{name}")
    world.seed("gcr.io/wei/unknown")
    rules = policy(("docker.io/wei/denied", "deny"), ("docker.io/wei/ruled:*", "approve"))
    names = [f"docker.io/wei/{name}:1" for name in ("denied", "asked", "ruled")]
    lines = "\n".join([*names, "example.org/wei/unknown:1"])
    for ran in (push(world, lines, POLICY=rules), whole_list(world, lines, POLICY=rules)):
        assert ran.code == 1
        assert world.target.head("docker.io/wei/denied", "1") is None
        denied = "failure: policy: denied by rule docker.io/wei/denied"
        assert ran.says("docker.io/wei/denied:1") == denied
        unknown = "failure: policy: denied: its registry is not in the policy"
        assert ran.says("example.org/wei/unknown:1") == unknown
        assert world.target.head("docker.io/wei/asked", "1")
        asked, ruled = "`repository, by li`", "`repository, by li, rule docker.io/wei/ruled:*`"
        assert f"| `docker.io/wei/asked:1` | `success` | {asked} |" in ran.summary
        assert f"| `docker.io/wei/ruled:1` | `success` | {ruled} |" in ran.summary


@pytest.mark.parametrize("value", ["", "{", "[]", '{"registries": [], "rules": [["**", "yes"]]}'])
def test_without_a_policy_only_sealed_decisions_are_carried_out(world: World, value: str) -> None:
    name = "docker.io/wei/no-policy"
    digest = world.seed(name)
    block = sealed(f"{name}-sealed:1@{world.seed(f'{name}-sealed')}; {RULE}")
    ran = push(world, f"{name}:1\n{name}@{digest}\n{name}-sealed:1\n", block, POLICY=value)
    said = "is not set" if not value else "cannot be read"
    assert ran.says(f"{name}:1") == f"failure: POLICY {said}: run imageto-bot setup"
    assert ran.says(f"{name}@{digest}") == f"failure: POLICY {said}: run imageto-bot setup"
    assert ran.says(f"{name}-sealed:1").startswith("success: ")
    assert world.target.head(name, "1") is None
    assert world.target.head(name, digest) is None


# --- runs of the whole list


def test_a_run_of_the_whole_list_refreshes_tags_and_overwrites_no_version(world: World) -> None:
    name = "docker.io/library/kept"
    olds = {tag: world.seed(name, tag, platforms=("amd64",)) for tag in ("1.27", "1.27.3")}
    lines = f"{name}:1.27\n{name}:1.27.3\n"
    assert whole_list(world, lines).code == 0
    news = {tag: world.seed(name, tag, platforms=("arm64",)) for tag in olds}
    lines += f"{name}:1.27.3@{news['1.27.3']}\n{name}:1.27.3@{olds['1.27.3']}\n"
    for _ in range(2):
        ran = whole_list(world, lines)
        assert ran.code == 0, ran.output
        assert world.target.head(name, "1.27") == news["1.27"]
        assert world.target.head(name, "1.27.3") == olds["1.27.3"]
        assert world.target.head(name, news["1.27.3"]) == news["1.27.3"]
        assert "kept: the target's version differs from its source" in ran.summary
        assert f"mirror/{name}:1.27.3" not in ran.statuses
    ran = push(world, f"{name}:1.27.3\n")
    assert world.target.head(name, "1.27.3") == news["1.27.3"], "asked for by its name"
