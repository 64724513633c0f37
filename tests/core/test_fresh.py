"""The facts about a listed image, what a check changes in them, and when which image is checked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.decision import Ground, Verdict
from bot.core.fresh import (
    ALARMS_PER_CARD,
    CHECK_RETRY_WAIT,
    CHECKS_AT_A_TIME,
    OFFERS_PER_CARD,
    FreshPlan,
    KeptBefore,
    TrackedImage,
    alarm_cards,
    gathered_long_enough,
    offer_cards,
)
from bot.core.ids import ChatId, Place, TransferId
from bot.core.image import ImageRef
from bot.core.policy import Ruling
from bot.core.tag_class import TagClass
from bot.core.transfer import State, Transfer, advance

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
A, B, C = ("sha256:" + letter * 64 for letter in "abc")
LATEST = ImageRef.parse("nginx:latest")
FIXED = ImageRef.parse("nginx:1.27.3")
PLAN = FreshPlan(
    intervals={TagClass.FLOATING: 6 * HOUR, TagClass.VERSION: 48 * HOUR},
    looks=100,
    budgets={"gcr.io": 7, "harbor.example.com": 1000},
    alarms=ChatId("telegram:-1001"),
)


def tracked(image: ImageRef = LATEST, **facts: object) -> TrackedImage:
    return replace(TrackedImage(image=image, not_before=NOW), **facts)  # type: ignore[arg-type]


KNOWN = {"source": A, "target": A, "told": A}


# -- when ---------------------------------------------------------------------------------


@given(st.from_regex(r"[a-z]{1,12}/[a-z]{1,12}:(latest|1\.2\.3)", fullmatch=True))
def test_the_first_look_comes_within_the_interval_and_is_always_the_same(name: str) -> None:
    image = ImageRef.parse(name)
    first = PLAN.first_check(image, NOW)
    assert NOW <= first < NOW + PLAN.interval(image)
    assert first == PLAN.first_check(image, NOW)


def test_first_looks_are_spread_and_tags_of_one_repository_are_together() -> None:
    images = [ImageRef.parse(f"a/app{n}:latest") for n in range(600)]
    hours = [int((PLAN.first_check(image, NOW) - NOW) / HOUR) for image in images]
    assert all(60 < hours.count(hour) < 140 for hour in range(6))
    together = {
        PLAN.first_check(ImageRef.parse(f"a/app:{tag}"), NOW) for tag in ("1", "2", "latest")
    }
    assert len(together) == 1


@pytest.mark.parametrize(
    ("spent", "rooms"),
    [
        ({}, {"docker.io": CHECKS_AT_A_TIME, "gcr.io": 7, "quay.io": CHECKS_AT_A_TIME}),
        ({"docker.io": 95, "gcr.io": 7}, {"docker.io": 5, "quay.io": CHECKS_AT_A_TIME}),
        ({"docker.io": 100, "quay.io": 100, "gcr.io": 9}, {}),
    ],
)
def test_each_registry_has_its_budget(spent: dict[str, int], rooms: dict[str, int]) -> None:
    registries = ["docker.io", "gcr.io", "quay.io"]
    assert PLAN.checks_allowed(registries, spent, target="harbor.example.com") == rooms


def test_what_the_target_may_be_asked_is_shared_and_who_was_asked_least_comes_first() -> None:
    plan = replace(PLAN, budgets={"harbor.example.com": 30})
    registries = ["docker.io", "gcr.io", "quay.io"]
    left = plan.checks_allowed(
        registries, {"docker.io": 20, "gcr.io": 5}, target="harbor.example.com"
    )
    assert left == {"quay.io": 2, "gcr.io": 2, "docker.io": 1}
    assert plan.checks_allowed(registries, {"docker.io": 29}, target="harbor.example.com") == {
        "gcr.io": 1
    }
    assert plan.checks_allowed(registries, {"docker.io": 30}, target="harbor.example.com") == {}
    assert plan.shortest == 6 * HOUR


# -- checks -------------------------------------------------------------------------------


def test_the_first_look_tells_nobody_anything_and_owes_nothing_where_both_are_the_same() -> None:
    seen = tracked().after_check(A, A, NOW, PLAN)
    assert seen == tracked(**KNOWN, looked_at=NOW, seen_at=NOW, not_before=NOW + 6 * HOUR)


def test_what_moved_before_the_first_look_has_moved() -> None:
    seen = tracked().after_check(B, A, NOW, PLAN)
    assert (seen.updated_at, seen.told) == (NOW, A)


def test_a_tag_that_moved_owes_a_transfer_until_it_is_opened() -> None:
    seen = tracked(**KNOWN).after_check(B, A, NOW, PLAN)
    assert (seen.updated_at, seen.source, seen.target, seen.arrived_at) == (NOW, B, A, None)
    opened = seen.with_transfer(TransferId(7))
    assert (opened.updated_at, opened.transfer, opened.alarmed) == (None, 7, "")


@pytest.mark.parametrize("image", [FIXED, LATEST])
def test_an_admin_is_asked_once_about_each_digest(image: ImageRef) -> None:
    seen = tracked(image, **KNOWN).after_check(B, A, NOW, PLAN)
    assert not seen.is_alarm
    opened = seen.with_alarm(TransferId(7))
    assert (opened.alarmed, opened.is_alarm) == (B, True)
    again = replace(opened, transfer=None).after_check(B, A, NOW, PLAN)
    assert again.updated_at is None
    assert again.after_check(C, A, NOW, PLAN).updated_at == NOW


def test_what_vanished_at_the_source_or_is_not_at_the_target_owes_nothing() -> None:
    assert tracked(**KNOWN).after_check("", A, NOW, PLAN).updated_at is None
    gone = tracked(**KNOWN).after_check(B, "", NOW, PLAN)
    assert (gone.updated_at, gone.arrived_at, gone.told) == (None, None, A)


def test_a_target_that_may_not_be_read_has_what_it_had_or_at_first_what_the_source_has() -> None:
    first = tracked().after_check(A, None, NOW, PLAN)
    assert (first.target, first.updated_at) == (A, None)
    assert first.after_check(B, None, NOW, PLAN).updated_at == NOW


def test_what_others_brought_is_news_as_well_and_once() -> None:
    seen = tracked(**KNOWN).after_check(B, B, NOW, PLAN)
    assert (seen.arrived_at, seen.updated_at) == (NOW, None)
    later = seen.after_check(B, B, NOW + HOUR, PLAN)
    assert later.arrived_at == NOW
    told = later.with_news_told()
    assert (told.told, told.arrived_at) == (B, None)
    assert told.after_check(B, B, NOW, PLAN).arrived_at is None


@pytest.mark.parametrize(
    ("image", "retry_after", "wait"),
    [
        (LATEST, None, CHECK_RETRY_WAIT),
        (LATEST, 1800.0, 2 * CHECK_RETRY_WAIT),
        (LATEST, 1e9, 2 * HOUR),
        (FIXED, 5.0, CHECK_RETRY_WAIT),
    ],
)
def test_a_look_that_nobody_answered_comes_again_when_asked_but_not_at_once(
    image: ImageRef, retry_after: float | None, wait: timedelta
) -> None:
    later = tracked(image, **KNOWN).after_failed_check(NOW, PLAN, retry_after=retry_after)
    assert later == tracked(image, **KNOWN, looked_at=NOW, not_before=NOW + wait)


def test_a_short_interval_is_never_made_longer() -> None:
    minute = timedelta(minutes=1)
    plan = replace(PLAN, intervals={TagClass.FLOATING: minute, TagClass.VERSION: minute})
    assert tracked().after_failed_check(NOW, plan).not_before == NOW + minute
    assert tracked(not_before=NOW + HOUR).with_other_transfer(NOW, plan).not_before == NOW + minute
    assert tracked().after_refused_check(NOW, plan) == tracked(
        looked_at=NOW, not_before=NOW + minute
    )


def test_what_is_on_its_way_already_is_looked_at_soon() -> None:
    waiting = tracked(updated_at=NOW, not_before=NOW + 6 * HOUR)
    assert waiting.with_other_transfer(NOW, PLAN) == tracked(not_before=NOW + CHECK_RETRY_WAIT)


# -- transfers ----------------------------------------------------------------------------


BY_RULE = Ruling(Verdict.APPROVE, Ground.RULE, rule="docker.io/library/**")
ASKED = Ruling(Verdict.ASK, Ground.UPDATED)


def opened(image: ImageRef, ruling: Ruling = BY_RULE) -> Transfer:
    transfer = Transfer(id=TransferId(1), image=image, opened_at=NOW)
    found = tracked(image, source=B, target=A, told=A).found_event(ruling, NOW, NOW + HOUR)
    after = advance(transfer, found)
    assert after is not None
    return after


def test_an_update_is_approved_as_long_as_it_is_listed_or_waits_as_the_policy_says() -> None:
    floating, version = opened(LATEST), opened(FIXED, ASKED)
    assert (floating.state, floating.ground) == (State.APPROVED, Ground.LISTED)
    assert (version.state, version.ground) == (State.WAITING, Ground.UPDATED)
    assert version.expires_at == NOW + HOUR
    assert {t.replaces for t in (floating, version)} == {A}


def test_an_alarm_shares_what_waits_for_the_same_decision_and_nothing_else() -> None:
    waiting, row = opened(FIXED, ASKED), tracked(FIXED, source=B, target=A)
    assert row.is_asked_by(waiting)
    assert not row.is_asked_by(replace(waiting, digest=C))
    assert not row.is_asked_by(replace(waiting, approved_at=NOW))


ENDS = {
    State.MIRRORED: replace(opened(LATEST), ended=State.MIRRORED, ended_at=NOW),
    State.CANCELLED: replace(opened(LATEST), ended=State.CANCELLED, ended_at=NOW),
}


def test_what_arrived_is_news_what_did_not_is_not() -> None:
    going = tracked(**KNOWN, transfer=TransferId(1))
    after = going.after_transfer(ENDS[State.MIRRORED], NOW)
    assert (after.target, after.told, after.arrived_at, after.transfer) == (B, A, NOW, None)
    assert going.after_transfer(ENDS[State.CANCELLED], NOW) == tracked(**KNOWN)
    unknown = replace(ENDS[State.MIRRORED], digest=None)
    assert going.after_transfer(unknown, NOW) == tracked(**KNOWN)


# -- together -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "under_way", "ripe"),
    [
        ([], False, False),
        ([None], False, False),
        ([NOW], False, True),
        ([NOW], True, False),
        ([NOW, NOW - HOUR], True, True),
    ],
)
def test_what_waits_for_others_waits_for_a_while(
    since: list[datetime | None], *, under_way: bool, ripe: bool
) -> None:
    assert gathered_long_enough(since, NOW, under_way=under_way, wait=HOUR) is ripe


def test_alarms_stand_together_by_repository_as_many_as_a_card_shows() -> None:
    many = [tracked(ImageRef.parse(f"a/b:1.0.{n}")) for n in range(ALARMS_PER_CARD + 1)]
    other = tracked(ImageRef.parse("gcr.io/a/b:1.0.0"))
    groups = alarm_cards([many[0], other, *many[1:]])
    assert groups == [many[:ALARMS_PER_CARD], many[ALARMS_PER_CARD:], [other]]


def test_what_somebody_put_at_the_target_is_no_update_upstream() -> None:
    put_back = tracked(source=B, target=B, told=B).after_check(B, A, NOW, PLAN)
    assert (put_back.target, put_back.told, put_back.arrived_at) == (A, A, None)
    again = put_back.after_check(B, B, NOW, PLAN)  # and then the source's digest arrives
    assert (again.told, again.arrived_at) == (A, NOW)


def test_news_that_wait_survive_a_further_update_upstream() -> None:
    arrived = tracked(source=B, target=B, told=A, arrived_at=NOW)
    later = arrived.after_check(C, B, NOW + HOUR, PLAN)
    assert (later.told, later.arrived_at) == (A, NOW)
    gone = arrived.after_check(C, "", NOW + HOUR, PLAN)
    assert gone.arrived_at is None


def test_offers_of_one_chat_share_a_card_until_it_is_full() -> None:
    here, there = Place(ChatId("telegram:-1"), 5), Place(ChatId("telegram:-2"))
    kept = [KeptBefore(ImageRef.parse(f"nginx:1.{n}"), A, ()) for n in range(OFFERS_PER_CARD + 2)]
    placed = [(there, kept[0]), *((here, each) for each in kept[1:])]
    placed[5] = (Place(here.chat), kept[5])  # another topic of the same chat
    first, *others = offer_cards(placed)
    assert first == (there, kept[:1])
    assert others == [(here, kept[1:-1]), (here, kept[-1:])]


def test_an_update_that_is_too_new_is_checked_again_when_it_is_not() -> None:
    updated = tracked(not_before=NOW + 6 * HOUR, updated_at=NOW)
    assert updated.until(NOW + HOUR) == tracked(not_before=NOW + HOUR)
    assert updated.until(NOW + 90 * HOUR) == tracked(not_before=NOW + 6 * HOUR)


# -- gone upstream ------------------------------------------------------------------------


def looked(first: TrackedImage, *sources: str, hours: float = 8) -> TrackedImage:
    """The image after looks at the source, so many hours apart, the first one at NOW."""
    each = first
    for number, source in enumerate(sources):
        each = each.after_check(source, A, NOW + number * hours * HOUR, PLAN)
    return each


@pytest.mark.parametrize(
    ("sources", "hours", "gone"),
    [
        (["", "", "", ""], 8, True),
        (["", "", "", ""], 7, False),  # no day yet
        (["", "", ""], 24, False),  # too few looks
        ([A, "", "", ""], 8, False),
        (["", A, "", "", ""], 8, False),
        (["", A, "", "", "", ""], 8, True),
    ],
)
def test_what_a_source_lacks_for_a_day_may_be_gone(
    sources: list[str], hours: float, *, gone: bool
) -> None:
    end = NOW + (len(sources) - 1) * hours * HOUR
    each = looked(tracked(FIXED, **KNOWN), *sources, hours=hours)
    assert each.may_be_gone(end) is gone
    assert not replace(each, target="").may_be_gone(end)
    if gone:
        assert each.not_before == end + 8 * HOUR  # sooner than its interval
        other = tracked(LATEST, seen_at=end - 7 * HOUR)
        assert each.after_other(replace(other, seen_at=end - 8 * HOUR), end) == each
        assert each.after_other(tracked(LATEST), end) == each
        known = each.after_other(other, end)
        assert (known.gone_at, known.gone_news) == (end, end)
        assert not known.may_be_gone(end + 48 * HOUR)
        later = known.after_check("", A, end, PLAN)
        assert later.not_before == end + 48 * HOUR  # nothing is in a hurry any more


def test_people_are_told_that_it_is_there_again_if_they_know_that_it_was_gone() -> None:
    gone = tracked(FIXED, **KNOWN, gone_at=NOW, gone_news=NOW, missing_since=NOW, missed=4)
    again = gone.after_check(A, A, NOW, PLAN)
    assert (again.gone_at, again.gone_news, again.missed) == (None, None, 0)
    again = gone.with_gone_told().after_check(A, A, NOW + HOUR, PLAN)
    assert (again.gone_at, again.gone_news) == (None, NOW + HOUR)
    assert again.after_check(A, A, NOW + 2 * HOUR, PLAN).gone_news == NOW + HOUR
    assert again.due_at(NOW).not_before == NOW
