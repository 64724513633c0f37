"""What clusters run beside image.list: an image is known by its tag or by its digest."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.ids import ChatId
from bot.core.image import ImageRef
from bot.core.running import COUNTS_FOR, RunningImages, counting, missing, unused

NOW = datetime(2026, 12, 1, tzinfo=UTC)
A, B = ("sha256:" + letter * 64 for letter in "ab")


def cluster(*images: str, age: timedelta = timedelta()) -> RunningImages:
    read = tuple(map(ImageRef.parse, images))
    return RunningImages(chat=ChatId("telegram:-1"), name="prod", at=NOW - age, images=read)


@pytest.mark.parametrize(
    ("listed", "running", "is_used"),
    [
        ("nginx:1.27", "docker.io/library/nginx:1.27", True),
        ("nginx:1.27", "nginx:1.26", False),
        ("nginx:1.27", f"nginx:1.27@{A}", True),
        (f"nginx@{A}", f"nginx:1.27@{A}", True),
        (f"nginx@{A}", f"nginx@{B}", False),
        ("nginx:1.27", f"nginx@{A}", False),
        ("nginx", "nginx:latest", True),
        ("nginx:1.27", "quay.io/library/nginx:1.27", False),
    ],
)
def test_what_runs_is_used_and_what_is_listed_is_not_missing(
    *, listed: str, running: str, is_used: bool
) -> None:
    line = ImageRef.parse(listed)
    assert (unused([line, line], [cluster(running)]) == []) is is_used
    assert (missing([line], cluster(running, running)) == []) is is_used
    assert len(missing([line], cluster(running, running))) <= 1


def test_any_cluster_counts_and_an_old_list_does_not() -> None:
    old, new = cluster("nginx:1", age=COUNTS_FOR), cluster("redis:7")
    assert counting([old, new], NOW) == [new]
    lines = [ImageRef.parse(text) for text in ("nginx:1", "redis:7")]
    assert unused(lines, [old, new]) == []
    assert unused(lines, [new]) == lines[:1]
