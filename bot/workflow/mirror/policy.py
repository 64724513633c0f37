"""The rules of the variable POLICY, for images that no sealed decision covers.

The same rules as bot/core/policy.py and bot/core/tag_class.py. A test compares both. `setup` writes
the variable. Pure: no I/O.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .reference import Image
from .registry_http import UNREADABLE
from .tag_class import floats

APPROVE, ASK, DENY = "approve", "ask", "deny"
NO_TAG = "@"  # stands for the missing tag of a digest alone: only a wildcard matches it


@dataclass(frozen=True)
class Policy:
    """What the bot's config says about images, as far as a run needs it."""

    registries: frozenset[str]
    rules: tuple[tuple[str, str], ...]  # pattern and verdict
    floating: tuple[str, ...]  # patterns of tags
    keep: bool  # leave the digest that is overwritten under a tag of its own

    @classmethod
    def read(cls, text: str) -> "Policy":
        """Read the variable. Raises ValueError with a line for people."""
        if not text.strip():
            raise ValueError("POLICY is not set: run imageto-bot setup")
        try:
            return cls._read(json.loads(text))
        except (*UNREADABLE, AttributeError, KeyError, TypeError):
            raise ValueError("POLICY cannot be read: run imageto-bot setup") from None

    @classmethod
    def _read(cls, read: Any) -> "Policy":
        rules = tuple((str(pattern), str(verdict)) for pattern, verdict in read["rules"])
        if not all(verdict in (APPROVE, ASK, DENY) for _, verdict in rules):
            raise ValueError
        keep = read.get("keep", False) is True
        return cls(frozenset(read["registries"]), rules, tuple(read["floating"]), keep)

    def decide(self, image: Image) -> tuple[str, str]:
        """Return the verdict on an image and the pattern of the rule that gives it, if any.

        A digest alone may have any tag. So where a rule for some tags comes first and says
        otherwise, an admin would be asked.
        """
        if image.registry not in self.registries:
            return DENY, ""
        found: list[tuple[str, str]] = []  # what rules for some tags say about a digest alone
        for pattern, verdict in self.rules:
            name, tag = _split(pattern)
            if not _fits(name, f"{image.registry}/{image.path}"):
                continue
            if tag is None or _fits(tag, image.tag or NO_TAG):
                found.append((verdict, pattern))
                break
            if not image.tag:
                found.append((verdict, pattern))
        else:
            found.append((ASK, ""))
        *by_tag, deciding = found
        others = (pattern for verdict, pattern in by_tag if verdict != deciding[0])
        other = next(others, None)
        return deciding if other is None else (ASK, other)

    def is_version(self, tag: str) -> bool:
        """Return whether a tag is not surely updated with each release."""
        return not (any(_fits(pattern, tag) for pattern in self.floating) or floats(tag))


def _split(pattern: str) -> "tuple[str, str | None]":
    """Return the pattern of the name, and that of the tag, or None where it has none."""
    start = pattern.rfind("/") + 1
    name, colon, tag = pattern[start:].partition(":")
    return pattern[:start] + name, tag if colon else None


@lru_cache(maxsize=1024)
def _expression(pattern: str) -> "re.Pattern[str]":
    """Return a pattern as an expression. `*` stays within a component, `**` does not."""
    wild = {"**": ".*", "*": "[^/]*"}
    pieces = re.split(r"(\*\*|\*)", pattern)
    return re.compile("".join(wild.get(piece, re.escape(piece)) for piece in pieces))


def _fits(pattern: str, text: str) -> bool:
    return _expression(pattern).fullmatch(text) is not None
