"""What a subscription would have told, and how things stand for it today, looked through within a few seconds."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec import Struct
from sqlalchemy import Connection

from monitor.wiring import PARSE
from notifiers import backtest, standing
from notifiers.backtest import Alert
from notifiers.subscriptions import Subscription
from snapshots.sentences import counted, date_words

T = TypeVar("T")

YEAR = timedelta(days=365)
SHOWN = 20
SECONDS = 5.0
"""How long each of the two may take: a person waits for it."""


class Foresight(Struct, frozen=True, kw_only=True):
    """`past`: a sentence on what would have been told since the ISO day `since`, `heading` the same in a few words;
    `count` steps, `alerts` the newest of them, `months` how many in each month. `today`: a sentence. `unlooked` says
    what there was no time for, "" where all was looked at.
    """

    since: str
    heading: str
    past: str
    count: int
    alerts: tuple[Alert, ...]
    months: tuple[tuple[str, int], ...]
    today: str
    unlooked: str = ""


class Hasty:
    """Passes on what comes until the time is over."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + SECONDS
        self.is_cut = False
        self.passed = 0

    def __call__(self, things: Iterable[T]) -> Iterator[T]:
        for thing in things:
            if self._clock() > self._end:
                self.is_cut = True
                return
            self.passed += 1
            yield thing


def foresee(
    connection: Connection,
    subscription: Subscription,
    since: str | None,
    now: datetime,
    clock: Callable[[], float] = time.monotonic,
) -> Foresight:
    """Both, from the ISO day `since` on (None: 12 months)."""
    begin = since or (now - YEAR).date().isoformat()
    period = f"the time since {date_words(begin)}" if since else "12 months"
    replaying = Hasty(clock)
    found = backtest.backtest(connection, subscription, begin, PARSE, replaying)
    looking = Hasty(clock)
    state = standing.load(connection, subscription, PARSE, looking)
    return Foresight(
        since=begin,
        heading=_heading(found.alerts, subscription, f"since {date_words(begin)}" if since else "in 12 months"),
        past=backtest.in_words(found, period, subscription),
        count=len(found.alerts),
        alerts=found.alerts[: -SHOWN - 1 : -1],
        months=_months(found.alerts),
        today=standing.in_words(state),
        unlooked=_unlooked(replaying, looking),
    )


def _heading(alerts: Sequence[Alert], subscription: Subscription, period: str) -> str:
    at_once, digests = backtest.messages(alerts, subscription)
    if not alerts:
        return "It would have told nothing"
    in_digests = f"been in {counted(digests, 'digest')}" if digests else ""
    sent = f"sent {counted(at_once, 'message')}" if at_once else ""
    came = " and ".join(filter(None, (sent, in_digests)))
    return f"It would have {came}{backtest.each_address(subscription)} {period}"


def _months(alerts: Iterable[Alert]) -> tuple[tuple[str, int], ...]:
    counts: dict[str, int] = {}
    for alert in alerts:
        month = date_words(alert.date[:7])
        counts[month] = counts.get(month, 0) + 1
    return tuple(counts.items())


def _unlooked(replaying: Hasty, looking: Hasty) -> str:
    if not (replaying.is_cut or looking.is_cut):
        return ""
    looked = min(each.passed for each in (replaying, looking) if each.is_cut)
    return (
        f"There was time for the first {looked:,} trials only. Once it is kept, `trialdelta subscription backtest NAME`"
        " looks through all of them."
    )
