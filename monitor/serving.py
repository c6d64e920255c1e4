"""The page beside the daemon, begun before its work and ended with it; what an installation decides by its settings."""

import sys
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from monitor.settings import Settings
from monitor.wiring import Clock
from notifiers import confirmations, links
from snapshots.database import Database

if TYPE_CHECKING:
    from monitor.web.server import Server

FAREWELL_SECONDS = 2
"""How long an answer in hand may take after the daemon's own work has ended."""


def decide(settings: Settings, database: Database, now: datetime) -> None:
    """Make what signs links, and decide whether new mail addresses confirm first. Raises DatabaseError."""
    links.ensure_key(database, now)
    with database.read() as connection:
        decided = confirmations.is_required(connection)
    wanted = is_confirmation_wanted(settings)
    if decided != wanted:
        with database.write() as connection:
            confirmations.require(connection, wanted, now)


def is_confirmation_wanted(settings: Settings) -> bool:
    """Whether new mail addresses are asked first: as the setting says, else where others than this machine reach the
    page, who could have mails sent to anybody.
    """
    if settings.confirm_addresses is not None:
        return settings.confirm_addresses
    from monitor.web.hosts import is_loopback

    named = urlsplit(settings.base_url).hostname if settings.base_url else None
    return not is_loopback(settings.host) or (named is not None and not is_loopback(named))


def begin(settings: Settings, database: Database, clock: Clock, stop: Event) -> "Server | None":
    """Serve the page until `stop`, where the settings want one. On a terminal, a link to sign in once is printed.
    Raises SettingsError where it cannot be served as they say.
    """
    if not settings.page:
        return None
    from monitor.web.server import Server

    server = Server(settings, database, clock, stop)
    server.start()
    if sys.stderr.isatty():
        print(f"\n  Open the page, signed in (once, within 15 minutes):\n  {server.sign_in_url()}\n", file=sys.stderr)  # noqa: T201
    return server


def end(server: "Server | None") -> bool:
    """End it; whether it ended in time."""
    return server is None or server.stop(FAREWELL_SECONDS)
