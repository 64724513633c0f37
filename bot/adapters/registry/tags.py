"""What a registry's list of tags tells, page by page. Pure; every answer is untrusted."""

import json
import re
from typing import Final

import httpx

from bot.adapters.registry.manifest import expect_good
from bot.adapters.registry.network_guard import host_of
from bot.adapters.registry.transport import Answer
from bot.core.errors import RefusedError

MOST_PAGES: Final = 5
MOST_TAGS: Final = 5000

_PAGE: Final = b"n=1000"
# By the grammar of core/image.py, with which a test compares it.
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_LINK: Final = re.compile(r"<([^<>]*)>([^<]*)")
_NEXT: Final = re.compile(r";\s*rel\s*=\s*(?:\"next\"|next(?![^\s;,]))", re.IGNORECASE)
_LONGEST_LINK: Final = 4096


def first_page(url: httpx.URL) -> httpx.URL:
    return url.copy_with(query=_PAGE)


def next_page(url: httpx.URL, answer: Answer) -> httpx.URL | None:
    """Where the same list goes on; None at its end, and where the link leads anywhere else."""
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
    places = [(u.scheme, host_of(u), u.port, u.path, u.userinfo) for u in (url, following)]
    return url.copy_with(query=following.query) if places[0] == places[1] else None


def tags_of(answer: Answer, registry: str) -> tuple[str, ...]:
    """The tags of one page that are some. Raises RefusedError where there is no list of them."""
    expect_good(answer, registry)
    try:
        told = json.loads(answer.body)["tags"]
    except (ValueError, RecursionError, LookupError, TypeError) as error:
        raise _unreadable(registry) from error
    if told is None:  # how the distribution's registry writes an empty list
        return ()
    if not isinstance(told, list):
        raise _unreadable(registry)
    return tuple(tag for tag in told if isinstance(tag, str) and _TAG.fullmatch(tag))


def _unreadable(registry: str) -> RefusedError:
    return RefusedError(f"{registry} sends a list of tags that cannot be read")
