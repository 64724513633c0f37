"""Fronts before the registries of a run, which answer some requests themselves."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from registry_fixture import CLIENT, Quiet, Ran, World, serving

Rule = Callable[[str, str], tuple[int, bytes] | None]
"""What a front answers for a method and a path, if it does not ask the registry."""


PASSED = ("Accept", "Authorization", "Content-Type", "Content-Range", "Range")
TOLD = ("Content-Type", "Docker-Content-Digest", "WWW-Authenticate", "Range", "Location")


def errors(code: str, message: str = "") -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


@dataclass
class Front:
    """A front before a registry. `seen` are the requests: method and path."""

    seen: list[str] = field(default_factory=list)
    address: str = ""

    def of(self, method: str, what: str) -> int:
        return sum(each.startswith(f"{method} ") and what in each for each in self.seen)


class Passing(Quiet):
    """Hands a request on to `place`, unless `own` answers it: status, body and headers."""

    place: str
    front: Front

    def own(self, _body: bytes) -> tuple[int, bytes, dict[str, str]] | None:
        raise NotImplementedError

    def more(self, _body: bytes) -> dict[str, str]:
        """Return more headers for what was created."""
        return {}

    def reply(self) -> None:
        self.front.seen.append(f"{self.command} {self.path}")
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if own := self.own(body):
            self.answer(own[0], own[1], **own[2])
            return
        headers = {name: self.headers[name] for name in PASSED if name in self.headers}
        got = CLIENT.request(
            self.command, f"{self.place}{self.path}", headers=headers, content=body, timeout=90
        )
        answered = {name: got.headers[name] for name in TOLD if name in got.headers}
        if "Location" in answered:
            answered["Location"] = answered["Location"].replace(self.place, self.front.address)
        answered |= self.more(body) if got.status_code == HTTPStatus.CREATED else {}
        self.answer(got.status_code, got.content, **answered)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = reply  # noqa: N815 - the standard library's names


@contextmanager
def before(place: str, rule: Rule) -> Iterator[Front]:
    class Ruled(Passing):
        front = Front()

        def own(self, _body: bytes) -> tuple[int, bytes, dict[str, str]] | None:
            found = rule(self.command, self.path)
            return (*found, {}) if found else None

    Ruled.place = place
    with serving(Ruled) as Ruled.front.address:
        yield Ruled.front


@contextmanager
def fronts(world: World, source: Rule, target: Rule) -> Iterator[tuple[Front, Front, Any]]:
    """Both registries behind fronts, and a function that runs a list between them."""
    with (
        before(f"http://{world.source.address}", source) as near,
        before(f"http://{world.target.address}", target) as far,
    ):
        host = far.address.partition("://")[2]
        addresses = {"docker.io": f"{near.address}/docker.io", host: far.address}
        given = {"HARBOR_HOST": host, "REGISTRY_ADDRESSES": json.dumps(addresses)}

        def run(text: str, **env: str) -> Ran:
            return world.run(text, None, **(given | env))

        yield near, far, run


def willing(_method: str, _path: str) -> None:
    return None


def at(method: str, what: str, status: int, body: bytes = b"") -> Rule:
    def rule(asked: str, path: str) -> tuple[int, bytes] | None:
        return (status, body) if asked == method and what in path else None

    return rule


LAYERS_MOVED = "        self.leave_previous(digest)\n"
NOTHING_MOVED = "        top = self.content.top(wanted, self.permit)\n"


def left_to_skopeo(world: World, right: str = LAYERS_MOVED) -> None:
    """Let the script meet something out of the ordinary in each image, in place of a line of it."""
    script = world.directory / ".github/mirror/copying.py"
    text = script.read_text(encoding="utf-8")
    assert text.count(right) == 1
    script.write_text(text.replace(right, '        raise OddError("of the test")\n'))
