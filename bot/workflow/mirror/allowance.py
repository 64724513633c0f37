"""Bounds what is carried along with one image, in number, bytes, time and pulls."""

import threading
import time
from collections.abc import Iterable

from . import waits
from .manifest import Manifest, NotMovedError
from .pulls import INDEX_PULLS, Pulls
from .registry import Repository
from .registry_http import Answer
from .traffic import Traffic

MOST = 100  # manifests
SENT_BYTES = 128 << 20
READ_BYTES = 4 << 20  # of manifests


class Allowance:
    """What is left for one image. All methods raise NotMovedError where that is not enough."""

    def __init__(self, traffic: Traffic, source: Repository) -> None:
        self._traffic, self._source = traffic, source
        self._deadline = time.monotonic() + waits.ATTACH_SECONDS
        self._number, self._to_read, self._to_send = MOST, READ_BYTES, SENT_BYTES
        self._lock = threading.Lock()

    def take_part(self) -> None:
        """Count one manifest."""
        with self._lock:
            self._number -= 1
        if self._number < 0:
            raise NotMovedError(f"source: more than {MOST}")
        if time.monotonic() > self._deadline or waits.run_is_over():
            raise NotMovedError("source: takes too long", passing=True)

    def spare(self, shown: Answer) -> None:
        """Expect more pulls than an image may need, by the answer to a HEAD."""
        pulls = Pulls.read(shown.headers)
        if not pulls:
            return
        need = 1 + min(INDEX_PULLS, pulls.limit // 2)
        if not self._traffic.promise(self._source.host, need, pulls):
            words = f"source: too many requests: {pulls.left} of {pulls.limit} pulls left"
            raise NotMovedError(words, passing=True)
        self._traffic.used(self._source.host, need)

    def weigh(self, manifests: Iterable[Manifest]) -> None:
        """Count the bytes of manifests and of their blobs."""
        with self._lock:
            for manifest in manifests:
                self._to_read -= len(manifest.body)
                self._to_send -= sum(manifest.blobs.values())
        if min(self._to_read, self._to_send) < 0:
            raise NotMovedError(f"source: more than {SENT_BYTES >> 20} MB")
