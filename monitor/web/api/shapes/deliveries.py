"""What the API answers and takes about messages: deliveries, attempts, what nobody has seen, digests."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from monitor.web.api.shapes.alike import DeliveryState, Json, Name
from monitor.web.api.shapes.records import StoredChange


class DeliveryFacts(Struct, kw_only=True):
    """A delivery: what it is about, to whom, for which subscriptions, and what became of it."""

    id: str
    type: str
    about: str
    to: str
    state: DeliveryState
    subscriptions: list[str]
    created_at: datetime
    due_at: datetime | None
    finished_at: datetime | None
    answer: str | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None


class Delivery(DeliveryFacts, kw_only=True):
    """A delivery, and how often it was tried."""

    attempts: int


class Attempt(Struct):
    """One try; `outcome` null: the worker is at it, or never came back."""

    number: int
    started_at: datetime
    finished_at: datetime | None
    outcome: Literal["delivered", "retry", "failed"] | None
    answer: str | None


class WholeDelivery(DeliveryFacts, kw_only=True):
    """A delivery with every attempt, and the changes that it tells."""

    attempts: list[Attempt]
    changes: list[StoredChange]


class Replaying(Struct, forbid_unknown_fields=True):
    """Send again what was made since then, to one address or to all that are still told."""

    since: datetime
    to: Name | None = None


class Acknowledging(Struct, forbid_unknown_fields=True):
    """Who has seen it; without it, the name of the token."""

    by: Name | None = None


class Queued(Struct):
    """The deliveries that are due now, and the daemon sends; of a preview those that would be."""

    deliveries: list[str]


class Unseen(Struct):
    """A critical change that was told by an alert which nobody has acknowledged."""

    delivery_id: str
    to: str
    told_at: datetime
    change: StoredChange


class Preview(Struct):
    """A message to one address as its reader sees it: a mail's subject, text and HTML, and a webhook's body. `trouble`
    says why its own templates could not be used, and ours were.
    """

    to: str
    type: str
    subject: str
    text: str
    html: str
    trouble: str | None
    body: dict[str, Json]
