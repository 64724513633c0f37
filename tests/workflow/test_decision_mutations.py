"""Proves that the tests of decisions notice a run that breaks one of their promises.

Each mutation changes one place of the installed package. The named test must then fail.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import test_decisions as promises
import test_previous as kept
from registry_fixture import PASSWORD, USER, Registry, World, registry, world

from bot.workflow import shipped

__all__ = ["world"]  # a fixture: pytest finds it by this name

MUTATIONS: dict[str, tuple[str, str, str, Callable[[World], None]]] = {
    "any seal counts": (
        "decision.py",
        'same = hmac.compare_digest(key.sign(found["sealed"]), found["seal"])',
        "same = True",
        lambda w: (
            promises.test_without_a_right_seal_no_digest_goes_under_a_tag_that_does_not_name_it(
                w, "its seal is wrong", "push"
            )
        ),
    ),
    "a seal never ends": (
        "decision.py",
        "if age > OLDEST:",
        "if False:",
        promises.test_a_run_that_is_repeated_days_later_does_not_put_the_old_image_back,
    ),
    "the tag is copied, not the decided digest": (
        "orders.py",
        "return Order(image, said.image, said.ground,",
        "return Order(image, image, said.ground,",
        promises.test_a_sealed_line_gets_the_decided_digest_whatever_its_tag_has_by_now,
    ),
    "what is overwritten is lost": (
        "copying.py",
        "if self.order.previous and",
        "if False and",
        kept.test_the_digest_that_is_overwritten_stays_under_the_tag_that_the_order_names,
    ),
    "a tag of before is overwritten": (
        "previous.py",
        'if there == "":',
        "if True:",
        kept.test_a_tag_of_that_day_is_not_overwritten,
    ),
    "what an admin took out is kept": (
        "orders.py",
        "previous=said.previous)",
        "previous=said.previous or self.previous)",
        kept.test_an_order_that_names_no_tag_leaves_none_whatever_the_policy_says,
    ),
    "only the last commit is read": (
        "github.py",
        "for commit in commits)",
        "for commit in commits[-1:])",
        promises.test_of_several_commits_of_a_push_each_is_read_and_the_newest_decision_counts,
    ),
    "any digest goes under a tag": (
        "copying.py",
        "if self.source.digest(image.tag) != image.digest:",
        "if False:",
        promises.test_a_list_with_both_forms_of_an_image_comes_to_rest,
    ),
    "what the rules deny is copied": (
        "orders.py",
        "if verdict == DENY:",
        "if False:",
        promises.test_a_denied_line_is_told_and_not_copied,
    ),
    "without rules everything is copied": (
        "orders.py",
        "more=by, refusal=self.policy)",
        "more=by)",
        lambda w: promises.test_without_a_policy_only_sealed_decisions_are_carried_out(w, ""),
    ),
    "the whole list overwrites versions": (
        "orders.py",
        "keeps = self.whole and",
        "keeps = False and",
        promises.test_a_run_of_the_whole_list_refreshes_tags_and_overwrites_no_version,
    ),
    "a decision that cannot be read starts the whole list": (
        "github.py",
        "if not decided and not images.strip():",
        "if not images.strip():",
        lambda w: promises.test_a_dispatch_with_a_decision_is_never_a_run_of_the_whole_list(w, " "),
    ),
}


@pytest.fixture
def registries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Registry, Registry]]:
    """Own registries for each: a mutated run leaves images that the other tests must not find."""
    directory = tmp_path_factory.mktemp("own-registries")
    with (
        registry(directory / "source") as source,
        registry(directory / "target", (USER, PASSWORD)) as target,
    ):
        yield source, target


@pytest.mark.sweep(kept=1)
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_run_that_breaks_a_promise_is_noticed(
    world: World, name: str, tally: Counter[str]
) -> None:
    file, right, wrong, promise = MUTATIONS[name]
    module: Path = world.directory / shipped.FOLDER / file
    text = module.read_text(encoding="utf-8")
    assert text.count(right) == 1
    module.write_text(text.replace(right, wrong), encoding="utf-8")
    with pytest.raises(AssertionError):
        promise(world)
    tally["mutations noticed"] += 1
