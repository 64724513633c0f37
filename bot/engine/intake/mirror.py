"""Use cases of those who ask: open a request, confirm a draft, go on with what failed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.core.draft import IMAGES_TAKEN_WITHOUT_ASKING, Draft, draft_of
from bot.core.events import Denied
from bot.core.ids import RequestId, TransferId
from bot.core.image import ImageRef
from bot.core.policy import Decision, Verdict, decide, exceeded_limit
from bot.core.request import Request
from bot.core.transfer import RETRYABLE, State
from bot.dialog import answers
from bot.dialog.buttons import TakeMeant, TickImage, TurnPage
from bot.dialog.commands import CommandName
from bot.dialog.message import Message, Phrase, say
from bot.engine.intake.context import Attachment, Context, Incoming, Outcome
from bot.engine.ports import File, NewRequest
from bot.paste import FILE_LIMIT, Finding, Flaw, extract

DAY = timedelta(days=1)


async def mirror(context: Context, text: str, incoming: Incoming) -> Message | None:
    """The file on the command and what was pasted behind it, else what it replies to."""
    finding = extract(text, target_host=context.installation.target.host)
    if incoming.file is not None:
        answer = await _take_file(context, incoming.file)
        return await _take_text(context, text, finding) if _names_images(finding) else answer
    if not _names_images(finding):  # "/mirror this, please" below what is meant
        if incoming.quoted.strip():
            text = incoming.quoted
            finding = extract(text, target_host=context.installation.target.host)
        elif incoming.quoted_file is not None:
            return await _take_file(context, incoming.quoted_file)
    return await _take_text(context, text, finding)


def _names_images(finding: Finding) -> bool:
    """Whether somebody who wrote this meant images by it, rather than said something."""
    return finding.sure and (bool(finding.images) or any(bad.correction for bad in finding.bad))


async def _take_text(context: Context, pasted: str, finding: Finding) -> Message | None:
    if not pasted.strip():
        return answers.misuse(CommandName.MIRROR)
    if not finding.images and not any(bad.correction for bad in finding.bad):
        return _nothing_to_do(finding)
    if not finding.bad and finding.sure and len(finding.images) <= IMAGES_TAKEN_WITHOUT_ASKING:
        return await submit(context, finding.images, bare=finding.untagged)
    return await _offer(context, finding)


def _nothing_to_do(finding: Finding) -> Message:
    if finding.bad:
        return answers.unreadable(finding.bad, command=CommandName.MIRROR)
    if finding.flaw is not None:
        return answers.bad_file(finding.flaw, "")
    return answers.nothing_found(file="")


async def _take_file(context: Context, file: Attachment) -> Message | None:
    """A draft without images: they are found as soon as the file is here."""
    if file.size > FILE_LIMIT:
        return answers.bad_file(Flaw.TOO_LARGE, file.name)
    request = await _open(context, confirmed=False)
    await context.unit.save_draft(request.id, Draft(file=file.name))
    kept = File(request=request.id, name=file.name, file_id=file.file_id)
    await context.unit.save_file(kept)
    return None


async def _offer(context: Context, finding: Finding) -> Message | None:
    decisions = _decisions(context, finding.images)
    if decisions and not finding.bad and _all_denied(decisions):
        return answers.all_denied(decisions)
    request = await _open(context, confirmed=False, bare=finding.untagged)
    await context.unit.save_draft(request.id, draft_of(finding.images, finding.bad))
    return None


async def _open(context: Context, *, confirmed: bool, bare: tuple[ImageRef, ...] = ()) -> Request:
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
    context: Context, images: Sequence[ImageRef], *, bare: tuple[ImageRef, ...] = ()
) -> Message | None:
    """Open a request; the answer is None because its card will say what is to be said.

    `bare` are the images that were named without a tag.
    """
    decisions = _decisions(context, images)
    if _all_denied(decisions):
        return answers.all_denied(decisions)
    limit = await _limit(context, len(images))
    if limit is not None:
        return Message((limit,))
    request = await _open(context, confirmed=True, bare=bare)
    await context.unit.link(request.id, await _transfers(context, decisions))
    return None


def _decisions(context: Context, images: Sequence[ImageRef]) -> list[tuple[ImageRef, Decision]]:
    return [(image, decide(context.installation.policy, image)) for image in images]


def _all_denied(decisions: Sequence[tuple[ImageRef, Decision]]) -> bool:
    return all(decision.verdict is Verdict.DENY for _, decision in decisions)


async def _limit(context: Context, images: int, *, again: bool = False) -> Phrase | None:
    """The limit that would be passed; what is asked for `again` was counted the first time."""
    open_now, today = await context.unit.asked(context.person.id, context.now - DAY)
    limit = exceeded_limit(
        context.installation.policy,
        images=images,
        open_now=open_now,
        asked_today=today - images if again else today,
    )
    return None if limit is None else say(f"limit-{limit[0]}", number=limit[1])


async def _transfers(
    context: Context, decisions: Sequence[tuple[ImageRef, Decision]]
) -> list[TransferId]:
    """A transfer for each image, or the one that is open for it; the denied ones end here."""
    opened = []
    for image, decision in decisions:
        transfer = await context.unit.open_transfer(image, context.now)
        if decision.verdict is Verdict.DENY:
            await context.advance(transfer, Denied(context.now, decision))
        opened.append(transfer.id)
    return opened


async def _draft(context: Context, number: RequestId) -> tuple[Request, Draft] | Outcome:
    """A draft that still waits for this person's word; else why nothing can be done."""
    request = await context.own(number)
    if isinstance(request, Outcome):
        return request
    if not request.is_draft:
        return Outcome(say("draft-confirmed", request=str(number)), done=False)
    if request.cancelled_at is not None:
        return Outcome(say("draft-over", request=str(number)), done=False)
    return request, await context.unit.draft(number)


async def confirm(context: Context, number: RequestId) -> Outcome:
    """Go ahead with what is ticked of a draft."""
    found = await _draft(context, number)
    if isinstance(found, Outcome):
        return found
    request, draft = found
    if not draft.chosen:
        return Outcome(say("draft-empty", request=str(number)), done=False)
    limit = await _limit(context, len(draft.chosen))
    if limit is not None:
        return Outcome(limit, done=False)
    transfers = await _transfers(context, _decisions(context, draft.chosen))
    await context.unit.link(number, transfers)
    await context.unit.save_request(replace(request, confirmed_at=context.now))
    return Outcome(say("confirmed", count=len(transfers)))


async def turn(context: Context, turned: TurnPage) -> Outcome:
    found = await _draft(context, turned.request)
    if isinstance(found, Outcome):
        return found
    _, draft = found
    await context.unit.save_draft(turned.request, draft.turned(turned.page))
    return Outcome(say("draft-page", page=turned.page + 1, pages=draft.pages))


async def tick(context: Context, ticked: TickImage) -> Outcome:
    found = await _draft(context, ticked.request)
    if isinstance(found, Outcome):
        return found
    draft = found[1].ticked(ticked.position)
    await context.unit.save_draft(ticked.request, draft)
    return Outcome(say("draft-ticked", chosen=len(draft.chosen), count=len(draft.images)))


async def meant(context: Context, pressed: TakeMeant) -> Outcome:
    """Take an image that is there in place of one that is missing, in the same request."""
    request = await context.own(pressed.request)
    if isinstance(request, Outcome):
        return request
    transfers = await context.unit.transfers_of(pressed.request)
    missing = next((t for t in transfers if t.id == pressed.transfer), None)
    if missing is None or missing.state is not State.FAILED:
        return Outcome(say("already-taken", request=str(pressed.request)), done=False)
    if pressed.position >= len(missing.meant):
        return Outcome(say("button-unknown"), done=False)
    image = missing.meant[pressed.position]
    twins = [t.id for t in transfers if t.image == image and t.state in RETRYABLE]
    return await _go_on(context, request, dict.fromkeys([missing.id, *twins], image))


async def retry(context: Context, number: RequestId) -> Outcome:
    """Try again what failed, expired or was cancelled, in the same request."""
    request = await context.own(number)
    if isinstance(request, Outcome):
        return request
    transfers = await context.unit.transfers_of(number)
    again = {t.id: t.image for t in transfers if t.state in RETRYABLE}
    if not again:
        return Outcome(say("nothing-to-retry", request=str(number)), done=False)
    return await _go_on(context, request, again)


async def _go_on(
    context: Context, request: Request, images: Mapping[TransferId, ImageRef]
) -> Outcome:
    """New transfers in the places of old ones; what was told already is told anew."""
    decisions = _decisions(context, list(dict.fromkeys(images.values())))
    if _all_denied(decisions):
        return Outcome(say("denied-next"), done=False)
    limit = await _limit(context, len(decisions), again=True)
    if limit is not None:
        return Outcome(limit, done=False)
    old = await context.unit.transfers_of(request.id)
    there = {t.image: t.id for t in old if t.id not in images}  # it may be its own neighbour
    missing = [row for row in decisions if row[0] not in there]
    opened = dict(
        zip([image for image, _ in missing], await _transfers(context, missing), strict=True)
    )
    places = {number: (opened | there)[image] for number, image in images.items()}
    await context.unit.link(request.id, [places.get(t.id, t.id) for t in old])
    again = replace(
        request,
        told_at=None,
        told_in=None,
        told="",
        returned_at=None,
        cancelled_at=None,
        closed_at=None,
        attempts=0,
        not_before=None,
    )
    if request.told_at is not None or request.closed_at is not None:
        again = replace(again, card=None, shown="")  # the old one is far up in the chat
    await context.unit.save_request(again)
    return Outcome(say("going-on", request=str(request.id), count=len(places)))
