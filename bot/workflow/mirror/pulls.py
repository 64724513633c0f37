"""How many pulls a registry still allows, by its headers. Docker Hub sends them on HEAD too."""

import re
from dataclasses import dataclass
from email.message import Message

INDEX_PULLS = 20  # that a multi-platform image may cost, one per manifest


@dataclass(frozen=True)
class Pulls:
    """The pulls that are left. `need` is an estimate for the image that was asked about."""

    left: int
    limit: int
    need: int

    @classmethod
    def read(cls, headers: Message) -> "Pulls | None":
        """Read headers such as `100;w=21600`. None where nothing is counted."""
        given = (headers.get(f"ratelimit-{name}", "") for name in ("remaining", "limit"))
        left, limit = (re.match(r"[0-9]{1,9}(?=;|$)", text.strip()) for text in given)
        if not left or not limit:
            return None
        many = re.search("index|list", headers.get("Content-Type", ""))
        need = max(1, min(INDEX_PULLS, int(limit[0]) // 2)) if many else 1
        return cls(int(left[0]), int(limit[0]), need)
