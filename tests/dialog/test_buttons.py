"""What buttons carry, and that no other data is accepted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.telegram.rendering import DATA_LIMIT
from bot.core.decision import Ground
from bot.core.ids import RequestId, TransferId
from bot.core.image import ImageRef
from bot.core.request import PullFormat
from bot.dialog.buttons import (
    ApproveShown,
    AskReason,
    FollowImages,
    MirrorImage,
    PickWaiting,
    Pressed,
    RejectShown,
    ShowDigests,
    ShowDraftPage,
    ShowKept,
    ShowPullFormat,
    ShowWaitingPage,
    TakeBack,
    TakeNews,
    TakeSuggestion,
    ToggleImage,
    Verb,
    button_data,
    command_behind,
    parse_button,
    reason_key,
    tag_key,
)
from bot.dialog.command_values import Cancel, CommandName, Confirm, List, Retry
from bot.dialog.commands import FILTER_LIMIT

R41 = RequestId(41)
KEY = "a-Z_09xy"
NGINX = ImageRef.parse("nginx:1.27")


@pytest.mark.parametrize(
    ("arguments", "pressed"),
    [
        ((Verb.APPROVE, KEY), ApproveShown(KEY)),
        ((Verb.REJECT, KEY), RejectShown(KEY)),
        ((Verb.REJECT, KEY, reason_key("no")), RejectShown(KEY, reason_key("no"))),
        ((Verb.KEEP, KEY), ApproveShown(KEY, Ground.KEPT)),
        ((Verb.FLOATS, KEY), ApproveShown(KEY, Ground.FLOATS)),
        ((Verb.REASON, KEY), AskReason(KEY)),
        ((Verb.DIGESTS, KEY), ShowDigests(KEY)),
        ((Verb.SHOW, R41, 2), ShowWaitingPage(R41, 2, choosing=False)),
        ((Verb.CHOOSE, R41, 2), ShowWaitingPage(R41, 2, choosing=True)),
        ((Verb.PICK, R41, 5), PickWaiting(R41, TransferId(5))),
        ((Verb.ALL, R41), Confirm(R41)),
        ((Verb.PAGE, R41, 2), ShowDraftPage(R41, 2)),
        ((Verb.TICK, R41, 7), ToggleImage(R41, 7)),
        ((Verb.DROP, R41), Cancel(R41)),
        ((Verb.SUGGESTION, R41, 5, 1), TakeSuggestion(R41, TransferId(5), 1)),
        ((Verb.RETRY, R41), Retry(R41)),
        ((Verb.FORM, R41, PullFormat.KUBERNETES), ShowPullFormat(R41, PullFormat.KUBERNETES)),
        ((Verb.LIST, 3, "a:b c"), List("a:b c", 3)),
        ((Verb.LIST, 0, ""), List("", 0)),
        ((Verb.MIRROR, NGINX), MirrorImage(NGINX)),
        ((Verb.KEPT, 3), ShowKept(3)),
        ((Verb.UNKEEP, 3, tag_key(NGINX)), TakeBack(3, tag_key(NGINX))),
        ((Verb.TAKE, KEY), TakeNews(KEY)),
        ((Verb.ADMIT, KEY), TakeNews(KEY, approves=True)),
        ((Verb.FOLLOW, R41), FollowImages(R41)),
    ],
)
def test_a_button_is_taken_for_what_it_says(
    arguments: tuple[object, ...], pressed: Pressed
) -> None:
    data = button_data(*arguments)  # type: ignore[arg-type]
    assert parse_button(data) == pressed


@pytest.mark.parametrize(
    ("pressed", "command"),
    [
        (ApproveShown(KEY), CommandName.APPROVE),
        (TakeNews(KEY, approves=True), CommandName.APPROVE),
        (TakeNews(KEY), CommandName.MIRROR),
        (RejectShown(KEY), CommandName.REJECT),
        (FollowImages(R41), CommandName.FOLLOW),
        (TakeBack(3, tag_key(NGINX)), CommandName.UNKEEP),
    ],
)
def test_a_button_has_the_rights_of_a_command(pressed: Pressed, command: CommandName) -> None:
    assert command_behind(pressed) is command


@pytest.mark.parametrize(
    "data",
    [
        *("", "approve:", "approve:x", "approve:41\n", "cancel:41", "approve:٤١", "approve:4:1"),
        *(
            "approve:41",
            "reject:41",
            "approve:-_-_-_-",
            f"approve:{KEY}:00000000",
            f"reject:{KEY}:x",
        ),
        *("show:41", "pick:41", f"digests:{KEY}\n"),
        *("page:41", "tick:41", "tick:41:1:2", "meant:41:5", "form:41:tar", "form:x:docker"),
        *("list:x:a", "want:NGINX", "want:", "nonsense:1", "retry:" + "9" * 19, "form:1:2:docker"),
        *("kept:", "kept:1:2", "unkeep:1", "unkeep:1:xyz", "unkeep:1:" + "0" * 13),
    ],
)
def test_anything_else_is_no_button_of_ours(data: str) -> None:
    assert parse_button(data) is None


def test_the_longest_that_can_be_asked_for_fits_a_button() -> None:
    most = 10**18 - 1
    assert len(button_data(Verb.SUGGESTION, most, most, 99).encode()) <= DATA_LIMIT
    assert len(button_data(Verb.LIST, 10**6, "x" * FILTER_LIMIT).encode()) <= DATA_LIMIT


@given(st.text() | st.sampled_from(sorted(Verb)).flatmap(lambda v: st.text().map(f"{v}:".__add__)))
def test_no_data_whatever_raises(data: str) -> None:
    parse_button(data)
