"""The client of the mirror repository, with calls for its issues. They share its one worker."""

from collections.abc import Mapping
from typing import Any

from github import UnknownObjectException

from bot.adapters.github.repository import MirrorRepository


class IssueRepository(MirrorRepository):
    """Implements client.Api. Each call may raise TransientError or RefusedError."""

    async def api(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The decoded answer, None where there is nothing to delete any more.

        `path` is below the repository, or begins with a slash.
        """
        address = path if path.startswith("/") else f"/repos/{self._name}/{path}"

        def call() -> Any:
            try:
                return self._github.requester.requestJsonAndCheck(method, address, input=body)[1]
            except UnknownObjectException as error:
                self._expect_repository(error)
                if method == "DELETE":
                    return None
                raise

        return await self._call(call)

    async def exists(self, path: str) -> bool:
        """Whether GitHub answers at this path, and not by 404."""

        def look() -> bool:
            address = f"/repos/{self._name}/{path}"
            try:
                self._github.requester.requestJsonAndCheck("GET", address)
            except UnknownObjectException as error:
                self._expect_repository(error)
                return False
            return True

        return await self._call(look)

    async def query(self, text: str, variables: Mapping[str, Any]) -> Any:
        """The answer to a GraphQL query: `data`, and `errors` for what it could not give."""

        def ask() -> Any:
            requester = self._github.requester
            body = {"query": text, "variables": variables}
            return requester.requestJsonAndCheck("POST", requester.graphql_url, input=body)[1]

        return await self._call(ask)
