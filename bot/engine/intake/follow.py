"""Use cases of those who want to be told of newer versions, and of the presses on that news."""

from typing import Protocol, assert_never

from bot.core.decision import Decision, Ground, Verdict
from bot.core.follow import FOLLOWS_OF_CHAT, Follow, News, range_above
from bot.core.ids import RequestId, TransferId
from bot.core.image import ImageRef
from bot.core.policy import decide
from bot.core.transfer import State
from bot.core.version_range import VersionRange
from bot.dialog import answers, follows
from bot.dialog.buttons import FollowImages, TakeNews
from bot.dialog.causes import refused
from bot.dialog.command_values import BeginFollow, EndFollow
from bot.dialog.message import Message, say
from bot.engine.intake import admission
from bot.engine.intake.context import Context, ContextUnit, Outcome
from bot.engine.intake.opening import OpeningUnit, open_request
from bot.engine.ports.decisions import KeepsDecisions
from bot.engine.ports.follows import Follows, ToldNews
from bot.engine.ports.store import LinkedTransfers


class FollowUnit(Follows, ContextUnit, Protocol):
    """What the commands read and write."""


async def change_follows(context: Context[FollowUnit], command: BeginFollow | EndFollow) -> Message:
    match command:
        case BeginFollow(None, _):
            return follows.listed(await context.unit.follows_in(context.place.chat))
        case BeginFollow(image, wanted) if image is not None and wanted is not None:
            return await _follow(context, image, wanted)
        case BeginFollow():
            return answers.single_line("follow-no-range")
        case EndFollow(image, wanted):
            return await _unfollow(context, image, wanted)
        case never:
            assert_never(never)


async def _follow(context: Context[FollowUnit], image: ImageRef, wanted: VersionRange) -> Message:
    """Store that this chat is told of newer versions of a repository in a range."""
    refusal = await _begun(context, image, wanted)
    return refusal or answers.single_line("following", image=_name(image), range=wanted.text)


async def _begun(
    context: Context[FollowUnit], image: ImageRef, wanted: VersionRange
) -> Message | None:
    """The answer where it may not be followed. None where it is followed now."""
    ruling = decide(context.installation.policy, image)
    if ruling.verdict is Verdict.DENY:
        return refused(image, ruling)
    name, here = _name(image), await context.unit.follows_in(context.place.chat)
    known = [each.id for each in here if (each.name, each.range) == (name, wanted.text)]
    if not known:
        ids = context.people.ids(context.person.id)
        own = sum([await context.unit.count_follows(each) for each in ids])
        limit = context.installation.policy.watch_limit
        if own >= limit or len(here) >= FOLLOWS_OF_CHAT:
            return answers.single_line("follow-limit", number=min(limit, FOLLOWS_OF_CHAT))
    await context.unit.drop_follows(known)
    await context.unit.add_follow(
        Follow(
            id=0,
            person=context.person.id,
            place=context.place,
            message=context.message,
            name=name,
            range=wanted.text,
            since=context.now,
        )
    )
    return None


async def _unfollow(
    context: Context[FollowUnit], image: ImageRef, wanted: VersionRange | None
) -> Message:
    """End it in this chat, for one range or for all of a repository."""
    name, here = _name(image), await context.unit.follows_in(context.place.chat)
    of_name = [each for each in here if each.name == name]
    gone = [each for each in of_name if wanted is None or each.range == wanted.text]
    if not gone:
        return answers.single_line("unfollow-none", image=name)
    await context.unit.drop_follows([each.id for each in gone])
    return answers.single_line("unfollowed", image=name)


def _name(image: ImageRef) -> str:
    return f"{image.registry}/{image.repository}"


class FollowImagesUnit(LinkedTransfers, Follows, ContextUnit, Protocol):
    """What a press on the offer beside a file reads and writes."""


async def follow_images(context: Context[FollowImagesUnit], pressed: FollowImages) -> Outcome:
    """Follow newer versions of each image of the request that has arrived, from its tag on."""
    request = await context.unit.request(pressed.request)
    if request is None or request.place.chat != context.place.chat:
        return Outcome(say("button-unknown"), done=False)
    transfers = await context.unit.transfers_of(request.id)
    arrived = [t.image for t in transfers if t.state is State.MIRRORED]
    ranges = [(image, wanted) for image in arrived if (wanted := range_above(image)) is not None]
    for image, wanted in ranges:
        refusal = await _begun(context, image, wanted)
        if refusal is not None:
            return Outcome(refusal.lines[0], done=False)
    return Outcome(say("follow-begun", count=len(ranges)))


class TakeNewsUnit(ToldNews, OpeningUnit, admission.AdmissionUnit, KeepsDecisions, Protocol):
    """What a press reads and writes."""


async def take(context: Context[TakeNewsUnit], pressed: TakeNews) -> Outcome:
    """Ask for the version at the digest that was shown, and approve it where an admin says so.

    The lane of registry checks looks it up as any image with a tag and a digest. So where its tag
    has another digest by then, the person is asked back.
    """
    news = await context.unit.news(pressed.key)
    if news is None or news.chat != context.place.chat:
        return Outcome(say("button-unknown"), done=False)
    if news.request is not None:
        return Outcome(say("follow-taken", request=str(news.request)), done=False)
    rulings = admission.rulings_on(context, [news.image.at(news.digest)])
    if admission.all_denied(rulings):
        return Outcome(answers.all_denied(rulings).lines[0], done=False)
    limit = await admission.passed_limit(context, 1)
    if limit is not None:
        return Outcome(limit, done=False)
    request = await open_request(context, confirmed=True)
    opened = await admission.open_transfers(context, request.id, rulings)
    await context.unit.link(request.id, opened)
    await context.unit.take_news(news.key, request.id)
    if not pressed.approves:
        return Outcome(say("wanted"))
    await context.unit.keep_decision(_approval(context, request.id, opened[0], news))
    return Outcome(say("follow-approved", request=str(request.id)))


def _approval(
    context: Context[TakeNewsUnit], request: RequestId, transfer: TransferId, news: News
) -> Decision:
    """What the admin decided. The rules count it at the look, and only for this digest."""
    return Decision(
        request=request,
        transfer=transfer,
        image=news.image.at(news.digest),
        digest=news.digest,
        verdict=Verdict.APPROVE,
        ground=Ground.PERSON,
        person=context.person.id,
        card=news.key,
        at=context.now,
    )
