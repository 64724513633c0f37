"""What signing tools attach to an image, and a front that gives a registry the referrers API.

The docker-registry of the tests has no such API. The front answers it from the fallback tags, as a
registry does that was given the API later. With `keeps` it remembers what names a subject, and
says so by OCI-Subject, as newer ones do. A test may also let it answer whatever it likes.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from mirror_fronts import Front, Passing
from registry_fixture import CLIENT, INDEX, MANIFEST, Registry, digest_of, serving

SIGNATURE = "application/vnd.dev.cosign.simplesigning.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
Told = tuple[int, bytes, dict[str, str]]


def tag_of(digest: str, ending: str = "") -> str:
    return f"{digest.replace(':', '-')}{ending}"


def entry_of(pushed: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**pushed, **more}


def signature(registry: Registry, name: str, digest: str, *words: str) -> dict[str, Any]:
    """Sign as cosign does: each signature is a layer under the tag `sha256-HEX.sig`."""
    layers = [
        {
            **registry.blob(name, SIGNATURE, f"payload of {digest}".encode()),
            "annotations": {"dev.cosignproject.cosign/signature": each},
        }
        for each in words
    ]
    config = registry.blob(name, CONFIG, b'{"rootfs": {"type": "layers", "diff_ids": []}}')
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
    return registry.put(name, tag_of(digest, ".sig"), manifest)


def artifact(
    registry: Registry,
    name: str,
    subject: str,
    what: str = "attestation",
    /,
    reference: str = "",
    **more: Any,
) -> dict[str, Any]:
    """Push what names a subject, such as a bundle of sigstore. Its config is the empty one."""
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": BUNDLE,
        "config": registry.blob(name, EMPTY, b"{}"),
        "layers": [registry.blob(name, BUNDLE, f"{what} of {subject}".encode())],
        "subject": {"mediaType": MANIFEST, "digest": subject, "size": 2},
        "annotations": {"what": what},
        **more,
    }
    return registry.put(name, reference, {k: v for k, v in manifest.items() if v is not None})


def listed(registry: Registry, name: str, subject: str, *entries: dict[str, Any]) -> None:
    """Name these under the fallback tag of a digest. A list that lies is not stored as such."""
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(entries)}
    registry.put(name, tag_of(subject), index)


@dataclass
class ReferrersFront(Front):
    """`answers` are asked first, with the name, the digest and the query of a request."""

    answers: Callable[[str, str, str], Told | None] = lambda _name, _digest, _query: None
    keeps: bool = False
    named: defaultdict[tuple[str, str], list[dict[str, Any]]] = field(
        default_factory=lambda: defaultdict(list)
    )


class _WithReferrers(Passing):
    front: ReferrersFront

    def own(self, _body: bytes) -> Told | None:
        name, is_list, rest = self.path.removeprefix("/v2/").partition("/referrers/")
        if not is_list:
            return None
        digest, _, query = rest.partition("?")
        return self.front.answers(name, digest, query) or self.page(name, digest)

    def more(self, body: bytes) -> dict[str, str]:
        """Remember what was pushed with a subject."""
        name, is_manifest, _ = self.path.removeprefix("/v2/").partition("/manifests/")
        if not (self.front.keeps and is_manifest and json.loads(body).get("subject")):
            return {}
        subject = json.loads(body)["subject"]["digest"]
        kind = self.headers["Content-Type"]
        entry = {"mediaType": kind, "digest": digest_of(body), "size": len(body)}
        if entry not in self.front.named[name, subject]:
            self.front.named[name, subject].append(entry)
        return {"OCI-Subject": subject}

    def page(self, name: str, digest: str) -> Told:
        entries = self.front.named[name, digest]
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
        body = json.dumps(index).encode()
        if not self.front.keeps:
            url = f"{self.place}/v2/{name}/manifests/{tag_of(digest)}"
            auth = {"Authorization": self.headers["Authorization"] or ""}
            got = CLIENT.get(url, headers={"Accept": INDEX, **auth}, timeout=90)
            body = got.content if got.is_success else body
        return 200, body, {"Content-Type": INDEX}


@contextmanager
def referrers_front(place: str, front: ReferrersFront) -> Iterator[ReferrersFront]:
    """Serve a registry with the referrers API."""
    handler = type("_Own", (_WithReferrers,), {"place": place, "front": front})
    with serving(handler) as front.address:
        yield front
