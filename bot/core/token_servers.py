"""Token servers that are on another host than their registry. Each belongs to the registry.

The registry itself names the server. So without this list, one that was taken over could have
logins sent anywhere. bot/workflow/mirror/token_servers.py has the same list: a test compares both.
"""

import re
from collections.abc import Mapping
from typing import Final

TOKEN_SERVERS: Final[Mapping[str, tuple[str, ...]]] = {
    "docker.io": ("auth.docker.io",),
    "docker.elastic.co": ("docker-auth.elastic.co",),
    "registry.gitlab.com": ("gitlab.com",),
    "lscr.io": ("ghcr.io",),
    "cr.fluentbit.io": ("ghcr.io",),
    "registry.suse.com": ("scc.suse.com",),
    "registry.scc.suse.com": ("scc.suse.com",),
}
_ALIBABA: Final = re.compile(
    r"(?:registry(?:-vpc)?\.([a-z0-9-]+)|[a-z0-9-]+\.([a-z0-9-]+)\.cr)\.aliyuncs\.com"
)
_ALIBABA_SERVERS: Final = ("dockerauth", "dockerauth-vpc", "dockerauth-ee", "dockerauth-ee-vpc")
"""One of each a region: https://www.alibabacloud.com/help/en/acr"""


def token_servers(registry: str) -> tuple[str, ...]:
    """The hosts of the registry's token servers, besides its own host."""
    if found := _ALIBABA.fullmatch(registry):
        region = found[1] or found[2]
        return tuple(f"{server}.{region}.aliyuncs.com" for server in _ALIBABA_SERVERS)
    return TOKEN_SERVERS.get(registry, ())
