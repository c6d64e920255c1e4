"""The comparison with other programs compares what it says it does; it needs none of them for that."""

import json

import pytest

from snapshots.registries.ctgov.parse import parse
from snapshots.rules import changes_between
from tests.benchmarks import peer_programs, peer_releases, peers
from tests.benchmarks.peer_programs import Told
from tests.benchmarks.peer_releases import QUOTED, Releases

COUNT = 60


@pytest.fixture(scope="module")
def given() -> Releases:
    return peer_releases.releases(COUNT)


def outcome(given: Releases, cpu: float, told: set[str]) -> peers.Outcome:
    second = Told(wall=cpu, cpu=cpu, looked_at=COUNT, said=dict.fromkeys(told, "said"))
    return peers._outcome(given, Told(1, 1, COUNT, {}), second, (1000, 2000))


def test_what_is_called_changed_says_something_new_and_the_rest_does_not(given: Releases) -> None:
    said = {
        each: changes_between(parse(json.dumps(given.first[each]).encode()), parse(json.dumps(study).encode()))
        for each, study in given.second.items()
    }

    assert {each for each, changes in said.items() if changes} == given.changed
    assert set(given.second) == given.changed | given.reordered
    assert len(given.changed) == len(given.reordered) == COUNT // peer_releases.EVERY
    assert [change.kind for change in said[QUOTED]] == ["site.recruiting"]


def test_what_was_told_is_held_against_what_is_new(given: Releases) -> None:
    one = sorted(given.changed)[0]

    found = outcome(given, 2, {one, *given.reordered, "NCT99000001"})

    assert (found.right, found.missed) == (1, len(given.changed) - 1)
    assert (found.wrong, found.for_order) == (len(given.reordered) + 1, len(given.reordered))


def test_this_program_is_held_to_the_cheapest_of_the_others(given: Releases) -> None:
    told = set(given.changed)
    rows = peers._rows(COUNT, {peers.OWN: outcome(given, 2, told), "a": outcome(given, 3, told),
                               "b": outcome(given, 1, set())})  # fmt: skip

    assert [row.verdict for row in rows] == ["OVER", "", "", "ok", "", ""]
    assert rows[0].floor == 1
    assert rows[-1].value == len(given.changed)


def test_a_report_of_many_records_is_taken_apart() -> None:
    line = "-" * 75
    report = (
        f"{line}\nCHANGED: NCT99000001 (http://x/NCT99000001)\n{line}\n\n-old\n+new\n{line}\n\n\n"
        f"{line}\nERROR: NCT99000002 (http://x/NCT99000002)\n{line}\nno answer\n"
    )

    assert list(peer_programs._sections(report)) == ["NCT99000001"]


def test_markup_is_no_part_of_what_is_quoted() -> None:
    said = "<b>&#34;status&#34;</b>: RECRUITING of http://127.0.0.1:1/NCT99000000 at " + peer_releases.OPENED

    assert (
        peers._quoted(said)
        == f'`"status": RECRUITING of at {peer_releases.OPENED}` (0.1 KB in all, which names the site)'
    )
    assert peers._quoted("") == "not a word"
