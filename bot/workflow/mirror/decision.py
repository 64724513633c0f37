"""Reads the bot's decisions in commit messages and in dispatches, and checks their seal.

A writer of the repository can copy any text. So a decision counts only with a seal: an HMAC by a
key that the bot and the secret DECISION_KEY share. An old one does not count, since whoever repeats
an old run would put back an old image. The bot writes these blocks, see bot/core/seal.py. A block
may also name images to look at, which decides nothing: see looking.py.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from .reference import Image

OLDEST = 48 * 3600  # seconds. The runner may have waited in a queue
AHEAD = 600  # seconds that the bot's clock may be fast
_BLOCK = re.compile(
    r"(?P<sealed>Batch: (?P<batch>[0-9a-f]{16})\n"
    r"Time: (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\n"
    r"(?:(?:Image: [ -~]+\n)+|(?:Look: [ -~]+\n)+))"
    r"Seal: (?P<seal>[0-9a-f]{64})",
    re.ASCII,
)
_KEY = re.compile(r"[0-9a-f]{64}")
_PREVIOUS = re.compile(r"; previous (before-[0-9-]{10})(?=;)")
NOT_SEALED = "the bot did not seal it"


@dataclass(frozen=True)
class Decided:
    """An image with the digest that was decided on, and the ground of the decision.

    `previous` is how the tag ends that the digest before it gets. Empty where it gets none.
    """

    image: Image
    ground: str
    previous: str


@dataclass(frozen=True)
class Block:
    """One block: the names as they stand there, and what was decided.

    `trouble` says why the block decides nothing. It is empty for a sealed block.
    """

    names: tuple[str, ...]
    decided: tuple[Decided, ...]
    time: float
    trouble: str


@dataclass(frozen=True)
class Key:
    """The secret, 64 hexadecimal digits or empty, and the digits by which the bot knows its own."""

    secret: str = field(repr=False)
    id: str

    def trouble(self) -> str:
        """Return why no seal can be checked with it."""
        if not _KEY.fullmatch(self.secret):
            return "DECISION_KEY is not set: run imageto-bot setup"
        mine = hashlib.sha256(bytes.fromhex(self.secret)).hexdigest()[: len(self.id)]
        return "" if mine == self.id else "DECISION_KEY is not the bot's key: run imageto-bot setup"

    def sign(self, text: str) -> str:
        """Return the seal of a text."""
        return hmac.new(bytes.fromhex(self.secret), text.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Looks:
    """What to look at, and whether to tell its platforms and size. `trouble` as in `Block`."""

    batch: str
    wanted: dict[Image, bool]
    trouble: str


def read(text: str, key: Key, now: float) -> "Block | None":
    """Read the last paragraph of a text. None when it holds no decision.

    `now` is in seconds since 1970.
    """
    paragraph = text.strip("\n").rpartition("\n\n")[2]
    found = _BLOCK.fullmatch(paragraph)
    lines = re.findall(r"^Image: (.*)$", paragraph, re.MULTILINE)
    if not lines:
        return None
    names = tuple(line.partition(";")[0] for line in lines)
    read = zip(map(Image.parse, names), lines, strict=True)
    decided = tuple(_decided(image, line) for image, line in read if image and image.digest)
    if not found or len({each.image for each in decided}) != len(lines):
        return Block(names, decided, 0, NOT_SEALED)
    return Block(names, decided, *_proved(found, key, now))


def read_looks(text: str, key: Key, now: float) -> "Looks | None":
    """Read what to look at. None for anything else, as `read`."""
    paragraph = text.strip("\n")
    lines = re.findall(r"^Look: ([^;\n]+)(; shape)?$", paragraph, re.MULTILINE)
    if not lines:
        return None
    found = _BLOCK.fullmatch(paragraph)
    wanted = {image: bool(shape) for name, shape in lines if (image := Image.parse(name))}
    if not found or len(wanted) != paragraph.count("\nLook: "):
        return Looks("", {}, NOT_SEALED)
    _, trouble = _proved(found, key, now)
    return Looks(found["batch"], wanted, trouble)


def sealed(blocks: Iterable[Block]) -> dict[Image, Decided]:
    """Return what is decided on each name with its tag.

    A name without a tag is found by its digest. The newest decision counts.
    """
    good = sorted((block for block in blocks if not block.trouble), key=lambda block: block.time)
    every = [each for block in good for each in block.decided]
    return {
        (replace(each.image, digest="") if each.image.tag else each.image): each for each in every
    }


def _decided(image: Image, line: str) -> Decided:
    said, _, ground = line.rpartition("; approved ")
    found = _PREVIOUS.search(f"{said};")
    return Decided(image, ground, found[1] if found else "")


def _proved(found: "re.Match[str]", key: Key, now: float) -> "tuple[float, str]":
    """Return the time of a block, and why it decides nothing."""
    try:
        time = datetime.strptime(found["time"], "%Y-%m-%dT%H:%M:%S%z").timestamp()
    except ValueError:
        return 0, NOT_SEALED
    if why := key.trouble():
        return time, why
    same = hmac.compare_digest(key.sign(found["sealed"]), found["seal"])
    return time, _age(now - time) if same else "its seal is wrong"


def _age(age: float) -> str:
    if age > OLDEST:
        return "its seal is over 48 hours old"
    return "its seal is from the future" if age < -AHEAD else ""
