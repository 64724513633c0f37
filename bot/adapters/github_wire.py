"""GitHub's answers, bounded in size and in time before PyGithub reads them.

They are asked for unpacked, so that a small answer cannot become a huge one, and read piece by
piece, so that one which never ends, or comes drop by drop, is given up. Knows requests and
PyGithub's transport, not what is asked.
"""

import time
from collections.abc import Mapping
from typing import Any, Final

import requests
import urllib3
from github import Github
from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass

MOST_BYTES: Final = 32 * 1024 * 1024
"""A list of some 300,000 images: https://docs.github.com/en/rest/git/blobs sends it in base64."""
ANSWER_SECONDS: Final = 120.0
_PIECE: Final = 64 * 1024


class TooMuch(requests.exceptions.RequestException):
    """An answer that is larger, or takes longer, than any should."""


class BoundedAdapter(requests.adapters.HTTPAdapter):
    """Sends as its parent does, and hands on answers that have been read whole."""

    def send(
        self, request: requests.PreparedRequest, *rest: Any, **named: Any
    ) -> requests.Response:
        request.headers["Accept-Encoding"] = "identity"
        until = time.monotonic() + ANSWER_SECONDS
        response = super().send(request, *rest, **{**named, "stream": True})
        try:
            body = _read(response, until)
        except urllib3.exceptions.HTTPError as error:
            response.close()
            raise requests.exceptions.ConnectionError(error, request=request) from error
        except TooMuch:
            response.close()  # what is left of it must not come before the next answer
            raise
        vars(response).update(_content=body, _content_consumed=True)
        return response


def _read(response: requests.Response, until: float) -> bytes:
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise TooMuch("an answer is packed, which was not asked for")
    body = bytearray()
    while piece := response.raw.read1(_PIECE, decode_content=False):
        body += piece
        if len(body) > MOST_BYTES:
            raise TooMuch(f"an answer has more than {MOST_BYTES} bytes")
        if time.monotonic() > until:
            raise TooMuch(f"an answer takes more than {ANSWER_SECONDS:.0f} seconds")
    return bytes(body)


class _Http(HTTPRequestsConnectionClass):
    def __init__(self, *rest: Any, **named: Any) -> None:
        super().__init__(*rest, **named)
        self.session.mount("http://", _adapter(vars(self)))


class _Https(HTTPSRequestsConnectionClass):
    def __init__(self, *rest: Any, **named: Any) -> None:
        super().__init__(*rest, **named)
        self.session.mount("https://", _adapter(vars(self)))


def _adapter(connection: Mapping[str, Any]) -> BoundedAdapter:
    size = connection["pool_size"]
    return BoundedAdapter(max_retries=connection["retry"], pool_connections=size, pool_maxsize=size)


def bound(github: Github, api: str) -> None:
    """Bound all that this client reads from here on."""
    # PyGithub's own way to another transport gives up connections after each request; a test
    # drives the whole to see that this one is in effect.
    kind = _Https if api.startswith("https:") else _Http
    vars(github.requester)["_Requester__connectionClass"] = kind
