"""What the archive may cost: a batch of heads one query, any version some milliseconds, an append always the same."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, event

from snapshots import archive
from snapshots.database import Database
from tests.snapshots.archive_cast import add, large_record, small_change


@contextmanager
def statements(connection: Connection) -> Iterator[list[str]]:
    """The SQL that is sent while the context lasts."""
    sent: list[str] = []

    def note(*facts: object) -> None:
        sent.append(str(facts[2]))

    event.listen(connection.engine, "before_cursor_execute", note)
    yield sent
    event.remove(connection.engine, "before_cursor_execute", note)


def least_cpu(work: Callable[[], object], times: int = 20) -> float:
    """Milliseconds of processor time that `work` takes when nothing disturbs it."""
    taken = []
    for _ in range(times):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken) * 1000


def test_the_heads_of_two_hundred_records_are_one_cheap_query(database: Database) -> None:
    ids = [f"NCT98{number:06d}" for number in range(400)]
    with database.write() as connection:
        for registry_id in ids:
            add(connection, registry_id, registry_id)

    with database.read() as connection:
        with statements(connection) as sent:
            assert len(archive.heads(connection, "ctgov", ids[::2])) == 200
        cost = least_cpu(lambda: archive.heads(connection, "ctgov", ids[::2]))

    assert len(sent) == 1
    assert cost < 5  # measured: 0.7 on SQLite


def test_any_version_is_back_in_one_query_and_a_few_milliseconds(sqlite_database: Database) -> None:
    record = large_record()
    with sqlite_database.write() as connection:
        for at in range(130):
            record = small_change(record, at)
            last = add(connection, json.dumps(record).encode())

    with sqlite_database.read() as connection:
        with statements(connection) as sent:
            archive.read_version(connection, last)
        costs = [
            least_cpu(lambda number=number: archive.read_version(connection, number), 5)  # type: ignore[misc]
            for number in range(1, last + 1)
        ]

    assert len(sent) == 1
    assert max(costs) < 5  # measured: 1.0


def test_an_append_sends_few_statements_however_long_the_history(sqlite_database: Database) -> None:
    counts = []
    with sqlite_database.write() as connection:
        for at in range(150):
            with statements(connection) as sent:
                add(connection, {"at": at})
            counts.append(len(sent))

    # the first makes the record; every 8th looks for a base other than the head
    assert max(counts[1:]) <= 8
    assert counts[1:].count(8) == 150 // 8
