"""The operator's proxies: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY of the environment.

Never for loopback: what is asked for there is on this machine. What goes through a proxy, and
which addresses may be asked for at all, is not decided here.
"""

import ipaddress
from collections.abc import Mapping
from urllib.request import getproxies, proxy_bypass

from bot.core.errors import ConfigError


class Proxies:
    """As they were at the start: to read them at each call would be a good part of its cost."""

    def __init__(self, by_scheme: Mapping[str, str] | None = None) -> None:
        """Raises ConfigError where one is needed that is no proxy of HTTP."""
        self._by_scheme = getproxies() if by_scheme is None else dict(by_scheme)
        for scheme in ("http", "https"):
            name = scheme if scheme in self._by_scheme else "all"
            kind, named, _ = self._by_scheme.get(name, "").partition("://")
            if named and kind.lower() not in ("http", "https"):
                text = f"is a {kind[:20]} proxy; name one of HTTP in HTTPS_PROXY instead"
                raise ConfigError(f"{name.upper()}_PROXY: {text}")

    def of(self, scheme: str, host: str, port: int | None) -> str | None:
        """The address of the proxy with its scheme; None for the direct way."""
        proxy = self._by_scheme.get(scheme) or self._by_scheme.get("all")
        named = host if port is None else f"{host}:{port}"
        if proxy is None or _is_loopback(host) or proxy_bypass(named):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
