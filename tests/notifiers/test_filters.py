"""Does this subscription want this change, and if not, why not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifiers.conditions import GROUPS, Conditions, Near, Place
from notifiers.filters import decide, distance_km, in_words, severity
from snapshots.changes import Change
from snapshots.kinds import KINDS, SEVERITIES
from snapshots.trial import Site, Trial
from tests.notifiers.cast import BEIJING, LYON, change, moved, trial


def reason(change: Change, of: Trial | None = None, overrides: dict[str, str] | None = None, **asked: Any) -> str:
    return decide(Conditions(**asked), change, of, overrides).reason


def near(latitude: float, longitude: float, km: float) -> Near:
    return Near(place=Place(latitude=latitude, longitude=longitude), km=km)


@given(st.sampled_from(sorted(KINDS)))
def test_without_conditions_every_kind_is_wanted(kind: str) -> None:
    assert reason(change(kind)) == "wanted"


@pytest.mark.parametrize(
    ("kinds", "kind", "wanted"),
    [
        (("site.recruiting",), "site.recruiting", True),
        (("site.recruiting",), "site.closed", False),
        (("site.recruiting", "recruitment.*"), "recruitment.opened", True),
        (("site.*",), "site.added", True),
        (("site.*",), "start_date.delayed", False),
        (("site.*", "!site.renamed"), "site.renamed", False),
        (("!site.renamed", "site.*"), "site.added", True),
        (("!site.renamed",), "study.suspended", True),
        (("!site.*",), "site.recruiting", False),
        (("site.*", "!site.*"), "site.recruiting", False),
        (("completion_date.*",), "primary_completion_date.delayed", False),
    ],
)
def test_kinds_are_names_groups_and_exclusions(kinds: tuple[str, ...], kind: str, wanted: bool) -> None:
    assert reason(change(kind), kinds=kinds) == ("wanted" if wanted else "another kind")


@given(st.sampled_from(SEVERITIES), st.sampled_from(SEVERITIES))
def test_the_least_severity_and_all_above_it_are_wanted(actual: str, floor: str) -> None:
    wanted = SEVERITIES.index(actual) <= SEVERITIES.index(floor)

    assert reason(change(severity=actual), min_severity=floor) == ("wanted" if wanted else "not severe enough")


@pytest.mark.parametrize(
    ("overrides", "reason_given"),
    [
        ({}, "not severe enough"),
        ({"site.renamed": "minor"}, "wanted"),
        ({"site.*": "minor"}, "wanted"),
        ({"site.*": "minor", "site.renamed": "admin"}, "not severe enough"),
        ({"site.added": "critical"}, "not severe enough"),
    ],
)
def test_overrides_count_before_the_least_severity_is_asked(overrides: dict[str, str], reason_given: str) -> None:
    assert reason(change("site.renamed"), overrides=overrides, min_severity="minor") == reason_given


def test_a_severity_that_values_decided_stands_where_nothing_overrides_it() -> None:
    assert severity(change("start_date.delayed", severity="major"), {"start_date.added": "admin"}) == "major"


PLACES = [
    pytest.param({"countries": ("China",)}, id="country"),
    pytest.param({"countries": ("CN",)}, id="iso code"),
    pytest.param({"countries": ("Atlantis", "china")}, id="any of, whatever the case"),
    pytest.param({"sites": ("lotus",)}, id="a word of the name"),
    pytest.param({"sites": ("hospital example",)}, id="all words in any order"),
    pytest.param({"near": near(39.92, 116.38, 10)}, id="near"),
    pytest.param({"near": near(39.92, 116.38, 10), "sites": ("lotus",), "countries": ("China",)}, id="all three"),
]


@pytest.mark.parametrize("asked", PLACES)
def test_a_change_about_a_site_is_judged_by_that_site(asked: dict[str, Any]) -> None:
    both = trial(sites=(BEIJING, LYON))

    assert reason(change(site=BEIJING), both, **asked) == "wanted"
    assert reason(change(site=LYON), both, **asked) == "another place"


@pytest.mark.parametrize("asked", PLACES)
def test_a_change_about_the_record_is_judged_by_whether_it_has_such_a_site(asked: dict[str, Any]) -> None:
    suspended = change("study.suspended")

    assert reason(suspended, trial(sites=(LYON, BEIJING)), **asked) == "wanted"
    assert reason(suspended, trial(sites=(LYON,)), **asked) == "another place"
    assert reason(suspended, trial(sites=()), **asked) == "no known place"
    assert reason(suspended, None, **asked) == "no known place"


@pytest.mark.parametrize("kind", ["primary_outcome.added", "contact.changed", "arm.removed"])
def test_what_is_about_something_else_than_a_site_is_about_the_record(kind: str) -> None:
    about_something = change(kind, subject={"type": kind.partition(".")[0], "name": "China"})

    assert reason(about_something, trial(sites=(LYON,)), countries=("China",)) == "another place"


def test_place_conditions_hold_for_one_and_the_same_site() -> None:
    asked = {"countries": ("France",), "sites": ("lotus",)}

    assert reason(change("study.suspended"), trial(sites=(LYON, BEIJING)), **asked) == "another place"


def test_a_country_that_goes_answers_to_its_own_name_though_no_site_is_left_there() -> None:
    gone = change("country.removed", subject={"type": "country", "name": "Turkey (Türkiye)"})

    assert reason(gone, trial(sites=(LYON,)), countries=("Turkey",)) == "wanted"
    assert reason(gone, trial(sites=(LYON,)), countries=("China",)) == "another place"
    assert reason(gone, trial(sites=(LYON,)), countries=("Turkey",), sites=("lotus",)) == "another place"


@pytest.mark.parametrize(
    ("registry", "asked"),
    [
        ("Turkey (Türkiye)", "Turkey"),
        ("Turkey (Türkiye)", "TR"),
        ("Czechia", "Czech Republic"),
        ("Czechia", "CZ"),
        ("Côte d’Ivoire", "CI"),
        ("South Korea", "KR"),
        ("United Kingdom", "GB"),
        ("United States", "US"),
        ("Russia", "Russian Federation"),
        ("Hong Kong", "HK"),
        ("Iran", "IR"),
        ("Vietnam", "VN"),
        ("Moldova", "MD"),
    ],
)
def test_respelt_countries_and_codes_are_the_same_country(registry: str, asked: str) -> None:
    assert reason(change(site=Site(facility="Example", country=registry)), countries=(asked,)) == "wanted"


def test_a_site_without_coordinates_is_where_its_city_is() -> None:
    beijing, unknown = (Site(facility="Example", city=city) for city in ("Beijing", "Zzyzx Springs"))

    assert reason(change(site=beijing), near=near(39.9, 116.4, 50)) == "wanted"
    assert reason(change(site=beijing), near=near(45.7, 4.8, 50)) == "another place"
    assert reason(change(site=unknown), near=near(39.9, 116.4, 50)) == "no known place"


def test_another_site_of_the_trial_in_the_same_city_says_where_it_is() -> None:
    one = Site(facility="Example A", city="Zzyzx Springs", country="France", latitude=45.7, longitude=4.8)
    other = Site(facility="Example B", city="Zzyzx Springs", country="France")

    assert reason(change(site=other), trial(sites=(one, other)), near=near(45.7, 4.8, 5)) == "wanted"
    assert reason(change(site=other), trial(sites=(other,)), near=near(45.7, 4.8, 5)) == "no known place"


def test_words_are_whole_words_and_accents_may_be_left_out() -> None:
    assert reason(change(site=LYON), sites=("hopital exemple",)) == "wanted"
    assert reason(change(site=LYON), sites=("hop",)) == "another place"


def test_a_record_that_a_search_found_is_judged_by_the_sites_it_came_with() -> None:
    found = change("record.matched", after={"status": "RECRUITING", "sites": [{"facility": "A", "country": "China"}]})

    assert reason(found, None, countries=("China",)) == "wanted"
    assert reason(found, None, countries=("France",)) == "another place"


@pytest.mark.parametrize(
    ("before", "after", "over", "said"),
    [
        ("2026-01-01", "2026-04-02", 90, "wanted"),  # 91 days
        ("2026-01-01", "2026-04-01", 90, "too small a shift"),  # 90 days are not over 90
        ("2026-04-02", "2026-01-01", 90, "wanted"),  # either way
        ("2026-01", "2026-04-30", 90, "too small a shift"),  # at the coarser precision: 90 days
        ("2026-01-01", "2026-01-01", 0, "too small a shift"),
    ],
)
def test_a_shift_is_counted_in_days_at_the_coarser_precision(before: str, after: str, over: int, said: str) -> None:
    assert reason(moved("completion_date.delayed", before, after), shift_days_over=over) == said


def test_what_has_no_shift_does_not_fit_a_shift() -> None:
    assert reason(change("study.suspended"), shift_days_over=30) == "no shift of a date"
    assert reason(change("start_date.added", after={"date": "2026-01"}), shift_days_over=0) == "no shift of a date"


def test_becomes_asks_for_the_new_value() -> None:
    recruiting = change(site=BEIJING, before="NOT_YET_RECRUITING", after="RECRUITING")

    assert reason(recruiting, becomes=("RECRUITING",)) == "wanted"
    assert reason(recruiting, becomes=("terminated", "not yet recruiting")) == "becomes something else"
    assert reason(recruiting, becomes=("recruiting",)) == "wanted"
    assert reason(change("study.suspended"), becomes=("RECRUITING",)) == "becomes something else"


def test_the_sponsor_is_asked_by_words_of_its_name_now_or_before() -> None:
    sold = change("sponsor.changed", before="Example Pharma Holding", after="Another Company")

    assert reason(change(), trial(sponsor="Example Pharma Inc."), sponsor=("example pharma",)) == "wanted"
    assert reason(change(), trial(sponsor="Another Company"), sponsor=("example pharma",)) == "another sponsor"
    assert reason(change(), None, sponsor=("example pharma",)) == "another sponsor"
    assert reason(sold, trial(sponsor="Another Company"), sponsor=("example pharma",)) == "wanted"


@given(
    kinds=st.sampled_from([(), ("site.*",), ("study.*",)]),
    floor=st.sampled_from([None, "major", "critical"]),
    countries=st.sampled_from([(), ("China",), ("France",)]),
    becomes=st.sampled_from([(), ("RECRUITING",), ("COMPLETED",)]),
)
def test_all_given_conditions_must_hold_and_no_other(kinds: Any, floor: Any, countries: Any, becomes: Any) -> None:
    happened = change(site=BEIJING, after="RECRUITING")
    each = [{"kinds": kinds}, {"min_severity": floor}, {"countries": countries}, {"becomes": becomes}]

    alone = [decide(Conditions(**one), happened, trial()).wanted for one in each]
    together = decide(Conditions(**{key: value for one in each for key, value in one.items()}), happened, trial())

    assert together.wanted == all(alone)


def test_distances_are_those_of_the_earth() -> None:
    assert distance_km(52.52, 13.405, 48.137, 11.575) == pytest.approx(504, abs=2)  # Berlin to Munich
    assert distance_km(0, 179.5, 0, -179.5) == pytest.approx(111.2, abs=0.2)  # across the date line
    assert distance_km(90, 0, -90, 77) == pytest.approx(20015, abs=2)  # pole to pole
    assert distance_km(10, 10, 10, 10) == 0


def test_conditions_can_be_said_in_words() -> None:
    asked = Conditions(kinds=("site.*",), countries=("China",), near=near(39.9, 116.4, 50))

    assert in_words(asked) == "all about sites; in China; within 50 km of 39.9, 116.4"
    assert in_words(Conditions()) == ""


def test_every_group_of_kinds_has_a_kind() -> None:
    assert all(decide(Conditions(kinds=(f"{group}.*",)), change(kind), None).wanted
               for kind in KINDS for group in GROUPS if kind.startswith(f"{group}."))  # fmt: skip


@pytest.mark.parametrize("asked", [{"countries": ("China",)}, {"sites": ("lotus",)}, {"near": near(39.9, 116.4, 5)}])
def test_a_record_that_takes_its_sites_with_it_was_in_their_places_until_then(asked: dict[str, Any]) -> None:
    end = change("study.withdrawn")
    together = [end, change("site.removed", site=BEIJING)]

    assert decide(Conditions(**asked), end, trial(sites=()), None, together).reason == "wanted"
    assert decide(Conditions(**asked), end, trial(sites=[LYON]), None, together).reason == "wanted"
    assert decide(Conditions(**asked), end, trial(sites=()), None, [end]).reason == "no known place"


def test_one_site_says_nothing_of_another_that_went_with_it() -> None:
    lyon = change("site.removed", site=LYON)
    together = [lyon, change("site.removed", site=BEIJING)]

    assert decide(Conditions(countries=("China",)), lyon, trial(sites=()), None, together).reason == "another place"
