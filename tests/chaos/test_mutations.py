"""The harness itself: each promise is broken on purpose, and somebody has to notice.

A mutation replaces a small piece of the engine at one seam. A scenario that shows it runs, with
the kill that it needs; were the invariants content, they would not be worth their name.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from engine_breaks import (
    BESIDE,
    MORE,
    PLAYS,
    Mutation,
    call_it_mirrored_without_a_look,
    keep_without,
)
from engine_kills import Killer
from engine_mirror import MirrorRepository
from engine_world import chaos_world
from invariants import violations

from bot.adapters.store.unit import StoreUnit
from bot.core import image_list
from bot.core.batch import Batch, BatchImage
from bot.core.ids import BatchId
from bot.core.image import ImageRef
from bot.core.policy import Decision, Ground, Verdict
from bot.engine.intake import updates
from bot.engine.intake.updates import Intake
from bot.engine.lanes import batches, registry_checks
from bot.engine.lanes.batches import BatchesLane
from bot.engine.lanes.chat import ChatLane


def skip_the_look_for_the_trailer(patch: pytest.MonkeyPatch) -> None:
    async def nothing(self: MirrorRepository, batch: BatchId) -> None:
        return None

    patch.setattr(MirrorRepository, "find_commit", nothing)


def store_no_intention_before_the_dispatch(patch: pytest.MonkeyPatch) -> None:
    save = BatchesLane._save

    async def mutant(self: BatchesLane, batch: Batch) -> Batch:
        if batch.dispatching_at is not None and batch.dispatched_at is None:
            return batch
        return await save(self, batch)

    patch.setattr(BatchesLane, "_save", mutant)


def store_no_intention_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    save = BatchesLane._save

    async def mutant(self: BatchesLane, batch: Batch) -> Batch:
        return batch if batch.committing_at and not batch.sha else await save(self, batch)

    patch.setattr(BatchesLane, "_save", mutant)


def drop_the_check_of_the_role(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(updates, "_ADMIN_ONLY", ())


def ask_no_policy(patch: pytest.MonkeyPatch) -> None:
    approved = Decision(Verdict.APPROVE, Ground.RULE)
    patch.setattr(registry_checks, "decide", lambda policy, image: approved)


def move_the_offset_before_the_update_is_handled(patch: pytest.MonkeyPatch) -> None:
    receive, last_update = Intake.receive, StoreUnit.last_update

    async def mutant(self: Intake, incoming: Any) -> bool:
        async with self._store.begin() as unit:
            if incoming.update <= await last_update(unit):  # type: ignore[arg-type]
                return False
            await unit.pass_update(incoming.update)
        with patch.context() as inner:
            inner.setattr(StoreUnit, "last_update", _zero)
            return await receive(self, incoming)

    patch.setattr(Intake, "receive", mutant)


async def _zero(self: StoreUnit) -> int:
    return 0


def handle_a_repeated_update_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(StoreUnit, "last_update", _zero)


def forget_that_the_result_was_told(patch: pytest.MonkeyPatch) -> None:
    keep_without(patch, "told_at")


def forget_which_message_is_the_card(patch: pytest.MonkeyPatch) -> None:
    keep_without(patch, "card")


def save_that_it_was_told_before_it_is(patch: pytest.MonkeyPatch) -> None:
    tell = ChatLane._tell

    async def mutant(self: ChatLane, item: Any) -> bool:
        await self._keep(item, told_at=self._clock(), told=item.result.fingerprint)
        return await tell(self, item)

    patch.setattr(ChatLane, "_tell", mutant)


def drop_a_note_before_it_is_said(patch: pytest.MonkeyPatch) -> None:
    say = ChatLane._note

    async def mutant(self: ChatLane, note: Any) -> bool:
        async with self._store.begin() as unit:
            await unit.drop_note(note.id)
        return await say(self, note)

    patch.setattr(ChatLane, "_note", mutant)


def believe_an_edit_that_was_never_made(patch: pytest.MonkeyPatch) -> None:
    async def mutant(self: ChatLane, item: Any, edit: Awaitable[None], **facts: str) -> bool:
        edit.close()  # type: ignore[attr-defined]
        await self._keep(item, **facts)
        return True

    patch.setattr(ChatLane, "_edited", mutant)


def say_no_result_where_there_is_no_card(patch: pytest.MonkeyPatch) -> None:
    tell = ChatLane._tell

    async def mutant(self: ChatLane, item: Any) -> bool:
        return item.request.card is not None and await tell(self, item)

    show = ChatLane._show

    async def hidden(self: ChatLane, item: Any) -> bool:
        return not item.request.shown and await show(self, item)

    patch.setattr(ChatLane, "_tell", mutant)
    patch.setattr(ChatLane, "_show", hidden)


def write_the_list_back_in_our_own_style(patch: pytest.MonkeyPatch) -> None:
    def mutant(content: bytes, images: Iterable[ImageRef]) -> bytes:
        known = [*image_list.listed_images(content), *image_list.unlisted(content, images)]
        return b"".join(f"{image}\n".encode() for image in known)

    patch.setattr(image_list, "add", mutant)


def add_what_is_listed_already(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(image_list, "missing", lambda content, images: tuple(images))


def believe_the_latest_run(patch: pytest.MonkeyPatch) -> None:
    async def latest(self: MirrorRepository, sha: object) -> object:
        return self.runs[-1].run if self.runs else None

    patch.setattr(MirrorRepository, "run_of_commit", latest)


def name_no_approver_in_the_commit(patch: pytest.MonkeyPatch) -> None:
    write = batches.commit_message

    def mutant(batch: BatchId, shares: tuple[BatchImage, ...]) -> str:
        return write(batch, tuple(replace(share, approved_by=None) for share in shares))

    patch.setattr(batches, "commit_message", mutant)


def forget_what_the_full_disk_did_not_take(patch: pytest.MonkeyPatch) -> None:
    async def mutant(self: ChatLane, save: Callable[[], Awaitable[None]]) -> None:
        await save()

    patch.setattr(ChatLane, "_save", mutant)


def never_close_a_batch(patch: pytest.MonkeyPatch) -> None:
    follow_up = BatchesLane._follow_up

    async def mutant(self: BatchesLane, batch: Batch, events: Any, *, over: bool) -> None:
        await follow_up(self, batch, events, over=False)

    patch.setattr(BatchesLane, "_follow_up", mutant)


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
    Mutation(drop_the_check_of_the_role, "asked_and_approved", "who is no admin"),
    Mutation(ask_no_policy, "asked_and_approved", "the policy wants an admin's word"),
    Mutation(
        move_the_offset_before_the_update_is_handled,
        "approved_by_the_policy",
        "nobody answered it",
        kill="after the commit of pass_update",
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
    Mutation(call_it_mirrored_without_a_look, "a_run_that_lies", "the target does not have it"),
    Mutation(name_no_approver_in_the_commit, "asked_and_approved", "does not say who approved it"),
    Mutation(
        forget_what_the_full_disk_did_not_take, "the_disk_is_full_for_a_while", "was answered"
    ),
    Mutation(never_close_a_batch, "approved_by_the_policy", "is left open"),
    *MORE,
)


async def seen(mutation: Mutation, folder: Path) -> list[list[str]]:
    """What the invariants say: without a kill, then for a kill at each of the meant points."""
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
    """The scenarios that only mutations use: all others are played, with kills, elsewhere."""
    assert await _violations(scenario, Killer(), tmp_path) == []


async def test_a_request_that_lost_its_images_is_noticed(tmp_path: Path) -> None:
    """No break of the engine shows it, since no card can be made for such a request."""
    async with chaos_world(tmp_path) as w:
        await PLAYS["two_go_together"](w)
        evidence = await w.evidence()
    emptied = tuple(replace(asked, transfers=()) for asked in evidence.asked)
    assert "#1 was confirmed and has no images" in violations(replace(evidence, asked=emptied))
