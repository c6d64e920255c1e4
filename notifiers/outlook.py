"""What is coming for a trial: completion within 30 days, results due or overdue, a verification that lapses.

What a version says of days to come is read from it once and kept (`version_dates`), so that a digest over thousands of
records reads a few small rows. What is due on a day is then a pure question of that day.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, Text, and_, cast, delete, or_, select

from notifiers import search_members
from notifiers.message import Coming
from notifiers.tables import version_dates
from notifiers.watched_rows import watched_rows
from snapshots import archive
from snapshots.archive.tables import record_ids, records
from snapshots.canonical import enum_key, interval
from snapshots.database import Database, insert_absent
from snapshots.deadlines import probably_covered, results_due, verification_lapsed
from snapshots.registry import RegistryError
from snapshots.rules.dates import is_actual
from snapshots.sentences import counted, date_words
from snapshots.trial import PartialDate, Trial

READING = 2
"""Raised when more or other is read from a version: what was kept before is then read anew."""
AHEAD = timedelta(days=30)
AT_ONCE = 100
"""Versions read between two short transactions."""
COMPLETIONS = {"primary_completion_date": "Primary completion", "completion_date": "Study completion"}
FOREVER = date.max.isoformat()
RESULTS, VERIFICATION = "results", "verification"
NAMES = {**COMPLETIONS, RESULTS: "Results due", VERIFICATION: "Verification lapses"}
CLOSED = frozenset({"COMPLETED", "TERMINATED", "WITHDRAWN"})

Parse = Callable[[bytes], Trial]


class KnownDate(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A day that a version names or that a rule counts from it: `what` falls on `day`, an ISO day, the last that a date
    of less precision can mean. `said` is the date as the record has it.
    """

    what: str
    day: str
    said: str | None = None


class Facts(Struct, frozen=True):
    """What is kept of a version: the recruitment status that it says, and the days of which it says something."""

    status: str | None
    dates: tuple[KnownDate, ...]


class NextDate(Struct, frozen=True):
    """The next day that matters: `what` it is in words, the `day` (ISO) and how many `days` it is off, less than 0 for
    what is overdue; `said` is the date as the record has it.
    """

    what: str
    day: str
    said: str
    days: int


def known_dates(trial: Trial) -> tuple[KnownDate, ...]:
    """The days that a version of a record says something of; none of one that is withheld."""
    if enum_key(trial.overall_status) == "WITHHELD":
        return ()
    return (*_completions(trial), *_results(trial), *_verification(trial))


def coming(record_id: str, dates: Iterable[KnownDate], today: date) -> Iterator[Coming]:
    """What of these days is worth saying today: up to 30 days ahead, and of results and verification what is past."""
    for known in dates:
        day = date.fromisoformat(known.day)
        days = (day - today).days
        if days <= AHEAD.days and (days >= 0 or known.what in (RESULTS, VERIFICATION)):
            words = _words(known, days)
            yield Coming(id=record_id, what=known.what, day=known.day, days=days, words=words)


def next_date(dates: Iterable[KnownDate], today: date) -> NextDate | None:
    """The next of these days; where none is to come, results that are overdue."""
    found = [
        NextDate(NAMES[known.what], known.day, known.said or known.day, (date.fromisoformat(known.day) - today).days)
        for known in dates
        if known.what != VERIFICATION
    ]
    coming = [one for one in found if one.days >= 0]
    late = [one for one in found if one.days < 0 and one.what == NAMES[RESULTS]]
    return min(coming, key=lambda one: one.day, default=None) or next(iter(late), None)


def in_order(found: Iterable[Coming]) -> list[Coming]:
    """The next first, then what is past, the latest first: what is newly overdue is news, what long is, is known."""
    return sorted(found, key=lambda one: (one.days < 0, abs(one.days), one.id, one.what))


def coming_of(
    connection: Connection, parse: Mapping[str, Parse], named: Iterable[Select[Any]], today: date
) -> list[Coming]:
    """What is worth saying today of the records that these queries give (registry and id, as `scope.named`), in order;
    of what only a broad search finds, what was read for another reason.
    Only versions that have something to say are read. Two ids may be one record by now: it is told once.
    """
    but = search_members.broad(connection)
    rows = {row.head_version: row for query in named for row in connection.execute(_speaking(query, today, but))}
    late = {number: row.registry for number, row in rows.items() if row.dates is None}
    read = dates_of(connection, parse, late)
    found = (
        coming(row.registry_id, read[number] if row.dates is None else _DATES.decode(row.dates), today)
        for number, row in rows.items()
    )
    return in_order(one for each in found for one in each)


def _speaking(named: Select[Any], today: date, but: Sequence[int]) -> Select[Any]:
    """The newest versions of these records that may have to say something today, or that were not read yet."""
    of, day = named.subquery(), today.isoformat()
    is_read = (version_dates.c.version == records.c.head_version) & (version_dates.c.reading == READING)
    speaks = (version_dates.c.said_from <= day) & (version_dates.c.said_until >= day)
    dates = cast(version_dates.c.dates, Text).label("dates")
    return (
        select(records.c.head_version, records.c.registry, records.c.registry_id, dates)
        .join_from(of, record_ids, _same(of))
        .join(records, records.c.id == record_ids.c.record)
        .outerjoin(version_dates, is_read)
        .where(records.c.head_version.is_not(None), records.c.absent_since.is_(None))
        .where(or_(and_(version_dates.c.said_from.is_(None), records.c.id.in_(watched_rows(but=but))), speaks))
    )


def _same(named: Any) -> ColumnElement[bool]:
    return and_(record_ids.c.registry == named.c.registry, record_ids.c.registry_id == named.c.record_id)


def learn(database: Database, parse: Mapping[str, Parse], versions: Mapping[int, str], at_most: int) -> int:
    """Read the dates of those of these versions (number → registry) that are not kept yet, in short transactions; how
    many were read.
    """
    with database.read() as connection:
        missing = _missing(connection, versions)[:at_most]
    for start in range(0, len(missing), AT_ONCE):
        batch = missing[start : start + AT_ONCE]
        with database.read() as connection:
            rows = [_row(number, _read(connection, parse, versions[number], number)) for number in batch]
        with database.write() as connection:
            connection.execute(delete(version_dates).where(version_dates.c.version.in_(batch)))
            insert_absent(connection, version_dates, rows)
    return len(missing)


def unread_heads(connection: Connection, most: int | None) -> dict[int, str]:
    """The newest versions (number → registry) of watched records that `learn` has not read yet, so many at most (None:
    all of them).
    """
    read = select(version_dates.c.version).where(_IS_KEPT)
    head = records.c.head_version
    but = search_members.broad(connection)
    found = select(head, records.c.registry).where(records.c.id.in_(watched_rows(but=but)), head.is_not(None))
    rows = connection.execute(found.where(head.not_in(read)).order_by(head).limit(most))
    return {row[0]: row[1] for row in rows}


def dates_of(
    connection: Connection, parse: Mapping[str, Parse], versions: Mapping[int, str]
) -> dict[int, tuple[KnownDate, ...]]:
    """The dates of these versions (number → registry); those that `learn` has not read yet are read here."""
    return {number: facts.dates for number, facts in facts_of(connection, parse, versions).items()}


def facts_of(connection: Connection, parse: Mapping[str, Parse], versions: Mapping[int, str]) -> dict[int, Facts]:
    """As `dates_of`, with the status that each version says."""
    kept = {row.version: Facts(row.status, _DATES.decode(row.dates)) for row in _kept(connection, sorted(versions))}
    late = {number: _read(connection, parse, versions[number], number) for number in versions if number not in kept}
    return kept | late


def _missing(connection: Connection, versions: Mapping[int, str]) -> list[int]:
    kept = {row.version for row in _kept(connection, sorted(versions)) if row.said_from is not None}
    return sorted(set(versions) - kept)


def _kept(connection: Connection, numbers: Sequence[int]) -> Iterator[Any]:
    for start in range(0, len(numbers), 5000):
        here = version_dates.c.version.in_(numbers[start : start + 5000])
        yield from connection.execute(_KEPT.where(here, version_dates.c.reading == READING))


_DATES = msgspec.json.Decoder(tuple[KnownDate, ...])
# as text: of thousands of versions, what stands in it is read once and not through the driver's objects
_KEPT = select(
    version_dates.c.version,
    version_dates.c.status,
    version_dates.c.said_from,
    cast(version_dates.c.dates, Text).label("dates"),
)
_IS_KEPT = and_(version_dates.c.reading == READING, version_dates.c.said_from.is_not(None))


def _read(connection: Connection, parse: Mapping[str, Parse], registry: str, number: int) -> Facts:
    try:
        trial = parse[registry](archive.read_version(connection, number))
        return Facts(trial.overall_status, known_dates(trial))
    except (archive.Unreadable, archive.NoSuchVersion, RegistryError, LookupError):
        return Facts(None, ())  # the record's own trouble is told elsewhere; a digest goes out without its dates


def _row(number: int, facts: Facts) -> dict[str, Any]:
    dates = msgspec.to_builtins(facts.dates)
    first, last = _said_between(facts.dates)
    return {
        "version": number,
        "reading": READING,
        "dates": dates,
        "status": facts.status,
        "said_from": first,
        "said_until": last,
    }


def _said_between(dates: Iterable[KnownDate]) -> tuple[str, str]:
    """The first and the last day on which `coming` can say something of these dates; of none, never."""
    first = [_earlier(known.day) for known in dates]
    last = [known.day if known.what in COMPLETIONS else FOREVER for known in dates]
    return min(first, default=FOREVER), max(last, default="")


def _earlier(day: str) -> str:
    known = date.fromisoformat(day)
    return (known - AHEAD).isoformat() if known - date.min > AHEAD else date.min.isoformat()


# --- what a version says ----------------------------------------------------------------------------------------------


def _completions(trial: Trial) -> Iterator[KnownDate]:
    if enum_key(trial.overall_status) in CLOSED:
        return
    for attribute in COMPLETIONS:
        planned: PartialDate | None = getattr(trial, attribute)
        known = interval(planned.date) if planned else None
        if planned is not None and known is not None and not is_actual(planned):
            yield KnownDate(what=attribute, day=known.end.isoformat(), said=planned.date)


def _results(trial: Trial) -> Iterator[KnownDate]:
    """Only of trials that the law seems to cover: of others nobody can say that results are due."""
    if probably_covered(trial) != "likely":
        return
    found = results_due(trial, date.max)
    if found.due and found.answer == "no" and "results_submitted" not in found.basis and found.applies == "likely":
        yield KnownDate(what=RESULTS, day=found.due)


def _verification(trial: Trial) -> Iterator[KnownDate]:
    found = verification_lapsed(trial, date.max)
    if found.due is None or found.answer != "no":
        return
    verified = trial.bookkeeping_dates.get("statusVerifiedDate")
    ends = trial.completion_date or trial.primary_completion_date or trial.start_date
    closing = interval(ends.date) if ends else None
    if closing is not None or enum_key(trial.overall_status) == "UNKNOWN":
        day = max(found.due, closing.end.isoformat()) if closing else found.due
        yield KnownDate(what=VERIFICATION, day=day, said=verified)


def _words(known: KnownDate, days: int) -> str:
    when = "today" if days == 0 else f"in {counted(days, 'day')}" if days > 0 else f"{counted(-days, 'day')} ago"
    if known.what in COMPLETIONS:
        return f"{COMPLETIONS[known.what]} planned for {date_words(known.said)}{_until(known, when)}"
    if known.what == RESULTS:
        late = f"overdue by {counted(-days, 'day')}" if days < 0 else f"due {when}"
        return f"Results {late}, {date_words(known.day)} (counted by 42 CFR 11.44; whether it applies is not known)"
    verified = f"last verified {date_words(known.said)}"
    lapsed = "Verification has lapsed" if days < 0 else f"Verification lapses {when}"
    return f"{lapsed}: {verified}; the registry calls such a status unknown"


def _until(known: KnownDate, when: str) -> str:
    has_day = known.said == known.day
    return f", {when}" if has_day else f", whose last day is {when}"
