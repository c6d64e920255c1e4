"""Was the trial registered in time? By custom before it began, by law within three weeks; pure."""

from datetime import date, timedelta

from snapshots.deadlines.covered import probably_covered
from snapshots.deadlines.findings import (
    Finding,
    Rule,
    distance,
    finding,
    known_interval,
    lateness,
    on_day,
    plain,
    registered_on,
    unsaid,
)
from snapshots.rules.dates import is_actual
from snapshots.sentences import date_words
from snapshots.trial import Trial

REGISTERED_BEFORE_START = Rule(
    "A trial is registered at or before the time of first patient enrollment, by the day of first submission.",
    "ICMJE Recommendations, Clinical Trial Registration",
)
REGISTERED_IN_TIME = Rule("Registered not later than 21 days after the first participant enrolled.", "42 CFR 11.24(a)")
_ENROLLED = timedelta(days=21)


def registered_before_start(trial: Trial, today: date) -> Finding:
    """Whether it was registered before it started. A start of month precision may leave that open."""
    submitted, start = registered_on(trial), known_interval(trial.start_date)
    if submitted is None or start is None or trial.start_date is None:
        missing = "when it was registered" if submitted is None else "when the study starts"
        return finding("registered before start", REGISTERED_BEFORE_START, "cannot be told", unsaid(missing))
    late = (submitted - start.end).days
    basis = {"registered": submitted.isoformat(), "start_date": plain(trial.start_date)}
    words = f"Registered {on_day(submitted)}; the study {_start_verb(trial, today)} {date_words(trial.start_date.date)}"
    if start.start < submitted <= start.end:
        return finding(
            "registered before start",
            REGISTERED_BEFORE_START,
            "cannot be told",
            f"{words}: the start has no day, so which came first cannot be told.",
            basis=basis,
        )
    early = submitted <= start.start
    days = (submitted - start.start).days if early else late
    return finding(
        "registered before start",
        REGISTERED_BEFORE_START,
        "yes" if early else "no",
        f"{words}: {distance(days, 'before the start', 'after the start', 'on the day of the start')}.",
        due=start.start.isoformat(),
        days=days,
        basis=basis,
    )


def registered_in_time(trial: Trial) -> Finding:
    """Whether it was registered within 21 days of the first enrollment, which the start date stands for."""
    applies = probably_covered(trial)
    submitted, start = registered_on(trial), known_interval(trial.start_date)
    if submitted is None or start is None:
        missing = "when it was registered" if submitted is None else "when the study starts"
        return finding("registered in time", REGISTERED_IN_TIME, "cannot be told", unsaid(missing), applies)
    due = start.end + _ENROLLED
    days = (submitted - due).days
    return finding(
        "registered in time",
        REGISTERED_IN_TIME,
        "no" if days > 0 else "yes",
        f"Registered {on_day(submitted)}; there was time until {on_day(due)}: {lateness(days)}.",
        applies,
        due=due.isoformat(),
        days=days,
        basis={"registered": submitted.isoformat(), "start_date": plain(trial.start_date)},
    )


def _start_verb(trial: Trial, today: date) -> str:
    start = trial.start_date
    if start is not None and start.type is None:
        return "gives as its start"
    if start is not None and is_actual(start):
        return "started"
    known = known_interval(start)
    return "was to start" if known and known.end < today else "is to start"
