"""What is wrong with this installation, and what to do about it: each check by itself, none hides another."""

import os
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from monitor import schema, settings, wiring
from monitor.health import Health, health
from monitor.settings import Settings
from notifiers.channels.email import smtp_server
from snapshots.database import Database, DatabaseError
from snapshots.registries.ctgov.answers import Patience
from snapshots.registry import RegistryError, Release

Verdict = Literal["ok", "note", "failure"]

LONG_WAIT = timedelta(hours=1)
"""A delivery that has been due for so long is worth a word."""
_SMTP_SECONDS = 10


class Finding(Struct, frozen=True):
    """What one check found; `advice` says what to do, "" where nothing is."""

    check: str
    verdict: Verdict
    found: str
    advice: str = ""


def examine(conf: Settings, now: datetime) -> Iterator[Finding]:
    """Every finding, as it is made. Raises nothing: what a check cannot do is its finding."""
    yield from _settings(conf)
    yield _smtp(conf)
    with_database = Database(conf.database_url)
    try:
        usable = _database(with_database)
        yield usable
        release = yield from _registry(conf, with_database if usable.verdict != "failure" else None)
        if usable.verdict != "failure":
            yield from _work(with_database, release, now)
    except DatabaseError as error:
        yield Finding("database", "failure", str(error))
    finally:
        with_database.dispose()


def _settings(conf: Settings) -> Iterator[Finding]:
    for words in settings.unknown_variables(os.environ):
        yield Finding("settings", "note", words, "correct the name or remove the variable")
    if conf.base_url is None:
        advice = "set TRIALDELTA_BASE_URL once others can reach this installation"
        yield Finding("base url", "note", "not set: messages carry no links to this installation", advice)
    else:
        yield Finding("base url", "ok", conf.base_url)


def _smtp(conf: Settings) -> Finding:
    if conf.smtp_url is None:
        return Finding("mail", "note", "no mail server is set: mail cannot be sent", "set TRIALDELTA_SMTP_URL")
    if conf.mail_from is None:
        return Finding("mail", "failure", "mail has no sender", "set TRIALDELTA_MAIL_FROM, such as alerts@example.org")
    shown = settings.mask_url(conf.smtp_url)
    try:
        server = smtp_server(conf.smtp_url)
        _greet(server.host, server.port, tls=server.encryption == "implicit")
    except ValueError as error:
        return Finding("mail", "failure", str(error), "correct TRIALDELTA_SMTP_URL")
    except (OSError, smtplib.SMTPException) as error:
        return Finding("mail", "failure", f"{shown} does not answer: {error}", "is the mail server running, its port open?")
    return Finding("mail", "ok", f"{shown} answers; sender {conf.mail_from}")


def _greet(host: str, port: int, *, tls: bool) -> None:
    if tls:
        context = ssl.create_default_context()
        with smtplib.SMTP_SSL(host, port, timeout=_SMTP_SECONDS, context=context) as server:
            server.noop()
    else:
        with smtplib.SMTP(host, port, timeout=_SMTP_SECONDS, local_hostname=socket.gethostname()) as server:
            server.noop()


def _database(database: Database) -> Finding:
    try:
        if database.file is not None and not database.file.exists():
            return Finding("database", "note", f"{database.name} does not exist yet", "it is made by the first command that needs it")
        found = schema.state(database)
    except DatabaseError as error:
        return Finding("database", "failure", str(error), "see TRIALDELTA_DATABASE_URL, and `trialdelta db restore`")
    return _SCHEMA[found](database)


_SCHEMA: dict[schema.State, Callable[[Database], Finding]] = {
    "current": lambda database: Finding("database", "ok", f"{database.name}, tables of this version"),
    "empty": lambda database: Finding("database", "note", f"{database.name} is empty", "trialdelta db upgrade"),
    "older": lambda database: Finding(
        "database", "failure", f"{database.name} has tables of an earlier version", "trialdelta db upgrade"
    ),
    "newer": lambda database: Finding(
        "database", "failure", f"{database.name} was used by a later version", "install that version again"
    ),
}


def _registry(conf: Settings, database: Database | None) -> Iterator[Finding]:
    """Yields one finding; returns the registry's release, None where it did not tell it."""
    try:
        with wiring.ctgov_alone(conf, Patience(attempts=1)) as registry:
            release = registry.release()
    except (RegistryError, ValueError) as error:
        yield Finding("registry", "failure", str(error), "is the network up? see TRIALDELTA_CTGOV_URL; sweeps go on trying")
        return None
    yield Finding("registry", "ok", f"{conf.ctgov_url} answers, release {release.date}")
    return release


def _work(database: Database, release: Release | None, now: datetime) -> Iterator[Finding]:
    if database.file is not None and not database.file.exists():
        return
    with database.read() as connection:
        if schema.state(database) != "current":
            return
        found = health(connection, wiring.REGISTRY, now)
    yield _watching(found)
    yield from _sweeps(found, release, now)
    yield from _exceptions(found)
    yield _deliveries(found, now)
    for uri, reason in found.addresses_off:
        yield Finding("address", "failure", f"{uri} is switched off: {reason}", "put it right, then `trialdelta deliveries retry`")
