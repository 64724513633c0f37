"""What the bot answers to commands and button presses, as data.

Errors are for people: what is wrong, and what to type next. The card and the result of a
request are in cards.py.
"""

from collections.abc import Sequence
from typing import Final

from bot.core.cards import View, denied, head, history, line, listed, pull
from bot.core.commands import COMMANDS, BadImages, Name
from bot.core.facts import ChatId, Person, RequestId
from bot.core.image import ImageRef
from bot.core.message import COPY_LIMIT, Button, ButtonKind, Message, Phrase, moment, say
from bot.core.policy import Decision, Limit
from bot.core.reading import BadImage
from bot.core.request import Request
from bot.core.transfer import State, Transfer

BAD_SHOWN: Final = 10
TEXT_SHOWN: Final = 80
RECENT_SHOWN: Final = 10


def one(key: str, **values: str | int) -> Message:
    return Message((say(key, **values),))


def help_text(*, admin: bool) -> Message:
    """Every command a person may use, from the table that parses them."""
    rows = [
        say("help-row", usage=usage(spec.name), words=say(f"command-{spec.name}"))
        for spec in COMMANDS
        if spec.in_menu and (admin or not spec.admins_only)
    ]
    return Message((say("help-head"), *rows, say("help-example")))


def usage(name: Name) -> str:
    spec = next(spec for spec in COMMANDS if spec.name is name)
    return f"/{spec.name} {spec.arguments}".strip()


def misuse(name: Name) -> Message:
    lines = [say("misuse", usage=usage(name), words=say(f"command-{name}"))]
    if name is Name.MIRROR:
        lines.append(say("help-example"))
    return Message(tuple(lines))


def bad_images(found: BadImages, *, command: Name) -> Message:
    """What cannot be read, what was probably meant, and the whole message put right."""
    lines = [say("bad-head", count=len(found.bad), good=len(found.good))]
    lines += [_bad_line(bad) for bad in found.bad[:BAD_SHOWN]]
    if len(found.bad) > BAD_SHOWN:
        lines.append(say("bad-more", count=len(found.bad) - BAD_SHOWN))
    text = _put_right(found, command)
    if text is None:
        lines.append(say("bad-next", usage=usage(command)))
        return Message(tuple(lines))
    lines.append(say("bad-corrected", command=text))
    copy = Button(say("button-copy"), ButtonKind.COPY, text)
    return Message(tuple(lines), ((copy,),) if len(text) <= COPY_LIMIT else ())


def _bad_line(bad: BadImage) -> Phrase:
    text = bad.text if len(bad.text) <= TEXT_SHOWN else bad.text[:TEXT_SHOWN] + "…"
    if bad.correction is not None:
        reason = say(f"mistake-{bad.correction.mistake}")
        return say("bad-meant", text=text, reason=reason, image=str(bad.correction.image))
    return say("bad-line", text=text, reason=say(f"problem-{bad.problem}"))


def _put_right(found: BadImages, command: Name) -> str | None:
    """The command to send instead; None where a text is beyond guessing."""
    meant = [bad.correction.image for bad in found.bad if bad.correction is not None]
    if len(meant) < len(found.bad):
        return None
    images = dict.fromkeys([*found.good, *meant])
    text = f"/{command} " + " ".join(str(image) for image in images)
    return text if len(text) <= COPY_LIMIT * 4 else None


def all_denied(images: Sequence[tuple[ImageRef, Decision]]) -> Message:
    lines = [
        say(
            f"line-{State.REJECTED}",
            image=str(image),
            note=denied(decision.ground, decision.reason, image.registry),
        )
        for image, decision in images[:BAD_SHOWN]
    ]
    return Message((*lines, say("denied-next")))


def over_limit(limit: Limit, number: int) -> Message:
    return one(f"limit-{limit}", number=number)


def outside(person: Person, chat: ChatId) -> Message:
    return one("outside", chat=str(chat), person=str(person.id))


def whoami(person: Person, chat: ChatId, *, admin: bool) -> Message:
    role = say("whoami-admin" if admin else "whoami-member")
    return Message((say("whoami", person=str(person.id), chat=str(chat), role=role),))


def decided(request: RequestId, transfers: Sequence[Transfer], view: View) -> Phrase:
    """Why there is nothing left to decide: who was first, or how it ended."""
    for transfer in transfers:
        if transfer.ended is State.REJECTED and transfer.ended_by is not None:
            return say("already-rejected", person=view.name(transfer.ended_by))
    for transfer in transfers:
        if transfer.approved_by is not None:
            return say("already-approved", person=view.name(transfer.approved_by))
    for state in (State.CANCELLED, State.EXPIRED):
        if any(transfer.ended is state for transfer in transfers):
            return say(f"already-{state}", request=str(request))
    return say("nothing-to-decide", request=str(request))


def status_of_request(request: Request, transfers: Sequence[Transfer], view: View) -> Message:
    lines = [head(request, transfers, view), say("history-opened", time=moment(request.opened_at))]
    lines += listed(transfers, view)
    runs = dict.fromkeys(t.run_url for t in transfers if t.run_url)
    lines += [say("history-run", url=url) for url in runs]
    pulls = [pull(t, view) for t in transfers if t.state is State.MIRRORED]
    lines += [say("pull", command=text) for text in pulls[:RECENT_SHOWN]]
    return Message(tuple(lines))


def status_of_image(transfer: Transfer, requests: Sequence[Request], view: View) -> Message:
    lines = [line(transfer, view)]
    lines += [
        say("history-asked", request=str(request.id), person=view.name(request.person))
        for request in requests[:RECENT_SHOWN]
    ]
    lines += history(transfer, view)
    if transfer.state is State.MIRRORED:
        lines.append(say("pull", command=pull(transfer, view)))
    return Message(tuple(lines))


Row = tuple[Request, tuple[Transfer, ...]]


def status(mine: Sequence[Row], others: Sequence[Row], view: View) -> Message:
    """What concerns the person, and what is going on besides, the newest first."""
    lines: list[Phrase] = []
    for key, rows in (("status-mine", mine), ("status-others", others)):
        if rows:
            lines.append(say(key, count=len(rows)))
            lines += [_row(request, transfers, view) for request, transfers in rows[:RECENT_SHOWN]]
            if len(rows) > RECENT_SHOWN:
                lines.append(say("status-more", count=len(rows) - RECENT_SHOWN))
    return Message(tuple(lines) or (say("status-nothing"),))


def _row(request: Request, transfers: Sequence[Transfer], view: View) -> Phrase:
    pending = [t for t in transfers if not t.state.over] or list(transfers)
    first = pending[0]
    return say(
        "status-row",
        request=str(request.id),
        person=view.name(request.person),
        image=str(first.image),
        more=len(transfers) - 1,
        waiting=sum(t.state is State.WAITING for t in transfers),
        over=sum(t.state.over for t in transfers),
        count=len(transfers),
    )
