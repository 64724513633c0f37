"""The commands that tell of rules and of decisions. They change nothing.

cli.py adds them to the others.
"""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from bot.cli_options import config_option, read_config
from bot.config import read_settings
from bot.core.errors import RefusedError
from bot.core.nodes import NodeTool, as_one_file, node_files


@click.command()
@config_option
@click.argument("images", nargs=-1, required=True)
@click.option("--all", "everything", is_flag=True, help="With diff: name all images.")
def policy(path: Path, images: tuple[str, ...], *, everything: bool) -> None:
    """Tell which rule of the config decides on an image, and why.

    `policy diff FILE` tells what the list and the requests of a year would have met with the rules
    of another config. Exit code 4: something would be decided otherwise.
    """
    if len(images) == 2 and images[0] == "diff":  # noqa: PLR2004 - the word and a file
        _compare(path, Path(images[1]), everything=everything)
        return
    settings = read_settings(path)
    from bot.policy_report import explanation, image_from  # noqa: PLC0415 - see run

    for line in settings.policy.warnings():
        click.echo(f"config: warning: {line}")
    rules = settings.policy_in_force()
    for text in images:
        click.echo(explanation(rules, image_from(text, settings.target.host)))


def _compare(path: Path, other: Path, *, everything: bool) -> None:
    settings, secrets = read_config(path, level="error")
    new = read_settings(other)
    from bot.policy_diff import compare  # noqa: PLC0415 - see run

    work = compare(settings, secrets, new, click.echo, everything=everything)
    sys.exit(4 if asyncio.run(work) else 0)


@click.command()
@config_option
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    default="1970-01-01",
    help="The first day, in UTC. Without it, everything that is kept.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "json", "in-toto"]),
    default="csv",
    show_default=True,
    help="A table, an object on each line, or an unsigned in-toto statement on each line.",
)
def history(path: Path, *, since: datetime, form: str) -> None:
    """Print what was decided, by whom, when, and what came of it. People stand by pseudonym."""
    settings = read_settings(path)
    from bot.history_export import export  # noqa: PLC0415 - see run

    export(settings, since.replace(tzinfo=UTC), form, sys.stdout)


@click.command()
@config_option
@click.argument("pseudonym")
def who(path: Path, pseudonym: str) -> None:
    """Tell who has a pseudonym.

    PSEUDONYM stands in the trailer of a commit, such as p:7f3a91c2.
    """
    settings = read_settings(path)
    from bot.adapters.store import person_behind  # noqa: PLC0415 - see run

    found = person_behind(Path(settings.database), pseudonym)
    if found is None:
        raise RefusedError(f"nobody has the pseudonym {pseudonym}, or the person was forgotten")
    click.echo(" ".join(found).rstrip())


@click.command()
@config_option
@click.argument("tool", type=click.Choice(list(NodeTool)))
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the files below this folder. Without it, they are printed.",
)
def nodes(path: Path, tool: str, folder: Path | None) -> None:
    """Write how the nodes of a cluster pull by the original names."""
    settings = read_settings(path)
    target, plain = settings.target_registry(), settings.plain_http()
    found = node_files(NodeTool(tool), settings.policy.registries, target, plain_http=plain)
    if found is None:
        raise RefusedError(
            f"target.naming is flat: {tool} puts a path before a name and cannot join its parts. "
            "Use nested names, or let people rewrite their files"
        )
    if folder is None:
        click.echo(as_one_file(found)[1], nl=False)
        return
    for name, text in found.items():
        file = folder / name
        if file.exists() and file.read_text("utf-8") != text:
            raise RefusedError(f"{file}: is there already, and says something else")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        click.echo(file)


COMMANDS = (policy, history, nodes, who)
