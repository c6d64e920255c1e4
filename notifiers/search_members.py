"""Which records each saved search finds, which it has lost, and what its newest answer changes about that."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, delete, func, select, update

from notifiers.tables import search_members, watches
from snapshots.database import insert_absent, insert_if_absent
from snapshots.id_set import IdSet, in_portions

AT_ONCE = 500
"""Ids in one query: as of watches."""
BROAD = 10_000
"""Records that a search has found from which on it is broad: their histories would take a day and more to fetch."""
READ_AT_ONCE = 10_000
"""Ids that are read at once where all are wanted."""

FEW_LOST = 5
"""So many records may leave a search at once and be believed; beyond a tenth of all, the answer is doubted first."""


class Member(Struct, frozen=True):
    """A record that a search has found. `is_found`: it finds it now; `doubted_since` is the release at which it was
    lost together with too many others for that to be believed.
    """

    record_id: str
    is_found: bool
    doubted_since: str | None = None


class Moves(Struct, frozen=True):
    """What a search's answer changes: who is newly found, who is lost, whose loss is doubted, whose is no more. What
    cannot be told yet, because the registry owes an answer for the record itself, is in none of them.
    """

    matched: tuple[str, ...]
    unmatched: tuple[str, ...]
    doubted: tuple[str, ...]
    well: tuple[str, ...]


def moves(
    found: Collection[str],
    members: Mapping[str, Member],
    tellable: Collection[str],
    release: str,
    of: tuple[int, int] | None = None,
) -> Moves:
    """What an answer changes: `found` are the ids in it, `tellable` those of which the record itself is known to stand
    as it is stored; both, and `members`, by today's ids. Where not all are given, but only those that can matter, `of`
    says how many records it finds and found before.

    An answer without any record, or without many that were there, may be a quirk of the registry: it is believed when
    it comes for a second release.
    """
    present = {record_id for record_id, member in members.items() if member.is_found}
    lost = sorted(present.difference(found).intersection(tellable))
    doubts = {record_id for record_id in lost if members[record_id].doubted_since in (None, release)}
    finds, found_before = of or (len(found), len(present))
    if not (doubts and (not finds or len(lost) > max(FEW_LOST, found_before // 10))):
        doubts = set()
    return Moves(
        matched=tuple(sorted(set(found).difference(present).intersection(tellable))),
        unmatched=tuple(each for each in lost if each not in doubts),
        doubted=tuple(sorted(doubts)),
        well=tuple(sorted(each for each in present.intersection(found) if members[each].doubted_since is not None)),
    )


def broad(connection: Connection) -> list[int]:
    """The searches that find too many records for each to be gone through by itself (its past fetched, its dates read
    ahead): one without a condition, and what has found more than `BROAD`.
    """
    searches = connection.execute(select(watches.c.id, watches.c.search).where(watches.c.search.is_not(None))).all()
    narrow = [number for number, search in searches if search]
    many = (
        select(search_members.c.watch_id)
        .where(search_members.c.watch_id.in_(narrow))
        .group_by(search_members.c.watch_id)
        .having(func.count() > BROAD)
    )
    return sorted({number for number, search in searches if not search} | set(connection.execute(many).scalars()))


def of_search(connection: Connection, watch_id: int) -> list[Member]:
    """All that a search has ever found, in order of id."""
    here = select(search_members).where(search_members.c.watch_id == watch_id).order_by(search_members.c.record_id)
    return [_member(row) for row in connection.execute(here)]


def present(connection: Connection, watch_id: int) -> IdSet:
    """What a search finds now, however many these are."""
    return IdSet(_ids(connection, watch_id, search_members.c.is_found.is_(True)))


def former(connection: Connection, watch_id: int) -> IdSet:
    """What a search found once and finds no more."""
    return IdSet(_ids(connection, watch_id, search_members.c.is_found.is_(False)))


def ever(connection: Connection, watch_id: int) -> IdSet:
    """All that a search has ever found, however many these are."""
    return IdSet(_ids(connection, watch_id))


def among(connection: Connection, watch_id: int, ids: Iterable[str]) -> dict[str, Member]:
    """Those of these ids that a search has ever found."""
    found: dict[str, Member] = {}
    for portion in in_portions(ids, AT_ONCE):
        here = select(search_members).filter_by(watch_id=watch_id).where(search_members.c.record_id.in_(portion))
        found.update((row.record_id, _member(row)) for row in connection.execute(here))
    return found


def doubted(connection: Connection, watch_id: int) -> dict[str, Member]:
    """Those that a search finds as far as is believed, though an answer lacked them."""
    here = select(search_members).filter_by(watch_id=watch_id).where(search_members.c.doubted_since.is_not(None))
    return {row.record_id: _member(row) for row in connection.execute(here)}


def _ids(connection: Connection, watch_id: int, *where: ColumnElement[bool]) -> Iterator[str]:
    of = search_members.c
    wanted = select(of.record_id).where(of.watch_id == watch_id, *where).order_by(of.record_id).limit(READ_AT_ONCE)
    after = ""
    while ids := connection.execute(wanted.where(of.record_id > after)).scalars().all():
        yield from ids
        after = ids[-1]


def _member(row: Row[Any]) -> Member:
    return Member(row.record_id, row.is_found, row.doubted_since)


def finding(connection: Connection, record_ids: Collection[str]) -> list[str]:
    """The names of the searches that find a record, known by these ids, now."""
    return sorted(set(connection.execute(_FINDING, {"ids": list(record_ids)}).scalars()))


_FINDING = (
    select(watches.c.name)
    .join(search_members, search_members.c.watch_id == watches.c.id)
    .where(search_members.c.record_id.in_(bindparam("ids", expanding=True)), search_members.c.is_found.is_(True))
)
"""Built once: it is asked for every changed record."""


def counts(connection: Connection, watch_id: int) -> tuple[int, int]:
    """How many records a search finds, and how many it has ever found."""
    here = select(search_members.c.is_found, func.count()).where(search_members.c.watch_id == watch_id)
    by_state = {row[0]: row[1] for row in connection.execute(here.group_by(search_members.c.is_found))}
    return by_state.get(True, 0), sum(by_state.values())


def begin(connection: Connection, watch_id: int) -> None:
    """A search is asked for the first time: whatever it found under other parameters is lost."""
    mine = and_(search_members.c.watch_id == watch_id, search_members.c.is_found.is_(True))
    connection.execute(update(search_members).where(mine).values(is_found=False, doubted_since=None))


def admit(connection: Connection, watch_id: int, found: Iterable[str]) -> None:
    """These are part of a search's first answer: its baseline."""
    for ids in in_portions(found, AT_ONCE):
        mine = and_(search_members.c.watch_id == watch_id, search_members.c.record_id.in_(ids))
        connection.execute(update(search_members).where(mine).values(is_found=True, doubted_since=None))
        rows = [{"watch_id": watch_id, "record_id": each, "is_found": True} for each in ids]
        insert_absent(connection, search_members, rows)


def put(connection: Connection, watch_id: int, record_id: str, *, is_found: bool) -> None:
    """A search finds a record from now on, or no more."""
    values = {"is_found": is_found, "doubted_since": None}
    key = {"watch_id": watch_id, "record_id": record_id}
    if not insert_if_absent(connection, search_members, {**key, **values}):
        connection.execute(update(search_members).filter_by(**key).values(**values))


def doubt(connection: Connection, watch_id: int, record_ids: Sequence[str], release: str | None) -> None:
    """The search lost these at `release`, which is not believed yet (None: it is no longer doubted)."""
    for record_id in record_ids:
        here = update(search_members).filter_by(watch_id=watch_id, record_id=record_id)
        connection.execute(here.values(doubted_since=release))


def rename(connection: Connection, watch_id: int, former: str, kept: str) -> None:
    """A member was merged into another record: it is known by that one's id from now on."""
    mine = among(connection, watch_id, (former, kept))
    is_found = mine[former].is_found or (kept in mine and mine[kept].is_found)
    connection.execute(delete(search_members).filter_by(watch_id=watch_id, record_id=former))
    put(connection, watch_id, kept, is_found=is_found)
