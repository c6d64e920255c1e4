"""Who wants to be told of what, where, and when: a subscription, what can be wrong with one, and where it is kept."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from difflib import get_close_matches
from typing import Any, Literal, TypeVar

import msgspec
import structlog
from msgspec import Struct
from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from notifiers import addresses, replacing, revisions
from notifiers.calendar import DigestTime, Every, Quiet, check_digest_time, check_quiet, next_due
from notifiers.conditions import (
    LISTS,
    Conditions,
    FindPlace,
    InvalidValue,
    check_conditions,
    check_kind_pattern,
    check_severity,
    located,
)
from notifiers.silences import Silence
from notifiers.tables import addresses as address_table
from notifiers.tables import (
    deliveries,
    delivery_changes,
    delivery_subscriptions,
    subscription_addresses,
    subscriptions,
    wanted_changes,
)
from snapshots.archive.tables import steps
from snapshots.places import find_place

Json = Any
T = TypeVar("T")

log = structlog.get_logger()


class Selection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which watches a subscription is about: exactly one of a group, ids, or a saved search (its name)."""

    group: str | None = None
    ids: tuple[str, ...] | None = None
    search: str | None = None


class Timing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A digest, and which severity (and those above it) does not wait for it. `on`, `at`, `timezone`: DigestTime."""

    digest: Every
    immediately: str | None = None
    on: str | int | None = None
    at: str = "08:00"
    timezone: str = "UTC"

    @property
    def digest_time(self) -> DigestTime:
        """When the digest is due."""
        return DigestTime(every=self.digest, on=self.on, at=self.at, timezone=self.timezone)


class Subscription(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One wish to be told, under the keys of the watchlist file.

    A paused subscription wants nothing. A snoozed one sends nothing until then, or until the next critical change that
    it wants (`snooze_until_critical`); what it wanted meanwhile is told in its next digest after that, if it has
    digests, and else in one summary. `silenced_by` and `silence_reason` say who paused or snoozed it and why. Quiet
    hours and `max_per_hour` (for each of its addresses) put off what would be sent at once, and lose nothing: what is
    over the limit is told in one summary an hour. `templates` is a folder.
    """

    name: str
    to: tuple[str, ...]
    watches: Literal["all"] | Selection = "all"
    when: Conditions = Conditions()
    deliver: Literal["immediately"] | Timing = "immediately"
    severity: dict[str, str] = {}
    quiet: Quiet | None = None
    max_per_hour: int | None = None
    snooze_until: datetime | None = None
    snooze_until_critical: bool = False
    templates: str | None = None
    paused: bool = False
    silenced_by: str | None = None
    silence_reason: str | None = None

    @property
    def digest(self) -> DigestTime | None:
        """When its digests are due; None where everything is told at once."""
        return self.deliver.digest_time if isinstance(self.deliver, Timing) else None

    @property
    def silence(self) -> Silence:
        """Its pause or snooze, who said so and why."""
        return Silence(
            paused=self.paused,
            until=self.snooze_until,
            until_critical=self.snooze_until_critical,
            by=self.silenced_by,
            reason=self.silence_reason,
        )

    def is_snoozed(self, now: datetime) -> bool:
        return self.silence.is_snoozed(now)


class Stored(Struct, frozen=True, kw_only=True):
    """A subscription as it is kept. `next_digest_at` is None where it has no digest; what was observed `waits_from`
    then on waits for the end of its snooze. Times are aware UTC.
    """

    id: int
    subscription: Subscription
    created_at: datetime
    next_digest_at: datetime | None
    last_digest_at: datetime | None
    waits_from: datetime | None = None


# --- reading and checking ---------------------------------------------------------------------------------------------


def from_table(table: Mapping[str, Json], find: FindPlace = find_place) -> Subscription:
    """The subscription in a TOML table or JSON object, its shape checked; `check` asks whether it can be meant.

    A place that is named alone is looked up by `find` and kept with its coordinates. Raises InvalidValue for an unknown
    key, a value of the wrong shape, or a place that is not known or not clear.
    """
    plain = dict(table)
    if isinstance(plain.get("when"), Mapping):
        when = {key: _as_list(key, value) for key, value in plain["when"].items()}
        plain["when"] = _within("when", located, when, find)
    to = [plain["to"]] if isinstance(plain.get("to"), str) else plain.get("to", [])
    plain["to"] = [addresses.canonical(uri) if isinstance(uri, str) else uri for uri in _each(to)]
    if "snooze_until" in plain:
        plain["snooze_until"] = moment("snooze_until", plain["snooze_until"])
    return shaped(plain, Subscription)


def shaped(table: Mapping[str, Json], kind: type[T]) -> T:
    """The object of `kind` in a plain table. Raises InvalidValue naming the key that is unknown or of a wrong shape."""
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        raise _said_plainly(str(error), kind) from None


def moment(key: str, value: Json) -> datetime:
    """The moment that a person gave: a day means its beginning in UTC, a time needs its offset. Raises InvalidValue."""
    if isinstance(value, str):
        value = _from_iso(key, value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidValue(key, f"{value.isoformat()} needs an offset, e.g. {value.isoformat()}Z")
        return value.astimezone(UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    raise InvalidValue(key, f"{value!r} is no date")


def check(subscription: Subscription, schemes: Collection[str] = addresses.SCHEMES) -> None:
    """Raises InvalidValue for the first thing that cannot be meant, naming its key and value."""
    if not subscription.name.strip():
        raise InvalidValue("name", "a subscription needs a name")
    if len(set(subscription.to)) != len(subscription.to):
        raise InvalidValue("to", "an address is given twice")
    for uri in subscription.to:
        _within("to", addresses.check_uri, uri, schemes)
    _check_selection(subscription.watches)
    _within("when", check_conditions, subscription.when)
    _check_timing(subscription.deliver)
    for pattern, severity in subscription.severity.items():
        check_kind_pattern("severity", pattern)
        check_severity(f'severity."{pattern}"', severity)
    if subscription.quiet is not None:
        _within("quiet", check_quiet, subscription.quiet)
    if subscription.max_per_hour is not None and subscription.max_per_hour < 1:
        raise InvalidValue("max_per_hour", f"{subscription.max_per_hour} is not a number of messages from 1 on")


def _check_selection(selection: Literal["all"] | Selection) -> None:
    if isinstance(selection, str):
        return
    given = [key for key in ("group", "ids", "search") if getattr(selection, key) is not None]
    if len(given) != 1:
        raise InvalidValue("watches", f'needs exactly one of group, ids, search, or is "all"; {len(given)} are given')
    if selection.ids is not None and not selection.ids:
        raise InvalidValue("watches.ids", "is empty: nothing would ever be told")


def _check_timing(deliver: Literal["immediately"] | Timing) -> None:
    if isinstance(deliver, str):
        return
    if deliver.immediately is not None:
        check_severity("deliver.immediately", deliver.immediately)
    _within("deliver", check_digest_time, deliver.digest_time)


def _within(place: str, checker: Any, *values: object) -> Any:
    try:
        return checker(*values)
    except InvalidValue as error:
        raise error.under(place) from None


def _each(value: Json) -> Json:
    """A list as it is; what is none in a list, for the check of its shape to complain of."""
    return value if isinstance(value, list | tuple) else [value]


def _as_list(key: str, value: Json) -> Json:
    return [value] if key in LISTS and isinstance(value, str) else value


def _from_iso(key: str, value: str) -> date:
    try:
        return date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
    except ValueError:
        raise InvalidValue(key, f"{value!r} is no date, e.g. 2026-12-01") from None


def _said_plainly(message: str, kind: type) -> InvalidValue:
    """What msgspec complains of, in the words of the file: `Object contains unknown field `x` - at `$.a``."""
    problem, _, place = message.partition(" - at `$")
    place = place.removesuffix("`").lstrip(".")
    for beginning, told in (("Object contains unknown field", "unknown key"), ("Object missing required field", "")):
        if problem.startswith(beginning):
            field = problem.split("`")[1]
            key = f"{place}.{field}" if place else field
            return InvalidValue(key, f"{told}{_close_key(field, kind)}" if told else "is missing")
    return InvalidValue(place, problem[:1].lower() + problem[1:])


def _close_key(field: str, kind: type) -> str:
    parts = (kind, Conditions, Timing, Quiet, Selection) if kind is Subscription else (kind,)
    known = [name for part in parts for name in getattr(part, "__struct_encode_fields__", ())]
    close = get_close_matches(field, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


# --- keeping ----------------------------------------------------------------------------------------------------------


def save(connection: Connection, subscription: Subscription, now: datetime) -> dict[str, str]:
    """Keep a checked subscription under its name, new or in place of the one before.

    Returns the secrets made for web addresses never told before, by URI: the only time they are shown. A subscription
    that is changed keeps when it began; what it wanted already stays wanted, but where it is put to sleep nothing goes
    out that still waits for it: its next digest, if it has any, tells that.
    """
    known = find(connection, subscription.name)
    if known is None:
        values = _columns(subscription) | {"created_at": now, "next_digest_at": _first_digest(subscription, now)}
        values |= {"waits_from": now} if subscription.is_snoozed(now) else {}
        made = connection.execute(insert(subscriptions).values(**values).returning(subscriptions.c.id)).scalar_one()
        revisions.touch(connection, made)
        return _set_addresses(connection, made, subscription.to, now)
    values = _columns(subscription)
    if known.subscription.digest != subscription.digest:
        # a digest that is given up has a last one, of what waited for it
        values["next_digest_at"] = _first_digest(subscription, now) or now
    if subscription.is_snoozed(now) and known.waits_from is None:
        values["waits_from"] = _oldest_waiting(connection, known.id, now)
    connection.execute(update(subscriptions).where(subscriptions.c.id == known.id).values(**values))
    revisions.touch(connection, known.id)
    if subscription.paused or subscription.is_snoozed(now):
        cancel_unwanted(connection, known.id, None, now)
    return _set_addresses(connection, known.id, subscription.to, now)


def _oldest_waiting(connection: Connection, subscription_id: int, now: datetime) -> datetime:
    """When the oldest was observed that is queued for it: it is called back, and waits for the snooze's end."""
    link = delivery_subscriptions
    queued = select(link.c.delivery_id).join(deliveries, deliveries.c.id == link.c.delivery_id)
    queued = queued.where(link.c.subscription_id == subscription_id, deliveries.c.state.in_(("pending", "held")))
    told = select(delivery_changes.c.change_id).where(delivery_changes.c.delivery_id.in_(queued))
    mine = (wanted_changes.c.subscription_id == subscription_id) & wanted_changes.c.change_id.in_(told)
    oldest = connection.execute(select(func.min(wanted_changes.c.observed_at)).where(mine)).scalar()
    return min(oldest or now, now)


def wait_from(connection: Connection, subscription_id: int, moment: datetime | None) -> None:
    """What was observed from then on waits (None: nothing does any more, and the subscription's snooze is over)."""
    over = {"snooze_until": None, "snooze_until_critical": False, "silenced_by": None, "silence_reason": None}
    values = {"waits_from": moment, **(over if moment is None else {})}
    connection.execute(update(subscriptions).where(subscriptions.c.id == subscription_id).values(**values))
    revisions.touch(connection, subscription_id)


def rename(connection: Connection, name: str, new_name: str) -> bool:
    """Call a subscription otherwise; whether there is one of that name. What waits for it waits under its new name;
    what was told stays as it was said.
    """
    known = connection.execute(select(subscriptions.c.id).where(subscriptions.c.name == name)).scalar()
    if known is None:
        return False
    connection.execute(update(subscriptions).where(subscriptions.c.id == known).values(name=new_name))
    link = delivery_subscriptions
    still_open = select(deliveries.c.id).where(deliveries.c.next_attempt_at.is_not(None))
    waiting = (link.c.subscription_id == known) & link.c.delivery_id.in_(still_open)
    connection.execute(update(link).where(waiting).values(name=new_name))
    revisions.touch(connection, known)
    return True


def remove(connection: Connection, name: str, now: datetime) -> bool:
    """Remove a subscription; whether there was one. What is still due for nobody else is cancelled; the ledger of what
    was told stays.
    """
    known = connection.execute(select(subscriptions.c.id).where(subscriptions.c.name == name)).scalar()
    if known is None:
        return False
    cancel_unwanted(connection, known, None, now)
    connection.execute(delete(subscriptions).where(subscriptions.c.id == known))
    return True


def unsubscribe(connection: Connection, name: str, uri: str, now: datetime) -> bool:
    """Tell one address no more of one subscription; whether it was told. What is still due to it for nobody else is
    cancelled.
    """
    pair = connection.execute(
        select(subscriptions.c.id, address_table.c.id)
        .join(subscription_addresses, subscription_addresses.c.subscription_id == subscriptions.c.id)
        .join(address_table, subscription_addresses.c.address_id == address_table.c.id)
        .where(subscriptions.c.name == name, address_table.c.uri == uri)
    ).first()
    if pair is None:
        return False
    cancel_unwanted(connection, pair[0], pair[1], now)
    connection.execute(delete(subscription_addresses).where(_pair(pair[0], pair[1])))
    return True


def find(connection: Connection, name: str, *, addressed: bool = True) -> Stored | None:
    """The subscription of that name; without its addresses where the caller does not look at them."""
    row = connection.execute(_NAMED, {"named": name}).first()
    if row is None:
        return None
    return _stored(row, _uris(connection, [row.id]).get(row.id, ()) if addressed else ())


def listing(connection: Connection) -> list[Stored]:
    """All subscriptions, by name."""
    return _read(connection)


def with_ids(connection: Connection, ids: Collection[int]) -> list[Stored]:
    """Those of these numbers that are there, by name."""
    found = [one for batch in _batches(sorted(ids)) for one in _stored_of(connection, _WITH_IDS, batch)]
    return sorted(found, key=lambda one: one.subscription.name)


def changed_since(connection: Connection, revision: int) -> list[Stored]:
    """Those that are new or ask for something else since a revision (`revisions`), without their addresses; below 0:
    all of them.
    """
    newer = _ALL.where(subscriptions.c.revision > revision) if revision >= 0 else _ALL
    return [_stored(row, ()) for row in connection.execute(newer)]


def selects(
    selection: Literal["all"] | Selection, ids: Collection[str], groups: Collection[str], searches: Collection[str] = ()
) -> bool:
    """Whether a selection holds a record known by `ids` (all of them), watched in `groups`, and found by `searches`
    (their names).
    """
    if isinstance(selection, str):
        return True
    if selection.ids is not None:
        return not set(selection.ids).isdisjoint(ids)
    if selection.search is not None:
        return selection.search in searches
    return selection.group is not None and selection.group in groups


IDS_AT_ONCE = 5000

_ALL = select(subscriptions).order_by(subscriptions.c.name)
_NAMED = _ALL.where(subscriptions.c.name == bindparam("named"))
_WITH_IDS = select(subscriptions).where(subscriptions.c.id.in_(bindparam("ids", expanding=True)))
_URIS = (
    select(subscription_addresses.c.subscription_id, address_table.c.uri)
    .join(address_table, address_table.c.id == subscription_addresses.c.address_id)
    .where(subscription_addresses.c.subscription_id.in_(bindparam("ids", expanding=True)))
    .order_by(subscription_addresses.c.subscription_id, subscription_addresses.c.position)
)
"""Built once: these are asked for every changed record, or for every message."""


def _read(connection: Connection, *where: Any) -> list[Stored]:
    rows = connection.execute(_ALL.where(*where) if where else _ALL).all()
    told = _uris(connection, [row.id for row in rows])
    return [_stored(row, told.get(row.id, ())) for row in rows]


def _uris(connection: Connection, ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    uris: dict[int, tuple[str, ...]] = {}
    for batch in _batches(list(ids)):
        for subscription_id, uri in connection.execute(_URIS, {"ids": batch}):
            uris[subscription_id] = (*uris.get(subscription_id, ()), uri)
    return uris


def _batches(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    """No database takes any number of parameters."""
    return (ids[start : start + IDS_AT_ONCE] for start in range(0, len(ids), IDS_AT_ONCE))


def _stored_of(connection: Connection, query: Any, ids: Sequence[int]) -> list[Stored]:
    rows = connection.execute(query, {"ids": ids}).all()
    told = _uris(connection, [row.id for row in rows])
    return [_stored(row, told.get(row.id, ())) for row in rows]


def _stored(row: Row[Any], to: tuple[str, ...]) -> Stored:
    kept = {
        "name": row.name,
        "to": to,
        "watches": row.watches,
        "when": row.conditions,
        "deliver": row.timing,
        "severity": row.severity,
        "quiet": row.quiet,
        "max_per_hour": row.max_per_hour,
        "snooze_until": row.snooze_until,
        "snooze_until_critical": bool(row.snooze_until_critical),
        "templates": row.templates,
        "paused": row.paused,
        "silenced_by": row.silenced_by,
        "silence_reason": row.silence_reason,
    }
    return Stored(
        id=row.id,
        subscription=msgspec.convert(kept, Subscription),
        created_at=row.created_at,
        next_digest_at=row.next_digest_at,
        last_digest_at=row.last_digest_at,
        waits_from=row.waits_from,
    )


def _columns(subscription: Subscription) -> dict[str, Json]:
    return {
        "name": subscription.name,
        "watches": msgspec.to_builtins(subscription.watches),
        "conditions": msgspec.to_builtins(subscription.when),
        "timing": msgspec.to_builtins(subscription.deliver),
        "severity": subscription.severity,
        "quiet": msgspec.to_builtins(subscription.quiet),
        "max_per_hour": subscription.max_per_hour,
        "snooze_until": subscription.snooze_until,
        "snooze_until_critical": subscription.snooze_until_critical,
        "templates": subscription.templates,
        "paused": subscription.paused,
        "silenced_by": subscription.silenced_by,
        "silence_reason": subscription.silence_reason,
    }


def _first_digest(subscription: Subscription, now: datetime) -> datetime | None:
    return next_due(subscription.digest, now) if subscription.digest else None


def _set_addresses(connection: Connection, subscription_id: int, to: Iterable[str], now: datetime) -> dict[str, str]:
    secrets: dict[str, str] = {}
    link = subscription_addresses
    kept: list[int] = []
    added: list[int] = []
    for position, uri in enumerate(to):
        address_id, secret = addresses.ensure(connection, uri, now)
        kept.append(address_id)
        if secret:
            secrets[uri] = secret
        here = _pair(subscription_id, address_id)
        if not connection.execute(update(link).where(here).values(position=position)).rowcount:
            values = {"subscription_id": subscription_id, "address_id": address_id, "position": position}
            connection.execute(insert(link).values(**values, added_at=now, added_after=_newest_step(connection)))
            added.append(address_id)
    if added:
        replacing.take_places(connection, subscription_id, added, kept, now)
    _drop_addresses(connection, subscription_id, kept, now)
    return secrets


def _newest_step(connection: Connection) -> int:
    return connection.execute(select(func.max(steps.c.id))).scalar() or 0


def _drop_addresses(connection: Connection, subscription_id: int, kept: Collection[int], now: datetime) -> None:
    link = subscription_addresses
    gone = (link.c.subscription_id == subscription_id) & link.c.address_id.not_in(kept)
    for address_id in connection.execute(select(link.c.address_id).where(gone)).scalars().all():
        cancel_unwanted(connection, subscription_id, address_id, now)
    connection.execute(delete(link).where(gone))


def _pair(subscription_id: int, address_id: int) -> Any:
    link = subscription_addresses
    return (link.c.subscription_id == subscription_id) & (link.c.address_id == address_id)


def cancel_unwanted(connection: Connection, subscription_id: int, address_id: int | None, now: datetime) -> None:
    """Cancel what waits for this subscription alone; what is being sent right now can no longer be called back."""
    link = delivery_subscriptions
    other = link.alias()
    for_it = select(link.c.delivery_id).where(link.c.subscription_id == subscription_id)
    for_others = select(other.c.delivery_id).where(
        other.c.delivery_id == deliveries.c.id, other.c.subscription_id != subscription_id
    )
    where = [deliveries.c.id.in_(for_it), ~for_others.exists(), deliveries.c.state.in_(("pending", "held"))]
    if address_id is not None:
        where.append(deliveries.c.address_id == address_id)
    values = {"state": "cancelled", "next_attempt_at": None, "finished_at": now, "last_answer": "no longer wanted"}
    cancelled = update(deliveries).where(*where).values(**values).returning(deliveries.c.id)
    for delivery_id in connection.execute(cancelled).scalars():
        log.info("cancelled", delivery=delivery_id, reason=values["last_answer"])
    _leave_to_others(connection, subscription_id, address_id)


def call_back(connection: Connection, delivery_id: str, ids: Collection[int], now: datetime) -> bool:
    """Take back what these subscriptions want of a delivery that is not on its way yet; whether that was all of it."""
    link = delivery_subscriptions
    others = link.c.subscription_id.not_in(ids) | link.c.subscription_id.is_(None)
    here = select(link.c.name).where(link.c.delivery_id == delivery_id)
    if not ids or connection.execute(here.where(link.c.subscription_id.in_(ids))).first() is None:
        return False
    if connection.execute(here.where(others)).first() is not None:
        for subscription_id in ids:
            _leave_to_others(connection, subscription_id, None, delivery_id)
        return True
    values = {"state": "cancelled", "next_attempt_at": None, "finished_at": now, "summary_at": None}
    mine = deliveries.c.id == delivery_id
    connection.execute(update(deliveries).where(mine).values(**values, last_answer="called back: snoozed"))
    log.info("cancelled", delivery=delivery_id, reason="called back: snoozed")
    return True


def _leave_to_others(
    connection: Connection, subscription_id: int, address_id: int | None, delivery_id: str | None = None
) -> None:
    """What waits for other subscriptions too tells only what those want."""
    link = delivery_subscriptions
    here = [link.c.subscription_id == subscription_id, deliveries.c.state.in_(("pending", "held"))]
    if address_id is not None:
        here.append(deliveries.c.address_id == address_id)
    if delivery_id is not None:
        here.append(link.c.delivery_id == delivery_id)
    shared = select(link.c.delivery_id).join(deliveries, deliveries.c.id == link.c.delivery_id).where(*here)
    for shared_id in connection.execute(shared).scalars().all():
        mine = (link.c.delivery_id == shared_id) & (link.c.subscription_id == subscription_id)
        connection.execute(delete(link).where(mine))
        wanted = connection.execute(select(link.c.wanted).where(link.c.delivery_id == shared_id)).scalars()
        kept = {change for ids in wanted for change in ids}
        told = delivery_changes.c.delivery_id == shared_id
        connection.execute(delete(delivery_changes).where(told, delivery_changes.c.change_id.not_in(kept)))
