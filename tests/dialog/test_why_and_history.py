"""Answers to /why and /history: bounds, and words for everybody who decides."""

from dataclasses import replace
from datetime import UTC, datetime

from fakes import ANA, GROUP, NGINX

from bot.core.decision import Decision, Ground, Verdict
from bot.core.failures import Failure, FailureKind
from bot.core.ids import BOT_ITSELF, BatchId, PersonId, Place, RequestId, RunId, TransferId
from bot.core.request import Request
from bot.core.transfer import State, Transfer
from bot.dialog.kept_decisions import DECISIONS_SHOWN, REASON_SHOWN, Story, history, why
from bot.dialog.message import Message, Phrase

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64
NAMES = {ANA.id: "Ana"}
DECISION = Decision(
    request=None,
    transfer=TransferId(1),
    image=NGINX,
    digest=DIGEST,
    verdict=Verdict.APPROVE,
    ground=Ground.RULE,
    rule="docker.io/library/**",
    at=NOW,
)
BY_ANA = replace(DECISION, ground=Ground.PERSON, rule="", person=ANA.id)
FAILED = Transfer(
    id=TransferId(1),
    image=NGINX,
    opened_at=NOW,
    ended=State.FAILED,
    ended_at=NOW,
    failure=Failure(FailureKind.MISSING),
)
REQUEST = Request(
    id=RequestId(1), person=BOT_ITSELF, place=Place(GROUP), message=None, opened_at=NOW
)


def keys(message: Message) -> list[str]:
    return [line.key for line in message.lines]


def value(phrase: Phrase, name: str) -> object:
    return dict(phrase.values)[name]


def decider(decision: Decision) -> str:
    line = history([decision], NAMES, NOW, about=None, everywhere=True).lines[1]
    person = value(line, "person")
    assert isinstance(person, Phrase)
    inner = dict(person.values).get("person")
    return inner.key if isinstance(inner, Phrase) else str(inner or person.key)


def test_a_story_tells_all_that_happened() -> None:
    copied = replace(
        FAILED,
        checked_at=NOW,
        approved_at=NOW,
        batch=BatchId("b1"),
        run=RunId(7),
        run_url="https://github.example.com/runs/7",
        copying_at=NOW,
        copied_at=NOW,
        copied_digest=DIGEST,
        previous_tag="1.27-before-2026-11-30",
        previous_refusal="the target answers 412",
        attachments=2,
        attachments_refusal="1: target: denied",
        pull_refusal="not scanned",
    )
    message = why(NGINX, [Story(copied, [REQUEST], [DECISION])], NAMES, NOW, more=0)
    told = ["why-image", "why-asked", "decision", "why-run", "why-arrived"]
    told += ["why-previous", "why-previous-refused", "why-attached", "why-attached-refused"]
    told += ["why-pull-refused", "why-failed"]
    assert keys(message) == told
    kept = "docker.io/library/nginx:1.27-before-2026-11-30"
    assert value(message.lines[5], "image") == kept
    assert value(message.lines[1], "person") == Phrase("by-bot")


def test_what_nobody_decided_and_what_is_left_out_is_said() -> None:
    message = why(NGINX, [Story(FAILED, [], [])], NAMES, NOW, more=3)
    assert keys(message) == ["why-image", "why-undecided", "why-failed", "why-older"]
    looked_up = replace(FAILED, ended=None, ended_at=None, failure=None)
    assert keys(why(NGINX, [Story(looked_up, [], [])], NAMES, NOW, more=0)) == ["why-image"]
    waiting = replace(looked_up, checked_at=NOW, digest=DIGEST)
    asked = why(NGINX, [Story(waiting, [], [])], NAMES, NOW, more=0)
    assert (keys(asked)[1:], value(asked.lines[1], "digest")) == (["why-waiting"], DIGEST)
    assert keys(why(NGINX, [], NAMES, NOW, more=0)) == ["why-unknown"]


def test_everybody_who_decides_has_words() -> None:
    assert decider(DECISION) == "by-rule"
    assert decider(replace(DECISION, ground=Ground.REGISTRY, rule="")) == "by-registries"
    assert decider(replace(DECISION, ground=Ground.KEPT)) == "by-rules"
    assert decider(BY_ANA) == "Ana"
    assert decider(replace(BY_ANA, person=PersonId("p:7f3a91c2"))) == "by-nobody-known"


def test_what_a_person_says_of_a_tag_has_its_own_words() -> None:
    kept = history([replace(BY_ANA, ground=Ground.KEPT)], NAMES, NOW, about=None, everywhere=True)
    assert value(kept.lines[1], "did") == Phrase("did-kept-approve")
    later = history(
        [replace(BY_ANA, ground=Ground.REFRESHED)], NAMES, NOW, about=None, everywhere=True
    )
    assert value(later.lines[1], "did") == Phrase("did-refreshed-approve")


def test_a_person_rejects_and_a_rule_denies() -> None:
    no = replace(BY_ANA, verdict=Verdict.DENY)
    by_rule = replace(DECISION, verdict=Verdict.DENY)
    both = history([no, by_rule], NAMES, NOW, about=None, everywhere=True)
    said = [value(line, "did") for line in both.lines[1:]]
    assert said == [Phrase("did-person-deny"), Phrase("did-deny")]


def test_the_way_to_what_is_left_out_depends_on_what_was_asked() -> None:
    many = [BY_ANA] * (DECISIONS_SHOWN + 1)
    for about, key in (
        (None, "decisions-more"),
        (RequestId(41), "decisions-more-of-one"),
        (NGINX, "decisions-more-of-image"),
    ):
        message = history(many, NAMES, NOW, about=about, everywhere=True)
        assert message.lines[-1].key == key


def test_history_is_bounded_and_long_reasons_are_cut() -> None:
    long = replace(BY_ANA, reason="x" * (REASON_SHOWN + 1))
    message = history([long] * (DECISIONS_SHOWN + 1), NAMES, NOW, about=None, everywhere=False)
    assert len(message.lines) == DECISIONS_SHOWN + 2
    assert (message.lines[0].key, message.lines[-1].key) == (
        "decisions-head-here",
        "decisions-more",
    )
    assert value(message.lines[1], "reason") == "x" * REASON_SHOWN + "…"
    short = history([replace(BY_ANA, reason="old")], NAMES, NOW, about=None, everywhere=True)
    assert value(short.lines[1], "reason") == "old"
    assert keys(history([], NAMES, NOW, about=None, everywhere=True)) == ["decisions-none"]
