"""What is fed to whoever knows an address: a trial, a group or a subscription; its addresses are made, renewed, ended.

An address ends in a token that cannot be guessed (`links`): the feed's number and generation, and what proves that we
made it. Renewing raises the generation, so that the address of before opens nothing any more.
"""

import hmac
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID, uuid5

from msgspec import Struct
from sqlalchemy import Connection, Row, delete, select, update

from notifiers import links
from notifiers.tables import feeds
from snapshots.database import insert_if_absent

About = Literal["trial", "group", "subscription"]


class Feed(Struct, frozen=True, kw_only=True):
    """One thing that is fed. `name` is a trial's id, a group's or a subscription's name; times are aware UTC."""

    id: int
    about: About
    name: str
    generation: int
    made_at: datetime
    renewed_at: datetime | None


def make(connection: Connection, about: About, name: str, now: datetime) -> Feed:
    """The feed of it, made where there is none yet."""
    mine = (feeds.c.about == about) & (feeds.c.name == name)
    found = connection.execute(select(feeds).where(mine)).first()
    if found is None:
        insert_if_absent(connection, feeds, {"about": about, "name": name, "made_at": now})
        found = connection.execute(select(feeds).where(mine)).one()
    return _feed(found)


def listing(connection: Connection) -> list[Feed]:
    """All feeds, in the order in which they were made."""
    return [_feed(row) for row in connection.execute(select(feeds).order_by(feeds.c.id))]


def find(connection: Connection, number: int) -> Feed | None:
    """The feed of that number."""
    row = connection.execute(select(feeds).where(feeds.c.id == number)).first()
    return _feed(row) if row else None


def renew(connection: Connection, number: int, now: datetime) -> bool:
    """Give it new addresses; whether there is one. Those of before lead nowhere from now on."""
    values = {"generation": feeds.c.generation + 1, "renewed_at": now}
    return connection.execute(update(feeds).where(feeds.c.id == number).values(**values)).rowcount == 1


def remove(connection: Connection, number: int) -> bool:
    """Feed it no more; whether there was one."""
    return connection.execute(delete(feeds).where(feeds.c.id == number)).rowcount == 1


def forget(connection: Connection, about: About, name: str) -> None:
    """Something new is called so: a feed of what was called so before tells nothing of it."""
    connection.execute(delete(feeds).where(feeds.c.about == about, feeds.c.name == name))


def follow(connection: Connection, about: About, name: str, new_name: str) -> None:
    """What is fed is called otherwise from now on; its addresses stay."""
    forget(connection, about, new_name)
    mine = (feeds.c.about == about) & (feeds.c.name == name)
    connection.execute(update(feeds).where(mine).values(name=new_name))


def token(connection: Connection, feed: Feed) -> str | None:
    """What its addresses end in; None before the installation's key is made."""
    signing = links.key(connection)
    return links.token_of(signing, "feed", f"{feed.id}-{feed.generation}") if signing else None


def opened(connection: Connection, text: str) -> Feed | None:
    """The feed that a token opens; None for one that is none of ours, was renewed, or whose feed is gone."""
    number, _, generation = (links.verified(connection, "feed", text) or "").partition("-")
    feed = find(connection, int(number)) if number.isdigit() else None
    return feed if feed is not None and str(feed.generation) == generation else None


def identity(connection: Connection, *names: object) -> str:
    """A URN that is the same for ever for what has these names here, and that no other installation gives."""
    return identities(connection)(*names)


def identities(connection: Connection) -> Callable[..., str]:
    """As `identity`, for many: the installation's key is read once."""
    mine = hmac.new(links.key(connection) or b"", b"trialdelta identities", sha256).digest()[:16]
    namespace = UUID(bytes=mine, version=4)
    return lambda *names: uuid5(namespace, ":".join(map(str, names))).urn


def _feed(row: Row[Any]) -> Feed:
    return Feed(
        id=row.id,
        about=row.about,
        name=row.name,
        generation=row.generation,
        made_at=row.made_at,
        renewed_at=row.renewed_at,
    )
