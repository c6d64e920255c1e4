"""The numbers that a monitoring system collects, read from the tables when it asks: no replica counts for itself."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import ColumnElement, Connection, func, select

from monitor import __version__, askings, presence
from monitor.askings import Asking
from monitor.presence import ROLES
from monitor.silence import free_bytes
from monitor.tally import Tally
from notifiers import confirmations, scope, troubles
from notifiers.ledger import STATES
from notifiers.tables import addresses, deliveries
from snapshots import archive
from snapshots.archive import Sweep
from snapshots.archive.tables import sweeps
from snapshots.kinds import RULES_VERSION


def exposition(connection: Connection, registry: str, now: datetime, tally: Tally) -> bytes:
    """The metrics in the text format of Prometheus. `tally` is this database's, the same each time."""
    collected = CollectorRegistry()
    collected.register(_Tables(connection, registry, now, tally))
    return generate_latest(collected)


class _Tables(Collector):
    """Reads once for one scrape; times are seconds since 1970, 0 for what never was."""

    def __init__(self, connection: Connection, registry: str, now: datetime, tally: Tally) -> None:
        self._connection, self._registry, self._now, self._tally = connection, registry, now, tally

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        build = {"version": __version__, "rules": str(RULES_VERSION)}
        yield InfoMetricFamily("trialdelta_build", "Which version runs, and by which rules it tells changes.", build)
        yield from self._looking()
        yield from self._telling()
        yield from self._there()

    def _looking(self) -> Iterator[Metric]:
        finished = archive.last_finished(self._connection, self._registry)
        yield from _last_sweep(finished)
        yield from _asked(askings.last(self._connection, self._registry))
        yield self._sweeps()
        watched = scope.how_many(self._connection, "all").get(self._registry, 0)
        owed = len(archive.open_exceptions(self._connection, self._registry))
        yield GaugeMetricFamily("trialdelta_watched_records", "Records that are watched.", watched)
        yield GaugeMetricFamily(
            "trialdelta_unconfirmed_records", "Records and searches that the registry owes an answer for.", owed
        )
        told = CounterMetricFamily("trialdelta_changes", "Changes that are stored, by severity.", labels=["severity"])
        for severity, count in self._tally.by_severity(self._connection).items():
            told.add_metric([severity], count)
        yield told

    def _sweeps(self) -> Metric:
        family = CounterMetricFamily("trialdelta_sweeps", "Sweeps begun, by what became of them.", labels=["state"])
        for state, count in {"finished": 0, "failed": 0, **self._by(sweeps.c.state)}.items():
            family.add_metric([state], count)
        return family

    def _telling(self) -> Iterator[Metric]:
        family = GaugeMetricFamily("trialdelta_deliveries", "Deliveries that there are, by state.", labels=["state"])
        counted = self._by(deliveries.c.state)
        for state in STATES:
            family.add_metric([state], counted.get(state, 0))
        yield family
        yield self._oldest_due()
        off = self._by(addresses.c.state).get("off", 0)
        yield GaugeMetricFamily("trialdelta_addresses_off", "Addresses switched off.", off)
        waiting = len(confirmations.waiting(self._connection))
        words = "New mail addresses that have not said yet that they want to be told."
        yield GaugeMetricFamily("trialdelta_addresses_unconfirmed", words, waiting)
        standing = len(list(troubles.standing(self._connection)))
        yield GaugeMetricFamily("trialdelta_troubles", "Troubles of the operator that stand.", standing)

    def _oldest_due(self) -> Metric:
        is_open = deliveries.c.next_attempt_at.is_not(None)
        due = select(func.min(deliveries.c.planned_at)).where(is_open, deliveries.c.planned_at <= self._now)
        planned: datetime | None = self._connection.execute(due).scalar()
        seconds = (self._now - planned).total_seconds() if planned is not None else 0
        words = "How long the oldest message that should have been sent by now has waited, tries in vain included."
        return GaugeMetricFamily("trialdelta_oldest_due_delivery_seconds", words, seconds)

    def _there(self) -> Iterator[Metric]:
        """Who is at work, and how much room is left."""
        found = [each for each in presence.listing(self._connection) if each.is_there(self._now)]
        family = GaugeMetricFamily("trialdelta_daemons", "Daemons that are there, by role.", labels=["role"])
        for role in ROLES:
            family.add_metric([role], sum(role in each.roles for each in found))
        yield family
        file = self._connection.engine.url.database if self._connection.dialect.name == "sqlite" else None
        if file:
            words = "Room left on the disk of the SQLite database; absent with PostgreSQL."
            yield GaugeMetricFamily("trialdelta_disk_free_bytes", words, free_bytes(Path(file).parent))

    def _by(self, column: ColumnElement[str]) -> dict[str, int]:
        """How many rows have which value of a column."""
        rows = self._connection.execute(select(column, func.count()).group_by(column))
        return {value: count for value, count in rows}  # noqa: C416  # rows are no pairs to a type checker


def _asked(last: Asking | None) -> Iterator[Metric]:
    words = "When the registry was last asked, whatever it answered."
    yield GaugeMetricFamily("trialdelta_last_asked_timestamp_seconds", words, last.asked_at.timestamp() if last else 0)
    since = last.failing_since if last is not None else None
    words = "Since when every asking of the registry has failed; 0 where the last came to a good end."
    yield GaugeMetricFamily("trialdelta_failing_since_timestamp_seconds", words, since.timestamp() if since else 0)


def _last_sweep(finished: Sweep | None) -> Iterator[Metric]:
    ended = finished.ended_at if finished is not None else None
    words = "When the last sweep over all that is watched ended."
    yield GaugeMetricFamily("trialdelta_last_sweep_timestamp_seconds", words, ended.timestamp() if ended else 0)
    release = {"release": finished.release if finished is not None else ""}
    yield InfoMetricFamily("trialdelta_last_sweep", "Of which release of the registry it was.", release)
