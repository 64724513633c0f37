"""The workflow's own copying of layers: once each, in parallel, with skopeo as the fallback."""

import contextlib
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from email.message import Message
from types import SimpleNamespace
from typing import Any

import pytest
from registry_fixture import (
    MANIFEST,
    Quiet,
    Ran,
    World,
    digest_of,
    registries,
    sends_on,
    serving,
    world,
)

from bot.workflow.mirror import traffic as traffic_module
from bot.workflow.mirror.content import Content
from bot.workflow.mirror.copying import Copying
from bot.workflow.mirror.layer import Layer
from bot.workflow.mirror.manifest import INDEXES, Manifest, NotMovedError
from bot.workflow.mirror.orders import Order
from bot.workflow.mirror.reference import Image
from bot.workflow.mirror.registry import Repository
from bot.workflow.mirror.registry_http import Answer
from bot.workflow.mirror.settings import Settings
from bot.workflow.mirror.source_logins import Login
from bot.workflow.mirror.traffic import Traffic, move
from bot.workflow.mirror.upload import Upload

__all__ = ["registries", "world"]  # fixtures: pytest finds them by these names

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
OVER = "note: skopeo takes over "


def at(place: str, path: str = "a", login: str = "") -> Repository:
    """A repository of the registry a.io, which is reached at `place`."""
    logins = {place.partition("://")[2]: Login(login)} if login else {}
    settings = Settings("h", "", "nested", "", "", {"a.io": place}, logins)
    return Repository(settings, "a.io", path)


# --- whole images


def test_an_image_costs_no_skopeo_and_one_pull_for_each_of_its_manifests(world: World) -> None:
    world.seed("docker.io/wei/pulls", platforms=("amd64", "arm64"))
    runs: list[Ran] = []
    asked = world.asked_of_the_source(lambda: runs.append(world.run("docker.io/wei/pulls:1\n")))
    assert runs[0].code == 0, runs[0].output
    assert sorted(asked) == ["GET", "GET", "GET", "HEAD"]
    assert "copy" not in runs[0].skopeo
    assert OVER not in runs[0].output


def test_all_images_arrive_where_there_is_one_place(world: World) -> None:
    names = [f"docker.io/wei/one-place{n}" for n in range(4)]
    digests = [world.seed(name, layer=b"shared by all four") for name in names]
    ran = world.run("".join(f"{name}:1\n" for name in names), PARALLEL="1")
    assert ran.code == 0, ran.output
    assert [world.target.head(name, "1") for name in names] == digests
    assert OVER not in ran.output


def test_a_layer_that_the_target_has_already_is_not_asked_of_the_source(world: World) -> None:
    layer = os.urandom(100_000)
    world.seed("docker.io/wei/grown", layer=layer)
    world.run("docker.io/wei/grown:1\n")
    world.seed("docker.io/wei/grown", tag="2", layer=layer)
    before = len(world.source.log.read_bytes())
    ran = world.run("docker.io/wei/grown:2\n")
    assert ran.code == 0, ran.output
    asked = world.source.log.read_bytes()[before:].decode()
    blobs = re.findall(r'"GET /v2/\S+/blobs/(\S+)', asked)
    assert blobs
    assert digest_of(layer) not in blobs


@contextmanager
def in_front_of(world: World, spoil: Any) -> Iterator[dict[str, str]]:
    """A source that answers by `spoil`, or else redirects to the real one. Yields the settings."""

    class Front(Quiet):
        def reply(self) -> None:
            if not spoil(self):
                self.answer(307, Location=f"http://{world.source.address}{self.path}")

    addresses = json.loads(world.environment()["REGISTRY_ADDRESSES"])
    with serving(Front) as front:
        addresses["docker.io"] = f"{front}/docker.io"
        yield {"REGISTRY_ADDRESSES": json.dumps(addresses)}


def refuse(asked: Quiet) -> None:
    asked.answer(503)


def tear_off(asked: Quiet) -> None:
    asked.send_response(200)
    asked.send_header("Content-Length", "1000")
    asked.end_headers()
    asked.wfile.write(b"x" * 10)
    asked.close_connection = True


def swap(asked: Quiet) -> None:
    asked.answer(200, os.urandom(4096))


@pytest.mark.parametrize(
    ("spoiled", "words"),
    [
        (refuse, "source: status 503 (Service Unavailable)"),
        (tear_off, "source: the layer does not match, expected sha256:"),
        (swap, "source: the layer does not match, expected sha256:"),
    ],
)
def test_a_layer_that_does_not_come_as_it_should_once_is_brought_by_another_try(
    spoiled: Any, words: str, world: World
) -> None:
    name = f"docker.io/wei/spoiled-{spoiled.__name__}"
    digest = world.seed(name, platforms=("amd64",))
    seen = set[str]()

    def spoil(asked: Quiet) -> bool:
        if "/blobs/" in asked.path and asked.path not in seen:
            seen.add(asked.path)
            spoiled(asked)
            return True
        return False

    with in_front_of(world, spoil) as settings:
        ran = world.run(f"{name}:1\n", None, PATIENCE="0", **settings)
        assert ran.says(f"{name}:1").startswith(f"error: {words}"), ran.output
        ran = world.run(f"{name}:1\n", None, PATIENCE="80", **settings)
    assert ran.code == 0, ran.output
    assert not ran.skopeo
    size = world.size(world.source, name, digest)
    assert ran.says(f"{name}:1") == f"success: {digest} {size} copied"
    assert world.target.head(name, "1") == digest


def test_a_layer_that_breaks_off_is_tried_again_which_costs_no_pull(world: World) -> None:
    name = "docker.io/wei/again"
    digest = world.seed(name, platforms=("amd64",))
    once, runs = threading.Semaphore(1), list[Ran]()

    def spoil(asked: Quiet) -> bool:
        spoiled = "/blobs/" in asked.path and once.acquire(blocking=False)
        if spoiled:
            tear_off(asked)
        return spoiled

    def run() -> None:
        runs.append(world.run(f"{name}:1\n", None, PATIENCE="80", **settings))

    with in_front_of(world, spoil) as settings:
        asked = world.asked_of_the_source(run)
    assert runs[0].says(f"{name}:1").startswith(f"success: {digest} "), runs[0].output
    assert f"again in 2 s: {name}:1: source: the layer does not match" in runs[0].output
    assert OVER not in runs[0].output
    assert asked.count("GET") == 2


def test_a_layer_that_is_always_another_fails_with_its_cause(world: World) -> None:
    world.seed("docker.io/wei/wrong", platforms=("amd64",))

    def spoil(asked: Quiet) -> bool:
        if "/blobs/" in asked.path:
            asked.answer(200, b"something else")
        return "/blobs/" in asked.path

    with in_front_of(world, spoil) as settings:
        ran = world.run("docker.io/wei/wrong:1\n", None, **settings)
    assert ran.code == 1
    assert "source: " in ran.says("docker.io/wei/wrong:1")
    assert world.target.head("docker.io/wei/wrong", "1") is None


@pytest.mark.parametrize(
    ("held", "pulls"),
    [
        (404, 4),  # an index and a manifest, each read here and again by skopeo
        (503, 2),  # nothing is read here for a target that fails
    ],
)
def test_a_target_in_trouble_costs_few_pulls(held: int, pulls: int, world: World) -> None:
    world.seed("docker.io/wei/trouble", platforms=("amd64",))
    runs: list[Ran] = []

    class Target(Quiet):
        def reply(self) -> None:
            if "/manifests/" in self.path and self.command == "HEAD":
                self.answer(held)
            elif self.path == "/v2/":
                self.answer(200)
            else:
                self.answer(400)

    with serving(Target) as target:
        addresses = json.loads(world.environment()["REGISTRY_ADDRESSES"])
        host = target.partition("://")[2]
        given = {"HARBOR_HOST": host, "REGISTRY_ADDRESSES": json.dumps(addresses | {host: target})}
        asked = world.asked_of_the_source(
            lambda: runs.append(world.run("docker.io/wei/trouble:1\n", None, **given))
        )
    assert runs[0].says("docker.io/wei/trouble:1").startswith("failure: target: ")
    assert 0 < asked.count("GET") <= pulls


def test_an_error_that_nobody_foresaw_is_left_to_skopeo(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = world.seed("docker.io/wei/unforeseen")
    monkeypatch.setattr(traffic_module, "move", lambda *_: {}["x"])
    monkeypatch.setattr(Copying, "copy_by_skopeo", lambda _: (digest, ""))
    image = Image.parse("docker.io/wei/unforeseen:1")
    assert image
    given = Settings.read(world.environment())
    copying = Copying(Order(image, image), given, world.directory, Traffic(4), lambda _: None)
    result = copying.result()
    assert result.text == f"mismatch: copied {digest}, target holds nothing"
    assert f"{OVER}{image}: KeyError" in capsys.readouterr().out


def test_an_index_below_an_index_arrives(world: World) -> None:
    name = "docker.io/wei/nested"
    world.seed(name, platforms=("amd64",))
    below = json.loads(world.get(world.source, name, "1"))
    pushed = world.source.put(name, "below", below)
    top = world.source.put(name, "top", {**below, "manifests": [pushed]})
    ran = world.run(f"{name}:top\n")
    assert ran.code == 0, ran.output
    assert not ran.skopeo
    assert world.target.head(name, "top") == top["digest"]


# --- manifests

SMALLEST = {"config": {"digest": A, "size": 1}, "layers": [{"digest": B, "size": 2}]}


def answer(body: bytes, kind: str = MANIFEST) -> Answer:
    headers = Message()
    headers["Content-Type"] = kind
    return Answer(200, headers, body)


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[]",
        b'{"manifests": [{}]}',
        b'{"manifests": []}',
        b'{"fsLayers": []}',
        b"[" * 5000,
        json.dumps({"manifests": [{"digest": A}] * 65}).encode(),
        json.dumps({"manifests": [{"digest": "sha256:a"}]}).encode(),
        json.dumps(SMALLEST | {"layers": [{"digest": B}]}).encode(),
        json.dumps(SMALLEST | {"layers": [{"digest": B, "size": -1}]}).encode(),
        json.dumps(SMALLEST | {"layers": [{"digest": B, "size": 2**63}]}).encode(),
        json.dumps(SMALLEST | {"layers": [{"digest": "../x", "size": 1}]}).encode(),
        json.dumps(SMALLEST | {"layers": [{"digest": B, "size": 1, "urls": ["x"]}]}).encode(),
        json.dumps(SMALLEST).replace("2", "1e400").encode(),
        json.dumps(
            SMALLEST | {"layers": [{"digest": f"sha256:{n:064}", "size": 1} for n in range(1001)]}
        ).encode(),
    ],
)
def test_a_manifest_that_is_not_an_everyday_one_is_left_to_skopeo(body: bytes) -> None:
    with pytest.raises(NotMovedError, match="its manifest"):
        Manifest.read(answer(body))


def test_a_manifest_of_another_kind_is_left_to_skopeo() -> None:
    body = json.dumps(SMALLEST).encode()
    assert Manifest.read(answer(body, f"{MANIFEST}; charset=utf-8")).blobs == {A: 1, B: 2}
    for kind in (
        "",
        "application/json",
        INDEXES[0],
        "application/vnd.docker.distribution.manifest.v1+json",
    ):
        with pytest.raises(NotMovedError, match="everyday"):
            Manifest.read(answer(body, kind))


def test_a_manifest_must_have_the_digest_that_it_was_asked_by() -> None:
    body = json.dumps(SMALLEST).encode()

    class Source(Quiet):
        def reply(self) -> None:
            self.answer(200, body, Content_Type=MANIFEST)

    with serving(Source) as source:
        assert at(source).fetch(digest_of(body)).blobs == {A: 1, B: 2}
        with pytest.raises(NotMovedError, match="does not match, expected"):
            at(source).fetch(A)


# --- what registries answer


@pytest.mark.parametrize(("status", "held"), [(200, True), (404, False), (503, False)])
def test_a_layer_is_held_where_the_target_says_so(status: int, *, held: bool) -> None:
    seen: list[str] = []

    class Target(Quiet):
        def reply(self) -> None:
            seen.append(f"{self.command} {self.path}")
            self.answer(status)

    with serving(Target) as target:
        assert at(target, "b/c").holds(A) is held
    assert seen == [f"HEAD /v2/b/c/blobs/{A}"]


def test_a_redirected_layer_is_asked_for_by_name_but_without_the_login() -> None:
    seen: list[tuple[str | None, str | None]] = []

    class Elsewhere(Quiet):
        def reply(self) -> None:
            seen.append((self.headers["Authorization"], self.headers["User-Agent"]))
            self.answer(200, b"layer")

    with (
        serving(Elsewhere) as elsewhere,
        serving(sends_on(elsewhere)) as source,
        closing(at(source, login="bG9naW4=").blob(A)) as got,
    ):
        assert got.body(99) == b"layer"
    assert seen == [(None, "imageto-bot-run")]


def test_the_body_of_a_redirect_is_not_read() -> None:
    size, sent = 64 << 20, [0]

    class Source(Quiet):
        def reply(self) -> None:
            if self.path == "/there":
                self.answer(200, b"layer")
                return
            self.send_response(307)
            self.send_header("Location", "/there")
            self.send_header("Content-Length", str(size))
            self.end_headers()
            with contextlib.suppress(OSError):  # nobody listens there
                for _ in range(size >> 20):
                    self.wfile.write(bytes(1 << 20))
                    sent[0] += 1 << 20

    with serving(Source) as source, closing(at(source).blob(A)) as got:
        assert got.body(99) == b"layer"
    assert sent[0] < size


def test_an_upload_to_another_host_gets_no_login() -> None:
    class Target(Quiet):
        def reply(self) -> None:
            status = 200 if self.command == "GET" else 202
            self.answer(status, Location="http://127.0.0.2:9/upload")

    with (
        serving(Target) as target,
        closing(Layer(at(target), A, 5)) as layer,
        pytest.raises(NotMovedError, match="another host"),
    ):
        Upload(at(target), layer).send()


@pytest.mark.parametrize("place", ["/v2/a/blobs/uploads/7?state=x", "7?state=x"])
def test_an_upload_goes_where_the_target_says(place: str) -> None:
    target = Asked(GET=[(200, {})], POST=[(202, {"Location": place})], PUT=[(201, {})])
    with (
        serving(target.handler(b"layer")) as address,
        closing(Layer(at(address), digest_of(b"layer"), 5)) as layer,
    ):
        Upload(at(address), layer).send()
    assert target.seen[-1] == "PUT 7"


class Asked:
    """A target that answers by method as the test says. `seen` records the requests."""

    def __init__(self, **answers: list[tuple[int, dict[str, str]]]) -> None:
        self.answers, self.seen = answers, list[str]()

    def handler(self, body: bytes = b"") -> type[Quiet]:
        """`body` is what a GET gets."""
        told, seen = self.answers, self.seen

        class Target(Quiet):
            def reply(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"] or 0))
                seen.append(f"{self.command} {self.path.partition('?')[0].rpartition('/')[2]}")
                answers = told[self.command]
                status, headers = answers.pop(0) if len(answers) > 1 else answers[0]
                self.answer(status, body if self.command == "GET" else b"", **headers)

            do_PUT = do_GET = do_HEAD = do_POST = do_DELETE = reply  # noqa: N815 - the standard library's names

        return Target


UPLOAD = (202, {"Location": "/v2/b/blobs/uploads/7"})


def test_the_source_and_the_target_of_a_layer_are_asked_side_by_side() -> None:
    both = threading.Barrier(2, timeout=90)

    class Meets(Quiet):
        def reply(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            if self.command in ("GET", "POST"):
                both.wait()  # an answer comes when the other side was asked too
            status = {"GET": 200, "HEAD": 404, "POST": 202, "PUT": 201}[self.command]
            self.answer(status, b"layer" if status == 200 else b"", Location="/v2/b/7")

        do_PUT = do_GET = do_HEAD = do_POST = reply  # noqa: N815 - the standard library's names

    with serving(Meets) as source, serving(Meets) as target:
        move(digest_of(b"layer"), 5, at(source), at(target, "b"), None)
    assert not both.broken


def test_of_a_layer_that_cannot_be_read_nothing_stays_at_the_target() -> None:
    target = Asked(HEAD=[(404, {})], POST=[UPLOAD], DELETE=[(204, {})], GET=[(404, {})])
    with serving(target.handler()) as place, pytest.raises(NotMovedError, match=r"^source: broken"):
        move(A, 5, at(place), at(place, "b"), None)
    assert target.seen[-1] == "DELETE 7"


@pytest.mark.parametrize(
    ("mounted", "requests"), [((201, {}), ["POST "]), (UPLOAD, ["POST ", f"HEAD {A}", "DELETE 7"])]
)
def test_what_another_image_brought_is_mounted_at_once_and_never_sent_again(
    mounted: tuple[int, dict[str, str]], requests: list[str]
) -> None:
    target = Asked(POST=[mounted], HEAD=[(200, {})], DELETE=[(204, {})])
    with serving(target.handler()) as place:
        move(A, 5, at("http://127.0.0.1:9"), at(place, "b"), at(place, "a"))
    assert target.seen == requests


@pytest.mark.parametrize("refusal", [401, 403, 404, 405])
def test_who_may_not_mount_a_layer_uploads_it(refusal: int) -> None:
    class Source(Quiet):
        def reply(self) -> None:
            self.answer(200, b"layer")

    target = Asked(HEAD=[(404, {})], POST=[(refusal, {})], PUT=[(201, {})])
    target.answers["POST"].append(UPLOAD)
    with serving(Source) as source, serving(target.handler()) as place:
        move(digest_of(b"layer"), 5, at(source), at(place, "b"), at(place, "a"))
    assert target.seen[-1] == "PUT 7"


def test_a_manifest_that_a_target_in_trouble_did_not_take_is_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    target = Asked(PUT=[(502, {}), (201, {})])
    with serving(target.handler()) as place:
        settings = Settings("h", "", "nested", "", "", {"a.io": place}, {}, patience=80)
        manifest = Manifest.read(answer(json.dumps(SMALLEST).encode()))
        Repository(settings, "a.io", "b").put("1", manifest)
    assert target.seen == ["PUT 1", "PUT 1"]
    assert pauses == [2]


# --- tokens


def tokens_of(*answers: tuple[int, str]) -> tuple[type[Quiet], list[str | None]]:
    """A fake Harbor that gives these tokens. It answers an expired token with a Basic challenge."""
    left, seen = list(answers), list[str | None]()

    class Harbor(Quiet):
        def reply(self) -> None:
            given = self.headers["Authorization"]
            if self.path.startswith("/token"):
                seen.append("/token")
                time.sleep(0.2)  # so that others come meanwhile
                status, token = left.pop(0) if left else (500, "asked for too often")
                self.answer(status, json.dumps({"token": token}).encode())
                return
            seen.append(given)
            if given in ("Bearer good", "Basic bG9naW4="):
                self.answer(200, Docker_Content_Digest=A)
            elif given:
                self.answer(401, WWW_Authenticate='Basic realm="harbor"')
            else:
                realm = f'Bearer realm="http://{self.headers["Host"]}/token",service="s"'
                self.answer(401, WWW_Authenticate=realm)

    return Harbor, seen


def test_a_token_that_is_over_does_not_stand_before_the_login_that_is_asked_for_instead() -> None:
    handler, seen = tokens_of((200, "over"))
    with serving(handler) as harbor:
        repository = at(harbor, login="bG9naW4=")
        assert repository.digest("1") is None  # the token had expired when it was given
        assert repository.digest("1") == A
        assert repository.digest("1") == A
    assert seen == [None, "/token", "Bearer over", "Bearer over", *["Basic bG9naW4="] * 2]


def test_a_token_server_in_trouble_takes_no_token_away() -> None:
    handler, _ = tokens_of((503, ""), (200, "good"))
    with serving(handler) as harbor:
        repository = at(harbor)
        assert repository.digest("1") is None
        assert repository.digest("1") == A
        assert repository.digest("1") == A  # and is not asked again


def test_many_who_need_the_same_token_ask_for_it_once() -> None:
    handler, seen = tokens_of((200, "good"))
    with serving(handler) as harbor:
        repository = at(harbor)
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(repository.digest, ["1"] * 8)) == {A}
    assert (seen.count("/token"), seen.count("Bearer good")) == (1, 8)


def test_what_is_not_mounted_is_uploaded_with_the_token_that_began_it() -> None:
    """The distribution answers 202 where it cannot mount. That request's token may also push."""
    scope = "repository:b:pull,push repository:a:pull"
    asked: list[str] = []

    class Target(Quiet):
        def reply(self) -> None:
            given = self.headers["Authorization"]
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            if self.path.startswith("/token"):
                asked.append(self.path)
                self.answer(200, b'{"token": "both"}')
            elif self.command == "HEAD":
                self.answer(404)
            elif given != "Bearer both":
                realm = f"http://{self.headers['Host']}/token"
                challenge = f'Bearer realm="{realm}",service="s",scope="{scope}"'
                self.answer(401, WWW_Authenticate=challenge)
            else:
                self.answer(201 if self.command == "PUT" else 202, Location="/v2/b/x")

        do_PUT = do_GET = do_HEAD = do_POST = reply  # noqa: N815 - the standard library's names

    class Source(Quiet):
        def reply(self) -> None:
            self.answer(200, b"layer")

    with serving(Source) as source, serving(Target) as target:
        move(digest_of(b"layer"), 5, at(source), at(target, "b"), at(target, "a"))
    both = "scope=repository%3Aa%3Apull&scope=repository%3Ab%3Apull%2Cpush"
    assert asked == [f"/token?service=s&{both}"]


# --- what may run at the same time


class Moves:
    """Replaces `move`: records what is copied from where, and how much of it in parallel."""

    def __init__(self) -> None:
        self.broken, self.always = set[str](), False
        self.refused = set[str]()  # paths of targets
        self.made: list[tuple[str, str, str | None]] = []
        self.most = self.now = 0
        self.held: dict[str, Any] = {}  # blobs that wait until the test lets them go on
        self.free = threading.Event()
        self.free.set()
        self._lock = threading.Lock()

    def __call__(
        self,
        blob: str,
        size: int,
        source: Repository,
        target: Repository,
        origin: Repository | None,
    ) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
            self.made.append((blob, target.path, origin.path if origin else None))
            broken = blob in self.broken
            if broken and not self.always:
                self.broken.discard(blob)
        self.held.get(blob, self.free).wait(90)
        with self._lock:
            self.now -= 1
        if broken:
            raise NotMovedError("torn off", passing=True)
        if target.path in self.refused:
            raise NotMovedError(f"{target.path} is denied")


@pytest.fixture
def moves(monkeypatch: pytest.MonkeyPatch) -> Moves:
    made = Moves()
    monkeypatch.setattr(traffic_module, "move", made)
    return made


def bring(traffic: Traffic, *images: tuple[str, set[str]]) -> list[BaseException | None]:
    """Copy images (path, blobs) in parallel, the first one first. Return each one's exception."""
    here = at("http://127.0.0.1:9")
    with ThreadPoolExecutor(len(images)) as pool:
        jobs = []
        for path, blobs in images:
            target = at("http://127.0.0.1:9", path)
            sizes = dict.fromkeys(sorted(blobs), 1)
            jobs.append(pool.submit(traffic.copy_blobs, sizes, here, target))
            eventually(lambda: blobs & set(traffic._ways) or jobs[0].done())  # noqa: B023 - at once
        return [job.exception(90) for job in jobs]


def eventually(true: Callable[[], object]) -> None:
    for _ in range(9000):
        if true():
            return
        time.sleep(0.01)
    raise TimeoutError


def test_a_layer_moves_once_and_is_mounted_for_the_others(moves: Moves) -> None:
    done = bring(Traffic(8), ("x", {A, B}), ("y", {A, C}), ("z", {A}))
    assert done == [None, None, None]
    expected = [(A, "x", None), (B, "x", None), (C, "y", None), (A, "y", "x"), (A, "z", "x")]
    assert sorted(moves.made, key=str) == sorted(expected, key=str)


def test_another_tag_of_the_same_repository_needs_no_mount(moves: Moves) -> None:
    assert bring(Traffic(4), ("x", {A}), ("x", {A})) == [None, None]
    assert moves.made == [(A, "x", None)]


def test_a_layer_that_did_not_move_is_brought_by_the_next(moves: Moves) -> None:
    moves.broken = {A}
    traffic = Traffic(4)
    first, second = bring(traffic, ("x", {A, B}), ("y", {A}))
    assert isinstance(first, NotMovedError)
    assert second is None
    assert moves.made[-1] == (A, "y", None)
    assert bring(traffic, ("x", {A, B})) == [None]  # the first, tried again


def test_skopeo_never_meets_a_layer_of_its_image_on_its_way(moves: Moves) -> None:
    """A failed and B is still being copied: skopeo begins only when B has ended."""
    moves.broken, moves.held = {A}, {A: threading.Event(), B: threading.Event()}
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(bring, Traffic(4), ("x", {A, B}))
        eventually(lambda: moves.now == 2)
        moves.held[A].set()
        eventually(lambda: moves.now == 1)
        time.sleep(0.2)
        assert not job.done()
        moves.held[B].set()
        assert job.result(90)[0] is not None


def test_after_a_layer_that_did_not_move_no_other_of_its_image_begins(moves: Moves) -> None:
    moves.broken = {A}
    traffic = Traffic(1)
    alone = bring(traffic, ("x", {A, B, C}))
    assert [str(error) for error in alone] == ["torn off"]
    assert [blob for blob, _, _ in moves.made] == [A]
    assert bring(traffic, ("y", {B}), ("x", {A, B, C})) == [None, None]


def test_of_those_who_wait_for_a_layer_that_did_not_move_one_brings_it(moves: Moves) -> None:
    moves.broken = {A}
    done = bring(Traffic(16), *((f"x{n}", {A}) for n in range(6)))
    assert sum(error is None for error in done) == 5
    assert [origin for _, _, origin in moves.made].count(None) == 2


def test_a_layer_that_never_moves_is_not_tried_by_all_in_a_row(moves: Moves) -> None:
    """A try may take an hour, so after two the others wait for their own next try."""
    gate = threading.Semaphore(0)
    moves.broken, moves.always = {A}, True
    moves.held = {A: SimpleNamespace(wait=lambda seconds: gate.acquire(timeout=seconds))}
    traffic, here = Traffic(16), at("http://127.0.0.1:9")
    targets = [at("http://127.0.0.1:9", f"x{n}") for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        jobs = [pool.submit(traffic.copy_blobs, {A: 1}, here, target) for target in targets]
        for tries in (1, 2):
            eventually(lambda tries=tries: len(moves.made) == tries)
            time.sleep(0.3)  # by now the others wait for it
            gate.release()
        assert all(job.exception(90) for job in jobs)
    assert len(moves.made) == 2


def test_what_refuses_a_layer_of_some_images_ends_no_other(moves: Moves) -> None:
    names = [f"x{n}" for n in range(6)]
    moves.refused, moves.held = set(names[:5]), {A: threading.Event()}
    traffic, here = Traffic(16), at("http://127.0.0.1:9")
    with ThreadPoolExecutor(6) as pool:
        jobs = [
            pool.submit(traffic.copy_blobs, {A: 1}, here, at("http://127.0.0.1:9", name))
            for name in names
        ]
        eventually(lambda: moves.made)
        time.sleep(0.3)  # by now the others wait for it
        moves.held[A].set()
        done = [job.exception(90) for job in jobs]
    assert [error and str(error) for error in done] == [
        *(f"x{n} is denied" for n in range(5)),
        None,
    ]


def test_one_image_of_many_layers_takes_half_of_the_places(moves: Moves) -> None:
    many = {f"sha256:{n:064}" for n in range(8)}
    moves.held = dict.fromkeys(many, threading.Event())
    traffic = Traffic(4)
    with ThreadPoolExecutor(1) as pool:
        long = pool.submit(bring, traffic, ("x", many))
        eventually(lambda: moves.now == 2)
        assert bring(traffic, ("y", {A})) == [None]  # meanwhile, without waiting
        next(iter(moves.held.values())).set()
        assert long.result(90) == [None]
    assert moves.most == 3


def test_an_image_that_is_tried_again_moves_only_what_did_not_move(moves: Moves) -> None:
    traffic, here, target = Traffic(2), at("http://127.0.0.1:9"), at("http://127.0.0.1:9")
    blobs = {f"sha256:{n:064}": 1 for n in range(4)}
    last = [*blobs][-1]
    moves.broken = {last}
    with pytest.raises(NotMovedError):
        traffic.copy_blobs(blobs, here, target)
    traffic.copy_blobs(blobs, here, target)
    assert [blob for blob, _, _ in moves.made] == [*blobs, last]


def test_a_layer_that_comes_from_a_slow_source_is_brought_from_ones_own(
    moves: Moves, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traffic_module, "OTHERS_SECONDS", 0.05)
    moves.held = {A: threading.Event()}
    traffic = Traffic(1)  # one place for each source
    targets = [at("http://127.0.0.1:9", path) for path in ("x", "y")]
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(traffic.copy_blobs, {A: 1}, at("http://127.0.0.2:9"), targets[0])
        eventually(lambda: moves.now == 1)
        gate, moves.held = moves.held[A], {}
        traffic.copy_blobs({A: 1}, at("http://127.0.0.3:9"), targets[1])
        assert not slow.done()
        gate.set()
        assert slow.result(90) is None
    assert moves.made == [(A, "x", None), (A, "y", None)]


def test_no_more_layers_than_places_move_at_a_time(moves: Moves) -> None:
    images = [(f"x{n}", {f"sha256:{n:064}"}) for n in range(6)]
    moves.held = dict.fromkeys((blob for _, blobs in images for blob in blobs), threading.Event())
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(bring, Traffic(2), *images)
        eventually(lambda: moves.now == 2)
        time.sleep(0.1)
        next(iter(moves.held.values())).set()
        assert job.result(90) == [None] * 6
    assert moves.most == 2


# --- manifests


def test_a_manifest_that_one_source_lacks_is_read_at_the_other() -> None:
    body = json.dumps({"config": {"digest": A, "size": 1}, "layers": []}).encode()
    wanted, asked, answered = digest_of(body), threading.Event(), threading.Event()

    class Lacking(Quiet):
        def reply(self) -> None:
            asked.set()
            answered.wait(90)
            self.answer(404)

    class Having(Quiet):
        def reply(self) -> None:
            self.answer(200, body, Content_Type=MANIFEST)

    class Target(Quiet):
        def reply(self) -> None:
            self.answer(404)

    with serving(Lacking) as lacking, serving(Having) as having, serving(Target) as target:
        traffic = Traffic(8)
        first = Content(traffic, at(lacking), at(target))
        second = Content(traffic, at(having), at(target))
        with ThreadPoolExecutor(1) as pool:
            job = pool.submit(first.top, wanted, lambda: None)
            try:
                assert asked.wait(90)
                late = threading.Timer(90, answered.set)
                late.start()
                assert second.top(wanted, lambda: None).manifest.body == body
                assert not answered.is_set()
            finally:
                late.cancel()
                answered.set()
            assert isinstance(job.exception(90), NotMovedError)


def test_images_of_a_repository_store_what_they_name_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(traffic_module, "OTHERS_SECONDS", 90)
    traffic, inside, done = Traffic(8), threading.Event(), list[str]()

    def second() -> None:
        inside.set()
        with traffic.storing("h/a"):
            done.append("second")

    with ThreadPoolExecutor(1) as pool:
        with traffic.storing("h/a"):
            job = pool.submit(second)
            assert inside.wait(90)
            with traffic.storing("h/b"):
                done.append("first")
        job.result(90)
    assert done == ["first", "second"]


def test_nobody_waits_long_for_another_image_of_the_repository(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(traffic_module, "OTHERS_SECONDS", 0.01)
    traffic = Traffic(8)
    with traffic.storing("h/a"):
        with traffic.storing("h/a"):
            pass
        assert traffic._storing["h/a"].locked()
    assert not traffic._storing["h/a"].locked()
