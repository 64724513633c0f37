"""The `policy diff` command: what other rules would have said of the list and of a year's requests.

By the rules alone: what persons decided before is left out. Nothing is changed anywhere.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bot.adapters.store.past import images_asked_for_since
from bot.clients import make_repository
from bot.config import Secrets, Settings
from bot.config_types import written_wait
from bot.core.approvals import Approvals
from bot.core.decision import Verdict
from bot.core.image import ImageRef
from bot.core.image_list import listed_images
from bot.core.policy import Policy, Ruling
from bot.policy_report import of_signed

PAST: Final = timedelta(days=365)
NAMED: Final = 20
"""Images that are named for each change, without --all."""


async def compare(
    settings: Settings,
    secrets: Secrets,
    new: Settings,
    say: Callable[[str], None],
    *,
    everything: bool,
) -> bool:
    """Tell what would change, by counts and names. Whether anything would.

    Raises TransientError and RefusedError of GitHub, and TransientError of the database.
    """
    repository = make_repository(settings, secrets)
    try:
        content = (await repository.read_list()).content
    finally:
        repository.close()
    listed = dict.fromkeys(listed_images(content), 1)
    asked = await asyncio.to_thread(_asked, Path(settings.database))
    rules = settings.policy_in_force(), new.policy_in_force()
    named = None if everything else NAMED
    lines = changes("image.list", listed, *rules, named=named)
    lines += changes(f"asked for in {PAST.days} days", asked, *rules, named=named)
    for line in lines:
        say(line)
    return any(decided_otherwise(*rules, {*listed, *asked}))


def _asked(database: Path) -> dict[ImageRef, int]:
    since = datetime.now(UTC) - PAST
    rows = images_asked_for_since(database, since)
    return {ImageRef.parse(row["image"]): row["requests"] for row in rows}


def changes(
    what: str, images: Mapping[ImageRef, int], old: Policy, new: Policy, *, named: int | None
) -> list[str]:
    """A line with counts, and for each kind of change one with its images below it.

    `images` have the number of their requests. `named`: the most images that are named for one
    change, those with the most requests first. None names all.
    """
    found: dict[str, list[ImageRef]] = {}
    for image in images:
        for change in decided_otherwise(old, new, [image]):
            found.setdefault(change, []).append(image)
    same = len(images) - sum(map(len, found.values()))
    lines = [f"{what}: {len(images)} images, {same} as before"]
    for change, of in sorted(found.items(), key=lambda pair: -len(pair[1])):
        lines.append(f"  {change}: {len(of)}")
        of.sort(key=lambda image: (-images[image], str(image)))
        lines += [f"    {image}" for image in of[:named]]
        if len(of[:named]) < len(of):
            lines.append(f"    … and {len(of) - len(of[:named])} more, see --all")
    return lines


def decided_otherwise(old: Policy, new: Policy, images: Iterable[ImageRef]) -> Sequence[str]:
    """What changes for each of the images for which anything does, such as `ask -> approve`."""
    pairs = ((_said(of_signed(old, image)), _said(of_signed(new, image))) for image in images)
    return [f"{before} -> {after}" for before, after in pairs if before != after]


def _said(ruling: Ruling) -> str:
    """The verdict, who is asked where that is not one admin, and what the digest has to meet."""
    words = _needs(ruling.needs) if ruling.verdict is Verdict.ASK else []
    words += [f"signed by {ruling.signer.name}"] if ruling.signer is not None else []
    words += [f"known for {written_wait(ruling.wait)}"] if ruling.wait else []
    return f"{ruling.verdict} ({', '.join(words)})" if words else str(ruling.verdict)


def _needs(needs: Approvals) -> list[str]:
    words = [f"{needs.count} approvals"] if needs.count > 1 else []
    words += ["not by who asks alone"] if not needs.own else []
    words += [f"by {' or '.join(sorted(needs.by))}"] if needs.by is not None else []
    return words
