"""Which proxy a request goes through, by the variables that curl, Go and skopeo read too.

NO_PROXY is read as curl does (https://curl.se/docs/manpage.html#--noproxy), which knows CIDR. An
entry may also begin with `*.`, or end with a port, as Go has it. The bot reads it by this code too.
"""

import base64
import ipaddress
import os
import re
import urllib.parse
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Proxy:
    """A proxy that is spoken to by plain HTTP. `login` is its Proxy-Authorization, if any."""

    host: str
    port: int
    login: str = field(default="", repr=False)

    @classmethod
    def read(cls, text: str) -> "Proxy":
        """Read `http://user:password@host:port`. Raises ValueError for another kind of proxy."""
        parts = urllib.parse.urlsplit(text if "://" in text else f"http://{text}")
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError("proxyconnect: the proxy is no http://HOST:PORT")
        user, password = (
            urllib.parse.unquote(each or "") for each in (parts.username, parts.password)
        )
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        return cls(parts.hostname, parts.port or 80, f"Basic {login}" if user else "")


def proxy_for(scheme: str, host: str, port: int) -> Proxy | None:
    """Return the proxy for a place. Raises ValueError when the variable cannot be used."""
    text = _variable(f"{scheme}_proxy") or _variable("all_proxy")
    if not text or spared(host, _variable("no_proxy"), port):
        return None
    return Proxy.read(text)


def spared(host: str, entries: str, port: int) -> bool:
    """Return whether NO_PROXY names a host, which may be a name or an address."""
    if entries.strip() == "*":
        return True
    name = host.lower().rstrip(".")
    found = re.split(r"[,\s]+", entries.lower())
    return any(_names(entry, name, port) for entry in found if entry)


def _names(entry: str, host: str, port: int) -> bool:
    with_port = re.fullmatch(r"(\[[^]]*\]|[^:]*):([0-9]{1,5})", entry)
    if with_port:
        return int(with_port[2]) == port and _names(with_port[1], host, port)
    address = _address(host)
    if address:
        try:
            return address in ipaddress.ip_network(entry.strip("[]"), strict=False)
        except ValueError:
            return False
    suffix = entry.removeprefix("*").strip(".")
    return bool(suffix) and (host == suffix or host.endswith(f".{suffix}"))


def _address(host: str) -> "ipaddress.IPv4Address | ipaddress.IPv6Address | None":
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _variable(name: str) -> str:
    return (os.environ.get(name) or os.environ.get(name.upper()) or "").strip()
