"""Configuration that keeps skopeo on this machine.

skopeo can block registries by name only, not "all others". So the usual top-level domains are
blocked by name, which gives a clear error. For any other host, HTTP proxy variables point to a
port where nothing listens. Pure: no I/O.
"""

from collections.abc import Iterable
from pathlib import Path

# Port 9 is the discard service. Nothing listens there, so connections are refused at once.
_NOWHERE = "http://127.0.0.1:9"
_TOP_LEVEL = (
    "app", "biz", "ch", "cloud", "cn", "co", "com", "de", "dev", "edu", "eu", "fr", "gov", "info",
    "io", "jp", "local", "me", "net", "nl", "org", "ru", "sh", "test", "uk", "us", "xyz",
)  # fmt: skip
_MAPPED = """
[[registry]]
prefix = "{name}"
location = "{location}"
insecure = true
"""
_BLOCKED = """
[[registry]]
prefix = "*.{domain}"
blocked = true
"""


def registries_conf(*, known: Iterable[str], source: str, target: str, internet: bool) -> str:
    """Return skopeo's registries.conf: known names map to the source, the rest is blocked.

    skopeo takes the longest prefix that matches, so docker.io wins over *.io.
    """
    parts = ["unqualified-search-registries = []\n"]
    parts += [_MAPPED.format(name=name, location=f"{source}/{name}") for name in known]
    parts.append(_MAPPED.format(name=target, location=target))
    if not internet:
        parts += [_BLOCKED.format(domain=domain) for domain in _TOP_LEVEL]
    return "".join(parts)


def environment(home: Path, *, internet: bool) -> dict[str, str]:
    """Return skopeo's environment. It finds that file and, without `internet`, only loopback."""
    if internet:
        return {"HOME": str(home)}
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), _NOWHERE)
    fence = proxies | {"NO_PROXY": "127.0.0.1,localhost"}
    return {"HOME": str(home)} | fence | {name.lower(): value for name, value in fence.items()}
