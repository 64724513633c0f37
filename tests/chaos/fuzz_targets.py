"""Every fuzz target by its name, and how many inputs each gets in a large run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import fuzz_adapters
import fuzz_core
import fuzz_github
import fuzz_registry
from generators import Choices


@dataclass(frozen=True)
class FuzzTarget:
    """`check` raises where something is wrong; `inputs`: how many a large run throws at it."""

    check: Callable[[Choices], None]
    inputs: int


TARGETS: Final = {
    target.check.__name__: target
    for target in (
        FuzzTarget(fuzz_core.references, 250_000),
        FuzzTarget(fuzz_core.targets_apart, 120_000),
        FuzzTarget(fuzz_core.pressed_buttons, 190_000),
        FuzzTarget(fuzz_core.sent_buttons, 10_000),
        FuzzTarget(fuzz_core.typed_commands, 180_000),
        FuzzTarget(fuzz_core.causes, 40_000),
        FuzzTarget(fuzz_core.commits, 40_000),
        FuzzTarget(fuzz_core.lines_of_the_list, 20_000),
        FuzzTarget(fuzz_core.corrections, 20_000),
        FuzzTarget(fuzz_core.pulled_names, 8_000),
        FuzzTarget(fuzz_core.pastes, 5_000),
        FuzzTarget(fuzz_core.files, 3_000),
        FuzzTarget(fuzz_core.repeats, 20),
        FuzzTarget(fuzz_github.github_answers, 20_000),
        FuzzTarget(fuzz_registry.registry_headers, 12_000),
        FuzzTarget(fuzz_registry.registry_bodies, 25_000),
        FuzzTarget(fuzz_registry.registry_exchanges, 2_000),
        FuzzTarget(fuzz_adapters.updates, 4_000),
        FuzzTarget(fuzz_adapters.said, 6_000),
        FuzzTarget(fuzz_adapters.config_files, 600),
        FuzzTarget(fuzz_adapters.environments, 10_000),
        FuzzTarget(fuzz_adapters.stored_values, 10_000),
        FuzzTarget(fuzz_adapters.script_answers, 40_000),
        FuzzTarget(fuzz_adapters.dispatched, 20_000),
    )
}
