"""Which records are watched: asked of one at a time or listed, it is the same."""

from random import Random

import pytest
from sqlalchemy import Connection, Integer, delete, insert, literal, select

from notifiers.tables import search_members
from notifiers.tables import watches as watch_rows
from notifiers.watched_rows import is_watched, watched_rows
from notifiers.watches import Wish, add
from snapshots import archive
from snapshots.archive.tables import records
from snapshots.database import Database
from tests.notifiers.cast import NOW, seen, watch

TRIALS = [f"NCT{99_000_100 + number}" for number in range(12)]


@pytest.mark.parametrize("seed", range(3))
def test_a_record_is_watched_by_itself_exactly_where_the_list_of_all_has_it(database: Database, seed: int) -> None:
    chance = Random(seed)
    counts = set()
    with database.write() as connection:
        for trial in TRIALS:
            seen(connection, trial)
        gone = chance.sample(TRIALS, 4)
        for absorbed, into in zip(gone[:2], gone[2:], strict=True):
            archive.merge(connection, "ctgov", absorbed, into)
        for _ in range(12):
            _watch_some(connection, chance)
            listed = set(connection.execute(watched_rows()).scalars())
            asked = select(records.c.id).where(is_watched(records.c.id))
            assert set(connection.execute(asked).scalars()) == listed
            of_no_record = select(is_watched(literal(None, Integer)))
            assert not connection.execute(of_no_record).scalar(), "what concerns a whole registry is about no record"
            counts.add(len(listed))
    assert len(counts) > 3


def _watch_some(connection: Connection, chance: Random) -> None:
    """Other watches than before: some trials, what two searches have found, now and then everything."""
    connection.execute(delete(search_members))
    connection.execute(delete(watch_rows))
    watch(connection, *chance.sample(TRIALS, chance.randrange(3)))
    for name in chance.sample(["one", "two"], chance.randrange(3)):
        add(connection, Wish(registry="ctgov", name=name, search={"query.cond": name}), NOW)
        number = connection.execute(select(watch_rows.c.id).where(watch_rows.c.name == name)).scalar_one()
        found = [{"watch_id": number, "record_id": each, "is_found": True} for each in chance.sample(TRIALS, 3)]
        connection.execute(insert(search_members), found)
    if chance.random() < 0.2:
        add(connection, Wish(registry="ctgov", name="all", search={}), NOW)
