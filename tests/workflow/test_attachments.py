"""What belongs to an image goes along: signatures, attestations, SBOMs. Odd ones and lies too.

docker.io is a docker-registry without the referrers API, ghcr.io the same one behind a front that
has it. All images of the table belong to one run. At the target they are looked for by their tags,
and by the API through such a front, which answers it from the fallback tags.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from referrers_fixture import (
    BUNDLE,
    CONFIG,
    ReferrersFront,
    Told,
    artifact,
    listed,
    referrers_front,
    signature,
    tag_of,
)
from registry_fixture import (
    CLIENT,
    DOCKER_MANIFEST,
    INDEX,
    LAYER,
    MANIFEST,
    Ran,
    Registry,
    World,
    digest_of,
    registries,
    world,
)

__all__ = ["registries", "world"]  # fixtures: pytest finds them by these names


@dataclass
class Odd:
    """One image of the table. What belongs to it at the source, and what its status has to say."""

    name: str
    source: Registry
    world: World
    tags: set[str] = field(default_factory=set)
    referrers: dict[str, list[str]] = field(default_factory=dict)  # by subject
    lists: dict[str, list[Any]] = field(default_factory=dict)  # what the API answers, by digest
    pages: dict[tuple[str, str], Told] = field(default_factory=dict)  # by digest and query
    words: str = ""
    digest: str = ""

    def index(self, *platforms: str) -> str:
        self.digest = self.world.seed(self.name, platforms=platforms or ("amd64", "arm64"))
        return self.digest

    def below(self, reference: str = "1") -> list[str]:
        top = json.loads(self.world.get(self.source, self.name, reference))
        return [each["digest"] for each in top["manifests"]]

    def sign(self, digest: str, *words: str, ending: str = ".sig") -> str:
        pushed = signature(self.source, self.name, digest, *(words or ("of the maker",)))
        if ending != ".sig":
            manifest = json.loads(self.world.get(self.source, self.name, pushed["digest"]))
            self.source.put(self.name, tag_of(digest, ending), {**manifest, "annotations": {}})
        self.tags.add(tag_of(digest, ending))
        return str(pushed["digest"])

    def refer(self, subject: str, what: str = "a", **more: Any) -> dict[str, Any]:
        pushed = artifact(self.source, self.name, subject, what, **more)
        self.referrers.setdefault(subject, []).append(pushed["digest"])
        return pushed

    def list(self, subject: str, *entries: dict[str, Any]) -> None:
        listed(self.source, self.name, subject, *entries)

    def image(self, **more: Any) -> dict[str, Any]:
        """An image with files, which can be run."""
        config = self.source.blob(self.name, CONFIG, b'{"os": "linux"}')
        layer = self.source.blob(self.name, LAYER, os.urandom(64))
        return {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config,
            "layers": [layer],
            **more,
        }

    def entry(self, digest: str) -> dict[str, Any]:
        return {"mediaType": MANIFEST, "digest": digest, "size": 7}


Case = Callable[[Odd], None]
PLAIN: dict[str, Case] = {}
API: dict[str, Case] = {}


def plain(case: Case) -> Case:
    PLAIN[case.__name__.replace("_", "-")] = case
    return case


def api(case: Case) -> Case:
    API[case.__name__.replace("_", "-")] = case
    return case


# --- by tags


@plain
def nothing(odd: Odd) -> None:
    odd.index()


@plain
def one_signature(odd: Odd) -> None:
    odd.sign(odd.index())
    odd.words = "1 attached"


@plain
def two_signatures(odd: Odd) -> None:
    odd.sign(odd.index(), "one", "two")
    odd.words = "1 attached"


@plain
def all_three_tags(odd: Odd) -> None:
    top = odd.index()
    for ending in (".sig", ".att", ".sbom"):
        odd.sign(top, ending=ending)
    odd.words = "3 attached"


@plain
def signed_platform(odd: Odd) -> None:
    odd.index()
    odd.sign(odd.below()[1])
    odd.words = "1 attached"


@plain
def signed_throughout(odd: Odd) -> None:
    for digest in (odd.index(), *odd.below()):
        odd.sign(digest)
    odd.words = "3 attached"


@plain
def signed_below_two_indexes(odd: Odd) -> None:
    odd.index("amd64")
    pushed = odd.source.put(odd.name, "inner", json.loads(odd.world.get(odd.source, odd.name, "1")))
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [pushed]}
    odd.sign(odd.below()[0])
    odd.sign(pushed["digest"])
    odd.digest = odd.source.put(odd.name, "1", index)["digest"]
    odd.words = "2 attached"


@plain
def one_manifest(odd: Odd) -> None:
    odd.digest = odd.source.put(odd.name, "1", odd.image())["digest"]
    odd.sign(odd.digest)
    odd.words = "1 attached"


@plain
def artifact_with_empty_config(odd: Odd) -> None:
    odd.digest = artifact(odd.source, odd.name, "", reference="1", subject=None)["digest"]
    odd.sign(odd.digest)
    odd.words = "1 attached"


@plain
def docker_manifest(odd: Odd) -> None:
    odd.digest = odd.source.put(odd.name, "1", odd.image(mediaType=DOCKER_MANIFEST))["digest"]
    odd.sign(odd.digest)
    odd.words = "1 attached"


@plain
def index_as_signature(odd: Odd) -> None:
    odd.index()
    one = artifact(odd.source, odd.name, odd.digest, "within")
    listed(odd.source, odd.name, odd.digest, one)
    index = json.loads(odd.world.get(odd.source, odd.name, tag_of(odd.digest)))
    odd.source.put(odd.name, tag_of(odd.digest, ".att"), index)
    odd.tags.add(tag_of(odd.digest, ".att"))
    odd.referrers[odd.digest] = [one["digest"]]
    odd.words = "2 attached"


@plain
def image_as_signature(odd: Odd) -> None:
    odd.index()
    odd.source.put(odd.name, tag_of(odd.digest, ".sig"), odd.image())
    odd.words = "not attached: 1: source: is an image itself"


@plain
def unsigned_of_a_signed_repository(odd: Odd) -> None:
    odd.sign(odd.index("arm64"))
    odd.tags.clear()
    odd.index("amd64")


@plain
def size_that_lies(odd: Odd) -> None:
    top = odd.index()
    odd.sign(top)
    tag = tag_of(top, ".sig")
    manifest = json.loads(odd.world.get(odd.source, odd.name, tag))
    manifest["layers"][0]["size"] = 1 << 30
    odd.source.put(odd.name, tag, manifest)
    odd.tags.clear()
    odd.words = "not attached: 1: source: more than 128 MB"


# --- by the fallback tag


@plain
def bundle(odd: Odd) -> None:
    odd.index()
    odd.list(odd.digest, odd.refer(odd.digest))
    odd.words = "1 attached"


@plain
def bundle_and_signature(odd: Odd) -> None:
    odd.sign(odd.index())
    odd.list(odd.digest, odd.refer(odd.digest))
    odd.words = "2 attached"


@plain
def bundles_of_all(odd: Odd) -> None:
    for digest in (odd.index(), *odd.below()):
        odd.list(digest, odd.refer(digest, "a"), odd.refer(digest, "b"))
    odd.words = "6 attached"


@plain
def bundle_of_a_bundle(odd: Odd) -> None:
    first = odd.refer(odd.index())
    second = odd.refer(first["digest"])
    odd.list(odd.digest, first)
    odd.list(first["digest"], second)
    odd.words = "2 attached"


@plain
def signature_of_an_sbom(odd: Odd) -> None:
    odd.index()
    odd.list(odd.digest, odd.refer(odd.digest, "sbom"))
    odd.sign(odd.referrers[odd.digest][0])
    odd.words = "2 attached"


@plain
def too_deep(odd: Odd) -> None:
    subject = odd.index()
    for level in range(5):
        pushed = artifact(odd.source, odd.name, subject)
        odd.list(subject, pushed)
        if level < 3:
            odd.referrers[subject] = [pushed["digest"]]
        subject = pushed["digest"]
    odd.words = "3 attached"


@plain
def index_as_referrer(odd: Odd) -> None:
    within = artifact(odd.source, odd.name, odd.index(), "within")
    subject = {"mediaType": INDEX, "digest": odd.digest, "size": 2}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [within], "subject": subject}
    pushed = odd.source.put(odd.name, "", index)
    odd.referrers[odd.digest] = [pushed["digest"]]
    odd.list(odd.digest, pushed)
    odd.words = "1 attached"


@plain
def without_layers(odd: Odd) -> None:
    odd.index()
    odd.list(odd.digest, odd.refer(odd.digest, layers=[]))
    odd.words = "1 attached"


@plain
def with_sha512(odd: Odd) -> None:
    body = b"a layer with another hash"
    digest = f"sha512:{hashlib.sha512(body).hexdigest()}"
    begun = httpx.post(f"http://{odd.source.address}/v2/{odd.name}/blobs/uploads/")
    url = httpx.URL(begun.headers["Location"]).copy_merge_params({"digest": digest})
    httpx.put(url, content=body).raise_for_status()
    layer = {"mediaType": BUNDLE, "digest": digest, "size": len(body)}
    odd.index()
    odd.list(odd.digest, odd.refer(odd.digest, layers=[layer]))
    odd.words = "1 attached"


@plain
def without_subject(odd: Odd) -> None:
    odd.index()
    odd.list(odd.digest, artifact(odd.source, odd.name, odd.digest, subject=None))
    odd.words = "not attached: 1: source: of another image"


@plain
def of_another_image(odd: Odd) -> None:
    other = artifact(odd.source, odd.name, digest_of(b"another"))
    odd.index()
    odd.list(odd.digest, other, odd.refer(odd.digest))
    odd.words = "1 attached, not attached: 1: source: of another image"


@plain
def image_as_referrer(odd: Odd) -> None:
    subject = {"mediaType": INDEX, "digest": odd.index(), "size": 2}
    odd.list(odd.digest, odd.source.put(odd.name, "", odd.image(subject=subject)))
    odd.words = "not attached: 1: source: is an image itself"


@plain
def list_that_is_an_image(odd: Odd) -> None:
    odd.source.put(odd.name, tag_of(odd.index()), odd.image())
    odd.words = "not attached: 1: source: list cannot be read"


@plain
def empty_list(odd: Odd) -> None:
    odd.index()
    odd.list(odd.digest)


@plain
def named_twice(odd: Odd) -> None:
    pushed = odd.refer(odd.index())
    odd.list(odd.digest, pushed, pushed)
    odd.words = "1 attached"


# --- by the API


@api
def nothing_by_api(odd: Odd) -> None:
    odd.index()


@api
def bundle_by_api(odd: Odd) -> None:
    odd.index()
    odd.lists[odd.digest] = [odd.refer(odd.digest)]
    odd.words = "1 attached"


@api
def bundle_of_a_platform(odd: Odd) -> None:
    odd.index()
    child = odd.below()[0]
    odd.lists[child] = [odd.refer(child)]
    odd.words = "1 attached"


@api
def empty_api_beside_a_tag(odd: Odd) -> None:
    """GHCR answers the API with an empty list."""
    odd.index()
    odd.lists[odd.digest] = []
    odd.list(odd.digest, odd.refer(odd.digest))
    odd.words = "1 attached"


@api
def both_lists(odd: Odd) -> None:
    odd.index()
    one, two, three = (odd.refer(odd.digest, what) for what in "abc")
    odd.lists[odd.digest] = [one, two]
    odd.list(odd.digest, two, three)
    odd.words = "3 attached"


@api
def two_pages(odd: Odd) -> None:
    odd.index()
    one, two = (odd.refer(odd.digest, what) for what in "ab")
    link = f'</v2/{odd.name}/referrers/{odd.digest}?page=2>; rel="next"'
    first = json.dumps({"manifests": [one]}).encode()
    odd.pages[odd.digest, ""] = 200, first, {"Link": link}
    odd.pages[odd.digest, "page=2"] = 200, json.dumps({"manifests": [two]}).encode(), {}
    odd.words = "2 attached"


@api
def pages_elsewhere(odd: Odd) -> None:
    odd.index()
    one = json.dumps({"manifests": [odd.refer(odd.digest)]}).encode()
    odd.pages[odd.digest, ""] = 200, one, {"Link": '<http://127.0.0.1:9/v2/x>; rel="next"'}
    odd.words = "1 attached"


@api
def pages_without_end(odd: Odd) -> None:
    odd.index()
    one = json.dumps({"manifests": [odd.refer(odd.digest)]}).encode()
    link = {"Link": f"</v2/{odd.name}/referrers/{odd.digest}?again>; rel=next"}
    odd.pages[odd.digest, ""] = odd.pages[odd.digest, "again"] = 200, one, link
    odd.words = "1 attached"


@api
def named_and_not_there(odd: Odd) -> None:
    odd.index()
    odd.lists[odd.digest] = [odd.entry(digest_of(b"nowhere")), odd.refer(odd.digest)]
    odd.words = "1 attached, not attached: 1: source: manifest unknown"


@api
def its_own_referrer(odd: Odd) -> None:
    odd.index()
    odd.lists[odd.digest] = [odd.entry(odd.digest)]
    odd.words = "not attached: 1: source: of another image"


@api
def circle(odd: Odd) -> None:
    one = odd.refer(odd.index())
    odd.lists[odd.digest] = [one]
    odd.lists[one["digest"]] = [one, odd.entry(odd.digest)]
    odd.words = "1 attached, not attached: 2: source: of another image"


@api
def foreign_names(odd: Odd) -> None:
    wrong = ("../../x", "docker.io/library/x@sha256:1", "sha256:" + "A" * 64, "md5:" + "0" * 32)
    odd.index()
    odd.lists[odd.digest] = [*map(odd.entry, wrong), odd.refer(odd.digest)]
    odd.words = "1 attached"


@api
def no_list_at_all(odd: Odd) -> None:
    odd.sign(odd.index())
    for digest in (odd.digest, *odd.below()):
        odd.pages[digest, ""] = 200, b"<html>welcome</html>", {}
    odd.words = "1 attached, not attached: 1: source: list cannot be read"


@api
def endless_list(odd: Odd) -> None:
    odd.index()
    odd.pages[odd.digest, ""] = 200, b" " * (5 << 20), {}
    odd.words = r"not attached: 1: source: 127\.0\.0\.1:\d+: its answer is.*"


@api
def with_another_hash(odd: Odd) -> None:
    odd.index()
    odd.lists[odd.digest] = [odd.entry(f"sha512:{'a' * 128}"), odd.refer(odd.digest)]
    odd.words = "1 attached, not attached: 1: source: its digest is no.*"


@api
def too_many(odd: Odd) -> None:
    odd.index()
    odd.lists[odd.digest] = [odd.entry(digest_of(bytes([n]))) for n in range(130)]
    odd.words = r"not attached: 130: source: .*"


@api
def of_buildkit(odd: Odd) -> None:
    """Nobody attaches anything to the attestations of BuildKit, so that nobody is asked."""
    odd.index()
    index = json.loads(odd.world.get(odd.source, odd.name, "1"))
    own = {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    index["manifests"][1] |= own
    odd.digest = odd.source.put(odd.name, "1", index)["digest"]
    odd.pages[odd.below()[1], ""] = 200, b"<html>not asked</html>", {}


# --- the table, in one run


@contextmanager
def between(world: World, odds: dict[str, Odd]) -> Iterator[Callable[..., Ran]]:
    """A run that reaches ghcr.io through a front with the API."""
    by_name = {f"ghcr.io/{odd.name.partition('/')[2]}": odd for odd in odds.values()}

    def answers(name: str, digest: str, query: str) -> Told | None:
        odd = by_name[name]
        if (digest, query) in odd.pages:
            return odd.pages[digest, query]
        body = {"schemaVersion": 2, "mediaType": INDEX, "manifests": odd.lists.get(digest, [])}
        return 200, json.dumps(body).encode(), {"Content-Type": INDEX}

    addresses = json.loads(world.environment()["REGISTRY_ADDRESSES"])
    with referrers_front(
        f"http://{world.source.address}", ReferrersFront(answers=answers)
    ) as front:
        addresses["ghcr.io"] = f"{front.address}/ghcr.io"
        given = json.dumps(addresses)
        yield lambda text, **env: world.run(text, None, REGISTRY_ADDRESSES=given, **env)


def wrong_at_the_target(odd: Odd, front: ReferrersFront, ran: Ran) -> Iterator[str]:
    """Yield what is not as it should be."""
    target = odd.world.target
    words = f", {odd.words}" if odd.words else ""
    said = ran.says(f"{odd.name}:1")
    if not re.fullmatch(rf"success: {odd.digest} \d+ copied{words}", said):
        yield f"it says {said}"
    if target.head(odd.name, "1") != odd.digest:
        yield "its digest is another one"
    for tag in odd.tags:
        if target.head(odd.name, tag) != odd.source.head(odd.name, tag):
            yield f"{tag} is another one"
    url = f"{front.address}/v2/{odd.name}/referrers/"
    for subject in {odd.digest, *odd.referrers}:
        found = CLIENT.get(f"{url}{subject}", auth=target.auth).json()["manifests"]
        names = sorted(each["digest"] for each in found)
        if names != sorted(odd.referrers.get(subject, [])):
            yield f"{subject} has {names}"
        for each in found:
            body = odd.world.get(target, odd.name, each["digest"])
            entry = (len(body), each["mediaType"], each.get("artifactType"))
            read = json.loads(body)
            if entry != (each["size"], read["mediaType"], read.get("artifactType")):
                yield f"{each} is not what the manifest says"


def test_what_belongs_to_an_image_is_at_the_target_by_tag_and_by_the_api(world: World) -> None:
    named = {f"docker.io/odd/{name}": case for name, case in PLAIN.items()}
    named |= {f"ghcr.io/odd/{name}": case for name, case in API.items()}
    odds = {name: Odd(name, world.source, world) for name in named}
    for name, case in named.items():
        case(odds[name])
    assert len(odds) >= 30
    with between(world, odds) as run:
        ran = run("".join(f"{name}:1\n" for name in odds))
    assert "workflow: " not in ran.output
    assert not ran.skopeo
    with referrers_front(f"http://{world.target.address}", ReferrersFront()) as front:
        wrong = [
            f"{o.name}: {each}"
            for o in odds.values()
            for each in wrong_at_the_target(o, front, ran)
        ]
    assert not wrong, "\n".join(wrong)
