"""What the pages of a trial show, the API says: its sites, what changed in which part, its files; and the news."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection

from monitor.demo.standin import StandIn
from monitor.web.api.operations import PREFIX
from snapshots import archive
from snapshots.archive import Observation
from snapshots.database import Database
from tests.databases import SqliteFiles
from tests.monitor.stage import DAYS, RECRUITING, Stage, copied, trial
from tests.monitor.web.browsing import NOW, SiteUnderTest, serving
from tests.monitor.web.lived_in import FIRST, HOSTILE, SECOND, lived_in
from tests.monitor.web.test_api import get, problem
from tests.monitor.web.trials import TRIAL, lived, record
from tests.monitor.web.trials import site as trial_site
from tests.registries import nct

Json = Any
__all__ = ["lived_in"]


@pytest.fixture(scope="module")
def changed(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A trial with four sites whose size, age and sites changed."""
    sites = [
        trial_site("Near Waiting", "NOT_YET_RECRUITING", "Potsdam", geoPoint={"lat": 52.4, "lon": 13.06}),
        trial_site("Far Open", "RECRUITING", "Munich", geoPoint={"lat": 48.14, "lon": 11.58}),
        trial_site("Far Closed", "COMPLETED", "Munich", geoPoint={"lat": 48.14, "lon": 11.58}),
    ]
    opening = trial_site("Near Open", "NOT_YET_RECRUITING", geoPoint={"lat": 52.52, "lon": 13.4})
    opened = opening | {"status": "RECRUITING", "contacts": [{"name": "Bo Example", "phone": "+1 555 0101"}]}
    gone = trial_site("Gone", "RECRUITING", "Hamburg")
    database = Database(sqlite_files.url(tmp_path_factory.mktemp("changed"), tables=True))
    lived(
        database,
        [record(enrollment=120, sites=[*sites, opening, gone])],
        [record(enrollment=150, sites=[*sites, opened], submitted="2026-03-03")],
        [record(enrollment=150, sites=[*sites, opened], age="21 Years", submitted="2026-03-04")],
    )
    with serving(database) as site:
        yield site.client(site.token())
    database.dispose()


@pytest.fixture(scope="module")
def site(lived_in: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteUnderTest]:
    for database in copied(lived_in, tmp_path_factory.mktemp("records")):
        with serving(database) as served:
            yield served


@pytest.fixture(scope="module")
def reader(site: SiteUnderTest) -> httpx2.Client:
    return site.client(site.token())


# --- sites ------------------------------------------------------------------------------------------------------------


def facilities(client: httpx2.Client, **asked: Any) -> list[str]:
    return [each["facility"] for each in get(client, f"/records/{TRIAL}/sites", **asked)["items"]]


def test_sites_come_open_ones_first_and_the_nearest_first(changed: httpx2.Client) -> None:
    assert facilities(changed) == ["Near Open", "Far Open", "Near Waiting", "Far Closed"]
    assert facilities(changed, near="Munich") == ["Far Open", "Near Open", "Near Waiting", "Far Closed"]
    assert facilities(changed, near="52.52,13.4", km=50) == ["Near Open", "Near Waiting"]
    assert facilities(changed, words="near POTSDAM") == ["Near Waiting"]
    assert facilities(changed, status="recruiting", country="germany") == ["Near Open", "Far Open"]
    assert facilities(changed, status="none") == []


def test_a_site_says_where_it_is_how_far_and_whom_to_ask(changed: httpx2.Client) -> None:
    found = get(changed, f"/records/{TRIAL}/sites", near="Berlin", limit=1)

    (first,) = found["items"]
    assert (found["found"], found["total"], found["near"]["name"]) == (4, 4, "Berlin, State of Berlin, Germany")
    assert (first["facility"], first["status"], first["is_open"]) == ("Near Open", "RECRUITING", True)
    assert first["km"] < 5
    assert first["contacts"][0]["name"] == "Bo Example"
    rest = get(changed, f"/records/{TRIAL}/sites", near="Berlin", cursor=found["next"])
    assert [each["facility"] for each in rest["items"]] == ["Far Open", "Near Waiting", "Far Closed"]
    assert rest["next"] is None


def test_sites_are_shown_as_an_earlier_version_had_them(changed: httpx2.Client) -> None:
    first = get(changed, f"/records/{TRIAL}/versions")["items"][0]["version"]

    assert "Gone" in facilities(changed, version=first)
    assert problem(changed.get(f"{PREFIX}/records/{TRIAL}/sites?version=999"))[0] == 404


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("near=Springfield", "Springfield"),
        ("near=Xyzzy", "Xyzzy"),
        ("near=Berlin&km=-4", "km"),
        ("near=Berlin&km=nan", "km"),
        ("km=50", "km needs near"),
    ],
)
def test_a_distance_that_cannot_be_meant_is_refused(changed: httpx2.Client, query: str, words: str) -> None:
    status, title = problem(changed.get(f"{PREFIX}/records/{TRIAL}/sites?{query}"))

    assert (status, words in title) == (400, True), title


# --- parts ------------------------------------------------------------------------------------------------------------


def test_each_changed_part_says_since_when_and_what_it_said_before(changed: httpx2.Client) -> None:
    found = get(changed, f"/records/{TRIAL}/changed-parts")["items"]

    said = {(each["section"], each["change"]["kind"]): each for each in found}
    size, age = said["basics", "enrollment.target_changed"], said["eligibility", "eligibility.age_changed"]
    opened, gone = said["locations", "site.recruiting"], said["locations", "site.removed"]
    assert (size["title"], size["part"], size["since"]) == ("Basic information", "Enrollment", "2026-03-03")
    assert size["change"]["before"] == 120
    assert age["since"] == "2026-03-04"
    assert (opened["part"], opened["change"]["before"]) == ("Near Open, Berlin, Germany", "NOT_YET_RECRUITING")
    assert (gone["title"], gone["part"]) == ("Locations", None)
    assert problem(changed.get(f"{PREFIX}/records/{nct(99)}/changed-parts"))[0] == 404


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["history", "timeline", "slips", "outcomes", "compliance"])
def test_the_files_are_those_of_the_page(site: SiteUnderTest, reader: httpx2.Client, table: str) -> None:
    page = site.signed_in().get(f"/trials/{FIRST}/export/{table}.csv")

    answer = reader.get(f"{PREFIX}/records/{FIRST}/exports/{table}")

    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.content == page.content
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert bool(rows) == (table != "outcomes")  # the records name none


def test_there_is_no_other_file(reader: httpx2.Client) -> None:
    assert problem(reader.get(f"{PREFIX}/records/{FIRST}/exports/soup"))[0] == 404
    assert problem(reader.get(f"{PREFIX}/records/{nct(99)}/exports/slips"))[0] == 404


# --- the news ---------------------------------------------------------------------------------------------------------


def turned(client: httpx2.Client, **asked: Any) -> list[Json]:
    """All pages of the news, one entry at a time."""
    found: list[Json] = []
    page = get(client, "/news", limit=1, **asked)
    for _ in range(20):
        found += page["items"]
        if page["next"] is None:
            return found
        page = get(client, "/news", limit=1, cursor=page["next"], **asked)
    raise AssertionError("the news never end")


def test_the_news_come_newest_release_first_and_most_severe_first(reader: httpx2.Client) -> None:
    found = turned(reader)

    assert found == get(reader, "/news")["items"]
    assert [each["release"] for each in found] == sorted((each["release"] for each in found), reverse=True)
    assert found[0]["record"]["id"] == SECOND
    assert {each["record"]["id"] for each in found[1:]} == {FIRST, HOSTILE}
    severities = [change["severity"] for change in found[0]["changes"]]
    assert severities == sorted(severities, key=("critical", "major", "minor", "admin").index)
    assert all(change["record"] == each["record"] for each in found for change in each["changes"])


def test_the_news_have_the_filters_of_the_page(site: SiteUnderTest, reader: httpx2.Client) -> None:
    every = get(reader, "/news")["items"]

    critical = get(reader, "/news", severity="critical")["items"]
    sites = get(reader, "/news", kind="site.*")["items"]

    assert {change["kind"] for each in sites for change in each["changes"]} == {"site.recruiting"}
    assert {change["severity"] for each in critical for change in each["changes"]} == {"critical"}
    assert critical[0]["others"] == len(every[0]["changes"]) - len(critical[0]["changes"]) > 0
    assert get(reader, "/news", family="Results")["items"] == []
    assert get(reader, "/news", group="kidney")["items"] == every
    assert problem(reader.get(f"{PREFIX}/news?group=nobody"))[0] == 404
    assert problem(reader.get(f"{PREFIX}/news?cursor=soup"))[0] == 400


def test_the_news_say_what_this_token_has_seen(site: SiteUnderTest) -> None:
    client = site.client(site.token("another"))
    first, *rest = get(client, "/news")["items"]

    client.post(f"{PREFIX}/seen", json={"changes": [first["changes"][0]["id"]]})

    assert first["seen"] is None
    (seen,) = get(client, "/news", seen=True)["items"]
    assert (seen["step"], seen["seen"]["by"]) == (first["step"], None)
    assert first["tally"] == {"seen": 0, "of": len(first["changes"])}
    assert seen["tally"] == {"seen": len(first["changes"]), "of": len(first["changes"])}
    assert get(client, "/news", seen=False)["items"] == rest


# --- which version is the newest --------------------------------------------------------------------------------------


def newest(client: httpx2.Client, known: str, path: str) -> int:
    return int(get(client, f"/records/{known}{path}")["version"])


def test_of_a_record_that_was_only_filled_in_from_its_past_the_sites_are_those_of_the_newest_version(
    database: Database,
) -> None:
    with database.write() as connection:
        for submitted in ("2026-03-02", "2026-03-01"):
            filled(connection, record(sites=[trial_site(f"Of {submitted}", "RECRUITING")], submitted=submitted))

    with serving(database) as site:
        client = site.client(site.token())
        assert facilities(client) == ["Of 2026-03-02"]
        assert newest(client, TRIAL, "/sites") == newest(client, TRIAL, "") == 1
        assert get(client, f"/records/{TRIAL}/changed-parts") == {"items": []}


def test_the_newest_version_of_a_record_is_never_one_of_a_record_that_was_merged_into_it(database: Database) -> None:
    other = nct(2)
    with StandIn() as standin:
        stage = Stage(database, standin)
        stage.watch(TRIAL, other)
        stage.day(DAYS[0], trial(TRIAL), trial(other))
        stage.day(DAYS[1], trial(TRIAL), trial(other, RECRUITING))
    with database.write() as connection:
        archive.merge(connection, "ctgov", other, TRIAL)

    with serving(database) as site:
        client = site.client(site.token())
        assert get(client, f"/records/{TRIAL}")["record"]["protocolSection"]["identificationModule"]["nctId"] == TRIAL
        assert newest(client, TRIAL, "/sites") == newest(client, TRIAL, "") == 1


def filled(connection: Connection, said: Json) -> None:
    """Keep a version as a back-fill does."""
    submitted = said["protocolSection"]["statusModule"]["lastUpdateSubmitDate"]
    raw = json.dumps(said).encode()
    observation = Observation(
        registry="ctgov",
        registry_id=TRIAL,
        title="A Trial",
        raw=raw,
        raw_hash=b"",
        content_hash=hashlib.sha256(raw).digest(),
        observed_at=NOW,
        source="history",
        registry_date=submitted,
    )
    archive.append(connection, observation, None)
