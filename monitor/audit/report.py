"""The readable part of an audit file: one HTML page that needs nothing else, whatever the registry's texts contain."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec import Struct

from monitor import __version__
from monitor.audit.form import HASHED, About, Chain
from monitor.audit.shown import Shown, shown
from monitor.audit.told import Told
from notifiers.clean_text import visible
from notifiers.wording import REGISTRY_NAMES
from snapshots.archive import Gap, Place, Step, VersionInfo, places, rfc3339
from snapshots.registries.ctgov.parse import parse
from snapshots.registry import RegistryError
from snapshots.sentences import capitalised, date_words, enum_words, partial_date_words, status_words
from snapshots.timeline import (
    Dated,
    DateMove,
    OutcomeEvent,
    OutcomeLife,
    Period,
    Slips,
    move_words,
    outcome_lives,
    slips,
    status_periods,
)
from snapshots.timeline.slips import signed_days
from snapshots.trial import Trial

Json = Any


class Contents(Struct, frozen=True, kw_only=True):
    """What a report is about. `raw` gives the bytes of a version by its number; `versions` and `steps` are in history
    order; `url` is where a person reads the record.
    """

    about: About
    url: str
    versions: tuple[VersionInfo, ...]
    steps: tuple[Step, ...]
    told: tuple[Told, ...]
    gaps: tuple[Gap, ...]
    chain: Chain
    exported_at: datetime
    addresses: str
    raw: Callable[[int], bytes]


class Row(Struct, frozen=True, kw_only=True):
    """One version in the timeline; what a version does not say is ""."""

    number: int
    date: str
    dated_by: str
    seen: str
    sha256: str
    status: str = ""
    primary_completion: str = ""
    completion: str = ""
    enrollment: str = ""
    sites: str = ""
    new: frozenset[str] = frozenset()


class Moment(Struct, frozen=True, kw_only=True):
    """One step with its changes; `what` says from which version it led to which."""

    date: str
    what: str
    seen: str
    changes: tuple[Shown, ...]


def render(contents: Contents) -> str:
    """The page. Every text of the registry is escaped; there is no script, and nothing is loaded from elsewhere."""
    read = [
        (version, None if version.pruned else _parsed(contents.raw(version.number))) for version in contents.versions
    ]
    dated = _dated(read, contents.gaps)
    rows = _rows(read)
    days = {version.number: _day(version) for version in contents.versions}
    among = places(contents.versions)
    page: str = _template().render(
        about=contents.about,
        url=contents.url,
        exported=f"{date_words(contents.exported_at.date().isoformat())}, {contents.exported_at:%H:%M} UTC",
        program=__version__,
        rows=rows,
        places=among,
        seen_from=rows[0].date if rows else "",
        seen_to=rows[-1].date if rows else "",
        gaps=contents.gaps,
        periods=[_period(each) for each in status_periods(dated, contents.exported_at.date())],
        slips=[_slip(slip, move) for slip in slips(dated) for move in slip.moves],
        events=[
            _event(life, event) for life in outcome_lives(dated) for event in life.events if event.what != "listed"
        ],
        moments=[_moment(step, days, among) for step in contents.steps if step.changes],
        told=contents.told,
        hashed=contents.addresses == HASHED,
        chain=contents.chain,
        source=REGISTRY_NAMES.get(contents.about.registry, contents.about.registry),
    )
    return page


@cache
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("monitor.audit", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # nobody can see them, yet they steer what is read
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    environment.filters |= {"minute": lambda moment: f"{moment[:10]} {moment[11:16]} UTC" if moment else ""}
    return environment.get_template("report.html")


# --- the timeline ----------------------------------------------------------------------------------------------------

_FOLLOWED = ("status", "primary_completion", "completion", "enrollment", "sites")


def _parsed(raw: bytes) -> Trial | None:
    """What the bytes say; None where they cannot be read, which the report says too."""
    try:
        return parse(raw)
    except RegistryError:
        return None


_Read = Sequence[tuple[VersionInfo, Trial | None]]


def _dated(read: _Read, gaps: Sequence[Gap]) -> list[Dated]:
    """The versions as the questions over a history take them."""
    found: list[Dated] = []
    counted: int | None = None
    pruned = 0
    for version, trial in read:
        pruned += version.pruned is not None
        if trial is None:
            continue
        missing = _missing(gaps, counted, version.registry_version) + pruned
        found.append(Dated(_day(version), trial, version.number, version.registry_version, missing))
        counted, pruned = version.registry_version, 0
    return found


def _missing(gaps: Sequence[Gap], after: int | None, until: int | None) -> int:
    """How many stated gaps lie before a version and after the one before it, by the registry's count."""
    if after is None:
        return 0
    return sum(after < gap.registry_version < (until or 1 << 30) for gap in gaps)


def _day(version: VersionInfo) -> str:
    return ((version.registry_date if version.source == "history" else version.release) or "")[:10]


def _rows(read: _Read) -> list[Row]:
    rows: list[Row] = []
    for version, trial in read:
        said = (
            dict(zip(_FOLLOWED, _followed(trial), strict=True))
            if trial
            else {"status": version.pruned or "cannot be read"}
        )
        last = rows[-1] if rows else None
        new = frozenset(name for name in said if last is not None and said[name] != getattr(last, name))
        rows.append(_row(version, said, new))
    return rows


def _row(version: VersionInfo, said: Mapping[str, str], new: frozenset[str]) -> Row:
    return Row(
        number=version.number,
        date=_day(version),
        dated_by="registry’s date" if version.source == "history" else "release",
        seen=rfc3339(version.observed_at)[:16].replace("T", " "),
        sha256=version.raw_sha256.hex(),
        new=new,
        **said,
    )


def _followed(trial: Trial) -> Iterator[str]:
    yield capitalised(status_words(trial.overall_status)) if trial.overall_status else ""
    for date in (trial.primary_completion_date, trial.completion_date):
        yield partial_date_words(date) if date else ""
    enrollment = trial.enrollment
    kind = f" ({enum_words(enrollment.type)})" if enrollment and enrollment.type else ""
    yield f"{enrollment.count:,}{kind}" if enrollment and enrollment.count is not None else ""
    yield f"{len(trial.sites):,}"


def _period(period: Period) -> tuple[str, ...]:
    """Status, since, until, days."""
    reason = f": {period.why_stopped}" if period.why_stopped else ""
    since = period.since if period.since_known else f"{period.since} or before"
    days = "" if period.days is None else f"{period.days:,}"
    return f"{capitalised(status_words(period.status))}{reason}", since, period.until or "", days


def _slip(slip: Slips, move: DateMove) -> tuple[str, ...]:
    """Which date, on which day, from what to what, by how much, in all."""
    before, after = partial_date_words(move.before), partial_date_words(move.after)
    total = "" if move.total_days is None else signed_days(move.total_days)
    return capitalised(move.date.replace("_", " ")), move.on, before, after, move_words(slip, move), total


def _event(life: OutcomeLife, event: OutcomeEvent) -> tuple[str, ...]:
    """Which outcome, on which day, what happened, how that stands to the study's end."""
    measure = life.measure or life.first_measure or ""
    return measure, event.level, event.on, event.what, event.when


# --- the changes -----------------------------------------------------------------------------------------------------

_CAUSES = {
    "back-filled": "filled in from the registry's own history",
    "search": "found or lost by a search",
    "registry": "said of the registry as a whole",
}


def _moment(step: Step, days: Mapping[int, str], among: Mapping[int, Place]) -> Moment:
    """`days` tells at which day each version stands in history: that of what was filled in is long past."""
    known = days.get(step.to_version) if step.to_version is not None else None
    day = known or (step.release or rfc3339(step.observed_at))[:10]
    return Moment(
        date=date_words(day),
        what=_versions_words(step, among),
        seen=f"{_CAUSES.get(step.cause, 'observed')} on {rfc3339(step.observed_at)[:16].replace('T', ' ')} UTC",
        changes=tuple(map(shown, step.changes)),
    )


def _versions_words(step: Step, among: Mapping[int, Place]) -> str:
    to = among.get(step.to_version) if step.to_version is not None else None
    if to is None:
        return "no version"
    before = among.get(step.from_version) if step.from_version is not None else None
    return to.short if before is None or before is to else f"version {before.place} to {to.short}"
