"""The systemd unit: systemd accepts it, and finds little that it exposes."""

import re
from pathlib import Path

import pytest
from debian import ROOT, done, need

pytestmark = pytest.mark.packaging
UNIT = ROOT / "deploy/imageto-bot.service"
EXPOSURE = 1.5
"""Of 10, by `systemd-analyze security`. Most services of Debian have 9."""


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    need("systemd-analyze")
    unit = tmp_path / UNIT.name  # with a program that is there
    unit.write_text(UNIT.read_text().replace("/opt/imageto-bot/bin/imageto-bot", "/bin/true"))
    assert done("systemd-analyze", "verify", unit) == ""


def test_the_unit_exposes_little() -> None:
    need("systemd-analyze")
    said = done("systemd-analyze", "security", "--offline=true", "--no-pager", UNIT)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
    assert found is not None
    assert float(found[1]) <= EXPOSURE
