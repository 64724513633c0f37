"""The promises that must hold when everything has come to rest, after any kills and faults.

`Evidence` is the end state as seen from outside. `violations` returns the broken promises as
readable text. This file is pure and serves the fake world and the sandbox alike. gathering.py
collects the evidence. Nothing here may depend on how the bot works inside.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from bot.core import image_list
from bot.core.batch import BATCH_TRAILER, Batch
from bot.core.decision import Ground, Verdict
from bot.core.draft import DRAFT_LIFETIME, Draft
from bot.core.events import Proof
from bot.core.failures import FailureKind
from bot.core.ids import ChatId, MessageId, PersonId
from bot.core.image import ImageRef
from bot.core.policy import Policy, decide
from bot.core.request import Request
from bot.core.statement import DECISION_TYPE, SUMMARY_TYPE, kind_of
from bot.core.transfer import State, Transfer

_SEEN: Final = frozenset({FailureKind.MISMATCH, FailureKind.ABSENT})
SECONDS_LATE: Final = 120
"""Seconds that something may be overdue in the end state."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message of a person that the bot has confirmed to Telegram.

    `images` are those that the person asked for, fully qualified, as far as the test knows them.
    `wants_answer` is False for chatter that gets no answer.
    """

    chat: ChatId
    message: MessageId
    images: tuple[str, ...] = ()
    wants_answer: bool = True


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the bot: every text it has had, without markup, the current one last.

    `data` is what its buttons carry now. `is_result`: it reports the end of a request.
    `is_deleted`: a person deleted it from the chat after it was read.
    """

    chat: ChatId
    id: MessageId
    reply_to: MessageId | None
    texts: tuple[str, ...]
    data: tuple[str, ...] = ()
    is_result: bool = False
    is_file: bool = False
    is_deleted: bool = False

    @property
    def text(self) -> str:
        return self.texts[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it is stored, and the texts that its messages may have by these facts.

    `cards` and `results` are texts without markup. An empty set is not compared. `data` is what the
    card's buttons must carry. None is not compared.
    """

    request: Request
    transfers: tuple[Transfer, ...]
    draft: Draft
    cards: frozenset[str] = frozenset()
    results: frozenset[str] = frozenset()
    data: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Ran:
    """A run of the workflow. `batch` is the one that its commit or its dispatch names.

    None where that cannot be known, empty for a run that somebody else started.
    """

    id: int
    batch: str | None
    dispatched: bool = False


@dataclass(frozen=True, slots=True)
class Overwritten:
    """A digest that a run overwrote under this name. `left` is the name that it got, if any."""

    name: str
    digest: str
    left: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The end state.

    `decided` are names of copies, each with a digest that was approved for it.
    `people_list` is image.list without the bot: its first bytes with all edits of people.
    `removed` are images whose lines people, or the bot for an admin, deleted.
    `target_before` and `target_now` map images to digests.
    `target_touched` are the images that somebody else changed there.
    `gone_on` counts how often people continued each request, by a retry or a corrected reference.
    `unreachable` are chats that accept no message any more.
    `family` maps a chat to its earlier ids.
    `repetitions` is how many messages may appear twice. A kill between Telegram's acceptance and
    the save permits one, and so does each lost answer of Telegram.
    `statements` is what lies beside each image and digest. None: the bot signs nothing.
    `left` describes what is still open or running.
    """

    now: datetime
    policy: Policy
    admins: frozenset[PersonId]
    asked: tuple[Asked, ...]
    transfers: tuple[Transfer, ...]
    batches: tuple[Batch, ...]
    decided: frozenset[tuple[str, str]]
    accepted: tuple[Accepted, ...]
    said: tuple[Said, ...]
    people_list: bytes
    list_now: bytes
    commits: tuple[str, ...]
    runs: tuple[Ran, ...] = ()
    target_before: Mapping[str, str] = field(default_factory=dict)
    target_now: Mapping[str, str] = field(default_factory=dict)
    target_touched: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    gone_on: Mapping[int, int] = field(default_factory=dict)
    overwritten: tuple[Overwritten, ...] = ()
    unreachable: frozenset[ChatId] = frozenset()
    family: Mapping[ChatId, tuple[ChatId, ...]] = field(default_factory=dict)
    repetitions: int = 0
    statements: Mapping[tuple[str, str], Sequence[bytes]] | None = None
    left: tuple[str, ...] = ()

    def chats_of(self, request: Request) -> tuple[ChatId, ...]:
        """Return the request's chat and its earlier ids."""
        chat = request.place.chat
        return (chat, *self.family.get(chat, ()))

    def reached(self, request: Request) -> bool:
        return not self.unreachable.intersection(self.chats_of(request))


def violations(evidence: Evidence) -> list[str]:
    """Return every broken promise as text. An empty list means that all hold."""
    return [words for check in _CHECKS for words in check(evidence)]


# -- people get answers -------------------------------------------------------------------


def every_message_has_an_outcome(evidence: Evidence) -> Iterator[str]:
    """A message leads to a request with all its images, or to an answer."""
    for accepted in evidence.accepted:
        if not accepted.wants_answer or accepted.chat in evidence.unreachable:
            continue
        where = f"message {accepted.message} of chat {accepted.chat}"
        requests = [a for a in evidence.asked if _begun_by(a.request, accepted, evidence)]
        if any(a.request.is_draft and a.request.cancelled_at is not None for a in requests):
            continue  # dropped, maybe before its file was read
        if requests:
            known = {str(image) for asked in requests for image in _images(asked, evidence)}
            yield from (
                f"{where}: nothing is known of {image}, which it asked for"
                for image in accepted.images
                if image not in known
            )
        elif not _answers(evidence, accepted):
            yield f"{where} was accepted, and nobody answered it"


def each_message_begins_one_request(evidence: Evidence) -> Iterator[str]:
    """A person's message begins one request. A button under a bot's message may begin several."""
    people = {(accepted.chat, accepted.message) for accepted in evidence.accepted}
    for key, requests in _by_message(evidence).items():
        if key in people and len(requests) > 1:
            numbers = ", ".join(f"#{request.id}" for request in requests)
            yield f"message {key[1]} of chat {key[0]} began {numbers}"


def _begun_by(request: Request, accepted: Accepted, evidence: Evidence) -> bool:
    """A request loses its message id when its chat gets another id."""
    if request.message is None:
        return accepted.chat in evidence.chats_of(request)
    return (request.place.chat, request.message) == (accepted.chat, accepted.message)


def _images(asked: Asked, evidence: Evidence) -> set[ImageRef]:
    """Return a request's images. If people continued it, include those that were replaced."""
    own = {transfer.image for transfer in asked.transfers} | set(asked.draft.images)
    if evidence.gone_on.get(asked.request.id):
        own |= {transfer.image for transfer in evidence.transfers}
    return own


def _answers(evidence: Evidence, accepted: Accepted) -> list[Said]:
    moved = {chat for chat, former in evidence.family.items() if accepted.chat in former}
    return [
        said
        for said in evidence.said
        if (said.chat, said.reply_to) == (accepted.chat, accepted.message)
        or (said.chat in moved and said.reply_to is None)
    ]


def every_image_has_an_end(evidence: Evidence) -> Iterator[str]:
    """Every transfer has ended, or waits for an approval that has not expired."""
    for asked in evidence.asked:
        request = asked.request
        if request.is_draft and request.cancelled_at is None:
            if (evidence.now - request.opened_at - DRAFT_LIFETIME).total_seconds() > SECONDS_LATE:
                yield f"#{request.id} is a draft that should have been dropped by now"
        elif not request.is_draft and not asked.transfers:
            yield f"#{request.id} was confirmed and has no images"
    for transfer in evidence.transfers:
        name = f"transfer {transfer.id} of {transfer.image}"
        if transfer.state is State.WAITING and transfer.expires_at is not None:
            if (evidence.now - transfer.expires_at).total_seconds() > SECONDS_LATE:
                yield f"{name} waits for an admin though its time is over"
        elif not transfer.state.is_final:
            yield f"{name} has no end: it is {transfer.state}"


def every_outcome_was_told(evidence: Evidence) -> Iterator[str]:
    for asked in evidence.asked:
        request = asked.request
        over = asked.transfers and all(t.state.is_final for t in asked.transfers)
        if not over or request.cancelled_at is not None or not evidence.reached(request):
            continue
        told = [said for said in evidence.said if _tells(said, asked, evidence)]
        if not told:
            yield f"#{request.id} is over, and its result was told to nobody"
        offered = any(transfer.is_offer for transfer in asked.transfers)
        if request.told_at is None and not offered:  # the card of an offer says everything
            yield f"#{request.id}: its result is not marked as told"
        if request.told_in is not None and asked.results:
            shown = [said for said in told if said.id == request.told_in]
            if not shown:
                yield f"#{request.id}: message {request.told_in}, which should tell it, does not"
            elif not shown[0].is_deleted and shown[0].text not in asked.results:
                yield f"#{request.id}: its result says {shown[0].text!r} and should not"


def _tells(said: Said, asked: Asked, evidence: Evidence) -> bool:
    """Return whether the message is a result that mentions each of the images."""
    request = asked.request
    return (
        said.is_result
        and said.chat in evidence.chats_of(request)
        and (request.message is None or said.reply_to in (request.message, None))
        and all(str(transfer.image.place) in said.text for transfer in asked.transfers)
    )


def nothing_is_told_twice(evidence: Evidence) -> Iterator[str]:
    """Messages appear twice only where an acceptance or an answer of Telegram was lost."""
    told: list[str] = []
    of_files = {
        asked.request.id: 1 + asked.draft.more_files for asked in evidence.asked if asked.draft.file
    }
    for key, requests in _by_message(evidence).items():
        replies = [said for said in evidence.said if (said.chat, said.reply_to) == key]
        rounds = sum(1 + evidence.gone_on.get(request.id, 0) for request in requests)
        names = ", ".join(f"#{request.id}" for request in requests)
        files = rounds * sum(of_files.get(request.id, 0) for request in requests)
        for what, found, allowed in (
            ("result", sum(s.is_result for s in replies), rounds),
            ("file", sum(s.is_file for s in replies), files),
            # A file in which nothing changes is not sent, but a message says so.
            ("card", sum(not s.is_result and not s.is_file for s in replies), rounds + files),
        ):
            told += [f"the {what} of {names} was sent {found} times"] * max(0, found - allowed)
    begun = set(_by_message(evidence))
    moved = {chat for former in evidence.family.values() for chat in former}
    answered = {(a.chat, a.message) for a in evidence.accepted if a.chat not in moved}
    for accepted in answered - begun:
        answers = sum((said.chat, said.reply_to) == accepted for said in evidence.said)
        told += [f"message {accepted[1]} was answered {answers} times"] * max(0, answers - 1)
    if len(told) > evidence.repetitions:
        yield from sorted(set(told))


def _by_message(evidence: Evidence) -> dict[tuple[ChatId, MessageId], list[Request]]:
    """Group requests by their first message, without those whose chat got another id."""
    found: dict[tuple[ChatId, MessageId], list[Request]] = {}
    for asked in evidence.asked:
        request = asked.request
        if request.message is not None:
            found.setdefault((request.place.chat, request.message), []).append(request)
    return found


# -- the mirror repository ------------------------------------------------------------------


def foreign_lines_are_unchanged(evidence: Evidence) -> Iterator[str]:
    """Without the bot's lines, image.list is what people have made of it, byte for byte."""
    theirs = set(image_list.listed_images(evidence.people_list))
    ours = {str(t.image).encode() for t in evidence.transfers if t.image not in theirs}
    lines = evidence.list_now.splitlines(keepends=True)
    rest = b"".join(line for line in lines if line.strip() not in ours)
    # A last line without a newline gets one when the bot appends a line.
    ends = {evidence.people_list + end for end in (b"", b"\n", b"\r\n")}
    if rest not in ends:
        yield f"image.list: other people's lines were {evidence.people_list!r} and are {rest!r}"


def every_approved_image_is_listed_once(evidence: Evidence) -> Iterator[str]:
    now = Counter(image_list.listed_images(evidence.list_now))
    theirs = Counter(image_list.listed_images(evidence.people_list))
    committed = {batch.id for batch in evidence.batches if batch.sha is not None}
    for image in {transfer.image for transfer in evidence.transfers}:
        if now[image] > max(1, theirs[image]):
            yield f"image.list names {image} {now[image]} times"
    for transfer in evidence.transfers:
        image = transfer.image
        if transfer.batch in committed and not now[image] and str(image) not in evidence.removed:
            yield f"image.list lacks {image}, though batch {transfer.batch} was committed"


def what_left_the_list_was_decided_and_is_gone(evidence: Evidence) -> Iterator[str]:
    """Unless it was asked for again."""
    now = set(image_list.listed_images(evidence.list_now))
    for image, last in _last_decided(evidence).items():
        if last.state is State.REMOVED and image in now:
            yield f"image.list names {image}, and {last.id} says that it was removed"
        if last.is_removal and last.state is State.REMOVED and last.approved_by is None:
            yield f"{image} was removed, and nobody decided that"
    told = {t.batch for t in evidence.transfers if t.is_removal and t.batch is not None}
    for message in evidence.commits:
        trailers = _trailers(message)
        batches = {value for key, value in trailers if key == BATCH_TRAILER}
        if any(key == "Removed" for key, _ in trailers) and not batches & told:
            yield f"a commit removed lines for nobody: {message!r}"


def nothing_is_copied_without_approval(evidence: Evidence) -> Iterator[str]:
    """Approved by an admin where the policy asks for it, and requested by somebody."""
    approved = {t.image for t in evidence.transfers if t.approved_at is not None}
    theirs = set(image_list.listed_images(evidence.people_list)) | _touched(evidence)
    for image in set(image_list.listed_images(evidence.list_now)) - theirs - approved:
        yield f"image.list names {image}, which nobody has approved"
    copied = set(evidence.target_now) - set(evidence.target_before) - _names_left(evidence)
    for name in sorted(copied - {str(image.place) for image in theirs | approved}):
        yield f"the target has {name}, which nobody has approved"
    kept = {transfer.image for transfer in evidence.transfers if transfer.state is State.KEPT}
    for transfer in evidence.transfers:
        if transfer.run is None:
            continue
        verdict, by = decide(evidence.policy, transfer.image).verdict, transfer.approved_by
        if verdict is Verdict.DENY:
            yield f"{transfer.image} was approved, and the policy denies it"
        if verdict is Verdict.ASK and by is None and transfer.image not in kept:
            yield f"{transfer.image} was approved by nobody, and the policy wants an admin's word"
        if by is not None and by not in evidence.admins:
            yield f"{transfer.image} was approved by {by}, who is no admin"
        if transfer.ground is Ground.ROLLBACK and by is None:
            yield f"{transfer.image} was put back, and nobody has approved it"


def _touched(evidence: Evidence) -> set[ImageRef]:
    return {ImageRef.parse(name) for name in evidence.removed | evidence.target_touched}


def commits_say_who_approved(evidence: Evidence) -> Iterator[str]:
    for message in evidence.commits:
        trailers = _trailers(message)
        for transfer in evidence.transfers:
            if transfer.batch is None or (BATCH_TRAILER, str(transfer.batch)) not in trailers:
                continue
            line = next((v for k, v in trailers if k in _LINES and _is_on(v, transfer)), "")
            ground = line.rpartition("; approved ")[2]
            if not ground.startswith("rule " if transfer.approved_by is None else "p:"):
                yield f"the commit of batch {transfer.batch} does not say who approved it"


_LINES: Final = ("Image", "Removed")


def _is_on(line: str, transfer: Transfer) -> bool:
    """Return whether a line of a block names the image with the digest of the transfer."""
    return line.partition(";")[0] == str(replace(transfer.image, digest=transfer.digest))


def nothing_is_copied_without_a_decision_on_its_digest(evidence: Evidence) -> Iterator[str]:
    """Unless the bot has seen and said that it is another digest."""
    theirs = set(image_list.listed_images(evidence.people_list)) | _touched(evidence)
    theirs |= {t.image for t in evidence.transfers if t.failure and t.failure.kind in _SEEN}
    others = {str(image.place) for image in theirs} | _names_left(evidence)
    for name, digest in evidence.target_now.items():
        new = evidence.target_before.get(name) != digest and name not in others
        if new and (name, digest) not in evidence.decided:
            yield f"the target has {name} as {digest}, which nobody has decided on"


def _names_left(evidence: Evidence) -> set[str]:
    return {each.left for each in evidence.overwritten if each.left is not None}


def what_is_overwritten_stays_where_the_config_says_so(evidence: Evidence) -> Iterator[str]:
    """Under a tag of its own, unless an admin took it out. Without the setting nothing stays."""
    out = {(str(t.image.place), t.replaces) for t in _put_back(evidence)}
    for each in evidence.overwritten:
        if each.left is None:
            if evidence.policy.keeps_previous and (each.name, each.digest) not in out:
                yield f"{each.name} was {each.digest}, which no tag names any more"
        elif not evidence.policy.keeps_previous:
            yield f"{each.left} is kept, and the config does not say so"
        elif (each.name, each.digest) in out:
            yield f"{each.left} is kept, and an admin took it out"
        elif evidence.target_now.get(each.left) != each.digest:
            yield f"{each.left} is not {each.digest}, which it was made for"


def what_was_taken_out_comes_back_by_a_person_alone(evidence: Evidence) -> Iterator[str]:
    for out in _put_back(evidence):
        for t in evidence.transfers:
            same = t.image.place == out.image.place and t.digest == out.replaces
            ran = t.run is not None and t.id > out.id
            if same and ran and t.approved_by is None:
                yield f"{t.image} was taken out as {t.digest}, and came back unasked"


def _put_back(evidence: Evidence) -> list[Transfer]:
    """Return the rollbacks that were carried out."""
    return [t for t in evidence.transfers if t.ground is Ground.ROLLBACK and t.run is not None]


def each_decided_copy_is_stated_once(evidence: Evidence) -> Iterator[str]:
    if evidence.statements is None:
        return
    decided = Counter(
        (str(t.image.place), t.copied_digest)
        for t in evidence.transfers
        if t.state is State.MIRRORED and t.batch is not None and t.digest == t.copied_digest
    )
    for key, documents in evidence.statements.items():
        kinds = Counter(map(kind_of, documents))
        wanted = dict.fromkeys((SUMMARY_TYPE, DECISION_TYPE), decided[key])
        if dict(kinds) != {kind: count for kind, count in wanted.items() if count}:
            yield f"{key} has {dict(kinds)} beside it, and was decided on {decided[key]} times"
    for key in decided.keys() - {k for k, found in evidence.statements.items() if found}:
        yield f"{key} was decided on and has no statement"


def each_batch_is_committed_once(evidence: Evidence) -> Iterator[str]:
    named = Counter(
        value
        for message in evidence.commits
        for key, value in _trailers(message)
        if key == BATCH_TRAILER
    )
    for batch, times in named.items():
        if times > 1:
            yield f"batch {batch} was committed {times} times"
    known = {batch.id for batch in evidence.batches}
    yield from (f"batch {b} was committed and is not stored" for b in named if b not in known)


def each_batch_is_dispatched_once(evidence: Evidence) -> Iterator[str]:
    asked = Counter(run.batch for run in evidence.runs if run.dispatched and run.batch)
    yield from (f"batch {b} was dispatched {n} times" for b, n in asked.items() if n > 1)


def commits_are_known(evidence: Evidence) -> Iterator[str]:
    """The database knows every commit of the bot, even when GitHub's answer was lost."""
    refused = {t.batch for t in evidence.transfers if t.failure is not None}
    unknown = {b.id for b in evidence.batches if b.sha is None and b.id not in refused}
    for message in evidence.commits:
        for key, value in _trailers(message):
            if key == BATCH_TRAILER and value in unknown:
                yield f"batch {value} was committed, and the database does not know of it"


def _trailers(message: str) -> set[tuple[str, str]]:
    lines = message.rstrip().rpartition("\n\n")[2].splitlines()
    return {(key, value.strip()) for key, _, value in (line.partition(":") for line in lines)}


# -- what is said is so ---------------------------------------------------------------------


def runs_are_those_of_the_batch(evidence: Evidence) -> Iterator[str]:
    batch_of_run = {run.id: run.batch for run in evidence.runs}
    for transfer in evidence.transfers:
        if transfer.run is None:
            continue
        batch = batch_of_run.get(transfer.run, "")
        if batch is not None and batch != transfer.batch:
            yield (
                f"{transfer.image} was told by run {transfer.run}, which is not the one of its"
                f" batch {transfer.batch}"
            )


def mirrored_means_that_it_is_there(evidence: Evidence) -> Iterator[str]:
    """The last decision on each tag counts, since it may be decided on again."""
    for image, transfer in _last_decided(evidence).items():
        if transfer.state is not State.MIRRORED or str(image) in evidence.target_touched:
            continue
        there = evidence.target_now.get(str(image))
        said = transfer.copied_digest or transfer.digest
        if there is None:
            yield f"{image} is called mirrored, and the target does not have it"
        elif transfer.proof is Proof.TARGET and there != said:
            yield f"{image} is called verified as {said}, and the target has {there}"


def _last_decided(evidence: Evidence) -> dict[ImageRef, Transfer]:
    """Return the transfer of each name and tag that was decided on last."""
    by_time = sorted(evidence.transfers, key=lambda t: t.approved_at or t.opened_at)
    return {transfer.image.place: transfer for transfer in by_time}


def no_question_is_older_than_the_decision(evidence: Evidence) -> Iterator[str]:
    """Else a late approval would put an older digest back under a tag."""
    decided = [t for t in evidence.transfers if t.approved_at is not None and t.run is not None]
    for t in evidence.transfers:
        for other in decided:
            same = other.image.place == t.image.place and t.image.tag is not None and t.copies
            if same and other.digest != t.digest and _is_asked_after(t, other):
                yield f"{t.image} was asked about after a later look at its tag was decided on"


def _is_asked_after(transfer: Transfer, decided: Transfer) -> bool:
    if transfer.checked_at is None or transfer.checked_at >= _looked_up(decided):
        return False
    if transfer.approved_at is None or decided.approved_at is None:
        return transfer.state is State.WAITING
    return transfer.run is not None and transfer.approved_at > decided.approved_at


def _looked_up(transfer: Transfer) -> datetime:
    assert transfer.checked_at is not None
    return transfer.checked_at


def database_and_chat_agree(evidence: Evidence) -> Iterator[str]:
    messages = {(said.chat, said.id): said for said in evidence.said}
    for asked in evidence.asked:
        request = asked.request
        if request.card is None or not evidence.reached(request):
            continue
        said = messages.get((request.place.chat, request.card))
        if said is None:
            yield f"#{request.id}: its card {request.card} is not in the chat"
            continue
        if said.is_deleted:
            continue
        if asked.cards and said.text not in asked.cards:
            yield f"#{request.id}: its card says {said.text!r}, not {min(asked.cards)!r}"
        if asked.data is not None and set(said.data) != set(asked.data):
            yield f"#{request.id}: its card has the buttons {said.data}, not {asked.data}"


def every_request_has_a_card(evidence: Evidence) -> Iterator[str]:
    """Whoever waits for a request has a card that shows its progress."""
    for asked in evidence.asked:
        request = asked.request
        if request.closed_at is None and request.card is None and evidence.reached(request):
            yield f"#{request.id} is open, and the chat shows no card of it"


def no_announcement_is_left(evidence: Evidence) -> Iterator[str]:
    """Where nothing waits, none stands. A kill right after a send may leave one each."""
    if any(transfer.state is State.WAITING for transfer in evidence.transfers):
        return
    announced = (said for said in evidence.said if said.text.endswith(" waits."))
    left = [said for said in announced if "for an admin" in said.text and not said.is_deleted]
    if len(left) > evidence.repetitions:
        yield f"nothing waits, and still it says {left[-1].text!r}"


def nothing_is_left_running(evidence: Evidence) -> Iterator[str]:
    yield from (f"left open: {what}" for what in evidence.left)
    for batch in evidence.batches:
        if batch.closed_at is None:
            yield f"batch {batch.id} is left open"
    for asked in evidence.asked:
        request = asked.request
        waits = request.is_draft or any(not t.state.is_final for t in asked.transfers)
        if request.closed_at is None and (request.cancelled_at is not None or not waits):
            yield f"#{request.id} is over and is left open"


_CHECKS: Final[Iterable[Callable[[Evidence], Iterator[str]]]] = (
    every_message_has_an_outcome,
    each_message_begins_one_request,
    every_image_has_an_end,
    every_outcome_was_told,
    nothing_is_told_twice,
    foreign_lines_are_unchanged,
    every_approved_image_is_listed_once,
    what_left_the_list_was_decided_and_is_gone,
    nothing_is_copied_without_approval,
    nothing_is_copied_without_a_decision_on_its_digest,
    what_is_overwritten_stays_where_the_config_says_so,
    what_was_taken_out_comes_back_by_a_person_alone,
    commits_say_who_approved,
    each_decided_copy_is_stated_once,
    each_batch_is_committed_once,
    each_batch_is_dispatched_once,
    commits_are_known,
    runs_are_those_of_the_batch,
    mirrored_means_that_it_is_there,
    no_question_is_older_than_the_decision,
    database_and_chat_agree,
    every_request_has_a_card,
    no_announcement_is_left,
    nothing_is_left_running,
)
