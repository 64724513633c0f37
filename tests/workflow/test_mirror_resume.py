"""Layers over lines that break: what has arrived is not sent again where that can be.

The registries are real, behind fronts that cut each connection after so many bytes. Distribution
forgets an upload whose piece broke, so a stand-in shows the other kind of target: one that keeps
what has arrived, as the specification has it.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from registry_fixture import Quiet, digest_of, registries, serving, world
from tls_world import TlsWorld, tls
from token_registry import signer

from bot.workflow.mirror import layer as layer_module
from bot.workflow.mirror import upload, waits
from bot.workflow.mirror.layer import Layer
from bot.workflow.mirror.manifest import NotMovedError
from bot.workflow.mirror.registry import SOURCE, TARGET, Repository
from bot.workflow.mirror.settings import Settings
from bot.workflow.mirror.traffic import move

__all__ = ["registries", "signer", "tls", "world"]  # fixtures: pytest finds them by these names

MB = 1 << 20


def test_a_source_that_cuts_each_connection_is_read_on_by_range(tls: TlsWorld) -> None:
    name, layer = "docker.io/wei/cut-source", os.urandom(12 * MB)
    digest = tls.world.seed(name, layer=layer, platforms=("amd64",))
    tls.source.front.limit["down"] = 2 * MB
    ran = tls.run(f"{name}:1\n")
    assert ran.code == 0, ran.output
    assert not ran.skopeo
    assert tls.target.plain.head(name, "1") == digest
    assert tls.source.front.bytes["down"] < 1.1 * len(layer)
    assert tls.target.front.bytes["up"] < 1.1 * len(layer)  # the upload saw nothing of it


def test_a_target_that_cuts_each_connection_gets_pieces(tls: TlsWorld) -> None:
    name, layer = "docker.io/wei/cut-target", os.urandom(24 * MB)
    digest = tls.world.seed(name, layer=layer, platforms=("amd64",))
    tls.target.front.limit["up"] = 6 * MB
    ran = tls.run(f"{name}:1\n")
    assert ran.code == 0, ran.output
    assert not ran.skopeo
    assert tls.target.plain.head(name, "1") == digest


# --- a target that keeps what arrived


class Keeping:
    """A target of one upload. `breaks` are the offsets at which it hangs up, each once.

    Where it `forgets`, an upload that broke is gone, as in Distribution 2.8.
    """

    def __init__(
        self, *breaks: int, pieces: bool = True, largest: int = 1 << 60, forgets: bool = False
    ) -> None:
        self.breaks, self.pieces, self.largest = list(breaks), pieces, largest
        self.forgets = forgets
        self.has, self.stored, self.taken = bytearray(), dict[str, bytes](), 0
        self.seen: list[str] = []
        self.open = False

    def handler(self) -> type[Quiet]:  # noqa: C901 - one small answer for each method
        store = self

        class Target(Quiet):
            protocol_version = "HTTP/1.1"

            def reply(self) -> None:
                store.seen.append(self.command)
                getattr(self, f"to_{self.command.lower()}")()

            def where(self, status: int) -> None:
                known = {"Range": f"0-{max(0, len(store.has) - 1)}"}
                self.answer(status, Location="/v2/b/blobs/uploads/7?state=x", **known)

            def to_head(self) -> None:
                self.answer(404)

            def to_post(self) -> None:
                store.has, store.open = bytearray(), True
                self.where(202)

            def to_get(self) -> None:
                self.where(204) if store.open else self.answer(404)

            def to_delete(self) -> None:
                store.open = False
                self.answer(204)

            def to_patch(self) -> None:
                begin = int(self.headers["Content-Range"].partition("-")[0])
                if not store.pieces or begin != len(store.has):
                    self.answer(405 if not store.pieces else 416)
                elif self.takes():
                    self.where(202)

            def to_put(self) -> None:
                if self.takes():
                    digest = parse_qs(urlsplit(self.path).query)["digest"][0]
                    good = digest_of(bytes(store.has)) == digest
                    store.stored[digest] = bytes(store.has)
                    store.open = False
                    self.answer(201 if good else 400)

            def takes(self) -> bool:
                size = int(self.headers["Content-Length"])
                if size > store.largest:
                    self.close_connection = True
                    self.answer(413, b"<html>too large</html>")
                    return False
                while size:
                    limit = min((b - store.taken for b in store.breaks), default=size)
                    part = self.rfile.read1(max(1, min(size, limit, 1 << 16)))
                    size -= len(part)
                    store.taken += len(part)
                    store.has += part
                    if not part or store.taken in store.breaks:
                        store.breaks = [each for each in store.breaks if each > store.taken]
                        store.open = store.open and not store.forgets
                        self.close_connection = True
                        return False
                return True

            do_PUT = do_GET = do_HEAD = do_POST = do_PATCH = do_DELETE = reply  # noqa: N815 - the standard library's names

        return Target


@contextmanager
def source_of(layer: bytes, *breaks: int, ranges: bool = True) -> Iterator[tuple[str, list[str]]]:
    """A source that hangs up at these offsets, each once. Yields the ranges that it was asked."""
    left, asked = list(breaks), list[str]()

    class Source(Quiet):
        def reply(self) -> None:
            wish = self.headers.get("Range", "")
            asked.append(wish)
            found = re.fullmatch(r"bytes=(\d+)-", wish)
            begin = int(found[1]) if found and ranges else 0
            self.send_response(206 if begin else 200)
            self.send_header("Content-Length", str(len(layer) - begin))
            if begin:
                self.send_header("Content-Range", f"bytes {begin}-{len(layer) - 1}/{len(layer)}")
            self.end_headers()
            end = min((each for each in left if each >= begin), default=len(layer))
            if end in left:
                left.remove(end)
            self.wfile.write(layer[begin:end])

    with serving(Source) as address:
        yield address, asked


def repository(address: str, path: str = "b", side: str = TARGET) -> Repository:
    settings = Settings("h", "", "nested", "", "", {"a.io": address}, {}, patience=0)
    return Repository(settings, "a.io", path, side)


def copied(source: str, target: str) -> None:
    """Copy LAYER between these addresses."""
    places = repository(source, "a", SOURCE), repository(target)
    move(digest_of(LAYER), len(LAYER), *places, None)


LAYER = os.urandom(5 * MB)
CLASSES = [1, 3 * MB, len(LAYER) - 1]
"""The first byte, some in the middle, and the last one."""


@pytest.mark.parametrize("at", CLASSES)
def test_a_layer_whose_source_breaks_at_any_byte_goes_on_there(at: int) -> None:
    target = Keeping()
    with source_of(LAYER, at) as (place, asked), serving(target.handler()) as address:
        move(
            digest_of(LAYER), len(LAYER), repository(place, "a", SOURCE), repository(address), None
        )
    assert asked == ["", f"bytes={at}-"]
    assert list(target.stored.values()) == [LAYER]
    assert target.taken == len(LAYER)


def test_a_source_without_ranges_is_read_again() -> None:
    target = Keeping()
    with (
        source_of(LAYER, 3 * MB, ranges=False) as (place, asked),
        serving(target.handler()) as address,
    ):
        move(
            digest_of(LAYER), len(LAYER), repository(place, "a", SOURCE), repository(address), None
        )
    assert len(asked) == 2
    assert list(target.stored.values()) == [LAYER]


def test_a_source_that_leads_on_no_more_is_given_up_and_nothing_is_left() -> None:
    target = Keeping()
    with (
        source_of(LAYER, 3 * MB, 3 * MB) as (place, _),
        serving(target.handler()) as address,
        pytest.raises(NotMovedError, match=r"^source: .*unexpected EOF$") as why,
    ):
        move(
            digest_of(LAYER), len(LAYER), repository(place, "a", SOURCE), repository(address), None
        )
    assert why.value.passing
    assert not target.open
    assert not target.stored


@pytest.mark.parametrize("at", [*CLASSES, 2 * MB])
def test_an_upload_that_breaks_at_any_byte_goes_on_where_the_target_says(
    at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "LARGEST_PIECE", 2 * MB)
    target = Keeping(at)
    with source_of(LAYER) as (place, _), serving(target.handler()) as address:
        move(
            digest_of(LAYER), len(LAYER), repository(place, "a", SOURCE), repository(address), None
        )
    assert list(target.stored.values()) == [LAYER]
    assert target.taken <= len(LAYER) + 1
    assert target.seen.count("POST") == (2 if at == 1 else 1)  # one byte looks like none


BETWEEN = 2 * MB
"""Where a piece ends, and its answer is lost."""


@pytest.mark.parametrize("forgets", [False, True])
@pytest.mark.parametrize("source_at", [*CLASSES, BETWEEN])
@pytest.mark.parametrize("target_at", [*CLASSES, BETWEEN])
def test_a_layer_arrives_whichever_bytes_both_sides_break_at(
    source_at: int, target_at: int, monkeypatch: pytest.MonkeyPatch, *, forgets: bool
) -> None:
    monkeypatch.setattr(upload, "LARGEST_PIECE", BETWEEN)
    target = Keeping(target_at, target_at + BETWEEN, forgets=forgets)
    with source_of(LAYER, source_at) as (place, _), serving(target.handler()) as address:
        copied(place, address)
    assert list(target.stored.values()) == [LAYER]
    assert not target.open
    assert target.taken <= (3 if forgets else 1.1) * len(LAYER)


def test_a_token_that_ends_between_two_pieces_is_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "LARGEST_PIECE", MB)
    target = Keeping(MB)
    given, valid = list[str](), ["t0"]
    plain = target.handler()

    class Guarded(plain):  # type: ignore[misc, valid-type] - made by a function
        def reply(self) -> None:
            url = urlsplit(self.path)
            if url.path == "/token":
                valid[0] = f"t{len(given) + 1}"
                given.append(valid[0])
                self.answer(200, json.dumps({"token": valid[0]}).encode())
            elif self.headers["Authorization"] != f"Bearer {valid[0]}":
                self.rfile.read(int(self.headers["Content-Length"] or 0))
                realm = f"http://{self.headers['Host']}/token"
                self.answer(401, WWW_Authenticate=f'Bearer realm="{realm}",service="s"')
            else:
                super().reply()
                if self.command == "PATCH" and len(given) == 1:
                    valid[0] = "over"

        do_PUT = do_GET = do_HEAD = do_POST = do_PATCH = do_DELETE = reply  # noqa: N815 - the standard library's names

    with source_of(LAYER) as (place, _), serving(Guarded) as address:
        copied(place, address)
    assert list(target.stored.values()) == [LAYER]
    assert len(given) == 2


def test_many_breaks_of_an_upload_cost_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "LARGEST_PIECE", 2 * MB)
    target = Keeping(MB, 2 * MB + 5, 3 * MB, 4 * MB + 1)
    with source_of(LAYER) as (place, _), serving(target.handler()) as address:
        move(
            digest_of(LAYER), len(LAYER), repository(place, "a", SOURCE), repository(address), None
        )
    assert list(target.stored.values()) == [LAYER]
    assert target.taken <= 1.1 * len(LAYER)


def test_what_stands_before_the_target_may_take_small_requests_alone() -> None:
    target = Keeping(largest=MB)
    with source_of(LAYER) as (place, _), serving(target.handler()) as address:
        move(
            digest_of(LAYER), len(LAYER), repository(place, "a", SOURCE), repository(address), None
        )
    assert list(target.stored.values()) == [LAYER]


def test_a_target_that_takes_not_even_small_requests_says_so() -> None:
    target = Keeping(largest=MB // 2)
    with (
        source_of(LAYER) as (place, _),
        serving(target.handler()) as address,
        pytest.raises(NotMovedError, match="413") as why,
    ):
        move(
            digest_of(LAYER), len(LAYER), repository(place, "a", SOURCE), repository(address), None
        )
    assert not why.value.passing
    assert not target.open


@pytest.mark.parametrize("at", CLASSES)
def test_an_upload_that_breaks_at_a_target_without_pieces_is_sent_whole_again(at: int) -> None:
    target = Keeping(at, pieces=False)
    with source_of(LAYER) as (source, _), serving(target.handler()) as address:
        copied(source, address)
    assert target.stored == {digest_of(LAYER): LAYER}
    assert target.seen.count("PATCH") == 1
    assert not target.open


def test_a_target_without_pieces_that_takes_no_large_request_says_so() -> None:
    target = Keeping(pieces=False, largest=2 * MB)
    with (
        source_of(LAYER) as (source, _),
        serving(target.handler()) as address,
        pytest.raises(NotMovedError, match="target: status 413") as error,
    ):
        copied(source, address)
    assert not error.value.passing
    assert not target.open


def test_a_layer_that_is_another_never_becomes_whole_at_the_target() -> None:
    target = Keeping()
    other = LAYER[:-1] + bytes([LAYER[-1] ^ 1])
    with (
        source_of(other) as (place, _),
        serving(target.handler()) as address,
        pytest.raises(NotMovedError, match=r"^source: the layer does not match, expected"),
    ):
        move(
            digest_of(LAYER), len(LAYER), repository(place, "a", SOURCE), repository(address), None
        )
    assert not target.stored
    assert not target.open


# --- what counts as progress


class SlowSource:
    """A source without ranges that takes `seconds` for each megabyte, by a clock of its own."""

    host, side, patience = "a.io", "source", 0

    def __init__(self, layer: bytes, seconds: float) -> None:
        self.layer, self.seconds, self.now = layer, seconds, 0.0
        self.left = b""

    def blob(self, _digest: str, _offset: int = 0) -> Any:
        self.left = self.layer
        return SimpleNamespace(status=200, read1=self.read1, close=lambda: None)

    def read1(self, most: int) -> bytes:
        part, self.left = self.left[:most], self.left[most:]
        self.now += self.seconds * len(part) / MB
        return part


def slow_layer(source: SlowSource, monkeypatch: pytest.MonkeyPatch) -> Layer:
    clock = SimpleNamespace(monotonic=lambda: source.now, sleep=lambda _: None)
    monkeypatch.setattr(layer_module, "time", clock)
    monkeypatch.setattr(waits, "STARTED", 0.0)
    return Layer(cast("Repository", source), digest_of(source.layer), len(source.layer))


@pytest.mark.parametrize("offset", [0, 6 * MB])
def test_a_slow_layer_that_is_read_again_does_not_stand_still(
    offset: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = SlowSource(b"x" * (8 * MB), 200)
    layer = slow_layer(source, monkeypatch)
    assert len(b"".join(layer.piece(7 * MB))) == 7 * MB
    layer.seek(offset)
    assert len(b"".join(layer.piece(8 * MB - offset))) == 8 * MB - offset


def test_a_source_that_stands_still_while_it_is_read_again_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = SlowSource(b"x" * (8 * MB), 1)
    layer = slow_layer(source, monkeypatch)
    list(layer.piece(7 * MB))
    source.seconds = 3000
    layer.seek(6 * MB)
    with pytest.raises(NotMovedError, match="stands still"):
        next(layer.piece(MB))
    assert source.now < 1500


def test_a_layer_that_is_sent_again_is_hashed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    source = SlowSource(b"x" * (2 * MB), 1)
    layer = slow_layer(source, monkeypatch)
    list(layer.piece(MB))
    source.layer = b"y" * MB + b"x" * MB
    layer.seek(0)
    with pytest.raises(NotMovedError, match="the layer does not match"):
        list(layer.piece(2 * MB))
