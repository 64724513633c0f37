"""What is said about newer versions: the answers to /follow and /unfollow, and the news."""

from collections.abc import Sequence
from typing import Final

from bot.core.follow import Follow, News
from bot.dialog.buttons import Verb, callback_button
from bot.dialog.image_names import label_of, short_digest
from bot.dialog.message import Button, Message, Phrase, Value, say, size

FOLLOWS_SHOWN: Final = 60


def listed(follows: Sequence[Follow]) -> Message:
    """What a chat follows, the newest first."""
    if not follows:
        return Message((say("follow-none"),))
    lines = [say("follow-head", count=len(follows)), *map(_line, follows[:FOLLOWS_SHOWN])]
    if len(follows) > FOLLOWS_SHOWN:
        lines.append(say("outdated-more", count=len(follows) - FOLLOWS_SHOWN))
    return Message(tuple(lines))


def _line(follow: Follow) -> Phrase:
    if follow.trouble is not None:
        state = say(f"follow-{follow.trouble}")
    elif follow.listed_at is None:
        state = say("follow-unread")
    else:
        state = say("follow-known", tag=follow.news or follow.known)
    return say("follow-line", image=follow.name, range=follow.range, state=state)


def first_list(follow: Follow) -> Message:
    """What was found when the tags were listed for the first time."""
    if follow.trouble is not None:
        why = say(f"follow-{follow.trouble}")
        return Message((say("follow-useless", image=follow.name, range=follow.range, why=why),))
    image = str(follow.image(follow.known))
    return Message((say("follow-first", image=image, range=follow.range),))


def news(told: Sequence[tuple[News, bool]]) -> Message:
    """Newer versions, each with whether the rules ask an admin about it."""
    rows = [tuple(_buttons(each, asks=asks)) for each, asks in told]
    lines = [say("follow-news", count=len(told)), *(_told(each) for each, _ in told)]
    return Message(tuple(lines), tuple(rows))


def _told(each: News) -> Phrase:
    facts = [] if each.size is None else [size(each.size)]
    before: Value = say("follow-before", tag=each.before) if each.before else ""
    return say(
        "follow-news-line",
        image=str(each.image),
        digest=short_digest(each.digest),
        size=say("follow-size", size=facts[0]) if facts else "",
        before=before,
    )


def _buttons(each: News, *, asks: bool) -> list[Button]:
    name = label_of(f"{each.image.repository.rpartition('/')[2]} {each.image.tag}")
    if not asks:
        return [callback_button(Verb.TAKE, each.key, label=say("button-take", image=name))]
    return [
        callback_button(Verb.TAKE, each.key, label=say("button-ask-for", image=name)),
        callback_button(Verb.ADMIT, each.key, label=say("button-admit", image=name)),
    ]
