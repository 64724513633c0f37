"""A small fake registry with logins, manifests, configs and tags, as strict as the bot needs.

The fault tests send registries thousands of requests, so a fast one is needed. Other tests show
that skopeo and the real docker-registry agree with the product.
"""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = {"architecture": "amd64", "os": "linux", "created": "2026-02-01T00:00:00Z"}
USER = "robot$mirror"


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@dataclass
class SmallRegistry:
    """`password` is that of USER. An empty one gives tokens to everybody."""

    password: str = ""
    manifests: dict[tuple[str, str], bytes] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)

    def put(self, repository: str, tag: str) -> str:
        """Store a small image of its own. Return the digest."""
        config = json.dumps(CONFIG).encode()
        layer = f"{repository}:{tag}".encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"digest": digest_of(config), "size": len(config)},
            "layers": [{"digest": digest_of(layer), "size": len(layer)}],
        }
        self.blobs |= {digest_of(config): config, digest_of(layer): layer}
        return self.hold(repository, tag, json.dumps(manifest).encode())

    def hold(self, repository: str, tag: str, manifest: bytes) -> str:
        digest = digest_of(manifest)
        self.manifests[repository, tag] = self.manifests[repository, digest] = manifest
        return digest

    def app(self) -> Starlette:
        name = "{name:path}"
        return Starlette(
            routes=[
                Route("/token", self._token),
                Route(f"/v2/{name}/manifests/{{reference}}", self._manifest),
                Route(f"/v2/{name}/blobs/{{digest}}", self._blob),
                Route(f"/v2/{name}/tags/list", self._tags),
            ]
        )

    async def _token(self, _request: Request) -> Response:
        return JSONResponse({"token": "for-all", "expires_in": 300})

    def _refused(self, request: Request) -> Response | None:
        login = base64.b64encode(f"{USER}:{self.password}".encode()).decode()
        wanted = f"Basic {login}" if self.password else "Bearer for-all"
        if request.headers.get("authorization") == wanted:
            return None
        realm = f'Bearer realm="{request.base_url}token",service="small"'
        challenge = 'Basic realm="small"' if self.password else realm
        return _error(401, "UNAUTHORIZED", {"WWW-Authenticate": challenge})

    async def _manifest(self, request: Request) -> Response:
        wanted = request.path_params["name"], request.path_params["reference"]
        found = self.manifests.get(wanted)
        if (refused := self._refused(request)) is not None:
            return refused
        if found is None:
            return _error(404, "MANIFEST_UNKNOWN")
        told = {"Docker-Content-Digest": digest_of(found)}
        return Response(found, media_type=MANIFEST, headers=told)

    async def _blob(self, request: Request) -> Response:
        found = self.blobs.get(request.path_params["digest"])
        return self._refused(request) or (
            _error(404, "BLOB_UNKNOWN") if found is None else Response(found)
        )

    async def _tags(self, request: Request) -> Response:
        name = request.path_params["name"]
        tags = [tag for held, tag in self.manifests if held == name and ":" not in tag]
        return self._refused(request) or JSONResponse({"name": name, "tags": tags})


def _error(status: int, code: str, headers: dict[str, Any] | None = None) -> Response:
    body = {"errors": [{"code": code, "message": code.lower()}]}
    return JSONResponse(body, status, headers)
