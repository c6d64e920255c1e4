"""What became of a record, or of many: the archive's versions put to the pure questions, as rows and as JSON.

Everything here reads. `today` is the day as of which open periods and deadlines are counted; dates are ISO days of the
registry's releases, or its own dates for versions that were filled in from the past.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from monitor.past import WHOLE, Past, past_of
from snapshots import archive
from snapshots.archive import Gap, Place, Step, VersionInfo
from snapshots.archive.order import history_date, is_back_filled
from snapshots.deadlines import Finding, compliance
from snapshots.kinds import KINDS
from snapshots.registries.ctgov.ids import record_page
from snapshots.registries.ctgov.parse import parse
from snapshots.sentences import counted
from snapshots.timeline import (
    Dated,
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

Json = Any
Row = dict[str, Json]


class Recorded(Struct, frozen=True, kw_only=True):
    """A record with all that it ever said, in history order, and which versions are known to be missing; `pruned` says
    when and by whom the bytes of others were taken away: "3 versions pruned on 2026-11-22 by alice".

    Versions of records that were merged into it are not in it: across a merge nothing is compared.
    """

    registry: str
    id: str
    title: str
    versions: tuple[Dated, ...]
    gaps: tuple[Gap, ...] = ()
    pruned: tuple[str, ...] = ()
    past: Past = WHOLE

    @property
    def head(self) -> Row:
        """What names the record in rows, and whether all that it ever said is known."""
        return {"registry": self.registry, "id": self.id, "title": self.title, "past_is_whole": self.past.is_whole}


def recorded(connection: Connection, registry: str, any_id: str) -> Recorded | None:
    """All versions of a record (by any of its ids), read and parsed; None where nothing is stored of it.

    Pruned versions count as missing before the next one. Raises `archive.Corrupt` naming a version that cannot be read.
    """
    found = archive.versions(connection, registry, any_id, merged=False)
    record = archive.find_record(connection, registry, any_id)
    if not found or record is None:
        return None
    gaps = archive.gaps(connection, registry, any_id)
    missing = _with_pruned(found, missing_before(found, gaps))
    return Recorded(
        registry=registry,
        id=record.registry_id,
        title=record.title,
        versions=tuple(
            _dated(connection, version, missing.get(version.number, 0)) for version in found if version.pruned is None
        ),
        gaps=tuple(gaps),
        pruned=_pruned_words(found),
        past=past_of(connection, registry, record.registry_id, found, gaps),
    )


def _with_pruned(versions: Sequence[VersionInfo], missing: Mapping[int, int]) -> dict[int, int]:
    """How many versions are missing before each that is kept, those counted that were pruned."""
    found, waiting = {}, 0
    for version in versions:
        waiting += missing.get(version.number, 0) + (version.pruned is not None)
        if version.pruned is None:
            found[version.number], waiting = waiting, 0
    return found


def _pruned_words(versions: Sequence[VersionInfo]) -> tuple[str, ...]:
    counts = Counter(version.pruned for version in versions if version.pruned is not None)
    return tuple(f"{counted(count, 'version')} {words}" for words, count in counts.items())


def missing_before(versions: Sequence[VersionInfo], gaps: Iterable[Gap]) -> dict[int, int]:
    """How many versions are missing just before each of these (in history order), by number; none: not in it."""
    missing: dict[int, int] = {}
    for gap in gaps:
        after = next((version for version in versions if _is_after(version, gap)), None)
        if after is not None:
            missing[after.number] = missing.get(after.number, 0) + 1
    return missing


def _is_after(version: VersionInfo, gap: Gap) -> bool:
    if version.registry_version is not None:
        return version.registry_version > gap.registry_version
    return history_date(version) >= gap.registry_date


def _dated(connection: Connection, version: VersionInfo, missing: int) -> Dated:
    trial = parse(archive.read_version(connection, version.number))
    return Dated(history_date(version), trial, version.number, version.registry_version, missing)


# --- every change ----------------------------------------------------------------------------------------------------


class Wanted(Struct, frozen=True, kw_only=True):
    """Which changes are asked for: of these kinds and severities (None: any), from `since` to `until` (ISO days, both
    included).
    """

    kinds: frozenset[str] | None = None
    severities: frozenset[str] | None = None
    since: str | None = None
    until: str | None = None


class Told(Struct, frozen=True):
    """A step with what was asked for of it. `date` is its ISO day and `dated_by` which day that is: "release",
    "registry date" or "observed". `counted`: the ids of its changes that sums may count; finer steps tell the others.
    `pruned`: which of its versions cannot be looked at any more: "version 3 was pruned on 2026-11-22 by alice". `began`
    and `led_to` are the places of its versions among those of the record, None where it has none.
    """

    step: Step
    date: str
    dated_by: str
    counted: frozenset[int]
    pruned: tuple[str, ...] = ()
    began: Place | None = None
    led_to: Place | None = None

    @property
    def is_covered(self) -> bool:
        """Whether finer steps tell any of it too."""
        return any(stored.id not in self.counted for stored in self.step.changes)


HISTORY_COLUMNS = (
    *(
        "date",
        "dated_by",
        "release",
        "observed_at",
        "record",
        "title",
        "kind",
        "family",
        "severity",
        "label",
        "summary",
    ),
    *("subject", "before", "after", "path", "cause", "origin", "covered", "from_version", "to_version", "id"),
    *("from_place", "to_place", "places"),
)


def history(connection: Connection, registry: str, any_id: str, wanted: Wanted) -> list[Told]:
    """The steps of a record in history order that tell any change that is asked for, with these alone."""
    steps = archive.steps(connection, registry, any_id)
    by_number = {version.number: version for version in archive.versions(connection, registry, any_id)}
    fine = frozenset(stored.id for step in archive.finest_steps(steps) for stored in step.changes)
    placed = archive.places(list(by_number.values()))
    told = (_told(step, wanted, by_number, fine, placed) for step in steps)
    return [each for each in told if each.step.changes and _is_within(each.date, wanted)]


def _told(
    step: Step,
    wanted: Wanted,
    by_number: Mapping[int, VersionInfo],
    fine: frozenset[int],
    placed: Mapping[int, Place],
) -> Told:
    ends = [None if number is None else placed.get(number) for number in (step.from_version, step.to_version)]
    return Told(_only(step, wanted), *_day_of(step, by_number), fine, _gone(step, by_number), *ends)


def _gone(step: Step, versions: Mapping[int, VersionInfo]) -> tuple[str, ...]:
    led = (versions.get(number) for number in (step.from_version, step.to_version) if number is not None)
    return tuple(f"version {each.number} was {each.pruned}" for each in led if each is not None and each.pruned)


def _is_within(day: str, wanted: Wanted) -> bool:
    return (wanted.since is None or day >= wanted.since) and (wanted.until is None or day <= wanted.until)


def history_json(told: Told) -> Iterator[Row]:
    """Each change of a step as everywhere, with its day and whether it counts in sums."""
    step = told.step
    url = record_page(step.registry_id) if step.registry_id else None
    for stored in step.changes:
        yield {
            **archive.stored_change_json(step, stored, url),
            "date": told.date,
            "dated_by": told.dated_by,
            "family": KINDS[stored.change.kind].family,
            "origin": step.cause,
            "covered": stored.id not in told.counted,
            "from_place": told.began.place if told.began else None,
            "to_place": told.led_to.place if told.led_to else None,
            "places": told.led_to.of if told.led_to else None,
            **({"pruned": told.pruned} if told.pruned else {}),
        }


def history_rows(told: Told) -> Iterator[Row]:
    """The same, flat: the record by its id."""
    for row in history_json(told):
        record = row["record"] or {}
        yield {**row, "record": record.get("id"), "title": record.get("title")}


def _only(step: Step, wanted: Wanted) -> Step:
    kept = tuple(
        stored
        for stored in step.changes
        if (wanted.kinds is None or stored.change.kind in wanted.kinds)
        and (wanted.severities is None or stored.change.severity in wanted.severities)
    )
    return msgspec.structs.replace(step, changes=kept)


def _day_of(step: Step, versions: Mapping[int, VersionInfo]) -> tuple[str, str]:
    version = versions.get(step.to_version) if step.to_version is not None else None
    if version is not None and history_date(version):
        return history_date(version), "registry date" if is_back_filled(version.source) else "release"
    if step.release:
        return step.release[:10], "release"
    return step.observed_at.date().isoformat(), "observed"


# --- the timeline ----------------------------------------------------------------------------------------------------

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
            said = {"what": slip.date, "value": move.after.date if move.after else None, "detail": move_words(move)}
            yield {"since": move.on, "version": move.version, "after_gap": move.after_gap, **said}


# --- slips -----------------------------------------------------------------------------------------------------------

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
        return move_words(move)
    return f"{move_words(move)}; {total_words(move.total_days, planned=slip.first_is_plan)}"


def _date_columns(name: str, known: PartialDate | None) -> Row:
    return {name: known.date if known else None, f"{name}_type": known.type if known else None}


# --- outcomes --------------------------------------------------------------------------------------------------------

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


# --- compliance ------------------------------------------------------------------------------------------------------

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
