"""A delivery, its attempts and what it told, as JSON."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from notifiers.acknowledgements import Unseen
from notifiers.ledger import Entry, Try
from notifiers.message import Message, webhook_body
from notifiers.outbox import ToldStep
from notifiers.rendering import render_or_ours
from snapshots.archive import Step, StoredChange, rfc3339, stored_change_json
from snapshots.registries.ctgov.ids import record_page

Json = Any


def at(moment: datetime | None) -> str | None:
    """A time as it is shown, None where there is none."""
    return rfc3339(moment) if moment else None


def change_json(step: Step, stored: StoredChange) -> dict[str, Json]:
    """A stored change as everywhere, with the page where a person reads the record."""
    return stored_change_json(step, stored, record_page(step.registry_id) if step.registry_id else None)


def entry_json(entry: Entry) -> dict[str, Json]:
    """A delivery without its attempts."""
    return {
        "id": entry.delivery_id,
        "type": entry.type,
        "about": entry.about,
        "to": entry.uri,
        "state": entry.state,
        "subscriptions": [asker.name for asker in entry.askers],
        "created_at": rfc3339(entry.created_at),
        "due_at": at(entry.due_at),
        "finished_at": at(entry.finished_at),
        "answer": entry.last_answer,
        "attempts": len(entry.tries),
        "acknowledged_at": at(entry.acknowledged.at) if entry.acknowledged else None,
        "acknowledged_by": entry.acknowledged.by if entry.acknowledged else None,
    }


def whole_json(entry: Entry, steps: Iterable[ToldStep]) -> dict[str, Json]:
    """A delivery with every attempt and the changes that it tells."""
    changes = [change_json(told.step, each) for told in steps for each in told.changes]
    return entry_json(entry) | {"attempts": [_try_json(each) for each in entry.tries], "changes": changes}


def message_json(message: Message, templates: str | None) -> dict[str, Json]:
    """A message as its reader sees it, laid out by the folder `templates`; `trouble` says why that could not be used
    and ours was; `body` is what a webhook is sent.
    """
    laid = render_or_ours(message, templates)
    words = {name: getattr(laid.rendered, name) for name in ("subject", "text", "html")}
    return {"type": message.type, **words, "trouble": laid.trouble, "body": webhook_body(message)}


def unseen_json(each: Unseen) -> dict[str, Json]:
    """A critical change that nobody has acknowledged, and the alert that told it."""
    told = {"delivery_id": each.delivery_id, "to": each.uri, "told_at": rfc3339(each.told_at)}
    return told | {"change": change_json(each.step, each.change)}


def _try_json(one: Try) -> dict[str, Json]:
    return {
        "number": one.number,
        "started_at": rfc3339(one.started_at),
        "finished_at": at(one.finished_at),
        "outcome": one.outcome,
        "answer": one.answer,
    }
