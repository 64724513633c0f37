"""What people can ask for, as values: one class for each command, by what it needs to know.

commands.py parses them, and engine/intake carries them out. Buttons give some of them, too.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.core.bad_image import BadImage
from bot.core.decision import Ground
from bot.core.ids import RequestId
from bot.core.image import ImageRef
from bot.core.nodes import NodeTool
from bot.core.version_range import VersionRange


class CommandName(StrEnum):
    MIRROR = "mirror"
    STATUS = "status"
    LOOKUP = "lookup"
    LIST = "list"
    OUTDATED = "outdated"
    WATCH = "watch"
    UNWATCH = "unwatch"
    FOLLOW = "follow"
    UNFOLLOW = "unfollow"
    UNKEEP = "unkeep"
    WHY = "why"
    HISTORY = "history"
    ROLLBACK = "rollback"
    REMOVE = "remove"
    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    RETRY = "retry"
    HELP = "help"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    BLOCK = "block"
    UNBLOCK = "unblock"
    RELOAD = "reload"
    NOTIFY = "notify"
    NODES = "nodes"
    WHOAMI = "whoami"


@dataclass(frozen=True, slots=True)
class Mirror:
    """`text` as it was pasted. Empty where a file or the message replied to is meant."""

    text: str


@dataclass(frozen=True, slots=True)
class Confirm:
    """Confirm a draft with the images that are ticked."""

    request: RequestId


@dataclass(frozen=True, slots=True)
class Lookup:
    """`bad` are texts beside the images that name none."""

    images: tuple[ImageRef, ...]
    bad: tuple[BadImage, ...] = ()


@dataclass(frozen=True, slots=True)
class List:
    """A page of the lines of image.list that contain `text`. Pages count from 0."""

    text: str
    page: int = 0


@dataclass(frozen=True, slots=True)
class Unused:
    """Compare image.list with what clusters run. `text` is what the cluster `name` runs, or empty.

    Then a file, or the message replied to, is meant, or what was kept before.
    """

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Outdated:
    """The images of image.list that contain `text` and were updated upstream."""

    text: str


@dataclass(frozen=True, slots=True)
class BeginWatch:
    """Be told when images are updated upstream. Without images: list what the person watches."""

    images: tuple[ImageRef, ...] = ()
    bad: tuple[BadImage, ...] = ()


@dataclass(frozen=True, slots=True)
class EndWatch:
    images: tuple[ImageRef, ...]
    bad: tuple[BadImage, ...] = ()


@dataclass(frozen=True, slots=True)
class BeginFollow:
    """Tell this chat of newer versions. Without an image: list what it follows.

    The tag of the image does not count. `range` None: none was written, or one that is none.
    """

    image: ImageRef | None = None
    range: VersionRange | None = None


@dataclass(frozen=True, slots=True)
class EndFollow:
    """The same, no longer. Without a range: for all ranges of the image."""

    image: ImageRef
    range: VersionRange | None = None


@dataclass(frozen=True, slots=True)
class EndKeep:
    """Ask an admin again about later digests of the image's tag. None lists these tags."""

    image: ImageRef | None


@dataclass(frozen=True, slots=True)
class Why:
    """Who asked for the image, who decided on it, and what arrived."""

    image: ImageRef


@dataclass(frozen=True, slots=True)
class Rollback:
    """Ask admins to put the digest back that the image's tag had before."""

    image: ImageRef


@dataclass(frozen=True, slots=True)
class Nodes:
    """Send how the nodes of a cluster pull by the original names."""

    tool: NodeTool


@dataclass(frozen=True, slots=True)
class Remove:
    """Ask admins to take the image's line out of image.list."""

    image: ImageRef


@dataclass(frozen=True, slots=True)
class History:
    """The newest decisions, on everything or on what it is about."""

    about: RequestId | ImageRef | None


@dataclass(frozen=True, slots=True)
class Status:
    """`about` is what to show. None shows the request whose card it replies to, else the chat's."""

    about: RequestId | ImageRef | None


@dataclass(frozen=True, slots=True)
class Approve:
    """`version` is the key of what was shown, for services without buttons. `later` as a press.

    `reason` is why an image goes on before its time.
    """

    request: RequestId
    version: str = ""
    later: Ground | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """`version`: the first word of the reason, where it may be the key of what was shown."""

    request: RequestId
    reason: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Cancel:
    request: RequestId


@dataclass(frozen=True, slots=True)
class Retry:
    request: RequestId


@dataclass(frozen=True, slots=True)
class Replied:
    """One of the four without a number: it is a reply to a card or a result of the request."""

    name: CommandName
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """Hold all commits and dispatches."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """Deny the images of a normalised pattern."""

    pattern: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Resume:
    """Lift the pause."""


@dataclass(frozen=True, slots=True)
class Unblock:
    """Lift the block of this normalised pattern."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Notify:
    """Show what waits in private too, or end that."""

    wanted: bool


@dataclass(frozen=True, slots=True)
class Simple:
    """A command without arguments: help, start, whoami, reload."""

    name: CommandName


@dataclass(frozen=True, slots=True)
class Misuse:
    """A command of ours with wrong arguments."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A command that we do not have. `addressed`: it names this bot."""

    name: str
    addressed: bool


Looking = Lookup | List | Unused | Outdated | Remove
Watching = BeginWatch | EndWatch | BeginFollow | EndFollow | Notify | Nodes
Deciding = Approve | Reject | Cancel | Retry | Replied
Kept = Why | History | Rollback | EndKeep
Holding = Pause | Block | Resume | Unblock
Command = Mirror | Confirm | Status | Looking | Watching | Deciding | Kept | Holding | Simple
