"""What became of a record over time: its status, dates, outcomes and deadlines, as JSON and as rows."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date

import msgspec
from msgspec import Struct

from monitor.questions.recorded import Recorded, Row
from snapshots.deadlines import Finding, compliance
from snapshots.registries.ctgov.ids import record_page
from snapshots.timeline import (
    DateMove,
    OutcomeLife,
    Slips,
    answer_words,
    days_by_status,
    enrollment_course,
    move_words,
    outcome_lives,
    sites_course,
    slips,
    status_periods,
    total_words,
)
from snapshots.trial import PartialDate

TIMELINE_COLUMNS = (
    *("registry", "id", "title", "what", "since", "until", "days", "value", "detail", "began_by", "since_known"),
    *("after_gap", "version", "past_is_whole"),
)


def timeline_json(known: Recorded, today: date) -> Row:
    """Status periods, enrollment, sites and the moves of dates of a record."""
    periods = status_periods(known.versions, today)
    return {
        **_head_json(known, today),
        "periods": msgspec.to_builtins(periods),
        "days_by_status": {status or "": days for status, days in days_by_status(periods).items()},
        "enrollment": msgspec.to_builtins(enrollment_course(known.versions)),
        "sites": msgspec.to_builtins(sites_course(known.versions)),
        "slips": [_slips_json(each) for each in slips(known.versions)],
    }


def timeline_rows(known: Recorded, today: date) -> Iterator[Row]:
    """One row for each period and each number; `what` tells of what: status, enrollment, sites, open sites, countries,
    or a date's name.
    """
    for period in status_periods(known.versions, today):
        yield {
            **known.head,
            **msgspec.to_builtins(period),
            "what": "status",
            "value": period.status,
            "detail": period.last_known or period.why_stopped,
        }
    first = known.versions[0]
    for row in _course_rows(known):
        yield {**known.head, "since_known": first.is_registration or row["since"] != first.date, **row}


def _course_rows(known: Recorded) -> Iterator[Row]:
    for point in enrollment_course(known.versions):
        said = {"what": "enrollment", "value": point.count, "detail": point.type}
        yield {"since": point.date, "version": point.version, "after_gap": point.after_gap, **said}
    for number in sites_course(known.versions):
        counts = {"sites": number.sites, "open sites": number.open, "countries": number.countries}
        for what, count in counts.items():
            said = {"what": what, "value": count}
            yield {"since": number.date, "version": number.version, "after_gap": number.after_gap, **said}
    for slip in slips(known.versions):
        if slip.first is not None:
            yield {"since": slip.first_on, "what": slip.date, "value": slip.first.date, "detail": slip.first.type}
        for move in slip.moves:
            said = {
                "what": slip.date,
                "value": move.after.date if move.after else None,
                "detail": move_words(slip, move),
            }
            yield {"since": move.on, "version": move.version, "after_gap": move.after_gap, **said}


SLIPS_COLUMNS = (
    *("registry", "id", "title", "date", "on", "kind", "before", "before_type", "after", "after_type", "days"),
    *("total_days", "precision", "delays", "first", "first_type", "first_is_plan", "from_registration", "summary"),
    *("after_gap", "version", "adds_up", "past_is_whole"),
)


def slips_json(known: Recorded, today: date) -> Row:
    """Every move of the three dates of a record, with the running totals."""
    return {**_head_json(known, today), "slips": [_slips_json(each) for each in slips(known.versions)]}


def slips_rows(known: Recorded, today: date) -> Iterator[Row]:  # noqa: ARG001 - the form of all questions
    """One row a move."""
    for slip in slips(known.versions):
        for move, uneven in zip(slip.moves, slip.uneven, strict=True):
            yield {
                **known.head,
                **msgspec.to_builtins(move),
                "adds_up": not uneven,
                **_date_columns("before", move.before),
                **_date_columns("after", move.after),
                **_date_columns("first", slip.first),
                "first_is_plan": slip.first_is_plan,
                "from_registration": slip.from_registration,
                "summary": _summary(slip, move),
            }


def _slips_json(slip: Slips) -> Row:
    moves = [
        {**msgspec.to_builtins(move), "summary": _summary(slip, move), "adds_up": not uneven}
        for move, uneven in zip(slip.moves, slip.uneven, strict=True)
    ]
    counts = {"delays": slip.delays, "total_days": slip.total_days, "answer": answer_words(slip)}
    return {**msgspec.to_builtins(slip), "moves": moves, **counts}


def _summary(slip: Slips, move: DateMove) -> str:
    if move.total_days is None:
        return move_words(slip, move)
    return f"{move_words(slip, move)}; {total_words(slip, move.total_days)}"


def _date_columns(name: str, known: PartialDate | None) -> Row:
    return {name: known.date if known else None, f"{name}_type": known.type if known else None}


OUTCOMES_COLUMNS = (
    *("registry", "id", "title", "outcome", "level", "measure", "what", "on", "submitted", "when", "before", "after"),
    *("switched", "since_known", "until", "after_gap", "version", "past_is_whole"),
)


def outcomes_json(known: Recorded, today: date) -> Row:
    """The lives of all outcomes of a record."""
    return {**_head_json(known, today), "outcomes": [_life_json(life) for life in outcome_lives(known.versions)]}


def outcomes_rows(known: Recorded, today: date) -> Iterator[Row]:  # noqa: ARG001 - the form of all questions
    """One row for each thing that happened to an outcome; `outcome` numbers them within a record."""
    for number, life in enumerate(outcome_lives(known.versions), 1):
        for event in life.events:
            yield {
                **known.head,
                **msgspec.to_builtins(event),
                "outcome": number,
                "measure": life.measure,
                "switched": life.is_switched,
                "since_known": life.since_known,
                "until": life.until,
            }


def _life_json(life: OutcomeLife) -> Row:
    return {**msgspec.to_builtins(life), "switched": life.is_switched}


COMPLIANCE_COLUMNS = (
    *("registry", "id", "title", "as_of", "question", "answer", "applies", "due", "days", "summary", "rule", "source"),
    *("basis", "computed", "past_is_whole"),
)


def compliance_json(known: Recorded, today: date) -> Row:
    """The deadlines of a record as of today, each with its rule."""
    return {**_head_json(known, today), "computed": True, "findings": msgspec.to_builtins(_findings(known, today))}


def compliance_rows(known: Recorded, today: date) -> Iterator[Row]:
    """One row a question."""
    for finding in _findings(known, today):
        yield {**known.head, "as_of": today.isoformat(), **msgspec.to_builtins(finding)}


def _findings(known: Recorded, today: date) -> tuple[Finding, ...]:
    return compliance(known.versions, today)


def _head_json(known: Recorded, today: date) -> Row:
    return {
        **known.head,
        "url": record_page(known.id),
        "as_of": today.isoformat(),
        **({"pruned": known.pruned} if known.pruned else {}),
        "past": known.past.sentence or None,
        "versions": len(known.versions),
        "missing": [{"registry_version": gap.registry_version, "date": gap.registry_date} for gap in known.gaps],
    }


class Question(Struct, frozen=True):
    """One of the questions over a record's versions: how it is answered as JSON and as rows of these columns."""

    as_json: Callable[[Recorded, date], Row]
    as_rows: Callable[[Recorded, date], Iterator[Row]]
    columns: tuple[str, ...]


QUESTIONS: Mapping[str, Question] = {
    "timeline": Question(timeline_json, timeline_rows, TIMELINE_COLUMNS),
    "slips": Question(slips_json, slips_rows, SLIPS_COLUMNS),
    "outcomes": Question(outcomes_json, outcomes_rows, OUTCOMES_COLUMNS),
    "compliance": Question(compliance_json, compliance_rows, COMPLIANCE_COLUMNS),
}
"""The commands' and the API's questions by name."""
