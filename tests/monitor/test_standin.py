"""The stand-in answers as the registry is known to: everything else is tested against it."""

import gzip
import json
import time

import httpx2
import pytest

from monitor.demo.faults import Fault
from monitor.demo.standin import StandIn, main, read_releases
from tests.registries import nct, studies, study


@pytest.fixture
def ask(standin: StandIn):
    with httpx2.Client(base_url=f"{standin.url}/api/v2", trust_env=False, timeout=5) as client:

        def get(path: str, **params: object) -> httpx2.Response:
            return client.get(path, params=params)

        yield get


def ids(answer: httpx2.Response) -> list[str]:
    return [item["protocolSection"]["identificationModule"]["nctId"] for item in answer.json()["studies"]]


def test_the_version_names_the_release(standin: StandIn, ask) -> None:
    standin.publish("2026-03-25")

    assert ask("/version").json() == {"apiVersion": "2.0.5", "dataTimestamp": "2026-03-25T09:00:05"}


def test_an_unknown_id_is_simply_absent_from_a_batch(standin: StandIn, ask) -> None:
    standin.publish("2026-03-25", studies(2))

    assert ids(ask("/studies", **{"filter.ids": f"{nct(2)}|{nct(9)},{nct(1)}"})) == [nct(1), nct(2)]


def test_one_malformed_id_spoils_its_batch_with_a_text(standin: StandIn, ask) -> None:
    standin.publish("2026-03-25", studies(2))

    answer = ask("/studies", **{"filter.ids": f"{nct(1)}|XYZ"})

    assert answer.status_code == 400
    assert "XYZ" in answer.text
    assert answer.headers["content-type"] == "text/plain"


def test_a_wrong_field_is_a_plain_500(standin: StandIn, ask) -> None:
    standin.publish("2026-03-25", studies(1))

    assert ask("/studies", fields="NCTId|Nonsense").status_code == 500
    assert ask(f"/studies/{nct(1)}", fields="protocolSection.nonsenseModule").status_code == 500


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ("NCTId", {"protocolSection": {"identificationModule": {"nctId": nct(1)}}}),
        ("hasResults", {"hasResults": False}),
        ("StatusModule,HasResults", {"protocolSection": {"statusModule": {"overallStatus": "X"}}, "hasResults": False}),
        (
            "protocolSection.contactsLocationsModule.locations.city",
            {"protocolSection": {"contactsLocationsModule": {"locations": [{"city": "Exampleton"}]}}},
        ),
        ("derivedSection.miscInfoModule.submissionTracking", {}),
    ],
)
def test_fields_leave_only_what_was_asked_for(standin: StandIn, ask, fields: str, left: dict) -> None:
    standin.publish("2026-03-25", {nct(1): study(status="X")})

    assert ask(f"/studies/{nct(1)}", fields=fields).json() == left


def test_every_release_stamps_every_record(standin: StandIn, ask) -> None:
    standin.publish("2026-03-25", studies(1))
    before = ask(f"/studies/{nct(1)}").json()
    standin.publish("2026-03-26")
    after = ask(f"/studies/{nct(1)}").json()

    assert before["derivedSection"]["miscInfoModule"]["versionHolder"] == "2026-03-25"
    assert after["derivedSection"]["miscInfoModule"]["versionHolder"] == "2026-03-26"
    assert ask("/version").headers["etag"] == '"2026-03-26T09:00:05"'


def test_pages_follow_each_other_until_the_last(standin: StandIn, ask) -> None:
    standin.publish("2026-03-25", studies(5))

    first = ask("/studies", pageSize=3, countTotal="true", fields="NCTId")
    second = ask("/studies", pageSize=3, fields="NCTId", pageToken=first.json()["nextPageToken"])

    assert first.json()["totalCount"] == 5
    assert ids(first) + ids(second) == list(studies(5))
    assert second.json().keys() == {"studies"}


def test_a_page_token_dies_with_its_release_and_with_other_parameters(standin: StandIn, ask) -> None:
    standin.publish("2026-03-25", studies(5))
    token = ask("/studies", pageSize=3).json()["nextPageToken"]

    assert ask("/studies", pageSize=3, pageToken=token).status_code == 200
    assert ask("/studies", pageSize=3, pageToken=token, **{"query.term": "other"}).status_code == 400
    standin.publish("2026-03-26")
    assert ask("/studies", pageSize=3, pageToken=token).status_code == 400
    assert ask("/studies", pageToken="rubbish").status_code == 400


def test_a_page_holds_at_most_a_thousand_and_usually_ten(standin: StandIn, ask) -> None:
    standin.publish("2026-03-25", studies(1002))

    assert len(ids(ask("/studies", fields="NCTId"))) == 10
    assert len(ids(ask("/studies", fields="NCTId", pageSize=5000))) == 1000
    assert ask("/studies", pageSize="many").status_code == 400


def test_every_study_of_a_page_stands_on_a_line_of_its_own(standin: StandIn, ask) -> None:
    standin.publish("2026-03-25", studies(3))

    lines = ask("/studies").text.splitlines()

    assert [json.loads(line.rstrip(","))["hasResults"] for line in lines[1:-1]] == [False] * 3


def test_a_search_finds_words_and_statuses(standin: StandIn, ask) -> None:
    standin.publish(
        "2026-03-25", {nct(1): study(nct(1), condition="Rare Cough"), nct(2): study(nct(2), status="UNKNOWN")}
    )

    assert ids(ask("/studies", **{"query.cond": "cough"})) == [nct(1)]
    assert ids(ask("/studies", **{"query.term": "exampleton belgium"})) == [nct(1), nct(2)]
    assert ids(ask("/studies", **{"filter.overallStatus": "UNKNOWN|COMPLETED"})) == [nct(2)]
    assert (
        ask("/studies", **{"filter.overallStatus": "BUSY"}).text == "Invalid value in parameter `overallStatus`: `BUSY`"
    )
    assert ask("/studies", **{"query.colour": "red"}).status_code == 400


def test_a_single_study_is_found_refused_or_unknown(standin: StandIn, ask) -> None:
    standin.publish("2026-03-25", studies(1))

    assert ask(f"/studies/{nct(1).lower()}").status_code == 200
    assert ask("/studies/NCTbad").status_code == 400
    assert ask(f"/studies/{nct(7)}").status_code == 404
    assert ask("/elsewhere").status_code == 404


def test_a_merged_id_redirects_and_is_found_under_the_kept_one(standin: StandIn, ask) -> None:
    standin.publish("2026-03-25", studies(2))
    standin.merge(nct(2), nct(1))

    alone = ask(f"/studies/{nct(2)}", fields="NCTId")

    assert alone.status_code == 301
    assert alone.headers["location"] == f"/api/v2/studies/{nct(1)}?fields=NCTId"
    assert ids(ask("/studies", **{"filter.ids": nct(2)})) == [nct(1)]
    assert standin.study(nct(1))["protocolSection"]["identificationModule"]["nctIdAliases"] == [nct(2)]


def test_records_stay_until_they_are_removed(standin: StandIn, ask) -> None:
    standin.publish("2026-03-25", studies(2))
    standin.publish("2026-03-26", {nct(3): study(nct(3))})
    standin.remove([nct(1), nct(8)])

    assert ids(ask("/studies")) == [nct(2), nct(3)]


def test_bytes_that_are_no_object_are_served_as_they_are(standin: StandIn, ask) -> None:
    standin.publish("2026-03-25", {nct(1): b'["not a study"]', nct(2): json.dumps(study(nct(2))).encode()})

    assert ask("/studies", fields="NCTId").text.splitlines()[1] == '["not a study"],'
    assert ask(f"/studies/{nct(2)}", fields="hasResults").json() == {"hasResults": False}


def test_gzip_is_served_to_those_who_take_it(standin: StandIn) -> None:
    standin.publish("2026-03-25", studies(5))

    with httpx2.stream("GET", f"{standin.url}/api/v2/studies", headers={"Accept-Encoding": "gzip"}) as answer:
        packed = b"".join(answer.iter_raw())
    plain = httpx2.get(f"{standin.url}/api/v2/studies", headers={"Accept-Encoding": "identity"})

    assert gzip.decompress(packed) == plain.content


def test_a_fault_strikes_as_often_and_where_it_was_told(standin: StandIn, ask) -> None:
    standin.publish("2026-03-25", studies(3))
    standin.fail(Fault.UNAVAILABLE, times=2, path="/studies")
    standin.fail(Fault.SERVER_ERROR, ids=[nct(2)])
    standin.fail(Fault.TOO_LONG, over=2)

    assert [ask("/version").status_code, ask("/studies").status_code, ask("/studies").status_code] == [200, 503, 503]
    assert ask("/studies", **{"filter.ids": f"{nct(1)}|{nct(2)}"}).status_code == 500
    assert ask(f"/studies/{nct(2)}").status_code == 500
    assert ask("/studies", **{"filter.ids": f"{nct(1)}|{nct(3)}|{nct(4)}"}).status_code == 414
    assert ask("/studies", **{"filter.ids": f"{nct(1)}|{nct(3)}"}).status_code == 200
    standin.clear()
    assert ask(f"/studies/{nct(2)}").status_code == 200


@pytest.mark.parametrize("fault", list(Fault))
def test_every_fault_lets_the_stand_in_live(standin: StandIn, fault: Fault, monkeypatch) -> None:
    monkeypatch.setattr("monitor.demo.faults.LONGEST", 0.3)
    standin.publish("2026-03-25", studies(2))
    standin.fail(fault, times=1)
    address = f"{standin.url}/api/v2/studies?fields=NCTId"
    try:
        with httpx2.stream("GET", address, timeout=0.2) as answer:
            next(answer.iter_raw(), b"")
    except httpx2.TransportError:
        pass
    standin.clear()

    assert len(ids(httpx2.get(address, timeout=5))) == 2


def test_requests_are_remembered_in_order_and_not_for_ever(standin: StandIn, ask) -> None:
    ask("/version")
    ask("/studies", **{"filter.ids": f"{nct(1)},{nct(2)}"})

    first, second = standin.requests
    assert (first.path, first.query) == ("/api/v2/version", {})
    assert second.ids == [nct(1), nct(2)]
    assert second.headers["user-agent"].startswith("python-httpx2")
    assert first.at <= second.at
    assert standin.requests.maxlen == 10_000


def test_closing_ends_it_even_amid_a_slow_answer(ask) -> None:
    with StandIn() as slow:
        slow.fail(Fault.STALL)
        with pytest.raises(httpx2.ReadTimeout):
            httpx2.get(f"{slow.url}/api/v2/version", timeout=0.1)
        began = time.monotonic()

    assert time.monotonic() - began < 2


def test_a_hundred_studies_a_page_cost_little_after_the_first_time(standin: StandIn, ask) -> None:
    big = {nct(number): study(nct(number), title="x" * 20_000) for number in range(1, 101)}
    standin.publish("2026-03-25", big)
    ask("/studies", pageSize=100)
    standin.publish("2026-03-26")
    began = time.process_time()
    for _ in range(10):
        assert len(ask("/studies", pageSize=100).content) > 2_000_000

    assert time.process_time() - began < 2


def test_a_file_of_releases_is_read_by_date(tmp_path) -> None:
    file = tmp_path / "releases.ndjson"
    rows = [(nct(1), "2026-03-25"), (nct(1), "2026-03-26"), (nct(2), "2026-03-25")]
    file.write_text("".join(json.dumps({"nct": a, "dataVersion": b, "study": study(a)}) + "\n" for a, b in rows))

    assert [(date, list(delta)) for date, delta in read_releases(file)] == [
        ("2026-03-25", [nct(1), nct(2)]),
        ("2026-03-26", [nct(1)]),
    ]


def test_run_by_hand_it_serves_release_after_release(tmp_path, monkeypatch, capsys) -> None:
    file = tmp_path / "releases.ndjson"
    file.write_text(json.dumps({"nct": nct(1), "dataVersion": "2026-03-25", "study": study()}) + "\n")
    seen = []

    def press(prompt: str) -> str:
        address = capsys.readouterr().err.strip()
        seen.append((prompt.split(maxsplit=1)[0], httpx2.get(f"{address}/api/v2/version").json()["dataTimestamp"]))
        raise EOFError

    monkeypatch.setattr("builtins.input", press)
    main(["--ndjson", str(file), "--port", "0", "--step"])

    assert seen == [("2026-03-25T09:00:05:", "2026-03-25T09:00:05")]


@pytest.mark.real_records
def test_real_releases_can_be_replayed(standin: StandIn, ask, real_releases) -> None:
    date, records = real_releases[0]
    standin.publish(date, records)

    assert sorted(ids(ask("/studies", pageSize=1000, fields="NCTId"))) == sorted(records)
