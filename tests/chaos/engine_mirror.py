"""A fake mirror repository with history, with people who also write to it, and with Actions.

It is GitHub in the chaos tests of the engine. The bot sees the port of fakes.FakeRepository. The
rest of this class is what people and Actions do.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from fakes import FakeRegistries, FakeRepository, FakeRun
from invariants import Overwritten, Ran

from bot.core import image_list
from bot.core.batch import CopyResult, Run, batch_of
from bot.core.errors import RefusedError, StaleError
from bot.core.ids import BatchId, CommitSha, RunId
from bot.core.image import ImageRef
from bot.core.previous import Previous, previous_tag
from bot.engine.ports.repository import ListFile, Names, WorkflowState

COPY_SECONDS: Final = 4.0


@dataclass
class Job:
    """What a run has to do.

    By name and tag, `decided` are the digests that the bot sealed, and `previous` how the tags end
    that get the digests before them. With `looks` it copies nothing and looks at these.
    """

    images: tuple[ImageRef, ...]
    began: datetime
    decided: Mapping[ImageRef, str] = field(default_factory=dict)
    previous: Mapping[ImageRef, str] = field(default_factory=dict)
    seconds: float = COPY_SECONDS
    looks: tuple[ImageRef, ...] = ()


@dataclass
class Plan:
    """How copying an image goes. Each of `lines` makes it fail in one run.

    `silent`: the run reports nothing about it. `lies`: the run reports success without copying.
    `other` is the digest that the target gets instead of the one that the run reports.
    """

    lines: list[str] = field(default_factory=list)
    silent: bool = False
    lies: bool = False
    other: str = ""


class MirrorRepository(FakeRepository):
    """`people_list` is image.list without the bot's lines. `removed` is what was deleted.

    `race` changes the list just before the next write arrives, like another person's push.
    """

    def __init__(self, registries: FakeRegistries, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self._registries = registries
        self._clock = clock
        self.people_list = self.content
        self.removed: set[str] = set()
        self.jobs: dict[RunId, Job] = {}
        self.plans: dict[str, Plan] = {}
        self.race: list[Callable[[], None]] = []
        self.overwritten: list[Overwritten] = []
        self.gone_runs: set[RunId] = set()
        self.back_at: datetime | None = None

    # -- what the bot sees --------------------------------------------------------------

    async def read_list(self) -> ListFile:
        found = await super().read_list()
        if self._is_renamed:
            raise RefusedError("GitHub: No commit found for the ref main (404)")
        return found

    async def find_commit(self, batch: BatchId) -> CommitSha | None:
        found = await super().find_commit(batch)
        if self._is_renamed:
            raise RefusedError("GitHub: Not Found (404)")
        return found

    async def write_list(self, content: bytes, *, blob: str, message: str) -> CommitSha:
        self._stumble("write_list")
        if self.race:
            self.race.pop(0)()
        if self._is_renamed:
            raise RefusedError("GitHub: Branch main not found (404)")
        if blob != f"blob-{hash(self.content)}":
            raise StaleError("image.list does not match")
        names = re.findall(r"^Removed: ([^;]+);", message, re.MULTILINE)
        leaving = [ImageRef.parse(name) for name in names]
        self.people_list = image_list.without(self.people_list, leaving)
        self.removed |= set(map(str, leaving))
        sha = self._commit(content, message)
        self._lose("write_list")
        return sha

    async def dispatch(self, decision: str, *, batch: BatchId) -> Run | None:
        self._stumble("dispatch")
        if self.state is not WorkflowState.ACTIVE:
            raise RefusedError(f"GitHub: the workflow is {self.state} (422)")
        if self._is_renamed:
            raise RefusedError("GitHub: No ref found for: main (422)")
        if not self.dispatches_start_runs:
            return None
        run = self._start("dispatch", CommitSha("f" * 40), batch)
        decided = _decided(decision)
        looks = tuple(map(ImageRef.parse, re.findall(r"^Look: ([^;\n]+)", decision, re.MULTILINE)))
        chosen = () if looks else tuple(decided) or image_list.listed_images(self.content)
        left = _left(decision)
        job = Job(chosen, self._clock(), decided=decided, previous=left, looks=looks)
        self.jobs[run.id] = job
        self._lose("dispatch")
        return run if self.dispatches_are_named else None

    async def run(self, run: RunId) -> tuple[Run, CommitSha]:
        if run in self.gone_runs:
            self._stumble("run")
            raise RefusedError("GitHub: Not Found (404)")
        return await super().run(run)

    async def results(
        self, run: Run, sha: CommitSha, *, awaited: Collection[Names]
    ) -> tuple[CopyResult, ...]:
        self._stumble("results")
        newest = {
            result.image: result for result in await super().results(run, sha, awaited=awaited)
        }
        return tuple(newest.values())

    # -- what people do -----------------------------------------------------------------

    def people_write(self, edit: Callable[[bytes], bytes]) -> None:
        """Edit the list by hand and push. The same edit is made to `people_list`."""
        lost = set(image_list.listed_images(self.content)) - set(
            image_list.listed_images(edit(self.content))
        )
        self.removed |= {str(image) for image in lost}
        self.people_list = edit(self.people_list)
        self._commit(edit(self.content), "Tidy up")

    def force_push(self, *, commits: int = 1) -> None:
        """Drop the last commits by a forced push."""
        self.removed |= {str(image) for image in image_list.listed_images(self.content)}
        del self.commits[-commits:]
        self.content = self.people_list

    def rerun(self, *, run: int = -1) -> None:
        """Press "Re-run": a second attempt under the same run id."""
        found = self.runs[run]
        found.run = replace(found.run, conclusion="")
        self.jobs[found.run.id].began = self._clock()

    def cancel_runs(self) -> None:
        for found in self.runs:
            if not found.run.is_finished:
                found.run = replace(found.run, conclusion="cancelled")

    def rename_branch(self, *, back_after: timedelta) -> None:
        """Rename the branch, and rename it back after a while."""
        self.back_at = self._clock() + back_after

    @property
    def _is_renamed(self) -> bool:
        return self.back_at is not None and self._clock() < self.back_at

    def delete_runs(self) -> None:
        self.gone_runs |= {found.run.id for found in self.runs}

    # -- Actions ------------------------------------------------------------------------

    def work(self) -> None:
        """Copy what is due, post its statuses, and end the run."""
        for found in self.runs:
            job = self.jobs[found.run.id]
            if not found.run.is_finished and self._clock() >= job.began + timedelta(
                seconds=job.seconds
            ):
                well = [self._copy(found, image, job) for image in job.images]
                well += [self._look_at(found, image) for image in job.looks]
                conclusion = "success" if all(well) else "failure"
                found.run = replace(found.run, conclusion=conclusion)

    def _look_at(self, found: FakeRun, image: ImageRef) -> bool:
        plan = self.plans.get(str(image), Plan())
        if plan.silent:
            return False
        if plan.lines:
            self.look(image, plan.lines.pop(0), state="error", run=self.runs.index(found))
            return False
        digest = self._registries.source.get(str(image))
        words = f"{digest} none" if isinstance(digest, str) else "missing"
        self.look(image, words, "0 linux/amd64", run=self.runs.index(found))
        return True

    @property
    def busy(self) -> bool:
        return any(not found.run.is_finished for found in self.runs)

    def _copy(self, found: FakeRun, image: ImageRef, job: Job) -> bool:
        plan = self.plans.get(str(image), Plan())
        name = str(image.place)
        digest = job.decided.get(image.place) or image.digest or self._registries.source.get(name)
        if plan.silent:
            return False
        if plan.lines:
            found.results.append(CopyResult(str(image), None, line=plan.lines.pop(0)))
            return False
        if not isinstance(digest, str):
            found.results.append(CopyResult(str(image), None, line="manifest unknown"))
            return False
        previous = None
        if not plan.lies:
            previous = self._overwrite(image.place, plan.other or digest, job.previous)
        found.results.append(CopyResult(str(image), digest, 2_100_000, previous=previous))
        return True

    def _overwrite(
        self, image: ImageRef, digest: str, endings: Mapping[ImageRef, str]
    ) -> Previous | None:
        """Put a digest under a tag. Leave the one before it, where the decision says so."""
        target, ending = self._registries.target, endings.get(image, "")
        held = target.get(str(image))
        target[str(image)] = digest
        if not isinstance(held, str) or held == digest or image.tag is None:
            return None
        for own in [ending, *(f"{ending}.{number}" for number in range(2, 10))] if ending else ():
            left = str(replace(image, tag=previous_tag(image.tag, own)))
            if target.setdefault(left, held) == held:
                self.overwritten.append(Overwritten(str(image), held, left))
                return Previous(own)
        self.overwritten.append(Overwritten(str(image), held, None))
        return None

    def _commit(self, content: bytes, message: str) -> CommitSha:
        added = set(image_list.listed_images(content)) - set(image_list.listed_images(self.content))
        self.writes += 1
        sha = CommitSha(f"{self.writes:040x}")
        self.content = content
        self.commits.append((sha, message))
        if self.pushes_start_runs and self.state is WorkflowState.ACTIVE:
            run = self._start("push", sha, "push")
            images = tuple(i for i in image_list.listed_images(content) if i in added)
            decided, left = _decided(message), _left(message)
            self.jobs[run.id] = Job(images, self._clock(), decided=decided, previous=left)
        return sha

    # -- the end state ------------------------------------------------------------------

    def ran(self) -> tuple[Ran, ...]:
        messages = dict(self.commits)
        return tuple(
            Ran(found.run.id, found.title, dispatched=True)
            if found.event == "dispatch"
            else Ran(found.run.id, self._batch(found.sha, messages))
            for found in self.runs
        )

    @staticmethod
    def _batch(sha: CommitSha, messages: dict[CommitSha, str]) -> str | None:
        """Return None for a commit that was pushed away: it cannot be known any more."""
        return None if sha not in messages else (batch_of(messages[sha]) or "")


def _decided(block: str) -> dict[ImageRef, str]:
    """Return the digest that the lines of a block name for each name and tag."""
    found = map(ImageRef.parse, re.findall(r"^Image: ([^;]+);", block, re.MULTILINE))
    return {image.place: image.digest or "" for image in found}


def _left(block: str) -> dict[ImageRef, str]:
    """Return how the tags end that get the digests before, by name and tag."""
    found = re.findall(r"^Image: ([^;]+);(?:.*;)? previous ([^;]+);", block, re.MULTILINE)
    return {ImageRef.parse(name).place: ending for name, ending in found}
