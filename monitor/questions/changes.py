"""Every change of a record, with the day that it is told for and the place of its versions."""

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from monitor.questions.recorded import Row
from snapshots import archive
from snapshots.archive import Place, Step, VersionInfo
from snapshots.archive.order import history_date, is_back_filled
from snapshots.kinds import KINDS
from snapshots.registries.ctgov.ids import record_page


class Wanted(Struct, frozen=True, kw_only=True):
    """Which changes are asked for: of these kinds and severities (None: any), from `since` to `until` (ISO days, both
    included).
    """

    kinds: frozenset[str] | None = None
    severities: frozenset[str] | None = None
    since: str | None = None
    until: str | None = None


class Told(Struct, frozen=True):
    """A step with what was asked for of it. `date` is its ISO day and `dated_by` which day that is: "release",
    "registry date" or "observed". `counted`: the ids of its changes that sums may count; finer steps tell the others.
    `pruned`: which of its versions cannot be looked at any more: "archive no. 3 was pruned on 2026-11-22 by alice".
    `began` and `led_to` are the places of its versions among those of the record, None where it has none.
    """

    step: Step
    date: str
    dated_by: str
    counted: frozenset[int]
    pruned: tuple[str, ...] = ()
    began: Place | None = None
    led_to: Place | None = None

    @property
    def is_covered(self) -> bool:
        """Whether finer steps tell any of it too."""
        return any(stored.id not in self.counted for stored in self.step.changes)


HISTORY_COLUMNS = (
    *(
        "date",
        "dated_by",
        "release",
        "observed_at",
        "record",
        "title",
        "kind",
        "family",
        "severity",
        "label",
        "summary",
    ),
    *("subject", "before", "after", "path", "cause", "origin", "covered", "from_version", "to_version", "id"),
    *("from_place", "to_place", "places"),
)


def history(connection: Connection, registry: str, any_id: str, wanted: Wanted) -> list[Told]:
    """The steps of a record in history order that tell any change that is asked for, with these alone."""
    steps = archive.steps(connection, registry, any_id)
    by_number = {version.number: version for version in archive.versions(connection, registry, any_id)}
    fine = frozenset(stored.id for step in archive.finest_steps(steps) for stored in step.changes)
    placed = archive.places(list(by_number.values()))
    told = (_told(step, wanted, by_number, fine, placed) for step in steps)
    return [each for each in told if each.step.changes and _is_within(each.date, wanted)]


def _told(
    step: Step,
    wanted: Wanted,
    by_number: Mapping[int, VersionInfo],
    fine: frozenset[int],
    placed: Mapping[int, Place],
) -> Told:
    ends = [None if number is None else placed.get(number) for number in (step.from_version, step.to_version)]
    return Told(_only(step, wanted), *_day_of(step, by_number), fine, _gone(step, by_number), *ends)


def _gone(step: Step, versions: Mapping[int, VersionInfo]) -> tuple[str, ...]:
    led = (versions.get(number) for number in (step.from_version, step.to_version) if number is not None)
    return tuple(f"archive no. {each.number} was {each.pruned}" for each in led if each is not None and each.pruned)


def _is_within(day: str, wanted: Wanted) -> bool:
    return (wanted.since is None or day >= wanted.since) and (wanted.until is None or day <= wanted.until)


def history_json(told: Told) -> Iterator[Row]:
    """Each change of a step as everywhere, with its day and whether it counts in sums."""
    step = told.step
    url = record_page(step.registry_id) if step.registry_id else None
    for stored in step.changes:
        yield {
            **archive.stored_change_json(step, stored, url),
            "date": told.date,
            "dated_by": told.dated_by,
            "family": KINDS[stored.change.kind].family,
            "origin": step.cause,
            "covered": stored.id not in told.counted,
            "from_place": told.began.place if told.began else None,
            "to_place": told.led_to.place if told.led_to else None,
            "places": told.led_to.of if told.led_to else None,
            **({"pruned": told.pruned} if told.pruned else {}),
        }


def history_rows(told: Told) -> Iterator[Row]:
    """The same, flat: the record by its id."""
    for row in history_json(told):
        record = row["record"] or {}
        yield {**row, "record": record.get("id"), "title": record.get("title")}


def _only(step: Step, wanted: Wanted) -> Step:
    kept = tuple(
        stored
        for stored in step.changes
        if (wanted.kinds is None or stored.change.kind in wanted.kinds)
        and (wanted.severities is None or stored.change.severity in wanted.severities)
    )
    return msgspec.structs.replace(step, changes=kept)


def _day_of(step: Step, versions: Mapping[int, VersionInfo]) -> tuple[str, str]:
    version = versions.get(step.to_version) if step.to_version is not None else None
    if version is not None and history_date(version):
        return history_date(version), "registry date" if is_back_filled(version.source) else "release"
    if step.release:
        return step.release[:10], "release"
    return step.observed_at.date().isoformat(), "observed"
