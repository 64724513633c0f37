"""What was seen is what is decided: tags with digests, rejected digests, overwritten versions.

People ask in the fake world, and the target must never get a digest that its source's tag does not
name, nor a version over another one without an admin.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import ANA, NGINX, POLICY, WEI, World, digest_of, world

from bot.core.decision import Decision, Ground, Verdict
from bot.core.errors import RefusedError
from bot.core.ids import RequestId, TransferId
from bot.core.image import ImageRef
from bot.core.policy import Rule
from bot.core.transfer import State, Transfer

OLD, NEW = digest_of("1.26"), digest_of(str(NGINX))
VERSION = ImageRef.parse("docker.io/library/nginx:1.27.3")


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


def pinned(digest: str, tag: str | None = "1.27") -> ImageRef:
    return ImageRef("docker.io", "library/nginx", tag, digest)


def has(w: World, *digests: str) -> None:
    """Let the source have these digests, whatever its tags name."""
    for digest in digests:
        w.registries.source[str(pinned(digest, tag=None))] = digest


async def transfer(w: World) -> Transfer:
    """Return the newest transfer."""
    async with w.store.begin() as unit:
        found = await unit.transfers_of(RequestId(w.last_message - 10))
    return found[-1]


# -- a tag with a digest ------------------------------------------------------------------


async def test_a_digest_that_the_tag_names_is_copied_under_both(w: World) -> None:
    w.upstream(NGINX)
    has(w, NEW)
    await w.say(WEI, f"/mirror nginx:1.27@{NEW}")
    await w.settle(8)
    assert w.repository.content.endswith(f"docker.io/library/nginx:1.27@{NEW}\n".encode())


async def test_a_digest_under_a_foreign_tag_is_asked_back_and_copied_alone(w: World) -> None:
    w.upstream(NGINX)
    has(w, OLD)
    await w.say(WEI, f"/mirror nginx:1.27@{OLD}")
    await w.settle(8)
    assert w.repository.commits == []
    assert "its tag names another digest at the source" in w.last
    labels = [label for row in list(w.chat.messages.values())[-1].buttons for label in row]
    assert labels[:2] == ["The digest alone", "nginx:1.27 as it is now"]
    assert "Tap which one you mean" in w.last
    await w.press(WEI, "The digest alone")
    await w.settle(8)
    assert w.repository.content.endswith(f"docker.io/library/nginx@{OLD}\n".encode())


async def test_the_tag_may_be_taken_as_it_is_now(w: World) -> None:
    w.upstream(NGINX)
    has(w, OLD)
    await w.say(WEI, f"/mirror nginx:1.27@{OLD}")
    await w.settle(8)
    await w.press(WEI, "nginx:1.27 as it is now")
    await w.settle(8)
    assert w.repository.content.endswith(b"docker.io/library/nginx:1.27\n")


async def test_a_tag_that_the_source_never_had_is_not_created(w: World) -> None:
    has(w, OLD)
    await w.say(WEI, f"/mirror nginx:9.9-made-up@{OLD}")
    await w.settle(8)
    assert w.repository.commits == []
    labels = [label for row in list(w.chat.messages.values())[-1].buttons for label in row]
    assert "The digest alone" in labels
    assert "the source has this digest, but no such tag" in w.last
    assert "Tap the button to get the digest alone" in w.last
    assert not any("as it is now" in label for label in labels)


async def test_where_the_source_lost_the_digest_its_tag_is_offered(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, f"/mirror nginx:1.27@{OLD}")
    await w.settle(8)
    assert "Did you mean <code>docker.io/library/nginx:1.27</code>?" in w.last


async def test_what_the_target_has_under_that_tag_needs_no_copy(w: World) -> None:
    w.upstream(NGINX)
    has(w, OLD)
    w.registries.target[str(NGINX)] = OLD
    await w.say(WEI, f"/mirror nginx:1.27@{OLD}")
    await w.settle(8)
    assert w.last.startswith("Done, 1 of 1")
    assert w.repository.commits == []


async def test_the_buttons_for_several_images_name_them(w: World) -> None:
    w.upstream(NGINX, VERSION)
    older = digest_of("1.25")
    has(w, OLD, older)
    await w.say(WEI, f"/mirror nginx:1.27@{OLD} nginx:1.27.3@{older}")
    await w.settle(8)
    labels = [label for row in list(w.chat.messages.values())[-1].buttons for label in row]
    assert labels[:4] == [
        "nginx:1.27: the digest alone",
        "nginx:1.27 as it is now",
        "nginx:1.27.3: the digest alone",
        "nginx:1.27.3 as it is now",
    ]


async def test_a_deny_by_tag_is_not_walked_round_by_its_digest(tmp_path: Path) -> None:
    rules = (Rule("docker.io/library/nginx:1.26", Verdict.DENY, "too old"), *POLICY.rules)
    async with world(tmp_path, replace(POLICY, rules=rules)) as w:
        w.upstream(NGINX)
        has(w, OLD)
        await w.say(WEI, f"/mirror nginx@{OLD}")
        await w.settle(8)
        assert (await transfer(w)).state is State.WAITING
        assert w.repository.commits == []


# -- a rejected digest --------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["nginx:1.27", f"nginx@{NEW}", f"nginx:1.27@{NEW}", "nginx:latest"]
)
async def test_a_rejected_digest_is_never_copied_by_a_rule_alone(w: World, text: str) -> None:
    w.upstream(NGINX)
    has(w, NEW)
    w.registries.source["docker.io/library/nginx:latest"] = NEW
    other = ImageRef.parse("nginx:1.27-alpine")
    async with w.store.begin() as unit:
        before = await unit.open_transfer(other, w.clock())
        await unit.save_transfer(replace(before, ended=State.REJECTED, ended_at=w.clock()))
        await unit.keep_decision(decided(w, before.id, other, NEW, Verdict.DENY))
    w.clock.pass_time(60)
    await w.say(WEI, f"/mirror {text}")
    await w.settle(8)
    found = await transfer(w)
    assert (found.state, found.ground) == (State.WAITING, Ground.REJECTED)


def decided(w: World, on: TransferId, image: ImageRef, digest: str, verdict: Verdict) -> Decision:
    return Decision(
        request=None,
        transfer=on,
        image=image,
        digest=digest,
        verdict=verdict,
        ground=Ground.PERSON,
        person=ANA.id,
        at=w.clock(),
    )


# -- a version that was overwritten upstream ----------------------------------------------


async def copied_once(w: World, image: ImageRef) -> None:
    w.upstream(image)
    await w.say(WEI, f"/mirror {image}")
    await w.settle(8)
    w.copied(image)
    await w.settle(12)
    w.clock.pass_time(timedelta(days=2).total_seconds())
    w.registries.source[str(image)] = digest_of("overwritten")


@pytest.mark.parametrize("target", ["readable", "refused", "cleaned"])
async def test_a_version_that_was_overwritten_waits_for_an_admin(w: World, target: str) -> None:
    await copied_once(w, VERSION)
    if target == "refused":
        w.registries.target[str(VERSION)] = RefusedError("403")
    if target == "cleaned":
        del w.registries.target[str(VERSION)]
    await w.say(WEI, f"/mirror {VERSION}")
    await w.settle(8)
    found = await transfer(w)
    assert (found.state, found.ground) == (State.WAITING, Ground.UPDATED)
    assert found.replaces == digest_of(str(VERSION))
    assert len(w.repository.commits) == 1


async def test_no_digest_walks_round_the_question_about_a_version(w: World) -> None:
    await copied_once(w, VERSION)
    new = digest_of("overwritten")
    has(w, new)
    await w.say(WEI, f"/mirror nginx:1.27.3@{new}")
    await w.settle(8)
    found = await transfer(w)
    assert (found.state, found.ground) == (State.WAITING, Ground.UPDATED)


async def test_a_floating_tag_is_copied_again_by_its_rule(w: World) -> None:
    await copied_once(w, NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    assert (await transfer(w)).state is not State.WAITING


async def test_a_tag_with_a_digest_counts_as_copied_under_the_tag(w: World) -> None:
    w.upstream(VERSION)
    has(w, digest_of(str(VERSION)))
    both = replace(VERSION, digest=digest_of(str(VERSION)))
    await w.say(WEI, f"/mirror {both}")
    await w.settle(8)
    w.registries.target[str(VERSION)] = digest_of(str(VERSION))
    w.repository.report(both, digest_of(str(VERSION)))
    w.repository.finish()
    await w.settle(12)
    async with w.store.begin() as unit:
        assert await unit.last_copied(VERSION) == digest_of(str(VERSION))
        assert await unit.last_copied(both) == digest_of(str(VERSION))
        assert await unit.last_copied(NGINX) is None


async def test_what_was_approved_long_ago_is_known_when_its_transfer_was_deleted(w: World) -> None:
    async with w.store.begin() as unit:
        before = await unit.open_transfer(VERSION, w.clock())
        await unit.save_transfer(replace(before, ended=State.CANCELLED, ended_at=w.clock()))
        assert await unit.last_copied(VERSION) is None
        await unit.keep_decision(decided(w, before.id, VERSION, OLD, Verdict.APPROVE))
        await unit.keep_decision(decided(w, before.id, VERSION, NEW, Verdict.DENY))
        assert await unit.last_copied(VERSION) == OLD
        assert await unit.last_copied(replace(VERSION, tag="1.27.4")) is None
