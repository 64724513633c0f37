"""Who wants to be told when an image moves, and what is answered to /watch and /unwatch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.core.ids import MessageId, PersonId, Place
from bot.core.image import ImageRef
from bot.core.policy import Policy, Verdict, decide
from bot.core.tag_class import TagClass, tag_class
from bot.dialog.card import denied
from bot.dialog.message import Message, say

SHOWN: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A person is told of an image in one place: where they said so last."""

    person: PersonId
    image: ImageRef
    place: Place
    message: MessageId | None
    since: datetime


def unwatchable(image: ImageRef, policy: Policy, *, kept_fresh: bool) -> Message | None:
    """Why nobody will ever hear of this image moving; None where somebody may."""
    if not kept_fresh:
        return Message((say("watch-off"),))
    if tag_class(image) is TagClass.DIGEST:
        return Message((say("watch-fixed", image=str(image)),))
    decision = decide(policy, image)
    if decision.verdict is Verdict.DENY:
        reason = denied(decision.ground, decision.reason, image.registry)
        return Message((say("lookup-denied", image=str(image), reason=reason),))
    return None


def watching(image: ImageRef, *, listed: bool) -> Message:
    lines = [say("watching", image=str(image))]
    return Message((*lines, *([] if listed else [say("watch-unlisted", image=str(image))])))


def watched(watches: Sequence[Watch]) -> Message:
    """What a person watches, the newest first."""
    if not watches:
        return Message((say("watch-none"),))
    lines = [say("watch-head", count=len(watches))]
    lines += [say("list-line", image=str(watch.image)) for watch in watches[:SHOWN]]
    if len(watches) > SHOWN:
        lines.append(say("outdated-more", count=len(watches) - SHOWN))
    return Message(tuple(lines))
