"""Tables of what chats follow, of the news that they were told, and of when digests were seen."""

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from bot.adapters.store.columns import Id, Image, Platforms, Time, Word
from bot.adapters.store.schema import metadata
from bot.core.follow import ListTrouble

follows = Table(
    "follows",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", Id, nullable=False, index=True),
    Column("chat", Id, nullable=False),
    Column("thread", BigInteger),
    Column("message", Id),
    Column("name", Text, nullable=False),
    Column("range", Text, nullable=False),
    Column("since", Time, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Time, index=True),
    Column("listed_at", Time),
    Column("known", Text, nullable=False, server_default=""),
    Column("news", Text, nullable=False, server_default=""),
    Column("told_at", Time),
    Column("trouble", Word(ListTrouble)),
)

news = Table(
    "news",
    metadata,
    Column("key", Text, primary_key=True),
    Column("chat", Id, nullable=False),
    Column("image", Image, nullable=False),
    Column("digest", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("platforms", Platforms, nullable=False),
    Column("size", BigInteger),
    Column("told_at", Time, nullable=False),
    Column("request", BigInteger),
)

sightings = Table(
    "sightings",
    metadata,
    Column("image", Image, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("since", Time, nullable=False),
    Column("at", Time, nullable=False, index=True),
)
