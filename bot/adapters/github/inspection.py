"""What `check` asks GitHub: whether the repository, its branch and the token are good for the bot.

No right can be read from a fine-grained token, so some are tried in ways that leave nothing behind:
a blob that nothing refers to, and a dispatch on a branch that does not exist.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from github import GithubException, UnknownObjectException

from bot.adapters.github.errors import one_line
from bot.adapters.github.fields import text_of
from bot.adapters.github.issues.api import IssueRepository
from bot.adapters.github.repository import moved_to
from bot.core.errors import RefusedError, TransientError

_NO_BRANCH: Final = "imageto-bot-check/no-such-branch"
_BLOCKING: Final = {
    "update": "changes only by those who may bypass it",
    "pull_request": "pull requests",
    "required_status_checks": "status checks",
    "merge_queue": "the merge queue",
    "required_signatures": "signed commits",
    "required_deployments": "deployments",
}
"""Rules of a branch that refuse an ordinary commit: type -> what they demand.

https://docs.github.com/en/rest/repos/rules
"""
_MAY_BYPASS: Final = frozenset({"always", "exempt"})


@dataclass(frozen=True, slots=True)
class RepositoryFacts:
    """`expires`: of the token, None where GitHub does not tell. `now`: GitHub's clock, UTC.

    `permissions`: those of a GitHub App, such as contents → write. None for a person's token.
    """

    default_branch: str
    archived: bool
    disabled: bool
    expires: datetime | None
    now: datetime | None
    permissions: Mapping[str, str] | None = None


class InspectedRepository(IssueRepository):
    """The mirror repository for `check`. Each method may raise TransientError or RefusedError."""

    async def facts(self) -> RepositoryFacts:
        """Raises RefusedError with the new name where the repository was renamed or moved."""

        def look() -> RepositoryFacts:
            headers, data = self._github.requester.requestJsonAndCheck("GET", self._address())
            if text_of(data.get("full_name")).lower() != self._name.lower():
                raise RefusedError(moved_to(one_line(text_of(data.get("full_name")))))
            return RepositoryFacts(
                default_branch=text_of(data.get("default_branch")),
                archived=bool(data.get("archived")),
                disabled=bool(data.get("disabled")),
                expires=self.token_expires(),
                now=_date_of(str(headers.get("date", ""))),
                permissions=None if self._app is None else self._app.current().permissions,
            )

        return await self._call(look)

    async def branch_is_protected(self) -> bool | None:
        """Whether a classic rule protects the branch. None: there is no such branch."""

        def look() -> bool | None:
            try:
                data = self._get(f"branches/{self._branch}")
            except UnknownObjectException as error:
                self._expect_repository(error)
                return None
            return bool(data.get("protected"))

        return await self._call(look)

    async def branch_rules(self) -> tuple[str, ...]:
        """What rulesets demand of a commit of this token, such as "pull requests"."""

        def look() -> tuple[str, ...]:
            rules = self._get(f"rules/branches/{self._branch}")
            return tuple(dict.fromkeys(self._demands(rules)))

        return await self._call(look)

    def _demands(self, rules: list[Mapping[str, Any]]) -> Iterator[str]:
        for rule in rules:
            demand = _BLOCKING.get(str(rule.get("type")))
            if demand and not self._may_bypass(rule.get("ruleset_id")):
                yield demand

    def _may_bypass(self, ruleset: object) -> bool:
        if not isinstance(ruleset, int):
            return False
        try:
            found = self._get(f"rulesets/{ruleset}")
        except UnknownObjectException:  # a ruleset of the organisation
            return False
        return found.get("current_user_can_bypass") in _MAY_BYPASS

    async def try_contents(self) -> None:
        """Raises RefusedError where the token may not write contents."""
        body = {"content": "imageto-bot check", "encoding": "utf-8"}
        await self._call(lambda: self._post("git/blobs", body))

    async def try_dispatch(self) -> None:
        """Raises RefusedError where the token may not start runs. GitHub refuses it in any case.

        422 says that there is no such branch: the right was there. Raises TransientError where
        there is no workflow, which proves nothing.
        """

        def send() -> None:
            try:
                address = f"actions/workflows/{self._workflow}/dispatches"
                self._post(address, {"ref": _NO_BRANCH})
            except UnknownObjectException as error:
                self._expect_repository(error)
                raise TransientError("there is no workflow yet") from error
            except GithubException as error:
                if error.status != 422:  # noqa: PLR2004 - Unprocessable Content
                    raise

        await self._call(send)

    async def try_statuses(self) -> None:
        """Raises RefusedError where the token may not read what runs report."""
        await self._call(lambda: self._get(f"commits/{self._branch}/statuses?per_page=1"))

    async def actions_enabled(self) -> bool | None:
        """Whether Actions are on. None where the token may not know: it needs Administration."""

        def look() -> bool | None:
            try:
                return bool(self._get("actions/permissions").get("enabled"))
            except GithubException as error:
                if error.status in {403, 404}:
                    return None
                raise

        return await self._call(look)

    def _address(self, path: str = "") -> str:
        return f"/repos/{self._name}/{path}".rstrip("/")

    def _get(self, path: str) -> Any:
        _, data = self._github.requester.requestJsonAndCheck("GET", self._address(path))
        return data

    def _post(self, path: str, body: Mapping[str, str]) -> None:
        self._github.requester.requestJsonAndCheck("POST", self._address(path), input=dict(body))


def _date_of(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None
