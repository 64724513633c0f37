"""The files that `setup` installs in a mirror repository: mirror.yml and the package `mirror`.

`setup` writes these files, the bot compares the repository with them, and the tests run them.
mirror.yml in this folder is a template. Branch, list, version and the hashes of the package are
filled in here.
"""

import hashlib
from functools import cache
from importlib import resources
from typing import Final

FOLDER: Final = ".github/mirror"
REPLACED: Final = (".github/mirror.py",)
"""Files of earlier versions that `setup` removes."""
_FILES_INDENT: Final = "\n" + " " * 12


@cache
def package() -> dict[str, bytes]:
    """Return the files of the package by their path in a mirror repository."""
    folder = resources.files("bot.workflow").joinpath("mirror")
    modules = sorted((each for each in folder.iterdir() if each.name.endswith(".py")), key=str)
    return {f"{FOLDER}/{module.name}": module.read_bytes() for module in modules}


def workflow(branch: str, image_list: str) -> bytes:
    """Return mirror.yml for a repository whose list is `image_list` on `branch`."""
    text = resources.files("bot.workflow").joinpath("mirror.yml").read_text(encoding="utf-8")
    hashes = [f"{_sha256(content)}  {path}" for path, content in package().items()]
    filled = {
        "<version>": version(),
        "<branch>": branch,
        "<list>": image_list,
        "<files>": _FILES_INDENT.join(hashes),
    }
    for mark, value in filled.items():
        text = text.replace(mark, value)
    return text.encode()


@cache
def version() -> str:
    """Return 12 hexadecimal digits that change with each file of the workflow."""
    template = resources.files("bot.workflow").joinpath("mirror.yml").read_bytes()
    hashes = [f"{path} {_sha256(content)}\n" for path, content in package().items()]
    return _sha256(template + "".join(hashes).encode())[:12]


def files(branch: str, image_list: str, name: str = "mirror.yml") -> dict[str, bytes]:
    """Return everything that is installed, by path. `name` is the workflow's file name."""
    return {**package(), **workflow_file(branch, image_list, name)}


def workflow_file(branch: str, image_list: str, name: str = "mirror.yml") -> dict[str, bytes]:
    """Return the workflow alone, by its path."""
    return {f".github/workflows/{name}": workflow(branch, image_list)}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
