"""What is wrong with this installation, and what to do about it: each check by itself, none hides another."""

import os
from collections.abc import Callable, Generator, Iterator
from datetime import datetime, timedelta
from itertools import islice

from monitor import schema, settings, silence, surroundings, wiring
from monitor.findings import Finding, Verdict
from monitor.health import Health, health
from monitor.settings import Settings
from notifiers import addresses, template_folders
from snapshots import archive
from snapshots.database import Database, DatabaseError
from snapshots.registries.ctgov.answers import Patience
from snapshots.registry import RegistryError, Release
from snapshots.sentences import counted

__all__ = ["Finding", "Verdict", "examine", "examine_archive", "examine_quickly", "examine_tables"]

LONG_WAIT = timedelta(hours=1)
"""A delivery that has been due for so long is worth a word."""


def examine(conf: Settings, now: datetime, clock: wiring.Clock = wiring.utc_now) -> Iterator[Finding]:
    """Every finding, as it is made. `clock` is this machine's, compared with others' when they answer. Raises nothing:
    what a check cannot do is its finding.
    """
    yield from _settings(conf)
    yield surroundings.mail(conf)
    with_database = Database(conf.database_url)
    try:
        usable = _database(with_database)
        yield usable
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
    yield surroundings.mail_settings(conf) or Finding(
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


_RESTORE = "restore a backup from before: trialdelta db restore FILE"
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
        yield Finding("settings", "note", words, "correct the name or remove the variable")
    if conf.base_url is None:
        advice = "set TRIALDELTA_BASE_URL once others can reach this installation"
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
        return Finding("database", "failure", str(error), "see TRIALDELTA_DATABASE_URL, and `trialdelta db restore`")
    return _SCHEMA[found](database)


_SCHEMA: dict[schema.State, Callable[[Database], Finding]] = {
    "current": lambda database: Finding("database", "ok", f"{database.name}, tables of this version"),
    "newer": lambda database: Finding(
        "database",
        "note",
        f"{database.name} has tables of a later version, which this one can work with",
        "install the later version here too, to end the upgrade",
    ),
    "empty": lambda database: Finding(
        "database", "note", f"{database.name} is empty", "its tables are made by the first command that needs them"
    ),
    "other": lambda database: Finding(
        "database",
        "failure",
        f"{database.name} has tables of another version",
        "trialdelta db upgrade; where a later version made them, install that one again",
    ),
}


def _registry(conf: Settings, clock: wiring.Clock) -> Generator[Finding, None, Release | None]:
    """Yields one finding; returns the registry's release, None where it did not tell it."""
    try:
        with wiring.ctgov_alone(conf, Patience(attempts=1)) as registry:
            release = registry.release()
            told = registry.told_date
    except (RegistryError, ValueError) as error:
        yield Finding(
            "registry", "failure", str(error), "is the network up? see TRIALDELTA_CTGOV_URL; sweeps go on trying"
        )
        return None
    yield Finding("registry", "ok", f"{settings.mask_url(conf.ctgov_url)} answers, release {release.date}")
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
    yield _watching(found)
    yield from _sweeps(found, release, now)
    yield from _exceptions(found)
    yield from _pasts(found)
    yield _deliveries(found, now)


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
        advice = "set TRIALDELTA_OPERATOR, so that trouble is told to somebody who does not look here"
        yield Finding("operator", "note", "nobody is told of trouble", advice)
        return
    with database.read() as connection:
        known = addresses.find(connection, operator, now)
    if known is not None and known.state == "off":
        words = f"{operator} hears of nothing: it is switched off: {known.state_reason or 'by hand'}"
        yield Finding("operator", "failure", words, "put it right, or set another TRIALDELTA_OPERATOR")
    else:
        yield Finding("operator", "ok", f"{operator} is told of trouble")


def _watching(found: Health) -> Finding:
    if not found.watched and not found.searches:
        return Finding("watches", "note", "no record is watched", "trialdelta watch add NCT01234567")
    parts = [_watched(found.watched, "record", found.waiting)]
    if found.searches:
        parts.append(_watched(found.searches, "saved search", found.searches_waiting, "saved searches"))
    is_waiting = bool(found.waiting or found.searches_waiting)
    advice = "trialdelta check, or trialdelta run" if is_waiting else ""
    return Finding("watches", "note" if is_waiting else "ok", "; ".join(parts), advice)


def _watched(number: int, noun: str, waiting: int, nouns: str | None = None) -> str:
    return counted(number, noun, nouns) + (f", {waiting} of them not asked for yet" if waiting else "")


def _sweeps(found: Health, release: Release | None, now: datetime) -> Iterator[Finding]:
    last, newest = found.last_finished, found.last_sweep
    if newest is not None and found.is_failing:
        advice = "the next sweep tries again; `trialdelta check` does now"
        yield Finding("last sweep", "failure", f"failed {_ago(newest.started_at, now)}: {newest.reason}", advice)
    if last is None:
        if found.watched:
            yield Finding("last confirmed", "note", "no sweep has come to its end yet", "trialdelta check")
        return
    told = f"release {last.release[:10]}, {_ago(last.ended_at or last.started_at, now)}"
    if release is not None and release.timestamp != last.release:
        advice = "trialdelta check; is `trialdelta run` running?"
        yield Finding("last confirmed", "failure", f"{told}; the registry is at {release.date} by now", advice)
    else:
        yield Finding("last confirmed", "ok", told)


def _exceptions(found: Health) -> Iterator[Finding]:
    for trouble in found.exceptions[:5]:
        since = f"not checked since release {trouble.since[:10]}"
        confirmed = found.confirmed.get(trouble.registry_id)
        last = f"; last confirmed at release {confirmed.release[:10]}" if confirmed else ""
        advice = "check its id at the registry" if trouble.reason == "absent" else "the next sweep asks again"
        words = f"{trouble.registry_id} {since}: {trouble.reason}: {trouble.detail}{last}"
        yield Finding("record", "failure", words, advice)
    if len(found.exceptions) > 5:
        yield Finding(
            "record", "failure", f"and {len(found.exceptions) - 5} more without an answer", "trialdelta watch list"
        )


def _pasts(found: Health) -> Iterator[Finding]:
    if found.pasts_waiting:
        newest = found.pasts_waiting[0]
        words = f"those of {counted(len(found.pasts_waiting), 'record')} did not come whole: {newest.reason}"
        advice = "watching goes on without them; they are asked for again, by `trialdelta backfill ID` at once"
        yield Finding("past versions", "note", words, advice)


def _deliveries(found: Health, now: datetime) -> Finding:
    if found.oldest_due is None:
        return Finding("deliveries", "ok", "nothing is waiting to be sent")
    waiting = f"{found.open_deliveries} to be sent, the oldest due {_ago(found.oldest_due, now)}"
    if now - found.oldest_due < LONG_WAIT:
        return Finding("deliveries", "ok", waiting)
    advice = "is `trialdelta run` running? `trialdelta deliveries list --state pending` says what was answered"
    return Finding("deliveries", "failure", waiting, advice)


def _ago(moment: datetime, now: datetime) -> str:
    minutes = max(int((now - moment).total_seconds() // 60), 0)
    if minutes < 2:
        return "just now"
    if minutes < 120:
        return f"{minutes} minutes ago"
    return f"{minutes // 60} hours ago" if minutes < 48 * 60 else f"{minutes // 1440} days ago"
