"""What is wrong with the rules of a config although it can be read: rules that can match nothing.

Such a rule is dangerous where it denies, since the next rule decides instead. So each is told with
the pattern that was probably meant, for the person who keeps the config. Until it is corrected, a
rule that denies holds as corrected, and one that approves or asks does not hold.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from bot.core.decision import Verdict
from bot.core.pattern import (
    can_match_registry,
    corrected,
    corrected_registry,
    includes,
    normalised,
    normalised_registry,
)

_WRITE: Final = "matches nothing: write"
AsWritten = Sequence[tuple[str, Verdict]]
"""The pattern and the verdict of each rule, as they stand in the config."""


def pattern_in_force(images: str, verdict: Verdict) -> str:
    """The pattern that holds for a rule, normalised."""
    meant = corrected(images) if verdict is Verdict.DENY else None
    return meant or normalised(images)


def warnings(registries: Sequence[str], rules: AsWritten) -> list[str]:
    """A line for each registry and each rule that can match nothing. Each names its key."""
    allowed = frozenset(map(normalised_registry, registries))
    found = list(_of_registries(registries))
    for number, (images, verdict) in enumerate(rules):
        nothing, never = _why_nothing(images, allowed), _why_never(number, rules)
        if verdict is Verdict.DENY and nothing.startswith(_WRITE) and not never:
            nothing += ", which it denies until then"
        found += [f"policy.rules.{number}.images: {images} {w}" for w in (nothing, never) if w]
    return found


def _of_registries(registries: Sequence[str]) -> Iterator[str]:
    for number, name in enumerate(registries):
        meant = corrected_registry(name)
        if meant is not None:
            advice = f"write {meant}" if meant else "write its host, such as quay.io"
            yield f"policy.registries.{number}: {name} is no host of a registry: {advice}"


def _why_nothing(images: str, allowed: frozenset[str]) -> str:
    meant = corrected(images)
    if meant is None:
        return "matches nothing: a pattern holds letters, digits and ._-/:* only"
    if meant != normalised(images):
        return f"{_WRITE} {meant}"
    if not any(can_match_registry(meant, registry) for registry in allowed):
        return "matches nothing: policy.registries has no such registry"
    return ""


def _why_never(number: int, rules: AsWritten) -> str:
    """Which earlier rule decides on everything that this one matches."""
    own = pattern_in_force(*rules[number])
    for earlier, rule in enumerate(rules[:number]):
        if includes(pattern_in_force(*rule), own):
            return f"is never asked: policy.rules.{earlier} ({rule[0]}) decides before it"
    return ""
