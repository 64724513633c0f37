"""Finds what belongs to a digest in a repository: signatures, attestations, SBOMs.

Newer tools name the digest as the `subject` of a manifest. The registry lists these by the
referrers API, or else an index under the tag `sha256-HEX` does, see
https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers. Some
registries answer the API and list nothing, so both are read. cosign stores under the tags
`sha256-HEX.sig`, `.att` and `.sbom`. An image that has nothing costs one request for the API, which
also tells whether the host has it at all, and one for the tags of its repository.
"""

import json
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from .manifest import Manifest, NotMovedError
from .reference import DIGEST
from .registry import Repository
from .registry_http import UNREADABLE, Answer
from .traffic import Traffic

TAG = re.compile(r"sha(?:256|384|512)-[0-9a-f]{64}(?:\.(?:sig|att|sbom))?")
ENDINGS = (".sig", ".att", ".sbom")
TAGS_IN_A_PAGE = 1000
PAGES = 5  # of a list. Of more tags, each one is asked for
LISTED = 1000  # manifests that a list may name
BUILDKIT = "vnd.docker.reference.type"  # an annotation
IMAGE_CONFIGS = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)
FILES = ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")


def fallback_tag(digest: str) -> str:
    """Return the tag of the index that lists the referrers of a digest."""
    algorithm, _, encoded = digest.partition(":")
    return f"{algorithm}-{encoded[:64]}"


def tags_for(digest: str) -> tuple[str, ...]:
    """Return all tags under which something may stand that belongs to a digest."""
    first = fallback_tag(digest)
    return (first, *(f"{first}{ending}" for ending in ENDINGS))


def named_in(answer: Answer, side: str) -> list[str]:
    """Return the digests that a list of referrers names, each once. Raises NotMovedError."""
    try:
        every = [str(each["digest"]) for each in json.loads(answer.body)["manifests"]]
    except (*UNREADABLE, KeyError, TypeError):
        raise NotMovedError(f"{side}: list cannot be read") from None
    return [each for each in dict.fromkeys(every[:LISTED]) if DIGEST.fullmatch(each)]


def by_buildkit(index: Manifest) -> list[str]:
    """Return the children that BuildKit adds for each platform. Nothing is attached to these."""
    below = json.loads(index.body)["manifests"] if index.children else ()
    return [each["digest"] for each in below if BUILDKIT in _part(each, "annotations")]


def subject_of(manifest: Manifest) -> str:
    """Return the digest that a manifest belongs to, or nothing."""
    return str(_part(json.loads(manifest.body), "subject").get("digest", ""))


def can_be_run(manifest: Manifest) -> bool:
    """Return whether it is an image with files, which somebody would have to decide on."""
    read = json.loads(manifest.body)
    kinds = [str(layer.get("mediaType")) for layer in read.get("layers") or ()]
    named = _part(read, "config").get("mediaType") in IMAGE_CONFIGS
    return named and any(kind.startswith(FILES) for kind in kinds)


def entry_of(digest: str, manifest: Manifest) -> dict[str, Any]:
    """Return what a list of referrers says about a manifest. It is made of the manifest itself.

    See https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers.
    """
    read = json.loads(manifest.body)
    entry = {
        "mediaType": manifest.kind,
        "digest": digest,
        "size": len(manifest.body),
        "artifactType": read.get("artifactType") or _part(read, "config").get("mediaType"),
        "annotations": read.get("annotations"),
    }
    return {name: value for name, value in entry.items() if value}


def _part(read: dict[str, Any], name: str) -> dict[str, Any]:
    part = read.get(name)
    return part if isinstance(part, dict) else {}


class Referrers:
    """The lists of one repository. What a run learns of a host or of its tags is kept."""

    def __init__(self, traffic: Traffic, repository: Repository) -> None:
        self._traffic, self._repository = traffic, repository
        self._answers: dict[str, list[str]] = {}

    def by_api(self, digest: str) -> "list[str] | None":
        """Return the digests of the manifests that name a digest. None: there is no such API.

        Raises NotMovedError in trouble.
        """
        host = self._repository.host
        if not self._traffic.referrers.get(host, lambda: self._asked(digest)):
            return None
        if digest not in self._answers:
            self._asked(digest)
        return self._answers.get(digest)

    def _asked(self, digest: str) -> bool:
        """Ask for all pages. Returns whether the API is there."""
        found: list[str] = []
        pages, _ = self._repository.pages(f"referrers/{digest}", PAGES)
        for answer in pages:
            if answer.trouble or not answer.status:
                raise self._repository.refused(answer)
            if answer.status != HTTPStatus.OK:  # spec: 404. Older ones say what they like
                return False
            found += named_in(answer, self._repository.side)
        self._answers[digest] = found[:LISTED]
        return True

    def tags(self) -> "frozenset[str] | None":
        """Return the tags of this kind that the repository has. None where it does not say all."""
        return self._traffic.tags.get(self._repository.name, self._listed)

    def _listed(self) -> "frozenset[str] | None":
        answers, whole = self._repository.pages(f"tags/list?n={TAGS_IN_A_PAGE}", PAGES)
        found: set[str] = set()
        try:
            for answer in answers:
                found.update(filter(TAG.fullmatch, json.loads(answer.body)["tags"] or ()))
        except (*UNREADABLE, KeyError, TypeError):
            return None
        return frozenset(found) if whole else None

    def tags_of(self, digests: Iterable[str]) -> list[tuple[str, str]]:
        """Return each digest with each tag that the repository has for it. Asks where it must.

        Raises NotMovedError in trouble.
        """
        pairs = [(digest, tag) for digest in digests for tag in tags_for(digest)]
        known = self.tags()
        if known is not None:
            return [pair for pair in pairs if pair[1] in known]
        asking = self._traffic.asking(self._repository.host)
        there = list(asking.map(self._has, (tag for _, tag in pairs)))
        return [pair for pair, is_there in zip(pairs, there, strict=True) if is_there]

    def _has(self, tag: str) -> bool:
        answer = self._repository.manifest("HEAD", tag)
        if answer.trouble or not answer.status:
            raise self._repository.refused(answer)
        return answer.status == HTTPStatus.OK
