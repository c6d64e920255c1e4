"""A page from its template: escaped, without what nobody can see, with times that the reader's browser can localise."""

from datetime import UTC, datetime
from functools import cache
from gzip import compress
from hashlib import sha256
from importlib.resources import files
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from notifiers.addresses import shown
from notifiers.clean_text import clip, visible
from notifiers.reading_order import own, told
from snapshots.archive import rfc3339
from snapshots.sentences import beside_label, date_words, moment_words, whole_sentence

MEDIA_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@cache
def environment() -> Environment:
    """The templates of all pages. What registries and users wrote goes through escaping and loses invisible characters
    (those that turn the reading direction among them).
    """
    made = Environment(
        loader=PackageLoader("monitor.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"time": time_element, "asset_name": asset_name}
    made.filters |= {
        "clipped": clip,
        "grouped": lambda number: f"{number:,}",
        "shown_address": shown_address,
        "commands": commands,
        "sentence": whole_sentence,
        "labelled": labelled,
        "day": day_element,
        "own": own,
        "told": told,
        "said_beside": lambda change: beside_label(change.label, change.summary),
    }
    return made


def time_element(moment: datetime | None, *, precise: bool = False) -> Markup:
    """A moment as people read it, in UTC; `page.js` shows it in the reader's zone, and the exact one stays on hover."""
    if moment is None:
        return Markup('<span class="quiet">never</span>')
    at = moment.astimezone(UTC).replace(microsecond=0)
    exact = f"{at:%Y-%m-%d %H:%M:%S} UTC"
    shown = exact if precise else moment_words(at)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(rfc3339(at), exact, shown)


def zone_time(moment: datetime, zone: str) -> Markup:
    """A moment on the clock of an IANA time zone, which is said; the exact one in UTC on hover."""
    at, there = moment.astimezone(UTC), moment.astimezone(ZoneInfo(zone))
    shown = f"{there:%A}, {date_words(there.date().isoformat())}, {there:%H:%M} ({zone})"
    return Markup('<span title="{}">{}</span>').format(f"{at:%Y-%m-%d %H:%M:%S} UTC", shown)


def day_element(day: str | None) -> Markup:
    """A registry's date, or the day of its release, as people read it; as it is written on hover."""
    if not day:
        return Markup('<span class="quiet">not dated</span>')
    return Markup('<time datetime="{}" title="{}">{}</time>').format(day[:10], visible(day), date_words(day[:10]))


def shown_address(uri: str) -> str:
    """An address as it may be shown; of a mailbox what people call its address."""
    return shown(uri).removeprefix("mailto:")


def commands(words: str) -> Markup:
    """Words in which `…` is what one types, as the log and the command line say them."""
    parts = visible(words).split("`")
    return Markup().join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts))


def labelled(words: str, field: str) -> str:
    """What is wrong with a field, as a sentence that says which field it is, where its name is known."""
    from monitor.web.filled_in import LABELS  # the forms' pages draw themselves by this module

    said = whole_sentence(words)
    return f"{LABELS[field]}: {said}" if field in LABELS else said


def asset_name(name: str) -> str:
    """The name under which a file of `assets/` is served: with a hash of its content, so it may be kept for ever."""
    stem, _, ending = name.rpartition(".")
    return f"{stem}.{sha256(asset(name)).hexdigest()[:12]}.{ending}"


@cache
def asset(name: str) -> bytes:
    """The bytes of a file of `assets/`. Raises FileNotFoundError."""
    return (files("monitor.web") / "assets" / name).read_bytes()


@cache
def packed(content: bytes) -> bytes:
    """A file of `assets/`, packed by gzip. No page is: its length would tell of the proof its forms carry (BREACH)."""
    return compress(content, mtime=0)


@cache
def assets() -> dict[str, tuple[str, bytes]]:
    """Every file of `assets/` by the name under which it is served: its media type and bytes."""
    names = [each.name for each in (files("monitor.web") / "assets").iterdir() if each.is_file()]
    known = [name for name in names if name.rpartition(".")[2] in MEDIA_TYPES]
    return {asset_name(name): (MEDIA_TYPES[name.rpartition(".")[2]], asset(name)) for name in known}


def _harmless(value: object) -> object:
    return visible(value) if type(value) is str else value
