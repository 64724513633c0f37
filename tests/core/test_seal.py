"""The sealed block of decisions: its lines, its seal, and how many images it holds."""

import hashlib
import hmac
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.batch import batch_of, commit_message, removal_message
from bot.core.ids import BatchId
from bot.core.image import ImageRef
from bot.core.seal import (
    ASKERS_NAMED,
    BLOCK_CHARACTERS,
    IMAGES_PER_BLOCK,
    DecidedImage,
    fitting,
    sealed_block,
)
from bot.workflow.mirror import decision

KEY = bytes(range(32))
BATCH = BatchId("2938cb00044e118d")
AT = datetime(2026, 11, 30, 17, 0, 0, 999, tzinfo=UTC)
FIRST = "sha256:" + "a" * 64
NGINX = DecidedImage(
    image=ImageRef.parse(f"nginx:1.27@{FIRST}"),
    asked=["p:7f3a91c2"],
    approved="rule docker.io/library/**",
)
STATIC = DecidedImage(
    image=ImageRef.parse(f"gcr.io/distroless/static@{FIRST}"),
    asked=["p:7f3a91c2", "p:11aa22bb"],
    approved="p:c01d2e44, p:9b9b9b9b",
)


def test_a_block_has_one_line_for_each_decision_and_ends_with_the_seal() -> None:
    text = (
        "Batch: 2938cb00044e118d\n"
        "Time: 2026-11-30T17:00:00Z\n"
        f"Image: docker.io/library/nginx:1.27@{FIRST}; asked p:7f3a91c2;"
        " approved rule docker.io/library/**\n"
        f"Image: gcr.io/distroless/static@{FIRST}; asked p:7f3a91c2, p:11aa22bb;"
        " approved p:c01d2e44, p:9b9b9b9b\n"
    )
    seal = hmac.new(KEY, text.encode(), hashlib.sha256).hexdigest()
    block = sealed_block(BATCH, AT, [NGINX, STATIC], key=KEY)
    assert block == f"{text}Seal: {seal}"
    assert batch_of(commit_message([NGINX.image], block)) == BATCH


def test_a_line_names_how_the_tag_of_the_digest_before_ends() -> None:
    leaving = replace(NGINX, previous="before-2026-11-30")
    said = "asked p:7f3a91c2; previous before-2026-11-30; approved rule docker.io/library/**"
    assert leaving.line() == f"Image: docker.io/library/nginx:1.27@{FIRST}; {said}"


def test_an_image_that_leaves_the_list_has_a_line_that_no_run_copies() -> None:
    leaving = DecidedImage(
        image=ImageRef.parse("nginx:1.27"), asked=["p:1"], approved="p:2", removed=True
    )
    assert leaving.line() == "Removed: docker.io/library/nginx:1.27; asked p:1; approved p:2"
    block = sealed_block(BATCH, AT, [leaving], key=KEY)
    one, two = (removal_message([leaving.image] * n, block) for n in (1, 2))
    assert one == f"Remove docker.io/library/nginx:1.27\n\n{block}\n"
    assert two.startswith("Remove 2 images\n\n")
    assert batch_of(one) == BATCH
    assert decision.read(one, decision.Key(KEY.hex(), ""), AT.timestamp()) is None


def test_the_time_is_utc_whatever_the_clock_shows() -> None:
    there = AT.astimezone(timezone(timedelta(hours=8)))
    assert sealed_block(BATCH, there, [NGINX], key=KEY) == sealed_block(BATCH, AT, [NGINX], key=KEY)


def test_what_nobody_asked_for_names_nobody() -> None:
    bot = DecidedImage(image=NGINX.image, asked=[], approved="kept p:c01d2e44")
    assert bot.line() == f"Image: {NGINX.image}; approved kept p:c01d2e44"


@pytest.mark.parametrize("asked", [0, 1, ASKERS_NAMED, 60])
def test_a_line_is_bounded_however_many_ask_meanwhile(asked: int) -> None:
    def with_askers(number: int) -> DecidedImage:
        people = [f"p:{n:08x}" for n in range(number)]
        return DecidedImage(image=NGINX.image, asked=people, approved=NGINX.approved)

    assert len(with_askers(60).line()) <= with_askers(asked).longest
    assert len(re.findall("p:", with_askers(60).line())) == ASKERS_NAMED


@given(st.integers(1, 500), st.integers(1, 400), st.integers(0, 12))
def test_what_fits_stays_below_the_limit_of_a_dispatch(
    images: int, length: int, askers: int
) -> None:
    image = ImageRef("registry.example.com", "a" * length, "1", FIRST)
    people = [f"p:{n:08x}" for n in range(askers)]
    each = DecidedImage(image=image, asked=people, approved="rule **")
    number = fitting([each] * images)
    assert 1 <= number <= min(images, IMAGES_PER_BLOCK)
    assert len(sealed_block(BATCH, AT, [each] * number, key=KEY)) <= BLOCK_CHARACTERS
    if number < min(images, IMAGES_PER_BLOCK):
        assert (number + 1) * each.longest > BLOCK_CHARACTERS - 200


def test_one_image_always_goes_and_none_needs_nothing() -> None:
    huge = DecidedImage(image=NGINX.image, asked=[], approved="rule " + "*" * BLOCK_CHARACTERS)
    assert fitting([huge, huge]) == 1
    assert fitting([]) == 0
