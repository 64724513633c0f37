"""What the registry client reads beyond a digest: sizes, dates, tags and pull limits.

test_client.py has digests, logins, redirects and the network guard.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from registry_fixture import INDEX, LAYER, MANIFEST, Registry, registry

from bot.adapters.network import Network
from bot.adapters.registry import network_guard
from bot.adapters.registry.client import RegistryClient
from bot.adapters.registry.network_guard import FROM_CONFIG
from bot.adapters.registry.tags import MAX_TAG_PAGES, first_page, next_page, parse_tags
from bot.adapters.registry.transport import RegistryResponse
from bot.core.errors import RefusedError, TransientError
from bot.core.image import BadReference, ImageRef, Target
from bot.core.registry import ImageInfo, PullLimit

NGINX = ImageRef.parse("nginx:1.27")
STATIC = ImageRef.parse("gcr.io/distroless/static:nonroot")
CREATED = "2024-05-01T12:34:56.123456789Z"
MOMENT = datetime(2024, 5, 1, 12, 34, 56, 123456, tzinfo=UTC)
HUB_LIMIT = {"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "76;w=21600"}
ELSEWHERE = "https://storage.example/blob"

Answering = Callable[[httpx.Request], httpx.Response | None]


class Shelf:
    """A fake registry that holds content by digest. Records the requests."""

    def __init__(self, answering: Answering = lambda _: None, **headers: str) -> None:
        self.contents: dict[str, bytes] = {}
        self.answering = answering
        self.headers = {name.replace("_", "-"): text for name, text in headers.items()}
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answering(request)
        if answer is None:
            body = self.contents.get(request.url.path.rpartition("/")[2])
            answer = httpx.Response(200 if body is not None else 404, content=body)
        answer.headers.update(self.headers)
        return answer

    def put(self, content: object) -> str:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        self.contents[digest] = body
        return digest

    def image(self, *layers: int, config: object = None, os: str = "linux") -> str:
        """Add an image with layers of these sizes. Layers of the same size share a digest."""
        told = config or {"os": os, "architecture": "amd64", "created": CREATED}
        blobs = [{"digest": f"sha256:{size:064x}", "size": size} for size in layers]
        return self.put({"config": {"digest": self.put(told), "size": 10}, "layers": blobs})

    def index(self, **children: str) -> str:
        """Add an index of images by `os_architecture_variant`."""
        entries = []
        for name, digest in children.items():
            keys = ("os", "architecture", "variant")
            entry = {"digest": digest, "platform": dict(zip(keys, name.split("_"), strict=False))}
            entries.append(entry)
        return self.put({"schemaVersion": 2, "manifests": entries})

    def asked(self, kind: str) -> list[str]:
        """Return the digests that were requested by GET."""
        paths = [r.url.path for r in self.requests if r.method == "GET"]
        return [path.rpartition("/")[2] for path in paths if f"/{kind}/" in path]


def client_of(handler: Callable[[httpx.Request], httpx.Response], **changes: Any) -> RegistryClient:
    given: dict[str, Any] = {
        "addresses": {},
        "target": Target("harbor.example.com"),
        "allowed": ("docker.io", "gcr.io"),
        "target_login": None,
        "source_logins": {},
        "transport": httpx.MockTransport(handler),
    }
    return RegistryClient(**(given | changes))


# ---- the size


async def test_the_shape_of_a_single_image_takes_one_get_and_counts_a_blob_once() -> None:
    shelf = Shelf()
    digest = shelf.image(2000, 300, 300)
    assert await client_of(shelf).shape(STATIC, digest) == ImageInfo(size=2310)
    (request,) = shelf.requests
    path = f"/v2/distroless/static/manifests/{digest}"
    assert (request.method, request.url.path) == ("GET", path)


async def test_the_size_of_an_index_is_that_of_all_its_blobs_each_once() -> None:
    shelf = Shelf()
    amd, arm, proof = shelf.image(2000, 300), shelf.image(2000, 400), shelf.image(7)
    digest = shelf.index(linux_amd64=amd, linux_arm_v7=arm, unknown_unknown=proof)
    shape = await client_of(shelf).shape(STATIC, digest)
    assert shape == ImageInfo(("linux/amd64", "linux/arm/v7"), 10 + 2000 + 300 + 400 + 7)
    assert sorted(shelf.asked("manifests")) == sorted([digest, amd, arm, proof])


async def test_one_child_that_is_two_platforms_is_asked_for_once() -> None:
    shelf = Shelf()
    child = shelf.image(5)
    digest = shelf.index(linux_arm_v6=child, linux_arm_v7=child)
    shape = await client_of(shelf).shape(STATIC, digest)
    assert shape == ImageInfo(("linux/arm/v6", "linux/arm/v7"), 15)
    assert shelf.asked("manifests") == [digest, child]


@pytest.mark.parametrize(("children", "size"), [(8, 10 + sum(range(8))), (9, None)])
async def test_more_than_eight_children_are_not_asked(children: int, size: int | None) -> None:
    shelf = Shelf()
    digest = shelf.index(**{f"linux_cpu{n}": shelf.image(n) for n in range(children)})
    assert (await client_of(shelf).shape(STATIC, digest)).size == size
    assert len(shelf.requests) == (9 if size else 1)


async def test_where_pulls_are_counted_no_child_is_asked() -> None:
    shelf = Shelf(**HUB_LIMIT)
    digest = shelf.index(linux_amd64=shelf.image(5))
    assert await client_of(shelf).shape(STATIC, digest) == ImageInfo(("linux/amd64",))
    assert len(shelf.requests) == 1


async def test_docker_hub_counts_even_where_it_does_not_say_so() -> None:
    shelf = Shelf()
    digest = shelf.index(linux_amd64=shelf.image(5))
    assert await client_of(shelf).shape(NGINX, digest) == ImageInfo(("linux/amd64",))
    itself = {"docker.io": "https://registry-1.docker.io"}
    assert (await client_of(shelf, addresses=itself).shape(NGINX, digest)).size is None


@pytest.mark.parametrize(("headers", "size"), [({}, 15), (HUB_LIMIT, None)])
async def test_docker_hub_behind_an_operators_address_counts_where_that_says_so(
    headers: dict[str, str], size: int | None
) -> None:
    shelf = Shelf(**headers)
    digest = shelf.index(linux_amd64=shelf.image(5))
    addresses = {"docker.io": "http://cache.example:5000"}
    assert (await client_of(shelf, addresses=addresses).shape(NGINX, digest)).size == size


@pytest.mark.parametrize("status", [403, 404, 429, 500])
async def test_a_child_that_cannot_be_had_leaves_the_size_open(status: int) -> None:
    def answering(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(status) if request.url.path.endswith(lost) else None

    shelf = Shelf(answering)
    lost = shelf.image(5)
    digest = shelf.index(linux_amd64=shelf.image(4), linux_arm64=lost)
    assert await client_of(shelf).shape(STATIC, digest) == ImageInfo(("linux/amd64", "linux/arm64"))


async def test_a_child_that_is_an_index_leaves_the_size_open() -> None:
    shelf = Shelf()
    digest = shelf.index(linux_amd64=shelf.index(linux_amd64=shelf.image(5)))
    assert (await client_of(shelf).describe(STATIC, digest)) == ImageInfo(("linux/amd64",))


async def test_a_sum_beyond_what_a_database_holds_is_left_open() -> None:
    shelf = Shelf()
    children = {f"linux_cpu{n}": shelf.image(2**62 + n) for n in range(3)}
    assert (await client_of(shelf).shape(STATIC, shelf.index(**children))).size is None


@pytest.mark.parametrize(
    "manifest", [{"schemaVersion": 1, "fsLayers": []}, {"schemaVersion": 2, "manifests": []}]
)
async def test_a_manifest_that_names_no_sizes_has_none(manifest: object) -> None:
    shelf = Shelf()
    assert await client_of(shelf).describe(STATIC, shelf.put(manifest)) == ImageInfo()


# ---- the description


async def test_a_single_image_is_described_by_its_manifest_and_its_config() -> None:
    shelf = Shelf()
    digest = shelf.image(2000)
    shape = await client_of(shelf).describe(STATIC, digest)
    assert shape == ImageInfo(("linux/amd64",), 2010, MOMENT)
    assert [len(shelf.asked(kind)) for kind in ("manifests", "blobs")] == [1, 1]


async def test_an_index_is_as_old_as_the_platform_that_most_people_have() -> None:
    shelf = Shelf()
    old = {"os": "linux", "architecture": "arm64", "created": "2020-01-01T00:00:00Z"}
    arm, amd = shelf.image(5, config=old), shelf.image(6)
    digest = shelf.index(linux_arm64=arm, linux_amd64=amd)
    shape = await client_of(shelf).describe(STATIC, digest)
    assert shape == ImageInfo(("linux/arm64", "linux/amd64"), 10 + 5 + 10 + 6, MOMENT)
    without = shelf.index(unknown_unknown=amd, linux_arm64=arm)
    shape = await client_of(shelf).describe(STATIC, without)
    assert shape.created == datetime(2020, 1, 1, tzinfo=UTC)


async def test_at_docker_hub_a_description_costs_two_pulls_at_most() -> None:
    shelf = Shelf(**HUB_LIMIT)
    amd, arm = shelf.image(5), shelf.image(6)
    digest = shelf.index(linux_amd64=amd, linux_arm64=arm)
    shape = await client_of(shelf).describe(NGINX, digest)
    assert shape == ImageInfo(("linux/amd64", "linux/arm64"), None, MOMENT)
    assert shelf.asked("manifests") == [digest, amd]


async def test_a_pull_that_is_not_to_spare_is_not_spent_on_a_date() -> None:
    shelf = Shelf(**(HUB_LIMIT | {"RateLimit-Remaining": "50;w=21600"}))
    digest = shelf.index(linux_amd64=shelf.image(5))
    assert await client_of(shelf).describe(NGINX, digest) == ImageInfo(("linux/amd64",))
    assert shelf.asked("manifests") == [digest]


async def test_the_target_is_described_under_the_name_and_the_login_it_has() -> None:
    basic = {"WWW-Authenticate": 'Basic realm="Harbor"'}

    def answering(request: httpx.Request) -> httpx.Response | None:
        return None if "authorization" in request.headers else httpx.Response(401, headers=basic)

    shelf = Shelf(answering)
    digest = shelf.image(5)
    client = client_of(shelf, target_login=("robot$mirror", "s3cret"))
    assert await client.describe(NGINX, digest, at_target=True) == ImageInfo(
        ("linux/amd64",), 15, MOMENT
    )
    urls = {(r.url.host, r.url.path.rpartition("/")[0]) for r in shelf.requests}
    place = "/v2/docker.io/library/nginx"
    assert urls == {("harbor.example.com", f"{place}/{kind}") for kind in ("manifests", "blobs")}


@pytest.mark.parametrize(
    ("status", "error"), [(404, RefusedError), (412, RefusedError), (503, TransientError)]
)
async def test_without_the_first_manifest_there_is_no_description(
    status: int, error: type[Exception]
) -> None:
    shelf = Shelf(lambda _: httpx.Response(status))
    with pytest.raises(error, match=r"gcr\.io"):
        await client_of(shelf).describe(STATIC, shelf.image(5))


async def test_a_text_that_is_no_digest_is_never_asked_for() -> None:
    shelf = Shelf()
    with pytest.raises(RefusedError, match="is not a digest"):
        await client_of(shelf).describe(STATIC, "../../token")
    assert shelf.requests == []


@pytest.mark.parametrize(
    "config",
    [
        b"<html>",
        b"[" * 100_000,
        [1],
        {"created": 7},
        {"created": "yesterday"},
        {"created": "2024-05-01"},
        {"created": "2024-05-01T12:34:56"},
        {"created": "2024-99-01T12:34:56Z"},
        {"created": "0001-01-01T00:00:00Z"},
        {"created": "0001-01-01T00:00:00+05:00"},
        {"created": "1970-01-01T00:00:00Z"},
        {"created": "1970-01-01T00:00:01Z"},
        {"created": "1980-01-01T00:00:00Z"},
        {"created": CREATED, "filler": "x" * (1024 * 1024)},
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_config_without_a_date_that_means_something_leaves_it_open(config: object) -> None:
    shelf = Shelf()
    shape = await client_of(shelf).describe(STATIC, shelf.image(5, config=config))
    assert shape == ImageInfo(size=15)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (CREATED, MOMENT),
        ("2024-05-01T12:34:56Z", MOMENT.replace(microsecond=0)),
        ("2024-05-01T14:34:56.123456+02:00", MOMENT),
        ("2024-05-01T12:34:56.1Z", MOMENT.replace(microsecond=100_000)),
    ],
)
async def test_a_date_is_read_in_each_form_that_builders_write(text: str, moment: datetime) -> None:
    shelf = Shelf()
    shape = await client_of(shelf).describe(STATIC, shelf.image(5, config={"created": text}))
    assert (shape.created, shape.platforms) == (moment, ())


async def test_another_blob_than_the_one_asked_for_is_not_believed() -> None:
    other = json.dumps({"created": CREATED})
    shelf = Shelf(lambda r: httpx.Response(200, text=other) if "/blobs/" in r.url.path else None)
    assert await client_of(shelf).describe(STATIC, shelf.image(5)) == ImageInfo(size=15)


@pytest.mark.parametrize("status", [404, 429, 500])
async def test_a_config_that_cannot_be_had_leaves_the_date_open(status: int) -> None:
    shelf = Shelf(lambda r: httpx.Response(status) if "/blobs/" in r.url.path else None)
    assert await client_of(shelf).describe(STATIC, shelf.image(5)) == ImageInfo(size=15)


async def test_a_blob_is_read_where_the_registry_sends_us_without_the_login() -> None:
    def answering(request: httpx.Request) -> httpx.Response | None:
        if request.url.path == "/token":
            return httpx.Response(200, json={"token": "t1"})
        if request.url.host == "storage.example":
            return httpx.Response(200, content=shelf.contents[config])
        if "authorization" not in request.headers:
            return httpx.Response(401, headers={"WWW-Authenticate": bearer})
        if "/blobs/" in request.url.path:
            return httpx.Response(307, headers={"Location": f"{ELSEWHERE}?sig=a%2Fb%3D"})
        return None

    bearer = 'Bearer realm="https://gcr.io/token",service="gcr.io"'
    shelf = Shelf(answering)
    config = shelf.put({"created": CREATED})
    digest = shelf.image(5, config={"created": CREATED})
    assert (await client_of(shelf).describe(STATIC, digest)).created == MOMENT
    (last,) = (r for r in shelf.requests if r.url.host == "storage.example")
    assert last.url.query == b"sig=a%2Fb%3D"
    assert "authorization" not in last.headers


@pytest.mark.parametrize(
    "location", ["http://storage.example/blob", "https://127.0.0.1/blob", "file:///etc/passwd"]
)
async def test_a_blob_is_not_read_over_plain_http_or_at_a_private_address(location: str) -> None:
    away = {"Location": location}
    shelf = Shelf(lambda r: httpx.Response(302, headers=away) if "/blobs/" in r.url.path else None)
    digest = shelf.image(5, config={"created": CREATED})
    guarded = Guarding(shelf)
    assert (await client_of(shelf, transport=guarded).describe(STATIC, digest)) == ImageInfo(
        size=15
    )
    assert {request.url.host for request in shelf.requests} == {"gcr.io"}


class Guarding(httpx.MockTransport):
    """Fake servers behind the guard's own check of the URL."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        network_guard._check_url(request.url, from_config=request.extensions[FROM_CONFIG])
        return await super().handle_async_request(request)


# ---- tags


def pages(*pages: tuple[object, str]) -> Shelf:
    """A list of tags in pages, each with its Link header."""
    left = iter(pages)

    def answering(_: httpx.Request) -> httpx.Response:
        tags, link = next(left)
        headers = {"Link": link} if link else {}
        return httpx.Response(
            200, json={"name": "distroless/static", "tags": tags}, headers=headers
        )

    return Shelf(answering)


LIST = "/v2/distroless/static/tags/list"


async def test_the_tags_are_asked_for_with_the_pull_scope_and_in_pages() -> None:
    bearer = {"WWW-Authenticate": 'Bearer realm="https://gcr.io/token"'}

    def answering(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            return httpx.Response(200, json={"token": "t1"})
        if "authorization" not in request.headers:
            return httpx.Response(401, headers=bearer)
        return httpx.Response(200, json={"tags": ["latest"]})

    shelf = Shelf(answering)
    assert await client_of(shelf).tags(STATIC) == ("latest",)
    asked = [str(request.url).removeprefix("https://gcr.io") for request in shelf.requests]
    token = "/token?scope=repository%3Adistroless%2Fstatic%3Apull"
    assert asked == [f"{LIST}?n=1000", token, f"{LIST}?n=1000"]


@pytest.mark.parametrize(
    "link",
    [
        f'<{LIST}?n=2&last=b>; rel="next"',
        f"<{LIST}?n=2&last=b>;rel=next",
        f'<https://gcr.io{LIST}?n=2&last=b>; title="a"; rel="next"',
        f'</v2/>; rel="first", <{LIST}?n=2&last=b>; REL="next"',
        '<?n=2&last=b>; rel="next"',
    ],
)
async def test_the_next_page_is_read_where_the_list_says_it_goes_on(link: str) -> None:
    shelf = pages((["a", "b"], link), (["c", "a"], ""))
    assert await client_of(shelf).tags(STATIC) == ("a", "b", "c")
    assert shelf.requests[1].url == f"https://gcr.io{LIST}?n=2&last=b"


@pytest.mark.parametrize(
    "link",
    [
        f'<https://evil.example{LIST}?last=b>; rel="next"',
        f'<http://gcr.io{LIST}?last=b>; rel="next"',
        f'<https://gcr.io:8443{LIST}?last=b>; rel="next"',
        f'<https://wei:secret@gcr.io{LIST}?last=b>; rel="next"',
        f'<//evil.example{LIST}?last=b>; rel="next"',
        '</v2/other/tags/list?last=b>; rel="next"',
        f'<{LIST}?last=b>; rel="previous"',
        f'<{LIST}?last=b>; rel="nextish"',
        f"<{LIST}?last=b>; rel=nextish",
        '<https://[>; rel="next"',
        f'{LIST}?last=b; rel="next"',
        f'{"x" * 5000}<{LIST}?last=b>; rel="next"',
    ],
)
async def test_a_link_to_anything_but_the_same_list_ends_it(link: str) -> None:
    shelf = pages((["a"], link))
    assert await client_of(shelf).tags(STATIC) == ("a",)


async def test_a_list_without_an_end_is_left_after_five_pages() -> None:
    shelf = pages(*(([f"{n}"], f'<{LIST}?last={n}>; rel="next"') for n in range(9)))
    assert await client_of(shelf).tags(STATIC) == ("0", "1", "2", "3", "4")
    assert len(shelf.requests) == MAX_TAG_PAGES


async def test_no_more_than_five_thousand_tags_are_kept() -> None:
    shelf = pages(([f"t{n}" for n in range(6000)], ""))
    found = await client_of(shelf).tags(STATIC)
    assert (len(found), found[-1]) == (5000, "t4999")


async def test_what_is_no_tag_is_left_out() -> None:
    shelf = pages((["a", 7, None, "", "-a", "a b", "a\n", "é", "x" * 129, "b"], ""))
    assert await client_of(shelf).tags(STATIC) == ("a", "b")


@given(st.text(max_size=6) | st.from_regex(r"[A-Za-z0-9_.-]{0,130}", fullmatch=True))
def test_a_tag_is_what_the_grammar_of_references_takes_for_one(text: str) -> None:
    try:
        tag = ImageRef.parse(f"nginx:{text}").tag
    except BadReference:
        tag = None
    body = json.dumps({"tags": [text]}).encode()
    assert parse_tags(RegistryResponse(200, httpx.Headers(), body), "gcr.io") == (
        (text,) if tag == text else ()
    )


@given(st.text(max_size=40))
def test_a_link_never_leads_to_another_place(text: str) -> None:
    url = first_page(httpx.URL(f"https://gcr.io{LIST}"))
    headers = httpx.Headers([(b"Link", f'<{text}>; rel="next"'.encode())])
    following = next_page(url, RegistryResponse(200, headers))
    assert following is None or following.copy_with(query=None) == url.copy_with(query=None)


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_repository_that_is_missing_or_private_has_no_tags(status: int) -> None:
    shelf = Shelf(lambda _: httpx.Response(status))
    assert await client_of(shelf).tags(STATIC) == ()


async def test_a_repository_without_tags_has_none() -> None:
    assert await client_of(pages((None, ""))).tags(STATIC) == ()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (httpx.Response(200, content=b"<html>"), "list of tags that cannot be read"),
        (httpx.Response(200, content=b"[" * 100_000), "list of tags that cannot be read"),
        (httpx.Response(200, json=["a"]), "list of tags that cannot be read"),
        (httpx.Response(200, json={}), "list of tags that cannot be read"),
        (httpx.Response(200, json={"tags": "a"}), "list of tags that cannot be read"),
        (httpx.Response(200, content=b" " * (5 * 1024 * 1024)), "sent more than 4194304 bytes"),
        (httpx.Response(405), "answers 405 Method Not Allowed"),
    ],
    ids=["html", "deep", "list", "none", "text", "long", "405"],
)
async def test_an_answer_that_is_no_list_of_tags_is_refused(
    answer: httpx.Response, says: str
) -> None:
    with pytest.raises(RefusedError, match=rf"gcr\.io {says}|gcr\.io sends a {says}"):
        await client_of(lambda _: answer).tags(STATIC)


async def test_the_tags_of_a_registry_off_the_allow_list_are_not_asked_for() -> None:
    shelf = Shelf()
    with pytest.raises(RefusedError, match="not an allowed registry"):
        await client_of(shelf).tags(ImageRef.parse("evil.example/a:1"))
    assert shelf.requests == []


# ---- budgets


def limited(headers: Mapping[str, str], status: int = 404) -> Shelf:
    return Shelf(lambda _: httpx.Response(status, headers=headers))


async def seen(headers: Mapping[str, str], **changes: Any) -> RegistryClient:
    client = client_of(limited(headers), **changes)
    await client.source_digest(STATIC)
    return client


async def test_a_limit_is_remembered_under_the_registrys_name() -> None:
    client = await seen(HUB_LIMIT)
    assert client.budgets() == {"gcr.io": PullLimit(remaining=76, limit=100)}


@pytest.mark.parametrize(("left", "spares"), [(100, True), (51, True), (50, False), (0, False)])
async def test_a_get_is_spared_while_more_than_half_is_left(left: int, *, spares: bool) -> None:
    client = await seen(HUB_LIMIT | {"RateLimit-Remaining": f"{left};w=21600"})
    assert client.spares("GCR.io") is spares


def test_nothing_seen_is_nothing_to_save() -> None:
    client = client_of(Shelf())
    assert client.spares("docker.io")
    assert client.budgets() == {}


async def test_a_limit_is_forgotten_with_its_window_but_not_that_pulls_are_counted() -> None:
    now = [1000.0]
    shelf = Shelf(**(HUB_LIMIT | {"RateLimit-Remaining": "0;w=21600"}))
    digest = shelf.index(linux_amd64=shelf.image(5))
    client = client_of(shelf, clock=lambda: now[0])
    await client.shape(STATIC, digest)
    now[0] += 21599
    assert not client.spares("gcr.io")
    now[0] += 2
    assert client.spares("gcr.io")
    assert client.budgets() == {}
    shelf.headers.clear()
    assert (await client.shape(STATIC, digest)).size is None


@pytest.mark.parametrize(
    ("limit", "remaining", "budget"),
    [
        ("200", "199", PullLimit(199, 200)),
        ("100 ; w=60", "7;w=60", PullLimit(7, 100)),
        ("100;w=21600", "999", PullLimit(100, 100)),
        ("100;w=999999999", "1", PullLimit(1, 100)),
        ("100;w=21600", "", None),
        ("", "76;w=21600", None),
        ("-1", "1", None),
        ("1e3", "1", None),
        ("٣", "1", None),
        ("9" * 10, "1", None),
        ("100;w=21600, 10;w=1", "1", None),
        ("100;w=21600", "many", None),
    ],
)
async def test_a_limit_is_read_only_where_it_is_plain_digits(
    limit: str, remaining: str, budget: PullLimit | None
) -> None:
    given = {"RateLimit-Limit": limit.encode(), "RateLimit-Remaining": remaining.encode()}
    client = await seen(given)  # type: ignore[arg-type] - as it goes over the wire
    assert client.budgets().get("gcr.io") == budget


async def test_a_limit_that_is_used_up_is_heard_of_and_says_when_to_come_back() -> None:
    used_up = HUB_LIMIT | {"RateLimit-Remaining": "0;w=21600", "Retry-After": "3600"}
    client = client_of(limited(used_up, status=429))
    with pytest.raises(TransientError, match="429: too many requests") as told:
        await client.shape(STATIC, "sha256:" + "a" * 64)
    assert told.value.retry_after == 3600
    assert client.budgets() == {"gcr.io": PullLimit(0, 100)}


async def test_the_limit_of_a_place_redirected_to_is_not_the_registrys() -> None:
    def answering(request: httpx.Request) -> httpx.Response:
        if request.url.host == "gcr.io":
            return httpx.Response(307, headers={"Location": ELSEWHERE})
        return httpx.Response(404, headers=HUB_LIMIT)

    client = client_of(Shelf(answering))
    assert await client.source_digest(STATIC) is None
    assert client.budgets() == {}


# ---- a real registry


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("registry") / "real") as process:
        yield process


@asynccontextmanager
async def reading(real: Registry) -> AsyncIterator[RegistryClient]:
    address = f"http://{real.address}"
    client = RegistryClient(
        addresses={"docker.io": f"{address}/docker.io", real.address: address},
        target=Target(real.address),
        allowed=["docker.io"],
        target_login=None,
        source_logins={},
        network=Network({}),
    )
    try:
        yield client
    finally:
        await client.aclose()


def push(real: Registry, name: str, architecture: str, created: str) -> dict[str, Any]:
    """Push one platform of two layers, the first shared by all. Return its entry of an index."""
    kind = "application/vnd.oci.image.config.v1+json"
    config = {"architecture": architecture, "os": "linux", "created": created}
    layers = [real.blob(name, LAYER, body) for body in (b"base" * 25, architecture.encode())]
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": real.blob(name, kind, json.dumps(config).encode()),
        "layers": layers,
    }
    platform = {"architecture": architecture, "os": "linux"}
    return {**real.put(name, "", manifest), "platform": platform}


async def test_a_real_registry_describes_an_index_at_source_and_target(real: Registry) -> None:
    name = "docker.io/library/redis"
    children = [
        push(real, name, "arm64", "1970-01-01T00:00:00Z"),
        push(real, name, "amd64", CREATED),
    ]
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": children}
    digest = real.put(name, "7", index)["digest"]
    configs = sum(
        len(json.dumps({"architecture": a, "os": "linux", "created": c}))
        for a, c in (("arm64", "1970-01-01T00:00:00Z"), ("amd64", CREATED))
    )
    image = ImageRef.parse("redis:7")
    expected = ImageInfo(("linux/arm64", "linux/amd64"), 100 + 5 + 5 + configs, MOMENT)
    async with reading(real) as client:
        assert await client.describe(image, digest) == expected
        assert await client.describe(image, digest, at_target=True) == expected
        assert await client.shape(image, digest) == ImageInfo(expected.platforms, expected.size)
        lone = await client.describe(image, children[0]["digest"])
        assert (lone.platforms, lone.created) == (("linux/arm64",), None)


async def test_a_real_registry_lists_its_tags_in_an_order_of_its_own(real: Registry) -> None:
    name = "docker.io/library/many"
    entry = push(real, name, "amd64", CREATED)
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
    tags = ["latest", "v1.0_a", *(f"1.{n}" for n in range(20))]
    for tag in tags:
        real.put(name, tag, index)
    async with reading(real) as client:
        assert sorted(await client.tags(ImageRef.parse("many:x"))) == sorted(tags)
        assert await client.tags(ImageRef.parse("missing:x")) == ()
        assert client.budgets() == {}
