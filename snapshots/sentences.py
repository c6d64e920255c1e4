"""Words that the rules' sentences share: dates, shifts, statuses, names. Plain English, no JSON, no markup."""

import calendar
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from snapshots.canonical import interval
from snapshots.trial import PartialDate, Site

Json = Any

_STATUS_WORDS = {
    "ACTIVE_NOT_RECRUITING": "active, not recruiting",
    "NO_LONGER_AVAILABLE": "no longer available",
    "TEMPORARILY_NOT_AVAILABLE": "temporarily not available",
    "WITHHELD": "withheld",
}
_ACRONYMS = {"FDA", "FDAAA", "IPD", "NIH", "NCT", "IND", "IDE", "US", "SAP", "ICF", "CSR", "OTHER_GOV", "NETWORK", "NA"}


def date_words(date: str | None) -> str:
    """A date as people say it, "March 2026", "30 June 2026"; what is no date passes through as it stands."""
    days = interval(date)
    if days is None:
        return clipped(date, 40) if date else "no date"
    if days.precision == "year":
        return str(days.start.year)
    month = f"{calendar.month_name[days.start.month]} {days.start.year}"
    return month if days.precision == "month" else f"{days.start.day} {month}"


def moment_words(moment: datetime) -> str:
    """An aware moment as people say it, in UTC: "22 November 2026, 22:06 UTC"."""
    at = moment.astimezone(UTC)
    return f"{at.day} {calendar.month_name[at.month]} {at.year}, {at:%H:%M} UTC"


def partial_date_words(date: PartialDate | None) -> str:
    """A date with its type: "March 2026 (estimated)"; a date without type stands alone."""
    if date is None:
        return "no date"
    return f"{date_words(date.date)} ({enum_words(date.type)})" if date.type else date_words(date.date)


def shift_words(days: int) -> str:
    """How long a shift is, its direction left to the verb: "1 day", "92 days", "459 days (about 15 months)"."""
    length = abs(days)
    words = counted(length, "day")
    if length < 120:
        return words
    months = round(length / 30.4375)
    if months < 24:
        return f"{words} (about {months} months)"
    years = f"{months / 12:.1f}".removesuffix(".0")
    return f"{words} (about {years} years)"


def beside_label(label: str, sentence: str) -> str:
    """A change's sentence as it stands beside its label, which some begin with: said once is enough."""
    return capitalised(sentence.removeprefix(f"{label}:").strip())


def status_words(status: str | None) -> str:
    """A status as people say it: "not yet recruiting"; one that is unknown to us passes through readable."""
    if not status:
        return "no status"
    return _STATUS_WORDS.get(status) or enum_words(status)


def enum_words(value: Json) -> str:
    """An enumerated value as people read it: "EARLY_PHASE1" is "early phase 1", "true" is "yes"; acronyms stay."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == "":
        return "none"
    text = str(value)
    if not re.fullmatch(r"[A-Z0-9_]+", text):
        return clipped(text)
    words = (word if word in _ACRONYMS else re.sub(r"(?<=[a-z])(?=\d)", " ", word.lower()) for word in text.split("_"))
    return " ".join(filter(None, words))


def clipped(text: str | None, limit: int = 120) -> str:
    """The text on one line, cut at a word's end with "…" where it is longer than `limit` characters."""
    line = " ".join(re.sub(r"\\(?=[!-/:-@\[\]-`{-~])", "", text or "").split())
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    head, _, rest = cut.rpartition(" ")
    return (head if head and len(rest) < 30 else cut).rstrip(" ,;:.") + "…"


def quoted(text: str | None, limit: int = 120) -> str:
    """The clipped text in quotation marks; "nothing" where there is none."""
    return f"“{clipped(text, limit)}”" if text and text.strip() else "nothing"


def listed(items: Iterable[str], limit: int | None = None) -> str:
    """The items as people list them: "a", "a and b", "a, b and c"; beyond `limit` "a, b, c and 4 more"."""
    words = list(items)
    if limit is not None and len(words) > limit + 1:
        words = [*words[:limit], f"{len(words) - limit} more"]
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def counted(number: int, noun: str, nouns: str | None = None) -> str:
    """A number of things: "1 site", "2 sites", "1,200 sites"; `nouns` where the plural is not noun + s."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def place_words(parts: Sequence[str | None]) -> str:
    """The parts of a place that are there, joined: "Facility, City, Country"."""
    return ", ".join(clipped(part) for part in parts if part and part.strip())


def site_words(site: Site) -> str:
    """A site as people name it: facility, city, country; "a site without a name" where nothing is known."""
    return place_words((site.facility, site.city, site.country)) or "a site without a name"


def capitalised(sentence: str) -> str:
    """The sentence with its first letter upper case, the rest untouched."""
    return sentence[:1].upper() + sentence[1:]


def whole_sentence(words: str) -> str:
    """The words as a sentence that stands for itself: a capital first, a stop last; "" stays so."""
    return capitalised(words) + ("." if words and words[-1] not in ".?!…" else "")
