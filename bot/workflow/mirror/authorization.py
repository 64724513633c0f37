"""How a registry's host is asked with a login: what it challenges with, and the tokens it gave.

Follows https://distribution.github.io/distribution/spec/auth/token/. A host's realm and service are
remembered, so that only the first question meets a 401. One token may cover many repositories.
"""

import contextlib
import json
import re
import threading
import time
import urllib.parse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from itertools import islice

from .log import one_line
from .registry_http import UNLISTED, UNREADABLE, Answer, NoAnswerError, ask
from .source_logins import Login

Scope = frozenset[tuple[str, str]]
"""What a token is for: pairs such as ("repository:library/nginx", "pull")."""
PULL, PUSH = "pull", "push"
REPOSITORIES = 20  # in one token. Servers take headers of 8 kB, and each one costs 100 bytes
TOKENS = 50  # that are remembered of one host
YOUNG_SECONDS = 50  # no token ends before that, so a refused one does not cover the repository
TLS_PORT = 443
FIRST_SECONDS = 5  # that others wait for the first answer of a host


def scope_of(repository: str, *actions: str) -> Scope:
    """Return the scope of some actions on a repository."""
    return frozenset((f"repository:{repository}", action) for action in actions)


def _read_scope(text: str) -> Scope:
    """Read `repository:a/b:pull,push`. Other texts, such as the `aws` of ECR, are kept."""
    pairs = set()
    for each in text.split():
        resource, colon, actions = each.rpartition(":")
        pairs |= {(resource, action) for action in actions.split(",")} if colon else {(each, "")}
    return frozenset(pairs)


def _written(scope: Scope) -> list[str]:
    names = sorted({name for name, _ in scope})
    actions = {name: sorted(what for of, what in scope if of == name and what) for name in names}
    return [f"{name}:{','.join(what)}" if what else name for name, what in actions.items()]


@dataclass(frozen=True)
class _Token:
    text: str = field(repr=False)
    scope: Scope
    since: float
    until: float


class NoTokenError(NoAnswerError):
    """The token server gave no token. `answer` is what it said instead."""

    def __init__(self, said: Answer) -> None:
        super().__init__(said.words)
        self._said = said

    @property
    def answer(self) -> Answer:
        """Return what the token server said."""
        return self._said


class Authorization:
    """What one login is asked for at one host, and what it sends there. All threads share it."""

    def __init__(
        self,
        login: "Login | None",
        *,
        host: str = "",
        servers: tuple[str, ...] = (),
        secure: bool,
    ) -> None:
        """A login is sent to the host and to these token servers, nowhere else.

        A token server is reached by TLS, at the port that is listed with it, or else at 443. A
        `secure` host's realm has to be so too.
        """
        self._login, self._basic = login, login.header if login else ""
        self._host, self._servers, self._secure = host, servers, secure
        self._realm: tuple[str, str] | None = None  # and service
        self._wants_basic = False
        self._tokens: list[_Token] = []
        self._meant: dict[Scope, Scope] = {}  # what the host asked for instead
        self._waiting: dict[Scope, None] = {}  # in order
        self._failed = (float("-inf"), NoTokenError(Answer(0, Message(), b"")))
        self._one_by_one = False
        self._lock, self._turn = threading.RLock(), threading.Lock()
        self._first, self._met = threading.Lock(), False

    @contextlib.contextmanager
    def first_alone(self) -> Iterator[bool]:
        """Let the first request to the host end before the others begin: they learn from it.

        Yields whether this is the first.
        """
        mine = not self._met and self._first.acquire(timeout=FIRST_SECONDS)
        if mine and self._met_meanwhile():
            self._first.release()
            mine = False
        try:
            yield mine
        finally:
            self._met = True
            if mine:
                self._first.release()

    def _met_meanwhile(self) -> bool:
        return self._met

    def expect(self, scope: Scope) -> None:
        """Let one of the next tokens cover this scope too."""
        with self._lock:
            self._waiting[scope] = None

    @property
    def expected(self) -> int:
        """How many scopes no token covers yet."""
        return len(self._waiting)

    def header(self, scope: Scope) -> dict[str, str]:
        """Return the header for a request, with a token for its scope. Raises NoTokenError."""
        if self._wants_basic:
            return {"Authorization": self._basic}
        if self._realm is None:
            return {}
        return {"Authorization": self._token(self._meant.get(scope, scope))}

    def learn(self, refusal: Answer, scope: Scope, sent: dict[str, str]) -> bool:
        """Learn from a refusal of a request that was sent with this header.

        Returns whether to send it again if there is another header by now.
        """
        with self._lock:
            narrow = self._forget(sent.get("Authorization", ""), scope, refusal.status)
            if refusal.status != HTTPStatus.UNAUTHORIZED:
                return narrow
            self._take_challenge(refusal.headers.get("WWW-Authenticate", ""), scope)
        return True

    def _forget(self, text: str, scope: Scope, status: int) -> bool:
        """Drop a token that does not serve. Return whether the server grants less than is asked.

        A 403 is about the token only where that is new, and for other repositories too.
        """
        token = next((each for each in self._tokens if text == each.text), None)
        if token is None:
            return False
        wide = not token.scope <= self._meant.get(scope, scope)
        narrow = wide and time.monotonic() - token.since < YOUNG_SECONDS and not self._one_by_one
        if narrow or status == HTTPStatus.UNAUTHORIZED:
            self._tokens.remove(token)
        self._one_by_one = self._one_by_one or narrow
        return narrow

    def _take_challenge(self, challenge: str, scope: Scope) -> None:
        kind = challenge.partition(" ")[0].lower()
        if kind == "basic" and self._basic:
            self._wants_basic = True  # also Harbor's answer to a token that has expired
        if kind != "bearer":
            return
        said = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        realm = said.get("realm", "")
        if not realm.startswith("https://") and (self._secure or not realm.startswith("http://")):
            return
        self._expect_trusted(realm)
        self._realm, self._wants_basic = (realm, said.get("service", "")), False
        meant = _read_scope(said.get("scope", ""))
        if meant and not meant <= scope:
            same = {name for name, _ in meant} & {name for name, _ in scope}
            self._meant[scope] = meant | scope if same else meant

    def _expect_trusted(self, realm: str) -> None:
        """Raise NoTokenError where a login would go to a server that is not known to be theirs."""
        server, place = _server_of(realm)
        own = urllib.parse.urlsplit(f"//{self._host}").hostname
        listed = realm.startswith("https://") and place in self._servers
        if self._login and server != own and not listed:
            words = f"{UNLISTED}{place}, which token_servers of the config does not list"
            raise NoTokenError(Answer(0, Message(), b"", one_line(words)))

    def _token(self, scope: Scope) -> str:
        asked = time.monotonic()
        if known := self._covering(scope):
            return known
        self.expect(scope)
        with self._turn:
            if known := self._covering(scope):
                return known
            if self._failed[0] > asked:  # what others just met, this one need not wait for
                raise self._failed[1]
            return self._asked_for(scope)

    def _covering(self, scope: Scope) -> str:
        with self._lock:
            now = time.monotonic()
            self._tokens = [each for each in self._tokens if each.until > now][-TOKENS:]
            return next((each.text for each in self._tokens if scope <= each.scope), "")

    def _asked_for(self, scope: Scope) -> str:
        """Ask for a token, for what others wait for too where the server grants that."""
        with self._lock:
            before = [] if self._one_by_one else [each.scope for each in self._tokens[-1:]]
            wide = _joined([scope, *islice(self._waiting, REPOSITORIES), *before])
            for each in [each for each in self._waiting if each <= wide]:
                del self._waiting[each]
        if wide != scope and not self._one_by_one:
            answer = self._question(wide)
            if not answer.trouble and not _text_of(answer):
                self._one_by_one = True
                answer = self._question(scope)
                wide = scope
        else:
            answer, wide = self._question(scope), scope
        return self._kept(answer, wide)

    def _kept(self, answer: Answer, scope: Scope) -> str:
        text, now = _text_of(answer), time.monotonic()
        if not text:
            self._failed = (now if answer.trouble else float("-inf"), NoTokenError(answer))
            raise NoTokenError(answer)
        with self._lock:
            self._tokens.append(_Token(text, scope, now, now + _life_of(answer)))
        return text

    def _question(self, scope: Scope) -> Answer:
        realm, service = self._realm or ("", "")
        scopes = [("scope", each) for each in _written(scope)]
        query = urllib.parse.urlencode([("service", service), *scopes])
        if self._login and self._login.token:
            return _renewed(realm, service, " ".join(_written(scope)), self._login.token)
        login = {"Authorization": self._basic} if self._basic else {}
        return ask("GET", f"{realm}{'&' if '?' in realm else '?'}{query}", login)


def _server_of(realm: str) -> tuple[str, str]:
    """Return the host of a realm, and the host with its port as it is listed. "" if unreadable."""
    try:
        parts = urllib.parse.urlsplit(realm)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "", ""
    return host, host if port in (None, TLS_PORT) else f"{host}:{port}"


def _renewed(realm: str, service: str, scope: str, token: str) -> Answer:
    """Ask by OAuth 2: https://distribution.github.io/distribution/spec/auth/oauth/"""
    form = {
        "grant_type": "refresh_token",
        "client_id": "imageto-bot",
        "service": service,
        "scope": scope,
        "refresh_token": token,
    }
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return ask("POST", realm, kind, data=urllib.parse.urlencode(form).encode())


def _joined(scopes: Iterable[Scope]) -> Scope:
    """Join as many scopes as one token may have, the first ones first."""
    wide: Scope = frozenset()
    for scope in scopes:
        joined = wide | scope
        if not wide or len({name for name, _ in joined}) <= REPOSITORIES:
            wide = joined
    return wide


def _text_of(answer: Answer) -> str:
    """Return the header that a token server's answer makes, or nothing."""
    with contextlib.suppress(*UNREADABLE, AttributeError):
        said = json.loads(answer.body)
        token = said.get("token") or said.get("access_token")
        if answer.status == HTTPStatus.OK and isinstance(token, str) and token.isprintable():
            return f"Bearer {token}"
    return ""


def _life_of(answer: Answer) -> float:
    """Return the seconds that a token is sure to live. Where it does not say, a 401 will."""
    with contextlib.suppress(*UNREADABLE, LookupError, AttributeError, TypeError):
        return max(1.0, float(json.loads(answer.body)["expires_in"]) * 0.9)
    return float("inf")
