"""Joins two manifests of one tag, so that a copy takes nothing away from what the target has.

cosign keeps every signature as a layer of one manifest, whose annotations hold the signature. An
index of referrers names a manifest for each. Pure: no I/O.
"""

import json
from typing import Any

from .manifest import Manifest, NotMovedError
from .registry_http import BODY_BYTES, UNREADABLE

ENTRIES = 1000  # of one manifest


def merged(theirs: Manifest, ours: Manifest, *, several: bool = True) -> Manifest:
    """Return a manifest with the entries of both: one of the two, unchanged, where that has all.

    Without `several` the tag may have one content only, as that of an SBOM. The config stays
    theirs: nobody reads that of signatures. Raises NotMovedError where both cannot be in one.
    """
    there, mine = _read(theirs), _read(ours)
    name = "manifests" if "manifests" in mine else "layers"
    known, new = _entries(there, name), _entries(mine, name)
    if new.keys() <= known.keys():
        return theirs
    same_kind = (theirs.kind, _config(there)) == (ours.kind, _config(mine))
    if not several or not same_kind or name not in there:
        raise NotMovedError("target: has another content under its tag")
    if known.keys() <= new.keys():
        return ours
    every = [*known.values(), *(each for key, each in new.items() if key not in known)]
    body = json.dumps({**there, name: every}, separators=(",", ":")).encode()
    if len(every) > ENTRIES or len(body) > BODY_BYTES:
        raise NotMovedError("target: has too much under its tag")
    return Manifest(body, theirs.kind, {}, {})


def _read(manifest: Manifest) -> dict[str, Any]:
    try:
        return dict(json.loads(manifest.body))
    except (*UNREADABLE, TypeError):
        raise NotMovedError("target: has what cannot be read under its tag") from None


def _config(read: dict[str, Any]) -> object:
    config = read.get("config")
    return config.get("mediaType") if isinstance(config, dict) else None


def _entries(read: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the entries by what makes them one: of a layer, its annotations too."""
    try:
        entries = {_key(each, name): each for each in read.get(name) or ()}
        if any(each.get("platform") for each in entries.values()):
            raise NotMovedError("target: has an image of several platforms under its tag")
    except (AttributeError, KeyError, TypeError):
        raise NotMovedError("target: has what cannot be read under its tag") from None
    return entries


def _key(entry: dict[str, Any], name: str) -> str:
    own = entry.get("annotations") or {} if name == "layers" else {}
    return f"{entry['digest']} {json.dumps(own, sort_keys=True)}"
