"""Which deadlines of law and custom does a record meet, computed from nothing but what it said and when; pure.

Every answer is computed here, by nobody with authority: each names its rule and where that stands. Whether the law
applies to a trial is not known from its record alone; `Finding.applies` says what the record suggests. A date of month
precision is read to the end of that month.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Literal

from msgspec import Struct

from snapshots.canonical import Interval, enum_key, interval
from snapshots.rules.dates import is_actual
from snapshots.rules.status import OPEN, STOPPED
from snapshots.sentences import counted, date_words, status_words
from snapshots.timeline.dated import Dated, day, public, steps, submitted_on
from snapshots.trial import Json, PartialDate, Trial

Answer = Literal["yes", "no", "not yet", "does not apply", "cannot be told"]
"""Whether what the rule asks for was done: "no" it is late or was, "not yet" there is still time."""
Applies = Literal["likely", "not likely", "cannot be told", "by custom"]

GRACE = timedelta(days=30)
"""Public trackers give the registry's quality control 30 days before they call results overdue."""
_RULE_SINCE = date(2017, 1, 18)
"""42 CFR 11.42: trials that were completed before follow the statute alone, whose conditions a record does not tell."""
_ENROLLED = timedelta(days=21)
_UPDATED = timedelta(days=30)


class Rule(Struct, frozen=True):
    """What is asked for, in a sentence, and where that stands."""

    words: str
    source: str


REGISTERED_BEFORE_START = Rule(
    "A trial is registered at or before the time of first participant enrollment.",
    "ICMJE Recommendations, Clinical Trials",
)
REGISTERED_IN_TIME = Rule("Registered not later than 21 days after the first participant enrolled.", "42 CFR 11.24(a)")
RESULTS_IN_A_YEAR = Rule(
    "Results are submitted not later than 1 year after the primary completion date; "
    "with a certificate of delay 3 years, as public trackers count it.",
    "42 CFR 11.44",
)
RESULTS_TRACKED = Rule(
    "Results are called overdue 30 days after they were due, the time of the registry's quality control.",
    "42 CFR 11.44, as public trackers count it",
)
VERIFIED = Rule(
    "An ongoing study past its completion date whose status was not verified within 2 years is shown as UNKNOWN.",
    "ClinicalTrials.gov glossary, recruitment status",
)
UPDATED_YEARLY = Rule("The record is updated at least every 12 months until the study is over.", "42 CFR 11.64(a)(1)")
UPDATED_IN_30_DAYS = Rule(
    "Such a date is updated within 30 days of the day on which it was reached.", "42 CFR 11.64(a)"
)


class Finding(Struct, frozen=True, kw_only=True):
    """One question answered. `question` is its stable name, `summary` the answer in a sentence.

    `due` is the ISO day by which the rule asks for it; `days` by how many days it was or is late, negative where there
    is or was time left; None where nothing can be counted. `basis` are the record's own values that it was computed
    from. `computed` is always True: no authority has said this.
    """

    question: str
    answer: Answer
    summary: str
    rule: str
    source: str
    applies: Applies
    due: str | None = None
    days: int | None = None
    basis: Mapping[str, Json] = {}
    computed: bool = True


def compliance(versions: Sequence[Dated], today: date) -> tuple[Finding, ...]:
    """The answers to all questions as of `today`, from the versions of a record in history order, in a fixed order.

    While a record is withheld the last version that was public counts. Without any there is no answer.
    """
    shown = public(versions)
    if not shown:
        return ()
    trial = shown[-1].trial
    return (
        registered_before_start(trial, today),
        registered_in_time(trial),
        results_due(trial, today),
        results_tracked(trial, today),
        verification_lapsed(trial, today),
        updated_yearly(trial, today),
        *(reached_in_time(shown, attribute, today) for attribute in _NAMES),
    )


_NAMES = {
    "start_date": "start date",
    "primary_completion_date": "primary completion date",
    "completion_date": "completion date",
}


def probably_covered(trial: Trial) -> Applies:
    """Whether the record looks like an applicable clinical trial (42 CFR 11.22(b)), as far as its fields tell:
    interventional, not of phase 1 or device feasibility alone, of an FDA-regulated product.
    """
    if enum_key(trial.study_type) != "INTERVENTIONAL":
        return "not likely" if trial.study_type else "cannot be told"
    design = trial.design.get("designInfo")
    purpose = design.get("primaryPurpose") if isinstance(design, Mapping) else None
    early = bool(trial.phases) and {enum_key(phase) for phase in trial.phases} <= {"PHASE1", "EARLY_PHASE1"}
    if early or purpose == "DEVICE_FEASIBILITY":
        return "not likely"
    regulated = [trial.oversight.get(name) for name in ("isFdaRegulatedDrug", "isFdaRegulatedDevice")]
    if True in regulated:
        return "likely"
    return "not likely" if regulated == [False, False] else "cannot be told"


# --- registration ----------------------------------------------------------------------------------------------------


def registered_before_start(trial: Trial, today: date) -> Finding:
    """Whether it was registered before it started. A start of month precision may leave that open."""
    submitted, start = _submitted(trial), _known(trial.start_date)
    if submitted is None or start is None or trial.start_date is None:
        missing = "when it was registered" if submitted is None else "when the study starts"
        return _finding("registered before start", REGISTERED_BEFORE_START, "cannot be told", _unsaid(missing))
    late = (submitted - start.end).days
    basis = {"registered": submitted.isoformat(), "start_date": _plain(trial.start_date)}
    words = f"Registered {_on(submitted)}; the study {_start_verb(trial, today)} {date_words(trial.start_date.date)}"
    if start.start < submitted <= start.end:
        return _finding(
            "registered before start",
            REGISTERED_BEFORE_START,
            "cannot be told",
            f"{words}: the start has no day, so which came first cannot be told.",
            basis=basis,
        )
    early = submitted <= start.start
    days = (submitted - start.start).days if early else late
    return _finding(
        "registered before start",
        REGISTERED_BEFORE_START,
        "yes" if early else "no",
        f"{words}: {_distance(days, 'before the start', 'after the start', 'on the day of the start')}.",
        due=start.start.isoformat(),
        days=days,
        basis=basis,
    )


def registered_in_time(trial: Trial) -> Finding:
    """Whether it was registered within 21 days of the first enrollment, which the start date stands for."""
    applies = probably_covered(trial)
    submitted, start = _submitted(trial), _known(trial.start_date)
    if submitted is None or start is None:
        missing = "when it was registered" if submitted is None else "when the study starts"
        return _finding("registered in time", REGISTERED_IN_TIME, "cannot be told", _unsaid(missing), applies)
    due = start.end + _ENROLLED
    days = (submitted - due).days
    return _finding(
        "registered in time",
        REGISTERED_IN_TIME,
        "no" if days > 0 else "yes",
        f"Registered {_on(submitted)}; there was time until {_on(due)}: {_lateness(days)}.",
        applies,
        due=due.isoformat(),
        days=days,
        basis={"registered": submitted.isoformat(), "start_date": _plain(trial.start_date)},
    )


# --- results ---------------------------------------------------------------------------------------------------------


class _Results(Struct, frozen=True):
    """When results are due by the law, from which date of the record, and when they came."""

    due: date | None
    basis: Mapping[str, Json]
    closed: date | None
    counted_from: str
    submitted: date | None
    posted: bool


def results_due(trial: Trial, today: date) -> Finding:
    """Whether results were submitted within the year of the law, or the time that a certificate of delay gives."""
    return _results("results submitted in time", RESULTS_IN_A_YEAR, trial, today, timedelta())


def results_tracked(trial: Trial, today: date) -> Finding:
    """Whether results came in time as public trackers count it: 30 days later than the law says."""
    return _results("results in time as trackers count", RESULTS_TRACKED, trial, today, GRACE)


def _results(question: str, rule: Rule, trial: Trial, today: date, grace: timedelta) -> Finding:
    applies = probably_covered(trial)
    if enum_key(trial.overall_status) == "WITHDRAWN":
        return _finding(
            question, rule, "does not apply", "Withdrawn: nobody was enrolled, there are no results.", applies
        )
    facts = _result_facts(trial)
    if facts.due is None:
        words = _unsaid("when primary completion is")
        return _finding(question, rule, "cannot be told", words, applies, basis=facts.basis)
    due = facts.due + grace
    if facts.closed and facts.closed < _RULE_SINCE and applies == "likely":
        applies = "cannot be told"
    came = facts.submitted
    days = ((came or today) - due).days
    return _finding(
        question,
        rule,
        _results_answer(facts, days),
        f"{_results_words(facts, due, days)} {facts.counted_from}{' and 30 days' if grace else ''}.",
        applies,
        due=due.isoformat(),
        days=None if came is None and facts.posted else days,
        basis=facts.basis,
    )


def _results_answer(facts: _Results, days: int) -> Answer:
    if facts.submitted is None and facts.posted:
        return "cannot be told"
    if days > 0:
        return "no"
    return "yes" if facts.submitted else "not yet"


def _results_words(facts: _Results, due: date, days: int) -> str:
    if facts.submitted is None and facts.posted:
        return f"Results are posted; when they were submitted is not known here. They were due {_on(due)},"
    if facts.submitted:
        return f"Results were submitted {_on(facts.submitted)}, {_lateness(days)}; due {_on(due)},"
    if days > 0:
        return f"No results were submitted; they are {counted(days, 'day')} overdue, due {_on(due)},"
    return f"Results are due {_on(due)}, in {counted(-days, 'day')},"


def _result_facts(trial: Trial) -> _Results:
    certificate = min(trial.delay_certificate_dates.values(), default=None)
    attribute = "primary_completion_date" if trial.primary_completion_date else "completion_date"
    closing: PartialDate | None = getattr(trial, attribute)
    known = _known(closing)
    years = 3 if certificate else 1
    basis = {attribute: _plain(closing), "certificate_of_delay": certificate, "results_submitted": _released(trial)}
    return _Results(
        due=years_after(known.end, years) if known else None,
        basis={name: value for name, value in basis.items() if value is not None},
        closed=known.end if known else None,
        counted_from=_counted_from(attribute, closing, years),
        submitted=day(_released(trial)),
        posted=bool(trial.has_results),
    )


def _counted_from(attribute: str, closing: PartialDate | None, years: int) -> str:
    if closing is None:
        return ""
    plan = "" if is_actual(closing) else "planned "
    stand_in = "" if attribute == "primary_completion_date" else " (the record states no primary completion date)"
    certificate = ", with a certificate of delay" if years == 3 else ""
    span = "1 year" if years == 1 else f"{years} years"
    return f"{span} after the {plan}{_NAMES[attribute]}, {date_words(closing.date)}{stand_in}{certificate}"


def _released(trial: Trial) -> str | None:
    """The day on which results were first submitted, by any place of the record that tells."""
    events = [event.date for event in trial.submission_events if event.type == "RELEASE" and event.date]
    told = [*events, trial.bookkeeping_dates.get("resultsFirstSubmitDate")]
    return min((text for text in told if text and day(text)), default=None)


def years_after(start: date, years: int) -> date:
    """The same day so many years later; of 29 February the 28th where that year has none."""
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        return start.replace(year=start.year + years, day=28)


# --- verification and updates ----------------------------------------------------------------------------------------

_ONGOING = OPEN | {"NOT_YET_RECRUITING", "ACTIVE_NOT_RECRUITING"}
_OVER = (STOPPED - {"SUSPENDED"}) | {"COMPLETED"}


def verification_lapsed(trial: Trial, today: date) -> Finding:
    """Whether the status was verified in time, so that the registry does not call it UNKNOWN."""
    question, status = "status verified in time", enum_key(trial.overall_status)
    verified = interval(trial.bookkeeping_dates.get("statusVerifiedDate"))
    ends = trial.completion_date or trial.primary_completion_date or trial.start_date
    basis = {"status": trial.overall_status, "verified": trial.bookkeeping_dates.get("statusVerifiedDate")}
    if status not in _ONGOING and status != "UNKNOWN":
        words = f"The status does not lapse: {status_words(trial.overall_status)}."
        return _finding(question, VERIFIED, "does not apply", words, "by custom", basis=basis)
    if verified is None:
        return _finding(question, VERIFIED, "cannot be told", _unsaid("when it was verified"), "by custom", basis=basis)
    due = years_after(verified.end, 2)
    days = (today - due).days
    passed = _known(ends)
    is_past = passed is not None and passed.end < today
    lapsed = status == "UNKNOWN" or (days > 0 and is_past)
    return _finding(
        question,
        VERIFIED,
        "no" if lapsed else "yes" if days > 0 else "not yet" if is_past else "yes",
        _verified_words(trial, due, days, is_past),
        "by custom",
        due=due.isoformat(),
        days=days,
        basis={**basis, "completion_date": _plain(ends)},
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
    return f"{verified}; unless it is verified again the status lapses after {_on(due)}, in {counted(-days, 'day')}."


def updated_yearly(trial: Trial, today: date) -> Finding:
    """Whether the last update is not older than 12 months while the study goes on."""
    question, applies = "updated within a year", probably_covered(trial)
    last = day(trial.bookkeeping_dates.get("lastUpdateSubmitDate"))
    if enum_key(trial.overall_status) == "WITHDRAWN" or (trial.has_results and _is_over(trial)):
        words = f"The study is over: {status_words(trial.overall_status)}{', with results' * bool(trial.has_results)}."
        return _finding(question, UPDATED_YEARLY, "does not apply", words, applies)
    if last is None:
        return _finding(question, UPDATED_YEARLY, "cannot be told", _unsaid("when it was updated"), applies)
    due = years_after(last, 1)
    days = (today - due).days
    words = f"{counted(days, 'day')} overdue" if days > 0 else f"the next is due {_on(due)}"
    return _finding(
        question,
        UPDATED_YEARLY,
        "no" if days > 0 else "yes",
        f"Last updated {_on(last)}; {words}.",
        applies,
        due=due.isoformat(),
        days=days,
        basis={"last_update_submitted": last.isoformat()},
    )


def reached_in_time(versions: Sequence[Dated], attribute: str, today: date) -> Finding:
    """Whether a date (an attribute of `Trial`) was told as actual within 30 days of that day.

    A planned date that went by more than 30 days ago without a word counts as not told. A date that was actual when the
    record was first seen here leaves it open, unless that was its registration.
    """
    question, applies = f"{_NAMES[attribute]} updated in time", probably_covered(versions[-1].trial)
    if enum_key(versions[-1].trial.overall_status) == "WITHDRAWN":
        return _finding(question, UPDATED_IN_30_DAYS, "does not apply", "Withdrawn: it was never reached.", applies)
    current: PartialDate | None = getattr(versions[-1].trial, attribute)
    known = _known(current)
    if current is None or known is None:
        words = _unsaid(f"its {_NAMES[attribute]}")
        return _finding(question, UPDATED_IN_30_DAYS, "cannot be told", words, applies)
    if current.type is None:
        words = "The record does not say whether that date is planned or actual."
        return _finding(question, UPDATED_IN_30_DAYS, "cannot be told", words, applies)
    if not is_actual(current):
        return _still_planned(attribute, current, known, applies, today)
    told = _told_actual(versions, attribute)
    if told is None:
        words = "It was actual already when the record was first seen here: when that was told is not known."
        return _finding(question, UPDATED_IN_30_DAYS, "cannot be told", words, applies)
    due = known.end + _UPDATED
    days = (told - due).days
    words = (
        f"Reached {date_words(current.date)} and told {_on(told)}; there was time until {_on(due)}: {_lateness(days)}."
    )
    return _finding(
        question,
        UPDATED_IN_30_DAYS,
        "no" if days > 0 else "yes",
        words,
        applies,
        due=due.isoformat(),
        days=days,
        basis={attribute: _plain(current), "told": told.isoformat()},
    )


def _still_planned(attribute: str, planned: PartialDate, known: Interval, applies: Applies, today: date) -> Finding:
    due = known.end + _UPDATED
    days = (today - due).days
    late = f"went by without a word: {_lateness(days)}" if days > 0 else "is still planned"
    return _finding(
        f"{_NAMES[attribute]} updated in time",
        UPDATED_IN_30_DAYS,
        "no" if days > 0 else "not yet",
        f"The {_NAMES[attribute]} planned for {date_words(planned.date)} {late}.",
        applies,
        due=due.isoformat(),
        days=days,
        basis={attribute: _plain(planned)},
    )


def _is_over(trial: Trial) -> bool:
    return enum_key(trial.overall_status) in _OVER


def _told_actual(versions: Sequence[Dated], attribute: str) -> date | None:
    """The day on which the date was last said to be actual after it had not been."""
    told: str | None = submitted_on(versions[0]) if versions[0].is_registration else None
    for old, new in steps(versions):
        if _is_actual(new, attribute) and not _is_actual(old, attribute):
            told = submitted_on(new)
    return day(told)


def _is_actual(dated: Dated, attribute: str) -> bool:
    known: PartialDate | None = getattr(dated.trial, attribute)
    return known is not None and is_actual(known)


# --- words -----------------------------------------------------------------------------------------------------------


def _finding(
    question: str,
    rule: Rule,
    answer: Answer,
    summary: str,
    applies: Applies = "by custom",
    *,
    due: str | None = None,
    days: int | None = None,
    basis: Mapping[str, Json] | None = None,
) -> Finding:
    return Finding(
        question=question,
        answer=answer,
        summary=summary,
        rule=rule.words,
        source=rule.source,
        applies=applies,
        due=due,
        days=days,
        basis=basis or {},
    )


def _submitted(trial: Trial) -> date | None:
    return day(trial.bookkeeping_dates.get("studyFirstSubmitDate"))


def _known(known: PartialDate | None) -> Interval | None:
    return interval(known.date) if known else None


def _plain(known: PartialDate | None) -> Json:
    return None if known is None else {"date": known.date, "type": known.type}


def _unsaid(what: str) -> str:
    return f"The record does not say {what}."


def _on(moment: date) -> str:
    return date_words(moment.isoformat())


def _start_verb(trial: Trial, today: date) -> str:
    start = trial.start_date
    if start is not None and start.type is None:
        return "gives as its start"
    if start is not None and is_actual(start):
        return "started"
    known = _known(start)
    return "was to start" if known and known.end < today else "is to start"


def _distance(days: int, before: str, after: str, same: str) -> str:
    if days == 0:
        return same
    return f"{counted(abs(days), 'day')} {after if days > 0 else before}"


def _lateness(days: int) -> str:
    return _distance(days, "to spare", "late", "on the last day")
