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
    """`check` raises where something is wrong. `inputs` is the number of a large run."""

    check: Callable[[Choices], None]
    inputs: int


TARGETS: Final = {
    target.check.__name__: target
    for target in (
        FuzzTarget(fuzz_core.references, 200_000),
        FuzzTarget(fuzz_core.targets_apart, 120_000),
        FuzzTarget(fuzz_core.pressed_buttons, 300_000),
        FuzzTarget(fuzz_core.sent_buttons, 10_000),
        FuzzTarget(fuzz_core.typed_commands, 300_000),
        FuzzTarget(fuzz_core.causes, 12_000),
        FuzzTarget(fuzz_core.commits, 20_000),
        FuzzTarget(fuzz_core.lines_of_the_list, 8_000),
        FuzzTarget(fuzz_core.corrections, 8_000),
        FuzzTarget(fuzz_core.pulled_names, 8_000),
        FuzzTarget(fuzz_core.pastes, 2_500),
        FuzzTarget(fuzz_core.files, 1_500),
        FuzzTarget(fuzz_core.repeats, 8),
        FuzzTarget(fuzz_github.github_answers, 10_000),
        FuzzTarget(fuzz_registry.registry_headers, 6_000),
        FuzzTarget(fuzz_registry.registry_bodies, 12_000),
        FuzzTarget(fuzz_registry.registry_exchanges, 2_000),
        FuzzTarget(fuzz_adapters.updates, 2_500),
        FuzzTarget(fuzz_adapters.said, 2_500),
        FuzzTarget(fuzz_adapters.config_files, 150),
        FuzzTarget(fuzz_adapters.environments, 5_000),
        FuzzTarget(fuzz_adapters.stored_values, 6_000),
        FuzzTarget(fuzz_adapters.script_answers, 12_000),
        FuzzTarget(fuzz_adapters.dispatched, 10_000),
    )
}
