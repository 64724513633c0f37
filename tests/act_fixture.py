"""Runs mirror.yml as shipped, by act, in a repository as `setup` leaves it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from registry_fixture import KEY, PASSWORD, USER, World, install


def in_a_repository(
    world: World, text: str, spoil: Callable[[Path], None] | None, branch: str
) -> Path:
    """Lay out a mirror repository as `setup` leaves it. Return its folder."""
    folder = world.directory / "repository"
    folder.mkdir()
    install(folder)
    if spoil:
        spoil(folder)
    (folder / "image.list").write_text(text)
    git = ["git", "-c", "user.name=ana", "-c", "user.email=ana@example.com", "-C", str(folder)]
    for command in (["init", "-q", "-b", branch], ["add", "."], ["commit", "-q", "-m", "First"]):
        subprocess.run([*git, *command], check=True, timeout=90)
    head = subprocess.run(
        [*git, "rev-parse", "HEAD"], check=True, timeout=90, capture_output=True, text=True
    )
    world.github.sha = head.stdout.strip()
    return folder


def by_act(
    world: World,
    event: str,
    payload: dict[str, object],
    text: str,
    *,
    spoil: Callable[[Path], None] | None = None,
    branch: str = "main",
    **more: str,
) -> tuple[int, str]:
    """Run the workflow by act. Its files are JSON, which is also YAML."""
    env = world.environment()
    variables = {
        name: env[name] for name in ("HARBOR_HOST", "REGISTRY_ADDRESSES", "PATIENCE", "POLICY")
    } | more
    secrets = {
        "MIRROR_USER": USER,
        "MIRROR_PASSWORD": PASSWORD,
        "DECISION_KEY": KEY,
        "GITHUB_TOKEN": env["GITHUB_TOKEN"],
    }
    context = ("GITHUB_API_URL", "GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    files = {
        "--var-file": variables,
        "--secret-file": secrets,
        "--env-file": {name: env[name] for name in context},
        "--eventpath": payload,
    }
    command = [str(Path(sys.executable).with_name("act")), event, "--no-cache-server"]
    command += ["-W", ".github/workflows/mirror.yml", "-P", "ubuntu-24.04=-self-hosted"]
    for option, content in files.items():
        path = world.directory / f"act{option}.yml"
        path.write_text(json.dumps(content))
        command += [option, str(path)]
    done = subprocess.run(
        command,
        cwd=in_a_repository(world, text, spoil, branch),
        env={k: v for k, v in env.items() if k in ("PATH", "HOME") or k.endswith("_proxy")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=90,
    )
    return done.returncode, done.stdout
