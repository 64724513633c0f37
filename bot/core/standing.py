"""How all requests of one conversation stand together. Pure."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from bot.core.ids import RequestId
from bot.core.request import Request
from bot.core.transfer import State, Transfer


class Standing(StrEnum):
    """A later one is shown where an earlier one holds for none of the requests."""

    WAITING = "waiting"
    """A person has to decide or to confirm."""
    WORKING = "working"
    FAILED = "failed"
    """All is over, and something did not arrive."""
    DONE = "done"

    @property
    def is_over(self) -> bool:
        return self in (Standing.FAILED, Standing.DONE)


_ARRIVED = frozenset({State.MIRRORED, State.KEPT, State.REMOVED})


def standing_of(
    requests: Iterable[Request], transfers: Mapping[RequestId, Iterable[Transfer]]
) -> Standing | None:
    """None where nothing was asked for that began. A request is over once all of it was told."""
    found = {each for request in requests for each in _of(request, transfers.get(request.id, ()))}
    return next((each for each in Standing if each in found), None)


def _of(request: Request, transfers: Iterable[Transfer]) -> set[Standing]:
    states = {transfer.state for transfer in transfers}
    if request.closed_at is None:
        waits = State.WAITING in states or request.is_draft
        return {Standing.WAITING if waits else Standing.WORKING}
    if not states:
        return set()
    return {Standing.DONE if states <= _ARRIVED else Standing.FAILED}
