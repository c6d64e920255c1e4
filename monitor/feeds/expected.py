"""Which days of trials are to be expected: completions that are planned, and results that are due."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime

from msgspec import Struct
from sqlalchemy import Connection, func, select

from notifiers import feeds, outlook, scope, subscriptions
from notifiers.clean_text import one_line
from notifiers.feeds import Feed
from notifiers.outlook import COMPLETIONS, RESULTS, KnownDate, Parse
from notifiers.subscriptions import Selection
from snapshots import archive
from snapshots.archive import Head
from snapshots.archive.tables import changes, records, steps
from snapshots.database import Database
from snapshots.registries.ctgov.ids import record_page
from snapshots.sentences import date_words

MOVED_BY = {
    "primary_completion_date": ("primary_completion_date.",),
    "completion_date": ("completion_date.",),
    RESULTS: ("primary_completion_date.", "results."),
}
"""The beginnings of the kinds of change that move an expected day."""
AT_ONCE = 5000


class Expected(Struct, frozen=True, kw_only=True):
    """One expected day of a trial. `uid` stays the same when the day moves; `moved` counts how often that was told, and
    `changed` is when last (aware UTC; else when the record was first seen). `summary` and `words` are on one line.
    """

    uid: str
    day: date
    summary: str
    words: str
    url: str
    moved: int
    changed: datetime


def expected(database: Database, registry: str, feed: Feed, parse: Parse) -> list[Expected] | None:
    """The expected days of what a feed is about, by day; None where that is not there any more."""
    with database.read() as connection:
        heads = _heads(connection, registry, feed)
    if heads is None:
        return None
    versions = {head.version: registry for head in heads.values() if head.version is not None}
    # what versions say of days to come is read once and kept: a calendar is asked for many times a day
    outlook.learn(database, {registry: parse}, versions, len(versions))
    with database.read() as connection:
        dates = outlook.dates_of(connection, {registry: parse}, versions)
        found = list(_days(connection, heads, dates))
    return sorted(found, key=lambda one: (one.day, one.uid))


def _heads(connection: Connection, registry: str, feed: Feed) -> Mapping[str, Head] | None:
    if feed.about == "trial":
        return archive.heads(connection, registry, [feed.name])
    if feed.about == "group":
        selection: scope.Chosen = Selection(group=feed.name)
    else:
        stored = subscriptions.find(connection, feed.name)
        if stored is None:
            return None
        selection = stored.subscription.watches
    named = [row for query in scope.named(selection) for row in connection.execute(query)]
    return archive.heads(connection, registry, [row.record_id for row in named if row.registry == registry])


def _days(
    connection: Connection, heads: Mapping[str, Head], dates: Mapping[int, tuple[KnownDate, ...]]
) -> Iterator[Expected]:
    expecting = {head.record: head for head in heads.values() if any(_known(head, dates))}
    told, identity = _moves(connection, sorted(expecting)), feeds.identities(connection)
    for record, head in expecting.items():
        yield from (_expected(identity, head.registry_id, told[record], each) for each in _known(head, dates))


def _known(head: Head, dates: Mapping[int, tuple[KnownDate, ...]]) -> Iterator[KnownDate]:
    return (each for each in dates.get(head.version or 0, ()) if each.what in MOVED_BY)


class Told(Struct, frozen=True):
    """Title of a record, when it was first seen, and of each kind of change how often it was told and when last."""

    title: str
    first_seen_at: datetime
    moves: dict[str, tuple[int, datetime]]


def _moves(connection: Connection, numbers: Sequence[int]) -> dict[int, Told]:
    """What was told of these records (their rows), by record."""
    found: dict[int, Told] = {}
    for at in range(0, len(numbers), AT_ONCE):
        some = numbers[at : at + AT_ONCE]
        known = select(records.c.id, records.c.title, records.c.first_seen_at).where(records.c.id.in_(some))
        found |= {row.id: Told(row.title, row.first_seen_at, {}) for row in connection.execute(known)}
        told = (
            select(steps.c.record, changes.c.kind, func.count(), func.max(steps.c.observed_at))
            .join(steps, steps.c.id == changes.c.step)
            .where(steps.c.record.in_(some))
            .group_by(steps.c.record, changes.c.kind)
        )
        for record, kind, times, last in connection.execute(told):
            found[record].moves[kind] = (times, last)
    return found


def _expected(identity: Callable[..., str], record_id: str, told: Told, known: KnownDate) -> Expected:
    mine = [told.moves[kind] for kind in told.moves if kind.startswith(MOVED_BY[known.what])]
    name = one_line(told.title, 120)
    return Expected(
        uid=identity("day", record_id, known.what).removeprefix("urn:uuid:"),
        day=date.fromisoformat(known.day),
        summary=f"{_what(known)}: {record_id} {name}",
        words=_words(known),
        url=record_page(record_id),
        moved=sum(times for times, _ in mine),
        changed=max((last for _, last in mine), default=told.first_seen_at),
    )


def _what(known: KnownDate) -> str:
    if known.what == RESULTS:
        return "Results due"
    about = f"{COMPLETIONS[known.what]} expected"
    return about if _has_day(known) else f"{about} in {date_words(known.said)}"


def _has_day(known: KnownDate) -> bool:
    return known.said == known.day


def _words(known: KnownDate) -> str:
    if known.what == RESULTS:
        return (
            "Counted by 42 CFR 11.44, one year after primary completion; whether the law applies to this study, the "
            "record alone does not tell."
        )
    if _has_day(known):
        return "Planned by the sponsor; such dates are often moved."
    said = date_words(known.said)
    return f"The registry says {said} and names no day: it stands here on the last day that can be meant."
