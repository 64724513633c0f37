"""Which use case handles which button. What a button carries is in dialog/buttons.py."""

from typing import Protocol, assert_never

from bot.dialog.buttons import (
    ApproveShown,
    AskReason,
    Deciding,
    FollowImages,
    MirrorImage,
    Opening,
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
)
from bot.dialog.command_values import Cancel, Confirm, List, Retry
from bot.dialog.message import Phrase, Text, say
from bot.engine.intake import (
    cancel,
    card_pages,
    card_press,
    decide,
    draft,
    follow,
    mirror,
    questions,
    result_form,
    retry,
    unkeep,
)
from bot.engine.intake.context import Context, Outcome
from bot.engine.ports.outbox import NewNotes


class PressUnit(
    unkeep.UnkeepPressUnit,
    follow.TakeNewsUnit,
    questions.AskUnit,
    cancel.CancelUnit,
    draft.DraftUnit,
    card_pages.CardPagesUnit,
    mirror.MirrorUnit,
    decide.DecideUnit,
    result_form.FormUnit,
    retry.RetryUnit,
    follow.FollowImagesUnit,
    NewNotes,
    Protocol,
):
    """What the use cases read and write together."""


async def answer(context: Context[PressUnit], pressed: Pressed) -> Phrase | None:
    """Do what the button asks for. Returns the text of the popup, or None for none."""
    match pressed:
        case ApproveShown() | RejectShown() | AskReason() | ShowWaitingPage() | PickWaiting():
            outcome = await _on_waiting(context, pressed)
        case Cancel():
            outcome = await cancel.cancel(context, pressed)
        case Confirm(number):
            outcome = await draft.confirm(context, number)
        case ShowDraftPage():
            outcome = await draft.turn(context, pressed)
        case ToggleImage():
            outcome = await draft.tick(context, pressed)
        case TakeSuggestion():
            outcome = await retry.take_suggestion(context, pressed)
        case Retry(number):
            outcome = await retry.retry(context, number)
        case ShowPullFormat():
            outcome = await result_form.change_form(context, pressed)
        case (
            List()
            | MirrorImage()
            | TakeNews()
            | FollowImages()
            | ShowDigests()
            | ShowKept()
            | TakeBack()
        ):
            return await _begin(context, pressed)
        case never:
            assert_never(never)
    return outcome.words


async def _on_waiting(context: Context[PressUnit], pressed: Deciding | Opening) -> Outcome:
    """The buttons of the images that wait for a decision."""
    match pressed:
        case ApproveShown() | RejectShown():
            return await decide.press(context, pressed)
        case ShowWaitingPage():
            return await card_pages.open_waiting(context, pressed)
        case PickWaiting():
            return await card_pages.pick(context, pressed)
        case AskReason():
            return await card_pages.ask_reason(context, pressed)
        case never:
            assert_never(never)


async def _begin(
    context: Context[PressUnit],
    pressed: List | MirrorImage | TakeNews | FollowImages | ShowDigests | ShowKept | TakeBack,
) -> Phrase | None:
    """Begin what a press asks for. Its answer comes later, as a message or as an edit of one."""
    if isinstance(pressed, MirrorImage):
        answer = await mirror.submit(context, [pressed.image])
        return say("wanted") if answer is None else answer.lines[0]
    if isinstance(pressed, FollowImages):
        return (await follow.follow_images(context, pressed)).words
    if isinstance(pressed, TakeNews):
        return (await follow.take(context, pressed)).words
    if isinstance(pressed, ShowDigests):
        return await _send_digests(context, pressed)
    # A press may be forged: it must not overwrite a card or a result with a list.
    if await context.unit.request_shown(context.place.chat, context.message) is not None:
        return say("button-unknown")
    if isinstance(pressed, ShowKept | TakeBack):
        return await unkeep.press(context, pressed)
    await questions.ask_for_list(context, pressed, edits=context.message)
    return None


async def _send_digests(context: Context[PressUnit], pressed: ShowDigests) -> Phrase | None:
    message = await card_pages.digests(context, pressed)
    if message is None:
        return (await card_press.refuse(context)).words
    text = Text(message, context.language)
    await context.unit.add_note(context.place, text, reply_to=context.message)
    return None
