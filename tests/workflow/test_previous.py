"""What a run leaves of a tag that it overwrites: its previous digest, under a tag of its own.

Real registries and real skopeo, as in test_workflow.py.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from registry_fixture import CLIENT, POLICY, Quiet, Ran, World, registries, serving, world
from test_decisions import dispatch, push, sealed, updated, whole_list

from bot.core import previous as core
from bot.core.image import ImageRef
from bot.workflow.mirror import previous
from bot.workflow.mirror.decision import Key, read

__all__ = ["registries", "world"]  # fixtures: pytest finds them by these names

DAY = "before-2026-11-30"
RULE = "asked p:7f3a91c2; approved rule docker.io/library/**"
KEEPS = f"asked p:7f3a91c2; previous {DAY}; approved rule docker.io/library/**"
KEEPING = json.dumps({**POLICY, "keep": True})


def today() -> str:
    return f"before-{datetime.now(UTC):%Y-%m-%d}"


def overwritten(world: World, name: str, said: str = KEEPS, **env: str) -> tuple[Ran, str, str]:
    """Copy a tag, update it, and let a sealed decision overwrite it. Return both digests too."""
    old = world.seed(name, platforms=("amd64",))
    assert dispatch(world, sealed(f"{name}:1@{old}; {RULE}")).code == 0
    new = world.seed(name, platforms=("arm64",))
    ran = dispatch(world, sealed(f"{name}:1@{new}; {said}"), **env)
    assert ran.code == 0, ran.output
    assert world.target.head(name, "1") == new
    return ran, old, new


def posted(ran: Ran) -> str:
    (status,) = ran.posted
    return str(status["description"])


# --- sealed decisions


def test_the_digest_that_is_overwritten_stays_under_the_tag_that_the_order_names(
    world: World,
) -> None:
    name = "docker.io/library/left"
    ran, old, new = overwritten(world, name)
    assert world.target.head(name, f"1-{DAY}") == old
    said = rf"{new} \d+ copied, previous is {DAY}, rule docker\.io/library/\*\*"
    assert re.fullmatch(said, posted(ran))
    assert f"previous is {DAY}" in ran.summary
    assert f"previous is {DAY}" in ran.output


def test_it_costs_one_manifest_and_no_layer(world: World) -> None:
    name = "docker.io/library/left-cheaply"
    before = len(world.target.log.read_bytes())
    overwritten(world, name)
    (put,) = world.target.logged(rf'"PUT /v2/{name}/manifests/1-before\S+', 1, before)
    assert put.endswith(DAY)
    uploads = world.target.logged(rf'"PUT /v2/{name}/blobs/uploads', 4, before)
    assert len(uploads) == 4, "the config and the layer of each image"


def test_an_order_that_names_no_tag_leaves_none_whatever_the_policy_says(world: World) -> None:
    name = "docker.io/library/taken-out"
    ran, _, _ = overwritten(world, name, RULE, POLICY=KEEPING)
    assert "previous" not in posted(ran)
    assert world.target.head(name, f"1-{today()}") is None


def test_a_tag_of_that_day_is_not_overwritten(world: World) -> None:
    name = "docker.io/library/left-twice"
    _, first, second = overwritten(world, name)
    third = world.seed(name, platforms=("amd64", "arm64"))
    ran = dispatch(world, sealed(f"{name}:1@{third}; {KEEPS}"))
    assert f"previous is {DAY}.2" in posted(ran)
    assert world.target.head(name, f"1-{DAY}") == first
    assert world.target.head(name, f"1-{DAY}.2") == second
    back = dispatch(world, sealed(f"{name}:1@{first}; {KEEPS}"))
    assert f"previous is {DAY}.3" in posted(back)
    again = dispatch(world, sealed(f"{name}:1@{second}; {KEEPS}"))
    assert f"copied, previous is {DAY}," in posted(again), "the tag of before has that digest"


def test_what_the_target_lacks_or_has_already_leaves_nothing(world: World) -> None:
    name = "docker.io/library/nothing-left"
    digest = world.seed(name)
    for _ in range(2):
        ran = dispatch(world, sealed(f"{name}:1@{digest}; {KEEPS}", f"{name}@{digest}; {KEEPS}"))
        assert ran.code == 0, ran.output
        assert "previous" not in str(ran.posted)
    assert world.target.head(name, f"1-{DAY}") is None


def test_it_stays_where_skopeo_copies_too(world: World) -> None:
    """What is out of the ordinary is left to skopeo."""
    name = "docker.io/library/left-by-skopeo"
    old = world.seed(name, platforms=("amd64",))
    assert dispatch(world, sealed(f"{name}:1@{old}; {RULE}")).code == 0
    new = world.seed(name, platforms=("arm64",))
    script = world.directory / ".github/mirror/copying.py"
    text = script.read_text(encoding="utf-8")
    right = "        self.leave_previous(digest)\n"
    assert text.count(right) == 1
    script.write_text(text.replace(right, '        raise OddError("of the test")\n'))
    ran = dispatch(world, sealed(f"{name}:1@{new}; {KEEPS}"))
    assert "skopeo takes over" in ran.output
    assert world.target.head(name, "1") == new
    assert world.target.head(name, f"1-{DAY}") == old
    assert f"previous is {DAY}" in posted(ran)


def test_a_copied_block_without_its_seal_leaves_nothing(world: World) -> None:
    name = "docker.io/library/forged"
    old = world.seed(name, platforms=("amd64",))
    assert dispatch(world, sealed(f"{name}:1@{old}; {RULE}")).code == 0
    new = world.seed(name, platforms=("arm64",))
    forged = sealed(f"{name}:1@{new}; {RULE}").replace("; approved", f"; previous {DAY}; approved")
    ran = dispatch(world, forged)
    assert "its seal is wrong" in ran.output
    assert world.target.head(name, "1") == new
    assert world.target.head(name, f"1-{DAY}") is None


# --- a target that refuses


@contextmanager
def refusing(world: World, reached: set[str]) -> Iterator[str]:
    """Serve the target, but refuse to write tags of before, as a rule for immutable tags does."""

    class Refusing(Quiet):
        def reply(self) -> None:
            if self.command == "PUT" and "-before-" in self.path:
                reached.add(self.path)
                self.answer(412, b'{"errors": [{"code": "PRECONDITION"}]}')
                return
            length = int(self.headers["Content-Length"] or 0)
            got = CLIENT.request(
                self.command,
                f"http://{world.target.address}{self.path}",
                headers=[(k, v) for k, v in self.headers.items() if k != "Content-Length"],
                content=self.rfile.read(length),
            )
            kept = ("content-type", "docker-content-digest", "location", "www-authenticate")
            self.answer(
                got.status_code,
                got.content,
                **{k: got.headers[k] for k in kept if k in got.headers},
            )

        do_PUT = do_PATCH = reply  # noqa: N815 - the standard library's names

    with serving(Refusing) as address:
        yield address


def test_a_target_that_refuses_the_tag_is_told_and_fails_no_image(world: World) -> None:
    reached: set[str] = set()
    name = "docker.io/library/refused"
    with refusing(world, reached) as address:
        addresses = json.loads(world.environment()["REGISTRY_ADDRESSES"])
        addresses[world.target.address] = address
        ran, old, new = overwritten(world, name, REGISTRY_ADDRESSES=json.dumps(addresses))
    assert reached == {f"/v2/{name}/manifests/1-{DAY}"}
    told = "previous not kept: the target answers 412"
    assert re.match(rf"{new} \d+ copied, {told}, ", posted(ran))
    assert told in ran.summary
    assert world.target.head(name, f"1-{DAY}") is None
    assert world.target.head(name, old) == old, "nothing is deleted"


# --- what nobody decided on


@pytest.mark.parametrize("keeping", [True, False])
def test_lines_by_hand_and_runs_of_the_whole_list_leave_it_where_the_policy_says_so(
    world: World, *, keeping: bool
) -> None:
    name = f"docker.io/library/by-hand-{keeping}".lower()
    env = {"POLICY": KEEPING} if keeping else {}
    old, new = updated(world, name)
    for tag, digest in (("1", old), ("1.2", old)):
        assert dispatch(world, sealed(f"{name}:{tag}@{digest}; {RULE}")).code == 0
    ran = whole_list(world, f"{name}:1\n", **env)
    assert world.target.head(name, "1") == new
    assert world.target.head(name, f"1-{today()}") == (old if keeping else None)
    assert (f"previous is {today()}" in ran.summary) is keeping
    world.source.put(name, "1.2", json.loads(world.get(world.source, name, new)))
    ran = push(world, f"{name}:1.2\n", **env)
    assert world.target.head(name, "1.2") == new
    assert world.target.head(name, f"1.2-{today()}") == (old if keeping else None)


def test_what_a_writer_says_names_no_tag(world: World) -> None:
    """A line or an input by hand is a reference. The run makes the tag of before by itself."""
    name = "docker.io/library/named-by-hand"
    old, _ = updated(world, name)
    assert dispatch(world, sealed(f"{name}:1@{old}; {RULE}")).code == 0
    line = f"{name}:1; previous before-2000-01-01; approved p:c01d2e44"
    ran = push(world, f"{line}\n", POLICY=KEEPING)
    assert ran.code == 1
    assert "not an image reference" in ran.output
    assert world.target.head(name, "1-before-2000-01-01") is None


# --- names


@given(st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True), st.integers(1, 9))
def test_the_cut_leaves_the_date_whole_and_the_bot_names_the_same_tag(
    tag: str, number: int
) -> None:
    ending = DAY if number == 1 else f"{DAY}.{number}"
    name = previous.previous_tag(tag, ending)
    assert name.endswith(f"-{ending}")
    assert len(name) <= 128
    assert name.startswith(tag[:100]) or len(tag) > 100
    assert name == core.previous_tag(tag, ending)
    assert ImageRef.parse(f"docker.io/library/a:{name}").tag == name


def test_the_bot_and_the_run_write_the_same_date() -> None:
    late = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
    assert core.ending_of(late) == previous.ending_of(late.timestamp()) == DAY


@pytest.mark.parametrize(
    "said",
    ["previous before-2026-11-3", "previous x-2026-11-30", "previous before-2026-11-30/../x"],
)
def test_an_ending_in_another_form_is_none(said: str) -> None:
    digest = f"sha256:{'0' * 64}"
    line = f"Image: docker.io/a/b:1@{digest}; asked p:7f3a91c2; {said}; approved p:c01d2e44"
    block = read(line, Key("", ""), 0)
    assert block is not None
    assert [each.previous for each in block.decided] == [""]
