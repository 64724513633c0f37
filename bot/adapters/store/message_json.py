"""Messages as JSON, for the notes that wait to be sent. Strict: nothing is guessed.

A phrase is {"key": …, "values": {…}}, and a moment {"time": …, "seen": …}.
"""

import json
from datetime import datetime
from typing import Any

from bot.dialog.language import Language
from bot.dialog.message import Button, ButtonKind, Message, Moment, Phrase, Text, Value


def to_json(text: Text) -> str:
    rows = [
        [{"label": _of(each.label), "kind": each.kind, "value": each.value} for each in row]
        for row in text.message.buttons
    ]
    lines = [_of(line) for line in text.message.lines]
    return json.dumps({"language": text.language, "lines": lines, "buttons": rows})


def from_json(data: str) -> Text:
    """Raises ValueError, KeyError or TypeError for what `to_json` does not write."""
    found = json.loads(data)
    lines = tuple(_phrase(line) for line in found["lines"])
    rows = tuple(
        tuple(
            Button(_phrase(each["label"]), ButtonKind(each["kind"]), each["value"]) for each in row
        )
        for row in found["buttons"]
    )
    return Text(Message(lines, rows), Language(found["language"]))


def _of(value: Value) -> object:
    match value:
        case Phrase(key, values):
            return {"key": key, "values": {name: _of(each) for name, each in values}}
        case Moment(time, seen):
            return {"time": time.isoformat(), "seen": seen and seen.isoformat()}
        case _:
            return value


def _phrase(found: Any) -> Phrase:
    values = found["values"].items()
    return Phrase(found["key"], tuple((name, _value(each)) for name, each in values))


def _value(found: Any) -> Value:
    match found:
        case str() | int():
            return found
        case {"time": str(time), "seen": seen}:
            return Moment(
                datetime.fromisoformat(time), None if seen is None else datetime.fromisoformat(seen)
            )
        case _:
            return _phrase(found)
