"""How did the number of participants and the number of sites go over the versions?"""

from collections.abc import Sequence

from msgspec import Struct

from snapshots.canonical import country_key, enum_key
from snapshots.rules.status import OPEN
from snapshots.timeline.dated import Dated, public
from snapshots.trial import Json, Trial

UNKNOWN_COUNT = 99999999
"""How the registry writes an unknown number of participants."""


class EnrollmentPoint(Struct, frozen=True, kw_only=True):
    """The enrollment from a day on. `count` is None where it is unknown or no number; `type` as the registry says;
    `difference` to the number before, None for the first.
    """

    date: str
    count: int | None
    type: str | None
    difference: int | None = None
    version: int | None = None
    after_gap: bool = False


class SitesPoint(Struct, frozen=True, kw_only=True):
    """How many sites, of them open to participants, and countries were listed from a day on."""

    date: str
    sites: int
    open: int
    countries: int
    version: int | None = None
    after_gap: bool = False


def enrollment_course(versions: Sequence[Dated]) -> tuple[EnrollmentPoint, ...]:
    """The first enrollment, and each one that differs in number or in being actual from the one before."""
    points: list[EnrollmentPoint] = []
    for dated in public(versions):
        count, kind = _enrollment(dated.trial)
        last = points[-1] if points else None
        if last and (last.count, enum_key(last.type) == "ACTUAL") == (count, enum_key(kind) == "ACTUAL"):
            continue
        known = last is not None and last.count is not None and count is not None
        points.append(
            EnrollmentPoint(
                date=dated.date,
                count=count,
                type=kind,
                difference=(count or 0) - (last.count or 0) if last and known else None,
                version=dated.version,
                after_gap=last is not None and dated.gap > 0,
            )
        )
    return tuple(points)


def sites_course(versions: Sequence[Dated]) -> tuple[SitesPoint, ...]:
    """The first numbers of sites, and each time that any of them differs from before."""
    points: list[SitesPoint] = []
    for dated in public(versions):
        numbers = _sites(dated.trial)
        if points and numbers == (points[-1].sites, points[-1].open, points[-1].countries):
            continue
        sites, opened, countries = numbers
        points.append(
            SitesPoint(
                date=dated.date,
                sites=sites,
                open=opened,
                countries=countries,
                version=dated.version,
                after_gap=bool(points) and dated.gap > 0,
            )
        )
    return tuple(points)


def _enrollment(trial: Trial) -> tuple[int | None, str | None]:
    if trial.enrollment is None:
        return None, None
    count: Json = trial.enrollment.count
    known = isinstance(count, int) and not isinstance(count, bool) and count != UNKNOWN_COUNT
    return (count if known else None), trial.enrollment.type


def _sites(trial: Trial) -> tuple[int, int, int]:
    opened = sum(enum_key(site.status) in OPEN for site in trial.sites)
    return len(trial.sites), opened, len({country_key(country) for country in trial.countries})
