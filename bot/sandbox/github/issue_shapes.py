"""The JSON objects of issues, comments, labels, reactions and accounts, as full as GitHub's.

Pure, as shapes.py is. A test compares them with GitHub's own description of its API.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from bot.sandbox.github.accounts import OWNER, ROLES, Account, Accounts
from bot.sandbox.github.issues import REACTIONS, Comment, Issue, Post, Reaction
from bot.sandbox.github.shapes import RepositoryUrls, Shape, account

_MADE = "2020-01-01T00:00:00Z"


def public_account(root: str, who: Account) -> Shape:
    nothing = dict.fromkeys(("company", "location", "email", "hireable", "bio", "twitter_username"))
    counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    own = {"name": who.name.capitalize(), "blog": "", "created_at": _MADE, "updated_at": _MADE}
    return account(root, who) | nothing | counts | own


def permission(root: str, who: Account, *, private: bool) -> Shape:
    """Return what the permission route says: `read` of everybody, in a public repository."""
    role = who.role or ("none" if private else "read")
    level = {"triage": "read", "maintain": "write"}.get(role, role)
    return {"permission": level, "role_name": role, "user": _collaborator(root, who, role)}


def _collaborator(root: str, who: Account, role: str) -> Shape:
    rights = ("pull", "triage", "push", "maintain", "admin")
    granted = 0 if role == "none" else ROLES.index(role)
    allowed = {right: number < granted for number, right in enumerate(rights)}
    return account(root, who) | {"permissions": allowed, "role_name": role}


def collaborator(root: str, who: Account) -> Shape:
    return _collaborator(root, who, who.role)


def label(place: RepositoryUrls, name: str, colour: str, *, default: bool) -> Shape:
    return {
        "id": sum(name.encode()) + 1_000_000,
        "node_id": f"LA_{name.encode().hex()}",
        "url": f"{place.api}/labels/{quote(name, safe='')}",
        "name": name,
        "color": colour,
        "default": default,
        "description": None,
    }


@dataclass(frozen=True, slots=True)
class IssueShapes:
    """Makes the objects of one repository, whose labels are in `labels` by name."""

    place: RepositoryUrls
    accounts: Accounts
    labels: dict[str, Shape]

    def issue(self, issue: Issue, comments: int) -> Shape:
        address = f"{self.place.api}/issues/{issue.number}"
        kind = "pull" if issue.pull else "issues"
        page = f"{self.place.page}/{kind}/{issue.number}"
        people = [self._account(each) for each in issue.assignees]
        shape = self._post(issue, address, page) | {
            "node_id": f"I_{issue.id}",
            "repository_url": self.place.api,
            "labels_url": f"{address}/labels{{/name}}",
            "comments_url": f"{address}/comments",
            "events_url": f"{address}/events",
            "timeline_url": f"{address}/timeline",
            "number": issue.number,
            "title": issue.title,
            "body": issue.body or None,
            "labels": [self.labels[name] for name in issue.labels],
            "state": issue.state,
            "state_reason": issue.reason,
            "locked": issue.locked,
            "active_lock_reason": None,
            "assignee": people[0] if people else None,
            "assignees": people,
            "milestone": None,
            "comments": comments,
            "closed_at": issue.closed_at,
            "closed_by": self._account(issue.closed_by) if issue.closed_by else None,
            "sub_issues_summary": {"total": 0, "completed": 0, "percent_completed": 0},
            "issue_dependencies_summary": {
                "blocked_by": 0,
                "total_blocked_by": 0,
                "blocking": 0,
                "total_blocking": 0,
            },
        }
        return shape | (self._pull(issue) if issue.pull else {})

    def comment(self, comment: Comment) -> Shape:
        address = f"{self.place.api}/issues/comments/{comment.id}"
        page = f"{self.place.page}/issues/{comment.issue}#issuecomment-{comment.id}"
        return self._post(comment, address, page) | {
            "node_id": f"IC_{comment.id}",
            "issue_url": f"{self.place.api}/issues/{comment.issue}",
            "body": comment.body,
        }

    def reaction(self, reaction: Reaction) -> Shape:
        return {
            "id": reaction.id,
            "node_id": f"REA_{reaction.id}",
            "user": self._account(reaction.author),
            "content": reaction.content,
            "created_at": reaction.created_at,
        }

    def association(self, number: int) -> str:
        who = self.accounts.numbered(number)
        if who.name == OWNER:
            return "OWNER"
        return "COLLABORATOR" if who.collaborates else "NONE"

    def _post(self, post: Post, address: str, page: str) -> Shape:
        who = self.accounts.numbered(post.author)
        return {
            "id": post.id,
            "url": address,
            "html_url": page,
            "user": self._account(post.author),
            "created_at": post.created_at,
            "updated_at": post.updated_at,
            "author_association": self.association(post.author),
            "reactions": _rollup(f"{address}/reactions", post.reactions),
            "performed_via_github_app": self._app(who) if who.kind == "Bot" else None,
        }

    def _pull(self, issue: Issue) -> Shape:
        page = f"{self.place.page}/pull/{issue.number}"
        links = {"html_url": page, "diff_url": f"{page}.diff", "patch_url": f"{page}.patch"}
        address = f"{self.place.api}/pulls/{issue.number}"
        return {"draft": False, "pull_request": {"url": address, **links, "merged_at": None}}

    def _app(self, who: Account) -> Shape:
        slug = who.login.removesuffix("[bot]")
        return {
            "id": 1200,
            "slug": slug,
            "client_id": "Iv1.0123456789abcdef",
            "node_id": "A_1200",
            "owner": account(self.place.root, self.accounts.named(OWNER)),
            "name": slug,
            "description": "",
            "external_url": self.place.page,
            "html_url": f"{self.place.root}/apps/{slug}",
            "created_at": _MADE,
            "updated_at": _MADE,
            "permissions": {
                "actions": "write",
                "contents": "write",
                "issues": "write",
                "metadata": "read",
                "statuses": "write",
            },
            "events": [],
        }

    def _account(self, number: int) -> Shape:
        return account(self.place.root, self.accounts.numbered(number))


def _rollup(address: str, reactions: Sequence[Reaction]) -> Shape:
    counts = Counter(each.content for each in reactions)
    return {
        "url": address,
        "total_count": len(reactions),
        **{content: counts[content] for content in REACTIONS},
    }
