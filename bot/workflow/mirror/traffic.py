"""Limits what all images of a run do in parallel: layers, copies by skopeo, and pulls.

Each blob is uploaded to the target once per run. Images that share it wait for it and mount it.
"""

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial

from .manifest import NotMovedError
from .pulls import Pulls
from .registry import Repository, Upload

LAYERS_AT_A_TIME = 16  # measured. The variable PARALLEL changes it
IMAGES_AT_A_TIME = 128


def move(
    blob: str, size: int, source: Repository, target: Repository, origin: Repository | None
) -> None:
    """Copy one blob to the target, by a mount from `origin` if possible. Raises NotMovedError."""
    if target.holds(blob):
        return
    upload: Upload | None = None
    if origin:
        with contextlib.suppress(NotMovedError):  # a login that may not mount may still upload
            upload = target.reserve(blob, origin)
            if not upload:
                return
    with contextlib.closing(
        source.blob(blob)
    ) as answer:  # before the upload, which an unreadable blob does not need
        upload = upload or target.reserve(blob)
        if upload:
            target.upload(upload, blob, size, source.poured(answer, size))


def unless(wrong: list[Exception], work: Callable[[], None]) -> None:
    """Do one of several jobs. Raises the first error in `wrong` if another job has failed."""
    if wrong:
        raise wrong[0]
    try:
        work()
    except Exception as error:
        wrong.append(error)
        raise


class Traffic:
    """Limits the layers that are copied at a time, and shares out the pulls that are left."""

    def __init__(self, layers: int) -> None:
        self._questions: dict[str, ThreadPoolExecutor] = {}  # host -> who asks it
        self._half = max(1, layers // 2)  # the most that one image may use
        self.copies = threading.Semaphore(self._half)  # skopeo moves several layers itself
        self._layers = ThreadPoolExecutor(layers)
        self._ways: dict[str, tuple[Repository, Future[None]]] = {}  # blob -> who copies it
        self._lock = threading.Lock()
        self._promised: Counter[str] = Counter()

    def asking(self, host: str) -> ThreadPoolExecutor:
        """Return the threads that ask one host, beside those of the images."""
        with self._lock:
            if host not in self._questions:  # most of its threads may sleep between retries
                self._questions[host] = ThreadPoolExecutor(2 * IMAGES_AT_A_TIME)
            return self._questions[host]

    def copy_blobs(self, blobs: Mapping[str, int], source: Repository, target: Repository) -> None:
        """Copy the blobs that no other image copies. Return when all are in the target.

        Raises the error of one that is not.
        """
        wrong: list[Exception] = []
        room = threading.Semaphore(self._half)

        def begin(blob: str, origin: Repository | None = None) -> Future[None]:
            work = partial(move, blob, blobs[blob], source, target, origin)
            return self._layers.submit(unless, wrong, work)

        def way(blob: str) -> tuple[Repository, Future[None]]:
            room.acquire()
            by, job = self._way(blob, target, begin)
            if by is target:
                job.add_done_callback(lambda _: room.release())
            else:
                room.release()
            return by, job

        ways = {blob: way(blob) for blob in blobs}
        jobs = []
        for blob in blobs:
            by, job = ways[blob]
            if by is not target and job.exception():
                by, job = way(blob)  # the first image to see the failure copies it itself
            lost = by is not target and job.exception()
            if not lost and by.name != target.name:
                room.acquire()
                job = begin(blob, by)
                job.add_done_callback(lambda _: room.release())
            jobs.append(job)
        wait(jobs)  # all of them: skopeo must not copy a layer at the same time
        for job in jobs:
            job.result()

    def _way(
        self, blob: str, target: Repository, begin: Callable[[str], Future[None]]
    ) -> tuple[Repository, Future[None]]:
        """Return who copies a blob, and the job. Start one if there is none, or if it failed."""
        with self._lock:
            known = self._ways.get(blob)
            if not known or (known[1].done() and known[1].exception()):
                known = self._ways[blob] = target, begin(blob)
            return known

    def promise(self, host: str, need: int, pulls: Pulls) -> bool:
        """Reserve pulls. False if too few are left after the reservations of other copies."""
        with self._lock:
            enough = pulls.left - self._promised[host] >= need
            self._promised[host] += need if enough else 0
            return enough

    def used(self, host: str, pulls: int) -> None:
        """Release a reservation after the copy, when the registry has counted its pulls."""
        with self._lock:
            self._promised[host] -= pulls
