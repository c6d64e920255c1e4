"""What a digest would have said of its newest time in which anything happened that it asks for: an example to look at,
for who has no news yet.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from notifiers import scope
from notifiers.addresses import Address
from notifiers.backtest import Counting, Parse, backtest, noticed, waits_until
from notifiers.calendar import last_due
from notifiers.conditions import Conditions
from notifiers.digest import PREVIEW
from notifiers.message import Coverage
from notifiers.outbox import Told, assemble
from notifiers.outbox.rows import Asker
from notifiers.subscriptions import Stored

BACK = timedelta(days=365)
"""How far back it is looked for something to tell."""


def example(  # noqa: PLR0917 - what is replayed, and for whom
    connection: Connection, stored: Stored, address: Address, now: datetime, parse: Parse, counting: Counting = iter
) -> Told | None:
    """The digest of the newest such time, as `backtest` replays what is stored; None where there is nothing within a
    year, or all of it is told at once.
    """
    subscription = stored.subscription
    found = backtest(connection, subscription, (now - BACK).date().isoformat(), parse, counting)
    waiting = [(due, alert) for alert in found.alerts if (due := waits_until(alert, subscription)) is not None]
    if not waiting or subscription.digest is None:
        return None
    dues = [due for due, _ in waiting]
    until = max([due for due in dues if due <= now] or dues)
    alerts = [alert for due, alert in waiting if due == until]
    changes = tuple(change.id for alert in alerts for change in alert.changes)
    return assemble(
        connection,
        askers=[Asker(stored.id, subscription.name, changes)],
        change_ids=set(changes),
        delivery_id=PREVIEW,
        type="digest",
        created_at=until,
        address=address,
        coverage=Coverage(
            since=last_due(subscription.digest, until - timedelta(seconds=1)),
            until=until,
            watched=sum(scope.how_many(connection, subscription.watches).values()),
            last_checked=max(noticed(alert) for alert in alerts),
            release=max((alert.step.release for alert in alerts if alert.step.release), default=None),
            only_asked_for=subscription.when != Conditions(),
        ),
    )
