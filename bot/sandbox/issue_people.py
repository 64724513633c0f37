"""The sandbox's API for people who write issues, and for what happens to accounts and repositories.

A test or the page acts as somebody of the sandbox, as that person would on GitHub's own page.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.sandbox.github.accounts import Account
from bot.sandbox.github.http import ApiRefusal, Endpoint
from bot.sandbox.github.issue_form import issue_forms
from bot.sandbox.github.issues import Issue, Issues, Post, Tracker
from bot.sandbox.github.server import GitHub
from bot.sandbox.walls import WALLS

_HOW: Final = (
    'send a JSON object, such as {"as": "wei", "do": "open", "title": "Images", "body": "nginx"}, '
    'or with "issue": NUMBER or "comment": ID for what is done to it; "do" is one of: '
)
Given = dict[str, Any]


def issue_routes(github: GitHub) -> list[Route]:
    """Return /api/issues and /api/github."""
    people = _People(github)

    async def read(_request: Request) -> Response:
        return JSONResponse(people.shown())

    async def forms(_request: Request) -> Response:
        return JSONResponse({"forms": [x.shown() for x in await issue_forms(github.repository)]})

    return [
        Route("/api/issues", read, methods=["GET"], middleware=WALLS),
        Route("/api/issues/forms", forms, methods=["GET"], middleware=WALLS),
        Route("/api/issues", _worded(people.act), methods=["POST"], middleware=WALLS),
        Route("/api/github", _worded(people.change), methods=["POST"], middleware=WALLS),
    ]


class _People:
    def __init__(self, github: GitHub) -> None:
        self._github = github

    @property
    def _issues(self) -> Issues:
        return self._github.issues

    def shown(self) -> Given:
        state, logins = self._issues.seen(), {each.id: each for each in self._github.accounts}
        return {
            "issues": [_issue(state, each, logins) for each in state.issues.values()],
            "people": [
                {"name": each.name, "id": each.id, "login": each.login, "role": each.role}
                for each in self._github.accounts
                if each.kind == "User"
            ],
        }

    async def act(self, given: Given) -> Given:
        """Do one thing as `as`. A text gets the line ends that a browser sends."""
        if "form" in given:
            given = given | await self._filled(given)
        actor = self._github.accounts.named(_text(given, "as"))
        deeds: dict[str, Callable[[Account, Given], object]] = {
            "open": self._open,
            "comment": self._comment,
            "edit": lambda who, what: self._issues.edit(who, self._post(what), _typed(what)),
            "rename": lambda who, what: self._issues.rename(
                who, self._issue(what), _text(what, "title")
            ),
            "close": lambda who, what: self._issues.close(
                who, self._issue(what), what.get("reason")
            ),
            "reopen": lambda who, what: self._issues.reopen(who, self._issue(what)),
            "label": lambda who, what: self._issues.label(
                who, self._issue(what), [str(each) for each in what.get("labels", [])]
            ),
            "lock": lambda who, what: self._issues.lock(who, self._issue(what), locked=True),
            "unlock": lambda who, what: self._issues.lock(who, self._issue(what), locked=False),
            "react": lambda who, what: self._issues.react(
                who, self._post(what), _text(what, "content")
            ),
            "delete": lambda who, what: self._issues.delete(who, self._post(what)),
            "touch": lambda _who, what: self._issues.touch(self._post(what)),
        }
        deed = deeds.get(_text(given, "do"))
        if deed is None:
            raise ValueError(_HOW + ", ".join(deeds))
        done = deed(actor, given)
        return done if isinstance(done, dict) else {}

    async def change(self, given: Given) -> Given:
        """Change a person (`person` with `login` or `role`) or the repository."""
        if "person" in given:
            name = _text(given, "person")
            if "login" in given:
                self._github.accounts.rename(name, _text(given, "login"))
            if "role" in given:
                self._github.accounts.give_role(name, _text(given, "role"))
        state = self._github.state
        for name in ("private", "archived", "issues"):
            if name in given:
                setattr(state, name, bool(given[name]))
        if "name" in given:
            state.rename(_text(given, "name"))
        return {"name": state.name}

    async def _filled(self, given: Given) -> Given:
        """Return the text and the labels of a form that somebody has filled in."""
        forms = {each.file: each for each in await issue_forms(self._github.repository)}
        form = forms.get(_text(given, "form"))
        if form is None:
            raise ValueError(f"form must be one of: {', '.join(forms) or 'none is there'}")
        return {"text": form.text(given.get("values", {})), "form_labels": list(form.labels)}

    def _open(self, actor: Account, given: Given) -> Given:
        made = self._issues.open(
            actor,
            title=_text(given, "title"),
            body=given.get("text") or _typed(given),
            labels=[str(each) for each in given.get("labels", [])],
            form_labels=given.get("form_labels", []),
            pull=bool(given.get("pull", False)),
        )
        return {"issue": made.number}

    def _comment(self, actor: Account, given: Given) -> Given:
        made = self._issues.comment(actor, self._issue(given).number, _typed(given))
        return {"comment": made.id}

    def _issue(self, given: Given) -> Issue:
        return self._issues.seen().issue(_number(given, "issue"))

    def _post(self, given: Given) -> Post:
        if "comment" in given:
            return self._issues.seen().comment(_number(given, "comment"))
        return self._issue(given)


def _worded(handler: Callable[[Given], Awaitable[Given]]) -> Endpoint:
    async def answer(request: Request) -> Response:
        try:
            return JSONResponse(await handler(dict(await request.json())))
        except ApiRefusal as problem:
            words = " ".join([problem.message, *(e.get("message", "") for e in problem.errors)])
            return JSONResponse({"error": words.strip()}, status_code=problem.status)
        except (TypeError, ValueError) as problem:
            return JSONResponse({"error": str(problem)}, status_code=400)

    return answer


def _text(given: Given, key: str) -> str:
    value = given.get(key)
    if not isinstance(value, str):
        raise ValueError(f"{key} must be a text")  # noqa: TRY004 - a person's mistake, not a programmer's
    return value


def _typed(given: Given) -> str:
    """Return the body. A text that is typed on GitHub's page ends its lines with CR and LF."""
    text = _text({"body": "", **given}, "body")
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def _number(given: Given, key: str) -> int:
    value = given.get(key)
    if not isinstance(value, int):
        raise ValueError(f"{key} must be a number")  # noqa: TRY004 - a person's mistake, not a programmer's
    return value


def _issue(state: Tracker, issue: Issue, logins: dict[int, Account]) -> Given:
    return _post(issue, logins) | {
        "number": issue.number,
        "title": issue.title,
        "state": issue.state,
        "reason": issue.reason,
        "labels": list(issue.labels),
        "locked": issue.locked,
        "comments": [_post(each, logins) for each in state.comments_of(issue.number)],
    }


def _post(post: Post, logins: dict[int, Account]) -> Given:
    return {
        "id": post.id,
        "author": logins[post.author].name,
        "login": logins[post.author].login,
        "body": post.body,
        "created": post.created_at,
        "edited": post.edited_at,
        "reactions": [[each.content, logins[each.author].name] for each in post.reactions],
    }
