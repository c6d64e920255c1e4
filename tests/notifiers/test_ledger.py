"""Who was told what, when, and with what answer."""

import pytest

from notifiers import digest, ledger, outbox
from notifiers.outbox import Delivered, Failed, rows
from snapshots import archive
from snapshots.database import Database
from tests.notifiers.cast import (  # fmt: skip
    ALICE,
    BOB,
    DAY,
    HOOK,
    MAIL,
    MINUTE,
    NOW,
    change,
    happen,
    send_next,
    subscribe,
    tell,
    trial,
    watch,
)


@pytest.fixture
def watched(database: Database) -> Database:
    with database.write() as connection:
        watch(connection, ALICE, BOB)
        subscribe(connection, "alice", to=[MAIL], when={"kinds": ["site.*"]})
        subscribe(connection, "weekly", to=[HOOK], deliver={"digest": "weekly"})
    return database


def test_from_a_change_to_every_try_is_one_question(watched: Database) -> None:
    with watched.write() as connection:
        step = happen(connection, change("site.recruiting"), change("study.completed"))
        outbox.enqueue(connection, step, trial(), NOW)
        digest.send(connection, "weekly", NOW + MINUTE)
    send_next(watched, Failed(answer="421 busy"), NOW)
    send_next(watched, Delivered("202 accepted"), NOW + MINUTE)

    recruiting, completed = (stored.id for stored in step.changes)
    with watched.read() as connection:
        of_recruiting, of_completed = (ledger.of_change(connection, one) for one in (recruiting, completed))
        of_step, of_record = ledger.of_step(connection, step.id), ledger.of_record(connection, "ctgov", ALICE)
    mail, hook = of_recruiting
    assert (mail.uri, mail.type, [one.answer for one in mail.tries]) == (MAIL, "trial.changed", ["421 busy"])
    assert (hook.uri, hook.type, hook.state, hook.last_answer) == (HOOK, "digest", "delivered", "202 accepted")
    assert of_completed == [hook]
    assert of_step == of_record == [mail, hook]


def test_a_record_is_asked_for_by_any_of_its_ids_and_others_are_not_told(watched: Database) -> None:
    with watched.write() as connection:
        tell(connection, record=ALICE)
        tell(connection, record=BOB)
        archive.merge(connection, "ctgov", ALICE, "NCT99000009")

    with watched.read() as connection:
        former, present = (ledger.of_record(connection, "ctgov", id_) for id_ in (ALICE, "NCT99000009"))
        assert ledger.of_record(connection, "ctgov", "NCT99000404") == []
    assert len(former) == 1
    assert former == present


def test_the_newest_come_first_by_state_and_since(watched: Database) -> None:
    with watched.write() as connection:
        first = tell(connection, record=ALICE)
        second = tell(connection, record=BOB, at=NOW + DAY)
    send_next(watched, Delivered("ok"))

    with watched.read() as connection:
        listed = {
            "all": ledger.listing(connection),
            "done": ledger.listing(connection, "delivered"),
            "since": ledger.listing(connection, since=NOW + DAY),
            "one": ledger.listing(connection, limit=1),
        }
    ids = {name: [entry.delivery_id for entry in found] for name, found in listed.items()}
    assert ids == {"all": second + first, "done": first, "since": second, "one": second}


def test_what_is_not_there_is_not_shown(sqlite_database: Database) -> None:
    with sqlite_database.read() as connection:
        assert ledger.show(connection, "dlv_x") is None
        assert ledger.of_change(connection, 404) == []


def test_more_deliveries_than_a_query_takes_are_all_listed(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "IDS_AT_ONCE", 2)
    with sqlite_database.write() as connection:
        watch(connection, ALICE)
        subscribe(connection)
        told = [id_ for minute in range(5) for id_ in tell(connection, at=NOW + minute * MINUTE)]
        listed = ledger.listing(connection)

    assert [entry.delivery_id for entry in listed] == told[::-1]
    assert all(entry.change_ids and entry.askers for entry in listed)
