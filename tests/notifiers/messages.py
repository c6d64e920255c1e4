"""Invented messages for the tests of wording, rendering and channels; every builder has defaults."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from notifiers.message import Coverage, Facts, Message, News, Why
from snapshots.archive import Step, StoredChange
from snapshots.changes import Cause, Change
from snapshots.kinds import KINDS
from snapshots.trial import Contact

SEEN = datetime(2026, 3, 3, 14, 5, 9, tzinfo=UTC)
TITLE = "Safety and Efficacy of Mesenchymal Stem Cells in Patients With Diabetic Kidney Disease: a Randomised Trial"


def change(kind: str, summary: str = "Something changed", cause: Cause | None = None, **values: Any) -> Change:
    known = KINDS[kind]
    return msgspec.structs.replace(
        Change(kind=kind, severity=known.severity, label=known.label, summary=summary, cause=cause), **values
    )


def site(name: str, city: str = "Beijing", country: str = "China", **more: Any) -> dict[str, Any]:
    blank = {"type": "site", "state": None, "zip": None, "latitude": None, "longitude": None}
    return {**blank, "name": name, "city": city, "country": country, **more}


def recruiting(name: str, position: int = 5, cause: Cause | None = None, **where: Any) -> Change:
    subject = site(name, **where)
    return change(
        "site.recruiting",
        f"{name}, {subject['city']}, {subject['country']} is now recruiting (was: not yet recruiting)",
        cause,
        subject=subject,
        before="NOT_YET_RECRUITING",
        after="RECRUITING",
        path=f"protocolSection.contactsLocationsModule.locations[{position}].status",
    )


OPENED = change(
    "recruitment.opened",
    "The study is now recruiting (was: not yet recruiting)",
    before="NOT_YET_RECRUITING",
    after="RECRUITING",
    path="protocolSection.statusModule.overallStatus",
)
BY_OPENING = Cause("recruitment.opened", None, "protocolSection.statusModule.overallStatus")
BEIJING = recruiting("Beijing Example Hospital", zip="102218", state="Beijing Municipality", cause=BY_OPENING)
DELAYED = change(
    "primary_completion_date.delayed",
    "Primary completion is delayed by 459 days (about 15 months), from 30 June 2027 to 1 October 2028",
    before={"date": "2027-06-30", "type": "ESTIMATED"},
    after={"date": "2028-10-01", "type": "ESTIMATED"},
)
CRITERIA = change(
    "eligibility.criteria_changed",
    "Eligibility criteria changed: 1 removed, 1 reworded, 1 added",
    before={
        "inclusion": {"removed": ["HbA1c below 8.5 %"], "reworded": ["eGFR 30 to 60 mL/min at screening"]},
        "exclusion": {"removed": [], "reworded": []},
    },
    after={
        "inclusion": {"added": [], "reworded": ["eGFR 25 to 60 mL/min at screening"]},
        "exclusion": {"added": ["Dialysis within the last 3 months"], "reworded": []},
    },
)


def time_frame(number: int, before: str = "Up to 59 Months", after: str = "Up to 58 Months") -> Change:
    return change(
        "primary_outcome.time_frame_changed",
        f"Time frame of “Response {number}” changed",
        subject={"type": "outcome", "name": f"Response {number}"},
        before=before,
        after=after,
    )


def stored(*changes: Change, first: int = 700) -> tuple[StoredChange, ...]:
    return tuple(StoredChange(number, one) for number, one in enumerate(changes, first))


def step(*changes: Change, record: str | None = "NCT99000001", number: int = 7, **more: Any) -> Step:
    given: dict[str, Any] = {
        "id": number,
        "registry": "ctgov",
        "registry_id": record,
        "title": TITLE if record else None,
        "from_version": 41,
        "to_version": 57,
        "release": "2026-03-03T09:00:05",
        "observed_at": SEEN,
        "cause": "observed",
        "changes": stored(*changes, first=100 * number),
    }
    return Step(**{**given, **more})


def news(of: Step, by_place: Collection[Change] = (), facts: Facts | None = None) -> News:
    return News(
        step=of,
        url=f"https://clinicaltrials.gov/study/{of.registry_id}" if of.registry_id else None,
        changes=of.changes,
        by_place=frozenset(one.id for one in of.changes if one.change in by_place),
        facts=facts,
    )


def message(*told: News, **more: Any) -> Message:
    given: dict[str, Any] = {
        "delivery_id": "dlv_0190aa",
        "type": "trial.changed",
        "created": SEEN,
        "subscriptions": (Why("beijing-sites", "in China"),),
        "news": told,
        "archive_head": "3f9c01ab77de",
    }
    return Message(**{**given, **more})


ANN = Contact(name="Ann Example, MD", role="CONTACT", phone="+86 555-0100", phone_ext="12", email="ann@example.org")
LI = Contact(name="Li Example", phone="555-0123", email="li@example.org")


def facts_with(of: Step, about: Change | None = None) -> Facts:
    return Facts(
        status="RECRUITING",
        minimum_age="18 Years",
        maximum_age="75 Years",
        sex="ALL",
        healthy_volunteers=False,
        contacts=(ANN,),
        site_contacts={one.id: (LI,) for one in of.changes if one.change == about},
    )


def alert(*changes: Change, by_place: Collection[Change] = (), **more: Any) -> Message:
    """A message about one trial, told with the record's facts."""
    of = step(*changes)
    return message(news(of, by_place, facts_with(of, changes[0])), **more)


def digest(*told: News, watched: int = 412, unchecked: Collection[tuple[str, str]] = (), **more: Any) -> Message:
    coverage = Coverage(
        since=SEEN - timedelta(days=7),
        until=SEEN,
        watched=watched,
        last_checked=SEEN,
        release="2026-03-03T09:00:05",
        unchecked=tuple(unchecked),
    )
    return message(*told, type="digest", subscriptions=(Why("team-weekly"),), coverage=coverage, **more)
