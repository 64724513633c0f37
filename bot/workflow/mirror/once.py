"""Work that several images of a run need and only one of them does."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Once(Generic[K, V]):
    """The results of such work, by key. The oldest are forgotten, so that memory is bounded."""

    def __init__(self, most: int) -> None:
        self._jobs: dict[K, Future[V]] = {}
        self._most, self._lock = most, threading.Lock()

    def get(self, key: K, work: Callable[[], V]) -> V:
        """Return the result for a key. Whoever comes first does the work, and the others wait.

        Raises what the work raises, for all who waited. The next who comes does it again.
        """
        with self._lock:
            job, mine = self._jobs.get(key), key not in self._jobs
            if job is None:
                job = self._jobs[key] = Future()
            if len(self._jobs) > self._most:
                del self._jobs[next(iter(self._jobs))]
        if mine:
            self._do(key, job, work)
        return job.result()

    def forget(self, key: K) -> None:
        """Let the next who comes do the work again."""
        with self._lock:
            self._jobs.pop(key, None)

    def _do(self, key: K, job: "Future[V]", work: Callable[[], V]) -> None:
        try:
            job.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised to all who wait
            with self._lock:
                if self._jobs.get(key) is job:
                    del self._jobs[key]
            job.set_exception(error)
