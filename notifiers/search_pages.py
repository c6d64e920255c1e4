"""How far the pages of a search's records were taken: what a sweep that goes on after another's end needs to know."""

import zlib
from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection, delete, func, insert, select

from notifiers.tables import search_pages
from snapshots.id_set import IdSet

AT_ONCE = 50


class Taken(Struct):
    """What was taken of a search's pages in one release: how many pages, the ids on them, those whose record could not
    be taken. `next` is where the following page begins; `is_whole`: there is none. `total` is how many records the
    registry said there are.
    """

    pages: int
    ids: IdSet
    untaken: IdSet
    next: str | None = None
    is_whole: bool = False
    total: int | None = None


def taken(connection: Connection, watch_id: int, release: str) -> Taken:
    """The pages that were taken of that release."""
    found = Taken(0, IdSet(), IdSet())
    wanted = select(search_pages).filter_by(watch_id=watch_id, release=release).order_by(search_pages.c.page)
    while rows := connection.execute(wanted.where(search_pages.c.page > found.pages).limit(AT_ONCE)).all():
        for row in rows:
            found.ids.update(_unpacked(row.ids))
            found.untaken.update(row.untaken.split() if row.untaken else ())
            found.pages, found.next, found.is_whole = row.page, row.next, row.next is None
            found.total = found.total if row.total is None else row.total
    return found


def note(connection: Connection, watch_id: int, release: str, taken: Taken, ids: Sequence[str]) -> None:
    """One page more was taken, with these ids on it; `taken` is told so too."""
    untaken = [each for each in ids if each in taken.untaken] if taken.untaken else []
    row = {"watch_id": watch_id, "page": taken.pages, "release": release, "next": taken.next, "total": taken.total}
    connection.execute(insert(search_pages).values(**row, ids=_packed(ids), untaken=" ".join(untaken) or None))


def forget(connection: Connection, watch_id: int) -> None:
    """The pages are to be taken from the first one on."""
    connection.execute(delete(search_pages).filter_by(watch_id=watch_id))


def progress(connection: Connection, watch_id: int) -> tuple[int, int | None]:
    """How many pages were taken so far, and of how many records in all."""
    of = search_pages.c
    wanted = select(func.count(), func.max(of.total)).where(of.watch_id == watch_id)
    pages, total = connection.execute(wanted).one()
    return pages, total


def _packed(ids: Sequence[str]) -> bytes:
    return zlib.compress(" ".join(ids).encode(), 1)


def _unpacked(packed: bytes) -> list[str]:
    return zlib.decompress(packed).decode().split()
