"""Who is to be told of what happened to a record: decided and written in the transaction that stores it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace
from sqlalchemy import BindParameter, Connection, bindparam, select, update

from notifiers import subscriptions, wanting, watches
from notifiers.calendar import quiet_until
from notifiers.outbox import folding, waking
from notifiers.outbox.rows import Asker, Due, put
from notifiers.tables import deliveries, subscription_addresses, wanted_changes
from notifiers.wanting import Want
from snapshots.archive import Step, StoredChange
from snapshots.database import UtcDateTime, insert_absent
from snapshots.trial import Trial

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


def enqueue(
    connection: Connection, step: Step, trial: Trial | None, now: datetime, held_until: datetime | None = None
) -> list[str]:
    """Write what is due at once because of `step` (of `trial`, as it is after it), and note what digests will tell.

    One delivery for each address, naming all subscriptions that want something of it and the union of what they want.
    Returns the ids of the deliveries. What was back-filled, and a record's first look, are due to nobody. `held_until`:
    deliveries about nothing but texts and places wait for the sweep's end, and that long at most. In the caller's
    transaction; doing it twice for a step writes nothing more.
    """
    wants = _wants(connection, step, trial, now)
    if not wants:
        return []
    _note_wanted(connection, step, wants)
    _wait_no_later(connection, step, trial, wants)
    by_address = _by_address(connection, wants, trial)
    written: list[str] = []
    for address_id, asked in by_address.items():
        due = _due(connection, step, address_id, asked, now=now, held_until=held_until)
        delivery_id = put(connection, due, now)
        if delivery_id:
            _bring_forward(connection, due)
            written.append(delivery_id)
    return written


def _wants(connection: Connection, step: Step, trial: Trial | None, now: datetime) -> list[Want]:
    """Who wants what, after snoozes have ended that end with a critical change."""
    if not wanting.tellable(step):
        return []
    watching = wanting.watching_of(connection, step, trial)
    wants = wanting.wants(connection, step, trial, now, watching)
    if waking.wake_critical(connection, step, trial, watching.watches, wants, now, thread_of(step)):
        return wanting.wants(connection, step, trial, now)
    return wants


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


def _note_wanted(connection: Connection, step: Step, wants: Sequence[Want]) -> None:
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


def _wait_no_later(connection: Connection, step: Step, trial: Trial | None, wants: Sequence[Want]) -> None:
    """What a snooze keeps back is told at its end by when it was observed; a clock that was set back since the snooze
    began may say that this was before.
    """
    for want in wants:
        if want.muted and want.stored.waits_from and step.observed_at < want.stored.waits_from:
            subscriptions.wait_from(connection, want.stored.id, step.observed_at)
    if any(want.muted for want in wants):
        for watch in wanting.watching_of(connection, step, trial).watches:
            if watch.waits_from and step.observed_at < watch.waits_from:
                watches.wait_from(connection, watch.id, step.observed_at)


_ADDRESSES = (
    select(subscription_addresses.c.subscription_id, subscription_addresses.c.address_id)
    .where(subscription_addresses.c.subscription_id.in_(bindparam("ids", expanding=True)))
    .where(subscription_addresses.c.stopped_at.is_(None))
    .order_by(subscription_addresses.c.subscription_id, subscription_addresses.c.position)
)


def _by_address(connection: Connection, wants: Iterable[Want], trial: Trial | None) -> Mapping[int, list[Want]]:
    """Who is to be told at once, and of what."""
    at_once = {want.stored.id: told for want in wants if not want.muted and (told := _at_once(want, trial))}
    pairs = connection.execute(_ADDRESSES, {"ids": list(at_once)}) if at_once else ()
    by_address: dict[int, list[Want]] = defaultdict(list)
    for subscription_id, address_id in pairs:
        by_address[address_id].append(at_once[subscription_id])
    return by_address


def _at_once(want: Want, trial: Trial | None) -> Want | None:
    """The part of what is wanted that does not wait for a digest."""
    subscription = want.stored.subscription
    told = tuple(one for one in want.changes if wanting.at_once(subscription, one.change, trial))
    return Want(want.stored, told, want.muted) if told else None


def _due(
    connection: Connection,
    step: Step,
    address_id: int,
    wants: Sequence[Want],
    *,
    now: datetime,
    held_until: datetime | None,
) -> Due:
    holdable = is_holdable(stored for want in wants for stored in want.changes)
    due = Due(
        type=type_of(step),
        address_id=address_id,
        due_key=f"step:{step.id}",
        thread=thread_of(step),
        step_id=step.id,
        named=(step.registry_id, step.title) if step.registry_id is not None else None,
        askers=[
            Asker(want.stored.id, want.stored.subscription.name, tuple(one.id for one in want.changes))
            for want in wants
        ],
        # whoever may be told first: the others' quiet hours do not silence what one subscription has to say
        planned_at=min(quiet_until(want.stored.subscription.quiet, now) or now for want in wants),
        held_until=held_until if holdable else None,
    )
    return _put_off(
        due, folding.behind_summary(connection, due, now) or _over_limit(connection, wants, address_id, now)
    )


def _over_limit(connection: Connection, wants: Sequence[Want], address_id: int, now: datetime) -> datetime | None:
    """When the first of these is told in a summary; None where one of them may be told by itself."""
    put_off = [folding.put_off_until(connection, want.stored, address_id, now) for want in wants]
    return min((each for each in put_off if each), default=None) if all(put_off) else None


def _put_off(due: Due, until: datetime | None) -> Due:
    return due if until is None else replace(due, summary_at=until, planned_at=until + folding.UNFOLDED)


def _bring_forward(connection: Connection, due: Due) -> None:
    """What is still to be told of the record before this goes with it: else the order within a record would make this
    wait for quiet hours and limits that belong to other subscriptions.
    """
    if due.summary_at is None:  # else it waits for a summary itself
        here = {"address": due.address_id, "of_thread": due.thread, "at": due.planned_at}
        connection.execute(_SOONER, here)


_AT: BindParameter[datetime] = bindparam("at", type_=UtcDateTime())
_SOONER = (
    update(deliveries)
    .where(deliveries.c.address_id == bindparam("address"), deliveries.c.thread == bindparam("of_thread"))
    # (a further try that waits for its time was planned before; one that waits for the end of a quiet time was not)
    .where(deliveries.c.state == "pending")
    .where(deliveries.c.next_attempt_at > _AT, deliveries.c.planned_at > _AT)
    .values(planned_at=_AT, next_attempt_at=_AT, summary_at=None)
)
"""Built once: every message that becomes due asks it."""
