"""The issues of the sandbox's GitHub, their comments, labels and reactions, and who may do what.

The REST API and the people of the sandbox use the same methods. `actor` is who acts. Each method
raises ApiRefusal in GitHub's words. What happened is immutable, so that a former state can be kept.
"""

import json
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from bot.sandbox.github.accounts import Account
from bot.sandbox.github.http import ApiRefusal, not_found, now
from bot.sandbox.github.repository_state import RepositoryState

LONGEST_BODY: Final = 65_536
LONGEST_TITLE: Final = 256
REACTIONS: Final = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")
DEFAULT_LABELS: Final = ("bug", "duplicate", "enhancement", "invalid", "question", "wontfix")
REASONS: Final = ("completed", "not_planned", "duplicate", "reopened")
_FIRST_ISSUE_ID: Final = 2_900_000_000
_FIRST_COMMENT_ID: Final = 3_100_000_000
"""Ids of issues and comments have more than 32 bits at GitHub."""
_KEPT_STATES: Final = 200


@dataclass(frozen=True, slots=True)
class Reaction:
    id: int
    author: int
    content: str
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What an issue and a comment share. `author` is an account's id, and times end with Z."""

    id: int
    author: int
    body: str
    created_at: str
    updated_at: str
    edited_at: str | None = None
    reactions: tuple[Reaction, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment(Post):
    issue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue(Post):
    number: int
    title: str
    labels: tuple[str, ...] = ()
    assignees: tuple[int, ...] = ()
    closed_at: str | None = None
    closed_by: int | None = None
    reason: str | None = None
    locked: bool = False
    pull: bool = False
    """GitHub lists pull requests among the issues."""

    @property
    def state(self) -> str:
        return "closed" if self.closed_at else "open"


@dataclass(frozen=True, slots=True)
class Tracker:
    """All issues by number and all comments by id, as they stood at one moment."""

    issues: Mapping[int, Issue] = field(default_factory=dict)
    comments: Mapping[int, Comment] = field(default_factory=dict)
    deleted: frozenset[int] = frozenset()

    def issue(self, number: int) -> Issue:
        if number in self.deleted:
            raise ApiRefusal(410, "This issue was deleted")
        if number not in self.issues:
            raise not_found()
        return self.issues[number]

    def comment(self, number: int) -> Comment:
        if number not in self.comments:
            raise not_found()
        return self.comments[number]

    def comments_of(self, issue: int) -> list[Comment]:
        return [each for each in self.comments.values() if each.issue == issue]


class Issues:
    """The tracker of one repository. `clock` counts seconds, for the limits and for late reads."""

    def __init__(
        self,
        path: Path,
        state: RepositoryState,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state = state
        self.limits = ((60.0, 80), (3600.0, 500))
        """How much content one account may create: seconds, number.
        https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api"""
        self.changes = 0
        self._path, self._clock = path, clock
        self._now = _loaded(path)
        self._labels = dict.fromkeys((*DEFAULT_LABELS, *_used(self._now)), "ededed")
        self._past: deque[tuple[float, Tracker]] = deque([(0.0, self._now)], _KEPT_STATES)
        self._created: dict[int, deque[float]] = {}

    def seen(self, *, late: float = 0.0) -> Tracker:
        """Return how everything stands, or stood `late` seconds ago."""
        if not late:
            return self._now
        until = self._clock() - late
        return next((each for at, each in reversed(self._past) if at <= until), self._past[0][1])

    def save(self) -> None:
        state = {
            "issues": [asdict(each) for each in self._now.issues.values()],
            "comments": [asdict(each) for each in self._now.comments.values()],
            "deleted": sorted(self._now.deleted),
        }
        self._path.write_text(json.dumps(state), encoding="utf-8")

    @property
    def labels(self) -> Mapping[str, str]:
        """Each label of the repository, with its colour."""
        return self._labels

    def open(
        self,
        actor: Account,
        *,
        title: str,
        body: str = "",
        labels: Sequence[str] = (),
        form_labels: Sequence[str] = (),
        pull: bool = False,
    ) -> Issue:
        """Open an issue. Labels of somebody who may not set them are dropped without a word.

        `form_labels` are those of the form that was filled in. Everybody's issue gets them.
        """
        self._expect_writable(actor)
        _checked_title(title)
        _checked_body("Issue", body)
        self._charge(actor)
        at, number = now(), len(self._now.issues) + len(self._now.deleted) + 1
        made = Issue(
            id=_FIRST_ISSUE_ID + number,
            number=number,
            author=actor.id,
            title=title,
            body=body,
            created_at=at,
            updated_at=at,
            labels=self._known([*form_labels, *(labels if actor.may("triage") else ())]),
            pull=pull,
        )
        self._keep(made)
        return made

    def comment(self, actor: Account, number: int, body: str) -> Comment:
        self._expect_writable(actor)
        issue = self._now.issue(number)
        if issue.locked and not actor.may("write"):
            raise ApiRefusal(403, "Unable to create comment because issue is locked.")
        _checked_body("IssueComment", body)
        self._charge(actor)
        at = now()
        last = max((*self._now.comments, _FIRST_COMMENT_ID))
        made = Comment(
            id=last + 1, issue=number, author=actor.id, body=body, created_at=at, updated_at=at
        )
        self._keep(made)
        self._keep(replace(issue, updated_at=at))
        return made

    def edit(self, actor: Account, post: Post, body: str) -> None:
        """Replace the text. Whoever may write to the repository may edit what others wrote."""
        self._expect_rights(actor, post, "write")
        _checked_body("Issue" if isinstance(post, Issue) else "IssueComment", body)
        at = now()
        edited = at if body != post.body else post.edited_at
        self._keep(replace(post, body=body, updated_at=at, edited_at=edited))

    def touch(self, post: Post) -> None:
        """Change `updated_at` alone, as GitHub does at times though nobody edited anything."""
        self._keep(replace(post, updated_at=now()))

    def rename(self, actor: Account, issue: Issue, title: str) -> Issue:
        self._expect_rights(actor, issue, "triage")
        _checked_title(title)
        return self._changed(issue, title=title)

    def close(self, actor: Account, issue: Issue, reason: str | None = None) -> Issue:
        self._expect_rights(actor, issue, "triage")
        return self._changed(
            issue, closed_at=now(), closed_by=actor.id, reason=reason or "completed"
        )

    def reopen(self, actor: Account, issue: Issue) -> Issue:
        self._expect_rights(actor, issue, "triage")
        return self._changed(issue, closed_at=None, closed_by=None, reason="reopened")

    def label(self, actor: Account, issue: Issue, labels: Sequence[str]) -> Issue:
        """Set all labels. A name that the repository lacks becomes a label of it."""
        self._expect_rights(actor, None, "triage")
        return self._changed(issue, labels=self._known(labels))

    def assign(self, actor: Account, issue: Issue, assignees: Sequence[int]) -> Issue:
        self._expect_rights(actor, None, "triage")
        return self._changed(issue, assignees=tuple(dict.fromkeys(assignees)))

    def lock(self, actor: Account, issue: Issue, *, locked: bool) -> Issue:
        self._expect_rights(actor, None, "write")
        return self._changed(issue, locked=locked)

    def react(self, actor: Account, post: Post, content: str) -> tuple[Reaction, bool]:
        """Return the reaction, and whether it is a new one. It edits nothing."""
        self._expect_writable(actor)
        if content not in REACTIONS:
            raise _invalid("Reaction", "content", "invalid")
        for old in post.reactions:
            if (old.author, old.content) == (actor.id, content):
                return old, False
        made = Reaction(self.changes + 1, actor.id, content, now())
        self._keep(replace(post, reactions=(*post.reactions, made)))
        return made, True

    def unreact(self, actor: Account, post: Post, number: int) -> None:
        self._expect_writable(actor)
        left = tuple(each for each in post.reactions if each.id != number)
        if left == post.reactions:
            raise not_found()
        self._keep(replace(post, reactions=left))

    def delete(self, actor: Account, post: Post) -> None:
        """Delete a comment, or an issue with its comments. Only an admin may do the latter."""
        state = self._now
        if isinstance(post, Issue):
            self._expect_rights(actor, None, "admin")
            issues = {key: each for key, each in state.issues.items() if each != post}
            comments = {k: each for k, each in state.comments.items() if each.issue != post.number}
            self._now = Tracker(issues, comments, state.deleted | {post.number})
        else:
            self._expect_rights(actor, post, "write")
            comments = {key: each for key, each in state.comments.items() if each != post}
            self._now = replace(state, comments=comments)
        self._changed_now()

    def define(self, actor: Account, name: str, colour: str) -> None:
        """Make a label of the repository, or give it another colour."""
        self._expect_rights(actor, None, "write")
        self._labels[self._spelled(name)] = colour

    def undefine(self, actor: Account, name: str) -> None:
        self._expect_rights(actor, None, "write")
        del self._labels[name]
        for issue in list(self._now.issues.values()):
            if name in issue.labels:
                self._keep(replace(issue, labels=tuple(x for x in issue.labels if x != name)))

    def defined(self, name: str) -> str:
        """Return the label as it is spelled. GitHub ignores the case."""
        if self._spelled(name) not in self._labels:
            raise not_found()
        return self._spelled(name)

    def _spelled(self, name: str) -> str:
        return next((each for each in self._labels if each.casefold() == name.casefold()), name)

    def _known(self, labels: Sequence[str]) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(self._spelled(each) for each in labels))
        for name in names:
            self._labels.setdefault(name, "ededed")
        return names

    def _expect_writable(self, actor: Account) -> None:
        if self.state.private and not actor.may("read"):
            raise not_found()
        if self.state.archived:
            raise ApiRefusal(403, "Repository was archived so is read-only.")

    def _expect_rights(self, actor: Account, post: Post | None, role: str) -> None:
        """Expect the author of `post`, or somebody with this role."""
        self._expect_writable(actor)
        if not actor.may(role) and (post is None or post.author != actor.id):
            raise ApiRefusal(403, "Must have admin rights to Repository.")

    def _charge(self, actor: Account) -> None:
        """Count new content against the secondary limits."""
        times, at = self._created.setdefault(actor.id, deque()), self._clock()
        longest = max((seconds for seconds, _ in self.limits), default=0.0)
        while times and times[0] <= at - longest:
            times.popleft()
        for seconds, most in self.limits:
            if sum(each > at - seconds for each in times) >= most:
                raise ApiRefusal(
                    403,
                    "You have exceeded a secondary rate limit and have been temporarily blocked "
                    "from content creation. Please retry your request again later.",
                )
        times.append(at)

    def _changed(self, issue: Issue, **fields: Any) -> Issue:
        made = replace(issue, updated_at=now(), **fields)
        self._keep(made)
        return made

    def _keep(self, post: Post) -> None:
        state = self._now
        if isinstance(post, Issue):
            self._now = replace(state, issues={**state.issues, post.number: post})
        elif isinstance(post, Comment):
            self._now = replace(state, comments={**state.comments, post.id: post})
        self._changed_now()

    def _changed_now(self) -> None:
        self.changes += 1
        self._past.append((self._clock(), self._now))


def _invalid(resource: str, name: str, code: str, message: str = "") -> ApiRefusal:
    error = {"resource": resource, "code": code, "field": name}
    return ApiRefusal(
        422, "Validation Failed", errors=[error | ({"message": message} if message else {})]
    )


def _checked_title(title: str) -> None:
    if not title.strip():
        raise _invalid("Issue", "title", "missing_field")
    if len(title) > LONGEST_TITLE:
        words = f"title is too long (maximum is {LONGEST_TITLE} characters)"
        raise _invalid("Issue", "title", "custom", words)


def _checked_body(resource: str, body: str) -> None:
    """An issue may be empty, a comment may not. Their errors have different forms at GitHub."""
    problem = ""
    if len(body) > LONGEST_BODY:
        problem = f"is too long (maximum is {LONGEST_BODY} characters)"
    elif resource == "IssueComment" and not body.strip():
        problem = "cannot be blank"
    if problem and resource == "Issue":
        raise _invalid(resource, "body", "custom", f"body {problem}")
    if problem:
        raise _invalid(resource, "data", "unprocessable", f"Body {problem}")


def _used(state: Tracker) -> list[str]:
    return [name for issue in state.issues.values() for name in issue.labels]


def _loaded(path: Path) -> Tracker:
    if not path.exists():
        return Tracker()
    kept = json.loads(path.read_text(encoding="utf-8"))
    issues = [Issue(**_read(each)) for each in kept["issues"]]
    comments = [Comment(**_read(each)) for each in kept["comments"]]
    return Tracker(
        {each.number: each for each in issues},
        {each.id: each for each in comments},
        frozenset(kept["deleted"]),
    )


def _read(kept: Mapping[str, Any]) -> dict[str, Any]:
    reactions = tuple(Reaction(**each) for each in kept["reactions"])
    plain = {name: tuple(v) if isinstance(v, list) else v for name, v in kept.items()}
    return plain | {"reactions": reactions}
