"""`imageto-bot setup` creates the projects that a Harbor lacks, or says how to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from check_world import Overridden, Told, changed, registry
from setup_fixture import settings

from bot.adapters.registry.harbor import Harbor
from bot.core.image import ImageRef, Naming, Target
from bot.core.registry import Scan
from bot.engine.ports.registries import TargetState
from bot.sandbox.serve import served
from bot.target_projects import create_projects, probes

MISSING = Told("GET /api/v2.0/projects/mirror$", 404, {})


@asynccontextmanager
async def at(*told: Told) -> AsyncIterator[Harbor]:
    app = Overridden(registry())
    app.told = told
    async with served(app) as port:
        harbor = Harbor(f"http://127.0.0.1:{port}", ("robot$mirror", "hush-hush"))
        try:
            yield harbor
        finally:
            await harbor.aclose()


def posted(status: int, message: str = "") -> Told:
    errors = {"errors": [{"code": "X", "message": message}]}
    return Told("POST /api/v2.0/projects$", status, errors)


AGAIN = "`imageto-bot check` tries again"
BY_HAND = "create it in Harbor under Projects, New project, and let the account push to it"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ((), []),
        ((MISSING, posted(201)), ["project mirror: created in Harbor"]),
        ((MISSING, posted(409, "exists")), ["project mirror: created in Harbor"]),
        (
            (MISSING, posted(403, "forbidden")),
            [f"project mirror: Harbor answers 403: forbidden: {BY_HAND}"],
        ),
        (
            (Told("systeminfo$", 404, {}),),
            ["target: no Harbor answers, so its projects are left as they are"],
        ),
        (
            (Told("projects/mirror$", 500, {}),),
            [
                (
                    "target: its projects are not known (HOST answers 500)."
                    " `imageto-bot check` tries again"
                )
            ],
        ),
    ],
)
async def test_a_missing_project_is_created_or_the_steps_are_told(
    told: tuple[Told, ...], said: list[str]
) -> None:
    lines: list[str] = []
    async with at(*told) as harbor:
        await create_projects(harbor, settings(), lines.append)
        host = harbor.host
    assert lines == [line.replace("HOST", host) for line in said]


async def test_a_dry_run_creates_nothing() -> None:
    lines: list[str] = []
    async with at(MISSING, posted(500)) as harbor:
        await create_projects(harbor, settings(), lines.append, dry_run=True)
    assert lines == ["project mirror: would be created in Harbor"]


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ((), TargetState({"mirror": (2**30, 10 * 2**30)}, None)),
        ((Told("systeminfo$", 404, {}),), TargetState()),
        ((MISSING,), TargetState()),
        ((Told("robots$", 403, {}),), TargetState({"mirror": (2**30, 10 * 2**30)}, None)),
        (
            (Told("robots$", 200, [{"name": "robot$mirror", "expires_at": 1_600_000_000}]),),
            TargetState(
                {"mirror": (2**30, 10 * 2**30)}, datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)
            ),
        ),
    ],
)
async def test_the_state_is_what_a_harbor_tells(told: tuple[Told, ...], state: TargetState) -> None:
    async with at(*told) as harbor:
        assert await harbor.state(["mirror"]) == state


REPORT = "application/vnd.security.vulnerability.report; version=1.1"
COUNTS = {"Critical": 2, "High": 10**9, "Medium": 1, "Low": -3, "Unknown": 4, "None": 1}


def scanned(report: object, number: object = 7) -> Told:
    body = {"project_id": number, "scan_overview": {REPORT: report}}
    path = "GET .*/projects/mirror/repositories/docker.io%2Flibrary%2Fnginx/artifacts/sha256:a"
    return Told(path, 200, body)  # as it is after one of the two times that it is decoded


def done(**summary: object) -> dict[str, object]:
    return {"scan_status": "Success", "summary": summary}


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (
            scanned(done(total=17, summary=COUNTS)),
            Scan(critical=2, high=10**6, medium=1, other=5),
        ),
        (scanned(done(total=0)), Scan()),
        (scanned({"scan_status": "Running"}), None),
        (scanned({"scan_status": "Success", "summary": 3}), None),
        (scanned("nonsense"), None),
        (scanned(done(total=0), "7"), None),
        (Told("artifacts", 200, {"scan_overview": []}), None),
        (Told("artifacts", 200, []), None),
        (Told("artifacts", 403, {}), None),
    ],
)
async def test_what_a_scanner_found_is_read_with_the_page_of_the_image(
    told: Told, found: Scan | None
) -> None:
    digest = "sha256:" + "a" * 64
    target = Target("harbor.example.com", "mirror", Naming.NESTED)
    async with at(told) as harbor:
        scan = await harbor.scan_of(target)(ImageRef.parse("nginx:1.27"), digest)
        page = f"http://{harbor.host}/harbor/projects/7/repositories/docker.io%2Flibrary%2Fnginx"
    wanted = replace(found, url=f"{page}/artifacts-tab/artifacts/{digest}") if found else None
    assert scan == wanted


@pytest.mark.parametrize(
    ("prefix", "naming", "projects"),
    [
        ("mirror", Naming.NESTED, ["mirror"]),
        ("team/mirror", Naming.NESTED, ["team"]),
        ("", Naming.NESTED, ["docker.io", "ghcr.io"]),
        ("mirror", Naming.FLAT, ["mirror"]),
        ("", Naming.FLAT, ["harbor.example.com"]),
    ],
)
def test_the_projects_are_the_first_part_of_the_names(
    prefix: str, naming: Naming, projects: list[str]
) -> None:
    given = changed(settings(prefix), "target.naming", naming)
    given = changed(given, "policy.registries", ("docker.io", "ghcr.io"))
    assert [name for name, _ in probes(given)] == projects
