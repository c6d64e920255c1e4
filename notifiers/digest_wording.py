"""What a digest says beside the changes, in words: what it covers, what is coming, what was not seen or checked."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from notifiers.clean_text import one_line
from notifiers.message import Coverage
from snapshots.sentences import capitalised, counted, date_words

STALE = timedelta(days=1)
"""When nobody asked the registry for so long, a digest cannot vouch for the time since."""
SHOWN = 50
"""Entries of one list in a digest; how many more there are is said."""


class Section(Struct, frozen=True, kw_only=True):
    """A list under a heading: what it is about (a trial's id, or "") and what is said of it; `more` were left out."""

    title: str
    lines: tuple[tuple[str, str], ...]
    more: int = 0


class DigestTold(Struct, frozen=True, kw_only=True):
    """A digest's words: what it covers, on what its silence rests, and its sections beside the changes."""

    period: str
    headline: str
    looked: str
    unchecked: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...] = ()
    unsaid_trials: int = 0


def digest_told(coverage: Coverage, changed: int, critical: int, shown: int) -> DigestTold:
    """The words of a digest that tells of `changed` trials, of `critical` ones something critical; it lists `shown`."""
    return DigestTold(
        period=f"{moment_words(coverage.since)} to {moment_words(coverage.until)}",
        headline=_headline(coverage, changed, critical),
        looked=_looked(coverage),
        unchecked=tuple(_lines(coverage.unchecked[:SHOWN])),
        sections=tuple(section for section in _sections(coverage) if section.lines),
        unsaid_trials=max(changed - shown, 0),
    )


def changed_words(changed: int, critical: int, of: int | None = None) -> str:
    """How many trials changed: "3 trials of 412 changed, 1 with something critical"."""
    words = f"{counted(changed, 'trial')}{f' of {of:,}' if of is not None else ''} changed"
    return f"{words}, {critical} with something critical" if critical else words


def moment_words(time: datetime) -> str:
    """A moment as people write it, in UTC."""
    return f"{date_words(time.date().isoformat())}, {time:%H:%M} UTC"


def _sections(coverage: Coverage) -> Iterable[Section]:
    unseen = [(one.id, f"{one.summary} (told {date_words(one.told_at.date().isoformat())})") for one in coverage.unseen]
    yield _section("Critical, and nobody has marked it as seen", unseen)
    ahead = [(one.id, one.words) for one in coverage.coming if one.days >= 0]
    yield _section("Coming in the next 30 days", ahead)
    past = [(one.id, one.words) for one in coverage.coming if one.days < 0]
    yield _section("Overdue, computed from what the records say", past)
    since = coverage.unchecked_since
    unchecked = [
        (id_, reason + (f", since {date_words(since[id_][:10])}" if id_ in since else ""))
        for id_, reason in coverage.unchecked
    ]
    yield _section("Could not be checked", unchecked)
    yield _section("At rest", coverage.silences)
    yield _section("Awake again since the last digest", coverage.ended)


def _section(title: str, lines: Iterable[tuple[str, str]]) -> Section:
    listed = tuple(lines)
    return Section(title=title, lines=tuple(_lines(listed[:SHOWN])), more=max(len(listed) - SHOWN, 0))


def _lines(lines: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return ((one_line(about, 80), one_line(words, 300)) for about, words in lines)


def _headline(coverage: Coverage, changed: int, critical: int) -> str:
    if changed:
        return changed_words(changed, critical, coverage.watched)
    missed = len(coverage.unchecked)
    watched = counted(_checked(coverage), "trial")
    told, waits = coverage.told_meanwhile, coverage.waiting
    if told:
        words = f"nothing new in {watched}: {counted(told, 'change')} told already"
    elif waits:
        words = f"nothing to tell of {watched}"
    elif coverage.only_asked_for:
        words = f"nothing you asked for changed in {watched}"
    else:
        words = f"nothing changed in {watched}"
    said = [words]
    if since := _unlooked_since(coverage):
        said.append(f"not looked at since {moment_words(since)}")
    if missed:
        said.append(f"{missed} could not be checked")
    if waits:
        said.append(f"{counted(waits, 'change')} held back by a snooze")
    return ", ".join(said)


def _checked(coverage: Coverage) -> int:
    """How many trials the registry answered for in the last look."""
    return max(coverage.watched - len(coverage.unchecked) + coverage.unanswered_searches, 0)


def _unlooked_since(coverage: Coverage) -> datetime | None:
    """Since when nobody can say that nothing happened; None where the registry was asked and answered lately."""
    if coverage.failing_since is not None:
        return coverage.failing_since
    if coverage.asked_at is not None and coverage.until - coverage.asked_at >= STALE:
        return coverage.asked_at
    return None


def _looked(coverage: Coverage) -> str:
    """What proves that somebody looked: when, at how much, in which state of the registry, and was all answered."""
    if coverage.last_checked is None:
        words = f"{capitalised(counted(coverage.watched, 'trial'))} watched; none could be checked so far."
        return " ".join([words, *_reservations(coverage)])
    release = f", in the registry's release of {date_words(coverage.release[:10])}" if coverage.release else ""
    missed = len(coverage.unchecked)
    checked = counted(_checked(coverage), "trial")
    complete = not missed and _unlooked_since(coverage) is None
    answered = f"; {missed} not answered" if missed else ", all answered" if complete else ""
    words = f"{checked} checked, last on {moment_words(coverage.last_checked)}{release}{answered}."
    return " ".join([words, *_reservations(coverage)])


def _reservations(coverage: Coverage) -> Iterable[str]:
    """What the look at the registry does not prove."""
    since = _unlooked_since(coverage)
    if since is not None:
        because = f" ({one_line(coverage.failing_because, 200)})" if coverage.failing_because else ""
        failed = f"the registry has not answered as it should{because}"
        what = failed if coverage.failing_since is not None else "nobody has asked the registry"
        yield f"Since {moment_words(since)} {what}: what happened since comes in a later message."
    if coverage.paused:
        are = "is" if coverage.paused == 1 else "are"
        yield f"{counted(coverage.paused, 'watch', 'watches')} {are} paused and not asked for."
