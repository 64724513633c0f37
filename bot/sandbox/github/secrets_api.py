"""Secrets and environments of the sandbox's GitHub.

Secrets arrive in real sealed boxes, are opened here, and are never returned by the API. A job that
names an environment gets its secrets, if the environment admits the branch of the run.
https://docs.github.com/en/rest/deployments/environments
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.sandbox.github.http import (
    ApiRefusal,
    Endpoint,
    answer,
    body,
    invalid,
    listed,
    not_found,
    nothing,
    now,
    root,
    text_field,
)

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAMED: Final = re.compile(r"^    environment: \"?([^\"#\n]+?)\"? *(?:#.*)?$", re.MULTILINE)
_KEY_ID: Final = "1"
_ADMINISTRATION: Final = {"X-Accepted-GitHub-Permissions": "administration=write"}


@dataclass
class Environment:
    """Where jobs run: its secrets, and the patterns of branches that may use them, by id.

    `restricted` False admits every branch.
    """

    restricted: bool = False
    branches: dict[int, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)

    def admits(self, branch: str) -> bool:
        return not self.restricted or any(fnmatchcase(branch, p) for p in self.branches.values())


@dataclass
class SecretStore:
    """All secrets of a repository. `administration`: whether the token may change environments."""

    repository: dict[str, str] = field(default_factory=dict, repr=False)
    environments: dict[str, Environment] = field(default_factory=dict)
    administration: bool = True

    def for_run(self, workflow: str, branch: str) -> dict[str, str]:
        """Return what a job gets. Raises ValueError in GitHub's words where it may not run."""
        named = _NAMED.search(workflow)
        if named is None:
            return self.repository
        environment = self.environments.setdefault(named[1], Environment())  # GitHub creates it
        if not environment.admits(branch):
            raise ValueError(
                f'Branch "{branch}" is not allowed to deploy to {named[1]} due to environment '
                "protection rules."
            )
        return self.repository | environment.secrets


class SecretEndpoints:
    """The part of the REST API below `actions/secrets` and `environments`."""

    def __init__(self, store: SecretStore) -> None:
        self._store = store
        self._key = PrivateKey.generate()

    def routes(self, prefix: str) -> list[Route]:
        one = f"{prefix}/environments/{{environment}}"
        policies = f"{one}/deployment-branch-policies"
        return [
            *self._secret_routes(f"{prefix}/actions/secrets", lambda _: self._store.repository),
            *self._secret_routes(f"{one}/secrets", lambda r: self._environment(r).secrets),
            Route(one, self.environment, methods=["GET"]),
            Route(one, self.put_environment, methods=["PUT"]),
            Route(policies, self.policies, methods=["GET"]),
            Route(policies, self.add_policy, methods=["POST"]),
            Route(f"{policies}/{{policy:int}}", self.remove_policy, methods=["DELETE"]),
        ]

    # -- environments -----------------------------------------------------------------------

    async def environment(self, request: Request) -> Response:
        return answer(self._shape(request, self._environment(request)))

    async def put_environment(self, request: Request) -> Response:
        self._expect_administration()
        data, name = await body(request), request.path_params["environment"]
        policy = data.get("deployment_branch_policy")
        kinds = (
            {key: policy.get(key) for key in ("protected_branches", "custom_branch_policies")}
            if policy
            else {}
        )
        if policy and kinds["protected_branches"] == kinds["custom_branch_policies"]:
            raise invalid(
                "protected_branches and custom_branch_policies cannot have the same value"
            )
        found = self._store.environments.setdefault(name, Environment())
        found.restricted = policy is not None
        return answer(self._shape(request, found))

    async def policies(self, request: Request) -> Response:
        found = self._environment(request).branches
        shown = [_policy(number, name) for number, name in found.items()]
        return listed(request, shown, key="branch_policies")

    async def add_policy(self, request: Request) -> Response:
        self._expect_administration()
        found, name = self._environment(request), text_field(await body(request), "name")
        if not found.restricted:
            raise not_found()
        if name in found.branches.values():
            return Response(status_code=303)
        number = max(found.branches, default=0) + 1
        found.branches[number] = name
        return answer(_policy(number, name))

    async def remove_policy(self, request: Request) -> Response:
        self._expect_administration()
        if self._environment(request).branches.pop(request.path_params["policy"], None) is None:
            raise not_found()
        return nothing()

    def _expect_administration(self) -> None:
        if not self._store.administration:
            words = "Resource not accessible by personal access token"
            raise ApiRefusal(403, words, _ADMINISTRATION)

    def _environment(self, request: Request) -> Environment:
        found = self._store.environments.get(request.path_params["environment"])
        if found is None:
            raise not_found()
        return found

    def _shape(self, request: Request, found: Environment) -> dict[str, Any]:
        path = request.url.path.removeprefix(str(request.scope.get("root_path", "")))
        policy = {"protected_branches": False, "custom_branch_policies": True}
        rules = [{"id": 1, "node_id": "GA_1", "type": "branch_policy"}] if found.restricted else []
        return {
            "id": 1,
            "node_id": "EN_1",
            "name": request.path_params["environment"],
            "url": f"{root(request)}{path}",
            "created_at": now(),
            "updated_at": now(),
            "protection_rules": rules,
            "deployment_branch_policy": policy if found.restricted else None,
        }

    # -- secrets ----------------------------------------------------------------------------

    def _secret_routes(
        self, address: str, place: Callable[[Request], dict[str, str]]
    ) -> list[Route]:
        """Return the routes for the secrets in one place, which `place` finds for a request."""

        async def show(request: Request) -> Response:
            return answer(_secret(_expected(place(request), request)))

        async def show_all(request: Request) -> Response:
            return listed(request, [_secret(n) for n in sorted(place(request))], key="secrets")

        async def store(request: Request) -> Response:
            return await self._put(request, place(request))

        async def remove(request: Request) -> Response:
            there = place(request)
            del there[_expected(there, request)]
            return nothing()

        async def public_key(request: Request) -> Response:
            place(request)
            key = base64.b64encode(bytes(self._key.public_key)).decode()
            return answer({"key_id": _KEY_ID, "key": key})

        found: list[tuple[str, Endpoint, str]] = [
            (f"{address}/public-key", public_key, "GET"),
            (address, show_all, "GET"),
            (f"{address}/{{name}}", show, "GET"),
            (f"{address}/{{name}}", remove, "DELETE"),
            (f"{address}/{{name}}", store, "PUT"),
        ]
        return [Route(path, endpoint, methods=[method]) for path, endpoint, method in found]

    async def _put(self, request: Request, there: dict[str, str]) -> Response:
        data = await body(request)
        name = setting_name(request.path_params["name"])
        if data.get("key_id") != _KEY_ID:
            raise invalid("Bad request: key_id is not the current public key")
        value = self._opened(text_field(data, "encrypted_value"))
        known = name in there
        there[name] = value
        return nothing() if known else answer({}, 201)

    def _opened(self, sealed: str) -> str:
        try:
            return SealedBox(self._key).decrypt(base64.b64decode(sealed)).decode()
        except (CryptoError, binascii.Error, ValueError):
            raise invalid("encrypted_value could not be decrypted") from None


def setting_name(name: str) -> str:
    """Return the name of a secret or a variable as GitHub keeps it. Raises ApiRefusal."""
    if _NAME.fullmatch(name) is None or name.upper().startswith("GITHUB_"):
        raise invalid("Name can only hold letters, digits and _, and must not start with GITHUB_")
    return name.upper()


def _expected(there: dict[str, str], request: Request) -> str:
    name = str(request.path_params["name"]).upper()
    if name not in there:
        raise not_found()
    return name


def _secret(name: str) -> dict[str, str]:
    return {"name": name, "created_at": now(), "updated_at": now()}


def _policy(number: int, name: str) -> dict[str, object]:
    return {"id": number, "node_id": f"GP_{number}", "name": name, "type": "branch"}
