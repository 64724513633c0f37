"""References: which texts name an image, which image that is, and its name in the target.

Grammar and normalisation are those of the distribution project, which Docker and skopeo use too:
https://pkg.go.dev/github.com/distribution/reference. bot/workflow/ repeats them for the runner, and
tests/workflow/ compares both. Nothing here guesses what a wrong text may have meant: that is in
bot/paste/correction.py. No reference gets into a command, a commit or an address unless
`ImageRef.parse` has accepted it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Self

from bot.core.errors import BotError

DOCKER_HUB: Final = "docker.io"
DOCKER_HUB_HOSTS: Final = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io"})
"""The names of Docker Hub. Docker reads the second as the first. The third is its address."""
OFFICIAL_PREFIX: Final = "library/"
DEFAULT_TAG: Final = "latest"
REPOSITORY_LIMIT: Final = 255

# Written out in ASCII: \w and \d of Python match any alphabet, and $ matches before a newline.
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_IPV6: Final = r"\[[A-Fa-f0-9:]+\]"
_DOMAIN: Final = rf"(?:{_LABEL}(?:\.{_LABEL})*|{_IPV6})(?::[0-9]+)?"
_COMPONENT: Final = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_TAG: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_ALGORITHM: Final = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*"
_REFERENCE: Final = re.compile(
    rf"(?:(?P<domain>{_DOMAIN})/)?"
    rf"(?P<repository>{_COMPONENT}(?:/{_COMPONENT})*)"
    rf"(?::(?P<tag>{_TAG}))?"
    rf"(?:@(?P<digest>{_ALGORITHM}:[0-9A-Fa-f]{{32,}}))?"
)
_BARE_ID: Final = re.compile(r"[0-9a-f]{64}")
_DIGEST: Final = re.compile(
    r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}"  # the algorithms of go-digest
)
_WHOLE_DOMAIN: Final = re.compile(_DOMAIN)
_FOREIGN: Final = re.compile(r"[^A-Za-z0-9._/:@+\[\]-]")


class Problem(StrEnum):
    """Why a text is no reference. Its text for people is in bot/locales/: `problem-<value>`."""

    EMPTY = "empty"
    BLANK = "blank"
    """It contains a blank or a line break."""
    CHARACTER = "character"
    """It contains a character that no reference may have."""
    UPPERCASE = "uppercase"
    """Its repository is not in lower case."""
    BARE_ID = "bare-id"
    """64 hexadecimal digits alone are the id of an image and not a name."""
    TOO_LONG = "too-long"
    IPV6_HOST = "ipv6-host"
    """Valid, but such a host cannot be part of a name in the target."""
    NO_DOMAIN = "no-domain"
    """It begins with what looks like a host but is not valid, such as `my_host.com/a`."""
    HOST = "host"
    TAG = "tag"
    DIGEST = "digest"
    MALFORMED = "malformed"


class BadReference(BotError):  # noqa: N818 - it reads as what it is: a bad reference
    """A text names no image that we take. `problem` says why."""

    def __init__(self, text: str, problem: Problem) -> None:
        super().__init__(text, problem)
        self.text = text
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.text[:REPOSITORY_LIMIT]!r} is no image reference: {self.problem}"


@dataclass(frozen=True, slots=True)
class ImageRef:
    """A fully qualified image. It has a tag, a digest, or both."""

    registry: str
    repository: str
    tag: str | None
    digest: str | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a reference as Docker does. Raises BadReference for any other text."""
        if _BARE_ID.fullmatch(text):
            raise BadReference(text, Problem.BARE_ID)
        found = _REFERENCE.fullmatch(_qualified(text))
        if found is None:
            raise BadReference(text, _diagnose(text))
        domain, repository, tag, digest = found.group("domain", "repository", "tag", "digest")
        if (problem := _refusal(domain, repository, digest)) is not None:
            raise BadReference(text, problem)
        return cls(domain, repository, tag if tag or digest else DEFAULT_TAG, digest)

    @classmethod
    def parse_or_none(cls, text: str) -> Self | None:
        """The same, but None for any other text."""
        try:
            return cls.parse(text)
        except BadReference:
            return None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.registry}/{self.repository}{tag}{digest}"

    def at(self, digest: str | None) -> Self:
        """The same name and tag with this digest, or with none."""
        return replace(self, digest=digest)

    @property
    def place(self) -> Self:
        """What a copy of it is written to: its tag, or its digest where it has no tag."""
        return self.at(None) if self.tag else self

    def spellings(self) -> frozenset[str]:
        """Every text that `parse` reads as this image."""
        return frozenset(text for text in self._candidates() if self.parse_or_none(text) == self)

    def _candidates(self) -> Iterator[str]:
        hosts, repositories = [f"{self.registry}/"], [self.repository]
        if self.registry == DOCKER_HUB:
            hosts = ["", *(f"{host}/" for host in DOCKER_HUB_HOSTS)]
            repositories.append(self.repository.removeprefix(OFFICIAL_PREFIX))
        suffix = str(self).removeprefix(f"{self.registry}/{self.repository}")
        suffixes = {suffix, ""} if suffix == f":{DEFAULT_TAG}" else {suffix}
        for host in hosts:
            for repository in repositories:
                yield from (f"{host}{repository}{ending}" for ending in suffixes)


def _qualified(text: str) -> str:
    """The text with the registry and `library/` that Docker adds to short names."""
    head, slash, rest = text.partition("/")
    if not slash or not is_host(head):
        head, rest = DOCKER_HUB, text
    elif head in DOCKER_HUB_HOSTS:
        head = DOCKER_HUB
    if head == DOCKER_HUB and "/" not in rest:
        rest = OFFICIAL_PREFIX + rest
    return f"{head}/{rest}"


def is_host(component: str) -> bool:
    """Whether Docker takes the first component of a name as a host (`splitDockerDomain`)."""
    return (
        "." in component
        or ":" in component
        or component == "localhost"
        or component != component.lower()
    )


def has_host(name: str) -> bool:
    """Whether a name begins with a registry."""
    head, slash, _ = name.partition("/")
    return bool(slash) and is_host(head)


def _refusal(domain: str | None, repository: str, digest: str | None) -> Problem | None:
    """Why a text is refused although it matches the grammar."""
    if domain is None:
        return Problem.NO_DOMAIN
    if domain.startswith("["):
        return Problem.IPV6_HOST
    if len(repository) > REPOSITORY_LIMIT:
        return Problem.TOO_LONG
    if digest is not None and not _DIGEST.fullmatch(digest):
        return Problem.DIGEST
    return None


def _diagnose(text: str) -> Problem:
    """The first problem of a text that does not match the grammar."""
    if not text or text.isspace():
        return Problem.EMPTY
    if any(character.isspace() for character in text):
        return Problem.BLANK
    if _FOREIGN.search(text):
        return Problem.CHARACTER
    if _REFERENCE.fullmatch(_qualified(text.lower())):
        return Problem.UPPERCASE
    return _diagnose_parts(_qualified(text))


def _diagnose_parts(qualified: str) -> Problem:
    name, at_sign, _ = qualified.partition("@")
    if at_sign and _REFERENCE.fullmatch(name):
        return Problem.DIGEST
    head, colon, tag = name.rpartition(":")
    if colon and "/" not in tag and _REFERENCE.fullmatch(head):
        return Problem.TAG
    if not _WHOLE_DOMAIN.fullmatch(name.partition("/")[0]):
        return Problem.HOST
    return Problem.MALFORMED


class Naming(StrEnum):
    """How names in the target are built. See `Target.name_of`."""

    NESTED = "nested"
    FLAT = "flat"
    """One level, for registries without nested names."""


@dataclass(frozen=True, slots=True)
class Target:
    """The registry that images are copied to. `prefix` is its project for all of them, or empty."""

    host: str
    prefix: str = ""
    naming: Naming = Naming.NESTED

    def name_of(self, image: ImageRef) -> str:
        """The name under which people pull the copy of an image.

        The workflow gives the same names, see `target_path` there: tests/workflow/ compares both.
        """
        path = f"{image.registry.lower().replace(':', '_')}/{image.repository}"
        if self.naming is Naming.FLAT:
            # A slash is always between alphanumerics, and dashes are doubled. So an odd run of
            # dashes contains a slash, and no two images get the same name.
            path = path.replace("-", "--").replace("/", "-")
        place = f"{self.host}/{self.prefix}" if self.prefix else self.host
        suffix = f":{image.tag}" if image.tag else f"@{image.digest}"
        return f"{place}/{path}{suffix}"


_PORT_IN_NAME: Final = re.compile(r"([a-z0-9.-]+)_([0-9]+)")
_ODD_DASHES: Final = re.compile(r"(?<!-)-(?:--)*(?!-)")


def source_name(path: str) -> str | None:
    """The inverse of `Target.name_of`: the source's name for a path below the target's prefix.

    Understands both namings. `path` has neither the target's host nor its prefix. Returns None
    where `Target.name_of` gives no such path. The result is a text, to be parsed.
    """
    head, slash, rest = path.partition("/")
    if not slash:
        name, tag, digest = split_reference(path)
        nested = _ODD_DASHES.sub(lambda dashes: "\0" + dashes[0][1:], name).replace("--", "-")
        head, slash, rest = nested.replace("\0", "/").partition("/")
        rest += tag + digest
    if port := _PORT_IN_NAME.fullmatch(head):
        head = f"{port[1]}:{port[2]}"
    return f"{head}/{rest}" if slash and is_host(head) else None


def split_reference(text: str) -> tuple[str, str, str]:
    """The name, `:tag` and `@digest` of a text. The last two are empty where there is none."""
    rest, at_sign, digest = text.partition("@")
    slash = rest.rfind("/")
    colon = rest.find(":", slash + 1)
    if colon < 0:
        return rest, "", at_sign + digest
    return rest[:colon], rest[colon:], at_sign + digest
