"""What is due to whom: put there in the transaction that saw the change, claimed with a lease, its outcome recorded."""

from notifiers.outbox.by_hand import UnknownDelivery, cancel, enqueue_test, replay, replayable, retry
from notifiers.outbox.claiming import (
    Attempt,
    Claimed,
    Delivered,
    Failed,
    LeaseLost,
    State,
    begin_attempt,
    claim,
    record,
)
from notifiers.outbox.enqueuing import enqueue
from notifiers.outbox.holding import Held, held, release_held, replace_held
from notifiers.outbox.loading import Told, ToldBecause, ToldStep, assemble, load

__all__ = [
    "Attempt",
    "Claimed",
    "Delivered",
    "Failed",
    "Held",
    "LeaseLost",
    "State",
    "Told",
    "ToldBecause",
    "ToldStep",
    "UnknownDelivery",
    "assemble",
    "begin_attempt",
    "cancel",
    "claim",
    "enqueue",
    "enqueue_test",
    "held",
    "load",
    "record",
    "release_held",
    "replace_held",
    "replay",
    "replayable",
    "retry",
]
