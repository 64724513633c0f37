"""Everything that people paste, and exactly the images that are in it.

The pastes stand in tests/pastes/, each above what it has to give; README.md there says how.
"""

import pytest
from pasted import ALL, Paste

from bot.core.extract import Finding

ENOUGH = 70


def told(finding: Finding) -> str:
    """A finding in the words of the pastes."""
    lines = [str(image) for image in finding.images]
    for bad in finding.bad:
        if bad.correction is not None:
            lines.append(f"? {bad.text} = {bad.correction.image}")
        else:
            lines.append(f"! {bad.text} = {bad.problem}")
    return "".join(f"{line}\n" for line in lines)


def kind_told(finding: Finding) -> str:
    words = [str(finding.kind), "" if finding.sure else "unsure", str(finding.trouble or "")]
    return " ".join(word for word in words if word)


@pytest.mark.parametrize("paste", ALL, ids=[paste.title for paste in ALL])
def test_a_paste_gives_exactly_its_images_and_none_besides(paste: Paste) -> None:
    finding = paste.finding()
    assert told(finding) == paste.expected
    assert kind_told(finding) == paste.kind


def test_there_are_enough_pastes_and_no_two_are_called_alike() -> None:
    assert len(ALL) >= ENOUGH
    assert len({paste.title for paste in ALL}) == len(ALL)
