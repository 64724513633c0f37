"""The patterns of transient errors in the bot and in the workflow agree.

The workflow imports nothing of the bot, so there are two lists. What the bot requeues must not be
called the image's fault in a commit status, and the other way round.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.failures import PATTERNS, FailureKind, classify
from bot.core.retry import REQUEUE_WAITS
from bot.workflow.mirror.skopeo import TROUBLE

TRANSIENT_PATTERNS = [(side, words) for kind, side, words in PATTERNS if kind in REQUEUE_WAITS]


@pytest.mark.parametrize(("side", "pattern"), TRANSIENT_PATTERNS)
@given(data=st.data())
def test_what_the_bot_tries_again_is_trouble_to_the_workflow(
    data: st.DataObject, side: str, pattern: str
) -> None:
    words = data.draw(st.from_regex(pattern))
    line = f"{side or data.draw(st.sampled_from(['source', 'target']))}: {words}"
    if classify(line) in REQUEUE_WAITS:
        assert TROUBLE.search(line)


@given(st.from_regex(TROUBLE, fullmatch=True), st.sampled_from(["source", "target"]))
def test_what_is_trouble_to_the_workflow_is_no_fault_of_the_image(words: str, side: str) -> None:
    known = {*REQUEUE_WAITS, FailureKind.TIMED_OUT, FailureKind.UNKNOWN}
    assert classify(f"{side}: {words}") in known
