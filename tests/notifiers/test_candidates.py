"""Whoever wants a change is found by the index as by asking each; and the index sees what other processes change."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifiers import filters, subscriptions, wanting
from notifiers.candidates import FEW, About, indexed
from notifiers.conditions import Conditions, Near, Place
from notifiers.subscriptions import Selection, Subscription
from snapshots.database import Database
from snapshots.trial import Site
from tests.notifiers.cast import ALICE, BEIJING, BOB, DAY, LYON, NOW, change, happen, subscribe, trial, watch

NOWHERE = Site(facility="Example Clinic", city="Zzyzx", country="France")
UNPINNED = Site(facility="Example Clinic", city="Lyon", country="France", status="RECRUITING")
FIJI = Site(facility="Example Reef", city="Somewhere", country="Fiji", latitude=-16.8, longitude=-179.98)
MOVED = change("site.moved", site=UNPINNED, before="Paris, France", after="Lyon, France", path="sites[0]")

places = st.builds(
    Place,
    latitude=st.sampled_from([39.9, 45.7, -16.8, 84.0, 0.0]),
    longitude=st.sampled_from([116.3, 4.9, 179.9, -3.0]),
)
conditions = st.builds(
    Conditions,
    kinds=st.sampled_from([(), ("site.recruiting",), ("site.*",), ("!site.*",), ("study.*", "country.*")]),
    min_severity=st.sampled_from([None, "critical", "major", "admin"]),
    countries=st.sampled_from([(), ("China",), ("FR", "Fiji")]),
    sites=st.sampled_from([(), ("lotus",), ("clinic", "reef")]),
    near=st.one_of(st.none(), st.builds(Near, place=places, km=st.sampled_from([1.0, 40.0, 300.0, 4000.0, 20000.0]))),
    sponsor=st.sampled_from([(), ("pharma",)]),
)
asked = st.builds(
    Subscription,
    name=st.just("one"),
    to=st.just(()),
    watches=st.one_of(
        st.just("all"),
        st.builds(Selection, ids=st.sampled_from([(ALICE,), (BOB, ALICE), (BOB,)])),
        st.builds(Selection, group=st.sampled_from(["dkd", "other"])),
        st.builds(Selection, search=st.sampled_from(["found", "lost"])),
    ),
    when=conditions,
    severity=st.sampled_from([{}, {"site.*": "critical"}]),
)
happened = st.lists(
    st.one_of(
        st.builds(change, st.sampled_from(["site.recruiting", "site.removed", "site.renamed"]),
                  st.sampled_from([BEIJING, LYON, NOWHERE, UNPINNED, FIJI])),
        st.builds(change, st.sampled_from(["study.suspended", "study.withdrawn", "arm.added", "registry.reformatted"])),
        st.builds(lambda name: change("country.removed", subject={"type": "country", "name": name}),
                  st.sampled_from(["China", "Fiji"])),
        st.just(MOVED),
    ),
    min_size=1, max_size=4,
)  # fmt: skip


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.lists(asked, min_size=1, max_size=25),
    happened,
    st.lists(st.sampled_from([BEIJING, LYON, NOWHERE, UNPINNED, FIJI]), max_size=4),
    st.booleans(),
)
def test_the_index_finds_whom_asking_each_finds(
    wishes: list[Subscription], changes: list[Any], sites: list[Site], known: bool
) -> None:
    # so many that none of the shelves is asked whole
    many = dict(enumerate(wishes * (FEW + 1)))
    of = trial(sites=sites) if known else None

    found = indexed(many).among(About({ALICE}, {"dkd"}, {"found"}), changes, of)

    wanting_any = {number for number, one in many.items() if _wants(one, changes, of)}
    assert wanting_any <= found


def _wants(one: Subscription, changes: list[Any], of: Any) -> bool:
    if not subscriptions.selects(one.watches, {ALICE}, {"dkd"}, {"found"}):
        return False
    return any(filters.decide(one.when, each, of, one.severity, changes).wanted for each in changes)


def test_the_index_leaves_out_whom_it_can() -> None:
    near = Subscription(name="x", to=(), when=Conditions(near=Near(place=Place(latitude=39.9, longitude=116.4), km=50)))
    other = Subscription(name="y", to=(), when=Conditions(countries=("Fiji",)))
    many = dict(enumerate([near, other] * (FEW + 1)))

    found = indexed(many).among(About({ALICE}), [change(site=BEIJING)], trial())

    assert found == {number for number in many if number % 2 == 0}


def _told(database: Database, at: datetime = NOW) -> list[str]:
    """The names of those that want a site's recruiting, found in a transaction of its own."""
    with database.write() as connection:
        step = happen(connection, at=at)
        return [want.stored.subscription.name for want in wanting.wants(connection, step, trial(), at)]


def test_what_another_process_subscribes_changes_and_removes_is_seen(database: Database) -> None:
    other = Database(database.url)
    with database.write() as connection:
        watch(connection, ALICE, group="dkd")
        subscribe(connection, "first")
    assert _told(database) == ["first"]

    with other.write() as connection:
        subscribe(connection, "second", watches={"group": "dkd"})
    assert _told(database) == ["first", "second"]

    with other.write() as connection:
        subscribe(connection, "first", when={"kinds": ["study.*"]})
        subscribe(connection, "third", when={"near": {"place": "Beijing", "km": 50}})
    assert _told(database) == ["second", "third"]

    with other.write() as connection:
        subscriptions.remove(connection, "second", NOW)
    assert _told(database) == ["third"]
    other.dispose()


def test_what_a_transaction_that_fails_subscribed_leaves_no_trace(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
    with pytest.raises(InterruptedError), database.write() as connection:
        subscribe(connection, "never")
        step = happen(connection)
        seen = [want.stored.subscription.name for want in wanting.wants(connection, step, trial(), NOW)]
        raise InterruptedError

    assert seen == ["never"]
    assert _told(database) == []
    with database.write() as connection:
        subscribe(connection, "later")
    assert _told(database) == ["later"]


def test_a_subscription_of_before_revisions_were_counted_is_found(database: Database) -> None:
    from sqlalchemy import update

    from notifiers.tables import subscriptions as rows

    with database.write() as connection:
        watch(connection, ALICE)
        subscribe(connection, "old")
        connection.execute(update(rows).values(revision=None))

    assert _told(database) == ["old"]


def test_the_notice_of_a_registry_concerns_everybody(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE, group="dkd")
        for name, about in (("all", "all"), ("group", {"group": "dkd"}), ("id", {"ids": [BOB]})):
            subscribe(connection, name, watches=about)

    with database.write() as connection:
        step = happen(connection, change("registry.reformatted"), record=None)
        wants = wanting.wants(connection, step, None, NOW + DAY)

    assert sorted(want.stored.subscription.name for want in wants) == ["all", "group", "id"]
