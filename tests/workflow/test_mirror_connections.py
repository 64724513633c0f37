"""The workflow over TLS with tokens: kept connections, few challenges, few tokens.

What is counted here is exact on any machine: connections, requests, 401s, tokens.
"""

import contextlib
import json
import os
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
from registry_fixture import Quiet, registries, serving, world
from tls_world import Certificates, Front, TlsWorld, tls
from token_registry import signer

from bot.workflow.mirror import connections, registry_http
from bot.workflow.mirror.connections import Connection, Connections, Place
from bot.workflow.mirror.manifest import NotMovedError
from bot.workflow.mirror.proxy import Proxy, proxy_for, spared
from bot.workflow.mirror.registry import Repository
from bot.workflow.mirror.registry_http import ask, open_ahead
from bot.workflow.mirror.settings import Settings

__all__ = ["registries", "signer", "tls", "world"]  # fixtures: pytest finds them by these names

A = f"sha256:{'a' * 64}"


def test_many_images_cost_few_connections_challenges_and_tokens(tls: TlsWorld) -> None:
    names = [f"docker.io/wei/kept-{n}" for n in range(12)]
    layer = os.urandom(100_000)
    digests = {name: tls.world.seed(name, layer=layer) for name in names}
    listed = "".join(f"{name}:1\n" for name in names)
    ran = tls.run(listed, PARALLEL="4")
    assert ran.code == 0, ran.output
    assert not ran.skopeo, ran.output
    assert {name: tls.target.plain.head(name, "1") for name in names} == digests
    for side in (tls.source, tls.target):
        asked = side.logged()
        assert side.front.connections < len(asked) / 2
        assert [status for *_, status in asked].count(401) <= 2
        assert len(side.tokens.asked) <= 3
    copied = [len(side.logged()) for side in (tls.source, tls.target)]
    assert tls.run(listed).code == 0
    for side, before in zip((tls.source, tls.target), copied, strict=True):
        looked = Counter(method for method, _, status in side.logged()[before:] if status == 200)
        assert looked["HEAD"] == len(names)
        assert looked.total() <= 2 * len(names) + 1  # and the login, and the tags of each source


# --- kept connections


class Kept(Quiet):
    """A server that keeps connections. Each connection's requests are listed apart."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[list[str]]]

    def setup(self) -> None:
        super().setup()
        self.seen.append([])

    def reply(self) -> None:
        self.seen[-1].append(f"{self.command} {self.path}")
        self.answer(200, b"" if self.command == "HEAD" else b"words")


@contextmanager
def keeping() -> Iterator[tuple[str, list[list[str]]]]:
    class Own(Kept):
        seen: ClassVar[list[list[str]]] = []

    with serving(Own) as address:
        yield address, Own.seen


def test_questions_go_over_one_connection() -> None:
    with keeping() as (address, seen):
        for path in ("a", "b", "c"):
            assert ask("GET", f"{address}/{path}", {}).body == b"words"
            assert ask("HEAD", f"{address}/{path}", {}).status == 200
    assert len(seen) == 1
    assert len(seen[0]) == 6


def test_a_connection_that_the_server_has_closed_is_replaced() -> None:
    class Closing(Kept):
        seen: ClassVar[list[list[str]]] = []

        def reply(self) -> None:
            super().reply()
            self.close_connection = True  # without saying so

    with serving(Closing) as address:
        assert [ask("GET", f"{address}/{n}", {}).status for n in range(3)] == [200] * 3
    assert [len(each) for each in Closing.seen] == [1, 1, 1]


def test_a_connection_that_breaks_under_a_question_is_replaced_once() -> None:
    class Breaking(Kept):
        seen: ClassVar[list[list[str]]] = []

        def reply(self) -> None:
            if self.seen[-1] and len(self.seen) < 3:
                self.close_connection = True  # the question was taken, and no answer comes
                self.seen[-1].append("no answer")
                return
            super().reply()

    with serving(Breaking) as address:
        assert [ask("POST", f"{address}/{n}", {}, data=b"").status for n in range(4)] == [200] * 4
    assert [each[-1] for each in Breaking.seen] == ["no answer", "no answer", "POST /3"]


def test_what_a_proxy_says_before_its_tunnel_is_no_answer_of_the_registry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = socket.socketpair()

    def broken_off(connection: HTTPConnection) -> None:
        connection.sock = ours
        theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        raise ConnectionResetError

    monkeypatch.setattr(HTTPConnection, "connect", broken_off)
    monkeypatch.setenv("https_proxy", "http://proxy.test:3128")
    with ours, theirs:
        assert ask("GET", "https://registry.test/v2/", {}).status == 0


def test_a_handshake_that_breaks_off_is_told_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            taken, _ = server.accept()
            taken.recv(1)
            taken.close()

        hanging_up = threading.Thread(target=hang_up)
        hanging_up.start()
        said = ask("GET", f"https://127.0.0.1:{server.getsockname()[1]}/", {})
        hanging_up.join()
    assert said.words in ("unexpected EOF", "connection reset by peer")


def test_a_head_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)

    class Trickling(Quiet):
        def reply(self) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(b"x")
                    time.sleep(0.02)

    with serving(Trickling) as address:
        assert ask("GET", f"{address}/", {}, seconds=0.5).words == "timed out"


def test_a_connection_whose_answer_is_still_to_come_is_not_kept() -> None:
    class Hinting(Kept):
        seen: ClassVar[list[list[str]]] = []

        def reply(self) -> None:
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            super().reply()

    with serving(Hinting) as address:
        assert [ask("GET", f"{address}/{n}", {}).status for n in range(2)] == [103, 103]
    assert [len(each) for each in Hinting.seen] == [1, 1]


def test_no_more_questions_at_a_time_than_a_place_may_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry_http, "QUESTIONS_AT_A_TIME", 3)
    now, most = [0], [0]
    lock = threading.Lock()

    class Busy(Kept):
        seen: ClassVar[list[list[str]]] = []

        def reply(self) -> None:
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep(0.05)
            with lock:
                now[0] -= 1
            super().reply()

    with serving(Busy) as address, ThreadPoolExecutor(12) as pool:
        assert set(pool.map(lambda n: ask("GET", f"{address}/{n}", {}).status, range(12))) == {200}
    assert most[0] <= 3


def test_connections_that_are_opened_ahead_resume_the_session_and_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Certificates.made(tmp_path)
    trusting = ssl.create_default_context(cafile=made.authority)
    monkeypatch.setattr(connections, "_CONTEXTS", [trusting])
    own = Connections()
    monkeypatch.setattr(registry_http, "_CONNECTIONS", own)
    together = threading.Barrier(4, timeout=90)
    resumed: list[bool] = []
    give = own.give

    def given(connection: Connection) -> None:
        assert isinstance(connection.sock, ssl.SSLSocket)
        resumed.append(connection.sock.session_reused)
        give(connection)

    monkeypatch.setattr(own, "give", given)

    class Meeting(Kept):
        seen: ClassVar[list[list[str]]] = []

        def reply(self) -> None:
            if self.path != "/first":
                together.wait()
            super().reply()

    with serving(Meeting, made.context()) as address, ThreadPoolExecutor(4) as pool:
        assert ask("GET", f"{address}/first", {}).status == 200
        open_ahead(address, 4)
        assert set(pool.map(lambda n: ask("GET", f"{address}/{n}", {}).status, range(8))) == {200}
        while kept := own._last(Place.of(address)):
            kept.close()
    assert len(Meeting.seen) == 4  # nobody opened one of their own
    assert resumed[:4] == [False, True, True, True]


def test_what_cannot_be_opened_ahead_holds_nobody_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
    open_ahead(address, 4)
    assert "refused" in ask("GET", f"{address}/", {}).words


def test_a_connection_that_is_given_back_reaches_who_waits_for_its_place() -> None:
    """Others wait for connections to another place, which take long."""
    pool, met = Connections(), threading.Event()
    slow, quick = Place("http", "127.0.0.1", 1), Place("http", "127.0.0.1", 2)
    pool._coming.update({slow: 1, quick: 1})
    waiting = [threading.Thread(target=pool._last, args=(slow,)) for _ in range(8)]

    def wait_for_it() -> None:
        pool._last(quick)
        met.set()

    def waits(number: int) -> None:
        until = time.monotonic() + 90
        while len(pool._lock._waiters) < number:  # type: ignore[attr-defined]
            assert time.monotonic() < until
            time.sleep(0.01)

    sock, other = socket.socketpair()
    with sock, other:
        for each in waiting:
            each.start()
        waits(len(waiting))
        last = threading.Thread(target=wait_for_it)
        last.start()
        waits(len(waiting) + 1)
        given = Connection(quick, None, 1)
        given.sock = sock
        pool.give(given)
        assert met.wait(90), "the wrong one was woken"
        pool._came(slow, 1)
        for each in (*waiting, last):
            each.join()


def test_a_machine_without_another_thread_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, place = Connections(), Place("http", "127.0.0.1", 1)

    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    pool.open_ahead(place, 4, 1)
    assert not pool._coming[place]
    assert pool.take(place, 1).sock is None


# --- proxies


@pytest.mark.parametrize(
    ("host", "entries", "is_spared"),
    [
        ("a.io", "*", True),
        ("a.io", "", False),
        ("a.io", "a.io", True),
        ("b.a.io", "a.io", True),
        ("b.a.io", ".a.io", True),
        ("b.a.io", "*.a.io", True),
        ("ba.io", "a.io", False),
        ("A.IO.", "b.io, a.io", True),
        ("a.io", "b.io a.io", True),
        ("a.io", ",", False),
        ("10.1.2.3", "10.1.0.0/16", True),
        ("10.2.2.3", "10.1.0.0/16", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3", "2.3", False),
        ("fd00::1", "fd00::/8", True),
        ("fd00::1", "[fd00::1]", True),
        ("a.io", "10.0.0.0/8", False),
        ("a.io", "a.io:443", True),
        ("b.a.io", ".a.io:443", True),
        ("a.io", "a.io:80", False),
        ("10.1.2.3", "10.1.0.0/16:443", True),
        ("fd00::1", "[fd00::1]:443", True),
        ("fd00::1", "[fd00::1]:80", False),
    ],
)
def test_no_proxy_is_read_as_curl_reads_it(host: str, entries: str, *, is_spared: bool) -> None:
    assert spared(host, entries, 443) is is_spared


@pytest.mark.parametrize(
    ("text", "proxy"),
    [
        ("http://p.io:3128", Proxy("p.io", 3128)),
        ("p.io", Proxy("p.io", 80)),
        ("http://wei:p%40ss@p.io:1/", Proxy("p.io", 1, "Basic d2VpOnBAc3M=")),
    ],
)
def test_a_proxy_may_have_a_login(text: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", text)
    monkeypatch.setenv("no_proxy", "b.io")
    assert proxy_for("https", "a.io", 443) == proxy
    assert proxy_for("https", "b.io", 443) is None


def test_a_proxy_of_another_kind_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "socks5://wei:secret@p.io")
    monkeypatch.setenv("no_proxy", "")
    answer = ask("GET", "https://a.io/v2/", {})
    assert answer.words.startswith("proxyconnect: ")
    assert "secret" not in answer.words


@contextmanager
def tunnels() -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """A proxy with a login that knows CONNECT and absolute addresses."""
    seen: list[tuple[str, str | None]] = []

    class Proxying(Quiet):
        protocol_version = "HTTP/1.1"

        def reply(self) -> None:
            seen.append((f"{self.command} {self.path}", self.headers["Proxy-Authorization"]))
            self.answer(200, b"by the proxy")

        def do_CONNECT(self) -> None:  # noqa: N802 - the standard library's name
            seen.append((f"CONNECT {self.path}", self.headers["Proxy-Authorization"]))
            if not self.headers["Proxy-Authorization"]:
                self.answer(407)
                return
            host, _, port = self.path.partition(":")
            self.send_response(200)
            self.end_headers()
            with socket.create_connection((host, int(port))) as far:
                passing = Front(("", 0))
                back = threading.Thread(
                    target=passing._pass_on, args=(far, self.connection, "down")
                )
                back.start()
                passing._pass_on(self.connection, far, "up")
                back.join()
            self.close_connection = True

    with serving(Proxying) as address:
        yield address.partition("//")[2], seen


def test_a_request_goes_through_a_proxy_with_its_login(monkeypatch: pytest.MonkeyPatch) -> None:
    with tunnels() as (proxy, seen):
        monkeypatch.setenv("http_proxy", f"http://wei:p@{proxy}")
        monkeypatch.setenv("no_proxy", "")
        assert ask("GET", "http://a.test/v2/?a=b", {}).body == b"by the proxy"
    assert seen == [("GET http://a.test/v2/?a=b", "Basic d2VpOnA=")]


def test_an_image_goes_through_the_tunnels_of_a_proxy(tls: TlsWorld) -> None:
    name = "docker.io/wei/tunnelled"
    digest = tls.world.seed(name)
    with tunnels() as (proxy, seen):
        given = {"https_proxy": f"http://wei:p@{proxy}", "no_proxy": "localhost"}
        github = {"http_proxy": "", "HTTP_PROXY": ""}
        ran = tls.run(f"{name}:1\n", **given, **github)
        assert ran.code == 0, ran.output
        assert tls.target.plain.head(name, "1") == digest
        assert {login for _, login in seen} == {"Basic d2VpOnA="}
        refused = tls.run(f"{name}:1\n", **(given | {"https_proxy": f"http://{proxy}"}), **github)
    assert refused.says(f"{name}:1").startswith("error: login to the target: ")
    assert "proxyconnect: 407" in refused.says(f"{name}:1")


# --- tokens


def test_one_token_covers_as_many_of_the_expected_repositories_as_it_may() -> None:
    asked: list[int] = []

    class Wide(Quiet):
        def reply(self) -> None:
            url = urlsplit(self.path)
            if url.path == "/token":
                asked.append(len(parse_qs(url.query)["scope"]))
                self.answer(200, b'{"token": "t%d"}' % len(asked))
            elif self.headers["Authorization"]:
                self.answer(200, Docker_Content_Digest=A)
            else:
                realm = f"http://{self.headers['Host']}/token"
                self.answer(401, WWW_Authenticate=f'Bearer realm="{realm}",service="s"')

    with serving(Wide) as place:
        settings = Settings("h", "", "nested", "", "", {"a.io": place}, {})
        every = [Repository(settings, "a.io", f"x{n}") for n in range(45)]
        assert {each.digest("1") for each in every} == {A}
    assert asked == [20, 20, 5]


def test_a_server_that_gives_a_token_for_one_repository_alone_is_asked_for_each() -> None:
    asked: list[list[str]] = []

    class Narrow(Quiet):
        def reply(self) -> None:
            url = urlsplit(self.path)
            if url.path == "/token":
                scopes = parse_qs(url.query)["scope"]
                asked.append(scopes)
                token = scopes[0].split(":")[1]  # it grants the first one
                self.answer(200, json.dumps({"token": token}).encode())
                return
            repository = url.path.split("/")[2]
            if self.headers["Authorization"] == f"Bearer {repository}":
                self.answer(200, Docker_Content_Digest=A)
                return
            realm = f"http://{self.headers['Host']}/token"
            self.answer(401, WWW_Authenticate=f'Bearer realm="{realm}",service="s"')

    with serving(Narrow) as place:
        settings = Settings("h", "", "nested", "", "", {"a.io": place}, {})
        every = [Repository(settings, "a.io", name) for name in "abcdef"]
        with ThreadPoolExecutor(6) as pool:
            assert set(pool.map(lambda each: each.digest("1"), every)) == {A}
    assert len(asked) <= 1 + 2 * len(every)
    assert [len(scopes) for scopes in asked[-3:]] == [1, 1, 1]


def test_a_refusal_that_no_token_would_change_costs_no_token() -> None:
    asked: list[str] = []

    class Full(Quiet):
        def reply(self) -> None:
            asked.append(f"{self.command} {self.path.partition('?')[0]}")
            if self.path.startswith("/token"):
                self.answer(200, b'{"token": "t"}')
            elif self.headers["Authorization"] == "Bearer t":
                self.answer(403, b'{"errors": [{"code": "DENIED", "message": "quota"}]}')
            else:
                realm = f"http://{self.headers['Host']}/token"
                self.answer(401, WWW_Authenticate=f'Bearer realm="{realm}",service="s"')

    with serving(Full) as place:
        settings = Settings("h", "", "nested", "", "", {"a.io": place}, {})
        repository = Repository(settings, "a.io", "x")
        for _ in range(3):
            with pytest.raises(NotMovedError, match="denied: quota"):
                repository.fetch(A)
    assert asked.count("GET /token") == 1


def test_the_words_of_a_token_server_in_trouble_are_an_error_that_may_pass() -> None:
    class Down(Quiet):
        def reply(self) -> None:
            if self.path.startswith("/token"):
                self.answer(503, b'{"errors": [{"code": "UNAVAILABLE", "message": "maintenance"}]}')
                return
            realm = f"http://{self.headers['Host']}/token"
            self.answer(401, WWW_Authenticate=f'Bearer realm="{realm}",service="s"')

    with serving(Down) as place:
        settings = Settings("h", "", "nested", "", "", {"a.io": place}, {})
        repository = Repository(settings, "a.io", "x")
        with pytest.raises(
            NotMovedError,
            match=r"^source: status 503 \(Service Unavailable\): unavailable: maintenance$",
        ) as why:
            repository.fetch(A)
    assert why.value.passing
