"""What people type where there are no buttons does the same as the press."""

import pytest

from bot.core.decision import Ground
from bot.core.ids import RequestId
from bot.core.image import ImageRef
from bot.core.request import PullFormat
from bot.dialog.buttons import Verb, button_data, callback_button
from bot.dialog.command_values import (
    Approve,
    Cancel,
    Command,
    Confirm,
    List,
    Mirror,
    Reject,
    Retry,
)
from bot.dialog.commands import parse
from bot.dialog.decision_answers import key_needed
from bot.dialog.message import say
from bot.dialog.typed_buttons import command_of, typed_instead

KEY = "aB3_-x9Q"
R41 = RequestId(41)


@pytest.mark.parametrize(
    ("data", "command"),
    [
        (button_data(Verb.APPROVE, KEY), Approve(R41, KEY)),
        (button_data(Verb.KEEP, KEY), Approve(R41, KEY, Ground.KEPT)),
        (button_data(Verb.FLOATS, KEY), Approve(R41, KEY, Ground.FLOATS)),
        (button_data(Verb.REJECT, KEY), Reject(R41, KEY, KEY)),
        (button_data(Verb.ALL, 41), Confirm(R41)),
        (button_data(Verb.DROP, 41), Cancel(R41)),
        (button_data(Verb.RETRY, 41), Retry(R41)),
        (button_data(Verb.LIST, 0, "nginx"), List("nginx")),
        (
            button_data(Verb.MIRROR, ImageRef.parse("nginx:1.27")),
            Mirror("docker.io/library/nginx:1.27"),
        ),
    ],
)
def test_the_command_is_read_as_what_the_button_means(data: str, command: Command) -> None:
    typed = typed_instead(data, R41)
    assert typed is not None
    read = parse(typed, me="bot", target_host="harbor.example.com")
    assert read is not None
    assert read.parsed == command


@pytest.mark.parametrize(
    "data",
    [
        button_data(Verb.SHOW, 41, 1),
        button_data(Verb.REASON, KEY),
        button_data(Verb.REJECT, KEY, "0123abcd"),
        button_data(Verb.LIST, 1, "nginx"),
        button_data(Verb.FORM, 41, PullFormat.DOCKER),
        "nonsense",
    ],
)
def test_what_only_changes_what_is_shown_has_no_command(data: str) -> None:
    assert typed_instead(data, R41) is None


@pytest.mark.parametrize(
    ("name", "command"), [("nginx:1.27", "/mirror nginx:1.27"), ("nginx:1.2 → 1.27", None)]
)
def test_a_suggested_image_is_asked_for_by_its_name(name: str, command: str | None) -> None:
    button = callback_button(Verb.SUGGESTION, 41, 7, 0, label=say("button-meant", image=name))
    assert command_of(button, R41) == command
    assert command_of(callback_button(Verb.RETRY, 41), R41) == "/retry 41"


def test_a_decision_without_its_request_has_no_command() -> None:
    assert typed_instead(button_data(Verb.APPROVE, KEY), None) is None


def test_a_decision_without_the_key_is_answered_with_the_command_to_copy() -> None:
    for typed, command in (
        (Approve(R41), f"/approve 41 {KEY}"),
        (Reject(R41, "too old"), f"/reject 41 {KEY} too old"),
        (Reject(R41), f"/reject 41 {KEY}"),
    ):
        assert say("command-line", command=command) in key_needed(typed, KEY).lines
