"""Programs that poll `/api/v1/changes` miss nothing and get nothing twice, whatever is stored late or at once."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from monitor.demo.standin import StandIn
from monitor.web.api.operations import PREFIX
from snapshots import archive
from snapshots.archive import StepFacts
from snapshots.database import Database
from snapshots.rules.build import change
from tests.monitor.stage import DAYS, RECRUITING, Stage, at, copied
from tests.monitor.web.browsing import OWN_TOKEN, SiteUnderTest, serving
from tests.monitor.web.lived_in import FIRST, HOSTILE, SECOND, hostile, lived_in, planned

Json = Any
__all__ = ["lived_in"]


@pytest.fixture
def site(lived_in: Path, tmp_path: Path) -> Iterator[SiteUnderTest]:
    for database in copied(lived_in, tmp_path):
        with serving(database) as running:
            yield running


class Poller:
    """A program that polls: it begins after what is there, and keeps what it was told."""

    def __init__(self, client: httpx2.Client, **asked: Any) -> None:
        self._client, self._asked = client, asked
        self.since = self._ask(limit=1)["since"]

    def poll(self, limit: int = 2) -> list[int]:
        """The ids of all that is new."""
        found: list[int] = []
        for _ in range(100):
            page = self._ask(limit=limit, since=self.since)
            found += [each["id"] for each in page["items"]]
            self.since = page["since"]
            if not page["more"]:
                break
        return found

    def _ask(self, **query: Any) -> Json:
        answer = self._client.get(f"{PREFIX}/changes", params={**self._asked, **query})
        assert answer.status_code == 200, answer.text
        return answer.json()


def stored(database: Database) -> list[int]:
    """The ids of all changes, in order."""
    with database.read() as connection:
        steps = archive.recent.following(connection, archive.recent.Asked(), 1000)
    return sorted(each.id for step in steps for each in step.changes)


def next_day(database: Database) -> None:
    with StandIn() as standin:
        Stage(database, standin).day(
            DAYS[3],
            planned(FIRST, "2027-09-30", "COMPLETED", DAYS[3]),
            planned(SECOND, "2027-09", RECRUITING, DAYS[3]),
            hostile(HOSTILE, "Another", RECRUITING, DAYS[3]),
        )


def test_a_poller_gets_what_is_new_each_once_in_the_order_in_which_it_was_stored(site: SiteUnderTest) -> None:
    poller = Poller(site.client(OWN_TOKEN))
    before = stored(site.database)

    assert poller.poll() == []
    next_day(site.database)
    assert poller.poll() == [each for each in stored(site.database) if each not in before]
    assert poller.poll() == []


def test_a_poller_that_narrows_its_question_gets_what_fits(site: SiteUnderTest) -> None:
    client = site.client(OWN_TOKEN)
    narrowed = {
        "record": Poller(client, record=SECOND),
        "kind": Poller(client, kind="completion_date.*"),
        "severity": Poller(client, severity="major"),
        "group": Poller(client, group="kidney"),
        "watched": Poller(client, watched=True),
        "origin": Poller(client, origin="back-filled"),
    }
    everything = Poller(client)
    next_day(site.database)

    told = {name: set(poller.poll(1)) for name, poller in narrowed.items()}
    whole = set(everything.poll())

    assert told["group"] == told["watched"] == whole
    assert told["origin"] == set()
    assert all(told[name] < whole and told[name] for name in ("record", "kind", "severity"))
    assert all(poller.poll() == [] for poller in narrowed.values())


@pytest.mark.parametrize(("walked", "few"), [(0, 2_000), (0, 0)])
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"kind": ["completion_date.*", "recruitment.*"]},
        {"severity": "major"},
        {"origin": "observed"},
        {"group": "kidney"},
    ],
    ids=str,
)
def test_what_many_records_tell_is_the_same_whether_walked_or_sought_by_their_steps(
    site: SiteUnderTest, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any], walked: int, few: int
) -> None:
    next_day(site.database)
    client = site.client(OWN_TOKEN)
    question = asked if "group" in asked else {**asked, "watched": True}
    plain = _turned(client, {name: value for name, value in asked.items() if name != "group"})
    begin = client.get(f"{PREFIX}/changes", params={"limit": 1}).json()["since"]

    monkeypatch.setattr(archive.recent, "WALKED", walked)
    monkeypatch.setattr(archive.recent, "FEW", few)
    monkeypatch.setattr(archive.recent, "WINDOWS", (2, 7))

    assert plain
    assert _turned(client, question) == plain  # all that is stored is watched, in that group
    assert client.get(f"{PREFIX}/changes", params={**question, "since": begin}).json()["items"] == []


def _turned(client: httpx2.Client, asked: dict[str, Any]) -> list[int]:
    """The ids of all changes, page by page."""
    found: list[int] = []
    cursor: dict[str, str] = {}
    for _ in range(100):
        page = client.get(f"{PREFIX}/changes", params={**asked, "limit": 3, **cursor}).json()
        found += [each["id"] for each in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    return found


def test_what_is_filled_in_from_the_past_comes_to_the_poller_too(site: SiteUnderTest) -> None:
    poller = Poller(site.client(OWN_TOKEN))
    with site.database.write() as connection:
        (made,) = _tell(connection, FIRST, "back-filled")

    assert poller.poll() == [made]


def test_what_is_told_anew_by_better_rules_comes_and_the_old_is_listed_no_more(site: SiteUnderTest) -> None:
    poller = Poller(site.client(OWN_TOKEN))
    with site.database.write() as connection:
        old = archive.steps(connection, "ctgov", FIRST)[-1]
        (made,) = _tell(connection, FIRST, "observed", supersedes=old.id)

    assert poller.poll() == [made]
    listed = stored(site.database)
    assert made in listed
    assert not {each.id for each in old.changes} & set(listed)


def test_a_change_that_is_committed_late_is_not_missed(database: Database) -> None:
    """Whoever stores first is seen first: the second waits, so no id appears below one that was seen."""
    with StandIn() as standin:
        stage = Stage(database, standin)
        stage.watch(FIRST, SECOND)
        stage.day(DAYS[0], planned(FIRST, "2027-01"), planned(SECOND, "2027-01"))
    with serving(database) as site:
        poller = Poller(site.client(OWN_TOKEN))
        second: list[int] = []
        begun = threading.Event()

        def store_second() -> None:
            begun.set()
            with database.write() as connection:
                second.extend(_tell(connection, SECOND, "search"))

        other = threading.Thread(target=store_second)
        with database.write() as connection:
            first = _tell(connection, FIRST, "search")
            other.start()
            begun.wait(5)
            other.join(0.5)
            told = poller.poll()
        other.join(10)
        told += poller.poll()

    assert told == [*first, *second]
    assert len(second) == 1


def _tell(connection: Any, record: str, cause: str, supersedes: int | None = None) -> list[int]:
    facts = StepFacts(registry="ctgov", registry_id=record, release=DAYS[2], observed_at=at(DAYS[2]), cause=cause)
    told = [change("record.changed", summary="Something else differs", path="protocolSection.example")]
    return [each.id for each in archive.record_step(connection, facts, told, supersedes).changes]
