"""What commands that need the database work with: settings, an open database, the registry, the log."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection

from monitor import logging, wiring
from monitor.cli.program import Failure
from monitor.settings import Settings, load
from notifiers.addresses import allowed_schemes
from notifiers.watch_pages import named
from notifiers.watches import of_record
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
    shape = "person" if settings.log_format == "auto" and not asked_for else settings.log_format
    logging.configure(shape, settings.log_level if asked_for else "error")
    return settings


def record_ids(texts: tuple[str, ...]) -> list[str]:
    """The ids that a person meant, each once; a text may hold several. Raises Failure naming the first that is none."""
    from snapshots.registries.ctgov.ids import normalise

    apart = [part for text in texts for part in _BETWEEN.split(text) if part] or list(texts)
    try:
        return list(dict.fromkeys(normalise(each) for each in apart))
    except ValueError as error:
        raise Failure(str(error)) from error


_BETWEEN = re.compile(r"[\s,;]+")


def record_id(text: str) -> str:
    """The one id that a person meant. Raises Failure."""
    found = record_ids((text,))
    if len(found) > 1:
        raise Failure(f"one id is asked for here, not {len(found)}: {', '.join(found)}")
    return found[0]


def need_watched(here: Session, ids: list[str]) -> None:
    """Raises Failure that says how to watch the first of these ids that is not watched."""
    with here.database.read() as connection:
        missing = next((each for each in ids if not _is_watched(connection, each)), None)
    if missing is not None:
        raise Failure(f"{missing} is not watched; to watch it: trialdelta watch add {missing}")


def _is_watched(connection: Connection, record_id: str) -> bool:
    """Whether a record is watched, paused or not, for itself or because a search has found it."""
    own = named(connection, wiring.REGISTRY, record_id)
    return own is not None or bool(of_record(connection, wiring.REGISTRY, [record_id]))
