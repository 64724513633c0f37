"""The tables. A column has the name of the field that it stores.

Every change here needs a migration: a test compares the two. How values are converted to columns is
in columns.py, and queries are in the other modules of this folder.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from bot.adapters.store.columns import (
    BadTexts,
    FailureText,
    Id,
    Image,
    Images,
    Pairs,
    Platforms,
    Positions,
    Time,
    TroubleText,
    Word,
)
from bot.core.batch import Via
from bot.core.decision import Ground, Verdict
from bot.core.events import Proof
from bot.core.gathering import Cut
from bot.core.hold import HoldKind
from bot.core.request import PullFormat
from bot.core.tag_class import TagClass
from bot.core.transfer import State
from bot.dialog.language import Language
from bot.dialog.questions import QuestionKind

metadata = MetaData()

people = Table(
    "people",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("language", String(16), nullable=False, server_default=""),
)

requests = Table(
    "requests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", ForeignKey("people.id"), nullable=False),
    Column("chat", Id, nullable=False),
    Column("thread", BigInteger),
    Column("message", Id),
    Column("opened_at", Time, nullable=False),
    Column("confirmed_at", Time),
    Column("untagged", Images, nullable=False, server_default=""),
    Column("charts", Images, nullable=False, server_default=""),
    Column("card", Id),
    Column("shown", Text, nullable=False, server_default=""),
    Column("cancelled_at", Time),
    Column("told_at", Time),
    Column("told_in", Id),
    Column("told", Text, nullable=False, server_default=""),
    Column("form", Word(PullFormat), nullable=False, server_default=str(PullFormat.DOCKER)),
    Column("returned", Integer, nullable=False, server_default="0"),
    Column("returned_at", Time),
    Column("version", String(16), nullable=False, server_default=""),
    Column("page", Integer, nullable=False, server_default="0"),
    Column("choosing", Boolean, nullable=False, server_default=text("0")),
    Column("left_out", Positions, nullable=False, server_default=""),
    Column("rejecting", Id),
    Column("refused_at", Time),
    Column("closed_at", Time),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Time),
    Index("refused_cards", "id", sqlite_where=text("refused_at IS NOT NULL")),
    Index("open_requests", "id", sqlite_where=text("closed_at IS NULL")),
    Index("requests_of_person", "person", "opened_at"),
    Index("closed_requests", "closed_at", sqlite_where=text("closed_at IS NOT NULL")),
    sqlite_autoincrement=True,
)

batches = Table(
    "batches",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("via", Word(Via), nullable=False),
    Column("opened_at", Time, nullable=False, index=True),
    Column("committing_at", Time),
    Column("sha", String(64)),
    Column("committed_at", Time),
    Column("dispatching_at", Time),
    Column("dispatched_at", Time),
    Column("run", BigInteger),
    Column("run_url", Text, nullable=False, server_default=""),
    Column("run_seen_at", Time),
    Column("run_began_at", Time),
    Column("closed_at", Time),
    Column("policy", String(64), nullable=False, server_default=""),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Time),
    Column("trouble", TroubleText, nullable=False, server_default=""),
    Index("open_batches", "opened_at", sqlite_where=text("closed_at IS NULL")),
    Index("closed_batches", "closed_at", sqlite_where=text("closed_at IS NOT NULL")),
)

transfers = Table(
    "transfers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("image", Image, nullable=False, index=True),
    Column("opened_at", Time, nullable=False),
    Column("checked_at", Time),
    Column("digest", Text),
    Column("replaces", Text),
    Column("platforms", Platforms, nullable=False, server_default=""),
    Column("size", BigInteger),
    Column("ground", Word(Ground)),
    Column("signer", Text, nullable=False, server_default=""),
    Column("signed_by", Text, nullable=False, server_default=""),
    Column("expires_at", Time),
    Column("approved_at", Time),
    Column("approved_by", Id),
    Column("batch", ForeignKey("batches.id")),
    Column("submitted_at", Time),
    Column("run", BigInteger),
    Column("run_url", Text, nullable=False, server_default=""),
    Column("copying_at", Time),
    Column("copied_digest", Text),
    Column("copied_at", Time),
    Column("previous_tag", Text, nullable=False, server_default=""),
    Column("previous_refusal", Text, nullable=False, server_default=""),
    Column("attachments", BigInteger, nullable=False, server_default="0"),
    Column("attachments_refusal", Text, nullable=False, server_default=""),
    Column("pull_refusal", Text, nullable=False, server_default=""),
    Column("ended", Word(State)),
    Column("ended_at", Time),
    Column("ended_by", Id),
    Column("reason", Text, nullable=False, server_default=""),
    Column("failure", FailureText),
    Column("meant", Images, nullable=False, server_default=""),
    Column("proof", Word(Proof)),
    Column("requeue_cause", FailureText),
    *(Column("requeues", Integer, nullable=False, server_default="0"), Column("held_until", Time)),
    Column("retries", Integer),  # no foreign key: it may be deleted before this one
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Time),
    Column("trouble", TroubleText, nullable=False, server_default=""),
    Index(
        "one_open_transfer",
        "image",
        unique=True,
        sqlite_where=text("ended IS NULL AND coalesce(ground, '') NOT IN ('offered', 'removal')"),
    ),
    Index("open_offers", "image", sqlite_where=text("ended IS NULL AND ground = 'offered'")),
    Index(
        "one_open_removal",
        "image",
        unique=True,
        sqlite_where=text("ended IS NULL AND ground = 'removal'"),
    ),
    Index("open_transfers", "id", sqlite_where=text("ended IS NULL")),
    # Without transfers that never had a batch: a query for those must not use this index.
    Index("transfers_in_batch", "batch", sqlite_where=text("batch IS NOT NULL")),
    Index("ended_transfers", "ended_at", sqlite_where=text("ended_at IS NOT NULL")),
    Index("failed_transfers", "ended_at", sqlite_where=text("failure IS NOT NULL")),
    sqlite_autoincrement=True,
)

links = Table(
    "request_transfers",
    metadata,
    Column("request", ForeignKey("requests.id"), primary_key=True),
    Column("transfer", ForeignKey("transfers.id"), primary_key=True, index=True),
    Column("position", Integer, nullable=False),
)

pseudonyms = Table(
    "pseudonyms",
    metadata,
    Column("person", Id, primary_key=True),
    Column("pseudonym", String(16), nullable=False, unique=True),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("request", Integer),  # no foreign keys: a decision outlives what it was made on
    Column("transfer", Integer, nullable=False, index=True),
    Column("image", Image, nullable=False),
    Column("name", Text, nullable=False),  # registry/repository
    Column("tag", Text),
    Column("digest", Text, nullable=False),
    Column("verdict", Word(Verdict), nullable=False),
    Column("ground", Word(Ground), nullable=False),
    Column("rule", Text, nullable=False, server_default=""),
    Column("pseudonym", String(16)),
    Column("card", String(16), nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("replaces", Integer),
    Column("signer", Text, nullable=False, server_default=""),
    Column("signed_by", Text, nullable=False, server_default=""),
    Column("at", Time, nullable=False),
    Index("decisions_on_name", "name", "id"),
    Index("decisions_on_tags", "id", sqlite_where=text("ground IN ('kept', 'floats')")),
    sqlite_autoincrement=True,
)
"""Triggers of the migration refuse to change or delete a row. So it names persons by pseudonym."""

card_versions = Table(
    "card_versions",
    metadata,
    Column("key", String(16), primary_key=True),
    Column("request", ForeignKey("requests.id"), nullable=False, index=True),
    Column("pairs", Pairs, nullable=False),
    Column("made_at", Time, nullable=False),
)

drafts = Table(
    "drafts",
    metadata,
    Column("request", ForeignKey("requests.id"), primary_key=True),
    Column("images", Images, nullable=False, server_default=""),
    Column("left_out", Positions, nullable=False, server_default=""),
    Column("page", Integer),
    Column("bad", BadTexts, nullable=False, server_default="[]"),
    Column("file", Text, nullable=False, server_default=""),
    Column("more_files", Integer, nullable=False, server_default="0"),
    Column("cut", Word(Cut)),
)

files = Table(
    "files",
    metadata,
    Column("request", ForeignKey("requests.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("file_id", Text, nullable=False),
    Column("content", LargeBinary),
)

gatherings = Table(
    "gatherings",
    metadata,
    Column("request", ForeignKey("requests.id"), primary_key=True),
    Column("first_at", Time, nullable=False),
    Column("sent_at", Time, nullable=False),
    Column("until", Time, nullable=False),
    Column("album", Text, nullable=False, server_default=""),
    Column("parts", Integer, nullable=False, server_default="1"),
    Column("length", Integer, nullable=False, server_default="0"),
    Column("cut", Word(Cut)),
    Column("read_at", Time),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Time),
)

heard_files = Table(
    "heard_files",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("album", Text, nullable=False, index=True),
    Column("person", Id, nullable=False),
    Column("chat", Id, nullable=False),
    Column("name", Text, nullable=False),
    Column("file_id", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("at", Time, nullable=False),
)
"""Files of albums whose command may still come: in a group it stands on any of them."""

questions = Table(
    "questions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Word(QuestionKind), nullable=False),
    Column("text", Text, nullable=False),
    Column("person", Id, nullable=False),
    Column("chat", Id, nullable=False),
    Column("thread", BigInteger),
    Column("language", Word(Language), nullable=False),
    Column("opened_at", Time, nullable=False),
    Column("page", Integer, nullable=False, server_default="0"),
    Column("message", Id),
    Column("edits", Id),
    Column("file", Text, nullable=False, server_default=""),
    Column("file_name", Text, nullable=False, server_default=""),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Time),
)

tracked = Table(
    "tracked",
    metadata,
    Column("image", Image, primary_key=True),
    Column("registry", Text, nullable=False),
    Column("tag_class", Word(TagClass), nullable=False),
    Column("not_before", Time, nullable=False),
    Column("looked_at", Time),
    Column("source", Text, nullable=False, server_default=""),
    Column("target", Text, nullable=False, server_default=""),
    Column("told", Text, nullable=False, server_default=""),
    Column("alarmed", Text, nullable=False, server_default=""),
    Column("updated_at", Time),
    Column("transfer", ForeignKey("transfers.id")),
    Column("arrived_at", Time),
    Column("seen_at", Time),
    Column("missing_since", Time),
    Column("missed", Integer, nullable=False, server_default="0"),
    Column("gone_at", Time),
    Column("gone_news", Time),
    # Rows with an update or a transfer are not due. Without them, the index stays small.
    Index(
        "tracked_due",
        *("registry", "not_before"),
        sqlite_where=text("updated_at IS NULL AND transfer IS NULL"),
    ),
    Index(
        "tracked_next", "not_before", sqlite_where=text("updated_at IS NULL AND transfer IS NULL")
    ),
    Index("tracked_far", "tag_class", "not_before"),
    Index("tracked_looked", "looked_at", "registry"),
    Index("tracked_updated", "updated_at", sqlite_where=text("updated_at IS NOT NULL")),
    Index("tracked_on_way", "transfer", sqlite_where=text("transfer IS NOT NULL")),
    Index("tracked_gone_news", "gone_news", sqlite_where=text("gone_news IS NOT NULL")),
    Index("tracked_arrived", "arrived_at", sqlite_where=text("arrived_at IS NOT NULL")),
)

kept_before = Table("kept_before", metadata, Column("image", Image, primary_key=True))
"""Tracked images that were kept fresh without a question. Each is offered to admins once."""

holds = Table(
    "holds",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Word(HoldKind), nullable=False),
    Column("person", Id, nullable=False),
    Column("at", Time, nullable=False),
    Column("pattern", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("lift_by", Id),
    Column("lift_at", Time),
    Column("lifted_at", Time),
    sqlite_autoincrement=True,
)

retries = Table(
    "retries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", Id, nullable=False),
    Column("images", Integer, nullable=False),
    Column("at", Time, nullable=False),
    Index("retries_of_person", "person", "at"),
)

watches = Table(
    "watches",
    metadata,
    Column("person", ForeignKey("people.id"), primary_key=True),
    Column("image", Image, primary_key=True, index=True),
    Column("chat", Id, nullable=False),
    Column("thread", BigInteger),
    Column("message", Id),
    Column("since", Time, nullable=False),
)

moves = Table(
    "moves",
    metadata,
    Column("chat", Id, primary_key=True),
    Column("origin", Id, nullable=False),
)

notes = Table(
    "notes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("chat", Id, nullable=False),
    Column("thread", BigInteger),
    Column("reply_to", Id),
    Column("edits", Id),
    Column("text", Text, nullable=False),
    Column("instead_chat", Id),
    Column("instead_text", Text),
    Column("file_name", Text, nullable=False, server_default=""),
    Column("file", LargeBinary),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Time),
)

handled = Table(
    "handled",
    metadata,
    Column("key", Text, primary_key=True),
    Column("at", Time, nullable=False, index=True),
)
"""The updates of the last days, since a service may repeat them."""

cursors = Table(
    "cursors",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
