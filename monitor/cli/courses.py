"""The answers about a record's course, for a reader at a terminal: bars of blocks, dates in columns, sentences."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import groupby

import click

from monitor.cli.output import clean, width, wrapped
from monitor.cli.telling import heading
from monitor.questions import Recorded
from snapshots.canonical import enum_key
from snapshots.deadlines import COMPUTED, Finding, applies_words, compliance, question_words
from snapshots.registries.ctgov.ids import record_page
from snapshots.sentences import clipped, counted, date_words, enum_words, partial_date_words, status_words
from snapshots.timeline import (
    DateMove,
    EnrollmentPoint,
    OutcomeEvent,
    OutcomeLife,
    Period,
    SitesPoint,
    Slips,
    answer_words,
    days_by_status,
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
from snapshots.trial import PartialDate

Lines = Iterator[str]

_FILLS: dict[str | None, tuple[str, str | None]] = {
    "NOT_YET_RECRUITING": ("░", "cyan"),
    "RECRUITING": ("█", "green"),
    "ENROLLING_BY_INVITATION": ("▇", "green"),
    "ACTIVE_NOT_RECRUITING": ("▓", "blue"),
    "COMPLETED": ("▒", "blue"),
    "SUSPENDED": ("▚", "yellow"),
    "TERMINATED": ("╳", "red"),
    "WITHDRAWN": ("╳", "red"),
    "UNKNOWN": ("·", None),
    "WITHHELD": (" ", None),
}
_NAMES = {
    "start_date": "Start",
    "primary_completion_date": "Primary completion",
    "completion_date": "Completion",
}
_ANSWERS = {
    "yes": ("✓", "green"),
    "no": ("✗", "red"),
    "not yet": ("…", "yellow"),
    "does not apply": ("–", None),
    "cannot be told": ("?", None),
}


def in_words(question: str, known: Recorded, today: date) -> str:
    """The answer to "timeline", "slips", "outcomes" or "compliance" for one record."""
    first = [click.style(wrapped(known.past.words, indent=0), fg="yellow")] if known.past.words else []
    return "\n".join([*first, _head(known, today), *_TELLERS[question](known, today)])


def _head(known: Recorded, today: date) -> str:
    first, last = known.versions[0], known.versions[-1]
    span = f"{first.date} to {last.date}" if first.date != last.date else f"of {first.date}"
    missing = f"; {counted(len(known.gaps), 'version')} could not be had" if known.gaps else ""
    gone = "".join(f"; {words}" for words in known.pruned)
    note = f"{counted(len(known.versions), 'version')}, {span}{missing}{gone}"
    title = clipped(known.title, width() - len(known.id) - 2)
    stale = _as_confirmed(known, today)
    counted_to = f"counted to {today.isoformat()}{', ' if stale else ''}{stale}"
    return heading(known.id, title, f"{record_page(known.id)}\n{note}\n{counted_to}")


def _as_confirmed(known: Recorded, today: date) -> str:
    stale = known.unconfirmed_since(today)
    return f"as last confirmed on {stale}" if stale else ""


def _section(title: str, lines: Lines) -> Lines:
    told = list(lines)
    if told:
        yield f"\n{click.style(title, bold=True)}"
        yield from told


# --- the timeline ----------------------------------------------------------------------------------------------------


def _timeline(known: Recorded, today: date) -> Lines:
    yield from _section(
        "Recruitment status", _periods(status_periods(known.versions, today), _as_confirmed(known, today))
    )
    yield from _section("Participants", map(_enrollment, enrollment_course(known.versions)))
    yield from _section("Dates", (_date_line(slip) for slip in slips(known.versions) if slip.first))
    yield from _section("Sites", map(_sites, sites_course(known.versions)))


def _periods(periods: Sequence[Period], as_confirmed: str) -> Lines:
    if len(periods) > 1:
        yield f"  {_bar(periods, min(width(), 80) - 4)}"
    size = max((len(_status(period)) for period in periods), default=0)
    for period in periods:
        yield _period(period, size)
        if period.until is None and as_confirmed:
            yield click.style(f"      {as_confirmed}", dim=True)
        if period.after_gap:
            yield click.style("      versions just before this period are missing", dim=True)
        if period.why_stopped:
            yield click.style(wrapped(f"reason given: {clipped(period.why_stopped, 300)}", indent=6), dim=True)
    if len({period.status for period in periods}) < len(periods):
        sums = (f"{status_words(status)} {counted(days, 'day')}" for status, days in days_by_status(periods).items())
        yield wrapped(f"in all: {', '.join(sums)}", indent=4, hanging=6)


def _period(period: Period, size: int) -> str:
    begun = period.since if period.since_known else f"≤ {period.since}"
    ended = period.until or "today"
    days = f"{period.days:,} d" if period.days is not None else ""
    special = {"study.stop_reversed": "stop reversed", "status.reverified": "verified again"}.get(period.began_by or "")
    remark = f"  {special}" if special else ""
    return f"  {_block(period)} {_status(period):<{size}}  {begun:>12} – {ended:<10} {days:>8}{remark}"


def _status(period: Period) -> str:
    known = f" ({status_words(period.last_known)})" if period.last_known else ""
    return clean(f"{status_words(period.status)}{known}")


def _bar(periods: Sequence[Period], size: int) -> str:
    """The periods side by side as long as they lasted, each at least one block."""
    total = sum(period.days or 0 for period in periods) or 1
    shares = [max(1, round((period.days or 0) * size / total)) for period in periods]
    longest = shares.index(max(shares))
    shares[longest] = max(1, shares[longest] - max(0, sum(shares) - size))
    return "".join(_block(period) * share for period, share in zip(periods, shares, strict=True))


def _block(period: Period) -> str:
    fill, colour = _FILLS.get(enum_key(period.status), ("▬", None))
    return click.style(fill, fg=colour)


def _enrollment(point: EnrollmentPoint) -> str:
    kind = f" ({enum_words(point.type)})" if point.type else ""
    count = "unknown" if point.count is None else f"{point.count:,}"
    difference = f"{point.difference:+,}".replace("-", "−") if point.difference else ""
    return clean(f"  {point.date}  {count:>8}{kind}  {difference}".rstrip())


def _date_line(slip: Slips) -> str:
    latest = partial_date_words(slip.latest) if slip.latest else "taken out"
    return wrapped(f"{_NAMES[slip.date]}: {latest}; {slips_words(slip)}", indent=2, hanging=4)


def _sites(point: SitesPoint) -> str:
    where = counted(point.countries, "country", "countries")
    return f"  {point.date}  {counted(point.sites, 'site'):>10} in {where}, {point.open:,} open to participants"


# --- slips -----------------------------------------------------------------------------------------------------------


def _slips(known: Recorded, _: date) -> Lines:
    found = slips(known.versions)
    most = max((abs(move.total_days or 0) for slip in found for move in slip.moves), default=0)
    for slip in found:
        name = _NAMES[slip.date]
        told = wrapped(f"{name}: {answer_words(slip)}", indent=0, hanging=4)
        yield f"\n{click.style(name, bold=True)}{told.removeprefix(name)}"
        if slip.first is not None:
            yield click.style(f"  {slip.first_on}  {_first(slip)} {clean(partial_date_words(slip.first))}", dim=True)
        for move, uneven in zip(slip.moves, slip.uneven, strict=True):
            yield from _move(slip, move, most)
            if uneven:
                yield wrapped(uneven_words(slip, move), indent=14)


def _first(slip: Slips) -> str:
    if not slip.from_registration:
        return "in the first version stored:"
    return "first planned:" if slip.first_is_plan else "first stated:"


def _move(slip: Slips, move: DateMove, most: int) -> Lines:
    yield f"  {move.on}  {click.style(move_words(slip, move), fg='yellow' if move.is_delay else None)}"
    way = f"{_said(move.before)} → {_said(move.after)}"
    bar = (
        f"{_slip_bar(move.total_days, most)} {signed_days(move.total_days)} in all{_counted_by(move)}"
        if move.total_days
        else ""
    )
    yield f"              {way}"
    if bar and move.total_days != move.days:
        yield f"              {bar}"
    if move.after_gap:
        yield "              versions just before this one are missing"


def _counted_by(move: DateMove) -> str:
    return "" if move.precision == "day" else f", by {move.precision}s"


def _said(known: PartialDate | None) -> str:
    return clean(date_words(known.date)) if known else "none"


def _slip_bar(days: int, most: int) -> str:
    share = max(1, round(abs(days) * 16 / most)) if most else 0
    return click.style(("█" if days > 0 else "░") * share, fg="yellow" if days > 0 else "green")


# --- outcomes --------------------------------------------------------------------------------------------------------


def _outcomes(known: Recorded, _: date) -> Lines:
    lives = list(enumerate(outcome_lives(known.versions), 1))
    for level, members in groupby(lives, key=lambda item: item[1].first_level):
        yield f"\n{click.style(f'{level.capitalize()} outcomes', bold=True)}"
        for number, life in members:
            yield from _life(number, life)
    if not lives:
        yield "\nThe record lists no outcomes."


def _life(number: int, life: OutcomeLife) -> Lines:
    frame = f" [{clipped(life.time_frame, 60)}]" if life.time_frame else ""
    yield wrapped(f"{number}. {clipped(life.measure, 200) or 'unnamed'}{frame}", indent=2, hanging=5)
    standing = f"dropped {life.until}" if life.until else _now(life)
    since = f"since {life.since}" if life.since_known else f"since {life.since} or before"
    yield f"     {click.style(f'{since}; {standing}', dim=True)}"
    if life.is_switched:
        yield f"     {click.style('● switched after primary completion', fg='red')}"
    for event in life.events:
        if event.what != "listed":
            yield from _event(event)


def _event(event: OutcomeEvent) -> Lines:
    when = "when is unknown" if event.when == "unknown" else event.when
    yield f"     {event.on}  {click.style(event.what, bold=True)}, {when}{_gap(event)}"
    if event.what in ("reworded", "time frame changed", "description changed"):
        yield click.style(wrapped(f"- {clipped(event.before, 240) or 'nothing'}", indent=17, hanging=19), fg="red")
        yield click.style(wrapped(f"+ {clipped(event.after, 240) or 'nothing'}", indent=17, hanging=19), fg="green")
    elif event.what in ("promoted", "demoted", "moved"):
        yield f"                 {event.before} → {event.after}"


def _gap(event: OutcomeEvent) -> str:
    return " (versions before it are missing)" if event.after_gap else ""


def _now(life: OutcomeLife) -> str:
    return "still listed" if life.level == life.first_level else f"now {_article(life.level)} {life.level} outcome"


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


# --- compliance ------------------------------------------------------------------------------------------------------


def _compliance(known: Recorded, today: date) -> Lines:
    findings = compliance(known.versions, today)
    if not findings:
        yield "\nThe record was withheld all the time: nothing can be computed."
    for finding in findings:
        yield from _finding(finding)
    yield click.style(f"\n{wrapped(COMPUTED, indent=0)}", dim=True)


def _finding(finding: Finding) -> Lines:
    sign, colour = _ANSWERS[finding.answer]
    yield ""
    title = f"{question_words(finding.question)}: {finding.answer}"
    yield f"{click.style(sign, fg=colour, bold=True)} {click.style(title, bold=True)}"
    yield wrapped(finding.summary, indent=2)
    stands = "; ".join(filter(None, (finding.source, applies_words(finding))))
    yield click.style(wrapped(f"{finding.rule} ({stands})", indent=2), dim=True)


_TELLERS: dict[str, Callable[[Recorded, date], Lines]] = {
    "timeline": _timeline,
    "slips": _slips,
    "outcomes": _outcomes,
    "compliance": _compliance,
}
