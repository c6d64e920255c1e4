"""Expected days as a calendar (RFC 5545)."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from monitor.feeds.entries import NOTICE
from monitor.feeds.expected import Expected
from notifiers.clean_text import one_line

MEDIA_TYPE = "text/calendar"
OCTETS = 75
"""The longest line that RFC 5545 allows, without its end."""

_EMPTY = (
    "BEGIN:VTIMEZONE", "TZID:UTC", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0000",
    "TZOFFSETTO:+0000", "END:STANDARD", "END:VTIMEZONE",
)  # fmt: skip
"""A calendar needs one component at least; this one shows nothing."""


def icalendar(name: str, found: Sequence[Expected]) -> bytes:
    """The calendar; its bytes change only where a day, a title or the time of a change does."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//trialdelta//calendar//EN", "CALSCALE:GREGORIAN"]
    lines += [f"NAME:{text(name)}", f"X-WR-CALNAME:{text(name)}", "REFRESH-INTERVAL;VALUE=DURATION:PT12H"]
    events = [line for one in found for line in _event(one)]
    lines += [*(events or _EMPTY), "END:VCALENDAR"]
    return b"".join(folded(line) for line in lines)


def _event(one: Expected) -> Iterator[str]:
    changed = stamp(one.changed)
    yield "BEGIN:VEVENT"
    yield f"UID:{one.uid}"
    yield f"DTSTAMP:{changed}"
    yield f"LAST-MODIFIED:{changed}"
    yield f"SEQUENCE:{one.moved}"
    yield f"DTSTART;VALUE=DATE:{one.day:%Y%m%d}"
    if one.day.year < 9999:
        yield f"DTEND;VALUE=DATE:{one.day + timedelta(days=1):%Y%m%d}"
    yield f"SUMMARY:{text(one.summary)}"
    yield f"DESCRIPTION:{text(f'{one.words} {NOTICE}')}"
    yield f"URL:{one.url}"
    yield "STATUS:TENTATIVE"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def text(value: str) -> str:
    """A text as a value: on one line, and what would end it escaped."""
    plain = one_line(value).replace("\\", "\\\\")
    return plain.replace(";", "\\;").replace(",", "\\,")


def stamp(moment: datetime) -> str:
    """An aware time as UTC."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def folded(line: str) -> bytes:
    """The line with its end, broken where it has too many octets, and never within a character."""
    parts: list[bytes] = []
    part = b""
    for letter in line:
        octets = letter.encode()
        if len(part) + len(octets) > OCTETS - (1 if parts else 0):
            parts.append(part)
            part = b""
        part += octets
    return b"\r\n ".join([*parts, part]) + b"\r\n"
