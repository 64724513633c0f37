"""What to do next for an open transfer, as a pure function of its facts and the time."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from bot.core.transfer import State, Transfer


class Action(StrEnum):
    """What to do next for an open transfer."""

    CHECK = "check"
    DECIDE = "decide"
    EXPIRE = "expire"
    SUBMIT = "submit"
    FIND_RUN = "find-run"
    READ_RESULT = "read-result"
    VERIFY = "verify"


_ACTIONS: Final[Mapping[State, Action]] = MappingProxyType(
    {
        State.CHECKING: Action.CHECK,
        State.APPROVED: Action.SUBMIT,
        State.SUBMITTED: Action.FIND_RUN,
        State.COPYING: Action.READ_RESULT,
        State.VERIFYING: Action.VERIFY,
    }
)


def next_action(transfer: Transfer, now: datetime) -> Action | None:
    """What to do at `now`. None where it has ended, or where its next try is later."""
    if not transfer.is_due(now):
        return None
    if transfer.state is State.WAITING:
        late = transfer.expires_at is not None and now >= transfer.expires_at
        return Action.EXPIRE if late else Action.DECIDE
    return _ACTIONS.get(transfer.state)
