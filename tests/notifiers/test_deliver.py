"""From a stored change to what arrives: real database, real HTTP server, real mail server."""

import base64
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from aiosmtpd.controller import Controller
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook
from structlog.testing import capture_logs
from werkzeug import Request, Response

from notifiers import addresses, digest, ledger, outbox, subscriptions, template_folders
from notifiers.deliver import DeliverySettings, deliver_due, deliver_one
from snapshots import archive
from snapshots.archive import Observation, StepFacts
from snapshots.database import Database
from tests.notifiers.cast import (
    ALICE,
    BEIJING,
    BOB,
    DAY,
    HOUR,
    MAIL,
    MINUTE,
    NOW,
    change,
    tell,
    trial,
    watch,
)

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()


class Clock:
    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def httpserver() -> Iterator[HTTPServer]:
    """One that answers several at once, as the world does."""
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        yield server


@pytest.fixture
def hook(httpserver: HTTPServer) -> str:
    httpserver.expect_request("/hook").respond_with_data("thanks")
    return httpserver.url_for("/hook")


class Inbox:
    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(envelope.content)
        return "250 queued"


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, str]]:
    """A mail server on loopback that keeps what it takes, and its SMTP URL."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    kept = Inbox()
    controller = Controller(kept, hostname="127.0.0.1", port=port)
    controller.start()
    yield kept, f"smtp://127.0.0.1:{port}"
    controller.stop()


def settings(**more: Any) -> DeliverySettings:
    given: dict[str, Any] = {"allow_private_networks": True, "total_seconds": 5.0, "mail_from": "news@example.org"}
    return DeliverySettings(**{**given, **more})


def asked(database: Database, *to: str, **wish: Any) -> None:
    """Alice's trial is watched, and these addresses are told of everything."""
    with database.write() as connection:
        watch(connection, ALICE, BOB)
        subscription = subscriptions.from_table({"name": "alice", "to": list(to), **wish})
        subscriptions.save(connection, subscription, NOW - DAY)
        for uri in to:
            addresses.set_secret(connection, uri, SECRET, NOW - 10 * DAY)


def due(database: Database, record: str = ALICE, at: datetime = NOW) -> str:
    with database.write() as connection:
        (first, *_) = tell(connection, change(site=BEIJING), record=record, at=at)
    return first


def entry(database: Database, delivery_id: str) -> Any:
    with database.read() as connection:
        return ledger.show(connection, delivery_id)


def deliver(database: Database, clock: Clock, **more: Any) -> bool:
    return deliver_one(database, settings(**more), "w1", clock, Random(1))


def test_a_webhook_arrives_signed_and_is_recorded(
    database: Database, clock: Clock, httpserver: HTTPServer, hook: str
) -> None:
    asked(database, hook)
    delivery_id = due(database)

    assert deliver(database, clock)

    request, _ = httpserver.log[0]
    signed = Webhook(SECRET).sign(delivery_id, clock.now, request.data.decode())
    body = msgspec.json.decode(request.data)
    assert signed in request.headers["webhook-signature"].split(" ")
    assert body["data"]["delivery_id"] == delivery_id
    assert body["data"]["record"]["url"] == f"https://clinicaltrials.gov/study/{ALICE}"
    with database.read() as connection:
        assert body["data"]["archive_head"] == archive.chain_head(connection).short
    assert entry(database, delivery_id).state == "delivered"


def test_a_mail_arrives_and_its_receipt_is_kept(
    sqlite_database: Database, clock: Clock, inbox: tuple[Inbox, str]
) -> None:
    asked(sqlite_database, MAIL)
    delivery_id = due(sqlite_database)

    assert deliver(sqlite_database, clock, smtp_url=inbox[1])

    assert f"Message-ID: <{delivery_id}@example.org>".encode() in inbox[0].mails[0]
    assert entry(sqlite_database, delivery_id).last_answer == "250 queued"


def test_nothing_due_is_nothing_tried(sqlite_database: Database, clock: Clock) -> None:
    assert not deliver(sqlite_database, clock)


def test_what_was_delivered_is_not_sent_again(
    sqlite_database: Database, clock: Clock, httpserver: HTTPServer, hook: str
) -> None:
    asked(sqlite_database, hook)
    due(sqlite_database)

    assert [deliver(sqlite_database, clock), deliver(sqlite_database, clock)] == [True, False]
    assert len(httpserver.log) == 1


def test_a_refused_message_is_tried_again_when_its_time_has_come(
    database: Database, clock: Clock, httpserver: HTTPServer
) -> None:
    httpserver.expect_oneshot_request("/hook").respond_with_data("later", status=503, headers={"Retry-After": "120"})
    asked(database, httpserver.url_for("/hook"))
    delivery_id = due(database)
    deliver(database, clock)
    httpserver.expect_request("/hook").respond_with_data("thanks")

    clock.now += MINUTE
    too_early = deliver(database, clock)
    clock.now += 2 * MINUTE
    in_time = deliver(database, clock)

    assert (too_early, in_time) == (False, True)
    ids = {request.headers["webhook-id"] for request, _ in httpserver.log}
    assert (ids, len(httpserver.log)) == ({delivery_id}, 2)


def test_an_address_that_is_gone_is_switched_off_and_no_other(
    sqlite_database: Database, clock: Clock, httpserver: HTTPServer, hook: str
) -> None:
    httpserver.expect_request("/gone").respond_with_data("bye", status=410)
    asked(sqlite_database, httpserver.url_for("/gone"), hook)
    due(sqlite_database)

    while deliver(sqlite_database, clock):
        pass

    with sqlite_database.read() as connection:
        states = {address.uri: address.state for address in addresses.listing(connection, NOW)}
    assert states == {httpserver.url_for("/gone"): "off", hook: "on"}


def test_a_mail_server_that_is_down_is_nobodys_dead_address(sqlite_database: Database, clock: Clock) -> None:
    asked(sqlite_database, MAIL)
    delivery_id = due(sqlite_database)

    for _ in range(30):
        deliver(sqlite_database, clock, smtp_url="smtp://127.0.0.1:9")
        clock.now += HOUR

    assert entry(sqlite_database, delivery_id).state == "pending"
    with sqlite_database.read() as connection:
        assert [address.state for address in addresses.listing(connection, NOW)] == ["on"]


def test_where_templates_are_broken_ours_take_their_place_and_the_operator_learns_of_it(
    sqlite_database: Database, clock: Clock, inbox: tuple[Inbox, str], tmp_path: Path
) -> None:
    (tmp_path / "trial.changed").mkdir()
    (tmp_path / "trial.changed" / "subject.txt").write_text("{{ nonsense }}")
    asked(sqlite_database, MAIL, templates=str(tmp_path))
    delivery_id = due(sqlite_database)

    with capture_logs() as logs:
        assert deliver(sqlite_database, clock, smtp_url=inbox[1])

    said = f"{tmp_path}/trial.changed/subject.txt, line 1: UndefinedError: 'nonsense' is undefined"
    told = entry(sqlite_database, delivery_id)
    assert (told.state, len(inbox[0].mails)) == ("delivered", 1)
    assert said in (told.last_answer or "")
    assert [said in log["reason"] for log in logs if log["log_level"] == "error"] == [True]


def test_a_template_that_is_broken_between_two_tries_is_replaced_by_ours_at_the_second(
    sqlite_database: Database, clock: Clock, inbox: tuple[Inbox, str], tmp_path: Path
) -> None:
    (tmp_path / "trial.changed").mkdir()
    subject = tmp_path / "trial.changed" / "subject.txt"
    subject.write_text("{{ trial.id }} in words of my own")
    asked(sqlite_database, MAIL, templates=str(tmp_path))
    first, second = due(sqlite_database), due(sqlite_database, BOB)

    assert deliver(sqlite_database, clock, smtp_url=inbox[1])
    assert deliver(sqlite_database, clock, smtp_url="smtp://127.0.0.1:9")
    subject.write_text("{{ trial.id")
    clock.now += HOUR
    assert deliver(sqlite_database, clock, smtp_url=inbox[1])

    whole, ours = (message_from_bytes(mail, policy=policy.default) for mail in inbox[0].mails)
    told = entry(sqlite_database, second)
    assert whole["subject"] == f"{ALICE} in words of my own"
    assert str(ours["subject"]).startswith(f"Site recruiting: {BOB}")
    assert (told.state, [one.outcome for one in told.tries]) == ("delivered", ["retry", "delivered"])
    assert f"in our templates: the templates of trial.changed cannot be filled: {subject}, line 1" in told.last_answer
    assert "in our templates" not in entry(sqlite_database, first).last_answer
    with sqlite_database.read() as connection:
        assert [name for name, _ in template_folders.unused(connection)] == ["alice"]


def test_a_broken_template_is_no_concern_of_a_webhook(
    sqlite_database: Database, clock: Clock, httpserver: HTTPServer, hook: str, tmp_path: Path
) -> None:
    asked(sqlite_database, hook, templates=str(tmp_path / "missing"))
    due(sqlite_database)

    deliver(sqlite_database, clock)

    assert len(httpserver.log) == 1


def test_the_log_names_no_address(sqlite_database: Database, clock: Clock, hook: str) -> None:
    asked(sqlite_database, hook)
    due(sqlite_database)

    with capture_logs() as logs:
        deliver(sqlite_database, clock)

    assert logs
    assert hook not in str(logs)


def test_a_worker_that_died_while_sending_is_succeeded_under_the_same_id(
    database: Database, clock: Clock, httpserver: HTTPServer, hook: str
) -> None:
    asked(database, hook)
    delivery_id = due(database)
    claimed = outbox.claim(database, "dead", clock(), 60)
    assert claimed is not None
    outbox.begin_attempt(database, claimed, clock())

    before = deliver(database, clock)
    clock.now += timedelta(seconds=61)
    after = deliver(database, clock)

    assert (before, after) == (False, True)
    assert [request.headers["webhook-id"] for request, _ in httpserver.log] == [delivery_id]
    assert entry(database, delivery_id).state == "delivered"


def test_a_worker_that_comes_back_late_writes_nothing(
    sqlite_database: Database, clock: Clock, httpserver: HTTPServer
) -> None:
    asked_before: list[Request] = []

    def handle(request: Request) -> Response:
        asked_before.append(request)
        if len(asked_before) == 1:
            clock.now += timedelta(seconds=200)
            assert deliver_one(sqlite_database, settings(), "second", clock, Random(1))
        return Response("thanks")

    httpserver.expect_request("/hook").respond_with_handler(handle)
    asked(sqlite_database, httpserver.url_for("/hook"))
    delivery_id = due(sqlite_database)

    deliver(sqlite_database, clock)

    attempts = entry(sqlite_database, delivery_id).tries
    assert [(one.worker, one.outcome) for one in attempts] == [("w1", None), ("second", "delivered")]


# --- many at once -----------------------------------------------------------------------------------------------------


def test_everything_due_is_tried_once_and_each_trials_order_is_kept(
    database: Database, clock: Clock, httpserver: HTTPServer
) -> None:
    hooks = []
    for name in "abcd":
        httpserver.expect_request(f"/{name}").respond_with_data("thanks")
        hooks.append(httpserver.url_for(f"/{name}"))
    asked(database, *hooks)
    with database.write() as connection:
        for number in range(5):
            tell(connection, change(summary=f"Step {number}"), at=NOW + timedelta(seconds=number))
    clock.now += HOUR

    tried = deliver_due(database, settings(), "w", clock, Random(1), threads=3)

    told: dict[str, list[str]] = {}
    for request, _ in httpserver.log:
        told.setdefault(request.path, []).append(msgspec.json.decode(request.data)["data"]["changes"][0]["summary"])
    assert tried == 20
    assert told == {f"/{name}": [f"Step {number}" for number in range(5)] for name in "abcd"}


def test_a_slow_address_delays_no_other_not_even_with_what_comes_later(
    sqlite_database: Database, clock: Clock, httpserver: HTTPServer, hook: str
) -> None:
    release, reached = threading.Event(), threading.Event()

    def handle(request: Request) -> Response:
        reached.set()
        release.wait(20)
        return Response("at last")

    httpserver.expect_request("/slow").respond_with_handler(handle)
    asked(sqlite_database, httpserver.url_for("/slow"), hook)
    due(sqlite_database)
    sending = threading.Thread(
        target=deliver_due, args=(sqlite_database, settings(total_seconds=25.0), "w", clock, Random(1))
    )
    sending.start()
    assert reached.wait(10)
    wait_for(lambda: paths(httpserver).count("/hook") == 1)
    due(sqlite_database, BOB)

    wait_for(lambda: paths(httpserver).count("/hook") == 2)

    assert not release.is_set()
    release.set()
    sending.join(20)
    assert sorted(paths(httpserver)) == ["/hook", "/hook", "/slow", "/slow"]


def test_a_lease_that_is_shorter_than_the_sending_is_renewed_and_nothing_goes_out_twice(
    database: Database, httpserver: HTTPServer
) -> None:
    def handle(request: Request) -> Response:
        time.sleep(1.0)
        return Response("at last")

    httpserver.expect_request("/slow").respond_with_handler(handle)
    asked(database, httpserver.url_for("/slow"))
    delivery_id = due(database)
    present = lambda: datetime.now(UTC)  # noqa: E731
    given = settings(lease_seconds=0.6, total_seconds=20.0)
    workers = [
        threading.Thread(target=deliver_due, args=(database, given, name, present, Random(1))) for name in ("a", "b")
    ]
    for each in workers:
        each.start()
        time.sleep(0.3)
    for each in workers:
        each.join(30)

    assert paths(httpserver) == ["/slow"]
    assert len(entry(database, delivery_id).tries) == 1


def paths(httpserver: HTTPServer) -> list[str]:
    return [request.path for request, _ in httpserver.log]


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.02)


def test_a_stop_lets_what_is_under_way_end_and_begins_nothing_more(
    sqlite_database: Database, clock: Clock, httpserver: HTTPServer
) -> None:
    stop = threading.Event()

    def handle(request: Request) -> Response:
        stop.set()
        return Response("thanks")

    httpserver.expect_request("/hook").respond_with_handler(handle)
    asked(sqlite_database, httpserver.url_for("/hook"))
    first, second = due(sqlite_database), due(sqlite_database, BOB)

    deliver_due(sqlite_database, settings(), "w", clock, Random(1), stop=stop)

    assert [entry(sqlite_database, one).state for one in (first, second)] == ["delivered", "pending"]


def test_a_stop_before_the_start_is_not_lost(sqlite_database: Database, clock: Clock, hook: str) -> None:
    stop = threading.Event()
    stop.set()
    asked(sqlite_database, hook)
    due(sqlite_database)

    assert deliver_due(sqlite_database, settings(), "w", clock, Random(1), stop=stop) == 0


# --- what is told -----------------------------------------------------------------------------------------------------


def record(number: str, *, version: int = 1) -> bytes:
    """An invented record in the registry's own shape."""
    contact = {"name": "Ann Example", "role": "CONTACT", "phone": "555-0100", "email": "ann@example.org"}
    site = {
        "facility": "Example Lotus Hospital", "status": "RECRUITING", "city": "Beijing", "country": "China",
        "contacts": [{"name": "Li Example", "role": "CONTACT", "phone": "555-0123"}],
    }  # fmt: skip
    protocol = {
        "identificationModule": {"nctId": number, "briefTitle": f"A Study of Rest, version {version}"},
        "statusModule": {"overallStatus": "RECRUITING"},
        "eligibilityModule": {"minimumAge": "18 Years", "sex": "FEMALE"},
        "contactsLocationsModule": {"centralContacts": [contact], "locations": [site]},
    }
    return msgspec.json.encode({"protocolSection": protocol})


def test_an_alert_says_who_may_take_part_and_whom_to_ask_from_the_record_itself(
    sqlite_database: Database, clock: Clock, inbox: tuple[Inbox, str]
) -> None:
    asked(sqlite_database, MAIL)
    path = "protocolSection.contactsLocationsModule.locations[0].status"
    told = msgspec.structs.replace(change(site=BEIJING), path=path)
    with sqlite_database.write() as connection:
        raw = record(ALICE)
        version = archive.append(
            connection,
            Observation(
                registry="ctgov", registry_id=ALICE, title="A Study of Rest", raw=raw, raw_hash=b"r", content_hash=b"c",
                release="2026-11-16", observed_at=NOW,
            ),
            None,
        )  # fmt: skip
        facts = StepFacts(
            registry="ctgov", registry_id=ALICE, to_version=version, release="2026-11-16", observed_at=NOW
        )
        outbox.enqueue(connection, archive.record_step(connection, facts, [told]), trial(), NOW)

    deliver(sqlite_database, clock, smtp_url=inbox[1])

    said = inbox[0].mails[0].decode()
    for words in ("18 years and older", "female", "Li Example, 555-0123", "Ann Example, 555-0100, ann@example.org"):
        assert words in said


def test_a_record_that_cannot_be_read_leaves_out_its_facts_and_not_the_message(
    sqlite_database: Database, clock: Clock, inbox: tuple[Inbox, str]
) -> None:
    asked(sqlite_database, MAIL)
    with sqlite_database.write() as connection:
        tell(connection)
        version = archive.versions(connection, "ctgov", ALICE)[0].number
        facts = StepFacts(registry="ctgov", registry_id=ALICE, to_version=version, observed_at=NOW)
        step = archive.record_step(connection, facts, [change("results.posted")])
        outbox.enqueue(connection, step, trial(), NOW)

    while deliver(sqlite_database, clock, smtp_url=inbox[1]):
        pass

    assert len(inbox[0].mails) == 2


def test_a_test_message_and_a_digest_arrive_too(
    sqlite_database: Database, clock: Clock, httpserver: HTTPServer, hook: str
) -> None:
    asked(sqlite_database, hook, deliver={"digest": "daily", "at": "08:00"})
    with sqlite_database.write() as connection:
        tell(connection)
        outbox.enqueue_test(connection, "alice", NOW)
        digest.enqueue_due(connection, NOW + DAY)
    clock.now += DAY

    while deliver(sqlite_database, clock):
        pass

    bodies = [msgspec.json.decode(request.data) for request, _ in httpserver.log]
    assert sorted(body["type"] for body in bodies) == ["digest", "test"]
    (told,) = [body["data"]["records"] for body in bodies if body["type"] == "digest"]
    assert [one["record"]["id"] for one in told] == [ALICE]


def test_what_was_taken_is_written_down_as_soon_as_the_database_lets_us(
    tmp_path: Path, sqlite_database: Database, clock: Clock, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snapshots.database.BUSY_TIMEOUT", 100)
    impatient = Database(sqlite_database.url)
    held, free = threading.Event(), threading.Event()

    def hog() -> None:
        with sqlite_database.write():
            held.set()
            free.wait(5)

    def take_it(_request: Request) -> Response:
        threading.Thread(target=hog).start()
        held.wait(5)
        threading.Timer(1.0, free.set).start()
        return Response("thanks")

    httpserver.expect_request("/hook").respond_with_handler(take_it)
    asked(sqlite_database, httpserver.url_for("/hook"))
    delivery_id = due(sqlite_database)

    assert deliver_one(impatient, settings(), "w1", clock, Random(1))

    impatient.dispose()
    assert entry(sqlite_database, delivery_id).state == "delivered"
    assert len(httpserver.log) == 1


def test_a_message_that_cannot_be_read_back_stops_none_of_those_behind_it(
    sqlite_database: Database, clock: Clock, hook: str
) -> None:
    asked(sqlite_database, hook)
    broken, whole = due(sqlite_database), due(sqlite_database, BOB)
    with sqlite_database.write() as connection:
        here = "SELECT change_id FROM delivery_changes WHERE delivery_id = ?"
        connection.exec_driver_sql(f"UPDATE changes SET change = '{{' WHERE id IN ({here})", (broken,))

    assert deliver_due(sqlite_database, settings(), "w1", clock, Random(1), threads=2) == 2

    assert entry(sqlite_database, whole).state == "delivered"
    assert entry(sqlite_database, broken).state == "pending"
