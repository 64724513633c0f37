"""The rules of the variable POLICY, for images that no sealed decision covers.

The same rules as bot/core/policy.py and bot/core/tag_class.py. A test compares both. `setup` writes
the variable. Pure: no I/O.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from .reference import Image
from .registry_http import UNREADABLE

APPROVE, ASK, DENY = "approve", "ask", "deny"
_VERSION = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+([._+-].*)?")


@dataclass(frozen=True)
class Policy:
    """What the bot's config says about images, as far as a run needs it."""

    registries: frozenset[str]
    rules: tuple[tuple[str, str], ...]  # pattern and verdict
    floating: tuple[str, ...]  # patterns of tags

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
        return cls(frozenset(read["registries"]), rules, tuple(read["floating"]))

    def decide(self, image: Image) -> tuple[str, str]:
        """Return the verdict on an image and the pattern of the rule that gives it, if any."""
        if image.registry not in self.registries:
            return DENY, ""
        for pattern, verdict in self.rules:
            if _covers(pattern, image):
                return verdict, pattern
        return ASK, ""

    def is_version(self, tag: str) -> bool:
        """Return whether a tag is not meant to be updated."""
        return _VERSION.fullmatch(tag) is not None


def _covers(pattern: str, image: Image) -> bool:
    text = f"{image.registry}/{image.path}"
    if ":" in pattern.rsplit("/", 1)[-1]:
        text += f":{image.tag}"
    return _compiled(pattern).fullmatch(text) is not None


def _compiled(pattern: str) -> "re.Pattern[str]":
    wild = {"**": ".*", "*": "[^/]*"}
    pieces = re.split(r"(\*\*|\*)", pattern)
    return re.compile("".join(wild.get(piece, re.escape(piece)) for piece in pieces))
