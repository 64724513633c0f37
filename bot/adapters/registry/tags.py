"""Reads the pages of a registry's list of tags. Pure, and no response is trusted.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags
"""

import json
import re
from typing import Final

import httpx

from bot.adapters.registry.manifest import expect_ok
from bot.adapters.registry.network_guard import host_of
from bot.adapters.registry.transport import RegistryResponse
from bot.core.errors import RefusedError

MAX_TAG_PAGES: Final = 5
MAX_TAGS: Final = 5000
MAX_LISTED_PAGES: Final = 200
MAX_LISTED_TAGS: Final = 100_000
"""For a whole list. Quay sends 100 tags a page, whatever is asked for: then it is 20,000."""

_PAGE_QUERY: Final = b"n=1000"
# As in core/image.py. A test compares them.
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_LINK: Final = re.compile(r"<([^<>]*)>([^<]*)")
_NEXT: Final = re.compile(r";\s*rel\s*=\s*(?:\"next\"|next(?![^\s;,]))", re.IGNORECASE)
_LONGEST_LINK: Final = 4096


def first_page(url: httpx.URL) -> httpx.URL:
    return url.copy_with(query=_PAGE_QUERY)


def next_page(url: httpx.URL, answer: RegistryResponse) -> httpx.URL | None:
    """The next page of the same list. None at the end, or if the link is to anything else."""
    header: str = answer.headers.get("link", "")[:_LONGEST_LINK]
    for target, parameters in _LINK.findall(header):
        if _NEXT.search(parameters):
            return _same_list(url, target)
    return None


def _same_list(url: httpx.URL, target: str) -> httpx.URL | None:
    try:
        following = url.join(target)
    except (httpx.InvalidURL, ValueError):
        return None
    old, new = [(u.scheme, host_of(u), u.port, u.path, u.userinfo) for u in (url, following)]
    return url.copy_with(query=following.query) if old == new else None


def parse_tags(answer: RegistryResponse, registry: str) -> tuple[str, ...]:
    """The valid tags of one page. Raises RefusedError if the response is not a list of tags."""
    expect_ok(answer, registry)
    try:
        tags = json.loads(answer.body)["tags"]
    except (ValueError, RecursionError, LookupError, TypeError) as error:
        raise _unreadable(registry) from error
    if tags is None:  # the empty list of the distribution registry
        return ()
    if not isinstance(tags, list):
        raise _unreadable(registry)
    return tuple(tag for tag in tags if isinstance(tag, str) and _TAG.fullmatch(tag))


def _unreadable(registry: str) -> RefusedError:
    return RefusedError(f"{registry} sends a list of tags that cannot be read")
