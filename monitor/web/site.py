"""What all requests of one installation share: settings, database, its own token, its names, who tried what."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from urllib.parse import urlsplit

from monitor.settings import Settings
from monitor.tally import Tally
from monitor.web.attempts import Attempts
from monitor.web.hosts import Hosts, networks
from notifiers import links
from snapshots.database import Database

Clock = Callable[[], datetime]

ONCE_LASTS = timedelta(minutes=15)
"""How long a sign-in link that was printed on the terminal holds."""


class Site:
    """One installation's site. `own_token` opens everything. Raises DatabaseError."""

    def __init__(self, settings: Settings, database: Database, own_token: str, clock: Clock) -> None:
        self.settings = settings
        self.database = database
        self.own_token = own_token
        self.clock = clock
        self.hosts = Hosts(settings.host, settings.base_url)
        self.trusted = networks(settings.trusted_proxies)
        self.attempts = Attempts()
        self.foreign_attempts = Attempts()
        self.tally = Tally()
        self.prefix = urlsplit(settings.base_url).path.rstrip("/") if settings.base_url else ""
        self.signing = _signing(database, clock())
        self._once: dict[str, datetime] = {}
        self._lock = Lock()

    def sign_in_path(self) -> str:
        """A path that signs in whoever opens it first and presses its button, within minutes; for a terminal."""
        code = secrets.token_urlsafe(24)
        with self._lock:
            self._once[code] = self.clock() + ONCE_LASTS
        return f"{self.prefix}/signin/once/{code}"

    def knows_once(self, code: str) -> bool:
        """Whether the code of a sign-in link holds still."""
        with self._lock:
            return self._once.get(code, datetime.min.replace(tzinfo=self.clock().tzinfo)) > self.clock()

    def use_once(self, code: str) -> bool:
        """Use the code of a sign-in link up; whether it held."""
        with self._lock:
            until = self._once.pop(code, None)
        return until is not None and until > self.clock()


def _signing(database: Database, now: datetime) -> bytes:
    links.ensure_key(database, now)
    with database.read() as connection:
        key = links.key(connection)
    assert key is not None
    return key
