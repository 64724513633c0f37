"""What the rules say, for the person who keeps the config: of an image, and of the whole list.

By the rules alone: what persons decided before is in the database. Nothing here reads a file.
"""

from collections import Counter
from collections.abc import Iterable

from bot.adapters.words import LocaleWords
from bot.config_types import written_wait
from bot.core.approvals import Approvals
from bot.core.decision import Ground, Verdict
from bot.core.errors import RefusedError
from bot.core.image import ImageRef
from bot.core.policy import Policy, Ruling, decide
from bot.core.signature import NO_SIGNATURE, Signature
from bot.core.tag_class import TagClass, tag_class
from bot.dialog.draft_card import unreadable_lines
from bot.dialog.language import Language
from bot.paste.reference import read_image


def image_from(text: str, target_host: str) -> ImageRef:
    """The image that a person typed. Raises RefusedError with what was probably meant."""
    read = read_image(text, target_host=target_host)
    if isinstance(read, ImageRef):
        return read
    (line,) = unreadable_lines((read,))
    raise RefusedError(LocaleWords().plain(line, Language.EN))


def explanation(policy: Policy, image: ImageRef) -> str:
    """Which verdict an image gets, from which rule, and why. One line."""
    ruling = of_signed(policy, image)
    line = f"{image}: {ruling.verdict}, {_source(policy, ruling, image)}"
    if ruling.reason:
        line += f" ({ruling.reason})"
    if ruling.verdict is Verdict.ASK:
        line += f". {_needs(ruling.needs)}"
    if ruling.verdict is Verdict.DENY:
        return line
    if ruling.signer is not None:
        line += f". Its digest has to be signed by {ruling.signer.name}"
    if ruling.wait:
        line += f". Its digest waits until the bot has known it for {written_wait(ruling.wait)}"
    return f"{line}. {_of_class(tag_class(image, policy.floating))}"


def of_signed(policy: Policy, image: ImageRef) -> Ruling:
    """What holds once an image has the signature that a rule demands."""
    signer = decide(policy, image).signer
    seen = NO_SIGNATURE if signer is None else Signature(signer.name, signer.name)
    return decide(policy, image, seen)


def _source(policy: Policy, ruling: Ruling, image: ImageRef) -> str:
    if ruling.ground is Ground.REGISTRY:
        return f"since policy.registries does not have {image.registry}"
    if ruling.ground is Ground.NO_RULE:
        return "since no rule matches"
    rule = next(n for n, rule in enumerate(policy.rules) if rule.images == ruling.rule)
    name = f"policy.rules.{rule} ({ruling.rule})"
    if policy.rules[rule].covers(image):
        return f"by {name}"
    return f"since {name} is for some tags, and nobody can tell the tags of a digest"


def _needs(needs: Approvals) -> str:
    """Who has to approve: `Needs 2 approvals by telegram:1003 or telegram:1004`."""
    count = "1 approval" if needs.count == 1 else f"{needs.count} approvals"
    who = "admins" if needs.by is None else " or ".join(sorted(needs.by))
    own = "" if needs.own else ", not by the only person who asked"
    return f"Needs {count} by {who}{own}"


def _of_class(kind: TagClass) -> str:
    match kind:
        case TagClass.FLOATING:
            return "Its tag floats, so the same holds for each new digest"
        case TagClass.VERSION:
            return "Its tag is a version, so an admin is asked once it is updated upstream"
        case TagClass.DIGEST:
            return "A digest never changes"


def coverage(policy: Policy, images: Iterable[ImageRef]) -> list[str]:
    """How many images of the list each rule decides on, in the order of the rules. A line each."""
    rulings = (of_signed(policy, image) for image in images)
    counts = Counter((ruling.ground, ruling.rule) for ruling in rulings)
    rows = [
        (f"policy.rules.{number} ({rule.images}, {rule.verdict})", (Ground.RULE, rule.images))
        for number, rule in enumerate(policy.rules)
    ]
    rows.append(("no rule (ask)", (Ground.NO_RULE, "")))
    rows.append(("no allowed registry (deny)", (Ground.REGISTRY, "")))
    return [f"{name}: {counts[key]} of the list" for name, key in rows if key[1] or counts[key]]
