"""Why a subscription wants a stored change or does not: everything that is asked before it is told, one by one."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, select

from notifiers import watches
from notifiers.backtest import Parse
from notifiers.explaining import Check, explain
from notifiers.subscriptions import Selection, Stored, Subscription
from notifiers.tables import addresses, deliveries, delivery_changes, delivery_subscriptions
from notifiers.wanting import NEVER_TOLD, NEVER_TOLD_CAUSES, Watching, at_once, watching_of
from notifiers.when_told import when_told
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
    """Whether the subscription, as it stands now, wants the change: it does where all checks hold. `when` says in
    sentences when such a change is told, and what keeps it back. `told`: what the ledger says was sent of it for this
    subscription, whatever it asked for then.
    """

    step: Step
    stored: StoredChange
    checks: tuple[Check, ...]
    when: tuple[str, ...] = ()
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


def why(  # noqa: PLR0917 - what is asked, of what, as of when
    connection: Connection, asker: Stored, step: Step, stored: StoredChange, parse: Parse, now: datetime | None = None
) -> Answer:
    """Everything that is asked of the change before the subscription is told of it; `now` (aware UTC) is when it rests
    or it is quiet. Without it: as of when the change was observed.
    """
    subscription = asker.subscription
    version = step.to_version
    trial = parse[step.registry](archive.read_version(connection, version)) if version is not None else None
    watching = watching_of(connection, step, trial)
    together = [one.change for one in step.changes]
    checks = (
        *_ever(step, stored),
        *_in_time(asker, step),
        _selected(connection, subscription, watching, step, stored),
        *explain(subscription.when, stored.change, trial, subscription.severity, together),
    )
    mine = watching.selected(subscription)
    is_at_once = at_once(subscription, stored.change, trial)
    wanted = all(check.holds for check in checks)
    return Answer(
        step=step,
        stored=stored,
        checks=checks,
        when=when_told(connection, asker, mine, is_at_once, now or step.observed_at) if wanted else (),
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
        author = asker.subscription.silence.author
        words = f"the subscription is paused{author}; it wants nothing until `trialdelta subscription resume` ends that"
        checks.append(Check("paused", False, words))
    if step.observed_at < asker.created_at:
        seen, began = _said(step.observed_at), _said(asker.created_at)
        checks.append(Check("since", False, f"the change was observed {seen}, before the subscription began {began}"))
    return tuple(checks)


def _said(moment: datetime) -> str:
    return rfc3339(moment.replace(microsecond=0))


def _selected(
    connection: Connection, subscription: Subscription, watching: Watching, step: Step, stored: StoredChange
) -> Check:
    if not watching.is_record:
        return Check("watches", True, "the change is about the registry as a whole, which concerns everybody")
    mine = watching.selected(subscription)
    holds = watching.concerns(mine, stored)
    if not watching.watches:
        return Check("watches", False, _unwatched(connection, watching, step))
    ways = dict.fromkeys(_way(one.called, one.group, step.registry_id) for one in watching.watches)
    by = "; ".join(filter(None, ways))
    watched = f"{step.registry_id} is watched{f' ({by})' if by else ''}"
    return Check("watches", holds, f"{watched}; asked for: {_about(subscription.watches)}")


def _way(called: str, group: str | None, record: str | None) -> str:
    """How a record is watched: by which search or under which name, and in which group; "" for by itself."""
    parts = ("" if called == record else called, f"in group {group}" if group else "")
    return " ".join(filter(None, parts))


def _unwatched(connection: Connection, watching: Watching, step: Step) -> str:
    """Why nothing of the record is told: nobody watches it, or those who do paused it."""
    paused = [
        f"{watch.called} is paused{watch.silence.author}"
        for watch in watches.listing(connection)
        if watch.paused and watch.registry == step.registry and watch.record_id in watching.names
    ]
    return "; ".join(paused) or f"{step.registry_id} is not watched, or the search that found it is paused"


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
