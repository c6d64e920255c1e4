"""What must stay when versions are pruned: what a mail told can be checked only while the versions are there."""

from sqlalchemy import Connection, or_, select

from notifiers.tables import deliveries, delivery_changes
from snapshots.archive.tables import changes, steps

OPEN = ("pending", "held", "sending")
"""States of deliveries that may yet be made: what they tell of is never pruned."""


def told_versions(connection: Connection, *, only_open: bool = False) -> set[int]:
    """The versions that a step led from or to of which somebody was told, or is to be; `only_open`: is yet to be."""
    told = select(deliveries.c.id, deliveries.c.step_id)
    if only_open:
        told = told.where(deliveries.c.state.in_(OPEN))
    chosen = told.subquery()
    by_change = select(changes.c.step).join(delivery_changes, delivery_changes.c.change_id == changes.c.id)
    by_change = by_change.join(chosen, chosen.c.id == delivery_changes.c.delivery_id)
    led = select(steps.c.from_version, steps.c.to_version).where(
        or_(steps.c.id.in_(select(chosen.c.step_id)), steps.c.id.in_(by_change))
    )
    return {version for pair in connection.execute(led) for version in pair if version is not None}
