"""The fingerprint of a text changes with what people read, and with nothing else."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.dialog.language import Language
from bot.dialog.message import Button, ButtonKind, Message, Moment, Text, say

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LABEL = say("button-copy")


TODAY = Moment(NOON, NOON)


def text(moment: Moment = TODAY, value: str = "x", key: str = "a") -> Text:
    row = (Button(LABEL, ButtonKind.COPY, value),)
    return Text(Message((say(key, time=say("b", time=moment)),), (row,)), Language.EN)


SAME = [Moment(NOON + timedelta(seconds=59), NOON), Moment(NOON, NOON + timedelta(hours=11))]


@pytest.mark.parametrize("moment", SAME)
def test_seconds_and_the_time_of_a_look_are_not_seen(moment: Moment) -> None:
    assert text(moment).fingerprint == text().fingerprint


OTHERS = [
    text(Moment(NOON + timedelta(minutes=1), NOON)),
    text(Moment(NOON, NOON + timedelta(hours=12))),
    text(Moment(NOON)),
    text(value="y"),
    text(key="c"),
    Text(text().message, Language.ZH_CN),
    Text(Message(text().message.lines), Language.EN),
]


def test_what_people_read_differently_differs() -> None:
    prints = {each.fingerprint for each in [text(), *OTHERS]}
    assert len(prints) == len(OTHERS)  # a moment without a look has its date, as on another day
    assert text(Moment(NOON)).fingerprint != text().fingerprint
