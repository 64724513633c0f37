"""Fuzz targets of what registries answer: headers, challenges, tokens, manifests, tags.

The parsers are fuzzed one by one, which is fast. The whole client, with redirects and logins, is
fuzzed over a transport that answers from the choices.
"""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

import httpx
from fuzz_github import DAY, LARGEST, expect_trouble
from generators import HEX, Choices, body, broken, mutated

from bot.adapters.registry.auth import Endpoint, Login, _token_of, checked_realm, parse_challenge
from bot.adapters.registry.client import RegistryClient
from bot.adapters.registry.manifest import (
    head_digest,
    is_digest,
    parse_config,
    parse_manifest,
    total_size,
)
from bot.adapters.registry.pull_limits import PullLimits
from bot.adapters.registry.session import _next_url
from bot.adapters.registry.tags import next_page, parse_tags
from bot.adapters.registry.transport import RegistryResponse, one_line, retry_after
from bot.core.errors import RefusedError, TransientError
from bot.core.image import BadReference, ImageRef, Target
from bot.core.registry import ImageInfo
from bot.core.signature import Signer

NOW: Final = datetime(2026, 11, 25, tzinfo=UTC)
DIGEST: Final = f"sha256:{HEX}"
_ENDPOINTS: Final = tuple(
    Endpoint(registry, httpx.URL(base), "library/nginx", login, from_config=False)
    for registry, base in (
        ("docker.io", "https://registry-1.docker.io"),
        ("cache.example", "http://cache.example:5000"),
        ("registry.gitlab.com", "https://registry.gitlab.com"),
    )
    for login in (None, Login("wei", "p"))
)

_DESCRIPTOR: Final = {"mediaType": "application/x", "digest": DIGEST, "size": 1234}
_PLATFORM: Final = {"architecture": "amd64", "os": "linux", "variant": "v8"}
_IMAGE: Final = {"schemaVersion": 2, "config": _DESCRIPTOR, "layers": [_DESCRIPTOR, _DESCRIPTOR]}
_INDEX: Final = {"schemaVersion": 2, "manifests": [_DESCRIPTOR | {"platform": _PLATFORM}] * 2}
_CONFIG: Final = _PLATFORM | {"created": "2026-11-25T10:00:00.123456789Z", "config": {}}
_TOKEN: Final = {"token": "t", "access_token": "t", "expires_in": 300, "issued_at": "2026"}
_TAGS: Final = {"name": "library/nginx", "tags": ["1.27", "latest", "v1"]}
_ERROR: Final = {"errors": [{"code": "DENIED", "message": "requested access is denied"}]}
_OLD: Final = {"schemaVersion": 1, "fsLayers": [], "history": []}

_STATUS: Final = (
    200,
    200,
    200,
    200,
    401,
    401,
    403,
    404,
    307,
    301,
    408,
    429,
    503,
    204,
    418,
    206,
    999,
)
_URLS: Final = (
    *(
        "https://auth.docker.io/token",
        "https://registry-1.docker.io/x",
        "http://cache.example:5000/t",
    ),
    *(
        "https://evil.example/token",
        "http://169.254.169.254/",
        "https://user:p@auth.docker.io/",
        "/x",
    ),
    *(
        "https://[::1]:5000/",
        "https://xn--a/",
        "https://0x7f.1/",
        "https://a:99999999/",
        "//a.io/b",
    ),
    *(
        "",
        "https://",
        "https:///x",
        "ftp://a/",
        "https://auth.docker.io:443/t",
        "javascript:x",
        "?n=1",
    ),
    *(
        "https://\u2100/",
        "https://gitlab.com/jwt/auth",
        "https://a..b/",
        "https://" + "a" * 300,
        "[",
        "\0",
    ),
)
_NEXT: Final = "/v2/library/nginx/tags/list?n=1000&last=v1"
_HEADERS: Final = (
    *("Docker-Content-Digest", "WWW-Authenticate", "WWW-Authenticate", "Location", "Link"),
    *("Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "Content-Encoding", "X-Odd"),
)


def _header(choices: Choices) -> tuple[str, bytes]:
    name = choices.pick(_HEADERS)
    url = choices.pick(_URLS)
    challenge = f'Bearer realm="{url}",service="registry.docker.io",scope="repository:x:pull"'
    value = {
        "Docker-Content-Digest": DIGEST,
        "WWW-Authenticate": choices.pick(
            (challenge, 'Basic realm="x"', "Negotiate", "Bearer realm=")
        ),
        "Location": url,
        "Link": f'<{choices.pick((url, _NEXT))}>; rel="next"',
        "Retry-After": choices.pick(("5", "9" * 20, "Wed, 21 Oct 2026 07:28:00 GMT", "-1", "nan")),
        "RateLimit-Limit": choices.pick(("100;w=21600", "100", ";w=", "9" * 9, "-1;w=0")),
        "RateLimit-Remaining": choices.pick(("99;w=21600", "0", "999999999;w=999999999")),
        "Content-Encoding": choices.pick(("gzip", "identity", "")),
    }.get(name, url)
    text = broken(value, choices, choices.pick((0, 0, 0, 1, 2)))
    return name, text.encode("utf-8", errors="replace").replace(b"\r", b" ").replace(b"\n", b" ")


def _headers(choices: Choices) -> httpx.Headers:
    return httpx.Headers(choices.several(_header, 4))


def registry_headers(choices: Choices) -> None:
    """Challenges, redirects, realms, links, waits and budgets, of any bytes."""
    headers = _headers(choices)
    endpoint = choices.pick(_ENDPOINTS)
    answer = RegistryResponse(choices.pick(_STATUS), headers, b"")
    challenge = parse_challenge(headers)
    if challenge is not None:
        assert challenge.scheme in {"bearer", "basic"}
        _allowed(lambda: _expect_realm(checked_realm(endpoint, challenge.realm), endpoint))
    _allowed(lambda: _expect_public_form(_next_url(endpoint.tags(), answer, endpoint.registry)))
    following = next_page(endpoint.tags(), answer)
    assert following is None or following.host == endpoint.base.host
    wait = retry_after(headers.get("retry-after", ""), now=NOW)
    assert wait is None or 0 <= wait <= DAY
    limits = PullLimits(lambda: 0.0)
    limits.record("x", headers)
    for budget in limits.current().values():
        assert 0 <= budget.remaining <= budget.limit
    found = _allowed(lambda: head_digest(answer, endpoint.registry, wanted=None))
    assert found is None or is_digest(found)


def _expect_realm(realm: httpx.URL, endpoint: Endpoint) -> None:
    hosts = {endpoint.base.raw_host, b"auth.docker.io", b"gitlab.com"}
    assert realm.raw_host in hosts
    assert not realm.userinfo
    assert realm.scheme in {"https", endpoint.base.scheme}


def _expect_public_form(url: httpx.URL) -> None:
    assert url.scheme == "https"
    assert not url.userinfo


def _allowed(work: Callable[[], Any]) -> Any:
    """Return the result of the work, or None where it raises what it may raise."""
    try:
        return work()
    except (TransientError, RefusedError) as error:
        expect_trouble(error)
        return None


def registry_bodies(choices: Choices) -> None:
    """Manifests, configs, tokens and tags: nothing is accepted unchecked."""
    document = choices.pick((_IMAGE, _INDEX, _CONFIG, _TOKEN, _TAGS, _ERROR, _OLD))
    sent = body(document, choices)
    status = choices.pick((200, 200, 200, 404, 500, 999))
    answer = RegistryResponse(status, httpx.Headers(), sent)
    digest = f"sha256:{hashlib.sha256(sent).hexdigest()}"
    manifest = _allowed(lambda: parse_manifest(answer, "a.io", digest))
    if manifest is not None:
        assert all(is_digest(child.digest) for child in manifest.children)
        assert all(platform.isascii() and " " not in platform for platform in manifest.platforms)
        assert manifest.config is None or is_digest(manifest.config)
        size = total_size(manifest, [manifest])
        assert size is None or 0 <= size <= LARGEST
        manifest.common_child()
    config = parse_config(answer, digest)
    assert config.platform == "" or (config.platform.isascii() and " " not in config.platform)
    assert config.created is None or config.created.tzinfo is UTC
    for tag in _allowed(lambda: parse_tags(answer, "a.io")) or ():
        assert ImageRef.parse(f"a.io/b:{tag}").tag == tag
    token = _allowed(lambda: _token_of(answer, "a.io"))
    if token is not None:
        httpx.Headers({"Authorization": f"Bearer {token[0]}"})
        assert token[0].isascii()
        assert 0 < token[1] <= DAY
    line = one_line(sent.decode(errors="replace"))
    assert len(line) <= 200
    assert line.isprintable()


def _answered(choices: Choices, request: httpx.Request) -> httpx.Response:
    if choices.below(30) == 1:
        raise choices.pick(
            (httpx.ReadTimeout("x"), httpx.ConnectError("\0x"), httpx.RemoteProtocolError("é"))
        )
    status = choices.pick(_STATUS)
    headers = _headers(choices)
    documents = (_IMAGE, _INDEX, _CONFIG) if "/manifests/" in request.url.path else (_TAGS, _CONFIG)
    if status == HTTPStatus.OK and "scope" in request.url.params:
        documents = (_TOKEN,)
    sent = body(mutated(choices.pick(documents), choices), choices)
    if status == HTTPStatus.OK and "docker-content-digest" not in headers and choices.below(2):
        headers["Docker-Content-Digest"] = DIGEST
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(sent))


_SIGNER = Signer(key="no key", fingerprint="0" * 16)


async def _asked(choices: Choices) -> None:
    transport = httpx.MockTransport(lambda request: _answered(choices, request))
    client = RegistryClient(
        addresses={"cache.example": "http://cache.example:5000"},
        target=Target("harbor.example.com"),
        allowed=("docker.io", "cache.example"),
        target_login=("wei", "p"),
        source_logins={"cache.example": ("li", "q")},
        transport=transport,
        clock=lambda: 0.0,
    )
    image = ImageRef.parse(choices.pick(("nginx:1.27", "cache.example/a/b:1", "evil.io/a:1")))
    calls = (
        lambda: client.source_digest(image),
        lambda: client.target_digest(image),
        lambda: client.shape(image, DIGEST),
        lambda: client.describe(image, DIGEST, at_target=True),
        lambda: client.tags(image),
        lambda: client.signed_by(image, DIGEST, _SIGNER),
    )
    try:
        found = await choices.pick(calls)()
    except (TransientError, RefusedError) as error:
        expect_trouble(error)
        return
    finally:
        await client.aclose()
    match found:
        case str():
            assert is_digest(found)
        case ImageInfo(size=size, created=created):
            assert size is None or 0 <= size <= LARGEST
            assert created is None or created.tzinfo is not None
        case tuple():
            assert all(_is_tag(tag) for tag in found)


def _is_tag(tag: str) -> bool:
    try:
        return ImageRef.parse(f"a.io/b:{tag}").tag == tag
    except BadReference:
        return False


def registry_exchanges(choices: Choices) -> None:
    """The whole client: any exchange raises only TransientError or RefusedError."""
    asyncio.run(_asked(choices))
