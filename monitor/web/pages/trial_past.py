"""What became of one trial: every change, the time line, every version, two side by side, and files of all that."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from msgspec import Struct
from sqlalchemy import Connection
from starlette.responses import Response

from monitor.audit import AuditError
from monitor.audit import export as export_audit
from monitor.audit.shown import Shown, shown
from monitor.past import past_for
from monitor.questions import QUESTIONS, Recorded
from monitor.web import cursor
from monitor.web.doors import Door
from monitor.web.numbers import RowNumber
from monitor.web.problems import Problem
from monitor.web.trial.chart import charts
from monitor.web.trial.comparing import compared, sites_compared
from monitor.web.trial.files import csv_of, history_file, question_file
from monitor.web.trial.found import asked_id, find_record, number_of, one_of, read, unreadable
from monitor.web.trial.known import Known
from monitor.web.visit import Visit
from monitor.wiring import REGISTRY
from notifiers import ledger
from notifiers.ledger import Entry
from notifiers.message import TYPE_NAMES
from snapshots import archive
from snapshots.archive import Record, Step, StoredChange, VersionInfo
from snapshots.archive.latest import StepPlace, latest_steps, step_places
from snapshots.archive.order import history_date, is_back_filled
from snapshots.deadlines import COMPUTED, applies_words, compliance, question_words
from snapshots.kinds import SEVERITIES
from snapshots.registries.ctgov.ids import record_page
from snapshots.rules import changes_between
from snapshots.sentences import capitalised, date_words, partial_date_words, status_words
from snapshots.timeline import (
    answer_words,
    enrollment_course,
    move_words,
    outcome_lives,
    sites_course,
    slips,
    slips_words,
    status_periods,
    uneven_words,
)
from snapshots.timeline.slips import signed_days

CHANGES_ON_A_PAGE = 120
TOLD_ON_A_PAGE = 50
VERSIONS_ON_A_PAGE = 200

_known = Known()


class Moment(Struct, frozen=True, kw_only=True):
    """A step as the history shows it: `told` are the deliveries that told any of it."""

    place: StepPlace
    step: Step
    changes: tuple[Shown, ...]
    told: tuple[Entry, ...]


# --- every change -----------------------------------------------------------------------------------------------------


def show_history(here: Visit) -> Response:
    """Every change, the newest first, and who was told."""
    severity = here.query.get("severity", "")
    chosen = severity if severity in SEVERITIES else None
    with here.database.read() as connection:
        record = find_record(connection, asked_id(here))
        places = step_places(connection, REGISTRY, record.registry_id, chosen)
        start = _start(here, places)
        steps = _read_steps(connection, places[start:])
        past = past_for(connection, REGISTRY, record.registry_id)
        versions = archive.places_of(connection, REGISTRY, record.registry_id)
        told = ledger.found(connection, ledger.Asked(record=(REGISTRY, record.registry_id)), TOLD_ON_A_PAGE)
    end = start + len(steps)
    more = len(places) > end
    return here.page(
        "trial_history.html",
        record=record,
        moments=[_moment(place, step, chosen, told) for place, step in steps],
        past=past,
        asks_again=here.settings.backfill,
        places=versions,
        told=told,
        type_names=TYPE_NAMES,
        severity=severity,
        severity_options=[(each, each.capitalize()) for each in SEVERITIES],
        newest=here.link(_path(record, "/history"), severity=severity) if start else None,
        older=here.link(_path(record, "/history"), severity=severity, after=cursor.encode(places[end - 1].step))
        if more
        else None,
        registry_page=record_page(record.registry_id),
    )


def _read_steps(connection: Connection, places: Sequence[StepPlace]) -> list[tuple[StepPlace, Step]]:
    try:
        return latest_steps(connection, places, CHANGES_ON_A_PAGE)
    except archive.CorruptChange as error:
        raise unreadable(error) from None


def _start(here: Visit, places: Sequence[StepPlace]) -> int:
    """Where the page begins: after a step, or so that it has a step, or with the newest."""
    if here.query.get("after"):
        (after,) = cursor.decode(here.query["after"], RowNumber)
        return next((number for number, place in enumerate(places, 1) if place.step == after), 0)
    wanted = number_of(here.query.get("step"))
    at = next((number for number, place in enumerate(places) if place.step == wanted), 0)
    is_on_the_first = sum(place.told for place in places[: at + 1]) <= CHANGES_ON_A_PAGE
    return 0 if is_on_the_first else at


def _moment(place: StepPlace, step: Step, severity: str | None, told: Sequence[Entry]) -> Moment:
    ids = {stored.id for stored in step.changes}
    return Moment(
        place=place,
        step=step,
        changes=tuple(shown(each) for each in step.changes if severity in (None, each.change.severity)),
        told=tuple(entry for entry in told if ids.intersection(entry.change_ids)),
    )


# --- the time line ----------------------------------------------------------------------------------------------------


def show_timeline(here: Visit) -> Response:
    """The drawing, and the same as tables: periods, moves of dates, numbers, outcomes' lives, deadlines."""
    with here.database.read() as connection:
        record = find_record(connection, asked_id(here))
        known = _recorded(connection, record)
        past = past_for(connection, REGISTRY, record.registry_id)
    today = here.now.date()
    return here.page(
        "trial_timeline.html",
        record=record,
        known=known,
        past=past,
        unconfirmed_since=known.unconfirmed_since(today),
        charts=charts(known, today),
        asks_again=here.settings.backfill,
        periods=status_periods(known.versions, today),
        slips=slips(known.versions),
        enrollment=enrollment_course(known.versions),
        sites=sites_course(known.versions),
        outcomes=outcome_lives(known.versions),
        findings=compliance(known.versions, today),
        computed=COMPUTED,
        applies_words=applies_words,
        answer_words=answer_words,
        move_words=move_words,
        question_words=question_words,
        signed_days=signed_days,
        slips_words=slips_words,
        uneven_words=uneven_words,
        date_said=partial_date_words,
        status_said=lambda status: capitalised(status_words(status)),
        registry_page=record_page(record.registry_id),
    )


def _recorded(connection: Connection, record: Record) -> Recorded:
    known = _known.of(connection, record.registry_id)
    if known is None or not known.versions:
        raise Problem(404, f"No version of {record.registry_id} can be read", "All of them were pruned.")
    return known


# --- versions ---------------------------------------------------------------------------------------------------------


def show_versions(here: Visit) -> Response:
    """Every version, the newest first, each to be opened, compared and downloaded as it was received."""
    with here.database.read() as connection:
        record = find_record(connection, asked_id(here))
        found = archive.versions(connection, REGISTRY, record.registry_id)[::-1]
        gaps = archive.gaps(connection, REGISTRY, record.registry_id)
        head = archive.chain_head(connection)
        past = past_for(connection, REGISTRY, record.registry_id)
    places = archive.places(found[::-1])
    begin = number_of(here.query.get("page")) or 1
    shown_now = found[(begin - 1) * VERSIONS_ON_A_PAGE : begin * VERSIONS_ON_A_PAGE]
    return here.page(
        "trial_versions.html",
        record=record,
        versions=[(each, history_date(each), is_back_filled(each.source)) for each in shown_now],
        total=len(found),
        oldest=next((each.number for each in reversed(found) if not each.pruned), None),
        places=places,
        past=past,
        asks_again=here.settings.backfill,
        gaps=gaps,
        head=head,
        newer=here.link(_path(record, "/versions"), page=begin - 1) if begin > 1 else None,
        older=here.link(_path(record, "/versions"), page=begin + 1)
        if len(found) > begin * VERSIONS_ON_A_PAGE
        else None,
        registry_page=record_page(record.registry_id),
    )


def raw(here: Visit) -> Response:
    """A version's bytes as they were received."""
    with here.database.read() as connection:
        record = find_record(connection, asked_id(here))
        number = one_of(connection, record, here.params["number"]).number
        try:
            content = archive.read_version(connection, number)
        except archive.Unreadable as error:
            raise unreadable(error) from None
    return here.file(content, f"{record.registry_id}-version-{number}.json", "application/json")


def show_compare(here: Visit) -> Response:
    """Two versions side by side; by default the two newest that can be read."""
    everything = here.query.get("all") == "yes"
    with here.database.read() as connection:
        record = find_record(connection, asked_id(here))
        found = archive.versions(connection, REGISTRY, record.registry_id, merged=False)
        places = archive.places_of(connection, REGISTRY, record.registry_id)
        older, newer = _two(connection, record, here, found)
        pair = None if older is None or newer is None else [read(connection, each.number) for each in (older, newer)]
    changes = changes_between(*pair) if pair else ()
    return here.page(
        "trial_compare.html",
        record=record,
        versions=[(each, history_date(each)) for each in reversed(found) if not each.pruned],
        places=places,
        date_words=date_words,
        older=older,
        newer=newer,
        days=[history_date(each) if each else "" for each in (older, newer)],
        changes=[shown(StoredChange(number, change)) for number, change in enumerate(changes)],
        sections=compared(*pair, everything=everything) if pair else [],
        sites=sites_compared(*pair, which=here.query.get("sites", ""), page=number_of(here.query.get("page")) or 1)
        if pair
        else None,
        everything=everything,
        registry_page=record_page(record.registry_id),
    )


def _two(
    connection: Connection, record: Record, here: Visit, found: Sequence[VersionInfo]
) -> tuple[VersionInfo | None, VersionInfo | None]:
    """The older and the newer of the two that are asked for; what is not asked for stands beside the other one. Of the
    oldest there is none older: the one after it is taken, so that there is something to see and to choose from.
    """
    kept = [each for each in found if not each.pruned]
    chosen = [one_of(connection, record, here.query[side]) if here.query.get(side) else None for side in ("from", "to")]
    newer = chosen[1] or (kept[-1] if kept else None)
    before = [each for each in kept if newer is not None and each.number != newer.number]
    earlier = (
        [each for each in before if newer and found.index(each) < found.index(newer)] if newer in found else before
    )
    older = chosen[0] or (earlier[-1] if earlier else None)
    if older is None and newer is not None and before:
        return newer, before[0]
    return older, newer


# --- files ------------------------------------------------------------------------------------------------------------


def export(here: Visit) -> Response:
    """History, timeline, slips, outcomes or compliance as a file: CSV, or JSON in the same shape as the command."""
    what, _, shape = here.params["file"].rpartition(".")
    if what not in ("history", *QUESTIONS) or shape not in ("csv", "json"):
        raise Problem(404, "There is no such file", "There are history, timeline, slips, outcomes and compliance.")
    with here.database.read() as connection:
        record = find_record(connection, asked_id(here))
        if what == "history":
            file = history_file(connection, record)
        else:
            file = question_file(_recorded(connection, record), what, here.now.date())
    name = f"{record.registry_id}-{what}.{shape}"
    if shape == "csv":
        return csv_of(here, file, name)
    return here.file(msgspec.json.format(msgspec.json.encode(file[0]()), indent=2), name, "application/json")


def audit(here: Visit) -> Response:
    """The audit file of the record: versions byte for byte, changes, who was told (addresses as hashes), the chain."""
    with here.database.read() as connection:
        record = find_record(connection, asked_id(here))
    with TemporaryDirectory(prefix="trialdelta-audit-") as folder:
        file = Path(folder) / "audit.zip"
        try:
            about = (REGISTRY, record.registry_id)
            export_audit(here.database, about, file, now=here.now, key=secrets.token_bytes(16))
            content = file.read_bytes()
        except AuditError as error:
            raise Problem(409, "The audit file cannot be made", str(error)) from None
        except archive.Unreadable as error:
            raise unreadable(error) from None
    return here.file(content, f"{record.registry_id}-audit-{here.now:%Y-%m-%d}.zip", "application/zip")


# --- all of them ------------------------------------------------------------------------------------------------------


def _path(record: Record, below: str) -> str:
    return f"/trials/{record.registry_id}{below}"


def fetch_past(here: Visit) -> Response:
    """Have the registry's own history of the record fetched: by the daemon, politely, in a moment."""
    with here.database.write() as connection:
        record = find_record(connection, asked_id(here))
        archive.wish_filling(connection, REGISTRY, record.registry_id, here.now)
    words = "The registry is asked for its past versions, one by one. Nobody is alerted of them."
    return here.redirect(_path(record, "/timeline"), flash=words)


DOORS = (
    Door("/trials/{id}/history", access="signed-in", get=show_history),
    Door("/trials/{id}/timeline", access="signed-in", get=show_timeline),
    Door("/trials/{id}/versions", access="signed-in", get=show_versions),
    Door("/trials/{id}/versions/{number}.json", access="signed-in", get=raw),
    Door("/trials/{id}/compare", access="signed-in", get=show_compare),
    Door("/trials/{id}/export/{file}", access="signed-in", get=export),
    Door("/trials/{id}/past", access="signed-in", post=fetch_past),
    Door("/trials/{id}/audit", access="signed-in", post=audit, readers_may_post=True),
)
