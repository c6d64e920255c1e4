"""Reading a record: every section is found, nothing is forgotten, and no shape makes reading fail."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshots.registries.ctgov.fields import FIELDS, mask, project
from snapshots.registries.ctgov.parse import content, parse
from snapshots.registries.ctgov.paths import PATHS
from snapshots.registry import RegistryError
from snapshots.trial import PartialDate, SubmissionEvent, Trial
from tests.snapshots.whole_record import SITES, STATUS, TRACKING, UNPOSTED, VIOLATIONS, read, whole, with_results

FIXTURES = Path(__file__).parents[1] / "fixtures" / "registry"


def fixture(record: str) -> Trial:
    return parse((FIXTURES / f"{record}.json").read_bytes())


@pytest.fixture(scope="module")
def kidney() -> Trial:
    return fixture("NCT06969807")


def test_the_basic_information_of_a_trial_page_is_found(kidney: Trial) -> None:
    assert kidney.id == "NCT06969807"
    assert kidney.title.startswith("Safety and Efficacy of Mesenchymal Stromal Cells")
    assert kidney.bookkeeping_dates["lastUpdateSubmitDate"] == "2025-09-08"
    assert (kidney.overall_status, kidney.phases, kidney.study_type) == ("RECRUITING", ("PHASE2",), "INTERVENTIONAL")
    assert kidney.enrollment is not None
    assert (kidney.enrollment.count, kidney.enrollment.type) == (120, "ESTIMATED")
    assert kidney.start_date == PartialDate("2025-06-09", "ACTUAL")
    assert kidney.completion_date == PartialDate("2028-05-15", "ESTIMATED")
    assert (kidney.has_results, kidney.results) == (False, {})


def test_the_texts_and_the_design_of_a_trial_page_are_found(kidney: Trial) -> None:
    assert "umbilical cord-derived" in (kidney.brief_summary or "")
    assert kidney.conditions == ("Diabetic Kidney Disease (DKD)",)
    assert kidney.design["designInfo"]["allocation"] == "NA"
    assert kidney.design["designInfo"]["maskingInfo"] == {"masking": "NONE"}
    (arm,) = kidney.arms
    (intervention,) = kidney.interventions
    assert (arm.label, arm.type, arm.intervention_names) == ("Amimestrocel", "EXPERIMENTAL", ("Drug: Amimestrocel",))
    assert (intervention.type, intervention.name) == ("DRUG", "Amimestrocel")


def test_the_eligibility_of_a_trial_page_is_found(kidney: Trial) -> None:
    assert "Glycated hemoglobin (HbA1c) \\< 9%" in (kidney.eligibility_criteria or "")
    assert (kidney.minimum_age, kidney.maximum_age) == ("45 Years", "80 Years")
    assert (kidney.sex, kidney.healthy_volunteers) == ("ALL", False)


def test_the_people_and_places_of_a_trial_page_are_found(kidney: Trial) -> None:
    assert kidney.lead_sponsor is not None
    assert (kidney.lead_sponsor.name, kidney.lead_sponsor.type) == ("Chinese PLA General Hospital", "OTHER")
    assert kidney.responsible_party is not None
    assert kidney.responsible_party.title == "Principal Investigator"
    assert [site.status for site in kidney.sites] == ["RECRUITING"] * 5 + ["NOT_YET_RECRUITING"]
    assert [contact.phone for site in kidney.sites for contact in site.contacts][-1] == "555-0106"
    assert kidney.countries == ("China",)
    assert [contact.name for contact in kidney.central_contacts] == ["Chen Example"]
    assert [(known.kind, known.id) for known in kidney.identifiers] == [
        ("org", "S2025-166"),
        ("secondary", "S2025-166-02"),
    ]


def test_a_short_trial_page_is_found_too() -> None:
    trial = fixture("NCT07396155")

    assert trial.title.startswith("Safety and Efficacy of Allogeneic Umbilical Cord")
    assert "intra-renal injection" in (trial.brief_summary or "")
    assert "Exclusion Criteria:" in (trial.eligibility_criteria or "")
    assert len(trial.conditions) == 2
    assert (trial.overall_status, trial.sites, trial.start_date) == (None, (), None)


@pytest.mark.parametrize("record", ["NCT06969807", "NCT07396155"])
def test_nothing_of_a_trial_page_is_left_over_but_the_computed_age_groups(record: str) -> None:
    left = json.dumps(fixture(record).rest)

    assert left in ("{}", '{"protocolSection": {"eligibilityModule": {"stdAges": ["ADULT", "OLDER_ADULT"]}}}')


def test_what_no_field_takes_is_kept_where_it_stood() -> None:
    trial = read(whole(("newSection", {"x": 1}), (f"{STATUS}.delayedPosting", True), (f"{SITES}[1].wing", "B")))

    assert trial.rest["newSection"] == {"x": 1}
    assert trial.rest["protocolSection"]["statusModule"] == {"delayedPosting": True}
    assert trial.sites[1].rest == {"wing": "B"}


@pytest.mark.parametrize("odd", [17, True, "text", {"odd": 1}, [1], [[{}]]])
@pytest.mark.parametrize("place", ["overallStatus", "startDateStruct", "whyStopped", "expandedAccessInfo"])
def test_a_value_of_an_unexpected_type_is_kept_as_it_came(place: str, odd: Any) -> None:
    trial = read(whole((f"{STATUS}.{place}", odd)))

    taken = isinstance(odd, str) and place in ("overallStatus", "whyStopped")
    assert taken or trial.rest["protocolSection"]["statusModule"][place] == odd


def test_a_list_that_became_null_is_an_empty_one() -> None:
    assert read(whole((SITES, None))).sites == ()
    assert read(whole((f"{SITES}[0].contacts", None))).sites[0].contacts == ()


def test_a_list_keeps_the_positions_of_its_items_around_odd_ones() -> None:
    trial = read(whole((f"{SITES}[1]", "a stray text")))

    assert [site.position for site in trial.sites] == [0, 2]
    assert trial.rest["protocolSection"]["contactsLocationsModule"]["locations"] == ["a stray text"]


def test_one_value_where_a_list_is_expected_is_a_list_of_one() -> None:
    assert read(whole(("protocolSection.conditionsModule.conditions", "Fever"))).conditions == ("Fever",)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"12",
        b'"NCT99000001"',
        b"{}",
        b"{",
        b"<html></html>",
        b'{"protocolSection": []}',
        b'{"protocolSection": {"identificationModule": {"nctId": null}}}',
        b'{"protocolSection": {"identificationModule": {"nctId": 99000001}}}',
        b'{"protocolSection": {"identificationModule": {"nctId": ""}}}',
        b'\xff\xfe{"protocolSection": {}}',
        b"[" * 100_000,
    ],
)
@pytest.mark.parametrize("reading", [parse, content])
def test_what_is_no_record_is_refused_for_good(raw: bytes, reading: Any) -> None:
    with pytest.raises(RegistryError, match="not a record") as refused:
        reading(raw)

    assert refused.value.permanent


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
PLACES = sorted({path for path in PATHS.values() if path.startswith(("protocol", "annotation", "document", "results"))})


@given(st.sampled_from(PLACES), JSON)
def test_no_value_anywhere_makes_reading_fail(place: str, value: Any) -> None:
    study = whole((place, value), (PATHS["id"].rpartition(".")[0], {"nctId": "NCT99000001"}))

    assert read(study).id == "NCT99000001"


def test_every_path_names_a_place_of_the_record_or_a_word_of_an_item() -> None:
    attributes = {field for field in Trial.__struct_fields__ if field not in ("registry", "paths", "unknown")}

    assert attributes <= set(PATHS)
    assert {name.partition(".")[0] for name in PATHS} <= attributes


def test_submission_events_are_the_union_of_both_places() -> None:
    tracked = [{"releaseDate": "2026-01-02", "resetDate": "2026-02-01"}, {"releaseDate": "2026-02-07"}]
    unposted = [{"type": "RELEASE", "date": "2026-01-02"}, {"type": "UNRELEASE", "dateUnknown": True}]
    trial = read(whole((f"{TRACKING}.submissionInfos", tracked), (UNPOSTED, unposted)))

    assert trial.submission_events == (
        SubmissionEvent("UNRELEASE", None),
        SubmissionEvent("RELEASE", "2026-01-02"),
        SubmissionEvent("RESET", "2026-02-01"),
        SubmissionEvent("RELEASE", "2026-02-07"),
    )


def test_notices_of_the_fda_are_read() -> None:
    event = {"type": "VIOLATION_IDENTIFIED", "description": "Late.", "issuedDate": "2026-01-02", "new": 1}
    trial = read(
        whole((VIOLATIONS, {"violationEvents": [event]}), ("protocolSection.oversightModule.fdaaa801Violation", True))
    )

    (notice,) = trial.fda_notices
    assert (notice.type, notice.dates, notice.rest) == (
        "VIOLATION_IDENTIFIED",
        {"issuedDate": "2026-01-02"},
        {"new": 1},
    )
    assert trial.fda_violation is True
    assert "fdaaa801Violation" not in trial.oversight


def test_results_stand_as_the_registry_sent_them() -> None:
    study = with_results()

    assert read(study).results == study["resultsSection"]


def test_results_are_there_where_only_their_section_says_so() -> None:
    study = with_results()
    del study["hasResults"]

    assert read(study).has_results is True


def test_a_past_version_is_read_out_of_its_wrapping_and_knows_what_it_never_carries() -> None:
    study = whole()
    del study["derivedSection"], study["annotationSection"]
    past = parse(json.dumps({"studyVersion": 3, "study": study}).encode())

    assert past.id == "NCT99000001"
    assert past.unknown == {"submission_events", "fda_notices"}
    assert read(study).unknown == frozenset()


def test_the_order_of_keys_and_white_space_are_no_content() -> None:
    study = whole()
    turned = dict(reversed(study.items()))

    assert content(json.dumps(study).encode()) == content(json.dumps(turned, indent=3).encode())


def test_the_derived_section_is_no_content_but_for_the_tracking() -> None:
    stamped = whole(("derivedSection.miscInfoModule.versionHolder", "2031-01-01"), ("derivedSection.browse", {"a": 1}))
    tracked = whole((f"{TRACKING}.submissionInfos[1]", {"releaseDate": "2026-03-01"}))

    assert content(json.dumps(stamped).encode()) == content(json.dumps(whole()).encode())
    assert content(json.dumps(tracked).encode()) != content(json.dumps(whole()).encode())


@pytest.mark.parametrize("place", ["newSection", f"{STATUS}.odd", f"{SITES}[0].geoPoint", "hasResults"])
def test_every_other_value_is_content(place: str) -> None:
    assert content(json.dumps(whole((place, "x"))).encode()) != content(json.dumps(whole()).encode())


def test_a_record_that_was_asked_for_by_fields_has_the_content_of_the_whole_one() -> None:
    study = whole()
    asked = {key: study[key] for key in FIELDS if key in study} | {
        "derivedSection": {
            "miscInfoModule": {"submissionTracking": study["derivedSection"]["miscInfoModule"]["submissionTracking"]}
        }
    }

    assert content(json.dumps(asked).encode()) == content(json.dumps(study).encode())
    assert project(asked) == project(study)


def test_the_mask_takes_only_the_stamp_of_the_release() -> None:
    text = 'say "versionHolder": "x"'
    first, second = (
        json.dumps(whole(("derivedSection.miscInfoModule.versionHolder", day), (f"{STATUS}.whyStopped", text))).encode()
        for day in ("2026-01-08", "2026-01-09")
    )

    assert first != second
    assert mask(first) == mask(second)
    assert json.loads(mask(first))["protocolSection"]["statusModule"]["whyStopped"] == text
