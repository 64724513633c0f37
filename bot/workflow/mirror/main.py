"""One run: reads which images to mirror, copies them, reports each, and writes the summary.

Where it was asked to look only, looking.py does that.
"""

import os
import signal
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from . import ending, looking
from .certificates import trust
from .copying import Copying, Result, sides
from .github import Asked, asked_for, listed, post, summarise, told
from .log import one_line, say
from .login import LoginError, prove_login
from .orders import Order, Orders
from .policy import Policy
from .previous import ending_of
from .reference import Image
from .referrers import TAG
from .settings import Settings
from .traffic import IMAGES_AT_A_TIME, LAYERS_AT_A_TIME, Traffic

SIGNALS = signal.SIGINT, signal.SIGTERM
T = TypeVar("T")
SIGNAL_SECONDS = 1  # within which a signal is noticed
THREADS = 1024  # for images, of all sources together


def log_line(result: Result) -> str:
    """Return one line of the log about an image."""
    if result.state != "success":
        return f"{result.state} {result.image}: {result.text}"
    waited = f", {result.waited:.0f} s of them waiting for pulls" if result.waited else ""
    more = told(result.ground, result.more, result.note, *result.beside)
    took = f"{result.seconds:.1f} s{waited}, {more}"
    if result.text.startswith("kept: "):
        return f"kept {result.image}: {result.text[6:]}, {took}"
    digest, *size, done = result.text.split()
    shown = f" {int(size[0]) / 1e6:.1f} MB" if size else ""
    return f"{done} {result.image} {digest[:19]}…{shown} {took}"


@dataclass(frozen=True)
class Run:
    """What all images of a run share. Without settings, `trouble` says why."""

    env: Mapping[str, str]
    folder: Path  # for what must not outlive the run
    whole: bool
    settings: Settings | None
    trouble: str
    traffic: Traffic
    login: "Future[None]"  # ends when the target took the login
    listed: frozenset[Image]  # whose tags are written by nothing else

    def handle(self, order: Order) -> tuple[Result, bool]:
        """Mirror one image, log it and post its status. Its errors do not stop the others.

        Returns the result, and whether its status was posted where one is due.
        """
        began, waited, image = time.monotonic(), 0.0, order.image
        try:
            done = Result(image, "error", self.trouble)
            if self.settings:
                tell = partial(self.tell, image, [])
                ready = self.login.result
                copying = Copying(
                    order, self.settings, self.folder, self.traffic, tell, ready=ready
                )
                done, waited = copying.result(), copying.waited
                if self.attaches(done):
                    done = replace(done, attached=copying.attached(done, self.listed))
        except LoginError as why:
            done = Result(image, "error", str(why))
        except Exception as unforeseen:  # noqa: BLE001 - one image must not stop the rest
            done = Result(image, "error", f"workflow: {type(unforeseen).__name__}")
        if ending.stopped():  # what failed by that is no result
            return done, False
        done = replace(done, seconds=time.monotonic() - began, waited=waited)
        say(log_line(done))
        if not self.whole:
            return done, post(self.env, done)
        if self.settings and not done.text.endswith(" skipped") and done.text[:5] != "kept:":
            post(self.env, done, ())  # once: GitHub takes 500 an hour, nobody waits for these
        return done, True

    def attaches(self, done: Result) -> bool:
        """Return whether to look for signatures: not for all images of a whole list."""
        looked_at = done.state == "success" and not done.text.startswith("kept: ")
        idle = self.whole and done.text.endswith(" skipped")
        return bool(looked_at and not idle and self.settings and self.settings.attaches)

    def tell(self, image: Image, told: list[str], text: str) -> None:
        """Log that an image waits, and post it the first time."""
        say(f"waiting {image}: {text}")
        if not (told or self.whole):
            post(self.env, Result(image, "pending", one_line(text)), ())
        told.append(text)


def orders_of(env: Mapping[str, str], asked: Asked) -> Orders:
    """Return the maker of orders, with the policy of the repository."""
    policy: Policy | str
    previous = ""
    try:
        policy = Policy.read(env.get("POLICY", ""))
        previous = ending_of(time.time()) if policy.keep else ""
    except ValueError as why:
        policy = str(why)
    actor = env.get("GITHUB_TRIGGERING_ACTOR", "") or env.get("GITHUB_ACTOR", "")
    return Orders.by(asked.blocks, policy, actor, whole=asked.whole, previous=previous)


def proved(settings: Settings | None) -> None:
    """Prove the login at the target, while the first images already ask their sources."""
    try:
        if settings:
            prove_login(settings)
    except LoginError as why:
        say(f"error {why}")
        raise


def awaited(job: "Future[T]") -> T:
    """Wait for a job. A signal that reached another thread is noticed here, at the next turn."""
    while not wait([job], SIGNAL_SECONDS).done:
        pass
    return job.result()


def handled(run: Run, orders: Orders, images: Sequence[Image]) -> list[tuple[Result, bool]]:
    """Mirror the images. Each source has its own threads, so that no image waits for another's."""
    sources = dict.fromkeys(image.registry for image in images)
    most = min(IMAGES_AT_A_TIME, max(1, THREADS // max(1, len(sources))))
    pools = {source: ThreadPoolExecutor(most) for source in sources}
    jobs = [pools[image.registry].submit(run.handle, orders.order(image)) for image in images]
    try:
        return [awaited(job) for job in jobs]
    finally:
        for pool in pools.values():
            pool.shutdown(wait=False, cancel_futures=True)  # after a signal, nobody waits for them


def carried_out(env: Mapping[str, str], folder: Path) -> int:
    """Do the run. `folder` is for certificates and for skopeo's logins.

    Returns 1 when an image failed or is not reported.
    """
    trust(env.get("CA_BUNDLE", ""), folder)
    asked = asked_for(env)
    if asked.looks:
        return looking.carried_out(env, asked.looks, *settings_of(env))
    parsed = {line: Image.parse(line) for line in asked.lines}
    images = list(dict.fromkeys(image for image in parsed.values() if image))
    bad = [line for line, image in parsed.items() if not image]
    for line in bad:
        say(f"invalid {one_line(line)!r}: not an image reference")
    say(f"{len(images)} to mirror to {env.get('HARBOR_HOST', '')}")
    settings, trouble = settings_of(env) if images else (None, "")
    if settings:
        for image in {(image.registry, image.path): image for image in images}.values():
            sides(settings, image)  # few tokens cover all repositories
    wish = env.get("PARALLEL", "").strip()
    traffic = Traffic(int(wish) or LAYERS_AT_A_TIME if wish.isdecimal() else LAYERS_AT_A_TIME)
    login = ThreadPoolExecutor(1).submit(proved, settings)
    kept = listed_like_attachments(env, images)
    run = Run(env, folder, asked.whole, settings, trouble, traffic, login, kept)
    ended = handled(run, orders_of(env, asked), images)
    summarise(env, [result for result, _ in ended], bad)
    good = sum(result.state == "success" for result, _ in ended)
    say(f"{good} of {len(parsed)} in the target")
    return 0 if not bad and good == len(images) and all(p for _, p in ended) else 1


def listed_like_attachments(env: Mapping[str, str], images: Sequence[Image]) -> frozenset[Image]:
    """Return the images of the list and of the run whose tags look like those of signatures."""
    found = (Image.parse(line) for line in listed(env) if "-" in line and ":sha" in line)
    every = (*images, *filter(None, found))
    return frozenset(image for image in every if TAG.fullmatch(image.tag))


def settings_of(env: Mapping[str, str]) -> tuple[Settings | None, str]:
    """Return the settings, or why there are none."""
    try:
        settings = Settings.read(env)
    except ValueError as told:
        say(f"error {told}")
        return None, str(told)
    for key in settings.wrong:
        say(f"warning: MIRROR_SOURCE_AUTH: the entry of {one_line(key)!r} is no login")
    return settings, ""


def ignore_signals() -> None:
    """Let nothing disturb the end of the run."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)


def stop(_number: int, _frame: object) -> None:
    """End the run by the first signal of the runner, which sends more of them later."""
    ignore_signals()
    raise KeyboardInterrupt


def main() -> int:
    """Do the run. A signal ends it within seconds. Then no login, child or upload stays."""
    for each in SIGNALS:
        signal.signal(each, stop)
    try:
        # The runner empties RUNNER_TEMP after each job, but not /tmp.
        with tempfile.TemporaryDirectory(
            dir=os.environ.get("RUNNER_TEMP") or None, ignore_cleanup_errors=True
        ) as name:
            try:
                return carried_out(os.environ, Path(name))
            finally:
                ignore_signals()
                ending.kill_children()  # before the folder is removed: they may write into it
    except KeyboardInterrupt:
        ending.cancel_uploads()
        say("stopped by a signal")
        os._exit(130)  # the threads may wait for a registry for minutes
