"""What admins hear about lines of image.list on which nobody decided here."""

from bot.core.image import ImageRef
from bot.dialog.hand_written import IMAGES_SHOWN, hand_written

IMAGE = ImageRef.parse("gcr.io/li/by-hand:1")


def test_each_verdict_is_a_part_and_long_lists_are_cut() -> None:
    keys = [line.key for line in hand_written([IMAGE], [IMAGE]).lines]
    line = "hand-written-line"
    parts = ["hand-written-asked", line, "hand-written-denied", line]
    assert keys == [*parts, "hand-written-next"]
    cut = hand_written([], [IMAGE] * (IMAGES_SHOWN + 2)).lines
    assert [each.key for each in cut[:2]] == ["hand-written-denied", line]
    assert (cut[-1].key, dict(cut[-1].values)) == ("outdated-more", {"count": 2})
