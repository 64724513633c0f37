"""Tables of what the bot tells unasked: announcements, defects, and cards in private.

The other tables are in schema.py.
"""

from sqlalchemy import BigInteger, Boolean, Column, Table, Text

from bot.adapters.store.columns import Id, PrivateCardsText, Time, Words
from bot.adapters.store.schema import metadata

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
