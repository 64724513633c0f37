"""The same conversations as test_screens.py plays, as people read them in issues.

UPDATE_SCREENS=1 pytest tests/dialog/test_issue_screens.py writes them anew.
"""

from pathlib import Path

import pytest
from fakes import POLICY, world
from issue_screen import IssueScreen
from test_screens import POLICIES, SITUATIONS, UPDATE

from bot.dialog.language import Language

SCREENS = Path(__file__).parent / "issue_screens"
PLAYED = [
    situation
    for situation in SITUATIONS
    if situation[:2] in {"01", "02", "03", "04", "06", "07", "08", "13", "14", "17"}
]


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("situation", PLAYED)
async def test_a_conversation_in_issues_looks_as_it_was_read_and_found_good(
    situation: str, language: Language, tmp_path: Path
) -> None:
    policy = POLICIES.get(situation, POLICY)
    async with world(tmp_path, policy, language=language) as here:
        screen = IssueScreen(here, language)
        await SITUATIONS[situation](screen)
    kept = SCREENS / f"{situation}.{language}.md"
    if UPDATE:
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(screen.text, "utf-8")
    assert screen.text == kept.read_text("utf-8")


def test_ten_conversations_are_kept_in_every_language() -> None:
    wanted = {f"{situation}.{language}.md" for situation in PLAYED for language in Language}
    assert {path.name for path in SCREENS.iterdir()} == wanted
    assert len(PLAYED) == 10
