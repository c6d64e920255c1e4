"""Where it is kept who may come in: named tokens and open sessions, both as hashes only."""

from sqlalchemy import Boolean, Column, Index, LargeBinary, String, Table

from snapshots.database import UtcDateTime, metadata

access_tokens = Table(
    "access_tokens",
    metadata,
    Column("name", String, primary_key=True),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("may_write", Boolean, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime),
)

sessions = Table(
    "sessions",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    # of the token that opened it: where that is removed or replaced, the session ends
    Column("token_hash", LargeBinary, nullable=False),
    Column("name", String, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime, nullable=False),
    Index("ix_sessions_token_hash", "token_hash"),
    Index("ix_sessions_used_at", "used_at"),
)
