"""When digests are due and until when it is quiet, on wall clocks that are put forward and back."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifiers.calendar import DigestTime, Quiet, check_digest_time, check_quiet, last_due, next_due, quiet_until
from notifiers.conditions import InvalidValue

BERLIN, NEW_YORK, SHANGHAI = "Europe/Berlin", "America/New_York", "Asia/Shanghai"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def dues(digest: DigestTime, after: datetime, count: int) -> list[str]:
    found = []
    for _ in range(count):
        after = next_due(digest, after)
        found.append(after.strftime("%m-%d %H:%M"))
    return found


# Europe/Berlin goes from UTC+1 to +2 on 2026-03-29 at 02:00 and back on 2026-10-25 at 03:00;
# America/New_York from UTC-5 to -4 on 2026-03-08 at 02:00 and back on 2026-11-01 at 02:00
@pytest.mark.parametrize(
    ("zone", "at", "after", "expected"),
    [
        (BERLIN, "08:00", "2026-03-28T00:00", ["03-28 07:00", "03-29 06:00", "03-30 06:00"]),
        (BERLIN, "08:00", "2026-10-24T00:00", ["10-24 06:00", "10-25 07:00", "10-26 07:00"]),
        (NEW_YORK, "08:00", "2026-03-07T00:00", ["03-07 13:00", "03-08 12:00", "03-09 12:00"]),
        (NEW_YORK, "08:00", "2026-10-31T00:00", ["10-31 12:00", "11-01 13:00", "11-02 13:00"]),
        # 02:30 is skipped: due an hour later on the wall clock, at 03:30
        (BERLIN, "02:30", "2026-03-28T00:00", ["03-28 01:30", "03-29 01:30", "03-30 00:30"]),
        (NEW_YORK, "02:30", "2026-03-07T00:00", ["03-07 07:30", "03-08 07:30", "03-09 06:30"]),
        # 02:30 and 01:30 come twice: due at the first, once
        (BERLIN, "02:30", "2026-10-24T00:00", ["10-24 00:30", "10-25 00:30", "10-26 01:30"]),
        (NEW_YORK, "01:30", "2026-10-31T00:00", ["10-31 05:30", "11-01 05:30", "11-02 06:30"]),
    ],
)
def test_a_daily_digest_keeps_its_wall_clock_time_over_both_nights(
    zone: str, at: str, after: str, expected: list[str]
) -> None:
    assert dues(DigestTime(every="daily", at=at, timezone=zone), utc(after), 3) == expected


@pytest.mark.parametrize(("zone", "night"), [(BERLIN, "2026-10-25"), (NEW_YORK, "2026-11-01")])
def test_asked_every_minute_of_the_long_night_a_digest_is_due_once(zone: str, night: str) -> None:
    digest = DigestTime(every="daily", at="01:30" if zone == NEW_YORK else "02:30", timezone=zone)
    start = datetime.fromisoformat(night).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    minutes = [start + timedelta(minutes=minute) for minute in range(12 * 60)]

    assert len({last_due(digest, minute) for minute in minutes if last_due(digest, minute) >= start}) == 1


def test_a_weekly_digest_is_due_on_its_weekday_in_its_time_zone() -> None:
    weekly = DigestTime(every="weekly", on="monday", at="08:00", timezone=SHANGHAI)

    assert dues(weekly, utc("2026-11-15T12:00"), 3) == ["11-16 00:00", "11-23 00:00", "11-30 00:00"]
    assert next_due(weekly, utc("2026-11-16T00:00")) == utc("2026-11-23T00:00")
    assert next_due(DigestTime(every="weekly", at="00:00"), utc("2026-11-15T23:59")) == utc("2026-11-16T00:00")


def test_a_monthly_digest_on_the_31st_is_due_on_the_last_day_of_shorter_months() -> None:
    monthly = DigestTime(every="monthly", on=31, at="08:00")

    assert dues(monthly, utc("2026-01-31T07:59"), 4) == ["01-31 08:00", "02-28 08:00", "03-31 08:00", "04-30 08:00"]
    assert dues(DigestTime(every="monthly"), utc("2026-12-01T08:00"), 1) == ["01-01 08:00"]


DIGESTS = st.builds(
    DigestTime,
    every=st.just("daily"),
    at=st.sampled_from(["00:00", "01:30", "02:00", "02:30", "03:00", "12:00", "23:59"]),
    timezone=st.sampled_from([BERLIN, NEW_YORK, SHANGHAI, "Pacific/Apia", "Australia/Lord_Howe", "UTC"]),
) | st.builds(
    DigestTime,
    every=st.just("monthly"),
    on=st.integers(1, 31),
    at=st.just("02:30"),
    timezone=st.sampled_from([BERLIN, NEW_YORK]),
)
MOMENTS = st.integers(1_262_304_000, 1_893_456_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(DIGESTS, MOMENTS)
def test_the_last_due_time_and_the_next_stand_around_now_with_none_between(digest: DigestTime, now: datetime) -> None:
    last, following = last_due(digest, now), next_due(digest, now)

    assert last <= now < following
    assert next_due(digest, last) == following


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-16T20:59", None),  # 21:59 in Berlin
        ("2026-11-16T21:00", "2026-11-17T06:00"),
        ("2026-11-17T05:59", "2026-11-17T06:00"),
        ("2026-11-17T06:00", None),
        ("2026-03-28T22:00", "2026-03-29T05:00"),  # the short night ends an hour earlier in UTC
        ("2026-10-24T22:00", "2026-10-25T06:00"),
    ],
)
def test_quiet_hours_span_midnight_and_the_clock_change(now: str, until: str | None) -> None:
    quiet = Quiet(from_="22:00", to="07:00", timezone=BERLIN)

    assert quiet_until(quiet, utc(now)) == (utc(until) if until else None)


def test_quiet_hours_within_a_day_and_none_at_all() -> None:
    noon = Quiet(from_="12:00", to="13:00")

    assert quiet_until(noon, utc("2026-11-16T12:30")) == utc("2026-11-16T13:00")
    assert quiet_until(noon, utc("2026-11-16T13:30")) is None
    assert quiet_until(None, utc("2026-11-16T12:30")) is None


@given(MOMENTS, st.sampled_from([BERLIN, NEW_YORK, "Australia/Lord_Howe"]))
def test_quiet_time_ends_in_a_moment_that_is_not_quiet(now: datetime, zone: str) -> None:
    quiet = Quiet(from_="22:00", to="02:30", timezone=zone)
    until = quiet_until(quiet, now)

    assert until is None or (until > now and quiet_until(quiet, until) is None)


@pytest.mark.parametrize(
    ("start", "end"), [("22:00", "07:00"), ("12:00", "13:00"), ("00:00", "06:00"), ("20:00", "00:00")]
)
def test_around_the_day_that_samoa_skipped_it_is_quiet_exactly_when_the_clock_on_the_wall_says_so(
    start: str, end: str
) -> None:
    quiet = Quiet(from_=start, to=end, timezone="Pacific/Apia")
    moments = [utc("2011-12-28T00:00") + number * timedelta(minutes=30) for number in range(48 * 5)]
    seen = set()

    for now in moments:
        local = now.astimezone(ZoneInfo("Pacific/Apia"))
        clock = f"{local:%H:%M}"
        is_quiet = start <= clock < end if start < end else clock >= start or clock < end
        until = quiet_until(quiet, now)
        assert (until is not None) == is_quiet, local
        if until is not None:
            assert f"{until.astimezone(ZoneInfo('Pacific/Apia')):%H:%M}" == end
            assert until - now <= timedelta(hours=9)
        seen.add(f"{local:%m-%d}")

    assert "12-30" not in seen and {"12-29", "12-31"} <= seen


@pytest.mark.parametrize(
    ("digest", "complaint"),
    [
        (DigestTime(every="weekly", on="moonday"), "on: 'moonday' is no weekday"),
        (DigestTime(every="weekly", on=3), "on: 3 is no weekday"),
        (DigestTime(every="monthly", on=32), "on: 32 is no day of the month"),
        (DigestTime(every="monthly", on="monday"), "on: 'monday' is no day of the month"),
        (DigestTime(every="daily", on="monday"), "on: 'monday' says nothing for a daily digest"),
        (DigestTime(every="daily", at="8:00"), "at: '8:00' is no time of day"),
        (DigestTime(every="daily", at="24:00"), "at: '24:00' is no time of day"),
        (DigestTime(every="daily", timezone="Europe/Berlinn"), "timezone: 'Europe/Berlinn' is no IANA time zone"),
        (DigestTime(every="daily", timezone="../etc/passwd"), "timezone: '../etc/passwd' is no IANA time zone"),
        (DigestTime(every="daily", timezone=""), "timezone: '' is no IANA time zone"),
    ],
)
def test_a_digest_time_that_does_not_exist_is_refused_by_name(digest: DigestTime, complaint: str) -> None:
    with pytest.raises(InvalidValue, match=complaint):
        check_digest_time(digest)


def test_a_quiet_time_without_end_is_refused() -> None:
    with pytest.raises(InvalidValue, match="to: '22:00' is when it begins"):
        check_quiet(Quiet(from_="22:00", to="22:00"))
