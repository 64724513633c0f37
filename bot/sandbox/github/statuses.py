"""Commit statuses of the sandbox's GitHub: what the workflow reports about each image.

Newest first, several per context, and kept in a file over a restart of the sandbox.
"""

import json
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.sandbox.github import shapes
from bot.sandbox.github.git_repository import GitRepository
from bot.sandbox.github.http import answer, body, invalid, listed, now, page, root
from bot.sandbox.github.repository_state import RepositoryState

_STATES = frozenset({"error", "failure", "pending", "success"})
_DESCRIPTION_LIMIT = 140
_CONTEXT_LIMIT = 255
_PER_CONTEXT = 1000


class StatusEndpoints:
    """The part of the REST API that stores and lists statuses."""

    def __init__(self, *, repository: GitRepository, state: RepositoryState, data: Path) -> None:
        self._repository = repository
        self._state = state
        self._path = data / "statuses.jsonl"
        self._all = self._load()

    def routes(self, prefix: str) -> list[Route]:
        return [
            Route(f"{prefix}/statuses/{{sha}}", self.create, methods=["POST"]),
            Route(f"{prefix}/statuses/{{sha}}", self.statuses, methods=["GET"]),
            Route(f"{prefix}/commits/{{sha}}/statuses", self.statuses, methods=["GET"]),
            Route(f"{prefix}/commits/{{sha}}/status", self.combined, methods=["GET"]),
        ]

    async def create(self, request: Request) -> Response:
        sha = await self._sha(request)
        fields = _checked(await body(request))
        same = [old for old in self._all if old["sha"] == sha and _same(old, fields)]
        if len(same) >= _PER_CONTEXT:
            raise invalid("Validation Failed: this SHA and context has reached the maximum")
        at = now()
        fields |= {"id": len(self._all) + 1, "created_at": at, "updated_at": at}
        self._all.append({"sha": sha} | fields)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"sha": sha} | fields) + "\n")
        return answer(self._shape(request, sha, fields), 201)

    async def statuses(self, request: Request) -> Response:
        sha = await self._sha(request)
        return listed(request, [self._shape(request, sha, each) for each in self._of(sha)])

    async def combined(self, request: Request) -> Response:
        sha = await self._sha(request)
        latest: dict[str, dict[str, Any]] = {}
        for each in self._of(sha):
            latest.setdefault(str(each["context"]).lower(), each)
        states = {each["state"] for each in latest.values()}
        part, place = page(request), self._urls(request)
        found = list(latest.values())[part.start : part.start + part.size]
        data = {
            "sha": sha,
            "state": _overall(states),
            "total_count": len(latest),
            "statuses": [self._shape(request, sha, each) for each in found],
            "repository": shapes.repository(place, await self._repository.default_branch()),
            "commit_url": f"{place.api}/commits/{sha}",
            "url": f"{place.api}/commits/{sha}/status",
        }
        return answer(data, headers=part.link(request, more=len(latest) > part.start + part.size))

    def _of(self, sha: str) -> list[dict[str, Any]]:
        return [each for each in reversed(self._all) if each["sha"] == sha]

    async def _sha(self, request: Request) -> str:
        asked = request.path_params["sha"]
        sha = None if asked.startswith("-") else await self._repository.resolve(asked)
        if sha is None:
            raise invalid(f"No commit found for SHA: {asked}")
        return sha

    def _shape(self, request: Request, sha: str, fields: dict[str, Any]) -> shapes.Shape:
        shown = {name: value for name, value in fields.items() if name != "sha"}
        return shapes.status(self._urls(request), sha, shown)

    def _urls(self, request: Request) -> shapes.RepositoryUrls:
        return shapes.RepositoryUrls(root(request), self._state)

    def _load(self) -> list[dict[str, Any]]:
        if not self._path.exists():
            return []
        return [json.loads(line) for line in self._path.read_text(encoding="utf-8").splitlines()]


def _checked(data: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a status. Raises ApiRefusal as GitHub does."""
    state, description = data.get("state"), data.get("description")
    context, target = data.get("context") or "default", data.get("target_url")
    if state not in _STATES:
        raise invalid("Validation Failed: state is not included in the list")
    if len(str(description or "")) > _DESCRIPTION_LIMIT:
        raise invalid("Validation Failed: description is too long (maximum is 140 characters)")
    if len(str(context)) > _CONTEXT_LIMIT:
        raise invalid("Validation Failed: context is too long (maximum is 255 characters)")
    if target and not str(target).startswith(("http://", "https://")):
        raise invalid("Validation Failed: target_url must use http(s) scheme")
    return {"state": state, "description": description, "context": context, "target_url": target}


def _same(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return str(old["context"]).lower() == str(new["context"]).lower()


def _overall(states: set[str]) -> str:
    if states & {"error", "failure"}:
        return "failure"
    return "success" if states == {"success"} else "pending"
