"""What the maintainer reads of each defect, in private and in a group."""

from datetime import UTC, datetime

import pytest

from bot.adapters.telegram.rendering import TelegramWords
from bot.adapters.words import Maintainer
from bot.core.defect import Defect, DefectKind
from bot.core.ids import PersonId
from bot.dialog.defects import defects
from bot.dialog.language import Language

WORDS = TelegramWords(maintainer=Maintainer("Ana", PersonId("telegram:1003")))
UNTIL = datetime(2026, 12, 9, 8, tzinfo=UTC)


def said(*found: Defect, private: bool, language: Language = Language.EN) -> list[str]:
    return WORDS.render(defects(found, private=private), language).html.splitlines()


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", DefectKind)
def test_each_has_a_cause_and_a_next_step(kind: DefectKind, language: Language) -> None:
    cause, step = said(Defect(kind, "quay.io"), private=True, language=language)
    assert cause.endswith((".", "。"))
    assert step.endswith((".", "。"))
    assert len(cause) < 120


def test_what_is_private_is_told_in_private_alone() -> None:
    ends = Defect(DefectKind.TARGET_EXPIRY, until=UNTIL)
    fills = Defect(DefectKind.QUOTA, "team", used=9_600_000_000, quota=10_000_000_000)
    waits = Defect(DefectKind.RUNNER, url="https://github.example.com/runs/7")
    refused = Defect(DefectKind.STATEMENTS, line="403: DENIED")
    private = said(ends, fills, waits, refused, private=True)
    assert private[2::3] == [
        "It ends at 2026-12-09 08:00 UTC.",
        "9.6 GB of 10.0 GB are used.",
        "https://github.example.com/runs/7",
        "It says: 403: DENIED",
    ]
    call, *public = said(ends, fills, waits, refused, private=False)
    assert call == '<a href="tg://user?id=1003">Ana</a>, this needs you:'
    assert public == [line for number, line in enumerate(private) if number % 3 < 2]
