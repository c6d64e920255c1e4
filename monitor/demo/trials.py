"""The invented trials of the demonstration as they stand on its first day, in the registry's own shape.

No such trial, hospital or person exists. The ids are out of the registry's range, telephone numbers come from the
block kept for fiction, addresses from example.org.
"""

from typing import Any

Record = dict[str, Any]


def first_day() -> list[Record]:
    """The records at the first release, each a fresh object that a story may change."""
    return [_cells(), _heart(), _lung(), _asthma(), _walking(), _skin(), _rare()]


def site(facility: str, city: str, country: str, point: tuple[float, float], **more: Any) -> Record:
    """A location; `status`, `state`, `zip` and `contacts` as the registry spells them."""
    return {
        "facility": facility,
        **more,
        "city": city,
        "country": country,
        "geoPoint": {"lat": point[0], "lon": point[1]},
    }


def contact(name: str, line: int, role: str = "CONTACT") -> Record:
    """Somebody to ask, under a telephone number of fiction: 555-01xx."""
    address = name.lower().replace(" ", ".").replace(",", "")
    return {"name": name, "role": role, "phone": f"+1 206-555-01{line:02d}", "email": f"{address}@example.org"}


def outcome(measure: str, description: str, time_frame: str) -> Record:
    return {"measure": measure, "description": description, "timeFrame": time_frame}


BEIJING, SHANGHAI, CHENGDU = (39.9075, 116.39723), (31.22222, 121.45806), (30.66667, 104.06667)
BOSTON, DENVER, SEATTLE, TORONTO = (
    (42.35843, -71.05977),
    (39.73915, -104.9847),
    (47.60621, -122.33207),
    (43.70643, -79.39864),
)
BERLIN, HAMBURG, ZURICH, LYON = (52.52437, 13.41053), (53.55073, 9.99302), (47.36667, 8.55), (45.74906, 4.84789)
MADRID, LEEDS, OSLO, UTRECHT = (40.4165, -3.70256), (53.79648, -1.54785), (59.91273, 10.74609), (52.09083, 5.12222)


def _cells() -> Record:
    record = _record(
        "NCT99000101",
        ("LOTUS-2", "Mesenchymal Stromal Cells in Adults With Diabetic Kidney Disease"),
        "A Single-Arm Phase 2 Study of Umbilical Cord Mesenchymal Stromal Cells in Adults With Diabetic Kidney Disease",
        sponsor="Lotus Lake Medical University",
        status="RECRUITING",
        dates=(("2025-06-09", "ACTUAL"), ("2027-11-15", "ESTIMATED"), ("2028-05-15", "ESTIMATED")),
        phases=["PHASE2"],
        enrollment=(120, "ESTIMATED"),
        summary="This study asks whether repeated infusions of stromal cells slow the loss of kidney function in "
        "adults with diabetic kidney disease, and whether they are safe.",
    )
    _ask(record, ["Diabetic Kidney Disease"], ["stromal cells", "albuminuria"])
    _arms(record, [("Stromal cells", "EXPERIMENTAL", "BIOLOGICAL", "Stromal cells", "Eight infusions over 24 weeks.")])
    _measure(
        record,
        [outcome("Change in urine albumin-to-creatinine ratio", "Spot morning urine.", "Baseline to week 52")],
        [outcome("Change in eGFR", "By the CKD-EPI equation.", "Baseline to week 52")],
    )
    _admit(
        record,
        "45 Years",
        "80 Years",
        ["Type 2 diabetes", "eGFR ≥ 20 ml/min/1.73m²"],
        ["Pregnancy", "Active infection"],
    )
    _people(record, contact("Chen Wenli", 10), "Professor Chen Wenli", "Lotus Lake Medical University")
    _places(record, *_cells_sites())
    return record


def _cells_sites() -> tuple[Record, ...]:
    return (
        site("Lotus Lake Hospital", "Beijing", "China", BEIJING, status="RECRUITING", contacts=[contact("Li Na", 11)]),
        site(
            "Jade Gate Hospital",
            "Beijing",
            "China",
            BEIJING,
            status="NOT_YET_RECRUITING",
            contacts=[contact("Wang Jun", 12)],
        ),
        site(
            "Riverbank Hospital", "Shanghai", "China", SHANGHAI, status="RECRUITING", contacts=[contact("Xu Min", 13)]
        ),
        site(
            "Hibiscus City Hospital",
            "Chengdu",
            "China",
            CHENGDU,
            status="NOT_YET_RECRUITING",
            contacts=[contact("He Tao", 14)],
        ),
    )


def _heart() -> Record:
    record = _record(
        "NCT99000102",
        ("HARBOR-HF", "Remote Pressure Monitoring After Hospital Stay for Heart Failure"),
        "A Randomized Trial of Remote Pulmonary Pressure Monitoring After Hospital Stay for Heart Failure",
        sponsor="Harborview Devices (invented)",
        status="RECRUITING",
        dates=(("2024-02-01", "ACTUAL"), ("2026-09", "ESTIMATED"), ("2027-03", "ESTIMATED")),
        phases=["NA"],
        enrollment=(480, "ESTIMATED"),
        summary="People who go home after a hospital stay for heart failure are followed with or without an implanted "
        "pressure sensor. The study compares how often they must come back.",
    )
    _ask(record, ["Heart Failure"], ["remote monitoring"])
    _arms(
        record,
        [
            ("Sensor", "EXPERIMENTAL", "DEVICE", "Pressure sensor", "Implanted once, read daily."),
            ("Usual care", "NO_INTERVENTION", "OTHER", "Usual care", "Visits as usual."),
        ],
    )
    _measure(
        record,
        [outcome("Hospital stays for heart failure", "Number per patient-year.", "12 months")],
        [outcome("Quality of life", "Kansas City questionnaire.", "6 and 12 months")],
    )
    _admit(record, "18 Years", None, ["Discharged within 14 days"], ["Life expectancy below one year"])
    _people(record, contact("Dana Whitfield", 20), "Dana Whitfield, MD", "Bay Street Heart Center")
    _places(record, *_heart_sites())
    return record


def _heart_sites() -> tuple[Record, ...]:
    return (
        site(
            "Bay Street Heart Center",
            "Boston",
            "United States",
            BOSTON,
            state="Massachusetts",
            zip="02110",
            status="RECRUITING",
        ),
        site(
            "High Plains Cardiology",
            "Denver",
            "United States",
            DENVER,
            state="Colorado",
            zip="80202",
            status="RECRUITING",
        ),
        site("Lakeshore General", "Toronto", "Canada", TORONTO, state="Ontario", status="RECRUITING"),
    )


def _lung() -> Record:
    record = _record(
        "NCT99000103",
        ("LUMEN-3", "Second-Line Treatment of Advanced Lung Cancer With TX-114"),
        "A Phase 3, Randomized, Double-Blind Study of TX-114 Against Docetaxel in Advanced Non-Small Cell Lung Cancer",
        sponsor="Tessellate Therapeutics (invented)",
        status="RECRUITING",
        dates=(("2024-10-15", "ACTUAL"), ("2027-06-30", "ESTIMATED"), ("2028-12", "ESTIMATED")),
        phases=["PHASE3"],
        enrollment=(540, "ESTIMATED"),
        summary="TX-114 is compared with docetaxel in people whose lung cancer came back after first treatment.",
    )
    _ask(record, ["Non-small Cell Lung Cancer"], ["second line", "docetaxel"])
    _arms(
        record,
        [
            ("TX-114", "EXPERIMENTAL", "DRUG", "TX-114", "200 mg by mouth, daily."),
            ("Docetaxel", "ACTIVE_COMPARATOR", "DRUG", "Docetaxel", "75 mg/m² every three weeks."),
        ],
    )
    _measure(
        record,
        [outcome("Overall survival", "Time from randomization to death.", "Up to 48 months")],
        [outcome("Progression-free survival", "By blinded review.", "Up to 48 months")],
    )
    _admit(
        record, "18 Years", None, ["Stage IIIB or IV", "One earlier line of treatment"], ["Untreated brain metastases"]
    )
    _people(record, contact("Trial Desk", 30), "Miriam Falk, MD", "Tessellate Therapeutics (invented)")
    _places(record, *_lung_sites())
    return record


def _lung_sites() -> tuple[Record, ...]:
    return (
        site(
            "Linden Clinic",
            "Berlin",
            "Germany",
            BERLIN,
            zip="10115",
            status="RECRUITING",
            contacts=[contact("Jonas Brandt", 31)],
        ),
        site(
            "Elbe Lung Center",
            "Hamburg",
            "Germany",
            HAMBURG,
            zip="20095",
            status="RECRUITING",
            contacts=[contact("Ida Petersen", 32)],
        ),
        site(
            "Hospital of the Two Rivers",
            "Lyon",
            "France",
            LYON,
            zip="69002",
            status="RECRUITING",
            contacts=[contact("Luc Arnaud", 33)],
        ),
        site(
            "Sierra Norte Hospital",
            "Madrid",
            "Spain",
            MADRID,
            zip="28013",
            status="RECRUITING",
            contacts=[contact("Ana Robles", 34)],
        ),
        site("Limmat Hospital", "Zurich", "Switzerland", ZURICH, zip="8001", status="NOT_YET_RECRUITING"),
    )


def _asthma() -> Record:
    record = _record(
        "NCT99000104",
        ("BREEZE", "Inhaler Coaching for Children With Asthma"),
        "Inhaler Coaching by Pharmacists for Children With Asthma: a Cluster-Randomized Trial",
        sponsor="Aire Valley University",
        status="COMPLETED",
        dates=(("2022-09-01", "ACTUAL"), ("2025-01-31", "ACTUAL"), ("2025-07-31", "ACTUAL")),
        phases=["NA"],
        enrollment=(612, "ACTUAL"),
        summary="Pharmacists teach children with asthma how to use their inhaler. The study counts asthma attacks.",
    )
    _ask(record, ["Asthma in Children"], ["inhaler technique", "pharmacist"])
    _arms(
        record,
        [
            ("Coaching", "EXPERIMENTAL", "BEHAVIORAL", "Coaching", "Four sessions."),
            ("Leaflet", "ACTIVE_COMPARATOR", "OTHER", "Leaflet", "Written advice."),
        ],
    )
    _measure(
        record,
        [outcome("Severe asthma attacks", "Courses of oral steroids.", "12 months")],
        [outcome("Days off school", "From diaries.", "12 months")],
    )
    _admit(record, "6 Years", "15 Years", ["Doctor-diagnosed asthma"], ["Other chronic lung disease"])
    _people(record, None, "Rowan Ackroyd, PhD", "Aire Valley University")
    _places(record, site("Aire Valley Children's Hospital", "Leeds", "United Kingdom", LEEDS, zip="LS1 3EX"))
    return record


def _walking() -> Record:
    record = _record(
        "NCT99000105",
        ("ORCHARD", "Walking Groups for Adults With Prediabetes"),
        "Walking Groups Against Usual Advice for Adults With Prediabetes",
        sponsor="Cedar County Health Network",
        status="ENROLLING_BY_INVITATION",
        dates=(("2025-03-03", "ACTUAL"), ("2027-03", "ESTIMATED"), ("2027-09", "ESTIMATED")),
        phases=["NA"],
        enrollment=(900, "ESTIMATED"),
        summary="Adults with prediabetes walk together twice a week, or get the usual advice.",
    )
    _ask(record, ["Prediabetes"], ["walking", "prevention"])
    _arms(
        record,
        [
            ("Walking group", "EXPERIMENTAL", "BEHAVIORAL", "Walking group", "Two walks a week."),
            ("Usual advice", "ACTIVE_COMPARATOR", "BEHAVIORAL", "Usual advice", "One visit."),
        ],
    )
    _measure(
        record,
        [outcome("Change in HbA1c", "Venous blood.", "12 months")],
        [outcome("Steps a day", "Worn sensor.", "12 months")],
    )
    _admit(record, "30 Years", "75 Years", ["HbA1c 5.7% to 6.4%"], ["Unable to walk 400 m"])
    _people(record, contact("Marta Okafor", 50), "Marta Okafor, RN", "Cedar County Health Network")
    _places(
        record,
        *[
            site(
                f"Cedar County Health Center {name}",
                "Seattle",
                "United States",
                SEATTLE,
                state="Washington",
                zip=f"981{number:02d}",
                status="ENROLLING_BY_INVITATION",
            )
            for number, name in enumerate(("North", "South", "East", "West", "Harbor", "Hill"), start=1)
        ],
    )
    return record


def _skin() -> Record:
    record = _record(
        "NCT99000106",
        ("TIDE", "Light Therapy at Home for Plaque Psoriasis"),
        "Narrow-Band Light Therapy at Home Against Light Therapy in the Clinic for Plaque Psoriasis",
        sponsor="Fjord Institute of Dermatology",
        status="NOT_YET_RECRUITING",
        dates=(("2026-03", "ESTIMATED"), ("2027-08", "ESTIMATED"), ("2027-12", "ESTIMATED")),
        phases=["NA"],
        enrollment=(240, "ESTIMATED"),
        summary="Light therapy at home is compared with light therapy in the clinic.",
    )
    _ask(record, ["Plaque Psoriasis"], ["phototherapy"])
    _arms(
        record,
        [
            ("Home", "EXPERIMENTAL", "DEVICE", "Home light unit", "Three times a week."),
            ("Clinic", "ACTIVE_COMPARATOR", "DEVICE", "Clinic light unit", "Three times a week."),
        ],
    )
    _measure(record, [outcome("75% improvement of the severity index", "Blinded assessor.", "Week 12")], [])
    _admit(record, "18 Years", "85 Years", ["Psoriasis on at least 5% of the skin"], ["History of skin cancer"])
    _people(record, contact("Ingrid Solheim", 60), "Ingrid Solheim, MD", "Fjord Institute of Dermatology")
    _places(
        record,
        site("Fjord Institute of Dermatology", "Oslo", "Norway", OSLO),
        site("Cathedral Square Skin Clinic", "Utrecht", "Netherlands", UTRECHT),
        site("Linden Clinic", "Berlin", "Germany", BERLIN, zip="10115"),
    )
    return record


def _rare() -> Record:
    record = _record(
        "NCT99000107",
        ("SPARROW", "Enzyme Replacement in Late-Onset Castell Disease"),
        "An Open-Label Extension of Enzyme Replacement in Adults With Late-Onset Castell Disease (Invented)",
        sponsor="Wren Biologics (invented)",
        status="ACTIVE_NOT_RECRUITING",
        dates=(("2023-05-22", "ACTUAL"), ("2026-12", "ESTIMATED"), ("2027-06", "ESTIMATED")),
        phases=["PHASE1", "PHASE2"],
        enrollment=(36, "ESTIMATED"),
        summary="Adults who took part in an earlier study may go on with the enzyme for up to three years.",
    )
    _ask(record, ["Castell Disease"], ["enzyme replacement", "extension"])
    _arms(record, [("Enzyme", "EXPERIMENTAL", "DRUG", "WB-07", "20 mg/kg every second week.")])
    _measure(
        record,
        [outcome("Six-minute walk distance", "Meters walked.", "Baseline to month 24")],
        [outcome("Forced vital capacity", "Percent of predicted.", "Baseline to month 24")],
    )
    _admit(
        record, "18 Years", "65 Years", ["Took part in the earlier study", "Able to walk 40 m"], ["Ventilated by day"]
    )
    _people(record, contact("Wren Desk", 70), "Helene Aubert, MD", "Wren Biologics (invented)")
    _places(
        record,
        site("Hospital of the Two Rivers", "Lyon", "France", LYON, zip="69002"),
        site("Limmat Hospital", "Zurich", "Switzerland", ZURICH, zip="8001"),
    )
    return record


def _record(
    number: str,
    names: tuple[str, str],
    official: str,
    *,
    sponsor: str,
    status: str,
    dates: tuple[tuple[str, str], tuple[str, str], tuple[str, str]],
    phases: list[str],
    enrollment: tuple[int, str],
    summary: str,
) -> Record:
    start, primary, completion = ({"date": date, "type": kind} for date, kind in dates)
    design = {
        "studyType": "INTERVENTIONAL",
        "phases": phases,
        "designInfo": {"primaryPurpose": "TREATMENT"},
        "enrollmentInfo": {"count": enrollment[0], "type": enrollment[1]},
    }
    protocol = {
        "identificationModule": _identification(number, names, official, sponsor),
        "statusModule": _status(status, start, primary, completion),
        "sponsorCollaboratorsModule": {
            "responsibleParty": {"type": "SPONSOR"},
            "leadSponsor": {"name": sponsor, "class": "OTHER"},
        },
        "oversightModule": {"oversightHasDmc": True, "isFdaRegulatedDrug": False, "isFdaRegulatedDevice": False},
        "descriptionModule": {"briefSummary": summary},
        "conditionsModule": {},
        "designModule": design,
        "armsInterventionsModule": {},
        "outcomesModule": {},
        "eligibilityModule": {},
        "contactsLocationsModule": {},
    }
    derived = {"miscInfoModule": {"versionHolder": ""}}
    return {"protocolSection": protocol, "derivedSection": derived, "hasResults": False}


def _identification(number: str, names: tuple[str, str], official: str, sponsor: str) -> Record:
    return {
        "nctId": number,
        "orgStudyIdInfo": {"id": f"{names[0]}-01"},
        "organization": {"fullName": sponsor, "class": "OTHER"},
        "briefTitle": names[1],
        "officialTitle": official,
        "acronym": names[0],
    }


def _status(status: str, start: Record, primary: Record, completion: Record) -> Record:
    return {
        "statusVerifiedDate": "2026-01",
        "overallStatus": status,
        "expandedAccessInfo": {"hasExpandedAccess": False},
        "startDateStruct": start,
        "primaryCompletionDateStruct": primary,
        "completionDateStruct": completion,
        "studyFirstSubmitDate": "2022-05-02",
        "studyFirstPostDateStruct": {"date": "2022-05-09", "type": "ACTUAL"},
        "lastUpdateSubmitDate": "2026-01-19",
        "lastUpdatePostDateStruct": {"date": "2026-01-21", "type": "ACTUAL"},
    }


def _ask(record: Record, conditions: list[str], keywords: list[str]) -> None:
    record["protocolSection"]["conditionsModule"] = {"conditions": conditions, "keywords": keywords}


def _arms(record: Record, arms: list[tuple[str, str, str, str, str]]) -> None:
    info = record["protocolSection"]["designModule"]["designInfo"]
    info |= (
        {"allocation": "NA", "interventionModel": "SINGLE_GROUP", "maskingInfo": {"masking": "NONE"}}
        if len(arms) == 1
        else {
            "allocation": "RANDOMIZED",
            "interventionModel": "PARALLEL",
            "maskingInfo": {"masking": "SINGLE", "whoMasked": ["OUTCOMES_ASSESSOR"]},
        }
    )
    record["protocolSection"]["armsInterventionsModule"] = {
        "armGroups": [
            {"label": label, "type": kind, "description": text, "interventionNames": [f"{of.capitalize()}: {name}"]}
            for label, kind, of, name, text in arms
        ],
        "interventions": [
            {"type": of, "name": name, "description": text, "armGroupLabels": [label]}
            for label, _, of, name, text in arms
        ],
    }


def _measure(record: Record, primary: list[Record], secondary: list[Record]) -> None:
    module = {"primaryOutcomes": primary} | ({"secondaryOutcomes": secondary} if secondary else {})
    record["protocolSection"]["outcomesModule"] = module


def _admit(record: Record, youngest: str, oldest: str | None, include: list[str], exclude: list[str]) -> None:
    lists = (
        f"{title} Criteria:\n\n" + "\n".join(f"* {line}" for line in lines)
        for title, lines in (("Inclusion", include), ("Exclusion", exclude))
    )
    record["protocolSection"]["eligibilityModule"] = {
        "eligibilityCriteria": "\n\n".join(lists),
        "healthyVolunteers": False,
        "sex": "ALL",
        "minimumAge": youngest,
    } | ({"maximumAge": oldest} if oldest else {})


def _people(record: Record, central: Record | None, official: str, affiliation: str) -> None:
    module = record["protocolSection"]["contactsLocationsModule"]
    if central:
        module["centralContacts"] = [central]
    module["overallOfficials"] = [{"name": official, "affiliation": affiliation, "role": "PRINCIPAL_INVESTIGATOR"}]


def _places(record: Record, *sites: Record) -> None:
    record["protocolSection"]["contactsLocationsModule"]["locations"] = list(sites)
