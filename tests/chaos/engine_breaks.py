"""Mutations of the engine for test_mutations.py, and the scenarios that only they need.

Each violates an invariant that no mutation in test_mutations.py violates. A mutation replaces a
public method of the store or of a fake, a function that a lane calls, or a property that it reads.
So renaming something inside a lane breaks none of them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final
from unittest.mock import AsyncMock

import pytest
from engine_mirror import MirrorRepository, Plan
from engine_overwrites import SCENARIOS
from engine_scenarios import COMPOSE, REDIS, Scenario, mirror
from engine_world import ChaosWorld
from fakes import NGINX, STATIC, WEI, digest_of

from bot.adapters.store.unit import StoreUnit
from bot.core import image_list
from bot.core.batch import Batch
from bot.core.decision import Ground, Verdict
from bot.core.events import Event, Mismatch, Proof, Verified
from bot.core.ids import BatchId, CommitSha, TransferId
from bot.core.image import ImageRef
from bot.core.next_action import Action
from bot.core.policy import Ruling
from bot.core.request import Request
from bot.core.statement import Statement
from bot.core.transfer import State, Transfer
from bot.dialog.message import Text
from bot.engine.intake import admission
from bot.engine.lanes import batch_admission, batch_writes, registry_checks
from bot.engine.lanes.chat_items import ChatItem
from bot.engine.lanes.files import FilesLane
from bot.engine.lanes.lane import TickResult
from bot.engine.lanes.questions import QuestionsLane

Break = Callable[[pytest.MonkeyPatch], None]
DENIED: Final = ImageRef.parse("docker.io/evil/miner:1")


@dataclass(frozen=True)
class Mutation:
    """`kill` is part of the name of the point where the process dies. Empty means no kill."""

    breaks: Break
    scenario: str
    words: str
    kill: str = ""

    def __str__(self) -> str:
        return getattr(self.breaks, "__name__", "")


# -- what people do: not in SCENARIOS, since killing at every point here would show nothing new


async def one_goes_ahead_and_one_waits(w: ChaosWorld) -> None:
    w.upstream(NGINX, STATIC)
    await mirror(w, WEI, NGINX, STATIC)
    await w.rest()


async def one_is_listed_and_one_waits(w: ChaosWorld) -> None:
    w.repository.people_write(lambda text: text + b"nginx:1.27\n")
    w.repository.work()
    await one_goes_ahead_and_one_waits(w)


async def one_is_denied_though_it_is_there(w: ChaosWorld) -> None:
    w.upstream(NGINX, DENIED)
    await mirror(w, WEI, NGINX, DENIED)
    await w.rest()


async def two_go_together(w: ChaosWorld) -> None:
    w.upstream(NGINX, REDIS)
    await mirror(w, WEI, NGINX, REDIS)
    await w.rest()


async def somebody_pushes_just_before_the_bot(w: ChaosWorld) -> None:
    w.upstream(NGINX)
    w.repository.race.append(lambda: w.repository.people_write(lambda text: text + b"own:1\n"))
    await mirror(w, WEI, NGINX)
    await w.rest()


async def somebody_takes_the_line_out_right_after_the_commit(w: ChaosWorld) -> None:
    w.upstream(NGINX)
    await mirror(w, WEI, NGINX)
    while not w.repository.commits:
        await w.settle(1, 1)
    w.repository.people_write(lambda text: text.replace(f"{NGINX}\n".encode(), b""))
    await w.rest()


async def the_target_gets_another_digest(w: ChaosWorld) -> None:
    w.upstream(NGINX)
    w.repository.plans[str(NGINX)] = Plan(other=digest_of("another"))
    await mirror(w, WEI, NGINX)
    await w.rest()


async def half_of_a_file_arrives(w: ChaosWorld) -> None:
    w.upstream(NGINX)
    await w.send(WEI, "compose.yaml", COMPOSE)
    await w.settle(5)
    await w.press(WEI, "all:1")
    await w.rest(hours=0.05)


BESIDE: Final[Mapping[str, Scenario]] = MappingProxyType(
    {
        getattr(each, "__name__", ""): each
        for each in (
            one_goes_ahead_and_one_waits,
            one_is_listed_and_one_waits,
            one_is_denied_though_it_is_there,
            two_go_together,
            somebody_pushes_just_before_the_bot,
            somebody_takes_the_line_out_right_after_the_commit,
            the_target_gets_another_digest,
            half_of_a_file_arrives,
        )
    }
)
PLAYS: Final[Mapping[str, Scenario]] = MappingProxyType({**SCENARIOS, **BESIDE})


# -- mutations: each replaces a public method of an adapter or a fake, or what a lane reads


def leave_undone(patch: pytest.MonkeyPatch, where: type, name: str, answer: object = ()) -> None:
    async def nothing(self: object, *args: object, **kwargs: object) -> object:
        return answer

    patch.setattr(where, name, nothing)


def save_otherwise(patch: pytest.MonkeyPatch, change: Callable[[Request], Request]) -> None:
    """Store every request as `change` returns it."""
    save = StoreUnit.save_request

    async def mutant(self: StoreUnit, request: Request) -> None:
        await save(self, change(request))

    patch.setattr(StoreUnit, "save_request", mutant)


def keep_batches_without(patch: pytest.MonkeyPatch, dropped: Callable[[Batch], bool]) -> None:
    """Do not store a batch for which `dropped` is true."""
    save = StoreUnit.save_batch

    async def mutant(self: StoreUnit, batch: Batch) -> None:
        if not dropped(batch):
            await save(self, batch)

    patch.setattr(StoreUnit, "save_batch", mutant)


def never_take(patch: pytest.MonkeyPatch, action: Action) -> None:
    """Skip this step of the lane that checks registries."""
    next_action = registry_checks.next_action

    def mutant(transfer: Transfer, now: datetime) -> Action | None:
        found = next_action(transfer, now)
        return None if found is action else found

    patch.setattr(registry_checks, "next_action", mutant)


def begin_with_the_first_image_only(patch: pytest.MonkeyPatch) -> None:
    rulings_on = admission.rulings_on
    patch.setattr(admission, "rulings_on", lambda context, images: rulings_on(context, images[:1]))


def never_drop_a_draft(patch: pytest.MonkeyPatch) -> None:
    leave_undone(patch, StoreUnit, "open_drafts")


def never_let_a_question_expire(patch: pytest.MonkeyPatch) -> None:
    never_take(patch, Action.EXPIRE)


def never_verify(patch: pytest.MonkeyPatch) -> None:
    never_take(patch, Action.VERIFY)


def let_those_go_along_that_wait(patch: pytest.MonkeyPatch) -> None:
    """Make what waits a member of each batch, and let the rules say yes to it."""
    within = StoreUnit.transfers_in

    async def mutant(self: StoreUnit, batch: BatchId) -> tuple[Transfer, ...]:
        waiting = [t for t in await self.open_transfers() if t.state is State.WAITING]
        members = [replace(t, approved_at=t.checked_at, batch=batch) for t in waiting]
        return (*await within(self, batch), *members)

    patch.setattr(StoreUnit, "transfers_in", mutant)
    ask_no_rules_before_the_commit(patch)


def ask_no_rules_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    approved = Ruling(Verdict.APPROVE, Ground.RULE, rule="**")
    patch.setattr(batch_admission, "ruling_on_transfer", AsyncMock(return_value=approved))


def let_the_policy_deny_nothing(patch: pytest.MonkeyPatch) -> None:
    approved = Ruling(Verdict.APPROVE, Ground.RULE, rule="**")
    for place in (admission, registry_checks):
        patch.setattr(place, "decide", lambda policy, image: approved)
    patch.setattr(registry_checks, "ruling_on", AsyncMock(return_value=approved))
    ask_no_rules_before_the_commit(patch)


def write_over_what_others_wrote(patch: pytest.MonkeyPatch) -> None:
    """Write without naming the version of the file that the write replaces."""
    write = MirrorRepository.write_list

    async def mutant(self: MirrorRepository, content: bytes, **named: str) -> CommitSha:
        while self.race:
            self.race.pop(0)()
        blob = (await self.read_list()).blob
        return await write(self, content, blob=blob, message=named["message"])

    patch.setattr(MirrorRepository, "write_list", mutant)


def add_lines_that_name_nothing(patch: pytest.MonkeyPatch) -> None:
    def mutant(content: bytes, images: Iterable[ImageRef]) -> bytes:
        return content + b"".join(b"# %b\n" % str(image).encode() for image in images)

    patch.setattr(image_list, "with_images", mutant)


def forget_that_it_was_committed(patch: pytest.MonkeyPatch) -> None:
    keep_batches_without(patch, lambda batch: batch.sha is not None)
    leave_undone(patch, MirrorRepository, "find_commit", None)


def name_another_batch_in_the_commit(patch: pytest.MonkeyPatch) -> None:
    write = batch_writes.commit_message

    def mutant(images: Sequence[ImageRef], block: str) -> str:
        return write(images, re.sub("^Batch: .*", "Batch: another", block))

    patch.setattr(batch_writes, "commit_message", mutant)


def believe_the_run_alone(patch: pytest.MonkeyPatch) -> None:
    record = registry_checks.record_in

    async def mutant(unit: StoreUnit, transfer: TransferId, event: Event) -> bool:
        if isinstance(event, Mismatch):
            event = Verified(event.at, Proof.TARGET)
        return await record(unit, transfer, event)

    patch.setattr(registry_checks, "record_in", mutant)


def drop_the_buttons_at_an_edit(patch: pytest.MonkeyPatch) -> None:
    made = ChatItem.__dict__["card"].func

    def mutant(item: ChatItem) -> Text | None:
        card: Text | None = made(item)
        if card is None or item.has_no_card:
            return card
        return replace(card, message=replace(card.message, buttons=()))

    patch.setattr(ChatItem, "card", property(mutant))


def show_no_card(patch: pytest.MonkeyPatch) -> None:
    made = ChatItem.__dict__["card"].func
    patch.setattr(ChatItem, "card", property(lambda item: None if item.has_no_card else made(item)))


def keep_another_number_for_the_card(patch: pytest.MonkeyPatch) -> None:
    save_otherwise(patch, lambda r: replace(r, card=r.message if r.card is not None else None))


def take_the_card_for_the_result(patch: pytest.MonkeyPatch) -> None:
    save_otherwise(patch, lambda r: replace(r, told_in=r.card if r.told_in is not None else None))


def leave_the_result_as_it_was_said(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ChatItem, "result_is_outdated", property(lambda item: False))


def close_no_request(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ChatItem, "is_finished", property(lambda item: False))


def say_no_note(patch: pytest.MonkeyPatch) -> None:
    leave_undone(patch, StoreUnit, "due_notes")


def answer_no_question(patch: pytest.MonkeyPatch) -> None:
    leave_undone(patch, QuestionsLane, "tick", TickResult.OPEN)


def read_no_file(patch: pytest.MonkeyPatch) -> None:
    leave_undone(patch, FilesLane, "tick", TickResult.OPEN)


def drop_no_file(patch: pytest.MonkeyPatch) -> None:
    leave_undone(patch, StoreUnit, "drop_files_of")


def forget_that_the_file_went_back(patch: pytest.MonkeyPatch) -> None:
    save_otherwise(patch, lambda request: replace(request, returned_at=None))


def sign_anew_each_time(patch: pytest.MonkeyPatch) -> None:
    due = StoreUnit.due_statements

    async def mutant(self: StoreUnit, now: datetime, *, limit: int) -> list[Statement]:
        found = await due(self, now, limit=limit)
        more = b" " * (now.second + 1)
        return [replace(s, envelopes=tuple(e + more for e in s.envelopes)) for s in found]

    patch.setattr(StoreUnit, "due_statements", mutant)


def sign_nothing(patch: pytest.MonkeyPatch) -> None:
    leave_undone(patch, StoreUnit, "due_statements")


NOBODY: Final = "which nobody has approved"
STATED: Final = "stated_by_a_rule_and_by_a_person"
MORE: Final[Sequence[Mutation]] = (
    Mutation(sign_anew_each_time, STATED, "beside it, and was decided on 1 times"),
    Mutation(sign_nothing, STATED, "was decided on and has no statement"),
    Mutation(begin_with_the_first_image_only, "two_go_together", "nothing is known of"),
    Mutation(never_drop_a_draft, "a_draft_is_dropped_and_one_forgotten", "have been dropped"),
    Mutation(never_let_a_question_expire, "nobody_decides", "though its time is over"),
    Mutation(never_verify, "approved_by_the_policy", "has no end: it is verifying"),
    Mutation(
        let_those_go_along_that_wait,
        "one_goes_ahead_and_one_waits",
        f"image.list names {STATIC}, {NOBODY}",
    ),
    Mutation(
        let_those_go_along_that_wait,
        "one_is_listed_and_one_waits",
        f"the target has {STATIC}, {NOBODY}",
    ),
    Mutation(
        let_the_policy_deny_nothing, "one_is_denied_though_it_is_there", "and the policy denies it"
    ),
    Mutation(
        write_over_what_others_wrote,
        "somebody_pushes_just_before_the_bot",
        "other people's lines were",
    ),
    Mutation(add_lines_that_name_nothing, "two_go_together", "image.list lacks"),
    Mutation(
        forget_that_it_was_committed,
        "somebody_takes_the_line_out_right_after_the_commit",
        "was committed 2 times",
    ),
    Mutation(
        name_another_batch_in_the_commit, "two_go_together", "was committed and is not stored"
    ),
    Mutation(
        believe_the_run_alone,
        "the_target_gets_another_digest",
        "is called verified as",
    ),
    Mutation(drop_the_buttons_at_an_edit, "one_goes_ahead_and_one_waits", "has the buttons ()"),
    Mutation(show_no_card, "one_goes_ahead_and_one_waits", "the chat shows no card of it"),
    Mutation(keep_another_number_for_the_card, "there_already", "is not in the chat"),
    Mutation(take_the_card_for_the_result, "two_go_together", "which should tell it, does not"),
    Mutation(leave_the_result_as_it_was_said, "written_for_another_tool", "and should not"),
    Mutation(close_no_request, "approved_by_the_policy", "#1 is over and is left open"),
    Mutation(say_no_note, "answers_at_once", "left open: note"),
    Mutation(answer_no_question, "looked_up_and_listed", "left open: question"),
    Mutation(read_no_file, "a_file_goes_back_rewritten", "was never read"),
    Mutation(drop_no_file, "a_file_goes_back_rewritten", "is kept for nothing"),
    Mutation(forget_that_the_file_went_back, "half_of_a_file_arrives", "the file of #1 was sent"),
)
