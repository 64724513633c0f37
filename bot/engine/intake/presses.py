"""Which use case handles which button. What a button carries is in dialog/buttons.py."""

from typing import Protocol, assert_never

from bot.dialog.buttons import (
    ApproveShown,
    AskReason,
    Deciding,
    MirrorImage,
    Opening,
    PickWaiting,
    Pressed,
    RejectShown,
    ShowDigests,
    ShowDraftPage,
    ShowPullFormat,
    ShowWaitingPage,
    TakeSuggestion,
    ToggleImage,
)
from bot.dialog.commands import Cancel, Confirm, List, Retry
from bot.engine.intake import cancel, decide, draft, result_form, retry, showing
from bot.engine.intake.context import Context, Outcome


class PressUnit(
    showing.ShowingUnit,
    decide.DecideUnit,
    cancel.CancelUnit,
    draft.DraftUnit,
    retry.RetryUnit,
    result_form.FormUnit,
    Protocol,
):
    """What the use cases read and write together."""


async def outcome(context: Context[PressUnit], pressed: Pressed) -> Outcome:
    """Do what the button asks for. Lists, digests and new requests are answered elsewhere."""
    match pressed:
        case ApproveShown() | RejectShown() | AskReason() | ShowWaitingPage() | PickWaiting():
            return await _on_waiting(context, pressed)
        case Cancel():
            return await cancel.cancel(context, pressed)
        case Confirm(number):
            return await draft.confirm(context, number)
        case ShowDraftPage():
            return await draft.turn(context, pressed)
        case ToggleImage():
            return await draft.tick(context, pressed)
        case TakeSuggestion():
            return await retry.take_suggestion(context, pressed)
        case Retry(number):
            return await retry.retry(context, number)
        case ShowPullFormat():
            return await result_form.change_form(context, pressed)
        case List() | MirrorImage() | ShowDigests():
            raise TypeError(f"{pressed!r} has no outcome in words")
        case never:
            assert_never(never)


async def _on_waiting(context: Context[PressUnit], pressed: Deciding | Opening) -> Outcome:
    """The buttons of the images that wait for a decision."""
    match pressed:
        case ApproveShown() | RejectShown():
            return await decide.press(context, pressed)
        case ShowWaitingPage():
            return await showing.open_waiting(context, pressed)
        case PickWaiting():
            return await showing.pick(context, pressed)
        case AskReason():
            return await showing.ask_reason(context, pressed)
        case never:
            assert_never(never)
