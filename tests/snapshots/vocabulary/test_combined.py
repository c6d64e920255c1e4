"""Edits that come together: what follows from what, what echoes what, and the exact set that is told."""

import pytest

from tests.snapshots.vocabulary.outcomes import LISTS, NEW, OTHER, PRIMARY, SECONDARY, SLEEP
from tests.snapshots.whole_record import GONE, SITES, STATUS, Edit, contact, results, site, told, whole

HERE, WHY = f"{STATUS}.overallStatus", f"{STATUS}.whyStopped"
START, PRIMARY_END, END = (f"{STATUS}.{name}DateStruct" for name in ("start", "primaryCompletion", "completion"))
ENROLLED = "protocolSection.designModule.enrollmentInfo"
CONTACTS = "protocolSection.contactsLocationsModule.centralContacts"
ARMS = "protocolSection.armsInterventionsModule.armGroups"
INTERVENTIONS = "protocolSection.armsInterventionsModule.interventions"
NORTH, SOUTH, LYON = "North Example Hospital", "South Sample Clinic", "Research Site"
DESK = contact("Study Desk", 1)
ACTUAL = {"date": "2026-02-01", "type": "ACTUAL"}
NOBODY = {"count": 0, "type": "ACTUAL"}

Said = tuple[str, str | None, str | None]


def said(was: list[Edit], now: list[Edit]) -> list[Said]:
    """What is told, as (kind, subject, kind of the cause), sorted."""
    found = told(whole(*was), whole(*was, *now))
    return sorted(
        (
            (
                change.kind,
                change.subject["name"] if change.subject else None,
                change.cause.kind if change.cause else None,
            )
            for change in found
        ),
        key=repr,
    )


def exactly(*expected: Said) -> list[Said]:
    return sorted(expected, key=repr)


def sites(*statuses: str | None) -> list[Edit]:
    return [(f"{SITES}[{number}].status", status) for number, status in enumerate(statuses)]


def test_a_study_that_opens_with_its_sites_its_start_and_its_desk() -> None:
    was = [(HERE, "NOT_YET_RECRUITING"), (START, {"date": "2026-02"}), (CONTACTS, []), *sites(None, None, None)]
    east = ("East Example Hospital", "Odense", "Denmark")

    found = said(
        was,
        [
            (HERE, "RECRUITING"),
            (START, ACTUAL),
            (CONTACTS, [DESK]),
            *sites("RECRUITING", "NOT_YET_RECRUITING", "RECRUITING"),
            (f"{SITES}[0].contacts", [contact("Kim Roe", 4)]),
            (f"{SITES}[3]", site(*east)),
        ],
    )

    assert found == exactly(
        ("recruitment.opened", None, None),
        ("start_date.reached", None, "recruitment.opened"),
        ("contact.changed", "Study Desk", "recruitment.opened"),
        ("site.recruiting", NORTH, "recruitment.opened"),
        ("site.contact_changed", NORTH, "recruitment.opened"),
        ("site.recruiting", LYON, "recruitment.opened"),
        ("site.recruiting", east[0], "recruitment.opened"),
    )


def test_a_site_that_goes_while_the_study_opens_does_not_follow_from_it() -> None:
    lost = {"facility": "Lost House", "city": "Odense", "country": "Denmark"}
    stays = [{"facility": NORTH, "city": "Aarhus", "country": "Denmark"}]

    found = said([(HERE, "NOT_YET_RECRUITING"), (SITES, [lost, *stays])], [(HERE, "RECRUITING"), (SITES, stays)])

    assert found == exactly(("recruitment.opened", None, None), ("site.removed", "Lost House", None))


@pytest.mark.parametrize(
    ("status", "study", "kind"),
    [
        ("ACTIVE_NOT_RECRUITING", "recruitment.closed", "site.closed"),
        ("COMPLETED", "study.completed", "site.closed"),
        ("SUSPENDED", "study.suspended", "site.suspended"),
        ("TERMINATED", "study.terminated", "site.terminated"),
        ("WITHDRAWN", "study.withdrawn", "site.withdrawn"),
    ],
)
def test_sites_close_with_the_study_whether_they_say_so_or_fall_silent(status: str, study: str, kind: str) -> None:
    was = sites("RECRUITING", "RECRUITING", "NOT_YET_RECRUITING")

    found = said(was, [(HERE, status), *sites(status, None, None)])

    assert found == exactly((study, None, None), (kind, NORTH, study), (kind, SOUTH, study))


def test_a_study_terminated_with_its_dates_enrollment_desk_and_reason() -> None:
    was = [(CONTACTS, [DESK])]
    now = [(HERE, "TERMINATED"), (WHY, "Slow accrual."), (PRIMARY_END, ACTUAL), (END, ACTUAL), (CONTACTS, [])]

    assert said(was, [*now, (ENROLLED, {"count": 12, "type": "ACTUAL"})]) == exactly(
        ("study.terminated", None, None),
        ("primary_completion_date.reached", None, "study.terminated"),
        ("completion_date.reached", None, "study.terminated"),
        ("enrollment.actual_reported", None, "study.terminated"),
        ("contact.changed", "Study Desk", "study.terminated"),
    )


def test_a_study_withdrawn_before_anybody_was_enrolled() -> None:
    found = said([(HERE, "NOT_YET_RECRUITING")], [(HERE, "WITHDRAWN"), (ENROLLED, NOBODY), (SITES, [])])

    assert found == exactly(
        ("study.withdrawn", None, None),
        ("enrollment.actual_reported", None, "study.withdrawn"),
        ("site.removed", NORTH, "study.withdrawn"),
        ("site.removed", SOUTH, "study.withdrawn"),
        ("site.removed", LYON, "study.withdrawn"),
    )


def test_a_site_that_opens_with_its_contact_while_the_study_stands_still() -> None:
    found = said([], [(f"{SITES}[1].status", "RECRUITING"), (f"{SITES}[1].contacts", [contact("Kim Roe", 4)])])

    assert found == exactly(("site.recruiting", SOUTH, None), ("site.contact_changed", SOUTH, "site.recruiting"))


def test_a_country_comes_with_its_sites_and_another_goes_with_its_own() -> None:
    oslo = [site("Oslo Clinic", "Oslo", "Norway"), site("Bergen Clinic", "Bergen", "Norway", None)]

    found = said([], [(f"{SITES}[2]", oslo[0]), (f"{SITES}[3]", oslo[1])])

    assert found == exactly(
        ("country.added", "Norway", None),
        ("country.removed", "France", None),
        ("site.recruiting", "Oslo Clinic", "country.added"),
        ("site.added", "Bergen Clinic", "country.added"),
        ("site.removed", LYON, "country.removed"),
    )


def test_documents_come_with_the_results_and_outcomes_never_follow() -> None:
    plan = {"typeAbbrev": "SAP", "label": "Analysis Plan", "filename": "SAP_001.pdf"}

    found = said(
        [],
        [
            ("hasResults", True),
            ("resultsSection", results()),
            ("documentSection.largeDocumentModule.largeDocs[1]", plan),
            (f"{PRIMARY}[1]", GONE),
        ],
    )

    assert found == exactly(
        ("results.posted", None, None),
        ("document.posted", "Analysis Plan", "results.posted"),
        ("primary_outcome.removed", "Number of participants with adverse events", None),
    )


# --- outcomes that swap their lists -----------------------------------------------------------------------------------


def test_a_primary_and_a_secondary_outcome_that_swap_are_one_demotion_and_one_promotion() -> None:
    found = said([(PRIMARY, [SLEEP]), (SECONDARY, [NEW[1]])], [(PRIMARY, [NEW[1]]), (SECONDARY, [SLEEP])])

    assert found == exactly(
        ("primary_outcome.demoted", "Hours of sleep", None), ("primary_outcome.promoted", "Survival", None)
    )


def test_three_lists_that_turn_round_tell_every_move_once() -> None:
    was = [(LISTS[level], [outcome]) for level, outcome in zip(LISTS, NEW, strict=True)]
    now = [(PRIMARY, [NEW[2]]), (SECONDARY, [NEW[0]]), (OTHER, [NEW[1]])]

    assert said(was, now) == exactly(
        ("primary_outcome.promoted", "Cost of care (EUR)", None),
        ("primary_outcome.demoted", "Hours of sleep", None),
        ("other_outcome.changed", "Survival", None),
    )


def test_an_outcome_demoted_while_a_new_one_takes_its_place() -> None:
    found = said([(PRIMARY, [SLEEP]), (SECONDARY, [])], [(PRIMARY, [NEW[1]]), (SECONDARY, [SLEEP])])

    assert found == exactly(
        ("primary_outcome.demoted", "Hours of sleep", None), ("primary_outcome.added", "Survival", None)
    )


# --- arms and interventions that echo each other ----------------------------------------------------------------------


def test_arms_relabelled_together_with_a_renamed_intervention_are_one_entry_each() -> None:
    now = [
        (f"{ARMS}[0].label", "Exampla 10 mg"),
        (f"{ARMS}[0].interventionNames[0]", "Drug: Exampla"),
        (f"{INTERVENTIONS}[0].name", "Exampla"),
        (f"{INTERVENTIONS}[0].armGroupLabels[0]", "Exampla 10 mg"),
        (f"{INTERVENTIONS}[2].armGroupLabels[0]", "Exampla 10 mg"),
    ]

    assert said([], now) == exactly(("arm.changed", "Exampla 10 mg", None), ("intervention.changed", "Exampla", None))


def test_an_arm_that_goes_with_its_own_intervention_is_one_entry_each() -> None:
    now = [
        (f"{ARMS}[1]", GONE),
        (f"{INTERVENTIONS}[1]", GONE),
        (f"{INTERVENTIONS}[1].armGroupLabels", ["Examplimab 10 mg"]),
    ]

    assert said([], now) == exactly(("arm.removed", "Placebo", None), ("intervention.removed", "Placebo", None))


# --- nothing is only bookkeeping when something is told ---------------------------------------------------------------


def test_the_dates_of_a_submission_are_not_told_beside_what_it_changed() -> None:
    now = [(f"{STATUS}.lastUpdateSubmitDate", "2026-02-05"), (f"{STATUS}.statusVerifiedDate", "2026-02")]

    assert said([], [*now, ("protocolSection.eligibilityModule.sex", "FEMALE")]) == exactly(
        ("eligibility.sex_changed", None, None)
    )
    assert said([], now) == exactly(("record.verified", None, None))
