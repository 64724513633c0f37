"""What a run's word on an image means for it, and what its silence does.

Pure: whether an image has arrived all the same, batches.py asks the target.
"""

from datetime import datetime

from bot.core.failures import Failure, FailureKind, classify
from bot.core.policy import Ground
from bot.core.retry import put_off
from bot.core.transfer import Copied, CopyFailed, Event, PutOff, Transfer
from bot.engine.ports import Result, Run


def told(transfer: Transfer, result: Result, now: datetime) -> Event:
    """What its run says became of one image."""
    if result.digest is None:
        return _failed(transfer, Failure(classify(result.line), result.line), now)
    if transfer.ground is Ground.MOVED and result.digest != transfer.digest:
        # Its line was new, so it went by its tag, which has moved since somebody approved it.
        # Since the list has it, the next batch asks for the approved one, by its digest.
        failure = Failure(FailureKind.MISMATCH, result.digest)
        return PutOff(now, failure, now) if not transfer.put_offs else CopyFailed(now, failure)
    return Copied(now, result.digest, result.size)


def untold(run: Run, transfer: Transfer, now: datetime) -> Event:
    """What became of one that did not arrive, and of which its run said nothing."""
    cancelled = run.conclusion == "cancelled"
    kind = FailureKind.RUN_CANCELLED if cancelled else FailureKind.RUN_SILENT
    failure = Failure(kind, run.conclusion)
    if run.conclusion == "success" and transfer.put_offs == 0:
        # It did well and had nothing to do with it: others wrote the line first, or moved
        # it. Since the list has it, the next batch asks for it by name.
        return PutOff(now, failure, now)
    return CopyFailed(now, failure)


def _failed(transfer: Transfer, failure: Failure, now: datetime) -> Event:
    """What passes by itself is tried again later, as long as there is hope."""
    wait = put_off(failure.kind, transfer.put_offs)
    return CopyFailed(now, failure) if wait is None else PutOff(now, failure, now + wait)
