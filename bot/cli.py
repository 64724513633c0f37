"""The command line: arguments in, one line and an exit code out.

0: well; 1: something did not work, said on standard error; 2: the config is wrong; 3: another
bot already does this one's work.
"""

import asyncio
import gc
import logging
import sys
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import click

from bot import __version__
from bot.config import Secrets, Settings, read_secrets, read_settings
from bot.core.errors import BotError, ConfigError, TakenError
from bot.logs import start_log

ALIVE_WITHIN: Final = timedelta(minutes=3)
"""A bot that has not heard from Telegram for so long is not well: polls end every 30 s."""

_config = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default=Path("config.yaml"),
    show_default=True,
    help="The settings; config.example.yaml explains each.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Ask for container images in a Telegram chat, get them in a registry of your own."""


@cli.command()
@_config
def run(path: Path) -> None:
    """Serve the chats of the config until stopped."""
    settings, secrets = _configured(path)
    from bot import app  # noqa: PLC0415 - the other commands start faster without the libraries

    gc.freeze()  # the libraries stay: going through them would stop the bot for 0.1 s at a time
    _do(app.run(settings, secrets))


@cli.command()
@_config
@click.option("--alive", is_flag=True, help="Only ask whether the running bot is well.")
def check(path: Path, *, alive: bool) -> None:
    """Check the config and reach everything it names; nothing is changed."""
    settings, secrets = _configured(path)
    from bot import check  # noqa: PLC0415 - see run

    well = _do(
        check.alive(settings, ALIVE_WITHIN, click.echo)
        if alive
        else check.everything(settings, secrets, click.echo)
    )
    sys.exit(0 if well else 1)


@cli.command()
@_config
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
def setup(path: Path, *, dry_run: bool) -> None:
    """Install the workflow in the mirror repository, and its variables and secrets."""
    settings, secrets = _configured(path)
    from bot import app  # noqa: PLC0415 - see run
    from bot.setup import install  # noqa: PLC0415 - see run

    repository = app.make_repository(settings, secrets)
    try:
        _do(install(repository, settings, secrets, click.echo, dry_run=dry_run))
    finally:
        repository.close()


_data = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep everything in this folder; without it a temporary one is used.",
)
_internet = click.option(
    "--internet", is_flag=True, help="Copy from the real source registries instead of stand-ins."
)


@cli.command()
@click.option("--port", default=8080, show_default=True, help="The port of the page and its API.")
@_data
@_internet
@click.option(
    "--fresh",
    type=click.FloatRange(min=1),
    metavar="SECONDS",
    help="Look for listed images that moved this often; without it nobody looks.",
)
def sandbox(port: int, data: Path | None, *, internet: bool, fresh: float | None) -> None:
    """Play with the whole product on this machine; no account is needed."""
    start_log()
    from bot.sandbox import world  # noqa: PLC0415 - only this command needs the extra

    _do(world.serve(port=port, data=data, internet=internet, fresh=fresh, say=click.echo))


@cli.command()
@_data
def demo(data: Path | None) -> None:
    """Watch one conversation from the question to the pulled image; no account is needed."""
    start_log(level=logging.ERROR)
    from bot.sandbox import demo as play  # noqa: PLC0415 - only this command needs the extra

    sys.exit(_do(play.play(data=data, say=click.echo)))


def _configured(path: Path) -> tuple[Settings, Secrets]:
    settings = read_settings(path)
    secrets = read_secrets()
    start_log(secrets=secrets.texts())
    return settings, secrets


def _do(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def _one_line(command: Callable[..., object]) -> int:
    """Run the command; what is wrong in the world or the config takes one line, no traceback."""
    try:
        command(prog_name="imageto-bot")
    except ConfigError as error:
        click.echo(f"imageto-bot: {error}", err=True)
        return 2
    except TakenError as error:
        click.echo(f"imageto-bot: {error}", err=True)
        return 3
    except BotError as error:
        click.echo(f"imageto-bot: {error}", err=True)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def main() -> None:
    sys.exit(_one_line(cli))
