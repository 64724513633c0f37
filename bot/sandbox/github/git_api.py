"""Contents, commits and git data of the sandbox's GitHub, over a real git repository.

Refuses stale writes as GitHub does: 409 for a file or branch that changed meanwhile, 422 for an
update that is not a fast-forward. `pushed` is called after every commit on a branch but its first.
"""

import base64
import binascii
from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.sandbox.github import shapes
from bot.sandbox.github.git_repository import Commit, GitError, GitFile, GitRepository
from bot.sandbox.github.http import (
    ApiRefusal,
    answer,
    body,
    invalid,
    not_found,
    page,
    root,
    text_field,
)
from bot.sandbox.github.repository_state import RepositoryState

_RAW = (
    "application/vnd.github.raw",
    "application/vnd.github.raw+json",
    "application/vnd.github.v3.raw",
)
_HEX = frozenset("0123456789abcdef")
_SHA_LENGTH = 40


class Pushed(Protocol):
    """Called after a branch changed from commit `before` to commit `after`."""

    def __call__(self, branch: str, *, before: str, after: str, server: str) -> Awaitable[None]: ...


class GitEndpoints:
    """The part of the REST API that reads and writes the repository."""

    def __init__(
        self, *, repository: GitRepository, state: RepositoryState, pushed: Pushed
    ) -> None:
        self._repository = repository
        self._state = state
        self._pushed = pushed

    def routes(self, prefix: str) -> list[Route]:
        git = f"{prefix}/git"
        return [
            Route(prefix, self.show, methods=["GET"]),
            Route(prefix, self.change, methods=["PATCH"]),
            Route(f"{git}/ref/heads/{{branch:path}}", self.ref, methods=["GET"]),
            Route(f"{git}/refs/heads/{{branch:path}}", self.ref, methods=["GET"]),
            Route(f"{git}/refs/heads/{{branch:path}}", self.move_ref, methods=["PATCH"]),
            Route(f"{git}/refs", self.create_ref, methods=["POST"]),
            Route(f"{git}/commits/{{sha}}", self.git_commit, methods=["GET"]),
            Route(f"{git}/blobs/{{sha}}", self.blob, methods=["GET"]),
            Route(f"{git}/blobs", self.create_blob, methods=["POST"]),
            Route(f"{git}/trees/{{sha}}", self.tree, methods=["GET"]),
            Route(f"{git}/trees", self.create_tree, methods=["POST"]),
            Route(f"{git}/commits", self.create_commit, methods=["POST"]),
            Route(f"{prefix}/branches/{{branch:path}}", self.branch, methods=["GET"]),
            Route(f"{prefix}/rules/branches/{{branch:path}}", self.rules, methods=["GET"]),
            Route(f"{prefix}/branches/{{branch}}/rename", self.rename, methods=["POST"]),
            Route(f"{prefix}/contents/{{path:path}}", self.contents, methods=["GET"]),
            Route(f"{prefix}/contents/{{path:path}}", self.write_contents, methods=["PUT"]),
            Route(f"{prefix}/commits", self.commits, methods=["GET"]),
            Route(f"{prefix}/commits/{{sha}}", self.commit, methods=["GET"]),
        ]

    async def show(self, request: Request) -> Response:
        default = await self._repository.default_branch()
        return answer(shapes.repository(self._urls(request), default))

    async def change(self, request: Request) -> Response:
        """Change the default branch. The other settings of a repository do not exist here."""
        branch = text_field(await body(request), "default_branch")
        if not await self._repository.set_default_branch(branch):
            raise invalid("Validation Failed: The branch was not found")
        return await self.show(request)

    async def ref(self, request: Request) -> Response:
        await self._expect_a_commit()
        branch = request.path_params["branch"]
        return answer(shapes.ref(self._urls(request), branch, await self._tip(branch)))

    async def branch(self, request: Request) -> Response:
        name = request.path_params["branch"]
        commit = {"sha": await self._tip(name, ApiRefusal(404, "Branch not found"))}
        return answer({"name": name, "commit": commit, "protected": False})

    async def rules(self, _request: Request) -> Response:
        """The sandbox has no rulesets. GitHub answers so for a branch that does not exist, too."""
        return answer([])

    async def create_ref(self, request: Request) -> Response:
        """Create a branch. GitHub takes a full ref. No run starts, as nothing has changed."""
        await self._expect_a_commit()
        data = await body(request)
        ref, sha = text_field(data, "ref"), text_field(data, "sha")
        branch = ref.removeprefix("refs/heads/")
        if branch == ref:
            raise invalid("Reference name must start with 'refs/heads/'")
        if not _is_sha(sha) or await self._repository.resolve(sha) is None:
            raise invalid("Object does not exist")
        if not await self._repository.move(sha, None, branch):
            raise invalid("Reference already exists")
        return answer(shapes.ref(self._urls(request), branch, sha), 201)

    async def rename(self, request: Request) -> Response:
        old, new = request.path_params["branch"], text_field(await body(request), "new_name")
        if not await self._repository.rename(old, new):
            raise not_found()
        return answer({"name": new}, 201)

    async def move_ref(self, request: Request) -> Response:
        branch = request.path_params["branch"]
        data = await body(request)
        new, old = text_field(data, "sha"), await self._tip(branch)
        if not _is_sha(new) or await self._repository.resolve(new) is None:
            raise invalid("Object does not exist")
        if not data.get("force") and not await self._repository.is_ancestor(old, new):
            raise invalid("Update is not a fast forward")
        if not await self._repository.move(new, old, branch):
            raise invalid("Update is not a fast forward")
        await self._tell(request, branch, old, new)
        return answer(shapes.ref(self._urls(request), branch, new))

    async def git_commit(self, request: Request) -> Response:
        found = await self._commit(request.path_params["sha"], not_found())
        return answer(shapes.git_commit(self._urls(request), found))

    async def blob(self, request: Request) -> Response:
        sha = request.path_params["sha"]
        data = await self._repository.blob(sha) if _is_sha(sha) else None
        if data is None:
            raise not_found()
        if request.headers.get("accept") in _RAW:
            return Response(data, media_type="application/vnd.github.raw")
        return answer(shapes.blob(self._urls(request), sha, data))

    async def create_blob(self, request: Request) -> Response:
        await self._expect_a_commit()
        data = await body(request)
        text = text_field(data, "content")
        encoded = data.get("encoding", "utf-8") == "base64"
        sha = await self._repository.store_blob(_decoded(text) if encoded else text.encode())
        return answer({"sha": sha, "url": f"{self._urls(request).api}/git/blobs/{sha}"}, 201)

    async def tree(self, request: Request) -> Response:
        sha = request.path_params["sha"]
        entries = await self._repository.tree(sha) if _is_sha(sha) else None
        if entries is None:
            raise not_found()
        url = f"{self._urls(request).api}/git/trees/{sha}"
        return answer({"sha": sha, "url": url, "tree": entries, "truncated": False})

    async def create_tree(self, request: Request) -> Response:
        await self._expect_a_commit()
        data = await body(request)
        base = data.get("base_tree")
        try:
            entries = [await self._entry(entry) for entry in data.get("tree", [])]
            sha = await self._repository.store_tree(base, entries)
        except GitError as error:
            raise invalid(f"tree could not be written: {error}") from error
        url = f"{self._urls(request).api}/git/trees/{sha}"
        tree = [{"path": path, "type": "blob", "sha": blob} for path, blob in entries if blob]
        return answer({"sha": sha, "url": url, "tree": tree, "truncated": False}, 201)

    async def create_commit(self, request: Request) -> Response:
        await self._expect_a_commit()
        data = await body(request)
        message, tree = text_field(data, "message"), text_field(data, "tree")
        parents = [str(parent) for parent in data.get("parents", [])]
        if not all(_is_sha(sha) for sha in (tree, *parents)):
            raise invalid("Tree SHA does not exist")
        try:
            sha = await self._repository.store_commit(tree=tree, parents=parents, message=message)
        except GitError as error:
            raise invalid(f"commit could not be written: {error}") from error
        return answer(
            shapes.git_commit(self._urls(request), await self._commit(sha, not_found())), 201
        )

    async def contents(self, request: Request) -> Response:
        if await self._repository.is_empty():
            raise ApiRefusal(404, "This repository is empty.")
        revision = request.query_params.get("ref", "HEAD").removeprefix("refs/heads/")
        tip = await self._commit(
            revision, ApiRefusal(404, f"No commit found for the ref {revision}")
        )
        file = await self._repository.file(tip.sha, _path(request))
        if file is None:
            return await self._folder(request, tip, revision)
        if request.headers.get("accept") in _RAW:
            return Response(file.data, media_type="application/vnd.github.raw+json")
        return answer(shapes.content(self._urls(request), file, revision))

    async def _folder(self, request: Request, tip: Commit, revision: str) -> Response:
        """Answer the entries of a folder."""
        path = _path(request)
        inside = [
            each
            for each in await self._repository.tree(tip.tree) or []
            if each["path"].rpartition("/")[0] == path
        ]
        if not inside:
            raise not_found()
        place, shown = self._urls(request), []
        for each in inside:
            data = await self._repository.blob(each["sha"]) or b""
            file = GitFile(each["path"], each["sha"], data)
            shape = shapes.content(place, file, revision, with_data=False)
            kind = "symlink" if each["mode"] == "120000" else "file"
            shown.append(shape | {"type": "dir" if each["type"] == "tree" else kind})
        return answer(shown)

    async def write_contents(self, request: Request) -> Response:
        data = await body(request)
        message, path = text_field(data, "message"), _path(request)
        fresh = _decoded(text_field(data, "content"))
        default = await self._repository.default_branch()
        branch = str(data.get("branch", default)).removeprefix("refs/heads/")
        if await self._repository.is_empty() and branch == default:
            tip, old = None, None
        else:
            at = await self._tip(branch, ApiRefusal(404, f"Branch {branch} not found"))
            tip = await self._commit(at, not_found())
            old = await self._repository.file(tip.sha, path)
        _refuse_stale(path, old, data.get("sha"))
        sha = await self._write(branch, tip, path, fresh, message)
        if tip is not None:
            await self._tell(request, branch, tip.sha, sha)
        place = self._urls(request)
        made = shapes.git_commit(place, await self._commit(sha, not_found()))
        blob = GitFile(path, await self._repository.store_blob(fresh), fresh)
        shown = shapes.content(place, blob, branch, with_data=False)
        return answer({"content": shown, "commit": made}, 201 if old is None else 200)

    async def commits(self, request: Request) -> Response:
        asked = request.query_params
        tip = await self._commit(asked.get("sha", "HEAD"), not_found())
        part = page(request)
        found = await self._repository.log(
            tip.sha, path=asked.get("path") or None, limit=part.size + 1, skip=part.start
        )
        place = self._urls(request)
        link = part.link(request, more=len(found) > part.size)
        return answer([shapes.commit(place, each) for each in found[: part.size]], headers=link)

    async def commit(self, request: Request) -> Response:
        sha = request.path_params["sha"]
        found = await self._commit(sha, invalid(f"No commit found for SHA: {sha}"))
        files = (
            await self._repository.changed_paths(found.parents[0], found.sha)
            if found.parents
            else []
        )
        return answer(shapes.commit(self._urls(request), found, files=files))

    async def _write(
        self, branch: str, tip: Commit | None, path: str, data: bytes, message: str
    ) -> str:
        """Commit one file on `tip`. Raises ApiRefusal 409 if the branch changed meanwhile."""
        before = tip.sha if tip else None
        try:
            entry = (path, await self._repository.store_blob(data))
            tree = await self._repository.store_tree(tip.tree if tip else None, [entry])
        except GitError as error:
            raise invalid(f"path cannot be written: {error}") from error
        parents = [before] if before else []
        sha = await self._repository.store_commit(tree=tree, parents=parents, message=message)
        if not await self._repository.move(sha, before, branch):
            now = await self._repository.tip(branch)
            raise ApiRefusal(409, f"is at {now} but expected {before}")
        return sha

    async def _expect_a_commit(self) -> None:
        """Refuse with 409 before the first commit. Only the Contents API can make that one."""
        if await self._repository.is_empty():
            raise ApiRefusal(409, "Git Repository is empty.")

    async def _entry(self, entry: Mapping[str, Any]) -> tuple[str, str | None]:
        path = text_field(entry, "path")
        if "\0" in path:
            raise invalid("tree.path contains a malformed path component")
        if isinstance(entry.get("content"), str):
            return path, await self._repository.store_blob(entry["content"].encode())
        sha = entry.get("sha")
        if sha is not None and (not _is_sha(sha) or await self._repository.blob(sha) is None):
            raise invalid(f"tree.sha {sha} is not a valid blob")
        return path, sha

    async def _commit(self, revision: str, problem: ApiRefusal) -> Commit:
        if revision != "HEAD" and not _is_sha(revision):
            revision = await self._tip(revision.removeprefix("refs/heads/"), problem)
        found = await self._repository.commit(revision)
        if found is None:
            raise problem
        return found

    async def _tip(self, branch: str, problem: ApiRefusal | None = None) -> str:
        found = await self._repository.tip(branch)
        if found is None:
            raise problem or not_found()
        return found

    async def _tell(self, request: Request, branch: str, before: str, after: str) -> None:
        await self._pushed(branch, before=before, after=after, server=root(request))

    def _urls(self, request: Request) -> shapes.RepositoryUrls:
        return shapes.RepositoryUrls(root(request), self._state)


def _refuse_stale(path: str, old: GitFile | None, sha: object) -> None:
    if sha is None and old is not None:
        raise invalid('Invalid request.\n\n"sha" wasn\'t supplied.')
    if sha is not None and (old is None or old.sha != sha):
        raise ApiRefusal(409, f"{path} does not match {sha}")


def _path(request: Request) -> str:
    path = str(request.path_params["path"]).strip("/")
    if not path or "\0" in path:
        raise invalid("path contains a malformed path component")
    return path


def _is_sha(value: object) -> bool:
    return isinstance(value, str) and len(value) == _SHA_LENGTH and _HEX.issuperset(value)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        raise invalid("content is not valid Base64") from None
