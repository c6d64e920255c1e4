"""Whole records page by page: each as it stands, from any place on, whatever the registry does meanwhile."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import pytest

from monitor.demo.standin import Fault, StandIn
from snapshots.registry import NotAnswered, RawRecord, RecordPage, RegistryError, StalePlaceError, Unchanged
from tests.registries import Asked, nct, studies, study

COUNT = 7
IDS = [nct(number) for number in range(1, COUNT + 1)]


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as registry:
        registry.publish("2026-03-02", studies(COUNT))
        yield registry


def nothing(_ids: Sequence[str]) -> Mapping[bytes, str]:
    return {}


def pages(
    registry: Asked, after: str | None = None, known: Callable[[Sequence[str]], Mapping[bytes, str]] = nothing
) -> list[tuple[list[Any], RecordPage]]:
    return [(list(page.answers), page) for page in registry.walk({}, known, after)]


def ids(taken: list[tuple[list[Any], RecordPage]]) -> list[str]:
    return [answer.id for answers, _ in taken for answer in answers]


def test_every_record_comes_as_it_stands_and_the_first_page_says_how_many(standin: StandIn) -> None:
    taken = pages(Asked(standin, page_size=3))

    assert ids(taken) == IDS
    assert [len(answers) for answers, _ in taken] == [3, 3, 1]
    assert [page.total for _, page in taken] == [COUNT, None, None]
    assert all(isinstance(answer, RawRecord) and answer.asked == answer.id for got, _ in taken for answer in got)


def test_what_is_stored_as_it_comes_is_unchanged_after_one_question_for_each_page(standin: StandIn) -> None:
    registry = Asked(standin, page_size=3)
    stored = {answer.raw_hash: answer.id for answers, _ in pages(registry) for answer in answers}
    asked: list[Sequence[str]] = []

    def known(of: Sequence[str]) -> Mapping[bytes, str]:
        asked.append(of)
        return stored

    standin.publish("2026-03-03", {IDS[4]: study(IDS[4], title="Another Title")})
    taken = [answer for answers, _ in pages(registry, known=known) for answer in answers]

    assert asked == [IDS[:3], IDS[3:6], IDS[6:]]
    assert [answer.id for answer in taken if not isinstance(answer, Unchanged)] == [IDS[4]]


def test_it_goes_on_from_any_page(standin: StandIn) -> None:
    places = [page.next for _, page in pages(Asked(standin, page_size=2))]

    rest = [ids(pages(Asked(standin, page_size=2), place)) for place in places[:-1]]

    assert rest == [IDS[2:], IDS[4:], IDS[6:]]
    assert places[-1] is None


def test_a_search_is_walked_by_its_filters(standin: StandIn) -> None:
    standin.publish("2026-03-02", {IDS[0]: study(IDS[0], status="COMPLETED")})
    registry = Asked(standin)

    found = [
        answer.id for page in registry.walk({"filter.overallStatus": "COMPLETED"}, nothing) for answer in page.answers
    ]

    assert found == [IDS[0]]
    assert registry.gives_records({"filter.overallStatus": "COMPLETED"})
    assert not registry.gives_records({"query.cond": "fever"})
    with pytest.raises(ValueError, match="pageSize"):
        registry.walk({"pageSize": "1"}, nothing)


# --- what a registry may do meanwhile -------------------------------------------------------------------------------


def test_a_page_that_is_too_large_comes_in_smaller_ones(standin: StandIn) -> None:
    taken = pages(Asked(standin, page_size=7, max_bytes=2500))

    assert ids(taken) == IDS
    assert len(taken) > 1


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.CUT_JSON, Fault.HTML_200, Fault.TOO_FAST, Fault.SERVER_ERROR])
def test_one_bad_answer_is_asked_for_again(standin: StandIn, fault: Fault) -> None:
    registry = Asked(standin, page_size=3)
    walk = registry.walk({}, nothing)
    first = [answer.id for answer in next(walk).answers]
    standin.fail(fault, times=1, path="/studies")

    assert first + [answer.id for page in walk for answer in page.answers] == IDS


@pytest.mark.parametrize("fault", [Fault.HTML_200, Fault.CUT, Fault.TOO_FAST, Fault.EMPTY, Fault.WRONG_SHAPE])
def test_a_registry_that_stays_ill_ends_the_walk(standin: StandIn, fault: Fault) -> None:
    registry = Asked(standin, page_size=3)
    walk = registry.walk({}, nothing)
    list(next(walk).answers)
    standin.fail(fault, path="/studies")

    with pytest.raises(RegistryError) as error:
        next(walk)

    assert not error.value.permanent
    assert not isinstance(error.value, StalePlaceError)


def test_an_empty_page_with_a_next_one_is_not_the_end(standin: StandIn) -> None:
    standin.fail(Fault.EMPTY_PAGE, times=1)

    taken = pages(Asked(standin, page_size=3))

    assert ids(taken) == IDS
    assert taken[0][0] == []


@pytest.mark.parametrize("fault", [Fault.REPEATED_PAGE, Fault.ENDLESS_PAGES])
def test_pages_without_end_are_given_up(standin: StandIn, fault: Fault) -> None:
    standin.fail(fault)

    with pytest.raises(RegistryError, match="page"):
        pages(Asked(standin))


@pytest.mark.parametrize("refuses", ["its own token", "that of the release before"])
def test_a_place_that_is_refused_says_so(standin: StandIn, refuses: str) -> None:
    registry = Asked(standin, page_size=3)
    walk = registry.walk({}, nothing)
    list(next(walk).answers)
    if refuses == "its own token":
        standin.fail(Fault.OUTDATED_PAGE)
    else:
        standin.publish("2026-03-03")

    with pytest.raises(StalePlaceError):
        next(walk)


def test_a_registry_that_refuses_the_list_of_fields_is_walked_without(standin: StandIn) -> None:
    standin.fail(Fault.FIELDS_500)
    registry = Asked(standin, page_size=3)
    stored = {answer.raw_hash: answer.id for answers, _ in pages(registry) for answer in answers}
    standin.publish("2026-03-03")

    taken = [answer for answers, _ in pages(registry, known=lambda _ids: stored) for answer in answers]

    assert [type(answer) for answer in taken] == [Unchanged] * COUNT


def test_a_study_that_cannot_be_read_is_an_answer_and_no_end(standin: StandIn) -> None:
    standin.publish("2026-03-02", {IDS[2]: b'{"protocolSection":{"nctId":17}}'})

    taken = [answer for answers, _ in pages(Asked(standin)) for answer in answers]

    assert [answer.id for answer in taken if isinstance(answer, RawRecord)] == [each for each in IDS if each != IDS[2]]
    (unreadable,) = (answer for answer in taken if isinstance(answer, NotAnswered))
    assert unreadable.reason == "unreadable"


def test_a_record_is_taken_under_its_own_id_wherever_that_stands(standin: StandIn) -> None:
    odd = msgspec.json.encode({"moreInfo": {"nctId": IDS[0]}, **study(IDS[1])})
    standin.publish("2026-03-02", {IDS[1]: odd})

    assert ids(pages(Asked(standin))) == IDS
