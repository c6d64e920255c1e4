"""What is wrong with this installation, and what to do about it: each check by itself, none hides another."""

import os
from collections.abc import Callable, Generator, Iterator
from datetime import datetime
from itertools import islice

from monitor import asked_for, schema, settings, silence, subscribed, surroundings, wiring
from monitor.findings import Finding, Verdict
from monitor.health import Health, health
from monitor.settings import Settings
from notifiers import addresses, template_folders
from snapshots import archive
from snapshots.database import Database, DatabaseError
from snapshots.registry import RegistryError, Release
from snapshots.sentences import counted, date_words

__all__ = ["Finding", "Verdict", "examine", "examine_archive", "examine_quickly", "examine_tables"]


def examine(conf: Settings, now: datetime, clock: wiring.Clock = wiring.utc_now) -> Iterator[Finding]:
    """Every finding, as it is made. `clock` is this machine's, compared with others' when they answer. Raises nothing:
    what a check cannot do is its finding.
    """
    yield from _settings(conf)
    with_database = Database(conf.database_url)
    try:
        usable = _database(with_database)
        yield usable
        yield surroundings.mail(conf, 0 if usable.verdict == "failure" else _mailed(with_database))
        release = yield from _registry(conf, clock)
        if usable.verdict != "failure":
            yield from surroundings.database_clock(with_database, clock)
            yield from surroundings.disk(with_database)
            yield from _work(with_database, release, now)
            yield from _templates(with_database)
            yield from _silence(with_database, conf, now)
    except DatabaseError as error:
        yield Finding("database", "failure", str(error))
    finally:
        with_database.dispose()


def examine_quickly(conf: Settings, now: datetime) -> Iterator[Finding]:
    """What can be found without asking the mail server and the registry. Raises nothing."""
    database = Database(conf.database_url)
    try:
        usable = _database(database)
        yield usable
        if usable.verdict != "failure":
            yield from surroundings.disk(database)
            yield from examine_tables(database, conf, now)
    except DatabaseError as error:
        yield Finding("database", "failure", str(error))
    finally:
        database.dispose()


def examine_tables(
    database: Database, conf: Settings, now: datetime, stands: Health | None = None
) -> Iterator[Finding]:
    """What the settings and the tables tell without asking anybody else: quick, as a page wants it. `stands`
    is the health as it was read already. Raises DatabaseError.
    """
    yield from _settings(conf)
    yield surroundings.mail_settings(conf, _mailed(database)) or Finding(
        "mail", "ok", f"{settings.mask_url(conf.smtp_url or '')}; not asked now"
    )
    yield from _work(database, None, now, stands)
    yield from _silence(database, conf, now)


def examine_archive(conf: Settings) -> Iterator[Finding]:
    """Whether all that is kept is what was received: the chain, and the bytes of every version. Reads everything."""
    database = Database(conf.database_url)
    try:
        found = _database(database)
        yield found
        if found.verdict == "ok":
            yield from _archive(database)
    except DatabaseError as error:
        yield Finding("database", "failure", str(error), _RESTORE)
    finally:
        database.dispose()


def _mailed(database: Database) -> int:
    """How many mail addresses are told something; none where there are no tables to say so."""
    if not schema.is_usable(database):
        return 0
    with database.read() as connection:
        return subscribed.mailed(connection)


_RESTORE = "restore a backup from before: `trialdelta db restore FILE`"
_NO_DATABASE = "is its server up? `trialdelta settings` says which; `trialdelta db restore FILE` puts a backup in place"
SHOWN_PROBLEMS = 20


def _archive(database: Database) -> Iterator[Finding]:
    with database.read() as connection:
        head = archive.chain_head(connection)
        problems = archive.verify_chain(connection)
        shown = list(islice(problems, SHOWN_PROBLEMS))
        others = sum(1 for _ in problems)
        gone = archive.pruned(connection)
    if not shown:
        kept = head.number - sum(each.versions for each in gone)
        words = f"{counted(kept, 'version')}, each byte as it was received; the chain's head is {head.short}"
        yield Finding("archive", "ok", words)
    for each in gone:
        what = f"{counted(each.versions, 'version')} {archive.pruned_words(each.pruned_at, each.pruned_by)}"
        yield Finding("archive", "note", f"{what}: the bytes are gone, the hashes hold their places in the chain")
    for problem in shown:
        yield Finding("archive", "failure", problem, _RESTORE)
    if others:
        yield Finding("archive", "failure", f"and {others:,} more", _RESTORE)


def _settings(conf: Settings) -> Iterator[Finding]:
    for words in settings.unknown_variables(os.environ):
        advice = f"correct the name, or `unset {words.split()[0]}`; `trialdelta settings` prints what is in force"
        yield Finding("settings", "note", words, advice)
    if conf.base_url is None:
        advice = "`export TRIALDELTA_BASE_URL=https://trials.example.org` once others can reach this installation"
        yield Finding("base url", "note", "not set: messages carry no links to this installation", advice)
    else:
        yield Finding("base url", "ok", settings.mask_url(conf.base_url))


def _templates(database: Database) -> Iterator[Finding]:
    if not schema.is_usable(database):
        return
    with database.read() as connection:
        found = list(template_folders.broken(connection))
    for name, why in found:
        advice = "mend them (trialdelta templates check FOLDER); until then ours take their place"
        yield Finding("templates", "failure", f"subscription {name}: {why}", advice)


def _database(database: Database) -> Finding:
    try:
        found = schema.state(database)
    except DatabaseError as error:
        return Finding("database", "failure", str(error), _NO_DATABASE)
    return _SCHEMA[found](database)


_SCHEMA: dict[schema.State, Callable[[Database], Finding]] = {
    "current": lambda database: Finding("database", "ok", f"{database.name}, tables of this version"),
    "newer": lambda database: Finding(
        "database",
        "note",
        f"{database.name} has tables of a later version, which this one can work with",
        "`pip install --upgrade trialdelta` here too, to end the upgrade",
    ),
    "empty": lambda database: Finding(
        "database",
        "note",
        f"{database.name} is empty",
        "its tables are made by the first command that needs them, such as `trialdelta watch list`",
    ),
    "other": lambda database: Finding(
        "database",
        "failure",
        f"{database.name} has tables of another version",
        "`trialdelta db upgrade`; where a later version made them, `pip install --upgrade trialdelta`",
    ),
}


def _registry(conf: Settings, clock: wiring.Clock) -> Generator[Finding, None, Release | None]:
    """Yields one finding; returns the registry's release, None where it did not tell it."""
    try:
        with wiring.ctgov_alone(conf, wiring.ONCE, wiring.SOON) as registry:
            release = registry.release()
            told = registry.told_date
    except (RegistryError, ValueError) as error:
        ask = f"`curl -sS {settings.mask_url(conf.ctgov_url)}/api/v2/version`"
        advice = f"is the network up? {ask} asks the same (TRIALDELTA_CTGOV_URL); sweeps go on trying"
        yield Finding("registry", "failure", str(error), advice)
        return None
    yield Finding(
        "registry", "ok", f"{settings.mask_url(conf.ctgov_url)} answers, release of {date_words(release.date)}"
    )
    yield from surroundings.registry_clock(told, clock)
    return release


def _work(
    database: Database, release: Release | None, now: datetime, stands: Health | None = None
) -> Iterator[Finding]:
    if not schema.is_usable(database):
        return
    with database.read() as connection:
        found = stands or health(connection, wiring.REGISTRY, now)
    yield from surroundings.daemons(found.daemons, now)
    yield asked_for.watching(found)
    yield from asked_for.sweeps(found, release, now)
    yield from asked_for.exceptions(found)
    yield from asked_for.pasts(found)
    yield subscribed.waiting(found.outstanding, found.daemons, now)
    with database.read() as connection:
        yield from subscribed.asked_in_vain(connection)


_TOLD_ALREADY = ("watch:",)
"""Troubles that other findings tell in more detail."""


def _silence(database: Database, conf: Settings, now: datetime) -> Iterator[Finding]:
    """What the operator is told without asking, and whether that can be told."""
    if not schema.is_usable(database):
        return
    seconds = conf.sweep_schedule
    found = silence.look(database, wiring.REGISTRY, now, schedule_seconds=seconds)
    yield from _operator(database, silence.operator_uri(conf.operator), now)
    for seen in found:
        if not seen.key.startswith(_TOLD_ALREADY):
            words, _, advice = seen.words.rpartition(". ")
            check = seen.key.partition(":")[0]
            yield Finding(check, "failure", words or seen.words, advice if words else "")


def _operator(database: Database, operator: str | None, now: datetime) -> Iterator[Finding]:
    if operator is None:
        advice = "`export TRIALDELTA_OPERATOR=you@example.org` tells trouble to somebody who does not look here"
        yield Finding("operator", "note", "nobody is told of trouble", advice)
        return
    with database.read() as connection:
        known = addresses.find(connection, operator, now)
    if known is not None and known.state == "off":
        words = f"{operator} hears of nothing: it is switched off: {known.state_reason or 'by hand'}"
        yield Finding(
            "operator",
            "failure",
            words,
            f"put it right, then `trialdelta address on {operator}`, or set another TRIALDELTA_OPERATOR",
        )
    else:
        yield Finding("operator", "ok", f"{operator} is told of trouble")
