"""The numbers that a monitoring system collects, read from the tables when it asks: no replica counts for itself."""

from collections.abc import Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select

from monitor.health import health
from notifiers.tables import deliveries


def exposition(connection: Connection, registry: str, now: datetime) -> bytes:
    """The metrics in the text format of Prometheus."""
    collected = CollectorRegistry()
    collected.register(_Tables(connection, registry, now))
    return generate_latest(collected)


class _Tables(Collector):
    """Reads once for one scrape."""

    def __init__(self, connection: Connection, registry: str, now: datetime) -> None:
        self._connection, self._registry, self._now = connection, registry, now

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        stands = health(self._connection, self._registry, self._now)
        yield GaugeMetricFamily("trialdelta_watched_records", "Records that are watched.", stands.watched)
        yield GaugeMetricFamily(
            "trialdelta_unconfirmed_records", "Records that the registry owes an answer for.", len(stands.exceptions)
        )
        yield GaugeMetricFamily("trialdelta_addresses_off", "Addresses switched off.", len(stands.addresses_off))
        yield self._last_sweep(stands.last_finished.ended_at if stands.last_finished else None)
        yield self._oldest_due(stands.oldest_due)
        yield self._deliveries()

    def _last_sweep(self, ended: datetime | None) -> Metric:
        words = "When the last sweep over all that is watched ended, in seconds since 1970; 0 where none did."
        return GaugeMetricFamily(
            "trialdelta_last_sweep_timestamp_seconds", words, ended.timestamp() if ended is not None else 0
        )

    def _oldest_due(self, planned: datetime | None) -> Metric:
        words = "How long the oldest delivery that is due has been due."
        seconds = (self._now - planned).total_seconds() if planned is not None else 0
        return GaugeMetricFamily("trialdelta_oldest_due_delivery_seconds", words, seconds)

    def _deliveries(self) -> Metric:
        family = GaugeMetricFamily("trialdelta_deliveries", "Deliveries by state.", labels=["state"])
        counted = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
        for state, count in self._connection.execute(counted):
            family.add_metric([state], count)
        return family
