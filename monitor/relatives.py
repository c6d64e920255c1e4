"""Which trials are like one: those of the archive, those that the registry named, and which of them are watched."""

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection

from notifiers import watches
from snapshots import related
from snapshots.related import Answer
from snapshots.trial import Trial


class Relative(Struct, frozen=True, kw_only=True):
    """A trial that is like another. `status` and `phases` as the registry spells them; `is_stored`: the archive has it,
    else the registry named it.
    """

    id: str
    title: str
    status: str | None
    phases: tuple[str, ...]
    is_stored: bool
    is_watched: bool


class Relatives(Struct, frozen=True):
    """Trials like one, the likest first; `answer` is what the registry was asked and said (None: nobody wanted it)."""

    found: tuple[Relative, ...]
    answer: Answer | None


def relatives(connection: Connection, registry: str, registry_id: str, trial: Trial, most: int) -> Relatives:
    """Up to `most` of the archive first, then those that the registry named and that are not among them."""
    stored = related.like(connection, registry, registry_id, related.wording(trial), most)
    answer = related.answer_of(connection, registry, registry_id)
    known = {each.registry_id for each in stored} | {registry_id}
    named = [each for each in (answer.found if answer else ()) if each.id not in known]
    watched = _watched(connection, registry, [*known, *(each.id for each in named)])
    rows = [(each.registry_id, each, each.is_stored) for each in stored] + [(each.id, each, False) for each in named]
    found = (
        Relative(
            id=id_,
            title=each.title or id_,
            status=each.status,
            phases=each.phases,
            is_stored=is_stored,
            is_watched=id_ in watched,
        )
        for id_, each, is_stored in rows
    )
    return Relatives(tuple(found), answer)


def _watched(connection: Connection, registry: str, ids: Sequence[str]) -> set[str]:
    found = watches.of_record(connection, registry, ids)
    paused = watches.paused_of_record(connection, registry, ids)
    return {each.record_id for each in (*found, *paused) if each.record_id}
