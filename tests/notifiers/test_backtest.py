"""What a subscription would have told; why it wants a stored change or not; how things stand, as a message."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection

from notifiers import addresses, outbox, standing, subscriptions, watches
from notifiers.archive_places import finder
from notifiers.backtest import Backtest, backtest, in_words
from notifiers.composing import message_of
from notifiers.rendering import render
from notifiers.silences import Silence
from notifiers.watches import Wish
from notifiers.why import Answer, changes_of, why
from snapshots.database import Database
from snapshots.places import UnclearPlace
from snapshots.trial import Site, Trial
from tests.notifiers.cast import (
    ALICE,
    BEIJING,
    BOB,
    CHARLIE,
    DAY,
    LYON,
    NOW,
    change,
    happen,
    moved,
    seen,
    subscribe,
    trial,
    watch,
)

HAMLET = Site(facility="Example Barn", city="Zzyzx Springs", country="France", latitude=45.7, longitude=4.8)


def parse(raw: bytes) -> Trial:
    return trial(json.loads(raw)["of"], sites=[BEIJING, LYON, HAMLET])


PARSE: dict[str, Callable[[bytes], Trial]] = {"ctgov": parse}


@pytest.fixture
def past(database: Database) -> Database:
    """Alice's and Bob's trials with a past of changes; a search finds Alice's."""
    with database.write() as connection:
        watch(connection, ALICE, group="dkd")
        watch(connection, BOB)
        watches.add(connection, Wish(registry="ctgov", search={"q": "x"}, name="found"), NOW - 10 * DAY)
        happen(connection, change("record.first_seen"), at=NOW - 9 * DAY)
        happen(connection, change(site=BEIJING), change("site.renamed", site=LYON), at=NOW - 8 * DAY)
        happen(connection, change(site=LYON), record=BOB, at=NOW - 7 * DAY)
        happen(
            connection, moved("completion_date.delayed", "2026-01", "2027-01"), at=NOW - 6 * DAY, cause="back-filled"
        )
        found = change("record.matched", subject={"type": "search", "name": "found"}, after={"status": "RECRUITING"})
        happen(connection, found, at=NOW - 5 * DAY, cause="search")
        happen(connection, change("registry.reformatted"), record=None, at=NOW - 4 * DAY, cause="registry")
    return database


def replayed(connection: Connection, since: str = "2026-01-01", **asked: object) -> Backtest:
    subscription = subscriptions.from_table({"name": "new", "to": [], **asked})
    return backtest(connection, subscription, since, PARSE)


def kinds(result: Backtest) -> list[list[str]]:
    return [[stored.change.kind for stored in alert.changes] for alert in result.alerts]


def test_each_message_that_would_have_been_sent_is_told_oldest_first(past: Database) -> None:
    with past.read() as connection:
        result = replayed(connection)

    assert sorted(kinds(result)) == sorted(
        [
            ["site.recruiting", "site.renamed"],
            ["site.recruiting"],
            ["completion_date.delayed"],
            ["record.matched"],
            ["registry.reformatted"],
        ]
    )
    assert [alert.date for alert in result.alerts] == sorted(alert.date for alert in result.alerts)
    assert (result.trials, result.known_since) == (2, "2026-11-16")


def test_the_conditions_and_what_it_is_about_are_asked_as_of_news(past: Database) -> None:
    with past.read() as connection:
        near = replayed(connection, when={"near": {"place": "Beijing", "km": 50}, "kinds": ["site.*"]})
        group = replayed(connection, watches={"group": "dkd"}, when={"kinds": ["!registry.*"]})
        bob = replayed(connection, watches={"ids": [BOB]}, when={"kinds": ["site.*", "record.*"]})
        search = replayed(connection, watches={"search": "found"}, when={"kinds": ["record.*"]})

    assert kinds(near) == [["site.recruiting"]]
    assert sorted(kinds(group)) == [["completion_date.delayed"], ["site.recruiting", "site.renamed"]]
    assert kinds(bob) == [["site.recruiting"]]
    assert kinds(search) == []  # no record is a member of it today


def test_nothing_before_the_day_is_told(past: Database) -> None:
    with past.read() as connection:
        assert kinds(replayed(connection, since="2026-11-17")) == []


def test_the_result_is_said_in_a_sentence(past: Database) -> None:
    with past.read() as connection:
        some = replayed(connection, when={"kinds": ["site.*"]})
        none = replayed(connection, when={"kinds": ["sponsor.*"]})
        nothing = replayed(connection, watches={"group": "other"})

    looked = "of 2 trials; nothing is stored from before 16 November 2026, `trialdelta backfill` brings it in)"
    assert in_words(some, "the last 12 months") == (
        f"2 alerts in the last 12 months, 3 changes of 2 trials (5 stored steps {looked}"
    )
    assert in_words(none, "the last 12 months") == f"No alert in the last 12 months (5 stored steps {looked}"
    assert in_words(nothing, "the last 12 months").startswith("Nothing is watched that this subscription is about")


def test_of_how_many_trials_the_past_is_not_stored_is_said_also_where_it_is_of_others(past: Database) -> None:
    with past.write() as connection:
        watch(connection, CHARLIE)
        seen(connection, CHARLIE, release="2025-06-02")
        some = replayed(connection, when={"kinds": ["site.*"]})

    assert (some.known_since, some.later) == ("2025-06-02", ("2026-11-16", "2026-11-16"))
    of = "of 3 trials; of 2 of these trials nothing is stored from before 16 November 2026"
    assert of in in_words(some, "the last 12 months")


def explained(connection: Connection, name: str, asked: str) -> dict[str, Answer]:
    asker = subscriptions.find(connection, name)
    assert asker is not None
    told = changes_of(connection, "ctgov", asked)
    return {one.change.kind: why(connection, asker, step, one, PARSE) for step, one in told}


def failing(answer: Answer) -> list[str]:
    return [check.condition for check in answer.checks if not check.holds]


def test_yes_and_no_are_explained_condition_by_condition(past: Database) -> None:
    with past.write() as connection:
        subscribe(connection, when={"near": {"place": "Beijing", "km": 50}, "kinds": ["site.*"]}, at=NOW - 30 * DAY)
        subscribe(connection, "group", watches={"group": "other"}, paused=True)
        step = happen(connection, change(site=BEIJING), change(site=LYON, kind="site.closed"), at=NOW)
        outbox.enqueue(connection, step, trial(sites=(BEIJING, LYON)), NOW)
    with past.read() as connection:
        yes_and_no = explained(connection, "alice", ALICE)
        paused = explained(connection, "group", str(step.changes[0].id))["site.recruiting"]

    yes, no = yes_and_no["site.recruiting"], yes_and_no["site.closed"]
    assert yes.wanted
    assert [check.condition for check in yes.checks] == ["watches", "kinds", "near"]
    assert yes.checks[-1].words == (
        "Example Lotus Hospital, Beijing, China is 1 km away; asked for: within 50 km of Beijing, China"
    )
    assert [(told.uri, told.state) for told in yes.told] == [("mailto:alice@example.org", "pending")]
    assert not no.wanted
    assert failing(no) == ["near"]
    assert no.told == ()
    assert failing(paused) == ["paused", "watches"]


def test_a_yes_says_when_it_is_told_and_what_keeps_it_back(past: Database) -> None:
    quiet = {"from": "11:00", "to": "13:00", "timezone": "Europe/Berlin"}
    deliver = {"digest": "weekly", "on": "monday", "at": "08:00", "immediately": "critical"}
    with past.write() as connection:
        subscribe(connection, quiet=quiet, max_per_hour=3, at=NOW - 30 * DAY)
        subscribe(connection, "digests", deliver=deliver, at=NOW - 30 * DAY)
        subscribe(connection, "resting", snooze_until=NOW + DAY, silenced_by="ann", silence_reason="audit", at=NOW)
        step = happen(connection, change("study.terminated"), change("site.renamed"), at=NOW)
        watches.snooze(connection, "ctgov", [ALICE], Silence(until_critical=True, by="bob"), NOW)
        addresses.switch(connection, "mailto:alice@example.org", "off", "550 no such user", NOW)
        answers = {
            name: {one.change.kind: why(connection, found, step, one, PARSE, NOW) for one in step.changes}
            for name in ("alice", "digests", "resting")
            if (found := subscriptions.find(connection, name))
        }

    off = "to mailto:alice@example.org when it is switched on again; it is off: 550 no such user"
    rests = f"{ALICE} is snoozed until the next critical change, by bob; what waits is told when that ends"
    assert answers["alice"]["study.terminated"].when == (
        rests,
        "at once",
        "not between 11:00 and 13:00 (Europe/Berlin), but after that",
        "of more than 3 an hour to one address, what is over that comes in one summary an hour later",
        off,
    )
    assert answers["digests"]["study.terminated"].when[1] == (
        "at once: it is critical or more severe to this subscription"
    )
    assert answers["digests"]["site.renamed"].when[1].startswith("in the weekly digest, next on ")
    assert answers["resting"]["site.renamed"].when[0] == (
        "the subscription is snoozed until 17 November 2026, 12:00 UTC, by ann: audit; "
        "what waits is told when that ends"
    )


def test_a_pause_is_a_reason_with_its_author(past: Database) -> None:
    with past.write() as connection:
        subscribe(connection, at=NOW - 30 * DAY)
        subscribe(connection, "resting", paused=True, silenced_by="ann", silence_reason="moved", at=NOW - 30 * DAY)
        step = happen(connection, change("site.renamed"), at=NOW)
        watches.pause(connection, "ctgov", [ALICE], NOW, by="bob", reason="holidays")
        (unwatched,) = explained(connection, "alice", str(step.changes[0].id)).values()
        (paused,) = explained(connection, "resting", str(step.changes[0].id)).values()

    assert [check.words for check in unwatched.checks] == [f"{ALICE} is paused, by bob: holidays"]
    assert paused.checks[0].words.startswith("the subscription is paused, by ann: moved; it wants nothing until")
    assert (unwatched.when, paused.when) == ((), ())


def test_what_is_never_told_to_anybody_is_explained(past: Database) -> None:
    with past.write() as connection:
        subscribe(connection, at=NOW - 30 * DAY)
        subscribe(connection, "young", at=NOW)
        old = [(step, one) for number in range(1, 9) for step, one in changes_of(connection, "ctgov", str(number))]
        alice, young = (subscriptions.find(connection, name) for name in ("alice", "young"))
        assert alice is not None
        assert young is not None
        found = {one.change.kind: failing(why(connection, alice, step, one, PARSE)) for step, one in old}
        late = {one.change.kind: failing(why(connection, young, step, one, PARSE)) for step, one in old}

    assert found["record.first_seen"] == ["history"]
    assert found["completion_date.delayed"] == ["history"]
    assert found["registry.reformatted"] == []
    assert late["site.recruiting"] == ["since"]


def test_a_change_that_is_not_there_is_none(past: Database) -> None:
    with past.read() as connection:
        assert changes_of(connection, "ctgov", "9999") == []
        assert changes_of(connection, "ctgov", "NCT99123456") == []


def test_how_things_stand_is_sent_as_a_message_to_every_address(past: Database) -> None:
    when = {"near": {"place": "Beijing", "km": 50}}
    with past.write() as connection:
        subscribe(connection, to=["mailto:alice@example.org", "mailto:bob@example.org"], when=when)
        stored = subscriptions.find(connection, "alice")
        assert stored is not None
        ids = standing.enqueue(connection, stored, standing.load(connection, stored.subscription, PARSE), NOW)
        told = outbox.load(connection, ids[0], NOW)
        page = render(message_of(connection, told))

    assert len(ids) == 2
    assert page.subject == "How things stand today: alice"
    # each of the two trials recruits there
    assert "2 sites recruit already, 2 within 50 km of Beijing, China." in page.text
    assert "Example Lotus Hospital, Beijing, China (1 km away)." in page.text
    assert "Example Lotus Hospital" in page.html
    assert "your subscription “alice”" in " ".join(page.text.split())


def test_a_city_that_no_list_knows_is_found_among_the_stored_sites(past: Database) -> None:
    with past.read() as connection:
        find = finder(connection, PARSE)

        with pytest.raises(UnclearPlace):
            find("Zzyzx Springs")  # the raw record does not name it
        assert find("Beijing").label == "Beijing, China"


def test_the_registry_s_own_spelling_of_a_city_finds_it(database: Database) -> None:
    with database.write() as connection:
        watch(connection, "NCT99 zzyzx springs")
        seen(connection, "NCT99 zzyzx springs", datetime(2026, 11, 16, tzinfo=UTC))
    with database.read() as connection:
        found = finder(connection, PARSE)("zzyzx SPRINGS, France")

    assert (found.label, found.latitude, found.longitude) == ("Zzyzx Springs, France", 45.7, 4.8)
