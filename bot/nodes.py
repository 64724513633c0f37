"""Mirror configuration for the nodes of a cluster, so that they pull by the original names.

For each allowed registry it names our registry as a mirror, and the place of the copies there.
The caller writes the files.

https://github.com/containerd/containerd/blob/main/docs/hosts.md
https://docs.k3s.io/installation/private-registry
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from bot.config import Settings
from bot.core.errors import RefusedError
from bot.core.image import DOCKER_HUB, Naming, Target

_SERVERS: Final = {DOCKER_HUB: "registry-1.docker.io"}
"""Where a registry answers, if not under its name: a node asks there for what is not mirrored."""
_HOSTS: Final = """\
# {folder}/hosts.toml: {registry} is pulled from {host} first.
server = "https://{server}"

[host."{scheme}://{host}/v2/{path}"]
  capabilities = ["pull", "resolve"]
  override_path = true
  # A private project: the output of `printf USER:PASSWORD | base64` takes the place of the dots.
  # [host."{scheme}://{host}/v2/{path}".header]
  #   Authorization = "Basic ..."
"""
_MIRROR: Final = """\
  "{registry}":
    endpoint:
      - "{scheme}://{host}"
    rewrite:
      "^(.*)$": "{path}/$1"
"""
_CONFIGS: Final = """\
# A private project needs a login:
# configs:
#   "{host}":
#     auth:
#       username: ...
#       password: ...
"""


def containerd(registries: Sequence[str], target: Target, scheme: str) -> dict[str, str]:
    """The files below containerd's `config_path`, such as /etc/containerd/certs.d, by their paths.

    `scheme` is how the nodes reach the target. Raises RefusedError where the names of the target
    cannot be made of a source's.
    """
    _check(target, "containerd")
    return {f"{each}/hosts.toml": _hosts(each, target, scheme) for each in registries}


def k3s(registries: Sequence[str], target: Target, scheme: str) -> dict[str, str]:
    """The same for k3s and RKE2: one file, registries.yaml."""
    _check(target, "k3s")
    mirrors = [
        _MIRROR.format(registry=each, scheme=scheme, host=target.host, path=_path_of(each, target))
        for each in registries
    ]
    whole = f"mirrors:\n{''.join(mirrors)}{_CONFIGS.format(host=target.host)}"
    return {"registries.yaml": whole}


TOOLS: Final[Mapping[str, Callable[[Sequence[str], Target, str], dict[str, str]]]] = {
    "containerd": containerd,
    "k3s": k3s,
}


def files_for(tool: str, settings: Settings) -> dict[str, str]:
    """The files for all allowed registries of the config. Raises RefusedError as above."""
    target = settings.target_registry()
    address = settings.addresses.get(target.host, "https://")
    scheme = "http" if address.startswith("http://") else "https"
    return TOOLS[tool](sorted(settings.policy.registries), target, scheme)


def _hosts(registry: str, target: Target, scheme: str) -> str:
    return _HOSTS.format(
        folder=registry,
        registry=registry,
        server=_SERVERS.get(registry, registry),
        scheme=scheme,
        host=target.host,
        path=_path_of(registry, target),
    )


def _path_of(registry: str, target: Target) -> str:
    """What stands before the repository in the target's name, without the host."""
    name = registry.lower().replace(":", "_")
    return f"{target.prefix}/{name}" if target.prefix else name


def _check(target: Target, tool: str) -> None:
    if target.naming is Naming.FLAT:
        raise RefusedError(
            f"target.naming is flat: {tool} puts a path before a name and cannot join its parts, "
            "so no node pulls by the original names. Use nested names, or rewrite the manifests"
        )
