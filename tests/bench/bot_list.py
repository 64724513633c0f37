"""CPU time that one batch spends on a list of 100,000 lines.

The missing images are looked for when the batch is formed, and again when they are added to the
list as it is then. Both are counted. Fetching and sending the list are not: their cost depends on
the connection.
"""

import statistics
import time
from collections.abc import Sequence

from bot.core import image_list
from bot.core.image import ImageRef

LINES = 100_000
TIMES = 15
_HOSTS = ("docker.io/library", "gcr.io/some", "ghcr.io/owner", "quay.io/group")


def listed(lines: int) -> bytes:
    """Return a list with a heading before every 20 lines, and a comment after every 10th image."""
    text = []
    for number in range(lines):
        if number % 20 == 0:
            text.append(f"# of group {number // 20}")
        name = f"{_HOSTS[number % 4]}/image{number // 20}:1.{number % 20}"
        text.append(f"{name}  # asked for by the group" if number % 10 == 0 else name)
    return "\n".join(text).encode() + b"\n"


def milliseconds(images: int, lines: int = LINES) -> float:
    """Return the median for a batch of this many images, half of them listed already."""
    content = listed(lines)
    old = [f"{_HOSTS[n % 4]}/image{n // 20}:1.{n % 20}" for n in range(images // 2)]
    new = [f"docker.io/library/new{n}:1.0" for n in range(images - len(old))]
    wanted = [ImageRef.parse(name) for name in (*old, *new)]
    return 1000 * statistics.median(_once(content, wanted, len(new)) for _ in range(TIMES))


def _once(content: bytes, wanted: Sequence[ImageRef], new: int) -> float:
    began = time.process_time()
    missing = image_list.unlisted(content, wanted)
    added = image_list.with_images(content, missing)
    took = time.process_time() - began
    assert added.count(b"\n") == content.count(b"\n") + new
    return took
