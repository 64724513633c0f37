"""The files that `setup` installs in a mirror repository: mirror.yml and the package `mirror`.

`setup` writes these files, the bot compares the repository with them, and the tests run them.
mirror.yml in this folder is a template. Branch, list, environment, version, the key's id and the
hashes of the package are filled in here.
"""

import hashlib
import re
from functools import cache
from importlib import resources
from typing import Final

FOLDER: Final = ".github/mirror"
REPLACED: Final = (".github/mirror.py",)
"""Files of earlier versions that `setup` removes."""
ENVIRONMENT_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
"""The environments that `setup` takes. GitHub would take more."""
_ENVIRONMENT: Final = re.compile(r'^    environment: "([^"]*)".*\n', re.MULTILINE)
_FILES_INDENT: Final = "\n" + " " * 12


@cache
def package() -> dict[str, bytes]:
    """Return the files of the package by their path in a mirror repository."""
    folder = resources.files("bot.workflow").joinpath("mirror")
    modules = sorted((each for each in folder.iterdir() if each.name.endswith(".py")), key=str)
    return {f"{FOLDER}/{module.name}": module.read_bytes() for module in modules}


def workflow(branch: str, image_list: str, environment: str = "", *, key_id: str = "") -> bytes:
    """Return mirror.yml for a repository whose list is `image_list` on `branch`.

    With an environment, the job runs in it and gets its secrets. `key_id` names the key that seals
    decisions, so that the bot notices a workflow with another key.
    """
    text = resources.files("bot.workflow").joinpath("mirror.yml").read_text(encoding="utf-8")
    hashes = [f"{_sha256(content)}  {path}" for path, content in package().items()]
    filled = {
        "<version>": version(),
        "<branch>": branch,
        "<list>": image_list,
        "<environment>": environment,
        "<key-id>": f'"{key_id}"',
        "<files>": _FILES_INDENT.join(hashes),
    }
    for mark, value in filled.items():
        text = text.replace(mark, value)
    return (text if environment else _ENVIRONMENT.sub("", text)).encode()


def environment_of(installed: bytes) -> str:
    """Return the environment that an installed mirror.yml names, or nothing."""
    found = _ENVIRONMENT.search(installed.decode(errors="replace"))
    return found[1] if found and ENVIRONMENT_NAME.fullmatch(found[1]) else ""


@cache
def version() -> str:
    """Return 12 hexadecimal digits that change with each file of the workflow."""
    template = resources.files("bot.workflow").joinpath("mirror.yml").read_bytes()
    hashes = [f"{path} {_sha256(content)}\n" for path, content in package().items()]
    return _sha256(template + "".join(hashes).encode())[:12]


def files(
    branch: str,
    image_list: str,
    name: str = "mirror.yml",
    environment: str = "",
    *,
    key_id: str = "",
) -> dict[str, bytes]:
    """Return everything that is installed, by path. `name` is the workflow's file name."""
    file = workflow(branch, image_list, environment, key_id=key_id)
    return {**package(), workflow_path(name): file}


def files_beside(
    installed: bytes, *, branch: str, image_list: str, name: str, key_id: str
) -> dict[str, bytes]:
    """Return what should be installed where mirror.yml is `installed`: its environment stays."""
    return files(branch, image_list, name, environment_of(installed), key_id=key_id)


def workflow_path(name: str = "mirror.yml") -> str:
    """Return the path of the workflow in a mirror repository."""
    return f".github/workflows/{name}"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
