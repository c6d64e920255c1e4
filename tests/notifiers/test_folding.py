"""What is over an hourly limit: told in one summary an hour, nothing dropped, nothing twice, in order."""

from datetime import datetime
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifiers import ledger, outbox, subscriptions
from notifiers.composing import message_of
from notifiers.ledger import Entry
from notifiers.message import webhook_body
from notifiers.outbox import Delivered, Failed
from notifiers.rendering import render
from snapshots.database import Database
from tests.notifiers.cast import (
    ALICE,
    BEIJING,
    BOB,
    DAY,
    HOOK,
    HOUR,
    LYON,
    MAIL,
    MINUTE,
    NOW,
    change,
    send_next,
    subscribe,
    tell,
    watch,
)

EXAMPLES = count()
"""Each example of a property in a subscription of its own."""
STORM = [f"NCT9910{number:04}" for number in range(40)]


def entries(database: Database) -> list[Entry]:
    with database.read() as connection:
        return ledger.listing(connection, limit=1000)[::-1]


def storm(database: Database, many: int = 40, at: datetime = NOW) -> None:
    """So many records change at one moment."""
    with database.write() as connection:
        for record in STORM[:many]:
            tell(connection, change(site=BEIJING), record=record, at=at)


def send_all(database: Database, at: datetime) -> list[str]:
    """Everything that is due goes out, as the daemon does it; the types of what was sent."""
    outbox.fold_due(database, at)
    before = {entry.delivery_id for entry in entries(database) if entry.state == "delivered"}
    while send_next(database, Delivered("ok"), at) != "nothing":
        pass
    return [one.type for one in entries(database) if one.state == "delivered" and one.delivery_id not in before]


@pytest.fixture
def watched(database: Database) -> Database:
    with database.write() as connection:
        watch(connection, ALICE, BOB, *STORM)
    return database


def test_over_the_limit_the_first_are_alerts_and_all_others_one_summary_an_hour_later(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, max_per_hour=3)
    storm(watched)

    assert send_all(watched, NOW) == ["trial.changed"] * 3
    assert send_all(watched, NOW + 59 * MINUTE) == []
    assert send_all(watched, NOW + HOUR) == ["summary"]
    assert send_all(watched, NOW + DAY) == []

    summary = entries(watched)[-1]
    assert len(summary.change_ids) == 37
    told = [change_id for one in entries(watched) if one.state == "delivered" for change_id in one.change_ids]
    assert sorted(told) == sorted(set(told)) and len(told) == 40


def test_the_ledger_names_for_each_change_the_message_that_told_it(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, max_per_hour=1)
    storm(watched, 3)
    send_all(watched, NOW + HOUR)
    summary = entries(watched)[-1]

    with watched.read() as connection:
        first, second = ledger.of_change(connection, summary.change_ids[0])

    assert (first.state, first.last_answer) == ("cancelled", f"told in {summary.delivery_id}")
    assert (second.delivery_id, second.state) == (summary.delivery_id, "delivered")


def test_what_is_put_off_alone_goes_as_a_message_of_its_own(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, max_per_hour=1)
        tell(connection, record=ALICE)
        tell(connection, record=BOB)

    assert send_all(watched, NOW) == ["trial.changed"]
    assert send_all(watched, NOW + HOUR) == ["trial.changed"]


def test_a_summary_counts_against_the_limit_of_its_hour(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, max_per_hour=1)
    storm(watched, 5)
    send_all(watched, NOW)
    send_all(watched, NOW + HOUR)
    storm(watched, 5, at=NOW + HOUR + MINUTE)

    assert send_all(watched, NOW + HOUR + 30 * MINUTE) == []
    assert send_all(watched, NOW + 2 * HOUR) == ["summary"]


def test_who_has_no_limit_is_told_at_once_what_waits_for_others(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, "few", max_per_hour=1)
        subscribe(connection, "all", to=[HOOK])
    storm(watched, 10)

    send_all(watched, NOW)

    by_uri = [one.uri for one in entries(watched) if one.state == "delivered"]
    assert (by_uri.count(MAIL), by_uri.count(HOOK)) == (1, 10)


def test_one_mail_tells_two_subscriptions_and_the_one_without_limit_decides(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, "few", max_per_hour=1)
        subscribe(connection, "all")
    storm(watched, 5)

    assert send_all(watched, NOW) == ["trial.changed"] * 5


def test_what_comes_of_a_record_while_its_summary_is_on_its_way_comes_after_it(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, "few", max_per_hour=1)
    storm(watched, 5)
    send_all(watched, NOW)
    outbox.fold_due(watched, NOW + HOUR)
    send_next(watched, Failed(answer="451 later", permanent=False), NOW + HOUR)
    with watched.write() as connection:
        subscribe(connection, "all", at=NOW + HOUR)
        tell(connection, change("study.terminated"), record=STORM[2], at=NOW + HOUR + MINUTE)

    assert send_all(watched, NOW + HOUR + MINUTE) == ["summary"]
    assert send_all(watched, NOW + HOUR + 3 * MINUTE) == ["trial.changed"]


def test_what_waits_for_a_summary_goes_along_when_its_record_is_told_of_at_once(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, "few", max_per_hour=1)
        tell(connection, record=BOB)
        tell(connection, record=ALICE)
        subscribe(connection, "urgent", when={"kinds": ["study.*"]}, at=NOW)
        tell(connection, change("study.terminated"), record=ALICE, at=NOW + MINUTE)

    assert send_all(watched, NOW + MINUTE) == ["trial.changed"] * 3
    assert send_all(watched, NOW + DAY) == []


def test_quiet_hours_put_the_summary_off_too(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, max_per_hour=1, quiet={"from": "12:30", "to": "15:00"})
    storm(watched, 5)
    send_all(watched, NOW)

    assert send_all(watched, NOW + 2 * HOUR) == []
    assert send_all(watched, NOW + 3 * HOUR) == ["summary"]


def test_who_unsubscribes_is_sent_no_summary(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, max_per_hour=1)
    storm(watched, 5)
    send_all(watched, NOW)
    with watched.write() as connection:
        subscriptions.remove(connection, "alice", NOW)

    assert send_all(watched, NOW + HOUR) == []


def test_a_summary_lists_every_trial_with_its_sentence_and_says_so_to_programs(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, max_per_hour=1)
    storm(watched)
    outbox.fold_due(watched, NOW + HOUR)
    with watched.read() as connection:
        told = outbox.load(connection, entries(watched)[-1].delivery_id, NOW)
        message = message_of(connection, told)

    rendered = render(message)
    assert rendered.subject == "Summary alice: 39 trials changed, 39 with something critical"
    assert all(record in rendered.text and record in rendered.html for record in STORM[1:])
    assert rendered.text.count("Site recruiting.") == 39
    assert (webhook_body(message)["type"], len(webhook_body(message)["data"]["records"])) == ("summary", 39)


def send_quietly(database: Database, at: datetime) -> None:
    outbox.fold_due(database, at)
    while send_next(database, Delivered("ok"), at) != "nothing":
        pass


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 120)), max_size=12),
    st.integers(1, 3),
    st.lists(st.integers(0, 120), min_size=1, max_size=4),
)
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_whatever_comes_when_everything_is_told_once_and_never_more_an_hour_than_the_limit(
    sqlite_database: Database, happened: list[tuple[int, int]], limit: int, rounds: list[int]
) -> None:
    name = f"s{next(EXAMPLES)}"
    with sqlite_database.write() as connection:
        watch(connection, *STORM[:4])
        subscribe(connection, name, to=[f"mailto:{name}@example.org"], max_per_hour=limit)
    for minute, record in sorted([(minute, record) for record, minute in happened] + [(each, -1) for each in rounds]):
        at = NOW + minute * MINUTE
        if record < 0:
            send_quietly(sqlite_database, at)
            continue
        with sqlite_database.write() as connection:
            tell(connection, change(site=LYON), record=STORM[record], at=at)
    for hour in range(1, 6):
        send_quietly(sqlite_database, NOW + 120 * MINUTE + hour * HOUR)
    with sqlite_database.write() as connection:
        subscriptions.remove(connection, name, NOW)

    sent = [one for one in entries(sqlite_database) if one.uri == f"mailto:{name}@example.org" and one.finished_at]
    sent = [one for one in sent if one.state == "delivered"]
    told = [each for one in sent for each in one.change_ids]
    assert len(told) == len(set(told)) == len(happened)
    for began in (NOW + number * MINUTE for number in range(0, 400, 7)):
        assert len([one for one in sent if began <= one.planned_at < began + HOUR]) <= limit
