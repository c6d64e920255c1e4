"""Which revision the subscriptions are at: whoever keeps them in memory sees by it that another process changed one."""

from weakref import WeakSet

from sqlalchemy import Connection, Transaction, select, update

from notifiers.tables import subscription_revisions, subscriptions
from snapshots.database import insert_if_absent

_ONE = subscription_revisions.c.id == 1
_CURRENT = select(subscription_revisions.c.number).where(_ONE)
_TOUCHED: WeakSet[Transaction] = WeakSet()


def touch(connection: Connection, subscription_id: int) -> None:
    """A subscription is new, or asks for something else: it gets the next revision. Transactions that do so follow each
    other, so whoever sees a revision sees all before it.
    """
    insert_if_absent(connection, subscription_revisions, {"id": 1, "number": 0})
    raised = update(subscription_revisions).where(_ONE).values(number=subscription_revisions.c.number + 1)
    number = connection.execute(raised.returning(subscription_revisions.c.number)).scalar_one()
    connection.execute(update(subscriptions).where(subscriptions.c.id == subscription_id).values(revision=number))
    transaction = connection.get_transaction()
    if transaction is not None:
        _TOUCHED.add(transaction)


def is_touched(connection: Connection) -> bool:
    """Whether this very transaction has changed subscriptions: what it sees may never come true."""
    transaction = connection.get_transaction()
    return transaction is not None and transaction in _TOUCHED


def current(connection: Connection) -> int:
    """The last revision; 0 where there was none yet."""
    return connection.execute(_CURRENT).scalar() or 0
