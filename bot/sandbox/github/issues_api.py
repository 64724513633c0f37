"""Issues, comments, labels, reactions, collaborators and accounts of the sandbox's REST API.

The HTTP side of issues.py. Everything is written as the account of the bot's token.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.sandbox.faults.middleware import LAG
from bot.sandbox.github import issue_shapes, shapes
from bot.sandbox.github.accounts import APP, BOT, Account, Accounts
from bot.sandbox.github.http import (
    ApiRefusal,
    Endpoint,
    answer,
    body,
    listed,
    not_found,
    nothing,
    root,
    text_field,
)
from bot.sandbox.github.issues import DEFAULT_LABELS, REASONS, Comment, Issue, Issues, Post, Tracker

AS_APP: Final = "imageto.app"
"""The key of a request's scope that says whether its token is one of a GitHub App."""
_FORBIDDEN: Final = 403


class IssueEndpoints:
    """The part of the REST API below `issues/`, `labels/`, `collaborators/` and `users/`."""

    def __init__(self, *, issues: Issues, accounts: Accounts) -> None:
        self.issues, self.accounts = issues, accounts

    def bot(self, request: Request) -> Account:
        """Who the token of the request is."""
        return self.accounts.named(APP if request.scope.get(AS_APP) else BOT)

    def routes(self, prefix: str) -> list[Route]:
        own = f"{prefix}/issues"
        one, comment = f"{own}/{{number:int}}", f"{own}/comments/{{comment:int}}"
        people, label = f"{prefix}/collaborators", f"{prefix}/labels/{{label:path}}"
        table: list[tuple[str, str, Endpoint]] = [
            ("GET", own, self.listed),
            ("POST", own, self.open),
            ("GET", f"{own}/comments", self.all_comments),
            ("GET", comment, self.one_comment),
            ("PATCH", comment, self.edit_comment),
            ("DELETE", comment, self.delete_comment),
            ("GET", one, self.issue),
            ("PATCH", one, self.change),
            ("GET", f"{one}/comments", self.comments),
            ("POST", f"{one}/comments", self.comment),
            ("PUT", f"{one}/lock", self.lock),
            ("DELETE", f"{one}/lock", self.lock),
            ("GET", f"{one}/labels", self.labels_of),
            ("POST", f"{one}/labels", self.label),
            ("PUT", f"{one}/labels", self.label),
            ("DELETE", f"{one}/labels", self.label),
            ("DELETE", f"{one}/labels/{{label:path}}", self.unlabel),
            ("POST", f"{one}/assignees", self.assign),
            ("DELETE", f"{one}/assignees", self.assign),
            ("GET", f"{prefix}/labels", self.labels),
            ("POST", f"{prefix}/labels", self.define),
            ("GET", label, self.defined),
            ("PATCH", label, self.define),
            ("DELETE", label, self.undefine),
            ("GET", f"{prefix}/assignees", self.collaborators),
            ("GET", f"{prefix}/assignees/{{login}}", self.is_collaborator),
            ("GET", people, self.collaborators),
            ("GET", f"{people}/{{login}}", self.is_collaborator),
            ("GET", f"{people}/{{login}}/permission", self.permission),
        ]
        for post in (one, comment):
            table += [
                ("GET", f"{post}/reactions", self.reactions),
                ("POST", f"{post}/reactions", self.react),
                ("DELETE", f"{post}/reactions/{{reaction:int}}", self.unreact),
            ]
        return [Route(path, endpoint, methods=[method]) for method, path, endpoint in table]

    def account_routes(self) -> list[Route]:
        return [
            Route("/user", self.myself, methods=["GET"]),
            Route("/user/{id:int}", self.account, methods=["GET"]),
            Route("/users/{login}", self.account, methods=["GET"]),
        ]

    async def myself(self, request: Request) -> Response:
        if request.scope.get(AS_APP):
            raise ApiRefusal(_FORBIDDEN, "Resource not accessible by integration")
        return answer(issue_shapes.public_account(root(request), self.bot(request)))

    async def account(self, request: Request) -> Response:
        asked = request.path_params
        found = (
            self.accounts.numbered(asked["id"])
            if "id" in asked
            else self.accounts.login(asked["login"])
        )
        return answer(issue_shapes.public_account(root(request), found))

    async def collaborators(self, request: Request) -> Response:
        found = [each for each in self.accounts if each.collaborates]
        return listed(request, [issue_shapes.collaborator(root(request), each) for each in found])

    async def is_collaborator(self, request: Request) -> Response:
        if not self.accounts.login(request.path_params["login"]).collaborates:
            raise not_found()
        return nothing()

    async def permission(self, request: Request) -> Response:
        who = self.accounts.login(request.path_params["login"])
        private = self.issues.state.private
        return answer(issue_shapes.permission(root(request), who, private=private))

    async def listed(self, request: Request) -> Response:
        state = self._seen(request)
        found = [each for each in state.issues.values() if self._matches(each, request)]
        keys: dict[str, Callable[[Issue], Any]] = {
            "created": lambda each: (each.created_at, each.number),
            "updated": lambda each: (each.updated_at, each.number),
            "comments": lambda each: (len(state.comments_of(each.number)), each.number),
        }
        found.sort(
            key=keys[_choice(request, "sort", tuple(keys))],
            reverse=_choice(request, "direction", ("desc", "asc")) == "desc",
        )
        return listed(request, [self._issue_shape(request, state, each) for each in found])

    async def open(self, request: Request) -> Response:
        self._expect_enabled()
        data = await body(request)
        made = self.issues.open(
            self.bot(request),
            title=text_field(data, "title"),
            body=_body(data, required=False) or "",
            labels=_labels(data.get("labels") or []),
        )
        if data.get("assignees"):
            made = self.issues.assign(self.bot(request), made, self._people(data))
        return answer(self._issue_shape(request, self.issues.seen(), made), 201)

    async def issue(self, request: Request) -> Response:
        state = self._seen(request)
        return answer(self._issue_shape(request, state, state.issue(_number(request))))

    async def change(self, request: Request) -> Response:
        """Change what the body names. GitHub drops labels and assignees of whoever may not."""
        self._expect_enabled()
        data, issue, actor = await body(request), self._issue(request), self.bot(request)
        state, reason = data.get("state"), data.get("state_reason")
        if state not in {None, "open", "closed"} or reason not in {None, *REASONS}:
            raise _refused_field("state" if state not in {"open", "closed"} else "state_reason")
        if isinstance(data.get("title"), str) and data["title"] != issue.title:
            self.issues.rename(actor, issue, data["title"])
        if "body" in data:
            self.issues.edit(actor, self._issue(request), _body(data, required=False) or "")
        if "labels" in data and actor.may("triage"):
            self.issues.label(actor, self._issue(request), _labels(data["labels"] or []))
        if "assignees" in data and actor.may("triage"):
            self.issues.assign(actor, self._issue(request), self._people(data))
        issue = self._issue(request)
        if state == "closed" and issue.state == "open":
            self.issues.close(actor, issue, reason)
        elif state == "open" and issue.state == "closed":
            self.issues.reopen(actor, issue)
        now = self.issues.seen()
        return answer(self._issue_shape(request, now, now.issue(issue.number)))

    async def all_comments(self, request: Request) -> Response:
        """List the comments of all issues. Without `sort`, GitHub ignores the direction."""
        found = [each for each in self._seen(request).comments.values() if _since(request, each)]
        sort = _choice(request, "sort", ("created", "updated"))
        descending = (
            "sort" in request.query_params
            and _choice(request, "direction", ("desc", "asc")) == "desc"
        )
        found.sort(
            key=lambda each: (each.created_at if sort == "created" else each.updated_at, each.id),
            reverse=descending,
        )
        return listed(request, [self._shapes(request).comment(each) for each in found])

    async def comments(self, request: Request) -> Response:
        state = self._seen(request)
        state.issue(_number(request))
        found = [each for each in state.comments_of(_number(request)) if _since(request, each)]
        return listed(request, [self._shapes(request).comment(each) for each in found])

    async def comment(self, request: Request) -> Response:
        self._expect_enabled()
        text = _body(await body(request))
        made = self.issues.comment(self.bot(request), _number(request), text or "")
        return answer(self._shapes(request).comment(made), 201)

    async def one_comment(self, request: Request) -> Response:
        found = self._seen(request).comment(request.path_params["comment"])
        return answer(self._shapes(request).comment(found))

    async def edit_comment(self, request: Request) -> Response:
        text = _body(await body(request))
        self.issues.edit(self.bot(request), self._comment(request), text or "")
        return answer(self._shapes(request).comment(self._comment(request)))

    async def delete_comment(self, request: Request) -> Response:
        self.issues.delete(self.bot(request), self._comment(request))
        return nothing()

    async def lock(self, request: Request) -> Response:
        self.issues.lock(self.bot(request), self._issue(request), locked=request.method == "PUT")
        return nothing()

    async def labels_of(self, request: Request) -> Response:
        known = self._shapes(request).labels
        found = self._seen(request).issue(_number(request)).labels
        return listed(request, [known[name] for name in found])

    async def label(self, request: Request) -> Response:
        """Add labels (POST), set them (PUT) or take all of them away (DELETE)."""
        issue = self._issue(request)
        asked = [] if request.method == "DELETE" else _labels((await body(request)).get("labels"))
        kept = list(issue.labels) if request.method == "POST" else []
        changed = self.issues.label(self.bot(request), issue, [*kept, *asked])
        if request.method == "DELETE":
            return nothing()
        known = self._shapes(request).labels
        return answer([known[name] for name in changed.labels])

    async def unlabel(self, request: Request) -> Response:
        issue, name = self._issue(request), request.path_params["label"].casefold()
        left = [each for each in issue.labels if each.casefold() != name]
        if len(left) == len(issue.labels):
            raise ApiRefusal(404, "Label does not exist")
        self.issues.label(self.bot(request), issue, left)
        known = self._shapes(request).labels
        return answer([known[each] for each in left])

    async def assign(self, request: Request) -> Response:
        issue, asked = self._issue(request), self._people(await body(request))
        if request.method == "POST":
            made = self.issues.assign(self.bot(request), issue, [*issue.assignees, *asked])
        else:
            left = [each for each in issue.assignees if each not in asked]
            made = self.issues.assign(self.bot(request), issue, left)
        status = 201 if request.method == "POST" else 200
        return answer(self._issue_shape(request, self.issues.seen(), made), status)

    async def labels(self, request: Request) -> Response:
        return listed(request, list(self._shapes(request).labels.values()))

    async def define(self, request: Request) -> Response:
        """Make a label (POST), or change its colour (PATCH)."""
        data, new = await body(request), request.method == "POST"
        known = self.issues.labels
        name = (
            text_field(data, "name") if new else self.issues.defined(request.path_params["label"])
        )
        if new and name.casefold() in {each.casefold() for each in known}:
            raise ApiRefusal(
                422,
                "Validation Failed",
                errors=[{"resource": "Label", "code": "already_exists", "field": "name"}],
            )
        self.issues.define(self.bot(request), name, str(data.get("color") or "ededed").lstrip("#"))
        return answer(self._shapes(request).labels[name], 201 if new else 200)

    async def defined(self, request: Request) -> Response:
        name = self.issues.defined(request.path_params["label"])
        return answer(self._shapes(request).labels[name])

    async def undefine(self, request: Request) -> Response:
        self.issues.undefine(self.bot(request), self.issues.defined(request.path_params["label"]))
        return nothing()

    async def reactions(self, request: Request) -> Response:
        found = self._post(request).reactions
        return listed(request, [self._shapes(request).reaction(each) for each in found])

    async def react(self, request: Request) -> Response:
        content = text_field(await body(request), "content")
        made, new = self.issues.react(self.bot(request), self._post(request), content)
        return answer(self._shapes(request).reaction(made), 201 if new else 200)

    async def unreact(self, request: Request) -> Response:
        self.issues.unreact(self.bot(request), self._post(request), request.path_params["reaction"])
        return nothing()

    def _matches(self, issue: Issue, request: Request) -> bool:
        asked = request.query_params
        labels = {each.casefold() for each in asked.get("labels", "").split(",") if each}
        creator = asked.get("creator")
        return (
            _choice(request, "state", ("open", "closed", "all")) in {"all", issue.state}
            and labels <= {each.casefold() for each in issue.labels}
            and (creator is None or self._login(issue) == creator.casefold())
            and _since(request, issue)
        )

    def _login(self, issue: Issue) -> str:
        return self.accounts.numbered(issue.author).login.casefold()

    def _people(self, data: dict[str, Any]) -> list[int]:
        """The ids of `assignees`. GitHub leaves out whoever cannot be assigned."""
        names = [str(each).casefold() for each in data.get("assignees") or []]
        return [
            each.id
            for each in self.accounts
            if each.collaborates and each.login.casefold() in names
        ]

    def _expect_enabled(self) -> None:
        if not self.issues.state.issues:
            raise ApiRefusal(410, "Issues has been disabled in this repository.")

    def _seen(self, request: Request) -> Tracker:
        self._expect_enabled()
        return self.issues.seen(late=request.scope.get(LAG, 0.0))

    def _issue(self, request: Request) -> Issue:
        return self.issues.seen().issue(_number(request))

    def _comment(self, request: Request) -> Comment:
        return self.issues.seen().comment(request.path_params["comment"])

    def _post(self, request: Request) -> Post:
        return self._comment(request) if "comment" in request.path_params else self._issue(request)

    def _issue_shape(self, request: Request, state: Tracker, issue: Issue) -> shapes.Shape:
        return self._shapes(request).issue(issue, len(state.comments_of(issue.number)))

    def _shapes(self, request: Request) -> issue_shapes.IssueShapes:
        place = shapes.RepositoryUrls(root(request), self.issues.state)
        known = self.issues.labels.items()
        labels = {
            name: issue_shapes.label(place, name, colour, default=name in DEFAULT_LABELS)
            for name, colour in known
        }
        return issue_shapes.IssueShapes(place, self.accounts, labels)


def _number(request: Request) -> int:
    return int(request.path_params["number"])


def _refused_field(name: str) -> ApiRefusal:
    error = {"resource": "Issue", "code": "invalid", "field": name}
    return ApiRefusal(422, "Validation Failed", errors=[error])


def _choice(request: Request, name: str, allowed: Sequence[str]) -> str:
    """Return a value of the query. The first of `allowed` stands for none."""
    value = request.query_params.get(name, allowed[0])
    if value not in allowed:
        raise _refused_field(name)
    return value


def _since(request: Request, post: Post) -> bool:
    """Whether the post was updated at `since` or later. Times are in whole seconds."""
    asked = request.query_params.get("since")
    if asked is None:
        return True
    try:
        at = datetime.fromisoformat(asked)
    except ValueError:
        raise _refused_field("since") from None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return datetime.fromisoformat(post.updated_at) >= at.replace(microsecond=0)


def _body(data: dict[str, Any], *, required: bool = True) -> str | None:
    value = data.get("body")
    if value is None and not required:
        return None
    return text_field(data, "body")


def _labels(given: object) -> list[str]:
    """Return the names of labels, which may be given as objects too."""
    if not isinstance(given, list):
        raise _refused_field("labels")
    return [str(each["name"] if isinstance(each, dict) else each) for each in given]
