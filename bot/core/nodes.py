"""Mirror configuration for the nodes of a cluster, so that they pull by the original names.

For each registry it names our registry as a mirror, and the place of the copies there.

https://github.com/containerd/containerd/blob/main/docs/hosts.md
https://docs.k3s.io/installation/private-registry
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Final

from bot.core.image import DOCKER_HUB, Naming, Target


class NodeTool(StrEnum):
    """What pulls images on a node. k3s stands for RKE2 too."""

    CONTAINERD = "containerd"
    K3S = "k3s"


_SERVERS: Final = {DOCKER_HUB: "registry-1.docker.io"}
"""Where a registry answers, if not under its name: a node asks there for what is not mirrored."""
_HOSTS: Final = """\
# {registry} is pulled from {host} first, and then from the server below.
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
_SCRIPT: Final = """\
#!/bin/sh
# Run this on each node as root. The folder is containerd's config_path. No restart is needed.
set -eu
cd "${{1:-/etc/containerd/certs.d}}"
{files}"""
_FILE: Final = """
mkdir -p '{folder}'
cat > '{folder}/hosts.toml' <<'END'
{text}END
"""


def node_files(
    tool: NodeTool, registries: Collection[str], target: Target, *, plain_http: bool
) -> dict[str, str] | None:
    """The files by their paths: below containerd's `config_path`, or in k3s' folder.

    `plain_http`: the target has no TLS, as in the sandbox. None where flat names make it
    impossible: both tools put a path before a name, and neither can join its parts.
    """
    if target.naming is Naming.FLAT:
        return None
    scheme = "http" if plain_http else "https"
    if tool is NodeTool.CONTAINERD:
        folders = {f"{each}/hosts.toml": each for each in sorted(registries)}
        return {path: _filled(_HOSTS, each, target, scheme) for path, each in folders.items()}
    mirrors = (_filled(_MIRROR, each, target, scheme) for each in sorted(registries))
    login = _CONFIGS.format(host=target.host)
    return {"registries.yaml": f"mirrors:\n{''.join(mirrors)}{login}"}


def as_one_file(files: dict[str, str]) -> tuple[str, str]:
    """The name and the content of one file that stands for all: a script where there are several.

    A registry has no quotes in its name.
    """
    if len(files) == 1 and "registries.yaml" in files:
        return "registries.yaml", files["registries.yaml"]
    written = (
        _FILE.format(folder=path.rpartition("/")[0], text=text) for path, text in files.items()
    )
    return "containerd-mirrors.sh", _SCRIPT.format(files="".join(written))


def _filled(template: str, registry: str, target: Target, scheme: str) -> str:
    name = registry.lower().replace(":", "_")  # as in Target.name_of
    return template.format(
        registry=registry,
        server=_SERVERS.get(registry, registry),
        scheme=scheme,
        host=target.host,
        path=f"{target.prefix}/{name}" if target.prefix else name,
    )
