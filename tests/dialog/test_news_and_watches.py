"""Messages about listed images: news of updated ones, and watches."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.core.decision import Verdict
from bot.core.fresh import TrackedImage, Watch
from bot.core.ids import ChatId, MessageId, PersonId, Place
from bot.core.image import ImageRef
from bot.core.policy import Policy, Rule
from bot.dialog.message import Message
from bot.dialog.outdated import OUTDATED_SHOWN, arrived_after_alarm, updated_upstream
from bot.dialog.upstream_gone import upstream_gone
from bot.dialog.watches import WATCHES_SHOWN, unwatchable, watched, watching

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
A, B = ("sha256:" + letter * 64 for letter in "ab")
LATEST = ImageRef.parse("nginx:latest")


def tracked(image: ImageRef = LATEST, **facts: object) -> TrackedImage:
    return replace(TrackedImage(image=image, not_before=NOW), **facts)  # type: ignore[arg-type]


def keys(message: Message) -> list[str]:
    return [line.key for line in message.lines]


def test_news_name_old_and_new_and_count_what_is_too_much() -> None:
    one = tracked(source=B, target=B, told=A)
    message = updated_upstream([one])
    assert keys(message) == ["news-head", "outdated-line"]
    assert dict(message.lines[1].values) == {"image": str(LATEST), "old": A[:19], "new": B[:19]}
    assert keys(updated_upstream([one], {PersonId("telegram:1001"): "Wei"}))[-1] == "news-for"
    assert keys(arrived_after_alarm([one], {PersonId("telegram:1001"): "Wei"})) == ["news-alarm"]
    assert keys(updated_upstream([one] * (OUTDATED_SHOWN + 2)))[-1] == "outdated-more"
    assert dict(updated_upstream([one] * (OUTDATED_SHOWN + 2)).lines[-1].values) == {"count": 2}


def test_what_is_gone_upstream_is_told_apart_from_what_is_there_again() -> None:
    gone, back = tracked(gone_at=NOW, missing_since=NOW), tracked(seen_at=NOW)
    ana = {PersonId("telegram:1003"): "Ana"}
    assert keys(upstream_gone([gone], {}, NOW)) == ["gone-head", "gone-line-since", "gone-stays"]
    assert keys(upstream_gone([back], ana, NOW)) == ["gone-back-head", "gone-line", "gone-for"]
    many = keys(upstream_gone([*[gone] * (OUTDATED_SHOWN + 2), back], {}, NOW))
    assert many[-4:] == ["outdated-more", "gone-stays", "gone-back-head", "gone-line"]


# -- watches ------------------------------------------------------------------------------


def test_why_an_image_cannot_be_watched() -> None:
    policy = Policy(
        registries=frozenset({"docker.io"}),
        rules=(Rule("docker.io/evil/**", Verdict.DENY, "no"),),
        expire_after=HOUR,
        open_limit=1,
        daily_limit=1,
        request_limit=1,
    )

    def why(name: str, *, kept_fresh: bool = True) -> list[str] | None:
        found = unwatchable(ImageRef.parse(name), policy, kept_fresh=kept_fresh)
        return keys(found) if found is not None else None

    assert why("nginx", kept_fresh=False) == ["watch-off"]
    assert why(f"nginx@{A}") == ["watch-fixed"]
    assert why("evil/a") == ["lookup-denied", "denied-because.next"]
    assert why("nginx") is None


def test_what_is_watched_is_listed_and_counted() -> None:
    one = Watch(
        person=PersonId("telegram:1"),
        image=LATEST,
        place=Place(ChatId("telegram:1")),
        message=MessageId("telegram:1"),
        since=NOW,
    )
    assert keys(watched([])) == ["watch-none"]
    assert keys(watched([one])) == ["watch-head", "list-line"]
    assert keys(watched([one] * (WATCHES_SHOWN + 1)))[-1] == "outdated-more"
    assert keys(watching(LATEST, listed=True)) == ["watching"]
    assert keys(watching(LATEST, listed=False)) == ["watching", "watch-unlisted"]
