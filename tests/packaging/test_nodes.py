"""Debian's containerd pulls by the original name what only our registry has, by our files."""

import asyncio
import base64
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from debian import done, ended, need

from bot.core.image import Target
from bot.core.nodes import NodeTool, node_files
from bot.sandbox.faults.middleware import ArmedFaults
from bot.sandbox.registry.registries import Registries

pytestmark = pytest.mark.packaging
SECONDS = 90
ORIGINAL = "docker.io/library/only-here:1"
_OFFLINE = {
    "PATH": os.environ["PATH"],
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "127.0.0.1",
}
"""Nothing but our registry can be reached."""
_CONFIG = """\
version = 2
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
  address = "{folder}/socket"
"""


@dataclass(frozen=True)
class Node:
    """A containerd. `hosts` is the folder of our files."""

    socket: Path
    hosts: Path

    async def pull(self, name: str) -> tuple[int, str]:
        """Return the exit code and what it says. Nothing is unpacked."""
        command = ("content", "fetch", "--hosts-dir", str(self.hosts), "--all-platforms", name)
        process = await asyncio.create_subprocess_exec(
            *("ctr", "--address", str(self.socket), *command),
            env=_OFFLINE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said, _ = await asyncio.wait_for(process.communicate(), SECONDS)
        return process.returncode or 0, said.decode(errors="replace")

    def configure(self, target: Target) -> Path:
        """Write the files, and return that of Docker Hub."""
        registries = ["docker.io", "ghcr.io"]
        files = node_files(NodeTool.CONTAINERD, registries, target, plain_http=True)
        for name, text in (files or {}).items():
            (self.hosts / name).parent.mkdir(parents=True, exist_ok=True)
            (self.hosts / name).write_text(text)
        return self.hosts / "docker.io/hosts.toml"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    need("containerd", "ctr", "skopeo")
    if os.geteuid() != 0:
        pytest.skip("only root can start containerd here, so not tested")
    config = tmp_path / "config.toml"
    config.write_text(_CONFIG.format(folder=tmp_path))
    with (tmp_path / "containerd.log").open("w") as log:
        process = subprocess.Popen(
            ["containerd", "--config", config], stdout=log, stderr=log, text=True
        )
    yield Node(tmp_path / "socket", tmp_path / "certs.d")
    ended(process)


@pytest.fixture
async def registries(tmp_path: Path) -> AsyncIterator[Registries]:
    async with Registries(data=tmp_path / "registries", faults=ArmedFaults()) as both:
        yield both


async def copied(registries: Registries, to: str, *login: str) -> None:
    """Put an image into a registry under the name that our copies have there."""
    command = ("skopeo", "copy", "--all", "--src-tls-verify=false", "--dest-tls-verify=false")
    source = f"docker://{registries.source_address}/docker.io/library/nginx:1.27"
    place = f"docker://{to}/{ORIGINAL}"
    await asyncio.to_thread(done, *command, *login, source, place)


async def until_it_answers(node: Node) -> None:
    for _ in range(SECONDS * 5):
        if node.socket.exists():
            return
        await asyncio.sleep(0.2)
    raise AssertionError("containerd does not answer")


async def test_a_node_pulls_by_the_original_name_without_and_with_a_login(
    node: Node, registries: Registries
) -> None:
    await until_it_answers(node)
    # The sandbox's source lets everybody pull and has the same names as our copies.
    await copied(registries, registries.source_address)
    node.configure(Target(registries.source_address))
    code, said = await node.pull(ORIGINAL)
    assert code == 0, said
    await copied(registries, registries.target_address, "--dest-creds", _login(registries))
    file = node.configure(Target(registries.target_address))
    code, said = await node.pull(ORIGINAL)
    assert code != 0, "a private registry that asks for no login proves nothing"
    encoded = base64.b64encode(_login(registries).encode()).decode()
    text = file.read_text().replace("  # [host", "  [host").replace("  #   Auth", "    Auth")
    file.write_text(text.replace("Basic ...", f"Basic {encoded}"))
    code, said = await node.pull(ORIGINAL)
    assert code == 0, said


def _login(registries: Registries) -> str:
    return f"{registries.user}:{registries.password}"
