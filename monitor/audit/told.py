"""What was told of a record, to whom, with what answer; addresses in the clear or hashed under a key."""

import hashlib
import hmac
import re
from collections.abc import Collection
from datetime import datetime

from msgspec import Struct

from monitor.audit.form import exact
from notifiers.ledger import Entry

_MAILBOX = re.compile(r"[^\s<>\"'(),;:\[\]]+@[^\s<>\"'(),;\[\]]+")
_WEB = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_LEFT_OUT = "[address]"
_SHORTEST = 4
"""Parts of an address of fewer letters stand in too many words to be taken out of an answer."""


def address_hash(key: bytes, uri: str) -> str:
    """HMAC-SHA256 of an address under the export's own key, in hex."""
    return hmac.new(key, uri.encode(), hashlib.sha256).hexdigest()


class Attempt(Struct, frozen=True, kw_only=True):
    """One try to deliver. `outcome` None: the worker never came back to say."""

    number: int
    started_at: str
    finished_at: str | None
    outcome: str | None
    answer: str | None


class Told(Struct, frozen=True, kw_only=True):
    """One delivery as far as it told of the record: what (ids of changes), to whom (an address or its hash), when."""

    id: str
    type: str
    channel: str
    to: str
    subscriptions: tuple[str, ...]
    state: str
    created_at: str
    planned_at: str
    finished_at: str | None
    answer: str | None
    step: int | None
    changes: tuple[int, ...]
    attempts: tuple[Attempt, ...]
    acknowledged_at: str | None = None
    acknowledged_by: str | None = None


def told(entry: Entry, changes: Collection[int], key: bytes | None) -> Told:
    """One delivery with its attempts, as far as it told these `changes`; `key` None: addresses in the clear."""

    def said(text: str) -> str:
        return text if key is None else without_address(text, entry.whole_uri)

    return Told(
        id=entry.delivery_id,
        type=entry.type,
        channel=entry.uri.partition(":")[0],
        to=entry.uri if key is None else address_hash(key, entry.whole_uri),
        subscriptions=tuple(said(asker.name) for asker in entry.askers),
        state=entry.state,
        created_at=exact(entry.created_at),
        planned_at=exact(entry.planned_at),
        finished_at=_moment(entry.finished_at),
        answer=None if entry.last_answer is None else said(entry.last_answer),
        step=entry.step_id,
        changes=tuple(each for each in entry.change_ids if each in changes),
        attempts=tuple(
            Attempt(
                number=one.number,
                started_at=exact(one.started_at),
                finished_at=_moment(one.finished_at),
                outcome=one.outcome,
                answer=None if one.answer is None else said(one.answer),
            )
            for one in entry.tries
        ),
        acknowledged_at=_moment(entry.acknowledged.at) if entry.acknowledged else None,
        acknowledged_by=said(entry.acknowledged.by) if entry.acknowledged else None,
    )


def without_address(text: str, uri: str) -> str:
    """A server's answer without the address it was asked about, nor any other: servers like to repeat them."""
    plain = _MAILBOX.sub(_LEFT_OUT, _WEB.sub(_LEFT_OUT, text))
    parts = {part for part in re.split(r"[/:@?&=#]+", uri.partition(":")[2]) if len(part) >= _SHORTEST}
    for part in sorted(parts, key=len, reverse=True):
        plain = re.sub(re.escape(part), _LEFT_OUT, plain, flags=re.IGNORECASE)
    return plain


def _moment(time: datetime | None) -> str | None:
    return exact(time) if time else None
