"""/outdated: what was updated upstream, what cannot change, and what could not be compared."""

from dataclasses import replace

import pytest

from bot.core.image import ImageRef
from bot.core.tag_class import TagClass, is_version, tag_class
from bot.dialog.message import Message
from bot.dialog.outdated import OUTDATED_SHOWN, UPDATE_BUTTONS, Compared, comparable, outdated

OLD, NEW = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def compared(name: str, source: str | None, target: str | None) -> Compared:
    return Compared(ImageRef.parse(name), source, target)


def keys(message: Message) -> list[str]:
    return [line.key for line in message.lines]


def told(*looks: Compared, listed: int | None = None) -> Message:
    return outdated(looks, text="", listed=len(looks) if listed is None else listed, fixed=0)


@pytest.mark.parametrize("tag", ["1.27.3", "v2.0.0", "1.2.3-alpine", "v1.0.0-rc.1", "1.27.3.4"])
def test_a_full_version_is_not_meant_to_move(tag: str) -> None:
    assert is_version(tag)


@pytest.mark.parametrize("tag", ["latest", "1.27", "1", "stable", "1.27-alpine", "v3"])
def test_other_tags_move(tag: str) -> None:
    assert not is_version(tag)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("nginx", TagClass.FLOATING),
        ("nginx:1.27", TagClass.FLOATING),
        ("nginx:1.27.3", TagClass.VERSION),
        ("nginx@" + OLD, TagClass.DIGEST),
        ("nginx:1.27.3@" + OLD, TagClass.DIGEST),
    ],
)
def test_a_digest_names_the_same_for_ever_whatever_tag_it_has(name: str, kind: TagClass) -> None:
    assert tag_class(ImageRef.parse(name)) is kind


def test_what_is_behind_is_told_versions_first_and_offered_but_for_those() -> None:
    message = told(
        compared("nginx:1.27", NEW, OLD),
        compared("redis:7.4.1", NEW, OLD),
        compared("alpine:3.20", NEW, ""),
        compared("busybox:1.36", OLD, OLD),
    )
    assert keys(message) == ["outdated-head", "outdated-version", "outdated-line", "outdated-new"]
    assert dict(message.lines[0].values) == {"count": 3}
    assert dict(message.lines[2].values) == {
        "image": "docker.io/library/nginx:1.27",
        "old": OLD[:19],
        "new": NEW[:19],
    }
    assert [button.value for (button,) in message.buttons] == [
        "want:docker.io/library/nginx:1.27",
        "want:docker.io/library/alpine:3.20",
    ]


def test_what_nobody_could_compare_is_no_image_that_is_well() -> None:
    message = told(
        compared("nginx:1.27", NEW, NEW),
        compared("redis:7", None, OLD),
        compared("alpine:3", NEW, None),
        compared("gone:1", "", OLD),
        compared("never:1", "", ""),
        listed=9,
    )
    assert [(line.key, dict(line.values)["count"]) for line in message.lines] == [
        ("outdated-none", 1),
        ("outdated-vanished", 2),
        ("outdated-untold", 2),
        ("outdated-cut", 5),
    ]


def test_of_many_the_first_are_shown_and_fewer_are_offered() -> None:
    message = told(*(compared(f"nginx:{n}", NEW, OLD) for n in range(OUTDATED_SHOWN + 3)))
    assert keys(message)[-1] == "outdated-more"
    assert dict(message.lines[-1].values) == {"count": 3}
    assert len(message.lines) == OUTDATED_SHOWN + 2
    assert len(message.buttons) == UPDATE_BUTTONS


def test_digests_never_move_and_only_what_holds_the_text_is_meant() -> None:
    entries = [ImageRef.parse(name) for name in (f"nginx@{OLD}", "nginx:1", "nginx:1", "redis:7")]
    assert comparable(entries, "NGINX") == ([entries[1]], 1)
    assert keys(outdated([], text="nginx", listed=0, fixed=1)) == ["outdated-fixed"]
    assert keys(outdated([], text="nginx", listed=0, fixed=0)) == ["list-none"]
    assert keys(outdated([], text="", listed=0, fixed=0)) == ["list-empty"]


def test_a_tag_that_the_config_calls_floating_is_no_version() -> None:
    floating = Compared(ImageRef.parse("nginx:team"), NEW, OLD, ("team",))
    assert not floating.version_differs
    assert replace(floating, floating=()).version_differs
