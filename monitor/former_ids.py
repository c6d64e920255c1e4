"""Which record did an id name on a day? One that was merged into another named a record of its own before that."""

from msgspec import Struct
from sqlalchemy import Connection

from snapshots import archive
from snapshots.archive import Record
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
    former = archive.find_absorbed(connection, kept, any_id)
    merged_on = _merged_on(connection, kept, {any_id, former.registry_id if former else any_id})
    since = f" since {date_words(merged_on)}" if merged_on else ""
    answers = f"the registry answers for it under {kept.registry_id}{since}"
    if former is None:
        if any(each.registry_id == any_id for each in archive.versions_of(connection, kept)):
            return Naming(kept, f"{any_id} is a former id: {answers}. ")
        return Naming(kept, f"Nothing is stored of {any_id} by itself: {answers}. ")
    if merged_on and day < merged_on:
        return Naming(former, f"{any_id} was a record of its own then; {answers}. ", merged_on)
    return Naming(kept, f"{any_id} is a record of its own no more: {answers}. ")


def _merged_on(connection: Connection, kept: Record, names: set[str]) -> str | None:
    """The ISO day of the release at which the registry first answered for one of these under another id."""
    for step in archive.steps(connection, kept.registry, kept.registry_id, kinds=["record.merged"]):
        if any(told.change.before in names for told in step.changes):
            return (step.release or step.observed_at.isoformat())[:10]
    return None
