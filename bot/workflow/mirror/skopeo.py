"""Runs skopeo: its login, its copies, and its errors in one line.

skopeo copies what `copying` does not: unusual manifests, and whatever failed there.
"""

import json
import os
import re
import subprocess
import time
from pathlib import Path

from . import waits
from .log import one_line, say
from .registry import Repository
from .settings import SECRETS, Settings

LOGIN_SECONDS = 60  # in all
END_CHARACTERS = 1000  # of an error text are examined, from each end

# Signs of a transient error of a service. Any other error is about the image.
TROUBLE = re.compile(
    r"too ?many ?requests|rate limit|time(?:d )?out|deadline exceeded|\beof\b|broken pipe|skopeo:"
    r"|connection (?:refused|reset)|unreachable|temporary|misbehaving|no such host|stream error"
    r"|status[^0-9]{0,30}5\d\d|\b5\d\d \([a-z]|goaway|proxyconnect|no route to|name resolution"
    r"|closed network|not match,? expected|unexpected end of json|invalid character '<'"
    r"|statuscode: 429",
    re.IGNORECASE,
)
# Words that name the side of an error. skopeo writes them before any image name.
_TARGET = r"destination|writing|upload|logging|authenticating"
_SOURCE = r"source|reading|pinging|choosing|parsing"
# Prefixes to remove, from the outside in, since a status has 140 characters.
NOISE = (
    (r"^initializing(?: image from)? \w+ \S+ |^.* at destination: ", ""),
    (r"^copying (?:image \S+|system image) from manifest list: ", ""),
    (r"^writing blob: (?:uploading layer chunked: )?|^writing manifest: ", ""),
    (r"^reading (?:config )?blob(?: \S+)?: ", ""),
    (r'^authenticating creds for "\S+": |^choosing an image from manifest list \S+ ', ""),
    (r'^parsing manifest list ".*": ', ""),
    (r"^failed to read from destination repository \S+: ", ""),
    (r"^.* (?:in|to) [^ ]+: ", ""),
    (r"\bpinging container registry [^ ]+: (?=[A-Z])", ""),
    (r"\bpinging container registry ", ""),
    (r'\b[A-Z][a-z]+ "\w+://([^/"]*)[^"]*": ', r"\1: "),  # method and URL -> host
    (r"\b(sha\d+:[0-9a-f]{12})[0-9a-f]+", r"\1…"),
    (r"^(.+): \1$", r"\1"),
)


def skopeo(folder: Path, *arguments: str, given: str = "", seconds: int = 0) -> str:
    """Run skopeo. Return why it failed, in one line, or nothing.

    `folder` holds auth.json. `given` is its standard input. It gets none of this run's secrets.
    """
    seconds = seconds or waits.COPY_SECONDS
    env = {k: v for k, v in os.environ.items() if k not in SECRETS}
    env["REGISTRY_AUTH_FILE"] = str(folder / "auth.json")
    command = ["skopeo", f"--command-timeout={seconds}s", *arguments]
    limit = seconds + 60
    try:
        done = subprocess.run(
            command, input=given.encode(), capture_output=True, check=False, env=env, timeout=limit
        )
    except (OSError, subprocess.TimeoutExpired) as broken:
        return f"skopeo: {type(broken).__name__}"
    return cause(done.stderr.decode(errors="replace")) if done.returncode else ""


def cause(stderr: str) -> str:
    """Return the useful part of skopeo's last error, with the side that it is about."""
    fatal = re.findall(r'level=fatal msg=(?:"((?:[^"\\]|\\.)*)"|(\S+))', stderr)
    text = "".join(fatal[-1]) if fatal else (stderr.strip().splitlines() or ["no words"])[-1]
    if len(text) > 2 * END_CHARACTERS:  # untrusted, and the patterns below are slow on long text
        text = f"{text[:END_CHARACTERS]}…{text[-END_CHARACTERS:]}"
    text = re.sub(r"\\(.)", lambda m: " " if m[1] in "nrt" else m[1], text)
    # skopeo reports a failed read from the source as a part of the upload.
    text = re.sub(r"^.* happened during read: ", "reading blob: ", text)
    side = re.search(f"{_TARGET}|{_SOURCE}", text)
    for noise, kept in NOISE:
        text = re.sub(noise, kept, text)
    if side:
        text = f"{'target' if re.match(_TARGET, side[0]) else 'source'}: {text}"
    return one_line(text)


def log_in(settings: Settings, folder: Path) -> None:
    """Write all logins to folder/auth.json, mode 0600, and try the target's.

    Raises ValueError with a line for people when the target refuses the login.
    """
    target = Repository(settings, settings.host, "")
    others = {k: {"auth": v} for k, v in settings.logins.items() if k != target.host}
    file = os.open(folder / "auth.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as out:
        json.dump({"auths": others}, out)
    options = [f"--username={settings.user}", "--password-stdin", *target.tls("tls-verify")]
    left = settings.patience
    for pause in waits.TRY_PAUSES:  # a failed login fails every image
        trouble = skopeo(
            folder, "login", *options, target.host, given=settings.password, seconds=LOGIN_SECONDS
        )
        left -= pause
        words = one_line(f"login to the target: {trouble.removeprefix('target: ')}")
        if not trouble:
            return
        if left < 0 or trouble.startswith("skopeo:") or not TROUBLE.search(trouble):
            break
        say(f"again in {pause} s: {words}")
        time.sleep(pause)
    raise ValueError(words)
