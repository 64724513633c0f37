"""Carries along what belongs to an image that the target has: its signatures, attestations, SBOMs.

`referrers` finds it, for the image, its platforms, and in turn for what was found. All of it is
from the image's own repository and goes by digest. It is bounded in number, depth, bytes and time,
and costs no pull that an image may need. A list is not believed: a manifest has to name the digest
that it belongs to, and must not be an image that can be run. What the target has is kept, see
`merging`. Whatever fails here fails no image: the status counts it, with the first cause.
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

from . import waits
from .allowance import Allowance
from .content import Content
from .log import one_line, say
from .manifest import INDEXES, Manifest, NotMovedError, OddError
from .merging import merged
from .referrers import (
    ENDINGS,
    Referrers,
    by_buildkit,
    can_be_run,
    entry_of,
    fallback_tag,
    named_in,
    subject_of,
)
from .registry import Repository
from .registry_http import Answer
from .traffic import Traffic

T = TypeVar("T")
LEVELS = 3  # of what belongs to what belongs to an image
AT_A_TIME = 4  # of one image
TRIES = 6  # to join what others write at the same time
REFUSALS = 2  # of one manifest that may pass
LOGGED = 20  # refusals of one image
REASON_CHARACTERS = 60


@dataclass
class Tally:
    """What became of everything. `there` is at the target: a digest with its tag or subject."""

    there: set[tuple[str, str]] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)

    def words(self) -> str:
        """Return them for the status. The bot reads these words."""
        good = f"{len(self.there)} attached" if self.there else ""
        why = one_line(self.refused[0].replace(",", " "), REASON_CHARACTERS) if self.refused else ""
        bad = f"not attached: {len(self.refused)}: {why}" if why else ""
        return ", ".join(filter(None, (good, bad)))


class Attachments:
    """What belongs to one image, on its way. `listed` are tags that the image list names itself."""

    def __init__(
        self, traffic: Traffic, source: Repository, target: Repository, listed: frozenset[str]
    ) -> None:
        self._traffic, self._source, self._target = traffic, source, target
        self._listed, self._content = listed, Content(traffic, source, target)
        self._at_source = Referrers(traffic, source)
        self._at_target = Referrers(traffic, target)
        self._allowance = Allowance(traffic, source)
        self._stored: dict[str, Manifest] = {}  # by tag
        self._slowest = 0.0  # seconds from reading a tag to having written it
        self._tally = Tally()

    def carry(self, digest: str, manifests: Callable[[], Iterable[Manifest]]) -> str:
        """Carry all of it along. `manifests` are those of the image, the first one too.

        Returns words for the status, nothing where nothing belongs to the image.
        """
        key = self._target.name, digest  # two tags of one digest have the same
        return self._traffic.attached.get(key, lambda: self._carried(digest, manifests))

    def _carried(self, digest: str, manifests: Callable[[], Iterable[Manifest]]) -> str:
        self._tried(partial(self._walk, digest, manifests), None)
        self._tried(self._look_again, None)
        return self._tally.words()

    def _tried(self, work: Callable[[], T], instead: T) -> T:
        """Count what fails, whatever it is: the image itself has arrived."""
        try:
            return work()
        except Exception as why:  # noqa: BLE001 - what is unforeseen too
            words = (
                str(why) if isinstance(why, NotMovedError) else f"workflow: {type(why).__name__}"
            )
            words = f"{self._source.side}: {words}" if isinstance(why, OddError) else words
            if len(self._tally.refused) < LOGGED:
                say(f"note: not attached in {self._target.name}: {words}")
            self._tally.refused.append(words)
            return instead

    def _subjects(
        self, digest: str, manifests: Callable[[], Iterable[Manifest]]
    ) -> dict[str, bool]:
        """Return the digests that something may belong to, and whether the API is asked about it.

        The manifests of the image are not read where its repository has nothing for any image.
        """
        asked = self._traffic.asking(self._source.host).submit(self._at_source.tags)
        api, tags = self._named(digest) is not None, asked.result()
        if not api and tags is not None and not tags:
            return {}
        found = {digest: api}
        with contextlib.suppress(OddError):  # schema 1 has no platforms
            for manifest in manifests():
                found |= dict.fromkeys(manifest.children, api)
                found |= dict.fromkeys(by_buildkit(manifest), False)
        return found

    def _named(self, digest: str) -> "list[str] | None":
        return self._tried(partial(self._at_source.by_api, digest), None)

    def _walk(self, digest: str, manifests: Callable[[], Iterable[Manifest]]) -> None:
        subjects = self._subjects(digest, manifests)
        seen: set[str] = set()
        for _ in range(LEVELS):
            seen.update(subjects)
            jobs = self._jobs(subjects)
            with ThreadPoolExecutor(AT_A_TIME) as threads:
                found = [each for done in threads.map(self._done, jobs) for each in done]
            subjects = {each: True for each in found if each not in seen}
            if not subjects:
                return

    def _jobs(self, subjects: dict[str, bool]) -> list[Callable[[], list[str]]]:
        """Return what there is to do. Each job returns the digests that it brought."""
        pairs = self._at_source.tags_of(subjects)
        asked = [digest for digest, wanted in subjects.items() if wanted]
        asking = self._traffic.asking(self._source.host)
        named = dict(zip(asked, asking.map(self._named, asked), strict=True))
        jobs: list[Callable[[], list[str]]] = []
        for digest in subjects:
            lists = [tag for of, tag in pairs if of == digest and not tag.endswith(ENDINGS)]
            if lists or named.get(digest):
                jobs.append(partial(self._referrers, digest, named.get(digest) or [], lists))
        return [*jobs, *(partial(self._tagged, tag) for _, tag in pairs if tag.endswith(ENDINGS))]

    def _done(self, job: Callable[[], list[T]]) -> list[T]:
        return self._tried(job, [])

    # --- what has a tag of cosign

    def _tagged(self, tag: str) -> list[str]:
        """Carry what a tag has. Where the target has something else there, both are joined."""
        self._allowance.take_part()
        self._expect_own(tag)
        asked = self._source.manifest("HEAD", tag)
        digest = asked.headers.get("Docker-Content-Digest", "")
        if not digest or self._target.digest(tag) != digest:
            self._allowance.spare(asked)
            digest, ours = self._source.tagged(tag)
            self._content.known(digest, ours)
            self._bring(digest)
            self._patiently(partial(self._store, tag, ours))
        self._tally.there.add((digest, tag))
        return [digest]

    def _expect_own(self, tag: str) -> None:
        if tag in self._listed:
            raise NotMovedError(f"target: {tag} is an image of the list")

    def _store(self, tag: str, ours: Manifest) -> None:
        """Store a manifest under a tag, joined with what is there, until both are there.

        A registry knows no "only if unchanged". So the tag is read again after each time.
        """
        wanted = ours
        for _ in range(TRIES):
            with self._traffic.storing(self._target.name):
                began = time.monotonic()
                if theirs := self._under(tag):
                    wanted = merged(theirs, wanted, several=not tag.endswith(".sbom"))
                if wanted is theirs:
                    self._stored[tag] = wanted
                    return
                self._target.put(tag, wanted)
                self._slowest = max(self._slowest, time.monotonic() - began)
        raise NotMovedError(f"target: others write {tag} too", passing=True)

    def _patiently(self, work: Callable[[], T], more: int = REFUSALS) -> T:
        """Do it again where the target cannot take a manifest now.

        docker-registry 2.8 answers 400 while a blob or a child of it is being linked anew.
        """
        try:
            return work()
        except NotMovedError as why:
            if why.status != HTTPStatus.BAD_REQUEST or not more:
                raise
        time.sleep(waits.ATTACH_PAUSE)
        return self._patiently(work, more - 1)

    def _under(self, tag: str) -> "Manifest | None":
        answer = self._target.manifest("GET", tag)
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        if answer.status != HTTPStatus.OK:
            raise self._target.refused(answer)
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip()
        return Manifest(answer.body, kind, {}, {})

    def _look_again(self) -> None:
        """Look once more at what was written: another run may have read it just before.

        It is expected to write within three times as long as the slowest of our own took.
        """
        stored = dict(self._stored)
        if stored:
            pause = max(waits.ATTACH_PAUSE, 3 * self._slowest)
            time.sleep(min(pause, waits.LONGEST_ATTACH_PAUSE))
        for tag, manifest in stored.items():
            self._store(tag, manifest)

    # --- what names a digest as its subject

    def _referrers(self, subject: str, named: Iterable[str], lists: Iterable[str]) -> list[str]:
        """Carry what the lists of a source name for a digest, and let the target list it too."""
        for tag in lists:
            named = [*named, *self._named_under(tag)]
        there = self._known(subject)
        found: set[str] = set()
        unlisted: dict[str, dict[str, Any]] = {}
        for digest in dict.fromkeys(named):
            job = partial(self._brought, subject, digest, listed=digest in there)
            for entry in self._done(job):
                found.add(digest)
                unlisted.update({digest: entry} if entry else {})
        if not self._tried(partial(self._list, subject, list(unlisted.values())), instead=False):
            found -= unlisted.keys()
        self._tally.there.update((digest, subject) for digest in found)
        return list(found)

    def _named_under(self, tag: str) -> list[str]:
        self._allowance.spare(self._source.manifest("HEAD", tag))
        answer = self._source.manifest("GET", tag)
        if answer.status != HTTPStatus.OK:
            raise self._source.refused(answer)
        return named_in(answer, self._source.side)

    def _known(self, subject: str) -> list[str]:
        """Return what the target lists, by the API, or else under the tag that replaces it."""
        by_api = self._at_target.by_api(subject)
        if by_api:
            return by_api
        answer = self._target.manifest("GET", fallback_tag(subject))
        return named_in(answer, self._target.side) if answer.status == HTTPStatus.OK else []

    def _brought(self, subject: str, digest: str, *, listed: bool) -> list[dict[str, Any]]:
        """Bring one manifest. Returns its entry for a list, empty where the target lists it itself.

        See https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests-with-subject.
        """
        if listed:
            return [{}]
        self._allowance.take_part()
        part = self._content.top(
            digest, lambda: self._allowance.spare(self._source.manifest("HEAD", digest))
        )
        if subject_of(part.manifest) != subject:
            raise NotMovedError("source: of another image")
        if not part.held:
            self._bring(digest)
        answer = self._patiently(partial(self._put, digest, part.manifest))
        listed = answer.headers.get("OCI-Subject") == subject
        return [{} if listed else entry_of(digest, part.manifest)]

    def _put(self, digest: str, manifest: Manifest) -> Answer:
        with self._traffic.storing(self._target.name):
            return self._target.put(digest, manifest)

    def _list(self, subject: str, entries: list[dict[str, Any]]) -> bool:
        """List them under the tag that stands for the API. Returns True once they are there."""
        if not entries:
            return True
        tag = fallback_tag(subject)
        self._expect_own(tag)
        index = {"schemaVersion": 2, "mediaType": INDEXES[0], "manifests": entries}
        made = Manifest(json.dumps(index).encode(), INDEXES[0], {}, {})
        self._patiently(partial(self._store, tag, made))
        return True

    def _bring(self, digest: str) -> None:
        """Bring all that is below a manifest, but no image. Raises NotMovedError."""
        parts = [part for part in self._content.parts(digest).values() if not part.held]
        if any(can_be_run(part.manifest) for part in parts):
            raise NotMovedError("source: is an image itself")
        self._allowance.weigh(part.manifest for part in parts)
        self._content.copy(digest)
