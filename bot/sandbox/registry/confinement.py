"""What keeps skopeo on this machine.

skopeo can be told to block registries by name only, and has no word for "all others". So there
are two fences: the usual top-level domains are blocked by name, which skopeo says in clear
words, and whatever else needs a network meets a proxy that does not exist. Pure: text only.
"""

from collections.abc import Iterable
from pathlib import Path

# Port 9 is the discard service: nothing listens there, so a refusal comes at once.
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
    """Return skopeo's registries.conf: known names live at the source, the rest is blocked.

    skopeo takes the longest prefix that matches, so docker.io wins over *.io.
    """
    parts = ["unqualified-search-registries = []\n"]
    parts += [_MAPPED.format(name=name, location=f"{source}/{name}") for name in known]
    parts.append(_MAPPED.format(name=target, location=target))
    if not internet:
        parts += [_BLOCKED.format(domain=domain) for domain in _TOP_LEVEL]
    return "".join(parts)


def environment(home: Path, *, internet: bool) -> dict[str, str]:
    """Return the environment in which skopeo reads that file and reaches loopback alone."""
    if internet:
        return {"HOME": str(home)}
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), _NOWHERE)
    fence = proxies | {"NO_PROXY": "127.0.0.1,localhost"}
    return {"HOME": str(home)} | fence | {name.lower(): value for name, value in fence.items()}
