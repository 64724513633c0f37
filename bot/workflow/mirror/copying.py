"""Copies one image from its source to the target, with retries.

Copies layers and manifests in parallel. skopeo takes over what is unusual or fails here.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from itertools import chain, repeat
from pathlib import Path

from . import waits
from .log import one_line, say
from .manifest import BLOBS, LARGEST_NUMBER, MANIFEST_BYTES, Manifest, NotMovedError
from .orders import Order
from .previous import KEPT, leave
from .pulls import Pulls
from .reference import SHA256, Image, target_path
from .registry import TARGET, Repository
from .settings import Settings
from .skopeo import TROUBLE, skopeo
from .traffic import Traffic


@dataclass(frozen=True)
class Result:
    """What became of one image. `state` is the state of its commit status."""

    image: Image
    state: str
    text: str
    seconds: float = 0.0
    waited: float = 0.0  # part of `seconds`, spent waiting for pulls
    ground: str = ""  # of the decision to copy it
    more: str = ""  # about the ground
    note: str = ""  # what was done in another way than the image's name says
    previous: str = ""  # what became of the digest that was overwritten, where it was to be kept


class Copying:
    """The copy of one image."""

    def __init__(
        self,
        order: Order,
        settings: Settings,
        folder: Path,
        traffic: Traffic,
        tell: Callable[[str], object],
        *,
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        """`folder` holds skopeo's logins. `tell` gets the reason when the image has to wait.

        `ready` returns when the target may be asked. It raises LoginError when it may not.
        """
        self.order, self.image, self.folder = order, order.wanted, folder
        self.traffic, self.tell, self.ready = traffic, tell, ready
        self.patience, self.waited, self.spent = settings.patience, 0.0, 0.0
        self.read: dict[str, Manifest] = {}
        self.previous = ""  # what became of the digest that the tag had
        self.source = Repository(settings, self.image.registry, self.image.path)
        path = target_path(self.image, settings.prefix, settings.naming)
        self.target = Repository(settings, settings.host, path, TARGET)

    def result(self) -> Result:
        """Try until the target has it, the error is permanent, or patience or time is used up."""
        left, began = self.patience, time.monotonic()
        for pause in waits.TRY_PAUSES:
            done = self.attempt()
            left -= pause
            own = time.monotonic() - began - self.waited
            late = own + pause > waits.COPY_SECONDS or waits.run_is_over()
            if done.state != "error" or done.text.startswith("skopeo:") or left < 0 or late:
                return done
            say(f"again in {pause} s: {self.image}: {done.text}")
            time.sleep(pause)
        return self.attempt()

    def attempt(self) -> Result:
        """Copy it with all its platforms, unless the target has the same digest."""
        alone = self.order.alone if self.order.alone and not self.tag_has_the_digest() else None
        order = alone or self.order
        self.image = order.wanted
        found = self.ended("failure", order.refusal) if order.refusal else self.compare()
        done = found if isinstance(found, Result) else self.moved(*found)
        note = f"by digest alone: {self.order.image.tag} has another" if alone else ""
        return replace(
            done, ground=order.ground, more=order.more, note=note, previous=self.previous
        )

    def ended(self, state: str, text: str) -> Result:
        """Return a result under the name that the image has in the list or the dispatch."""
        return Result(self.order.image, state, text)

    def tag_has_the_digest(self) -> bool:
        """Return whether the digest of a line with tag and digest may go under its tag.

        The source's tag has to name it. A version at the target must not be overwritten.
        """
        image = self.order.wanted
        if self.source.digest(image.tag) != image.digest:
            return False
        self.ready()
        return not self.order.keeps or self.target.digest(image.tag) in ("", image.digest)

    def compare(self) -> "Result | tuple[str | None, int]":
        """Ask both sides. Return a result, or the digest to copy and the pulls set aside for it."""
        image, source = self.image, self.source
        name = image.tag or image.digest
        asked = self.traffic.asking(self.target.host).submit(self.held, name)
        shown = source.digest(name if not image.digest else image.digest)  # also for the pulls left
        wanted, held = image.digest or shown, asked.result()
        if wanted and wanted == held:
            return self.ended("success", f"{wanted} skipped")  # no size: it would cost a GET
        if self.order.keeps and held != "":
            return self.kept(wanted, held)
        pulls = 0 if wanted == "" else self.pulls_set_aside()
        if pulls is None:
            return self.ended("error", self.short_of_pulls())
        return wanted, pulls

    def held(self, name: str) -> str | None:
        """Ask the target what it holds, as soon as it takes the login."""
        self.ready()
        return self.target.digest(name)

    def kept(self, wanted: str | None, held: str | None) -> Result:
        """Leave the version that the target holds. None for it: the target does not say."""
        if held and wanted:
            return self.ended("success", "kept: the target's version differs from its source")
        if held:
            return self.ended("success", "kept: the source does not show which digest it has")
        if (
            self.target.last.status == HTTPStatus.PRECONDITION_FAILED
        ):  # Harbor hides what is not scanned
            return self.ended("success", "kept: the target does not show which digest it has")
        words = self.target.last.words
        return self.ended("error", f"target: does not say whether it has this version ({words})")

    def moved(self, wanted: str | None, pulls: int) -> Result:
        """Copy it, and check what arrived."""
        image, target = self.image, self.target
        try:
            copied, trouble, size = self.copied(wanted)
        finally:
            self.traffic.used(self.source.host, pulls)
        if trouble and TROUBLE.search(trouble):
            return self.ended("error", trouble)
        if trouble:
            return self.ended("failure", self.gone() or trouble)
        held = target.digest(image.tag or image.digest)
        if not copied or held not in (copied, None):  # None: Harbor hides what is not scanned yet
            text = f"mismatch: copied {copied or 'nothing'}, target holds {held or 'nothing'}"
            return self.ended("failure", one_line(text))
        size = size or self.size(copied)
        known = f" {size}" if 0 < size <= LARGEST_NUMBER else ""
        return self.ended("success", f"{copied}{known} copied")

    def gone(self) -> str:
        """Return the line by which the bot recognises that the source lost a decided digest."""
        lost = self.order.sealed and self.source.digest(self.image.digest) == ""
        return one_line(f"source: the decided digest is gone: {self.image.digest}") if lost else ""

    def copied(self, wanted: str | None) -> tuple[str, str, int]:
        """Return the digest that was copied, the reason if it failed, and the bytes if known."""
        if wanted:
            try:
                return wanted, "", self.carried(wanted)
            except Exception as why:  # noqa: BLE001 - skopeo may succeed where this failed
                words = str(why) if isinstance(why, NotMovedError) else type(why).__name__
                say(f"note: skopeo takes over {self.image}: {words}")
        with self.traffic.copies:
            self.leave_previous(wanted or "")
            return *self.copy_by_skopeo(), 0

    def carried(self, wanted: str) -> int:
        """Copy it without skopeo, in two tries. The second reuses what the first one did."""
        if self.target.trouble:  # do not spend pulls on manifests in vain
            raise NotMovedError(f"{self.target.host} is in trouble")
        pause = waits.TRY_PAUSES[0]
        try:
            return self.carried_once(wanted)
        except NotMovedError as why:
            if not why.passing or pause > self.patience:
                raise
            say(f"again in {pause} s: {self.image}: {why}")
            time.sleep(pause)
            return self.carried_once(wanted)

    def carried_once(self, wanted: str) -> int:
        """Copy the layers, then the manifests of the platforms, then the index. Return bytes."""
        top, children, blobs = self.manifests(self.source, wanted)
        self.traffic.copy_blobs(blobs, self.source, self.target)
        asking = self.traffic.asking(self.target.host)
        list(asking.map(self.target.put, children, children.values()))
        self.leave_previous(wanted)
        self.target.put(self.image.tag or self.image.digest, top)
        return sum(blobs.values())

    def leave_previous(self, new: str) -> None:
        """Leave what the tag has at the target under another tag, where the order says so."""
        if self.order.previous and self.image.tag and not self.previous.startswith(KEPT):
            self.previous = leave(self.target, self.image.tag, self.order.previous, new)

    def manifests(
        self, side: Repository, digest: str
    ) -> tuple[Manifest, dict[str, Manifest], dict[str, int]]:
        """Return a manifest, its children by digest, and the bytes of all blobs by digest.

        Each manifest is read once, since a digest names one content. Raises NotMovedError.
        """

        def read(digest: str) -> Manifest:
            if digest not in self.read:
                self.read[digest] = side.fetch(digest)
            return self.read[digest]

        if not SHA256.fullmatch(digest):
            raise NotMovedError("its digest is not of SHA-256")
        top = read(digest)
        asking = self.traffic.asking(side.host)
        children = dict(zip(top.children, asking.map(read, top.children), strict=True))
        every = (top, *children.values())
        blobs = dict(chain.from_iterable(each.blobs.items() for each in every))
        nested = any(each.children for each in children.values())
        large = sum(len(each.body) for each in every) > MANIFEST_BYTES
        if nested or large or len(blobs) > BLOBS:
            raise NotMovedError("its manifests are not everyday ones")
        return top, children, blobs

    def size(self, copied: str) -> int:
        """Return the bytes from the target, where a GET costs no pull. 0 when unknown."""
        try:
            return sum(self.manifests(self.target, copied)[2].values())
        except NotMovedError:
            return 0

    def pulls_set_aside(self) -> int | None:
        """Wait for enough pulls. 0 when none are counted, None when the run's time is up."""
        began = time.monotonic()
        pauses = chain(waits.PULL_PAUSES, repeat(waits.PULL_PAUSES[-1]))
        while pulls := self.source.pulls:
            late = waits.run_is_over()
            need = 1 if late else pulls.need  # at the end, try with any pull
            if self.traffic.promise(self.source.host, need, pulls):
                break
            if late:
                return None
            pause = next(pauses)
            self.tell(f"{self.short_of_pulls()}, asks again in {pause} s")
            time.sleep(pause)
            self.source.digest(self.image.digest or self.image.tag)
            self.source.pulls = self.source.pulls or pulls  # a failed answer has no pull headers
            self.waited = time.monotonic() - began
        return need if pulls else 0

    def short_of_pulls(self) -> str:
        """Return the line by which the bot recognises a pull limit."""
        pulls = self.source.pulls or Pulls(0, 0, 0)
        waited = f", waited {self.waited / 60:.0f} min" if self.waited else ""
        text = f"source: too many requests: {pulls.left} of {pulls.limit} pulls left"
        return f"{text} at {self.image.registry}{waited}"

    def copy_by_skopeo(self) -> tuple[str, str]:
        """Return the digest that was copied and the reason if it failed. One of them is empty."""
        image, began = self.image, time.monotonic()
        taken = f"@{image.digest}" if image.digest else f":{image.tag}"  # skopeo refuses both
        given = f":{image.tag}" if image.tag else f"@{image.digest}"
        with tempfile.TemporaryDirectory(dir=self.folder) as own:  # a failure leaves an old file
            digest = Path(own) / "digest"
            options = ["--all", "--preserve-digests", "--quiet", "--retry-times=3"]
            options += [f"--digestfile={digest}"]
            options += self.source.tls("src-tls-verify") + self.target.tls("dest-tls-verify")
            places = (f"docker://{self.source.name}{taken}", f"docker://{self.target.name}{given}")
            left = min(waits.COPY_SECONDS - self.spent, waits.LAYER_SECONDS - waits.elapsed())
            seconds = max(1, int(left))
            trouble = skopeo(self.folder, "copy", *options, *places, seconds=seconds)
            self.spent += time.monotonic() - began
            return (digest.read_text().strip() if digest.exists() else ""), trouble
