"""What people are told of images that are gone upstream, and of those that are there again."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.core.fresh import TrackedImage
from bot.core.ids import PersonId
from bot.dialog.message import Message, Moment, Phrase, say
from bot.dialog.outdated import OUTDATED_SHOWN, mentioned


def upstream_gone(
    images: Sequence[TrackedImage], names: Mapping[PersonId, str], now: datetime
) -> Message:
    """Those with `gone_at` are gone, the others are there again. `names` are those to mention."""
    gone = [each for each in images if each.gone_at is not None]
    back = [each for each in images if each.gone_at is None]
    lines = _part("gone-head", gone, now)
    lines += [say("gone-stays")] if gone else []
    lines += _part("gone-back-head", back, now)
    lines += [say("gone-for", people=mentioned(names))] if names else []
    return Message(tuple(lines))


def _part(head: str, images: Sequence[TrackedImage], now: datetime) -> list[Phrase]:
    if not images:
        return []
    lines = [say(head, count=len(images)), *(_line(each, now) for each in images[:OUTDATED_SHOWN])]
    more = len(images) - OUTDATED_SHOWN
    return [*lines, say("outdated-more", count=more)] if more > 0 else lines


def _line(each: TrackedImage, now: datetime) -> Phrase:
    if each.missing_since is None:
        return say("gone-line", image=str(each.image))
    return say("gone-line-since", image=str(each.image), time=Moment(each.missing_since, now))
