"""What a feed tells: the newest steps of a trial, of what is watched in a group, or of what a subscription wanted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape
from msgspec import Struct
from sqlalchemy import Connection, select

from notifiers import feeds, subscriptions
from notifiers.clean_text import one_line
from notifiers.feeds import Feed
from notifiers.tables import wanted_changes
from notifiers.watched_rows import watched_rows
from snapshots import archive
from snapshots.archive import Step, recent
from snapshots.archive.history import OBSERVED, REGISTRY, SEARCH
from snapshots.kinds import SEVERITIES
from snapshots.registries.ctgov.ids import REGISTRY_HOST, record_page

ENTRIES = 50
CHANGES = 400
"""Changes that are read for a feed: a step with hundreds of sites must not make it endless."""
LINES = 25
"""Changes that an entry names; what is more is counted."""
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
    asked = _asked(connection, registry, feed)
    if asked is None:
        return None
    steps = recent.newest(connection, asked, CHANGES)[:ENTRIES]
    entries = tuple(_entry(connection, step) for step in steps)
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


def _asked(connection: Connection, registry: str, feed: Feed) -> recent.Asked | None:
    if feed.about == "group":
        return recent.Asked(among=watched_rows(feed.name), causes=SEEN_NOW)
    if feed.about == "trial":
        record = archive.find_record(connection, registry, feed.name)
        return recent.Asked(records=recent.rows_of(record.id if record else 0), causes=SEEN_NOW)
    stored = subscriptions.find(connection, feed.name)
    if stored is None:
        return None
    newest = select(wanted_changes.c.change_id).where(wanted_changes.c.subscription_id == stored.id)
    newest = newest.order_by(wanted_changes.c.observed_at.desc()).limit(CHANGES)
    return recent.Asked(changes=select(newest.subquery().c.change_id))


def _entry(connection: Connection, step: Step) -> Entry:
    changes = [stored.change for stored in step.changes]
    lead = min(changes, key=lambda change: SEVERITIES.index(change.severity))
    name = f"{step.registry_id} {step.title}" if step.registry_id else "The registry"
    more = f" (+{len(changes) - 1} more)" if len(changes) > 1 else ""
    return Entry(
        id=feeds.identity(connection, "step", recent.first_told(connection, step.id)),
        title=f"{lead.label}: {one_line(name, 150)}{more}",
        url=record_page(step.registry_id) if step.registry_id else f"https://{REGISTRY_HOST}/",
        updated=step.observed_at,
        lines=tuple((change.label, one_line(change.summary, 2000)) for change in changes[:LINES]),
        more=max(0, len(changes) - LINES),
        tags=tuple(dict.fromkeys(change.kind for change in changes)),
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
