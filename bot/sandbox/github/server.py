"""GitHub of the sandbox: a strict subset of the REST API over a real repository and real runs.

With it the production code gets GitHub's shas, refusals and delays without an account. It must
refuse what GitHub refuses. An unknown path is a 404, never a guess.
"""

import secrets
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from bot.sandbox.faults.middleware import ArmedFaults, FaultMiddleware
from bot.sandbox.github.accounts import Accounts
from bot.sandbox.github.act import run_act
from bot.sandbox.github.actions import Actions, Runner
from bot.sandbox.github.actions_api import ActionsEndpoints
from bot.sandbox.github.app_api import GitHubApp
from bot.sandbox.github.git_api import GitEndpoints
from bot.sandbox.github.git_repository import GitRepository
from bot.sandbox.github.graphql_api import GraphQL
from bot.sandbox.github.http import ApiRefusal, Endpoint, RateHeaders, not_found
from bot.sandbox.github.issues import Issues
from bot.sandbox.github.issues_api import AS_APP, IssueEndpoints
from bot.sandbox.github.repository_state import RepositoryState
from bot.sandbox.github.secrets_api import SecretEndpoints
from bot.sandbox.github.statuses import StatusEndpoints

_PREFIXES = ("/repos/{owner}/{repository}", "/repositories/{repository_id:int}")
"""Each path begins with one of these. GitHub leads from a former name to the second."""
_UNAUTHORIZED = 401
_FORBIDDEN = 403


class GitHub:
    """One repository with Actions. Mount `app` where the API shall be, such as /github."""

    def __init__(
        self,
        *,
        data: Path,
        name: str,
        files: Mapping[str, bytes],
        faults: ArmedFaults,
        environment: Mapping[str, str],
        delay: float = 0.3,
        time_limit: float = 900.0,
        runner: Runner = run_act,
    ) -> None:
        self.state = RepositoryState(name)
        self.token = f"github_pat_{secrets.token_urlsafe(24)}"
        self.login = GitHubApp(name)
        self.repository = GitRepository(data / "repository.git")
        self.actions = Actions(
            repository=self.repository,
            data=data / "runs",
            state=self.state,
            faults=faults,
            environment=environment,
            delay=delay,
            time_limit=time_limit,
            runner=runner,
        )
        data.mkdir(parents=True, exist_ok=True)
        self.accounts = Accounts(name.partition("/")[0])
        self.issues = Issues(data / "issues.json", self.state)
        self.tracker = IssueEndpoints(issues=self.issues, accounts=self.accounts)
        self._data = data
        self._files = dict(files)
        self._limits = RateHeaders()
        self._stack = AsyncExitStack()
        self.app: ASGIApp = FaultMiddleware(self._application(), faults, "github")

    async def __aenter__(self) -> Self:
        await self.repository.create(self._files)
        await self._stack.enter_async_context(self.actions)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.issues.save()
        await self._stack.aclose()

    def _application(self) -> Starlette:
        git = GitEndpoints(repository=self.repository, state=self.state, pushed=self.actions.pushed)
        runs = ActionsEndpoints(actions=self.actions, repository=self.repository)
        self.statuses = StatusEndpoints(
            repository=self.repository, state=self.state, data=self._data
        )
        secret = SecretEndpoints(self.actions.secret_store)
        parts = (git, self.statuses, runs, secret, self.tracker)
        routes = [route for prefix in _PREFIXES for part in parts for route in part.routes(prefix)]
        routes += [*self.tracker.account_routes(), *GraphQL(self.tracker).routes()]
        guarded = [self._guarded(route) for route in routes]
        logins = [
            Route(each.path, _worded(each.endpoint), methods=list(each.methods or ()))
            for each in self.login.routes()
        ]
        people = Route("/{owner}/{repository}/actions/runs/{run:int}", _worded(runs.page))
        return Starlette(
            routes=[people, *logins, *guarded], exception_handlers={404: _missing, 405: _missing}
        )

    def _guarded(self, route: Route) -> Route:
        endpoint = partial(self._answer, route.endpoint)
        return Route(route.path, endpoint, methods=list(route.methods or ()))

    async def _answer(self, endpoint: Endpoint, request: Request) -> Response:
        try:
            self._admit(request)
            self.state.expect(request)
            response = await endpoint(request)
        except ApiRefusal as problem:
            response = problem.answer()
        return self._limits.finish(request, response)

    def _admit(self, request: Request) -> None:
        """Raise ApiRefusal, unless the token allows the request.

        A run's token may read everything and post statuses, as `permissions` of the workflow says.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not token:
            raise ApiRefusal(_UNAUTHORIZED, "Requires authentication")
        if scheme.lower() not in {"token", "bearer"}:
            raise ApiRefusal(_UNAUTHORIZED, "Bad credentials")
        if secrets.compare_digest(token.encode(), self.token.encode()):
            return
        if self.login.admits(token):
            request.scope[AS_APP] = True
            self.login.expect(request)
            return
        if token not in self.actions.tokens:
            raise ApiRefusal(_UNAUTHORIZED, "Bad credentials")
        status = "/statuses/" in request.url.path
        if request.method != "GET" and not (request.method == "POST" and status):
            raise ApiRefusal(_FORBIDDEN, "Resource not accessible by integration")


def _worded(endpoint: Endpoint) -> Endpoint:
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ApiRefusal as problem:
            return problem.answer()

    return answer


async def _missing(_request: Request, _error: Exception) -> Response:
    return not_found().answer()
