"""The floor: the same bytes by curl from GET to PUT, as fast as this machine permits.

Unlike all others it knows in advance what the target lacks, and it checks nothing. Eight pairs of
curl run at a time, each with all of its blobs in sequence on two kept connections. A blob passes
through a named pipe and never over a disk. Each blob is sent once, and other repositories mount it.
"""

import contextlib
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from contenders import OnPath
from measuring import NotDoneError, Spending
from own_images import INDEX, MANIFEST, distinct
from sites import Site

AT_ONCE = 8
_CURL = ("curl", "--silent", "--show-error", "--fail", "--http1.1")
_PARALLEL = ("--parallel", "--parallel-immediate", "--parallel-max", str(AT_ONCE))
_LOOKING = ("--parallel", "--parallel-max", "64", "--head")


class Floor(OnPath):
    name, program = "floor (curl)", "curl"

    def go(self, site: Site, spending: Spending) -> None:
        images = site.work.moving
        if not images:
            _look(site, spending)
            return
        blobs = sorted(distinct(images), key=lambda blob: -blob[2])
        first = {digest: repository for repository, digest, _ in blobs}
        places = _places(site, spending, first)
        pairs = [
            (f"{site.source}/v2/{where}/blobs/{digest}", f"{places[digest]}&digest={digest}")
            for where, digest, _ in blobs
        ]
        _stream(site, spending, pairs)
        mounts = [
            f"{site.target}/v2/{i.repository}/blobs/uploads/?mount={d}&from={first[d]}"
            for i in images
            for d in i.blobs
            if first[d] != i.repository
        ]
        if mounts:
            spending.run(*_CURL, *_PARALLEL, *site.logins[1], "-X", "POST", *mounts)
        for kind in (MANIFEST, INDEX):
            paths = [
                f"v2/{image.repository}/manifests/{reference}"
                for image in images
                for reference, is_a in image.manifests
                if is_a == kind
            ]
            pairs = [(f"{site.source}/{path}", f"{site.target}/{path}") for path in paths]
            header = (f"Accept: {kind}", f"Content-Type: {kind}")
            _stream(site, spending, pairs, header)


def _look(site: Site, spending: Spending) -> None:
    """Ask both sides for all digests at the same time."""
    header = ("-H", f"Accept: {MANIFEST}, {INDEX}", "-o", "/dev/null")
    paths = [f"v2/{each.repository}/manifests/{each.tag}" for each in site.work.images]
    with contextlib.ExitStack() as stack:
        for address, login in zip((site.source, site.target), site.logins, strict=True):
            places = [f"{address}/{path}" for path in paths]
            given = [each for place in places for each in (*header[2:], place)]
            command = (*_CURL, *_LOOKING, *header[:2], *login, *given)
            stack.callback(spending.wait, stack.enter_context(spending.start(*command)))


def _places(site: Site, spending: Spending, first: dict[str, str]) -> dict[str, str]:
    """Begin all uploads at once. Any upload of a repository serves any of its blobs."""
    starts = [f"{site.target}/v2/{where}/blobs/uploads/" for where in first.values()]
    options = ("-X", "POST", "--write-out", "%header{location}\\n")
    told = spending.run(*_CURL, *_PARALLEL, *site.logins[1], *options, *starts).decode().split()
    free: defaultdict[str, list[str]] = defaultdict(list)
    for place in told:
        free[place.partition("/v2/")[2].partition("/blobs/")[0]].append(place)
    if len(told) != len(first):  # curl before 7.83 has no %header
        raise NotDoneError("curl: no place for an upload")
    return {digest: free[where].pop() for digest, where in first.items()}


def _stream(
    site: Site,
    spending: Spending,
    pairs: Iterable[tuple[str, str]],
    header: tuple[str, str] = ("Accept: */*", "Content-Type: application/octet-stream"),
) -> None:
    """Distribute the pairs over the workers, the largest first."""
    dealt = [batch for n in range(AT_ONCE) if (batch := list(pairs)[n::AT_ONCE])]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        work = [pool.submit(_batch, site, spending, batch, header) for batch in dealt]
        for each in work:
            each.result()


def _batch(
    site: Site, spending: Spending, pairs: Sequence[tuple[str, str]], header: tuple[str, str]
) -> None:
    accept, kind = header
    out, into = [*_CURL, *site.logins[0], "-H", accept], [*_CURL, *site.logins[1]]
    into += ["-H", "Expect:", "-H", kind]
    pipes = []
    for source, target in pairs:
        pipe = Path(site.folder) / f"pipe-{os.urandom(6).hex()}"
        os.mkfifo(pipe)
        pipes.append(pipe)
        out += ["-o", str(pipe), source]
        into += ["-T", str(pipe), target]
    with spending.start(*into) as taker, spending.start(*out) as giver:
        for each in (giver, taker):
            spending.wait(each)
    for pipe in pipes:
        pipe.unlink()
