"""Use case: open a request for the images of a text, a file or a quoted message."""

from collections.abc import Sequence
from typing import Protocol

from bot.core.draft import IMAGES_TAKEN_WITHOUT_ASKING, Draft, draft_of
from bot.core.image import ImageRef
from bot.core.request import Request
from bot.dialog import answers
from bot.dialog.commands import CommandName
from bot.dialog.message import Message
from bot.engine.intake import admission
from bot.engine.intake.context import Attachment, Context, Incoming
from bot.engine.ports.store import File, NewRequest, OpensRequests, SavesDrafts, SavesFiles
from bot.paste import PASTE_SIZE_LIMIT, Finding, Flaw, extract


class MirrorUnit(OpensRequests, SavesDrafts, SavesFiles, admission.AdmissionUnit, Protocol):
    """What this use case reads and writes."""


async def mirror(context: Context[MirrorUnit], text: str, incoming: Incoming) -> Message | None:
    """Take the file and the text of the message. If neither names images, what it replies to."""
    finding = extract(text, target_host=context.installation.target.host)
    if incoming.file is not None:
        answer = await _take_file(context, incoming.file)
        return await _take_text(context, text, finding) if _names_images(finding) else answer
    if not _names_images(finding):  # such as "/mirror this, please" in a reply
        if incoming.quoted.strip():
            text = incoming.quoted
            finding = extract(text, target_host=context.installation.target.host)
        elif incoming.quoted_file is not None:
            return await _take_file(context, incoming.quoted_file)
    return await _take_text(context, text, finding)


def _names_images(finding: Finding) -> bool:
    """Whether the text means images, rather than being a remark with words like images."""
    if any(image not in finding.untagged for image in finding.images):
        return True
    return finding.certain and (bool(finding.images) or any(bad.correction for bad in finding.bad))


async def _take_text(context: Context[MirrorUnit], pasted: str, finding: Finding) -> Message | None:
    if not pasted.strip():
        return answers.misuse(CommandName.MIRROR)
    if not finding.images and not any(bad.correction for bad in finding.bad):
        return _nothing_to_do(finding)
    if not finding.bad and finding.certain and len(finding.images) <= IMAGES_TAKEN_WITHOUT_ASKING:
        return await submit(context, finding.images, bare=finding.untagged)
    return await _offer(context, finding)


def _nothing_to_do(finding: Finding) -> Message:
    if finding.bad:
        return answers.unreadable(finding.bad, command=CommandName.MIRROR)
    if finding.flaw is not None:
        return answers.bad_file(finding.flaw, "")
    return answers.nothing_found(file="")


async def _take_file(context: Context[MirrorUnit], file: Attachment) -> Message | None:
    """Open a draft without images. The files lane adds them after it has fetched the file."""
    if file.size > PASTE_SIZE_LIMIT:
        return answers.bad_file(Flaw.TOO_LARGE, file.name)
    if (limit := await admission.too_many_drafts(context)) is not None:
        return Message((limit,))
    request = await _open(context, confirmed=False)
    await context.unit.save_draft(request.id, Draft(file=file.name))
    kept = File(request=request.id, name=file.name, file_id=file.file_id)
    await context.unit.save_file(kept)
    return None


async def _offer(context: Context[MirrorUnit], finding: Finding) -> Message | None:
    rulings = admission.rulings_on(context, finding.images)
    if rulings and not finding.bad and admission.all_denied(rulings):
        return answers.all_denied(rulings)
    if (limit := await admission.too_many_drafts(context)) is not None:
        return Message((limit,))
    request = await _open(context, confirmed=False, bare=finding.untagged)
    await context.unit.save_draft(request.id, draft_of(finding.images, finding.bad))
    return None


async def _open(
    context: Context[MirrorUnit], *, confirmed: bool, bare: tuple[ImageRef, ...] = ()
) -> Request:
    return await context.unit.open_request(
        NewRequest(
            person=context.person.id,
            place=context.place,
            message=context.message,
            opened_at=context.now,
            confirmed_at=context.now if confirmed else None,
            untagged=bare,
        )
    )


async def submit(
    context: Context[MirrorUnit], images: Sequence[ImageRef], *, bare: tuple[ImageRef, ...] = ()
) -> Message | None:
    """Open a request. The answer is None where the card says everything.

    `bare` are the images that were named without a tag.
    """
    rulings = admission.rulings_on(context, images)
    if admission.all_denied(rulings):
        return answers.all_denied(rulings)
    limit = await admission.passed_limit(context, len(images))
    if limit is not None:
        return Message((limit,))
    request = await _open(context, confirmed=True, bare=bare)
    await context.unit.link(request.id, await admission.open_transfers(context, rulings))
    return None
