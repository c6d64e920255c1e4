"""What the doctor finds about asking the registry: what is watched, sweeps, records without an answer."""

from collections.abc import Iterator
from datetime import datetime

from monitor import subscribed
from monitor.findings import Finding
from monitor.health import Health
from snapshots.archive import OpenException
from snapshots.registry import Release
from snapshots.sentences import counted, date_words


def watching(found: Health) -> Finding:
    """How much is watched, and whether some of it was never asked for."""
    if not found.watched and not found.searches:
        return Finding("watches", "note", "no record is watched", "`trialdelta watch add NCT01234567` begins")
    parts = [_watched(found.watched, "record", found.waiting)]
    if found.searches:
        parts.append(_watched(found.searches, "saved search", found.searches_waiting, "saved searches"))
    is_waiting = bool(found.waiting or found.searches_waiting)
    advice = "`trialdelta check` asks now, `trialdelta run` from now on" if is_waiting else ""
    return Finding("watches", "note" if is_waiting else "ok", "; ".join(parts), advice)


def _watched(number: int, noun: str, waiting: int, nouns: str | None = None) -> str:
    return counted(number, noun, nouns) + (f", {waiting} of them not asked for yet" if waiting else "")


def sweeps(found: Health, release: Release | None, now: datetime) -> Iterator[Finding]:
    """Whether the newest sweep failed, and whether the last that came to its end is of the registry's `release`."""
    last, newest = found.last_finished, found.last_sweep
    if newest is not None and found.is_failing:
        advice = "the next sweep tries again; `trialdelta check` does now"
        yield Finding(
            "last sweep", "failure", f"failed {subscribed.ago(newest.started_at, now)}: {newest.reason}", advice
        )
    if last is None:
        if found.watched:
            yield Finding("last confirmed", "note", "no sweep has come to its end yet", "`trialdelta check` makes one")
        return
    told = f"release of {date_words(last.release[:10])}, {subscribed.ago(last.ended_at or last.started_at, now)}"
    if release is not None and release.timestamp != last.release:
        advice = "`trialdelta check` looks now; is `trialdelta run` running?"
        yield Finding(
            "last confirmed", "failure", f"{told}; the registry is at that of {date_words(release.date)} by now", advice
        )
    else:
        yield Finding("last confirmed", "ok", told)


def exceptions(found: Health) -> Iterator[Finding]:
    """The records and searches that the registry owes an answer for, the first of many."""
    for trouble in found.exceptions[:5]:
        yield Finding("record", "failure", unanswered(trouble, found), _stop_or_wait(trouble))
    if len(found.exceptions) > 5:
        words = f"and {len(found.exceptions) - 5} more without an answer"
        yield Finding("record", "failure", words, "`trialdelta watch list` names them")


def unanswered(trouble: OpenException, found: Health) -> str:
    """What is known of a record that was asked for in vain: since when, why, and when it was last confirmed."""
    if trouble.registry_id in found.never_answered:
        return f"the registry lists no record {trouble.registry_id} (asked {trouble.noted_at:%Y-%m-%d %H:%M} UTC)"
    since = f"not checked since the release of {date_words(trouble.since[:10])}"
    confirmed = found.confirmed.get(trouble.registry_id)
    last = f"; last confirmed at the release of {date_words(confirmed.release[:10])}" if confirmed else ""
    return f"{trouble.registry_id} {since}: {trouble.reason}: {trouble.detail}{last}"


def _stop_or_wait(trouble: OpenException) -> str:
    if trouble.reason != "absent":
        return f"the next sweep asks again; `trialdelta check {trouble.registry_id}` does now"
    return f"look the id up at the registry; {stop_watching(trouble.registry_id)}"


def stop_watching(record_id: str) -> str:
    """How to watch a record no more, where it may never be answered for."""
    return f"`trialdelta watch remove {record_id}` stops watching it"


def pasts(found: Health) -> Iterator[Finding]:
    """The records whose past versions did not come whole."""
    if found.pasts_waiting:
        newest = found.pasts_waiting[0]
        words = f"those of {counted(len(found.pasts_waiting), 'record')} did not come whole: {newest.reason}"
        advice = f"watching goes on; they are asked for again, with `trialdelta backfill {newest.registry_id}` now"
        yield Finding("past versions", "note", words, advice)
