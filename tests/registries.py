"""Invented trials and a registry that tests may ask: what tests of the client, the sweep and the program share."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from monitor.demo.standin import StandIn
from snapshots.registries.ctgov.client import CtgovRegistry
from snapshots.registries.ctgov.wire import Timeouts

REAL_RELEASES = Path(__file__).parents[2] / "shared" / "registry" / "releases.ndjson.xz"
"""The recorded releases, where the builders have them."""


def nct(number: int) -> str:
    """The invented id NCT99……: no trial has it."""
    return f"NCT99{number:06d}"


def study(record: str = nct(1), **said: Any) -> dict[str, Any]:
    """A small invented record; `title`, `status`, `condition`, `sites` (facility → status) say what is special."""
    locations = [
        {"facility": facility, "status": status, "city": "Exampleton", "country": "Belgium"}
        for facility, status in said.get("sites", {"Example Hospital": "RECRUITING"}).items()
    ]
    return {
        "protocolSection": {
            "identificationModule": {"nctId": record, "briefTitle": said.get("title", f"A Study Called {record}")},
            "statusModule": {"overallStatus": said.get("status", "RECRUITING")},
            "conditionsModule": {"conditions": [said.get("condition", "Imaginary Fever")]},
            "contactsLocationsModule": {"locations": locations},
        },
        "derivedSection": {"conditionBrowseModule": {"meshes": [{"id": "D000000", "term": "Fever"}]}},
        "hasResults": False,
    }


def studies(count: int, **said: Any) -> dict[str, dict[str, Any]]:
    """`count` invented records by id, from number 1 on."""
    return {nct(number): study(nct(number), **said) for number in range(1, count + 1)}


class OneAtATime:
    """A turn that counts how often it was granted, and refuses to be taken twice at once."""

    def __init__(self) -> None:
        self.granted = 0
        self._taken = False

    @contextmanager
    def __call__(self) -> Iterator[None]:
        assert not self._taken, "two requests at once"
        self._taken = True
        self.granted += 1
        try:
            yield
        finally:
            self._taken = False


class Asked(CtgovRegistry):
    """The client under test: its pauses are written to `pauses` and not waited for, its time limits are short."""

    def __init__(self, standin: StandIn, **settings: Any) -> None:
        self.pauses: list[float] = []
        self.turn = OneAtATime()
        settings.setdefault("timeouts", Timeouts(connect=2, read=2, total=5))
        super().__init__(standin.url, "tests", self.turn, rng=Random(7), sleep=self.pauses.append, **settings)
