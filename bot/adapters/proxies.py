"""The proxies that HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY name.

Loopback is never reached through a proxy. This module must not decide which addresses are allowed:
registry/network_guard.py does.
"""

import ipaddress
from collections.abc import Mapping
from urllib.request import getproxies, proxy_bypass

from bot.core.errors import ConfigError


class Proxies:
    """A copy of the variables. Reading them for each call would be slow."""

    def __init__(self, by_scheme: Mapping[str, str] | None = None) -> None:
        """`by_scheme`: proxy URLs by "http", "https", "all" and "no". None reads the environment.

        Raises ConfigError if a proxy is not an HTTP proxy.
        """
        self._by_scheme = getproxies() if by_scheme is None else dict(by_scheme)
        for scheme in ("http", "https"):
            name = scheme if scheme in self._by_scheme else "all"
            kind, named, _ = self._by_scheme.get(name, "").partition("://")
            if named and kind.lower() not in ("http", "https"):
                text = f"is a {kind[:20]} proxy; name an HTTP proxy in HTTPS_PROXY instead"
                raise ConfigError(f"{name.upper()}_PROXY: {text}")

    def of(self, scheme: str, host: str, port: int | None) -> str | None:
        """The URL of the proxy for this destination, None for a direct connection."""
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
