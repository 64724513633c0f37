"""A target over TLS that keeps what arrived of an upload, as registries after Distribution 2.8 do.

It stands in for those: it takes a login by Basic, checks each digest, and keeps manifests alone.
"""

import hashlib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

from registry_fixture import Quiet, serving

READ_BYTES = 1 << 18


@dataclass
class Session:
    """An upload that has begun."""

    hash: Any = field(default_factory=hashlib.sha256)
    size: int = 0


@dataclass
class Target:
    """What has arrived, and the requests: method, path, status."""

    address: str = ""
    blobs: set[str] = field(default_factory=set)
    manifests: dict[str, str] = field(default_factory=dict)  # path -> digest
    sessions: dict[str, Session] = field(default_factory=dict)
    asked: list[tuple[str, str, int]] = field(default_factory=list)

    @property
    def left(self) -> int:
        """The bytes of uploads that were neither ended nor given up."""
        return sum(each.size for each in self.sessions.values())


class Handler(Quiet):
    protocol_version = "HTTP/1.1"
    target: Target
    login: str
    numbers = count()

    def reply(self) -> None:
        self.url = urlsplit(self.path)
        if self.headers["Authorization"] != f"Basic {self.login}":
            self.read(Session())
            self.answer(401, WWW_Authenticate='Basic realm="r"')
        elif self.url.path == "/v2/":
            self.answer(200)
        elif "/manifests/" in self.url.path:
            self.manifest()
        elif self.command == "POST":
            key = f"{self.url.path}{next(self.numbers)}"
            self.target.sessions[key] = Session()
            self.where(202, key)
        elif "/uploads/" in self.url.path:
            self.upload(self.url.path)
        else:
            self.answer(200 if self.url.path.rpartition("/")[2] in self.target.blobs else 404)

    def manifest(self) -> None:
        repository, _, reference = self.url.path.partition("/manifests/")
        if self.command == "PUT":
            body = Session()
            self.read(body)
            digest = f"sha256:{body.hash.hexdigest()}"
            for each in (reference, digest):
                self.target.manifests[f"{repository}/manifests/{each}"] = digest
        digest = self.target.manifests.get(self.url.path, "")
        found = 201 if self.command == "PUT" else 200
        self.answer(found if digest else 404, Docker_Content_Digest=digest)

    def upload(self, key: str) -> None:
        session = self.target.sessions.get(key)
        if session is None:
            self.answer(404)
        elif self.command == "DELETE":
            del self.target.sessions[key]
            self.answer(204)
        elif self.command == "GET":
            self.where(204, key)
        elif self.read(session):
            self.taken(key, session)

    def taken(self, key: str, session: Session) -> None:
        if self.command == "PATCH":
            self.where(202, key)
            return
        digest = parse_qs(self.url.query)["digest"][0]
        good = digest == f"sha256:{session.hash.hexdigest()}"
        self.target.blobs |= {digest} if good else set()
        del self.target.sessions[key]
        self.answer(201 if good else 400)

    def where(self, status: int, key: str) -> None:
        size = self.target.sessions[key].size
        self.answer(status, Location=key, Range=f"0-{max(0, size - 1)}")

    def read(self, session: Session) -> bool:
        """Take the body, as far as it comes."""
        left = int(self.headers["Content-Length"] or 0)
        while left:
            try:
                part = self.rfile.read1(min(left, READ_BYTES))
            except OSError:
                part = b""
            if not part:
                self.close_connection = True
                return False
            session.hash.update(part)
            session.size += len(part)
            left -= len(part)
        return True

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.target.asked.append((self.command, self.path, status))
        super().answer(status, body, **headers)

    do_PUT = do_GET = do_HEAD = do_POST = do_PATCH = do_DELETE = reply  # noqa: N815 - the standard library's names


@contextmanager
def keeping_target(login: str, tls: ssl.SSLContext) -> Iterator[Target]:
    """Serve one whose login is this `user:password` in base64."""
    made = Target()
    with serving(type("Own", (Handler,), {"target": made, "login": login}), tls) as address:
        made.address = address.partition("//")[2]
        yield made
