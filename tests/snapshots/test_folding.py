"""Which changes name another one as their cause, and which cause comes first."""

import pytest

from snapshots.changes import Cause, Change
from tests.snapshots.whole_record import (
    GONE,
    SITES,
    STATUS,
    Json,
    after,
    contact,
    results,
    site,
    told,
    whole,
    with_results,
)

HERE = f"{STATUS}.overallStatus"
CONTACTS = "protocolSection.contactsLocationsModule.centralContacts"
NORTH, SOUTH, LYON = "North Example Hospital", "South Sample Clinic", "Research Site"


def causes(found: list[Change]) -> dict[tuple[str, str | None], str | None]:
    """The kind of the cause by kind and subject."""
    return {
        (change.kind, change.subject["name"] if change.subject else None): change.cause.kind if change.cause else None
        for change in found
    }


def without_statuses(*edits: tuple[str, Json]) -> dict[str, Json]:
    """The invented record before it opens: no site has a status or a contact, the start is planned."""
    return whole(
        (HERE, "NOT_YET_RECRUITING"),
        (f"{STATUS}.startDateStruct", {"date": "2025-03", "type": "ESTIMATED"}),
        (CONTACTS, []),
        *((f"{SITES}[{number}].status", None) for number in range(3)),
        (f"{SITES}[0].contacts", []),
        *edits,
    )


def test_what_comes_with_the_opening_of_the_study_follows_from_it() -> None:
    found = told(without_statuses(), whole((f"{SITES}[3]", site("East Example Hospital", "Oslo", "Norway"))))

    assert causes(found) == {
        ("recruitment.opened", None): None,
        ("site.recruiting", NORTH): "recruitment.opened",
        ("site.contact_changed", NORTH): "recruitment.opened",
        ("site.recruiting", LYON): "recruitment.opened",
        ("site.recruiting", "East Example Hospital"): "recruitment.opened",
        ("country.added", "Norway"): None,
        ("start_date.reached", None): "recruitment.opened",
        ("contact.changed", "Study Desk"): "recruitment.opened",
    }


def test_a_cause_names_its_kind_and_place_and_nobody_where_it_is_the_study() -> None:
    found = told(without_statuses(), whole())

    assert {change.cause for change in found if change.cause} == {Cause("recruitment.opened", None, HERE)}


def test_what_a_site_without_status_does_else_follows_from_the_opening_too() -> None:
    found = told(without_statuses(), whole((f"{SITES}[1].facility", "South Sample Clinic and Research Center")))

    assert causes(found)[("site.renamed", "South Sample Clinic and Research Center")] == "recruitment.opened"


def test_a_site_that_had_a_status_does_not_follow_from_the_opening() -> None:
    before = without_statuses((f"{SITES}[0].status", "NOT_YET_RECRUITING"))

    found = causes(told(before, whole((f"{SITES}[0].facility", "North Example Hospital Research Center"))))

    assert found[("site.recruiting", "North Example Hospital Research Center")] is None
    assert found[("site.renamed", "North Example Hospital Research Center")] is None


def test_another_status_that_is_no_opening_causes_no_opening() -> None:
    before = whole((f"{SITES}[2].status", None))

    assert causes(told(before, whole()))[("site.recruiting", LYON)] is None


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        ("ACTIVE_NOT_RECRUITING", "recruitment.closed"),
        ("COMPLETED", "study.completed"),
        ("SUSPENDED", "study.suspended"),
        ("TERMINATED", "study.terminated"),
        ("UNKNOWN", "status.unknown"),
        ("WITHHELD", "record.withheld"),
    ],
)
def test_what_comes_with_the_end_of_recruitment_follows_from_it(status: str, cause: str) -> None:
    found = after(
        (HERE, status),
        *((f"{SITES}[{number}].status", GONE) for number in range(3)),
        (f"{SITES}[0].contacts", GONE),
        (CONTACTS, GONE),
        (f"{STATUS}.primaryCompletionDateStruct", {"date": "2026-02-01", "type": "ACTUAL"}),
        ("protocolSection.designModule.enrollmentInfo", {"count": 90, "type": "ACTUAL"}),
    )

    following = {(change.kind.partition(".")[0], change.cause and change.cause.kind) for change in found}
    assert following == {
        (cause.partition(".")[0], None),
        ("site", cause),
        ("contact", cause),
        ("primary_completion_date", cause),
        ("enrollment", cause),
    }


def test_a_stop_of_a_study_that_was_not_open_has_followers_too() -> None:
    end = (f"{STATUS}.completionDateStruct", {"date": "2026-02-01", "type": "ACTUAL"})

    found = told(whole((HERE, "ACTIVE_NOT_RECRUITING")), whole((HERE, "TERMINATED"), end))

    assert causes(found)[("completion_date.reached", None)] == "study.terminated"


def test_a_closing_of_a_study_that_was_not_open_has_none() -> None:
    end = (f"{STATUS}.completionDateStruct", {"date": "2026-02-01", "type": "ACTUAL"})

    found = told(whole((HERE, "NOT_YET_RECRUITING")), whole((HERE, "ACTIVE_NOT_RECRUITING"), end))

    assert causes(found)[("completion_date.reached", None)] is None


@pytest.mark.parametrize(("status", "folded"), [("WITHDRAWN", "study.withdrawn"), ("TERMINATED", None)])
def test_only_a_withdrawal_explains_sites_that_go_and_an_enrollment_of_nobody(status: str, folded: str | None) -> None:
    none = ("protocolSection.designModule.enrollmentInfo", {"count": 0, "type": "ESTIMATED"})

    found = causes(after((HERE, status), (SITES, GONE), none))

    assert found[("site.removed", NORTH)] == folded
    assert found[("enrollment.target_changed", None)] == folded


def test_a_date_that_only_moves_does_not_follow_from_a_stop() -> None:
    later = (f"{STATUS}.completionDateStruct", {"date": "2029-01", "type": "ESTIMATED"})

    assert causes(after((HERE, "SUSPENDED"), later))[("completion_date.delayed", None)] is None


def test_the_contacts_of_a_site_follow_from_its_status() -> None:
    found = after((f"{SITES}[0].status", "SUSPENDED"), (f"{SITES}[0].contacts", [contact("Cy Other", 9)]))

    (change,) = [change for change in found if change.kind == "site.contact_changed"]
    assert change.cause == Cause("site.suspended", NORTH, f"{SITES}[0].status")


def test_the_contacts_of_another_site_do_not() -> None:
    found = causes(after((f"{SITES}[2].status", "SUSPENDED"), (f"{SITES}[0].contacts", [contact("Cy Other", 9)])))

    assert found[("site.contact_changed", NORTH)] is None


def test_the_study_comes_before_the_site_as_a_cause() -> None:
    found = causes(after((HERE, "SUSPENDED"), (f"{SITES}[0].status", "SUSPENDED"), (f"{SITES}[0].contacts", GONE)))

    assert found[("site.contact_changed", NORTH)] == "study.suspended"


def test_the_sites_of_a_country_that_comes_follow_from_it() -> None:
    found = after((f"{SITES}[3]", site("East Example Hospital", "Oslo", "Norway")))

    assert causes(found) == {
        ("country.added", "Norway"): None,
        ("site.recruiting", "East Example Hospital"): "country.added",
    }
    assert [change.cause.name for change in found if change.cause] == ["Norway"]


def test_the_sites_of_a_country_that_goes_follow_from_it() -> None:
    found = causes(after((f"{SITES}[1]", GONE)))

    assert found == {("country.removed", "Italy"): None, ("site.removed", SOUTH): "country.removed"}


def test_documents_posted_with_results_follow_from_them() -> None:
    plan = {"typeAbbrev": "SAP", "label": "Plan", "filename": "SAP.pdf"}
    place = "documentSection.largeDocumentModule.largeDocs[1]"

    assert causes(told(whole(), with_results((place, plan))))[("document.posted", "Plan")] == "results.posted"
    assert causes(after((place, plan)))[("document.posted", "Plan")] is None


def test_outcome_changes_are_never_folded() -> None:
    gone = ("protocolSection.outcomesModule.primaryOutcomes[0]", GONE)

    found = told(
        whole((HERE, "RECRUITING")),
        whole((HERE, "COMPLETED"), gone, ("hasResults", True), ("resultsSection", results())),
    )

    assert causes(found)[("primary_outcome.removed", "Body temperature")] is None


def test_what_follows_keeps_its_own_severity_and_words() -> None:
    alone = told(whole((f"{SITES}[2].status", None)), whole())
    folded = told(without_statuses(), whole())

    (one,) = alone
    (other,) = [change for change in folded if change.subject == one.subject]
    assert (one.kind, one.severity, one.summary) == (other.kind, other.severity, other.summary)
