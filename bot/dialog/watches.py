"""The answers to /watch and /unwatch."""

from collections.abc import Sequence
from typing import Final

from bot.core.decision import Verdict
from bot.core.fresh import Watch
from bot.core.image import ImageRef
from bot.core.policy import Policy, decide
from bot.core.tag_class import TagClass, tag_class
from bot.dialog.causes import refused
from bot.dialog.message import Message, say

WATCHES_SHOWN: Final = 60


def unwatchable(image: ImageRef, policy: Policy, *, kept_fresh: bool) -> Message | None:
    """Why an update of this image will never be reported. None where it may be."""
    if not kept_fresh:
        return Message((say("watch-off"),))
    if tag_class(image) is TagClass.DIGEST:
        return Message((say("watch-fixed", image=str(image)),))
    ruling = decide(policy, image)
    if ruling.verdict is Verdict.DENY:
        return refused(image, ruling)
    return None


def watching(image: ImageRef, *, listed: bool) -> Message:
    lines = [say("watching", image=str(image))]
    return Message((*lines, *([] if listed else [say("watch-unlisted", image=str(image))])))


def watched(watches: Sequence[Watch]) -> Message:
    """The images that a person watches, the newest first."""
    if not watches:
        return Message((say("watch-none"),))
    lines = [say("watch-head", count=len(watches))]
    lines += [say("list-line", image=str(watch.image)) for watch in watches[:WATCHES_SHOWN]]
    if len(watches) > WATCHES_SHOWN:
        lines.append(say("outdated-more", count=len(watches) - WATCHES_SHOWN))
    return Message(tuple(lines))
