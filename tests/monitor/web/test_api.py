"""What the API answers: the same objects as the commands, in pages, and only to whom it may."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import msgspec
import pytest
from click.testing import CliRunner

from monitor.cli import trialdelta
from monitor.demo.standin import StandIn
from monitor.web.api.openapi import document, operations
from monitor.web.api.operations import PREFIX
from notifiers import watches
from notifiers.watches import Wish
from snapshots import archive
from snapshots.archive import StepFacts
from tests.campaigns.api import names_of
from tests.monitor.stage import copied
from tests.monitor.web.browsing import OWN_TOKEN, SiteUnderTest, serving
from tests.monitor.web.conforming import ask_everything
from tests.monitor.web.lived_in import FIRST, HOSTILE, SECOND, lived_in
from tests.registries import nct, study

Json = Any
__all__ = ["lived_in"]


def _site(lived_in: Path, folder: Path) -> Iterator[SiteUnderTest]:
    """A site over a database in which something happened, and a registry that finds one record."""
    with StandIn() as standin:
        standin.publish("2026-03-04", {nct(7): study(nct(7))})
        for database in copied(lived_in, folder):
            with serving(database, ctgov_url=standin.url, request_interval=0) as site:
                yield site


@pytest.fixture(scope="module")
def api(lived_in: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteUnderTest]:
    """One for all tests that change nothing."""
    yield from _site(lived_in, tmp_path_factory.mktemp("api"))


@pytest.fixture(scope="module")
def reader(api: SiteUnderTest) -> httpx2.Client:
    return api.client(api.token("reader"))


@pytest.fixture
def own_api(lived_in: Path, tmp_path: Path) -> Iterator[SiteUnderTest]:
    """One for a test that changes things."""
    yield from _site(lived_in, tmp_path)


@pytest.fixture
def writer(own_api: SiteUnderTest) -> httpx2.Client:
    return own_api.client(own_api.token("writer", may_write=True))


def get(client: httpx2.Client, path: str, **query: Any) -> Json:
    answer = client.get(PREFIX + path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def problem(answer: httpx2.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == answer.status_code
    return answer.status_code, said["title"]


# --- the document -----------------------------------------------------------------------------------------------------


def test_no_operation_fails_or_answers_what_is_not_written(own_api: SiteUnderTest) -> None:
    asked = ask_everything(own_api.url, OWN_TOKEN, names_of(own_api), examples=3)

    assert set(asked) == {f"{each.method} {PREFIX}{each.path}" for each in operations()}
    assert min(asked.values()) >= 1


def test_the_document_is_read_at_its_place_and_has_every_operation(reader: httpx2.Client) -> None:
    said = get(reader, "/openapi.json")

    assert said["openapi"] == "3.1.0"
    assert said["paths"] == msgspec.json.decode(msgspec.json.encode(document()["paths"]))
    names = [words["operationId"] for methods in said["paths"].values() for words in methods.values()]
    assert len(names) == len(set(names)) == len(operations())


def test_the_documentation_names_every_operation_and_loads_nothing_of_others(api: SiteUnderTest) -> None:
    page = api.signed_in().get("/api")

    assert page.status_code == 200
    assert all(f'id="{operation.name}"' in page.text for operation in operations())
    assert "//cdn" not in page.text
    assert page.text.count("<script") == 1


def _request(client: httpx2.Client, operation: Any) -> httpx2.Response:
    path = operation.path.replace("{id}", "1").replace("{name}", "x").replace("{number}", "1")
    body = {} if operation.method in ("POST", "PUT", "PATCH") else None
    return client.request(operation.method, PREFIX + path, json=body)


def test_nothing_is_answered_without_a_token(api: SiteUnderTest) -> None:
    client = api.client()

    assert {problem(_request(client, operation))[0] for operation in operations()} == {401}


def test_nothing_is_answered_for_a_wrong_token(own_api: SiteUnderTest) -> None:
    client = own_api.client("tdt_" + "0" * 40)

    assert {problem(_request(client, operation))[0] for operation in operations()[::9]} == {401}


def test_a_token_that_may_read_changes_nothing(api: SiteUnderTest, reader: httpx2.Client) -> None:
    acting = [operation for operation in operations() if operation.acts]

    assert {_request(reader, operation).status_code for operation in acting} == {403}
    assert len(acting) > 20


# --- the same objects as the commands ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "path"),
    [
        (["history", FIRST], f"/records/{FIRST}/history"),
        (["diff", FIRST], f"/records/{FIRST}/diff"),
        (["watch", "list"], "/watches"),
        (["subscription", "list"], "/subscriptions"),
        (["address", "list"], "/addresses"),
        (["deliveries", "list"], "/deliveries"),
        (["kinds"], "/kinds"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_list_holds_what_the_command_prints(
    api: SiteUnderTest, reader: httpx2.Client, monkeypatch: pytest.MonkeyPatch, command: list[str], path: str
) -> None:
    items = get(reader, path)["items"]

    assert items
    assert [_without(each) for each in items] == [_without(each) for each in printed(api, monkeypatch, command)]


@pytest.mark.parametrize(
    ("command", "path"),
    [
        (["show", FIRST], f"/records/{FIRST}"),
        (["show", FIRST, "--as-of", "2026-03-02"], f"/records/{FIRST}?as_of=2026-03-02"),
        (["subscription", "show", "sites"], "/subscriptions/sites"),
        (
            ["subscription", "backtest", "sites", "--since", "2026-01-01"],
            "/subscriptions/sites/backtest?since=2026-01-01",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_one_thing_is_what_the_command_prints(
    api: SiteUnderTest, reader: httpx2.Client, monkeypatch: pytest.MonkeyPatch, command: list[str], path: str
) -> None:
    assert reader.get(PREFIX + path).json() == printed(api, monkeypatch, command)


@pytest.mark.parametrize("question", ["timeline", "slips", "outcomes", "compliance"])
def test_a_question_is_answered_as_by_the_command(
    api: SiteUnderTest, reader: httpx2.Client, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    told = printed(api, monkeypatch, [question, FIRST])[0] | {"as_of": None}
    answer = get(reader, f"/records/{FIRST}/{question}") | {"as_of": None}

    # deadlines are counted to today, and today the command's clock is not the site's
    assert answer.keys() == told.keys()
    if question in ("slips", "outcomes"):
        assert answer == told


def printed(api: SiteUnderTest, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> Json:
    monkeypatch.setenv("TRIALDELTA_DATABASE_URL", api.database.url)
    done = CliRunner().invoke(trialdelta, [*command, "--format", "json"])
    assert done.exit_code == 0, done.output
    return msgspec.json.decode(done.stdout)


def _without(row: dict[str, Json]) -> dict[str, Json]:
    """Without what is counted to today: today the command's clock is not the site's."""
    return {key: value for key, value in row.items() if key not in ("rest", "next_date")}


def test_the_raw_bytes_are_those_that_the_registry_sent(api: SiteUnderTest, reader: httpx2.Client) -> None:
    from snapshots import archive

    with api.database.read() as connection:
        number = archive.versions(connection, "ctgov", FIRST)[0].number
        kept = archive.read_version(connection, number)

    assert reader.get(f"{PREFIX}/records/{FIRST}/versions/{number}/raw").content == kept


def test_an_audit_file_has_addresses_in_the_clear_only_for_who_may_write(
    api: SiteUnderTest, reader: httpx2.Client
) -> None:
    path = f"{PREFIX}/records/{FIRST}/audit"
    writer = api.client(OWN_TOKEN)

    hashed, clear = reader.get(path), writer.get(path, params={"with_addresses": True})

    assert hashed.content.startswith(b"PK")
    assert b"alice@example.org" not in _unpacked(hashed.content)
    assert b"alice@example.org" in _unpacked(clear.content)
    assert problem(reader.get(path, params={"with_addresses": True}))[0] == 403


def _unpacked(content: bytes) -> bytes:
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return b"".join(file.read(name) for name in file.namelist())


# --- pages, tags, trouble ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/changes", "/watches", "/records", "/deliveries", f"/records/{FIRST}/history"])
def test_pages_give_each_entry_once_and_in_the_order_of_one_large_page(reader: httpx2.Client, path: str) -> None:
    whole = get(reader, path)["items"]
    turned: list[Json] = []
    cursor = None
    for _ in range(len(whole) + 1):
        page = get(reader, path, limit=1, **({"cursor": cursor} if cursor else {}))
        turned += page["items"]
        cursor = page["next"]
        if cursor is None:
            break

    assert turned == whole
    assert len(whole) > 1


def test_a_page_goes_on_after_the_longest_name(own_api: SiteUnderTest, writer: httpx2.Client) -> None:
    names = [letter * 200 for letter in "漢\U0001f9ea"]
    with own_api.database.write() as connection:
        watches.remove(connection, "ctgov", [FIRST, SECOND, HOSTILE, "fever"])
        for name in [*names, "x" * 5000]:
            watches.add(connection, Wish(registry="ctgov", search={"query.cond": "x"}, name=name), own_api.clock())

    seen, cursor = set(), None
    for _ in range(3):
        page = get(writer, "/watches", limit=1, **({"cursor": cursor} if cursor else {}))
        seen |= {each["name"] for each in page["items"]}
        cursor = page["next"]

    assert (seen, cursor) == ({*names, "x" * 5000}, None)


def test_a_history_goes_on_after_a_change_that_the_filter_leaves_out(reader: httpx2.Client) -> None:
    path = f"/records/{FIRST}/history"
    whole = get(reader, path)["items"]
    page = get(reader, path, limit=2)

    later = get(reader, path, cursor=page["next"], kind=whole[0]["kind"])["items"]

    assert later == [each for each in whole[2:] if each["kind"] == whole[0]["kind"]]
    assert whole[0]["kind"] != whole[1]["kind"]


def test_a_history_that_was_told_anew_does_not_begin_again_by_itself(
    own_api: SiteUnderTest, writer: httpx2.Client
) -> None:
    path = f"/records/{FIRST}/history"
    whole, page = get(writer, path)["items"], get(writer, path, limit=1)
    other = get(writer, f"/records/{SECOND}/history", limit=1)
    with own_api.database.write() as connection:
        step = archive.steps(connection, "ctgov", FIRST)[0]
        names = [name for name in StepFacts.__struct_fields__ if name not in ("id", "changes", "title")]
        facts = StepFacts(**{name: getattr(step, name) for name in names})
        archive.record_step(connection, facts, [each.change for each in step.changes], supersedes=step.id)

    assert len(whole) > 1
    for cursor in (page["next"], other["next"], "Wzk5OTk5OV0"):
        answer = writer.get(PREFIX + path, params={"cursor": cursor})
        assert problem(answer) == (400, "The cursor is none of this list")


def test_who_has_an_answer_already_is_told_so(writer: httpx2.Client) -> None:
    reader = writer
    first = reader.get(f"{PREFIX}/watches/{SECOND}")
    tag = {"If-None-Match": first.headers["etag"]}

    assert reader.get(f"{PREFIX}/watches/{SECOND}", headers=tag).status_code == 304
    writer.patch(f"{PREFIX}/watches/{SECOND}", json={"note": "another"})
    assert reader.get(f"{PREFIX}/watches/{SECOND}", headers=tag).json()["note"] == "another"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/records/NCT98765432", 404, "Nothing is stored of NCT98765432"),
        ("/records/soup", 404, "not a ClinicalTrials.gov id: 'soup'"),
        (f"/records/{FIRST}?version=999", 404, "has no version 999"),
        (f"/records/{FIRST}?as_of=soup", 400, "The parameter as_of cannot be 'soup'"),
        (f"/records/{FIRST}?as_of=2026-03-02&version=1", 400, "exclude each other"),
        (f"/records/{FIRST}/diff?from=0", 404, "has no version 0"),
        (f"/records/{FIRST}/diff?to=00", 404, "has no version 0"),
        (f"/records/{FIRST}/diff?from=2026-02-31", 400, "'2026-02-31' is no date"),
        (f"/records/{FIRST}/timeline?today=0001-01-01", 400, "too far from today"),
        ("/changes?colour=red", 400, "There is no parameter 'colour' here"),
        ("/changes?kind=site.exploded", 400, "unknown kind 'site.exploded'"),
        ("/changes?family=Colours", 400, "There is no family 'Colours'"),
        ("/changes?limit=0", 400, "The parameter limit cannot be '0'"),
        ("/changes?limit=1&limit=2", 400, "is given 2 times"),
        ("/changes?cursor=soup", 400, "The cursor is none of this list"),
        ("/changes?group=nobody", 404, "Nothing is watched in a group 'nobody'"),
        ("/changes?record=%00", 400, "U+0000"),
        ("/subscriptions/nobody", 404, "There is no subscription 'nobody'"),
        ("/deliveries?since=2026-03-01T00:00:00", 400, "since needs an offset"),
        ("/nowhere", 404, "There is no such page"),
    ],
)
def test_trouble_is_told_in_one_clear_line(reader: httpx2.Client, path: str, status: int, words: str) -> None:
    found, title = problem(reader.get(PREFIX + path))

    assert found == status
    assert words in title


# --- acting -----------------------------------------------------------------------------------------------------------


def test_trials_are_watched_changed_silenced_and_watched_no_more(writer: httpx2.Client) -> None:
    new = f"https://clinicaltrials.gov/study/{nct(9)}"
    path = f"{PREFIX}/watches"

    assert writer.post(path, json={"ids": [new, FIRST], "group": "g"}).json() == {"added": [nct(9)], "already": [FIRST]}
    text = f"id;title\n{nct(10)};Ten\n# {nct(12)}\n{nct(9)}\n"
    assert writer.post(f"{PREFIX}/imports/watches", json={"text": text}).json()["added"] == [nct(10)]
    assert writer.patch(f"{path}/{nct(9)}", json={"group": None, "note": "n"}).json()["group"] is None
    assert writer.post(f"{path}/{nct(9)}/pause", json={"reason": "holidays"}).json()["state"] == "paused"
    snoozed = writer.post(f"{path}/{nct(10)}/snooze", json={"until": "2027-01-01T00:00:00+01:00"})
    assert snoozed.json()["state"] == "snoozed"
    assert writer.post(f"{path}/{nct(9)}/resume").json()["state"] == "waiting"
    assert writer.delete(f"{path}/{nct(9)}").status_code == 204
    assert problem(writer.get(f"{path}/{nct(9)}"))[0] == 404


def test_an_id_is_the_record_also_where_an_old_search_is_called_so(
    own_api: SiteUnderTest, writer: httpx2.Client
) -> None:
    path = f"{PREFIX}/watches/{FIRST}"
    with own_api.database.write() as connection:
        watches.add(connection, Wish(registry="ctgov", search={"query.cond": "x"}, name=FIRST), own_api.clock())

    assert writer.post(f"{path}/pause", json={}).json()["id"] == FIRST
    assert writer.delete(path).status_code == 204
    left = writer.get(path).json()
    assert (left["id"], left["name"], left["state"]) == (None, FIRST, "waiting")
    assert writer.delete(path).status_code == 204
    assert problem(writer.get(path))[0] == 404


def test_a_name_with_a_slash_is_reached_like_any_other(writer: httpx2.Client) -> None:
    for place, body in (
        ("watches", {"search": {"query.cond": "x"}}),
        ("subscriptions", {"to": ["mailto:ann@example.org"], "watches": "all"}),
    ):
        for name in ("HER2/neu", "a/standing", "a/pause", "/", "a%2Fb", "a//b/"):
            path = f"{PREFIX}/{place}/{quote(name, safe='')}"
            assert writer.post(f"{PREFIX}/{place}", json={**body, "name": name}).is_success
            assert writer.get(path).json()["name"] == name
            assert writer.post(f"{path}/pause", json={}).json()["state" if place == "watches" else "paused"]
            assert writer.delete(path).status_code == 204
            assert problem(writer.get(path))[0] == 404


def test_a_name_with_a_slash_is_reached_below_a_path(lived_in: Path, tmp_path: Path) -> None:
    for database in copied(lived_in, tmp_path):
        with serving(database, base_url="https://example.org/our/trials") as site:
            writer = site.client(site.token("writer", may_write=True))
            path = f"/our/trials{PREFIX}/watches"
            writer.post(path, json={"search": {"query.cond": "x"}, "name": "a/b"})
            assert writer.get(f"{path}/a%2fb").json()["name"] == "a/b"


@pytest.mark.parametrize(("name", "words"), [("..", "is no name"), (".", "is no name"), ("a\nb", "a line break")])
def test_a_name_that_nobody_could_ask_for_is_refused(writer: httpx2.Client, name: str, words: str) -> None:
    said = {"name": name, "to": ["mailto:ann@example.org"]}
    for path, body in (("watches", {"search": {"query.cond": "x"}, "name": name}), ("subscriptions", said)):
        status, title = problem(writer.post(f"{PREFIX}/{path}", json=body))
        assert (status, words in title) == (422, True), title


def test_the_whole_registry_can_be_watched(writer: httpx2.Client) -> None:
    path = f"{PREFIX}/watches"

    assert writer.post(path, json={"all": True}).json() == {"added": ["everything"], "already": []}
    assert writer.get(f"{path}/everything").json()["search"] == {}


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 422, "Give ids, or a search"),
        ({"all": True, "ids": [FIRST]}, 422, "or all"),
        ({"ids": ["soup"]}, 422, "not a ClinicalTrials.gov id"),
        ({"ids": [FIRST], "colour": "red"}, 422, "another shape"),
        ({"search": {"query.cond": "x"}}, 422, "needs a name"),
        ({"search": {"query.cond": "x"}, "name": FIRST.lower()}, 422, "reads as a record's id"),
        ({"ids": [FIRST], "name": nct(9)}, 422, "reads as a record's id"),
        ({"search": {"soup": "x"}, "name": "s"}, 422, "no search parameter"),
        ({"ids": [SECOND], "name": "fever"}, 409, "is the name of search fever already"),
        ({"ids": [FIRST], "note": "\0"}, 400, "U+0000"),
    ],
)
def test_what_cannot_be_watched_is_refused(writer: httpx2.Client, body: Json, status: int, words: str) -> None:
    found, title = problem(writer.post(f"{PREFIX}/watches", json=body))

    assert (found, words in title) == (status, True), title


def test_a_search_says_what_it_finds_before_it_is_kept(reader: httpx2.Client) -> None:
    found = reader.post(f"{PREFIX}/previews/search", json={"search": {"query.cond": "Imaginary"}})

    assert found.json() == {"hits": 1, "is_all": True, "total": 1, "first": [nct(7)]}


def test_a_subscription_is_foreseen_kept_changed_tested_and_removed(writer: httpx2.Client) -> None:
    path = f"{PREFIX}/subscriptions"
    wanted = {"name": "new", "to": ["https://hooks.example.org/new"], "when": {"kinds": ["site.recruiting"]}}

    foreseen = writer.post(f"{PREFIX}/previews/subscription", json=wanted).json()
    assert foreseen["standing"]["recruiting"] == 3
    assert len(foreseen["backtest"]["alerts"]) == 3
    assert problem(writer.get(f"{path}/new"))[0] == 404
    kept = writer.post(path, json=wanted)
    assert kept.status_code == 201
    assert kept.json()["secrets"]["https://hooks.example.org/new"].startswith("whsec_")
    assert problem(writer.post(path, json=wanted))[0] == 409
    writer.post(f"{path}/new/pause", json={"reason": "audit"})
    changed = writer.put(f"{path}/new", json={"to": ["mailto:carol@example.org"], "deliver": {"digest": "weekly"}})
    assert changed.json()["subscription"]["to"] == ["mailto:carol@example.org"]
    assert changed.json()["subscription"]["paused"] is True
    assert writer.post(f"{path}/new/resume").json().get("paused", False) is False
    assert len(writer.post(f"{path}/new/test").json()["deliveries"]) == 1
    assert writer.get(f"{path}/new/digest").json()["items"][0]["to"] == "mailto:carol@example.org"
    assert writer.delete(f"{path}/new").status_code == 204


def test_why_a_change_is_wanted_is_explained(reader: httpx2.Client) -> None:
    change = next(each for each in get(reader, "/changes", record=FIRST)["items"] if each["kind"] == "site.recruiting")

    why = get(reader, "/subscriptions/sites/why", change=change["id"])

    assert why["wanted"] is True
    assert why["told"][0]["uri"] == "mailto:bob@example.org"


def test_an_address_is_switched_owned_and_gets_a_new_secret(writer: httpx2.Client) -> None:
    listed = {each["uri"]: each["id"] for each in get(writer, "/addresses")["items"]}
    web = f"{PREFIX}/addresses/{listed['https://hooks.example.org/trials']}"
    mail = f"{PREFIX}/addresses/{listed['mailto:alice@example.org']}"

    assert writer.patch(web, json={"state": "off", "reason": "moves", "owner": "ops"}).json()["state_reason"] == "moves"
    assert writer.patch(web, json={"state": "on"}).json()["owner"] == "ops"
    assert writer.post(f"{web}/rotate", json={"hours": 1}).json()["secret"].startswith("whsec_")
    assert problem(writer.post(f"{web}/rotate", json={}))[0] == 409
    assert problem(writer.post(f"{mail}/rotate", json={}))[0] == 409


def test_a_delivery_is_shown_with_its_changes_retried_seen_and_replayed(writer: httpx2.Client) -> None:
    told = get(writer, "/deliveries", record=FIRST)["items"][-1]
    path = f"{PREFIX}/deliveries/{told['id']}"

    assert {change["record"]["id"] for change in writer.get(path).json()["changes"]} == {FIRST}
    assert writer.post(f"{path}/retry").json()["state"] == "pending"
    assert writer.post(f"{path}/acknowledge", json={}).json()["acknowledged_by"] == "writer"
    replayed = writer.post(f"{PREFIX}/replays", json={"since": "2026-01-01T00:00:00Z"})
    assert replayed.json() == {"deliveries": []}  # nothing was delivered yet


def test_settings_are_shown_without_their_secrets(reader: httpx2.Client) -> None:
    shown = {each["name"]: each["value"] for each in get(reader, "/settings")["items"]}

    assert shown["TRIALDELTA_ACCESS_TOKEN"] == "***"
    assert get(reader, "/health")["watched"] == 3
