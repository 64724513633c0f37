"""What is kept for one person has bounds: drafts with their files, and questions."""

from dataclasses import replace
from pathlib import Path

from fakes import ANA, LI, POLICY, WEI, rendered, world

from bot.engine.intake.admission import DRAFTS_OF_A_PERSON, QUESTIONS_OF_A_PERSON
from bot.engine.intake.context import Attachment

PATIENT = replace(POLICY, minute_limit=1000)


async def test_a_person_has_a_few_drafts_with_files_at_a_time(tmp_path: Path) -> None:
    async with world(tmp_path, PATIENT) as w:
        for number in range(DRAFTS_OF_A_PERSON + 5):
            file = Attachment(f"file{number}", "compose.yaml", 1 << 20)
            await w.say(WEI, "/mirror", file=file)
        async with w.store.begin() as unit:
            assert len(await unit.open_drafts()) == DRAFTS_OF_A_PERSON
            notes = [rendered(note.text).html for note in await unit.notes()]
        assert len(notes) == 5
        assert notes[0].startswith(f"You have {DRAFTS_OF_A_PERSON} drafts that wait for you.")
        await w.say(LI, "/mirror", file=Attachment("other", "compose.yaml", 1 << 10))
        async with w.store.begin() as unit:
            assert len(await unit.open_drafts()) == DRAFTS_OF_A_PERSON + 1


async def test_a_person_has_a_few_questions_at_a_time(tmp_path: Path) -> None:
    async with world(tmp_path, PATIENT) as w:
        for number in range(QUESTIONS_OF_A_PERSON + 5):
            await w.say(WEI, f"/lookup nginx:{number}")
        async with w.store.begin() as unit:
            assert len(await unit.questions()) == QUESTIONS_OF_A_PERSON
            notes = [rendered(note.text).html for note in await unit.notes()]
        assert len(notes) == 5
        assert notes[0].startswith(f"I am still looking up {QUESTIONS_OF_A_PERSON} things for you")
        await w.say(ANA, "/lookup nginx:1")
        async with w.store.begin() as unit:
            assert len(await unit.questions()) == QUESTIONS_OF_A_PERSON + 1
