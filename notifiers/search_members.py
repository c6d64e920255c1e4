"""Which records each saved search finds, which it has lost, and what its newest answer changes about that."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from notifiers.tables import search_members, watches
from snapshots.database import insert_if_absent

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


def moves(found: Collection[str], members: Mapping[str, Member], tellable: Collection[str], release: str) -> Moves:
    """What an answer changes: `found` are the ids in it, `tellable` those of which the record itself is known to stand
    as it is stored; both, and `members`, by today's ids.

    An answer without any record, or without many that were there, may be a quirk of the registry: it is believed when
    it comes for a second release.
    """
    present = {record_id for record_id, member in members.items() if member.is_found}
    lost = sorted(present.difference(found).intersection(tellable))
    doubts = {record_id for record_id in lost if members[record_id].doubted_since in (None, release)}
    if not (doubts and (not found or len(lost) > max(FEW_LOST, len(present) // 10))):
        doubts = set()
    return Moves(
        matched=tuple(sorted(set(found).difference(present).intersection(tellable))),
        unmatched=tuple(each for each in lost if each not in doubts),
        doubted=tuple(sorted(doubts)),
        well=tuple(sorted(each for each in present.intersection(found) if members[each].doubted_since is not None)),
    )


def of_search(connection: Connection, watch_id: int) -> list[Member]:
    """All that a search has ever found, in order of id."""
    here = select(search_members).where(search_members.c.watch_id == watch_id).order_by(search_members.c.record_id)
    return [Member(row.record_id, row.is_found, row.doubted_since) for row in connection.execute(here)]


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


def begin(connection: Connection, watch_id: int, found: Iterable[str]) -> None:
    """A search's first answer: what it finds is its baseline; whatever it found under other parameters is lost."""
    mine = search_members.c.watch_id == watch_id
    known = set(connection.execute(select(search_members.c.record_id).where(mine)).scalars())
    connection.execute(update(search_members).where(mine).values(is_found=False, doubted_since=None))
    new = sorted(set(found))
    for record_id in known.intersection(new):
        put(connection, watch_id, record_id, is_found=True)
    rows = [{"watch_id": watch_id, "record_id": each, "is_found": True} for each in new if each not in known]
    if rows:
        connection.execute(insert(search_members), rows)


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
    mine = {row.record_id: row for row in of_search(connection, watch_id)}
    is_found = mine[former].is_found or (kept in mine and mine[kept].is_found)
    connection.execute(delete(search_members).filter_by(watch_id=watch_id, record_id=former))
    put(connection, watch_id, kept, is_found=is_found)
