"""What can be wrong with a subscription, and that one is kept as it was given."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection

from notifiers import addresses, ledger, outbox, subscriptions
from notifiers.conditions import InvalidValue, Near, Place
from notifiers.filters import in_words
from notifiers.subscriptions import Subscription, check, from_table
from snapshots.database import Database
from tests.notifiers.cast import ALICE, DAY, HOOK, MAIL, MINUTE, NOW, change, subscribe, tell, watch

UNTELLABLE = "is no address that can be told; it is a mail address, or begins with one of https:, mailto:"
ALLOWED = "; http: and addresses of one's own network only with TRIALDELTA_ALLOW_PRIVATE_NETWORKS=true"
SEVERITY = "unknown severity (of critical, major, minor, admin)"
WEEKDAY = "it is one of monday, tuesday, wednesday, thursday, friday, saturday, sunday"


def read(**asked: Any) -> Subscription:
    subscription = from_table({"name": "alice", "to": [MAIL], **asked})
    check(subscription)
    return subscription


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        (
            {"when": {"kinds": ["site.recruting"]}},
            "when.kinds: unknown kind 'site.recruting'; did you mean 'site.recruiting'?",
        ),
        (
            {"when": {"kinds": ["!site.recruting"]}},
            "when.kinds: unknown kind 'site.recruting'; did you mean 'site.recruiting'?",
        ),
        ({"when": {"kinds": ["sites.*"]}}, "when.kinds: unknown group of kinds 'sites.*'; did you mean 'site.*'?"),
        ({"when": {"kinds": ["weather"]}}, "when.kinds: unknown kind 'weather'"),
        ({"when": {"kinds": [3]}}, "when.kinds[0]: expected `str`, got `int`"),
        (
            {"when": {"min_severity": "majr"}},
            f"when.min_severity: {SEVERITY} 'majr'; did you mean 'major'?",
        ),
        ({"when": {"country": ["China"]}}, "when.country: unknown key; did you mean 'countries'?"),
        ({"when": {"countries": ["XX"]}}, "when.countries: 'XX' is no ISO 3166 code of a country"),
        (
            {"when": {"becomes": ["RECRUTING"]}},
            "when.becomes: unknown status 'RECRUTING'; did you mean 'RECRUITING'?",
        ),
        ({"when": {"sites": ["  "]}}, "when.sites: '  ' holds no word"),
        ({"when": {"shift_days_over": -1}}, "when.shift_days_over: -1 is not a number of days from 0 on"),
        (
            {"when": {"near": {"place": "Beijing, France", "km": 50}}},
            "when.near.place: Beijing, France: no such place; Beijing is there as 'Beijing, China'?",
        ),
        (
            {"when": {"near": {"place": {"latitude": 116.4, "longitude": 39.9}, "km": 50}}},
            "when.near.place.latitude: 116.4 is not between -90 and 90",
        ),
        (
            {"when": {"near": {"place": {"latitude": 39.9, "longitude": 116.4}, "km": 0}}},
            "when.near.km: 0 is not a distance on the earth, 0 to 20,100 km",
        ),
        ({"when": {"near": {"place": {"latitude": 39.9}, "km": 5}}}, "when.near.place.longitude: is missing"),
        ({"to": ["alice"]}, f"to: 'alice' {UNTELLABLE}"),
        ({"to": ["ftp://example.org"]}, f"to: 'ftp://…' {UNTELLABLE}"),
        ({"to": ["http://example.org/"]}, f"to: 'http://example.org/' {UNTELLABLE}{ALLOWED}"),
        ({"to": ["mailto:alice"]}, "to: 'mailto:alice' is no mail address, mailto:name@example.org"),
        (
            {"to": ["mailto:a@example.org\nBcc: b@example.org"]},
            "to: 'mailto:a@example.org\\nBcc: b@example.org' is no mail address, mailto:name@example.org",
        ),
        ({"to": ["https:///path"]}, "to: 'https:///path' names no host"),
        ({"to": [MAIL, MAIL]}, "to: an address is given twice"),
        ({"watches": "some"}, "watches: invalid enum value 'some'"),
        ({"watches": {}}, 'watches: needs exactly one of group, ids, search, or is "all"; 0 are given'),
        (
            {"watches": {"group": "a", "search": "b"}},
            'watches: needs exactly one of group, ids, search, or is "all"; 2 are given',
        ),
        ({"watches": {"ids": []}}, "watches.ids: is empty: nothing would ever be told"),
        ({"watches": {"grupo": "a"}}, "watches.grupo: unknown key; did you mean 'group'?"),
        ({"deliver": {"digest": "weekly", "on": "moonday"}}, f"deliver.on: 'moonday' is no weekday; {WEEKDAY}"),
        (
            {"deliver": {"digest": "weekly", "timezone": "Asia/Peking"}},
            "deliver.timezone: 'Asia/Peking' is no IANA time zone, e.g. 'Europe/Berlin'",
        ),
        ({"deliver": {"digest": "hourly"}}, "deliver.digest: invalid enum value 'hourly'"),
        ({"deliver": {"immediately": "critical"}}, "deliver.digest: is missing"),
        (
            {"deliver": {"digest": "daily", "immediately": "urgent"}},
            f"deliver.immediately: {SEVERITY} 'urgent'",
        ),
        ({"severity": {"site.renamd": "minor"}}, "severity: unknown kind 'site.renamd'; did you mean 'site.renamed'?"),
        ({"severity": {"site.renamed": "tiny"}}, f"severity.\"site.renamed\": {SEVERITY} 'tiny'"),
        ({"quiet": {"from": "22:00", "to": "7"}}, "quiet.to: '7' is no time of day, HH:MM from 00:00 to 23:59"),
        ({"quiet": {"from": "22:00"}}, "quiet.to: is missing"),
        ({"max_per_hour": 0}, "max_per_hour: 0 is not a number of messages from 1 on"),
        ({"snooze_until": "soon"}, "snooze_until: 'soon' is no date, e.g. 2026-12-01"),
        (
            {"snooze_until": datetime.fromisoformat("2026-12-01T08:00")},
            "snooze_until: 2026-12-01T08:00:00 needs an offset, e.g. 2026-12-01T08:00:00Z",
        ),
        ({"name": " "}, "name: a subscription needs a name"),
        ({"pausd": True}, "pausd: unknown key; did you mean 'paused'?"),
    ],
)
def test_what_cannot_be_meant_is_refused_naming_key_and_value(asked: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        read(**asked)

    assert str(refused.value) == complaint


def test_a_place_that_is_named_is_kept_with_its_coordinates_and_read_back_the_same() -> None:
    kept = read(when={"near": {"place": "Peking", "km": 50}}).when

    assert kept.near == Near(place=Place(name="Beijing, China", latitude=39.908, longitude=116.397), km=50)
    assert read(when=msgspec.to_builtins(kept)).when == kept
    assert in_words(kept) == "within 50 km of Beijing, China"


def test_the_schemes_that_the_operator_allows_can_be_told() -> None:
    subscription = from_table({"name": "alice", "to": ["http://127.0.0.1:8080/"]})

    check(subscription, schemes={"mailto", "https", "http"})


def test_a_single_text_stands_for_a_list_of_one() -> None:
    subscription = read(to=MAIL, when={"countries": "China", "sponsor": "Example"})

    assert (subscription.to, subscription.when.countries, subscription.when.sponsor) == (
        (MAIL,),
        ("China",),
        ("Example",),
    )


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"deliver": "immediately", "watches": {"group": "dkd"}},
        {"deliver": {"digest": "weekly", "on": "monday", "at": "08:00", "timezone": "Asia/Shanghai"}},
        {"deliver": {"digest": "monthly", "on": 31, "immediately": "critical"}},
        {"watches": {"ids": [ALICE]}, "when": {"kinds": ["site.*", "!site.renamed"], "min_severity": "minor"}},
        {"when": {"near": {"place": {"latitude": 39.9, "longitude": 116.4}, "km": 50}, "shift_days_over": 0}},
        {"severity": {"site.renamed": "minor"}, "quiet": {"from": "22:00", "to": "07:00"}, "max_per_hour": 5},
        {"snooze_until": datetime(2026, 12, 1, 8, tzinfo=UTC), "paused": True, "templates": "mine"},
        {"to": [HOOK, MAIL]},
    ],
)  # fmt: skip
def test_a_subscription_is_kept_as_it_was_given(database: Database, asked: dict[str, Any]) -> None:
    given = read(**asked)

    with database.write() as connection:
        subscriptions.save(connection, given, NOW)

    with database.read() as connection:
        stored = subscriptions.find(connection, "alice")
    assert stored is not None
    assert stored.subscription == given
    assert stored.created_at == NOW


def test_saving_again_keeps_when_it_began_and_takes_the_new_addresses(database: Database) -> None:
    with database.write() as connection:
        subscribe(connection, to=[MAIL, HOOK], at=NOW - 30 * DAY)
        subscribe(connection, to=["mailto:bob@example.org", MAIL], when={"kinds": ["site.*"]}, at=NOW)

    with database.read() as connection:
        stored = subscriptions.find(connection, "alice")
    assert stored is not None
    assert stored.created_at == NOW - 30 * DAY
    assert stored.subscription.to == ("mailto:bob@example.org", MAIL)
    assert stored.subscription.when.kinds == ("site.*",)


def test_a_web_address_gets_its_secret_once_and_a_mailbox_none(database: Database) -> None:
    with database.write() as connection:
        first = subscriptions.save(connection, read(to=[HOOK, MAIL]), NOW)
        second = subscriptions.save(connection, read(name="bob", to=[HOOK]), NOW)
        kept = addresses.find(connection, HOOK, NOW)
        mailbox = addresses.find(connection, MAIL, NOW)

    assert list(first) == [HOOK]
    assert second == {}
    assert kept is not None and mailbox is not None
    assert kept.secrets == (first[HOOK],)
    assert mailbox.secrets == ()
    addresses.check_secret(first[HOOK])


def test_secrets_differ() -> None:
    assert len({addresses.new_secret() for _ in range(50)}) == 50


def test_a_replaced_secret_signs_beside_the_new_one_for_a_day(database: Database) -> None:
    old, new = addresses.new_secret(), addresses.new_secret()
    with database.write() as connection:
        addresses.ensure(connection, HOOK, NOW)
        addresses.set_secret(connection, HOOK, old, NOW)
        addresses.set_secret(connection, HOOK, new, NOW + DAY)
        during = addresses.find(connection, HOOK, NOW + 2 * DAY - DAY / 24)
        after = addresses.find(connection, HOOK, NOW + 2 * DAY)

    assert during is not None and after is not None
    assert during.secrets == (new, old)
    assert after.secrets == (new,)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64 at all, and long enough", "A" * 44]
)
def test_what_is_no_secret_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        addresses.check_secret(secret)

    assert str(refused.value) == "secret: a secret is `whsec_` and 24 to 64 bytes in base64"


def test_removing_cancels_what_waits_for_it_alone_and_keeps_the_ledger(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
        subscribe(connection, "alice", to=[MAIL])
        subscribe(connection, "bob", to=[MAIL, HOOK])
        mail, hook = tell(connection)

        subscriptions.remove(connection, "bob", NOW)

        states = {id_: outbox.cancel(connection, id_, "asked in a test", NOW) for id_ in (mail, hook)}
        told = outbox.load(connection, hook, NOW)
    assert states == {mail: True, hook: False}  # the one for Alice too was still due, the other is cancelled already
    assert [because.name for because in told.because] == ["bob"]


def test_unsubscribing_an_address_tells_it_no_more(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
        subscribe(connection, to=[MAIL, HOOK])

        done = subscriptions.unsubscribe(connection, "alice", MAIL, NOW)

        assert [outbox.load(connection, id_, NOW).address.uri for id_ in tell(connection, change())] == [HOOK]
        assert done
        assert not subscriptions.unsubscribe(connection, "alice", MAIL, NOW)
        assert not subscriptions.unsubscribe(connection, "nobody", MAIL, NOW)


QUIET = {"from": "11:00", "to": "20:00"}


@pytest.mark.parametrize("asleep", [{"paused": True}, {"snooze_until": NOW + 10 * DAY}], ids=["paused", "snoozed"])
def test_what_waits_for_a_subscription_is_called_off_when_it_is_put_to_sleep(
    database: Database, asleep: dict[str, Any]
) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
        subscribe(connection, quiet=QUIET)
        subscribe(connection, "bob", to=["mailto:bob@example.org"], quiet=QUIET)
        mine, bobs = tell(connection)
        subscribe(connection, quiet=QUIET, at=NOW + MINUTE, **asleep)

        assert [state(connection, each) for each in (mine, bobs)] == ["cancelled", "pending"]


def test_what_waits_for_several_subscriptions_tells_only_those_that_remain(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
        subscribe(connection, "sites", when={"kinds": ["site.*"]}, quiet=QUIET)
        subscribe(connection, "ends", when={"kinds": ["study.*", "site.closed"]}, quiet=QUIET)
        (shared,) = tell(connection, change("site.recruiting"), change("site.closed"), change("study.terminated"))
        subscriptions.remove(connection, "sites", NOW)
        told = outbox.load(connection, shared, NOW)

    assert [because.name for because in told.because] == ["ends"]
    assert sorted(one.change.kind for step in told.steps for one in step.changes) == ["site.closed", "study.terminated"]


def state(connection: Connection, delivery_id: str) -> str:
    entry = ledger.show(connection, delivery_id)
    assert entry is not None
    return entry.state
