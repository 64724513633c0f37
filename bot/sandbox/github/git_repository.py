"""The mirror repository of the sandbox: a real bare git repository, written by plumbing commands.

Shas, conflicts and diffs are git's own. Branches are updated by compare-and-swap. git runs
without a shell and without the user's configuration. git_api.py has the HTTP side.
"""

import asyncio
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FIRST_BRANCH = "main"
"""The default branch of a new repository."""
_BRANCH = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._/-]*")
_AUTHOR = "sandbox"
_EMAIL = "sandbox@example.com"
_ENTRY = "%H%n%T%n%P%n%an%n%ae%n%aI%n%B"
_TIME_LIMIT = 30.0
_FILE_MODE = "100644"
_COMMIT_HEAD_LINES = 6
_SMALL = 1 << 16


class GitError(Exception):
    """git failed. The text is the first line of its error."""


@dataclass(frozen=True, slots=True)
class GitFile:
    """What is at a path in a commit."""

    path: str
    sha: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit with the fields the API shows."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: str
    email: str
    date: str
    message: str


class GitRepository:
    """A bare repository under `directory`. git runs in a worker thread."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._blobs: dict[str, bytes] = {}
        """Small ones that were read. A blob never changes, and each look at it is a process."""

    async def create(self, files: Mapping[str, bytes], *, message: str = "First commit") -> str:
        """Create the repository with a first commit on main, unless it exists.

        Without files it stays empty. Returns the tip, or "" when it is empty.
        """
        if not (self.directory / "HEAD").exists():
            self.directory.mkdir(parents=True, exist_ok=True)
            await self._git("init", "--bare", "--quiet", f"--initial-branch={FIRST_BRANCH}")
        head = await self.resolve("HEAD")
        if head is not None or not files:
            return head or ""
        entries = [(path, await self.store_blob(data)) for path, data in files.items()]
        tree = await self.store_tree(None, entries)
        first = await self.store_commit(tree=tree, parents=(), message=message)
        await self.move(first, None)
        return first

    async def is_empty(self) -> bool:
        """Return whether there is no commit on any branch."""
        return not await self._git("for-each-ref", "--count=1", "refs/heads")

    async def head(self) -> str:
        """Return the tip of the default branch."""
        sha = await self.resolve("HEAD")
        if sha is None:
            raise GitError(f"{self.directory}: the default branch has no commit")
        return sha

    async def default_branch(self) -> str:
        return await self._line("symbolic-ref", "--short", "HEAD")

    async def set_default_branch(self, branch: str) -> bool:
        """Make an existing branch the default one. False when it does not exist."""
        if await self.tip(branch) is None:
            return False
        await self._git("symbolic-ref", "HEAD", f"refs/heads/{branch}")
        return True

    async def tip(self, branch: str) -> str | None:
        """Return the commit of a branch. None when there is no such branch."""
        return await self.resolve(f"refs/heads/{branch}") if _BRANCH.fullmatch(branch) else None

    async def resolve(self, revision: str) -> str | None:
        """Return the full sha of the commit that a branch name or sha means."""
        return await self._lookup("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")

    async def file(self, revision: str, path: str) -> GitFile | None:
        """Read one file as it is in a commit."""
        sha = await self._lookup("rev-parse", "--verify", "--quiet", f"{revision}:{path}")
        data = None if sha is None else await self.blob(sha)
        return None if sha is None or data is None else GitFile(path, sha, data)

    async def blob(self, sha: str) -> bytes | None:
        data = self._blobs.get(sha)
        if data is None:
            try:
                data = await self._git("cat-file", "blob", sha)
            except GitError:
                return None
            if len(data) < _SMALL:
                self._blobs[sha] = data
        return data

    async def tree(self, sha: str) -> list[dict[str, str]] | None:
        """Return all entries below a tree, folders among them. None when there is no such tree."""
        try:
            text = await self._git("ls-tree", "-r", "-t", "-z", sha)
        except GitError:
            return None
        entries = []
        for line in text.decode().split("\0")[:-1]:
            mode, kind, rest = line.split(" ", 2)
            blob, _, path = rest.partition("\t")
            entries.append({"path": path, "mode": mode, "type": kind, "sha": blob})
        return entries

    async def commit(self, revision: str) -> Commit | None:
        sha = await self.resolve(revision)
        return None if sha is None else (await self.log(sha, limit=1))[0]

    async def log(
        self, revision: str, *, path: str | None = None, limit: int = 100, skip: int = 0
    ) -> list[Commit]:
        """Return commits, newest first. With `path`, only those that changed it."""
        paths = [] if path is None else [path]
        text = await self._git(
            "log",
            "-z",
            f"--format={_ENTRY}",
            f"-n{limit}",
            f"--skip={skip}",
            revision,
            "--",
            *paths,
        )
        return [_commit(entry) for entry in text.decode().split("\0") if entry]

    async def changed_paths(self, before: str, after: str) -> list[str]:
        """Return the paths that differ between two commits (GitHub's two-dot diff)."""
        text = await self._git("diff", "--name-only", "-z", "--no-renames", before, after)
        return [path for path in text.decode().split("\0") if path]

    async def is_ancestor(self, older: str, newer: str) -> bool:
        return await self._lookup("merge-base", "--is-ancestor", older, newer) is not None

    async def store_blob(self, data: bytes) -> str:
        return await self._line("hash-object", "-w", "--stdin", data=data)

    async def store_tree(self, base: str | None, entries: Sequence[tuple[str, str | None]]) -> str:
        """Write `base` with these (path, blob sha) as a tree. A sha of None removes the path."""
        with tempfile.TemporaryDirectory(prefix="index-") as scratch:
            index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            if base is not None:
                await self._git("read-tree", base, extra=index)
            lines = "".join(_index_line(path, sha) for path, sha in entries)
            await self._git("update-index", "-z", "--index-info", data=lines.encode(), extra=index)
            return await self._line("write-tree", extra=index)

    async def store_commit(
        self, *, tree: str, parents: Sequence[str], message: str, author: str = _AUTHOR
    ) -> str:
        flags = [flag for parent in parents for flag in ("-p", parent)]
        named = {"GIT_AUTHOR_NAME": author}
        return await self._line("commit-tree", tree, *flags, data=message.encode(), extra=named)

    async def move(self, new: str, old: str | None, branch: str = FIRST_BRANCH) -> bool:
        """Point a branch at `new` if it is at `old`, None for no branch. False if it was not."""
        try:
            await self._git("update-ref", f"refs/heads/{branch}", new, old or "0" * 40)
        except GitError:
            return False
        return True

    async def rename(self, old: str, new: str) -> bool:
        """Rename a branch, the default one too. False when it does not exist."""
        return await self._lookup("branch", "--move", "--", old, new) is not None

    async def clone(self, sha: str, directory: Path, branch: str = FIRST_BRANCH) -> None:
        """Check `sha` out as the branch in a fresh working copy."""
        await self._git("clone", "--quiet", "--no-checkout", str(self.directory), str(directory))
        await self._git("-C", str(directory), "checkout", "--quiet", "-B", branch, sha, bare=False)

    async def _lookup(self, *arguments: str) -> str | None:
        try:
            return await self._line(*arguments)
        except GitError:
            return None

    async def _line(
        self, *arguments: str, data: bytes = b"", extra: Mapping[str, str] | None = None
    ) -> str:
        return (await self._git(*arguments, data=data, extra=extra)).decode().strip()

    async def _git(
        self,
        *arguments: str,
        data: bytes = b"",
        extra: Mapping[str, str] | None = None,
        bare: bool = True,
    ) -> bytes:
        command = ["git", *([f"--git-dir={self.directory}"] if bare else []), *arguments]
        return await asyncio.to_thread(_run, command, data, _environment() | dict(extra or {}))


def _run(command: Sequence[str], data: bytes, environment: Mapping[str, str]) -> bytes:
    try:
        done = subprocess.run(
            command, input=data, env=environment, capture_output=True, timeout=_TIME_LIMIT,
            check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise GitError("git is not installed: apt-get install git") from None
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").splitlines()
        raise GitError(lines[0] if lines else f"git ended with code {done.returncode}")
    return done.stdout


def _environment() -> dict[str, str]:
    """Return an environment without the user's git config, identity, prompts or directory."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "LC_ALL": "C",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": _AUTHOR,
        "GIT_AUTHOR_EMAIL": _EMAIL,
        "GIT_COMMITTER_NAME": _AUTHOR,
        "GIT_COMMITTER_EMAIL": _EMAIL,
    }


def _index_line(path: str, sha: str | None) -> str:
    return f"0 {'0' * 40}\t{path}\0" if sha is None else f"{_FILE_MODE} {sha}\t{path}\0"


def _commit(entry: str) -> Commit:
    sha, tree, parents, author, email, date, message = entry.split("\n", _COMMIT_HEAD_LINES)
    return Commit(
        sha=sha,
        tree=tree,
        parents=tuple(parents.split()),
        author=author,
        email=email,
        date=date,
        message=message.rstrip("\n"),
    )
