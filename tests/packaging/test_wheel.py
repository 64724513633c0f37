"""The wheel: it holds every file of the product, has the version, and starts as it is."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from debian import ROOT, done

from bot import __version__

pytestmark = pytest.mark.packaging


def test_the_wheel_is_the_product_of_this_version(tmp_path: Path) -> None:
    done(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", tmp_path, ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name == f"imageto_bot-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as file:
        names = {name for name in file.namelist() if name.startswith("bot/")}
        file.extractall(tmp_path / "there")
    kept = done("git", "-C", ROOT, "ls-files", "bot").split()
    assert names == set(kept)
    said = subprocess.run(
        [sys.executable, "-m", "bot", "--version"],
        cwd=tmp_path / "there",
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert __version__ in said
