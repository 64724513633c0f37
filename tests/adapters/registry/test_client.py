"""The registry client's digests, logins, redirects and network guard, on fake and real servers.

test_details.py has what a registry says beyond a digest.
"""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

import httpcore
import httpx
import pytest
from registry_fixture import Registry, registry

from bot.adapters.network import Network
from bot.adapters.registry.auth import parse_challenge
from bot.adapters.registry.client import RegistryClient
from bot.adapters.registry.manifest import ACCEPT_MANIFESTS
from bot.adapters.registry.network_guard import GuardedTransport, is_public
from bot.adapters.registry.transport import RegistryBounds, one_line, retry_after
from bot.core.errors import ConfigError, PullRefusedError, RefusedError, TransientError
from bot.core.image import ImageRef, Naming, Target
from bot.core.registry import ImageInfo
from bot.core.retry import TroubleKind

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
NGINX = ImageRef.parse("nginx:1.27")
STATIC = ImageRef.parse("gcr.io/distroless/static:nonroot")
ALLOWED = ("docker.io", "gcr.io", "ghcr.io", "registry.k8s.io")
HUB_CHALLENGE = (
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",'
    'scope="repository:library/nginx:pull,push"'
)
LOGIN = ("wei", "pass:wörd")
BASIC = "Basic " + base64.b64encode("wei:pass:wörd".encode()).decode()

Handler = Callable[[httpx.Request], httpx.Response]


class Played:
    """Servers as a function. Records the requests."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.handler(request)

    def asked(self, host: str) -> list[httpx.Request]:
        return [request for request in self.requests if request.url.host == host]

    def logins(self) -> set[str]:
        """Return the hosts that were sent an Authorization header."""
        return {r.url.host for r in self.requests if "authorization" in r.headers}


def reader(transport: Handler | httpx.AsyncBaseTransport, **changes: Any) -> RegistryClient:
    if not isinstance(transport, httpx.AsyncBaseTransport):
        transport = httpx.MockTransport(transport)
    given: dict[str, Any] = {
        "addresses": {},
        "target": Target("harbor.example.com"),
        "allowed": ALLOWED,
        "target_login": None,
        "source_logins": {},
        "transport": transport,
    }
    return RegistryClient(**(given | changes))


def found(digest: str = DIGEST) -> httpx.Response:
    return httpx.Response(200, headers={"Docker-Content-Digest": digest})


def always(answer: Callable[[], httpx.Response]) -> Played:
    return Played(lambda _: answer())


def hub(token: Callable[[httpx.Request], httpx.Response] | None = None) -> Played:
    """Docker Hub: a bearer challenge, a token server on another host, then the digest."""
    issue = token or (lambda _: httpx.Response(200, json={"token": "t1", "expires_in": 300}))

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.docker.io":
            return issue(request)
        if request.headers.get("authorization", "").startswith("Bearer "):
            return found()
        return httpx.Response(401, headers={"WWW-Authenticate": HUB_CHALLENGE})

    return Played(handler)


def challenged(challenge: str) -> Played:
    """A registry that answers 401 with this challenge without a login. Other hosts give tokens."""

    def handler(request: httpx.Request) -> httpx.Response:
        if "/manifests/" not in request.url.path:
            return httpx.Response(200, json={"access_token": "t1"})
        if "authorization" in request.headers:
            return found()
        return httpx.Response(401, headers={"WWW-Authenticate": challenge})

    return Played(handler)


# ---- what is asked, and how


async def test_the_digest_is_asked_for_by_head_with_the_five_media_types() -> None:
    played = always(found)
    assert await reader(played).source_digest(STATIC) == DIGEST
    (request,) = played.requests
    assert request.method == "HEAD"
    assert str(request.url) == "https://gcr.io/v2/distroless/static/manifests/nonroot"
    assert request.headers["accept"] == ACCEPT_MANIFESTS
    assert len(ACCEPT_MANIFESTS.split(", ")) == 5


async def test_docker_hub_is_reached_at_its_own_address_with_a_token_for_one_repository() -> None:
    played = hub()
    assert await reader(played).source_digest(NGINX) == DIGEST
    hosts = [(request.method, request.url.host) for request in played.requests]
    api = ("HEAD", "registry-1.docker.io")
    assert hosts == [api, ("GET", "auth.docker.io"), api]
    (token,) = played.asked("auth.docker.io")
    assert dict(token.url.params) == {
        "service": "registry.docker.io",
        "scope": "repository:library/nginx:pull",  # the client's own, without push
    }


async def test_an_image_with_tag_and_digest_is_asked_for_by_its_digest() -> None:
    played = always(found)
    assert await reader(played).source_digest(ImageRef.parse(f"gcr.io/a/b:1@{DIGEST}")) == DIGEST
    assert played.requests[0].url.path == f"/v2/a/b/manifests/{DIGEST}"


async def test_another_digest_than_the_one_asked_for_is_refused() -> None:
    with pytest.raises(RefusedError, match="was asked for"):
        await reader(always(lambda: found(OTHER))).source_digest(
            ImageRef.parse(f"gcr.io/a/b@{DIGEST}")
        )


async def test_the_operators_address_replaces_the_host_and_its_path_stands_first() -> None:
    played = always(found)
    addresses = {"docker.io": "http://127.0.0.1:5001/docker.io"}
    await reader(played, addresses=addresses).source_digest(NGINX)
    assert str(played.requests[0].url) == (
        "http://127.0.0.1:5001/v2/docker.io/library/nginx/manifests/1.27"
    )


@pytest.mark.parametrize(
    ("target", "image", "path"),
    [
        (Target("h.example"), "nginx:1.27", "/v2/docker.io/library/nginx/manifests/1.27"),
        (Target("h.example", "m"), "quay.io:443/a/b:1", "/v2/m/quay.io_443/a/b/manifests/1"),
        (
            Target("h.example", "m", Naming.FLAT),
            "nginx:1.27",
            "/v2/m/docker.io-library-nginx/manifests/1.27",
        ),
        (Target("h.example"), f"a/b@{DIGEST}", f"/v2/docker.io/a/b/manifests/{DIGEST}"),
        (Target("h.example"), f"a/b:1@{DIGEST}", "/v2/docker.io/a/b/manifests/1"),
        (Target("harbor"), "a/b:1", "/v2/docker.io/a/b/manifests/1"),
    ],
)
async def test_the_target_is_asked_under_the_name_it_gives_the_image(
    target: Target, image: str, path: str
) -> None:
    played = always(found)
    assert await reader(played, target=target).target_digest(ImageRef.parse(image)) == DIGEST
    (request,) = played.requests
    assert (request.method, request.url.host, request.url.path) == ("HEAD", target.host, path)


async def test_a_registry_off_the_allow_list_is_never_asked() -> None:
    played = always(found)
    with pytest.raises(RefusedError, match=r"evil\.example is not an allowed registry"):
        await reader(played).source_digest(ImageRef.parse("evil.example/a:1"))
    assert played.requests == []


@pytest.mark.parametrize("address", ["ftp://a.example", "a.example", "https://u:p@a.example"])
def test_an_address_that_is_no_plain_url_is_a_mistake_of_the_config(address: str) -> None:
    with pytest.raises(ConfigError, match=r"addresses: docker\.io"):
        reader(always(found), addresses={"docker.io": address})


# ---- what the answers mean


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_source_that_is_missing_or_private_has_no_digest(status: int) -> None:
    assert await reader(always(lambda: httpx.Response(status))).source_digest(STATIC) is None


async def test_a_target_without_the_image_has_no_digest() -> None:
    assert await reader(always(lambda: httpx.Response(404))).target_digest(STATIC) is None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            b'{"errors": [{"code": "PROJECTPOLICYVIOLATION", "message": "not scanned"}]}',
            "not scanned",
        ),
        (b"", r"harbor\.example\.com answers 412"),
    ],
)
async def test_what_the_target_lets_nobody_pull_has_its_reason(body: bytes, words: str) -> None:
    played = always(lambda: httpx.Response(412, content=body))
    with pytest.raises(PullRefusedError, match=f"^{words}$"):
        await reader(played).target_digest(STATIC)
    assert [request.method for request in played.requests] == ["HEAD", "GET"]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_target_that_may_not_be_read_is_a_refusal(status: int) -> None:
    with pytest.raises(RefusedError, match=rf"harbor\.example\.com answers {status}"):
        await reader(always(lambda: httpx.Response(status))).target_digest(STATIC)


@pytest.mark.parametrize(
    "headers",
    [
        {"Docker-Content-Digest": "sha256:short"},
        {"Docker-Content-Digest": "SHA256:" + "A" * 64},
        {"Docker-Content-Digest": f"{DIGEST} {DIGEST}"},
    ],
)
async def test_a_head_without_a_usable_digest_is_refused_without_a_get(
    headers: dict[str, str],
) -> None:
    played = always(lambda: httpx.Response(200, headers=headers))
    with pytest.raises(RefusedError, match="digest"):
        await reader(played).source_digest(STATIC)
    assert [request.method for request in played.requests] == ["HEAD"]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
async def test_a_service_in_trouble_is_temporary_and_names_its_own_wait(status: int) -> None:
    played = always(lambda: httpx.Response(status, headers={"Retry-After": "17"}))
    with pytest.raises(TransientError, match=r"^gcr\.io ") as told:
        await reader(played).source_digest(STATIC)
    assert told.value.retry_after == 17


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("17", 17.0),
        ("", None),
        ("soon", None),
        ("-4", None),
        ("999999999", 86400.0),
        (format_datetime(datetime(2026, 11, 24, 8, 0, 30, tzinfo=UTC)), 30.0),
        (format_datetime(datetime(2026, 11, 24, 7, 0, 0, tzinfo=UTC)), 0.0),
        ("Tue, 24 Nov 2026 08:00:30 -0000", 30.0),
    ],
)
def test_retry_after_holds_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after(text, now=datetime(2026, 11, 24, 8, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("no route\r\nto host"),
        httpx.RemoteProtocolError(""),
    ],
)
async def test_a_trouble_of_the_network_is_temporary(error: Exception) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(TransientError, match=r"^gcr\.io .+") as told:
        await reader(handler).source_digest(STATIC)
    assert "\n" not in str(told.value)


async def test_a_server_that_never_ends_its_answer_is_given_up() -> None:
    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    played = always(lambda: httpx.Response(200, content=drip()))
    with pytest.raises(TransientError, match="did not answer in time"):
        await reader(played, bounds=RegistryBounds(whole=0.05)).shape(STATIC, DIGEST)


# ---- logins


async def test_a_token_is_kept_for_its_repository_until_shortly_before_it_expires() -> None:
    played = hub()
    now = [1000.0]
    client = reader(played, clock=lambda: now[0])
    for moment, fetched in ((1000.0, 1), (1289.0, 1), (1291.0, 2)):
        now[0] = moment
        assert await client.source_digest(NGINX) == DIGEST
        assert len(played.asked("auth.docker.io")) == fetched


@pytest.mark.parametrize("life", [None, "300", True, -1, 0])
async def test_a_token_that_names_no_usable_life_lives_a_minute(life: object) -> None:
    played = hub(lambda _: httpx.Response(200, json={"token": "t1", "expires_in": life}))
    now = [0.0]
    client = reader(played, clock=lambda: now[0])
    for moment, fetched in ((0.0, 1), (49.0, 1), (51.0, 2)):
        now[0] = moment
        await client.source_digest(NGINX)
        assert len(played.asked("auth.docker.io")) == fetched


async def test_another_repository_gets_a_token_of_its_own() -> None:
    played = hub()
    client = reader(played)
    await client.source_digest(NGINX)
    await client.source_digest(ImageRef.parse("redis:7"))
    scopes = [request.url.params["scope"] for request in played.asked("auth.docker.io")]
    assert scopes == ["repository:library/nginx:pull", "repository:library/redis:pull"]


async def test_requests_at_the_same_time_share_one_fetch_of_a_token() -> None:
    played = hub()

    async def handler(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.01)
        return played(request)

    client = reader(httpx.MockTransport(handler))
    images = [ImageRef.parse(f"nginx:1.{minor}") for minor in range(20)]
    digests = await asyncio.gather(*(client.source_digest(image) for image in images))
    assert digests == [DIGEST] * 20
    assert len(played.asked("auth.docker.io")) == 1


async def test_who_gives_up_waiting_for_a_token_does_not_take_it_from_the_others() -> None:
    played = hub()

    async def handler(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.02 if request.url.host == "auth.docker.io" else 0)
        return played(request)

    client = reader(httpx.MockTransport(handler))
    first, second = (asyncio.create_task(client.source_digest(NGINX)) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    assert await second == DIGEST
    assert len(played.asked("auth.docker.io")) == 1


async def test_a_token_that_was_withdrawn_is_replaced_once() -> None:
    issued = iter(range(9))
    valid = ["t0"]

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.docker.io":
            return httpx.Response(200, json={"token": f"t{next(issued)}"})
        if request.headers.get("authorization") == f"Bearer {valid[0]}":
            return found()
        return httpx.Response(401, headers={"WWW-Authenticate": HUB_CHALLENGE})

    client = reader(handler)
    assert await client.source_digest(NGINX) == DIGEST
    valid[0] = "t1"
    assert await client.source_digest(NGINX) == DIGEST
    valid[0] = "none"
    assert await client.source_digest(NGINX) is None
    assert next(issued) <= 4


async def test_a_login_goes_to_the_registrys_realm_and_only_the_token_to_the_registry() -> None:
    played = hub()
    await reader(played, source_logins={"docker.io": LOGIN}).source_digest(NGINX)
    (token,) = played.asked("auth.docker.io")
    assert token.headers["authorization"] == BASIC
    sent = [r.headers.get("authorization") for r in played.asked("registry-1.docker.io")]
    assert sent == [None, "Bearer t1"]


async def test_the_login_of_one_registry_is_not_used_at_another() -> None:
    played = challenged('Basic realm="gcr"')
    client = reader(played, source_logins={"docker.io": LOGIN}, target_login=LOGIN)
    assert await client.source_digest(STATIC) is None
    assert played.logins() == set()


async def test_a_login_for_a_part_of_a_registry_goes_with_that_part_alone() -> None:
    played = challenged('Basic realm="Registry"')
    logins = {
        "gcr.io/distroless": LOGIN,
        "gcr.io/distro": ("li", "wrong"),
        "gcr.io/x": ("ana", "x"),
    }
    assert await reader(played, source_logins=logins).source_digest(STATIC) == DIGEST
    sent = [request.headers.get("authorization") for request in played.requests]
    assert sent == [None, BASIC]


async def test_a_basic_challenge_is_answered_with_the_login_and_remembered() -> None:
    played = challenged('Basic realm="Registry"')
    client = reader(played, target_login=LOGIN)
    assert await client.target_digest(STATIC) == DIGEST
    assert await client.target_digest(STATIC) == DIGEST
    sent = [request.headers.get("authorization") for request in played.requests]
    assert sent == [None, BASIC, BASIC]
    assert client.logins() == {"harbor.example.com": True}


async def test_a_basic_login_that_is_not_accepted_is_tried_once() -> None:
    headers = {"WWW-Authenticate": 'Basic realm="Registry"'}
    played = always(lambda: httpx.Response(401, headers=headers))
    client = reader(played, target_login=LOGIN)
    with pytest.raises(RefusedError, match="answers 401"):
        await client.target_digest(STATIC)
    assert len(played.requests) == 2
    assert client.logins() == {"harbor.example.com": False}


async def test_a_realm_that_does_not_accept_the_login_says_so() -> None:
    played = hub(lambda _: httpx.Response(401))
    client = reader(played, source_logins={"docker.io": LOGIN})
    with pytest.raises(RefusedError, match="does not accept the configured login") as told:
        await client.source_digest(NGINX)
    assert client.logins() == {"docker.io": False}
    assert LOGIN[1] not in str(told.value)


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_realm_that_gives_strangers_nothing_means_missing_or_private(status: int) -> None:
    assert await reader(hub(lambda _: httpx.Response(status))).source_digest(NGINX) is None


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json=["t1"]),
        httpx.Response(200, json={"token": 7}),
        httpx.Response(200, json={"token": "t1\r\nX-Evil: 1"}),
        httpx.Response(200, json={"token": "t" * 70_000}),
        httpx.Response(302, headers={"Location": "https://evil.example/"}),
        httpx.Response(400),
    ],
    ids=["list", "number", "two lines", "long", "redirect", "400"],
)
async def test_an_answer_that_holds_no_usable_token_is_refused(answer: httpx.Response) -> None:
    played = hub(lambda _: answer)
    with pytest.raises(RefusedError, match=r"^the login of docker\.io "):
        await reader(played).source_digest(NGINX)
    assert played.asked("evil.example") == []


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, html="<p>Sign in to the hotel's network</p>"),
        httpx.Response(200, content=b"[" * 60_000),
        httpx.Response(200, content=b'{"token": "t1'),
    ],
    ids=["html", "a page", "deep", "cut"],
)
async def test_a_token_server_that_sends_no_json_may_do_so_later(answer: httpx.Response) -> None:
    with pytest.raises(TransientError, match=r"^the login of docker\.io ") as told:
        await reader(hub(lambda _: answer)).source_digest(NGINX)
    trouble = told.value.trouble
    assert (trouble.kind, trouble.who) == (TroubleKind.UNREADABLE, "docker.io")


async def test_a_page_in_place_of_a_registrys_answer_is_temporary() -> None:
    page = always(lambda: httpx.Response(200, html="<p>Sign in to the hotel's network</p>"))
    with pytest.raises(TransientError, match="HTML page"):
        await reader(page).source_digest(STATIC)


async def test_a_realm_in_trouble_is_temporary() -> None:
    played = hub(lambda _: httpx.Response(429, headers={"Retry-After": "5"}))
    with pytest.raises(TransientError, match=r"^the login of docker\.io answers 429") as told:
        await reader(played).source_digest(NGINX)
    assert told.value.retry_after == 5
    assert told.value.trouble.who == "docker.io"  # what people read, in their own language


@pytest.mark.parametrize(
    "realm",
    [
        "https://evil.example/token",
        "http://gcr.io/token",
        "https://auth.docker.io/token",
        "https://gcr.io.evil.example/token",
        "https://gcr.io@evil.example/token",
        "https://wei:secret@gcr.io/token",
        "https://169.254.169.254/latest",
        "http://127.0.0.1:5000/token",
        "https://xn--0/token",
        "//gcr.io/token",
        "gopher://gcr.io/token",
        "",
    ],
)
async def test_a_realm_off_the_registrys_list_gets_neither_a_request_nor_the_login(
    realm: str,
) -> None:
    played = challenged(f'Bearer realm="{realm}",service="s"')
    with pytest.raises(RefusedError, match=r"^gcr\.io "):
        await reader(played, source_logins={"gcr.io": LOGIN}).source_digest(STATIC)
    assert len(played.requests) == 1


async def test_a_realm_at_the_operators_own_address_may_be_plain_http() -> None:
    played = challenged('Bearer realm="http://127.0.0.1:5001/token",service="s"')
    client = reader(played, addresses={"gcr.io": "http://127.0.0.1:5001"})
    assert await client.source_digest(STATIC) == DIGEST


async def test_the_well_known_realm_stays_https_behind_a_plain_address() -> None:
    played = challenged('Bearer realm="http://auth.docker.io/token",service="s"')
    with pytest.raises(RefusedError, match="token_servers does not list"):
        await reader(played, addresses={"docker.io": "http://127.0.0.1:1"}).source_digest(NGINX)


async def test_the_targets_realm_is_its_own_host() -> None:
    good = challenged('Bearer realm="https://harbor.example.com/service/token",service="h"')
    assert await reader(good, target_login=LOGIN).target_digest(NGINX) == DIGEST
    assert good.logins() == {"harbor.example.com"}
    bad = challenged('Bearer realm="https://auth.docker.io/token",service="h"')
    with pytest.raises(RefusedError, match="token_servers does not list"):
        await reader(bad, target_login=LOGIN).target_digest(NGINX)
    assert bad.logins() == set()


@pytest.mark.parametrize(
    ("headers", "scheme", "realm"),
    [
        (['Basic realm="b"', 'Bearer realm="https://a/,b"'], "bearer", "https://a/,b"),
        (['bearer Realm="x", error="a=\\"b\\""'], "bearer", "x"),
        (["Basic"], "basic", ""),
        (["Bearer realm="], "bearer", ""),
        (["Bearer " + '"' * 9000], "bearer", ""),
    ],
)
def test_a_challenge_is_read_from_what_servers_send(
    headers: list[str], scheme: str, realm: str
) -> None:
    read = parse_challenge(httpx.Headers([("WWW-Authenticate", text) for text in headers]))
    assert read is not None
    assert (read.scheme, read.realm) == (scheme, realm)


@pytest.mark.parametrize("headers", [[], [""], ["Negotiate"], ["NTLM abc="]])
def test_a_challenge_of_another_kind_is_none(headers: list[str]) -> None:
    assert parse_challenge(httpx.Headers([("WWW-Authenticate", text) for text in headers])) is None


async def test_closing_ends_a_fetch_that_nobody_waits_for_any_more() -> None:
    started = asyncio.Event()

    async def handler(request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.docker.io":
            started.set()
            await asyncio.sleep(60)
        return httpx.Response(401, headers={"WWW-Authenticate": HUB_CHALLENGE})

    client = reader(httpx.MockTransport(handler))
    call = asyncio.create_task(client.source_digest(NGINX))
    await started.wait()
    await asyncio.wait_for(client.aclose(), 90)
    with pytest.raises(asyncio.CancelledError):
        await call


# ---- redirects


def redirecting(*locations: str, last: Callable[[], httpx.Response] = found) -> Played:
    """A registry that demands a login and then redirects the client through these locations."""
    ways = list(locations)

    def handler(request: httpx.Request) -> httpx.Response:
        if "/manifests/" not in request.url.path:
            return httpx.Response(200, json={"token": "t1"})
        if not ways or (len(ways) == len(locations) and "authorization" not in request.headers):
            headers = {"WWW-Authenticate": 'Bearer realm="https://registry.k8s.io/token"'}
            return last() if not ways else httpx.Response(401, headers=headers)
        return httpx.Response(307, headers=[(b"Location", ways.pop(0).encode())])

    return Played(handler)


PAUSE = ImageRef.parse("registry.k8s.io/pause:3.10")
REGIONAL = "https://us-west1-docker.pkg.dev/v2/k8s/pause/manifests/3.10"


async def test_a_redirect_is_followed_without_the_login() -> None:
    played = redirecting(REGIONAL)
    client = reader(played, source_logins={"registry.k8s.io": LOGIN})
    assert await client.source_digest(PAUSE) == DIGEST
    (last,) = played.asked("us-west1-docker.pkg.dev")
    assert (last.method, last.headers["accept"]) == ("HEAD", ACCEPT_MANIFESTS)
    assert played.logins() == {"registry.k8s.io"}


async def test_a_place_redirected_to_may_not_ask_for_a_login() -> None:
    headers = {"WWW-Authenticate": 'Bearer realm="https://registry.k8s.io/token"'}
    played = redirecting(REGIONAL, last=lambda: httpx.Response(401, headers=headers))
    assert await reader(played).source_digest(PAUSE) is None
    assert played.logins() == {"registry.k8s.io"}


@pytest.mark.parametrize(
    "location",
    [
        "http://us-west1-docker.pkg.dev/v2/manifests/x",
        "ftp://a.example/manifests/x",
        "https://wei:secret@a.example/manifests/x",
        "https://\u2100/manifests/x",
        "https://xn--a/manifests/x",  # cannot be decoded as a name
        "https://xn--/manifests/x",
        "https://xn--zzzz--/manifests/x",
        "file:///etc/passwd",
    ],
)
async def test_a_redirect_to_anything_but_plain_https_is_refused(location: str) -> None:
    played = redirecting(location)
    with pytest.raises(RefusedError, match=r"^registry\.k8s\.io redirects"):
        await reader(played).source_digest(PAUSE)
    assert {request.url.host for request in played.requests} == {"registry.k8s.io"}


async def test_a_chain_of_redirects_ends_after_three() -> None:
    assert await reader(redirecting(*[REGIONAL] * 3)).source_digest(PAUSE) == DIGEST
    with pytest.raises(RefusedError, match="more than 3 times"):
        await reader(redirecting(*[REGIONAL] * 4)).source_digest(PAUSE)


# ---- the shape


def platform(os: str, architecture: str, variant: str = "") -> dict[str, Any]:
    told = {"os": os, "architecture": architecture} | ({"variant": variant} if variant else {})
    return {"mediaType": "m", "digest": OTHER, "size": 500, "platform": told}


def index(*platforms: tuple[str, ...]) -> dict[str, Any]:
    return {"schemaVersion": 2, "manifests": [platform(*names) for names in platforms]}


def served(manifest: object) -> tuple[Played, str]:
    body = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    return Played(lambda _: httpx.Response(200, content=body)), digest


@pytest.mark.parametrize(
    "manifest",
    [
        b"<html>",
        b"[" * 100_000,
        [1],
        {"schemaVersion": 2},
        {"manifests": 7},
        {"manifests": ["a"]},
        {"manifests": [{"platform": "linux/amd64"}]},
        index(("linux", "amd64\n✅ approved")),
        index(("linux", "x" * 33)),
        index(*[("linux", f"cpu{n}") for n in range(101)]),
        {"manifests": [{"digest": "sha256:../../x"}]},
        {"manifests": [{"digest": 7}]},
        {"config": {"digest": OTHER, "size": -1}, "layers": []},
        {"config": {"digest": OTHER, "size": True}, "layers": []},
        {"config": {"digest": OTHER, "size": 2**63}, "layers": []},
        {"config": {"digest": OTHER, "size": 1}, "layers": None},
        {"config": {"size": 1}, "layers": []},
    ],
    ids=lambda value: str(value)[:30],
)
async def test_a_manifest_that_makes_no_sense_is_refused(manifest: object) -> None:
    played, digest = served(manifest)
    with pytest.raises(RefusedError, match=r"gcr\.io sends a manifest that cannot be read"):
        await reader(played).shape(STATIC, digest)


async def test_a_manifest_that_is_not_the_one_of_its_digest_is_refused() -> None:
    played, _ = served(index(("linux", "amd64")))
    with pytest.raises(RefusedError, match="does not match its digest"):
        await reader(played).shape(STATIC, DIGEST)


async def test_a_manifest_over_four_mebibytes_is_not_read_to_its_end() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65536
            yield b" " * 65536

    played = always(lambda: httpx.Response(200, content=endless()))
    with pytest.raises(RefusedError, match=r"gcr\.io sent more than 4194304 bytes"):
        await reader(played).shape(STATIC, DIGEST)
    assert sent < 5 * 1024 * 1024


async def test_a_packed_answer_is_not_unpacked() -> None:
    headers = {"Content-Encoding": "gzip"}
    played = always(lambda: httpx.Response(200, headers=headers, stream=Unread()))
    with pytest.raises(RefusedError, match="cannot be read"):
        await reader(played).shape(STATIC, DIGEST)
    assert played.requests[0].headers["accept-encoding"] == "identity"


class Unread(httpx.AsyncByteStream):
    def __aiter__(self) -> AsyncIterator[bytes]:
        pytest.fail("it was read")


async def test_a_refusal_quotes_the_servers_own_words_bounded_and_without_the_token() -> None:
    words = "no\r\n\x1b[31msuch thing, Bearer t1 " + "x" * 500
    error = {"errors": [{"code": "DENIED", "message": words}]}
    challenge = {"WWW-Authenticate": 'Bearer realm="https://gcr.io/token"'}

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            return httpx.Response(200, json={"token": "t1"})
        if "authorization" not in request.headers:
            return httpx.Response(401, headers=challenge)
        return httpx.Response(403, json=error)

    with pytest.raises(RefusedError) as told:
        await reader(handler).shape(STATIC, DIGEST)
    said = str(told.value)
    assert said.startswith("gcr.io answers 403 Forbidden: DENIED: no [31msuch thing, Bearer ***")
    assert said.isprintable()
    assert len(said) < 240


async def test_a_digest_outside_the_grammar_never_becomes_an_address() -> None:
    played = always(found)
    with pytest.raises(RefusedError, match="is not a digest"):
        await reader(played).shape(STATIC, "../../../token")
    assert played.requests == []


def test_words_of_a_server_become_one_line() -> None:
    assert one_line(" a\n\tb\u202e\x00c ", 4) == "a b "


# ---- not too many at once


async def test_at_most_eight_requests_are_under_way_at_one_registry() -> None:
    now, most = 0, 0

    async def handler(request: httpx.Request) -> httpx.Response:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.005)
        now -= 1
        return found()

    client = reader(httpx.MockTransport(handler))
    images = [ImageRef.parse(f"gcr.io/a/b{n}:1") for n in range(40)]
    await asyncio.gather(*(client.source_digest(image) for image in images))
    assert most == 8


# ---- the guard of addresses


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("64:ff9b::808:808", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("2001:db8::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", False),
        ("::127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_an_address_is_public_only_if_everybody_would_reach_the_same(
    address: str, *, public: bool
) -> None:
    assert is_public(address) is public


class Sockets(httpcore.AsyncNetworkBackend):
    """A network where every address answers. Records the connections."""

    def __init__(self, refusing: Sequence[str] = ()) -> None:
        self.opened: list[tuple[str, int]] = []
        self.refusing = refusing
        self.names: list[str | None] = []

    async def connect_tcp(
        self, host: str, port: int, *rest: object, **named: object
    ) -> httpcore.AsyncNetworkStream:
        self.opened.append((host, port))
        if host in self.refusing:
            raise httpcore.ConnectError("refused")
        return Stream(self)


class Stream(httpcore.AsyncMockStream):
    def __init__(self, sockets: Sockets) -> None:
        head = f"HTTP/1.1 200 OK\r\nDocker-Content-Digest: {DIGEST}\r\nConnection: close\r\n\r\n"
        super().__init__([head.encode()])
        self.sockets = sockets

    async def start_tls(
        self, *rest: object, server_hostname: str | None = None, **named: object
    ) -> httpcore.AsyncNetworkStream:
        self.sockets.names.append(server_hostname)
        return self


def resolving(*answers: Sequence[str] | OSError) -> Callable[[str, int], Any]:
    """A resolver that gives one answer after the other."""
    left = iter(answers)

    async def resolve(host: str, port: int) -> Sequence[str]:
        answer = next(left)
        if isinstance(answer, OSError):
            raise answer
        return answer

    return resolve


def guarded(
    sockets: Sockets, *answers: Sequence[str] | OSError, env: bool = False, **changes: Any
) -> RegistryClient:
    network = GuardedTransport(
        resolve=resolving(*answers), network=None if env else Network({}), backend=sockets
    )
    return reader(network, **changes)


async def test_the_connection_goes_to_the_address_that_was_checked_under_the_hosts_name() -> None:
    sockets = Sockets()
    client = guarded(sockets, ["8.8.8.8", "8.8.4.4"])
    assert await client.source_digest(STATIC) == DIGEST
    assert (sockets.opened, sockets.names) == ([("8.8.8.8", 443)], ["gcr.io"])


async def test_a_public_address_that_is_dead_holds_nobody_up() -> None:
    class Hanging(Sockets):
        async def connect_tcp(self, host: str, *rest: Any, **named: Any) -> Any:
            if host == "2001:4860:4860::8888":
                await asyncio.Event().wait()
            return await super().connect_tcp(host, *rest, **named)

    sockets = Hanging()
    client = guarded(sockets, ["2001:4860:4860::8888", "8.8.8.8"])
    assert await client.source_digest(STATIC) == DIGEST
    assert sockets.opened == [("8.8.8.8", 443)]


async def test_the_next_address_is_tried_where_the_first_refuses() -> None:
    sockets = Sockets(refusing=["2001:4860:4860::8888"])
    client = guarded(sockets, ["2001:4860:4860::8888", "8.8.8.8"])
    assert await client.source_digest(STATIC) == DIGEST
    assert [host for host, _ in sockets.opened] == ["2001:4860:4860::8888", "8.8.8.8"]


async def test_a_name_that_turns_private_after_the_first_answer_is_refused_then() -> None:
    sockets = Sockets()
    client = guarded(sockets, ["8.8.8.8"], ["127.0.0.1"])
    assert await client.source_digest(STATIC) == DIGEST
    with pytest.raises(RefusedError, match=r"gcr\.io is at a private address"):
        await client.source_digest(STATIC)
    assert sockets.opened == [("8.8.8.8", 443)]


@pytest.mark.parametrize("answer", [["10.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:10.0.0.1"]])
async def test_a_name_at_a_private_address_is_never_connected_to(answer: list[str]) -> None:
    sockets = Sockets()
    with pytest.raises(RefusedError, match="private address"):
        await guarded(sockets, answer).source_digest(STATIC)
    assert sockets.opened == []


@pytest.mark.parametrize("answer", [[], OSError("Name or service not known")])
async def test_a_name_without_an_address_is_temporary(answer: Sequence[str] | OSError) -> None:
    with pytest.raises(TransientError, match=r"gcr\.io cannot be reached"):
        await guarded(Sockets(), answer).source_digest(STATIC)


@pytest.mark.parametrize("host", ["127.0.0.1:80", "2130706433:80", "0x7f.1:80", "127.1:80"])
@pytest.mark.parametrize("env", [False, True])
async def test_an_address_written_as_a_number_is_refused_behind_a_proxy_too(
    host: str, monkeypatch: pytest.MonkeyPatch, *, env: bool
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    client = guarded(Sockets(), ["8.8.8.8"], env=env, allowed=[host])
    with pytest.raises(RefusedError, match="is a private address"):
        await client.source_digest(ImageRef.parse(f"{host}/a:1"))


@pytest.mark.parametrize("host", ["a.example:0", "a.example:70000", "a_b%5b.example", "a b"])
async def test_an_address_that_no_connection_can_go_to_is_refused(host: str) -> None:
    network = GuardedTransport(
        resolve=resolving(["8.8.8.8"]), network=Network({}), backend=Sockets()
    )
    with pytest.raises(RefusedError, match=r"no port|not a host name"):
        await network.handle_async_request(httpx.Request("HEAD", f"https://{host}/"))


async def test_a_redirect_into_the_operators_own_network_is_refused() -> None:
    sockets = Sockets()
    network = GuardedTransport(
        resolve=resolving(["192.168.1.7"]), network=Network({}), backend=sockets
    )
    target = "https://harbor.example.com/v2/x/manifests/1"

    class Redirecting(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.host == "gcr.io":
                return httpx.Response(302, headers={"Location": target})
            return await network.handle_async_request(request)

    with pytest.raises(RefusedError, match=r"harbor\.example\.com is at a private address"):
        await reader(Redirecting()).source_digest(STATIC)
    assert sockets.opened == []


async def test_the_target_and_the_operators_addresses_may_be_private() -> None:
    sockets = Sockets()
    addresses = {"gcr.io": "http://192.168.1.7:5000"}
    client = guarded(sockets, addresses=addresses, target=Target("harbor.internal"))
    assert await client.source_digest(STATIC) == DIGEST
    assert await client.target_digest(STATIC) == DIGEST
    assert sockets.opened == [("192.168.1.7", 5000), ("harbor.internal", 443)]


# ---- a real registry


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("registry") / "real", LOGIN) as process:
        yield process


@asynccontextmanager
async def reading(real: Registry, login: tuple[str, str]) -> AsyncIterator[RegistryClient]:
    client = RegistryClient(
        addresses={
            "docker.io": f"http://{real.address}/docker.io",
            real.address: f"http://{real.address}",
        },
        target=Target(real.address),
        allowed=["docker.io"],
        target_login=login,
        source_logins={"docker.io": login},
        network=Network({}),
    )
    try:
        yield client
    finally:
        await client.aclose()


def push(real: Registry, tag: str) -> str:
    """Put a small image into the registry and return its digest."""
    name = f"http://{real.address}/v2/docker.io/library/nginx"
    blob = b"{}"
    digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    with httpx.Client(auth=LOGIN, trust_env=False) as client:
        begun = client.post(f"{name}/blobs/uploads/")
        url = httpx.URL(begun.headers["Location"]).copy_merge_params({"digest": digest})
        client.put(url, content=blob).raise_for_status()
        config = "application/vnd.docker.container.image.v1+json"
        layer = "application/vnd.docker.image.rootfs.diff.tar.gzip"
        manifest = {
            "schemaVersion": 2,
            "mediaType": kind,
            "config": {"mediaType": config, "digest": digest, "size": 2},
            "layers": [{"mediaType": layer, "digest": digest, "size": 2}],
        }
        body = json.dumps(manifest)
        put = client.put(f"{name}/manifests/{tag}", content=body, headers={"Content-Type": kind})
    assert put.status_code == 201, put.text
    return put.headers["Docker-Content-Digest"]


async def test_a_real_registry_tells_the_digest_without_a_get_and_the_shape_by_one(
    real: Registry,
) -> None:
    pushed = push(real, "1.27")
    before = len(real.log.read_text())
    async with reading(real, LOGIN) as client:
        assert await client.source_digest(NGINX) == pushed
        assert await client.target_digest(NGINX) == pushed
        assert await client.source_digest(ImageRef.parse("nginx:missing")) is None
        assert '"GET ' not in real.log.read_text()[before:]
        assert await client.shape(NGINX, pushed) == ImageInfo(size=2)  # one blob, named twice
    assert real.log.read_text()[before:].count('"GET ') == 1


async def test_a_real_registry_refuses_a_wrong_login(real: Registry) -> None:
    async with reading(real, ("wei", "wrong")) as client:
        assert await client.source_digest(NGINX) is None
        with pytest.raises(RefusedError, match="answers 401 Unauthorized"):
            await client.target_digest(NGINX)


async def test_a_real_registry_that_is_gone_is_temporary(real: Registry) -> None:
    gone = {"docker.io": "http://127.0.0.1:9"}
    client = reader(GuardedTransport(network=Network({})), addresses=gone)
    with pytest.raises(TransientError, match=r"^docker\.io cannot be reached: ."):
        await client.source_digest(NGINX)
    await client.aclose()


async def test_an_identity_token_is_exchanged_at_the_token_server() -> None:
    played = challenged('Bearer realm="https://ghcr.io/token",service="s"')
    login = ("00000000", "", "refresh-me")
    client = reader(played, source_logins={"ghcr.io": login})
    assert await client.source_digest(ImageRef.parse("ghcr.io/wei/app:1")) == DIGEST
    (posted,) = [request for request in played.requests if request.method == "POST"]
    assert dict(parse_qsl(posted.content.decode())) == {
        "grant_type": "refresh_token",
        "client_id": "imageto-bot",
        "service": "s",
        "scope": "repository:wei/app:pull",
        "refresh_token": "refresh-me",
    }
    assert "authorization" not in posted.headers


@pytest.mark.parametrize("status", [400, 401])
async def test_an_identity_token_that_ended_is_a_wrong_login(status: int) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(status, json={"error": "invalid_grant"})
        challenge = 'Bearer realm="https://ghcr.io/token",service="s"'
        return httpx.Response(401, headers={"WWW-Authenticate": challenge})

    client = reader(handler, source_logins={"ghcr.io": ("", "", "refresh-me")})
    with pytest.raises(RefusedError, match="does not accept the configured login"):
        await client.source_digest(ImageRef.parse("ghcr.io/wei/app:1"))


@pytest.mark.parametrize(
    ("registry", "server", "own"),
    [
        ("lscr.io", "ghcr.io", {}),
        ("registry.gitlab.com", "gitlab.com", {}),
        ("registry.cn-hangzhou.aliyuncs.com", "dockerauth.cn-hangzhou.aliyuncs.com", {}),
        ("wei-registry.cn-beijing.cr.aliyuncs.com", "dockerauth-ee.cn-beijing.aliyuncs.com", {}),
        (
            "registry.example.com",
            "auth.example.com",
            {"registry.example.com": ["auth.example.com"]},
        ),
        (
            "registry.example.com",
            "auth.example.com:8443",
            {"registry.example.com": ["auth.example.com:8443"]},
        ),
    ],
)
async def test_a_login_goes_to_the_token_server_that_is_known_to_be_its_own(
    registry: str, server: str, own: dict[str, list[str]]
) -> None:
    played = challenged(f'Bearer realm="https://{server}/auth",service="s"')
    given = {"allowed": (registry,), "source_logins": {registry: LOGIN}, "own_token_servers": own}
    client = reader(played, **given)
    assert await client.source_digest(ImageRef.parse(f"{registry}/wei/app:1")) == DIGEST
    assert played.logins() == {registry, server.partition(":")[0]}


@pytest.mark.parametrize(
    ("registry", "server"),
    [
        ("registry.cn-hangzhou.aliyuncs.com", "dockerauth.oss-cn-hangzhou.aliyuncs.com"),
        ("registry.cn-hangzhou.aliyuncs.com", "dockerauth.cn-beijing.aliyuncs.com"),
        ("registry.example.com", "auth.example.com"),
        ("lscr.io", "auth.docker.io"),
    ],
)
async def test_a_login_goes_nowhere_else(registry: str, server: str) -> None:
    played = challenged(f'Bearer realm="https://{server}/auth",service="s"')
    client = reader(played, allowed=(registry,), source_logins={registry: LOGIN})
    with pytest.raises(RefusedError, match=f"{server}, which token_servers does not list"):
        await client.source_digest(ImageRef.parse(f"{registry}/wei/app:1"))
    assert played.asked(server) == []


BODY = b'{"schemaVersion": 2, "manifests": []}'
BODY_DIGEST = f"sha256:{hashlib.sha256(BODY).hexdigest()}"


@pytest.mark.parametrize("head", [200, 404, 405])
async def test_a_source_that_does_not_know_head_is_sent_a_get(head: int) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "HEAD":
            return httpx.Response(head)
        there = request.url.path.endswith("/app/manifests/1")
        return httpx.Response(200, content=BODY) if there else httpx.Response(404)

    played = Played(handler)
    client = reader(played)
    for _ in range(2):
        assert await client.source_digest(ImageRef.parse("ghcr.io/wei/app:1")) == BODY_DIGEST
    assert await client.source_digest(ImageRef.parse("ghcr.io/wei/other:1")) is None
    assert [request.method for request in played.requests] == ["HEAD", "GET", "GET", "GET"]


@pytest.mark.parametrize("body", [b"{}", b'{"schemaVersion": 1}', b"[]", b'{"state": "active"}'])
async def test_what_is_no_manifest_gives_no_digest(body: bytes) -> None:
    played = Played(lambda r: httpx.Response(405 if r.method == "HEAD" else 200, content=body))
    with pytest.raises((RefusedError, TransientError)):
        await reader(played).source_digest(STATIC)


async def test_a_source_that_knows_head_is_not_asked_twice_for_what_it_lacks() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return found() if request.url.path.endswith("/app/manifests/1") else httpx.Response(404)

    played = Played(handler)
    client = reader(played)
    assert await client.source_digest(ImageRef.parse("ghcr.io/wei/app:1")) == DIGEST
    assert await client.source_digest(ImageRef.parse("ghcr.io/wei/other:1")) is None
    assert {request.method for request in played.requests} == {"HEAD"}


async def test_a_digest_that_a_get_does_not_give_is_refused() -> None:
    played = Played(lambda r: httpx.Response(405 if r.method == "HEAD" else 200, content=BODY))
    with pytest.raises(RefusedError, match=f"was asked for {DIGEST}"):
        await reader(played).source_digest(ImageRef.parse(f"ghcr.io/wei/app@{DIGEST}"))


@pytest.mark.parametrize("image", ["nginx:1.27", "docker.io/wei/app:1"])
async def test_docker_hub_is_sent_no_get_for_a_digest(image: str) -> None:
    played = Played(lambda _: httpx.Response(404))
    assert await reader(played).source_digest(ImageRef.parse(image)) is None
    assert {request.method for request in played.requests} == {"HEAD"}
