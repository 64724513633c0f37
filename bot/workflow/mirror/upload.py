"""Sends one layer to the target: in one request, and in pieces where that one breaks.

See https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-a-blob-in-chunks.
A target that keeps what arrived is asked how far that is. Distribution 2.8, and so Harbor, forgets
an upload whose piece broke: then it begins anew, with pieces of half of what got through, each over
a connection of its own. So a line that breaks by bytes or by time is passed between its breaks. A
target that takes no pieces gets the whole layer again.
"""

import re
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

from . import ending, waits
from .connections import Place
from .layer import Layer
from .manifest import NotMovedError, OddError
from .registry import STORED, Repository
from .registry_http import Answer

SMALLEST_PIECE, LARGEST_PIECE = 1 << 20, 64 << 20  # bytes
BREAKS, STUCK = 100, 2  # of one upload: in all, and without coming further
_LOST = (HTTPStatus.NOT_FOUND, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)  # of what had begun
_NO_PIECES = (HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED)


class Upload:
    """One layer on its way into a repository. `begun` is the answer that began it, if any."""

    def __init__(self, target: Repository, layer: Layer, begun: Answer | None = None) -> None:
        self._target, self._layer = target, layer
        self._piece = self._least = 0  # bytes: 0 for all at once
        self._breaks = self._stuck = self._best = 0
        self._address, self._renewed, self._takes_pieces = "", False, True
        if begun:
            self._take(begun)

    def send(self) -> None:
        """Send the layer. Raises NotMovedError, and lets the target forget what was begun."""
        with ending.upload(self.cancel):
            try:
                self._open_both()
                while not self._sent():
                    pass
            except BaseException:
                self.cancel()
                raise

    def cancel(self) -> None:
        """Let the target forget what was begun."""
        if self._address:
            self._target.session("DELETE", self._address)

    def _open_both(self) -> None:
        """Ask the source for the layer and the target for a place side by side.

        An unreadable layer is told as such before a byte of it is announced.
        """
        with ThreadPoolExecutor(1) as aside:
            place = None if self._address else aside.submit(self._begin)
            self._layer.open()
        if place:
            place.result()

    def _take(self, answer: Answer) -> None:
        """Continue where an answer says. Another host must not get the login."""
        place = answer.headers.get("Location", "")
        try:
            address = urllib.parse.urljoin(f"{self._target.base}blobs/uploads/", place)
            here = Place.of(address) == Place.of(self._target.base)
        except ValueError:
            here = False
        if not here:
            raise OddError(f"{self._target.host} names another host or scheme for an upload")
        least = answer.headers.get("OCI-Chunk-Min-Length", "")
        self._address = address
        self._least = int(least[:12]) if least.isdecimal() else self._least

    def _begin(self) -> None:
        answer = self._target.begin()
        if answer.status != HTTPStatus.ACCEPTED:
            raise self._target.refused(answer)
        self._take(answer)
        self._layer.seek(0)

    def _sent(self) -> bool:
        """Send what is next. Returns whether the target has all of the layer."""
        if ending.stopped():
            raise NotMovedError("the run is over")
        if not self._address:
            self._begin()
        layer = self._layer
        began, left = layer.at, layer.size - layer.at
        if self._piece and left:
            answer = self._patch(min(left, max(self._piece, self._least)))
            if answer.status == HTTPStatus.ACCEPTED:
                self._renewed = False
                self._take(answer)
                return False
        else:
            answer = self._put(left)
            if answer.status in STORED:
                return True
        return self._goes_on(answer, layer.at - began)

    def _put(self, size: int) -> Answer:
        mark = "&" if "?" in self._address else "?"
        url = f"{self._address}{mark}digest={self._layer.digest}"
        return self._target.session(
            "PUT", url, _headers(size), data=self._layer.piece(size), fresh=self._breaks > 0
        )

    def _patch(self, size: int) -> Answer:
        at = self._layer.at
        headers = {**_headers(size), "Content-Range": f"{at}-{at + size - 1}"}
        return self._target.session(
            "PATCH", self._address, headers, data=self._layer.piece(size), fresh=True
        )

    def _goes_on(self, answer: Answer, sent: int) -> bool:
        """Prepare the next request after one that failed. Raises NotMovedError for a refusal.

        Returns whether the target has the layer after all: only the answer was lost.
        """
        if answer.status == HTTPStatus.UNAUTHORIZED and self._piece and not self._renewed:
            self._renewed = True  # its token was over: the next request has another
            return self._goes_on_there()
        if self._piece and answer.status in _NO_PIECES:
            self._piece, self._takes_pieces = 0, False
            return self._goes_on_there(lost=True)
        self._breaks += 1
        large = answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        lost = answer.status in _LOST and self._breaks > 1
        smallest = 0 < self._piece <= max(SMALLEST_PIECE, self._least)
        odd = 0 < answer.status < HTTPStatus.BAD_REQUEST
        too_large = large and (smallest or not self._takes_pieces)
        refused = too_large or not (large or lost or odd or answer.trouble)
        if refused or (not large and self._stands_still(answer)):
            raise self._refused(answer)
        if self._takes_pieces:
            through = self._piece or (self._layer.size if large else sent)
            self._piece = max(SMALLEST_PIECE, min(LARGEST_PIECE, through // 2))
        if answer.status and answer.trouble:
            self._wait(answer)
        return self._goes_on_there(lost=lost)

    def _goes_on_there(self, *, lost: bool = False) -> bool:
        """Go on where the target is, or begin anew. Returns whether it has the layer."""
        if not lost and self._found():
            return False
        self._target.session("DELETE", self._address)
        self._address = ""
        return self._target.holds(self._layer.digest)

    def _stands_still(self, answer: Answer) -> bool:
        """Return whether no request came further than those before, several times."""
        further, self._best = self._layer.at > self._best, max(self._best, self._layer.at)
        waited = "timed out" in answer.cause  # that alone took minutes
        self._stuck = 0 if further else self._stuck + (2 if waited else 1)
        return self._stuck > STUCK or self._breaks > BREAKS

    def _found(self) -> bool:
        """Ask how far the upload is, and go on there. Returns whether the target still has it."""
        kept = self._target.session("GET", self._address)
        arrived = re.fullmatch(r"(?:bytes=)?0-(\d{1,18})", kept.headers.get("Range", ""))
        at = int(arrived[1]) + 1 if arrived and int(arrived[1]) else 0  # 0-0 also means nothing
        if kept.status != HTTPStatus.NO_CONTENT or at > self._layer.at:
            return False
        if kept.headers.get("Location"):
            self._take(kept)
        self._layer.seek(at)
        return True

    def _wait(self, answer: Answer) -> None:
        pause = waits.QUESTION_PAUSES[min(self._breaks, len(waits.QUESTION_PAUSES)) - 1]
        if pause > self._target.patience:
            raise self._refused(answer)
        time.sleep(pause)

    def _refused(self, answer: Answer) -> NotMovedError:
        if answer.words.startswith("digest invalid"):
            words = f"source: the layer does not match, expected {self._layer.digest}"
            return NotMovedError(words, passing=True)
        return self._target.refused(answer)


def _headers(size: int) -> dict[str, str]:
    return {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
