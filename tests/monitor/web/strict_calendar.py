"""A strict reader of iCalendar (RFC 5545), for tests: it forgives nothing that the grammar does not allow."""

import re

_LINE = re.compile(
    r"([A-Z0-9-]+)((?:;[A-Z0-9-]+=(?:\"[^\"\x00-\x08\x0a-\x1f\x7f]*\"|[^\";:,\x00-\x1f\x7f]*))*):(.*)", re.DOTALL
)
_TEXTS = {"SUMMARY", "DESCRIPTION", "NAME", "X-WR-CALNAME"}
_ONCE = ("UID", "DTSTAMP", "DTSTART", "SUMMARY")
_STAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_DAY = re.compile(r"[0-9]{8}")

Event = dict[str, str]


def read(body: bytes) -> tuple[Event, list[Event]]:
    """The calendar's own properties and its events, texts unescaped. Raises AssertionError for what is not allowed."""
    assert body.endswith(b"\r\n")
    assert b"\n" not in body.replace(b"\r\n", b"")
    assert b"\r" not in body.replace(b"\r\n", b"")
    raw = body.removesuffix(b"\r\n").split(b"\r\n")
    assert all(0 < len(line) <= 75 for line in raw), "a line has more than 75 octets, or none"
    for line in raw:
        line.decode()  # no character is broken in two
    return _components(_unfolded(raw))


def _unfolded(raw: list[bytes]) -> list[str]:
    lines: list[bytes] = []
    for line in raw:
        if line[:1] in (b" ", b"\t"):
            lines[-1] += line[1:]
        else:
            lines.append(line)
    return [line.decode() for line in lines]


def _components(lines: list[str]) -> tuple[Event, list[Event]]:
    calendar: Event = {}
    events: list[Event] = []
    within: list[str] = []
    components = 0
    for line in lines:
        name, parameters, value = _property(line)
        if name == "BEGIN":
            within.append(value)
            components += len(within) == 2
            if value == "VEVENT":
                assert within == ["VCALENDAR", "VEVENT"], "an event within something else"
                events.append({})
        elif name == "END":
            assert within.pop() == value
        elif within == ["VCALENDAR"]:
            _put(calendar, name, parameters, value)
        elif within == ["VCALENDAR", "VEVENT"]:
            _put(events[-1], name, parameters, value)
    assert within == []
    assert components, "a calendar has one component at least"
    assert (calendar["VERSION"], bool(calendar["PRODID"])) == ("2.0", True)
    for event in events:
        _check(event)
    return calendar, events


def _property(line: str) -> tuple[str, str, str]:
    found = _LINE.fullmatch(line)
    assert found, f"no content line: {line!r}"
    assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", line), "a control character"
    return found[1], found[2], found[3]


def _put(into: Event, name: str, parameters: str, value: str) -> None:
    assert name not in into, f"{name} stands twice"
    into[name] = _text(value) if name in _TEXTS else value
    into[f"{name};"] = parameters


def _text(value: str) -> str:
    assert not re.search(r"(?<!\\)(?:\\\\)*[;,]", value), f"an unescaped separator: {value!r}"
    assert not re.search(r"(?<!\\)(?:\\\\)*\\(?![\\;,nN])", value), f"an unknown escape: {value!r}"
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)


def _check(event: Event) -> None:
    assert all(name in event for name in _ONCE), event
    assert event["UID"]
    assert _STAMP.fullmatch(event["DTSTAMP"])
    assert _STAMP.fullmatch(event["LAST-MODIFIED"])
    assert event["SEQUENCE"].isdecimal()
    assert event["DTSTART;"] == ";VALUE=DATE"
    assert _DAY.fullmatch(event["DTSTART"])
    assert event["DTSTART"] < event["DTEND"]
