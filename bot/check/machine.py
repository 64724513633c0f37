"""Checks of this machine: proxies and certificates in use, the database and the free disk."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bot.adapters.proxies import Proxies
from bot.adapters.store import newest_migration, schema_of
from bot.check.report import CheckLine, CheckLines, failed, ok, warning
from bot.config import Settings
from bot.core.errors import TransientError

LEAST: Final = 100 * 2**20
FEW: Final = 2**30
"""Bytes of free disk: below the first the bot may stop working, below the second is a warning."""
_CERTIFICATES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")


async def machine(settings: Settings) -> CheckLines:
    yield _proxies(_hosts(settings))
    yield _certificates()
    database = Path(settings.database)
    yield _database(database)
    yield _disk(database)


def _hosts(settings: Settings) -> Iterable[str]:
    urls = (settings.telegram.api, settings.github.api, f"https://{settings.target.host}")
    return sorted({urlsplit(url).hostname or "" for url in urls})


def _proxies(hosts: Iterable[str]) -> CheckLine:
    proxies = Proxies()
    by_host = {host: proxies.of("https", host, None) for host in hosts}
    used = [f"{host} by {urlsplit(url).hostname}" for host, url in by_host.items() if url]
    return ok("proxies", ", ".join(used) or "none is used")


def _certificates() -> CheckLine:
    name, given = "certificates", {key: os.environ.get(key, "") for key in _CERTIFICATES}
    for key, path in given.items():
        if path and not os.path.exists(path):  # noqa: PTH110 - never raises
            return failed(name, f"{key} names {path}, which is not there", f"correct {key}")
    used = [f"{key}={path}" for key, path in given.items() if path]
    return ok(name, ", ".join(used) or "those of this machine and of the libraries")


def _database(path: Path) -> CheckLine:
    name = "database"
    folder = path.parent
    if not (os.path.isdir(folder) and os.access(folder, os.W_OK)):  # noqa: PTH112 - never raises
        return failed(name, f"{folder} is no folder that can be written", "create it")
    if not os.path.exists(path):  # noqa: PTH110 - never raises
        return ok(name, f"{path} is created at the first start")
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
