"""Use case: gather what arrives in several messages, to be read as one: see core/gathering.py."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from bot.core.draft import Draft
from bot.core.gathering import (
    KEPT_AFTER,
    PART_PAUSE,
    Cut,
    Gathering,
)
from bot.core.ids import RequestId
from bot.core.service import units
from bot.dialog import answers
from bot.dialog.message import Message
from bot.engine.intake import admission
from bot.engine.intake.context import Attachment, Context, Incoming
from bot.engine.intake.opening import OpeningUnit, open_request
from bot.engine.ports.files import File, Gatherings, HeardFile, SavesDrafts
from bot.paste import PASTE_SIZE_LIMIT, Flaw


class GatherUnit(
    Gatherings,
    SavesDrafts,
    OpeningUnit,
    admission.DraftCountUnit,
    admission.AdmissionUnit,
    Protocol,
):
    """What this use case reads and writes."""


async def gather_text(
    context: Context[GatherUnit], text: str, incoming: Incoming
) -> Message | None:
    """Open a draft for a text that may go on in the next message."""
    cuts = context.service.cuts
    missing = cuts is not None and cuts.probably(incoming.text) and not incoming.hears_all
    opened = await _open(
        context, incoming, length=_length(context, incoming.text), cut=Cut.TEXT if missing else None
    )
    if isinstance(opened, Message):
        return opened
    await _save_text(context.unit, opened.request, 0, text)
    return None


async def gather_file(
    context: Context[GatherUnit], file: Attachment, incoming: Incoming
) -> Message | None:
    """Open a draft for a file, and for the other files of its album."""
    if file.size > PASTE_SIZE_LIMIT and not file.album:
        return answers.bad_file(Flaw.TOO_LARGE, file.name)
    own = file == incoming.file
    if own and await add_part(context, incoming):
        return None
    album = file.album if own else ""  # the others of a quoted album came long ago
    files = [*await _heard(context, album), file]
    missing = file.album and len(files) == 1 and not (own and incoming.hears_all)
    opened = await _open(
        context, incoming, album=album, parts=len(files), cut=Cut.ALBUM if missing else None
    )
    if isinstance(opened, Message):
        return opened
    await _save_files(context.unit, opened.request, 0, files)
    return None


async def add_part(context: Context[GatherUnit], incoming: Incoming) -> bool:
    """Add a message to what is gathered. False where it is not the next part of anything."""
    file, unit, sent_at = incoming.file, context.unit, incoming.sent_at
    if file is not None and not file.album:
        return False
    album = file.album if file is not None else ""
    found = await unit.gatherings_of(context.person.id, context.place)
    gathering = next((g for g in found if g.takes(sent_at=sent_at, album=album)), None)
    if gathering is None:
        return False
    length = _length(context, incoming.text) if file is None else 0
    await unit.save_gathering(gathering.with_part(sent_at=sent_at, now=context.now, length=length))
    if gathering.is_full(sent_at):
        return True
    if file is None:
        await _save_text(unit, gathering.request, gathering.parts, incoming.text)
    else:
        await _save_files(unit, gathering.request, gathering.parts, [file])
    return True


async def was_cut_off(unit: Gatherings, incoming: Incoming) -> bool:
    """Whether a text that begins as a command is the rest of one that an app has cut.

    Whoever wrote what an admin pastes can choose where it is cut. So no such command is obeyed.
    """
    if incoming.file is not None:
        return False
    found = await unit.gatherings_of(incoming.person.id, incoming.place)
    return any(each.takes(sent_at=incoming.sent_at, album="") for each in found)


async def hear(context: Context[GatherUnit], file: Attachment) -> None:
    """Keep a file of an album for a while: its command may come with one of the other files."""
    heard = HeardFile(
        album=file.album,
        person=context.person.id,
        chat=context.place.chat,
        name=file.name,
        file_id=file.file_id,
        size=file.size,
        at=context.now,
    )
    await context.unit.add_heard_file(heard, since=context.now - KEPT_AFTER)


async def _heard(context: Context[GatherUnit], album: str) -> list[Attachment]:
    """The files of this album that came before, without a command."""
    if not album:
        return []
    found = await context.unit.take_heard_files(album, context.person.id, context.place.chat)
    return [Attachment(each.file_id, each.name, each.size, each.album) for each in found]


def _length(context: Context[GatherUnit], text: str) -> int:
    cuts = context.service.cuts
    return units(text) if cuts is not None and cuts.may_be(text) else 0


async def _open(
    context: Context[GatherUnit],
    incoming: Incoming,
    *,
    album: str = "",
    parts: int = 1,
    length: int = 0,
    cut: Cut | None,
) -> Gathering | Message:
    """Begin to gather for a new draft. Otherwise the answer that says why not."""
    if (limit := await admission.too_many_drafts(context)) is not None:
        return Message((limit,))
    request = await open_request(context, confirmed=False)
    await context.unit.save_draft(request.id, Draft())
    grows = album or length
    gathering = Gathering(
        request=request.id,
        first_at=incoming.sent_at,
        sent_at=incoming.sent_at,
        until=context.now + (PART_PAUSE if grows else timedelta(0)),
        album=album,
        parts=parts,
        length=length,
        cut=cut,
    )
    await context.unit.save_gathering(gathering)
    return gathering


async def _save_text(unit: GatherUnit, request: RequestId, position: int, text: str) -> None:
    content = text.encode("utf-8", "replace")
    part = File(request=request, position=position, name="", file_id="", content=content)
    await unit.save_file(part)


async def _save_files(
    unit: GatherUnit, request: RequestId, first: int, files: Sequence[Attachment]
) -> None:
    for position, file in enumerate(files, first):
        await unit.save_file(
            File(request=request, position=position, name=file.name, file_id=file.file_id)
        )
