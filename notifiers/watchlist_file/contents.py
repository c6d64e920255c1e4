"""What a watchlist file holds, under its keys."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from notifiers.subscriptions import Subscription
from notifiers.watches import Wish

Json = Any


class WatchTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A `[[watch]]` table: a record's `id`, or a `name` and the registry's own `search` parameters, or `all` of its
    records.
    """

    id: str | None = None
    all: bool = False
    name: str | None = None
    search: dict[str, str] | None = None
    group: str | None = None
    note: str | None = None
    paused: bool = False
    snooze_until: datetime | None = None
    snooze_until_critical: bool = False
    silenced_by: str | None = None
    silence_reason: str | None = None


class AddressTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An `[[address]]` table: who answers for an address, and the secret of a web address."""

    uri: str
    owner: str | None = None
    secret: str | None = None


class Watchlist(Struct, frozen=True, kw_only=True):
    """A file's contents, checked: each thing once, ids as the registry writes them."""

    registry: str
    watches: tuple[Wish, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    addresses: tuple[AddressTable, ...] = ()
