"""The pastes of tests/paste/pastes/, each with its expected findings: see README.md there."""

import re
from dataclasses import dataclass
from pathlib import Path

from bot.paste import Finding, extract, extract_file

PASTES = Path(__file__).parent / "paste" / "pastes"
HOST = "harbor.example.com"


@dataclass(frozen=True)
class Paste:
    title: str
    name: str
    kind: str
    text: str
    expected: str

    def finding(self) -> Finding:
        if self.name:
            return extract_file(self.text.encode(), target_host=HOST, name=self.name)
        return extract(self.text, target_host=HOST)


def pastes() -> list[Paste]:
    found = []
    for path in sorted(PASTES.glob("*.txt")):
        for block in re.split(r"^===== ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            head, _, rest = block.partition("\n")
            title, name, kind = (part.strip() for part in head.split("|"))
            text, _, expected = rest.partition("\n-----\n")
            found.append(Paste(title, name, kind, f"{text}\n", expected))
    return found


ALL = pastes()
