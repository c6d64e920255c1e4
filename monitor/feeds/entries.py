"""What a feed tells: the newest steps of a trial, of what is watched in a group, or of what a subscription wanted."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any

from markupsafe import Markup, escape
from msgspec import Struct
from sqlalchemy import Connection, select

from notifiers import feeds, subscriptions
from notifiers.clean_text import one_line
from notifiers.feeds import Feed
from notifiers.tables import subscriptions as kept
from notifiers.tables import wanted_changes
from notifiers.watched_rows import watched_rows
from snapshots import archive
from snapshots.archive import Step, recent
from snapshots.archive.history import OBSERVED, REGISTRY, SEARCH, steps_of_changes
from snapshots.archive.tables import changes as change_rows
from snapshots.kinds import SEVERITIES
from snapshots.registries.ctgov.ids import REGISTRY_HOST, record_page

ENTRIES = 50
CHANGES = 400
"""Changes whose steps are looked up at once."""
LINES = 25
"""Changes that an entry names, the most severe first; what is more is counted."""
SEEN_NOW = (OBSERVED, SEARCH, REGISTRY)
"""What was filled in from the past is no news: it would push the news out."""


class Entry(Struct, frozen=True, kw_only=True):
    """One step of a record as an entry: its identity, when it was observed (aware UTC), title and lines, each a label
    and a sentence, all on one line and without invisible characters; not escaped.
    """

    id: str
    title: str
    url: str
    updated: datetime
    lines: tuple[tuple[str, str], ...]
    more: int
    tags: tuple[str, ...]


class Told(Struct, frozen=True, kw_only=True):
    """A feed to be written: its identity and title, and its entries, the newest first."""

    id: str
    title: str
    url: str
    updated: datetime
    entries: tuple[Entry, ...]


def told(connection: Connection, registry: str, feed: Feed) -> Told | None:
    """What a feed tells now; None where what it is about is not there any more."""
    asking = _asking(connection, registry, feed)
    if asking is None:
        return None
    told = _rows(connection, feed, _newest_steps(connection, asking))
    named = [row.id for rows in told.values() for row in sorted(rows, key=_rank)[:LINES]]
    entries = tuple(_entry(connection, step, told[step.id]) for step in reversed(steps_of_changes(connection, named)))
    return Told(
        id=feeds.identity(connection, "feed", feed.id),
        title=one_line(title(connection, registry, feed), 200),
        url=record_page(feed.name) if feed.about == "trial" else f"https://{REGISTRY_HOST}/",
        updated=max((entry.updated for entry in entries), default=feed.made_at),
        entries=entries,
    )


def title(connection: Connection, registry: str, feed: Feed) -> str:
    """What a feed is called."""
    if feed.about == "group":
        return f"Group {feed.name}: changes"
    if feed.about == "subscription":
        return f"Subscription {feed.name}"
    record = archive.find_record(connection, registry, feed.name)
    return f"{feed.name} {record.title}" if record else feed.name


def _asking(connection: Connection, registry: str, feed: Feed) -> Callable[[int | None], recent.Asked] | None:
    """What is asked for, before a change's id (None: the newest); None where what it is about is gone."""
    if feed.about == "group":
        return lambda before: recent.Asked(among=watched_rows(feed.name), causes=SEEN_NOW, before=before)
    if feed.about == "trial":
        record = archive.find_record(connection, registry, feed.name)
        mine = recent.rows_of(record.id if record else 0)
        return lambda before: recent.Asked(records=mine, causes=SEEN_NOW, before=before)
    stored = subscriptions.find(connection, feed.name, addressed=False)
    return None if stored is None else partial(_wanted, stored.id)


def _wanted(subscription: int, before: int | None) -> recent.Asked:
    # not all that it ever wanted is looked through: the newest of it
    of = wanted_changes.c
    earlier = [] if before is None else [of.change_id < before]
    newest = select(of.change_id).where(of.subscription_id == subscription, *earlier)
    newest = newest.order_by(of.change_id.desc()).limit(CHANGES)
    return recent.Asked(changes=select(newest.subquery().c.change_id))


def _newest_steps(connection: Connection, asking: Callable[[int | None], recent.Asked]) -> list[int]:
    """The newest ENTRIES steps, however many changes each tells."""
    found: set[int] = set()
    before: int | None = None
    while len(found) < ENTRIES:
        steps, before = recent.newest_steps(connection, asking(before), CHANGES)
        if not steps:
            break
        found |= steps
    return sorted(found, reverse=True)[:ENTRIES]


def _rows(connection: Connection, feed: Feed, steps: Sequence[int]) -> dict[int, list[Any]]:
    """All that these steps tell in a feed, by step, in the order in which it is told: id, kind and severity."""
    of = change_rows.c
    told = select(of.id, of.step, of.kind, of.severity).where(of.step.in_(steps)).order_by(of.step, of.position)
    if feed.about == "subscription":
        mine = wanted_changes.c.subscription_id.in_(select(kept.c.id).where(kept.c.name == feed.name))
        told = told.where(
            of.id.in_(select(wanted_changes.c.change_id).where(wanted_changes.c.step_id.in_(steps), mine))
        )
    return {step: list(rows) for step, rows in groupby(connection.execute(told), key=lambda row: row.step)}


def _rank(row: Any) -> int:
    return SEVERITIES.index(row.severity)


def _entry(connection: Connection, step: Step, told: Sequence[Any]) -> Entry:
    changes = sorted((stored.change for stored in step.changes), key=lambda change: SEVERITIES.index(change.severity))
    lead = changes[0]
    name = f"{step.registry_id} {step.title}" if step.registry_id else "The registry"
    more = f" (+{len(told) - 1} more)" if len(told) > 1 else ""
    return Entry(
        id=feeds.identity(connection, "step", recent.first_told(connection, step.id)),
        title=f"{lead.label}: {one_line(name, 150)}{more}",
        url=record_page(step.registry_id) if step.registry_id else f"https://{REGISTRY_HOST}/",
        updated=step.observed_at,
        lines=tuple((change.label, one_line(change.summary, 2000)) for change in changes),
        more=len(told) - len(changes),
        tags=tuple(dict.fromkeys(row.kind for row in told)),
    )


def as_html(entry: Entry) -> str:
    """An entry's lines as HTML in which every text is escaped."""
    lines: list[Any] = [Markup("<li><strong>{}</strong>: {}</li>").format(*line) for line in entry.lines]
    return str(Markup("<ul>{}</ul>{}").format(Markup("").join(lines), escape(_more(entry))))


def as_text(entry: Entry) -> str:
    """The same as plain text."""
    return "\n".join([*(f"{label}: {words}" for label, words in entry.lines), *filter(None, [_more(entry)])])


def _more(entry: Entry) -> str:
    return f"And {entry.more} more." if entry.more else ""


NOTICE = (
    "Data from ClinicalTrials.gov, which can change: verify with the study contact. Links lead to the registry. "
    "This is no medical advice."
)

Entries = Sequence[Entry]
