"""Who is signed in on the page: a session is a secret in a cookie, of which the database keeps the hash.

So it survives restarts, holds at every replica, and ends at once for all when it is ended in the database.
"""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from monitor.access import tokens
from monitor.access.tables import sessions
from monitor.access.tokens import Holder

LASTS = timedelta(days=30)
"""How long after its last use a session ends."""
LASTS_AT_MOST = timedelta(days=180)
"""How long after signing in it ends, however much it is used."""
USED_NOTED_EVERY = timedelta(hours=1)


def begin(connection: Connection, holder: Holder, now: datetime) -> str:
    """Open a session for who showed a token; its secret, which stands in the cookie only."""
    secret = secrets.token_urlsafe(32)
    row = {
        "hash": tokens.hashed(secret),
        "token_hash": holder.hash,
        "name": holder.name,
        "opened_at": now,
        "used_at": now,
    }
    connection.execute(insert(sessions).values(**row))
    # nobody comes back to these; their rows go as new ones come
    connection.execute(delete(sessions).where(sessions.c.used_at < now - LASTS))
    return secret


def holder_of(connection: Connection, own: str, secret: str, now: datetime) -> tuple[Holder, bool] | None:
    """Who is signed in with this secret, and whether the use is to be noted (`note_use`); None where nobody is: the
    session ended, or the token that opened it is no longer one. `own` is the installation's token.
    """
    row = connection.execute(select(sessions).where(sessions.c.hash == tokens.hashed(secret))).first()
    if row is None or row.used_at + LASTS <= now or row.opened_at + LASTS_AT_MOST <= now:
        return None
    holder = tokens.holder_of_hash(connection, own, row.token_hash)
    return (holder, row.used_at + USED_NOTED_EVERY <= now) if holder else None


def note_use(connection: Connection, secret: str, now: datetime) -> None:
    """Note that a session was used, which prolongs it."""
    connection.execute(update(sessions).where(sessions.c.hash == tokens.hashed(secret)).values(used_at=now))


def end(connection: Connection, secret: str) -> None:
    """End a session."""
    connection.execute(delete(sessions).where(sessions.c.hash == tokens.hashed(secret)))
