"""What a bot and a workflow of different versions say to each other.

The earlier version is the last one with the single file .github/mirror.py. What its bot sends and
reads is written here as it was. tests/end_to_end/test_e2e_upgrade.py runs both versions.
"""

import re

import yaml
from registry_fixture import WORKFLOW, World, registries, world

from bot.workflow import shipped

__all__ = ["registries", "world"]  # fixtures: pytest finds them by these names

BATCH = "2938cb00044e118d"
MESSAGE = f"Mirror {{}}\n\nBatch: {BATCH}\nRequest: 41\nRequested-by: telegram:1001\n"
"""The message of its commits, without a seal."""
INPUTS = {"images", "batch"}
"""The inputs of its dispatches."""
RESULT = re.compile(r"[a-z0-9]+:[0-9a-f]{32,}(?: [0-9]+)?(?: (?:copied|skipped))?")
"""What it takes for a success, and everything else for a failure."""


def test_a_commit_of_an_earlier_bot_is_copied_and_reported_in_words_that_it_reads(
    world: World,
) -> None:
    world.seed("docker.io/wei/earlier")
    image = "docker.io/wei/earlier:1"
    commits = [{"id": "a" * 40, "message": MESSAGE.format(image)}]
    for done in ("copied", "skipped"):
        ran = world.run(f"{image}\n", {"before": "0" * 40, "commits": commits})
        status = ran.statuses[f"mirror/{image}"]
        assert (ran.code, status["state"]) == (0, "success"), ran.output
        assert RESULT.fullmatch(status["description"])
        assert status["description"].endswith(done)


def test_a_dispatch_of_an_earlier_bot_is_copied_and_reported_in_words_that_it_reads(
    world: World,
) -> None:
    names = ("docker.io/wei/sent-a", "docker.io/wei/sent-b")
    for name in names:
        world.seed(name)
    inputs = {"images": "\n".join(f"{name}:1" for name in names), "batch": BATCH}
    ran = world.run("", {"inputs": inputs}, GITHUB_EVENT_NAME="workflow_dispatch")
    assert ran.code == 0, ran.output
    assert set(ran.statuses) == {f"mirror/{name}:1" for name in names}
    assert all(RESULT.fullmatch(status["description"]) for status in ran.posted)


def test_github_takes_what_an_earlier_bot_dispatches_and_names_the_run_as_it_looks_for_it() -> None:
    declared = WORKFLOW[True]["workflow_dispatch"]["inputs"]  # YAML reads `on` as true
    assert declared.keys() >= INPUTS
    assert not any(each.get("required") for each in declared.values())
    assert "inputs.batch" in WORKFLOW["run-name"]


def test_an_earlier_workflow_is_never_taken_for_the_one_that_ships() -> None:
    """So a bot never sends it inputs that GitHub would refuse."""
    earlier = yaml.safe_dump({"on": {"workflow_dispatch": {"inputs": dict.fromkeys(INPUTS)}}})
    expected = shipped.files_beside(
        earlier.encode(), branch="main", image_list="image.list", name="mirror.yml", key_id="ab"
    )
    assert expected[shipped.workflow_path()] != earlier.encode()
