"""What is due, read from the tables, as the message that tells it."""

from collections.abc import Callable

import structlog
from msgspec import Struct
from sqlalchemy import Connection

from notifiers import links, question
from notifiers.acknowledgements import ALERTS
from notifiers.for_the_reader import as_severe_as_asked, distances
from notifiers.message import Facts, Message, News, Why, facts_of
from notifiers.outbox import Told
from notifiers.outbox.loading import ToldStep
from snapshots import archive
from snapshots.archive import StoredChange
from snapshots.registries.ctgov import ids, parse
from snapshots.registry import RegistryError
from snapshots.trial import Trial

log = structlog.get_logger()


class Reader(Struct, frozen=True):
    """How records of one registry are read once they are stored: `parse` as `registry.Registry.parse`, `page` where a
    person reads the record of an id.
    """

    parse: Callable[[bytes], Trial]
    page: Callable[[str], str]


READERS: dict[str, Reader] = {"ctgov": Reader(parse.parse, ids.record_page)}
"""By the registry's name. What a registry without reader said is told without links and facts."""


def message_of(
    connection: Connection,
    told: Told,
    base_url: str | None = None,
    *,
    with_facts: bool = True,
    operator: str | None = None,
) -> Message:
    """The message that tells `told`. A record that cannot be read leaves out its facts, never the message. `with_facts`
    False where only programs read it: reading the record costs more than all the rest. `operator` is the address of
    who runs this installation.
    """
    if told.type == "confirmation":
        return question.question(connection, told, base_url)
    alone = with_facts and len(told.steps) == 1 and told.type != "digest"
    return Message(
        delivery_id=told.delivery_id,
        type=told.type,  # type: ignore[arg-type]  # the tables hold these types and no others
        created=told.created_at,
        subscriptions=tuple(Why(because.name, because.reason) for because in told.because),
        news=tuple(_news(connection, step, told, with_facts=alone) for step in told.steps),
        coverage=told.coverage,
        title=told.title,
        notice=told.notice,
        archive_head=told.archive_head or archive.chain_head(connection).short,
        base_url=base_url,
        operator=operator,
        unsubscribe_url=links.unsubscribe_url(connection, base_url, told.delivery_id) if told.because else None,
        acknowledge_url=links.acknowledge_url(connection, base_url, told.delivery_id) if told.type in ALERTS else None,
    )


def templates_of(told: Told) -> str | None:
    """The folder of templates that the message is laid out with: that of the first subscription that has one."""
    return next((because.templates for because in told.because if because.templates), None)


def _news(connection: Connection, told_step: ToldStep, told: Told, with_facts: bool) -> News:
    step = told_step.step
    reader = READERS.get(step.registry)
    return News(
        step=step,
        url=reader.page(step.registry_id) if reader and step.registry_id else None,
        changes=changes_as_told(connection, told_step, told),
        by_place=told.by_place,
        distances=distances(told_step.changes, told.because),
        facts=_facts(connection, told_step, reader) if with_facts and reader else None,
    )


def changes_as_told(connection: Connection, told_step: ToldStep, told: Told) -> tuple[StoredChange, ...]:
    """A step's changes as severe as the message tells them to who asked so."""
    reader = READERS.get(told_step.step.registry)
    return as_severe_as_asked(told_step.changes, told.because, lambda: _trial(connection, told_step, reader))


def _facts(connection: Connection, told_step: ToldStep, reader: Reader) -> Facts | None:
    trial = _trial(connection, told_step, reader)
    return None if trial is None else facts_of(trial, told_step.changes)


def _trial(connection: Connection, told_step: ToldStep, reader: Reader | None) -> Trial | None:
    """The record as the step left it; None where there is none, or it cannot be read."""
    version = told_step.step.to_version
    if version is None or reader is None:
        return None
    try:
        return reader.parse(archive.read_version(connection, version))
    except (archive.Unreadable, archive.NoSuchVersion, RegistryError) as error:
        log.warning("a message goes out without the trial's facts", version=version, reason=str(error))
        return None
