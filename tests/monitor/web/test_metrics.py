"""What a monitoring system reads: numbers from the tables, for who shows a token; and whether we live."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from notifiers import addresses
from tests.monitor.stage import copied
from tests.monitor.web.browsing import NOW, OWN_TOKEN, SiteUnderTest, serving
from tests.monitor.web.lived_in import lived_in

__all__ = ["lived_in"]


@pytest.fixture
def lived_site(lived_in: Path, tmp_path: Path) -> Iterator[SiteUnderTest]:
    for database in copied(lived_in, tmp_path):
        with serving(database) as running:
            yield running


def samples(site: SiteUnderTest) -> dict[str, float]:
    """Each sample by its name and labels."""
    text = site.client(OWN_TOKEN).get("/metrics").text
    return {
        sample.name + "".join(f" {key}={value}" for key, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_numbers_are_those_of_the_tables(lived_site: SiteUnderTest) -> None:
    with lived_site.database.write() as connection:
        addresses.switch(connection, "mailto:bob@example.org", "off", "gone", NOW)

    found = samples(lived_site)

    assert found["trialdelta_watched_records"] == 3
    assert found["trialdelta_unconfirmed_records"] == 0
    assert found["trialdelta_changes_total severity=critical"] == 3
    assert found["trialdelta_deliveries state=pending"] == 11
    assert found["trialdelta_deliveries state=failed"] == 0
    assert found["trialdelta_addresses_off"] == 1
    assert found["trialdelta_addresses_unconfirmed"] == 0
    assert found["trialdelta_sweeps_total state=finished"] == 3
    assert found["trialdelta_last_sweep_info release=2026-03-04T09:00:05"] == 1
    assert found["trialdelta_oldest_due_delivery_seconds"] > 86400
    assert any(name.startswith("trialdelta_build_info") for name in found)


def test_an_empty_installation_has_numbers_too(site: SiteUnderTest) -> None:
    found = samples(site)

    assert found["trialdelta_watched_records"] == 0
    assert found["trialdelta_last_sweep_timestamp_seconds"] == 0
    assert found["trialdelta_changes_total severity=critical"] == 0
    assert found["trialdelta_oldest_due_delivery_seconds"] == 0


def test_numbers_are_for_who_shows_a_token(site: SiteUnderTest) -> None:
    assert site.client().get("/metrics").status_code == 401
    assert site.client(site.token("scraper")).get("/metrics").status_code == 200


def test_whether_we_live_and_can_work_is_told_to_everybody(site: SiteUnderTest) -> None:
    assert site.client().get("/healthz").text == "ok\n"
    assert site.client().get("/readyz").text == "ok\n"
