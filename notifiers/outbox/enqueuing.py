"""Who is to be told of what happened to a record: decided and written in the transaction that stores it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import Connection, bindparam, select, update

from notifiers import filters, search_members, subscriptions, watches
from notifiers.calendar import Quiet, quiet_until
from notifiers.outbox.rows import Asker, Due, put
from notifiers.subscriptions import Stored, Subscription, Timing
from notifiers.tables import deliveries, delivery_subscriptions, subscription_addresses, wanted_changes
from notifiers.watches import Watch
from snapshots import archive
from snapshots.archive import Step, StoredChange
from snapshots.changes import Change
from snapshots.database import insert_absent
from snapshots.kinds import at_least
from snapshots.trial import Trial

NEVER_TOLD = frozenset({"record.first_seen"})
"""Kinds that go to the history only: a first look is no news."""
NEVER_TOLD_CAUSES = frozenset({"back-filled"})
"""Steps that somebody only now learnt of, though they are long past."""

HOLDABLE = frozenset(
    {
        "site.added",
        "site.removed",
        "site.renamed",
        "site.moved",
        "country.added",
        "country.removed",
        "arm.changed",
        "intervention.changed",
        "primary_outcome.reworded",
        "primary_outcome.time_frame_changed",
        "primary_outcome.description_changed",
        "secondary_outcome.changed",
        "other_outcome.changed",
        "eligibility.criteria_changed",
        "eligibility.population_changed",
        "organization.changed",
        "responsible_party.changed",
        "official.changed",
        "title.changed",
        "description.changed",
        "keyword.changed",
        "why_stopped.changed",
        "publication.changed",
        "link.changed",
        "ipd_sharing.changed",
        "design.changed",
        "record.changed",
    }
)
"""Changes of texts and places, as a registry makes them in masses when it reformats its records. Nothing else is held,
and neither is a message that tells anything else beside them."""


class _Want(Struct, frozen=True):
    """A subscription and what it wants of a step. `muted`: snoozed, or the record's watch is."""

    stored: Stored
    changes: tuple[StoredChange, ...]
    muted: bool


def enqueue(
    connection: Connection, step: Step, trial: Trial | None, now: datetime, held_until: datetime | None = None
) -> list[str]:
    """Write what is due at once because of `step` (of `trial`, as it is after it), and note what digests will tell.

    One delivery for each address, naming all subscriptions that want something of it and the union of what they want.
    Returns the ids of the deliveries. What was back-filled, and a record's first look, are due to nobody. `held_until`:
    deliveries about nothing but texts and places wait for the sweep's end, and that long at most. In the caller's
    transaction; doing it twice for a step writes nothing more.
    """
    changes = _tellable(step)
    if not changes:
        return []
    wants = _wants(connection, step, trial, changes, now)
    _note_wanted(connection, step, wants)
    by_address = _by_address(connection, wants)
    written: list[str] = []
    for address_id, asked in by_address.items():
        due = _due(connection, step, address_id, asked, now=now, held_until=held_until)
        delivery_id = put(connection, due, now)
        if delivery_id:
            _bring_forward(connection, due)
            written.append(delivery_id)
    return written


def type_of(step: Step) -> str:
    """Which type of message tells a step."""
    if step.registry_id is None:
        return "registry.notice"
    return "search.changed" if step.cause == "search" else "trial.changed"


def thread_of(step: Step) -> str:
    """Within what the order of messages is kept: the record, or the registry's notices."""
    return f"record:{step.registry}/{step.registry_id}" if step.registry_id else f"registry:{step.registry}"


def is_holdable(changes: Iterable[StoredChange]) -> bool:
    """Whether all of these are changes of texts and places."""
    return all(stored.change.kind in HOLDABLE for stored in changes)


def _tellable(step: Step) -> tuple[StoredChange, ...]:
    if step.cause in NEVER_TOLD_CAUSES:
        return ()
    return tuple(stored for stored in step.changes if stored.change.kind not in NEVER_TOLD)


def _wants(
    connection: Connection, step: Step, trial: Trial | None, changes: Sequence[StoredChange], now: datetime
) -> list[_Want]:
    watching = _watching(connection, step, trial)
    together = [stored.change for stored in changes]
    found = []
    for stored in subscriptions.listing(connection):
        subscription = stored.subscription
        # one that "began" after the present is there all the same: the clock was set back since
        if subscription.paused or step.observed_at < stored.created_at <= now:
            continue
        mine = watching.selected(subscription)
        wanted = tuple(
            one for one in changes if watching.concerns(mine, one) and _is_wanted(subscription, one, trial, together)
        )
        if not wanted:
            continue
        muted = subscription.is_snoozed(now) or (bool(mine) and all(watch.is_snoozed(now) for watch in mine))
        found.append(_Want(stored, wanted, muted))
    return found


class _Watching(Struct, frozen=True):
    """Why a step's record is watched: by which watches; all ids that it is known by; the searches that it is of, which
    are those that find it now, and in a step of searches those that it tells of. `is_record`: it is about a record.
    """

    watches: list[Watch]
    names: set[str]
    searches: set[str]
    by_search: bool
    is_record: bool

    def selected(self, subscription: Subscription) -> list[Watch]:
        """The watches among those that a subscription is about."""
        return [
            watch
            for watch in self.watches
            if subscriptions.selects(
                subscription.watches,
                self.names,
                [watch.group] if watch.group else [],
                {watch.name or ""} & self.searches if watch.search is not None else (),
            )
        ]

    def concerns(self, mine: Sequence[Watch], stored: StoredChange) -> bool:
        """Whether a change is told to who is about these watches: what a search finds, only to who is about it."""
        if not self.is_record:
            return True
        if not self.by_search:
            return bool(mine)
        return any(watch.name == _search(stored) for watch in mine)


def _watching(connection: Connection, step: Step, trial: Trial | None) -> _Watching:
    if step.registry_id is None:
        return _Watching([], set(), set(), by_search=False, is_record=False)
    record = archive.find_record(connection, step.registry, step.registry_id)
    names = {step.registry_id, *(record.former_ids if record else ()), *((trial.id, *trial.aliases) if trial else ())}
    watching = watches.of_record(connection, step.registry, names)
    by_search = step.cause == "search"
    if by_search:
        searches = {_search(stored) for stored in step.changes}
        watching = watches.searches(connection, step.registry, searches)
    else:
        searches = set(search_members.finding(connection, names))
    return _Watching(watching, names, searches, by_search=by_search, is_record=True)


def _search(stored: StoredChange) -> str:
    """The saved search that a change is about."""
    return str((stored.change.subject or {}).get("name"))


def _is_wanted(
    subscription: Subscription, stored: StoredChange, trial: Trial | None, together: Sequence[Change]
) -> bool:
    return filters.decide(subscription.when, stored.change, trial, subscription.severity, together).wanted


def _note_wanted(connection: Connection, step: Step, wants: Sequence[_Want]) -> None:
    rows = [
        {
            "subscription_id": want.stored.id,
            "change_id": stored.id,
            "step_id": step.id,
            "registry": step.registry,
            "record_id": step.registry_id,
            "observed_at": step.observed_at,
        }
        for want in wants
        for stored in want.changes
    ]
    insert_absent(connection, wanted_changes, rows)


_ADDRESSES = (
    select(subscription_addresses.c.subscription_id, subscription_addresses.c.address_id)
    .where(subscription_addresses.c.subscription_id.in_(bindparam("ids", expanding=True)))
    .order_by(subscription_addresses.c.subscription_id, subscription_addresses.c.position)
)


def _by_address(connection: Connection, wants: Iterable[_Want]) -> Mapping[int, list[_Want]]:
    """Who is to be told at once, and of what."""
    at_once = {want.stored.id: told for want in wants if not want.muted and (told := _at_once(want))}
    pairs = connection.execute(_ADDRESSES, {"ids": list(at_once)}) if at_once else ()
    by_address: dict[int, list[_Want]] = defaultdict(list)
    for subscription_id, address_id in pairs:
        by_address[address_id].append(at_once[subscription_id])
    return by_address


def _at_once(want: _Want) -> _Want | None:
    """The part of what is wanted that does not wait for a digest."""
    subscription = want.stored.subscription
    if isinstance(subscription.deliver, Timing):
        floor = subscription.deliver.immediately
        told = tuple(
            one
            for one in want.changes
            if floor and at_least(filters.severity(one.change, subscription.severity), floor)
        )
        return _Want(want.stored, told, want.muted) if told else None
    return want


def _due(
    connection: Connection,
    step: Step,
    address_id: int,
    wants: Sequence[_Want],
    *,
    now: datetime,
    held_until: datetime | None,
) -> Due:
    holdable = is_holdable(stored for want in wants for stored in want.changes)
    return Due(
        type=type_of(step),
        address_id=address_id,
        due_key=f"step:{step.id}",
        thread=thread_of(step),
        step_id=step.id,
        askers=[
            Asker(want.stored.id, want.stored.subscription.name, tuple(one.id for one in want.changes))
            for want in wants
        ],
        # whoever may be told first: the others' quiet hours do not silence what one subscription has to say
        planned_at=min(_not_before(connection, want.stored, address_id, now) for want in wants),
        held_until=held_until if holdable else None,
    )


def _not_before(connection: Connection, stored: Stored, address_id: int, now: datetime) -> datetime:
    subscription = stored.subscription
    moment = _after_quiet(subscription.quiet, now)
    if subscription.max_per_hour is None:
        return moment
    nth = _planned_last(connection, stored.id, address_id, subscription.max_per_hour)
    if nth is None or nth + timedelta(hours=1) <= moment:
        return moment
    return _after_quiet(subscription.quiet, nth + timedelta(hours=1))


def _bring_forward(connection: Connection, due: Due) -> None:
    """What is still to be told of the record before this goes with it: else the order within a record would make this
    wait for quiet hours and limits that belong to other subscriptions.
    """
    later = (
        (deliveries.c.address_id == due.address_id)
        & (deliveries.c.thread == due.thread)
        & (deliveries.c.state == "pending")
        & (deliveries.c.tries == 0)
        & (deliveries.c.next_attempt_at > due.planned_at)
        & (deliveries.c.planned_at > due.planned_at)
    )
    sooner = {"planned_at": due.planned_at, "next_attempt_at": due.planned_at}
    connection.execute(update(deliveries).where(later).values(**sooner))


def _after_quiet(quiet: Quiet | None, moment: datetime) -> datetime:
    return quiet_until(quiet, moment) or moment


def _planned_last(connection: Connection, subscription_id: int, address_id: int, number: int) -> datetime | None:
    """When the `number`-th last message of a subscription to an address was planned."""
    link = delivery_subscriptions
    return connection.execute(
        select(deliveries.c.planned_at)
        .join(link, link.c.delivery_id == deliveries.c.id)
        .where(link.c.subscription_id == subscription_id, deliveries.c.address_id == address_id)
        .where(deliveries.c.state != "cancelled", deliveries.c.type != "digest")
        .order_by(deliveries.c.planned_at.desc())
        .offset(number - 1)
        .limit(1)
    ).scalar()
