"""Copies one image from its source to the target, with retries.

`content` brings what the target lacks. skopeo takes over what is out of the ordinary.
"""

import tempfile
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from http import HTTPStatus
from itertools import chain, repeat
from pathlib import Path

from . import waits
from .attachments import Attachments
from .content import Content
from .log import one_line, say
from .login import write_logins
from .manifest import LARGEST_NUMBER, Manifest, NotMovedError, OddError
from .orders import Order
from .previous import KEPT, leave
from .pulls import Pulls
from .reference import Image, target_path
from .registry import TARGET, Repository
from .settings import Settings
from .skopeo import TROUBLE, skopeo
from .traffic import Traffic

PUT_OFF = ", put off"  # by these words the bot knows that it gets the image back


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
    attached: str = ""  # what became of signatures and the like

    @property
    def beside(self) -> tuple[str, ...]:
        """Return what the bot reads too. The order is that of bot/adapters/github/fields.py."""
        return self.previous, self.attached


def sides(settings: Settings, image: Image) -> tuple[Repository, Repository]:
    """Return where an image comes from and goes to. Their hosts' next tokens cover them."""
    path = target_path(image, settings.prefix, settings.naming)
    source = Repository(settings, image.registry, image.path)
    return source, Repository(settings, settings.host, path, TARGET)


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
        """`folder` is for what skopeo needs. `tell` gets the reason when the image has to wait.

        `ready` returns when the target may be asked. It raises LoginError when it may not.
        """
        self.order, self.image, self.folder = order, order.wanted, folder
        self.traffic, self.tell, self.ready, self.settings = traffic, tell, ready, settings
        self.patience, self.waited, self.spent = settings.patience, 0.0, 0.0
        self.set_aside = 0  # pulls
        self.had = ""  # the digest that the target had before
        self.previous = ""  # what became of the digest that the tag had
        self.source, self.target = sides(settings, self.image)
        self.content = Content(traffic, self.source, self.target)

    def result(self) -> Result:
        """Try until the target has it, the error is permanent, or patience or time is used up."""
        left, began = self.patience, time.monotonic()
        for pause in waits.TRY_PAUSES:
            done = self.attempt()
            left -= pause
            own = time.monotonic() - began - self.waited
            late = own + pause > waits.COPY_SECONDS or waits.run_is_over()
            ended = done.text.startswith("skopeo:") or done.text.endswith(PUT_OFF)
            if done.state != "error" or ended or left < 0 or late:
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
        done = found if isinstance(found, Result) else self.moved(found)
        note = f"by digest alone: {self.order.image.tag} has another" if alone else ""
        return replace(
            done, ground=order.ground, more=order.more, note=note, previous=self.previous
        )

    def attached(self, done: Result, listed: Collection[Image]) -> str:
        """Carry along what belongs to the digest of a result. Returns words for its status.

        `listed` are the images of the list, whose tags are not written by the way.
        """
        digest, source = done.text.split()[0], (self.image.registry, self.image.path)
        tags = frozenset(each.tag for each in listed if (each.registry, each.path) == source)
        attachments = Attachments(self.traffic, self.source, self.target, tags)
        parts = self.content.parts
        return attachments.carry(digest, lambda: [each.manifest for each in parts(digest).values()])

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

    def compare(self) -> "Result | str | None":
        """Ask both sides. Return a result, or the digest to copy, None where HEAD tells none."""
        image, source = self.image, self.source
        name = image.tag or image.digest
        asked = self.traffic.asking(self.target.host).submit(self.held, name)
        shown = source.digest(image.digest or name)  # of a digest, for the pulls that are left
        wanted, held = image.digest or shown, asked.result()
        if held is None and name == wanted and self.hidden():
            held = wanted
        self.had = held or ""
        if wanted and wanted == held:
            return self.ended("success", f"{wanted} skipped")  # no size: it would cost a GET
        if self.order.keeps and held != "":
            return self.kept(wanted, held)
        return wanted or None

    def hidden(self) -> bool:
        """Return whether the target has what it was asked for: Harbor hides what is not scanned."""
        return self.target.last.status == HTTPStatus.PRECONDITION_FAILED

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
        if self.hidden():
            return self.ended("success", "kept: the target does not show which digest it has")
        words = self.target.last.words
        return self.ended("error", f"target: does not say whether it has this version ({words})")

    def moved(self, wanted: str | None) -> Result:
        """Copy it, and check what arrived."""
        try:
            copied, size = self.copied(wanted)
        except NotMovedError as why:
            trouble = one_line(str(why))
            return self.ended("error", trouble) if why.passing else self.refused(trouble)
        if copied == self.had:
            return self.ended("success", f"{copied} skipped")
        held = self.target.digest(self.image.tag or self.image.digest)
        if not copied or held not in (copied, None):  # None: Harbor hides what is not scanned yet
            text = f"mismatch: copied {copied or 'nothing'}, target holds {held or 'nothing'}"
            return self.ended("failure", one_line(text))
        known = f" {size}" if 0 < size <= LARGEST_NUMBER else ""
        return self.ended("success", f"{copied}{known} copied")

    def refused(self, trouble: str) -> Result:
        """Return what will not pass. The bot recognises that the source lost a decided digest."""
        lost = trouble.startswith("source: ") and self.order.sealed
        if lost and self.source.digest(self.image.digest) == "":
            trouble = one_line(f"source: the decided digest is gone: {self.image.digest}")
        return self.ended("failure", trouble)

    def copied(self, wanted: str | None) -> tuple[str, int]:
        """Return the digest that was copied, and its bytes if known. Raises NotMovedError."""
        try:
            return self.carried(wanted)
        except OddError as why:
            words = str(why)
        except NotMovedError:
            raise
        except Exception as unforeseen:  # noqa: BLE001 - skopeo may succeed where this failed
            words = type(unforeseen).__name__
        finally:
            self.traffic.used(self.source.host, self.set_aside)
            self.set_aside = 0
        say(f"note: skopeo takes over {self.image}: {words}")
        with self.traffic.by_skopeo(self.source.host):
            self.leave_previous(wanted or "")
            copied, trouble = self.copy_by_skopeo()
        if trouble:
            raise NotMovedError(trouble, passing=bool(TROUBLE.search(trouble)))
        return copied, self.size(copied)

    def carried(self, wanted: str | None) -> tuple[str, int]:
        """Copy it without skopeo: what is below it first. Returns its digest and bytes."""
        if wanted is None:  # some registries answer HEAD without a digest, or not at all
            self.permit()
            wanted, manifest = self.source.tagged(self.image.tag)
            self.content.known(wanted, manifest)
            if wanted == self.had:
                return wanted, 0
        top = self.content.top(wanted, self.permit)
        try:
            return wanted, self.stored(wanted, top.manifest)
        except NotMovedError as why:
            if "blob unknown" not in str(why):
                raise
        self.content.forget_stored()  # the target has not what it said that it had
        return wanted, self.stored(wanted, top.manifest)

    def stored(self, digest: str, manifest: Manifest) -> int:
        """Store all that is below a manifest, and then itself. Returns the bytes of all."""
        size = self.content.copy(digest)
        self.leave_previous(digest)
        with self.traffic.storing(self.target.name):
            self.target.put(self.image.tag or self.image.digest, manifest)
        return size

    def leave_previous(self, new: str) -> None:
        """Leave what the tag has at the target under another tag, where the order says so."""
        if self.order.previous and self.image.tag and not self.previous.startswith(KEPT):
            self.previous = leave(self.target, self.image.tag, self.order.previous, new)

    def size(self, copied: str) -> int:
        """Return the bytes of what skopeo copied, from the target, which counts no pulls, or 0."""
        try:
            return Content(self.traffic, self.target, self.target).size(copied)
        except NotMovedError:
            return 0

    def permit(self) -> None:
        """Wait for enough pulls, and set them aside. Raises NotMovedError where that takes long.

        The bot asks for what it decided on again later. Anything else waits until the run ends.
        """
        began = time.monotonic()
        pauses = chain(waits.PULL_PAUSES, repeat(waits.PULL_PAUSES[-1]))
        while pulls := self.source.pulls:
            late = waits.run_is_over()
            need = 1 if late else pulls.need  # at the end, try with any pull
            if self.traffic.promise(self.source.host, need, pulls):
                self.set_aside = need
                return
            if late:
                raise NotMovedError(self.short_of_pulls(), passing=True)
            pause = next(pauses)
            if self.order.sealed and self.waited + pause > waits.PUT_OFF_SECONDS:
                raise NotMovedError(f"{self.short_of_pulls()}{PUT_OFF}", passing=True)
            self.tell(f"{self.short_of_pulls()}, asks again in {pause} s")
            time.sleep(pause)
            self.source.digest(self.image.digest or self.image.tag)
            self.source.pulls = self.source.pulls or pulls  # a failed answer has no pull headers
            self.waited = time.monotonic() - began

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
            folder = Path(own)
            write_logins(self.settings, folder, self.source.name, self.target.name)
            digest = folder / "digest"
            options = ["--all", "--preserve-digests", "--quiet", "--retry-times=3"]
            options += [f"--digestfile={digest}"]
            options += self.source.tls("src-tls-verify") + self.target.tls("dest-tls-verify")
            places = (f"docker://{self.source.name}{taken}", f"docker://{self.target.name}{given}")
            left = min(waits.COPY_SECONDS - self.spent, waits.LAYER_SECONDS - waits.elapsed())
            seconds = max(1, int(left))
            trouble = skopeo(folder, "copy", *options, *places, seconds=seconds)
            self.spent += time.monotonic() - began
            return (digest.read_text().strip() if digest.exists() else ""), trouble
