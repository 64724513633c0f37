"""GitHub's side of a run: which images it is for, a status per image, and the summary.

The bot reads the statuses. `target_url` names the run, and the context names the image.
"""

import hashlib
import json
import math
import re
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from . import decision, waits
from .copying import Result
from .log import STATUS_CHARACTERS, one_line, say
from .orders import HAND_WRITTEN
from .registry_http import Answer, ask, wait_as_asked

CONTEXT_CHARACTERS = 255  # GitHub refuses a longer one
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


def asked_again(
    env: Mapping[str, str],
    method: str,
    path: str,
    data: bytes | None = None,
    pauses: Sequence[float] = waits.GITHUB_PAUSES,
) -> Answer:
    """Send a request until it passes: after these pauses in trouble, and after a limit's end.

    Without pauses it is sent once.
    """
    left, limits = iter(pauses), waits.GITHUB_LIMITS if pauses else 0
    wanted = HTTPStatus.CREATED if data else HTTPStatus.OK
    while True:
        answer = ask_github(env, method, path, data)
        asked = limit_seconds(answer)
        if asked and limits and waits.elapsed() + asked < waits.RUN_SECONDS:
            limits -= 1
            say(f"GitHub limits this run's requests: waiting {asked:.0f} s")
            time.sleep(asked)
            continue
        pause = None if asked else next(left, None)
        refused = HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
        if pause is None or refused or answer.status == wanted:
            return answer
        wait_as_asked(answer, pause)


def limit_seconds(answer: Answer) -> float:
    """Return how long GitHub wants no requests, or 0.

    The primary limit tells its end, a secondary one may tell nothing. See
    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api.
    """
    if answer.status not in (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS):
        return 0
    reset, asked = answer.headers.get("x-ratelimit-reset", ""), answer.retry_after
    if asked is None and answer.headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        asked = math.ceil(int(reset[:12]) - time.time())
    limited = asked is not None or answer.status == HTTPStatus.TOO_MANY_REQUESTS
    if not limited and b"secondary rate limit" not in answer.body:
        return 0
    return max(1, min(waits.GITHUB_LIMIT_SECONDS if asked is None else asked, waits.LONGEST_LIMIT))


@dataclass(frozen=True)
class Asked:
    """What a run is asked to mirror, and the bot's decisions that came along."""

    lines: list[str]
    blocks: list[decision.Block]
    whole: bool  # the whole list: nobody waits for its images, so only changes get a status
    looks: "decision.Looks | None" = None  # instead of all that


def asked_for(env: Mapping[str, str]) -> Asked:
    """Return the inputs of a dispatch, or the lines that a push added, or the whole list.

    Inputs and decisions are read from the event's file: they are too long for the environment.
    """
    event = json.loads(Path(env["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    if env["GITHUB_EVENT_NAME"] == "push":
        return pushed(env, event)
    given = event.get("inputs") or {}
    decided, images = (str(given.get(name) or "") for name in ("decision", "images"))
    if not decided and not images.strip():
        return Asked(share(listed(env), env.get("SHARDS", ""), env.get("SHARD", "")), [], True)
    if looks := decision.read_looks(decided, key_of(env), time.time()):
        return Asked([], [], False, looks)
    block = read_decision(env, decided)
    named = block.names if block else [decided] if decided else []
    lines = list(dict.fromkeys([*named, *images.split()]))
    return Asked(lines, [block] if block else [], False)


def pushed(env: Mapping[str, str], event: Any) -> Asked:
    """Return what a push added to the list. All of it where GitHub does not say what was there."""
    now, before = listed(env), str(event.get("before") or "")
    commits = event.get("commits") or []
    read = (read_decision(env, str(commit.get("message"))) for commit in commits)
    blocks = [block for block in read if block]
    if not before.strip("0"):
        return Asked(now, blocks, False)
    known = None if event.get("forced") else entries_at(env, before)
    if known is None:
        return Asked(now, blocks, True)
    return Asked([line for line in now if line not in known], blocks, False)


def listed(env: Mapping[str, str]) -> list[str]:
    """Return the entries of the list as it is now."""
    file = Path(env["LIST"])
    return entries(file.read_bytes() if file.exists() else b"")


def key_of(env: Mapping[str, str]) -> decision.Key:
    """Return the key of the repository's secrets."""
    return decision.Key(env.get("DECISION_KEY", "").strip(), env.get("DECISION_KEY_ID", ""))


def read_decision(env: Mapping[str, str], text: str) -> "decision.Block | None":
    """Read a decision. The log tells why it does not count, if so."""
    block = decision.read(text, key_of(env), time.time())
    if block and block.trouble:
        say(f"note: a decision on {len(block.names)} counts as written by hand: {block.trouble}")
    return block


def entries_at(env: Mapping[str, str], commit: str) -> set[str] | None:
    """Return the entries of the list at a commit. None when GitHub does not say."""
    path = f"contents/{env['LIST']}?{urllib.parse.urlencode({'ref': commit})}"
    old = asked_again(env, "GET", path)
    if old.status == HTTPStatus.NOT_FOUND:
        return set()  # this push added the list
    return set(entries(old.body)) if old.status == HTTPStatus.OK else None


def share(lines: list[str], shards: str, shard: str) -> list[str]:
    """Return the part of one job of the matrix. Every line belongs to some job."""
    names = list(dict.fromkeys(name.strip() for name in shards.split(",")))
    return lines[names.index(shard) :: len(names)] if shard in names else lines


def post(
    env: Mapping[str, str], result: Result, pauses: Sequence[float] = waits.GITHUB_PAUSES
) -> bool:
    """Post the status of one image. Retried, since a second post does no harm."""
    context = context_of(f"mirror/{result.image}")
    return post_status(env, context, result.state, described(result), pauses)


def post_status(
    env: Mapping[str, str],
    context: str,
    state: str,
    description: str,
    pauses: Sequence[float] = waits.GITHUB_PAUSES,
) -> bool:
    """Post one status. Return whether GitHub took it."""
    page = f"{env['GITHUB_SERVER_URL']}/{env['GITHUB_REPOSITORY']}/actions/runs"
    body = {
        "state": state,
        "context": context,
        "description": description,
        "target_url": f"{page}/{env['GITHUB_RUN_ID']}",  # the bot finds the statuses of a run by it
    }
    data = json.dumps(body).encode()
    answer = asked_again(env, "POST", f"statuses/{env['GITHUB_SHA']}", data, pauses)
    if answer.status == HTTPStatus.CREATED:
        return True
    why = answer.status or "no answer"
    say(f"note: the status of {context.partition('/')[2]} could not be posted ({why})")
    return False


def context_of(name: str) -> str:
    """Return the context of an image's status. bot/core/batch.py makes the same of its name.

    One that is too long for GitHub ends with the hash of the image.
    """
    if len(name) <= CONTEXT_CHARACTERS:
        return name
    hashed = hashlib.sha256(name.partition("/")[2].encode()).hexdigest()[:12]
    return f"{name[: CONTEXT_CHARACTERS - 13]}~{hashed}"


def described(result: Result) -> str:
    """Return the description of a status: the bot reads the text, people also the ground.

    A hand-written line has none, as in earlier versions: a bot of these reads the text alone.
    """
    if result.state != "success":
        return one_line(result.text)
    text = result.text if len(result.text) <= STATUS_CHARACTERS else result.text.split()[0]
    ground = "" if result.ground == HAND_WRITTEN else result.ground
    words = told(text, *result.beside, ground, result.note)
    return words if len(words) <= STATUS_CHARACTERS else f"{words[: STATUS_CHARACTERS - 1]}…"


def cell(text: str) -> str:
    """Return a cell of a Markdown table that shows untrusted text without any markup.

    Inside code only the backtick and the bar have a meaning.
    """
    shown = one_line(text).replace("`", "'").replace("|", "¦")
    return f"`{shown}`" if shown else ""


def told(*parts: str) -> str:
    """Join what there is to tell."""
    return ", ".join(filter(None, parts))


def summarise(env: Mapping[str, str], results: Sequence[Result], bad: Sequence[str]) -> None:
    """Write the table on the run's page. It is cut at a size that GitHub accepts."""
    rows = [(line, "invalid", "", "not an image reference") for line in bad]
    rows += [
        (
            str(r.image),
            r.state,
            told(r.ground, r.more),
            told(r.text, r.note, r.previous, r.attached),
        )
        for r in results
    ]
    table = "| image | result | decided by | |\n|---|---|---|---|\n"
    for number, row in enumerate(rows):
        table += f"| {' | '.join(map(cell, row))} |\n"
        if len(table) > SUMMARY_CHARACTERS:
            table += f"\nand {len(rows) - number - 1} more\n"
            break
    if place := env.get("GITHUB_STEP_SUMMARY"):
        with Path(place).open("a", encoding="utf-8") as out:
            out.write(table)
