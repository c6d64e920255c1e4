"""How the client of ClinicalTrials.gov asks: batches, pages, aliases, bad ids, refused fields, searches."""

import json
from hashlib import sha256
from typing import Any

import pytest

from monitor.demo.standin import Fault, StandIn
from snapshots.registries.ctgov import pages
from snapshots.registries.ctgov.client import SEARCH_PARAMETERS
from snapshots.registry import NotAnswered, RawRecord, RegistryError, Unchanged
from tests.registries import Asked, nct, studies, study

Answers = dict[str, RawRecord | Unchanged | NotAnswered]


@pytest.fixture
def registry(standin: StandIn):
    standin.publish("2026-03-25", studies(20))
    with Asked(standin) as client:
        yield client


def fetched(registry: Asked, ids: list[str], known: dict[bytes, str] | None = None) -> Answers:
    """Answers by the id asked for; every id must be answered once."""
    answers: Answers = {}
    for answer in registry.fetch(ids, known or {}):
        asked = answer.id if isinstance(answer, NotAnswered) else answer.asked
        assert asked not in answers
        answers[asked] = answer
    assert set(answers) == set(ids)
    return answers


def hashes(answers: Answers) -> dict[bytes, str]:
    return {answer.raw_hash: answer.id for answer in answers.values() if isinstance(answer, RawRecord)}


def reasons(answers: Answers) -> dict[str, str]:
    return {record: answer.reason for record, answer in answers.items() if isinstance(answer, NotAnswered)}


# Batches and pages


def test_ids_are_asked_for_in_batches_and_by_one_request_each(registry: Asked, standin: StandIn) -> None:
    with Asked(standin, batch_size=8) as client:
        answers = fetched(client, list(studies(20)))

    assert all(isinstance(answer, RawRecord) for answer in answers.values())
    assert [len(request.ids) for request in standin.requests] == [8, 8, 4]
    assert client.turn.granted == 3


def test_nothing_is_asked_before_the_first_answer_is_taken(registry: Asked, standin: StandIn) -> None:
    answers = registry.fetch(list(studies(20)), {})
    assert not standin.requests

    next(iter(answers))

    assert len(standin.requests) == 1


def test_a_question_names_the_fields_itself_and_gzip(standin: StandIn, registry: Asked) -> None:
    fetched(registry, [nct(1)])

    request = standin.requests[0]
    assert "protocolSection" in request.query["fields"].split("|")
    assert "derivedSection.miscInfoModule.submissionTracking" in request.query["fields"]
    assert (request.headers["user-agent"], request.headers["accept-encoding"]) == ("tests", "gzip")


def test_records_come_as_their_exact_bytes_with_their_hash(standin: StandIn, registry: Asked) -> None:
    record = fetched(registry, [nct(1)])[nct(1)]

    assert isinstance(record, RawRecord)
    assert sha256(record.raw).digest() == record.raw_hash
    assert json.loads(record.raw)["protocolSection"] == study(nct(1))["protocolSection"]


def test_no_ids_means_no_question(standin: StandIn, registry: Asked) -> None:
    assert fetched(registry, []) == {}
    assert not standin.requests


def test_an_id_given_twice_is_answered_once(registry: Asked) -> None:
    assert len(list(registry.fetch([nct(1), nct(1)], {}))) == 1


def test_further_pages_are_followed(standin: StandIn, registry: Asked, monkeypatch) -> None:
    monkeypatch.setattr("monitor.demo.catalogue._page_size", lambda query: 3)

    answers = fetched(registry, list(studies(20)))

    assert not reasons(answers)
    assert len(standin.requests) == 7
    assert {request.query["filter.ids"] for request in standin.requests} == {",".join(studies(20))}


def test_an_empty_page_can_have_a_next_one(standin: StandIn, registry: Asked) -> None:
    standin.fail(Fault.EMPTY_PAGE)

    assert not reasons(fetched(registry, list(studies(20))))
    assert len(standin.requests) == 2


def test_a_page_token_that_dies_costs_only_another_question(standin: StandIn, registry: Asked, monkeypatch) -> None:
    monkeypatch.setattr("monitor.demo.catalogue._page_size", lambda query: 12)
    standin.fail(Fault.OUTDATED_PAGE, times=1)

    assert not reasons(fetched(registry, list(studies(20))))
    assert [len(request.ids) for request in standin.requests][:3] == [20, 20, 4]


# What is unchanged


def test_known_bytes_are_unchanged_records(standin: StandIn, registry: Asked) -> None:
    known = hashes(fetched(registry, list(studies(20))))
    standin.publish("2026-03-26", {nct(7): study(nct(7), status="COMPLETED")})

    answers = fetched(registry, list(studies(20)), known)

    assert isinstance(answers.pop(nct(7)), RawRecord)
    assert set(answers.values()) == {Unchanged(record, record) for record in studies(20) if record != nct(7)}


def test_known_bytes_are_not_decoded_whatever_they_are(standin: StandIn, registry: Asked) -> None:
    corrupt = {nct(1): b'["\xff\xfe", {"not": "a study"}]', nct(2): b"7"}
    standin.publish("2026-03-26", corrupt)
    known = {sha256(raw).digest(): record for record, raw in corrupt.items()}

    assert set(fetched(registry, list(corrupt), known).values()) == {
        Unchanged(nct(1), nct(1)),
        Unchanged(nct(2), nct(2)),
    }


def test_only_changed_records_are_looked_into(standin: StandIn, registry: Asked, monkeypatch) -> None:
    known = hashes(fetched(registry, list(studies(20))))
    standin.publish("2026-03-26", {nct(7): study(nct(7), status="COMPLETED")})
    looked_into: list[str] = []
    look = pages.head
    monkeypatch.setattr(pages, "head", lambda raw: looked_into.append(look(raw).id) or look(raw))

    fetched(registry, list(studies(20)), known)

    assert looked_into == [nct(7)]


# Ids that are not answered


def test_malformed_ids_are_answered_and_never_sent(standin: StandIn, registry: Asked) -> None:
    malformed = ["NCT123", "nct99000001", "NCT99000001|NCT99000002", "", "NCT99000001\n", "NCT００００００１1"]

    answers = fetched(registry, [*malformed, nct(1)])

    assert reasons(answers) == dict.fromkeys(malformed, "malformed id")
    assert [request.ids for request in standin.requests] == [[nct(1)]]
    assert repr("NCT123") in answers["NCT123"].detail


def test_an_absent_id_is_asked_for_by_itself_before_it_is_believed(standin: StandIn, registry: Asked) -> None:
    answers = fetched(registry, [nct(1), nct(404)])

    assert reasons(answers) == {nct(404): "absent"}
    assert [request.path for request in standin.requests] == ["/api/v2/studies", f"/api/v2/studies/{nct(404)}"]


def test_a_record_that_the_batch_left_out_is_found_by_itself(standin: StandIn, registry: Asked) -> None:
    standin.fail(Fault.NO_STUDIES)
    whole = study(nct(2))

    answers = fetched(registry, [nct(2)])

    assert json.loads(answers[nct(2)].raw)["protocolSection"] == whole["protocolSection"]


def test_a_front_ends_404_page_is_no_absence(standin: StandIn, registry: Asked) -> None:
    standin.fail(Fault.NOT_FOUND_PAGE, path="/studies/")

    answers = fetched(registry, [nct(1), nct(404)])

    assert reasons(answers) == {nct(404): "not fetched"}


def test_one_record_that_cannot_be_asked_for_stops_nothing(standin: StandIn, registry: Asked) -> None:
    standin.fail(Fault.HTML_200, path=f"/studies/{nct(404)}")

    answers = fetched(registry, [nct(403), nct(404), nct(405), nct(1)])

    assert reasons(answers) == {nct(403): "absent", nct(404): "not fetched", nct(405): "absent"}


def test_records_that_fail_in_between_stop_nothing(standin: StandIn, registry: Asked) -> None:
    odd = [nct(number) for number in (401, 403, 405, 407)]
    standin.fail(Fault.HTML_200, path="/studies/", ids=odd)

    answers = fetched(registry, [nct(number) for number in range(400, 409)])

    assert [answer.reason for answer in answers.values()].count("absent") == 5


def test_records_that_fail_one_after_the_other_end_the_asking(standin: StandIn, registry: Asked) -> None:
    standin.fail(Fault.HTML_200, path="/studies/")

    answers = fetched(registry, [nct(number) for number in range(400, 440)])

    assert set(reasons(answers).values()) == {"not fetched"}
    assert len({request.path for request in standin.requests}) == 1 + 3


def test_another_record_than_asked_for_is_not_taken_for_it(standin: StandIn, registry: Asked) -> None:
    standin.publish("2026-03-26", {nct(5): study(nct(66))})

    answers = fetched(registry, [nct(4), nct(5)])

    assert reasons(answers) == {nct(5): "unreadable"}
    assert "gave the study NCT99000066" in answers[nct(5)].detail


def test_a_record_that_moved_to_another_host_is_not_followed(standin: StandIn, registry: Asked) -> None:
    standin.fail(Fault.REDIRECT, path=f"/studies/{nct(404)}")

    answers = fetched(registry, [nct(1), nct(404)])

    assert reasons(answers) == {nct(404): "not fetched"}
    assert "pointed elsewhere" in answers[nct(404)].detail


def test_more_absent_ids_than_can_be_are_not_believed(standin: StandIn, registry: Asked, monkeypatch) -> None:
    monkeypatch.setattr("snapshots.registries.ctgov.fetching._MOST_ALONE", 3)

    answers = fetched(registry, [nct(number) for number in range(500, 510)])

    assert sorted(reasons(answers).values()) == ["absent"] * 3 + ["not fetched"] * 7


def test_one_unreadable_study_among_twenty_leaves_the_others_alone(standin: StandIn, registry: Asked) -> None:
    standin.publish("2026-03-26", {nct(5): b'{"protocolSection":{"identificationModule":"?"},"hasResults":false}'})

    answers = fetched(registry, list(studies(20)))

    assert reasons(answers) == {nct(5): "unreadable"}
    assert sum(isinstance(answer, RawRecord) for answer in answers.values()) == 19


@pytest.mark.parametrize("raw", [b"null", b"[]", b'"text"', b"{}", b'{"protocolSection":{"identificationModule":{}}}'])
def test_a_study_of_any_other_shape_is_unreadable(standin: StandIn, registry: Asked, raw: bytes) -> None:
    standin.publish("2026-03-26", {nct(5): raw})

    assert reasons(fetched(registry, [nct(4), nct(5)])) == {nct(5): "unreadable"}


def test_a_study_with_broken_json_is_isolated_by_halving(standin: StandIn, registry: Asked) -> None:
    standin.publish("2026-03-26", {nct(5): b'{"protocolSection": oops}'})

    answers = fetched(registry, list(studies(20)))

    assert reasons(answers) == {nct(5): "unreadable"}
    assert "damaged JSON" in answers[nct(5)].detail


@pytest.mark.parametrize("fault", [Fault.BAD_REQUEST, Fault.SERVER_ERROR, Fault.GATEWAY_TIMEOUT])
def test_a_bad_id_is_isolated_by_halving(standin: StandIn, registry: Asked, fault: Fault) -> None:
    standin.fail(fault, ids=[nct(13)])

    answers = fetched(registry, list(studies(20)))

    assert reasons(answers) == {nct(13): "not fetched"}
    assert "record NCT99000013 and answered" in answers[nct(13)].detail
    assert len(standin.requests) < 25


def test_several_bad_ids_are_isolated_too(standin: StandIn, registry: Asked) -> None:
    bad = {nct(1), nct(9), nct(20)}
    standin.fail(Fault.BAD_REQUEST, ids=bad)

    assert set(reasons(fetched(registry, list(studies(20))))) == bad


def test_a_question_that_is_too_long_is_halved(standin: StandIn, registry: Asked) -> None:
    standin.fail(Fault.TOO_LONG, over=6)

    assert not reasons(fetched(registry, list(studies(20))))
    assert max(len(request.ids) for request in standin.requests) == 20
    assert not registry.pauses


def test_an_answer_that_is_too_big_is_asked_for_in_halves(standin: StandIn) -> None:
    standin.publish("2026-03-25", studies(16, title="x" * 10_000))
    with Asked(standin, max_bytes=50_000) as client:
        answers = fetched(client, list(studies(16)))

    assert not reasons(answers)
    assert [len(request.ids) for request in standin.requests] == [16, 8, 4, 4, 8, 4, 4]


# Merged records


def test_a_merged_id_is_answered_by_the_record_that_was_kept(standin: StandIn, registry: Asked) -> None:
    standin.merge(nct(2), nct(1))

    answer = fetched(registry, [nct(2)])[nct(2)]

    assert isinstance(answer, RawRecord)
    assert (answer.id, answer.asked) == (nct(1), nct(2))
    assert len(standin.requests) == 1


def test_both_ids_of_a_merged_record_are_answered(standin: StandIn, registry: Asked) -> None:
    standin.merge(nct(2), nct(1))
    answers = fetched(registry, [nct(1), nct(2), nct(3)])

    again = fetched(registry, [nct(1), nct(2), nct(3)], hashes(answers))

    assert {asked: answer.id for asked, answer in answers.items()} == {nct(1): nct(1), nct(2): nct(1), nct(3): nct(3)}
    assert set(again.values()) == {Unchanged(nct(1), nct(1)), Unchanged(nct(1), nct(2)), Unchanged(nct(3), nct(3))}


def test_a_merged_id_is_followed_where_the_search_does_not_find_it(standin: StandIn, registry: Asked) -> None:
    standin.merge(nct(2), nct(1))
    standin.fail(Fault.NO_STUDIES)

    answers = fetched(registry, [nct(2)])

    assert (answers[nct(2)].id, answers[nct(2)].asked) == (nct(1), nct(2))


def test_a_merge_of_a_merge_is_followed_by_itself(standin: StandIn, registry: Asked) -> None:
    standin.merge(nct(3), nct(2))
    standin.merge(nct(2), nct(1))
    record = standin.study(nct(1))
    del record["protocolSection"]["identificationModule"]["nctIdAliases"]
    standin.publish("2026-03-26", {nct(1): record})

    answers = fetched(registry, [nct(3), nct(4)])

    assert answers[nct(3)].id == nct(1)
    assert [request.path for request in standin.requests][1:] == [f"/api/v2/studies/{nct(n)}" for n in (3, 2, 1)]


def test_a_redirect_in_a_circle_ends(standin: StandIn, registry: Asked) -> None:
    standin.remove([nct(2)])
    standin.fail(Fault.REDIRECT_ITSELF, path=f"/studies/{nct(2)}")

    answers = fetched(registry, [nct(1), nct(2)])

    assert "from id to id without end" in answers[nct(2)].detail
    assert len(standin.requests) < 8


# Fields refused


@pytest.mark.parametrize("fault", [Fault.FIELDS_500, Fault.FIELDS_400])
def test_where_fields_are_refused_everything_works_without_them(
    standin: StandIn, registry: Asked, fault: Fault
) -> None:
    standin.fail(fault)
    registry.release()

    answers = fetched(registry, list(studies(20)))
    standin.requests.clear()
    standin.publish("2026-03-25", {nct(3): study(nct(3), title="Another Title")})
    again = fetched(registry, list(studies(20)), hashes(answers))

    assert not reasons(answers)
    assert [record for record, answer in again.items() if isinstance(answer, RawRecord)] == [nct(3)]
    assert ["fields" in request.query for request in standin.requests] == [False]


def test_without_fields_the_stamp_of_a_release_changes_nothing(standin: StandIn, registry: Asked) -> None:
    standin.fail(Fault.FIELDS_400)
    answers = fetched(registry, list(studies(20)))
    standin.publish("2026-03-26")

    again = fetched(registry, list(studies(20)), hashes(answers))

    assert b'"versionHolder":"2026-03-25"' in answers[nct(1)].raw
    assert {type(answer) for answer in again.values()} == {Unchanged}


def test_fields_are_tried_again_at_the_next_release(standin: StandIn, registry: Asked) -> None:
    standin.fail(Fault.FIELDS_400, times=1)
    registry.release()
    fetched(registry, [nct(1)])
    standin.requests.clear()

    registry.release()
    fetched(registry, [nct(1)])
    standin.publish("2026-03-26")
    registry.release()
    fetched(registry, [nct(1)])

    assert ["fields" in request.query for request in standin.requests if request.ids] == [False, True]


def test_the_same_content_with_and_without_fields_is_one_version(standin: StandIn, registry: Asked) -> None:
    with_fields = fetched(registry, [nct(1)])[nct(1)]
    standin.fail(Fault.FIELDS_400)
    without = fetched(registry, [nct(1)])[nct(1)]

    assert with_fields.raw != without.raw
    assert registry.content(with_fields.raw) == registry.content(without.raw)


# The release


def test_the_release_is_the_registrys_own_word(registry: Asked) -> None:
    release = registry.release()

    assert (release.registry, release.date, release.timestamp) == ("ctgov", "2026-03-25", "2026-03-25T09:00:05")


@pytest.mark.parametrize("fault", [Fault.WRONG_SHAPE, Fault.HTML_200, Fault.EMPTY, Fault.NOT_FOUND, Fault.CUT_JSON])
def test_a_release_that_is_no_release_is_an_error(standin: StandIn, registry: Asked, fault: Fault) -> None:
    standin.fail(fault)

    with pytest.raises(RegistryError, match="asked for its current release and"):
        registry.release()


def test_a_release_without_a_date_is_an_error(standin: StandIn, registry: Asked) -> None:
    standin.publish("soon")

    with pytest.raises(RegistryError, match=r"the time 'soonT09:00:05'"):
        registry.release()


# Searches


def test_a_search_gives_ids_page_by_page(standin: StandIn, registry: Asked, monkeypatch) -> None:
    monkeypatch.setattr("monitor.demo.catalogue._page_size", lambda query: 8)
    standin.publish("2026-03-25", {nct(3): study(nct(3), condition="Other")})

    found = list(registry.search({"query.cond": "imaginary fever", "filter.overallStatus": "RECRUITING"}))

    assert found == [record for record in studies(20) if record != nct(3)]
    assert {request.query["fields"] for request in standin.requests} == {"NCTId"}
    assert len(standin.requests) == 3


def test_a_search_asks_for_a_thousand_ids_at_a_time(standin: StandIn, registry: Asked) -> None:
    list(registry.search({"query.term": "fever"}))

    assert standin.requests[0].query["pageSize"] == "1000"


@pytest.mark.parametrize("name", ["query.colour", "fields", "pageSize", "QUERY.COND", "filter.overallstatus", ""])
def test_an_unknown_search_parameter_is_named_at_once(standin: StandIn, registry: Asked, name: str) -> None:
    with pytest.raises(ValueError, match="unknown search parameter") as refusal:
        registry.search({"query.cond": "fever", name: "x"})

    assert repr(name) in str(refusal.value)
    assert all(known in str(refusal.value) for known in SEARCH_PARAMETERS)
    assert not standin.requests


@pytest.mark.parametrize("query", [{}, {"query.cond": " "}])
def test_a_search_for_everything_is_refused(registry: Asked, query: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="at least one parameter"):
        registry.search(query)


def test_a_search_that_the_registry_refuses_says_why(registry: Asked) -> None:
    with pytest.raises(
        RegistryError, match=r"a search \(filter.overallStatus=BUSY\).*overallStatus`: `BUSY`"
    ) as refusal:
        list(registry.search({"filter.overallStatus": "BUSY"}))

    assert refusal.value.permanent


def test_a_token_that_dies_amid_a_search_is_an_error_that_passes(
    standin: StandIn, registry: Asked, monkeypatch
) -> None:
    monkeypatch.setattr("monitor.demo.catalogue._page_size", lambda query: 8)
    found = registry.search({"query.cond": "fever"})
    taken = iter(found)
    next(taken)
    standin.publish("2026-03-26")

    with pytest.raises(RegistryError) as refusal:
        list(taken)

    assert not refusal.value.permanent


def test_a_search_whose_pages_do_not_end_is_an_error(standin: StandIn, registry: Asked) -> None:
    standin.fail(Fault.REPEATED_PAGE)

    with pytest.raises(RegistryError, match="leads back"):
        list(registry.search({"query.cond": "fever"}))


def test_a_search_gives_no_id_twice(standin: StandIn, registry: Asked) -> None:
    standin.publish("2026-03-25", {nct(1): study(nct(2))})

    assert list(registry.search({"query.cond": "fever"})) == list(studies(20))[1:]


def test_a_search_that_finds_something_without_an_id_is_an_error(standin: StandIn, registry: Asked) -> None:
    standin.publish("2026-03-25", {nct(1): study("EUCTR 7")})

    with pytest.raises(RegistryError, match=r"a study that has no id .*EUCTR 7"):
        list(registry.search({"query.cond": "fever"}))


def test_a_search_survives_refused_fields(standin: StandIn, registry: Asked) -> None:
    standin.fail(Fault.FIELDS_500)

    assert list(registry.search({"query.cond": "fever"})) == list(studies(20))


# Addresses


def test_a_record_is_read_at_the_registry(registry: Asked) -> None:
    assert registry.url(nct(1)) == "https://clinicaltrials.gov/study/NCT99000001"


@pytest.mark.parametrize(
    "address", ["clinicaltrials.gov", "ftp://clinicaltrials.gov", "https://", "file:///etc/hosts", ""]
)
def test_only_an_http_address_is_a_registry(address: str, standin: StandIn) -> None:
    class Elsewhere:
        url = address

    with pytest.raises(ValueError, match="not an http or https address"):
        Asked(Elsewhere())  # type: ignore[arg-type]


def test_a_proxy_of_the_environment_is_not_used_towards_this_machine(standin: StandIn, monkeypatch: Any) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    standin.publish("2026-03-25", studies(1))

    with Asked(standin) as client:
        assert client.release().date == "2026-03-25"


@pytest.mark.real_records
def test_real_records_are_fetched_once_and_then_only_where_they_change(standin: StandIn, real_releases) -> None:
    date, records = real_releases[0]
    standin.publish(date, records)
    with Asked(standin, batch_size=50) as client:
        known = hashes(fetched(client, sorted(records)))
        date, records_later = real_releases[1]
        standin.publish(date, records_later)
        again = fetched(client, sorted(records), known)

    changed = {record for record, answer in again.items() if isinstance(answer, RawRecord)}
    assert changed == {r for r in records_later if r in records and content(records_later[r]) != content(records[r])}


def content(raw: Any) -> bytes:
    from snapshots.registries.ctgov.fields import content as of

    return of(raw)
