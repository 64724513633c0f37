"""Mutations of the promises about decisions, for test_mutations.py."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import pytest
from engine_breaks import Mutation, ask_no_rules_before_the_commit, leave_undone
from engine_world import OneHostsWishes

from bot.adapters.store.unit import StoreUnit
from bot.core.batch import CopyResult
from bot.core.decision import Decision, Ground, Verdict
from bot.core.events import Copied
from bot.core.policy import Ruling
from bot.core.seal import DecidedImage
from bot.engine import decided
from bot.engine.intake import approving, rollback
from bot.engine.lanes import batch_forming, batch_results
from bot.engine.lanes.batch_admission import BatchAdmission
from bot.engine.ports.wishes import Wish


def name_no_digest(patch: pytest.MonkeyPatch) -> None:
    """Let the run copy what the tag names, and believe whatever it copied."""
    line = DecidedImage.line
    patch.setattr(DecidedImage, "line", lambda self: line(replace(self, image=self.image.place)))
    believe_any_digest(patch)


def believe_any_digest(patch: pytest.MonkeyPatch) -> None:
    def mutant(transfer: object, result: CopyResult, now: object) -> Copied:
        assert result.digest is not None
        return Copied(now, result.digest, None)  # type: ignore[arg-type]

    patch.setattr(batch_results, "result_event", mutant)


def keep_no_decision(patch: pytest.MonkeyPatch) -> None:
    leave_undone(patch, StoreUnit, "keep_decision")


def end_no_older_question(patch: pytest.MonkeyPatch) -> None:
    async def mutant(*_: object, **__: object) -> None:
        return None

    for place in (decided, approving):
        patch.setattr(place, "end_older", mutant)
    patch.setattr(batch_forming, "end_older", mutant)


def copy_two_digests_of_a_tag_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(batch_forming, "one_per_place", lambda ready, taken: list(ready))


def ask_nobody_to_put_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rollback, "Ruling", lambda _, ground: Ruling(Verdict.APPROVE, ground))


def forget_what_was_taken_out(patch: pytest.MonkeyPatch) -> None:
    keep = StoreUnit.keep_decision

    async def mutant(self: StoreUnit, decision: Decision) -> None:
        if (decision.ground, decision.verdict) != (Ground.ROLLBACK, Verdict.DENY):
            await keep(self, decision)

    patch.setattr(StoreUnit, "keep_decision", mutant)


def leave_nothing_of_what_is_overwritten(patch: pytest.MonkeyPatch) -> None:
    leave_undone(patch, BatchAdmission, "_leaves_previous", answer=False)


def keep_what_a_rollback_takes_out(patch: pytest.MonkeyPatch) -> None:
    leave_undone(patch, BatchAdmission, "_leaves_previous", answer=True)


def forget_wishes_before_they_are_carried_out(patch: pytest.MonkeyPatch) -> None:
    take = OneHostsWishes.take

    def mutant(self: OneHostsWishes) -> list[Wish] | None:
        taken = take(self)
        self.done()
        return taken

    patch.setattr(OneHostsWishes, "take", mutant)


UNDECIDED: Final = "which nobody has decided on"
DECIDED: Final[Sequence[Mutation]] = (
    Mutation(name_no_digest, "a_tag_is_updated_before_the_run", UNDECIDED),
    Mutation(keep_no_decision, "approved_by_the_policy", UNDECIDED),
    Mutation(
        ask_no_rules_before_the_commit,
        "a_rule_denies_before_the_commit",
        "and the policy denies it",
    ),
    Mutation(
        end_no_older_question,
        "the_newer_of_two_digests_is_approved_first",
        "was asked about after a later look",
    ),
    Mutation(
        ask_nobody_to_put_back,
        "a_digest_is_put_back_and_what_went_out_is_asked_for",
        "was put back, and nobody has approved it",
    ),
    Mutation(
        forget_what_was_taken_out,
        "a_digest_is_put_back_and_what_went_out_is_asked_for",
        "and came back unasked",
    ),
    Mutation(
        leave_nothing_of_what_is_overwritten,
        "what_is_overwritten_is_kept",
        "which no tag names any more",
    ),
    Mutation(
        keep_what_a_rollback_takes_out,
        "what_a_rollback_takes_out_is_not_kept",
        "is kept, and an admin took it out",
    ),
    Mutation(
        forget_wishes_before_they_are_carried_out,
        "the_host_fills_an_empty_target",
        "is called mirrored, and the target does not have it",
        kill="wishes: after take",
    ),
    Mutation(
        copy_two_digests_of_a_tag_at_once,
        "the_older_of_two_digests_is_approved_first_and_its_run_is_slow",
        "is called verified as",
    ),
)
