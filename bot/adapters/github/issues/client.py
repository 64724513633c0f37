"""The issues of the mirror repository: what is read and written there, over its one worker.

Reads carry the ETag of the last answer, so one that changed nothing does not count. Writes are
serial and a second apart, as GitHub asks, since the client of the repository spaces all. How much
new content there may be is the business of budget.py.

Every method may raise TransientError or RefusedError. https://docs.github.com/en/rest/issues
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode

from bot.adapters.github.errors import one_line
from bot.adapters.github.fields import text_of
from bot.core.errors import RefusedError

PAGE: Final = 100
MOST_PAGES: Final = 50
"""Pages that are read at once. What is left is read with the next poll."""
QUERIED_AT_ONCE: Final = 100
"""GitHub takes so many ids in one query."""
_EDITS: Final = """
query($ids: [ID!]!) { nodes(ids: $ids) { id
  ... on Issue { body lastEditedAt } ... on IssueComment { body lastEditedAt } } }
"""
_VIEWER: Final = "query { viewer { login databaseId } }"


class Api(Protocol):
    """The calls of the repository's client: see api.py."""

    async def api(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any: ...
    async def exists(self, path: str) -> bool: ...
    async def query(self, text: str, variables: Mapping[str, Any]) -> Any: ...


@dataclass(frozen=True, slots=True)
class Account:
    """A user of GitHub. The login may be somebody else's next week, the number never."""

    id: int
    login: str
    is_bot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """An issue (`comment` 0) or a comment, as it stood when it was listed. Times are UTC.

    `node` is its id in GraphQL.
    """

    issue: int
    comment: int
    node: str
    author: Account
    body: str
    created_at: datetime
    updated_at: datetime


class IssueTracker:
    def __init__(self, api: Api) -> None:
        self._api = api

    async def me(self) -> Account:
        """The account of the bot's token. An App may ask for it by GraphQL alone."""
        found = (await self._query(_VIEWER, {}))["viewer"]
        return Account(int(found["databaseId"]), text_of(found["login"]))

    # -- reading ------------------------------------------------------------------------------

    async def comments(self, since: datetime) -> list[Post]:
        """The comments on issues that changed at or after `since`, each once."""
        return [*filter(None, map(_comment, await self._listed("issues/comments?", since)))]

    async def issues(self, since: datetime) -> list[Post]:
        """The issues, open or closed, that changed at or after `since`, each once."""
        return [*filter(None, map(_issue, await self._listed("issues?state=all&", since)))]

    async def own_comments(self, issue: int) -> list[tuple[int, int, str]]:
        """All comments of an issue: id, author and body. The oldest first."""
        found = await self._pages(f"issues/{issue}/comments?")
        return [(int(c["id"]), _author(c).id, str(c.get("body") or "")) for c in found]

    async def post(self, issue: int, comment: int) -> Post | None:
        """A comment, or the issue for 0, as it is now. None for a pull request."""
        if comment:
            return _comment(await self._api.api("GET", f"issues/comments/{comment}"))
        return _issue(await self._api.api("GET", f"issues/{issue}"))

    async def bodies(self, posts: Sequence[Post]) -> dict[str, str | None]:
        """By node id: the body as it is now, or None where somebody has edited it.

        What was deleted is left out. Times of REST prove no edit: other changes move them too.
        """
        found: dict[str, str | None] = {}
        for start in range(0, len(posts), QUERIED_AT_ONCE):
            ids = [post.node for post in posts[start : start + QUERIED_AT_ONCE]]
            for node in (await self._query(_EDITS, {"ids": ids})).get("nodes") or ():
                if node and "lastEditedAt" in node:
                    body = None if node["lastEditedAt"] else str(node.get("body") or "")
                    found[text_of(node["id"])] = body
        return found

    async def is_collaborator(self, login: str) -> bool:
        """Whether somebody was given a role here. Anybody may read a public repository."""
        return await self._api.exists(f"collaborators/{quote(login, safe='')}")

    async def login_of(self, number: int) -> str:
        """The login that this account has now."""
        found = await self._api.api("GET", f"/user/{number}")
        return text_of(found["login"])

    async def _listed(self, path: str, since: datetime) -> list[dict[str, Any]]:
        """Each page is asked for by the time at which the last one ended, not by its number.

        What changes meanwhile moves to the end, and so does a card that the bot edits between two
        calls. Then all that follows moves up, and the next number would pass over some of it.
        """
        found: dict[str, dict[str, Any]] = {}
        since, page = since.astimezone(UTC).replace(microsecond=0), 1
        for _ in range(MOST_PAGES):
            time = since.strftime("%Y-%m-%dT%H:%M:%SZ")
            order = urlencode({"sort": "updated", "direction": "asc", "since": time})
            some = await self._api.api("GET", f"{path}{order}&per_page={PAGE}&page={page}")
            found |= {text_of(each["node_id"]): each for each in some}
            if len(some) < PAGE:
                break
            end = datetime.fromisoformat(some[-1]["updated_at"]) - timedelta(seconds=1)
            since, page = (end, 1) if end > since else (since, page + 1)
        return [*found.values()]

    async def _pages(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for page in range(1, MOST_PAGES + 1):
            some = await self._api.api("GET", f"{path}per_page={PAGE}&page={page}")
            found += some
            if len(some) < PAGE:
                break
        return found

    async def _query(self, text: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        found = await self._api.query(text, variables)
        if not isinstance(data := found.get("data"), dict):
            words = next((e.get("message") for e in found.get("errors") or ()), "no data")
            raise RefusedError(f"GitHub's GraphQL: {one_line(str(words))}")
        return data

    # -- writing ------------------------------------------------------------------------------

    async def create_comment(self, issue: int, body: str) -> int:
        made = await self._api.api("POST", f"issues/{issue}/comments", {"body": body})
        return int(made["id"])

    async def edit_comment(self, comment: int, body: str) -> None:
        await self._api.api("PATCH", f"issues/comments/{comment}", {"body": body})

    async def delete_comment(self, comment: int) -> None:
        await self._api.api("DELETE", f"issues/comments/{comment}")

    async def set_state(self, issue: int, *, is_open: bool) -> None:
        """Close an issue as completed, or open it again."""
        reason = "reopened" if is_open else "completed"
        state = "open" if is_open else "closed"
        await self._api.api("PATCH", f"issues/{issue}", {"state": state, "state_reason": reason})

    async def labels(self, issue: int) -> frozenset[str]:
        found = await self._api.api("GET", f"issues/{issue}/labels?per_page={PAGE}")
        return frozenset(text_of(each["name"]) for each in found)

    async def set_labels(self, issue: int, names: Sequence[str]) -> None:
        await self._api.api("PUT", f"issues/{issue}/labels", {"labels": [*names]})


def _author(found: Mapping[str, Any]) -> Account:
    user = found.get("user") or {"id": 0, "login": "ghost", "type": "Bot"}
    by_app = found.get("performed_via_github_app") is not None
    return Account(int(user["id"]), text_of(user["login"]), by_app or user.get("type") != "User")


def _post(found: Mapping[str, Any], *, issue: int, comment: int) -> Post:
    return Post(
        issue=issue,
        comment=comment,
        node=text_of(found["node_id"]),
        author=_author(found),
        body=str(found.get("body") or ""),
        created_at=datetime.fromisoformat(found["created_at"]),
        updated_at=datetime.fromisoformat(found["updated_at"]),
    )


def _issue(found: Mapping[str, Any]) -> Post | None:
    """None for a pull request: GitHub lists them among the issues."""
    if found.get("pull_request") is not None:
        return None
    return _post(found, issue=int(found["number"]), comment=0)


def _comment(found: Mapping[str, Any]) -> Post | None:
    if "/pull/" in str(found.get("html_url")):
        return None
    number = text_of(found["issue_url"]).rpartition("/")[2]
    return _post(found, issue=int(number), comment=int(found["id"]))
