"""What people read when a registry refuses, behaves oddly or breaks: words_of_registries.txt.

Real registries are behind fronts that answer as Harbor and others do. Harbor refuses a tag only at
the last request, and hides what it may not show: github.com/goharbor/harbor, src/server/middleware.
After a clear refusal nothing else is tried, so that it costs no pulls. After an intended change,
`UPDATE_SCREENS=1 pytest tests/workflow/test_registry_words.py` writes the file anew.
"""

import os
from pathlib import Path

from mirror_fronts import Rule, at, errors, fronts
from registry_fixture import Ran, World, registries, world

from bot.adapters.telegram.rendering import TelegramWords
from bot.adapters.words import Maintainer
from bot.core.failures import classify
from bot.dialog.language import Language
from bot.dialog.message import Message, say

__all__ = ["registries", "world"]  # fixtures: pytest finds them by these names

GOLDEN = Path(__file__).with_name("words_of_registries.txt")
PLATFORMS = tuple(f"p{n}" for n in range(10))
WORDS = TelegramWords(maintainer=Maintainer("ana", 0))
MANIFESTS, TAG, UPLOADS, BLOBS = "/manifests/", "/manifests/1", "/blobs/uploads/", "/blobs/"
PROJECT = "project docker.io not found"
RIGHT = "unauthorized to access repository: docker.io/wei/x, action: push"
QUOTA = "adding 1 MiB of storage resource will exceed the configured upper limit of 10 MiB."
IMMUTABLE = "Failed to process request due to 'wei/x:1' configured as immutable."
READ_ONLY = "The system is in read only mode. Any modification is prohibited."
PROXY = "can not push artifact to a proxy project: x"


def both(*rules: Rule) -> Rule:
    """The first rule that answers."""
    return lambda method, path: next(
        (found for rule in rules if (found := rule(method, path))), None
    )


def at_heads(status: int, what: str = MANIFESTS) -> Rule:
    return at("HEAD", what, status)


TARGETS = {
    "Harbor, the tag is immutable": at("PUT", TAG, 412, errors("PRECONDITION", IMMUTABLE)),
    "Harbor, the quota is used up": at("PUT", TAG, 403, errors("DENIED", QUOTA)),
    "Harbor, the robot may not push": at("PUT", TAG, 401, errors("UNAUTHORIZED", RIGHT)),
    "Harbor, the project is missing": both(
        at_heads(401, "/"), at("POST", UPLOADS, 401, errors("UNAUTHORIZED", PROJECT))
    ),
    "Harbor, the project is a proxy": at("PUT", TAG, 403, errors("DENIED", PROXY)),
    "Harbor, in maintenance": at("POST", UPLOADS, 403, errors("DENIED", READ_ONLY)),
    "Harbor, what is not scanned is hidden": both(at_heads(412), at("GET", MANIFESTS, 412)),
    "a gateway refuses with a page": at("PUT", TAG, 403, b"<html>no</html>"),
    "a gateway takes no large body": at("PUT", UPLOADS, 413, b"<html>too large</html>"),
    "the disk is full": at("PUT", UPLOADS, 507),
    "it takes whole uploads alone": at("PATCH", UPLOADS, 405),
    "each upload breaks": at("PUT", UPLOADS, 502),
    "each manifest breaks": at("PUT", MANIFESTS, 500),
    "our registry asks us to wait": at("PUT", TAG, 429, errors("TOOMANYREQUESTS", "slow down")),
}
SOURCES = {
    "the source tells no digest at HEAD": at_heads(200),
    "the source does not know HEAD": at_heads(405),
    "the source wants a login": both(
        at_heads(401), at("GET", MANIFESTS, 401, errors("UNAUTHORIZED", "authentication required"))
    ),
    "the source lost a layer": at("GET", BLOBS, 404, errors("BLOB_UNKNOWN", "blob unknown")),
    "the source allows no more pulls": both(
        at_heads(429), at("GET", MANIFESTS, 429, errors("TOOMANYREQUESTS", "pull rate limit"))
    ),
    "the source is down": both(at_heads(503), at("GET", "/", 503)),
}
EVERY = {**TARGETS, **SOURCES}


def name_of(case: str) -> str:
    return f"docker.io/wei/words-{list(EVERY).index(case)}"


def only(rules: dict[str, Rule]) -> Rule:
    """Each rule for the image of its case alone."""
    paths = {f"/{name_of(case)[len('docker.io/') :]}/": rule for case, rule in rules.items()}

    def answered(method: str, path: str) -> tuple[int, bytes] | None:
        return next((rule(method, path) for own, rule in paths.items() if own in path), None)

    return answered


def read(ran: Ran, name: str) -> str:
    """The status, and what the bot makes of it."""
    state, _, line = ran.says(f"{name}:1").partition(": ")
    if state == "success":
        return "    success\n"
    why = say(f"failure-{classify(line)}", line=line, request=41)
    shown = WORDS.render(Message((why,)), Language.EN).html.splitlines()
    return "".join(f"    {text}\n" for text in (f"{state}: {line}", *shown))


def test_what_registries_refuse_is_read_in_their_own_words(world: World) -> None:
    for case in EVERY:
        world.seed(name_of(case), platforms=PLATFORMS)
    with fronts(world, only(SOURCES), only(TARGETS)) as (near, far, run):
        ran = run("".join(f"{name_of(case)}:1\n" for case in EVERY))
        assert not ran.skopeo
        known = "".join(f"{case}\n{read(ran, name_of(case))}" for case in EVERY)
        wrong = run(f"{name_of('the disk is full')}:1\n", MIRROR_PASSWORD="wrong")
    known += f"the robot's name or password is wrong\n{read(wrong, name_of('the disk is full'))}"
    known = known.replace(far.address.partition("://")[2], "harbor.example.com")
    if os.environ.get("UPDATE_SCREENS"):
        GOLDEN.write_text(known, encoding="utf-8")
    assert known == GOLDEN.read_text(encoding="utf-8")
    pulled = {case: near.of("GET", f"/{name_of(case)[10:]}/manifests/") for case in TARGETS}
    assert pulled == dict.fromkeys(TARGETS, 1 + len(PLATFORMS))
    assert world.target.head(name_of("Harbor, what is not scanned is hidden"), "1")
