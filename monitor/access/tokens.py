"""The tokens that open the page and the API: the installation's own, and named ones; only hashes are kept."""

import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from msgspec import Struct
from sqlalchemy import Connection, delete, select, update

from monitor.access.tables import access_tokens, sessions
from snapshots.database import insert_if_absent

OWN = "ACCESS_TOKEN"
"""The name of the installation's own token, which is a setting or stands in a file and may do everything."""
PREFIX = "tdt_"
"""Begins every token that we make, so that people and secret scanners know one when they see it."""
SHORTEST = 16
"""Characters; a shorter token that an operator chose could be guessed."""
USED_NOTED_EVERY = timedelta(minutes=5)
"""How exact the time of a token's last use is: noting each use would be a write for each question."""


class Holder(Struct, frozen=True, kw_only=True):
    """Who showed a token that holds: its name, whether it may change things, and its hash."""

    name: str
    may_write: bool
    hash: bytes


class Token(Struct, frozen=True, kw_only=True):
    """A named token as it is listed; times are aware UTC, `last_used_at` exact to five minutes."""

    name: str
    may_write: bool
    made_at: datetime
    last_used_at: datetime | None


def hashed(token: str) -> bytes:
    """The token as it is kept. It is long and random, so one round of SHA-256 is enough."""
    return sha256(token.encode()).digest()


def new() -> str:
    """A fresh token: 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def add(connection: Connection, name: str, *, may_write: bool, now: datetime) -> str | None:
    """Make a token of that name; it is shown this once. None where the name is taken."""
    made = new()
    row = {"name": name, "hash": hashed(made), "may_write": may_write, "made_at": now}
    return made if name != OWN and insert_if_absent(connection, access_tokens, row) else None


def remove(connection: Connection, name: str) -> bool:
    """Remove a token, and end the sessions that it opened; whether there was one."""
    known = connection.execute(select(access_tokens.c.hash).where(access_tokens.c.name == name)).scalar()
    if known is None:
        return False
    connection.execute(delete(sessions).where(sessions.c.token_hash == known))
    connection.execute(delete(access_tokens).where(access_tokens.c.name == name))
    return True


def listing(connection: Connection) -> list[Token]:
    """All named tokens, by name."""
    rows = connection.execute(select(access_tokens).order_by(access_tokens.c.name))
    return [
        Token(name=row.name, may_write=row.may_write, made_at=row.made_at, last_used_at=row.last_used_at)
        for row in rows
    ]


def holder_of(connection: Connection, own: str, token: str) -> Holder | None:
    """Who showed `token`: the installation's `own`, or a named one; None where it is neither.

    What is compared are hashes, in constant time or by an index: how long it takes tells nothing of the token.
    """
    return holder_of_hash(connection, own, hashed(token))


def holder_of_hash(connection: Connection, own: str, hash_: bytes) -> Holder | None:
    """The same for the hash of a token, as sessions keep it."""
    if hmac.compare_digest(hash_, hashed(own)):
        return Holder(name=OWN, may_write=True, hash=hash_)
    row = connection.execute(select(access_tokens).where(access_tokens.c.hash == hash_)).first()
    return Holder(name=row.name, may_write=row.may_write, hash=hash_) if row else None


def is_use_due(connection: Connection, holder: Holder, now: datetime) -> bool:
    """Whether the use of a token is to be noted: the last noted one is some minutes ago."""
    recent = access_tokens.c.last_used_at > now - USED_NOTED_EVERY
    mine = access_tokens.c.name == holder.name
    if holder.name == OWN:
        return False
    return connection.execute(select(access_tokens.c.name).where(mine, recent)).first() is None


def note_use(connection: Connection, holder: Holder, now: datetime) -> None:
    """Note that a token was used."""
    connection.execute(update(access_tokens).where(access_tokens.c.name == holder.name).values(last_used_at=now))
