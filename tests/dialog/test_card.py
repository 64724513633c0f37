"""The messages of a request: every state has its line, every key has its words, all of it fits."""

import ast
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from fakes import TARGET

from bot.adapters.telegram.rendering import Rendered, TelegramWords
from bot.core.bad_image import BadImage, Gap, Mistake
from bot.core.decision import Ground, Verdict
from bot.core.decision_effect import DecidedTransfer, DecisionEffect
from bot.core.defect import DefectKind
from bot.core.draft import Draft
from bot.core.events import Proof
from bot.core.failures import Failure, FailureKind
from bot.core.follow import ListTrouble
from bot.core.gathering import Cut
from bot.core.hold import HoldKind
from bot.core.ids import (
    BOT_ITSELF,
    BatchId,
    ChatId,
    MessageId,
    PersonId,
    Place,
    RequestId,
    RunId,
    TransferId,
)
from bot.core.image import ImageRef, Problem
from bot.core.nodes import NodeTool
from bot.core.policy import ExceededLimit, Ruling
from bot.core.request import PullFormat, Request
from bot.core.retry import Trouble, TroubleKind
from bot.core.transfer import State, Transfer
from bot.dialog import answers, decision_answers
from bot.dialog.buttons import Verb
from bot.dialog.card import card, replaced, suggestion_buttons
from bot.dialog.causes import cause, trouble_words
from bot.dialog.command_values import CommandName
from bot.dialog.commands import COMMANDS
from bot.dialog.draft_card import draft_card
from bot.dialog.image_names import short_name
from bot.dialog.language import Language
from bot.dialog.message import ButtonKind, Message, Moment, Phrase, duration, say, size
from bot.dialog.questions import Freshness, QuestionKind, unanswered
from bot.dialog.result import pull_command, result, rewritten_caption
from bot.dialog.view import Progress, View
from bot.dialog.waiting import waiting_note
from bot.paste import IMAGES_PER_PASTE, Fixed, Flaw, Rewritten

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WEI, ANA = PersonId("telegram:1001"), PersonId("telegram:1003")
VIEW = View({WEI: "Wei", ANA: "Ana"}, TARGET, NOW)
LOCALES = TelegramWords()
REQUEST = Request(
    id=RequestId(41),
    person=WEI,
    place=Place(ChatId("telegram:-1")),
    message=MessageId("telegram:7"),
    opened_at=NOW,
    confirmed_at=NOW,
)
DIGEST = "nginx@sha256:" + "1" * 64
SLOW = Trouble(TroubleKind.SILENT, "docker.io")
CHECKING = Transfer(id=TransferId(1), image=ImageRef.parse("nginx:1.27"), opened_at=NOW)
WAITING = replace(CHECKING, checked_at=NOW, digest="sha256:ab")
UPDATED = replace(WAITING, ground=Ground.UPDATED, replaces="sha256:cd")
APPROVED = replace(WAITING, approved_at=NOW)
BY_ANA = replace(APPROVED, approved_by=ANA)
SUBMITTED = replace(BY_ANA, batch=BatchId("b"))
COPYING = replace(SUBMITTED, run=RunId(1), run_url="https://x/runs/1", copying_at=NOW)
VERIFYING = replace(COPYING, copied_digest="sha256:ab")
MIRRORED = replace(VERIFYING, ended=State.MIRRORED, proof=Proof.TARGET, ended_at=NOW)
FAILED = replace(
    CHECKING, ended=State.FAILED, failure=Failure(FailureKind.NETWORK, "a <b>"), ended_at=NOW
)
REJECTED = replace(WAITING, ended=State.REJECTED, ended_by=ANA, ended_at=NOW)


def rendered(message: Message) -> Rendered:
    return LOCALES.render(message, Language.EN)


def plain(phrase: Phrase) -> str:
    return LOCALES.plain(phrase, Language.EN)


def shown(*transfers: Transfer, request: Request = REQUEST, view: View = VIEW) -> str:
    return rendered(card(request, transfers, view)).html


@pytest.mark.parametrize(
    ("transfer", "words"),
    [
        (CHECKING, "🔎 <code>docker.io/library/nginx:1.27</code> · looking it up"),
        (
            replace(CHECKING, trouble=SLOW, attempts=2),
            "docker.io does not answer: tried 2 times, trying again",
        ),
        (WAITING, "· waits for an admin"),
        (UPDATED, "<code>sha256:cd</code> → <code>sha256:ab</code>, waits for an admin"),
        (replace(UPDATED, approved_at=NOW, approved_by=ANA), "· approved, in the queue"),
        (
            replace(WAITING, platforms=("a", "b"), size=2_100_000),
            "2 platforms, 2.1 MB · <code>sha256:ab</code> · waits",
        ),
        (replace(WAITING, platforms=("a",)), "1 platform · <code>sha256:ab</code> · waits"),
        (replace(WAITING, size=999), "999 B · <code>sha256:ab</code> · waits"),
        (APPROVED, "approved by the policy, in the queue"),
        (BY_ANA, "· approved, in the queue"),
        (
            replace(BY_ANA, trouble=SLOW, attempts=1),
            "docker.io does not answer: tried once, trying again",
        ),
        (
            replace(BY_ANA, trouble=SLOW, attempts=9, not_before=NOW + timedelta(minutes=5)),
            "docker.io does not answer: tried 9 times, next try at 12:05 UTC",
        ),
        (
            replace(
                BY_ANA,
                requeue_cause=Failure(FailureKind.RATE_LIMITED),
                not_before=NOW + timedelta(days=1),
            ),
            "I will try again at 2026-03-02 12:00 UTC",
        ),
        (
            replace(
                BY_ANA,
                requeue_cause=Failure(FailureKind.PUT_OFF),
                not_before=NOW + timedelta(minutes=30),
            ),
            "Docker Hub's pull limit, goes on at 12:30 UTC",
        ),
        (
            replace(
                BY_ANA,
                image=ImageRef.parse("quay.io/wei/a:1"),
                requeue_cause=Failure(FailureKind.PUT_OFF),
                not_before=NOW + timedelta(minutes=30),
            ),
            "quay.io's pull limit, goes on at 12:30 UTC",
        ),
        (
            replace(BY_ANA, requeue_cause=Failure(FailureKind.RATE_LIMITED), not_before=NOW),
            "· approved, in the queue",
        ),
        (SUBMITTED, "submitted, waiting for its run"),
        (
            replace(COPYING, copying_at=None),
            'queued at GitHub, no runner has taken its <a href="https://x/runs/1">run</a> yet',
        ),
        (COPYING, '· copying for 0 s (<a href="https://x/runs/1">run</a>)'),
        (
            replace(COPYING, trouble=Trouble(TroubleKind.UNREACHABLE, "GitHub"), attempts=3),
            "GitHub cannot be reached: tried 3 times, trying again",
        ),
        (VERIFYING, "copied, checking what arrived"),
        (MIRRORED, "· mirrored, digest verified"),
        (replace(MIRRORED, size=340_000_000), "· 340 MB · <code>sha256:ab</code> · mirrored"),
        (replace(MIRRORED, proof=Proof.RUN), "mirrored according to its run"),
        (replace(CHECKING, ended=State.MIRRORED), "was already there, same digest"),
        (FAILED, "❌ <code>docker.io/library/nginx:1.27</code> · the network failed: a &lt;b&gt;"),
        (REJECTED, "🚫 <code>docker.io/library/nginx:1.27</code> · rejected by Ana"),
        (replace(REJECTED, reason="no"), "rejected by Ana: no"),
        (replace(REJECTED, ended_by=None), "· not allowed by the policy"),
        (replace(REJECTED, ended_by=None, reason="harmful"), "not allowed by the policy: harmful"),
        (
            replace(REJECTED, ended_by=None, ground=Ground.REGISTRY),
            "docker.io is not an allowed registry",
        ),
        (replace(WAITING, ended=State.EXPIRED), "⌛"),
        (replace(WAITING, ended=State.CANCELLED), "⏹"),
    ],
)
def test_each_image_has_a_line_that_says_where_it_stands(transfer: Transfer, words: str) -> None:
    assert words in shown(transfer)


def test_the_head_counts_what_is_over() -> None:
    text = shown(MIRRORED, replace(WAITING, id=TransferId(2)))
    assert text.startswith("<b>#41</b> for Wei: 2 images  ▓▓▓▓▓░░░░░ 1 of 2\n")
    assert text.endswith("\nApproved by Ana.")


def test_everybody_who_approved_is_named_in_one_line() -> None:
    progress = {MIRRORED.id: Progress((ANA, WEI), 2)}
    assert shown(MIRRORED, view=replace(VIEW, progress=progress)).endswith(
        "\nApproved by Ana, Wei."
    )


def test_who_joined_is_told_so_until_it_is_over() -> None:
    first = replace(REQUEST, id=RequestId(40), person=ANA)
    view = replace(VIEW, firsts={COPYING.id: first})
    told = "Already under way for #40 (Ana): nginx:1.27."
    assert told in shown(COPYING, view=view)
    assert told not in shown(MIRRORED, view=view)


def test_buttons_are_there_while_something_waits_and_gone_after() -> None:
    rows = card(REQUEST, [WAITING, MIRRORED], replace(VIEW, version="a-Z_09xy")).buttons
    assert [[button.value for button in row] for row in rows] == [
        ["approve:a-Z_09xy", "reject:a-Z_09xy"],
        ["digests:a-Z_09xy"],
    ]
    assert card(REQUEST, [BY_ANA], VIEW).buttons == ()


def test_an_alarm_says_what_was_updated_and_warns_until_somebody_has_decided() -> None:
    asked = replace(REQUEST, person=BOT_ITSELF)
    alarm = rendered(card(asked, [UPDATED, replace(UPDATED, id=TransferId(2))], VIEW))
    assert alarm.html.startswith("⚠️ <b>#41</b>: 2 listed images differ from their sources")
    assert "Version tags should not change" in alarm.html
    assert [label for label, _, _ in alarm.buttons[0]] == [
        "✅ Approve these 2",
        "❌ Reject these 2",
    ]
    decided = rendered(card(asked, [replace(UPDATED, approved_at=NOW, approved_by=ANA)], VIEW))
    assert "should not change" not in decided.html
    assert "Approved by Ana." in decided.html
    of_wei = rendered(card(REQUEST, [UPDATED], VIEW)).html
    assert of_wei.startswith("<b>#41</b> for Wei")
    assert "A version tag should not change" in of_wei


def test_a_cancelled_request_says_so() -> None:
    text = shown(WAITING, request=replace(REQUEST, cancelled_at=NOW))
    assert text.endswith("Cancelled.")


def test_many_minutes_are_hours() -> None:
    assert [plain(duration(minutes)) for minutes in (119, 180)] == ["119 min", "3 h"]


def test_time_is_shown_in_calm_steps() -> None:
    for seconds, words in ((9, "0 s"), (47, "40 s"), (119, "110 s"), (120, "2 min")):
        view = replace(VIEW, now=NOW + timedelta(seconds=seconds))
        assert (
            shown(COPYING, view=view)
            .splitlines()[1]
            .endswith(f'copying for {words} (<a href="https://x/runs/1">run</a>)')
        )


def long_name(number: int) -> ImageRef:
    return ImageRef.parse(f"docker.io/{'a' * 200}/{number:050}:{'t' * 128}")


@pytest.mark.parametrize("state", [MIRRORED, FAILED, WAITING])
def test_no_message_is_longer_than_telegram_takes(state: Transfer) -> None:
    many = [replace(state, id=TransferId(n), image=long_name(n)) for n in range(200)]
    for message in (card(REQUEST, many, VIEW), result(REQUEST, many, VIEW)):
        text = re.sub("<[^>]*>", "", rendered(message).html)
        assert len(text.encode("utf-16-le")) // 2 < 4096
    assert "more" in shown(*many)


def test_the_result_gives_commands_and_next_steps() -> None:
    text = rendered(result(REQUEST, [MIRRORED, FAILED], VIEW))
    assert text.html.splitlines() == [
        "Partly done, 1 of 2:",
        "<code>docker pull harbor.example.com/docker.io/library/nginx:1.27</code>",
        "❌ <code>docker.io/library/nginx:1.27</code> · the network failed: a &lt;b&gt;",
        (
            "Send /retry #41 to try again. If that does not help, "
            "ask the maintainer to look at the run's log."
        ),
    ]
    ((label, kind, value),) = text.buttons[0]
    assert (label, kind) == ("📋 Copy", ButtonKind.COPY)
    assert value == "docker pull harbor.example.com/docker.io/library/nginx:1.27"
    labels = [[button[0] for button in row] for row in text.buttons]
    assert text.buttons[-1][0] == ("🔁 Try again", ButtonKind.CALLBACK, "retry:41")
    assert labels[1:] == [["• docker", "containerd", "Kubernetes"], ["🔁 Try again"]]


@pytest.mark.parametrize(
    ("meant", "key"), [("nginx:1.27", "button-tag-now"), (DIGEST, "button-digest-alone")]
)
def test_where_the_tag_has_another_digest_the_tag_or_the_digest_alone_is_one_tap_away(
    meant: str, key: str
) -> None:
    other = Failure(FailureKind.OTHER_DIGEST)
    transfer = replace(FAILED, failure=other, meant=(ImageRef.parse(meant),))
    assert suggestion_buttons(REQUEST, [transfer])[0][0].label.key == key


def test_the_commands_of_many_images_are_copied_in_parts() -> None:
    many = [replace(MIRRORED, image=ImageRef.parse(f"nginx:{n}")) for n in range(9)]
    rows = result(REQUEST, many, VIEW).buttons
    parts = [button.label.key for row in rows for button in row if button.kind == "copy"]
    assert set(parts) == {"button-copy-part"}


@pytest.mark.parametrize(
    ("state", "key"), [(State.EXPIRED, "note-expired.next"), (State.CANCELLED, None)]
)
def test_what_was_not_decided_may_be_asked_for_again(state: State, key: str | None) -> None:
    keys = [line.key for line in result(REQUEST, [replace(WAITING, ended=state)], VIEW).lines]
    assert [each for each in keys if each.endswith(".next")] == [each for each in [key] if each]


def test_what_to_do_about_the_same_cause_stands_once() -> None:
    refused = replace(WAITING, ended=State.REJECTED, ground=Ground.REGISTRY)
    quay, ghcr = ImageRef.parse("quay.io/a/b:1"), ImageRef.parse("ghcr.io/a/b:1")
    by_ana = [replace(REJECTED, reason=reason) for reason in ("too old", "too large")]
    ended = [replace(refused, image=quay), replace(refused, image=ghcr), *by_ana]
    keys = [line.key for line in result(REQUEST, ended, VIEW).lines]
    assert [key for key in keys if key.endswith(".next")] == [
        "denied-registry.next",
        "note-rejected-because.next",
    ]


def missing(number: int, tag: str, *meant: str) -> Transfer:
    failure = Failure(FailureKind.MISSING)
    image = replace(FAILED.image, tag=tag)
    suggested = tuple(map(ImageRef.parse, meant))
    return replace(FAILED, id=TransferId(number), image=image, failure=failure, meant=suggested)


def test_nothing_is_suggested_twice_or_that_the_request_has() -> None:
    first = missing(5, "9.91", "nginx:1.27", "nginx:1.28", "nginx:1.26")
    second = missing(6, "9.92", "nginx:1.28", "nginx:1.29")
    third = missing(7, "9.93", "redis:7")
    text = rendered(result(REQUEST, [MIRRORED, first, second, third], VIEW))
    labels = [row[0][0] for row in text.buttons if row[0][0].startswith("➡️")]
    assert labels == [
        *("➡️ nginx:9.91 → 1.28", "➡️ nginx:9.91 → 1.26", "➡️ nginx:9.92 → 1.29"),
        "➡️ redis:7",
    ]
    assert not any("Try again" in button[0] for row in text.buttons for button in row)


def test_the_words_suggest_what_the_first_button_does() -> None:
    open_request = replace(REQUEST, told_at=None)
    for shows, request in ((result, REQUEST), (card, open_request)):
        text = rendered(shows(request, [MIRRORED, missing(5, "9.91", *MEANT)], VIEW)).html
        assert "Did you mean <code>docker.io/library/nginx:1.28" in text
        alone = rendered(shows(request, [MIRRORED, missing(5, "9.91", "nginx:1.27")], VIEW)).html
        assert "Did you mean" not in alone


MEANT = ("nginx:1.27", "nginx:1.28")


def test_what_is_too_long_to_copy_has_no_button() -> None:
    long = replace(MIRRORED, image=long_name(1))
    for transfers in ([long], [long] * 2, [long] * 9):
        kinds = {b[1] for row in rendered(result(REQUEST, transfers, VIEW)).buttons for b in row}
        assert kinds == {ButtonKind.CALLBACK}
    some = [replace(MIRRORED, image=ImageRef.parse(f"{'a' * 99}:{n}")) for n in range(3)]
    copies = [b for row in result(REQUEST, some, VIEW).buttons for b in row if b.kind == "copy"]
    assert len(copies) == 3, "each by itself, all of them are too long for one button"


def test_an_absence_is_told_with_what_may_be_lost() -> None:
    day = timedelta(days=1)
    text = rendered(answers.absent("Telegram", NOW - 2 * day, NOW, NOW - day)).html
    for moment in ("2026-02-27 12:00 UTC", "2026-02-28 12:00 UTC", "2026-03-01 12:00 UTC"):
        assert moment in text


def test_a_draft_says_where_it_stops() -> None:
    draft = Draft(images=tuple(ImageRef.parse(f"a:{n}") for n in range(IMAGES_PER_PASTE)))
    text = rendered(draft_card(replace(REQUEST, confirmed_at=None), draft, VIEW)).html
    assert "I take only the first 500 images." in text


def test_a_draft_asks_nothing_once_it_is_cancelled() -> None:
    draft = Draft(images=(ImageRef.parse("a:1"), ImageRef.parse("a:2")))
    asked = rendered(draft_card(replace(REQUEST, confirmed_at=None), draft, VIEW)).html
    assert asked.startswith("<b>#41</b> for Wei: 2 images found. Mirror them?\n")
    cancelled = replace(REQUEST, confirmed_at=None, cancelled_at=NOW)
    told = rendered(draft_card(cancelled, draft, VIEW)).html
    assert told.startswith("<b>#41</b> for Wei: 2 images found.\n")
    assert "Mirror" not in told


def test_the_choice_has_a_row_for_each_image_and_pages() -> None:
    images = tuple(ImageRef.parse(f"a:{n}") for n in range(9))
    draft = Draft(images=images, page=0).ticked(0).ticked(len(images))
    shown = draft_card(replace(REQUEST, confirmed_at=None), draft, VIEW)
    labels = [[plain(button.label) for button in row] for row in shown.buttons]
    assert (labels[0], labels[1]) == (["⬜ a:0"], ["☑️ a:1"])
    assert len(labels) == 8 + 2
    assert draft.left_out == {0}


def test_the_label_of_a_button_shows_the_end_of_a_long_name() -> None:
    assert short_name(ImageRef.parse("nginx:1.27")) == "nginx:1.27"
    assert short_name(ImageRef.parse("bitnami/nginx")) == "bitnami/nginx:latest"
    assert short_name(long_name(1)) == "…" + str(long_name(1))[-40:]


def test_images_without_a_tag_are_named_once_with_how_many_more() -> None:
    images = [ImageRef.parse(f"a{n}") for n in range(8)]
    transfers = [replace(CHECKING, id=TransferId(n), image=i) for n, i in enumerate(images)]
    request = replace(REQUEST, untagged=tuple(images))
    assert "No tag was given for a0, a1, a2, a3, a4, a5 and 2 more, so I" in shown(
        *transfers, request=request
    )
    assert "tag" not in shown(replace(FAILED, image=images[0]), request=request)


def test_the_bar_shows_the_same_as_the_count_beside_it() -> None:
    done, going = replace(MIRRORED, size=95), replace(COPYING, id=TransferId(2), size=5)
    assert "▓▓▓▓▓░░░░░ 1 of 2" in shown(done, going)
    assert "▓▓▓▓▓▓▓▓░░ 5 of 6" in shown(*[done] * 5, CHECKING)


def test_what_is_folded_sums_up() -> None:
    states = [MIRRORED, MIRRORED, COPYING, CHECKING, FAILED]
    images = [
        replace(each, id=TransferId(number), image=long_name(number))
        for number, each in enumerate(states * 12)
    ]
    text = shown(*images)
    folded = re.search(r"^… and ([0-9]+) more(.*)$", text, re.MULTILINE)
    assert folded is not None
    counts = [int(count) for count in re.findall(r"· ([0-9]+) ", folded[2])]
    assert sum(counts) == int(folded[1]) == len(images) - text.count("<code>")
    assert len(counts) > 1


def test_a_file_that_goes_back_tells_what_it_could_not_change() -> None:
    for back, changed, text in (
        (Rewritten(b""), True, "Your file for #41, with the images from our registry."),
        (Rewritten(b"", ("redis",)), True, "since not mirrored: redis"),
        (Rewritten(b"", ("redis", "x" * 99)), True, f"not mirrored: redis, …{'x' * 40}"),
        (
            Rewritten(b"", fixed=(Fixed(CHECKING.image),)),
            True,
            "To be changed by hand: nginx:1.27",
        ),
        (
            Rewritten(b"", fixed=(Fixed(CHECKING.image, (3, 12)),)),
            True,
            "To be changed by hand: nginx:1.27 (L3, L12)",
        ),
        (Rewritten(b"", passed=("7: spec.version",)), True, "(line and key): 7: spec.version"),
        (
            Rewritten(b"", fixed=(Fixed(CHECKING.image),)),
            False,
            "a.yaml</code> without changing something",
        ),
    ):
        assert text in rendered(rewritten_caption(REQUEST.id, "a.yaml", back, changed=changed)).html


def test_history_tells_when_and_who_and_links_the_run() -> None:
    text = rendered(answers.status_of_image(MIRRORED, [REQUEST], VIEW)).html
    assert "#41 by Wei" in text
    assert "Approved by Ana: 12:00 UTC" in text
    by_policy = replace(CHECKING, ended=State.MIRRORED, ended_at=NOW)
    assert "Approved" not in rendered(answers.status_of_image(by_policy, [], VIEW)).html
    policy = rendered(answers.status_of_image(APPROVED, [], VIEW)).html
    assert "Approved by the policy: 12:00 UTC" in policy


def test_status_counts_what_there_is_no_room_for() -> None:
    rows = [(replace(REQUEST, id=RequestId(n)), (WAITING, MIRRORED)) for n in range(13)]
    text = rendered(answers.status(rows, VIEW)).html
    assert "and 1 more" in text
    assert "… and 3 more." in text
    over = rendered(answers.status([(REQUEST, (MIRRORED,))], VIEW)).html
    assert "1 of 1" in over


def bad(text: str, problem: Problem = Problem.MALFORMED) -> BadImage:
    return BadImage(text, problem, None)


def test_many_bad_images_are_counted_and_long_ones_cut() -> None:
    text = rendered(
        answers.unreadable([bad(f"<{n}>" * 99) for n in range(12)], command=CommandName.MIRROR)
    ).html
    assert "… and 2 more." in text
    assert "&lt;0&gt;" in text
    assert len(text) < 4096 * 4
    assert "I cannot read these as images" in text


def test_nobody_is_named_where_nobody_decided() -> None:
    assert decision_answers.why_decided(RequestId(1), [FAILED], VIEW) == say(
        "nothing-to-decide", request="1"
    )


@pytest.mark.parametrize(
    ("transfer", "key"),
    [
        (REJECTED, "already-rejected"),
        (BY_ANA, "already-approved"),
        (replace(WAITING, ended=State.EXPIRED), "already-expired"),
    ],
)
def test_who_comes_too_late_hears_what_was_decided(transfer: Transfer, key: str) -> None:
    assert decision_answers.why_decided(RequestId(1), [FAILED, transfer], VIEW).key == key


RUN = [replace(WAITING, id=TransferId(n), image=ImageRef.parse(f"nginx:1.{n}")) for n in range(5)]


def test_a_run_of_tags_has_one_line_when_it_waits_and_when_it_is_decided_on() -> None:
    waits = card(REQUEST, RUN, VIEW)
    assert "line-waiting-run" in [line.key for line in waits.lines]
    done = decision_answers.decided(
        REQUEST.id, Verdict.APPROVE, [DecidedTransfer(t, DecisionEffect.ENOUGH) for t in RUN], VIEW
    )
    assert [line.key for line in done.lines][1:] == ["decided-run"]
    one = decision_answers.decided(
        REQUEST.id, Verdict.APPROVE, [DecidedTransfer(WAITING, DecisionEffect.ENOUGH)], VIEW
    )
    assert [line.key for line in one.lines][1:] == ["digest-line"]


def test_tags_of_a_run_that_wait_for_different_people_are_told_so() -> None:
    view = replace(VIEW, progress={RUN[0].id: Progress((ANA,), 2)})
    lines = card(REQUEST, RUN, view).lines
    assert "waits-differing" in [
        dict(line.values)["who"].key for line in lines if "who" in dict(line.values)
    ]


def test_long_tags_have_a_line_each() -> None:
    long = [replace(each, image=ImageRef.parse(f"a:{'b' * 20}{n}")) for n, each in enumerate(RUN)]
    assert "line-waiting-run" not in [line.key for line in card(REQUEST, long, VIEW).lines]


@pytest.mark.parametrize(
    ("transfer", "key"),
    [
        (replace(WAITING, ground=Ground.REJECTED), "note-waiting-rejected"),
        (UPDATED, "note-waiting-updated"),
        (replace(WAITING, image=ImageRef.parse(DIGEST)), "note-waiting"),
        (WAITING, "note-waiting-digest"),
    ],
)
def test_an_admin_is_asked_for_a_digest(transfer: Transfer, key: str) -> None:
    assert waiting_note(transfer, VIEW).key == key


def test_what_went_meanwhile_and_what_is_left_are_told_beside_what_was_decided() -> None:
    outcomes = [DecidedTransfer(WAITING, DecisionEffect.ENOUGH)]
    told = decision_answers.decided_briefly(
        REQUEST.id, Verdict.APPROVE, outcomes, VIEW, gone=[BY_ANA], left=2
    )
    assert told.key == "decided-besides"


def test_a_draft_needs_no_decision_yet() -> None:
    assert decision_answers.unconfirmed(REQUEST, VIEW).lines[0].key == "draft-unconfirmed"


def test_the_status_of_a_draft_is_a_line() -> None:
    cancelled = replace(REQUEST, cancelled_at=NOW)
    keys = [answers.status_of_draft(request, VIEW).lines[0].key for request in (REQUEST, cancelled)]
    assert keys == ["status-draft", "draft-over"]


def test_an_admin_sees_no_queue_where_it_is_empty() -> None:
    lines = answers.status_for_admin([], [], answers.Operations([], {}, None, []), VIEW).lines
    assert [line.key for line in lines] == ["status-nothing"]


def test_an_admin_sees_every_trouble_once_and_what_failed_last() -> None:
    slow = [replace(transfer, trouble=SLOW) for transfer in (CHECKING, SUBMITTED)]
    vitals = answers.Operations(slow, {}, FAILED, [], outdated=True)
    lines = answers.status_for_admin([], [], vitals, VIEW).lines
    keys = ["status-queue", "status-trouble", "status-trouble", "status-failed"]
    assert [line.key for line in lines] == keys


def test_a_person_without_a_name_is_shown_by_number() -> None:
    assert VIEW.name(PersonId("telegram:5")) == "5"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2_100_000, "2.1 MB"), (5 * 10**12, "5000 GB")],
)
def test_sizes_read_as_people_write_them(count: int, text: str) -> None:
    assert plain(size(count)) == text


@pytest.mark.parametrize(
    ("moment", "zone", "text"),
    [
        (Moment(NOW), "UTC", "2026-03-01 12:00 UTC"),
        (Moment(NOW, NOW), "UTC", "12:00 UTC"),
        (Moment(NOW, NOW + timedelta(days=1)), "UTC", "2026-03-01 12:00 UTC"),
        (Moment(NOW), "Asia/Shanghai", "2026-03-01 20:00 CST"),
        (Moment(NOW + timedelta(hours=5), NOW), "Asia/Shanghai", "2026-03-02 01:00 CST"),
        (Moment(NOW + timedelta(hours=9), NOW + timedelta(hours=5)), "Asia/Shanghai", "05:00 CST"),
    ],
)
def test_a_moment_is_told_where_its_readers_are(moment: Moment, zone: str, text: str) -> None:
    words = TelegramWords(ZoneInfo(zone))
    assert words.plain(say("history-opened", time=moment), Language.EN) == f"Asked for: {text}"


def wanted_phrases() -> list[Phrase]:
    """Return one phrase for each key that is made from an enumeration."""
    return [
        *(say(f"problem-{problem}") for problem in (*Problem, *Gap)),
        *(say(f"mistake-{mistake}") for mistake in Mistake),
        *(say(f"command-{name}{part}") for name in COMMANDS for part in ("", ".usage")),
        *(
            say(f"limit-{limit}", number=3, minutes=9, wait=duration(9), time=Moment(NOW))
            for limit in ExceededLimit
        ),
        *(say(f"state-{state}") for state in State),
        *(
            say("lookup-denied", image="x", reason=cause(Failure(kind, "line")))
            for kind in FailureKind
        ),
        *(say(f"failure-{kind}.next", request="1") for kind in FailureKind),
        say("failure-missing-meant.next"),
        *(
            answers.bad_file(flaw, "").lines[0]
            for flaw in (Flaw.TOO_LARGE, Flaw.TOO_DEEP, Flaw.TOO_MANY)
        ),
        *(
            say(
                f"line-{state}",
                image="x",
                shape=say("shape", platforms=0),
                digest=say("line-digest", digest="sha256:ab"),
                note=say("note-identical"),
            )
            for state in State
        ),
        *(say(f"form-{form}") for form in PullFormat),
        *(say(f"defect-{kind}", where="x") for kind in DefectKind),
        *(say(f"follow-{trouble}") for trouble in ListTrouble),
        *(trouble_words(Trouble(kind, "docker.io", "line")) for kind in TroubleKind),
        *(say(f"file-{flaw}", file="a.yaml", limit="1024") for flaw in Flaw),
        *(unanswered(question, SLOW).lines[0] for question in QuestionKind),
    ]


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("phrase", wanted_phrases(), ids=lambda phrase: phrase.key)
def test_every_member_has_its_words(
    phrase: Phrase, language: Language, caplog: pytest.LogCaptureFixture
) -> None:
    text = LOCALES.plain(phrase, language)
    assert text
    assert text != phrase.key
    assert not caplog.records


_GROUNDS = (Ground.PERSON, Ground.KEPT, Ground.FLOATS, Ground.ROLLBACK, Ground.REMOVAL)
SAID = [f"{ground}-" for ground in _GROUNDS]


def test_every_key_in_the_code_has_words_and_every_word_is_used() -> None:
    root = Path(__file__).parents[2] / "bot"
    paths = [path for path in root.rglob("*.py") if "sandbox" not in path.parts]
    said = {
        key
        for path in paths
        for key in re.findall(r'(?:say|one)\(\s*"([a-z0-9-]+)"', path.read_text())
    }
    literals = {
        node.value
        for path in paths
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    ftl = (root / "locales" / "en.ftl").read_text()
    known = set(re.findall(r"^([a-z][a-z0-9-]*) =", ftl, re.MULTILINE))
    assert said - known == set()
    made = {phrase.key for phrase in wanted_phrases()} | {f"failure-{kind}" for kind in FailureKind}
    made |= {f"note-{state}" for state in State} | {f"already-{state}" for state in State}
    made |= {f"button-{what}{some}" for what in ("offer", "ask") for some in ("", "-these")}
    made |= {f"{of}-{did}" for of in ("offer", "removal") for did in ("approved", "rejected")}
    made |= {f"nodes-{tool}" for tool in NodeTool} | {f"list-fresh-{f}" for f in Freshness}
    made |= {f"note-removal-{state}" for state in ("approved", "submitted", "removed")}
    made |= {f"kept-{what}{where}" for what in ("none", "head") for where in ("", "-here")}
    parts = (
        "name",
        "description",
        "title",
        *(f"{of}{it}" for of in ("images", "file") for it in ("", "-help")),
    )
    made |= {f"issue-form-{part}" for part in parts}
    made |= {f"size-{unit}" for unit in ("b", "kb", "mb", "gb")}
    made |= {f"button-{verb}" for verb in Verb} | {f"effect-{effect}" for effect in DecisionEffect}
    for what in ("begun", "stands", "none", "lifting", "lifted"):
        made |= {f"hold-{what}-{kind}" for kind in HoldKind}
    made |= {f"draft-cut-{kind}" for kind in Cut}
    made |= {f"draft-cut-{kind}-private" for kind in (Cut.TEXT, Cut.ALBUM)}
    made |= {f"status-held-{why}{kind}" for why in ("", "because-") for kind in HoldKind}
    made |= {f"did-{of}{v}" for of in ("", *SAID) for v in (Verdict.APPROVE, Verdict.DENY)}
    made |= {f"did-{Ground.REFRESHED}-{Verdict.APPROVE}"}
    made |= {f"decisions-more-of-{what}" for what in ("one", "image")}
    made |= {f"decisions-{what}{where}" for what in ("none", "head") for where in ("", "-here")}
    assert known - literals - made == set()


def test_a_phrase_without_words_shows_its_key_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert plain(say("nonsense")) == "nonsense"
    assert "no words for nonsense" in caplog.text
    assert "Unknown" in plain(say("pull")) or "command" in plain(say("pull"))


def test_all_denied_gives_each_its_reason() -> None:
    image = ImageRef.parse("nginx")
    message = answers.all_denied([(image, Ruling(Verdict.DENY, Ground.RULE, "a <reason>"))])
    assert "not allowed by the policy: a &lt;reason&gt;" in rendered(message).html


def test_many_denied_images_are_counted() -> None:
    denied = Ruling(Verdict.DENY, Ground.RULE)
    images = [ImageRef.parse(f"quay.io/a/b{number}:1") for number in range(14)]
    text = rendered(answers.all_denied([(image, denied) for image in images])).html
    assert "b9:1" in text
    assert "b10:1" not in text
    assert "4 more" in text


def test_digests_are_shown_in_full_where_they_replace_others_or_were_rejected() -> None:
    digest = "sha256:" + "ab" * 32
    waiting = replace(WAITING, digest=digest)
    other = "sha256:" + "cd" * 32
    floating = shown(replace(waiting, ground=Ground.RULE, replaces=other))
    assert f"<code>{other}</code> → <code>{digest}</code>" in floating
    again = shown(replace(waiting, ground=Ground.REJECTED))
    assert f"<code>{digest}</code>, an admin rejected this digest before" in again


@pytest.mark.parametrize(
    ("meant", "cause_key", "next_key", "labels"),
    [
        (("nginx@{}",), "failure-other-digest-alone", "-alone", ["The digest alone"]),
        (
            ("nginx@{}", "nginx:1.27"),
            "failure-other-digest",
            "",
            ["The digest alone", "nginx:1.27 as it is now"],
        ),
    ],
)
def test_a_digest_that_its_tag_does_not_name_is_asked_back(
    meant: tuple[str, ...], cause_key: str, next_key: str, labels: list[str]
) -> None:
    digest = "sha256:" + "ab" * 32
    failed = replace(
        FAILED,
        image=ImageRef.parse(f"nginx:1.27@{digest}"),
        failure=Failure(FailureKind.OTHER_DIGEST),
        meant=tuple(ImageRef.parse(text.format(digest)) for text in meant),
    )
    told = result(REQUEST, [failed], VIEW)
    assert plain(say(cause_key)) in rendered(told).html
    assert say(f"failure-other-digest{next_key}.next", request="41") in told.lines
    assert [row[0][0] for row in rendered(told).buttons] == labels


def test_a_press_says_what_holds_for_later_digests_where_it_counted() -> None:
    for later, words in ((Ground.KEPT, "need no approval"), (Ground.FLOATS, "floats from now on")):
        for effect, said in ((DecisionEffect.FIRST, True), (DecisionEffect.OWN, False)):
            answer = decision_answers.decided_briefly(
                REQUEST.id,
                Verdict.APPROVE,
                [DecidedTransfer(WAITING, effect, 1)],
                VIEW,
                gone=(),
                left=0,
                later=later,
            )
            assert (words in plain(answer)) is said


@pytest.mark.parametrize(
    ("waiting", "label"),
    [
        ([replace(WAITING, ground=Ground.RULE, replaces="sha256:cd")], "Approve and keep fresh"),
        ([UPDATED, replace(UPDATED, id=TransferId(2))], "Approve: these 2 tags float"),
        ([UPDATED, replace(WAITING, id=TransferId(2))], ""),
    ],
)
def test_an_alarm_has_a_button_for_later_digests(waiting: list[Transfer], label: str) -> None:
    alarm = rendered(card(replace(REQUEST, person=BOT_ITSELF), waiting, VIEW))
    labels = [each[0] for row in alarm.buttons for each in row]
    assert any(label in each for each in labels)
    assert any("fresh" in each or "float" in each for each in labels) is bool(label)
    of_wei = rendered(card(REQUEST, waiting, VIEW))
    assert not any(
        "fresh" in each[0] or "float" in each[0] for row in of_wei.buttons for each in row
    )


def test_the_status_of_an_image_names_who_keeps_it_fresh_or_called_it_floating() -> None:
    told = answers.status_of_image(MIRRORED, [REQUEST], VIEW, keepers=[ANA], floaters=[WEI])
    text = rendered(told).html
    assert "Kept fresh by Ana: new digests need no approval." in text
    assert "Its tag floats, as Wei said." in text


def test_a_long_status_has_a_short_line_for_each_image_that_waits() -> None:
    many = [
        replace(WAITING, id=TransferId(n), image=ImageRef.parse(f"gcr.io/team-{n}/service:v{n}-x"))
        for n in range(55)
    ]
    moved = replace(UPDATED, id=TransferId(99), image=ImageRef.parse("gcr.io/a/b:1"))
    lines = answers.status_of_request(REQUEST, [*many, moved], VIEW, here=True).lines
    assert [line.key for line in lines].count("line-waiting-short") == len(many)
    assert [line.key for line in lines].count("line-waiting") == 1


def test_what_replaced_an_image_is_named_where_somebody_asked_for_it() -> None:
    by_the_bot = replace(WAITING, ended=State.REPLACED, ended_at=NOW)
    assert replaced(by_the_bot).key == "note-replaced-by-update"
    assert replaced(replace(by_the_bot, reason="42")).key == "note-replaced"


def test_a_result_tells_what_came_along_and_what_nobody_may_pull() -> None:
    came = replace(MIRRORED, attachments=3)
    text = rendered(result(REQUEST, [came], VIEW)).html
    assert "With 3 signatures and attestations." in text
    assert "came along" not in text
    hidden = replace(
        came, attachments=0, attachments_refusal="1: denied", pull_refusal="not scanned"
    )
    text = rendered(result(REQUEST, [hidden, replace(hidden, attachments=1)], VIEW)).html
    assert "With 1 signature or attestation." in text
    assert text.count("cannot be pulled now: not scanned") == 1
    assert "Not all signatures and attestations came along: nginx:1.27" in text
    assert "/why with the name of the image tells the cause." in text


def test_a_result_tells_where_the_digests_are_that_were_overwritten() -> None:
    kept = replace(MIRRORED, previous_tag="1.27-before-2026-11-30")
    refused = replace(MIRRORED, previous_refusal="the target answers 412")
    text = rendered(result(REQUEST, [kept, refused], VIEW)).html
    assert "What the tag had before is kept as: nginx:1.27-before-2026-11-30" in text
    assert "What the tag had before could not be kept: nginx:1.27" in text
    assert "/why with the name of the image tells the cause." in text


def test_a_chart_by_its_digest_alone_has_no_version() -> None:
    digest = "sha256:" + "a" * 64
    image = ImageRef.parse(f"ghcr.io/acme/charts/shop@{digest}")
    transfer = Transfer(id=TransferId(1), image=image, opened_at=NOW)
    command = pull_command(transfer, VIEW, is_chart=True)
    assert command == f"helm pull oci://harbor.example.com/ghcr.io/acme/charts/shop@{digest}"


def test_a_chart_stays_one_under_another_version() -> None:
    chart = ImageRef.parse("ghcr.io/acme/charts/shop:2.1.0")
    request = replace(REQUEST, charts=(chart,))
    assert request.is_chart(ImageRef.parse("ghcr.io/acme/charts/shop:2.2.0"))
    assert not request.is_chart(ImageRef.parse("ghcr.io/acme/charts/other:2.1.0"))
