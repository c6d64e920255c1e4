"""An invented trial with a long past, stored as a back-fill and sweeps store it; its answers are known by hand."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from snapshots import archive
from snapshots.archive import Gap, Observation, StepFacts
from snapshots.registries.ctgov.parse import parse
from snapshots.rules import changes_between

RECORD = "NCT99000001"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FORMULA = "=cmd|' /C calc'!A0"


def said(status: str, submitted: str, **facts: Any) -> dict[str, Any]:
    """The record as the registry serves it; `dates` by the registry's key, `primary` and `secondary` measures."""
    dates = {f"{name}DateStruct": {"date": date, "type": kind} for name, (date, kind) in facts.get("dates", {}).items()}
    return {
        "protocolSection": {
            "identificationModule": {"nctId": facts.get("record", RECORD), "briefTitle": FORMULA},
            "statusModule": {
                "overallStatus": status,
                "studyFirstSubmitDate": "2022-02-10",
                "lastUpdateSubmitDate": submitted,
                **dates,
                **facts.get("module", {}),
            },
            "designModule": {"studyType": "INTERVENTIONAL", "enrollmentInfo": {"count": facts.get("count", 100)}},
            "outcomesModule": {
                "primaryOutcomes": [{"measure": measure} for measure in facts.get("primary", ["Pain"])],
                "secondaryOutcomes": [{"measure": measure} for measure in facts.get("secondary", ["Sleep"])],
            },
        },
        "hasResults": False,
    }


def closing(date: str, kind: str = "ESTIMATED") -> dict[str, Any]:
    return {"dates": {"start": ("2022-04-01", "ACTUAL"), "primaryCompletion": (date, kind)}}


PAST: tuple[tuple[int, str, dict[str, Any]], ...] = (
    (0, "2022-02-10", said("NOT_YET_RECRUITING", "2022-02-10", dates={"primaryCompletion": ("2024-06", "ESTIMATED")})),
    (1, "2022-04-20", said("RECRUITING", "2022-04-18", **closing("2024-06"))),
    (2, "2023-05-02", said("SUSPENDED", "2023-05-01", **closing("2024-12"), module={"whyStopped": "No tea"})),
    (3, "2023-08-02", said("RECRUITING", "2023-08-01", **closing("2025-06"))),
    (5, "2025-01-02", said("RECRUITING", "2025-01-02", **closing("2026-03"))),
)
MISSING = (4, "2024-02-01")
SEEN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("2026-03-02", said("UNKNOWN", "2025-01-02", **closing("2026-03"), module={"lastKnownStatus": "RECRUITING"})),
    ("2026-05-04", said("RECRUITING", "2026-05-01", **closing("2026-03-20", "ACTUAL"))),
    (
        "2026-07-06",
        said("COMPLETED", "2026-07-03", **closing("2026-03-20", "ACTUAL"), primary=["Sleep"], secondary=["Pain"]),
    ),
)


def store(connection: Connection) -> None:
    """The past with its one gap, then what sweeps saw; each step told."""
    before: tuple[int, Any] | None = None
    for number, date, record in PAST:
        raw = json.dumps({"studyVersion": number, "study": record}).encode()
        before = _told(connection, before, _past(raw, number, date), None)
    number, date = MISSING
    archive.note_gap(connection, gap(number, date))
    for day, record in SEEN:
        before = _told(connection, before, seen(record, day), f"{day}T09:00:05")


def seen(record: dict[str, Any], day: str) -> Observation:
    """What a sweep brings at the release of that day."""
    return _observation(json.dumps(record).encode(), record_id=_id(record), release=f"{day}T09:00:05")


def gap(number: int, date: str) -> Gap:
    return Gap(
        registry="ctgov",
        registry_id=RECORD,
        registry_version=number,
        registry_date=date,
        reason="answered 500",
        is_final=True,
        noted_at=NOW,
    )


def append(connection: Connection, observation: Observation) -> int:
    """Append to whatever the head is."""
    head = archive.heads(connection, "ctgov", [observation.registry_id]).get(observation.registry_id)
    observed = observation.source != "history"
    return archive.append(connection, observation, head.version if head and observed else None)


def _told(
    connection: Connection, before: tuple[int, Any] | None, observation: Observation, release: str | None
) -> tuple[int, Any]:
    number, trial = append(connection, observation), parse(observation.raw)
    if before is not None:
        facts = StepFacts(
            registry="ctgov",
            registry_id=observation.registry_id,
            from_version=before[0],
            to_version=number,
            release=release,
            observed_at=NOW,
            cause="observed" if release else "back-filled",
        )
        archive.record_step(connection, facts, changes_between(before[1], trial))
    return number, trial


def _past(raw: bytes, number: int, date: str) -> Observation:
    return _observation(raw, source="history", registry_version=number, registry_date=date)


def _observation(raw: bytes, record_id: str = RECORD, **facts: Any) -> Observation:
    given = {"release": None, "registry_date": None, **facts}
    digest = hashlib.sha256(raw).digest()
    return Observation(
        registry="ctgov",
        registry_id=record_id,
        title=FORMULA,
        raw=raw,
        raw_hash=digest,
        content_hash=digest,
        observed_at=NOW,
        **given,
    )


def _id(record: dict[str, Any]) -> str:
    found: str = record["protocolSection"]["identificationModule"]["nctId"]
    return found
