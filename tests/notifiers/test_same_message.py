"""What is sent under one id stays the same over all tries, whatever becomes of the record and archive meanwhile."""

import json
from datetime import timedelta

import pytest

from notifiers import digest, outbox, subscriptions
from notifiers.composing import message_of
from notifiers.message import webhook_body
from snapshots import archive
from snapshots.archive import find_append
from snapshots.database import Database
from tests.notifiers.cast import ALICE, BEIJING, BOB, NOW, change, tell, watch
from tests.snapshots.archive_cast import add

LATER = NOW + timedelta(hours=2)


def body(database: Database, delivery_id: str) -> str:
    with database.read() as connection:
        told = outbox.load(connection, delivery_id, LATER)
        return json.dumps(webhook_body(message_of(connection, told)))


@pytest.fixture
def asked(database: Database) -> Database:
    timing = {"digest": "daily", "at": "08:00", "timezone": "UTC"}
    with database.write() as connection:
        watch(connection, ALICE, BOB)
        to = ["https://hooks.example.org/all"]
        subscriptions.save(connection, subscriptions.from_table({"name": "all", "to": to}), NOW - timedelta(days=1))
        daily = {"name": "daily", "to": ["mailto:alice@example.org"], "deliver": timing}
        subscriptions.save(connection, subscriptions.from_table(daily), NOW - timedelta(days=1))
    return database


def go_on(database: Database, record: str = ALICE) -> None:
    """The record is seen again, with another title, and turns out to be another one's double."""
    with database.write() as connection:
        add(connection, {"another": "content"}, record, release="2026-11-28T09:00:05", title="Another Title")
        add(connection, {"of": "the other"}, BOB, release="2026-11-28T09:00:05", title="The Other")
        archive.merge(connection, "ctgov", record, BOB)


def test_an_alert_says_the_same_when_it_is_tried_again_after_the_record_went_on(asked: Database) -> None:
    with asked.write() as connection:
        [delivery_id] = tell(connection, change(site=BEIJING))
        head = archive.chain_head(connection)
    first = body(asked, delivery_id)

    go_on(asked)

    assert body(asked, delivery_id) == first
    said = json.loads(first)["data"]
    assert (said["record"]["id"], said["archive_head"]) == (ALICE, head.short)
    with asked.read() as connection:
        assert archive.chain_head(connection) != head
        assert find_append(connection, said["archive_head"]) == head.number


def test_so_does_a_digest(asked: Database) -> None:
    with asked.write() as connection:
        tell(connection, change(site=BEIJING))
        [delivery_id] = digest.send(connection, "daily", LATER)
    first = body(asked, delivery_id)

    go_on(asked)

    assert body(asked, delivery_id) == first
    assert json.loads(first)["data"]["records"][0]["record"]["id"] == ALICE
