"""What must not outlive a run that a signal ends: skopeo's processes, and uploads that have begun.

The runner sends SIGINT, 7.5 s later SIGTERM, and kills after 2.5 s more.
"""

import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager

CANCEL_SECONDS = 4  # for the targets to forget what was begun
UPLOADS = 128  # that are cancelled at a time

_CHILDREN: set["subprocess.Popen[bytes]"] = set()
_UPLOADS: dict[object, Callable[[], object]] = {}
_LOCK = threading.Lock()
_STOPPED = threading.Event()


def stopped() -> bool:
    """Return whether nothing new may begin."""
    return _STOPPED.is_set()


@contextmanager
def child(command: Sequence[str], env: dict[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    """Start a process, which is killed with the run and at the end of the context."""
    pipe = subprocess.PIPE
    with _LOCK:
        if stopped():
            raise OSError("the run is over")
        made = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=env)
        _CHILDREN.add(made)
    try:
        with made:
            try:
                yield made
            finally:
                made.kill()
    finally:
        _CHILDREN.discard(made)


@contextmanager
def upload(cancel: Callable[[], object]) -> Iterator[None]:
    """Have an upload cancelled with the run."""
    key = object()
    _UPLOADS[key] = cancel
    try:
        yield
    finally:
        del _UPLOADS[key]


def kill_children() -> None:
    """Let nothing new begin, and kill what was started."""
    with _LOCK:
        _STOPPED.set()
        for each in _CHILDREN:
            each.kill()


def cancel_uploads() -> None:
    """Let the targets forget the uploads, as far as they answer in time."""
    pool = ThreadPoolExecutor(UPLOADS)
    wait([pool.submit(each) for each in list(_UPLOADS.values())], CANCEL_SECONDS)
