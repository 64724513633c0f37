"""Workflows, runs and variables of the sandbox's GitHub.

The HTTP side of Actions. The runs themselves are in actions.py, secrets in secrets_api.py.
"""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.sandbox.github import shapes
from bot.sandbox.github.act import steps
from bot.sandbox.github.actions import Actions, WorkflowRun
from bot.sandbox.github.git_repository import GitRepository
from bot.sandbox.github.http import (
    ApiRefusal,
    answer,
    body,
    invalid,
    listed,
    not_found,
    nothing,
    now,
    root,
    text_field,
)
from bot.sandbox.github.secrets_api import setting_name
from bot.sandbox.github.triggers import INPUT_CHARACTERS, INPUTS, WORKFLOW, Trigger

_VARIABLE_BYTES = 48 * 1024
_CONFLICT = 409
_FORBIDDEN = 403
_DEFAULT = "HEAD"
"""GitHub takes workflows from the default branch, whatever its name is."""


class ActionsEndpoints:
    """The part of the REST API below `actions/`."""

    def __init__(self, *, actions: Actions, repository: GitRepository) -> None:
        self._actions = actions
        self._repository = repository

    def routes(self, prefix: str) -> list[Route]:
        own = f"{prefix}/actions"
        one = f"{own}/workflows/{{workflow}}"
        variable = f"{own}/variables/{{name}}"
        return [
            Route(f"{own}/permissions", self.permissions, methods=["GET"]),
            Route(f"{own}/permissions", self.permit, methods=["PUT"]),
            Route(f"{own}/workflows", self.workflows, methods=["GET"]),
            Route(one, self.workflow, methods=["GET"]),
            Route(f"{one}/enable", self.enable, methods=["PUT"]),
            Route(f"{one}/disable", self.disable, methods=["PUT"]),
            Route(f"{one}/dispatches", self.dispatch, methods=["POST"]),
            Route(f"{one}/runs", self.workflow_runs, methods=["GET"]),
            Route(f"{own}/runs", self.runs, methods=["GET"]),
            Route(f"{own}/runs/{{run:int}}", self.run, methods=["GET"]),
            Route(f"{own}/runs/{{run:int}}/jobs", self.jobs, methods=["GET"]),
            Route(
                f"{prefix}/check-runs/{{job:int}}/annotations", self.annotations, methods=["GET"]
            ),
            Route(f"{own}/runs/{{run:int}}/cancel", self.cancel, methods=["POST"]),
            Route(f"{own}/runs/{{run:int}}/rerun", self.rerun, methods=["POST"]),
            Route(f"{own}/variables", self.variables, methods=["GET"]),
            Route(f"{own}/variables", self.create_variable, methods=["POST"]),
            Route(variable, self.variable, methods=["GET"]),
            Route(variable, self.change_variable, methods=["PATCH"]),
            Route(variable, self.remove_variable, methods=["DELETE"]),
        ]

    async def permissions(self, _request: Request) -> Response:
        return answer({"enabled": self._actions.enabled, "allowed_actions": "all"})

    async def permit(self, request: Request) -> Response:
        self._actions.enabled = bool((await body(request)).get("enabled"))
        return nothing()

    async def workflows(self, request: Request) -> Response:
        there = await self._repository.file(_DEFAULT, WORKFLOW) is not None
        return listed(request, [self._shown_workflow(request)] if there else [], key="workflows")

    async def workflow(self, request: Request) -> Response:
        await self._expect_workflow(request)
        return answer(self._shown_workflow(request))

    async def enable(self, request: Request) -> Response:
        await self._expect_workflow(request)
        self._actions.workflow_enabled = True
        return nothing()

    async def disable(self, request: Request) -> Response:
        await self._expect_workflow(request)
        self._actions.workflow_enabled = False
        return nothing()

    async def dispatch(self, request: Request) -> Response:
        await self._expect_workflow(request)
        data = await body(request)
        branch, tip = await self._dispatchable(data)
        commit = await self._repository.commit(tip)
        inputs = {name: str(value) for name, value in (data.get("inputs") or {}).items()}
        message = commit.message if commit else ""
        trigger = Trigger(
            "workflow_dispatch", tip, root(request), message, branch=branch, inputs=inputs
        )
        number = await self._actions.start(trigger)
        if number is None:
            raise not_found()
        if not data.get("return_run_details"):
            return nothing()
        return answer(shapes.run_address(self._urls(request), number))

    async def workflow_runs(self, request: Request) -> Response:
        await self._expect_workflow(request)
        return await self.runs(request)

    async def runs(self, request: Request) -> Response:
        found = [run for run in self._actions.runs() if _matches(run, request)]
        shown = [await self._run_shape(request, run) for run in found]
        return listed(request, shown, key="workflow_runs")

    async def run(self, request: Request) -> Response:
        return answer(await self._run_shape(request, self._run(request)))

    async def jobs(self, request: Request) -> Response:
        run = self._run(request)
        done = steps(self._actions.log(run.id)) if run.taken else []
        shown = [shapes.job(self._urls(request), run, done)]
        there = run.conclusion != "startup_failure"  # an invalid workflow has no jobs
        return listed(request, shown if there else [], key="jobs")

    async def annotations(self, request: Request) -> Response:
        run = self._actions.run(request.path_params["job"] // 10)
        if run is None:
            raise not_found()
        found = [shapes.annotation(run.annotation)] if run.annotation else []
        return listed(request, found)

    async def cancel(self, request: Request) -> Response:
        if not self._actions.cancel(self._run(request).id):
            raise ApiRefusal(_CONFLICT, "Cannot cancel a workflow run that is completed.")
        return answer({}, 202)

    async def rerun(self, request: Request) -> Response:
        if not self._actions.rerun(self._run(request).id):
            raise ApiRefusal(_FORBIDDEN, "This workflow is already running")
        return answer({}, 201)

    async def page(self, request: Request) -> Response:
        """Answer the html_url of a run: its state and log as plain text."""
        run = self._run(request)
        head = f"run {run.number}: {run.title}\n{run.event} {run.sha}\n{run.status}"
        end = "" if run.conclusion is None else f", {run.conclusion}"
        return PlainTextResponse(f"{head}{end}\n\n{self._actions.log(run.id)}")

    async def variables(self, request: Request) -> Response:
        found = [self._variable(request, name) for name in sorted(self._actions.variables)]
        return listed(request, found, key="variables")

    async def create_variable(self, request: Request) -> Response:
        data = await body(request)
        name = setting_name(text_field(data, "name"))
        if name in self._actions.variables:
            raise ApiRefusal(_CONFLICT, "Already exists - Variable already exists")
        self._actions.variables[name] = _variable_value(data)
        return answer({}, 201)

    async def variable(self, request: Request) -> Response:
        name = request.path_params["name"].upper()
        if name not in self._actions.variables:
            raise not_found()
        return answer(self._variable(request, name))

    async def change_variable(self, request: Request) -> Response:
        name = request.path_params["name"].upper()
        if name not in self._actions.variables:
            raise not_found()
        self._actions.variables[name] = _variable_value(await body(request))
        return nothing()

    async def remove_variable(self, request: Request) -> Response:
        if self._actions.variables.pop(request.path_params["name"].upper(), None) is None:
            raise not_found()
        return nothing()

    async def _dispatchable(self, data: dict[str, Any]) -> tuple[str, str]:
        """Return the branch and the sha to run at. Raises ApiRefusal in GitHub's words."""
        ref = text_field(data, "ref").removeprefix("refs/heads/")
        tip = await self._repository.tip(ref)
        if tip is None:
            raise invalid(f"No ref found for: {ref}")
        if not (self._actions.enabled and self._actions.workflow_enabled):
            raise invalid("Cannot trigger a 'workflow_dispatch' on a disabled workflow")
        unknown = sorted(set(data.get("inputs") or {}) - INPUTS)
        if unknown:
            raise invalid(f"Unexpected inputs provided: {_quoted(unknown)}")
        if sum(len(str(value)) for value in (data.get("inputs") or {}).values()) > INPUT_CHARACTERS:
            raise invalid("inputs are too large.")
        return ref, tip

    async def _expect_workflow(self, request: Request) -> None:
        known = {WORKFLOW.rpartition("/")[2], WORKFLOW, str(shapes.WORKFLOW_ID)}
        there = await self._repository.file(_DEFAULT, WORKFLOW) is not None
        if request.path_params["workflow"] not in known or not there:
            raise not_found()

    def _run(self, request: Request) -> WorkflowRun:
        run = self._actions.run(request.path_params["run"])
        if run is None:
            raise not_found()
        return run

    async def _run_shape(self, request: Request, run: WorkflowRun) -> shapes.Shape:
        commit = await self._repository.commit(run.sha)
        return shapes.run(self._urls(request), run, commit)

    def _shown_workflow(self, request: Request) -> shapes.Shape:
        return shapes.workflow(self._urls(request), active=self._actions.workflow_enabled)

    def _variable(self, request: Request, name: str) -> shapes.Shape:
        return {
            "name": name,
            "value": self._actions.variables[name],
            "created_at": now(),
            "updated_at": now(),
            "url": f"{self._urls(request).api}/actions/variables/{name}",
        }

    def _urls(self, request: Request) -> shapes.RepositoryUrls:
        return shapes.RepositoryUrls(root(request), self._actions.state)


def _matches(run: WorkflowRun, request: Request) -> bool:
    """Apply the filters of the query. A filter that is not given matches every run."""
    asked = request.query_params
    status = asked.get("status")
    return (
        asked.get("head_sha", run.sha) == run.sha
        and asked.get("event", run.event) == run.event
        and asked.get("branch", run.branch) == run.branch
        and (status is None or status in {run.status, run.conclusion})
    )


def _variable_value(data: dict[str, Any]) -> str:
    value = text_field(data, "value")
    if len(value.encode()) > _VARIABLE_BYTES:
        raise invalid("Variable value is too large")
    return value


def _quoted(names: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"
