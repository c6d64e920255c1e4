"""Are results due, overdue, or were they submitted in time? By law, and as public trackers count; pure."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from msgspec import Struct

from snapshots.canonical import enum_key
from snapshots.deadlines.covered import RULE_SINCE, probably_covered
from snapshots.deadlines.findings import (
    DATE_NAMES,
    Answer,
    Finding,
    Rule,
    finding,
    known_interval,
    lateness,
    on_day,
    plain,
    unsaid,
    years_after,
)
from snapshots.rules.dates import is_actual
from snapshots.sentences import counted, date_words
from snapshots.timeline.dated import day
from snapshots.trial import Json, PartialDate, Trial

GRACE = timedelta(days=30)
"""Public trackers give the registry's quality control 30 days before they call results overdue."""

RESULTS_IN_A_YEAR = Rule(
    "Results are submitted not later than 1 year after the primary completion date; where a certificate of delay was "
    "submitted before that day, at the latest 2 years after the certificate, earlier where the FDA decided earlier.",
    "42 CFR 11.44(a) to (c)",
)
RESULTS_TRACKED = Rule(
    "Results are called overdue 30 days after 1 year from primary completion, or after 3 years where there is a "
    "certificate of delay: public trackers leave that time to the registry's quality control.",
    "42 CFR 11.44, as public trackers count it",
)


class _Due(Struct, frozen=True):
    """The day by which results are due, and in words from what it is counted."""

    by: date
    words: str


class _Results(Struct, frozen=True):
    """The record's own facts about its results: when it closed, was certified, when results came."""

    basis: Mapping[str, Json]
    attribute: str
    closing: PartialDate | None
    closed: date | None
    certified: date | None
    submitted: date | None
    posted: bool


def results_due(trial: Trial, today: date) -> Finding:
    """Whether results were submitted within the year of the law, or the time that a certificate of delay gives."""
    return _results("results submitted in time", RESULTS_IN_A_YEAR, trial, today, _by_law)


def results_tracked(trial: Trial, today: date) -> Finding:
    """Whether results came in time as public trackers count it: 30 days later than the law says."""
    return _results("results in time as trackers count", RESULTS_TRACKED, trial, today, _as_tracked)


def _results(question: str, rule: Rule, trial: Trial, today: date, due_of: Callable[[_Results, date], _Due]) -> Finding:
    applies = probably_covered(trial)
    if enum_key(trial.overall_status) == "WITHDRAWN":
        return finding(
            question, rule, "does not apply", "Withdrawn: nobody was enrolled, there are no results.", applies
        )
    facts = _result_facts(trial)
    if facts.closed is None:
        words = unsaid("when primary completion is")
        return finding(question, rule, "cannot be told", words, applies, basis=facts.basis)
    if facts.closed < RULE_SINCE and applies == "likely":
        applies = "cannot be told"
    due = due_of(facts, facts.closed)
    days = ((facts.submitted or today) - due.by).days
    return finding(
        question,
        rule,
        _results_answer(facts, days),
        f"{_results_words(facts, due.by, days)} {due.words}.",
        applies,
        due=due.by.isoformat(),
        days=None if facts.submitted is None and facts.posted else days,
        basis=facts.basis,
    )


def _by_law(facts: _Results, closed: date) -> _Due:
    standard = years_after(closed, 1)
    if facts.certified is None:
        return _Due(standard, f"1 year after {_closing_words(facts)}")
    if facts.certified > standard:
        late = f"a certificate of delay came {on_day(facts.certified)}, too late to count"
        return _Due(standard, f"1 year after {_closing_words(facts)}; {late}")
    certificate = f"2 years after the certificate of delay that was submitted {on_day(facts.certified)}"
    # a certificate that came early must not shorten the time that there is without one
    by = max(standard, years_after(facts.certified, 2))
    return _Due(by, f"{certificate}, earlier where the FDA decided earlier")


def _as_tracked(facts: _Results, closed: date) -> _Due:
    years, certificate = (3, ", with a certificate of delay") if facts.certified else (1, "")
    words = f"{counted(years, 'year')} after {_closing_words(facts)}{certificate} and 30 days"
    return _Due(years_after(closed, years) + GRACE, words)


def _results_answer(facts: _Results, days: int) -> Answer:
    if facts.submitted is None and facts.posted:
        return "cannot be told"
    if days > 0:
        return "no"
    return "yes" if facts.submitted else "not yet"


def _results_words(facts: _Results, due: date, days: int) -> str:
    if facts.submitted is None and facts.posted:
        return f"Results are posted; when they were submitted is not known here. They were due {on_day(due)},"
    if facts.submitted:
        return f"Results were submitted {on_day(facts.submitted)}, {lateness(days)}; due {on_day(due)},"
    if days > 0:
        return f"No results were submitted; they are {counted(days, 'day')} overdue, due {on_day(due)},"
    return f"Results are due {on_day(due)}, in {counted(-days, 'day')},"


def _result_facts(trial: Trial) -> _Results:
    certificate = min(trial.delay_certificate_dates.values(), default=None)
    attribute = "primary_completion_date" if trial.primary_completion_date else "completion_date"
    closing: PartialDate | None = getattr(trial, attribute)
    known = known_interval(closing)
    basis = {attribute: plain(closing), "certificate_of_delay": certificate, "results_submitted": _released(trial)}
    return _Results(
        basis={name: value for name, value in basis.items() if value is not None},
        attribute=attribute,
        closing=closing,
        closed=known.end if known else None,
        certified=day(certificate),
        submitted=day(_released(trial)),
        posted=bool(trial.has_results),
    )


def _closing_words(facts: _Results) -> str:
    if facts.closing is None:
        return ""
    plan = "" if is_actual(facts.closing) else "planned "
    stand_in = "" if facts.attribute == "primary_completion_date" else " (the record states no primary completion date)"
    return f"the {plan}{DATE_NAMES[facts.attribute]}, {date_words(facts.closing.date)}{stand_in}"


def _released(trial: Trial) -> str | None:
    """The day on which results were first submitted, by any place of the record that tells."""
    events = [event.date for event in trial.submission_events if event.type == "RELEASE" and event.date]
    told = [*events, trial.bookkeeping_dates.get("resultsFirstSubmitDate")]
    return min((text for text in told if text and day(text)), default=None)
