"""The logins of a run: a file for skopeo, and the proof that the target takes its login."""

import json
import os
import time
from http import HTTPStatus
from pathlib import Path

from . import waits
from .log import one_line, say
from .registry import TARGET, Repository
from .registry_http import Answer
from .settings import Settings


class LoginError(Exception):
    """The target does not take the login, so no image can be copied. Its text is for people."""


def write_logins(settings: Settings, folder: Path, *repositories: str) -> None:
    """Write the logins of some repositories to folder/auth.json, mode 0600, for skopeo.

    It gets no others, and the file lies there no longer than it runs.
    """
    names = {"auth": "basic", "identitytoken": "token"}
    logins = {
        place: {name: value for name, part in names.items() if (value := getattr(login, part))}
        for place in repositories
        if (login := settings.login(place))
    }
    file = os.open(folder / "auth.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as out:
        json.dump({"auths": logins}, out)


def prove_login(settings: Settings) -> None:
    """Ask the target whether it takes the login. Raises LoginError, after waits in trouble."""
    target = Repository(settings, settings.host, "", TARGET)
    left = settings.patience
    for pause in waits.TRY_PAUSES:  # a failed login fails every image
        answer = target.enter()
        left -= pause
        if answer.status in (HTTPStatus.OK, HTTPStatus.NOT_FOUND):  # some have no page there
            return
        words = one_line(f"login to the target: {_words(target, answer)}")
        if left < 0 or not answer.trouble:
            break
        say(f"again in {pause} s: {words}")
        time.sleep(pause)
    raise LoginError(words)


def _words(target: Repository, answer: Answer) -> str:
    if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return f'logging into "{target.host}": invalid username/password'
    return f'logging into "{target.host}": {answer.words}'
