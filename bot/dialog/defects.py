"""What the maintainer hears of defects: in private with all that is known, in a group without."""

from collections.abc import Iterable, Iterator

from bot.core.defect import Defect
from bot.dialog.message import Message, Moment, Phrase, say, size


def defects(found: Iterable[Defect], *, private: bool) -> Message:
    """`private`: only the maintainer reads it."""
    lines = [] if private else [say("defects-call")]
    for each in found:
        lines.append(say(f"defect-{each.kind}", where=each.where))
        lines += _details(each) if private else ()
    return Message(tuple(lines))


def _details(of: Defect) -> Iterator[Phrase]:
    if of.until is not None:
        yield say("defect-until", time=Moment(of.until))
    if of.quota:
        yield say("defect-used", used=size(of.used), quota=size(of.quota))
    if of.line:
        yield say("defect-line", line=of.line)
    if of.url:
        yield say("defect-run", url=of.url)
