"""Which records a command is about: some ids, a group of watches, or all that are stored; and each of them in turn."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import click

from monitor import wiring
from monitor.cli.meant import no_group
from monitor.cli.program import Failure
from monitor.cli.records import nothing_stored
from monitor.cli.session import Session, record_ids
from monitor.questions import Recorded, recorded
from notifiers import search_members, watches
from snapshots import archive


def records_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The arguments and options that say which records: ID..., --group, --all."""
    for option in (
        click.option("--all", "everything", is_flag=True, help="All records that are stored."),
        click.option("--group", metavar="NAME", help="The records that are watched in this group."),
        click.argument("records", nargs=-1, metavar="[ID...]"),
    ):
        command = option(command)
    return command


def chosen(here: Session, records: tuple[str, ...], group: str | None, everything: bool) -> list[str]:
    """The ids that are meant, each once. Raises Failure where none or two ways of saying so are used."""
    if sum((bool(records), group is not None, everything)) != 1:
        raise click.UsageError("give the ids of records, or --group NAME, or --all")
    if records:
        return record_ids(records)
    with here.database.read() as connection:
        stored = archive.stored_ids(connection, wiring.REGISTRY)
        if everything:
            return stored
        ids = set(_of_group(connection, group or ""))
    return [each for each in stored if each in ids]


def each_recorded(here: Session, ids: Iterable[str]) -> Iterator[Recorded]:
    """The records of these ids, one after the other; of which nothing is stored are left out."""
    for each in ids:
        with here.database.read() as connection:
            found = recorded(connection, wiring.REGISTRY, each)
        if found is not None:
            yield found


def need_stored(here: Session, ids: Sequence[str]) -> None:
    """Raises Failure for the first of these ids of which nothing is stored, with what to do."""
    with here.database.read() as connection:
        missing = next((each for each in ids if not archive.versions(connection, wiring.REGISTRY, each)), None)
    if missing is not None:
        raise Failure(nothing_stored(here, missing))


def _of_group(connection: Any, group: str) -> Iterator[str]:
    """The ids of today of what is watched in a group, also of what its searches have found."""
    found = watches.listing(connection, group)
    if not found:
        raise Failure(no_group(connection, group))
    for watch in found:
        members = [watch.record_id] if watch.record_id else []
        if watch.search is not None:
            members = [member.record_id for member in search_members.of_search(connection, watch.id)]
        for each in members:
            record = archive.find_record(connection, wiring.REGISTRY, each)
            if record is not None:
                yield record.registry_id
