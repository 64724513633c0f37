"""Proves that the invariants of the chaos tests detect a broken promise.

Each mutation breaks one promise through something public. A scenario that shows it runs, with the
kill that it needs, and the invariants must name the promise.
Alone: `pytest tests/chaos/test_mutations.py`.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from unittest.mock import AsyncMock

import fakes
import pytest
from decided_breaks import DECIDED
from engine_breaks import (
    BESIDE,
    MORE,
    PLAYS,
    Mutation,
    ask_no_rules_before_the_commit,
    believe_the_run_alone,
    keep_batches_without,
    leave_undone,
    save_otherwise,
)
from engine_kills import Killer
from engine_mirror import MirrorRepository
from engine_world import chaos_world
from fakes import Clock, FakeChat
from invariants import violations

from bot.adapters.store.unit import StoreUnit
from bot.core import image_list
from bot.core.approvals import Approvals
from bot.core.batch import Batch
from bot.core.decision import Ground, Verdict
from bot.core.errors import TransientError
from bot.core.ids import MessageId
from bot.core.image import ImageRef
from bot.core.policy import AllowLists, Role, Ruling
from bot.dialog.message import Text
from bot.engine.intake.context import Incoming
from bot.engine.intake.updates import Intake
from bot.engine.lanes import batch_admission, chat_sending, registry_checks
from bot.engine.lanes.chat import ChatLane
from bot.engine.lanes.chat_items import ChatItem
from bot.engine.ports.chat import Chat
from bot.engine.ports.outbox import Note


def skip_the_look_for_the_trailer(patch: pytest.MonkeyPatch) -> None:
    leave_undone(patch, MirrorRepository, "find_commit", None)


def store_no_intention_before_the_dispatch(patch: pytest.MonkeyPatch) -> None:
    keep_batches_without(patch, lambda b: b.dispatching_at is not None and b.dispatched_at is None)


def store_no_intention_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    keep_batches_without(patch, lambda b: b.committing_at is not None and not b.sha)


def make_everybody_an_admin(patch: pytest.MonkeyPatch) -> None:
    """At the press, and again before the commit."""
    patch.setattr(AllowLists, "role_of", lambda *_, **__: Role.ADMIN)
    patch.setattr(Approvals, "accepts", lambda *_, **__: True)


def ask_no_policy(patch: pytest.MonkeyPatch) -> None:
    approved = Ruling(Verdict.APPROVE, Ground.RULE, rule="**")
    patch.setattr(registry_checks, "ruling_on", AsyncMock(return_value=approved))
    ask_no_rules_before_the_commit(patch)


def move_the_offset_before_the_update_is_handled(patch: pytest.MonkeyPatch) -> None:
    class Hasty(Intake):
        def __init__(self, *, store: Any, **parts: Any) -> None:
            super().__init__(store=store, **parts)
            self.store = store

        async def receive(self, incoming: Incoming) -> bool:
            async with self.store.begin() as unit:
                if not await unit.take(incoming.update, self._clock()):
                    return False
            with patch.context() as inner:
                handle_a_repeated_update_again(inner)
                return await super().receive(incoming)

    patch.setattr(fakes, "Intake", Hasty)


def handle_a_repeated_update_again(patch: pytest.MonkeyPatch) -> None:
    leave_undone(patch, StoreUnit, "take", answer=True)


def forget_that_the_result_was_told(patch: pytest.MonkeyPatch) -> None:
    save_otherwise(patch, lambda request: replace(request, told_at=None))


def forget_which_message_is_the_card(patch: pytest.MonkeyPatch) -> None:
    save_otherwise(patch, lambda request: replace(request, card=None))


def save_that_it_was_told_before_it_is(patch: pytest.MonkeyPatch) -> None:
    class Saving:
        """A chat where a result counts as sent before anything is sent."""

        def __init__(self, chat: Chat, store: Any, clock: Clock) -> None:
            self.chat, self.store, self.clock = chat, store, clock

        def __getattr__(self, name: str) -> Any:
            return getattr(self.chat, name)

        async def send(self, *args: Any, **kwargs: Any) -> MessageId:
            async with self.store.begin() as unit:
                for each in await unit.requests_without_result(
                    self.clock(), service="telegram", silent=(), limit=1
                ):
                    await unit.save_request(replace(each, told_at=self.clock()))
            return await self.chat.send(*args, **kwargs)

    def mutant(*, chat: Chat, store: Any, clock: Clock, **parts: Any) -> ChatLane:
        chat = Saving(chat, store, clock)
        return ChatLane(chat=chat, store=store, clock=clock, **parts)

    patch.setattr(fakes, "ChatLane", mutant)


def drop_a_note_before_it_is_said(patch: pytest.MonkeyPatch) -> None:
    due = StoreUnit.due_notes

    async def mutant(self: StoreUnit, *args: Any, **kwargs: Any) -> Sequence[Note]:
        notes = await due(self, *args, **kwargs)
        for note in notes:
            await self.drop_note(note.id)
        return notes

    patch.setattr(StoreUnit, "due_notes", mutant)


def believe_an_edit_that_was_never_made(patch: pytest.MonkeyPatch) -> None:
    leave_undone(patch, FakeChat, "edit", None)


def say_no_result_where_there_is_no_card(patch: pytest.MonkeyPatch) -> None:
    owes, made = ChatItem.needs_result.fget, ChatItem.__dict__["card"].func
    assert owes is not None

    def card(item: ChatItem) -> Text | None:
        """A card that could not be sent is not tried again."""
        tried = item.has_no_card and bool(item.request.shown)
        return None if tried else made(item)

    patch.setattr(
        ChatItem, "needs_result", property(lambda item: not item.has_no_card and owes(item))
    )
    patch.setattr(ChatItem, "card", property(card))


def write_the_list_back_in_our_own_style(patch: pytest.MonkeyPatch) -> None:
    def mutant(content: bytes, images: Iterable[ImageRef]) -> bytes:
        known = [*image_list.listed_images(content), *image_list.unlisted(content, images)]
        return b"".join(f"{image}\n".encode() for image in known)

    patch.setattr(image_list, "with_images", mutant)


def add_what_is_listed_already(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(image_list, "unlisted", lambda content, images: tuple(images))


def believe_the_latest_run(patch: pytest.MonkeyPatch) -> None:
    async def latest(self: MirrorRepository, sha: object) -> object:
        return self.runs[-1].run if self.runs else None

    patch.setattr(MirrorRepository, "run_of_commit", latest)


def name_no_approver_in_the_commit(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(batch_admission, "_ground", lambda ruling, persons: "rule **")


def forget_what_the_full_disk_did_not_take(patch: pytest.MonkeyPatch) -> None:
    attempt = chat_sending.attempt

    async def mutant(what: object, *ways: Callable[[], Awaitable[object]]) -> object:
        try:
            return await attempt(what, *ways)
        except TransientError:
            return None

    patch.setattr(chat_sending, "attempt", mutant)


def never_close_a_batch(patch: pytest.MonkeyPatch) -> None:
    save = StoreUnit.save_batch

    async def mutant(self: StoreUnit, batch: Batch) -> None:
        await save(self, replace(batch, closed_at=None))

    patch.setattr(StoreUnit, "save_batch", mutant)


MUTATIONS: Final = (
    Mutation(skip_the_look_for_the_trailer, "answers_get_lost", "the database does not know of it"),
    Mutation(
        store_no_intention_before_the_commit,
        "approved_by_the_policy",
        "the database does not know of it",
        kill="after write_list",
    ),
    Mutation(
        store_no_intention_before_the_dispatch,
        "listed_already",
        "was dispatched 2 times",
        kill="after dispatch",
    ),
    Mutation(make_everybody_an_admin, "asked_and_approved", "who is no admin"),
    Mutation(ask_no_policy, "asked_and_approved", "the policy wants an admin's word"),
    Mutation(
        move_the_offset_before_the_update_is_handled,
        "approved_by_the_policy",
        "nobody answered it",
        kill="after the commit of take",
    ),
    Mutation(
        handle_a_repeated_update_again,
        "approved_by_the_policy",
        "began #1, #2",
        kill="after the commit of link",
    ),
    Mutation(forget_that_the_result_was_told, "approved_by_the_policy", "the result of #1 was"),
    Mutation(forget_which_message_is_the_card, "asked_and_approved", "the card of #1 was sent"),
    Mutation(
        save_that_it_was_told_before_it_is,
        "rejected_with_a_reason",
        "was told to nobody",
        kill="before send",
    ),
    Mutation(
        drop_a_note_before_it_is_said, "answers_at_once", "nobody answered it", kill="before send"
    ),
    Mutation(believe_an_edit_that_was_never_made, "approved_by_the_policy", "its card says"),
    Mutation(
        say_no_result_where_there_is_no_card, "a_card_that_cannot_be_sent", "was told to nobody"
    ),
    Mutation(write_the_list_back_in_our_own_style, "listed_already", "other people's lines were"),
    Mutation(add_what_is_listed_already, "listed_already", "2 times"),
    Mutation(
        believe_the_latest_run, "somebody_else_pushes_right_after", "not the one of its batch"
    ),
    Mutation(believe_the_run_alone, "a_run_that_lies", "the target does not have it"),
    Mutation(name_no_approver_in_the_commit, "asked_and_approved", "does not say who approved it"),
    Mutation(
        forget_what_the_full_disk_did_not_take, "the_disk_is_full_for_a_while", "was answered"
    ),
    Mutation(never_close_a_batch, "approved_by_the_policy", "is left open"),
    *MORE,
    *DECIDED,
)


async def seen(mutation: Mutation, folder: Path) -> list[list[str]]:
    """Return the violations: without a kill, then for a kill at each of the named points."""
    killer = Killer()
    found = [await _violations(mutation.scenario, killer, folder)]
    if mutation.kill:
        points = [n for n, name in enumerate(killer.passed, 1) if mutation.kill in name]
        found += [await _violations(mutation.scenario, Killer([n]), folder) for n in points]
    return found


async def _violations(scenario: str, killer: Killer, folder: Path) -> list[str]:
    async with chaos_world(folder, killer) as w:
        await PLAYS[scenario](w)
        return violations(await w.evidence())


@pytest.mark.sweep(kept=3)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
async def test_a_broken_promise_is_noticed(
    mutation: Mutation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tally: Counter[str]
) -> None:
    mutation.breaks(monkeypatch)
    found = await seen(mutation, tmp_path)
    assert any(mutation.words in words for each in found for words in each), found
    tally["mutations noticed"] += 1


@pytest.mark.parametrize("scenario", BESIDE)
async def test_where_nothing_is_broken_nothing_is_noticed(scenario: str, tmp_path: Path) -> None:
    """The scenarios that only mutations use. The others run elsewhere, with kills."""
    assert await _violations(scenario, Killer(), tmp_path) == []


async def test_a_request_that_lost_its_images_is_noticed(tmp_path: Path) -> None:
    """No mutation of the engine shows it, since no card can be made for such a request."""
    async with chaos_world(tmp_path) as w:
        await PLAYS["two_go_together"](w)
        evidence = await w.evidence()
    emptied = tuple(replace(asked, transfers=()) for asked in evidence.asked)
    assert "#1 was confirmed and has no images" in violations(replace(evidence, asked=emptied))
