"""The documents say what the code does."""

import re
from pathlib import Path

from bot.config import Settings
from bot.core.commands import COMMANDS
from bot.core.transfer import TRANSITIONS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_picture_of_the_states_is_the_table() -> None:
    drawn = set(re.findall(r"^    (\w+) --> (\w+): (\w+)$", README, re.MULTILINE))
    table = {
        (str(state), str(after), event.__name__)
        for state, row in TRANSITIONS.items()
        for event, states in row.items()
        for after in states
    }
    assert drawn == table


def test_the_readme_names_every_command_and_section() -> None:
    for spec in COMMANDS:
        usage = f"/{spec.name} {spec.arguments}".strip().replace("|", r"\|")
        assert f"`{usage}`" in README
    for section in Settings.model_fields:
        assert f"| `{section}` |" in README


def test_the_readme_names_only_targets_that_there_are() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z]+)`?", README)) <= targets | {"has"}


def test_links_between_documents_lead_somewhere() -> None:
    for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
            assert (path.parent / link).exists(), f"{path.name}: {link}"
