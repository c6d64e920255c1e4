"""What the client makes of each way in which a registry fails: verdict, further attempts, bounds of time and memory."""

import socket
import time
import tracemalloc
from itertools import pairwise
from typing import Any

import pytest

from monitor.demo.faults import Answer
from monitor.demo.standin import Fault, StandIn
from snapshots.registries.ctgov.answers import Patience, Trouble
from snapshots.registries.ctgov.wire import Timeouts
from snapshots.registry import NotAnswered, RegistryError
from tests.registries import Asked, nct, studies

BATCH = list(studies(2))

# fault, trouble, permanent, attempts at one question, words of the message
VERDICTS = [
    (Fault.HTML_200, Trouble.NOT_DATA, False, 4, "an HTML page (“Down for maintenance”)"),
    (Fault.EMPTY, Trouble.NOT_DATA, False, 4, "answered with nothing"),
    (Fault.CUT, Trouble.GARBLED, False, 4, "cut short"),
    (Fault.CUT_JSON, Trouble.GARBLED, False, 4, "damaged JSON"),
    (Fault.CUT_GZIP, Trouble.GARBLED, False, 4, "gzip that was cut short"),
    (Fault.GARBAGE, Trouble.NOT_DATA, False, 4, "not JSON"),
    (Fault.FALSE_CODING, Trouble.NOT_DATA, False, 4, "should be gzip and is not"),
    (Fault.FOREIGN_CODING, Trouble.NOT_DATA, False, 4, "content coding that was not asked for (br)"),
    (Fault.WRONG_SHAPE, Trouble.WRONG_SHAPE, False, 4, "JSON of another shape"),
    (Fault.WRONG_STUDIES, Trouble.WRONG_SHAPE, False, 4, "JSON of another shape"),
    (Fault.BOMB, Trouble.TOO_BIG, False, 1, "more than 2 MB"),
    (Fault.BAD_REQUEST, Trouble.BAD_REQUEST, True, 1, "400 Bad Request: “Parameter `filter.ids` is not what"),
    (Fault.FORBIDDEN, Trouble.FORBIDDEN, True, 1, "403 Forbidden, which can be due to the user agent"),
    (Fault.TOO_LONG, Trouble.TOO_LONG, True, 1, "answered 414"),
    (Fault.TOO_FAST, Trouble.TOO_FAST, False, 4, "429 Too Many Requests"),
    (Fault.TOO_FAST_SECONDS, Trouble.TOO_FAST, False, 4, "429 Too Many Requests"),
    (Fault.TOO_FAST_DATE, Trouble.TOO_FAST, False, 4, "429 Too Many Requests"),
    (Fault.TOO_FAST_LONG, Trouble.TOO_FAST, False, 1, "429 Too Many Requests"),
    (Fault.BAD_GATEWAY, Trouble.SERVER, False, 4, "502 Bad Gateway: an HTML page (“Bad gateway”)"),
    (Fault.UNAVAILABLE, Trouble.SERVER, False, 4, "503 Service Unavailable"),
    (Fault.UNAVAILABLE_SECONDS, Trouble.SERVER, False, 4, "503 Service Unavailable"),
    (Fault.GATEWAY_TIMEOUT, Trouble.SERVER, False, 4, "504 Gateway Timeout"),
    (Fault.SERVER_ERROR, Trouble.SERVER, False, 4, "500 Internal Server Error: “something went wrong”"),
    (Fault.NOT_FOUND, Trouble.ABSENT, True, 1, "404 Not Found: “no such thing”"),
    (Fault.NOT_FOUND_PAGE, Trouble.NOT_DATA, False, 4, "404 Not Found: an HTML page (“Lost”)"),
    (Fault.RESET, Trouble.UNREACHABLE, False, 4, "could not be reached at http://127.0.0.1"),
    (Fault.CLOSED, Trouble.UNREACHABLE, False, 4, "could not be reached"),
    (Fault.NOT_HTTP, Trouble.UNREACHABLE, False, 4, "could not be reached"),
    (Fault.STALL, Trouble.UNREACHABLE, False, 4, "said nothing for 0.25 s"),
    (Fault.DRIP, Trouble.TOO_SLOW, False, 1, "had not answered in full after 0.25 s"),
    (Fault.DRIP_HEADERS, Trouble.TOO_SLOW, False, 1, "had not answered in full after 0.25 s"),
    (Fault.ENDLESS, Trouble.TOO_BIG, False, 1, "more than 2 MB"),
    (Fault.ENDLESS_GZIP, Trouble.TOO_BIG, False, 1, "more than 2 MB"),
    (Fault.REDIRECT, Trouble.REDIRECTED, True, 1, "pointed elsewhere (301 to http://registry.example.org/studies"),
    (Fault.REDIRECT_ITSELF, Trouble.REDIRECTED, True, 1, "pointed elsewhere (301 to /api/v2/"),
]
PAGE_TROUBLE = {
    Fault.FIELDS_500,
    Fault.FIELDS_400,
    Fault.NO_STUDIES,
    Fault.EMPTY_PAGE,
    Fault.OUTDATED_PAGE,
    Fault.REPEATED_PAGE,
    Fault.ENDLESS_PAGES,
}

HANGING = 20
"""Seconds: far more than any limit that is tried here, far less than for ever."""


@pytest.fixture
def registry(standin: StandIn):
    standin.publish("2026-03-25", studies(20))
    with Asked(standin, timeouts=Timeouts(connect=2, read=0.5, total=5), max_bytes=2_000_000) as client:
        yield client


def test_every_fault_is_tried() -> None:
    assert {fault for fault, *_ in VERDICTS} | PAGE_TROUBLE == set(Fault)


@pytest.mark.parametrize(("fault", "trouble", "permanent", "attempts", "words"), VERDICTS)
def test_each_fault_has_its_verdict_and_its_attempts(
    standin: StandIn, fault: Fault, trouble: Trouble, permanent: bool, attempts: int, words: str
) -> None:
    standin.publish("2026-03-25", studies(2))
    standin.fail(fault)
    timeouts = Timeouts(
        connect=2, read=0.25 if fault is Fault.STALL else 5, total=0.25 if trouble is Trouble.TOO_SLOW else 10
    )

    with Asked(standin, timeouts=timeouts, max_bytes=2_000_000) as client, pytest.raises(RegistryError) as refusal:
        list(client.search({"query.cond": "fever"}))

    error = refusal.value
    assert (error.trouble, error.permanent) == (trouble, permanent)
    assert words in str(error)
    assert str(error).startswith("ClinicalTrials.gov was asked for a search (query.cond=fever) and ")
    # 500 can be due to the list of fields, so it is followed by one question without it
    assert len(standin.requests) == attempts + (fault is Fault.SERVER_ERROR)
    assert len(client.pauses) == attempts - 1
    assert client.turn.granted == len(standin.requests)


@pytest.mark.parametrize("fault", [fault for fault, _, permanent, attempts, _ in VERDICTS if attempts > 1])
def test_what_passes_is_overcome(standin: StandIn, registry: Asked, fault: Fault) -> None:
    standin.fail(fault, times=2)

    answers = list(registry.fetch(BATCH, {}))

    assert [answer.id for answer in answers] == BATCH
    assert not any(isinstance(answer, NotAnswered) for answer in answers)
    assert len(standin.requests) == 3


def test_pauses_grow(standin: StandIn, registry: Asked) -> None:
    standin.fail(Fault.UNAVAILABLE, times=3)

    registry.release()

    assert [low <= pause <= high for pause, low, high in zip(registry.pauses, (1, 2, 4), (3, 6, 12), strict=True)]


@pytest.mark.parametrize("fault", [Fault.TOO_FAST_SECONDS, Fault.TOO_FAST_DATE, Fault.UNAVAILABLE_SECONDS])
def test_retry_after_is_waited_for(standin: StandIn, registry: Asked, fault: Fault) -> None:
    standin.fail(fault, times=2)

    registry.release()

    assert len(registry.pauses) == 2
    assert all(5 < pause < 8.1 for pause in registry.pauses)


def test_a_long_retry_after_is_told_and_not_waited_for(standin: StandIn, registry: Asked) -> None:
    standin.fail(Fault.TOO_FAST_LONG)

    with pytest.raises(RegistryError) as refusal:
        registry.release()

    assert refusal.value.retry_after == 3600
    assert not registry.pauses


def test_the_turn_is_given_back_before_a_pause(standin: StandIn) -> None:
    standin.publish("2026-03-25", studies(1))
    standin.fail(Fault.UNAVAILABLE, times=1)
    with Asked(standin) as client:
        free: list[bool] = []
        client._asking._sleep = lambda _seconds: free.append(not client.turn._taken)
        client.release()

    assert free == [True]


def test_attempts_are_a_setting(standin: StandIn) -> None:
    standin.fail(Fault.UNAVAILABLE)
    with Asked(standin, patience=Patience(attempts=2)) as client, pytest.raises(RegistryError):
        client.release()

    assert len(standin.requests) == 2


# What an outage does to a pass over many records


@pytest.mark.parametrize("fault", [Fault.UNAVAILABLE, Fault.HTML_200, Fault.BAD_REQUEST, Fault.FORBIDDEN, Fault.RESET])
def test_where_nothing_can_be_asked_the_pass_fails(standin: StandIn, registry: Asked, fault: Fault) -> None:
    standin.fail(fault)

    with pytest.raises(RegistryError, match="asked for 20 records"):
        list(registry.fetch(list(studies(20)), {}))

    assert len(standin.requests) < 25


@pytest.mark.parametrize("fault", [Fault.UNAVAILABLE, Fault.HTML_200, Fault.FORBIDDEN, Fault.RESET, Fault.TOO_FAST])
def test_an_outage_in_the_middle_leaves_the_rest_not_fetched(standin: StandIn, fault: Fault) -> None:
    standin.publish("2026-03-25", studies(20))
    with Asked(standin, batch_size=4) as client:
        answers = client.fetch(list(studies(20)), {})
        first = [next(answers) for _ in range(4)]
        standin.fail(fault)
        rest = list(answers)

    assert [answer.id for answer in (*first, *rest)] == list(studies(20))
    assert {answer.reason for answer in rest} == {"not fetched"}
    assert all("ClinicalTrials.gov was asked for" in answer.detail for answer in rest)


def test_one_bad_batch_does_not_hide_the_others(standin: StandIn) -> None:
    standin.publish("2026-03-25", studies(20))
    standin.fail(Fault.HTML_200, ids=[nct(6)])
    with Asked(standin, batch_size=4) as client:
        answers = list(client.fetch(list(studies(20)), {}))

    assert [answer.id for answer in answers if isinstance(answer, NotAnswered)] == [nct(n) for n in (5, 6, 7, 8)]


def test_a_registry_that_is_not_there_is_an_error_with_its_address() -> None:
    with StandIn() as gone:
        pass
    with Asked(gone) as client, pytest.raises(RegistryError, match=r"could not be reached at http://127.0.0.1:\d+ \("):
        client.release()


# Time and memory


@pytest.mark.parametrize("fault", [Fault.DRIP, Fault.DRIP_HEADERS, Fault.STALL, Fault.ENDLESS, Fault.ENDLESS_GZIP])
def test_no_answer_takes_longer_than_its_time(standin: StandIn, fault: Fault) -> None:
    standin.publish("2026-03-25", studies(1))
    standin.fail(fault)
    timeouts = Timeouts(connect=2, read=0.5, total=0.5)
    with Asked(standin, timeouts=timeouts, max_bytes=10**12, patience=Patience(attempts=1)) as client:
        began = time.monotonic()
        with pytest.raises(RegistryError):
            client.release()

    assert time.monotonic() - began < HANGING


def test_the_time_holds_on_a_connection_that_was_used_before(standin: StandIn) -> None:
    standin.publish("2026-03-25")
    with Asked(standin, timeouts=Timeouts(connect=2, read=5, total=0.5), patience=Patience(attempts=1)) as client:
        client.release()
        standin.fail(Fault.DRIP_HEADERS, times=1)
        began = time.monotonic()
        with pytest.raises(RegistryError, match="in full"):
            client.release()
        assert time.monotonic() - began < HANGING
        assert client.release().date == "2026-03-25"


def test_the_time_holds_where_it_is_over_before_there_is_a_connection(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo

    def slowly(*given: Any, **named: Any) -> Any:
        time.sleep(0.5)
        return look_up(*given, **named)

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    standin.fail(Fault.DRIP)
    with Asked(standin, timeouts=Timeouts(connect=2, read=5, total=0.3), patience=Patience(attempts=1)) as client:
        began = time.monotonic()
        with pytest.raises(RegistryError, match="in full"):
            client.release()

    assert time.monotonic() - began < HANGING


@pytest.mark.parametrize("fault", [Fault.BOMB, Fault.ENDLESS, Fault.ENDLESS_GZIP])
def test_no_answer_takes_more_memory_than_allowed(standin: StandIn, fault: Fault) -> None:
    standin.fail(fault)
    with Asked(standin, max_bytes=8_000_000, patience=Patience(attempts=1)) as client:
        tracemalloc.start()
        with pytest.raises(RegistryError, match="more than 8 MB"):
            client.release()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert peak < 24_000_000


def test_only_the_beginning_of_a_refusal_is_read(standin: StandIn, registry: Asked, monkeypatch) -> None:
    long = b"<html><title>Denied</title>" + b"x" * 50_000_000
    monkeypatch.setattr("monitor.demo.faults._ANSWERS", {Fault.FORBIDDEN: lambda *_: Answer(403, long)})
    standin.fail(Fault.FORBIDDEN)

    with pytest.raises(RegistryError, match="Denied"):
        registry.release()


def test_turns_never_overlap_and_each_question_takes_one(standin: StandIn, registry: Asked) -> None:
    standin.fail(Fault.SERVER_ERROR, ids=[nct(3)])
    list(registry.fetch([*studies(20), nct(404)], {}))

    assert registry.turn.granted == len(standin.requests)
    assert all(before.at <= after.at for before, after in pairwise(standin.requests))
