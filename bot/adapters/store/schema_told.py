"""Tables of what the bot tells unasked, of looks, and of what clusters run.

The other tables are in schema.py.
"""

from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Table, Text

from bot.adapters.store.columns import (
    FailureText,
    Id,
    Image,
    Images,
    Platforms,
    PrivateCardsText,
    Time,
    Word,
    Words,
)
from bot.adapters.store.schema import metadata
from bot.core.look import AtTarget

greetings = Table(
    "greetings",
    metadata,
    Column("chat", Id, primary_key=True),
    Column("at", Time, nullable=False),
)

announcements = Table(
    "announcements",
    metadata,
    Column("chat", Id, primary_key=True),
    Column("thread", BigInteger),
    Column("sent_at", Time, nullable=False),
    Column("message", Id),
    Column("told", Words, nullable=False, server_default=""),
    Column("shown", Text, nullable=False, server_default=""),
)

defects = Table(
    "defects",
    metadata,
    Column("key", Text, primary_key=True),
    Column("since", Time, nullable=False),
    Column("told_at", Time),
    Column("gone_at", Time),
)

private_cards = Table(
    "private_cards",
    metadata,
    Column("person", Id, primary_key=True),
    Column("since", Time, nullable=False),
    Column("wanted", Boolean, nullable=False),
    Column("cards", PrivateCardsText, nullable=False, server_default="{}"),
)

told_lines = Table(
    "told_lines",
    metadata,
    Column("name", Text, primary_key=True),
    Column("at", Time, nullable=False),
)
"""Lines of image.list that were written by hand, of which the admins were told."""

running = Table(
    "running",
    metadata,
    Column("chat", Id, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("at", Time, nullable=False),
    Column("images", Images, nullable=False),
)

looks = Table(  # without foreign keys: each is deleted an hour after its answer
    "looks",
    metadata,
    Column("image", Image, primary_key=True),
    Column("asked_at", Time, nullable=False),
    Column("transfer", Integer),
    Column("shape", Boolean, nullable=False),
    Column("batch", String(32)),
    Column("answered_at", Time),
    Column("digest", Text, nullable=False),
    Column("at_target", Word(AtTarget), nullable=False),
    Column("platforms", Platforms, nullable=False),
    Column("size", BigInteger),
    Column("tags", Platforms, nullable=False),
    Column("failure", FailureText),
    Column("attempts", Integer, nullable=False),
    Column("not_before", Time),
)
