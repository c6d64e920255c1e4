"""Made-up edits of who may take part, who is behind the trial and whom to ask."""

from tests.snapshots.vocabulary.cases import Case, Json, Still, swap
from tests.snapshots.whole_record import contact

ELIGIBLE = "protocolSection.eligibilityModule"
CRITERIA = f"{ELIGIBLE}.eligibilityCriteria"
BEHIND = "protocolSection.sponsorCollaboratorsModule"
PARTY = f"{BEHIND}.responsibleParty"
ORGANIZATION = "protocolSection.identificationModule.organization"
OFFICIALS = "protocolSection.contactsLocationsModule.overallOfficials"
CONTACTS = "protocolSection.contactsLocationsModule.centralContacts"
ADA = {"name": "Ada Example", "affiliation": "Example Pharma", "role": "STUDY_DIRECTOR"}
DESK = contact("Study Desk", 1)
INCLUDED = "Inclusion Criteria:\n\n* Imaginary fever\n* Age of consent"
EXCLUDED = "\n\nExclusion Criteria:\n\n* Pregnancy"


def criteria(now: str, edge: str, was: str = INCLUDED + EXCLUDED) -> Case:
    return Case("eligibility.criteria_changed", [(CRITERIA, now)], was=[(CRITERIA, was)], edge=edge)


def organisations(kind: str, place: str, names: tuple[tuple[Json, Json], ...]) -> list[Case]:
    return [Case(kind, [(place, now)], was=[(place, was)], before=was, after=now) for was, now in names]


def someone(kind: str, place: str, was: list[Json], now: list[Json], about: str) -> Case:
    return Case(kind, [(place, now)], was=[(place, was)], about=about)


CASES = [
    *(
        Case(
            "eligibility.age_changed",
            [(f"{ELIGIBLE}.{limit}", now)],
            was=[(f"{ELIGIBLE}.{limit}", was)],
            before=was,
            after=now,
        )
        for limit, was, now in (
            ("minimumAge", "18 Years", "16 Years"),
            ("maximumAge", "75 Years", None),
            ("minimumAge", None, "18 Years"),
            ("maximumAge", "75 Years", "80 Years"),
            ("minimumAge", "18 Years", "215 Months"),
        )
    ),
    Case(
        "eligibility.age_changed",
        [(f"{ELIGIBLE}.minimumAge", "16 Years"), (f"{ELIGIBLE}.maximumAge", "80 Years")],
        edge="both limits are one entry",
    ),
    *swap("eligibility.sex_changed", f"{ELIGIBLE}.sex", ("ALL", "FEMALE"), ("MALE", "ALL"), (None, "ALL")),
    *swap(
        "eligibility.healthy_volunteers_changed",
        f"{ELIGIBLE}.healthyVolunteers",
        (False, True),
        (True, False),
        (None, True),
    ),
    criteria(INCLUDED + "\n* Consent" + EXCLUDED, "added"),
    criteria(INCLUDED.replace("\n* Age of consent", "") + EXCLUDED, "removed"),
    criteria(INCLUDED.replace("Age of consent", "Age of consent or older") + EXCLUDED, "reworded"),
    criteria((INCLUDED + EXCLUDED).replace("fever", "Fever"), "letter case is told"),
    criteria("Exclusion Criteria:\n\n* Imaginary fever\n* Age of consent", "under the other heading", INCLUDED),
    criteria(INCLUDED.replace("fever", "fever ≥ 39 °C"), "a symbol", INCLUDED.replace("fever", "fever ≤ 39 °C")),
    *(
        Case("eligibility.population_changed", [(f"{ELIGIBLE}.{field}", now)], after=now)
        for field, now in (
            ("studyPopulation", "Children with imaginary fever"),
            ("samplingMethod", "NON_PROBABILITY_SAMPLE"),
            ("genderBased", True),
            ("genderDescription", "Participants who identify as women"),
        )
    ),
    *organisations(
        "sponsor.changed",
        f"{BEHIND}.leadSponsor.name",
        (("Example Pharma", "Sample Biotech"), ("Example Pharma", "Example Pharma Oncology"), (None, "Sample Biotech")),
    ),
    *(
        Case(
            "collaborator.added",
            [(f"{BEHIND}.collaborators", now)],
            was=[(f"{BEHIND}.collaborators", was)],
            about=name,
            before=None,
            after=name,
        )
        for was, now, name in (
            ([], [{"name": "Sample Fund"}], "Sample Fund"),
            ([{"name": "Sample Fund"}], [{"name": "Other Fund"}, {"name": "SAMPLE FUND"}], "Other Fund"),
            (None, [{"name": "Agency of Examples", "class": "OTHER_GOV"}], "Agency of Examples"),
        )
    ),
    *(
        Case(
            "collaborator.removed",
            [(f"{BEHIND}.collaborators", now)],
            was=[(f"{BEHIND}.collaborators", was)],
            about=name,
            before=name,
            after=None,
        )
        for was, now, name in (
            ([{"name": "Sample Fund"}], [], "Sample Fund"),
            ([{"name": "Other Fund"}, {"name": "Sample Fund"}], [{"name": "Sample  Fund."}], "Other Fund"),
            ([{"name": "Agency of Examples"}], None, "Agency of Examples"),
        )
    ),
    *organisations(
        "organization.changed",
        f"{ORGANIZATION}.fullName",
        (("Example Pharma", "Sample Biotech"), (None, "Sample Biotech"), ("Sample Biotech", None)),
    ),
    *(
        Case("responsible_party.changed", [(PARTY, now)], was=[(PARTY, was)])
        for was, now in (
            ({"type": "SPONSOR"}, {"type": "PRINCIPAL_INVESTIGATOR", "investigatorFullName": "Ada Example"}),
            (
                {"type": "SPONSOR_INVESTIGATOR", "investigatorTitle": "Professor"},
                {"type": "SPONSOR_INVESTIGATOR", "investigatorTitle": "Head of department"},
            ),
            ({}, {"type": "SPONSOR"}),
            ({"investigatorAffiliation": "Example Pharma"}, {"investigatorAffiliation": "Sample Biotech"}),
        )
    ),
    someone("official.changed", OFFICIALS, [ADA], [{**ADA, "affiliation": "Sample Biotech"}], "Ada Example"),
    someone("official.changed", OFFICIALS, [ADA], [{**ADA, "name": "Bea Sample"}], "Bea Sample"),
    someone("official.changed", OFFICIALS, [ADA], [ADA, {"name": "Cy Sample", "role": "STUDY_CHAIR"}], "Cy Sample"),
    someone("official.changed", OFFICIALS, [ADA], [], "Ada Example"),
    someone("contact.changed", CONTACTS, [DESK], [{**DESK, "phone": "555-0177"}], "Study Desk"),
    someone("contact.changed", CONTACTS, [DESK], [{**DESK, "email": "desk@example.org"}], "Study Desk"),
    someone("contact.changed", CONTACTS, [], [DESK], "Study Desk"),
    someone("contact.changed", CONTACTS, [DESK], [], "Study Desk"),
]
STILL = [
    Still("18 years are 216 months", [(f"{ELIGIBLE}.minimumAge", "216 Months")]),
    Still("no limit and N/A", [(f"{ELIGIBLE}.maximumAge", "N/A")], [(f"{ELIGIBLE}.maximumAge", None)]),
    Still(
        "bullets, numbering and escapes of criteria",
        [(CRITERIA, "Inclusion Criteria:\n1. Fever > 38\n2. Consent")],
        [(CRITERIA, "Inclusion Criteria:\n\n* Fever \\> 38\n* Consent")],
    ),
    Still(
        "HTML of the same criteria",
        [(CRITERIA, "<p>Inclusion Criteria:</p><ul><li>Fever &gt; 38</li><li>Consent</li></ul>")],
        [(CRITERIA, "Inclusion Criteria:\n\n* Fever \\> 38\n* Consent")],
    ),
    Still(
        "the class of an organisation", [(f"{BEHIND}.leadSponsor.class", "OTHER"), (f"{ORGANIZATION}.class", "OTHER")]
    ),
    Still("the letter case of a sponsor", [(f"{BEHIND}.leadSponsor.name", "EXAMPLE PHARMA")]),
    Still("a phone number written otherwise", [(CONTACTS, [{**DESK, "phone": "(555) 0101"}])], [(CONTACTS, [DESK])]),
    Still("no responsible party and an empty one", [(PARTY, {})], [(PARTY, {"type": None})]),
]
