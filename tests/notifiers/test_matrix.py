"""Conditions × changes, made and real: the expected yes or no with its reason, as decided and as explained."""

import re
from functools import cache
from typing import Any

import pytest

from notifiers.conditions import Conditions, located
from notifiers.explaining import explain
from notifiers.filters import decide
from notifiers.subscriptions import shaped
from snapshots.changes import Change
from snapshots.registries.ctgov.parse import parse
from snapshots.rules import changes_between
from snapshots.trial import Site, Trial
from tests.notifiers.cast import BEIJING, LYON, change, moved, trial
from tests.registries import REAL_RELEASES

PAIRS = REAL_RELEASES.parent / "pairs"

UNPINNED = Site(facility="Example Ward", city="Lyon", country="France", status="RECRUITING")
NOWHERE = Site(facility="Example Barn", city="Zzyzx Springs", country="France", status="RECRUITING")
CAME = Site(facility="Example Clinic", city="Beijing", country="China", status="RECRUITING", position=0)

CONDITIONS: dict[str, dict[str, Any]] = {
    "none": {},
    "kind": {"kinds": ["site.recruiting"]},
    "not": {"kinds": ["!site.*"]},
    "severe": {"min_severity": "critical"},
    "China": {"countries": ["China"]},
    "lotus": {"sites": ["lotus"]},
    "Beijing": {"near": {"place": "Beijing", "km": 50}},
    "Lyon": {"near": {"place": "Lyon, FR", "km": 20}},
    "shift": {"shift_days_over": 30},
    "becomes": {"becomes": ["RECRUITING"]},
    "sponsor": {"sponsor": ["pharma"]},
    "waiting": {"kinds": ["site.recruiting"], "min_severity": "critical", "near": {"place": "Beijing", "km": 50}},
}
REASONS = {
    "+": "wanted",
    "k": "another kind",
    "s": "not severe enough",
    "p": "another place",
    "?": "no known place",
    "n": "no shift of a date",
    "t": "too small a shift",
    "b": "becomes something else",
    "o": "another sponsor",
}
HERE = trial(sites=(BEIJING, LYON))
CHANGES: dict[str, tuple[Change, Trial | None]] = {
    "a site in Beijing recruits": (change(site=BEIJING, after="RECRUITING"), HERE),
    "a site in Lyon is renamed": (change("site.renamed", site=LYON), HERE),
    "a site in Lyon without coordinates recruits": (
        change(site=UNPINNED, after="RECRUITING"),
        trial(sites=(UNPINNED,)),
    ),
    "a site where nobody knows recruits": (change(site=NOWHERE, after="RECRUITING"), trial(sites=(NOWHERE,))),
    "the study is suspended": (change("study.suspended", after="SUSPENDED"), HERE),
    "a study without sites is suspended": (change("study.suspended", after="SUSPENDED"), trial(sites=())),
    "a date slips by a year": (moved("completion_date.delayed", "2026-01-01", "2027-01-01"), HERE),
    "a date slips by a day": (moved("completion_date.delayed", "2026-01-01", "2026-01-02"), HERE),
    "a recruiting site moves to Beijing": (
        change("site.moved", site=CAME, before="Shanghai, China", after="Beijing, China", path="sites[0]"),
        trial(sites=(CAME,)),
    ),
    "a recruiting site moves within Beijing": (
        change(
            "site.moved", site=CAME, before="Beijing, 100000, China", after="Beijing, 102218, China", path="sites[0]"
        ),
        trial(sites=(CAME,)),
    ),
    "the sponsor changes": (
        change("sponsor.changed", before="Example Pharma", after="Another Company"),
        trial(sites=(LYON,), sponsor="Another Company"),
    ),
}
EXPECTED = """
                                             none kind not severe China lotus Beijing Lyon shift becomes sponsor waiting
a site in Beijing recruits                    +    +    k    +      +     +      +     p     n      +       +       +
a site in Lyon is renamed                     +    k    k    s      p     p      p     +     n      b       +       k
a site in Lyon without coordinates recruits   +    +    k    +      p     p      p     +     n      +       +       p
a site where nobody knows recruits            +    +    k    +      p     p      ?     ?     n      +       +       ?
the study is suspended                        +    k    +    +      +     +      +     +     n      b       +       k
a study without sites is suspended            +    k    +    +      ?     ?      ?     ?     n      b       +       k
a date slips by a year                        +    k    +    s      +     +      +     +     +      b       +       k
a date slips by a day                         +    k    +    s      +     +      +     +     t      b       +       k
a recruiting site moves to Beijing            +    k    k    s      +     p      +     p     n      b       +       +
a recruiting site moves within Beijing        +    k    k    s      +     p      +     p     n      b       +       k
the sponsor changes                           +    k    +    +      p     p      p     +     n      b       +       k
"""


def conditions(table: dict[str, Any]) -> Conditions:
    plain = {
        key: [value] if isinstance(value, str) and key != "min_severity" else value for key, value in table.items()
    }
    return shaped(located(plain), Conditions)


def cells() -> list[Any]:
    head, *rows = (line for line in EXPECTED.splitlines() if line.strip())
    names = head.split()
    parts = [re.split(r" {2,}", row, maxsplit=1) for row in rows]
    return [
        pytest.param(what, name, REASONS[said], id=f"{what} × {name}")
        for what, marks in parts
        for name, said in zip(names, marks.split(), strict=True)
    ]


@pytest.mark.parametrize(("what", "asked", "reason"), cells())
def test_what_is_wanted_of_made_changes_and_why_not(what: str, asked: str, reason: str) -> None:
    happened, of = CHANGES[what]
    when = conditions(CONDITIONS[asked])

    assert decide(when, happened, of).reason == reason
    checks = explain(when, happened, of, {})
    assert all(check.holds for check in checks) == (reason == "wanted")
    assert all(check.words for check in checks)


def test_the_table_names_all_changes_and_conditions() -> None:
    assert {cell.values[0] for cell in cells()} == set(CHANGES)
    assert {cell.values[1] for cell in cells()} == set(CONDITIONS)


@cache
def real(record: str) -> tuple[Trial, tuple[Change, ...]]:
    """The recorded record as it was after its change, and what is told of it."""
    found = sorted(PAIRS.glob(f"{record}_*.old.json"))
    if not found:
        pytest.skip(f"the recorded pairs are not here ({PAIRS})")
    new = parse(found[0].with_name(found[0].name.replace(".old.", ".new.")).read_bytes())
    return new, tuple(changes_between(parse(found[0].read_bytes()), new))


GUANGZHOU, BERLIN = {"place": "Guangzhou", "km": 50}, {"place": "Berlin", "km": 50}


@pytest.mark.real_records
@pytest.mark.parametrize(
    ("record", "kind", "about", "asked", "reason"),
    [
        ("NCT07098338", "site.recruiting", "Guangzhou", {"near": GUANGZHOU, "kinds": ["site.recruiting"]}, "wanted"),
        ("NCT07098338", "site.recruiting", "Chengdu", {"near": GUANGZHOU, "kinds": ["site.*"]}, "another place"),
        ("NCT07098338", "site.recruiting", "Seoul 03080", {"countries": ["KR"]}, "wanted"),
        ("NCT07098338", "site.recruiting", "Seoul 03080", {"countries": ["China", "Japan"]}, "another place"),
        ("NCT07098338", "site.recruiting", "Taichung", {"becomes": ["recruiting"], "countries": ["TW"]}, "wanted"),
        ("NCT07098338", "primary_completion_date.delayed", "", {"shift_days_over": 365}, "wanted"),
        ("NCT07098338", "primary_completion_date.delayed", "", {"shift_days_over": 747}, "too small a shift"),
        ("NCT07098338", "primary_completion_date.delayed", "", {"near": {"place": "Kobe", "km": 10}}, "wanted"),
        ("NCT07098338", "description.changed", "", {"shift_days_over": 1}, "no shift of a date"),
        ("NCT05935098", "study.terminated", "", {"becomes": ["TERMINATED"]}, "wanted"),
        ("NCT05935098", "study.terminated", "", {"becomes": ["COMPLETED"]}, "becomes something else"),
        ("NCT05935098", "organization.changed", "", {"min_severity": "major"}, "not severe enough"),
        ("NCT07011550", "site.suspended", "", {"sites": ["md anderson"]}, "wanted"),
        ("NCT07011550", "site.suspended", "", {"sites": ["mayo clinic"]}, "another place"),
        ("NCT07011550", "study.suspended", "", {"near": {"place": "Houston", "km": 30}}, "wanted"),
        ("NCT07011550", "study.suspended", "", {"near": {"place": "Lima", "km": 30}}, "another place"),
        ("NCT04736173", "country.removed", "Greece", {"countries": ["GR"]}, "wanted"),
        ("NCT04736173", "site.removed", "Asan", {"near": {"place": "Seoul", "km": 30}}, "wanted"),
        ("NCT04736173", "site.removed", "Dong-A", {"near": {"place": "Seoul", "km": 30}}, "another place"),
        ("NCT07221253", "site.moved", "Berlin", {"kinds": ["site.recruiting"], "near": BERLIN}, "another kind"),
        ("NCT07221253", "site.moved", "Berlin", {"near": BERLIN}, "wanted"),
        ("NCT06203210", "site.recruiting", "Boston", {"near": {"place": "Boston", "km": 20}}, "wanted"),
        ("NCT06203210", "site.recruiting", "Lebanon", {"near": {"place": "Beirut", "km": 100}}, "another place"),
        ("NCT07227597", "primary_outcome.time_frame_changed", "", {"kinds": ["primary_outcome.*"]}, "wanted"),
        ("NCT07227597", "primary_outcome.time_frame_changed", "", {"kinds": ["secondary_outcome.*"]}, "another kind"),
        ("NCT07227597", "recruitment.opened", "", {"sponsor": ["merck"]}, "wanted"),
        ("NCT07227597", "recruitment.opened", "", {"sponsor": ["example pharma"]}, "another sponsor"),
    ],
)
def test_what_is_wanted_of_recorded_changes_and_why_not(
    record: str, kind: str, about: str, asked: dict[str, Any], reason: str
) -> None:
    new, told = real(record)
    happened = next(one for one in told if one.kind == kind and about in one.summary)
    when = conditions(asked)

    assert decide(when, happened, new, None, told).reason == reason
    assert all(check.holds for check in explain(when, happened, new, {}, told)) == (reason == "wanted")


@pytest.mark.real_records
def test_every_recorded_change_is_explained_as_it_is_decided() -> None:
    records = {path.name[:11] for path in PAIRS.glob("*.old.json")}
    if not records:
        pytest.skip(f"the recorded pairs are not here ({PAIRS})")
    for record in sorted(records):
        new, told = real(record)
        for asked in CONDITIONS.values():
            when = conditions(asked)
            for one in told[:20]:
                decided = decide(when, one, new, None, told)
                explained = explain(when, one, new, {}, told)
                assert decided.wanted == all(check.holds for check in explained), (record, one.summary, asked)
