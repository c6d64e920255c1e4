"""The tables behind likeness: what each record is compared by, and what the registry answered when it was asked."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text
from sqlalchemy.dialects.postgresql import TSVECTOR

from snapshots.database import UtcDateTime, metadata

likenesses = Table(
    "likenesses",
    metadata,
    Column("record", Integer, ForeignKey("records.id"), primary_key=True, autoincrement=False),
    # the version that it was read from; another head: it is to be read anew
    Column("version", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("conditions", Text, nullable=False),
    Column("interventions", Text, nullable=False),
    Column("sponsor", Text, nullable=False),
    Column("status", String),
    # the registry's words, blank between them
    Column("phases", String, nullable=False),
    # on PostgreSQL alone: the four texts with their weights; SQLite has them in `likeness_words`, a table of FTS5
    Column("words", Text().with_variant(TSVECTOR(), "postgresql")),
    Index("ix_likenesses_words", "words", postgresql_using="gin"),
)

related_answers = Table(
    "related_answers",
    metadata,
    Column("registry", String, primary_key=True),
    Column("registry_id", String, primary_key=True),
    # somebody asks for it; null: nobody waits
    Column("wanted_at", UtcDateTime),
    Column("asked_at", UtcDateTime),
    # why it could not be asked; null: it answered
    Column("reason", Text),
    # what it answered, as JSON: [{"id", "title", "status", "phases"}]
    Column("found", Text),
    Index("ix_related_answers_wanted_at", "wanted_at"),
)
