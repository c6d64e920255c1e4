"""One worker takes one delivery, tries it and says what became of it, whatever dies in between."""

import threading
from collections import Counter
from datetime import datetime, timedelta
from random import Random

import pytest
from sqlalchemy import event, text

from notifiers import addresses, ledger, outbox, subscriptions
from notifiers.outbox import Claimed, Delivered, Failed, LeaseLost, claiming
from notifiers.retries import SCHEDULE
from snapshots.database import Database
from tests.notifiers.cast import (
    ALICE,
    BOB,
    CHARLIE,
    DAY,
    HOOK,
    HOUR,
    MAIL,
    MINUTE,
    NOW,
    Always,
    change,
    send_next,
    subscribe,
    take,
    tell,
    watch,
)

OK = Delivered("250 accepted")
DOWN = Failed(answer="connection refused")
SECOND = timedelta(seconds=1)


@pytest.fixture
def due(database: Database) -> Database:
    """A database in which one message about Alice's trial is due to her mailbox."""
    with database.write() as connection:
        watch(connection, ALICE, BOB, CHARLIE)
        subscribe(connection, to=[MAIL])
        tell(connection)
    return database


def more(database: Database, record: str = ALICE, at: datetime = NOW) -> str:
    with database.write() as connection:
        return tell(connection, record=record, at=at)[-1]


def entry(database: Database, delivery_id: str) -> ledger.Entry:
    with database.read() as connection:
        found = ledger.show(connection, delivery_id)
    assert found is not None
    return found


def only(database: Database) -> ledger.Entry:
    with database.read() as connection:
        (found,) = ledger.listing(connection)
    return found


def address(database: Database, uri: str = MAIL, at: datetime = NOW) -> addresses.Address:
    with database.read() as connection:
        found = addresses.find(connection, uri, at)
    assert found is not None
    return found


def test_what_is_delivered_is_done_and_in_the_ledger_with_its_answer(due: Database) -> None:
    assert send_next(due, OK) == "delivered"

    done = only(due)
    assert (done.state, done.due_at, done.finished_at, done.last_answer) == ("delivered", None, NOW, "250 accepted")
    assert [(one.number, one.outcome, one.answer) for one in done.tries] == [(1, "delivered", "250 accepted")]
    assert address(due).last_success_at == NOW
    assert send_next(due, OK) == "nothing"


def test_nothing_is_due_before_its_time(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
        subscribe(connection, quiet={"from": "11:00", "to": "14:00"})
        tell(connection)

    assert take(database, NOW + 2 * HOUR - SECOND) is None
    assert take(database, NOW + 2 * HOUR) is not None


def test_the_attempt_is_written_before_it_is_made(due: Database) -> None:
    claimed = take(due)
    assert claimed is not None
    outbox.begin_attempt(due, claimed, NOW)

    (attempt,) = only(due).tries
    assert (attempt.worker, attempt.started_at, attempt.finished_at, attempt.outcome) == ("w1", NOW, None, None)


def test_a_claimed_delivery_is_nobody_elses_until_the_lease_ends(due: Database) -> None:
    first = take(due, NOW)

    assert take(due, NOW + 59 * SECOND, "w2") is None
    second = take(due, NOW + 60 * SECOND, "w2")
    assert first is not None and second is not None
    assert (second.delivery_id, second.worker) == (first.delivery_id, "w2")
    assert second.token > first.token


def test_a_crash_between_sending_and_recording_sends_again_under_the_same_id(due: Database) -> None:
    claimed = take(due)
    assert claimed is not None
    outbox.begin_attempt(due, claimed, NOW)
    # the worker dies here, the message may have gone out

    assert send_next(due, OK, NOW + MINUTE) == "delivered"
    done = only(due)
    assert done.delivery_id == claimed.delivery_id
    assert [(one.number, one.outcome) for one in done.tries] == [(1, None), (2, "delivered")]


def test_a_worker_that_was_cut_off_cannot_write_late(due: Database) -> None:
    claimed = take(due)
    assert claimed is not None
    late = outbox.begin_attempt(due, claimed, NOW)
    assert send_next(due, OK, NOW + MINUTE) == "delivered"

    with pytest.raises(LeaseLost, match="taken over by another worker"):
        outbox.record(due, late, Failed(answer="timed out"), NOW + 2 * MINUTE, Random(1))
    assert only(due).state == "delivered"


def test_a_worker_that_was_cut_off_cannot_write_into_anothers_claim(due: Database) -> None:
    first = take(due, NOW, "w1")
    assert first is not None
    late = outbox.begin_attempt(due, first, NOW)
    second = take(due, NOW + MINUTE, "w2")
    assert second is not None

    with pytest.raises(LeaseLost):
        outbox.record(due, late, OK, NOW + MINUTE, Random(1))
    with pytest.raises(LeaseLost):
        outbox.begin_attempt(due, first, NOW + MINUTE)
    assert only(due).state == "sending"
    outbox.record(due, outbox.begin_attempt(due, second, NOW + MINUTE), OK, NOW + MINUTE, Random(1))


def test_a_worker_whose_lease_ran_out_may_not_even_try(due: Database) -> None:
    claimed = take(due)
    assert claimed is not None

    with pytest.raises(LeaseLost, match="has run out"):
        outbox.begin_attempt(due, claimed, NOW + MINUTE)
    assert only(due).tries == ()


def test_a_failure_is_tried_again_to_the_end_of_the_schedule_and_then_the_address_is_off(due: Database) -> None:
    at, waits = NOW, []
    while (state := send_next(due, DOWN, at)) == "pending":
        again = only(due).due_at
        assert again is not None
        waits.append(again - at)
        assert take(due, again - SECOND) is None
        at = again

    assert state == "failed"
    assert tuple(waits) == SCHEDULE
    failed = only(due)
    assert (failed.state, failed.due_at, len(failed.tries)) == ("failed", None, 10)
    assert (address(due).state, address(due).state_reason) == (
        "off",
        "connection refused (failed 10 times, to the end of the schedule)",
    )


def test_one_poisonous_message_does_not_switch_off_an_address_that_takes_others(due: Database) -> None:
    with due.read() as connection:
        poisonous = ledger.listing(connection)[0].delivery_id
    more(due, BOB)
    at = NOW
    for _ in range(40):
        claimed = take(due, at)
        if claimed is None:
            upcoming = entry(due, poisonous).due_at
            if upcoming is None:
                break
            at = upcoming
            continue
        outcome = DOWN if claimed.delivery_id == poisonous else OK
        outbox.record(due, outbox.begin_attempt(due, claimed, at), outcome, at, Always())

    assert entry(due, poisonous).state == "failed"
    assert address(due).state == "on"


def test_a_permanent_failure_is_final_and_the_address_is_off_at_once(due: Database) -> None:
    waiting = more(due, BOB)

    assert send_next(due, Failed(answer="410 Gone", permanent=True)) == "failed"

    assert address(due).state == "off"
    assert take(due, NOW + 30 * DAY) is None
    assert entry(due, waiting).state == "pending"


def test_a_permanently_bad_message_is_final_and_the_address_stays_on(due: Database) -> None:
    assert send_next(due, Failed(answer="554 refused", permanent=True, whose="message")) == "failed"

    assert address(due).state == "on"


def test_the_operators_trouble_is_retried_for_as_long_as_it_lasts(due: Database) -> None:
    at = NOW
    for _ in range(50):
        assert send_next(due, Failed(answer="sign-in refused", permanent=True, whose="operator"), at) == "pending"
        at += 5 * MINUTE

    assert address(due).state == "on"
    assert send_next(due, DOWN, at) == "pending"
    assert only(due).due_at == at + SCHEDULE[0]  # none of the schedule was used up


def test_retry_after_is_honoured(due: Database) -> None:
    send_next(due, Failed(answer="429", retry_after=3600))

    assert only(due).due_at == NOW + HOUR


def test_a_later_message_about_a_record_waits_for_the_earlier_one_and_others_pass_by(due: Database) -> None:
    later, other = more(due, ALICE, NOW + SECOND), more(due, BOB, NOW + SECOND)
    at = NOW + 2 * SECOND

    assert send_next(due, DOWN, at) == "pending"  # the earlier one
    passing = take(due, at)
    assert passing is not None and passing.delivery_id == other
    outbox.record(due, outbox.begin_attempt(due, passing, at), OK, at, Always())
    assert take(due, at) is None

    assert send_next(due, OK, at + MINUTE) == "delivered"
    following = take(due, at + MINUTE)
    assert following is not None and following.delivery_id == later


def test_order_is_kept_within_an_address_and_a_record_whatever_fails(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE, BOB)
        subscribe(connection, to=[MAIL, HOOK])
        told = [(record, id_) for record in (ALICE, BOB, ALICE, BOB, ALICE) for id_ in tell(connection, record=record)]
    rng, at = Random(7), NOW
    arrived: list[str] = []
    for _ in range(400):
        claimed = take(database, at)
        if claimed is None:
            at += 10 * MINUTE
            continue
        failing = rng.random() < 0.5
        outbox.record(database, outbox.begin_attempt(database, claimed, at), DOWN if failing else OK, at, Always())
        if not failing:
            arrived.append(claimed.delivery_id)

    with database.read() as connection:
        uris = {one.delivery_id: one.uri for one in ledger.listing(connection)}
    assert len(arrived) == 10
    for record in (ALICE, BOB):
        for uri in (MAIL, HOOK):
            mine = [id_ for of, id_ in told if of == record and uris[id_] == uri]
            assert [id_ for id_ in arrived if id_ in mine] == mine


def test_an_address_that_never_answers_delays_others_by_one_try(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE, BOB, CHARLIE)
        subscribe(connection, "dead", to=[HOOK])
        subscribe(connection, "alice", to=[MAIL])
        for record in (ALICE, BOB, CHARLIE):
            tell(connection, record=record)

    served = []
    for second in range(6):
        claimed = take(database, NOW + second * SECOND)
        assert claimed is not None
        served.append(claimed.uri)
        attempt = outbox.begin_attempt(database, claimed, NOW + second * SECOND)
        outbox.record(database, attempt, DOWN if claimed.uri == HOOK else OK, NOW + second * SECOND, Always())
    assert served == [HOOK, MAIL, HOOK, MAIL, HOOK, MAIL]


def test_one_message_at_a_time_is_under_way_to_an_address(due: Database) -> None:
    more(due, BOB)

    assert take(due, NOW, "w1") is not None
    assert take(due, NOW, "w2") is None


def test_a_message_that_kills_every_worker_is_given_up_in_the_end(due: Database) -> None:
    at = NOW
    for _ in range(30):
        claimed = take(due, at)
        if claimed is None:
            break
        outbox.begin_attempt(due, claimed, at)
        at += 2 * MINUTE

    done = only(due)
    assert (done.state, len(done.tries)) == ("failed", 10)
    assert done.last_answer == "no worker came back from the last try of the schedule"


def test_concurrent_workers_never_get_the_same_delivery(database: Database) -> None:
    records = [f"NCT99{number:06d}" for number in range(12)]
    with database.write() as connection:
        watch(connection, *records)
        for name in range(4):
            subscribe(connection, f"s{name}", to=[f"mailto:s{name}@example.org"])
        due = [id_ for record in records for id_ in tell(connection, record=record)]
    claims: list[Claimed] = []
    trouble: list[BaseException] = []
    started = threading.Barrier(6)

    def work(name: str) -> None:
        started.wait()
        idle = 0
        try:
            while idle < 50 and len(claims) < len(due):
                claimed = outbox.claim(database, name, NOW, 600)
                if claimed is None:
                    idle += 1
                    continue
                claims.append(claimed)
                attempt = outbox.begin_attempt(database, claimed, NOW)
                outbox.record(database, attempt, OK, NOW, Random(1))
        except BaseException as error:
            trouble.append(error)

    workers = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)

    assert trouble == []
    assert Counter(claimed.delivery_id for claimed in claims) == Counter(due)
    with database.read() as connection:
        assert {len(one.tries) for one in ledger.listing(connection)} == {1}


def test_workers_that_saw_the_same_row_due_do_not_both_get_it(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
        subscribe(connection)
        tell(connection)
    started = threading.Barrier(8)
    got: list[Claimed | None] = []

    def race(name: str) -> None:
        started.wait()
        got.append(outbox.claim(database, name, NOW, 60))

    racers = [threading.Thread(target=race, args=(f"w{number}",)) for number in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(30)

    assert len(got) == 8
    assert len([one for one in got if one]) == 1


def test_what_is_held_comes_due_by_itself_when_nobody_lets_it_go(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
        subscribe(connection)
        tell(connection, change("title.changed"), held_until=NOW + 30 * MINUTE)

    assert take(database, NOW + 29 * MINUTE) is None
    assert send_next(database, OK, NOW + 30 * MINUTE) == "delivered"


def test_retrying_by_hand_begins_a_new_schedule_under_the_same_id_and_switches_the_address_on(due: Database) -> None:
    send_next(due, Failed(answer="410 Gone", permanent=True))
    failed = only(due)
    with due.write() as connection:
        outbox.retry(connection, failed.delivery_id, NOW + DAY)

    assert address(due).state == "on"
    assert send_next(due, DOWN, NOW + DAY) == "pending"
    again = only(due)
    assert again.delivery_id == failed.delivery_id
    assert again.due_at == NOW + DAY + SCHEDULE[0]
    assert [one.number for one in again.tries] == [1, 2]


def test_retrying_what_is_being_sent_leaves_it_alone(due: Database) -> None:
    claimed = take(due)
    assert claimed is not None
    with due.write() as connection:
        outbox.retry(connection, claimed.delivery_id, NOW)

    assert take(due, NOW, "w2") is None
    outbox.record(due, outbox.begin_attempt(due, claimed, NOW), OK, NOW, Random(1))


def test_what_does_not_exist_cannot_be_retried_or_cancelled(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        with pytest.raises(outbox.UnknownDelivery):
            outbox.retry(connection, "dlv_x", NOW)
        with pytest.raises(outbox.UnknownDelivery):
            outbox.cancel(connection, "dlv_x", "in a test", NOW)


def test_a_cancelled_delivery_is_never_sent(due: Database) -> None:
    with due.write() as connection:
        assert outbox.cancel(connection, ledger.listing(connection)[0].delivery_id, "a mistake", NOW)

    assert take(due, NOW + 30 * DAY) is None
    assert (only(due).state, only(due).last_answer) == ("cancelled", "a mistake")


def test_replaying_sends_again_what_was_made_since_in_the_old_order(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
        subscribe(connection, to=[MAIL, HOOK])
        for day in range(3):
            tell(connection, at=NOW + day * DAY)
    while send_next(database, OK, NOW + 3 * DAY) != "nothing":
        pass
    with database.write() as connection:
        replayed = outbox.replay(connection, NOW + DAY, NOW + 4 * DAY, HOOK)

    sent = []
    while (claimed := take(database, NOW + 4 * DAY)) is not None:
        sent.append(claimed.delivery_id)
        outbox.record(database, outbox.begin_attempt(database, claimed, NOW + 4 * DAY), OK, NOW + 4 * DAY, Always())
    assert sent == replayed
    assert len(sent) == 2


def test_claiming_looks_only_at_what_is_open(sqlite_database: Database) -> None:
    """The partial indexes serve the claim: its cost does not grow with what is done."""
    with sqlite_database.read() as connection:
        seen: list[str] = []
        for statement in (claiming.ADDRESSES_DUE, claiming.FIRST_DUE):
            asked = statement.params(now=NOW, **({"address": 1} if statement is claiming.FIRST_DUE else {}))
            compiled = asked.compile(connection.engine, compile_kwargs={"literal_binds": True})
            seen += [row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {compiled}"))]

    touching = [line for line in seen if "deliveries" in line]
    assert touching and all("USING" in line and "INDEX ix_deliveries_open" in line for line in touching)


def test_a_replay_leaves_alone_who_is_no_longer_subscribed(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
        subscribe(connection, "alice", to=[MAIL, HOOK])
        subscribe(connection, "bob", to=["mailto:bob@example.org"])
        tell(connection)
    while send_next(database, Delivered("250 ok")) != "nothing":
        pass
    with database.write() as connection:
        subscriptions.unsubscribe(connection, "alice", HOOK, NOW)
        subscriptions.remove(connection, "bob", NOW)

        again = outbox.replay(connection, NOW - HOUR, NOW + HOUR)

    with database.read() as connection:
        assert [ledger.show(connection, each).uri for each in again] == [MAIL]  # type: ignore[union-attr]


def test_a_test_message_tries_an_address_that_is_off_once_more(due: Database) -> None:
    with due.write() as connection:
        addresses.switch(connection, MAIL, "off", "550 no such user", NOW)

        (test,) = outbox.enqueue_test(connection, "alice", NOW)

        assert addresses.find(connection, MAIL, NOW).state == "on"  # type: ignore[union-attr]
    while send_next(due, Failed(answer="550 still not", permanent=True)) != "nothing":
        pass
    with due.read() as connection:
        assert ledger.show(connection, test) is not None
        assert addresses.find(connection, MAIL, NOW).state == "off"  # type: ignore[union-attr]


@pytest.mark.parametrize("moment", ["cancelled first", "claimed first"])
def test_what_a_worker_has_claimed_can_no_longer_be_called_off(due: Database, moment: str) -> None:
    """Two transactions at once: on PostgreSQL the second waits for the first and then sees what became of the row."""
    claimed = take(due)
    assert claimed is not None
    if moment == "cancelled first":
        outbox.record(due, outbox.begin_attempt(due, claimed, NOW), DOWN, NOW, Always())
    with due.write() as connection:
        was = outbox.cancel(connection, claimed.delivery_id, "no longer wanted", NOW)

    with due.read() as connection:
        entry = ledger.show(connection, claimed.delivery_id)
    assert entry is not None
    assert (was, entry.state) == ((True, "cancelled") if moment == "cancelled first" else (False, "sending"))


def test_a_cancel_that_waits_for_a_claim_leaves_what_was_claimed_alone(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
        subscribe(connection, to=[MAIL])
        (delivery_id,) = tell(connection)
    said: list[bool] = []

    def cancel() -> None:
        with database.write() as connection:
            said.append(outbox.cancel(connection, delivery_id, "no longer wanted", NOW))

    canceller = threading.Thread(target=cancel)
    with database.write() as connection:
        assert claiming.take_next(connection, "w1", NOW, 60) is not None
        canceller.start()
        canceller.join(0.3)  # it has read the row as it was, and waits for this transaction
    canceller.join(20)

    with database.read() as connection:
        entry = ledger.show(connection, delivery_id)
    assert said == [False]
    assert entry is not None
    assert entry.state == "sending"


def test_the_record_of_one_and_the_claim_of_the_next_are_one_transaction(due: Database) -> None:
    first = outbox.take(due, "w1", NOW, 60)
    assert first is not None
    with due.write() as connection:
        tell(connection, at=NOW + SECOND)

    state, second = outbox.record_and_take(due, first, OK, NOW + MINUTE, Always(), 60)

    assert state == "delivered"
    assert second is not None
    assert second.claimed.delivery_id != first.claimed.delivery_id
    assert second.claimed.worker == "w1"
    assert (second.number, second.tries) == (1, 1)


def test_a_renewed_lease_holds_and_one_that_passed_on_stays_the_others(due: Database) -> None:
    claimed = take(due)
    assert claimed is not None
    with due.write() as connection:
        outbox.renew(connection, [claimed], NOW + 50 * SECOND, 60)
    assert take(due, NOW + 80 * SECOND, "w2") is None
    other = take(due, NOW + 111 * SECOND, "w2")
    assert other is not None
    with due.write() as connection:
        outbox.renew(connection, [claimed], NOW + 112 * SECOND, 600)

    assert take(due, NOW + 175 * SECOND, "w3") is not None


def test_the_claim_walks_open_ones_by_number_and_the_page_its_own_index(sqlite_database: Database) -> None:
    """A claim that read all that is due to an address and sorted it would cost more with every message that waits."""
    with sqlite_database.read() as connection:
        claim = claiming.FIRST_DUE.params(now=NOW, address=1).compile(
            connection.engine, compile_kwargs={"literal_binds": True}
        )
        claimed = [row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {claim}"))]
        listed: list[str] = []
        event.listen(connection.engine, "before_cursor_execute", lambda *a: listed.append(a[2]))
        ledger.found(connection, ledger.Asked(address=1))
        page = [row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {listed[0].replace('?', '1')}"))]

    assert any("ix_deliveries_open_numbers" in line for line in claimed)
    assert any("ix_deliveries_address_number" in line for line in page)
    assert not [line for line in (*claimed, *page) if "ORDER BY" in line]
