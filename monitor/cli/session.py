"""What commands that need the database work with: settings, an open database, the registry, the log."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from msgspec import Struct

from monitor import logging, wiring
from monitor.cli.program import Failure
from monitor.settings import Settings, load
from notifiers.addresses import allowed_schemes
from notifiers.watches import listing, records
from snapshots.database import Database
from snapshots.registries.ctgov.client import CtgovRegistry


class Session(Struct, frozen=True):
    """One run of a command. `now` is when it began, aware UTC."""

    settings: Settings
    database: Database
    now: datetime

    @property
    def schemes(self) -> frozenset[str]:
        """The schemes of addresses that may be told here."""
        return allowed_schemes(self.settings.allow_private_networks)

    def registry(self) -> CtgovRegistry:
        """The registry, asked in turn with all other processes of this database."""
        return wiring.ctgov(self.settings, self.database)


@contextmanager
def session() -> Iterator[Session]:
    """Settings read, log set up, database open. Raises SettingsError, DatabaseError."""
    settings = settings_for_a_person()
    with wiring.open_database(settings) as database:
        yield Session(settings, database, wiring.utc_now())


def settings_for_a_person() -> Settings:
    """The settings, and a log that says only what is wrong unless more is asked for: the command tells the rest."""
    settings = load(os.environ)
    asked_for = os.environ.get("TRIALDELTA_LOG_LEVEL")
    logging.configure(settings.log_format, settings.log_level if asked_for else "error")
    return settings


def record_ids(texts: tuple[str, ...]) -> list[str]:
    """The ids that a person meant, each once. Raises Failure naming the first that is none."""
    from snapshots.registries.ctgov.ids import normalise

    try:
        return list(dict.fromkeys(normalise(text) for text in texts))
    except ValueError as error:
        raise Failure(str(error)) from error


def record_id(text: str) -> str:
    """The one id that a person meant. Raises Failure."""
    return record_ids((text,))[0]


def need_watched(here: Session, ids: list[str]) -> None:
    """Raises Failure that says how to watch the first of these ids that is not watched."""
    with here.database.read() as connection:
        known = {watch.record_id for watch in listing(connection)}
        known.update(record.record_id for record in records(connection))
    for each in ids:
        if each not in known:
            raise Failure(f"{each} is not watched; to watch it: trialdelta watch add {each}")
