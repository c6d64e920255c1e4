"""What became of each outcome measure since it was registered, and was that before anybody could know the data?"""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from msgspec import Struct

from snapshots.canonical import Interval, interval, label_key, same_text
from snapshots.matching.outcomes import LEVELS, Level, Placed, match_outcomes, outcomes_of
from snapshots.timeline.dated import Dated, public, steps, submitted_on
from snapshots.trial import Outcome, Trial

Moment = Literal[
    "before start", "before primary completion", "before results", "with results", "after results", "unknown"
]
"""When an outcome changed. The dates are the newest ones known, a month is over at its end. "before results" is after
primary completion and before results were posted; "unknown": the record states no date that would tell.
"""
What = Literal[
    "listed", "added", "reworded", "time frame changed", "description changed",
    "promoted", "demoted", "moved", "dropped", "returned",
]  # fmt: skip
"""What happened to it. "listed": it stood in the first version known; "moved": between secondary and other;
"promoted" and "demoted": to and from the primary outcomes; "returned": added under the name of a dropped one.
"""


_Place = tuple[Level, int]
_Said = tuple[What, str | None, str | None]
"""What happened to an outcome, what it was before and after."""


class OutcomeEvent(Struct, frozen=True, kw_only=True):
    """One thing that happened to an outcome. `on` is the ISO day from which the record said so, `submitted` the day
    on which the sponsor said it (by which `when` is judged); `before` and `after` are texts, or lists for moves.
    """

    what: What
    on: str
    submitted: str
    when: Moment
    level: Level
    before: str | None = None
    after: str | None = None
    version: int | None = None
    after_gap: bool = False


class OutcomeLife(Struct, frozen=True, kw_only=True):
    """One outcome from its first mention on. `level`, `measure` and `time_frame` are the latest; `since` is the day of
    its first mention (`since_known` False: it stood in the first version known, which is not the registration), `until`
    the day on which it was dropped, None while it stands.
    """

    level: Level
    first_level: Level
    measure: str | None
    first_measure: str | None
    time_frame: str | None
    since: str
    since_known: bool
    until: str | None
    events: tuple[OutcomeEvent, ...]

    @property
    def is_switched(self) -> bool:
        """Whether a primary outcome came, went, or was moved or reworded after primary completion."""
        return any(_is_switch(event) for event in self.events)


def outcome_lives(versions: Sequence[Dated]) -> tuple[OutcomeLife, ...]:
    """The lives of all outcomes that were ever registered: primary first, then in order of first mention."""
    shown = public(versions)
    if not shown:
        return ()
    told = _Told(shown)
    for placed in _placed(shown[0].trial):
        told.begin(placed, None, shown[0], "listed")
    for old, new in steps(shown):
        told.step(old, new)
    order = {level: at for at, level in enumerate(LEVELS)}
    return tuple(sorted((life.done() for life in told.lives), key=lambda life: order[life.first_level]))


def _is_switch(event: OutcomeEvent) -> bool:
    late = event.when in ("before results", "with results", "after results")
    moved = event.what in ("promoted", "demoted")
    primary = event.level == "primary" and event.what in ("added", "dropped", "returned", "reworded")
    return late and (moved or primary)


class _Life:
    """A life that is still being told."""

    def __init__(self, placed: Placed, since: str, since_known: bool) -> None:
        self.first = self.latest = placed
        self.since, self.since_known = since, since_known
        self.until: str | None = None
        self.events: list[OutcomeEvent] = []

    def done(self) -> OutcomeLife:
        return OutcomeLife(
            level=self.latest.level,
            first_level=self.first.level,
            measure=self.latest.outcome.measure,
            first_measure=self.first.outcome.measure,
            time_frame=self.latest.outcome.time_frame,
            since=self.since,
            since_known=self.since_known,
            until=self.until,
            events=tuple(self.events),
        )


class _Told:
    """The lives told so far; which of them stands at which place of the latest version."""

    def __init__(self, versions: Sequence[Dated]) -> None:
        self.lives: list[_Life] = []
        self._at: dict[_Place, _Life] = {}
        self._places = _places(versions[0].trial)
        self._when = _judge(versions)

    def step(self, old: Dated, new: Dated) -> None:
        if all(outcomes_of(old.trial, level) == outcomes_of(new.trial, level) for level in LEVELS):
            return
        matched = match_outcomes(old.trial, new.trial)
        stood, self._at = self._at, {}
        were, self._places = _places(old.trial), _places(new.trial)
        for placed in matched.removed:
            self._drop(stood[were[id(placed.outcome)]], old, new)
        for was, placed in matched.pairs:
            life = stood[were[id(was.outcome)]]
            self._stand(life, placed)
            life.events += [self._event(old, new, placed, said) for said in _differences(was, placed)]
        for placed in matched.added:
            self._add(placed, old, new)

    def begin(self, placed: Placed, old: Dated | None, new: Dated, what: What) -> None:
        life = _Life(placed, new.date, old is not None or new.is_registration)
        life.events.append(self._event(old, new, placed, (what, None, placed.outcome.measure)))
        self.lives.append(life)
        self._stand(life, placed)

    def _add(self, placed: Placed, old: Dated, new: Dated) -> None:
        life = next((each for each in self.lives if each.until and each.latest.measure == placed.measure), None)
        if life is None or not placed.measure:
            self.begin(placed, old, new, "added")
            return
        life.events.append(self._event(old, new, placed, ("returned", None, placed.outcome.measure)))
        life.until = None
        self._stand(life, placed)

    def _drop(self, life: _Life, old: Dated, new: Dated) -> None:
        life.until = new.date
        life.events.append(self._event(old, new, life.latest, ("dropped", life.latest.outcome.measure, None)))

    def _stand(self, life: _Life, placed: Placed) -> None:
        life.latest = placed
        self._at[self._places[id(placed.outcome)]] = life

    def _event(self, old: Dated | None, new: Dated, placed: Placed, said: _Said) -> OutcomeEvent:
        what, before, after = said
        return OutcomeEvent(
            what=what,
            on=new.date,
            submitted=submitted_on(new),
            when=self._when(old, new),
            level=placed.level,
            before=before,
            after=after,
            version=new.version,
            after_gap=old is not None and new.gap > 0,
        )


def _places(trial: Trial) -> dict[int, _Place]:
    """Where each outcome stands; by the object, since two outcomes of a list may say the very same."""
    return {id(each): (level, at) for level in LEVELS for at, each in enumerate(outcomes_of(trial, level))}


def _placed(trial: Trial) -> Iterator[Placed]:
    return (Placed(level, outcome) for level in LEVELS for outcome in outcomes_of(trial, level))


def _differences(was: Placed, now: Placed) -> Iterator[_Said]:
    if was.level != now.level:
        yield _move(was.level, now.level), was.level, now.level
    yield from _text_differences(was.outcome, now.outcome)


def _text_differences(was: Outcome, now: Outcome) -> Iterator[_Said]:
    if label_key(was.measure) != label_key(now.measure):
        yield "reworded", was.measure, now.measure
    if not same_text(was.time_frame, now.time_frame):
        yield "time frame changed", was.time_frame, now.time_frame
    if not same_text(was.description, now.description):
        yield "description changed", was.description, now.description


def _move(was: Level, now: Level) -> What:
    if now == "primary":
        return "promoted"
    return "demoted" if was == "primary" else "moved"


# --- before anybody could know the data -------------------------------------------------------------------------------


def _judge(versions: Sequence[Dated]) -> Callable[[Dated | None, Dated], Moment]:
    """How to tell the moment of a step, by the dates that the record states last."""
    start, closing, completion = (
        _newest(versions, date) for date in ("start_date", "primary_completion_date", "completion_date")
    )

    def when(old: Dated | None, new: Dated) -> Moment:
        if new.trial.has_results:
            return "after results" if old is not None and old.trial.has_results else "with results"
        said = interval(submitted_on(new))
        if said is None:
            return "unknown"
        if start and said.start < start.start:
            return "before start"
        return _by_closing(said, closing, completion)

    return when


def _by_closing(said: Interval, closing: Interval | None, completion: Interval | None) -> Moment:
    if closing:
        return "before primary completion" if said.start <= closing.end else "before results"
    # a study that has ended has ended its primary completion, whenever that was
    return "before results" if completion and said.start > completion.end else "unknown"


def _newest(versions: Sequence[Dated], date: str) -> Interval | None:
    for dated in reversed(versions):
        known = getattr(dated.trial, date)
        if known is not None:
            return interval(known.date)
    return None
