"""When is a digest due, and until when is it quiet: wall-clock times in a time zone, across daylight saving."""

import calendar
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from notifiers.conditions import InvalidValue

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_AT = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")

Every = Literal["daily", "weekly", "monthly"]


class DigestTime(Struct, frozen=True, kw_only=True):
    """Every day, every week `on` a weekday (Monday where none is given), or every month `on` a day of the month (the
    first; the month's last where it is shorter), `at` HH:MM on the wall clock of `timezone` (IANA name).

    A time that the clock skips in spring is due when the clock has moved on by as much; one that it shows twice in
    autumn is due at the first. A day that a place skips (30 December 2011 in Samoa) is due at that time of the next.
    """

    every: Every
    on: str | int | None = None
    at: str = "08:00"
    timezone: str = "UTC"


class Quiet(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From HH:MM until HH:MM on the wall clock of `timezone`; over midnight where `to` is the earlier."""

    from_: str = field(name="from")
    to: str
    timezone: str = "UTC"


def check_digest_time(digest: DigestTime) -> None:
    """Raises InvalidValue for a weekday, day, time or time zone that does not exist."""
    if digest.every == "daily" and digest.on is not None:
        raise InvalidValue("on", f"{digest.on!r} says nothing for a daily digest")
    if digest.every == "weekly" and not _is_weekday(digest.on):
        raise InvalidValue("on", f"{digest.on!r} is no weekday; it is one of {', '.join(WEEKDAYS)}")
    if digest.every == "monthly" and not _is_day_of_month(digest.on):
        raise InvalidValue("on", f"{digest.on!r} is no day of the month, 1 to 31")
    _check_time("at", digest.at)
    _check_zone(digest.timezone)


def check_quiet(quiet: Quiet) -> None:
    """Raises InvalidValue for a time or time zone that does not exist, or a quiet time without end."""
    _check_time("from", quiet.from_)
    _check_time("to", quiet.to)
    _check_zone(quiet.timezone)
    if quiet.from_ == quiet.to:
        raise InvalidValue("to", f"{quiet.to!r} is when it begins: it would never end")


def next_due(digest: DigestTime, after: datetime) -> datetime:
    """The first moment strictly later than `after` (aware) at which the digest is due, in UTC."""
    return next(moment for moment in _dues(digest, after) if moment > after)


def last_due(digest: DigestTime, now: datetime) -> datetime:
    """The latest moment up to and including `now` (aware) at which the digest was due, in UTC."""
    before = now - timedelta(days=63)  # a monthly digest is due at least once in any two months
    last = next_due(digest, before)
    while (following := next_due(digest, last)) <= now:
        last = following
    return last


def local_day(digest: DigestTime | None, now: datetime) -> date:
    """Which day it is where the digest is read; in UTC where there is none."""
    return now.astimezone(_zone(digest.timezone if digest else "UTC")).date()


def quiet_until(quiet: Quiet | None, now: datetime) -> datetime | None:
    """The moment, in UTC, when the quiet time that holds at `now` (aware) ends; None where it is not quiet."""
    if quiet is None:
        return None
    start, end = _clock(quiet.from_), _clock(quiet.to)
    today = now.astimezone(_zone(quiet.timezone)).date()
    # two days back: where a day is skipped, last night began on the day before it
    for day in (today - timedelta(days=2), today - timedelta(days=1), today):
        last_day = day if start < end else day + timedelta(days=1)
        ends = _moment(last_day, end, quiet.timezone)
        if _moment(day, start, quiet.timezone) <= now < ends:
            return ends
    return None


def _dues(digest: DigestTime, after: datetime) -> Iterator[datetime]:
    first = after.astimezone(_zone(digest.timezone)).date() - timedelta(days=1)
    at = _clock(digest.at)
    for day in _days(digest, first):
        yield _moment(day, at, digest.timezone)


def _days(digest: DigestTime, first: date) -> Iterator[date]:
    if digest.every == "monthly":
        yield from _month_days(int(digest.on or 1), first)
        return
    step = 1
    if digest.every == "weekly":
        first += timedelta(days=(_weekday(digest.on) - first.weekday()) % 7)
        step = 7
    for number in range(0, 1000, step):
        yield first + timedelta(days=number)


def _month_days(on: int, first: date) -> Iterator[date]:
    for number in range(4):
        year, month = divmod(first.year * 12 + first.month - 1 + number, 12)
        last = calendar.monthrange(year, month + 1)[1]
        day = date(year, month + 1, min(on, last))
        if day >= first:
            yield day


def _moment(day: date, at: time, zone: str) -> datetime:
    # fold=0: the first of two; within a gap the offset before it, that is as much later as the clock skips
    return datetime.combine(day, at, _zone(zone)).astimezone(UTC)


def _clock(text: str) -> time:
    hours, _, minutes = text.partition(":")
    return time(int(hours), int(minutes))


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _weekday(on: str | int | None) -> int:
    return WEEKDAYS.index(str(on).casefold()) if on is not None else 0


def _is_weekday(on: str | int | None) -> bool:
    return on is None or str(on).casefold() in WEEKDAYS


def _is_day_of_month(on: str | int | None) -> bool:
    return on is None or (isinstance(on, int) and 1 <= on <= 31)


def _check_time(key: str, value: str) -> None:
    if not _AT.fullmatch(value):
        raise InvalidValue(key, f"{value!r} is no time of day, HH:MM from 00:00 to 23:59")


def _check_zone(name: str) -> None:
    try:
        _zone(name)
    except (ValueError, OSError, KeyError):  # ZoneInfo raises each of them, by what is wrong with the name
        raise InvalidValue("timezone", f"{name!r} is no IANA time zone, e.g. 'Europe/Berlin'") from None
