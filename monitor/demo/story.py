"""What happens to the invented trials in a fortnight: one release a business day, each with an edit and its meaning."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from msgspec import Struct

from monitor.demo.trials import OSLO, Record, contact, first_day, outcome, site

LOOK_AT = time(14, 0, tzinfo=UTC)
"""When the daily look is taken: some hours after the registry stamps its release."""


SLIPPING = "NCT99000102"
"""The trial whose end was put off before anybody looked, too."""


class Day(Struct, frozen=True):
    """One day: what is announced before the look, what the registry did to its records, and whether it is down."""

    date: date
    told: str
    edit: Callable[[dict[str, Record]], None] | None = None
    down: bool = False

    @property
    def look(self) -> datetime:
        """The moment of the day's sweep, aware UTC."""
        return datetime.combine(self.date, LOOK_AT)


class Release(Struct, frozen=True):
    """A day with the records as the registry shows them on it, by id."""

    day: Day
    records: dict[str, Record]


def releases() -> Iterator[Release]:
    """The days in order, each with its own copy of all records."""
    records = {record["protocolSection"]["identificationModule"]["nctId"]: record for record in first_day()}
    for day in DAYS:
        if day.edit is not None:
            day.edit(records)
        for record in records.values():
            record["derivedSection"]["miscInfoModule"]["versionHolder"] = day.date.isoformat()
        yield Release(day, deepcopy(records))


def pasts() -> dict[str, list[Record]]:
    """What records said long before anybody looked, by id, the oldest first: when they were registered, and a week
    after each of their dates had come.
    """
    return {each["protocolSection"]["identificationModule"]["nctId"]: _past(each) for each in first_day()}


_ENDS = ("primaryCompletionDateStruct", "completionDateStruct")
_DATES = ("startDateStruct", *_ENDS)


def _past(record: Record) -> list[Record]:
    status = _status(record)
    came = [date.fromisoformat(status[name]["date"]) for name in _DATES if status[name]["type"] == "ACTUAL"]
    said = (date.fromisoformat(status["studyFirstSubmitDate"]), *(day + timedelta(days=7) for day in came))
    return [_as_of(record, day, dates_there) for dates_there, day in enumerate(said)]


def _as_of(record: Record, day: date, dates_there: int) -> Record:
    """What it said on `day`, when so many of its dates had come."""
    earlier = deepcopy(record)
    status = _status(earlier)
    slips = earlier["protocolSection"]["identificationModule"]["nctId"] == SLIPPING
    if slips:
        for name, date_ in zip(_ENDS, ("2025-12", "2026-06"), strict=True):
            status[name]["date"] = date_
    for name in _DATES[dates_there:]:
        status[name]["type"] = "ESTIMATED"
    if dates_there == 0:
        status["overallStatus"] = "NOT_YET_RECRUITING"
        if slips:
            status["startDateStruct"]["date"] = "2023-11"
        for place in _sites(earlier):
            place["status"] = "NOT_YET_RECRUITING"
    elif dates_there < len(_DATES) and status["overallStatus"] == "COMPLETED":
        status["overallStatus"] = "RECRUITING" if dates_there == 1 else "ACTIVE_NOT_RECRUITING"
    return _resubmitted(earlier, day)


def submitted_on(record: Record) -> str:
    """The day on which its sponsor last sent it in."""
    return str(_status(record)["lastUpdateSubmitDate"])


def _nothing_but_the_stamp(_records: dict[str, Record]) -> None:
    """The registry stamps every record anew on every day; that is all that happens."""


def _a_site_opens(records: dict[str, Record]) -> None:
    record = _resubmitted(records["NCT99000101"], date(2026, 3, 3))
    _sites(record)[1]["status"] = "RECRUITING"


def _lists_are_shuffled(records: dict[str, Record]) -> None:
    record = _resubmitted(records["NCT99000105"], date(2026, 3, 4))
    _sites(record).reverse()
    arms = record["protocolSection"]["armsInterventionsModule"]
    arms["armGroups"].reverse()
    arms["interventions"].reverse()
    record["protocolSection"]["conditionsModule"]["keywords"].reverse()


def _a_date_slips(records: dict[str, Record]) -> None:
    status = _status(_resubmitted(records[SLIPPING], date(2026, 3, 5)))
    status["primaryCompletionDateStruct"]["date"] = "2027-03"
    status["completionDateStruct"]["date"] = "2027-09"


def _a_study_opens(records: dict[str, Record]) -> None:
    record = _resubmitted(records["NCT99000106"], date(2026, 3, 9))
    _status(record)["overallStatus"] = "RECRUITING"
    _status(record)["startDateStruct"] = {"date": "2026-03-09", "type": "ACTUAL"}
    for line, place in enumerate(_sites(record), start=61):
        place["status"] = "RECRUITING"
        place["contacts"] = [contact("Study Nurse", line)]
    _sites(record).insert(1, site("Harbor Light Clinic", "Oslo", "Norway", OSLO, status="RECRUITING"))


def _a_study_stops(records: dict[str, Record]) -> None:
    record = _resubmitted(records["NCT99000103"], date(2026, 3, 10))
    status = _status(record)
    status["overallStatus"] = "TERMINATED"
    status["whyStopped"] = "Futility at the second interim analysis; no safety concern"
    status["primaryCompletionDateStruct"] = {"date": "2026-03-06", "type": "ACTUAL"}
    status["completionDateStruct"] = {"date": "2026-03-06", "type": "ACTUAL"}
    record["protocolSection"]["designModule"]["enrollmentInfo"] = {"count": 311, "type": "ACTUAL"}
    record["protocolSection"]["contactsLocationsModule"].pop("centralContacts")
    for place in _sites(record):
        place.pop("status")
        place.pop("contacts", None)


def _a_protocol_is_amended(records: dict[str, Record]) -> None:
    record = _resubmitted(records["NCT99000107"], date(2026, 3, 12))
    section = record["protocolSection"]
    section["designModule"]["enrollmentInfo"]["count"] = 48
    section["outcomesModule"]["primaryOutcomes"][0]["timeFrame"] = "Baseline to month 36"
    section["eligibilityModule"]["minimumAge"] = "16 Years"
    criteria = section["eligibilityModule"]["eligibilityCriteria"]
    section["eligibilityModule"]["eligibilityCriteria"] = criteria.replace(
        "Able to walk 40 m", "Able to walk 20 m with an aid"
    )


def _results_arrive(records: dict[str, Record]) -> None:
    record = _resubmitted(records["NCT99000104"], date(2026, 3, 13))
    record["hasResults"] = True
    status = _status(record)
    status["resultsFirstSubmitDate"] = "2026-01-30"
    status["resultsFirstPostDateStruct"] = {"date": "2026-03-16", "type": "ACTUAL"}
    record["resultsSection"] = _results()
    record["documentSection"] = {"largeDocumentModule": {"largeDocs": [_protocol_document()]}}


def _a_site_leaves_another_comes(records: dict[str, Record]) -> None:
    record = _resubmitted(records["NCT99000101"], date(2026, 3, 16))
    _sites(record).pop(2)
    _sites(record)[-1]["status"] = "WITHDRAWN"
    record["protocolSection"]["outcomesModule"]["secondaryOutcomes"].append(
        outcome("Number of serious adverse events", "By system organ class.", "Baseline to week 52")
    )


def _results() -> dict[str, Any]:
    groups = [{"id": "OG000", "title": "Coaching"}, {"id": "OG001", "title": "Leaflet"}]
    counts = [{"groupId": "OG000", "value": "0.31"}, {"groupId": "OG001", "value": "0.47"}]
    measure = {
        "type": "PRIMARY",
        "title": "Severe asthma attacks",
        "timeFrame": "12 months",
        "reportingStatus": "POSTED",
        "paramType": "MEAN",
        "unitOfMeasure": "attacks per child and year",
        "groups": groups,
        "classes": [{"categories": [{"measurements": counts}]}],
    }
    return {"outcomeMeasuresModule": {"outcomeMeasures": [measure]}}


def _protocol_document() -> dict[str, Any]:
    return {
        "typeAbbrev": "Prot_SAP",
        "hasProtocol": True,
        "hasSap": True,
        "hasIcf": False,
        "label": "Study Protocol and Statistical Analysis Plan",
        "date": "2024-11-04",
        "uploadDate": "2026-01-30T08:12",
        "filename": "Prot_SAP_000.pdf",
        "size": 812_345,
    }


def _resubmitted(record: Record, day: date) -> Record:
    """The record after its sponsor sent it in again on `day`; the registry posts it a day later."""
    status = _status(record)
    status["statusVerifiedDate"] = f"{day:%Y-%m}"
    status["lastUpdateSubmitDate"] = day.isoformat()
    status["lastUpdatePostDateStruct"] = {"date": (day + timedelta(days=1)).isoformat(), "type": "ESTIMATED"}
    return record


def _status(record: Record) -> dict[str, Any]:
    return record["protocolSection"]["statusModule"]  # type: ignore[no-any-return]


def _sites(record: Record) -> list[Record]:
    return record["protocolSection"]["contactsLocationsModule"]["locations"]  # type: ignore[no-any-return]


DAYS: tuple[Day, ...] = (
    Day(date(2026, 3, 2), "Seven trials are watched from today. What they say now is kept as the baseline."),
    Day(date(2026, 3, 3), "The registry stamps all of its records anew, as on every day.", _nothing_but_the_stamp),
    Day(date(2026, 3, 4), "A hospital in Beijing begins to recruit.", _a_site_opens),
    Day(date(2026, 3, 5), "A sponsor sends its record in again; its lists come in another order.", _lists_are_shuffled),
    Day(date(2026, 3, 6), "A trial will take longer than planned.", _a_date_slips),
    Day(date(2026, 3, 9), "The registry is down for maintenance.", _nothing_but_the_stamp, down=True),
    Day(date(2026, 3, 10), "The registry is back. A study has opened with all of its sites.", _a_study_opens),
    Day(date(2026, 3, 11), "A phase 3 study is stopped.", _a_study_stops),
    Day(date(2026, 3, 12), "Another day without news.", _nothing_but_the_stamp),
    Day(date(2026, 3, 13), "A protocol is amended.", _a_protocol_is_amended),
    Day(date(2026, 3, 16), "Results are posted.", _results_arrive),
    Day(date(2026, 3, 17), "One site goes, one is withdrawn, an outcome is added.", _a_site_leaves_another_comes),
)
