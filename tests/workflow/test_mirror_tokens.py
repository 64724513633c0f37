"""The workflow between real registries that give tokens by scope, as Harbor does.

The other tests' target takes Basic for everything. They cannot tell whether the workflow asks for
the right scopes, keeps the tokens of repositories apart and renews an expired one.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from registry_fixture import (
    PASSWORD,
    Quiet,
    Ran,
    Registry,
    World,
    digest_of,
    registries,
    serving,
    world,
)
from token_registry import LOGIN, Tokens, signer, token_registry, tokens

__all__ = ["registries", "signer", "tokens", "world"]  # fixtures: pytest finds them by these names

PULL, PUSH = frozenset({"pull"}), frozenset({"pull", "push"})


@pytest.fixture
def guarded(world: World, tokens: Tokens, tmp_path: Path) -> Iterator[World]:
    """A world whose target accepts only tokens."""
    with token_registry(tmp_path / "target", tokens) as target:
        yield replace(world, target=target)


def moved_by_itself(ran: Ran) -> bool:
    """Return whether all went well and skopeo only logged in."""
    handed_over = "skopeo takes over" in ran.output or " copy " in ran.skopeo
    return ran.code == 0 and not handed_over


def test_an_index_arrives_with_its_platforms_by_tokens_of_its_own_repository(
    guarded: World, tokens: Tokens
) -> None:
    name = "docker.io/library/guarded"
    digest = guarded.seed(name)
    ran = guarded.run(f"{name}:1\n")
    assert moved_by_itself(ran), ran.output
    assert ran.says(f"{name}:1").startswith(f"success: {digest} ")
    index = json.loads(guarded.get(guarded.source, name, digest))
    children = [child["digest"] for child in index["manifests"]]
    assert len(children) == 2
    assert tokens.held(guarded.target, name, "1") == digest
    assert [tokens.held(guarded.target, name, child) for child in children] == children
    assert {name: PUSH} in tokens.asked
    assert all(access in ({}, {name: PUSH}) for access in tokens.asked)  # the login needs no scope


def test_a_shared_layer_goes_up_once_and_is_mounted_with_a_token_for_both_repositories(
    guarded: World, tokens: Tokens
) -> None:
    names = {f"docker.io/wei/guarded-{which}" for which in ("a", "b")}
    layer = os.urandom(300_000)
    digests = {name: guarded.seed(name, layer=layer) for name in names}
    ran = guarded.run("".join(f"{name}:1\n" for name in names))
    assert moved_by_itself(ran), ran.output
    assert {name: tokens.held(guarded.target, name, "1") for name in names} == digests
    shared = digest_of(layer).removeprefix("sha256:")
    logged = guarded.target.logged
    put = logged(rf'"PUT /v2/(\S+)/blobs/uploads/\S+{shared} HTTP/1.1" 201', 1)
    mounted = logged(rf'"POST /v2/(\S+)/blobs/\S+mount=sha256:{shared}\S* HTTP/1.1" 201', 1)
    assert (len(put), len(mounted)) == (1, 1)
    assert {*put, *mounted} == names
    mounts = [access for access in tokens.asked if access.keys() == names]
    assert mounts
    assert all(access[put[0]] >= PULL and access[mounted[0]] >= PUSH for access in mounts)


@contextmanager
def ageing(registry: Registry, tokens: Tokens) -> Iterator[tuple[str, list[int]]]:
    """A proxy before a registry that lets the first token expire before the first layer.

    For blob requests it replaces that token by one that expired an hour ago, so that no test has to
    wait. Yields its address and the registry's status codes for blobs.
    """
    answers: list[int] = []

    class Front(Quiet):
        def reply(self) -> None:
            given = {name: self.headers.get(name, "") for name in ("Accept", "Authorization")}
            blob = "/blobs/" in self.path
            if blob and given["Authorization"] == f"Bearer {tokens.given[0]}":
                old = tokens.signer.token(tokens.asked[0], life=-3600)
                given["Authorization"] = f"Bearer {old}"
            headers = {name: value for name, value in given.items() if value}
            url = f"http://{registry.address}{self.path}"
            got = httpx.request(self.command, url, headers=headers, timeout=90)
            if blob:
                answers.append(got.status_code)
            names = ("Content-Type", "Docker-Content-Digest", "WWW-Authenticate")
            kept = {name: got.headers[name] for name in names if name in got.headers}
            self.answer(got.status_code, got.content, **kept)

    with serving(Front) as address:
        yield address, answers


def test_a_token_that_ends_between_the_look_and_the_layer_is_renewed(
    world: World, tokens: Tokens, tmp_path: Path
) -> None:
    name = "docker.io/wei/ageing"
    digest = world.seed(name)
    addresses = json.loads(world.environment()["REGISTRY_ADDRESSES"])
    data = world.source.data
    with (
        token_registry(tmp_path / "source", tokens, data) as source,
        ageing(source, tokens) as (front, answers),
    ):
        addresses["docker.io"] = f"{front}/docker.io"
        login = {"auths": {front.removeprefix("http://"): {"auth": LOGIN}}}
        given = {
            "REGISTRY_ADDRESSES": json.dumps(addresses),
            "MIRROR_SOURCE_AUTH": json.dumps(login),
        }
        ran = world.run(f"{name}:1\n", None, **given)
    assert moved_by_itself(ran), ran.output
    assert world.target.head(name, "1") == digest
    assert 401 in answers
    assert answers.count(200) == 4  # a config and a layer of each platform
    assert set(answers) == {200, 401}
    assert len(tokens.asked) > 1
    assert all(access == {name: PULL} for access in tokens.asked)


def test_a_login_that_may_not_push_fails_with_the_words_of_the_target_and_no_secret(
    guarded: World, tokens: Tokens
) -> None:
    tokens.allowed = PULL
    name = "docker.io/wei/forbidden"
    guarded.seed(name)
    ran = guarded.run(f"{name}:1\n")
    assert ran.code == 1
    said = ran.says(f"{name}:1")
    assert re.match(r"failure: target: .*(?:denied|unauthorized)", said), said
    assert tokens.held(guarded.target, name, "1") is None
    seen = ran.output + ran.summary + ran.skopeo + str(ran.posted)
    assert tokens.given
    assert not [secret for secret in (PASSWORD, LOGIN, *tokens.given) if secret in seen]
