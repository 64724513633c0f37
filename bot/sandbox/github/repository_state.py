"""What the owner of a repository can change about it on GitHub's page, such as its name."""

import re
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request

from bot.sandbox.github.http import ApiRefusal, not_found, root

REPOSITORY_ID: Final = 1
_READS: Final = {"GET", "HEAD"}


@dataclass(slots=True)
class RepositoryState:
    """`name` is owner/repository. GitHub leads from former names to it."""

    name: str
    private: bool = False
    archived: bool = False
    issues: bool = True
    """Whether the repository has issues."""
    former: set[str] = field(default_factory=set)

    def rename(self, name: str) -> None:
        self.former.add(self.name.casefold())
        self.name = name
        self.former.discard(name.casefold())

    def expect(self, request: Request) -> None:
        """Raise ApiRefusal for a request to another name, and for a write to an archive."""
        asked = request.path_params
        if "owner" in asked:
            name = f"{asked['owner']}/{asked['repository']}".casefold()
            if name in self.former:
                raise _moved(request)
            if name != self.name.casefold():
                raise not_found()
        elif asked.get("repository_id", REPOSITORY_ID) != REPOSITORY_ID:
            raise not_found()
        if self.archived and request.method not in _READS:
            raise ApiRefusal(403, "Repository was archived so is read-only.")


def _moved(request: Request) -> ApiRefusal:
    """GitHub leads a write by 307, so that it stays a write. Many clients follow a 301 alone."""
    rest = re.sub(r"^.*?/repos/[^/]+/[^/]+", "", request.url.path)
    query = f"?{request.url.query}" if request.url.query else ""
    place = f"{root(request)}/repositories/{REPOSITORY_ID}{rest}{query}"
    status, words = (
        (301, "Moved Permanently") if request.method in _READS else (307, "Temporary Redirect")
    )
    return ApiRefusal(status, words, headers={"Location": place})
