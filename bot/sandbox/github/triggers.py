"""Which events start a run of the mirror workflow, and the event file that the run gets.

act runs whatever it is given. So GitHub's part is done here: filtering pushes (`branches`,
`paths`, `[skip ci]`), the title (`run-name`) and the event file. Pure: no I/O, no clock.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

WORKFLOW = ".github/workflows/mirror.yml"
INPUTS = frozenset({"images", "batch", "decision"})
INPUT_CHARACTERS = 65_535
"""The most that GitHub takes for all inputs of a dispatch together."""
COMMITS_OF_A_PUSH = 2048
"""The most commits that GitHub lists in the event of a push."""

_SKIP_WORDS = ("[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]")
_SKIP_TRAILER = re.compile(r"^skip-checks: ?true$", re.IGNORECASE)
_FILTER = re.compile(r"\b(branches|paths): *\[([^]]*)\]")
_RUN_NAME = re.compile(r"^run-name:[ \t]*(.+)$", re.MULTILINE)
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")
_FORMAT = re.compile(r"^format\(\s*'([^']*)'\s*,(.*)\)$")


@dataclass(frozen=True, slots=True)
class Trigger:
    """A push or a dispatch. `server` is the address of the API that got it.

    `commits` are those of a push, sha and message, oldest first.
    """

    event: str
    sha: str
    server: str
    message: str
    before: str = "0" * 40
    branch: str = "main"
    forced: bool = False
    inputs: Mapping[str, str] = field(default_factory=dict)
    commits: Sequence[tuple[str, str]] = ()


def skipped(message: str) -> bool:
    """Return whether the message of the tip tells GitHub to start no run."""
    trailers = message.rstrip().rpartition("\n\n")[2].splitlines()
    return any(word in message for word in _SKIP_WORDS) or any(
        _SKIP_TRAILER.match(line.strip()) for line in trailers
    )


def concerned(workflow: str, branch: str, changed: Sequence[str]) -> bool:
    """Return whether a push to `branch` that changed these files starts the workflow.

    The filters `branches` and `paths` name branches and files without patterns here. Without a
    filter every one counts.
    """
    named = {
        found[1]: {name.strip(" \"'") for name in found[2].split(",")}
        for found in _FILTER.finditer(workflow)
    }
    paths = named.get("paths", set(changed))
    return branch in named.get("branches", {branch}) and not paths.isdisjoint(changed)


def event_file(
    trigger: Trigger, *, repository: str, default_branch: str = "main"
) -> dict[str, object]:
    """Return the event as the workflow reads it at GITHUB_EVENT_PATH."""
    owner = repository.partition("/")[0]
    common: dict[str, object] = {
        "ref": f"refs/heads/{trigger.branch}",
        "repository": {
            "full_name": repository,
            "default_branch": default_branch,
            "owner": {"login": owner},
        },
        "sender": {"login": owner},
    }
    if trigger.event == "workflow_dispatch":
        return common | {"inputs": dict(trigger.inputs), "workflow": WORKFLOW}
    commits = trigger.commits or [(trigger.sha, trigger.message)]
    shown = [{"id": sha, "message": message, "distinct": True} for sha, message in commits]
    return common | {
        "before": trigger.before,
        "after": trigger.sha,
        "created": set(trigger.before) == {"0"},
        "deleted": False,
        "forced": trigger.forced,
        "commits": shown,
        "head_commit": shown[-1],
    }


def title(workflow: str, trigger: Trigger) -> str:
    """Return the run's title: `run-name` of the workflow file, or else GitHub's default."""
    found = _RUN_NAME.search(workflow)
    fallback = trigger.message.partition("\n")[0] if trigger.event == "push" else "mirror"
    if found is None:
        return fallback
    template = found[1].strip().strip("\"'")
    known = _context(trigger)
    text = _EXPRESSION.sub(lambda match: _evaluate(match[1], known), template)
    return text.partition("\n")[0].strip() or fallback


def _context(trigger: Trigger) -> dict[str, str]:
    push = trigger.event == "push"
    return {
        "github.sha": trigger.sha,
        "github.event_name": trigger.event,
        "github.event.head_commit.message": trigger.message if push else "",
        **{f"inputs.{name}": trigger.inputs.get(name, "") for name in INPUTS},
        **{f"github.event.inputs.{name}": trigger.inputs.get(name, "") for name in INPUTS},
    }


def _evaluate(expression: str, known: Mapping[str, str]) -> str:
    """Evaluate the part of GitHub's expressions that a run-name needs: ||, &&, == and format()."""
    value = ""
    for alternative in expression.split("||"):
        values = [_operand(part.strip(), known) for part in alternative.split("&&")]
        value = values[-1] if all(values) else ""
        if value:
            break
    return value


def _operand(text: str, known: Mapping[str, str]) -> str:
    left, equals, right = text.partition("==")
    if equals:
        return "true" if _operand(left.strip(), known) == _operand(right.strip(), known) else ""
    call = _FORMAT.match(text)
    if call is not None:
        arguments = [_operand(part.strip(), known) for part in call[2].split(",")]
        return re.sub(r"\{(\d)\}", lambda match: arguments[int(match[1])], call[1])
    if text.startswith("'") and text.endswith("'"):
        return text[1:-1]
    return known.get(text, "")
