"""What a monitoring system reads: numbers from the tables, for who shows a token; and whether we live."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from monitor import askings, presence
from monitor.presence import Present
from notifiers import addresses
from tests.monitor.stage import copied
from tests.monitor.web.browsing import NOW, OWN_TOKEN, SiteUnderTest, serving
from tests.monitor.web.lived_in import lived_in

__all__ = ["lived_in"]

ROOT = Path(__file__).parents[3]
API, ALERTS = ROOT / "docs" / "api.md", ROOT / "deploy" / "prometheus-alerts.yml"


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


def families(site: SiteUnderTest) -> dict[str, Any]:
    """Each metric by the name that its samples have."""
    text = site.client(OWN_TOKEN).get("/metrics").text
    return {family.samples[0].name: family for family in text_string_to_metric_families(text)}


def test_the_names_keep_to_the_conventions_of_prometheus(lived_site: SiteUnderTest) -> None:
    """https://prometheus.io/docs/practices/naming: one prefix, base units, _total for counters, a help for each."""
    for name, family in families(lived_site).items():
        assert re.fullmatch(r"trialdelta(_[a-z]+)+", name), name
        assert (family.type == "counter") == name.endswith("_total"), name
        assert ("timestamp" in name) == name.endswith("_timestamp_seconds"), name
        assert not re.search(r"_(ms|minutes|hours|days|kb|mb)(_|$)", name), name
        assert len(family.documentation.split()) > 2, name


def test_the_documentation_lists_each_metric_with_its_type_and_labels_and_no_other(lived_site: SiteUnderTest) -> None:
    rows = re.findall(r"^\| `(trialdelta_\w+)(?:\{(\w+)\})?` \| (\w+) \|", API.read_text(), re.MULTILINE)
    documented = {name: (kind, label) for name, label, kind in rows}
    told = {name: (_kind(name, family), _label(name, family)) for name, family in families(lived_site).items()}

    assert documented == told


def _kind(name: str, family: Any) -> str:
    return "info" if name.endswith("_info") else str(family.type)


def _label(name: str, family: Any) -> str:
    return "" if name.endswith("_info") else "".join(family.samples[0].labels)


def test_the_example_alerts_ask_for_metrics_and_labels_that_there_are(lived_site: SiteUnderTest) -> None:
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    found = families(lived_site)
    named = [each for rule in rules for each in re.findall(r"(trialdelta_\w+)(?:\{(\w+)=\"(\w+)\"\})?", rule["expr"])]

    assert len({rule["alert"] for rule in rules}) == len(rules) > 5
    assert all(rule.keys() <= {"alert", "expr", "for", "labels", "annotations"} for rule in rules)
    assert all(re.fullmatch(r"\d+[mhd]", rule.get("for", "1m")) for rule in rules)
    assert all(rule["annotations"].keys() == {"summary", "description"} for rule in rules)
    assert all(rule["expr"].count("(") == rule["expr"].count(")") for rule in rules)
    assert len(named) >= len(rules)
    for name, label, value in named:
        assert name in found, name
        assert not label or value in {sample.labels[label] for sample in found[name].samples}, (name, value)


def test_who_is_there_and_when_the_registry_was_asked(lived_site: SiteUnderTest) -> None:
    me = Present(holder="elsewhere|1|a|", name="a", roles=("sweep",), version="1", started_at=NOW, heard_at=NOW)
    with lived_site.database.write() as connection:
        presence.say(connection, me, NOW)
        askings.note(connection, "ctgov", "it answered 503", NOW)

    found = samples(lived_site)

    assert (found["trialdelta_daemons role=sweep"], found["trialdelta_daemons role=deliver"]) == (1, 0)
    assert found["trialdelta_last_asked_timestamp_seconds"] == NOW.timestamp()
    assert found["trialdelta_failing_since_timestamp_seconds"] == NOW.timestamp()
    assert found["trialdelta_disk_free_bytes"] > 0


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
