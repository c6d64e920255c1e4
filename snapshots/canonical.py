"""When do two values of a record say the same thing? Keys for texts, names, labels, dates, ages and the like.

A *key* is what is left of a value when everything is taken away that says nothing: two values say the same exactly
when their keys are equal. Keys are compared, never shown. Every function is pure, total (any text, also an absurd one,
has a key) and idempotent: the key of a key is that key.
"""

import calendar
import html
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal

import msgspec
from msgspec import Struct

Json = Any

NORMALISER_VERSION = 1
"""Goes up whenever a key changes for any value: what was compared under another version may be compared again."""

_TYPOGRAPHIC = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»″＂❝❞〝〞", '"'),
        **dict.fromkeys("‘’‚‛′´`＇‹›❛❜ʹʼ", "'"),
        **dict.fromkeys("‐‑‒–—―−⁃﹘﹣－─", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"),  # none of them is seen
    }
)
_TYPOGRAPHIC_LETTER = re.compile(f"[{''.join(map(re.escape, map(chr, _TYPOGRAPHIC)))}]")
_ESCAPE = re.compile(r"\\+(?=[!-/:-@\[\]-`{-~])")  # markdown: a backslash before ASCII punctuation but the backslash
_BLOCK_TAG = re.compile(r"</?(?:p|ul|ol|li|br|div|h[1-6]|table|tr|pre)(?:\s+[a-z-]+=\"[^\"]*\")*\s*/?>", re.IGNORECASE)
_INLINE_TAG = re.compile(r"</?(?:b|i|u|em|strong|span|sub|font|mark)(?:\s+[a-z-]+=\"[^\"]*\")*\s*/?>", re.IGNORECASE)
_RAISED_TAG = re.compile(r"<sup>|(</sup>)", re.IGNORECASE)
_RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+")
_IDLE_SPACE = re.compile(r"(?<!\w) | (?!\w)")
_DASHES = re.compile(r"-{2,}")
_BULLETS = "•●◦▪▫‣■□○∙·⦁➢►✓❖"
_MARKER = (
    rf"(?:[{_BULLETS}]\s*"
    r"|(?:[*o\-]|\d{1,2}(?:\.\d{1,2})*[.)]|\(\d{1,2}\)|[A-Za-z][.)]|\([A-Za-z]\)|[ivxIVX]{1,5}[.)]|\([ivxIVX]{1,5}\))"
    r"[^\S\n]+(?=\S))+"
)
_LINE_MARKER = re.compile(rf"^[^\S\n]*{_MARKER}", re.MULTILINE)
_INNER_BULLET = re.compile(rf"(?<=\s)(?:[{_BULLETS}]|\*)(?=\s)(?!\s+\d)")


# --- texts ------------------------------------------------------------------------------------------------------------


def same_text(before: str | None, after: str | None) -> bool:
    """Whether two free texts say the same; absent and empty are the same.

    Letter case, words and symbols count. White space, line breaks, Unicode form, typographic quotes and dashes,
    markdown escapes, entities, HTML of the history interface, bullets and the style of numbering do not.
    """
    if before == after:
        return True
    return text_key(before) == text_key(after) or _flat(before or "") == _flat(after or "")


def text_key(text: str | None) -> str:
    """The key of a free text (criteria, descriptions, time frames): what it says without how it is laid out."""
    known = text or ""
    if known.isascii() and known.replace(".", "", 1).isalnum():  # words and numbers, of which tables hold thousands
        return known
    while (key := _text_pass(known)) != known:
        known = key
    return known


def _text_pass(text: str) -> str:
    return _on_one_line(_INNER_BULLET.sub(" ", _LINE_MARKER.sub("", _plain(text))))


def _flat(text: str) -> str:
    """A text on one line, list markers kept: equal where only line breaks moved, whatever then begins a line."""
    return _on_one_line(_plain(text))


def _on_one_line(text: str) -> str:
    """White space is one blank between two words and none beside a symbol."""
    return _IDLE_SPACE.sub("", " ".join(_DASHES.sub("-", text).split())).strip()


def _plain(text: str) -> str:
    """The characters of a text without markup, escapes and typographic variety; line breaks still stand, as "\\n"."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = _RAISED_TAG.sub(lambda tag: "" if tag[1] else "^", _INLINE_TAG.sub("", _BLOCK_TAG.sub("\n", text)))
    if "\\" in text:
        text = _ESCAPE.sub("", text)
    if text.isascii():
        return text.replace("`", "'")
    # a power is no digit beside another: 10⁹ is 10^9, not 109
    text = _RAISED.sub(lambda power: "^" + power[0], text)
    return _typed(unicodedata.normalize("NFKC", _typed(text)))


def _typed(text: str) -> str:
    """A text as it is typed: `str.translate` over a whole text that is not ASCII would take ten times as long."""
    return _TYPOGRAPHIC_LETTER.sub(lambda letter: letter[0].translate(_TYPOGRAPHIC), text)


# --- names, labels, enumerations --------------------------------------------------------------------------------------


@lru_cache(maxsize=1 << 16)
def name_key(name: str | None) -> str:
    """The norm of names of places, people and organisations: NFKC, case-folded, only letters and digits kept.

    A name without any letter or digit is its own key, so that two such names are not the same.
    """
    if not name:
        return ""
    if "&" in name:
        name = html.unescape(name)
    if not name.isascii():
        name = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    kept = "".join(filter(str.isalnum, name.casefold()))
    return unicodedata.normalize("NFKC", kept) if kept else "".join(name.casefold().split())


@lru_cache(maxsize=1 << 14)
def label_key(label: str | None) -> str:
    """The norm of labels, measures, conditions and the like: NFKC, case-folded, punctuation (Unicode P*) dropped,
    symbols (`<`, `≥`, `+`) kept, white space collapsed. A label of nothing but punctuation is its own key.
    """
    known = label or ""
    while (key := _label_pass(known)) != known:
        known = key
    return known


def _label_pass(label: str) -> str:
    # an entity in other letters ("&Amp;") is one only when they are folded
    folded = _typed(unicodedata.normalize("NFKC", _plain(_plain(label).casefold())))
    kept = "".join(letter for letter in folded if not unicodedata.category(letter).startswith("P"))
    return " ".join(kept.split()) or " ".join(folded.split())


def enum_key(value: str | None) -> str | None:
    """The key of an enumerated value: its upper case with single underscores. None where there is none."""
    if not value or (value.isascii() and value.isidentifier() and value.isupper()):
        return value or None
    return re.sub(r"[\W_]+", "_", unicodedata.normalize("NFKC", value).upper()).strip("_") or value


def email_key(email: str | None) -> str:
    """The key of an e-mail address: no blanks, case-folded, whatever the local part's owner may think of case."""
    return "".join((email or "").split()).casefold()


def phone_digits(phone: str | None) -> str:
    """The digits of a phone number, in ASCII; "" where there is none."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", phone or "") if letter in "0123456789")


# --- countries --------------------------------------------------------------------------------------------------------

_COUNTRY_SPELLINGS = {
    "bolivia": ("Bolivia, Plurinational State of",),
    "brunei": ("Brunei Darussalam",),
    "capeverde": ("Cabo Verde",),
    "cotedivoire": ("Ivory Coast",),
    "czechia": ("Czech Republic",),
    "democraticrepublicofthecongo": ("Congo, The Democratic Republic of the", "Congo, Democratic Republic"),
    "eswatini": ("Swaziland",),
    "gambia": ("The Gambia", "Gambia, The"),
    "bahamas": ("The Bahamas", "Bahamas, The"),
    "hongkong": ("Hong Kong SAR", "Hong Kong SAR China"),
    "iran": ("Iran, Islamic Republic of", "Islamic Republic of Iran"),
    "laos": ("Lao People's Democratic Republic", "Lao PDR"),
    "libya": ("Libyan Arab Jamahiriya",),
    "macau": ("Macao", "Macao SAR"),
    "micronesia": ("Micronesia, Federated States of", "Federated States of Micronesia"),
    "moldova": ("Moldova, Republic of", "Republic of Moldova"),
    "myanmar": ("Burma",),
    "netherlands": ("The Netherlands",),
    "northkorea": ("Korea, Democratic People's Republic of",),
    "northmacedonia": ("Macedonia, The Former Yugoslav Republic of", "Republic of North Macedonia", "Macedonia"),
    "palestine": ("Palestinian Territory, Occupied", "Palestinian Territories, Occupied", "Palestinian Territories"),
    "russia": ("Russian Federation",),
    "southkorea": ("Korea, Republic of", "Republic of Korea"),
    "syria": ("Syrian Arab Republic",),
    "taiwan": ("Taiwan, Province of China",),
    "tanzania": ("Tanzania, United Republic of",),
    "turkey": ("Türkiye",),
    "unitedkingdom": ("UK", "Great Britain", "United Kingdom of Great Britain and Northern Ireland"),
    "unitedstates": ("USA", "United States of America", "US"),
    "venezuela": ("Venezuela, Bolivarian Republic of",),
    "vietnam": ("Viet Nam",),
}
_TELLING_BRACKETS = frozenset({"virginislands", "saintmartin", "congo", "korea"})
"""Names that stand for several countries: what follows in brackets tells which."""


def _bare_name(country: str) -> str:
    letters = unicodedata.normalize("NFKD", country)
    return name_key("".join(letter for letter in letters if not unicodedata.combining(letter)))


_COUNTRY_KEYS = {_bare_name(spelling): key for key, spellings in _COUNTRY_SPELLINGS.items() for spelling in spellings}


@lru_cache(maxsize=1 << 10)
def country_key(country: str | None) -> str:
    """The key of a country's name: registries respell countries ("Turkey", "Turkey (Türkiye)") without moving them."""
    outer, bracket, _ = (country or "").partition("(")
    whole = _bare_name(country or "")
    key = _bare_name(outer) if bracket and outer.strip() else whole
    if key in _TELLING_BRACKETS:
        key = whole
    return _COUNTRY_KEYS.get(key, key)


# --- dates ------------------------------------------------------------------------------------------------------------

Precision = Literal["day", "month", "year"]
_DATE = re.compile(r"\s*([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2})(?:T.*)?)?)?\s*")


class Interval(Struct, frozen=True):
    """The days that a date of limited precision may mean, both ends included: "2026-05" is all of May."""

    start: date
    end: date
    precision: Precision

    def contains(self, other: "Interval") -> bool:
        """Whether every day of `other` is one of these days."""
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: "Interval") -> bool:
        """Whether any day is in both."""
        return self.start <= other.end and other.start <= self.end


@lru_cache(maxsize=1 << 12)
def interval(text: str | None) -> Interval | None:
    """The days that a registry's date means; None where it is no date ("2026-13", "next spring")."""
    match = _DATE.fullmatch(text or "")
    if not match:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        return _days(year or 0, month, day)
    except ValueError:
        return None


def _days(year: int, month: int | None, day: int | None) -> Interval:
    if month is None:
        return Interval(date(year, 1, 1), date(year, 12, 31), "year")
    if day is None:
        return Interval(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]), "month")
    return Interval(date(year, month, day), date(year, month, day), "day")


def shift_days(before: Interval, after: Interval) -> int:
    """Days from one interval's start to the other's, both taken at the coarser of their precisions."""
    coarser = max((before.precision, after.precision), key=("day", "month", "year").index)
    return (_floor(after.start, coarser) - _floor(before.start, coarser)).days


def _floor(day: date, precision: Precision) -> date:
    if precision == "year":
        return day.replace(month=1, day=1)
    return day.replace(day=1) if precision == "month" else day


# --- ages -------------------------------------------------------------------------------------------------------------

_AGE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(year|month|week|day|hour|minute)s?")
_DAYS_OF = {
    "year": Fraction(1461, 4),
    "month": Fraction(1461, 48),
    "week": Fraction(7),
    "day": Fraction(1),
    "hour": Fraction(1, 24),
    "minute": Fraction(1, 1440),
}
_NO_AGE = frozenset({"", "na", "none", "no limit"})


def age_days(age: str | None) -> Fraction | None:
    """An age as a duration in days (a year has 365.25, twelve months are a year); None where it is no age."""
    match = _AGE.fullmatch(" ".join((age or "").casefold().split()))
    return Fraction(match[1]) * _DAYS_OF[match[2]] if match else None


def age_key(age: str | None) -> Fraction | str | None:
    """The key of an age limit: its duration, None for no limit (absent, "N/A"), its text where it is no age."""
    days = age_days(age)
    if days is not None:
        return days
    label = label_key(age)
    return None if label in _NO_AGE else label


# --- any JSON ---------------------------------------------------------------------------------------------------------

_encode = msgspec.json.Encoder(order="deterministic").encode


def value_key(value: Json) -> Json:
    """The key of any JSON value: texts by `text_key`, lists without order, absent and empty members left out."""
    if isinstance(value, str):
        return text_key(value)
    if isinstance(value, Mapping):
        return members_key(value)
    if isinstance(value, list | tuple):
        return in_any_order(value_key(item) for item in value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def enum_value_key(value: Json) -> Json:
    """The key of a JSON value that is an enumerated one or a list of such."""
    if isinstance(value, list | tuple):
        return in_any_order(enum_value_key(item) for item in value)
    return enum_key(value) if isinstance(value, str) else value_key(value)


def members_key(value: Mapping[str, Json]) -> dict[str, Json]:
    """The keys of an object's members, by name; members that are null, "", [] or {} are as good as absent."""
    keys = ((name, value_key(member)) for name, member in value.items())
    return {name: key for name, key in keys if key is not None and key not in ("", [], {})}


def in_any_order(keys: Iterable[Json]) -> list[Json]:
    """Keys sorted by their canonical bytes: lists whose order says nothing become equal."""
    return sorted(keys, key=_encode)


def same_value(before: Json, after: Json) -> bool:
    """Whether two JSON values say the same."""
    return bool(before == after) or _encode(value_key(before)) == _encode(value_key(after))
