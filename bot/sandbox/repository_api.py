"""The part of the sandbox's API about its repository, its registries and its bot's process.

People and scripts can use it without a token or a client library. It only reads, but for two
things: it can update a tag at the source, as the publisher of an image would, and kill the bot.
"""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.config import GitHubSection
from bot.core.errors import BotError
from bot.sandbox.bot_process import BotProcess
from bot.sandbox.github.actions import WorkflowRun
from bot.sandbox.github.server import GitHub
from bot.sandbox.issue_people import issue_routes
from bot.sandbox.registry.registries import Registries
from bot.sandbox.walls import WALLS

_LOG_CHARACTERS = 20_000


def routes(
    github: GitHub, section: GitHubSection, registries: Registries, bot: BotProcess
) -> list[Route]:
    """Return /api/repository, /api/registries, /api/bot and what is about issues.

    `section` names the branch and the list that the first shows.
    """

    async def repository(_request: Request) -> Response:
        return JSONResponse(await _repository(github, section))

    async def registry(_request: Request) -> Response:
        return JSONResponse(await _registries(registries))

    async def stated(request: Request) -> Response:
        name = request.query_params.get("image", "")
        return JSONResponse({"statements": await registries.statements(name)})

    async def move(request: Request) -> Response:
        try:
            name = (await request.json())["move"]
            return JSONResponse({"digest": await registries.move(str(name))})
        except (ValueError, KeyError, TypeError):
            words = 'send a JSON object, such as {"move": "docker.io/library/nginx:latest"}'
            return JSONResponse({"error": words}, status_code=400)
        except BotError as error:
            return JSONResponse({"error": str(error)}, status_code=404)

    async def kill(_request: Request) -> Response:
        if bot.kill():
            return JSONResponse({"killed": True})
        return JSONResponse({"error": "no bot runs right now"}, status_code=404)

    return [
        *issue_routes(github),
        Route("/api/bot", kill, methods=["POST"], middleware=WALLS),
        Route("/api/repository", repository, methods=["GET"], middleware=WALLS),
        Route("/api/registries", registry, methods=["GET"], middleware=WALLS),
        Route("/api/statements", stated, methods=["GET"], middleware=WALLS),
        Route("/api/registries", move, methods=["POST"], middleware=WALLS),
    ]


async def _repository(github: GitHub, section: GitHubSection) -> dict[str, object]:
    tip = await github.repository.tip(section.branch)
    if tip is None:
        return {"list": "", "commits": [], "runs": []}
    images = await github.repository.file(tip, section.list)
    commits = await github.repository.log(tip)
    return {
        "list": "" if images is None else images.data.decode(errors="replace"),
        "commits": [
            {"sha": each.sha, "message": each.message, "date": each.date} for each in commits
        ],
        "runs": [_run(github, each) for each in github.actions.runs()],
    }


def _run(github: GitHub, run: WorkflowRun) -> dict[str, object]:
    return {
        "id": run.id,
        "sha": run.sha,
        "event": run.event,
        "status": run.status,
        "conclusion": run.conclusion,
        "title": run.title,
        "created": run.created_at,
        "started": run.started_at,
        "updated": run.updated_at,
        "log": github.actions.log(run.id)[-_LOG_CHARACTERS:],
    }


async def _registries(registries: Registries) -> dict[str, object]:
    return {
        "source": {
            "address": registries.source_address,
            "images": await registries.images("source"),
        },
        "target": {
            "address": registries.target_address,
            "images": await registries.images("target"),
        },
    }


def marks(
    github: GitHub, section: GitHubSection, registries: Registries
) -> dict[str, Callable[[], object]]:
    """Return, by event of the page, what changes with it. The bot may not read issues."""
    branch = github.repository.directory / "refs" / "heads" / section.branch

    def world() -> object:
        moved = branch.stat().st_mtime_ns if branch.exists() else 0
        return moved, github.actions.mark(), registries.changes

    if section.issues is None:
        return {"world": world}
    return {"world": world, "issues": lambda: github.issues.changes}
