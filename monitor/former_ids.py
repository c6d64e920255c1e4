"""Which record did an id name on a day? One that was merged into another named a record of its own before that."""

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection

from snapshots import archive
from snapshots.archive import Record
from snapshots.archive.merges import Stretch, course, merges
from snapshots.sentences import date_words


class Naming(Struct, frozen=True):
    """The record that an id named on a day. `words`: what is to be said of that first, a sentence and a space, or "".
    `before`: the ISO day from which on it is another record's name; None where it is not.
    """

    record: Record
    words: str = ""
    before: str | None = None


def naming_on(connection: Connection, kept: Record, any_id: str, day: str) -> Naming:
    """Which record `any_id`, which selects `kept` today, named on the ISO day."""
    if any_id not in kept.former_ids:
        return Naming(kept)
    stretches = _course(connection, kept, any_id)
    named = [_record_under(connection, kept, each.id) for each in stretches]
    then = max(at for at, each in enumerate(stretches) if each.day <= day)
    record = next((each for each in named[then:] if each is not None), kept)
    later = zip(stretches[then:], named[then:], strict=True)
    before = next((each.day for each, other in later if other is not None and other.id != record.id), None)
    return Naming(record, _words(any_id, kept, stretches, named[0], (stretches[then], record)), before)


def _course(connection: Connection, kept: Record, any_id: str) -> list[Stretch]:
    """Under which ids the registry answered for it, up to that of the record that is kept."""
    found = course(merges(connection, kept.registry, any_id), any_id)
    return found if found[-1].id == kept.registry_id else [*found, Stretch(kept.registry_id, found[-1].day)]


def _record_under(connection: Connection, kept: Record, any_id: str) -> Record | None:
    """The record that was stored under an id; None where none was."""
    if any_id == kept.registry_id:
        return kept
    former = archive.find_absorbed(connection, kept, any_id)
    if former is None and any(each.registry_id == any_id for each in archive.versions_of(connection, kept)):
        return kept
    return former


def _words(
    any_id: str, kept: Record, stretches: Sequence[Stretch], own: Record | None, then: tuple[Stretch, Record]
) -> str:
    """What is to be said first: `own` is the record that was its own, `then` what it named on the day."""
    stretch, record = then
    since = f" since {date_words(stretches[-1].day)}" if stretches[-1].day else ""
    answers = f"the registry answers for it under {kept.registry_id}{since}. "
    if own is None:
        return f"Nothing is stored of {any_id} by itself: {answers}"
    if own.id == kept.id:
        return f"{any_id} is a former id: {answers}"
    if record.id == own.id:
        return f"{any_id} was a record of its own then; {answers}"
    if record.id != kept.id:
        return f"On that day the registry answered for {any_id} under {stretch.id}; {answers}"
    return f"{any_id} is a record of its own no more: {answers}"
