"""The `verify` command: who decided on an image in the target, why and when, by its statements.

It trusts the key alone: neither the database nor what the target says of itself. The database only
tells the names of persons, where it knows them.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bot.adapters.registry.client import RegistryClient
from bot.adapters.registry.statements import TargetStatements
from bot.adapters.store import person_behind
from bot.clients import make_registries
from bot.config import Secrets, Settings
from bot.core.errors import BotError, ConfigError, PullRefusedError
from bot.core.image import ImageRef
from bot.core.statement import IsSigned, SignedStatement, opened, proof_of
from bot.policy_report import image_from
from bot.statement_key import public_key, required_key

PROVED: Final = 0
NOT_PROVED: Final = 1
NOT_ASKED: Final = 2


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found of one image. `why_not` is empty where all is proved.

    `held`: whether the target holds the digest under the tag, where the image has one.
    """

    image: str
    code: int
    why_not: str = ""
    digest: str = ""
    held: bool = False
    decision: SignedStatement | None = None


@dataclass(frozen=True, slots=True)
class Verifying:
    """`is_signed` tells signatures of the key."""

    settings: Settings
    registries: RegistryClient
    is_signed: IsSigned

    async def image(self, text: str) -> Verified:
        """Look for the proof of one image, by its name at the source or in the target."""
        try:
            return await self._verified(image_from(text, self.settings.target.host))
        except BotError as error:
            return Verified(text, NOT_ASKED, str(error))

    async def _verified(self, image: ImageRef) -> Verified:
        held = await self._held(image)
        digest = image.digest or held
        if digest is None:
            return Verified(str(image), NOT_PROVED, "the target has no such image")
        there = await TargetStatements(self.registries).documents(image, digest)
        read = [opened(each, self.is_signed) for each in there]
        proofs = proof_of([each for each in read if each is not None], digest)
        name = self.settings.target_registry().name_of(image.place)
        own = next((each for each in proofs if _names(each, name, image)), None)
        why = ""
        if own is None:
            why = _why_not(there, proofs)
        elif digest != held:
            why = f"the target holds {held or 'nothing'} under this name now"
        code = NOT_PROVED if why else PROVED
        return Verified(str(image), code, why, digest, held=digest == held, decision=own)

    async def _held(self, image: ImageRef) -> str | None:
        try:
            return await self.registries.target_digest(image.place)
        except PullRefusedError:
            if image.tag is not None:
                raise  # nobody says which digest the tag has
            return image.digest  # by digest, a refusal to pull means that it is there


def _names(proof: SignedStatement, name: str, image: ImageRef) -> bool:
    """Whether it is about the copy of this name. One by digest alone may have any tag."""
    target = proof.words("target")
    repository = name.rpartition("@")[0]
    return target == name or (image.tag is None and target.startswith((f"{repository}:", name)))


def _why_not(there: Sequence[bytes], proofs: Sequence[SignedStatement]) -> str:
    if proofs:
        return f"what was decided on is {proofs[0].words('reference')}, not this name"
    if there:
        return f"none of {len(there)} documents beside it is a statement of this key about it"
    return "there is no statement beside it"


async def verify(
    settings: Settings,
    secrets: Secrets,
    images: Sequence[str],
    key: Path | None,
    *,
    as_json: bool,
    say: Callable[[str], None],
) -> int:
    """Tell what is proved of each image. `key`: a file with the public key, None for the bot's own.

    Returns the worst code. Raises ConfigError for a key that is none.
    """
    is_signed = _public(settings, secrets, key)
    names = _names_in(Path(settings.database))
    registries = make_registries(settings, secrets)
    try:
        found = [await Verifying(settings, registries, is_signed).image(each) for each in images]
    finally:
        await registries.aclose()
    text = json.dumps([_plain(each, names) for each in found], indent=2).splitlines()
    for line in text if as_json else [line for each in found for line in _lines(each, names)]:
        say(line)
    return max(each.code for each in found)


def _public(settings: Settings, secrets: Secrets, key: Path | None) -> IsSigned:
    if key is None:
        given = secrets.statement_key.get_secret_value()
        return public_key(required_key(given, Path(settings.database)).public, "the key")
    try:
        return public_key(key.read_text(encoding="ascii", errors="replace"), str(key))
    except OSError as error:
        raise ConfigError(f"{key}: {error.strerror}") from error


def _plain(found: Verified, names: Callable[[str], str]) -> Mapping[str, Any]:
    said: dict[str, Any] = {"image": found.image, "proved": found.code == PROVED}
    said |= {"why": found.why_not} if found.why_not else {}
    if found.digest:
        said |= {"digest": found.digest, "held": found.held}
    if found.decision is not None:
        people = [*found.decision.texts("asked"), *_deciders(found.decision)]
        known = {each: name for each in people if (name := names(each))}
        said |= {"decision": found.decision.predicate} | ({"names": known} if known else {})
    return said


def _lines(found: Verified, names: Callable[[str], str]) -> list[str]:
    """All of it, for people."""
    if found.code == NOT_ASKED:
        return [f"{found.image}: cannot be asked: {found.why_not}"]
    head = f"NOT PROVED: {found.why_not}" if found.why_not else "proved"
    told = [f"{found.image}: {head}"]
    told += [f"  digest: {found.digest}"] if found.digest else []
    return [*told, *(f"  {line}" for line in _decided(found.decision, names))]


def _decided(decision: SignedStatement | None, names: Callable[[str], str]) -> list[str]:
    if decision is None:
        return []

    def people(found: Sequence[str]) -> str:
        return ", ".join(f"{each} ({name})" if (name := names(each)) else each for each in found)

    words = decision.words
    rule = f"rule {words('rule') or words('kind')}"
    by = people(_deciders(decision))
    decided = by if words("ground") == "persons" else f"{rule}, kept fresh by {by}" if by else rule
    asked = people(decision.texts("asked"))
    rows = {
        "decided": f"{words('decidedAt')} by {decided}",
        "asked": f"{words('askedAt')} by {asked}" if asked else "",
        "verified": words("verifiedAt"),
        "batch": words("batch"),
        "commit": words("commit"),
        "run": words("run"),
    }
    return [f"{name}: {value}" for name, value in rows.items() if value]


def _deciders(decision: SignedStatement) -> list[str]:
    return decision.texts("approved") + decision.texts("keptFreshBy")


def _names_in(database: Path) -> Callable[[str], str]:
    """What tells the name behind a pseudonym, or their id. Empty where the database has none."""

    def name(pseudonym: str) -> str:
        try:
            found = person_behind(database, pseudonym)
        except BotError:
            return ""
        return (found[1] or found[0]) if found else ""

    return name
