"""What several commands share: the option `--config`, and how the config is read."""

from pathlib import Path

import click

from bot.config import Secrets, Settings, read_secrets, read_settings
from bot.core.errors import ConfigError
from bot.decision_key import with_key
from bot.env_file import read_environment
from bot.logs import start_log

config_option = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default=Path("config.yaml"),
    show_default=True,
    envvar="IMAGETO_CONFIG",
    help="The settings. config.example.yaml explains each.",
)


def read_config(path: Path, *, make_key: bool = False, **log: str) -> tuple[Settings, Secrets]:
    """`log`: how start_log writes it."""
    settings, given = config_and_environment(path)
    secrets = with_key(given, Path(settings.database), make=make_key)
    start_log(secrets=secrets.texts(), **log)
    return settings, secrets


def config_and_environment(path: Path) -> tuple[Settings, Secrets]:
    """The config and the environment. Raises ConfigError with what is wrong in either."""
    try:
        settings = read_settings(path)
    except ConfigError as error:
        try:
            read_secrets(read_environment(path))
        except ConfigError as other:
            raise ConfigError(f"{error}\n{other}") from error
        raise
    telegram = settings.telegram is not None
    return settings, read_secrets(read_environment(path), telegram=telegram)
