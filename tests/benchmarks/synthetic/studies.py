"""The nth invented record: whole, in the registry's own shape, worded with invented words, the same at every call.

Ids are NCT99000000 and on. What varies from record to record: every text (taken from the corpus at a place of its own),
every name, date, count and status, the number of everything. What does not: the names of the fields, the vocabulary,
and the enumerations, as with real ones.
"""

import random
from datetime import date, timedelta
from typing import Any

from tests.benchmarks.synthetic.shapes import Shape, shape
from tests.benchmarks.synthetic.wording import Place, Wording

Json = Any
FIRST_ID = 99_000_000
MOST = 1_000_000
"""So many ids there are."""
TODAY = date(2026, 3, 2)
"""The day of the first release."""
_PHASES = (["NA"], ["NA"], ["PHASE1"], ["PHASE2"], ["PHASE2"], ["PHASE3"], ["PHASE4"], ["PHASE1", "PHASE2"])
_FEW = (0, 0, 0, 0, 1, 1, 2, 3, 7, 12)
"""How many had an adverse event: of most kinds nobody."""
_OPEN = frozenset({"RECRUITING", "NOT_YET_RECRUITING", "ENROLLING_BY_INVITATION", "SUSPENDED"})


def record_id(nth: int) -> str:
    """The id of the nth record."""
    return f"NCT{FIRST_ID + nth}"


class Studies:
    """Makes records. The texts' shares of a record are those of real ones: a third criteria, a third outcomes, …"""

    def __init__(self, wording: Wording) -> None:
        self._wording = wording

    def study(self, nth: int) -> dict[str, Json]:
        """The nth record as an object."""
        chance, form = random.Random(nth), shape(nth)
        protocol = {
            "identificationModule": self._identification(chance, nth),
            "statusModule": _status(chance, form),
            "sponsorCollaboratorsModule": self._sponsor(chance),
            "oversightModule": {"oversightHasDmc": chance.random() < 0.4, "isFdaRegulatedDrug": chance.random() < 0.3,
                                "isFdaRegulatedDevice": chance.random() < 0.1},
            "descriptionModule": self._description(chance, form.prose),
            "conditionsModule": {"conditions": chance.sample(self._wording.conditions, 1 + int(chance.random() * 3)),
                                 "keywords": chance.sample(self._wording.conditions, int(chance.random() * 5))},
            "designModule": _design(chance, form),
            "armsInterventionsModule": self._arms(chance, form.prose // 8),
            "outcomesModule": self._outcomes(chance, form.prose // 3),
            "eligibilityModule": self._eligibility(chance, form.prose // 3),
            "contactsLocationsModule": self._contacts(chance, form),
            "ipdSharingStatementModule": {"ipdSharing": chance.choice(("NO", "NO", "YES", "UNDECIDED"))},
        }  # fmt: skip
        study: dict[str, Json] = {"protocolSection": protocol}
        if form.results:
            study["resultsSection"] = self.results(chance, form.results)
        return {**study, "hasResults": bool(form.results)}

    def site(self, chance: random.Random, status: str) -> dict[str, Json]:
        """A location; its own status and contacts are there while the record is open."""
        place = chance.choice(self._wording.places)
        found: dict[str, Json] = {"facility": place.facility, "city": place.city, "country": place.country}
        found |= {name: value for name, value in (("state", place.state), ("zip", place.zip)) if value is not None}
        if status in _OPEN:
            found["status"] = "RECRUITING" if status == "RECRUITING" and chance.random() < 0.8 else "NOT_YET_RECRUITING"
            if status == "RECRUITING" and chance.random() < 0.6:
                found["contacts"] = [self._contact(chance, "CONTACT")]
        found["geoPoint"] = _point(place)
        return found

    def outcome(self, chance: random.Random, length: int) -> dict[str, Json]:
        """An outcome as a protocol names it, of about so many characters."""
        return {
            "measure": self._wording.text(chance, 40 + int(chance.random() * 60)),
            "description": self._wording.text(chance, length - 90),
            "timeFrame": f"{chance.choice((4, 8, 12, 24, 52))} weeks",
        }

    def results(self, chance: random.Random, size: int) -> dict[str, Json]:
        """Results of about `size` bytes: outcomes' measurements, adverse events, flow and baseline."""
        groups = [(f"G{number:03}", self._wording.text(chance, 30), self._wording.text(chance, 240))
                  for number in range(2 + int(chance.random() * 3))]  # fmt: skip
        events = max(1, size // 4 // (120 + 75 * len(groups)))
        measured = max(1, size * 65 // 100 // (900 + 540 * len(groups)))
        return {
            "participantFlowModule": {
                "groups": _groups("FG", groups),
                "periods": [{"title": "Overall Study", "milestones": [_milestone(chance, groups, word)
                                                                      for word in ("STARTED", "COMPLETED")]}],
            },
            "baselineCharacteristicsModule": {"groups": _groups("BG", groups), "measures": [_measure(chance, groups)]},
            "outcomeMeasuresModule": {"outcomeMeasures": [self._measured(chance, groups, number)
                                                          for number in range(measured)]},
            "adverseEventsModule": {
                "frequencyThreshold": "5", "timeFrame": "52 weeks", "eventGroups": _groups("EG", groups),
                "otherEvents": [self._event(chance, groups) for _ in range(events)],
            },
        }  # fmt: skip

    # --- parts --------------------------------------------------------------------------------------------------------

    def _identification(self, chance: random.Random, nth: int) -> dict[str, Json]:
        return {
            "nctId": record_id(nth),
            "orgStudyIdInfo": {"id": f"{chance.choice('ABCDEFGH')}{chance.randrange(10**7):07}"},
            "organization": {"fullName": chance.choice(self._wording.sponsors), "class": "OTHER"},
            "briefTitle": self._wording.text(chance, 50 + int(chance.random() * 60)),
            "officialTitle": self._wording.text(chance, 90 + int(chance.random() * 120)),
        }

    def _sponsor(self, chance: random.Random) -> dict[str, Json]:
        found: dict[str, Json] = {
            "responsibleParty": {"type": "SPONSOR"},
            "leadSponsor": {"name": chance.choice(self._wording.sponsors), "class": "OTHER"},
        }
        if chance.random() < 0.3:
            found["collaborators"] = [{"name": chance.choice(self._wording.sponsors), "class": "INDUSTRY"}]
        return found

    def _description(self, chance: random.Random, prose: int) -> dict[str, Json]:
        brief = self._wording.text(chance, 80 + prose // 15)
        return {"briefSummary": brief, "detailedDescription": self._wording.text(chance, prose // 7)}

    def _arms(self, chance: random.Random, length: int) -> dict[str, Json]:
        count = 1 + int(chance.random() * 3)
        names = chance.sample(self._wording.treatments, count)
        labels = [f"{name} {number}" for number, name in enumerate(names, 1)]
        each = length // (2 * count)
        return {
            "armGroups": [
                {"label": label, "type": chance.choice(("EXPERIMENTAL", "ACTIVE_COMPARATOR", "PLACEBO_COMPARATOR")),
                 "description": self._wording.text(chance, each), "interventionNames": [f"Drug: {name}"]}
                for label, name in zip(labels, names, strict=True)
            ],
            "interventions": [
                {"type": "DRUG", "name": name, "description": self._wording.text(chance, each),
                 "armGroupLabels": [label]}
                for label, name in zip(labels, names, strict=True)
            ],
        }  # fmt: skip

    def _outcomes(self, chance: random.Random, length: int) -> dict[str, Json]:
        count = max(1, length // 320)
        primary = 1 + (count > 4) + (count > 15) * 2
        found = [self.outcome(chance, max(120, length // count)) for _ in range(max(count, primary))]
        return {"primaryOutcomes": found[:primary], "secondaryOutcomes": found[primary:]}

    def _eligibility(self, chance: random.Random, length: int) -> dict[str, Json]:
        inside, outside = (self._wording.lines(chance, max(40, length // 2)) for _ in range(2))
        return {
            "eligibilityCriteria": f"Inclusion Criteria:\n\n{inside}\n\nExclusion Criteria:\n\n{outside}",
            "healthyVolunteers": chance.random() < 0.25,
            "sex": chance.choice(("ALL", "ALL", "ALL", "ALL", "FEMALE", "MALE")),
            "minimumAge": f"{chance.choice((6, 12, 18, 18, 18, 18, 40, 50))} Years",
            "maximumAge": f"{chance.choice((60, 65, 75, 80, 99))} Years",
            "stdAges": ["ADULT", "OLDER_ADULT"],
        }

    def _contacts(self, chance: random.Random, form: Shape) -> dict[str, Json]:
        found: dict[str, Json] = {
            "overallOfficials": [{"name": chance.choice(self._wording.people), "role": "PRINCIPAL_INVESTIGATOR",
                                  "affiliation": chance.choice(self._wording.sponsors)}]
        }  # fmt: skip
        if form.status in _OPEN:
            found["centralContacts"] = [self._contact(chance, "CONTACT")]
        if form.sites:
            found["locations"] = [self.site(chance, form.status) for _ in range(form.sites)]
        return found

    def _contact(self, chance: random.Random, role: str) -> dict[str, str]:
        number = chance.randrange(100)
        return {"name": chance.choice(self._wording.people), "role": role, "phone": f"555-01{number:02}",
                "email": f"{chance.choice(self._wording.words)}{number}@example.org"}  # fmt: skip

    def _measured(self, chance: random.Random, groups: "_Groups", number: int) -> dict[str, Json]:
        rows = 1 + int(chance.random() * 6)
        return {
            "type": "PRIMARY" if not number else "SECONDARY",
            "title": self._wording.text(chance, 70), "description": self._wording.text(chance, 220),
            "populationDescription": self._wording.text(chance, 90), "reportingStatus": "POSTED",
            "paramType": "MEAN", "dispersionType": "Standard Deviation", "unitOfMeasure": "units on a scale",
            "timeFrame": f"{chance.choice((4, 8, 12, 24, 52))} weeks", "groups": _groups("OG", groups),
            "classes": [{"title": f"Week {row}", "categories": [{"measurements": [
                {"groupId": f"O{name}", "value": f"{chance.random() * 90:.1f}", "spread": f"{chance.random() * 9:.2f}"}
                for name, _, _ in groups]}]} for row in range(rows)],
            "analyses": [{"groupIds": [f"O{name}" for name, _, _ in groups[:2]], "pValue": f"{chance.random():.3f}"}],
        }  # fmt: skip

    def _event(self, chance: random.Random, groups: "_Groups") -> dict[str, Json]:
        return {
            "term": chance.choice(self._wording.events), "organSystem": self._wording.events[chance.randrange(25)],
            "assessmentType": "SYSTEMATIC_ASSESSMENT",
            "stats": [{"groupId": f"E{name}", "numEvents": chance.choice(_FEW), "numAffected": chance.choice(_FEW),
                       "numAtRisk": 120 + len(words)} for name, _, words in groups],
        }  # fmt: skip


_Groups = list[tuple[str, str, str]]


def _groups(prefix: str, groups: _Groups) -> list[dict[str, Json]]:
    return [{"id": f"{prefix[0]}{name}", "title": title, "description": words} for name, title, words in groups]


def _milestone(chance: random.Random, groups: _Groups, word: str) -> dict[str, Json]:
    counts = [{"groupId": f"F{name}", "numSubjects": str(chance.randrange(500))} for name, _, _ in groups]
    return {"type": word, "achievements": counts}


def _measure(chance: random.Random, groups: _Groups) -> dict[str, Json]:
    values = [{"groupId": f"B{name}", "value": str(chance.randrange(90))} for name, _, _ in groups]
    return {"title": "Age, Continuous", "paramType": "MEAN", "unitOfMeasure": "years",
            "classes": [{"categories": [{"measurements": values}]}]}  # fmt: skip


def _point(place: Place) -> dict[str, float]:
    return {"lat": place.latitude, "lon": place.longitude}


def _status(chance: random.Random, form: Shape) -> dict[str, Json]:
    """Dates of a trial whose registration is so old; what is open ends in days to come, what is over has ended."""
    first = TODAY - timedelta(days=int((1 - form.age) * 7_500) + 5)
    is_over = form.status in ("COMPLETED", "TERMINATED", "WITHDRAWN", "NO_LONGER_AVAILABLE")
    ended = min(first + timedelta(days=int(200 + chance.random() * 1_200)), TODAY - timedelta(days=4))
    end = ended if is_over else TODAY + timedelta(days=int(chance.random() * 1_500))
    kind = "ACTUAL" if is_over else "ESTIMATED"
    last = min(TODAY - timedelta(days=3), ended + timedelta(days=int(chance.random() * 300)))
    found: dict[str, Json] = {
        "statusVerifiedDate": f"{last:%Y-%m}",
        "overallStatus": form.status,
        "expandedAccessInfo": {"hasExpandedAccess": False},
        "startDateStruct": dated(first + timedelta(days=20), "ACTUAL", chance),
        "primaryCompletionDateStruct": dated(end, kind, chance),
        "completionDateStruct": dated(end + timedelta(days=60 * (not is_over)), kind, chance),
        "studyFirstSubmitDate": f"{first}",
        "studyFirstSubmitQcDate": f"{first}",
        "studyFirstPostDateStruct": {"date": f"{first + timedelta(days=3)}", "type": "ACTUAL"},
        "lastUpdateSubmitDate": f"{last}",
        "lastUpdatePostDateStruct": {"date": f"{last + timedelta(days=2)}", "type": "ACTUAL"},
    }
    if form.status == "UNKNOWN":
        found["lastKnownStatus"] = "RECRUITING"
    return found


def dated(day: date, kind: str, chance: random.Random) -> dict[str, str]:
    """A date as records write it: with its day or, of older and of planned ones, the month alone."""
    return {"date": f"{day:%Y-%m}" if chance.random() < 0.35 else f"{day}", "type": kind}


def _design(chance: random.Random, form: Shape) -> dict[str, Json]:
    kind = "ESTIMATED" if form.status in _OPEN else "ACTUAL"
    count = {"count": int(10 * 10 ** (chance.random() * 2.2)), "type": kind}
    if chance.random() < 0.23:
        return {"studyType": "OBSERVATIONAL", "enrollmentInfo": count,
                "designInfo": {"observationalModel": "COHORT", "timePerspective": "PROSPECTIVE"}}  # fmt: skip
    masking = {"masking": chance.choice(("NONE", "NONE", "DOUBLE", "QUADRUPLE"))}
    how = {"allocation": "RANDOMIZED", "interventionModel": "PARALLEL", "primaryPurpose": "TREATMENT"}
    return {"studyType": "INTERVENTIONAL", "phases": chance.choice(_PHASES), "enrollmentInfo": count,
            "designInfo": {**how, "maskingInfo": masking}}  # fmt: skip
