"""What people do by hand in the fake mirror repository: edits, pushes, runs, settings."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from engine_mirror import MirrorRepository

from bot.core import image_list
from bot.core.image import ImageRef
from bot.engine.ports.repository import WorkflowState

Deed = Callable[[MirrorRepository], None]
AWAY: Final = timedelta(seconds=30)
"""How long the branch has another name. A person notices this mistake quickly."""


def add_a_comment(repository: MirrorRepository) -> None:
    repository.people_write(lambda text: text + b"# by hand, \xff\r\n")


def add_an_image_of_their_own(repository: MirrorRepository) -> None:
    repository.people_write(lambda text: text + b"own/image:%d\n" % repository.writes)


def add_what_the_bot_is_about_to_add(repository: MirrorRepository) -> None:
    _add(repository, ImageRef.parse("docker.io/library/nginx:1.27"))


def _add(repository: MirrorRepository, image: ImageRef) -> None:
    """Add it unless it is listed: people do not add what they can see in the list."""
    if image_list.unlisted(repository.content, [image]):
        repository.people_write(lambda text: text + f"{image}\n".encode())


def reorder_the_list(repository: MirrorRepository) -> None:
    repository.people_write(lambda text: b"".join(sorted(text.splitlines(keepends=True))))


def take_the_last_line_out(repository: MirrorRepository) -> None:
    """Delete the last line of the list, and of `people_list` if it is there."""
    lines = repository.content.splitlines(keepends=True)
    if lines:
        last = lines[-1]
        repository.people_write(lambda text: _without(text, last))


def _without(text: bytes, line: bytes) -> bytes:
    return b"".join(each for each in text.splitlines(keepends=True) if each != line)


def delete_the_list(repository: MirrorRepository) -> None:
    repository.people_write(lambda text: b"")


def force_push_it_away(repository: MirrorRepository) -> None:
    if repository.commits:
        repository.force_push()


def delete_the_workflow(repository: MirrorRepository) -> None:
    repository.state = WorkflowState.MISSING


def disable_the_workflow(repository: MirrorRepository) -> None:
    repository.state = WorkflowState.OFF


def enable_the_workflow(repository: MirrorRepository) -> None:
    repository.state = WorkflowState.ACTIVE


def cancel_the_run(repository: MirrorRepository) -> None:
    repository.cancel_runs()


def run_it_again(repository: MirrorRepository) -> None:
    if repository.runs and repository.runs[-1].run.is_finished:
        repository.rerun()


def delete_the_runs(repository: MirrorRepository) -> None:
    repository.delete_runs()


def rename_the_branch_and_name_it_back(repository: MirrorRepository) -> None:
    repository.rename_branch(back_after=AWAY)


DEEDS: Final[Mapping[str, Deed]] = MappingProxyType(
    {
        deed.__name__: deed
        for deed in (
            add_a_comment,
            add_an_image_of_their_own,
            add_what_the_bot_is_about_to_add,
            reorder_the_list,
            take_the_last_line_out,
            delete_the_list,
            force_push_it_away,
            delete_the_workflow,
            disable_the_workflow,
            enable_the_workflow,
            cancel_the_run,
            run_it_again,
            delete_the_runs,
            rename_the_branch_and_name_it_back,
        )
    }
)
