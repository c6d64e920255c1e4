"""What the pages on subscriptions and deliveries can do, the API can."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from monitor.web.api.operations import PREFIX
from notifiers import template_folders
from tests.monitor.stage import copied
from tests.monitor.web.browsing import SiteUnderTest, serving
from tests.monitor.web.lived_in import lived_in
from tests.monitor.web.test_api import get, problem

Json = Any
__all__ = ["lived_in"]

SUBSCRIPTIONS = f"{PREFIX}/subscriptions"
MAIL = ["mailto:carol@example.org"]


@pytest.fixture
def site(lived_in: Path, tmp_path: Path) -> Iterator[SiteUnderTest]:
    for database in copied(lived_in, tmp_path):
        with serving(database) as served:
            yield served


@pytest.fixture
def writer(site: SiteUnderTest) -> httpx2.Client:
    return site.client(site.token("writer", may_write=True))


# --- subscriptions ----------------------------------------------------------------------------------------------------


def test_a_subscription_is_renamed_with_what_waits_for_it(writer: httpx2.Client) -> None:
    waiting = [each["id"] for each in get(writer, "/deliveries")["items"] if each["subscriptions"] == ["sites"]]

    renamed = writer.post(f"{SUBSCRIPTIONS}/sites/rename", json={"name": "new sites"})

    assert renamed.json()["name"] == "new sites"
    assert problem(writer.get(f"{SUBSCRIPTIONS}/sites"))[0] == 404
    assert get(writer, "/subscriptions/new sites")["to"] == ["mailto:bob@example.org"]
    assert waiting
    assert [get(writer, f"/deliveries/{each}")["subscriptions"] for each in waiting] == [["new sites"]] * len(waiting)


def test_a_name_that_another_subscription_has_is_not_given_twice(writer: httpx2.Client) -> None:
    assert problem(writer.post(f"{SUBSCRIPTIONS}/sites/rename", json={"name": "all"}))[0] == 409
    assert writer.post(f"{SUBSCRIPTIONS}/sites/rename", json={"name": "sites"}).json()["name"] == "sites"
    assert problem(writer.post(f"{SUBSCRIPTIONS}/nobody/rename", json={"name": "x"}))[0] == 404
    assert problem(writer.post(f"{SUBSCRIPTIONS}/sites/rename", json={"name": ""}))[0] == 422


def test_templates_are_set_stay_and_are_taken_away(writer: httpx2.Client, tmp_path: Path) -> None:
    folder = str(tmp_path / "ours")
    template_folders.copy(folder)

    made = writer.post(SUBSCRIPTIONS, json={"name": "new", "to": MAIL, "templates": folder})
    stays = writer.put(f"{SUBSCRIPTIONS}/new", json={"to": MAIL})
    gone = writer.put(f"{SUBSCRIPTIONS}/new", json={"to": MAIL, "templates": None})

    assert made.status_code == 201
    told = [each.json()["subscription"].get("templates") for each in (made, stays, gone)]
    assert told == [folder, folder, None]


@pytest.mark.parametrize("folder", ["ours", "/no/such/folder"])
def test_templates_that_cannot_be_used_are_refused_with_the_reason(writer: httpx2.Client, folder: str) -> None:
    status, title = problem(writer.post(SUBSCRIPTIONS, json={"name": "new", "to": MAIL, "templates": folder}))

    assert (status, "templates" in title and folder in title) == (422, True), title


def test_today_s_state_is_told_first_where_that_is_asked_for(writer: httpx2.Client) -> None:
    wanted = {"to": MAIL, "when": {"kinds": ["site.recruiting"]}}

    silent = writer.post(SUBSCRIPTIONS, json={"name": "silent", **wanted}).json()
    telling = writer.post(f"{SUBSCRIPTIONS}?send_standing=true", json={"name": "telling", **wanted}).json()
    again = writer.put(f"{SUBSCRIPTIONS}/silent?send_standing=true", json=wanted).json()

    assert silent["deliveries"] == []
    assert [get(writer, f"/deliveries/{each}")["type"] for each in telling["deliveries"]] == ["standing"]
    assert len(again["deliveries"]) == 1


def test_what_is_probably_not_meant_is_noted_before_and_when_it_is_kept(writer: httpx2.Client) -> None:
    wanted = {"name": "new", "to": MAIL, "watches": {"group": "kidny"}}

    foreseen = writer.post(f"{PREFIX}/previews/subscription", json=wanted).json()
    kept = writer.post(SUBSCRIPTIONS, json=wanted).json()

    assert foreseen["notes"] == kept["notes"]
    assert any("kidny" in note for note in kept["notes"])
    assert any("no mail server is set" in note for note in kept["notes"])
