"""How often a client may show a wrong token before it has to wait; kept in memory, for this process alone."""

import math
from collections import OrderedDict
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock

ALLOWED = 10
WITHIN = timedelta(minutes=5)
MOST_CLIENTS = 10_000
"""Those who tried longest ago are forgotten first, so that no number of clients fills the memory."""


class Attempts:
    """Wrong tokens by client; an IPv6 client counts with its /64, which is what one customer has."""

    def __init__(self) -> None:
        self._failed: OrderedDict[str, list[datetime]] = OrderedDict()
        self._lock = Lock()

    def seconds_to_wait(self, client: str, now: datetime) -> int:
        """How long this client's tokens are not looked at; 0 where they are."""
        with self._lock:
            recent = self._recent(client, now)
        return math.ceil((recent[-ALLOWED] + WITHIN - now).total_seconds()) if len(recent) >= ALLOWED else 0

    def note_failure(self, client: str, now: datetime) -> None:
        """Note that a client showed a wrong token."""
        with self._lock:
            self._failed[_key(client)] = [*self._recent(client, now), now]
            self._failed.move_to_end(_key(client))
            while len(self._failed) > MOST_CLIENTS:
                self._failed.popitem(last=False)

    def _recent(self, client: str, now: datetime) -> list[datetime]:
        return [at for at in self._failed.get(_key(client), ()) if at > now - WITHIN]


def _key(client: str) -> str:
    try:
        address = ip_address(client)
    except ValueError:
        return client
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return client
