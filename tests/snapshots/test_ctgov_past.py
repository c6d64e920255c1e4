"""Past versions: what the history interface answers, and that its texts read and compare like those of API v2."""

import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.demo.past import as_past, escaped, html_of
from snapshots.canonical import same_text
from snapshots.registries.ctgov import past
from snapshots.registries.ctgov.answers import AnswerError, Trouble
from snapshots.registries.ctgov.markup import plain, unwrap
from snapshots.registries.ctgov.parse import parse
from snapshots.registry import PastVersion
from snapshots.rules import changes_between
from tests.registries import REAL_RELEASES, nct
from tests.snapshots.past_cast import CRITERIA, SUMMARY, version
from tests.snapshots.whole_record import with_results

Json = Any

HISTORIES = REAL_RELEASES.parent / "history"


def wrapped(study: Json, number: int = 0) -> bytes:
    return msgspec.json.encode({"studyVersion": number, "study": as_past(study)})


# --- the answers ------------------------------------------------------------------------------------------------------


def test_versions_are_listed_by_the_registrys_count_whatever_their_order() -> None:
    lines = [{"version": 1, "date": "2020-02-02", "status": "RECRUITING"}, {"version": 0, "date": "2020-01-01"}]

    listed = past.versions(msgspec.json.encode({"changes": lines, "new": 1}), "it")

    assert listed == (PastVersion(0, "2020-01-01"), PastVersion(1, "2020-02-02", "RECRUITING"))


@pytest.mark.parametrize(
    ("body", "trouble"),
    [
        (b'{"changes":[]}', Trouble.WRONG_SHAPE),
        (b"{}", Trouble.WRONG_SHAPE),
        (b"[]", Trouble.WRONG_SHAPE),
        (b'{"changes":[{"version":"one","date":"2020-01-01"}]}', Trouble.WRONG_SHAPE),
        (b'{"changes":[{"version":1}]}', Trouble.WRONG_SHAPE),
        (b'{"history":{}}', Trouble.WRONG_SHAPE),
        (b'{"changes":[{"version":-1,"date":"2020-01-01"}]}', Trouble.WRONG_SHAPE),
        (b'{"changes":[{"version":99999999999999999999,"date":"2020-01-01"}]}', Trouble.WRONG_SHAPE),
        (b'{"changes":[{"version":1,"date":"next spring"}]}', Trouble.WRONG_SHAPE),
        (
            b'{"changes":[' + b'{"version":1,"date":"2020-01-01"},' * 10_000 + b'{"version":1,"date":"2020-01-01"}]}',
            Trouble.WRONG_SHAPE,
        ),
        (b'{"changes":[', Trouble.GARBLED),
        (b'"\xff"x', Trouble.WRONG_SHAPE),
    ],
)
def test_a_list_of_another_shape_is_named_as_such(body: bytes, trouble: Trouble) -> None:
    with pytest.raises(AnswerError, match=r"^ClinicalTrials\.gov was asked for it and answered with ") as refusal:
        past.versions(body, "it")

    assert refusal.value.trouble is trouble
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "answer",
    [
        {"studyVersion": 2, "study": version(1)},
        {"studyVersion": 1, "study": version(1, record=nct(2))},
        {"studyVersion": 1, "study": {"protocolSection": {}}},
        {"studyVersion": 1, "study": None},
        {"study": version(1)},
        version(1),
    ],
    ids=["another version", "another record", "no id", "no study", "no number", "not wrapped"],
)
def test_what_is_not_the_version_that_was_asked_for_is_refused(answer: Json) -> None:
    with pytest.raises(AnswerError) as refusal:
        past.version(msgspec.json.encode(answer), nct(1), 1, "it")

    assert refusal.value.trouble is Trouble.WRONG_SHAPE


def test_a_version_is_given_back_byte_for_byte() -> None:
    raw = wrapped(version(1), 1)

    assert past.version(b" \n" + raw + b"\n", nct(1), 1, "it") == raw


# --- the texts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("5 &lt; 6 &amp; 7 &#x2F; 8 &#39;9&#39; &gt;10", "5 < 6 & 7 / 8 '9' >10"),
        ("<p>One.</p><p>Two.</p>", "One.\n\nTwo."),
        ("<p>One.</p>\n\n\n<p>Two.</p>\n", "One.\n\nTwo."),
        ("<ul><li>One</li><li>Two</li></ul>", "* One\n* Two"),
        ("<ol><li>One<ul><li>A</li></ul></li><li>Two</li></ol><p>End</p>", "1. One\n  * A\n2. Two\n\nEnd"),
        ("One<br>Two<br/>Three", "One\nTwo\nThree"),
        ('A <mark class="hit">Study</mark> of 10<sup>9</sup>/L', "A Study of 10^9/L"),
        ("p <0.05 and n> 3", "p <0.05 and n> 3"),
        ("https://example.org/?a=1&copy=2&amp;b", "https://example.org/?a=1&copy=2&b"),
        ("</ul></li><li>alone", "* alone"),
        ("", ""),
    ],
)
def test_html_reads_as_plain_text(html: str, text: str) -> None:
    assert plain(html) == text


def test_a_text_that_opens_lists_without_end_stays_small() -> None:
    assert len(plain("<ul>" * 10_000 + "<li>a" * 10_000)) < 300_000


@given(st.text())
def test_any_text_survives_being_a_past_one(text: str) -> None:
    assert plain(escaped(text)) == text


@pytest.mark.parametrize("text", [CRITERIA, SUMMARY])
def test_markdown_as_html_says_the_same(text: str) -> None:
    assert "<li>" in html_of(text)
    assert same_text(plain(html_of(text)), text)


@given(
    st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
)
def test_any_shape_is_unwrapped(value: Json) -> None:
    study = {"a": json.loads(json.dumps(value))}

    unwrap(study)

    assert msgspec.json.encode(study)


@pytest.mark.parametrize("study", [version(3), with_results()], ids=["registered", "with results"])
def test_a_past_version_and_the_present_one_of_the_same_content_tell_no_change(study: Json) -> None:
    before, now = parse(wrapped(study)), parse(msgspec.json.encode(study))

    assert b"&#x2F;" in wrapped(study)
    assert changes_between(before, now) == ()
    assert changes_between(now, before) == ()


def test_what_history_never_carries_is_unknown_and_not_gone() -> None:
    before = parse(wrapped(version(3)))

    assert {"submission_events", "fda_notices"} <= before.unknown


# --- as recorded ------------------------------------------------------------------------------------------------------


def recording(name: str) -> bytes:
    path: Path = HISTORIES / name
    if not path.exists():
        pytest.skip(f"the recorded history is not here ({path})")
    return path.read_bytes()


@pytest.mark.real_records
def test_the_recorded_list_is_read() -> None:
    listed = past.versions(recording("NCT03690141__history_true.json"), "it")

    assert [each.number for each in listed] == list(range(10))
    assert (listed[0].date, listed[-1].status) == ("2018-09-27", "COMPLETED")


@pytest.mark.real_records
def test_the_recorded_version_is_read_without_a_trace_of_html() -> None:
    raw = past.version(recording("NCT04280705__history__0.json"), "NCT04280705", 0, "it")

    trial = parse(raw)

    assert trial.overall_status == "NOT_YET_RECRUITING"
    assert trial.eligibility_criteria is not None
    assert not any(sign in trial.eligibility_criteria for sign in ("<p>", "<li>", "&#x2F;", "&gt;"))


def newest_records() -> Iterator[bytes]:
    newest: dict[str, bytes] = {}
    with lzma.open(REAL_RELEASES, "rb") as lines:
        for line in lines:
            row = msgspec.json.decode(line, type=_Row)
            newest[row.nct] = bytes(row.study)
    yield from [raw for raw in newest.values() if len(raw) < 60_000][::4]


class _Row(msgspec.Struct):
    nct: str
    study: msgspec.Raw


@pytest.mark.real_records
def test_no_recorded_record_tells_a_change_against_its_own_past_form() -> None:
    if not REAL_RELEASES.exists():
        pytest.skip(f"the recorded releases are not here ({REAL_RELEASES})")
    recorded = list(newest_records())

    told = [
        change.summary
        for raw in recorded
        for change in changes_between(parse(wrapped(msgspec.json.decode(raw))), parse(raw))
    ]

    assert told == []
    assert len(recorded) > 100
