"""Sponsor, collaborators, organisation, responsible party, officials and central contacts of an invented record."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshots.changes import Change
from snapshots.matching import match_contacts, match_officials
from snapshots.rules import people
from snapshots.trial import Contact, Official, Trial
from tests.snapshots.places import but
from tests.snapshots.protocol import changes, edited, kinds, only, put, shuffled, told

Json = Any

KIM: Json = {"name": "Kim Roe", "role": "CONTACT", "phone": "+1 555-0101", "phoneExt": "7", "email": "kim@example.org"}
DESK: Json = {"name": "Example Desk", "role": "CONTACT", "phone": "555-0102"}
ROE: Json = {"name": "Kim Roe, MD", "affiliation": "Example University", "role": "PRINCIPAL_INVESTIGATOR"}
DOE: Json = {"name": "Lee Doe", "affiliation": "Example Pharma", "role": "STUDY_CHAIR"}


def sponsors(old: Json, new: Json) -> list[Change]:
    return changes(
        edited(put(old, "sponsorCollaboratorsModule")),
        edited(put(new, "sponsorCollaboratorsModule")),
    )


def located(key: str, old: list[Json], new: list[Json]) -> list[Change]:
    return changes(
        edited(put({key: old}, "contactsLocationsModule")), edited(put({key: new}, "contactsLocationsModule"))
    )


def contacts(old: list[Json], new: list[Json]) -> list[Change]:
    return located("centralContacts", old, new)


def officials(old: list[Json], new: list[Json]) -> list[Change]:
    return located("overallOfficials", old, new)


# --- organisations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Example Pharma", "Sample Pharma"),
        ("Example Pharma", "Example Pharma Group"),
        ("Example Pharma", None),
        (None, "X"),
    ],
)
def test_another_lead_sponsor_is_critical(before: str | None, after: str | None) -> None:
    change = only(sponsors({"leadSponsor": but({"name": before})}, {"leadSponsor": but({"name": after})}))

    assert (change.kind, change.severity, change.subject) == ("sponsor.changed", "critical", None)
    assert (change.before, change.after) == (before, after)


@pytest.mark.parametrize(
    "lead", [{"name": "EXAMPLE PHARMA"}, {"name": "Example-Pharma."}, {"name": "Example Pharma", "class": "OTHER"}]
)
def test_a_sponsor_in_other_letters_or_of_another_class_is_silent(lead: Json) -> None:
    assert sponsors({"leadSponsor": {"name": "Example Pharma", "class": "INDUSTRY"}}, {"leadSponsor": lead}) == []


@pytest.mark.parametrize("old", [["Alpha Labs"], ["Alpha Labs", "Beta Labs"], []])
def test_collaborators_come_and_go_one_entry_each(old: list[str]) -> None:
    before = {"collaborators": [{"name": name} for name in old]}
    after = {"collaborators": [{"name": name} for name in ["Gamma Labs, Inc.", *reversed(old)]]}

    come, gone = only(sponsors(before, after)), only(sponsors(after, before))

    assert (come.kind, come.severity, come.before, come.after) == (
        "collaborator.added",
        "major",
        None,
        "Gamma Labs, Inc.",
    )
    assert (gone.kind, gone.severity, gone.before, gone.after) == (
        "collaborator.removed",
        "major",
        "Gamma Labs, Inc.",
        None,
    )
    assert come.subject == gone.subject == {"type": "collaborator", "name": "Gamma Labs, Inc."}
    assert come.path == "protocolSection.sponsorCollaboratorsModule.collaborators[0]"
    assert come.summary == "Gamma Labs, Inc. is a collaborator now"


def test_a_collaborator_in_other_letters_is_silent() -> None:
    assert sponsors({"collaborators": [{"name": "Alpha Labs"}]}, {"collaborators": [{"name": "ALPHA LABS"}]}) == []


@pytest.mark.parametrize(("before", "after"), [("Example Pharma", "Sample Medicines"), ("A", "B"), ("A", "A B")])
def test_another_registering_organization_is_told(before: str, after: str) -> None:
    place = ("identificationModule", "organization")

    change = only(changes(edited(put({"fullName": before}, *place)), edited(put({"fullName": after}, *place))))

    assert (change.kind, change.severity, change.before, change.after) == (
        "organization.changed",
        "minor",
        before,
        after,
    )
    assert change.path == "protocolSection.identificationModule.organization.fullName"


def test_the_class_of_the_organization_is_silent() -> None:
    place = ("identificationModule", "organization", "class")

    assert changes(edited(), edited(put("OTHER", *place))) == []


def test_an_unknown_field_of_an_organisation_is_told_with_its_path() -> None:
    change = only(sponsors({"leadSponsor": {"name": "A"}}, {"leadSponsor": {"name": "A", "seat": "Northfield"}}))

    assert (change.kind, change.after) == ("record.changed", "Northfield")
    assert change.path == "protocolSection.sponsorCollaboratorsModule.leadSponsor.seat"


# --- responsible party ------------------------------------------------------------------------------------------------

PARTY: Json = {
    "type": "PRINCIPAL_INVESTIGATOR",
    "investigatorFullName": "Kim Roe",
    "investigatorTitle": "Professor",
    "investigatorAffiliation": "Example University",
}


@pytest.mark.parametrize(
    "parts",
    [
        {"investigatorFullName": "Lee Doe"},
        {"investigatorTitle": "Associate Professor"},
        {"investigatorAffiliation": "Sample University"},
        {"type": "SPONSOR_INVESTIGATOR"},
    ],
)
def test_another_responsible_party_is_one_entry(parts: Json) -> None:
    change = only(sponsors({"responsibleParty": PARTY}, {"responsibleParty": but(PARTY, **parts)}))

    assert (change.kind, change.severity, change.subject) == ("responsible_party.changed", "minor", None)
    assert change.before == {
        "type": "PRINCIPAL_INVESTIGATOR",
        "name": "Kim Roe",
        "title": "Professor",
        "affiliation": "Example University",
    }
    assert change.after != change.before


def test_a_responsible_party_that_becomes_the_sponsor_is_told_in_words() -> None:
    change = only(sponsors({"responsibleParty": PARTY}, {"responsibleParty": {"type": "SPONSOR"}}))

    assert change.summary == (
        "Responsible party is now sponsor (was: Kim Roe, Professor, Example University (principal investigator))"
    )


def test_a_responsible_party_in_other_letters_is_silent() -> None:
    respelt = but(PARTY, investigatorFullName="KIM ROE", investigatorTitle="professor", type="Principal_Investigator")

    assert sponsors({"responsibleParty": PARTY}, {"responsibleParty": respelt}) == []


# --- central contacts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"phone": "555-0103"}, "Kim Roe: phone 555-0103 (was: +1 555-0101)"),
        ({"email": "roe@example.org"}, "Kim Roe: e-mail roe@example.org (was: kim@example.org)"),
        ({"phoneExt": "8"}, "Kim Roe: extension ext. 8 (was: ext. 7)"),
        ({"role": "OTHER"}, "Kim Roe: role other (was: contact)"),
        ({"email": None}, "Kim Roe: e-mail none (was: kim@example.org)"),
    ],
)
def test_a_contact_reached_otherwise_is_one_entry(parts: Json, words: str) -> None:
    change = only(contacts([KIM, DESK], [DESK, but(KIM, **parts)]))

    assert (change.kind, change.severity) == ("contact.changed", "minor")
    assert change.subject == {"type": "contact", "name": "Kim Roe"}
    assert change.summary == f"Study contact {words}"
    assert change.path == "protocolSection.contactsLocationsModule.centralContacts[1]"


def test_another_person_at_the_same_address_is_one_entry_with_both_names() -> None:
    assert told(contacts([KIM], [but(KIM, name="Lee Doe")])) == [("contact.changed", "Lee Doe", "Kim Roe", "Lee Doe")]


def test_another_person_is_told_in_words() -> None:
    change = only(contacts([KIM], [but(KIM, name="Lee Doe", role="OTHER")]))

    assert change.summary == "Study contact is now Lee Doe (was: Kim Roe), role other (was: contact)"


def test_each_contact_that_comes_or_goes_is_an_entry() -> None:
    assert told(contacts([KIM], [DESK])) == [
        ("contact.changed", "Example Desk", None, "Example Desk"),
        ("contact.changed", "Kim Roe", "Kim Roe", None),
    ]


@pytest.mark.parametrize(
    "respelt", [{"phone": "1 (555) 0101"}, {"name": "KIM ROE"}, {"email": "KIM@example.org"}, {"role": "Contact"}]
)
def test_a_contact_in_other_letters_is_silent(respelt: Json) -> None:
    assert contacts([DESK, KIM], [but(KIM, **respelt), DESK]) == []


def test_a_contact_without_a_name_is_told_by_what_is_known() -> None:
    change = only(contacts([KIM], [KIM, {"phone": "555-0104"}]))

    assert (change.subject, change.after) == ({"type": "contact", "name": "555-0104"}, "555-0104")


def test_contacts_match_by_email_then_by_name_and_role_then_by_phone() -> None:
    old = [
        Contact(name="Ann", role="CONTACT", phone="555-0101"),
        Contact(name="Bob", role="CONTACT", email="b@example.org", phone="555-0102"),
        Contact(name="Cem", phone="555-0103"),
    ]
    new = [
        Contact(name="Ann", role="CONTACT", email="b@example.org"),
        Contact(name="Bob", role="CONTACT"),
        Contact(name="Ann", role="CONTACT", phone="555 0103"),
    ]

    assert match_contacts(old, new).pairs == ((old[1], new[0]), (old[0], new[2]))


def test_contacts_of_one_mailbox_match_by_name() -> None:
    old = [Contact(name=name, email="desk@example.org") for name in ("Ann", "Bob")]
    new = [Contact(name=name, email="desk@example.org") for name in ("Bob", "Ann")]

    assert match_contacts(old, new).pairs == ((old[1], new[0]), (old[0], new[1]))


# --- officials --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "before", "after"),
    [
        ({"name": "Max Moe"}, "Kim Roe, MD", "Max Moe"),
        (
            {"affiliation": "Sample University"},
            "Kim Roe, MD, principal investigator, Example University",
            "Kim Roe, MD, principal investigator, Sample University",
        ),
        ({"name": "Max Moe", "affiliation": "Sample University"}, "Kim Roe, MD", "Max Moe"),
    ],
)
def test_a_changed_official_is_one_entry(parts: Json, before: str, after: str) -> None:
    change = only(officials([ROE, DOE], [DOE, but(ROE, **parts)]))

    assert (change.kind, change.severity, change.before, change.after) == ("official.changed", "minor", before, after)


def test_each_official_that_comes_or_goes_is_an_entry() -> None:
    assert told(officials([ROE], [DOE])) == [
        ("official.changed", "Kim Roe, MD", "Kim Roe, MD", None),
        ("official.changed", "Lee Doe", None, "Lee Doe"),
    ]


def test_two_others_of_one_role_are_not_guessed() -> None:
    ann, bob, cem, dan = (Official(name=name, role="STUDY_DIRECTOR") for name in ("Ann", "Bob", "Cem", "Dan"))

    assert match_officials([ann, bob], [cem, dan]).pairs == ()
    assert match_officials([ann, bob], [cem, ann]).pairs == ((bob, cem), (ann, ann))


# --- whatever the lists hold ------------------------------------------------------------------------------------------

PEOPLE = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.sampled_from(["Ann", "Bob", "Cem"]),
            "role": st.sampled_from(["CONTACT", "PRINCIPAL_INVESTIGATOR"]),
            "phone": st.sampled_from(["555-0101", "555-0102"]),
            "email": st.sampled_from(["a@example.org", "b@example.org"]),
        },
    ).filter(bool),
    max_size=6,
)


@given(PEOPLE, st.randoms(use_true_random=False))
def test_the_order_of_people_says_nothing(listed: list[Json], chance: random.Random) -> None:
    assert contacts(listed, shuffled(listed, chance)) == []
    assert officials(listed, shuffled(listed, chance)) == []


@given(PEOPLE, PEOPLE)
def test_everybody_is_told_at_most_once(old: list[Json], new: list[Json]) -> None:
    found = contacts(old, new)

    assert len({(change.path, change.before is None, change.after is None) for change in found}) == len(found)
    assert set(kinds(found)) <= {"contact.changed"}


@given(PEOPLE, PEOPLE)
def test_contacts_are_matched_one_to_one(old: list[Json], new: list[Json]) -> None:
    before, after = ([Contact(position=n, **one) for n, one in enumerate(listed)] for listed in (old, new))

    matched = match_contacts(before, after)

    assert sorted(one.position for one in [*(a for a, _ in matched.pairs), *matched.removed]) == [*range(len(old))]
    assert sorted(one.position for one in [*(b for _, b in matched.pairs), *matched.added]) == [*range(len(new))]


def test_people_of_whom_a_source_knows_nothing_are_not_compared() -> None:
    known = Trial(registry="ctgov", id="NCT99000001", paths={}, central_contacts=(Contact(name="Ann"),))
    unknown = Trial(registry="ctgov", id="NCT99000001", paths={}, unknown=frozenset({"central_contacts"}))

    assert people.changes(known, unknown) == []
    assert people.changes(unknown, known) == []
