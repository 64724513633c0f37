"""A run that copies nothing: it looks at images for the bot, which cannot reach their sources.

It posts `look/IMAGE` for each: the digest at the source, and what the target has beside it. Before
that it posts `more/IMAGE`: platforms and size, or tags near to one that is missing. Both end with a
mark by the key that the bot shares, over batch and run. bot/core/look.py reads them.
"""

import difflib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from . import ending
from .copying import sides
from .decision import Key, Looks
from .github import context_of, key_of, post_status
from .log import STATUS_CHARACTERS, one_line, say
from .manifest import NotMovedError
from .reference import DIGEST, REST, Image
from .registry import Repository
from .registry_http import UNREADABLE
from .settings import Settings

AT_A_TIME = 32
CHILDREN = 8  # manifests of an index that are read for its size
NEAR_TAGS, TAG_PAGES = 8, 5
MARK_CHARACTERS = 16
LONGEST_DIGEST = 103  # of sha384. One of sha512 leaves no room for a mark
_PRIVATE = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
_UNSURE = (HTTPStatus.OK, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)  # after HEAD


def carried_out(env: Mapping[str, str], looks: Looks, settings: Settings | None, why: str) -> int:
    """Look at all images. `why` says why there are no settings. Returns 1 when one has no answer.

    A block without the bot's seal, or an old one, starts nothing.
    """
    if looks.trouble:
        say(f"error nothing is looked at: {looks.trouble}")
        return 1
    say(f"{len(looks.wanted)} to look at")
    looking = Looking(env, key_of(env), looks.batch, settings, why)
    pool = ThreadPoolExecutor(AT_A_TIME)
    jobs = [pool.submit(looking.tell, image, shape=shape) for image, shape in looks.wanted.items()]
    try:
        while wait(jobs, 1).not_done:  # so that a signal is noticed
            pass
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return 0 if all(job.result() for job in jobs) else 1


@dataclass(frozen=True)
class Looking:
    """What the looks of a run share."""

    env: Mapping[str, str]
    key: Key
    batch: str
    settings: Settings | None
    trouble: str

    def tell(self, image: Image, *, shape: bool) -> bool:
        """Look at one image, and post what was seen. Its errors do not stop the others."""
        state, words, more = "error", self.trouble, ""
        try:
            if self.settings:
                state, words, more = seen(self.settings, image, shape=shape)
        except NotMovedError as refused:
            state, words = "error", one_line(str(refused))
        except Exception as unforeseen:  # noqa: BLE001 - one image must not stop the rest
            state, words = "error", f"workflow: {type(unforeseen).__name__}"
        if ending.stopped():
            return False
        say(f"{state} {image}: {words}")
        if more:
            self.post("more", image, "success", more)
        return self.post("look", image, state, words)

    def post(self, what: str, image: Image, state: str, words: str) -> bool:
        """Post words with their mark."""
        words = one_line(words, STATUS_CHARACTERS - MARK_CHARACTERS - 1)
        context = context_of(f"{what}/{image}")
        signed = f"{self.batch}\n{self.env['GITHUB_RUN_ID']}\n{context}\n{state}\n{words}\n"
        mark = self.key.sign(signed)[:MARK_CHARACTERS]
        return post_status(self.env, context, state, f"{words} {mark}")


def seen(settings: Settings, image: Image, *, shape: bool) -> tuple[str, str, str]:
    """Return the state, the words of the first status, and those of the second. May raise."""
    source, target = sides(settings, image)
    name = image.tag or image.digest
    digest = at_source(source, image.digest or name)
    if not digest:
        return "success", "missing", near(source, image.tag)
    if len(digest) > LONGEST_DIGEST:
        raise NotMovedError(f"source: its digest is too long for a status: {digest}")
    held = target.digest(name)
    there = "unknown" if held is None else "none" if not held else "other"
    more = shape_of(source, digest) if shape else ""
    return "success", f"{digest} {'same' if held == digest else there}", more


def at_source(source: Repository, reference: str) -> str:
    """Return the digest that a source has for a tag or a digest. "" where it shows none."""
    digest = source.digest(reference)
    if digest and source.last.status == HTTPStatus.OK:
        return digest
    if source.last.status not in _UNSURE:
        if source.last.status in _PRIVATE:
            return ""
        raise source.refused(source.last)
    try:  # some registries do not know HEAD
        if DIGEST.fullmatch(reference):
            source.raw(reference)
            return reference
        return source.tagged(reference)[0]
    except NotMovedError as why:
        if why.status in _PRIVATE:
            return ""
        raise


def near(source: Repository, tag: str) -> str:
    """Return tags that look like one that is missing, as far as the source lists any."""
    pages, _ = source.pages("tags/list?n=1000", TAG_PAGES) if tag else ([], False)
    found = [each for page in pages for each in tags_in(page.body)]
    return whole_words(difflib.get_close_matches(tag, found, NEAR_TAGS, 0.0))


def tags_in(body: bytes) -> list[str]:
    """Return the tags of one page of a list."""
    try:
        tags = json.loads(body)["tags"] or ()
        return [tag for tag in tags if REST.fullmatch(f"a:{tag}")]
    except (*UNREADABLE, LookupError, TypeError):
        return []


def shape_of(source: Repository, digest: str) -> str:
    """Return size (0: not known) and platforms. "" where the source does not show its manifest."""
    try:
        said = json.loads(source.raw(digest).body)
        if "manifests" not in said:
            return str(sum(blobs(said).values()))
        below, size = list(dict.fromkeys(str(each["digest"]) for each in said["manifests"])), 0
        if len(below) <= CHILDREN and not source.pulls and source.host != "docker.io":
            read = [blobs(json.loads(source.raw(each).body)) for each in below]
            size = sum({blob: each[blob] for each in read for blob in each}.values())
        names = dict.fromkeys(map(platform_of, said["manifests"]))
        return whole_words([str(size), *(name for name in names if name)])
    except (NotMovedError, *UNREADABLE, LookupError, TypeError, AttributeError):
        return ""


def blobs(manifest: Any) -> dict[str, int]:
    """Return the bytes of each config and layer of a manifest, by its digest."""
    parts = [manifest["config"], *manifest["layers"]]
    return {str(part["digest"]): int(part["size"]) for part in parts}


def platform_of(entry: Any) -> str:
    """Return the platform of an entry of an index. "" for an attestation."""
    said = entry.get("platform") or {}
    parts = [str(said.get(key) or "") for key in ("os", "architecture", "variant")]
    return "/".join(filter(None, parts)).replace("unknown/unknown", "").replace(" ", "")


def whole_words(words: list[str]) -> str:
    """Return as many of the words as a status holds."""
    text = " ".join(words)
    room = STATUS_CHARACTERS - MARK_CHARACTERS - 1
    return text if len(text) <= room else text[: room + 1].rpartition(" ")[0]
