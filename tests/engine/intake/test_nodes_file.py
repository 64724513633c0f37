"""/nodes: the mirror configuration comes as one file, also after a restart, and once."""

import subprocess
from dataclasses import replace
from pathlib import Path

from fakes import WEI, world

from bot.core.errors import TransientError
from bot.core.image import Naming


async def test_the_file_is_sent_once_and_writes_what_nodes_read(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.say(WEI, "/nodes")
        w.chat.trouble.append(TransientError("502"))
        await w.settle(4)
        w.start()
        await w.settle(30)
        await w.say(WEI, "/nodes k3s")
        await w.settle(8)
        script, registries = w.chat.documents
        assert [script.name, registries.name] == ["containerd-mirrors.sh", "registries.yaml"]
        assert "Run this on each node" in w.chat.texts[0]
        (tmp_path / "certs.d").mkdir()
        (tmp_path / "run.sh").write_bytes(script.content)
        subprocess.run(["sh", tmp_path / "run.sh", tmp_path / "certs.d"], check=True)  # noqa: ASYNC221 - nothing else runs here
        written = (tmp_path / "certs.d/docker.io/hosts.toml").read_text()
        assert '[host."https://harbor.example.com/v2/docker.io"]\n' in written


async def test_flat_names_are_said_to_be_impossible(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        here = w.intake._installation
        flat = replace(here.target, naming=Naming.FLAT)
        w.intake._installation = replace(here, target=flat)
        await w.say(WEI, "/nodes")
        await w.settle(4)
        assert w.last.startswith("Our registry has flat names")
        assert w.chat.documents == []
