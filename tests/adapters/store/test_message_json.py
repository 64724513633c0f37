"""The JSON of messages: what was written is read, and nothing else."""

import json
from datetime import UTC, datetime

import pytest
from fakes import plain

from bot.adapters.store.message_json import from_json, to_json
from bot.dialog.language import Language
from bot.dialog.message import Button, ButtonKind, Message, Moment, Text, say

TIME = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
INNER = say("images", images="nginx <b>", count=2, at=Moment(TIME), seen=Moment(TIME, TIME))
ROWS = ((Button(say("button-copy", of=INNER), ButtonKind.COPY, "x"),), ())


@pytest.mark.parametrize(
    "text", [plain("x"), Text(Message((say("a", within=INNER), say("b")), ROWS), Language.ZH_CN)]
)
def test_what_was_written_is_read(text: Text) -> None:
    assert from_json(to_json(text)) == text
    assert from_json(to_json(text)).fingerprint == text.fingerprint


@pytest.mark.parametrize(
    "change",
    [
        {"language": "fr"},
        {"lines": [{"key": "x"}]},
        {"lines": [{"key": "x", "values": {"y": None}}]},
        {"lines": [{"key": "x", "values": {"y": {"time": "noon", "seen": None}}}]},
        {"lines": [{"key": "x", "values": {"y": {"time": 3, "seen": None}}}]},
        {"buttons": [[{"label": {"key": "x", "values": {}}, "kind": "mine", "value": "x"}]]},
    ],
)
def test_anything_else_is_refused(change: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        from_json(json.dumps(json.loads(to_json(plain("x"))) | change))
