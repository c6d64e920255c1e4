"""What the pages on subscriptions and deliveries can do, the API can."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from monitor.web.api.operations import PREFIX
from notifiers import subscriptions, template_folders
from notifiers.conditions import Conditions
from notifiers.outbox import Delivered
from notifiers.subscriptions import Subscription
from tests.monitor.stage import copied
from tests.monitor.web.browsing import SiteUnderTest, serving
from tests.monitor.web.lived_in import FIRST, lived_in
from tests.monitor.web.test_api import get, problem
from tests.notifiers.cast import send_next

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


def test_what_was_kept_before_it_would_be_refused_is_renamed_all_the_same(
    site: SiteUnderTest, writer: httpx2.Client
) -> None:
    misspelt = Subscription(name="old", to=tuple(MAIL), when=Conditions(becomes=("RECRUTING", "RECRUITING")))
    with site.database.write() as connection:
        subscriptions.save(connection, misspelt, site.clock())

    renamed = writer.post(f"{SUBSCRIPTIONS}/old/rename", json={"name": "new"})

    assert (renamed.status_code, renamed.json()["name"]) == (200, "new")
    assert renamed.json()["when"]["becomes"] == ["RECRUTING", "RECRUITING"]


@pytest.mark.parametrize("name", ["", ".", "..", "a\nb", "n" * 201, "  ", "a\u202eb"])
def test_a_name_that_cannot_be_meant_is_given_to_none(writer: httpx2.Client, name: str) -> None:
    assert problem(writer.post(f"{SUBSCRIPTIONS}/sites/rename", json={"name": name}))[0] == 422
    assert writer.get(f"{SUBSCRIPTIONS}/sites").status_code == 200


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


def test_a_place_that_may_be_several_is_refused_with_those_it_may_be(writer: httpx2.Client) -> None:
    near = {"place": "Springfield", "km": 50}
    answer = writer.post(f"{PREFIX}/previews/subscription", json={"name": "n", "to": MAIL, "when": {"near": near}})

    assert problem(answer)[0] == 422
    assert "Springfield, Illinois, United States" in answer.json()["detail"]


def test_what_changed_last_in_a_record_is_explained_change_by_change(writer: httpx2.Client) -> None:
    found = get(writer, f"/subscriptions/sites/why/{FIRST}")["items"]

    one = get(writer, "/subscriptions/sites/why", change=found[0]["change"]["id"])
    assert found[0] == one
    assert {each["change"]["kind"]: each["wanted"] for each in found} == {
        "site.recruiting": True,
        "completion_date.delayed": False,
    }
    assert problem(writer.get(f"{PREFIX}/subscriptions/sites/why/NCT98765432"))[0] == 404


# --- deliveries -------------------------------------------------------------------------------------------------------


def test_deliveries_are_asked_for_by_type_and_address(writer: httpx2.Client) -> None:
    every = get(writer, "/deliveries")["items"]

    for asked in ({"type": "test"}, {"to": "mailto:bob@EXAMPLE.org"}, {"type": "test", "to": "alice@example.org"}):
        found = get(writer, "/deliveries", **asked)["items"]
        to = asked.get("to", "").lower()
        assert found == [each for each in every if each["type"] == asked.get("type", each["type"]) and to in each["to"]]
        assert found
    assert problem(writer.get(f"{PREFIX}/deliveries?to=nobody@example.org"))[0] == 404
    assert problem(writer.get(f"{PREFIX}/deliveries?type=soup"))[0] == 400


def test_a_delivery_is_shown_as_its_reader_sees_it(site: SiteUnderTest, writer: httpx2.Client) -> None:
    told = get(writer, "/deliveries", record=FIRST, to="bob@example.org")["items"][0]

    shown = get(writer, f"/deliveries/{told['id']}/message")

    assert (shown["to"], shown["type"], shown["trouble"]) == ("mailto:bob@example.org", "trial.changed", None)
    assert FIRST in shown["subject"] and FIRST in shown["text"]
    assert shown["body"]["data"]["delivery_id"] == told["id"]
    assert site.signed_in().get(f"/deliveries/{told['id']}/message").text == shown["html"]
    assert problem(writer.get(f"{PREFIX}/deliveries/dlv_none/message"))[0] == 404


def test_links_that_act_are_shown_to_who_may_act(lived_in: Path, tmp_path: Path) -> None:
    for database in copied(lived_in, tmp_path):
        with serving(database, base_url="https://trials.example.org") as site:
            writer, reader = site.client(site.token("writer", may_write=True)), site.client(site.token())
            told = get(reader, "/deliveries", to="bob@example.org")["items"][0]
            paths = (f"/deliveries/{told['id']}/message", "/subscriptions/sites/digest")

            assert all("/unsubscribe/" in str(get(writer, path)) for path in paths)
            assert not any("/unsubscribe/" in str(get(reader, path)) for path in paths)


def test_what_a_replay_would_send_is_counted_before(site: SiteUnderTest, writer: httpx2.Client) -> None:
    while send_next(site.database, Delivered("taken"), site.clock()) != "nothing":
        pass
    asked = {"since": "2026-01-01T00:00:00Z", "to": "bob@example.org"}
    reader = site.client(site.token())

    counted = reader.post(f"{PREFIX}/previews/replay", json=asked).json()["deliveries"]
    states = {each["state"] for each in get(reader, "/deliveries", to="bob@example.org")["items"]}
    replayed = writer.post(f"{PREFIX}/replays", json=asked).json()["deliveries"]

    assert states == {"delivered"}
    assert counted and counted == replayed
    assert {get(reader, f"/deliveries/{each}")["to"] for each in counted} == {"mailto:bob@example.org"}
