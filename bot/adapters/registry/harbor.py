"""Harbor's own API, where the target is a Harbor: its projects, their quota, a robot's last day.

The bot asks it for quotas and for what its scanner found. Else it uses the registry API. It is
described in Harbor's swagger.yaml: https://github.com/goharbor/harbor/blob/main/api/v2.0/swagger.yaml
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import httpx

from bot.adapters.network import Network
from bot.adapters.registry.auth import Login
from bot.adapters.registry.network_guard import GuardedTransport
from bot.adapters.registry.transport import BoundedTransport, RegistryResponse, first_error
from bot.core.errors import BotError, RefusedError
from bot.core.image import ImageRef, Target
from bot.core.registry import Scan
from bot.engine.ports.registries import LooksAtScan, TargetState

_ANSWER_BYTES: Final = 1024 * 1024
_LARGEST: Final = 2**63 - 1
"""The largest number of Harbor's own types. Python reads longer ones, and cannot divide them."""
_UNLIMITED: Final = -1
_NEVER: Final = -1


@dataclass(frozen=True, slots=True)
class Project:
    """`used` and `quota` in bytes. `quota` None: there is none, or Harbor does not tell."""

    name: str
    number: int
    used: int = 0
    quota: int | None = None


class Harbor:
    """Each method raises TransientError, or RefusedError with Harbor's words."""

    def __init__(
        self, address: str, login: tuple[str, str] | None, network: Network | None = None
    ) -> None:
        """`address`: of the target, such as https://harbor.example.com."""
        self._base = httpx.URL(address)
        self._login = Login(*login) if login else None
        self._transport = BoundedTransport(GuardedTransport(network=network))

    @property
    def host(self) -> str:
        """The host and port, as errors name it."""
        return self._base.netloc.decode()

    async def is_there(self) -> bool:
        """Whether the target is a Harbor. Other registries do not have this address."""
        try:
            answer = await self._send("GET", "systeminfo")
        except BotError:  # such as a page of HTML
            return False
        return answer.status == HTTPStatus.OK and "auth_mode" in _object(answer)

    async def project(self, name: str) -> Project | None:
        """The project, or None if there is none, or none that this account may see."""
        answer = await self._send("GET", f"projects/{name}")
        if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN}:
            return None
        number = _object(_well(answer)).get("project_id")
        if not isinstance(number, int):
            raise RefusedError("Harbor sends no project")
        return Project(name, number)

    async def with_quota(self, project: Project) -> Project:
        """The project with what it uses, and its quota where Harbor tells it."""
        answer = await self._send("GET", f"projects/{project.name}/summary")
        found = _object(_well(answer))
        try:
            quota = found["quota"]
            used, hard = int(quota["used"]["storage"]), int(quota["hard"]["storage"])
        except (ArithmeticError, LookupError, TypeError, ValueError):
            return project
        if max(used, hard) > _LARGEST:
            return project
        return Project(project.name, project.number, used, None if hard == _UNLIMITED else hard)

    async def state(self, names: Iterable[str]) -> TargetState:
        """What this Harbor tells of these projects and of its login. Nothing, if it is none."""
        if not await self.is_there():
            return TargetState()
        quotas, ends = dict[str, tuple[int, int]](), None
        for name in names:
            with suppress(RefusedError):  # it does not tell
                found = await self.project(name)
                found = await self.with_quota(found) if found else None
                if found is not None and found.quota is not None:
                    quotas[name] = found.used, found.quota
        with suppress(RefusedError):  # it does not tell
            ends = await self.last_day()
        return TargetState(quotas, ends)

    def scan_of(self, target: Target) -> LooksAtScan:
        """The port by which images of the target are asked about."""

        async def scan(image: ImageRef, digest: str) -> Scan | None:
            name = target.name_of(replace(image, tag=None, digest=digest))
            return await self.scan(name.removeprefix(f"{target.host}/").partition("@")[0], digest)

        return scan

    async def scan(self, name: str, digest: str) -> Scan | None:
        """What the scanner found in a repository's image. None: not scanned yet, or not told.

        `name` begins with the project. By one GET.
        """
        project, _, repository = name.partition("/")
        there = quote(quote(repository, safe=""), safe="")  # twice, as Harbor decodes it twice
        path = f"projects/{project}/repositories/{there}/artifacts/{digest}"
        answer = await self._send("GET", f"{path}?with_scan_overview=true")
        if answer.status != HTTPStatus.OK:
            return None
        found = _object(answer)
        reports = found.get("scan_overview")
        for report in reports.values() if isinstance(reports, dict) else ():
            counts = _counts(report)
            if counts is not None and isinstance(number := found.get("project_id"), int):
                page = f"/harbor/projects/{number}/repositories/{quote(repository, safe='')}"
                url = self._base.copy_with(path=f"{page}/artifacts-tab/artifacts/{digest}")
                return replace(counts, url=str(url))
        return None

    async def create(self, name: str) -> None:
        """Create a private project. One that is there already is a success."""
        wanted = {"project_name": name, "metadata": {"public": "false"}}
        answer = await self._send("POST", "projects", json.dumps(wanted).encode())
        if answer.status not in {HTTPStatus.CREATED, HTTPStatus.CONFLICT}:
            raise RefusedError(f"Harbor answers {answer.status}{_words(answer)}")

    async def last_day(self) -> datetime | None:
        """When the login ends, if it is a robot. Raises RefusedError where Harbor does not tell.

        None: it never ends, or it is a person's.
        """
        user = self._login.user if self._login else ""
        name = user.partition("$")[2]
        if not name:
            return None
        answer = _well(await self._send("GET", f"robots?{await self._robots(name)}"))
        for robot in _list(answer):
            if robot.get("name") == user and isinstance(ends := robot.get("expires_at"), int):
                return None if ends == _NEVER else _day(ends)
        raise RefusedError("Harbor does not show this robot to itself")

    async def _robots(self, name: str) -> httpx.QueryParams:
        """The query that lists a robot: of a project it is `project+name`, of the system `name`."""
        owner, plus, own = name.partition("+")
        project = await self.project(owner) if plus else None
        level = f"Level=project,ProjectID={project.number}," if project else ""
        return httpx.QueryParams({"q": f"{level}name=~{own or owner}", "page_size": "100"})

    async def _send(self, method: str, path: str, content: bytes = b"") -> RegistryResponse:
        path, _, query = path.partition("?")
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._login:
            headers["Authorization"] = self._login.header()
        return await self._transport.send(
            method,
            self._base.copy_with(path=f"/api/v2.0/{path}", query=query.encode() or None),
            registry=self.host,
            headers=headers,
            from_config=True,
            max_bytes=_ANSWER_BYTES,
            content=content,
        )

    async def aclose(self) -> None:
        await self._transport.aclose()


def _counts(report: object) -> Scan | None:
    """The counts of a scan that has ended. None where there are none."""
    if not isinstance(report, dict) or report.get("scan_status") != "Success":
        return None
    summary = report.get("summary")
    told = summary.get("summary") if isinstance(summary, dict) else None
    if not isinstance(told, dict):
        return Scan() if isinstance(summary, dict) and summary.get("total") == 0 else None
    known = ("Critical", "High", "Medium", "Low")
    critical, high, medium, low = (_count(told.get(key)) for key in known)
    other = sum(_count(value) for key, value in told.items() if key not in known)
    return Scan(critical=critical, high=high, medium=medium, low=low, other=other)


def _count(value: object) -> int:
    return min(value, 10**6) if isinstance(value, int) and value > 0 else 0


def _well(answer: RegistryResponse) -> RegistryResponse:
    if answer.status != HTTPStatus.OK:
        raise RefusedError(f"Harbor answers {answer.status}{_words(answer)}")
    return answer


def _day(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ArithmeticError, OSError, ValueError) as error:
        raise RefusedError("Harbor sends no day that exists") from error


def _object(answer: RegistryResponse) -> Mapping[str, Any]:
    found = _json(answer)
    return found if isinstance(found, dict) else {}


def _list(answer: RegistryResponse) -> list[Mapping[str, Any]]:
    found = _json(answer)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _json(answer: RegistryResponse) -> object:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def _words(answer: RegistryResponse) -> str:
    found = first_error(answer)
    return "" if found is None else f": {found[1]}"
