"""Why something failed, was denied or has to wait, as phrases."""

from typing import Final

from bot.core.decision import Ground
from bot.core.failures import Failure
from bot.core.image import ImageRef
from bot.core.policy import Ruling
from bot.core.retry import Trouble, TroubleKind
from bot.dialog.message import Message, Phrase, say

_OF_NO_SERVICE: Final = frozenset(
    {TroubleKind.CONTESTED, TroubleKind.OUTDATED, TroubleKind.PAUSED, TroubleKind.LOOKING}
)


def trouble_words(trouble: Trouble) -> Phrase:
    if trouble.kind is TroubleKind.OTHER:
        return say("trouble-other", line=trouble.line)
    if trouble.kind in _OF_NO_SERVICE:
        return say(f"trouble-{trouble.kind}")
    return say(f"trouble-{trouble.kind}", who=trouble.who)


def denied(ground: Ground | None, reason: str, registry: str) -> Phrase:
    """Why the policy denied an image of this registry."""
    if ground is Ground.REGISTRY:
        return say("denied-registry", registry=registry)
    return say("denied-because", reason=reason) if reason else say("denied")


def refused(image: ImageRef, ruling: Ruling) -> Message:
    """Why the policy lets nobody ask about this image, and what they can do."""
    why = denied(ruling.ground, ruling.reason, image.registry)
    line = say("lookup-denied", image=str(image), reason=why)
    return Message((line, say(f"{why.key}.next")))


def cause(failure: Failure) -> Phrase:
    return say(f"failure-{failure.kind}", line=failure.line)
