"""Leaves the digest that a tag had at the target under a tag of its own, before it is overwritten.

Clusters may pull it by digest, and a registry may delete what no tag names. Nothing is sent but the
manifest, which the target has. A refusal fails no image. The same names as bot/core/previous.py: a
test compares both.
"""

from datetime import datetime, timezone
from http import HTTPStatus

from .manifest import Manifest, NotMovedError
from .registry import Repository

TAG_CHARACTERS = 128
TRIES = 9  # tags on one day
KEPT, NOT_KEPT = "previous is ", "previous not kept: "  # the bot reads both


def ending_of(now: float) -> str:
    """Return how the tag ends for something overwritten at `now`, in seconds since 1970."""
    return f"before-{datetime.fromtimestamp(now, timezone.utc):%Y-%m-%d}"


def previous_tag(tag: str, ending: str) -> str:
    """Return the tag for the digest that `tag` had. The cut leaves the date whole."""
    return f"{tag[: TAG_CHARACTERS - 1 - len(ending)]}-{ending}"


def leave(target: Repository, tag: str, ending: str, new: str) -> str:
    """Leave what `tag` has at the target, which `new` is about to replace.

    A tag with another digest is not overwritten: then a number follows. Returns what became of it,
    in words that the bot reads. Empty where nothing is replaced.
    """
    held = target.digest(tag)
    if held in ("", new):
        return ""
    if held is None:
        return f"{NOT_KEPT}the target answers {target.last.status or 'nothing'}"
    try:
        return KEPT + _left(target, tag, ending, held)
    except NotMovedError as why:
        refused = target.last.status >= HTTPStatus.BAD_REQUEST
        return NOT_KEPT + (f"the target answers {target.last.status}" if refused else str(why))


def _left(target: Repository, tag: str, ending: str, held: str) -> str:
    for number in range(1, TRIES + 1):
        own = ending if number == 1 else f"{ending}.{number}"
        name = previous_tag(tag, own)
        there = target.digest(name)
        if there == "":
            answer = target.raw(held)
            kind = answer.headers.get("Content-Type", "")
            target.put(name, Manifest(answer.body, kind, {}, {}))
        if there in ("", held):
            return own
    raise NotMovedError(f"{TRIES} of today are there")
