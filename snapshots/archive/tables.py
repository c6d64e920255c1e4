"""The archive's tables: records, their versions under one chain, steps and changes, sweeps and exceptions.

Versions, steps and changes are only ever added. Times are UTC; releases and registry dates are kept as the registry
wrote them.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from snapshots.database import UtcDateTime, metadata

records = Table(
    "records",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("registry", String, nullable=False),
    Column("registry_id", String, nullable=False),
    Column("title", Text, nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    # what was observed last, repeated here so that a sweep asks one table about its unchanged records
    Column("head_version", Integer),
    Column("head_raw_hash", LargeBinary),
    Column("head_content_hash", LargeBinary),
    # the release at which it was first not answered; and the later one at which that was believed
    Column("absent_since", String),
    Column("missing_since", String),
    Column("merged_into", Integer, ForeignKey("records.id"), index=True),
)

record_ids = Table(
    "record_ids",
    metadata,
    # every id that selects a record: its own and its former ones
    Column("registry", String, primary_key=True),
    Column("registry_id", String, primary_key=True),
    Column("record", Integer, ForeignKey("records.id"), nullable=False, index=True),
)

versions = Table(
    "versions",
    metadata,
    # the place in the chain of appends, over the whole archive, without a gap
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("record", Integer, ForeignKey("records.id"), nullable=False),
    Column("registry_id", String, nullable=False),
    Column("source", String, nullable=False),
    Column("release", String),
    Column("registry_date", String),
    Column("registry_version", Integer),
    Column("observed_at", UtcDateTime, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    Column("raw_sha256", LargeBinary, nullable=False),
    Column("raw_size", Integer, nullable=False),
    Column("chain_hash", LargeBinary, nullable=False, unique=True),
    # how the bytes are stored: the place among the record's versions of this source decides the base
    Column("position", Integer, nullable=False),
    Column("base", Integer, ForeignKey("versions.number")),
    Column("data", LargeBinary, nullable=False),
    # the row of `dictionaries` that a whole one was compressed with, and that of `prunings` where the bytes are gone;
    # no foreign keys, which SQLite adds only by copying all versions: `verify_chain` looks whether they are there
    Column("dictionary", Integer),
    Column("pruned", Integer),
    UniqueConstraint("record", "source", "position"),
)

dictionaries = Table(
    "dictionaries",
    metadata,
    # what whole versions have in common, trained on this archive's own; never removed
    Column("id", Integer, primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

prunings = Table(
    "prunings",
    metadata,
    # who took versions' bytes away, and when; their links stay in the chain
    Column("id", Integer, primary_key=True),
    Column("pruned_at", UtcDateTime, nullable=False),
    Column("pruned_by", String, nullable=False),
)

repackings = Table(
    "repackings",
    metadata,
    # how far a run has come, so that one that was killed goes on: every version up to `done`, of those up to `last`
    Column("id", Integer, primary_key=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("dictionary", Integer),
    Column("last", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("size_before", BigInteger, nullable=False),
)

chain = Table(
    "chain",
    metadata,
    # one row: the last append and its hash
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

steps = Table(
    "steps",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("registry", String, nullable=False),
    Column("record", Integer, ForeignKey("records.id")),
    Column("from_version", Integer, ForeignKey("versions.number")),
    Column("to_version", Integer, ForeignKey("versions.number")),
    Column("release", String),
    Column("observed_at", UtcDateTime, nullable=False, index=True),
    Column("cause", String, nullable=False),
    # the step that tells the same moment by better rules
    Column("superseded_by", Integer, ForeignKey("steps.id")),
    Index("ix_steps_record", "record", "registry"),
    # what is new is shown release by release
    Index("ix_steps_release", "release"),
    # `recent.first_told` asks what a step is told in place of; few steps are ever superseded
    Index(
        "ix_steps_superseded_by",
        "superseded_by",
        sqlite_where=text("superseded_by IS NOT NULL"),
        postgresql_where=text("superseded_by IS NOT NULL"),
    ),
)

changes = Table(
    "changes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("step", Integer, ForeignKey("steps.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("rules_version", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("severity", String, nullable=False),
    # the change itself as JSON; long texts that it quotes stand in `texts` (snapshots.archive.texts)
    Column("change", Text, nullable=False),
    UniqueConstraint("step", "position"),
    # `recent` lists the newest of a kind or a severity; both are few among many
    Index("ix_changes_kind", "kind", "id"),
    Index("ix_changes_severity", "severity", "id"),
)

texts = Table(
    "texts",
    metadata,
    # long texts that changes quote, each once; numbers only rise, so that what one is stored against has a lower one
    Column("id", Integer, primary_key=True),
    Column("sha256", LargeBinary, nullable=False, unique=True),
    Column("size", Integer, nullable=False),
    # how the bytes are stored, as with versions: in line after the text that it replaced
    Column("position", Integer, nullable=False),
    Column("base", Integer, ForeignKey("texts.id")),
    Column("data", LargeBinary, nullable=False),
)

sweeps = Table(
    "sweeps",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("registry", String, nullable=False),
    Column("release", String, nullable=False),
    Column("scope", String, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", Text),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("asked", Integer, nullable=False, server_default=text("0")),
    Column("answered", Integer, nullable=False, server_default=text("0")),
    Column("changed", Integer, nullable=False, server_default=text("0")),
    Column("failed", Integer, nullable=False, server_default=text("0")),
    Index("ix_sweeps_registry", "registry", "state", "id"),
)

sweep_exceptions = Table(
    "sweep_exceptions",
    metadata,
    Column("sweep", Integer, ForeignKey("sweeps.id"), primary_key=True),
    Column("registry_id", String, primary_key=True),
    Column("reason", String, nullable=False),
    Column("detail", Text, nullable=False),
    # the release of the first of the exceptions that followed each other without an answer; null: this sweep's
    Column("since", String),
    # the sweep that answered for the record again, or said the newer trouble
    Column("settled_by", Integer, ForeignKey("sweeps.id")),
    # what a sweep leaves open is asked for at every page view; there are few
    Index(
        "ix_sweep_exceptions_open",
        "registry_id",
        sqlite_where=text("settled_by IS NULL"),
        postgresql_where=text("settled_by IS NULL"),
    ),
)

fillings = Table(
    "fillings",
    metadata,
    # how far the registry's own history of a record was brought in
    Column("registry", String, primary_key=True),
    Column("registry_id", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("listed", Integer, nullable=False),
    Column("reason", Text),
    Column("failures", Integer, nullable=False),
    Column("tried_at", UtcDateTime, nullable=False),
    Column("next_at", UtcDateTime),
    # whether it was joined to what was observed; False while nothing was
    Column("is_joined", Boolean, nullable=False),
)

filling_wishes = Table(
    "filling_wishes",
    metadata,
    # records whose history somebody asked for on the page; the daemon's next look at it takes the row away
    Column("registry", String, primary_key=True),
    Column("registry_id", String, primary_key=True),
    Column("wished_at", UtcDateTime, nullable=False),
)

history_gaps = Table(
    "history_gaps",
    metadata,
    # versions that the registry lists and did not give
    Column("registry", String, primary_key=True),
    Column("registry_id", String, primary_key=True),
    Column("registry_version", Integer, primary_key=True, autoincrement=False),
    Column("registry_date", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("is_final", Boolean, nullable=False),
    Column("noted_at", UtcDateTime, nullable=False),
)
