"""Mirror configuration for nodes. tests/packaging lets a real containerd pull by it."""

import tomllib

import pytest
import yaml

from bot.core.image import ImageRef, Naming, Target
from bot.core.nodes import NodeTool, as_one_file, node_files

IMAGES = ("nginx:1.27", "quay.io/a/b:1", "reg.example.com:5000/team/app:2")
REGISTRIES = {"docker.io", "quay.io", "reg.example.com:5000"}


@pytest.mark.parametrize("prefix", ["", "mirror", "a/b"])
@pytest.mark.parametrize("text", IMAGES)
def test_a_node_asks_for_the_name_that_the_copy_has(prefix: str, text: str) -> None:
    image, target = ImageRef.parse(text), Target("harbor.example.com", prefix)
    files = node_files(NodeTool.CONTAINERD, REGISTRIES, target, plain_http=False)
    assert files is not None
    read = tomllib.loads(files[f"{image.registry}/hosts.toml"])
    ((url, how),) = read["host"].items()
    asked = url.removeprefix("https://").replace("/v2/", "/", 1)
    assert f"{asked}/{image.repository}:{image.tag}" == target.name_of(image)
    assert how == {"capabilities": ["pull", "resolve"], "override_path": True}
    server = "registry-1.docker.io" if image.registry == "docker.io" else image.registry
    assert read["server"] == f"https://{server}"
    files = node_files(NodeTool.K3S, REGISTRIES, target, plain_http=True)
    assert files is not None
    mirror = yaml.safe_load(files["registries.yaml"])["mirrors"][image.registry]
    ((pattern, rewritten),) = mirror["rewrite"].items()
    assert (pattern, mirror["endpoint"]) == ("^(.*)$", ["http://harbor.example.com"])
    repository = rewritten.replace("$1", image.repository)
    assert f"{target.host}/{repository}:{image.tag}" == target.name_of(image)


def test_one_file_stands_for_all_and_flat_names_are_impossible() -> None:
    nested = Target("harbor.example.com")
    files = node_files(NodeTool.CONTAINERD, REGISTRIES, nested, plain_http=False)
    assert files is not None
    name, script = as_one_file(files)
    assert name.endswith(".sh")
    assert all(text in script for text in files.values())
    files = node_files(NodeTool.K3S, REGISTRIES, nested, plain_http=False)
    assert files is not None
    assert as_one_file(files) == ("registries.yaml", files["registries.yaml"])
    flat = Target("harbor.example.com", "x", Naming.FLAT)
    for tool in NodeTool:
        assert node_files(tool, REGISTRIES, flat, plain_http=False) is None
