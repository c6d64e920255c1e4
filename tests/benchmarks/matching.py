"""What it costs to find who wants a change among 100,000 subscriptions, beside asking each of them."""

import random
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from notifiers import filters, subscriptions
from notifiers.candidates import About, Candidates, indexed
from notifiers.conditions import Conditions, Near, Place
from notifiers.subscriptions import Selection, Subscription
from snapshots.changes import Change
from snapshots.kinds import KINDS
from snapshots.trial import Site, Trial
from tests.benchmarks.measuring import Figure, cpu, median

SUBSCRIPTIONS, CHANGES, NAIVE = 100_000, 1_000, 20
RECORDS, GROUPS = 10_000, 1_000
MIX = {"records": 0.80, "a group": 0.15, "a place and kinds, of all": 0.045, "all, critical only": 0.005}
CITIES = [
    ("Beijing", "China", 39.9, 116.4), ("Lyon", "France", 45.76, 4.84), ("Boston", "United States", 42.36, -71.06),
    ("Houston", "United States", 29.76, -95.36), ("Munich", "Germany", 48.14, 11.58), ("Osaka", "Japan", 34.69, 135.5),
    ("Leeds", "United Kingdom", 53.8, -1.55), ("Madrid", "Spain", 40.42, -3.7), ("Milan", "Italy", 45.46, 9.19),
    ("Seoul", "South Korea", 37.57, 126.98), ("Sydney", "Australia", -33.87, 151.21), ("Lima", "Peru", -12.05, -77.04),
    ("Toronto", "Canada", 43.65, -79.38), ("Warsaw", "Poland", 52.23, 21.01), ("Cairo", "Egypt", 30.04, 31.24),
    ("Recife", "Brazil", -8.05, -34.88), ("Mumbai", "India", 19.08, 72.88), ("Ghent", "Belgium", 51.05, 3.72),
]  # fmt: skip
PATTERNS = ("site.recruiting", "site.*", "recruitment.*", "eligibility.*", "results.*", "primary_outcome.*")


class Happened(Struct, frozen=True):
    """One change, of which trial, watched in which group."""

    change: Change
    trial: Trial
    group: str


def figures() -> tuple[list[Figure], list[str]]:
    """The matching's figures and what has to be said of them."""
    chance = random.Random(6)
    asked = {number: _subscription(number, chance) for number in range(SUBSCRIPTIONS)}
    happened = [_happened(chance) for _ in range(CHANGES)]
    built: list[Candidates] = []
    building = cpu(lambda: built.append(indexed(asked)))
    index = built[0]
    _by_index(index, asked, happened[:5])
    passes = [cpu(lambda: [_by_index(index, asked, [one]) for one in happened]) for _ in range(3)]
    sample = happened[:NAIVE]
    floor = cpu(lambda: [_by_asking_each(asked, one) for one in sample]) * CHANGES / NAIVE
    same = [_by_asking_each(asked, one) for one in sample] == [_by_index(index, asked, [one]) for one in sample]
    assert same, "the index and asking each do not agree"
    what = f"who of {SUBSCRIPTIONS:,} subscriptions wants {CHANGES:,} changes"
    mix = ", ".join(f"{share:.1%} on {name}" for name, share in MIX.items())
    wanted = sum(len(_by_index(index, asked, [one])) for one in happened)
    return [Figure(what, median(passes), "s", floor, "each is asked", "≤ 0.02 ×")], [
        f"subscriptions: {mix}; {wanted:,} are wanted; asking each costs {floor / median(passes):.0f} × as much "
        f"(taken on {NAIVE} changes); building the index, once: {building:.2f} s"
    ]


def _by_index(index: Candidates, asked: dict[int, Subscription], happened: Sequence[Happened]) -> list[int]:
    found = []
    for one in happened:
        about = About(ids=(one.trial.id,), groups=(one.group,))
        numbers = sorted(index.among(about, [one.change], one.trial))
        found += [number for number in numbers if _is_wanted(asked[number], one)]
    return found


def _by_asking_each(asked: dict[int, Subscription], one: Happened) -> list[int]:
    return [number for number, subscription in asked.items() if _is_wanted(subscription, one)]


def _is_wanted(subscription: Subscription, one: Happened) -> bool:
    if not subscriptions.selects(subscription.watches, (one.trial.id,), (one.group,)):
        return False
    return filters.decide(subscription.when, one.change, one.trial).wanted


# --- what is made -----------------------------------------------------------------------------------------------------


def _subscription(number: int, chance: random.Random) -> Subscription:
    what = chance.choices(list(MIX), list(MIX.values()))[0]
    made: dict[str, Any] = {"name": f"s{number}", "to": ("mailto:bench@example.org",)}
    if what == "records":
        ids = tuple(_record(chance) for _ in range(chance.choice((1, 1, 2, 5))))
        return Subscription(watches=Selection(ids=ids), when=_conditions(chance), **made)
    if what == "a group":
        return Subscription(watches=Selection(group=_group(chance)), when=_conditions(chance), **made)
    if what == "all, critical only":
        return Subscription(when=Conditions(min_severity="critical"), **made)
    return Subscription(when=Conditions(kinds=(chance.choice(PATTERNS),), **_place(chance)), **made)


def _conditions(chance: random.Random) -> Conditions:
    kinds = (chance.choice(PATTERNS),) if chance.random() < 0.5 else ()
    return Conditions(kinds=kinds, **(_place(chance) if chance.random() < 0.2 else {}))


def _place(chance: random.Random) -> dict[str, Any]:
    _, country, latitude, longitude = chance.choice(CITIES)
    if chance.random() < 0.5:
        return {"countries": (country,)}
    return {"near": Near(place=Place(latitude=latitude, longitude=longitude), km=50)}


def _happened(chance: random.Random) -> Happened:
    sites = tuple(
        Site(facility=f"Example {city}", city=city, country=country, latitude=latitude, longitude=longitude)
        for city, country, latitude, longitude in chance.sample(CITIES, chance.randint(1, 5))
    )
    trial = Trial(registry="ctgov", id=_record(chance), paths={}, brief_title="A Study of Rest", sites=sites)
    kind = KINDS[chance.choice(list(KINDS))]
    site = sites[0]
    subject = {"type": "site", "name": site.facility, "city": site.city, "country": site.country,
               "latitude": site.latitude, "longitude": site.longitude}  # fmt: skip
    change = Change(
        kind=kind.name,
        severity=kind.severity,
        label=kind.label,
        summary=kind.label,
        subject=subject if kind.name.startswith("site.") else None,
    )
    return Happened(change, trial, _group(chance))


def _record(chance: random.Random) -> str:
    return f"NCT99{chance.randrange(RECORDS):06}"


def _group(chance: random.Random) -> str:
    return f"group-{chance.randrange(GROUPS)}"
