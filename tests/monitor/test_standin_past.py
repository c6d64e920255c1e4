"""The stand-in tells the past of a record as the registry's own page gets it."""

from collections.abc import Callable, Iterator

import httpx2
import pytest

from monitor.demo.standin import StandIn
from tests.registries import nct
from tests.snapshots.past_cast import version

Ask = Callable[..., httpx2.Response]
ONE = nct(1)


@pytest.fixture
def ask(standin: StandIn) -> Iterator[Ask]:
    standin.publish("2025-02-01", {ONE: version(2)})
    standin.past(ONE, [version(0), version(1)])
    with httpx2.Client(base_url=f"{standin.url}/api/int/studies", trust_env=False, timeout=5) as client:
        yield client.get


def test_the_history_lists_what_it_said_and_what_it_says(ask: Ask) -> None:
    listed = ask(f"/{ONE}/history").json()["changes"]

    assert [(each["version"], each["date"]) for each in listed] == [
        (0, "2025-01-10"),
        (1, "2025-01-20"),
        (2, "2025-01-30"),
    ]
    assert set(listed[1]) == {"version", "date", "status", "moduleLabels"}


def test_the_page_gets_the_record_with_the_same_history(ask: Ask) -> None:
    page = ask(f"/{ONE}", params={"history": "true"}).json()

    assert page["history"] == ask(f"/{ONE}/history").json()
    assert page["study"] == ask(f"/{ONE}/history/2").json()["study"]


def test_a_version_has_its_texts_as_html_and_no_derived_section(ask: Ask) -> None:
    answer = ask(f"/{ONE}/history/1").json()

    assert answer["studyVersion"] == 1
    assert set(answer["study"]) == {"protocolSection", "documentSection", "hasResults"}
    criteria = answer["study"]["protocolSection"]["eligibilityModule"]["eligibilityCriteria"]
    assert "<li>Temperature &gt;= 38.5 °C at screening</li>" in criteria
    assert "18&#x2F;75" in criteria


def test_what_it_does_not_know_is_a_text(ask: Ask) -> None:
    for path in (f"/{nct(9)}/history", f"/{ONE}/history/3", f"/{nct(9)}/history/0"):
        answer = ask(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/plain")


def test_the_newest_version_is_not_listed_twice(standin: StandIn, ask: Ask) -> None:
    standin.past(ONE, [version(0), version(1), version(2)])

    assert len(ask(f"/{ONE}/history").json()["changes"]) == 3
