"""Limits what all images of a run do in parallel: layers, copies by skopeo, and pulls.

Each blob is uploaded to the target once per run. Images that share it wait for it and mount it.
"""

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from .layer import Layer
from .manifest import Manifest, NotMovedError
from .once import Once
from .pulls import Pulls
from .registry import Repository
from .registry_http import Answer
from .upload import Upload

LAYERS_AT_A_TIME = 32  # of one source. Measured. The variable PARALLEL changes it
IMAGES_AT_A_TIME = 128  # of one source
OTHERS_SECONDS = 5  # that an image waits for another one: for a layer of a slower source, or a PUT
MANIFESTS_KEPT, HOSTS_KEPT, TAG_LISTS_KEPT = 500, 500, 500  # in memory


def move(
    blob: str, size: int, source: Repository, target: Repository, origin: Repository | None
) -> None:
    """Copy one blob to the target, by a mount from `origin` if possible. Raises NotMovedError."""
    begun: Answer | None = None
    if origin:  # which has it by now. A login that may not mount may still upload
        answer = target.mount(blob, origin)
        if answer.status == HTTPStatus.CREATED:
            return
        begun = answer if answer.status == HTTPStatus.ACCEPTED else None
    with contextlib.closing(Layer(source, blob, size)) as layer:
        upload = Upload(target, layer, begun)
        if target.holds(blob):
            upload.cancel()
        else:
            upload.send()


def unless(wrong: list[Exception], work: Callable[[], None]) -> None:
    """Do one of several jobs. Raises the first error in `wrong` if another job has failed."""
    if wrong:
        raise wrong[0]
    try:
        work()
    except Exception as error:
        wrong.append(error)
        raise


@dataclass(frozen=True)
class Way:
    """Who copies a blob: to which repository, from which host, and the job."""

    target: Repository
    host: str
    job: "Future[None]"

    def failed(self) -> bool:
        """Wait for the job, and return whether it failed."""
        return self.job.exception() is not None

    def refused(self) -> bool:
        """Wait for the job, and return whether it met what will not pass there."""
        error = self.job.exception()
        return isinstance(error, NotMovedError) and not error.passing

    def slow(self) -> bool:
        """Return whether the job takes longer than an image with another source should wait."""
        return not wait([self.job], OTHERS_SECONDS).done


class Traffic:
    """What all images of a run share, and limits for what they do in parallel.

    Threads and places are per host, so that no image waits for another one's registry.
    """

    def __init__(self, layers: int) -> None:
        """`layers` is how many layers of one source may move at a time."""
        self._at_a_time, self._half = layers, max(1, layers // 2)  # the most that one image may use
        self._threads: dict[tuple[str, int], ThreadPoolExecutor] = {}
        self._by_skopeo: dict[str, threading.Semaphore] = {}
        self._storing: dict[str, threading.Lock] = {}  # by repository
        self._ways: dict[str, Way] = {}  # by blob
        self._lock = threading.Lock()
        self._promised: Counter[str] = Counter()
        # By repository and digest: read at sources, found in the target, and stored there.
        self.manifests: Once[tuple[str, str], Manifest] = Once(MANIFESTS_KEPT)
        self.held: Once[tuple[str, str], Manifest] = Once(MANIFESTS_KEPT)
        self.stored: Once[tuple[str, str], object] = Once(MANIFESTS_KEPT)
        self.referrers: Once[str, bool] = Once(HOSTS_KEPT)  # by host: whether it has that API
        self.tags: Once[str, frozenset[str] | None] = Once(TAG_LISTS_KEPT)  # by repository
        # By repository and digest: what was attached there, in words.
        self.attached: Once[tuple[str, str], str] = Once(MANIFESTS_KEPT)

    def asking(self, host: str) -> ThreadPoolExecutor:
        """Return the threads that ask one host, beside those of the images."""
        return self._of(host, 2 * IMAGES_AT_A_TIME)  # most of them may sleep between retries

    def by_skopeo(self, host: str) -> threading.Semaphore:
        """Return what limits the copies by skopeo, which moves several layers of each itself."""
        return self._by_skopeo.setdefault(host, threading.Semaphore(self._half))

    @contextlib.contextmanager
    def storing(self, repository: str) -> Iterator[None]:
        """Let the images of a repository store what they name one by one, unless one takes long.

        docker-registry 2.8 writes the link to a manifest anew with each tag. Meanwhile it refuses
        an index that names the manifest, by 400 or 500.
        """
        turn = self._storing.setdefault(repository, threading.Lock())
        mine = turn.acquire(timeout=OTHERS_SECONDS)
        try:
            yield
        finally:
            if mine:
                turn.release()

    def _of(self, host: str, threads: int) -> ThreadPoolExecutor:
        with self._lock:
            if (host, threads) not in self._threads:
                self._threads[host, threads] = ThreadPoolExecutor(threads)
            return self._threads[host, threads]

    def copy_blobs(self, blobs: Mapping[str, int], source: Repository, target: Repository) -> None:
        """Copy the blobs that no other image copies. Return when all are in the target.

        Raises the error of one that is not.
        """
        threads = self._of(source.host, self._at_a_time)
        own = _Blobs(self, threads, self._half, blobs, source, target)
        ways = {blob: own.way(blob) for blob in blobs}
        jobs = [own.brought(blob, by) for blob, by in ways.items()]
        wait(jobs)  # all of them: skopeo must not copy a layer at the same time
        for job in jobs:
            job.result()

    def way(self, blob: str, begin: Callable[[], Way]) -> tuple[Way, bool]:
        """Return who copies a blob, and whether that is new: there was none, or it had failed."""
        with self._lock:
            known = self._ways.get(blob)
            if known and not (known.job.done() and known.failed()):
                return known, False
            self._ways[blob] = made = begin()
            return made, True

    def forget(self, blobs: Iterable[str]) -> None:
        """Let the next image that needs these blobs copy them."""
        with self._lock:
            for blob in blobs:
                self._ways.pop(blob, None)

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


class _Blobs:
    """The blobs of one image on their way. Not more than `most` of them at a time."""

    def __init__(  # noqa: PLR0917 - made in one place
        self,
        traffic: Traffic,
        threads: ThreadPoolExecutor,
        most: int,
        blobs: Mapping[str, int],
        source: Repository,
        target: Repository,
    ) -> None:
        self._traffic, self._threads, self._room = traffic, threads, threading.Semaphore(most)
        self._blobs, self._source, self._target = blobs, source, target
        self._wrong: list[Exception] = []

    def way(self, blob: str) -> Way:
        """Return who copies a blob: this image, unless another one has begun it."""
        self._room.acquire()
        by, new = self._traffic.way(blob, lambda: self._begun(blob))
        if not new:
            self._room.release()
        return by

    def brought(self, blob: str, by: Way) -> "Future[None]":
        """Return the job after which the target has a blob in the image's repository."""
        if by.target is not self._target and by.host != self._source.host:
            if by.slow() or by.failed():
                return self._copied(blob)
        elif by.target is not self._target and by.failed():
            by = self.way(blob)  # the first image to see the failure copies it itself
        if by.target is self._target or by.target.name == self._target.name:
            return by.job
        if by.failed():  # what ends that image is not about this one
            return self._copied(blob) if by.refused() else by.job
        return self._copied(blob, by.target)

    def _copied(self, blob: str, origin: Repository | None = None) -> "Future[None]":
        self._room.acquire()
        return self._begun(blob, origin).job

    def _begun(self, blob: str, origin: Repository | None = None) -> Way:
        work = partial(move, blob, self._blobs[blob], self._source, self._target, origin)
        job = self._threads.submit(unless, self._wrong, work)
        job.add_done_callback(lambda _: self._room.release())
        return Way(self._target, self._source.host, job)
