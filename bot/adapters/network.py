"""How all clients reach their services: through which proxy, and trusting which certificates.

The variables HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY are read as by curl, in either case of
letters. Loopback is never reached through a proxy. This module opens no connection, and must not
decide which addresses are allowed: registry/network_guard.py does.
"""

import ipaddress
import os
import re
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

import httpx

from bot.core.errors import ConfigError
from bot.workflow.mirror.proxy import spared

_PORTS: Final = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_LOGIN_BYTES: Final = 255
"""The longest name and the longest password of SOCKS5: RFC 1929."""
_STATUS: Final = re.compile(r"(?:^|Tunnel connection failed: )([3-5][0-9]{2})\b")
"""How httpx and aiohttp, or urllib3, tell the answer of a proxy to CONNECT."""
_LOGIN_NEEDED: Final = "407"


class ProxyError(OSError):
    """What a proxy refused, in words that name neither its login nor ours."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """`variable`: where it is named. `kind`: http or https, or socks5 or socks5h.

    With socks5 the names of services are resolved here, with the others by the proxy.
    """

    variable: str
    kind: str
    host: str
    port: int
    login: tuple[str, str] | None = field(default=None, repr=False)

    @classmethod
    def read(cls, variable: str, text: str) -> "Proxy":
        """Read `kind://user:password@host:port`, percent-encoded. Raises ConfigError."""
        text = text if "://" in text else f"http://{text}"
        kind = text.partition("://")[0].lower()
        if kind not in _PORTS:
            known = ", ".join(f"{each}://" for each in _PORTS)
            raise ConfigError(f"{variable}: is a {kind[:20]} proxy; write one of {known}")
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port or _PORTS[kind]
        except ValueError:
            host, port = None, 0
        if not host:
            raise ConfigError(f"{variable}: should be {kind}://HOST:PORT")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if max(len(each.encode()) for each in (user, password)) > _LOGIN_BYTES:
            raise ConfigError(f"{variable}: its login is longer than {_LOGIN_BYTES} bytes")
        return cls(variable, kind, host, port, (user, password) if user else None)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.kind}://{host}:{self.port}"

    @property
    def is_socks(self) -> bool:
        return self.kind.startswith("socks")

    def basic(self) -> str:
        """The login as a header has it, or nothing."""
        text = ":".join(self.login or ())
        return f"Basic {b64encode(text.encode()).decode()}" if self.login else ""

    def error(self, reason: str) -> ProxyError:
        return ProxyError(f"the proxy {self} {reason}; correct {self.variable}")

    def error_of(self, error: BaseException) -> ProxyError:
        """The same for an error of a library that came before there was a connection."""
        for each in _chain(error):
            if isinstance(each, ProxyError):
                return each
            if status := _STATUS.search(str(each)):
                return self.refusal(status[1])
        return self.error("cannot be reached")

    def refusal(self, status: str) -> ProxyError:
        if status != _LOGIN_NEEDED:
            return self.error(f"answers {status}")
        return self.error(f"{'refuses the login' if self.login else 'asks for a login'} (407)")


def of_proxy(error: BaseException) -> bool:
    """Whether a ProxyError is among the causes of an error."""
    return any(isinstance(each, ProxyError) for each in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and its causes, each once: urllib3 and requests link theirs in circles."""
    found = list[BaseException]()
    while error is not None and error not in found:
        found.append(error)
        yield error
        error = error.__cause__ or error.__context__


class Network:
    """The variables as they are now: reading them for each call would be slow.

    `tls`: one context for all clients. It trusts the public authorities, or in their place those of
    SSL_CERT_FILE or SSL_CERT_DIR, as OpenSSL has it, and those in `certificates` besides.
    """

    def __init__(self, variables: Mapping[str, str] | None = None, certificates: str = "") -> None:
        """`variables`: None reads the environment. `certificates`: PEM, checked before.

        Raises ConfigError for unusable values.
        """
        given = os.environ if variables is None else variables
        self._proxies = {scheme: _named(given, scheme) for scheme in ("http", "https")}
        self._no_proxy = _variable(given, "no_proxy")[1]
        self.tls = _tls(certificates)

    def proxy_of(self, scheme: str, host: str, port: int | None) -> Proxy | None:
        """The proxy for this destination, None for a direct connection."""
        proxy = self._proxies.get(scheme)
        port = port or _PORTS.get(scheme, 0)
        if proxy is None or _is_loopback(host) or spared(host, self._no_proxy, port):
            return None
        return proxy


def _named(variables: Mapping[str, str], scheme: str) -> Proxy | None:
    for name in (f"{scheme}_proxy", "all_proxy"):
        found, text = _variable(variables, name)
        if text:
            return Proxy.read(found, text)
    return None


def _variable(variables: Mapping[str, str], name: str) -> tuple[str, str]:
    """The name as it is there and the value, which may be empty."""
    for each in (name, name.upper()):
        if text := variables.get(each, "").strip():
            return each, text
    return name, ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _tls(certificates: str) -> ssl.SSLContext:
    try:
        context = httpx.create_ssl_context()
    except OSError as error:
        raise ConfigError(f"SSL_CERT_FILE or SSL_CERT_DIR: {error.strerror or error}") from error
    if certificates:
        context.load_verify_locations(cadata=certificates)
    return context
