"""Why a subscription wants a stored change or does not: everything that is asked before it is told, one by one."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, select

from notifiers.backtest import Parse
from notifiers.explaining import Check, explain
from notifiers.subscriptions import Selection, Stored, Subscription
from notifiers.tables import addresses, deliveries, delivery_changes, delivery_subscriptions
from notifiers.wanting import NEVER_TOLD, NEVER_TOLD_CAUSES, Watching, watching_of
from snapshots import archive
from snapshots.archive import Step, StoredChange, rfc3339
from snapshots.archive.tables import changes as change_rows


class Told(Struct, frozen=True):
    """A delivery that told the change for this subscription, and what became of it."""

    delivery_id: str
    uri: str
    type: str
    state: str


class Answer(Struct, frozen=True, kw_only=True):
    """Whether the subscription, as it stands now, wants the change: it does where all checks hold. `told`: what the
    ledger says was sent of it for this subscription, whatever it asked for then.
    """

    step: Step
    stored: StoredChange
    checks: tuple[Check, ...]
    told: tuple[Told, ...] = ()

    @property
    def wanted(self) -> bool:
        return all(check.holds for check in self.checks)


def changes_of(connection: Connection, registry: str, asked: str) -> list[tuple[Step, StoredChange]]:
    """The stored change of that id, or all changes of the last step of the record of that id; or none."""
    if asked.isdecimal():
        step = connection.execute(select(change_rows.c.step).where(change_rows.c.id == int(asked))).scalar()
        found = [archive.find_step(connection, step)] if step is not None else []
        return [(each, one) for each in found for one in each.changes if one.id == int(asked)]
    told = [step for step in archive.steps(connection, registry, asked) if step.changes]
    return [(step, one) for step in told[-1:] for one in step.changes]


def why(connection: Connection, asker: Stored, step: Step, stored: StoredChange, parse: Parse) -> Answer:
    """Everything that is asked of the change before the subscription is told of it."""
    subscription = asker.subscription
    version = step.to_version
    trial = parse[step.registry](archive.read_version(connection, version)) if version is not None else None
    watching = watching_of(connection, step, trial)
    together = [one.change for one in step.changes]
    return Answer(
        step=step,
        stored=stored,
        checks=(
            *_ever(step, stored),
            *_in_time(asker, step),
            _selected(subscription, watching, step, stored),
            *explain(subscription.when, stored.change, trial, subscription.severity, together),
        ),
        told=_told(connection, subscription.name, stored.id),
    )


def _ever(step: Step, stored: StoredChange) -> tuple[Check, ...]:
    """What is told to nobody."""
    if step.cause in NEVER_TOLD_CAUSES:
        return (Check("history", False, "it was filled in from the past; what was only learnt later is never sent"),)
    if stored.change.kind in NEVER_TOLD:
        return (Check("history", False, "a first look at a record is no news; it stands in the history only"),)
    return ()


def _in_time(asker: Stored, step: Step) -> tuple[Check, ...]:
    checks = []
    if asker.subscription.paused:
        checks.append(Check("paused", False, "the subscription is paused; it wants nothing until it goes on"))
    if step.observed_at < asker.created_at:
        seen, began = _said(step.observed_at), _said(asker.created_at)
        checks.append(Check("since", False, f"the change was observed {seen}, before the subscription began {began}"))
    return tuple(checks)


def _said(moment: datetime) -> str:
    return rfc3339(moment.replace(microsecond=0))


def _selected(subscription: Subscription, watching: Watching, step: Step, stored: StoredChange) -> Check:
    if not watching.is_record:
        return Check("watches", True, "the change is about the registry as a whole, which concerns everybody")
    mine = watching.selected(subscription)
    holds = watching.concerns(mine, stored)
    if not watching.watches:
        return Check("watches", False, f"{step.registry_id} is not watched, or its watch is paused")
    by = ", ".join(
        dict.fromkeys(f"{one.called}{f' in group {one.group}' if one.group else ''}" for one in watching.watches)
    )
    return Check("watches", holds, f"{step.registry_id} is watched by {by}; asked for: {_about(subscription.watches)}")


def _about(asked: str | Selection) -> str:
    if isinstance(asked, str):
        return "everything that is watched"
    if asked.ids is not None:
        return " or ".join(asked.ids)
    return f"group {asked.group}" if asked.group is not None else f"what the search {asked.search} finds"


def _told(connection: Connection, name: str, change_id: int) -> tuple[Told, ...]:
    link, asker = delivery_changes, delivery_subscriptions
    rows = connection.execute(
        select(deliveries.c.id, addresses.c.uri, deliveries.c.type, deliveries.c.state, asker.c.wanted)
        .join(link, link.c.delivery_id == deliveries.c.id)
        .join(asker, asker.c.delivery_id == deliveries.c.id)
        .join(addresses, addresses.c.id == deliveries.c.address_id)
        .where(link.c.change_id == change_id, asker.c.name == name)
        .order_by(deliveries.c.number)
    )
    return tuple(Told(row.id, row.uri, row.type, row.state) for row in rows if change_id in row.wanted)
