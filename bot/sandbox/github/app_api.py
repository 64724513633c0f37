"""A GitHub App that is installed for the repository: its login, and the tokens it gets.

The key is made when somebody asks for it. A login is a JSON Web Token of ten minutes at most that
is signed by the key, and a token ends after an hour:
https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
"""

import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.sandbox.github.http import ApiRefusal, answer, body, not_found

APP: Final = "12345"
INSTALLATION: Final = 678
TOKEN_LIFE: Final = timedelta(hours=1)
_LONGEST_LOGIN: Final = 600
_UNAUTHORIZED: Final = 401
_CREATED: Final = 201


class GitHubApp:
    """`permissions` are those of the installation. `installed` False: it is not there any more."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.installed = True
        self.permissions = {
            "contents": "write",
            "actions": "write",
            "statuses": "read",
            "issues": "write",
            "metadata": "read",
        }
        self.life = TOKEN_LIFE
        self.given = 0
        self._tokens: dict[str, datetime] = {}
        self._made: rsa.RSAPrivateKey | None = None

    @property
    def _key(self) -> rsa.RSAPrivateKey:
        if self._made is None:
            self._made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return self._made

    def pem(self) -> str:
        form = (Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        return self._key.private_bytes(*form).decode()

    def admits(self, token: str) -> bool:
        ends = self._tokens.get(token)
        return ends is not None and datetime.now(UTC) < ends

    def new_token(self) -> tuple[str, datetime]:
        token, ends = f"ghs_{secrets.token_urlsafe(27)}", datetime.now(UTC) + self.life
        self._tokens[token] = ends
        return token, ends

    def expect(self, request: Request) -> None:
        """Raise ApiRefusal for a write to issues that the installation does not allow."""
        writes = request.method != "GET" and "/issues" in request.url.path
        if writes and self.permissions.get("issues") != "write":
            needed = {"X-Accepted-GitHub-Permissions": "issues=write"}
            raise ApiRefusal(403, "Resource not accessible by integration", needed)

    def end_tokens(self) -> None:
        """As GitHub does where somebody suspends the App, or changes what it may."""
        self._tokens.clear()

    def routes(self) -> Iterator[Route]:
        """They take the login of the App alone, so the server does not ask for a token."""
        yield Route(f"/repos/{self.name}/installation", self._installation)
        path = f"/app/installations/{INSTALLATION}/access_tokens"
        yield Route(path, self._access_token, methods=["POST"])

    def _expect_login(self, request: Request) -> None:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer":
            raise ApiRefusal(_UNAUTHORIZED, "A JSON web token could not be decoded")
        try:
            claims = jwt.decode(
                text,
                self._key.public_key(),
                algorithms=["RS256"],
                issuer=APP,
                options={"require": ["exp", "iat", "iss"]},
            )
        except jwt.ExpiredSignatureError:
            words = (
                "'Expiration time' claim ('exp') must be a numeric value representing the future"
            )
            raise ApiRefusal(
                _UNAUTHORIZED, f"{words} time at which the assertion expires"
            ) from None
        except jwt.InvalidTokenError:
            raise ApiRefusal(_UNAUTHORIZED, "A JSON web token could not be decoded") from None
        if claims["exp"] > time.time() + _LONGEST_LOGIN:
            raise ApiRefusal(
                _UNAUTHORIZED, "'Expiration time' claim ('exp') is too far in the future"
            )

    async def _installation(self, request: Request) -> Response:
        self._expect_login(request)
        if not self.installed:
            raise not_found()
        app = {"id": INSTALLATION, "app_id": int(APP), "permissions": self.permissions}
        return answer(app | {"repository_selection": "selected"})

    async def _access_token(self, request: Request) -> Response:
        self._expect_login(request)
        wanted = await body(request)
        if wanted.get("repositories") != [self.name.partition("/")[2]]:
            raise ApiRefusal(422, "There is at least one repository that does not exist")
        token, ends = self.new_token()
        self.given += 1
        made = {"token": token, "expires_at": f"{ends:%Y-%m-%dT%H:%M:%SZ}"}
        return answer(made | {"permissions": self.permissions}, _CREATED)
