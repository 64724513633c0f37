"""Runs skopeo: its copies, and its errors in one line.

skopeo copies what `copying` does not: unusual manifests, and whatever failed there.
"""

import os
import re
import subprocess
from pathlib import Path

from . import waits
from .ending import child
from .log import one_line
from .settings import SECRETS

END_CHARACTERS = 1000  # of an error text are examined, from each end

# Signs of a transient error of a service. Any other error is about the image.
TROUBLE = re.compile(
    r"too ?many ?requests|rate limit|time(?:d )?out|deadline exceeded|\beof\b|broken pipe|skopeo:"
    r"|connection (?:refused|reset)|unreachable|temporary|misbehaving|no such host|stream error"
    r"|status[^0-9]{0,30}5\d\d|\b5\d\d \([a-z]|goaway|proxyconnect|no route to|name resolution"
    r"|closed network|not match,? expected|unexpected end of json|invalid character '<'"
    r"|statuscode: 429|malformed http response",
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


def skopeo(folder: Path, *arguments: str, seconds: int = 0) -> str:
    """Run skopeo. Return why it failed, in one line, or nothing.

    `folder` holds auth.json. It gets none of this run's secrets.
    """
    seconds = seconds or waits.COPY_SECONDS
    env = {k: v for k, v in os.environ.items() if k not in SECRETS}
    env["REGISTRY_AUTH_FILE"] = str(folder / "auth.json")
    command = ["skopeo", f"--command-timeout={seconds}s", *arguments]
    limit = seconds + 60
    try:
        with child(command, env) as process:
            _, stderr = process.communicate(b"", limit)
    except (OSError, subprocess.TimeoutExpired) as broken:
        return f"skopeo: {type(broken).__name__}"
    return cause(stderr.decode(errors="replace")) if process.returncode else ""


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
