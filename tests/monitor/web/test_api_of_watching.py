"""What the watchlist's pages can do, the API can: files with groups and notes, filters, what is known of each."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from monitor.demo.standin import StandIn
from monitor.web.api.operations import PREFIX
from snapshots.database import Database
from tests.monitor.stage import Stage, copied
from tests.monitor.web.browsing import OWN_TOKEN, SiteUnderTest, serving
from tests.monitor.web.lived_in import FIRST, HOSTILE, SECOND, live, lived_in
from tests.monitor.web.test_api import get, problem
from tests.registries import nct, study

Json = Any
__all__ = ["lived_in"]


@pytest.fixture
def site(lived_in: Path, tmp_path: Path) -> Iterator[SiteUnderTest]:
    with StandIn() as standin:
        standin.publish("2026-03-04", {nct(7): study(nct(7))})
        for database in copied(lived_in, tmp_path):
            with serving(database, ctgov_url=standin.url, request_interval=0) as served:
                yield served


@pytest.fixture
def writer(site: SiteUnderTest) -> httpx2.Client:
    return site.client(site.token("writer", may_write=True))


@pytest.fixture
def reader(site: SiteUnderTest) -> httpx2.Client:
    return site.client(site.token("reader"))


# --- how each stands --------------------------------------------------------------------------------------------------


def ids(client: httpx2.Client, **asked: Any) -> list[str]:
    return [each["id"] or each["name"] for each in get(client, "/watches", **asked)["items"]]


def test_a_watch_says_of_its_trial_what_the_page_says(reader: httpx2.Client) -> None:
    found = get(reader, f"/watches/{FIRST}")

    assert found["status"] == "RECRUITING"
    assert found["next_date"] == {"what": "Study completion", "date": "2027-03-31", "day": "2027-03-31"}
    assert found["last_change"] == {
        "kind": "site.recruiting",
        "severity": "critical",
        "label": "Site recruiting",
        "release": "2026-03-03T09:00:05",
        "observed_at": found["last_change"]["observed_at"],
    }
    search = get(reader, "/watches/fever")
    assert (search["status"], search["next_date"], search["last_change"]) == (None, None, None)


def test_watches_are_asked_for_by_state_words_and_group_as_on_the_page(
    site: SiteUnderTest, reader: httpx2.Client, writer: httpx2.Client
) -> None:
    writer.post(f"{PREFIX}/watches/{FIRST}/pause", json={})
    writer.patch(f"{PREFIX}/watches/{SECOND}", json={"group": None, "note": "our comparator"})
    trouble = ids(reader, state="trouble")

    assert ids(reader, state="paused") == [FIRST]
    assert ids(reader, words="our COMPAR") == [SECOND]
    assert ids(reader, group="-") == [SECOND]
    assert ids(reader, group="-", words=FIRST) == []
    assert [FIRST in each for each in (ids(reader), trouble, ids(reader, state="watched"))] == [True, False, False]
    assert problem(reader.get(f"{PREFIX}/watches?state=asleep"))[0] == 400
    assert problem(reader.get(f"{PREFIX}/watches", params={"words": "a" * 201}))[0] == 400


@pytest.mark.parametrize("query", ["", "?group=kidney", "?words=fever", f"?words={FIRST}&state=watched"])
def test_the_watchlist_is_exported_as_by_the_page(site: SiteUnderTest, reader: httpx2.Client, query: str) -> None:
    page = site.signed_in().get(f"/watchlist.csv{query}")
    answer = reader.get(f"{PREFIX}/exports/watches{query}")

    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.content == page.content
    assert answer.content.count(b"\r\n") > 1


READINGS = (
    *(f"/watches?state={state}" for state in ("watched", "waiting", "paused", "snoozed", "trouble")),
    "/watches?words=our kidney&group=-",
    "/exports/watches?words=fever",
    *(f"/records/{FIRST}/{what}" for what in ("sites?near=Berlin", "changed-parts", "past", "watches")),
    f"/records/{FIRST}/exports/history",
    "/news?severity=critical&seen=false",
    "/news?group=kidney&kind=site.*&seen=true",
    "/deliveries?type=trial.changed&to=bob@example.org",
    f"/subscriptions/sites/why/{FIRST}",
    "/addresses",
    "/checks",
    "/sweeps/1",
)


def test_every_reading_is_answered_over_each_database(database: Database, standin: StandIn) -> None:
    live(Stage(database, standin))
    with serving(database) as site:
        client = site.client(site.token())

        answers = {path: client.get(PREFIX + path).status_code for path in READINGS}
        renamed = site.client(OWN_TOKEN).post(f"{PREFIX}/subscriptions/sites/rename", json={"name": "other"})
        text = f"id,group\n{FIRST},heart\n"
        again = site.client(OWN_TOKEN).post(f"{PREFIX}/imports/watches", json={"text": text, "renew": True})

    assert set(answers.values()) == {200}, answers
    assert (renamed.json()["name"], again.json()["changed"]) == ("other", [FIRST])


# --- before they are watched ------------------------------------------------------------------------------------------


def test_ids_are_looked_up_before_they_are_watched(reader: httpx2.Client) -> None:
    text = f"{FIRST}, https://clinicaltrials.gov/study/{nct(7)}?rank=1;{nct(8)}\nNCT12 ISRCTN12345678"

    said = reader.post(f"{PREFIX}/previews/watches", json={"text": text}).json()

    first, seventh, eighth = said["items"]
    assert (first["id"], first["source"], first["status"], first["is_watched"]) == (
        FIRST,
        "archive",
        "RECRUITING",
        True,
    )
    assert (seventh["id"], seventh["source"], seventh["is_watched"]) == (nct(7), "registry", False)
    assert seventh["title"]
    assert (eighth["id"], eighth["source"]) == (nct(8), "absent")
    assert (said["mistyped"], said["elsewhere"]) == (["NCT12"], ["ISRCTN12345678"])
    assert problem(reader.get(f"{PREFIX}/watches/{nct(7)}"))[0] == 404


def test_of_a_search_that_finds_very_many_the_registry_says_how_many(
    reader: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.web.api.watchlist.COUNTED", 0)

    found = reader.post(f"{PREFIX}/previews/search", json={"search": {"query.cond": "Imaginary"}}).json()

    assert found == {"hits": 0, "is_all": False, "total": 1, "first": [nct(7)]}


def test_a_text_without_ids_has_nothing_to_look_up(reader: httpx2.Client) -> None:
    said = reader.post(f"{PREFIX}/previews/watches", json={"text": "our kidney trial"}).json()

    assert said == {"items": [], "mistyped": [], "elsewhere": []}


# --- files ------------------------------------------------------------------------------------------------------------


def imported(client: httpx2.Client, text: str, **said: Any) -> httpx2.Response:
    return client.post(f"{PREFIX}/imports/watches", json={"text": text, **said})


def test_a_file_gives_each_record_its_group_and_note(writer: httpx2.Client) -> None:
    text = f'id,group,note\n{nct(20)},heart,"ours, mostly"\n{nct(21)},,\n'

    answer = imported(writer, text, group="rest")

    assert answer.json() == {"added": [nct(20), nct(21)], "already": [], "changed": []}
    first, second = (get(writer, f"/watches/{each}") for each in (nct(20), nct(21)))
    assert (first["group"], first["note"]) == ("heart", "ours, mostly")
    assert (second["group"], second["note"]) == ("rest", None)


@pytest.mark.parametrize(
    "before",
    ["# my list\n", "\n", ";;\n\n# ours, theirs, all\n", "# id, group\n", '"# two, words"\n'],
)
@pytest.mark.parametrize("heading", ["id;group", "NCT Number\tgroup", '"id","group"'])
def test_a_heading_may_stand_below_comments_and_empty_lines(writer: httpx2.Client, before: str, heading: str) -> None:
    mark = next(each for each in ",;\t" if each in heading)

    answer = imported(writer, f"{before}{heading}\n{nct(20)}{mark}g\n")

    assert answer.status_code == 200, answer.text
    assert get(writer, f"/watches/{nct(20)}")["group"] == "g"


@pytest.mark.parametrize("heading", ["#,NCT Number,group", "#,id,group"])
def test_a_column_of_numbers_is_no_comment(writer: httpx2.Client, heading: str) -> None:
    answer = imported(writer, f"{heading}\n1,{nct(20)},g\n")

    assert answer.json()["added"] == [nct(20)]
    assert get(writer, f"/watches/{nct(20)}")["group"] == "g"


def test_a_file_renews_what_is_watched_already_only_where_it_is_asked_to(writer: httpx2.Client) -> None:
    text = f"id,group,note\n{FIRST},liver,anew\n{SECOND},,\n"

    kept = imported(writer, text).json()
    before = get(writer, f"/watches/{FIRST}")
    renewed = imported(writer, text, renew=True).json()
    after = get(writer, f"/watches/{FIRST}")

    assert kept == {"added": [], "already": [FIRST, SECOND], "changed": []}
    assert before["group"] == "kidney"
    assert renewed == {"added": [], "already": [FIRST, SECOND], "changed": [FIRST]}
    assert (after["group"], after["note"]) == ("liver", "anew")
    assert get(writer, f"/watches/{SECOND}")["group"] == "kidney"


def test_a_file_with_a_wrong_line_adds_nothing_and_names_it(writer: httpx2.Client) -> None:
    status, title = problem(imported(writer, f"id;group\n{nct(20)};a\nNCT1;b\n"))

    assert status == 422
    assert title.startswith("Line 3: not a ClinicalTrials.gov id: 'NCT1'")
    assert problem(writer.get(f"{PREFIX}/watches/{nct(20)}"))[0] == 404


def test_a_file_may_be_as_long_as_on_the_page(writer: httpx2.Client) -> None:
    note = "n" * 1000
    text = "id,note\n" + "".join(f"{nct(100 + each)},{note}\n" for each in range(300))

    assert len(imported(writer, text).json()["added"]) == 300


def test_a_file_of_very_many_ids_is_kept_while_its_sender_waits(writer: httpx2.Client) -> None:
    many = [nct(1000 + each) for each in range(40_000)]

    first = imported(writer, "id\n" + "\n".join(many)).json()
    again = imported(writer, "id,group\n" + ",tea\n".join(many) + ",tea\n", renew=True).json()

    assert (first["added"], first["already"]) == (many, [])
    assert (again["added"], again["already"], again["changed"]) == ([], many, many)
    assert get(writer, f"/watches/{many[-1]}")["group"] == "tea"
    assert get(writer, f"/watches/{many[-1]}")["state"] == "waiting"
    assert writer.get(f"{PREFIX}/watches/{HOSTILE}").status_code == 200
