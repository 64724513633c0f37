"""Every request that a run makes for an image, and the faults that it can meet.

The expected effects are not here: run_table.py reads them from docs/faults.md.
"""

from dataclasses import dataclass
from typing import Final

from fault_calls import COMMON
from run_world import image

LASTING: Final = 1_000_000
"""How often a fault occurs: more often than any run makes requests."""


@dataclass(frozen=True, slots=True)
class RunCall:
    """`path` is part of an image's request lines. `{image}` is replaced by its name."""

    service: str
    name: str
    path: str

    def line(self, name: str) -> str:
        return self.path.format(image=image(name))


RUN_CALLS: Final = (
    RunCall("source", "look", "HEAD /v2/{image}/manifests/"),
    RunCall("source", "manifest", "GET /v2/{image}/manifests/"),
    RunCall("source", "layer", "GET /v2/{image}/blobs/"),
    RunCall("target", "compare", "HEAD /v2/{image}/manifests/"),
    RunCall("target", "layer there", "HEAD /v2/{image}/blobs/"),
    RunCall("target", "begin", "POST /v2/{image}/blobs/uploads/"),
    RunCall("target", "upload", "PUT /v2/{image}/blobs/uploads/"),
    RunCall("target", "store", "PUT /v2/{image}/manifests/"),
)
_SAID: Final = {
    "source": ("says login", "says denied", "says name-unknown", "says pull-limit"),
    "target": (
        "says no-project", "says no-permission", "says quota", "says proxy-project",
        "says immutable", "says too-large",
    ),
}  # fmt: skip


_LIKE_ANOTHER: Final = frozenset({"packed 3", "status 409", "status 422", "status 502"})
"""Left out: script and skopeo treat them like `huge 3`, `status 400` and `status 503`."""


def run_faults(service: str) -> tuple[str, ...]:
    common = [fault for fault in COMMON if fault not in _LIKE_ANOTHER]
    return (*common, "short", "page 502", *_SAID[service])
