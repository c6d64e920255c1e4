"""What is due to whom: put there in the transaction that saw the change, claimed with a lease, its outcome recorded."""

from notifiers.outbox.by_hand import UnknownDelivery, cancel, enqueue_test, replay, replayable, retry
from notifiers.outbox.claiming import (
    Attempt,
    Claimed,
    LeaseLost,
    begin_attempt,
    claim,
    is_any_due,
    renew,
    take,
)
from notifiers.outbox.enqueuing import enqueue
from notifiers.outbox.folding import fold, fold_due
from notifiers.outbox.holding import Held, held, release_held, replace_held
from notifiers.outbox.loading import Told, ToldBecause, ToldStep, assemble, load
from notifiers.outbox.recording import Delivered, Failed, State, record, record_and_take
from notifiers.outbox.waking import call_back, wake_due

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
    "call_back",
    "cancel",
    "claim",
    "enqueue",
    "enqueue_test",
    "fold",
    "fold_due",
    "held",
    "is_any_due",
    "load",
    "record",
    "record_and_take",
    "release_held",
    "renew",
    "replace_held",
    "replay",
    "replayable",
    "retry",
    "take",
    "wake_due",
]
