"""No record, however broken, makes reading or comparing fail or hang; what is odd is carried, never dropped."""

import json
import random
import time
from typing import Any

import pytest

from snapshots.registries.ctgov.parse import parse
from snapshots.registry import RegistryError
from snapshots.rules import changes_between
from tests.campaigns import fuzz, records
from tests.snapshots.whole_record import SITES, STATUS, told, whole, with_results

Json = Any
SEED = 20261122


@pytest.mark.parametrize("part", range(4))
def test_two_thousand_spoilt_records_are_read_and_compared(part: int) -> None:
    result = fuzz.run(SEED + part, 500, fuzz.invented())

    assert result.failures == []
    assert result.counts["cases"] == 500


def test_a_spoilt_record_is_the_same_again_by_its_seed() -> None:
    one, other = (fuzz.spoilt(whole(), random.Random(SEED)) for _ in range(2))

    assert json.dumps(one) == json.dumps(other) != json.dumps(whole())


def test_the_campaign_finds_a_rule_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(fuzz, "changes_between", fails)

    assert "ZeroDivisionError" in fuzz.run(SEED, 20, fuzz.invented()).failures[0]


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b"{}", b'{"protocolSection":{}}', b"<html>", b"[" * 100_000])
def test_what_is_no_record_is_refused_in_one_way(raw: bytes) -> None:
    with pytest.raises(RegistryError):
        parse(raw)


def test_a_record_with_nothing_but_its_id_loses_all_and_gains_all() -> None:
    bare = {"protocolSection": {"identificationModule": {"nctId": "NCT99000001"}}}

    lost, gained = told(whole(), bare), told(bare, whole())

    assert {"status.changed", "site.removed", "title.changed", "primary_outcome.removed"} <= {c.kind for c in lost}
    assert {"recruitment.opened", "site.recruiting", "arm.added"} <= {change.kind for change in gained}


@pytest.mark.parametrize("name", ["whole", "with results"])
def test_numbers_as_text_are_numbers_that_changed_their_form_and_break_nothing(name: str) -> None:
    record = records.invented()[name]
    texts = json.loads(json.dumps(record), parse_int=str, parse_float=str)

    assert all(change.summary for change in (*told(record, texts), *told(texts, record)))


@pytest.mark.parametrize("date", ["2026-13", "0000", "9999-99-99", "next spring", "", "2026-02-30", "-1"])
def test_absurd_dates_are_told_as_they_stand(date: str) -> None:
    found = told(whole(), whole((f"{STATUS}.completionDateStruct.date", date)))

    assert [change.after and change.after.get("date") for change in found] in ([date], [None])


def test_lists_that_become_null_are_lists_that_are_empty() -> None:
    nulls = [(place, None) for place in (SITES, "protocolSection.outcomesModule.otherOutcomes")]
    empty = [(place, []) for place, _ in nulls]

    assert told(whole(*nulls), whole(*empty)) == []


def test_ten_thousand_sites_that_all_change_are_told_in_seconds() -> None:
    def listed(status: str) -> list[Json]:
        return [
            {"facility": f"Example Hospital {n}", "city": f"Town {n % 700}", "country": "Freedonia", "status": status}
            for n in range(10_000)
        ]

    old, new = (
        parse(json.dumps(whole((SITES, listed(status)))).encode()) for status in ("NOT_YET_RECRUITING", "RECRUITING")
    )
    began = time.process_time()

    found = changes_between(old, new)

    assert {change.kind for change in found} == {"site.recruiting"}
    assert (len(found), time.process_time() - began < 10) == (10_000, True)


def test_a_text_of_a_megabyte_is_compared_in_seconds() -> None:
    text = "".join(f"* Criterion {n}, {'x' * 30}\n" for n in range(20_000))
    began = time.process_time()

    found = told(
        with_results(("protocolSection.eligibilityModule.eligibilityCriteria", text)),
        with_results(("protocolSection.eligibilityModule.eligibilityCriteria", text.replace("9,", "8;"))),
    )

    assert [change.kind for change in found] == ["eligibility.criteria_changed"]
    assert time.process_time() - began < 20
