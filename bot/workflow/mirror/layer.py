"""One layer or config on its way from the source: hashed, and read on where a connection broke.

It goes on by Range. The registry is asked anew each time, since the address of its CDN may have
expired. What counts is progress: a source that stands still is given up, a long layer is not.
"""

import hashlib
import time
from collections.abc import Iterator
from http import HTTPStatus

from . import waits
from .manifest import NotMovedError
from .registry import Repository
from .registry_http import NoAnswerError, Opened

READ_BYTES = 1 << 18  # at a time
PROGRESS_BYTES = 1 << 20  # in waits.PROGRESS_SECONDS, or the source stands still


class Layer:
    """A blob at the source. `at` is the offset of the next byte."""

    def __init__(self, source: Repository, digest: str, size: int) -> None:
        self.source, self.digest, self.size, self.at = source, digest, size, 0
        self._answer: Opened | None = None
        self._hash_from_the_first_byte()
        self._broken_at, self._pauses = 0, iter(waits.QUESTION_PAUSES)
        self._came, self._deadline = 0, time.monotonic() + waits.PROGRESS_SECONDS

    def close(self) -> None:
        """Give up the answer that is being read."""
        if self._answer:
            self._answer.close()
        self._answer = None

    def open(self) -> None:
        """Ask the source for it, from `at` on. Raises NotMovedError."""
        answer = self.source.blob(self.digest, self.at)
        if answer.status == HTTPStatus.OK:
            self._skip(answer, self.at)
        self._answer = answer

    def seek(self, offset: int) -> None:
        """Read on at another offset."""
        if offset != self.at:
            self.close()
            self.at = self._broken_at = offset
            if not offset:  # the target gets every byte again, so that each one is hashed again
                self._hash_from_the_first_byte()

    def _hash_from_the_first_byte(self) -> None:
        self._hash = hashlib.new(self.digest.partition(":")[0])
        self._hashed = 0  # bytes, from the first on

    def piece(self, size: int) -> Iterator[bytes]:
        """Yield the next `size` bytes as they come. Raises NotMovedError.

        The last byte is held back until the digest of all is right, so that a target can never
        take a wrong layer.
        """
        end = self.at + size
        while self.at < end:
            part = self._part(min(end - self.at, READ_BYTES))
            self._watch(part)
            yield part

    def _watch(self, part: bytes) -> None:
        """Hash what was read in order."""
        if self.at == self._hashed:
            self._hash.update(part)
            self._hashed += len(part)
        self.at += len(part)
        whole = self.at == self._hashed == self.size
        if whole and self._hash.hexdigest() != self.digest.partition(":")[2]:
            raise self._error(f"the layer does not match, expected {self.digest}")
        self._expect_progress(len(part))

    def _expect_progress(self, came: int) -> None:
        """Raise NotMovedError where too few bytes come, also of those that are read once more."""
        now = time.monotonic()
        self._came += came
        if self._came >= PROGRESS_BYTES:
            self._came, self._deadline = 0, now + waits.PROGRESS_SECONDS
        if now > self._deadline or now > waits.STARTED + waits.LAYER_SECONDS:
            raise self._error("deadline exceeded: a layer stands still")

    def _part(self, most: int) -> bytes:
        """Read what has come. Where nothing comes, ask again, as long as that leads on."""
        while True:
            try:
                if self._answer is None:
                    self.open()
                if self._answer and (part := self._answer.read1(most)):
                    return part
                why = self._error(f"{self.source.host}: unexpected EOF")
            except NoAnswerError as error:
                why = self._error(f"{self.source.host}: {error}")
            except NotMovedError as error:
                why = error
            self.close()
            self._wait(why)

    def _wait(self, why: NotMovedError) -> None:
        """Wait before the next try, but not after one that led on. Raises `why` after the last."""
        further, self._broken_at = self.at > self._broken_at, self.at
        if further:
            self._pauses = iter(waits.QUESTION_PAUSES)
        pause = 0 if further else next(self._pauses, None)
        if not why.passing or pause is None or pause > self.source.patience:
            raise why
        time.sleep(pause)

    def _skip(self, answer: Opened, size: int) -> None:
        """Read what is there already: the source does not know Range."""
        while size:
            try:
                part = answer.read1(min(size, READ_BYTES))
            except NoAnswerError as error:
                raise self._error(f"{self.source.host}: {error}") from None
            if not part:
                raise self._error(f"{self.source.host}: unexpected EOF")
            size -= len(part)
            self._expect_progress(len(part))

    def _error(self, words: str) -> NotMovedError:
        return NotMovedError(f"{self.source.side}: {words}", passing=True)
