"""Checks of this machine: proxies and certificates in use, the database and the free disk."""

import os
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bot.adapters.network import Network
from bot.adapters.registry.client import HUB_ADDRESS
from bot.adapters.store import newest_migration, schema_of
from bot.check.report import CheckLine, CheckLines, failed, ok, warning
from bot.config import Settings
from bot.core.errors import TransientError
from bot.core.image import DOCKER_HUB

LEAST: Final = 100 * 2**20
FEW: Final = 2**30
"""Bytes of free disk: below the first the bot may stop working, below the second is a warning."""
_CERTIFICATES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Either is used in place of the public authorities, the first one that is set."""


async def machine(settings: Settings, network: Network) -> CheckLines:
    yield _proxies(network, settings)
    yield _certificates(settings)
    database = Path(settings.database)
    yield _database(database)
    yield _disk(database)


def _proxies(network: Network, settings: Settings) -> CheckLine:
    """Who is reached by which proxy. A proxy is named without its login."""
    places = {} if settings.telegram is None else {"Telegram": settings.telegram.api}
    places["GitHub"] = settings.github.api
    known = {DOCKER_HUB: str(HUB_ADDRESS), **settings.addresses}
    for registry in (*sorted(settings.policy.registries), settings.target.host):
        places[registry] = known.get(registry, f"https://{registry}")
    found = defaultdict[str, list[str]](list)
    for name, url in places.items():
        parts = urlsplit(url)
        proxy = network.proxy_of(parts.scheme, parts.hostname or "", parts.port)
        found[f"{proxy} ({proxy.variable})" if proxy else ""].append(name)
    direct = found.pop("", [])
    if not found:
        return ok("proxies", "none is used")
    lines = [f"{', '.join(names)} by {proxy}" for proxy, names in found.items()]
    lines += [f"{', '.join(direct)} directly"] if direct else []
    return ok("proxies", ". ".join(lines))


def _certificates(settings: Settings) -> CheckLine:
    """`Network` has read them all, so they are usable."""
    own = [f"{key}={os.environ[key]}" for key in _CERTIFICATES if os.environ.get(key)][:1]
    used = [*(own or ["the public authorities"]), *filter(None, [settings.ca_bundle])]
    return ok("certificates", f"of {' and of '.join(used)}")


def _database(path: Path) -> CheckLine:
    name = "database"
    folder = path.parent
    if not (os.path.isdir(folder) and os.access(folder, os.W_OK)):  # noqa: PTH112 - never raises
        return failed(name, f"{folder} is no folder that can be written", "create it")
    if not os.path.exists(path):  # noqa: PTH110 - never raises
        return ok(name, f"{path} is created at the first start")
    if os.path.isdir(path):  # noqa: PTH112 - never raises
        return failed(name, f"{path} is a folder", "name a file in it")
    if not os.access(path, os.W_OK):
        return failed(name, f"{path} cannot be written", "give it to the account of the bot")
    try:
        found = schema_of(path)
    except TransientError as error:
        return failed(name, error, "restore it, or name another one")
    if found is not None and found > newest_migration():
        text = f"{path} is of a newer version of this program"
        return failed(name, text, "use that version, or restore a backup")
    if found != newest_migration():
        return ok(
            name, f"{path} has schema {found} and gets {newest_migration()} at the next start"
        )
    return ok(name, f"{path} has schema {found}")


def _disk(database: Path) -> CheckLine:
    folder = next(
        each
        for each in (database.resolve(), *database.resolve().parents)
        if os.path.isdir(each)  # noqa: PTH112 - never raises
    )
    free = shutil.disk_usage(folder).free
    text = f"{free / 2**30:.1f} GiB free at {folder}"
    if free < LEAST:
        return failed("disk", text, "make room: the bot must store before it acts")
    return warning("disk", text, "make room") if free < FEW else ok("disk", text)
