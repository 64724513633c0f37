"""Mutations of the promises about decisions, for test_mutations.py."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import pytest
from engine_breaks import Mutation, ask_no_rules_before_the_commit, leave_undone

from bot.adapters.store.unit import StoreUnit
from bot.core.batch import CopyResult
from bot.core.events import Copied
from bot.core.seal import DecidedImage
from bot.engine import decided
from bot.engine.intake import approving
from bot.engine.lanes import batch_forming, batch_results


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
        copy_two_digests_of_a_tag_at_once,
        "the_older_of_two_digests_is_approved_first_and_its_run_is_slow",
        "is called verified as",
    ),
)
