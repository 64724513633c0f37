"""Checks the fields of PyGithub's objects, and makes values of core from them.

Raises ValueError or TypeError for a field that is not as documented. errors.py translates that.
"""

import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from github.CommitStatus import CommitStatus
from github.WorkflowRun import WorkflowRun

from bot.adapters.github.errors import one_line
from bot.core.attachments import Attachments
from bot.core.batch import CopyResult, Run
from bot.core.ids import RunId
from bot.core.previous import Previous

STATUS_CONTEXT: Final = "mirror/"
STATUSES_PER_COMMIT: Final = 1000
"""How many statuses of a commit are read."""
_SUCCESS: Final = re.compile(
    r"([a-z0-9]+:[0-9a-f]{32,})(?: ([0-9]+))?(?: (?:copied|skipped))?"
    r"(?:, previous (?:is (before-[0-9]{4}-[0-9]{2}-[0-9]{2}(?:\.[2-9])?)|not kept: ([^,]*)))?"
    r"(?:, ([0-9]{1,4}) attached)?(?:, not attached: ([^,]*))?"
    r"(?:, .*)?"
)
"""Digest, bytes, what was done, and what became of the digest before and of attachments.

The rest is for people.
"""
_QUEUED: Final = frozenset({"queued", "waiting", "pending", "requested"})
"""States of a run that no runner has taken: https://docs.github.com/en/rest/actions/workflow-runs"""
_SHA: Final = re.compile(r"[0-9a-f]{40,64}")
_MAX_INTEGER: Final = 2**63 - 1  # of a database column


def parse_run(run: WorkflowRun, *, completed: bool = False) -> Run:
    """`completed`: read the state and the conclusion too.

    The answer to a dispatch has none: no runner can have taken that run yet.
    """
    number = run.id  # read once: another field may make PyGithub fetch all of them again
    if not 0 < number <= _MAX_INTEGER:
        raise ValueError("the id of a run is out of range")
    status = text_of(run.status) if completed else ""
    conclusion = text_of(run.conclusion or "unknown") if status == "completed" else ""
    url = text_of(run.html_url)
    created = run.created_at if completed else None
    return Run(
        RunId(number),
        url,
        conclusion,
        is_queued=not completed or status in _QUEUED,
        created_at=created,
    )


def text_of(value: object) -> str:
    """A field that GitHub always fills. PyGithub makes it None if the answer is not JSON."""
    if not isinstance(value, str) or not value.isprintable():
        raise TypeError("a field is missing, or is not one line of text")
    return value


def sha_of(value: object) -> str:
    text = text_of(value)
    if not _SHA.fullmatch(text):
        raise ValueError("a field is not a sha")
    return text


def newest_of_run(
    run: Run, statuses: Iterable[CommitStatus], left: Collection[frozenset[str]], *, prefix: str
) -> Collection[CommitStatus]:
    """The last status of each context that a run has posted, of those that begin with the prefix.

    It reads no further than needed, since a tip where many runs reported has many pages: until one
    of each set of `left` is there.
    """
    newest: dict[str, CommitStatus] = {}
    for status in islice(statuses, STATUSES_PER_COMMIT):
        if not left or (run.created_at and status.created_at < run.created_at):
            break
        if status.target_url == run.url and status.context.startswith(prefix):
            newest.setdefault(status.context, status)
            left = [names for names in left if status.context not in names]
    return newest.values()


def parse_result(status: CommitStatus) -> CopyResult | None:
    image = text_of(status.context).removeprefix(STATUS_CONTEXT)
    text = one_line(status.description or "")
    if status.state == "pending":
        return None
    if status.state != "success":
        return CopyResult(image, None, line=text)
    match = _SUCCESS.fullmatch(text)
    if match is None:
        return CopyResult(image, None, line=f"a status in an unknown form: {text}")
    size = int(match[2] or 0)
    previous = Previous(match[3] or "", match[4] or "") if match[3] or match[4] else None
    return CopyResult(
        image,
        match[1],
        size if 0 < size <= _MAX_INTEGER else None,
        previous=previous,
        attachments=Attachments(int(match[5] or 0), match[6] or ""),
    )


def words_of(status: CommitStatus) -> tuple[str, str]:
    """The state of a status, and its text."""
    return text_of(status.state), one_line(status.description or "")


def time_of(text: str) -> datetime | None:
    """`2026-12-30 08:00:00 UTC`, as GitHub writes it, or with an offset such as +0800."""
    for form in ("%Y-%m-%d %H:%M:%S %Z", "%Y-%m-%d %H:%M:%S %z"):
        try:
            found = datetime.strptime(text, form)  # noqa: DTZ007 - it is UTC, and %Z gives no zone
        except ValueError:
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None
