"""Use case: open a request for the images of a text, a file or a quoted message."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from bot.core.draft import IMAGES_TAKEN_WITHOUT_ASKING, draft_of
from bot.core.gathering import Cut
from bot.core.image import ImageRef
from bot.dialog import answers
from bot.dialog.command_values import CommandName
from bot.dialog.message import Message
from bot.engine.intake import admission, gather
from bot.engine.intake.context import Context, Incoming
from bot.engine.intake.opening import open_request
from bot.paste import Finding, extract


class MirrorUnit(gather.GatherUnit, Protocol):
    """What this use case reads and writes."""


async def mirror(context: Context[MirrorUnit], text: str, incoming: Incoming) -> Message | None:
    """Take the file and the text of the message. If neither names images, what it replies to."""
    if incoming.file is None and _may_be_cut(context, incoming.text):
        return await gather.gather_text(context, text, incoming)
    finding = _found(context, text)
    if incoming.file is not None:
        answer = await gather.gather_file(context, incoming.file, incoming)
        return await _take_text(context, text, finding) if _names_images(finding) else answer
    if not _names_images(finding):  # such as "/mirror this, please" in a reply
        if incoming.quoted.strip():
            return await _take_quoted(context, incoming.quoted)
        if incoming.quoted_file is not None:
            return await gather.gather_file(context, incoming.quoted_file, incoming)
    return await _take_text(context, text, finding)


async def take(context: Context[MirrorUnit], incoming: Incoming) -> Message | None:
    """Take a message without a command, as in a private chat: always with a draft."""
    if incoming.file is not None:
        return await gather.gather_file(context, incoming.file, incoming)
    if _may_be_cut(context, incoming.text):
        return await gather.gather_text(context, incoming.text, incoming)
    finding = replace(_found(context, incoming.text), certain=False)
    return await _take_text(context, incoming.text, finding)


def _may_be_cut(context: Context[MirrorUnit], text: str) -> bool:
    cuts = context.service.cuts
    return cuts is not None and cuts.may_be(text)


def _found(context: Context[MirrorUnit], text: str) -> Finding:
    return extract(text, target_host=context.installation.target.host)


async def _take_quoted(context: Context[MirrorUnit], text: str) -> Message | None:
    """Take the text of another message. If that was cut, its rest is in a message of its own."""
    finding, cuts = _found(context, text), context.service.cuts
    cut = Cut.TEXT if cuts is not None and cuts.probably(text) else None
    return await _take_text(context, text, finding, cut=cut)


def _names_images(finding: Finding) -> bool:
    """Whether the text means images, rather than being a remark with words like images."""
    if any(image not in finding.untagged for image in finding.images):
        return True
    return finding.certain and (bool(finding.images) or any(bad.correction for bad in finding.bad))


async def _take_text(
    context: Context[MirrorUnit], pasted: str, finding: Finding, *, cut: Cut | None = None
) -> Message | None:
    if not pasted.strip():
        return answers.misuse(CommandName.MIRROR)
    if not finding.images and not any(bad.correction for bad in finding.bad):
        return _nothing_to_do(finding)
    sure = finding.certain and not finding.bad and cut is None
    if sure and len(finding.images) <= IMAGES_TAKEN_WITHOUT_ASKING:
        return await submit(
            context, finding.images, untagged=finding.untagged, charts=finding.charts
        )
    return await _offer(context, finding, cut)


def _nothing_to_do(finding: Finding) -> Message:
    if finding.bad:
        return answers.unreadable(finding.bad, command=CommandName.MIRROR)
    if finding.flaw is not None:
        return answers.bad_file(finding.flaw, "")
    return answers.nothing_found(file="")


async def _offer(context: Context[MirrorUnit], finding: Finding, cut: Cut | None) -> Message | None:
    rulings = admission.rulings_on(context, finding.images)
    if rulings and not finding.bad and admission.all_denied(rulings):
        return answers.all_denied(rulings)
    if (limit := await admission.too_many_drafts(context)) is not None:
        return Message((limit,))
    request = await open_request(
        context, confirmed=False, untagged=finding.untagged, charts=finding.charts
    )
    await context.unit.save_draft(request.id, draft_of(finding.images, finding.bad, cut=cut))
    return None


async def submit(
    context: Context[MirrorUnit],
    images: Sequence[ImageRef],
    *,
    untagged: tuple[ImageRef, ...] = (),
    charts: tuple[ImageRef, ...] = (),
) -> Message | None:
    """Open a request. The answer is None where the card says everything.

    `untagged` and `charts`: as in core/request.py.
    """
    rulings = admission.rulings_on(context, images)
    if admission.all_denied(rulings):
        return answers.all_denied(rulings)
    limit = await admission.passed_limit(context, len(images))
    if limit is not None:
        return Message((limit,))
    request = await open_request(context, confirmed=True, untagged=untagged, charts=charts)
    await context.unit.link(
        request.id, await admission.open_transfers(context, request.id, rulings)
    )
    return None
