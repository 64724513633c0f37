"""The table of a transfer's states and events, and the facts behind it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.attachments import Attachments
from bot.core.decision import Ground, Verdict
from bot.core.events import (
    Approved,
    AskedAgain,
    Cancelled,
    CheckFailed,
    Copied,
    CopyFailed,
    Denied,
    DigestUnknown,
    Event,
    Expired,
    Found,
    Identical,
    Mismatch,
    Missing,
    Proof,
    Rejected,
    Removed,
    Replaced,
    Requeued,
    RunMissing,
    RunSeen,
    Submitted,
    Verified,
)
from bot.core.failures import Failure, FailureKind
from bot.core.ids import BatchId, PersonId, RequestId, RunId, TransferId
from bot.core.image import ImageRef
from bot.core.next_action import Action, next_action
from bot.core.policy import Ruling
from bot.core.previous import Previous, ending_of, previous_tag
from bot.core.registry import ImageInfo
from bot.core.retry import Trouble, TroubleKind
from bot.core.transfer import TRANSITIONS, State, Transfer, advance

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SLOW = Trouble(TroubleKind.SILENT, "docker.io")
NEW = Transfer(id=TransferId(1), image=ImageRef.parse("nginx"), opened_at=NOW)
ANA = PersonId("telegram:1003")
FAILURE = Failure(FailureKind.UNKNOWN, "line")


def found(verdict: Verdict) -> Found:
    ruling = Ruling(verdict, Ground.RULE)
    return Found(NOW, "sha256:ab", ImageInfo(("linux/amd64",), 7), ruling, NOW + timedelta(hours=1))


OFFERED = Found(
    NOW, "sha256:ab", ImageInfo(), Ruling(Verdict.ASK, Ground.OFFERED), NOW + timedelta(days=7)
)
EVENTS: tuple[Event, ...] = (
    found(Verdict.APPROVE),
    found(Verdict.ASK),
    Denied(NOW, Ruling(Verdict.DENY, Ground.REGISTRY)),
    Identical(NOW, "sha256:ab"),
    Missing(NOW),
    CheckFailed(NOW, FAILURE),
    Approved(NOW, ANA),
    Rejected(NOW, ANA, "no"),
    Cancelled(NOW, ANA),
    Expired(NOW),
    Submitted(NOW, BatchId("b")),
    RunSeen(NOW, RunId(1), "https://x"),
    RunMissing(NOW, FAILURE),
    Copied(NOW, "sha256:ab", 9),
    CopyFailed(NOW, FAILURE),
    Verified(NOW, Proof.TARGET),
    Mismatch(NOW, "sha256:cd"),
    Replaced(NOW, RequestId(42)),
    Requeued(NOW, FAILURE, NOW),
    AskedAgain(NOW, Ruling(Verdict.ASK, Ground.RULE), NOW + timedelta(hours=1)),
    DigestUnknown(NOW),
    OFFERED,
    Removed(NOW),
)


def walk(*events: Event) -> Transfer:
    transfer = NEW
    for event in events:
        after = advance(transfer, event)
        assert after is not None
        transfer = after
    return transfer


REACHED = {
    State.CHECKING: NEW,
    State.WAITING: walk(EVENTS[1]),
    State.APPROVED: walk(EVENTS[0]),
    State.SUBMITTED: walk(EVENTS[0], EVENTS[10]),
    State.COPYING: walk(EVENTS[0], EVENTS[10], EVENTS[11]),
    State.VERIFYING: walk(EVENTS[0], EVENTS[10], EVENTS[11], EVENTS[13]),
    State.MIRRORED: walk(EVENTS[3]),
    State.KEPT: walk(OFFERED, EVENTS[6]),
    State.REMOVED: walk(EVENTS[0], EVENTS[10], EVENTS[-1]),
    State.FAILED: walk(EVENTS[4]),
    State.REJECTED: walk(EVENTS[1], EVENTS[7]),
    State.EXPIRED: walk(EVENTS[1], EVENTS[9]),
    State.REPLACED: walk(EVENTS[1], EVENTS[17]),
    State.CANCELLED: walk(EVENTS[8]),
}


def test_every_state_has_a_row_and_can_be_reached() -> None:
    assert set(TRANSITIONS) == set(State) == set(REACHED)
    assert all(transfer.state is state for state, transfer in REACHED.items())


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_does_what_its_row_says_or_nothing(state: State, event: Event) -> None:
    after = advance(REACHED[state], event)
    allowed = TRANSITIONS[state].get(type(event))
    if allowed is None:
        assert after is None
    else:
        assert after is not None
        assert after.state in allowed


@given(st.lists(st.sampled_from(EVENTS), max_size=12))
def test_no_order_of_events_makes_facts_that_contradict_the_state(events: list[Event]) -> None:
    transfer = NEW
    for event in events:
        before = transfer
        transfer = advance(transfer, event) or transfer
        if before.state.is_final:
            assert transfer == before
    assert transfer.state in State


def test_an_advance_forgets_the_trouble_before_it() -> None:
    waiting = NEW.troubled(NOW, SLOW, seed=NEW.id, retry_after=60)
    assert (waiting.attempts, waiting.trouble) == (1, SLOW)
    assert waiting.not_before == NOW + timedelta(seconds=60)
    after = advance(waiting, EVENTS[0])
    assert after is not None
    assert (after.attempts, after.not_before, after.trouble) == (0, None, None)


@pytest.mark.parametrize(
    ("image", "previous", "kept"),
    [
        ("nginx:1.27", Previous("before-2026-11-30"), ("1.27-before-2026-11-30", "")),
        ("nginx:1.27", Previous(refusal="answers 412"), ("", "answers 412")),
        (f"nginx@sha256:{'a' * 64}", Previous("before-2026-11-30"), ("", "")),
        ("nginx:1.27", None, ("", "")),
    ],
)
def test_what_became_of_the_digest_before_is_kept(
    image: str, previous: Previous | None, kept: tuple[str, str]
) -> None:
    copying = replace(REACHED[State.COPYING], image=ImageRef.parse(image))
    after = advance(copying, Copied(NOW, "sha256:ab", 9, previous))
    assert after is not None
    assert (after.previous_tag, after.previous_refusal) == kept
    name = f"docker.io/library/nginx:{kept[0]}" if kept[0] else None
    assert (after.previous_image and str(after.previous_image)) == name


def test_what_came_along_and_why_nobody_may_pull_it_is_kept() -> None:
    copied = advance(
        REACHED[State.COPYING], Copied(NOW, "sha256:ab", 9, attachments=Attachments(3, "denied"))
    )
    after = copied and advance(copied, Verified(NOW, Proof.RUN, "not scanned"))
    assert after is not None
    assert (after.attachments, after.attachments_refusal) == (3, "denied")
    assert (after.state, after.pull_refusal) == (State.MIRRORED, "not scanned")


def test_the_tag_of_the_digest_before_is_cut_in_front_of_its_date() -> None:
    ending = ending_of(datetime(2026, 12, 1, 7, 59, tzinfo=timezone(timedelta(hours=8))))
    assert ending == "before-2026-11-30"
    assert previous_tag("1.27", ending) == "1.27-before-2026-11-30"
    cut = previous_tag("t" * 128, f"{ending}.2")
    assert (len(cut), cut[-23:]) == (128, "ttt-before-2026-11-30.2")


def test_who_replaced_a_question_is_kept_where_it_was_asked_for() -> None:
    assert REACHED[State.REPLACED].reason == "42"
    assert walk(EVENTS[1], Replaced(NOW, None)).reason == ""


@pytest.mark.parametrize("state", [State.APPROVED, State.SUBMITTED])
def test_an_approval_that_the_rules_do_not_carry_any_more_is_asked_about(state: State) -> None:
    approved = replace(REACHED[state], approved_by=ANA)
    asked = advance(approved, EVENTS[19])
    assert asked is not None
    assert (asked.approved_at, asked.approved_by, asked.batch) == (None, None, None)
    assert (asked.digest, asked.expires_at) == ("sha256:ab", NOW + timedelta(hours=1))
    unknown = advance(approved, EVENTS[20])
    assert unknown is not None
    assert (unknown.checked_at, unknown.approved_by, unknown.batch) == (None, None, None)


def test_a_denied_image_is_never_found() -> None:
    with pytest.raises(ValueError, match="send Denied"):
        advance(NEW, found(Verdict.DENY))


def test_an_event_of_another_kind_is_a_defect() -> None:
    class Odd(Event):
        pass

    from bot.core import transfer as module  # noqa: PLC0415 - to reach what is private

    with pytest.raises(TypeError, match="no such event"):
        module._apply(NEW, Odd(NOW))
    assert advance(NEW, Odd(NOW)) is None


def test_a_row_that_leads_elsewhere_than_the_facts_is_a_defect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "bot.core.transfer.TRANSITIONS",
        {**TRANSITIONS, State.CHECKING: {Missing: frozenset({State.MIRRORED})}},
    )
    with pytest.raises(ValueError, match="gave failed"):
        advance(NEW, Missing(NOW))


@pytest.mark.parametrize(
    "facts",
    [
        {"ended": State.WAITING},
        {"ended": State.FAILED},
        {"failure": FAILURE},
        {"run": RunId(1)},
        {"copied_digest": "sha256:ab", "checked_at": NOW},
    ],
)
def test_facts_that_contradict_one_another_cannot_be_loaded(facts: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="transfer 1"):
        replace(NEW, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "action"),
    [
        (State.CHECKING, Action.CHECK),
        (State.WAITING, Action.DECIDE),
        (State.APPROVED, Action.SUBMIT),
        (State.SUBMITTED, Action.FIND_RUN),
        (State.COPYING, Action.READ_RESULT),
        (State.VERIFYING, Action.VERIFY),
        (State.MIRRORED, None),
        (State.FAILED, None),
        (State.REJECTED, None),
        (State.EXPIRED, None),
        (State.REPLACED, None),
        (State.CANCELLED, None),
    ],
)
def test_the_world_owes_each_state_its_action(state: State, action: Action | None) -> None:
    assert next_action(REACHED[state], NOW) is action


def test_what_is_put_off_is_owed_later_and_a_question_expires() -> None:
    later = NEW.troubled(NOW, SLOW, seed=NEW.id, retry_after=60)
    assert next_action(later, NOW + timedelta(seconds=59)) is None
    assert next_action(later, NOW + timedelta(seconds=60)) is Action.CHECK
    assert next_action(REACHED[State.WAITING], NOW + timedelta(hours=1)) is Action.EXPIRE
