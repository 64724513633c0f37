"""/lookup: what the source has, whether the target has the same, and what can be done next."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.failures import Failure, FailureKind
from bot.core.image import ImageRef, Target
from bot.core.registry import ImageInfo, Scan
from bot.dialog.questions import LookupFacts, lookup_answer

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
THERE, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64
NONE = LookupFacts(image=ImageRef.parse("nginx:1.27"), target_digest="")
SOURCE = replace(NONE, source_digest=THERE)
CANCELLED = Failure(FailureKind.RUN_CANCELLED)
DESCRIBED = ImageInfo(platforms=("linux/amd64",), size=3, created=NOW - timedelta(days=2))


@pytest.mark.parametrize(
    ("facts", "lines", "buttons"),
    [
        (NONE, ["missing", "target-none"], []),
        (replace(NONE, target_digest=None), ["missing", "target-unreadable"], []),
        (replace(NONE, target_digest=THERE), ["missing", "target-only"], ["button-copy"]),
        (replace(NONE, refusal="denied"), ["refused", "target-none"], []),
        (replace(NONE, failure=CANCELLED), ["refused", "target-none"], []),
        (
            replace(NONE, suggestions=(ImageRef.parse("nginx:1.26"),)),
            ["missing", "target-none"],
            ["button-meant"],
        ),
        (SOURCE, ["digest", "target-none"], ["button-mirror-it"]),
        (
            replace(SOURCE, image=ImageRef.parse(f"{'a' * 60}/b:1")),
            ["digest", "target-none"],
            ["button-mirror-it"],
        ),
        (
            replace(SOURCE, info=DESCRIBED, target_digest=THERE),
            ["digest", "platforms", "size", "created", "target-same"],
            ["button-copy"],
        ),
        (
            replace(NONE, target_digest=THERE, scan=Scan(url="https://harbor.example.com/")),
            ["missing", "target-only", "scan-clean"],
            ["button-copy"],
        ),
        (
            replace(NONE, target_digest=THERE, scan=Scan(high=1)),
            ["missing", "target-only", "scan"],
            ["button-copy"],
        ),
        (
            replace(SOURCE, target_digest=OTHER),
            ["digest", "target-other"],
            ["button-copy", "button-mirror-it"],
        ),
    ],
)
def test_an_image_is_described_with_what_can_be_done_next(
    facts: LookupFacts, lines: list[str], buttons: list[str]
) -> None:
    answer = lookup_answer(facts, Target("harbor.example.com"), NOW)
    found = [line.key for line in answer.lines if line.key != "pull"]
    assert found == ["lookup-head", *(f"lookup-{line}" for line in lines)]
    assert [button.label.key for row in answer.buttons for button in row] == buttons
