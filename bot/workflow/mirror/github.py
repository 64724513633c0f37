"""GitHub's side of a run: which images it is for, a status per image, and the summary.

The bot reads the statuses. `target_url` names the run, and the context names the image.
"""

import json
import re
import urllib.parse
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path

from . import waits
from .copying import Result
from .log import one_line, say
from .registry_http import Answer, ask, wait_as_asked

LIST_BYTES = 50 << 20
SUMMARY_CHARACTERS = 200_000  # GitHub drops a summary over 1 MiB


def entries(content: bytes) -> list[str]:
    """Return the entries of an image list, each once. The same rules as core/image_list.py."""
    lines = content.removeprefix(b"\xef\xbb\xbf").splitlines()
    texts = (re.sub(rb"(?:^|\s)#.*", b"", line).strip() for line in lines)
    return list(dict.fromkeys(text.decode(errors="replace") for text in texts if text))


def ask_github(env: Mapping[str, str], method: str, path: str, data: bytes | None = None) -> Answer:
    """Send one request about this repository, with the token of this run."""
    kind = "json" if data else "raw+json"
    headers = {
        "Accept": f"application/vnd.github.{kind}",
        "Authorization": f"Bearer {env['GITHUB_TOKEN']}",
        "Content-Type": "application/json",
    }
    url = f"{env['GITHUB_API_URL']}/repos/{env['GITHUB_REPOSITORY']}/{path}"
    return ask(method, url, headers, data=data, limit=LIST_BYTES)


def asked_for(env: Mapping[str, str]) -> tuple[list[str], bool]:
    """Return the inputs of a dispatch, or the lines that a push added, or the whole list.

    True for a whole list. Nobody waits for these images, so only changes get a status.
    """
    event_name, file = env["GITHUB_EVENT_NAME"], Path(env["LIST"])
    if event_name == "workflow_dispatch" and env["IMAGES"].strip():
        return list(dict.fromkeys(env["IMAGES"].split())), False
    now = entries(file.read_bytes() if file.exists() else b"")
    if event_name != "push":
        return share(now, env.get("SHARDS", ""), env.get("SHARD", "")), True
    event = json.loads(Path(env["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    before = str(event.get("before") or "")
    if not before.strip("0"):
        return now, False
    known = None if event.get("forced") else entries_at(env, before)
    return (now, True) if known is None else ([line for line in now if line not in known], False)


def entries_at(env: Mapping[str, str], commit: str) -> set[str] | None:
    """Return the entries of the list at a commit. None when GitHub does not say."""
    path = f"contents/{env['LIST']}?{urllib.parse.urlencode({'ref': commit})}"
    for pause in (*waits.GITHUB_PAUSES, None):
        old = ask_github(env, "GET", path)
        if old.status == HTTPStatus.OK:
            return set(entries(old.body))
        if old.status == HTTPStatus.NOT_FOUND:
            return set()  # this push added the list
        if pause is None or not old.passing:
            break
        wait_as_asked(old, pause)
    return None


def share(lines: list[str], shards: str, shard: str) -> list[str]:
    """Return the part of one job of the matrix. Every line belongs to some job."""
    names = [name.strip() for name in shards.split(",")]
    return lines[names.index(shard) :: len(names)] if shard in names else lines


def post(
    env: Mapping[str, str], result: Result, pauses: Sequence[float] = waits.GITHUB_PAUSES
) -> bool:
    """Post the status of one image. Retried, since a second post does no harm."""
    page = f"{env['GITHUB_SERVER_URL']}/{env['GITHUB_REPOSITORY']}/actions/runs"
    body = {
        "state": result.state,
        "context": f"mirror/{result.image}",
        "description": result.text,
        "target_url": f"{page}/{env['GITHUB_RUN_ID']}",  # the bot finds the statuses of a run by it
    }
    for pause in (*pauses, None):
        answer = ask_github(env, "POST", f"statuses/{env['GITHUB_SHA']}", json.dumps(body).encode())
        if answer.status == HTTPStatus.CREATED:
            return True
        if pause is None or not answer.passing:
            break
        wait_as_asked(answer, pause)
    say(f"note: the status of {result.image} could not be posted ({answer.status or 'no answer'})")
    return False


def cell(text: str) -> str:
    """Return a cell of a Markdown table that shows untrusted text without any markup.

    Inside code only the backtick and the bar have a meaning.
    """
    shown = one_line(text).replace("`", "'").replace("|", "¦")
    return f"`{shown}`" if shown else ""


def summarise(env: Mapping[str, str], results: Sequence[Result], bad: Sequence[str]) -> None:
    """Write the table on the run's page. It is cut at a size that GitHub accepts."""
    rows = [(line, "invalid", "not an image reference") for line in bad]
    rows += [(str(r.image), r.state, r.text) for r in results]
    table = "| image | result | |\n|---|---|---|\n"
    for number, row in enumerate(rows):
        table += f"| {' | '.join(map(cell, row))} |\n"
        if len(table) > SUMMARY_CHARACTERS:
            table += f"\nand {len(rows) - number - 1} more\n"
            break
    if place := env.get("GITHUB_STEP_SUMMARY"):
        with Path(place).open("a", encoding="utf-8") as out:
            out.write(table)
