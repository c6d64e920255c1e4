"""The promises of the whole: nothing lost, noise silent, most severe first, A → B → A → B told three times."""

import copy
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapshots import rules
from snapshots.changes import Change, from_json, to_json
from snapshots.kinds import KINDS, SEVERITIES
from snapshots.registries.ctgov.parse import parse
from snapshots.rules import changes_between
from snapshots.trial import Trial
from tests.snapshots.protocol import shuffled
from tests.snapshots.whole_record import SITES, STATUS, after, read, site, told, whole, with_results

Json = Any
FIXTURES = sorted((Path(__file__).parents[1] / "fixtures" / "registry").glob("*.json"))
RECORDS: dict[str, dict[str, Json]] = {
    "whole": whole(),
    "with results": with_results(),
    **{path.stem: json.loads(path.read_bytes()) for path in FIXTURES},
}
EACH_RECORD = pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)


def test_the_families_answer_for_every_attribute_of_a_trial_and_each_for_its_own() -> None:
    covered = [attribute for family in (*rules.FAMILIES, rules.folding) for attribute in family.COVERS]

    assert sorted(covered) == sorted(Trial.__struct_fields__)


@EACH_RECORD
def test_a_record_does_not_differ_from_itself(record: dict[str, Json]) -> None:
    assert told(record, copy.deepcopy(record)) == []


def test_back_and_forth_is_told_each_time() -> None:
    one, other = whole(), whole((f"{STATUS}.overallStatus", "SUSPENDED"), (f"{SITES}[0].status", "SUSPENDED"))

    first, second, third = told(one, other), told(other, one), told(one, other)

    assert [change.kind for change in first] == ["study.suspended", "site.suspended"]
    assert [change.kind for change in second] == ["recruitment.resumed", "site.recruiting"]
    assert third == first


def test_the_most_severe_is_told_first_and_families_keep_their_order() -> None:
    found = after(
        (f"{STATUS}.overallStatus", "TERMINATED"),
        (f"{STATUS}.completionDateStruct.date", "2027-07-30"),
        ("protocolSection.conditionsModule.keywords", ["fever"]),
        ("protocolSection.eligibilityModule.sex", "FEMALE"),
        (f"{SITES}[3]", site("East Example Hospital", "Oslo", "Norway")),
    )

    assert [change.kind for change in found] == [
        "study.terminated",
        "site.recruiting",
        "country.added",
        "eligibility.sex_changed",
        "completion_date.delayed",
        "keyword.changed",
    ]
    assert [SEVERITIES.index(change.severity) for change in found] == sorted(  # type: ignore[arg-type]
        SEVERITIES.index(change.severity)  # type: ignore[arg-type]
        for change in found
    )


def test_a_change_survives_its_json() -> None:
    for change in told(whole(), with_results((f"{STATUS}.overallStatus", "COMPLETED"), (SITES, []))):
        assert from_json(json.loads(json.dumps(to_json(change)))) == change


# --- nothing is lost --------------------------------------------------------------------------------------------------

SILENT = re.compile(
    r"derivedSection\.(?!.*submission)|.*geoPoint|.*\.class$|.*PostDateStruct\.type$|.*[gG]roups\[\d+\]\.id$"
)
"""Places that "Silence" names: whatever stands there says nothing. Ids of groups are positions, not names."""


def leaves(value: Json, place: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Json]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if members is None:
        yield place, value
    else:
        for key, member in members:
            yield from leaves(member, (*place, key))


def dotted(place: tuple[str | int, ...]) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place).removeprefix(".")


def with_value(record: Json, place: tuple[str | int, ...], value: Json) -> Json:
    copied = copy.copy(record)
    copied[place[0]] = value if len(place) == 1 else with_value(record[place[0]], place[1:], value)
    return copied


def otherwise(value: Json) -> Json:
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, str):
        return "2031-07" if re.match(r"\d{4}-\d\d", value) else f"{value} and 7 more"
    return value + 17


PLACES = [(name, place, value) for name, record in RECORDS.items() for place, value in leaves(record)]


@pytest.mark.parametrize(
    ("name", "place", "value"), PLACES, ids=[f"{name}:{dotted(place)}" for name, place, _ in PLACES]
)
def test_whatever_really_differs_is_told_and_its_place_is_found(
    name: str, place: tuple[str | int, ...], value: Json
) -> None:
    if SILENT.match(dotted(place)):
        pytest.skip("named by Silence")
    record = RECORDS[name]
    edited = with_value(record, place, otherwise(value))

    found = told(record, edited)

    assert found
    assert [change.path for change in found if not (resolves(edited, change) or resolves(record, change))] == []
    assert all(change.label == KINDS[change.kind].label and change.summary for change in found)


def resolves(record: Json, change: Change) -> bool:
    for name, number in re.findall(r"([^.\[\]]+)|\[(\d+)\]", change.path or ""):
        try:
            record = record[int(number)] if number else record[name]
        except (KeyError, IndexError, TypeError):
            return False
    return True


@pytest.mark.parametrize(
    "place", [place for name, place, _ in PLACES if name == "whole" and "nctId" not in place], ids=dotted
)
@pytest.mark.parametrize("odd", [None, {"odd": [1]}, [{}], "", 7])
def test_no_value_anywhere_makes_comparing_fail(place: tuple[str | int, ...], odd: Json) -> None:
    edited = with_value(RECORDS["whole"], place, odd)

    assert all(change.summary for change in (*told(RECORDS["whole"], edited), *told(edited, RECORDS["whole"])))


# --- noise is silent --------------------------------------------------------------------------------------------------

_TEXTS = re.compile(r"(briefSummary|detailedDescription|description|eligibilityCriteria|timeFrame)$")
_ENUMERATED = re.compile(
    r"(overallStatus|locations\[\d+\]\.status|studyType|phases|masking|whoMasked|role|sex|infoTypes)"
)
_NAMED = re.compile(r"(facility|city|leadSponsor\.name|fullName|affiliation)$")


def rewritten(record: Json, here: re.Pattern[str], rewrite: Any) -> Json:
    for place, value in leaves(record):
        if isinstance(value, str) and here.search(dotted(place)):
            record = with_value(record, place, rewrite(value))
    return record


NOISES = {
    "double blanks": (_TEXTS, lambda text: text.replace(" ", "  ")),
    "other line breaks": (_TEXTS, lambda text: text.replace("\n", "\r\n")),
    "other bullets": (_TEXTS, lambda text: text.replace("\n* ", "\n• ")),
    "no escapes": (_TEXTS, lambda text: text.replace("\\", "")),
    "html": (
        _TEXTS,
        lambda text: "<p>" + text.replace("\\>", "&gt;").replace("\\<", "&lt;").replace("\n\n", "</p><p>") + "</p>",
    ),
    "typographic dashes": (_TEXTS, lambda text: text.replace("-", "–")),
    "lower-case enumerations": (_ENUMERATED, str.lower),
    "upper-case names": (_NAMED, str.upper),
    "names without punctuation": (_NAMED, lambda name: name.replace(",", "").replace("-", " ")),
}


@EACH_RECORD
@pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES)
def test_noise_is_silent(record: dict[str, Json], noise: tuple[re.Pattern[str], Any]) -> None:
    noisy = rewritten(record, *noise)

    assert told(record, noisy) == []
    assert told(noisy, record) == []


@EACH_RECORD
@settings(max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_lists_is_silent(record: dict[str, Json], seed: int) -> None:
    turned = shuffled(record, random.Random(seed))

    assert told(record, turned) == []


def test_the_derived_section_is_silent() -> None:
    other = {"miscInfoModule": {"versionHolder": "2031-01-01", "removedCountries": ["Italy"]}, "browse": {"x": 1}}
    quiet = {key: value for key, value in whole().items() if key != "annotationSection"}

    before = read({**quiet, "derivedSection": {"miscInfoModule": {"versionHolder": "2026-01-01"}}})

    assert changes_between(before, read({**quiet, "derivedSection": other})) == ()


def test_records_of_other_registries_need_no_paths() -> None:
    bare = Trial(registry="elsewhere", id="X-1", paths={})

    (change,) = changes_between(bare, Trial(registry="elsewhere", id="X-1", paths={}, overall_status="RECRUITING"))

    assert (change.kind, change.path) == ("recruitment.opened", "overall_status")
    assert parse(json.dumps(whole()).encode()).registry == "ctgov"
