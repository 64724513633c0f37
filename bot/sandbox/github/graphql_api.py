"""The part of GitHub's GraphQL API that says when an issue or a comment was last edited.

REST's `updated_at` changes without an edit too. The schema is a part of GitHub's own, and what is
not in it is refused in GraphQL's words.
https://docs.github.com/en/graphql/reference/objects#issue
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from graphql import ExecutionResult, GraphQLError, build_schema, graphql_sync
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.sandbox.faults.middleware import LAG
from bot.sandbox.github.http import ApiRefusal, body
from bot.sandbox.github.issues import Comment, Issue, Tracker
from bot.sandbox.github.issues_api import IssueEndpoints

_MOST: Final = 100
_SCHEMA: Final = build_schema(
    """
    scalar DateTime
    interface Node { id: ID! }
    interface Comment { id: ID! body: String! author: Actor lastEditedAt: DateTime
      includesCreatedEdit: Boolean! createdAt: DateTime! updatedAt: DateTime! }
    interface Actor { login: String! }
    type User implements Node & Actor { id: ID! login: String! databaseId: Int }
    type Bot implements Node & Actor { id: ID! login: String! databaseId: Int }
    type Organization implements Node & Actor { id: ID! login: String! databaseId: Int }
    type Issue implements Node & Comment { id: ID! fullDatabaseId: String number: Int!
      title: String! body: String! author: Actor lastEditedAt: DateTime
      includesCreatedEdit: Boolean! createdAt: DateTime! updatedAt: DateTime!
      state: String! locked: Boolean!
      comments(first: Int, last: Int, after: String, before: String): IssueCommentConnection! }
    type IssueComment implements Node & Comment { id: ID! fullDatabaseId: String body: String!
      author: Actor lastEditedAt: DateTime includesCreatedEdit: Boolean! createdAt: DateTime!
      updatedAt: DateTime! issue: Issue! }
    type PageInfo { endCursor: String startCursor: String hasNextPage: Boolean!
      hasPreviousPage: Boolean! }
    type IssueCommentConnection { nodes: [IssueComment] totalCount: Int! pageInfo: PageInfo! }
    type Repository { nameWithOwner: String! isArchived: Boolean! issue(number: Int!): Issue }
    type Query { node(id: ID!): Node nodes(ids: [ID!]!): [Node]!
      repository(owner: String!, name: String!): Repository viewer: User! }
    """
)


class GraphQL:
    """POST /graphql. An error of the query is a 200 with `errors`, as at GitHub."""

    def __init__(self, tracker: IssueEndpoints) -> None:
        self._tracker, self._state = tracker, tracker.issues.state

    def routes(self) -> list[Route]:
        return [Route("/graphql", self.query, methods=["POST"])]

    async def query(self, request: Request) -> Response:
        given = await body(request)
        query, variables = given.get("query"), given.get("variables") or {}
        if isinstance(variables, str):
            variables = json.loads(variables)
        if not isinstance(query, str) or not query:
            raise ApiRefusal(400, "A query attribute must be specified and must be a string.")
        seen = self._tracker.issues.seen(late=request.scope.get(LAG, 0.0))
        found = graphql_sync(_SCHEMA, query, self._root(request, seen), variable_values=variables)
        return JSONResponse(_told(found))

    def _root(self, request: Request, seen: Tracker) -> Mapping[str, Any]:
        return {
            "node": lambda _info, id: self._node(seen, id),  # noqa: A006 - GraphQL's name
            "nodes": lambda _info, ids: [self._node(seen, each) for each in _few(ids)],
            "repository": lambda _info, owner, name: self._repository(seen, f"{owner}/{name}"),
            "viewer": lambda _info: self._viewer(request),
        }

    def _viewer(self, request: Request) -> Mapping[str, Any]:
        """Who the token is. GitHub answers so for an App too, whose token may not read /user."""
        who = self._tracker.bot(request)
        return {"id": f"U_{who.id}", "login": who.login, "databaseId": who.id}

    def _repository(self, seen: Tracker, name: str) -> Mapping[str, Any]:
        if name.casefold() != self._state.name.casefold():
            raise _lost(f"Could not resolve to a Repository with the name '{name}'.")
        return {
            "nameWithOwner": self._state.name,
            "isArchived": self._state.archived,
            "issue": lambda _info, number: self._numbered(seen, number),
        }

    def _numbered(self, seen: Tracker, number: int) -> Mapping[str, Any]:
        found = seen.issues.get(number)
        if found is None:
            raise _lost(f"Could not resolve to an Issue with the number of {number}.")
        return self._issue(seen, found)

    def _node(self, seen: Tracker, wanted: str) -> Mapping[str, Any]:
        kind, _, number = wanted.partition("_")
        if kind == "I":
            for issue in seen.issues.values():
                if str(issue.id) == number:
                    return self._issue(seen, issue)
        if kind == "IC" and number.isdecimal() and int(number) in seen.comments:
            return self._comment(seen, seen.comments[int(number)])
        raise _lost(f"Could not resolve to a node with the global id of '{wanted}'")

    def _issue(self, seen: Tracker, issue: Issue) -> Mapping[str, Any]:
        return self._post(issue) | {
            "__typename": "Issue",
            "id": f"I_{issue.id}",
            "number": issue.number,
            "title": issue.title,
            "state": issue.state.upper(),
            "locked": issue.locked,
            "comments": lambda _info, **part: self._comments(seen, issue, **part),
        }

    def _comment(self, seen: Tracker, comment: Comment) -> dict[str, Any]:
        return self._post(comment) | {
            "__typename": "IssueComment",
            "id": f"IC_{comment.id}",
            "issue": lambda _info: self._issue(seen, seen.issues[comment.issue]),
        }

    def _post(self, post: Issue | Comment) -> dict[str, Any]:
        return {
            "fullDatabaseId": str(post.id),
            "body": post.body,
            "author": self._actor(post.author),
            "lastEditedAt": post.edited_at,
            "includesCreatedEdit": post.edited_at is not None,
            "createdAt": post.created_at,
            "updatedAt": post.updated_at,
        }

    def _actor(self, number: int) -> Mapping[str, Any]:
        who = self._tracker.accounts.numbered(number)
        login = who.login.removesuffix("[bot]")  # GraphQL alone leaves it out
        return {"__typename": who.kind, "id": f"U_{who.id}", "login": login, "databaseId": who.id}

    def _comments(
        self,
        seen: Tracker,
        issue: Issue,
        *,
        first: int | None = None,
        last: int | None = None,
        after: str | None = None,
        before: str | None = None,
    ) -> Mapping[str, Any]:
        """Return one page. A cursor is a comment's id."""
        size = first or last or 0
        if not size:
            raise _refused(
                "MISSING_PAGINATION_BOUNDARIES",
                "You must provide a `first` or `last` value to properly paginate the "
                "`comments` connection.",
            )
        if size > _MOST:
            raise _refused(
                "EXCESSIVE_PAGINATION",
                f"Requesting {size} records on the `comments` connection exceeds the `first` "
                f"limit of {_MOST} records.",
            )
        every = seen.comments_of(issue.number)
        between = [
            each
            for each in every
            if (after is None or each.id > int(after)) and (before is None or each.id < int(before))
        ]
        shown = between[:size] if first else between[-size:]
        more = len(between) > size
        return {
            "totalCount": len(every),
            "nodes": [self._comment(seen, each) for each in shown],
            "pageInfo": {
                "startCursor": str(shown[0].id) if shown else None,
                "endCursor": str(shown[-1].id) if shown else None,
                "hasNextPage": bool(first) and more,
                "hasPreviousPage": not first and more,
            },
        }


def _few(ids: list[str]) -> list[str]:
    if len(ids) > _MOST:
        words = f"You may not provide more than {_MOST} node ids; you provided {len(ids)}."
        raise _refused("ARGUMENT_LIMIT", words)
    return ids


def _refused(kind: str, message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"type": kind})


def _lost(message: str) -> GraphQLError:
    return _refused("NOT_FOUND", message)


def _told(found: ExecutionResult) -> dict[str, Any]:
    """Return data and errors, with the type of an error beside its message as GitHub has it."""
    told: dict[str, Any] = {} if found.data is None else {"data": found.data}
    if found.errors:
        told["errors"] = [
            {**(error.extensions or {}), **error.formatted, "extensions": {}}
            for error in found.errors
        ]
    return told
