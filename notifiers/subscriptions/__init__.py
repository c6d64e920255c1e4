"""Who wants to be told of what, where, and when: a subscription, what can be wrong with one, and where it is kept."""

from notifiers.subscriptions.calling_off import call_back, cancel_unwanted
from notifiers.subscriptions.checking import check, from_table, moment, shaped
from notifiers.subscriptions.finding import changed_since, find, listing, with_ids
from notifiers.subscriptions.keeping import remove, rename, save, unsubscribe, wait_from
from notifiers.subscriptions.wanted import Selection, Stored, Subscription, Timing, selects

__all__ = [
    "Selection",
    "Stored",
    "Subscription",
    "Timing",
    "call_back",
    "cancel_unwanted",
    "changed_since",
    "check",
    "find",
    "from_table",
    "listing",
    "moment",
    "remove",
    "rename",
    "save",
    "selects",
    "shaped",
    "unsubscribe",
    "wait_from",
    "with_ids",
]
