"""The JSON objects of GitHub's REST API, as far as PyGithub and the workflow read them.

Keeps GitHub's field names out of the endpoints. Pure: values in, dictionaries out.
`api` is the address of one repository in the API, `page` its address for people.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from bot.sandbox.github.accounts import Account
from bot.sandbox.github.actions import WorkflowRun
from bot.sandbox.github.git_repository import Commit, GitFile
from bot.sandbox.github.repository_state import REPOSITORY_ID, RepositoryState
from bot.sandbox.github.triggers import WORKFLOW

Shape = dict[str, object]

WORKFLOW_ID = 1001
_MADE = "2026-01-01T00:00:00Z"
_COUNTS = (
    *("forks", "forks_count", "open_issues", "open_issues_count", "size", "stargazers_count"),
    *("watchers", "watchers_count", "network_count", "subscribers_count"),
)
_OF_A_USER = {
    "followers_url": "followers",
    "following_url": "following{/other_user}",
    "gists_url": "gists{/gist_id}",
    "starred_url": "starred{/owner}{/repo}",
    "subscriptions_url": "subscriptions",
    "organizations_url": "orgs",
    "repos_url": "repos",
    "events_url": "events{/privacy}",
    "received_events_url": "received_events",
}
_OF_A_REPOSITORY = {
    **{
        name: f"/{name}"
        for name in ("contributors", "deployments", "downloads", "events", "forks", "hooks")
    },
    **{
        name: f"/{name}"
        for name in ("languages", "merges", "stargazers", "subscribers", "subscription", "tags")
    },
    "teams": "/teams",
    "archive": "/{archive_format}{/ref}",
    "assignees": "/assignees{/user}",
    "blobs": "/git/blobs{/sha}",
    "branches": "/branches{/branch}",
    "collaborators": "/collaborators{/collaborator}",
    "comments": "/comments{/number}",
    "commits": "/commits{/sha}",
    "compare": "/compare/{base}...{head}",
    "contents": "/contents/{+path}",
    "git_commits": "/git/commits{/sha}",
    "git_refs": "/git/refs{/sha}",
    "git_tags": "/git/tags{/sha}",
    "issue_comment": "/issues/comments{/number}",
    "issue_events": "/issues/events{/number}",
    "issues": "/issues{/number}",
    "keys": "/keys{/key_id}",
    "labels": "/labels{/name}",
    "milestones": "/milestones{/number}",
    "notifications": "/notifications{?since,all,participating}",
    "pulls": "/pulls{/number}",
    "releases": "/releases{/id}",
    "statuses": "/statuses/{sha}",
    "trees": "/git/trees{/sha}",
}
_INLINE_LIMIT = 1_000_000


@dataclass(frozen=True, slots=True)
class RepositoryUrls:
    """Where the repository is: `root` is the API's address."""

    root: str
    state: RepositoryState

    @property
    def name(self) -> str:
        return self.state.name

    @property
    def api(self) -> str:
        return f"{self.root}/repos/{self.name}"

    @property
    def page(self) -> str:
        return f"{self.root}/{self.name}"


def user(root: str, login: str) -> Shape:
    return account(root, Account("", 1, login, "Organization"))


def account(root: str, who: Account) -> Shape:
    address = f"{root}/users/{quote(who.login)}"
    return {
        "login": who.login,
        "id": who.id,
        "node_id": f"U_{who.id}",
        "avatar_url": f"{root}/avatars/{who.id}",
        "gravatar_id": "",
        "url": address,
        "html_url": f"{root}/{quote(who.login)}",
        **{name: f"{address}/{path}" for name, path in _OF_A_USER.items()},
        "type": who.kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def repository(place: RepositoryUrls, default_branch: str) -> Shape:
    state, counts = place.state, dict.fromkeys(_COUNTS, 0)
    nothing = dict.fromkeys(("homepage", "language", "license", "mirror_url"))
    rights = ("admin", "maintain", "push", "triage", "pull")
    return minimal_repository(place) | {
        **counts,
        **nothing,
        **dict.fromkeys(("has_projects", "has_wiki", "has_pages", "has_discussions"), False),
        "has_issues": state.issues,
        "has_downloads": True,
        "archived": state.archived,
        "disabled": False,
        "visibility": "private" if state.private else "public",
        "default_branch": default_branch,
        "topics": [],
        "clone_url": f"{place.page}.git",
        "git_url": f"{place.page}.git",
        "ssh_url": f"{place.page}.git",
        "svn_url": place.page,
        "pushed_at": _MADE,
        "created_at": _MADE,
        "updated_at": _MADE,
        "permissions": dict.fromkeys(rights, True),
    }


def minimal_repository(place: RepositoryUrls) -> Shape:
    """Return a repository as it stands in other objects, such as a run."""
    owner, _, name = place.name.partition("/")
    return {
        "id": REPOSITORY_ID,
        "node_id": f"R_{REPOSITORY_ID}",
        "name": name,
        "full_name": place.name,
        "private": place.state.private,
        "owner": user(place.root, owner),
        "html_url": place.page,
        "description": "The mirror repository of the sandbox",
        "fork": False,
        "url": place.api,
        **{f"{part}_url": place.api + path for part, path in _OF_A_REPOSITORY.items()},
    }


def ref(place: RepositoryUrls, branch: str, sha: str) -> Shape:
    return {
        "ref": f"refs/heads/{branch}",
        "node_id": f"REF_{branch}",
        "url": f"{place.api}/git/refs/heads/{branch}",
        "object": {"type": "commit", "sha": sha, "url": f"{place.api}/git/commits/{sha}"},
    }


def blob(place: RepositoryUrls, sha: str, data: bytes) -> Shape:
    return {
        "sha": sha,
        "node_id": f"B_{sha[:12]}",
        "size": len(data),
        "url": f"{place.api}/git/blobs/{sha}",
        "encoding": "base64",
        "content": base64.encodebytes(data).decode(),
    }


def git_commit(place: RepositoryUrls, commit: Commit) -> Shape:
    person = {"name": commit.author, "email": commit.email, "date": commit.date}
    return {
        "sha": commit.sha,
        "node_id": f"C_{commit.sha[:12]}",
        "url": f"{place.api}/git/commits/{commit.sha}",
        "html_url": f"{place.page}/commit/{commit.sha}",
        "author": person,
        "committer": person,
        "message": commit.message,
        "tree": {"sha": commit.tree, "url": f"{place.api}/git/trees/{commit.tree}"},
        "parents": _parents(place, commit, "git/commits"),
        "verification": {
            "verified": False,
            "reason": "unsigned",
            "signature": None,
            "verified_at": None,
            "payload": None,
        },
    }


def commit(place: RepositoryUrls, found: Commit, *, files: Sequence[str] | None = None) -> Shape:
    """Return a commit as `repos/…/commits` shows it. `files` is for the request of one commit."""
    shape: Shape = {
        "sha": found.sha,
        "node_id": f"C_{found.sha[:12]}",
        "url": f"{place.api}/commits/{found.sha}",
        "html_url": f"{place.page}/commit/{found.sha}",
        "comments_url": f"{place.api}/commits/{found.sha}/comments",
        "commit": git_commit(place, found) | {"comment_count": 0},
        "author": None,
        "committer": None,
        "parents": _parents(place, found, "commits"),
    }
    if files is None:
        return shape
    changed = [{"filename": name, "status": "modified", "sha": None} for name in files]
    return shape | {"files": changed, "stats": {"additions": 0, "deletions": 0, "total": 0}}


def _parents(place: RepositoryUrls, found: Commit, kind: str) -> list[Shape]:
    return [
        {"sha": sha, "url": f"{place.api}/{kind}/{sha}", "html_url": f"{place.page}/commit/{sha}"}
        for sha in found.parents
    ]


def content(
    place: RepositoryUrls, file: GitFile, revision: str, *, with_data: bool = True
) -> Shape:
    """Return a file of the contents API. Over 1 MB it has no content."""
    url = f"{place.api}/contents/{quote(file.path)}?ref={quote(revision, safe='')}"
    git_url = f"{place.api}/git/blobs/{file.sha}"
    html_url = f"{place.page}/blob/{revision}/{file.path}"
    shape: Shape = {
        "type": "file",
        "name": file.path.rpartition("/")[2],
        "path": file.path,
        "sha": file.sha,
        "size": len(file.data),
        "url": url,
        "git_url": git_url,
        "html_url": html_url,
        "download_url": None,
        "_links": {"self": url, "git": git_url, "html": html_url},
    }
    if not with_data:
        return shape
    if len(file.data) > _INLINE_LIMIT:
        return shape | {"encoding": "none", "content": ""}
    return shape | {"encoding": "base64", "content": base64.encodebytes(file.data).decode()}


def workflow(place: RepositoryUrls, *, active: bool) -> Shape:
    address = f"{place.api}/actions/workflows/{WORKFLOW_ID}"
    return {
        "id": WORKFLOW_ID,
        "node_id": "W_1001",
        "name": "mirror",
        "path": WORKFLOW,
        "state": "active" if active else "disabled_manually",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "url": address,
        "html_url": f"{place.page}/blob/main/{WORKFLOW}",
        "badge_url": f"{place.page}/workflows/mirror/badge.svg",
    }


def run_address(place: RepositoryUrls, number: int) -> Shape:
    """Return the three fields of the answer to a dispatch with `return_run_details`."""
    return {
        "workflow_run_id": number,
        "run_url": f"{place.api}/actions/runs/{number}",
        "html_url": f"{place.page}/actions/runs/{number}",
    }


def run(place: RepositoryUrls, found: WorkflowRun, head: Commit | None) -> Shape:
    address = f"{place.api}/actions/runs/{found.id}"
    owner = user(place.root, place.name.partition("/")[0])
    links = {
        f"{name}_url": f"{address}/{name}"
        for name in ("jobs", "logs", "artifacts", "cancel", "rerun")
    }
    return {
        "id": found.id,
        "node_id": f"WFR_{found.id}",
        "name": "mirror",
        "display_title": found.title,
        "head_branch": found.branch,
        "head_sha": found.sha,
        "head_commit": _simple_commit(head) if head else None,
        "repository": minimal_repository(place),
        "head_repository": minimal_repository(place),
        "referenced_workflows": [],
        "path": WORKFLOW,
        "run_number": found.number,
        "run_attempt": found.attempt,
        "event": found.event,
        "status": found.status,
        "conclusion": found.conclusion,
        "workflow_id": WORKFLOW_ID,
        "workflow_url": f"{place.api}/actions/workflows/{WORKFLOW_ID}",
        "check_suite_id": found.id,
        "check_suite_node_id": f"CS_{found.id}",
        "check_suite_url": f"{place.api}/check-suites/{found.id}",
        "pull_requests": [],
        "url": address,
        "html_url": f"{place.page}/actions/runs/{found.id}",
        "previous_attempt_url": None,
        "created_at": found.created_at,
        "updated_at": found.updated_at,
        "run_started_at": found.started_at,
        "actor": owner,
        "triggering_actor": owner,
        **links,
    }


def _simple_commit(found: Commit) -> Shape:
    person = {"name": found.author, "email": found.email}
    return {
        "id": found.sha,
        "tree_id": found.tree,
        "message": found.message,
        "timestamp": found.date,
        "author": person,
        "committer": person,
    }


def job(
    place: RepositoryUrls, found: WorkflowRun, steps: Sequence[tuple[str, str | None]]
) -> Shape:
    """Return the one job of a run. When the run is over, so is every step."""
    over = found.status == "completed"
    return {
        "id": found.id * 10,
        "run_id": found.id,
        "run_attempt": found.attempt,
        "run_url": f"{place.api}/actions/runs/{found.id}",
        "node_id": f"CR_{found.id}",
        "name": "mirror",
        "workflow_name": "mirror",
        "head_sha": found.sha,
        "head_branch": found.branch,
        "status": found.status,
        "conclusion": found.conclusion,
        "created_at": found.created_at,
        "started_at": found.started_at,
        "completed_at": found.updated_at if over else None,
        "url": f"{place.api}/actions/jobs/{found.id * 10}",
        "html_url": f"{place.page}/actions/runs/{found.id}/job/{found.id * 10}",
        "check_run_url": f"{place.api}/check-runs/{found.id * 10}",
        "labels": ["ubuntu-24.04"],
        "runner_id": 1 if found.taken else None,
        "runner_name": "sandbox" if found.taken else None,
        "runner_group_id": 0 if found.taken else None,
        "runner_group_name": "GitHub Actions" if found.taken else None,
        "steps": [
            {
                "number": number,
                "name": name,
                "status": "completed" if over or conclusion else "in_progress",
                "conclusion": conclusion or ("cancelled" if over else None),
            }
            for number, (name, conclusion) in enumerate(steps, start=1)
        ],
    }


def annotation(message: str) -> Shape:
    """Return what a check run says of the workflow file as a whole."""
    return {
        "path": ".github",
        "start_line": 1,
        "end_line": 1,
        "start_column": None,
        "end_column": None,
        "annotation_level": "failure",
        "title": "",
        "message": message,
        "raw_details": "",
        "blob_href": "",
    }


def status(place: RepositoryUrls, sha: str, fields: Mapping[str, object]) -> Shape:
    return {
        **fields,
        "node_id": f"SC_{fields['id']}",
        "url": f"{place.api}/statuses/{sha}",
        "avatar_url": f"{place.root}/avatars/bot",
        "creator": user(place.root, place.name.partition("/")[0]),
    }
