"""What the bot reads of a run that looked: only its own words, and only in their form."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.batch import Batch, Via, status_context
from bot.core.failures import FailureKind
from bot.core.ids import BatchId, RunId
from bot.core.image import ImageRef
from bot.core.look import FRESH_FOR, AtTarget, Look, LookBy, mark_of, who_looks
from bot.core.registry import ImageInfo
from bot.core.seal import fitting, sealed_block

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = bytes(range(32))
BATCH = Batch(id=BatchId("2938cb00044e118d"), via=Via.LOOK, opened_at=NOW, run=RunId(318))
LOOK = Look(image=ImageRef.parse("nginx:1.27"), asked_at=NOW)
DIGEST = f"sha256:{'a' * 64}"
FIRST, SECOND = LOOK.contexts()


def told(first: str, second: str = "", state: str = "success", batch: Batch = BATCH) -> Look | None:
    texts = {FIRST: (state, first), SECOND: ("success", second)}
    marked = {
        context: (
            of,
            f"{words} {mark_of(BATCH.id, BATCH.run or 0, context, of, words, key=KEY)}",
        )
        for context, (of, words) in texts.items()
    }
    return LOOK.told(marked, batch, KEY, NOW)


@pytest.mark.parametrize(
    ("first", "second", "seen"),
    [
        (f"{DIGEST} none", "", {"digest": DIGEST, "at_target": AtTarget.NONE}),
        (
            f"{DIGEST} same",
            "31200000 linux/amd64 linux/arm64/v8",
            {
                "digest": DIGEST,
                "at_target": AtTarget.SAME,
                "size": 31200000,
                "platforms": ("linux/amd64", "linux/arm64/v8"),
            },
        ),
        (
            f"{DIGEST} other",
            "0 linux/amd64",
            {"digest": DIGEST, "at_target": AtTarget.OTHER, "platforms": ("linux/amd64",)},
        ),
        (f"{DIGEST} unknown", "-1 <b>", {"digest": DIGEST}),
        ("missing", "1.27 -x <b> 1.26", {"tags": ("1.27", "1.26")}),
    ],
)
def test_an_answer_is_read(first: str, second: str, seen: dict[str, object]) -> None:
    assert told(first, second) == replace(LOOK, answered_at=NOW, **seen)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "words", ["", "found", f"{DIGEST}", f"{DIGEST} same more", f"sha256:{'a' * 63} none"]
)
def test_words_in_another_form_are_a_failure(words: str) -> None:
    failed = told(words)
    assert failed is not None
    assert failed.failure is not None
    assert failed.failure.kind is FailureKind.UNKNOWN
    assert failed.answered_at == NOW


def test_another_digest_than_the_one_asked_for_is_a_failure() -> None:
    look = replace(LOOK, image=replace(LOOK.image, digest=f"sha256:{'b' * 64}"))
    context, words = look.contexts()[0], f"{DIGEST} none"
    mark = mark_of(BATCH.id, BATCH.run or 0, context, "success", words, key=KEY)
    failed = look.told({context: ("success", f"{words} {mark}")}, BATCH, KEY, NOW)
    assert failed is not None
    assert failed.failure is not None


def test_what_may_pass_is_tried_again_as_often_as_a_copy() -> None:
    look, waits = LOOK, []
    while look.answered_at is None:
        at = replace(look, batch=BATCH.id)
        failed = told("source: connection refused", state="error")
        assert failed is not None
        assert failed.failure is not None
        look = at.failed(failed.failure, NOW)
        if look.not_before:
            waits.append(look.not_before - NOW)
            assert look.batch is None or look.answered_at
    assert waits[0] == timedelta(seconds=20)
    assert len(waits) == 5, "the last failure is final"


def test_only_this_very_run_answers() -> None:
    assert told(f"{DIGEST} none", batch=replace(BATCH, run=RunId(319))) is None
    assert told(f"{DIGEST} none", batch=replace(BATCH, id=BatchId("0" * 16))) is None
    assert told(f"{DIGEST} none", batch=replace(BATCH, run=None)) is None
    assert LOOK.told({FIRST: ("success", f"{DIGEST} none")}, BATCH, KEY, NOW) is None
    assert LOOK.told({}, BATCH, KEY, NOW) is None


def test_an_answer_counts_for_who_asked_before_it_and_for_a_while() -> None:
    look = told("missing")
    assert look is not None
    assert look.answers(NOW, NOW)
    assert not look.answers(NOW + timedelta(seconds=1), NOW)
    assert not look.answers(NOW, NOW + FRESH_FOR)
    assert not LOOK.answers(NOW, NOW)
    assert look.info == ImageInfo()


def test_a_block_names_what_to_look_at() -> None:
    looks = [LOOK, replace(LOOK, shape=False)]
    block = sealed_block(BATCH.id, NOW, looks, key=KEY)
    assert block.splitlines()[2:4] == [
        "Look: docker.io/library/nginx:1.27; shape",
        "Look: docker.io/library/nginx:1.27",
    ]
    assert fitting(looks * 200) == 200
    assert LOOK.longest > len(LOOK.line())


def test_a_long_name_ends_with_its_hash() -> None:
    contexts = {status_context("look", "a" * 300), status_context("look", "a" * 301)}
    assert len(contexts) == 2
    assert {len(context) for context in contexts} == {255}


@pytest.mark.parametrize(
    ("registry", "who"),
    [("docker.io", LookBy.BOT), ("GCR.io", LookBy.RUN), ("example.com:5000", None)],
)
def test_the_first_pattern_that_fits_says_who_looks(registry: str, who: LookBy | None) -> None:
    assert who_looks({"docker.io": LookBy.BOT, "*.io": LookBy.RUN}, registry) is who
