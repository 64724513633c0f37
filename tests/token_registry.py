"""A token server and registries that accept only its tokens, as Harbor and Docker Hub do.

The registries of registry_fixture.py accept Basic, which is good for a whole host. A token is good
for the requested repositories and actions only, and expires. So these registries show whether the
workflow keeps tokens apart.
"""

import base64
import json
import secrets
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from registry_fixture import (
    CLIENT,
    INDEX,
    MANIFEST,
    PASSWORD,
    USER,
    Quiet,
    Registry,
    running,
    serving,
)

SERVICE, ISSUER = "registry.test", "tokens.test"
LIFE = 300  # seconds, as at Docker Hub
LOGIN = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

Access = dict[str, frozenset[str]]  # repository -> actions


def packed(part: bytes) -> str:
    """Encode a part of a token, without padding."""
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


@dataclass(frozen=True)
class Signer:
    """A key and the certificate by which registries know it, made by openssl."""

    key: Path
    certificate: Path

    @classmethod
    def made(cls, folder: Path) -> "Signer":
        key, certificate = folder / "key.pem", folder / "certificate.pem"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        command += ["-subj", f"/CN={ISSUER}", "-keyout", str(key), "-out", str(certificate)]
        subprocess.run(command, check=True, capture_output=True, timeout=90)
        return cls(key, certificate)

    def token(self, access: Access, life: int = LIFE) -> str:
        """Sign a token of distribution's token specification. No two tokens are the same."""
        now = int(time.time())
        chain = "".join(self.certificate.read_text().split("-----")[2].split())
        header = {"typ": "JWT", "alg": "RS256", "x5c": [chain]}
        claims = {
            "iss": ISSUER,
            "sub": USER,
            "aud": SERVICE,
            "jti": secrets.token_hex(8),
            "nbf": min(now, now + life) - 10,
            "iat": now,
            "exp": now + life,
            "access": [
                {"type": "repository", "name": name, "actions": sorted(actions)}
                for name, actions in access.items()
            ],
        }
        text = ".".join(packed(json.dumps(part).encode()) for part in (header, claims))
        command = ["openssl", "dgst", "-sha256", "-sign", str(self.key)]
        signed = subprocess.run(
            command, input=text.encode(), check=True, capture_output=True, timeout=90
        )
        return f"{text}.{packed(signed.stdout)}"


@dataclass
class Tokens:
    """The token server. `asked` and `given` are in order."""

    signer: Signer
    allowed: frozenset[str] = frozenset({"pull", "push"})  # what the login may do
    realm: str = ""
    asked: list[Access] = field(default_factory=list)
    given: list[str] = field(default_factory=list)

    def give(self, scopes: list[str]) -> str:
        access: Access = {}
        for scope in scopes:
            name, _, actions = scope.removeprefix("repository:").rpartition(":")
            access[name] = access.get(name, frozenset()) | set(actions.split(","))
        token = self.signer.token({name: many & self.allowed for name, many in access.items()})
        self.asked.append(access)
        self.given.append(token)
        return token

    def held(self, registry: Registry, name: str, reference: str) -> str | None:
        """Return the digest of a manifest, like `Registry.head` but with a token."""
        token = self.signer.token({name: frozenset({"pull"})})
        answer = CLIENT.head(
            f"http://{registry.address}/v2/{name}/manifests/{reference}",
            headers={"Accept": f"{INDEX}, {MANIFEST}", "Authorization": f"Bearer {token}"},
        )
        return answer.headers["Docker-Content-Digest"] if answer.is_success else None


@contextmanager
def token_server(signer: Signer, tls: ssl.SSLContext | None = None) -> Iterator[Tokens]:
    tokens = Tokens(signer)

    class Handler(Quiet):
        def reply(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            if self.headers["Authorization"] != f"Basic {LOGIN}":
                self.answer(401)
            elif query.get("service") != [SERVICE]:
                self.answer(400)
            else:
                token = tokens.give(query.get("scope", []))
                self.answer(200, json.dumps({"token": token}).encode())

    with serving(Handler, tls) as address:
        tokens.realm = f"{address}/service/token"
        yield tokens


@contextmanager
def token_registry(
    directory: Path,
    tokens: Tokens,
    data: Path | None = None,
    tls: Mapping[str, str] | None = None,
) -> Iterator[Registry]:
    """Run a registry that accepts only these tokens. `data` may be that of another one."""
    directory.mkdir()
    checks = {
        "token": {
            "realm": tokens.realm,
            "service": SERVICE,
            "issuer": ISSUER,
            "rootcertbundle": str(tokens.signer.certificate),
        }
    }
    data = data or directory / "data"
    with running(directory, data, checks, tls) as address:
        yield Registry(address, directory / "log", data)


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return Signer.made(tmp_path_factory.mktemp("signer"))


@pytest.fixture
def tokens(signer: Signer) -> Iterator[Tokens]:
    with token_server(signer) as given:
        yield given
