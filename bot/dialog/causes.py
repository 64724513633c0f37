"""Why something failed, was denied or has to wait, as phrases."""

from bot.core.decision import Ground
from bot.core.failures import Failure
from bot.core.retry import Trouble, TroubleKind
from bot.dialog.message import Phrase, say


def trouble_words(trouble: Trouble) -> Phrase:
    if trouble.kind is TroubleKind.OTHER:
        return say("trouble-other", line=trouble.line)
    if trouble.kind in {TroubleKind.CONTESTED, TroubleKind.OUTDATED, TroubleKind.PAUSED}:
        return say(f"trouble-{trouble.kind}")
    return say(f"trouble-{trouble.kind}", who=trouble.who)


def denied(ground: Ground | None, reason: str, registry: str) -> Phrase:
    """Why the policy denied an image of this registry."""
    if ground is Ground.REGISTRY:
        return say("denied-registry", registry=registry)
    return say("denied-because", reason=reason) if reason else say("denied")


def cause(failure: Failure) -> Phrase:
    return say(f"failure-{failure.kind}", line=failure.line)
