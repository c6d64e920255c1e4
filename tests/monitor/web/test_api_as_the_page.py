"""What the page can do, the API can: trials like one, what the registry is asked on demand, what was seen, checks."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from monitor import presence, relating
from monitor.presence import Present
from monitor.web.api.openapi import operations
from monitor.web.api.operations import PREFIX
from monitor.web.doors import doors
from notifiers import confirmations, news
from notifiers.news import Asked
from snapshots import archive, related
from snapshots.related import Listed
from tests.monitor.stage import copied
from tests.monitor.web.browsing import NOW, SiteUnderTest, serving
from tests.monitor.web.lived_in import FIRST, SECOND, lived_in
from tests.monitor.web.test_api import get, problem
from tests.registries import nct

Json = Any
__all__ = ["lived_in"]

BY_THE_API = {
    "/seen": "POST /seen",
    "/watchlist/add": "POST /watches",
    "/watchlist/import": "POST /imports/watches",
    "/watchlist/search": "POST /watches",
    "/watchlist/{number}": "PATCH /watches/{name}",
    "/subscriptions/new": "POST /subscriptions",
    "/subscriptions/{number}/edit": "PUT /subscriptions/{name}",
    "/subscriptions/{number}/test": "POST /subscriptions/{name}/test",
    "/subscriptions/{number}/rest": "POST /subscriptions/{name}/snooze",
    "/subscriptions/{number}/remove": "DELETE /subscriptions/{name}",
    "/subscriptions/{number}/digest": "POST /subscriptions/{name}/digest",
    "/addresses/{number}/switch": "PATCH /addresses/{id}",
    "/addresses/{number}/owner": "PATCH /addresses/{id}",
    "/addresses/{number}/secret": "POST /addresses/{id}/rotate",
    "/addresses/{number}/confirmation": "POST /addresses/{id}/confirm",
    "/addresses/{number}/forget": "DELETE /addresses/{id}",
    "/deliveries/replay": "POST /replays",
    "/deliveries/{delivery}/retry": "POST /deliveries/{id}/retry",
    "/deliveries/{delivery}/cancel": "POST /deliveries/{id}/cancel",
    "/deliveries/{delivery}/acknowledge": "POST /deliveries/{id}/acknowledge",
    "/health": "POST /checks",
    "/feeds": "POST /feeds",
    "/trials/{id}/watch": "POST /watches",
    "/trials/{id}/related": "POST /records/{id}/related",
    "/trials/{id}/past": "POST /records/{id}/past",
    "/trials/{id}/audit": "GET /records/{id}/audit",
}
SHOWN_BY_THE_API = {
    "/": "GET /news",
    "/watchlist": "GET /watches",
    "/watchlist.csv": "GET /exports/watches",
    "/watchlist/add": "POST /previews/watches",
    "/watchlist/search": "POST /previews/search",
    "/watchlist/{number}": "GET /watches/{name}",
    "/subscriptions": "GET /subscriptions",
    "/subscriptions/new": "POST /previews/subscription",
    "/subscriptions/{number}": "GET /subscriptions/{name}",
    "/subscriptions/{number}/edit": "POST /previews/subscription",
    "/subscriptions/{number}/digest": "GET /subscriptions/{name}/digest",
    "/subscriptions/{number}/digest/{address}": "GET /subscriptions/{name}/digest",
    "/subscriptions/{number}/why": "GET /subscriptions/{name}/why",
    "/templates": "GET /examples/{type}",
    "/templates/{type}": "GET /examples/{type}",
    "/addresses": "GET /addresses",
    "/addresses/{number}": "GET /addresses/{id}",
    "/deliveries": "GET /deliveries",
    "/deliveries/replay": "POST /previews/replay",
    "/deliveries/{delivery}": "GET /deliveries/{id}",
    "/deliveries/{delivery}/message": "GET /deliveries/{id}/message",
    "/health": "GET /checks",
    "/health/sweeps/{number}": "GET /sweeps/{id}",
    "/settings": "GET /settings",
    "/feeds": "GET /feeds",
    "/trials/{id}": "GET /records/{id}/changed-parts",
    "/trials/{id}/history": "GET /records/{id}/history",
    "/trials/{id}/timeline": "GET /records/{id}/timeline",
    "/trials/{id}/versions": "GET /records/{id}/versions",
    "/trials/{id}/versions/{number}.json": "GET /records/{id}/versions/{number}/raw",
    "/trials/{id}/compare": "GET /records/{id}/diff",
    "/trials/{id}/export/{file}": "GET /records/{id}/exports/{table}",
}
ASKS_FIRST = {"/watchlist/import", "/watchlist/{number}/remove", "/subscriptions/{number}/remove"}
"""Pages that hold a form and show nothing."""
PEOPLE_ALONE = {"/signin", "/signin/once/{code}", "/signout", "/unsubscribe/{token}", "/acknowledge/{token}",
                "/confirm/{token}"}  # fmt: skip


@pytest.fixture
def site(lived_in: Path, tmp_path: Path) -> Iterator[SiteUnderTest]:
    for database in copied(lived_in, tmp_path):
        with serving(database) as served:
            yield served


@pytest.fixture
def writer(site: SiteUnderTest) -> httpx2.Client:
    return site.client(site.token("writer", may_write=True))


def test_every_form_of_the_page_has_its_operation() -> None:
    forms = {door.path for door in doors() if door.post is not None and not door.path.startswith(PREFIX)}
    known = {f"{operation.method} {operation.path}" for operation in operations()}

    assert forms - PEOPLE_ALONE == set(BY_THE_API)
    assert set(BY_THE_API.values()) <= known


def test_every_page_has_its_operation() -> None:
    pages = {
        door.path for door in doors() if door.access == "signed-in" and door.get is not None and door.kind == "page"
    }
    known = {f"{operation.method} {operation.path}" for operation in operations()}

    assert pages - ASKS_FIRST - {"/api", "/metrics"} == set(SHOWN_BY_THE_API)
    assert set(SHOWN_BY_THE_API.values()) <= known


# --- trials like one --------------------------------------------------------------------------------------------------


def test_trials_like_one_come_from_the_archive_and_from_what_the_registry_answered(
    site: SiteUnderTest, writer: httpx2.Client
) -> None:
    from snapshots.registries.ctgov.parse import parse

    while related.catch_up(site.database, "ctgov", parse):
        pass
    path = f"{PREFIX}/records/{FIRST}/related"
    before = writer.get(path).json()

    assert writer.post(path).status_code == 204
    assert writer.get(path).json()["is_asked"]
    elsewhere = Listed(id=nct(77), title="A Trial of Elsewhere", status="RECRUITING", phases=("PHASE2",))
    with site.database.write() as connection:
        related.keep(
            connection, "ctgov", FIRST, [elsewhere, Listed(id=SECOND, title="Known", status=None, phases=())], NOW
        )
    after = writer.get(path).json()

    assert SECOND in [each["id"] for each in before["items"]]
    assert {each["source"] for each in before["items"]} == {"archive"}
    assert before["asked_at"] is None and not before["is_asked"]
    (named,) = [each for each in after["items"] if each["source"] == "registry"]
    assert named == {
        "id": nct(77),
        "title": "A Trial of Elsewhere",
        "url": f"https://clinicaltrials.gov/study/{nct(77)}",
        "status": "RECRUITING",
        "phases": ["PHASE2"],
        "source": "registry",
        "watched": False,
    }
    assert next(each for each in after["items"] if each["id"] == SECOND)["watched"]
    assert after["asked_at"].startswith(f"{NOW:%Y-%m-%dT%H:%M:%S}")
    assert len(get(writer, f"/records/{FIRST}/related", most=1)["items"]) == 2


def test_what_is_not_stored_has_no_relatives_and_is_not_asked_for(writer: httpx2.Client) -> None:
    assert problem(writer.get(f"{PREFIX}/records/{nct(99)}/related"))[0] == 404
    assert problem(writer.post(f"{PREFIX}/records/{nct(99)}/related"))[0] == 404
    assert problem(writer.get(f"{PREFIX}/records/{FIRST}/related?most=41"))[0] == 400


def test_past_versions_are_asked_for_on_demand(site: SiteUnderTest, writer: httpx2.Client) -> None:
    assert writer.post(f"{PREFIX}/records/{FIRST}/past").status_code == 204
    with site.database.read() as connection:
        assert archive.wished_fillings(connection, "ctgov", FIRST) == [FIRST]


def test_it_is_said_whether_the_past_is_whole(writer: httpx2.Client) -> None:
    before = get(writer, f"/records/{FIRST}/past")
    writer.post(f"{PREFIX}/records/{FIRST}/past")
    after = get(writer, f"/records/{FIRST}/past")

    assert (before["state"], before["is_asked"], before["missing"]) == ("not fetched", False, [])
    assert before["sentence"].startswith(f"The past of {FIRST} is not whole yet")
    assert after == before | {"is_asked": True}
    assert problem(writer.get(f"{PREFIX}/records/{nct(99)}/past"))[0] == 404


def test_it_is_said_by_which_watches_a_record_is_watched(writer: httpx2.Client) -> None:
    found = get(writer, f"/records/{FIRST}/watches")
    writer.post(f"{PREFIX}/watches/{FIRST}/pause", json={})

    assert [each["id"] or each["name"] for each in found["items"]] == [FIRST, "fever"]
    assert found["items"][1] == get(writer, "/watches/fever")
    assert (found["groups"], found["is_paused"]) == (["kidney", "searches"], False)
    assert found["confirmed_at"] == found["items"][0]["confirmed_at"]
    paused = get(writer, f"/records/{FIRST}/watches")
    assert (paused["is_paused"], paused["resting"]) == (True, ["its own watch is paused, by writer"])
    writer.delete(f"{PREFIX}/watches/{FIRST}")
    assert [each["name"] for each in get(writer, f"/records/{FIRST}/watches")["items"]] == ["fever"]


def test_nobody_asks_the_registry_for_who_may_only_read(site: SiteUnderTest) -> None:
    reader = site.client(site.token("reader"))

    for path in ("related", "past"):
        assert problem(reader.post(f"{PREFIX}/records/{FIRST}/{path}"))[0] == 403
    with site.database.read() as connection:
        assert related.wanted(connection, "ctgov", relating.ASKED_AT_ONCE) == []


# --- what was seen, called off, forgotten -----------------------------------------------------------------------------


def test_changes_are_seen_by_a_token_and_by_no_other(site: SiteUnderTest) -> None:
    reader, other = site.client(site.token("reader")), site.client(site.token("other"))
    ids = [each["id"] for each in get(reader, "/changes", record=FIRST)["items"]]

    assert reader.post(f"{PREFIX}/seen", json={"changes": [*ids, 2**31 - 1]}).json()["marked"] > 0
    assert reader.post(f"{PREFIX}/seen", json={"changes": ids}).json() == {"marked": 0}
    with site.database.read() as connection:
        unseen = {
            name: news.page(connection, Asked(visitor=name, is_seen=False), None, 100).items
            for name in ("reader", "other")
        }
    assert FIRST not in {each.step.registry_id for each in unseen["reader"]}
    assert FIRST in {each.step.registry_id for each in unseen["other"]}
    assert other.post(f"{PREFIX}/seen", json={"changes": ids, "seen": False}).json() == {"marked": 0}
    assert reader.post(f"{PREFIX}/seen", json={"changes": ids, "seen": False}).json() == {"marked": 0}
    assert reader.post(f"{PREFIX}/seen", json={"changes": ids}).json()["marked"] > 0


@pytest.mark.parametrize("narrowed", [{}, {"watched": True}, {"record": FIRST}, {"record": SECOND}], ids=str)
def test_what_was_seen_can_be_asked_for_alone_and_left_out(
    site: SiteUnderTest, writer: httpx2.Client, narrowed: dict[str, Any]
) -> None:
    reader = site.client(site.token("reader"))
    reader.post(f"{PREFIX}/seen", json={"changes": _ids(reader, record=FIRST)})
    told = get(reader, "/deliveries", record=SECOND)["items"][-1]
    writer.post(f"{PREFIX}/deliveries/{told['id']}/acknowledge", json={})

    every, seen, rest = (_ids(reader, **narrowed, **more) for more in ({}, {"seen": True}, {"seen": False}))

    assert sorted([*seen, *rest]) == sorted(every)
    assert set(seen) >= set(every) & set(_ids(reader, record=FIRST))
    assert bool(rest) == (narrowed.get("record") != FIRST)
    assert bool(seen)


def _ids(client: httpx2.Client, **asked: Any) -> list[int]:
    return [each["id"] for each in get(client, "/changes", limit=200, **asked)["items"]]


def test_a_delivery_is_called_off_once_and_an_acknowledgement_taken_back(writer: httpx2.Client) -> None:
    told = get(writer, "/deliveries", record=FIRST)["items"][-1]
    path = f"{PREFIX}/deliveries/{told['id']}"

    assert writer.post(f"{path}/cancel").json()["state"] == "cancelled"
    assert problem(writer.post(f"{path}/cancel"))[0] == 409
    assert writer.post(f"{path}/acknowledge", json={}).json()["acknowledged_by"] == "writer"
    assert writer.delete(f"{path}/acknowledge").json()["acknowledged_by"] is None


def test_an_address_is_forgotten_that_nobody_is_told_at(writer: httpx2.Client) -> None:
    wanted = {"name": "short", "to": ["mailto:brief@example.org"]}
    assert writer.post(f"{PREFIX}/subscriptions", json=wanted).status_code in (200, 201)
    listed = {each["uri"]: each["id"] for each in get(writer, "/addresses")["items"]}
    path = f"{PREFIX}/addresses/{listed['mailto:brief@example.org']}"

    assert problem(writer.delete(path))[0] == 409
    assert writer.delete(f"{PREFIX}/subscriptions/short").status_code == 204
    gone = writer.delete(path).status_code

    assert gone in (204, 409)  # 409: it was asked whether it wants mails, and the ledger names it
    assert writer.get(path).status_code == (404 if gone == 204 else 200)


# --- how the installation stands --------------------------------------------------------------------------------------


def test_health_names_the_daemons_and_when_they_were_heard(site: SiteUnderTest, writer: httpx2.Client) -> None:
    one = Present(
        holder="host:1:a:b", name="alpha", roles=("sweep", "web"), version="0.0.1", started_at=NOW, heard_at=NOW
    )
    with site.database.write() as connection:
        presence.say(connection, one, NOW - timedelta(days=400))

    (daemon,) = get(writer, "/health")["daemons"]

    assert (daemon["name"], daemon["roles"], daemon["version"]) == ("alpha", ["sweep", "web"], "0.0.1")
    assert not daemon["is_there"]
    assert daemon["heard_at"] < daemon["started_at"]


def test_sweeps_are_listed_in_pages_with_what_each_asked_for_in_vain(writer: httpx2.Client) -> None:
    every = get(writer, "/sweeps")["items"]
    first = get(writer, "/sweeps", limit=1)
    second = get(writer, "/sweeps", limit=1, cursor=first["next"])

    assert [*first["items"], *second["items"]] == every[:2]
    for each in every:
        owed = get(writer, f"/sweeps/{each['number']}/unanswered")["items"]
        assert len(owed) == each["unanswered"]
    assert problem(writer.get(f"{PREFIX}/sweeps/99999/unanswered"))[0] == 404


def test_a_sweep_is_shown_by_its_number(writer: httpx2.Client) -> None:
    every = get(writer, "/sweeps")["items"]

    assert [get(writer, f"/sweeps/{each['number']}") for each in every] == every
    assert problem(writer.get(f"{PREFIX}/sweeps/99999"))[0] == 404
    assert problem(writer.get(f"{PREFIX}/sweeps/{2**31 - 1}"))[0] == 404


def test_what_the_tables_tell_is_read_without_asking_anybody(writer: httpx2.Client) -> None:
    known = get(writer, "/checks")["items"]

    assert {"mail", "watches", "deliveries"} <= {each["check"] for each in known}
    assert "registry" not in {each["check"] for each in known}


def test_an_address_says_what_waits_for_it_and_who_tells_it(site: SiteUnderTest, writer: httpx2.Client) -> None:
    wanted = {"name": "new", "to": ["mailto:carol@example.org", "mailto:bob@example.org"]}
    with site.database.write() as connection:
        confirmations.require(connection, True, NOW)
    assert writer.post(f"{PREFIX}/subscriptions", json=wanted).status_code == 201

    found = {each["uri"]: each for each in get(writer, "/addresses")["items"]}

    bob, carol = found["mailto:bob@example.org"], found["mailto:carol@example.org"]
    assert (bob["subscriptions"], bob["is_confirmed"]) == (["new", "sites"], True)
    assert bob["waiting"] == len(get(writer, "/deliveries", to="bob@example.org", state="pending")["items"]) > 0
    assert (carol["subscriptions"], carol["is_confirmed"]) == (["new"], False)
    assert get(writer, f"/addresses/{carol['id']}") == carol


def test_checks_are_made_when_they_are_asked_for(site: SiteUnderTest) -> None:
    answer = site.client(site.token("reader")).post(f"{PREFIX}/checks")

    assert answer.status_code == 200
    assert {"database", "mail"} <= {each["check"] for each in answer.json()["items"]}


def test_a_type_of_message_is_shown_on_an_example(writer: httpx2.Client) -> None:
    shown = get(writer, "/examples/digest")

    assert shown["type"] == "digest" and shown["subject"] and "<html" in shown["html"]
    assert problem(writer.get(f"{PREFIX}/examples/soup"))[0] == 404
    assert problem(writer.get(f"{PREFIX}/examples/digest?subscription=nobody"))[0] == 404
    assert get(writer, "/examples/trial.changed", subscription="all")["text"]
