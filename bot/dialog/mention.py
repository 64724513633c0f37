"""The name of a person as a link, by which the chat service tells them of the message."""

from bot.core.ids import PersonId, number_of
from bot.dialog.message import Phrase, say


def mention(person: PersonId, name: str | None) -> Phrase:
    """Without a name it is an admin who never wrote to the bot."""
    if name is None:
        return say("admin-linked", id=str(number_of(person)))
    return say("person-linked", id=str(number_of(person)), name=name)
