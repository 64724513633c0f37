"""The login of a GitHub App: tokens of its installation, which live an hour and are renewed here.

PyGithub has such a login too. It would ask for tokens by connections of its own, without the
limits, the proxies and the certificates of all other calls.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from github import Auth, Github, GithubException

from bot.adapters.github.errors import one_line, translate_errors
from bot.adapters.github.fields import text_of
from bot.core.errors import RefusedError, TransientError
from bot.core.retry import TroubleKind

log = logging.getLogger(__name__)

RENEWED_BEFORE: Final = timedelta(minutes=5)
"""A token is not used in its last minutes: a call takes a minute at most, and clocks differ."""
_UNAUTHORIZED: Final = 401
_NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True)
class AppLogin:
    """`app`: the number of the App. `key`: its private key, as PEM."""

    app: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class InstallationToken:
    """`permissions`: such as contents → write. `ends` is in UTC."""

    text: str = field(repr=False)
    ends: datetime
    permissions: Mapping[str, str]


class InstallationAuth(Auth.Auth):
    """Authenticates calls for one repository by a token that is good for nothing else.

    A call asks for `token` in the thread that makes it. One that ends soon is renewed first.
    """

    def __init__(
        self, login: AppLogin, repository: str, connect: Callable[[Auth.Auth], Github]
    ) -> None:
        """`connect` makes the client that asks for tokens, with the login of the App itself."""
        self._login = login
        self._repository = repository
        self._github = connect(Auth.AppAuth(login.app, login.key))
        self._current: InstallationToken | None = None

    def close(self) -> None:
        self._github.close()

    def forget(self) -> bool:
        """Use the token no more: GitHub refused it before its end. False where there was none."""
        known, self._current = self._current is not None, None
        return known

    @property
    def token_type(self) -> str:
        return "token"

    @property
    def token(self) -> str:
        """Raises TransientError or RefusedError where GitHub gives no token."""
        return self.current().text

    def current(self) -> InstallationToken:
        """The token, renewed where it ends soon. Raises as `token` does."""
        now = datetime.now(UTC)
        if self._current is None or self._current.ends - now < RENEWED_BEFORE:
            self._current = None  # a refusal is one of the App then, and not of its token
            self._current = translate_errors(self._renewed)
            log.debug("GitHub gave a token until %s", self._current.ends)
        return self._current

    def _renewed(self) -> InstallationToken:
        try:
            _, found = self._github.requester.requestJsonAndCheck(
                "GET", f"/repos/{self._repository}/installation"
            )
            _, made = self._github.requester.requestJsonAndCheck(
                "POST",
                f"/app/installations/{int(found['id'])}/access_tokens",
                input={"repositories": [self._repository.partition("/")[2]]},
            )
        except GithubException as error:
            if error.status == _NOT_FOUND:
                text = f"the GitHub App {self._login.app} is not installed for {self._repository}"
                raise RefusedError(f"{text}: install it there (404)") from error
            if error.status == _UNAUTHORIZED:
                raise _not_accepted(error) from error
            raise
        ends = datetime.fromisoformat(text_of(made["expires_at"]))
        return InstallationToken(text_of(made["token"]), ends, dict(made.get("permissions", {})))


def _not_accepted(error: GithubException) -> TransientError:
    """A clock that is wrong is told apart: GitHub names the times of the login then."""
    data = error.data if isinstance(error.data, Mapping) else {}
    words = one_line(str(data.get("message", "")))
    advice = "set this machine's clock" if "claim" in words else "renew GITHUB_APP_KEY"
    return TransientError(
        f"GitHub does not accept the login of the App ({words}): {advice}",
        kind=TroubleKind.LOCKED_OUT,
        retry_after=60.0,
    )
