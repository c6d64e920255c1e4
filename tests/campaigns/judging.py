"""What daemons left in the database, and what arrived, beside what was published: for campaigns that disturb them."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, select

from notifiers.tables import addresses, attempts, deliveries
from snapshots import archive
from snapshots.archive.coverage import ALL, FINISHED
from snapshots.archive.tables import sweeps, versions
from snapshots.holders import SEPARATOR

Arrived = Mapping[str, Counter[str]]
"""By address (the last part of its path): which ids it took, and how often."""


def wrongly_stored(connection: Connection, days: Collection[str], expected: int) -> Iterator[str]:
    """What is wrong with the archive after releases of these days, which held so many versions."""
    finished = select(sweeps.c.release).where(sweeps.c.state == FINISHED, sweeps.c.scope == ALL)
    skipped = set(days) - {release[:10] for release in connection.execute(finished).scalars()}
    if skipped:
        yield f"releases that were never swept: {sorted(skipped)}"
    yield from archive.verify_chain(connection)
    stored = connection.execute(
        select(versions.c.record, versions.c.content_hash).order_by(versions.c.record, versions.c.position)
    ).all()
    twice = sum(one == other for one, other in pairwise(stored))
    if twice:
        yield f"{twice} versions are stored twice"
    if len(stored) != expected:
        yield f"{len(stored)} versions are stored, {expected} were published"


def wrongly_told(connection: Connection, arrived: Arrived, expected: int, hit: Collection[str]) -> Iterator[str]:
    """What is wrong with what each address was told of so many changes; `hit`: the processes that were killed, stopped
    or cut off, which explain doubles.
    """
    due: dict[str, dict[str, int]] = {name: {} for name in arrived}
    for row in connection.execute(
        select(deliveries.c.id, deliveries.c.step_id, addresses.c.uri).join(
            addresses, addresses.c.id == deliveries.c.address_id
        )
    ):
        due[row.uri.rpartition("/")[2]][row.id] = row.step_id
    tries = connection.execute(select(attempts)).all()
    explained = {each.delivery_id for each in tries if each.worker.split(SEPARATOR)[1] in hit}
    for name, took in arrived.items():
        if len(set(due[name].values())) != len(due[name]) or len(due[name]) != expected:
            yield f"{name}: {len(due[name])} messages for {expected} changes"
        if set(took) != set(due[name]):
            yield f"{name}: {len(set(took) ^ set(due[name]))} never arrived or were never due"
        doubled = [each for each, times in took.items() if times > 1 and each not in explained]
        if doubled:
            yield f"{name}: {len(doubled)} arrived twice without a disturbance to explain it"


def summary(connection: Connection, arrived: Arrived) -> dict[str, int]:
    """How much there was to judge."""
    return {
        "versions": len(connection.execute(select(versions.c.number)).all()),
        "messages": len(connection.execute(select(deliveries.c.id)).all()),
        "doubles": sum(sum(took.values()) - len(took) for took in arrived.values()),
    }


def still_open(connection: Connection) -> Any:
    """Whether anything is still to be sent."""
    return connection.execute(select(deliveries.c.id).where(deliveries.c.next_attempt_at.is_not(None)).limit(1)).first()
