"""Reads the config again while the bot runs, at SIGHUP and for /reload.

All parts but the lock of the database are then stopped and started anew with it, as by a restart.
A config that is wrong changes nothing.
"""

from collections.abc import Callable, Iterator

from pydantic import BaseModel

from bot.config import Settings
from bot.core.errors import ConfigError
from bot.engine.shutdown import Shutdown


class Reload:
    """`settings` are those of the parts that run. `parts` is the request to stop these parts.

    `read` returns the settings as the file has them now, and raises ConfigError for a wrong file.
    """

    def __init__(self, settings: Settings, read: Callable[[], Settings]) -> None:
        self.settings = settings
        self.parts = Shutdown()
        self._read = read

    def __call__(self) -> tuple[str, ...]:
        """Read the file. Returns the keys that changed, such as `policy.rules`.

        Where there are some, the parts are asked to stop. Raises ConfigError for a config that the
        bot cannot go on with.
        """
        new = self._read()
        if new.database != self.settings.database:
            raise ConfigError("database: cannot change while the bot runs. Restart the bot.")
        changed = tuple(_changed_keys(self.settings, new))
        if changed:
            self.settings = new
            self.restart()
        return changed

    def restart(self) -> None:
        """Stop the parts. They start anew with the settings, and with what admins hold."""
        self.parts.request()


def _changed_keys(old: BaseModel, new: BaseModel, before: str = "") -> Iterator[str]:
    for name in type(old).model_fields:
        was, now = getattr(old, name), getattr(new, name)
        if isinstance(was, BaseModel) and isinstance(now, BaseModel):
            yield from _changed_keys(was, now, f"{before}{name}.")
        elif was != now:
            yield f"{before}{name}"
