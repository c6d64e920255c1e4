"""Who is told at once of what happened: decided and written in the transaction that stores it."""

from datetime import datetime
from random import Random
from typing import Any

import pytest

from notifiers import ledger, outbox, subscriptions, watches
from notifiers.ledger import Entry
from notifiers.outbox.enqueuing import HOLDABLE
from notifiers.silences import Silence
from snapshots import archive
from snapshots.database import Database
from snapshots.kinds import KINDS
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
    happen,
    seen,
    subscribe,
    take,
    tell,
    trial,
    watch,
)


def entries(database: Database) -> list[Entry]:
    """All deliveries, oldest first."""
    with database.read() as connection:
        return ledger.listing(connection)[::-1]


def told(database: Database) -> list[tuple[str, list[str]]]:
    """Who is told, and for which subscriptions."""
    return [(entry.uri, [asker.name for asker in entry.askers]) for entry in entries(database)]


@pytest.fixture
def watched(database: Database) -> Database:
    """A database in which Alice's and Bob's trials are watched, the first in a group."""
    with database.write() as connection:
        watch(connection, ALICE, group="dkd")
        watch(connection, BOB)
    return database


def test_two_subscriptions_of_one_address_are_one_mail_with_the_union(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, "alice", to=[MAIL], when={"kinds": ["site.*"]})
        subscribe(connection, "bob", to=[MAIL, HOOK], when={"kinds": ["site.recruiting", "study.*"]})
        subscribe(connection, "charlie", to=["mailto:charlie@example.org"], when={"kinds": ["results.*"]})
        tell(
            connection, change("site.recruiting"), change("site.closed"), change("study.completed"), change("arm.added")
        )

    mail, hook = entries(watched)
    assert (mail.uri, hook.uri) == (MAIL, HOOK)
    first, second, third, _ = range(mail.change_ids[0], mail.change_ids[0] + 4)
    assert mail.change_ids == (first, second, third)
    assert [(asker.name, asker.wanted) for asker in mail.askers] == [
        ("alice", (first, second)),
        ("bob", (first, third)),
    ]
    assert hook.change_ids == (first, third)


def test_ids_are_stable_text_and_differ(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, to=[MAIL, HOOK])
        tell(connection)
        tell(connection, record=BOB)

    ids = [entry.delivery_id for entry in entries(watched)]
    assert len(set(ids)) == 4
    assert all(id_.startswith("dlv_") and id_.removeprefix("dlv_").isalnum() for id_ in ids)


def test_telling_a_step_twice_writes_it_once(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection)
        subscribe(connection, "weekly", to=[HOOK], deliver={"digest": "weekly"})
        step = happen(connection)
        first = outbox.enqueue(connection, step, trial(), NOW)
        again = outbox.enqueue(connection, step, trial(), NOW)

    assert (len(first), again) == (1, [])
    assert len(entries(watched)) == 1


def test_what_the_transaction_takes_back_was_never_told(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection)
    with pytest.raises(ZeroDivisionError), watched.write() as connection:
        tell(connection)
        _ = 1 / 0

    assert entries(watched) == []


def test_a_first_look_and_what_was_back_filled_are_told_to_nobody(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection)
        subscribe(connection, "weekly", to=[HOOK], deliver={"digest": "weekly"})

        assert tell(connection, change("record.first_seen")) == []
        assert tell(connection, change("study.terminated"), cause="back-filled") == []

        assert len(tell(connection, change("record.first_seen"), change("study.terminated"))) == 1
    assert [len(entry.change_ids) for entry in entries(watched)] == [1]


@pytest.mark.parametrize(
    ("asked", "heard"),
    [
        ({"watches": "all"}, [ALICE, BOB]),
        ({"watches": {"group": "dkd"}}, [ALICE]),
        ({"watches": {"group": "other"}}, []),
        ({"watches": {"ids": [BOB]}}, [BOB]),
        ({"watches": {"search": "rest"}}, []),
        ({"paused": True}, []),
        ({"snooze_until": NOW + MINUTE}, []),
        ({"snooze_until": NOW}, [ALICE, BOB]),
        ({"deliver": {"digest": "weekly"}}, []),
    ],
)
def test_a_subscription_hears_of_its_own_watches_when_it_is_awake(
    watched: Database, asked: dict[str, Any], heard: list[str]
) -> None:
    with watched.write() as connection:
        subscribe(connection, **asked)
        deliveries = {record: tell(connection, record=record) for record in (ALICE, BOB)}

    assert [record for record, ids in deliveries.items() if ids] == heard


@pytest.mark.parametrize("asked", [{"group": "dkd"}, {"ids": [ALICE]}])
def test_a_record_that_goes_under_a_new_id_is_still_what_was_watched(watched: Database, asked: dict[str, Any]) -> None:
    with watched.write() as connection:
        seen(connection, ALICE)
        archive.merge(connection, "ctgov", ALICE, "NCT99000009")
        subscribe(connection, watches=asked)

        assert len(tell(connection, record="NCT99000009")) == 1


def test_nothing_is_told_of_what_nobody_watches_or_whose_watch_is_paused_or_snoozed(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection)
        watches.pause(connection, "ctgov", [ALICE], NOW)
        watches.snooze(connection, "ctgov", [BOB], Silence(until=NOW + DAY), NOW)

        assert tell(connection, record=ALICE) == []
        assert tell(connection, record=BOB) == []
        assert tell(connection, record="NCT99000007") == []
        assert len(tell(connection, record=BOB, at=NOW + DAY)) == 1


def test_a_subscription_is_not_told_of_what_was_before_it_began(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, at=NOW)
        before = happen(connection, at=NOW - MINUTE)

        assert outbox.enqueue(connection, before, trial(), NOW) == []
        assert len(tell(connection, at=NOW)) == 1


def test_a_clock_that_was_set_back_silences_no_subscription(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, at=NOW + 30 * DAY)

        assert len(tell(connection, at=NOW)) == 1


def test_critical_at_once_and_the_rest_in_the_digest(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(
            connection,
            deliver={"immediately": "critical", "digest": "weekly"},
            severity={"site.renamed": "critical"},
        )
        tell(connection, change("site.recruiting"), change("site.renamed"), change("site.closed"))

    (entry,) = entries(watched)
    assert len(entry.change_ids) == 2


def test_overridden_severities_decide_what_comes_at_all(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, when={"min_severity": "minor"}, severity={"site.renamed": "minor"})

        assert len(tell(connection, change("site.renamed"))) == 1
        assert tell(connection, change("site.moved")) == []


def test_places_of_record_changes_are_looked_up_in_the_record(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, when={"countries": ["France"]})
        step = happen(connection, change("study.suspended"))

        assert outbox.enqueue(connection, step, trial(sites=[BEIJING]), NOW) == []
        assert len(outbox.enqueue(connection, step, trial(sites=[BEIJING, LYON]), NOW)) == 1


def test_the_registrys_own_news_go_to_whoever_asks_for_that_kind(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, "alice", to=[MAIL], watches={"group": "dkd"})
        subscribe(connection, "bob", to=[HOOK], when={"kinds": ["site.*"]})
        tell(connection, change("registry.reformatted"), record=None, cause="registry")

    assert [(entry.type, entry.uri) for entry in entries(watched)] == [("registry.notice", MAIL)]


def test_quiet_hours_put_off_and_lose_nothing(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, quiet={"from": "11:00", "to": "14:00"})
        tell(connection)

    (entry,) = entries(watched)
    assert (entry.state, entry.due_at) == ("pending", NOW + 2 * HOUR)


def test_one_subscriptions_quiet_hours_do_not_silence_another(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, "alice", quiet={"from": "11:00", "to": "14:00"})
        subscribe(connection, "bob")
        tell(connection)

    (entry,) = entries(watched)
    assert entry.due_at == NOW


def test_texts_and_places_are_held_and_nothing_else_is(watched: Database) -> None:
    until = NOW + 30 * MINUTE
    with watched.write() as connection:
        subscribe(connection)
        for told_changes in (["title.changed", "site.moved"], ["title.changed", "site.recruiting"], ["results.posted"]):
            tell(connection, *map(change, told_changes), held_until=until)
        tell(connection, change("title.changed"))

    assert [entry.state for entry in entries(watched)] == ["held", "pending", "pending", "pending"]
    assert entries(watched)[0].due_at == until


def test_status_site_status_and_results_are_never_held() -> None:
    statuses = {
        name for name in KINDS if name.startswith(("recruitment.", "study.", "status.", "results.", "document."))
    }
    sites = {
        f"site.{word}"
        for word in [
            "recruiting",
            "invitation_only",
            "closed",
            "suspended",
            "terminated",
            "withdrawn",
            "status_changed",
        ]
    }

    assert not HOLDABLE & (statuses | sites)
    assert set(KINDS) >= HOLDABLE


def test_what_is_held_goes_at_the_sweeps_end_or_when_quiet_ends(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, "alice", to=[MAIL])
        subscribe(connection, "bob", to=[HOOK], quiet={"from": "11:00", "to": "14:00"})
        tell(connection, change("title.changed"), held_until=NOW + 30 * MINUTE)
        released = outbox.release_held(connection, NOW + MINUTE)

    assert released == 2
    assert [(entry.state, entry.due_at) for entry in entries(watched)] == [
        ("pending", NOW + MINUTE),
        ("pending", NOW + 2 * HOUR),
    ]


def test_what_turns_out_to_be_many_becomes_one_notice_for_each_address(watched: Database) -> None:
    until = NOW + 30 * MINUTE
    with watched.write() as connection:
        subscribe(connection, "alice", to=[MAIL], watches={"group": "dkd"})
        subscribe(connection, "bob", to=[MAIL, HOOK])
        for record in (ALICE, BOB):
            tell(connection, change("title.changed"), record=record, held_until=until)
        tell(connection, change("site.recruiting"), record=BOB, held_until=until)
        steps = {one.step_id for one in outbox.held(connection)}
        notice = happen(connection, change("registry.reformatted"), record=None, cause="registry")
        outbox.replace_held(connection, notice, steps, NOW + MINUTE)
        assert outbox.held(connection) == []

    assert [(entry.type, entry.uri, entry.state) for entry in entries(watched)] == [
        ("trial.changed", MAIL, "cancelled"),
        ("trial.changed", HOOK, "cancelled"),
        ("trial.changed", MAIL, "cancelled"),
        ("trial.changed", HOOK, "cancelled"),
        ("trial.changed", MAIL, "pending"),
        ("trial.changed", HOOK, "pending"),
        ("registry.notice", MAIL, "pending"),
        ("registry.notice", HOOK, "pending"),
    ]
    assert told(watched)[-2:] == [(MAIL, ["alice", "bob"]), (HOOK, ["bob"])]


def test_a_delivery_says_everything_that_its_message_is_made_of(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, "alice", to=[HOOK], when={"countries": ["China"]}, templates="mine")
        subscribe(connection, "bob", to=[HOOK], when={"kinds": ["study.*"]})
        (delivery,) = tell(
            connection, change("site.recruiting", BEIJING), change("study.suspended"), change("arm.added")
        )

    with watched.read() as connection:
        message = outbox.load(connection, delivery, NOW)
    site, study, arm = (stored.id for stored in message.steps[0].step.changes)
    assert (message.delivery_id, message.type, message.created_at) == (delivery, "trial.changed", NOW)
    assert (message.address.uri, len(message.address.secrets)) == (HOOK, 1)
    assert [(one.name, one.reason, one.templates) for one in message.because] == [
        ("alice", "in China", "mine"),
        ("bob", "all about a study’s completion or stop", None),
    ]
    assert message.steps[0].step.registry_id == ALICE
    assert message.because[0].wanted == message.by_place == {site, study, arm}
    assert message.because[1].wanted == {study}


def test_a_delivery_that_does_not_exist_is_said_so(sqlite_database: Database) -> None:
    with sqlite_database.read() as connection, pytest.raises(outbox.UnknownDelivery, match="no delivery 'dlv_x'"):
        outbox.load(connection, "dlv_x", NOW)


def test_a_test_message_goes_to_every_address_as_often_as_it_is_asked_for(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, to=[MAIL, HOOK], paused=True)
        first = outbox.enqueue_test(connection, "alice", NOW)
        second = outbox.enqueue_test(connection, "alice", NOW)
        nobody = outbox.enqueue_test(connection, "nobody", NOW)

    assert (len(first), len(second), nobody) == (2, 2, [])
    assert {entry.type for entry in entries(watched)} == {"test"}


def test_a_changed_subscription_leaves_what_is_due_as_it_was(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection)
        (delivery,) = tell(connection)
        subscribe(connection, when={"kinds": ["results.*"]})

        assert outbox.load(connection, delivery, NOW).steps
        assert subscriptions.find(connection, "alice") is not None


def test_a_withdrawal_that_takes_the_sites_with_it_is_told_to_who_asked_for_their_country(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, when={"kinds": ["study.*"], "countries": ["China"]})
        step = happen(connection, change("study.withdrawn"), change("site.removed", site=BEIJING))
        outbox.enqueue(connection, step, trial(sites=()), NOW)

    assert told(watched) == [(MAIL, ["alice"])]


def test_what_waits_for_one_subscriptions_quiet_hours_does_not_hold_up_what_another_is_told_at_once(
    watched: Database,
) -> None:
    with watched.write() as connection:
        subscribe(connection, "team", quiet={"from": "11:00", "to": "20:00"})
        first = tell(connection, change("site.added", site=LYON))
        other_record = tell(connection, change("site.added", site=LYON), record=BOB)
        subscribe(connection, "urgent", when={"kinds": ["study.*"]}, at=NOW)
        second = tell(connection, change("study.terminated"), at=NOW + MINUTE)

    in_order = [take_and_deliver(watched, NOW + MINUTE) for _ in range(3)]

    assert in_order == [*first, *second, None]
    assert [entry.state for entry in entries(watched) if entry.delivery_id in other_record] == ["pending"]


def take_and_deliver(database: Database, at: datetime) -> str | None:
    claimed = take(database, at)
    if claimed is None:
        return None
    outbox.record(database, outbox.begin_attempt(database, claimed, at), outbox.Delivered("250 ok"), at, Random(1))
    return claimed.delivery_id
