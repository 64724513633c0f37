"""Use case: send the mirror configuration for the nodes of a cluster, as a file."""

from typing import Protocol

from bot.core.nodes import NodeTool, as_one_file, node_files
from bot.dialog.message import Message, Text, say
from bot.engine.intake.context import Context, ContextUnit
from bot.engine.ports.chat import Document
from bot.engine.ports.outbox import NewNotes


class NodesUnit(ContextUnit, NewNotes, Protocol):
    """What is written here."""


async def nodes(context: Context[NodesUnit], tool: NodeTool) -> Message | None:
    """The file is a note, so that it is sent once. None where it says everything."""
    here = context.installation
    files = node_files(tool, here.policy.registries, here.target, plain_http=here.plain_http)
    if files is None:
        return Message((say("nodes-flat"),))
    name, text = as_one_file(files)
    caption = Text(Message((say(f"nodes-{tool}", host=here.target.host),)), context.language)
    await context.unit.add_note(
        context.place,
        caption,
        reply_to=context.message,
        file=Document(name, text.encode()),
    )
    return None
