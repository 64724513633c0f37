"""What the bot answers to commands and button presses, as data.

Errors say what is wrong and what to type next. Cards are in card.py and draft_card.py, results in
result.py. Answers that need the network are in questions.py and outdated.py.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bot.core.bad_image import BadImage
from bot.core.batch import Batch
from bot.core.hold import Hold
from bot.core.ids import ChatId, Person, PersonId, is_private, number_of
from bot.core.image import ImageRef
from bot.core.policy import Role, Ruling
from bot.core.registry import PullLimit
from bot.core.request import Request
from bot.core.retry import Trouble, TroubleKind
from bot.core.transfer import State, Transfer
from bot.dialog.buttons import Verb, callback_button
from bot.dialog.card import (
    IMAGE_LINES_SHARE,
    card_head,
    history,
    image_line,
    image_lines,
)
from bot.dialog.causes import cause, denied, trouble_words
from bot.dialog.command_values import CommandName
from bot.dialog.commands import COMMANDS, menu_for
from bot.dialog.draft_card import unreadable_lines
from bot.dialog.image_names import name_list
from bot.dialog.message import Message, Moment, Phrase, Value, say
from bot.dialog.result import copy_button, pull_command, pull_lines
from bot.dialog.view import View
from bot.dialog.waiting import waiting_in
from bot.paste import PASTE_SIZE_LIMIT, Flaw

REQUESTS_SHOWN: Final = 10
DENIED_SHOWN: Final = 10
STATUS_PULL_CHARACTERS: Final = 500
"""Characters of pull commands in a status, which has image lines too. The result has them all."""
TROUBLES_SHOWN: Final = 3


def single_line(key: str, **values: str | int) -> Message:
    return Message((say(key, **values),))


def absent(service: str, since: datetime, until: datetime, lost_before: datetime) -> Message:
    """The bot was down for so long that messages were lost."""
    began, ended, kept = map(Moment, (since, until, lost_before))
    return Message((say("absent", service=service, since=began, until=ended, before=kept),))


def help_text(person: Person, role: Role) -> Message:
    """Every command a person may use, from the table that parses them."""
    rows = [
        say("help-row", usage=_usage(spec.name), words=say(f"command-{spec.name}"))
        for spec in menu_for(role)
    ]
    may_ask = role in COMMANDS[CommandName.MIRROR].audience
    last = say("help-example") if may_ask else may_not(CommandName.MIRROR, person, ())
    return Message((say("help-head"), *rows, last))


def _usage(name: CommandName) -> Phrase:
    return say(f"command-{name}.usage")


def may_not(name: CommandName, person: Person, admins: Sequence[str]) -> Phrase:
    """Why a person may not use a command in a chat that is served. `admins` are names."""
    if Role.MEMBER in COMMANDS[name].audience:
        return say("guest", person=str(number_of(person.id)))
    people: Value = name_list(admins) if admins else ""
    return say("admins-only", count=len(admins), people=people)


def misuse(name: CommandName) -> Message:
    lines = [say("misuse", usage=_usage(name), words=say(f"command-{name}"))]
    if name is CommandName.MIRROR:
        lines.append(say("help-example"))
    return Message(tuple(lines))


def replies_to_nothing(name: CommandName) -> Message:
    """Why a command without a number does nothing: it is no reply to a card."""
    return Message((*misuse(name).lines, say("misuse-reply")))


def unreadable(bad: Sequence[BadImage], *, command: CommandName) -> Message:
    """What cannot be read where no image was found, with the corrected command to send."""
    lines = [say("bad-head", count=len(bad)), *unreadable_lines(tuple(bad))]
    meant = [each.correction.image for each in bad if each.correction is not None]
    if len(meant) < len(bad):
        lines.append(say("bad-next", usage=_usage(command)))
        return Message(tuple(lines))
    text = f"/{command} {meant[0]}"
    lines.append(say("bad-corrected", command=text))
    return Message(tuple(lines), ((copy_button(say("button-copy"), text),),))


def together(each: Sequence[Message], bad: Sequence[BadImage], *, command: CommandName) -> Message:
    """The answers to a command on several images, and the texts that name none."""
    lines = dict.fromkeys(line for message in each for line in message.lines)
    wrong = unreadable(bad, command=command).lines if bad else ()
    return Message((*lines, *wrong))


def unknown(command: str) -> Message:
    return single_line("unknown-command", command=command)


def nothing_found(*, file: str) -> Message:
    return single_line("nothing-found-file", file=file) if file else single_line("nothing-found")


def bad_file(flaw: Flaw, file: str) -> Message:
    """Why a file cannot be read completely. An empty `file` means a message."""
    if not file:
        return single_line(f"text-{flaw}")
    return single_line(f"file-{flaw}", file=file, limit=str(PASTE_SIZE_LIMIT // 1024**2))


def all_denied(images: Sequence[tuple[ImageRef, Ruling]]) -> Message:
    shown = [
        (image, denied(ruling.ground, ruling.reason, image.registry))
        for image, ruling in images[:DENIED_SHOWN]
    ]
    shape = say("shape", platforms=0)
    lines = [
        say(f"line-{State.REJECTED}", image=str(image), shape=shape, note=why)
        for image, why in shown
    ]
    if len(images) > DENIED_SHOWN:
        lines.append(say("bad-more", count=len(images) - DENIED_SHOWN))
    following = dict.fromkeys(say(f"{why.key}.next") for _, why in shown)
    return Message((*lines, say("nothing-started"), *following))


def outside(person: Person, chat: ChatId) -> Message:
    """The answer in a chat that is not served. A private chat is never one of `chats`."""
    if is_private(chat):
        return single_line("guest", person=str(number_of(person.id)))
    return single_line("outside", chat=str(number_of(chat)), person=str(number_of(person.id)))


def added(person: Person, chat: ChatId, *, served: bool, me: str) -> Message:
    """What is said in a group that the bot was added to. `me`: the name that commands need there.

    It is empty where bare commands reach the bot.
    """
    ids = {"chat": str(number_of(chat)), "person": str(number_of(person.id))}
    first = say("added" if served else "added-unserved", **ids)
    following = say("added-next") if served else say("added-unserved-next")
    if not me:
        return Message((first, following))
    return Message((first, say("added-privacy", following=following, me=me)))


_POLICY_KEYS: Final = ("policy.registries", "policy.rules", "fresh")
"""Keys that the workflow obeys too. `setup` passes them on to it."""


def reloaded(changed: Sequence[str]) -> Message:
    """The answer to /reload: the keys of the config that changed."""
    if not changed:
        return single_line("reload-same")
    lines = [say("reloaded", keys=", ".join(changed))]
    if any(key.startswith(_POLICY_KEYS) for key in changed):
        lines.append(say("reload-setup"))
    return Message(tuple(lines))


def not_reloaded(trouble: str) -> Message:
    """The answer to /reload where the config is wrong. `trouble` has a line for each mistake."""
    found = trouble.splitlines()
    mistakes = [say("reload-mistake", line=line) for line in found[:TROUBLES_SHOWN]]
    if len(found) > TROUBLES_SHOWN:
        mistakes.append(say("bad-more", count=len(found) - TROUBLES_SHOWN))
    return Message((say("reload-refused"), *mistakes, say("reload-next")))


def whoami(person: Person, chat: ChatId, *, admin: bool) -> Message:
    role = say("whoami-admin" if admin else "whoami-member")
    numbers = {"person": str(number_of(person.id)), "chat": str(number_of(chat))}
    return Message((say("whoami", **numbers, role=role),))


def status_of_request(
    request: Request, transfers: Sequence[Transfer], view: View, *, here: bool
) -> Message:
    """`here`: its card is in this chat, so its digests may be asked for by a button."""
    lines = [
        card_head(request, transfers, view),
        say("history-opened", time=Moment(request.opened_at, view.now)),
    ]
    pulls = [
        pull_command(t, view, is_chart=request.is_chart(t.image))
        for t in transfers
        if t.state is State.MIRRORED
    ]
    room = view.room.share(IMAGE_LINES_SHARE) + (0 if pulls else STATUS_PULL_CHARACTERS)
    lines += image_lines(transfers, view, room)
    runs = dict.fromkeys(t.run_url for t in transfers if t.run_url)
    lines += [say("history-run", url=url) for url in runs]
    lines += pull_lines(pulls, STATUS_PULL_CHARACTERS)
    shows = here and request.version and waiting_in(transfers)
    rows = ((callback_button(Verb.DIGESTS, request.version),),) if shows else ()
    return Message(tuple(lines), rows)


def status_of_draft(request: Request, view: View) -> Message:
    """The status of a draft. It has no transfers until the person confirms its images."""
    if request.cancelled_at is not None:
        return single_line("draft-over", request=str(request.id))
    return Message((_draft_row(request, view),))


def status_of_image(
    transfer: Transfer,
    requests: Sequence[Request],
    view: View,
    *,
    keepers: Sequence[PersonId] = (),
    floaters: Sequence[PersonId] = (),
) -> Message:
    """`keepers` keep the tag fresh, `floaters` said that it floats."""
    lines = [image_line(transfer, view)]
    lines += [say("lookup-digest", digest=transfer.digest)] if transfer.digest else []
    lines += [say("status-keeper", person=view.name(person)) for person in keepers]
    lines += [say("status-floater", person=view.name(person)) for person in floaters]
    lines += [
        say("history-asked", request=str(request.id), person=view.name(request.person))
        for request in requests[:REQUESTS_SHOWN]
    ]
    lines += history(transfer, view)
    if transfer.state is State.MIRRORED:
        is_chart = any(request.is_chart(transfer.image) for request in requests)
        lines.append(say("pull", command=pull_command(transfer, view, is_chart=is_chart)))
    return Message(tuple(lines))


Row = tuple[Request, tuple[Transfer, ...]]


def status(mine: Sequence[Row], view: View) -> Message:
    """The requests that the person may see in this chat, the newest first."""
    return Message(tuple(_rows("status-mine", mine, view)) or (say("status-nothing"),))


@dataclass(frozen=True, slots=True)
class Operations:
    """What only an admin sees in a status: the queue, the budgets, the last trouble.

    `kept` is how many images are kept fresh, and how many of them are due for a check. `outdated`:
    the installed workflow is not the one that this bot ships.
    """

    transfers: Sequence[Transfer]
    budgets: Mapping[str, PullLimit]
    failed: Transfer | None
    batches: Sequence[Batch]
    kept: tuple[int, int] = (0, 0)
    outdated: bool = False


def with_holds(message: Message, holds: Sequence[tuple[Hold, str]]) -> Message:
    """The status with what admins hold on top, each hold with the name of its admin."""
    lines = [
        say(
            f"status-held-because-{hold.kind}" if hold.reason else f"status-held-{hold.kind}",
            pattern=hold.pattern,
            person=name,
            reason=hold.reason,
        )
        for hold, name in holds
    ]
    return replace(message, lines=(*lines, *message.lines))


def status_for_admin(
    mine: Sequence[Row], others: Sequence[Row], vitals: Operations, view: View
) -> Message:
    lines = [*_rows("status-mine", mine, view), *_rows("status-others", others, view)]
    lines += _queue(vitals.transfers)
    lines += [
        say("status-budget", name=name, remaining=budget.remaining, limit=budget.limit)
        for name, budget in sorted(vitals.budgets.items())
    ]
    kept, due = vitals.kept
    lines += [say("status-kept", count=kept, due=due)] if kept else []
    return Message((*(lines or [say("status-nothing")]), *_troubles(vitals, view)))


def _rows(key: str, rows: Sequence[Row], view: View) -> list[Phrase]:
    if not rows:
        return []
    lines = [say(key, count=len(rows))]
    lines += [_row(request, transfers, view) for request, transfers in rows[:REQUESTS_SHOWN]]
    if len(rows) > REQUESTS_SHOWN:
        lines.append(say("status-more", count=len(rows) - REQUESTS_SHOWN))
    return lines


def _row(request: Request, transfers: Sequence[Transfer], view: View) -> Phrase:
    if not transfers:
        return _draft_row(request, view)
    pending = [t for t in transfers if not t.state.is_final] or transfers
    named = min(pending, key=lambda transfer: transfer.state is not State.WAITING)
    return say(
        "status-row",
        request=str(request.id),
        person=view.name(request.person),
        image=str(named.image),
        state=say(f"state-{named.state}"),
        more=len(transfers) - 1,
        waiting=sum(t.state is State.WAITING for t in transfers if t is not named),
        over=sum(t.state.is_final for t in transfers),
        count=len(transfers),
    )


def _draft_row(request: Request, view: View) -> Phrase:
    return say("status-draft", request=str(request.id), person=view.name(request.person))


def _queue(transfers: Sequence[Transfer]) -> list[Phrase]:
    if not transfers:
        return []
    counts = Counter(transfer.state for transfer in transfers)
    return [
        say(
            "status-queue",
            checking=counts[State.CHECKING],
            waiting=counts[State.WAITING],
            queued=counts[State.APPROVED] + counts[State.SUBMITTED],
            copying=counts[State.COPYING] + counts[State.VERIFYING],
        )
    ]


def _troubles(vitals: Operations, view: View) -> list[Phrase]:
    """What does not work now, and what failed last."""
    now = [Trouble(TroubleKind.OUTDATED)] if vitals.outdated else []
    now += [each.trouble for each in (*vitals.batches, *vitals.transfers) if each.trouble]
    words = dict.fromkeys(trouble_words(trouble) for trouble in now)
    lines = [say("status-trouble", trouble=word) for word in list(words)[:TROUBLES_SHOWN]]
    failed = vitals.failed
    if failed is not None and failed.failure is not None and failed.ended_at is not None:
        lines.append(
            say(
                "status-failed",
                image=str(failed.image),
                cause=cause(failed.failure),
                time=Moment(failed.ended_at, view.now),
            )
        )
    return lines
