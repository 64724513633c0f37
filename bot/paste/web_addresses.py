"""Addresses of web pages about images, and the image of each page.

Only the address is read, nothing is fetched. The result may not be a valid reference yet, since an
address contains what people typed: correction.py corrects it further. To add a page, add a row.
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qs, unquote

_PAGE: Final = re.compile(
    r"(?:https?://)?(?:www\.)?(hub\.docker\.com|github\.com|quay\.io|gallery\.ecr\.aws"
    r"|console\.cloud\.google\.com|mcr\.microsoft\.com)/([^?#]*)(?:\?([^#]*))?(?:#.*)?",
    re.IGNORECASE,
)
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_NO_IMAGES: Final = "search|u|orgs|repositories|explore|extensions|r|layers|repository"

_Row = tuple[re.Pattern[str], str]


def _row(pattern: str, image: str) -> _Row:
    """A row: `{}` in a pattern is one part of the path, `{*}` is anything that may follow."""
    part = pattern.replace("{*}", "(?:/.*)?").replace("{}", "([^/]+)")
    return re.compile(part, re.IGNORECASE), image


_IMAGES: Final = (
    _row("hub.docker.com/_/{}{*}", r"docker.io/\1"),
    _row("hub.docker.com/r/{}(?:/tags)?", r"docker.io/\1"),
    _row("hub.docker.com/(?:r|repository/docker)/{}/{}{*}", r"docker.io/\1/\2"),
    _row("hub.docker.com/layers/(?:[^/]+/)?{}/{}/{}/images{*}", r"docker.io/\1/\2:\3"),
    _row(rf"hub.docker.com/(?!(?:{_NO_IMAGES})(?:/|$))(.+)", r"docker.io/\1"),
    _row("github.com/{}/[^/]+/pkgs/container/(.+?)(?:/[0-9]+)?", r"ghcr.io/\1/\2"),
    _row(
        "github.com/(?:orgs|users)/{}/packages/container/package/(.+?)(?:/[0-9]+)?",
        r"ghcr.io/\1/\2",
    ),
    _row("quay.io/repository/{}/{}/manifest/{}", r"quay.io/\1/\2@\3"),
    _row("quay.io/repository/{}/{}{*}", r"quay.io/\1/\2"),
    _row("gallery.ecr.aws/(.+/.+)", r"public.ecr.aws/\1"),
    _row("console.cloud.google.com/gcr/images/{}/global/([^@]+).*", r"gcr.io/\1/\2"),
    _row("console.cloud.google.com/gcr/images/{}/{}/([^@]+).*", r"\2.gcr.io/\1/\3"),
    _row("console.cloud.google.com/artifacts/docker/{}/{}/{}/{}{*}", r"\2-docker.pkg.dev/\1/\3/\4"),
    # The registry has the same host, so only addresses with a language are pages.
    _row(
        "mcr.microsoft.com/[a-z]{2}-[a-z]{2}/(?:product|artifact/mar)/(.+?)(?:/(?:about|tags))?",
        r"mcr.microsoft.com/\1",
    ),
)
_SOURCES: Final = (
    _row(r"github.com/(?!(?:orgs|users|marketplace)/){}/([^/]+?)(?:\.git)?{*}", r"ghcr.io/\1/\2"),
)


def image_on_page(text: str) -> str | None:
    """The image whose page a text is the address of. None for any other text."""
    return _image(text, _IMAGES)


def image_of_source_page(text: str) -> str | None:
    """The image that a source repository on GitHub has, if it has one. None for other texts."""
    return _image(text, _SOURCES)


def _image(text: str, rows: Iterable[_Row]) -> str | None:
    """The image of the first row, in lower case up to its tag, with the tag that a page shows."""
    page = _PAGE.fullmatch(text)
    if page is None:
        return None
    path = "/".join((page[1], *filter(None, unquote(page[2]).split("/"))))
    found = next((row.expand(image) for where, image in rows if (row := where.fullmatch(path))), "")
    name, colon, tag = found.partition(":")
    query = parse_qs(page[3] or "")
    shown = (query.get("tag") or query.get("name") or [""])[0]
    if name and not colon and _TAG.fullmatch(shown):
        return f"{name.lower()}:{shown}"
    return name.lower() + colon + tag or None
