"""What `setup` reads and writes in the mirror repository, beyond what the running bot does.

The same client with more calls: several files in one commit, variables, environments, and secrets
by name. The bot's lanes never get it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from github import GithubException, InputGitTreeElement, UnknownObjectException
from github.Environment import Environment
from github.Repository import Repository as GithubRepository

from bot.adapters.github.errors import is_branch_rule, message_of
from bot.adapters.github.fields import sha_of, text_of
from bot.adapters.github.repository import MirrorRepository, moved_to
from bot.core.errors import RefusedError, StaleError
from bot.core.ids import CommitSha
from bot.engine.ports.repository import ListFile


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files of a branch at its tip: path -> mode and blob sha, as `entry_of` writes them."""

    branch: str
    tip: CommitSha
    files: Mapping[str, str]


class SetupRepository(MirrorRepository):
    """The mirror repository for `setup`."""

    async def read_file(self, path: str) -> ListFile:
        """Any file of the branch, or an empty one if it does not exist."""
        return await self._call(lambda: self._read(path))

    async def default_branch(self) -> str:
        """The branch whose workflows GitHub dispatches.

        Raises RefusedError unless the repository still has the name of the config.
        """

        def look() -> str:
            _, data = self._github.requester.requestJsonAndCheck("GET", f"/repos/{self._name}")
            name = text_of(data.get("full_name"))
            if name.lower() != self._name.lower():
                raise RefusedError(moved_to(name))
            return text_of(data.get("default_branch"))

        return await self._call(look)

    async def snapshot(self, branch: str = "") -> Snapshot | None:
        """All files of a branch, by default the configured one. None before the first commit."""
        branch = branch or self._branch

        def look() -> Snapshot | None:
            ref = self._repository.get_git_ref(f"heads/{branch}")
            try:
                ref.update()
            except UnknownObjectException as error:
                self._expect_repository(error)
                text = f"the mirror repository has no branch {branch}: create it"
                raise RefusedError(f"{text}, or change github.branch") from error
            except GithubException as error:
                if error.status == 409:  # noqa: PLR2004 - GitHub: "Git Repository is empty."
                    return None
                raise
            tip = self._repository.get_git_commit(sha_of(ref.object.sha))
            tree = self._repository.get_git_tree(sha_of(tip.tree.sha), recursive=True)
            if tree.raw_data.get("truncated"):
                raise RefusedError("the mirror repository has too many files for one answer")
            files = {each.path: f"{each.mode} {each.sha}" for each in tree.tree}
            return Snapshot(branch, CommitSha(tip.sha), files)

        return await self._call(look)

    async def commit_files(
        self, files: Mapping[str, bytes | None], *, on: Snapshot, message: str
    ) -> CommitSha:
        """Write several files in one commit on top of `on`. None removes a file.

        Raises StaleError when its branch has another tip by now.
        """

        def commit() -> CommitSha:
            tip = self._repository.get_git_commit(on.tip)
            elements = [_tree_element(path, content) for path, content in files.items()]
            tree = self._repository.create_git_tree(elements, tip.tree)
            made = self._repository.create_git_commit(message, tree, [tip])
            ref = self._repository.get_git_ref(f"heads/{on.branch}")
            if ref.object.sha != on.tip:  # reading it also makes PyGithub learn where to write it
                raise StaleError("the branch has a newer commit")
            try:
                ref.edit(made.sha)
            except GithubException as error:
                if error.status == 422 and not is_branch_rule(error):  # noqa: PLR2004 - no fast forward
                    raise StaleError(message_of(error)) from error
                raise
            return CommitSha(sha_of(made.sha))

        return await self._call(commit)

    async def set_variable(self, name: str, value: str) -> None:
        """Create or change a repository variable."""

        def put() -> None:
            if not self._repository.get_variable(name).edit(value):  # False if missing
                self._repository.create_variable(name, value)

        await self._call(put)

    async def delete_variable(self, name: str) -> None:
        """Remove a repository variable."""
        await self._call(lambda: self._repository.delete_variable(name))

    async def label_names(self) -> frozenset[str]:
        """The labels that issues can have. GitHub ignores the case of their names."""

        def look() -> frozenset[str]:
            return frozenset(each.name.lower() for each in self._repository.get_labels())

        return await self._call(look)

    async def make_label(self, name: str, colour: str) -> None:
        await self._call(lambda: self._repository.create_label(name, colour))

    # -- secrets, of the repository or of one of its environments -----------------------------

    async def secret_names(self, environment: str = "") -> frozenset[str]:
        """The names of all secrets there. Their values cannot be read. Empty if it is missing."""

        def look() -> frozenset[str]:
            try:
                return frozenset(each.name for each in self._secrets_of(environment).get_secrets())
            except UnknownObjectException as error:
                self._expect_repository(error)
                return frozenset()

        return await self._call(look)

    async def delete_secret(self, name: str, environment: str = "") -> None:
        await self._call(lambda: self._secrets_of(environment).delete_secret(name))

    async def set_secret(self, name: str, value: str, environment: str = "") -> None:
        """Create or change a secret. PyGithub encrypts it."""
        await self._call(lambda: self._secrets_of(environment).create_secret(name, value))

    def _secrets_of(self, environment: str) -> GithubRepository | Environment:
        found = self._repository
        return found.get_environment(environment) if environment else found

    # -- environments ---------------------------------------------------------------------------

    async def branches_of(self, environment: str) -> frozenset[str] | None:
        """The patterns of branches that an environment admits. None if it admits all.

        An environment that does not exist admits all: GitHub creates it when a job names it.
        """

        def look() -> frozenset[str] | None:
            found = self._environment(environment)
            return (
                frozenset(self._policies(environment)) if found and _is_restricted(found) else None
            )

        return await self._call(look)

    async def restrict_environment(self, environment: str, branch: str) -> None:
        """Create the environment, and let it admit this branch alone.

        Raises RefusedError where GitHub does not allow this to the token or in the plan, and for an
        environment with other rules, which writing it would remove.
        """

        def restrict() -> None:
            address, found = self._address(environment), self._environment(environment)
            if found is None or not _is_restricted(found):
                if found and found["protection_rules"]:
                    raise RefusedError(f"the environment {environment} has other rules")
                policy = {"protected_branches": False, "custom_branch_policies": True}
                rule = {"deployment_branch_policy": policy}
                self._github.requester.requestJsonAndCheck("PUT", address, input=rule)
            policies, there = f"{address}/deployment-branch-policies", self._policies(environment)
            for name in there.keys() - {branch}:
                self._github.requester.requestJsonAndCheck("DELETE", f"{policies}/{there[name]}")
            if branch not in there:
                body = {"name": branch, "type": "branch"}
                self._github.requester.requestJsonAndCheck("POST", policies, input=body)

        await self._call(restrict)

    def _address(self, environment: str) -> str:
        return f"/repos/{self._name}/environments/{environment}"

    def _environment(self, name: str) -> dict[str, Any] | None:
        try:
            _, found = self._github.requester.requestJsonAndCheck("GET", self._address(name))
        except UnknownObjectException as error:
            self._expect_repository(error)
            return None
        return dict(found)

    def _policies(self, environment: str) -> dict[str, int]:
        """The patterns that it admits, with their ids. Those of tags begin with `tag:`."""
        address = f"{self._address(environment)}/deployment-branch-policies?per_page=100"
        _, found = self._github.requester.requestJsonAndCheck("GET", address)
        kinds = {"branch": "", "tag": "tag:"}
        policies = found["branch_policies"]
        return {f"{kinds[p.get('type', 'branch')]}{text_of(p['name'])}": p["id"] for p in policies}


def _is_restricted(environment: Mapping[str, Any]) -> bool:
    policy = environment["deployment_branch_policy"]
    return policy is not None and bool(policy["custom_branch_policies"])


def _tree_element(path: str, content: bytes | None) -> InputGitTreeElement:
    if content is None:
        return InputGitTreeElement(path, "100644", "blob", sha=None)
    return InputGitTreeElement(path, "100644", "blob", content=content.decode())
