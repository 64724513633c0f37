"""Runs every contender on the same work and compares source and target after each run.

Runs never overlap. A round has each contender once, so that noise of the machine hits all. A
contender that needs more than `SLOW` seconds is measured only once.
"""

import statistics
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from access_log import Traffic, traffic
from contenders import Contender
from measuring import NotDoneError, Spending
from own_images import INDEX, MANIFEST, Image
from registry_fixture import Registry
from sites import Site, Work, site

SLOW = 40.0
_OCI = "application/vnd.oci.image"
_ACCEPT = {
    "Accept": f"{INDEX}, {MANIFEST}, {_OCI}.index.v1+json, {_OCI}.manifest.v1+json",
}


@dataclass(frozen=True)
class Measure:
    """One run. `digests` and `platforms` count the images that are the same at both sides."""

    wall: float = 0
    processor: float = 0
    peak: int = 0
    source: Traffic = field(default_factory=Traffic)
    target: Traffic = field(default_factory=Traffic)
    digests: int = 0
    platforms: int = 0
    failed: str = ""


@dataclass
class Result:
    """What one contender did on one work. Each number is the median of its runs."""

    work: Work
    contender: str
    measures: list[Measure] = field(default_factory=list)

    @property
    def failed(self) -> str:
        return next((measure.failed for measure in self.measures if measure.failed), "")

    @property
    def slow(self) -> bool:
        return bool(self.measures) and self.measures[-1].wall > SLOW

    def median(self, of: Callable[[Measure], float]) -> float:
        return statistics.median(map(of, self.measures))

    @property
    def wall(self) -> float:
        return self.median(lambda measure: measure.wall)

    @property
    def processor(self) -> float:
        return self.median(lambda measure: measure.processor)


def compare(
    works: Sequence[Work],
    contenders: Sequence[Contender],
    source: Registry,
    folder: Path,
    *,
    runs: int,
) -> list[Result]:
    results: list[Result] = []
    for work in works:
        own = [each for each in contenders if each.name not in work.without]
        found = {each.name: Result(work, each.name) for each in own}
        for number in range(runs):
            for contender in own:
                result = found[contender.name]
                if result.failed or result.slow:
                    continue
                measure = measured(contender, work, source, folder)
                result.measures.append(measure)
                note(f"{work.name}: {contender.name}, run {number + 1}: {told(measure)}")
        results += found.values()
    return results


def told(measure: Measure) -> str:
    if measure.failed:
        return f"failed: {measure.failed}"
    return f"{measure.wall:.2f} s, {measure.processor:.2f} CPU s, {measure.digests} digests equal"


def note(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def measured(contender: Contender, work: Work, source: Registry, folder: Path) -> Measure:
    with site(work, source, folder) as place:
        logs = [(each, len(each.log.read_bytes())) for each in place.real]
        try:
            with contender.opened(place) as daemons:
                logs = [(each, len(each.log.read_bytes())) for each in place.real]
                spending = Spending(place.env, daemons)
                with spending.measured():
                    contender.go(place, spending)
        except NotDoneError as failed:
            return Measure(failed=str(failed))
        seen = [
            traffic(each.log.read_bytes()[before:], each.log.parent / "data")
            for each, before in logs
        ]
        digests, platforms = same(place)
        return Measure(
            spending.wall, spending.processor, spending.peak, seen[0], seen[1], digests, platforms
        )


def same(place: Site) -> tuple[int, int]:
    """Return how many images have the source's digest at the target, and how many its platforms."""
    target = place.real[1]
    with (
        httpx.Client(
            base_url=f"http://{target.address}", auth=target.auth, headers=_ACCEPT, trust_env=False
        ) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        found = list(pool.map(lambda image: _held(client, image), place.work.images))
    pairs = list(zip(place.work.images, found, strict=True))
    digests = sum(image.digest == digest for image, (digest, _) in pairs)
    return digests, sum(image.platforms == held for image, (_, held) in pairs)


def _held(client: httpx.Client, image: Image) -> tuple[str, frozenset[str]]:
    """Return the digest and the platforms that the target has under an image's name."""
    answer = client.get(f"/v2/{image.repository}/manifests/{image.tag}")
    if not answer.is_success:
        return "", frozenset()
    top = answer.json()
    if "manifests" in top:
        held = frozenset(str(each["platform"]["architecture"]) for each in top["manifests"])
    else:
        config = client.get(f"/v2/{image.repository}/blobs/{top['config']['digest']}")
        held = frozenset({str(config.json()["architecture"])})
    return answer.headers["Docker-Content-Digest"], held
