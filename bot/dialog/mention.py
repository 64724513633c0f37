"""The name of a person as a link, by which the chat service tells them of the message."""

from bot.core.ids import PersonId
from bot.dialog.message import Phrase, say


def mention(person: PersonId, name: str | None) -> Phrase:
    """Without a name it is an admin who never wrote to the bot."""
    if name is None:
        return say("admin-linked", id=person)
    return say("person-linked", id=person, name=name)
