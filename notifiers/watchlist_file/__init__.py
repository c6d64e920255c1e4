"""The watchlist file: what users own (watches, subscriptions, addresses) declared in TOML, applied and written again.

Applying is idempotent. What the file names becomes what the file says, an absent key its default; what the file does
not name stays, unless pruning is asked for. Addresses are never pruned: the ledger knows them.
"""

from notifiers.watchlist_file.applying import apply
from notifiers.watchlist_file.contents import AddressTable, Json, Watchlist, WatchTable
from notifiers.watchlist_file.planning import Plan, Step, Verb, plan
from notifiers.watchlist_file.reading import read
from notifiers.watchlist_file.writing import export, shown, unmasked, written

__all__ = [
    "AddressTable",
    "Json",
    "Plan",
    "Step",
    "Verb",
    "WatchTable",
    "Watchlist",
    "apply",
    "export",
    "plan",
    "read",
    "shown",
    "unmasked",
    "written",
]
