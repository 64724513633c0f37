"""Registries and token servers over TLS, as in the world, with a count of connections to each.

The images are put into the source and looked at in the target by plain registries that share
their storage. A front before each server counts connections, since no log shows them.
"""

import base64
import contextlib
import json
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from registry_fixture import PASSWORD, USER, Ran, Registry, World, registry
from token_registry import Signer, Tokens, token_registry, token_server

LOGIN = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@dataclass(frozen=True)
class Certificates:
    """An authority of our own, and what it signed for 127.0.0.1."""

    authority: Path
    certificate: Path
    key: Path

    @classmethod
    def made(cls, folder: Path) -> "Certificates":
        made = cls(*(folder / name for name in ("authority.pem", "server.pem", "server.key")))
        secret, asked, names = (folder / name for name in ("own.key", "asked.pem", "names"))
        names.write_text("subjectAltName=IP:127.0.0.1,DNS:service.test\n")
        new = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj"]
        own = [*new, "/CN=authority.test", "-x509", "-days", "2", "-keyout", secret]
        server = [*new, "/CN=127.0.0.1", "-keyout", made.key, "-out", asked]
        sign = ["openssl", "x509", "-req", "-in", asked, "-CA", made.authority, "-CAkey", secret]
        sign += ["-CAcreateserial", "-days", "2", "-extfile", names, "-out", made.certificate]
        for command in ([*own, "-out", made.authority], server, sign):
            subprocess.run(command, check=True, capture_output=True, timeout=90)
        return made

    def context(self) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(self.certificate, self.key)
        return made


@dataclass
class Front:
    """A TCP server that passes all on to another one, and counts its connections.

    `limit` cuts each connection after so many bytes of the direction "down" or "up".
    """

    to: tuple[str, int]
    connections: int = 0
    limit: dict[str, int] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=lambda: {"up": 0, "down": 0})
    address: str = ""

    def serve(self, listening: socket.socket) -> None:
        while True:
            try:
                near, _ = listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._both_ways, args=(near,), daemon=True).start()

    def _both_ways(self, near: socket.socket) -> None:
        with near, socket.create_connection(self.to) as far:
            up = threading.Thread(target=self._pass_on, args=(near, far, "up"))
            up.start()
            self._pass_on(far, near, "down")
            up.join()

    def _pass_on(self, coming: socket.socket, going: socket.socket, way: str) -> None:
        left = self.limit.get(way, 1 << 60)
        with contextlib.suppress(OSError):
            while part := coming.recv(min(left, 1 << 16)):
                self.bytes[way] += len(part)
                going.sendall(part)
                left -= len(part)
                if not left:
                    break
        for each in (coming, going):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextmanager
def front(address: str) -> Iterator[Front]:
    host, _, port = address.rpartition("/")[2].partition(":")
    made = Front((host, int(port)))
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
        made.address = f"127.0.0.1:{listening.getsockname()[1]}"
        thread = threading.Thread(target=made.serve, args=(listening,))
        thread.start()
        try:
            yield made
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(90)


@dataclass
class Side:
    """One registry over TLS behind a front, its token server behind another, and a plain door."""

    registry: Registry
    tokens: Tokens
    front: Front
    tokens_front: Front
    plain: Registry

    def logged(self) -> list[tuple[str, str, int]]:
        """Return method, path and status of the requests so far."""
        text = self.registry.log.read_text(encoding="utf-8")
        found = re.findall(r'"([A-Z]+) (/v2/\S*) HTTP/1.1" (\d+)', text)
        return [(method, path, int(status)) for method, path, status in found]


@dataclass
class TlsWorld:
    """A world whose source (as docker.io) and target speak TLS and take tokens."""

    world: World
    source: Side
    target: Side
    authority: Path

    def run(self, text: str, **env: str) -> Ran:
        addresses = {"docker.io": f"https://{self.source.front.address}/docker.io"}
        logins = {"auths": {self.source.front.address: {"auth": LOGIN}}}
        given = {
            "HARBOR_HOST": self.target.front.address,
            "REGISTRY_ADDRESSES": json.dumps(addresses),
            "MIRROR_SOURCE_AUTH": json.dumps(logins),
            "SSL_CERT_FILE": str(self.authority),
        }
        return self.world.run(text, **(given | env))


@contextmanager
def tls_world(world: World, signer: Signer, folder: Path) -> Iterator[TlsWorld]:
    certificates = Certificates.made(folder)
    with ExitStack() as stack:

        def side(name: str, data: Path | None) -> Side:
            tokens = stack.enter_context(token_server(signer, certificates.context()))
            before = stack.enter_context(front(tokens.realm.partition("/service")[0]))
            tokens.realm = f"https://{before.address}/service/token"
            tls = {"certificate": str(certificates.certificate), "key": str(certificates.key)}
            place = folder / name
            made = stack.enter_context(token_registry(place, tokens, data, tls))
            plain = stack.enter_context(
                registry(folder / f"{name}-plain", data=data or place / "data")
            )
            return Side(made, tokens, stack.enter_context(front(made.address)), before, plain)

        source = side("source", world.source.data)
        yield TlsWorld(world, source, side("target", None), certificates.authority)


@pytest.fixture
def tls(world: World, signer: Signer, tmp_path: Path) -> Iterator[TlsWorld]:
    """For the test files that import it by name, and the fixtures `world` and `signer` with it."""
    folder = tmp_path / "tls"
    folder.mkdir()
    with tls_world(world, signer, folder) as made:
        yield made
