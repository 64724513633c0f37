"""Trusts the authority of the variable CA_BUNDLE besides the system's, here and in skopeo.

OpenSSL and Go both read the file that SSL_CERT_FILE names. So there is one file with both.
"""

import os
import ssl
from pathlib import Path

FILES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
"""Where systems keep the authorities that they trust. The first one there is read."""


def readable(bundle: str) -> bool:
    """Return whether a text holds certificates in PEM."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=bundle)
    except (ssl.SSLError, ValueError):
        return False
    return True


def trust(bundle: str, folder: Path) -> None:
    """Trust these certificates from now on, if they can be read. Called before any request."""
    if not readable(bundle):
        return
    known = (os.environ.get("SSL_CERT_FILE", ""), *FILES)
    system = next((Path(each).read_text() for each in known if Path(each).is_file()), "")
    joined = folder / "certificates.pem"
    joined.write_text(f"{system}\n{bundle}\n", encoding="utf-8")
    os.environ["SSL_CERT_FILE"] = str(joined)
