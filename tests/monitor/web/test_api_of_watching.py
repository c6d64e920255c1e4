"""What the watchlist's pages can do, the API can: files with groups and notes, filters, what is known of each."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from monitor.demo.standin import StandIn
from monitor.web.api.operations import PREFIX
from tests.monitor.stage import copied
from tests.monitor.web.browsing import SiteUnderTest, serving
from tests.monitor.web.lived_in import FIRST, HOSTILE, SECOND, lived_in
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
    assert writer.get(f"{PREFIX}/watches/{HOSTILE}").status_code == 200
