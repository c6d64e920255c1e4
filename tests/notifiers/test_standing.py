"""How things stand today for what a subscription asks."""

import json

import pytest

from notifiers import standing, subscriptions, watches
from notifiers.conditions import Conditions, Near, Place
from snapshots.database import Database
from snapshots.trial import Site, Trial
from tests.notifiers.cast import ALICE, BEIJING, BOB, CHARLIE, LYON, NOW, seen, subscribe, trial, watch

PARIS = Site(facility="Example Clinic", city="Paris", country="France", status="RECRUITING")


def test_sites_that_recruit_are_named_and_others_are_not() -> None:
    state = standing.standing(Conditions(), [trial(sites=[BEIJING, LYON]), trial(BOB, sites=[PARIS])])

    assert standing.in_words(state) == (
        "2 sites recruit already: Example Lotus Hospital, Beijing, China; Example Clinic, Paris, France"
    )
    assert [(found.trial_id, found.title) for found in state.sites] == [
        (ALICE, "A Study of Rest"),
        (BOB, "A Study of Rest"),
    ]


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        (Conditions(countries=("CN",)), "2 sites recruit already, 1 in CN: Example Lotus Hospital, Beijing, China"),
        (Conditions(countries=("Spain",)), "2 sites recruit already, none in Spain"),
        (
            Conditions(kinds=("site.*",), near=Near(place=Place(latitude=39.9, longitude=116.3), km=50)),
            "2 sites recruit already, 1 within 50 km of 39.9, 116.3: Example Lotus Hospital, Beijing, China",
        ),
        (Conditions(sponsor=("somebody else",)), "No site recruits yet (0 trials)"),
    ],
)
def test_the_same_conditions_are_asked_as_of_changes(conditions: Conditions, words: str) -> None:
    assert standing.in_words(standing.standing(conditions, [trial(sites=[BEIJING, PARIS])])) == words


def test_many_sites_are_counted_and_not_all_named() -> None:
    many = [Site(facility=f"Example {number}", status="RECRUITING") for number in range(13)]

    words = standing.in_words(standing.standing(Conditions(), [trial(sites=many)]), at_most=2)

    assert words == "13 sites recruit already: Example 0; Example 1; and 11 more"


def test_where_nothing_recruits_it_says_so() -> None:
    one = [trial(sites=[Site(facility="Example", status="COMPLETED")])]

    assert standing.in_words(standing.standing(Conditions(), one)) == "No site recruits yet (1 trial)"
    assert standing.in_words(standing.standing(Conditions(), [trial(sites=[PARIS])])).startswith(
        "1 site recruits already"
    )


def test_the_newest_stored_versions_of_the_selected_watches_are_read(database: Database) -> None:
    def parse(raw: bytes) -> Trial:
        return trial(json.loads(raw)["of"], sites=[BEIJING])

    with database.write() as connection:
        watch(connection, ALICE, group="dkd")
        watch(connection, BOB, CHARLIE)
        watches.pause(connection, "ctgov", [CHARLIE], NOW)
        for record in (ALICE, BOB, CHARLIE):
            seen(connection, record)
        subscribe(connection, "all")
        subscribe(connection, "some", watches={"group": "dkd"})
        found = {
            one.subscription.name: standing.load(connection, one.subscription, {"ctgov": parse})
            for one in subscriptions.listing(connection)
        }

    assert [site.trial_id for site in found["all"].sites] == [ALICE, BOB]
    assert [site.trial_id for site in found["some"].sites] == [ALICE]
    assert found["all"].trials == 2


def test_a_watch_that_was_never_answered_is_no_trial_yet(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        watch(connection, ALICE)
        subscribe(connection)
        stored = subscriptions.find(connection, "alice")
        assert stored is not None

        assert standing.load(connection, stored.subscription, {}).trials == 0
