"""Made-up edits of the start, the primary completion and the completion, and of the record's bookkeeping."""

from tests.snapshots.vocabulary.cases import ANY, Case, Json, Still
from tests.snapshots.whole_record import GONE, STATUS

FIELDS = {
    "start_date": "startDateStruct",
    "primary_completion_date": "primaryCompletionDateStruct",
    "completion_date": "completionDateStruct",
}
COMPLETIONS = ("primary_completion_date", "completion_date")


def day(text: str, kind: str | None = "ESTIMATED") -> dict[str, Json]:
    """A date as a record has it."""
    return {"date": text, "type": kind} if kind else {"date": text}


def dated(date: str, word: str, was: Json, now: Json, severity: str, edge: str = "") -> Case:
    place = f"{STATUS}.{FIELDS[date]}"
    told = [value if value is GONE or "type" in value else {**value, "type": None} for value in (was, now)]
    before, after = (None if value is GONE else value for value in told)
    return Case(
        f"{date}.{word}",
        [(place, now)],
        was=[(place, day("1999")), (place, was)],
        before=before,
        after=after,
        severity=severity,
        edge=edge or f"{told[0]} {told[1]}",
    )


def of(date: str) -> list[Case]:
    """The cases of one of the three dates."""
    primary = "major" if date == "primary_completion_date" else "minor"
    completion = "major" if date in COMPLETIONS else "minor"
    return [
        dated(date, "delayed", day("2026-05"), day("2026-07"), primary),
        dated(date, "delayed", day("2026-05-01"), day("2026-07-29"), primary, "89 days"),
        dated(date, "delayed", day("2026-05-01"), day("2026-07-30"), "major", "90 days are always major"),
        dated(date, "delayed", day("2026-05-31"), day("2026-06", None), primary, "no type is planned too"),
        dated(date, "delayed", day("2026"), day("2027-01"), "major", "wholly after, counted in years"),
        dated(date, "advanced", day("2026-07"), day("2026-05"), completion),
        dated(date, "advanced", day("2026-07-30"), day("2026-05-01"), completion),
        dated(date, "advanced", day("2027-01", None), day("2026"), completion),
        dated(date, "reached", day("2026-05"), day("2026-05-17", "ACTUAL"), completion),
        dated(date, "reached", day("2026-05-17"), day("2026-05-17", "ACTUAL"), completion, "on the day planned"),
        dated(date, "reached", day("2026-05", None), day("2026-09-17", "ACTUAL"), completion, "later than planned"),
        dated(date, "unreached", day("2026-05-17", "ACTUAL"), day("2026-09"), "major"),
        dated(date, "unreached", day("2026-05-17", "ACTUAL"), day("2026-05-17"), "major", "the day stands"),
        dated(date, "unreached", day("2026-05", "ACTUAL"), day("2026-05", None), "major", "the type is gone"),
        dated(date, "corrected", day("2026-05-17", "ACTUAL"), day("2026-05-19", "ACTUAL"), "major"),
        dated(date, "corrected", day("2026-05", "ACTUAL"), day("2026-03-01", "ACTUAL"), "major"),
        dated(date, "corrected", day("2025", "ACTUAL"), day("2026", "ACTUAL"), "major"),
        dated(date, "refined", day("2026-05"), day("2026-05-17"), "admin"),
        dated(date, "refined", day("2026-05-17"), day("2026-05", None), "admin", "less precise"),
        dated(date, "refined", day("2026", "ACTUAL"), day("2026-05", "ACTUAL"), "admin", "both actual"),
        *(
            dated(date, "added", GONE, now, "minor")
            for now in (day("2026"), day("2026-05"), day("2026-05-17", "ACTUAL"))
        ),
        *(dated(date, "removed", was, GONE, "minor") for was in (day("2026", None), day("2026-05"), day("2026-05-17"))),
    ]


def moved(*edits: tuple[str, Json]) -> Case:
    return Case("record.verified", [(f"{STATUS}.{field}", value) for field, value in edits], before=ANY, after=ANY)


CASES = [
    *(case for date in FIELDS for case in of(date)),
    moved(("lastUpdateSubmitDate", "2026-02-05")),
    moved(("statusVerifiedDate", "2026-02")),
    moved(("lastUpdatePostDateStruct", {"date": "2026-02-07", "type": "ESTIMATED"})),
    moved(("studyFirstSubmitQcDate", "2026-02-07")),
    moved(("lastUpdateSubmitDate", "2026-02-05"), ("statusVerifiedDate", "2026-02")),
]
STILL = [
    *(
        Still(
            f"{date}: no type and estimated",
            [(f"{STATUS}.{field}", day("2026-05"))],
            [(f"{STATUS}.{field}", day("2026-05", None))],
        )
        for date, field in FIELDS.items()
    ),
    Still(
        "the registry's own posting date becomes actual",
        [(f"{STATUS}.lastUpdatePostDateStruct", {"date": "2026-01-07", "type": "ACTUAL"})],
    ),
]
