"""Was the status verified in time, so that the registry does not call it unknown? Pure."""

from datetime import date

from snapshots.canonical import enum_key, interval
from snapshots.deadlines.findings import Finding, Rule, finding, known_interval, on_day, plain, unsaid, years_after
from snapshots.rules.status import OPEN
from snapshots.sentences import counted, date_words, status_words
from snapshots.trial import Trial

VERIFIED = Rule(
    "An ongoing study past its completion date whose status was not verified within 2 years is shown as UNKNOWN.",
    "ClinicalTrials.gov glossary, recruitment status",
)
_ONGOING = OPEN | {"NOT_YET_RECRUITING", "ACTIVE_NOT_RECRUITING"}


def verification_lapsed(trial: Trial, today: date) -> Finding:
    """Whether the status was verified in time, so that the registry does not call it UNKNOWN."""
    question, status = "status verified in time", enum_key(trial.overall_status)
    verified = interval(trial.bookkeeping_dates.get("statusVerifiedDate"))
    ends = trial.completion_date or trial.primary_completion_date or trial.start_date
    basis = {"status": trial.overall_status, "verified": trial.bookkeeping_dates.get("statusVerifiedDate")}
    if status not in _ONGOING and status != "UNKNOWN":
        words = f"The status does not lapse: {status_words(trial.overall_status)}."
        return finding(question, VERIFIED, "does not apply", words, "by custom", basis=basis)
    if verified is None:
        return finding(question, VERIFIED, "cannot be told", unsaid("when it was verified"), "by custom", basis=basis)
    due = years_after(verified.end, 2)
    days = (today - due).days
    passed = known_interval(ends)
    is_past = passed is not None and passed.end < today
    lapsed = status == "UNKNOWN" or (days > 0 and is_past)
    return finding(
        question,
        VERIFIED,
        "no" if lapsed else "yes" if days > 0 else "not yet" if is_past else "yes",
        _verified_words(trial, due, days, is_past),
        "by custom",
        due=due.isoformat(),
        days=days,
        basis={**basis, "completion_date": plain(ends)},
    )


def _verified_words(trial: Trial, due: date, days: int, is_past: bool) -> str:
    verified = f"Last verified {date_words(trial.bookkeeping_dates['statusVerifiedDate'])}"
    if enum_key(trial.overall_status) == "UNKNOWN":
        known = f", last known: {status_words(trial.last_known_status)}" if trial.last_known_status else ""
        return f"{verified}; the registry shows the status as unknown{known}."
    if not is_past:
        return f"{verified}; the study has not passed its completion date, so that the status does not lapse."
    if days > 0:
        return f"{verified}, more than 2 years ago: the registry will call the status unknown."
    return f"{verified}; unless it is verified again the status lapses after {on_day(due)}, in {counted(-days, 'day')}."
