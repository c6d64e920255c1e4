"""The verdict on every answer that is not data, and the pause before asking again."""

from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshots.registries.ctgov.answers import AnswerError, Patience, Received, Trouble, not_data, retry_after

NOW = datetime(2026, 3, 25, 9, 0, 5, tzinfo=UTC)
HTML = b"<!DOCTYPE html><html><head><title>Down for\n maintenance</title></head></html>"


def verdict(status: int, body: bytes = b"", **headers: str) -> AnswerError | None:
    return not_data(Received(status, {k.replace("_", "-"): v for k, v in headers.items()}, body), "5 records", NOW)


@pytest.mark.parametrize(
    ("status", "body", "trouble", "permanent"),
    [
        (200, b"", Trouble.NOT_DATA, False),
        (200, b" \n", Trouble.NOT_DATA, False),
        (200, HTML, Trouble.NOT_DATA, False),
        (200, b"\xff\xfe\x00", Trouble.NOT_DATA, False),
        (200, b"ok", Trouble.NOT_DATA, False),
        (200, b"nul", Trouble.NOT_DATA, False),
        (204, b"", Trouble.SERVER, False),
        (301, b"", Trouble.REDIRECTED, True),
        (302, b"", Trouble.REDIRECTED, True),
        (304, b"", Trouble.REDIRECTED, True),
        (308, b"", Trouble.REDIRECTED, True),
        (400, b"wrong", Trouble.BAD_REQUEST, True),
        (401, b"", Trouble.FORBIDDEN, True),
        (403, HTML, Trouble.FORBIDDEN, True),
        (404, b"no such study", Trouble.ABSENT, True),
        (404, b"", Trouble.ABSENT, True),
        (404, HTML, Trouble.NOT_DATA, False),
        (405, b"", Trouble.BAD_REQUEST, True),
        (408, b"", Trouble.SERVER, False),
        (410, b"", Trouble.BAD_REQUEST, True),
        (414, b"", Trouble.TOO_LONG, True),
        (418, b"", Trouble.BAD_REQUEST, True),
        (425, b"", Trouble.TOO_FAST, False),
        (429, b"", Trouble.TOO_FAST, False),
        (431, b"", Trouble.TOO_LONG, True),
        (500, b"", Trouble.SERVER, False),
        (502, HTML, Trouble.SERVER, False),
        (503, b"", Trouble.SERVER, False),
        (504, b"", Trouble.SERVER, False),
        (599, b"", Trouble.SERVER, False),
    ],
)
def test_every_status_has_its_verdict(status: int, body: bytes, trouble: Trouble, permanent: bool) -> None:
    error = verdict(status, body)

    assert error is not None
    assert (error.trouble, error.permanent) == (trouble, permanent)
    assert str(error).startswith("ClinicalTrials.gov was asked for 5 records and ")
    assert "\n" not in str(error)


def test_an_object_is_data_and_a_moved_record_is_no_trouble_yet() -> None:
    assert verdict(200, b' \n{"studies":[]}') is None
    assert verdict(200, b"[]") is None, "of another shape: that is for those to say who know the shape"
    assert verdict(301, location="/api/v2/studies/NCT99000001") is None


def test_the_registrys_own_words_are_shown_and_clipped() -> None:
    error = verdict(400, b"Item 1 in \x1b[31m`sort`\r\n is odd " + b"x" * 5000)

    assert error is not None
    assert "answered 400 Bad Request: “Item 1 in [31m`sort` is odd xxx" in str(error)
    assert len(str(error)) < 300


def test_a_page_is_named_by_its_title() -> None:
    assert "answered with an HTML page (“Down for maintenance”), not with data" in str(verdict(200, HTML))
    assert "502 Bad Gateway: an HTML page (“Down for maintenance”)" in str(verdict(502, HTML))
    assert "an HTML page, not" in str(verdict(200, b"<html><title> </title>"))


def test_a_refusal_hints_at_the_user_agent() -> None:
    assert "user agent" in str(verdict(403))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 120 ", 120.0),
        ("0", 0.0),
        ("9" * 400, 1e9),
        ("Wed, 25 Mar 2026 09:01:05 GMT", 60.0),
        ("Wed, 25 Mar 2026 09:01:05", 60.0),
        ("Wed, 25 Mar 2026 08:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


@given(st.text(max_size=60))
def test_any_retry_after_is_seconds_or_nothing(value: str) -> None:
    seconds = retry_after(value, NOW)

    assert seconds is None or seconds >= 0


@given(st.integers(200, 599), st.binary(max_size=300), st.booleans())
def test_any_answer_has_a_verdict_in_one_line(status: int, body: bytes, moved: bool) -> None:
    error = verdict(status, body, **({"location": "/x"} if moved else {}))

    assert error is None or (str(error).isprintable() and len(str(error)) < 500)


def error(trouble: Trouble, after: float | None = None) -> AnswerError:
    return AnswerError(trouble, "…", retry_after=after)


def test_pauses_double_with_jitter_and_end() -> None:
    patience = Patience(attempts=4, first=2)
    pauses = [patience.pause(error(Trouble.SERVER), attempt, Random(attempt)) for attempt in range(1, 6)]

    assert [low <= pause <= high for pause, (low, high) in zip(pauses, [(1, 3), (2, 6), (4, 12)], strict=False)] == [
        True
    ] * 3
    assert pauses[3:] == [None, None]


def test_jitter_spreads_those_who_failed_together() -> None:
    assert len({Patience().pause(error(Trouble.SERVER), 1, Random(seed)) for seed in range(20)}) == 20


def test_whoever_finds_nobody_can_give_up_sooner_than_who_gets_a_bad_answer() -> None:
    patience = Patience(unreached=2)

    assert patience.pause(error(Trouble.UNREACHABLE), 1, Random(1)) is not None
    assert patience.pause(error(Trouble.UNREACHABLE), 2, Random(1)) is None
    assert patience.pause(error(Trouble.SERVER), 2, Random(1)) is not None


def test_retry_after_is_honoured_up_to_what_we_are_ready_to_wait() -> None:
    patience = Patience(longest=120)

    assert 7 <= (patience.pause(error(Trouble.TOO_FAST, 7), 1, Random(1)) or 0) <= 8
    assert patience.pause(error(Trouble.TOO_FAST, 121), 1, Random(1)) is None


@pytest.mark.parametrize("trouble", [Trouble.BAD_REQUEST, Trouble.FORBIDDEN, Trouble.REDIRECTED, Trouble.TOO_BIG])
def test_what_cannot_pass_is_not_asked_again(trouble: Trouble) -> None:
    assert Patience().pause(error(trouble), 1, Random(1)) is None
