"""A subscription read from a table of a file or of the API, and what can be wrong with one."""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time
from difflib import get_close_matches
from typing import Any, Literal, TypeVar

import msgspec

from notifiers import addresses
from notifiers.calendar import Quiet, check_digest_time, check_quiet
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
from notifiers.subscriptions.wanted import Json, Selection, Subscription, Timing
from snapshots.places import find_place

T = TypeVar("T")


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
        return _in_utc(key, value)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    raise InvalidValue(key, f"{value!r} is no date")


def _in_utc(key: str, value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise InvalidValue(key, f"{value.isoformat()} is no time that can be meant") from None


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
