"""Which images of image.list were updated upstream since they were copied: /outdated.

Pure: digests go in, a message comes out. A version is not meant to be updated, so it is listed
separately and has no button that copies it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bot.core.fresh import TrackedImage
from bot.core.ids import PersonId
from bot.core.image import ImageRef
from bot.core.tag_class import is_version
from bot.dialog.image_names import name_list, short_digest, short_name
from bot.dialog.mention import mention
from bot.dialog.message import Button, Message, Phrase, say
from bot.dialog.questions import containing, mirror_button, none_listed

IMAGES_COMPARED: Final = 200
"""How many images are compared for one question."""
OUTDATED_SHOWN: Final = 20
UPDATE_BUTTONS: Final = 8
PEOPLE_MENTIONED: Final = 10
NOBODY: Final[Mapping[PersonId, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Compared:
    """Digests at both sides. Empty where there is no such image, None where it is not known.

    `floating` are patterns of tags that float besides those that tag_class knows. `cut_off`: the
    bot does not reach the source, and a run looks at single images alone.
    """

    image: ImageRef
    source: str | None = None
    target: str | None = None
    floating: tuple[str, ...] = ()
    cut_off: bool = False

    @property
    def differs(self) -> bool:
        return bool(self.source) and self.target is not None and self.source != self.target

    @property
    def unknown(self) -> bool:
        return self.source is None or self.target is None

    @property
    def gone(self) -> bool:
        return self.source == ""

    @property
    def version_differs(self) -> bool:
        """Whether it is a version whose target differs from its source."""
        is_of_version = is_version(self.image.tag or "", self.floating)
        return self.differs and bool(self.target) and is_of_version


def comparable(entries: Iterable[ImageRef], text: str) -> tuple[list[ImageRef], int]:
    """Images that contain `text` and can be updated, and how many cannot: those with a digest."""
    found = containing(dict.fromkeys(entries), text)
    moving = [entry for entry in found if not entry.digest]
    return moving, len(found) - len(moving)


def outdated(compared: Sequence[Compared], *, text: str, listed: int, fixed: int) -> Message:
    """The images that differ, the worst first.

    `listed` is how many can be updated, `fixed` how many cannot.
    """
    if not listed:
        return Message((say("outdated-fixed", count=fixed),)) if fixed else none_listed(text)
    differing = sorted(
        (each for each in compared if each.differs), key=lambda each: not each.version_differs
    )
    same = sum(each.source == each.target != "" for each in compared if not each.unknown)
    lines = [
        say("outdated-head", count=len(differing))
        if differing
        else say("outdated-none", count=same)
    ]
    lines += [_line(each) for each in differing[:OUTDATED_SHOWN]]
    if len(differing) > OUTDATED_SHOWN:
        lines.append(say("outdated-more", count=len(differing) - OUTDATED_SHOWN))
    lines += _notes(compared, listed)
    return Message(tuple(lines), _buttons(differing))


def _line(each: Compared) -> Phrase:
    if not each.target:
        return say("outdated-new", image=str(each.image))
    key = "outdated-version" if each.version_differs else "outdated-line"
    old, new = short_digest(each.target), short_digest(str(each.source))
    return say(key, image=str(each.image), old=old, new=new)


def _notes(compared: Sequence[Compared], listed: int) -> list[Phrase]:
    counts = {
        "outdated-vanished": sum(each.gone for each in compared),
        "outdated-untold": sum(each.unknown and not each.cut_off for each in compared),
        "outdated-cut-off": sum(each.cut_off for each in compared),
    }
    notes = [say(key, count=count) for key, count in counts.items() if count]
    if listed > len(compared):
        notes.append(say("outdated-cut", count=len(compared), listed=listed))
    return notes


def _buttons(differing: Sequence[Compared]) -> tuple[tuple[Button, ...], ...]:
    offered = [each.image for each in differing[:OUTDATED_SHOWN] if not each.version_differs]
    rows = [
        row
        for image in offered
        for row in mirror_button(image, say("button-update", image=short_name(image)))
    ]
    return tuple(rows[:UPDATE_BUTTONS])


def updated_upstream(
    arrived: Sequence[TrackedImage], names: Mapping[PersonId, str] = NOBODY
) -> Message:
    """The old and the new digest of each image whose update has arrived.

    `names` are those of the people to mention.
    """
    lines = [say("news-head", count=len(arrived))]
    lines += [
        say(
            "outdated-line",
            image=str(each.image),
            old=short_digest(each.told),
            new=short_digest(each.target),
        )
        for each in arrived[:OUTDATED_SHOWN]
    ]
    if len(arrived) > OUTDATED_SHOWN:
        lines.append(say("outdated-more", count=len(arrived) - OUTDATED_SHOWN))
    if names:
        lines.append(say("news-for", people=mentioned(names)))
    return Message(tuple(lines))


def arrived_after_alarm(arrived: Sequence[TrackedImage], names: Mapping[PersonId, str]) -> Message:
    """For those who watch what an alarm in the same chat has told of. They are mentioned."""
    images = name_list([str(each.image) for each in arrived])
    return Message((say("news-alarm", people=mentioned(names), images=images),))


def mentioned(names: Mapping[PersonId, str]) -> Phrase:
    people = [mention(person, name) for person, name in names.items()]
    return name_list(people, most=PEOPLE_MENTIONED)
