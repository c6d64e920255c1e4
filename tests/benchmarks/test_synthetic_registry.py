"""Are the invented records distributed as real ones are, and do they come again just the same?"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import httpx2
import msgspec
import pytest

from monitor.demo.standin import StandIn
from snapshots.archive import codec
from snapshots.registries.ctgov.ids import is_id
from snapshots.registries.ctgov.parse import parse
from snapshots.rules import changes_between
from tests.benchmarks.synthetic import releases, shapes, storing
from tests.benchmarks.synthetic.studies import MOST, Studies, record_id
from tests.benchmarks.synthetic.wording import Wording

SOME = 1_000
PAGE = "/api/v2/studies"


@pytest.fixture(scope="module")
def wording() -> Wording:
    return storing.worded()[1]


@pytest.fixture(scope="module")
def studies() -> Studies:
    return storing.worded()[0]


@pytest.fixture(scope="module")
def raws(studies: Studies) -> Sequence[bytes]:
    return [msgspec.json.encode(studies.study(nth)) for nth in range(SOME)]


def of_all(count: int = 100_000) -> list[shapes.Shape]:
    return [shapes.shape(nth) for nth in range(count)]


def test_sizes_lie_as_those_of_real_records_do(raws: Sequence[bytes]) -> None:
    sizes = sorted(map(len, raws))

    assert 10_500 < sizes[SOME // 2] < 12_500  # the recorded: 11.6 KB
    assert 17_000 < sum(sizes) / SOME < 20_600  # the registry: 17.3 KB, the recorded: 20.5 KB
    assert sizes[SOME // 100] < 4_500
    assert sizes[-SOME // 100] > 100_000


def test_the_largest_of_many_have_the_size_of_the_largest_real_ones(studies: Studies) -> None:
    found = of_all()
    largest = max(range(len(found)), key=lambda nth: found[nth].results)

    assert 1_100_000 < len(msgspec.json.encode(studies.study(largest))) < 3_600_000


def test_locations_lie_as_those_of_real_records_do() -> None:
    sites = [shape.sites for shape in of_all()]

    assert 0.58 < sites.count(1) / len(sites) < 0.63
    assert 0.08 < sites.count(0) / len(sites) < 0.11
    assert 400 < max(sites) <= 460


def test_statuses_and_results_have_the_shares_of_the_registry() -> None:
    found = of_all()
    statuses = Counter(shape.status for shape in found)

    for status, share in shapes.STATUSES.items():
        assert statuses[status] / len(found) == pytest.approx(share, abs=0.005)
    assert sum(shape.results > 0 for shape in found) / len(found) == pytest.approx(shapes.HAVE_RESULTS, abs=0.01)


@pytest.mark.parametrize(("many", "most"), [(1_000, 1.25), (10_000, 1.05)])
def test_any_so_many_records_are_about_as_large_as_any_others(many: int, most: float) -> None:
    found = of_all(50_000)
    means = [sum(shape.prose + shape.results + 200 * shape.sites for shape in found[at : at + many]) / many
             for at in range(0, 50_000, many)]  # fmt: skip

    assert max(means) < most * min(means)


def test_records_compress_no_better_than_real_ones(raws: Sequence[bytes]) -> None:
    """So that what the archive takes for them is no flattering figure: real ones compress to a quarter."""
    packed = sum(len(codec.encode(raw, None)) for raw in raws)

    assert 2.5 < sum(map(len, raws)) / packed < 4.1


def test_no_two_records_share_a_text_and_a_dictionary_finds_no_more_in_them_than_in_real_ones(
    raws: Sequence[bytes],
) -> None:
    """Pieces of the corpus recur, but an archive has little of it; by a dictionary real ones shrink to two thirds."""
    summaries = [_summary(raw) for raw in raws]
    sample = raws[500:700]
    common = codec.opened(codec.train(raws[:500], 112_640))
    alone, by_dictionary = (sum(len(codec.encode(raw, None, given)) for raw in sample) for given in (None, common))

    assert len(set(summaries)) == len(summaries)
    assert 0.55 < by_dictionary / alone < 0.8


def _summary(raw: bytes) -> str:
    return str(msgspec.json.decode(raw)["protocolSection"]["descriptionModule"]["briefSummary"])


def test_a_record_is_the_same_at_every_call_and_is_read_as_a_trial(raws: Sequence[bytes], wording: Wording) -> None:
    again = Studies(wording)

    for nth in (999, 500, 7, 0):
        assert msgspec.json.encode(again.study(nth)) == raws[nth]
        trial = parse(raws[nth])
        assert (trial.id, len(trial.sites)) == (record_id(nth), shapes.shape(nth).sites)


def test_every_record_has_an_invented_id_of_its_own() -> None:
    assert record_id(0) == "NCT99000000"
    assert is_id(record_id(MOST - 1))
    assert record_id(MOST - 1).startswith("NCT99")


def test_the_next_release_changes_a_quarter_of_a_percent_in_ways_that_are_told(
    studies: Studies, wording: Wording
) -> None:
    count = 40_000
    found = releases.difference(studies, wording, count)
    old = {record: parse(msgspec.json.encode(studies.study(int(record[3:]) - 99_000_000))) for record in found.studies}
    untold = [record for record, raw in found.studies.items()
              if record not in found.new and not changes_between(old[record], parse(raw))]  # fmt: skip

    assert found.changed == count * releases.CHANGED
    assert sum(found.kinds.values()) == found.changed
    assert len(found.kinds) > 8
    assert (len(found.new), len(found.gone)) == (10, 2)
    assert not set(found.gone) & set(found.studies)
    assert len(untold) < 0.2 * found.changed  # those whose dates of verification alone are new


def test_a_folder_of_records_is_served_page_by_page_and_by_id(
    tmp_path: Path, studies: Studies, wording: Wording, raws: Sequence[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "IN_A_FILE", 120)
    monkeypatch.setattr(storing, "worded", lambda: (studies, wording))
    for first in (0, 120):
        storing._write_some(tmp_path, first, 120)
    with StandIn(catalogue=storing.StoredCatalogue(tmp_path)) as standin, httpx2.Client(trust_env=False) as client:
        standin.publish("2026-03-02")
        pages = _walked(client, standin.url)
        lines = [line.rstrip(b",") for page in pages for line in page.split(b"\n") if line.startswith(b'{"protocol')]
        by_id = client.get(standin.url + PAGE, params={"filter.ids": "NCT99000003,NCT99000200,NCT99000999"}).json()
        alone = client.get(f"{standin.url}{PAGE}/NCT99000130").content

        next_one = releases.difference(studies, wording, 240)
        standin.publish("2026-03-03", next_one.studies)
        standin.remove(next_one.gone)
        later = [line for page in _walked(client, standin.url) for line in page.split(b"\n")]

    assert lines == list(raws[:240])
    assert alone == raws[130]
    assert [study["protocolSection"]["identificationModule"]["nctId"] for study in by_id["studies"]] == [
        "NCT99000003",
        "NCT99000200",
    ]
    assert msgspec.json.decode(pages[0])["totalCount"] == 240
    assert sum(line.startswith(b'{"protocol') for line in later) == 240 + 1 - 1
    assert {line.rstrip(b",") for line in later} >= set(next_one.studies.values())


def _walked(client: httpx2.Client, url: str) -> list[bytes]:
    params = {"pageSize": "100", "countTotal": "true", "fields": "protocolSection|resultsSection|hasResults"}
    found = []
    while True:
        answer = client.get(url + PAGE, params=params)
        found.append(answer.content)
        token = answer.json().get("nextPageToken")
        if token is None:
            return found
        params["pageToken"] = token
