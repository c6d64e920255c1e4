"""How the parts are put together from the settings: database, registry, what sending needs; and the clock."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from random import Random

from monitor import schema
from monitor.settings import Settings
from notifiers.channels import DeliverySettings
from snapshots.database import Database
from snapshots.registries.ctgov.answers import Patience
from snapshots.registries.ctgov.client import CtgovRegistry
from snapshots.registries.ctgov.parse import parse
from snapshots.registries.ctgov.wire import Timeouts
from snapshots.turns import DatabaseTurn

REGISTRY = "ctgov"
"""The one registry there is so far, as it stands in the tables."""

PARSE = {REGISTRY: parse}
"""By registry, how what it sends is read."""

ONCE, SOON = Patience(attempts=1), Timeouts(connect=5, read=10, total=20)
"""For a person who waits, and is answered within 30 seconds: one try, and what it may take."""

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The wall clock, aware UTC. Only entry points call it; everything else is given the time."""
    return datetime.now(UTC)


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """The database, usable: an empty one gets its tables. Raises DatabaseError that says what to do otherwise."""
    database = Database(settings.database_url)
    try:
        schema.ensure_usable(database)
        yield database
    finally:
        database.dispose()


def ctgov(
    settings: Settings,
    database: Database,
    *,
    clock: Clock = utc_now,
    sleep: Callable[[float], None] = time.sleep,
    patience: Patience | None = None,
    timeouts: Timeouts | None = None,
) -> CtgovRegistry:
    """ClinicalTrials.gov, asked one request at a time across all processes of this database."""
    turn = DatabaseTurn(database, REGISTRY, settings.request_interval, clock, sleep)
    return CtgovRegistry(
        settings.ctgov_url, settings.user_agent, turn, clock=clock, sleep=sleep, patience=patience, timeouts=timeouts
    )


def ctgov_alone(
    settings: Settings, patience: Patience | None = None, timeouts: Timeouts | None = None
) -> CtgovRegistry:
    """ClinicalTrials.gov without a database: for reading ids, and for a single question to see whether it answers."""
    return CtgovRegistry(settings.ctgov_url, settings.user_agent, nullcontext, patience=patience, timeouts=timeouts)


def delivery_settings(settings: Settings) -> DeliverySettings:
    """What sending needs to know of the installation."""
    return DeliverySettings(
        smtp_url=settings.smtp_url,
        mail_from=settings.mail_from,
        base_url=settings.base_url,
        operator=settings.operator,
        allow_private_networks=settings.allow_private_networks,
        user_agent=settings.user_agent,
    )


def chance() -> Random:
    """Spreads retries, guards nothing."""
    return Random()  # noqa: S311
