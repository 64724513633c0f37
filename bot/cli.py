"""The command line: reads arguments, prints a line for each error, and returns the exit code.

What a command does is in app.py, check.py, setup.py, refill.py, wishes.py and sandbox/.
"""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from bot import __version__
from bot.cli_options import config_option, read_config
from bot.cli_reports import COMMANDS
from bot.config import read_settings, read_target_secrets
from bot.core.errors import BotError, ConfigError, RefusedError, TakenError
from bot.core.pattern import corrected
from bot.decision_key import file_beside
from bot.dialog.language import Language
from bot.env_file import read_environment
from bot.logs import FORMATS, LEVELS, start_log, visible

_EXIT_CODES: Final = """\b
Exit codes:
  0         success
  1         a service or a check failed
  2         the config or a secret is wrong
  3         another bot uses the database
  4         policy diff: something would be decided otherwise
  130, 143  stopped at once by a second SIGINT or SIGTERM
"""


@click.group(epilog=_EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Ask for container images in a Telegram chat and get them in your own registry."""


for _command in COMMANDS:
    cli.add_command(_command)


@cli.command()
@config_option
@click.option(
    "--log-format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="text",
    show_default=True,
    envvar="IMAGETO_LOG_FORMAT",
    help="How the log is written: for people, or as an object of JSON in each line.",
)
@click.option(
    "--log-level",
    "level",
    type=click.Choice(LEVELS),
    default="info",
    show_default=True,
    envvar="IMAGETO_LOG_LEVEL",
    help="The least level that is written.",
)
def run(path: Path, *, form: str, level: str) -> None:
    """Run the bot until SIGTERM or Ctrl-C. SIGHUP reads the config again."""
    settings, secrets = read_config(path, make_key=True, form=form, level=level)
    from bot import app  # noqa: PLC0415 - the other commands start faster without the libraries

    _serve(app.run(settings, secrets, partial(read_settings, path)))


@cli.command()
@config_option
@click.option("--alive", is_flag=True, help="Only check that the bot runs and reaches Telegram.")
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON, for programs.")
def check(path: Path, *, alive: bool, as_json: bool) -> None:
    """Check the config, all services and all rights. Nothing is left behind."""
    settings, secrets = read_config(path, level="error")  # its lines say what is wrong
    from bot import check  # noqa: PLC0415 - see run
    from bot.engine.outage import ALIVE_WITHIN  # noqa: PLC0415 - see run

    succeeded = asyncio.run(
        check.alive(settings, ALIVE_WITHIN, click.echo)
        if alive
        else check.everything(settings, secrets, click.echo, as_json=as_json)
    )
    sys.exit(0 if succeeded else 1)


@cli.command()
@config_option
@click.option(
    "--environment",
    metavar="NAME",
    help="Keep the secrets in this environment of the repository, which admits the branch alone. "
    "It stays so until another name is given, or '' for none.",
)
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
def setup(path: Path, *, environment: str | None, dry_run: bool) -> None:
    """Install the workflow in the mirror repository. Projects that Harbor lacks are created."""
    settings, secrets = read_config(path, make_key=not dry_run)
    from bot.clients import open_setup  # noqa: PLC0415 - see run
    from bot.setup import install  # noqa: PLC0415 - see run
    from bot.target_projects import create_projects  # noqa: PLC0415 - see run

    async def work() -> None:
        async with open_setup(settings, secrets) as (repository, harbor):
            await install(
                repository, settings, secrets, click.echo, environment=environment, dry_run=dry_run
            )
            await create_projects(harbor, settings, click.echo, dry_run=dry_run)

    asyncio.run(work())


@cli.command()
@config_option
def resume(path: Path) -> None:
    """Lift the pause, without a second admin."""
    _wish(path, "pause")


@cli.command()
@config_option
@click.argument("pattern")
def unblock(path: Path, pattern: str) -> None:
    """Lift the block of a pattern, without a second admin."""
    _wish(path, "block", corrected(pattern) or pattern)


@cli.command()
@config_option
@click.argument("person")
def forget(path: Path, person: str) -> None:
    """Delete the name and the pseudonym of a person. Decisions stay.

    PERSON is an id, such as telegram:1003.
    """
    from bot.core.ids import split_id  # noqa: PLC0415 - see run

    try:
        split_id(person)
    except ValueError as error:
        raise RefusedError(str(error)) from error
    _wish(path, "forget", person)


def _wish(path: Path, kind: str, about: str = "") -> None:
    settings = read_settings(path)
    from bot.engine.decided import Rules  # noqa: PLC0415 - see run
    from bot.engine.ports.wishes import Wish, WishKind  # noqa: PLC0415 - see run
    from bot.wishes import wish  # noqa: PLC0415 - see run

    rules = Rules(settings.policy_in_force(), settings.allow_lists().admins)
    wanted = Wish(WishKind(kind), about)
    click.echo(asyncio.run(wish(Path(settings.database), wanted, rules)))


@cli.command()
@config_option
def keys(path: Path) -> None:
    """Make the key that signs statements, and print its public half."""
    settings = read_settings(path)
    from bot import statement_key  # noqa: PLC0415 - see run

    database, given = Path(settings.database), read_environment(path).get("STATEMENT_KEY", "")
    if not given.strip():
        statement_key.make_key(database)
        click.echo(f"The key is in {statement_key.file_beside(database)}", err=True)
    click.echo(statement_key.required_key(given, database).public, nl=False)


@cli.command(epilog="Exit codes: 0 all are proved, 1 one is not, 2 one could not be asked about.")
@config_option
@click.argument("images", nargs=-1, required=True)
@click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The public key in PEM. Without it, the key of this bot is taken.",
)
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON, for programs.")
def verify(path: Path, images: tuple[str, ...], *, key: Path | None, as_json: bool) -> None:
    """Prove who decided on images in the target, and why.

    An image is named as at its source or as in the target. No token is needed.
    """
    settings, secrets = read_settings(path), read_target_secrets(read_environment(path))
    start_log(secrets=secrets.texts(), level="error")
    from bot.verify import verify as work  # noqa: PLC0415 - see run

    sys.exit(asyncio.run(work(settings, secrets, images, key, as_json=as_json, say=_say)))


@cli.command()
@config_option
def refill(path: Path) -> None:
    """Copy all of image.list to an empty target again. Each gets its last decided digest."""
    settings, secrets = read_config(path)
    from bot.refill import refill_target  # noqa: PLC0415 - see run

    asyncio.run(refill_target(settings, secrets, click.echo))


@cli.command()
@config_option
@click.option(
    "--answers",
    "given",
    type=click.Path(path_type=Path),
    help="Take the answers from this YAML file instead of the terminal.",
)
def init(path: Path, given: Path | None) -> None:
    """Ask for what the bot needs, and write its config and secrets."""
    from bot.config_file import read_document  # noqa: PLC0415 - see run
    from bot.init import Collecting, apis_of, go_on  # noqa: PLC0415 - see run
    from bot.init.answers import FileOfAnswers, Terminal  # noqa: PLC0415 - see run

    start_log(level="error")
    # asyncio's own handler would only cancel, which a person at a question does not see.
    signal.signal(signal.SIGINT, _interrupt)
    found = None if given is None else read_document(given).data
    answers = Terminal() if given is None else FileOfAnswers(str(given), found)
    asyncio.run(Collecting(answers, apis_of(found, str(given)), _say).write(path))
    settings, secrets = read_config(path, make_key=True, level="error")
    sys.exit(0 if asyncio.run(go_on(answers, settings, secrets, _say)) else 1)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _say(line: str) -> None:
    """Print a line. Foreign words in it cannot move the cursor."""
    click.echo(visible(line))


_file = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@cli.command()
@config_option
@_file
def backup(path: Path, file: Path) -> None:
    """Copy the database to FILE. The bot may run meanwhile."""
    database = Path(read_settings(path).database)
    from bot.adapters.store.backup import back_up  # noqa: PLC0415 - see run

    back_up(database, file)
    from bot import statement_key  # noqa: PLC0415 - see run

    both = (file_beside(database), statement_key.file_beside(database))
    keys = " and ".join(str(each) for each in both if each.exists()) or str(both[0])
    click.echo(f"{file} is the database as it was now. Keep {keys} with it")


@cli.command()
@config_option
@_file
def restore(path: Path, file: Path) -> None:
    """Let the database be the copy FILE. No bot may run meanwhile."""
    database = Path(read_settings(path).database)
    from bot.adapters.store.backup import put_back  # noqa: PLC0415 - see run

    old = asyncio.run(put_back(file, database))
    click.echo(f"{database} is {file} now" + (f". The one before is {old}" if old else ""))


_data = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep everything in this folder. Without it, a temporary folder is used.",
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
    help="Check listed images for upstream updates this often. Without it, they are not checked.",
)
@click.option("--bare", is_flag=True, help="Without a bot: to try `imageto-bot init`.")
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="With what is off by default: requests in issues, and statements of who decided.",
)
@click.option(
    "--language",
    type=click.Choice([each.value for each in Language]),
    default=Language.EN.value,
    show_default=True,
    help="The language of the page and of the groups.",
)
def sandbox(*, language: str, **options: Any) -> None:
    """Try the whole product on this machine. No account is needed."""
    start_log()
    from bot.sandbox import world  # noqa: PLC0415 - only this command needs the extra

    _serve(world.serve(**options, language=Language(language), say=click.echo))


@cli.command()
@_data
def demo(data: Path | None) -> None:
    """Watch one conversation from the question to the pulled image. No account is needed."""
    start_log(level="error")
    from bot.sandbox import demo as play  # noqa: PLC0415 - only this command needs the extra

    sys.exit(asyncio.run(play.play(data=data, say=click.echo)))


def _serve(work: Coroutine[Any, Any, None]) -> None:
    """Run what does not end by itself, with the garbage collector that main switched off."""
    # Modules are never freed. Without them a full garbage collection is 0.1 s shorter.
    gc.freeze()
    gc.enable()
    asyncio.run(work)


def _exit_code(command: Callable[..., object]) -> int:
    """Run the command. An expected error is told on standard error, without a traceback."""
    try:
        command(prog_name="imageto-bot")
    except BotError as error:
        for line in str(error).splitlines():
            click.echo(f"imageto-bot: {line}", err=True)
        match error:
            case ConfigError():
                return 2
            case TakenError():
                return 3
            case _:
                return 1
    except KeyboardInterrupt:
        return 130
    return 0


def main() -> None:
    """Run a command. Without passes over what the imports made it starts and ends 0.4 s sooner."""
    gc.disable()
    try:
        sys.exit(_exit_code(cli))
    finally:
        gc.freeze()
