"""Statements: what is signed about an image that arrived, when it is sent, and when it is not."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import ANA, GROUP, LI, NGINX, STATIC, TARGET, WEI, World, digest_of, world
from statement_verifier import NotProvedError, decision

from bot.core.decision import PSEUDONYM
from bot.core.errors import RefusedError, TransientError
from bot.core.ids import PersonId
from bot.core.image import ImageRef
from bot.core.policy import policy_digest
from bot.core.statement import StatementForm
from bot.dialog.language import Language
from bot.engine.lanes.maintainer import ToldWhere
from bot.statement_key import new_key

DIGEST = digest_of(str(NGINX))
KEY = new_key()


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        made.sign = KEY.sign
        made.statements = StatementForm.ATT
        made.start()
        yield made


async def mirror(w: World, image: ImageRef = NGINX) -> None:
    w.upstream(image)
    await w.say(WEI, f"/mirror {image}")
    await w.settle(8)
    if image == STATIC:
        await w.press(ANA, "approve:1")
        await w.settle(8)
    w.copied(image)
    await w.settle(30)


def proved(w: World, image: ImageRef = NGINX) -> dict[str, object]:
    digest = digest_of(str(image))
    return decision(w.attached.beside[str(image), digest], KEY.public, digest)


async def pseudonym(w: World, person: PersonId) -> str:
    async with w.store.begin() as unit:
        return (await unit.pseudonyms([person]))[person]


async def is_open(w: World) -> bool:
    async with w.store.begin() as unit:
        return await unit.any_open_statement()


async def test_what_a_rule_approved_is_stated_once_it_was_verified(w: World) -> None:
    await mirror(w)
    said = proved(w)
    assert said == {
        "reference": "docker.io/library/nginx:1.27",
        "target": TARGET.name_of(NGINX),
        "sourceDigest": DIGEST,
        "ground": "rule",
        "kind": "rule",
        "rule": "docker.io/library/**",
        "asked": [await pseudonym(w, WEI.id)],
        "askedAt": "2026-03-01T12:00:00Z",
        "decidedAt": said["decidedAt"],
        "verifiedAt": said["verifiedAt"],
        "repository": "https://github.com/example/mirror",
        "batch": "batch1",
        "commit": w.repository.commits[0][0],
        "run": "https://github.example.com/runs/300",
        "policyDigest": {"sha256": policy_digest(w.policy)},
    }
    assert str(said["askedAt"]) <= str(said["decidedAt"]) <= str(said["verifiedAt"])
    assert w.attached.calls == 2, "what was sent is looked for once more"
    assert not await is_open(w)


async def test_what_a_person_approved_names_them_by_pseudonym(w: World) -> None:
    await mirror(w, STATIC)
    said = proved(w, STATIC)
    assert (said["ground"], said["approved"]) == ("persons", [await pseudonym(w, ANA.id)])
    for person in (WEI, ANA):
        assert person.id not in str(said)
        assert person.name not in str(said)


async def test_who_was_forgotten_before_it_was_signed_keeps_the_pseudonym(w: World) -> None:
    w.attached.trouble = [TransientError("away")] * 3
    lane = w.reconciler._lanes.pop("statements")
    await mirror(w, STATIC)
    before = await pseudonym(w, ANA.id)
    async with w.store.begin() as unit:
        assert await unit.forget(ANA.id)
    w.reconciler._lanes["statements"] = lane
    await w.settle(60)
    assert proved(w, STATIC)["approved"] == [before]
    assert before.startswith(PSEUDONYM)


async def test_a_bundle_is_what_the_config_says(w: World) -> None:
    w.statements = StatementForm.BUNDLE
    w.start()
    await mirror(w)
    assert proved(w)["batch"] == "batch1"
    assert all(b"dsseEnvelope" in each for each in w.attached.beside[str(NGINX), DIGEST])


async def test_nothing_is_stated_of_what_did_not_arrive_or_was_there(w: World) -> None:
    w.upstream(NGINX, STATIC)
    w.registries.target[str(NGINX)] = DIGEST
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(30)
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(8)
    await w.press(ANA, "approve:2")
    await w.settle(8)
    w.repository.report(STATIC, digest_of("other bytes"))
    w.registries.target[str(STATIC)] = digest_of("other bytes")
    w.repository.finish()
    await w.settle(90)
    assert not w.attached.beside
    assert not await is_open(w)


async def test_a_trailer_that_somebody_forged_brings_no_statement(w: World) -> None:
    """Who may write the repository can commit a block, start a run and post a status."""
    block = f"Batch: batch9\nImage: {NGINX}@{DIGEST}; approved p:00000000\nSeal: {'0' * 64}"
    content = w.repository.content + f"{NGINX}\n".encode()
    blob = (await w.repository.read_list()).blob
    await w.repository.write_list(content, blob=blob, message=f"Mirror\n\n{block}")
    w.upstream(NGINX)
    w.copied(NGINX)
    await w.settle(60)
    assert not w.attached.beside
    await w.say(WEI, "/mirror nginx:1.27")  # it is there: nothing is copied or decided
    await w.settle(60)
    assert not w.attached.beside


async def test_a_transfer_without_a_decision_is_not_stated(w: World) -> None:
    """Such as one of a version that kept no decisions."""
    lane = w.reconciler._lanes.pop("statements")
    await mirror(w)
    transfer = await w.newest(NGINX)
    async with w.store.begin() as unit:
        await unit.save_transfer(replace(transfer, digest=digest_of("other")))
    w.reconciler._lanes["statements"] = lane
    await w.settle(60)
    assert not w.attached.beside
    assert not await is_open(w)


async def test_an_answer_that_was_lost_sends_the_same_bytes_again(w: World) -> None:
    w.attached.lost = [TransientError("reset", unclear=True)] * 2
    w.attached.overwritten = 1
    await mirror(w)
    w.start()
    await w.settle(60)
    assert len(w.attached.beside[str(NGINX), DIGEST]) == 2
    assert proved(w)["batch"] == "batch1"
    assert w.attached.calls == 4
    assert not await is_open(w)


REFUSED = "403: DENIED: would exceed the configured upper limit"


async def test_a_refusal_is_told_to_the_maintainer_and_the_image_is_mirrored(w: World) -> None:
    w.maintainer = ToldWhere(GROUP, LI.id, Language.EN, None)
    w.start()
    w.attached.trouble = [RefusedError(REFUSED)]
    await mirror(w)
    assert any(text.startswith("Done, 1 of 1") for text in w.chat.texts)
    await w.settle(240)
    [told] = [text for text in w.chat.texts if "statements" in text]
    assert REFUSED in told
    await w.settle(3700, step=60)
    assert proved(w)["batch"] == "batch1"
    assert not await is_open(w)


async def test_trouble_that_stays_is_told_too(w: World) -> None:
    w.maintainer = ToldWhere(GROUP, LI.id, Language.EN, None)
    w.start()
    w.attached.trouble = [TransientError("harbor.example.com answers 507")] * 12
    await mirror(w)
    await w.settle(3600, step=20)
    assert any("answers 507" in text for text in w.chat.texts)
    assert proved(w)["batch"] == "batch1"


async def test_nobody_tries_for_ever(w: World) -> None:
    w.attached.trouble = [RefusedError(REFUSED)] * 200
    await mirror(w)
    await w.settle(timedelta(days=7, hours=2).total_seconds(), step=1800)
    assert not await is_open(w)
    calls = w.attached.calls
    await w.settle(7200, step=600)
    assert w.attached.calls == calls
    with pytest.raises(NotProvedError):
        proved(w)
