"""What every registry promises: the sweep relies on nothing else."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest

from monitor.demo.standin import Fault, StandIn
from snapshots.registry import NotAnswered, RawRecord, Registry, RegistryError, Unchanged
from tests.registries import Asked, OneAtATime, nct, study


class World(Protocol):
    """A registry and the hand that moves what it serves. Records are numbered; `id` gives a record's id."""

    registry: Registry
    turn: OneAtATime
    malformed: str
    query: dict[str, str]
    "A search that finds every record."

    def id(self, number: int) -> str: ...
    def publish(self, day: int, *numbers: int, title: str = "A Title") -> None: ...
    def merge(self, old: int, kept: int) -> None: ...
    def remove(self, number: int) -> None: ...
    def remember(self, number: int, *titles: str) -> None: ...
    def lose(self, number: int, version: int) -> None: ...
    def go_down(self) -> None: ...
    def address(self, number: int) -> str: ...


class Ctgov:
    malformed = "NCT123"
    query = {"query.cond": "fever"}  # noqa: RUF012

    def __init__(self, standin: StandIn) -> None:
        self.standin = standin
        self.registry = Asked(standin, batch_size=3)
        self.turn = self.registry.turn

    def id(self, number: int) -> str:
        return nct(number)

    def publish(self, day: int, *numbers: int, title: str = "A Title") -> None:
        self.standin.publish(f"2026-03-{day:02d}", {nct(number): study(nct(number), title=title) for number in numbers})

    def merge(self, old: int, kept: int) -> None:
        self.standin.merge(nct(old), nct(kept))

    def remove(self, number: int) -> None:
        self.standin.remove([nct(number)])

    def remember(self, number: int, *titles: str) -> None:
        self.standin.past(nct(number), [study(nct(number), title=title) for title in titles])

    def lose(self, number: int, version: int) -> None:
        self.standin.fail(Fault.NOT_FOUND, path=f"{nct(number)}/history/{version}")

    def go_down(self) -> None:
        self.standin.fail(Fault.UNAVAILABLE)

    def address(self, number: int) -> str:
        return f"https://clinicaltrials.gov/study/{nct(number)}?tab=table"


WORLDS: dict[str, Callable[[StandIn], World]] = {"ctgov": Ctgov}


@pytest.fixture(params=sorted(WORLDS))
def world(request: pytest.FixtureRequest, standin: StandIn) -> Iterator[Any]:
    world = WORLDS[request.param](standin)
    world.publish(2, *range(1, 9))
    yield world
    world.registry.close()


def asked(answer: RawRecord | Unchanged | NotAnswered) -> str:
    return answer.id if isinstance(answer, NotAnswered) else answer.asked


def known(answers: list[Any]) -> dict[bytes, str]:
    return {answer.raw_hash: answer.id for answer in answers if isinstance(answer, RawRecord)}


def everything(world: World, *further: str) -> list[str]:
    return [*(world.id(number) for number in range(1, 9)), *further]


def test_it_says_which_registry_it_is_and_what_day(world: World) -> None:
    release = world.registry.release()

    assert release.registry == world.registry.name
    assert release.date == "2026-03-02"
    assert release.timestamp.startswith("2026-03-02")


def test_a_new_release_is_seen(world: World) -> None:
    before = world.registry.release()
    assert world.registry.release() == before

    world.publish(3)

    assert world.registry.release().date > before.date


def test_every_id_is_answered_once_whatever_it_is(world: World) -> None:
    world.remove(4)
    ids = everything(world, world.malformed, world.id(404), world.id(1))

    answers = list(world.registry.fetch(ids, {}))

    assert sorted(asked(answer) for answer in answers) == sorted(set(ids))
    assert {answer.id: answer.reason for answer in answers if isinstance(answer, NotAnswered)} == {
        world.malformed: "malformed id",
        world.id(404): "absent",
        world.id(4): "absent",
    }


def test_what_is_known_by_its_hash_is_unchanged_in_the_next_release_too(world: World) -> None:
    hashes = known(list(world.registry.fetch(everything(world), {})))
    world.publish(3, 5, title="Another Title")

    answers = list(world.registry.fetch(everything(world), hashes))

    assert [answer.id for answer in answers if isinstance(answer, RawRecord)] == [world.id(5)]
    assert sum(isinstance(answer, Unchanged) for answer in answers) == 7


def test_the_same_bytes_have_the_same_hash(world: World) -> None:
    one, other = (known(list(world.registry.fetch([world.id(1)], {}))) for _ in range(2))

    assert one == other


def test_a_record_that_was_merged_is_answered_by_the_one_that_was_kept(world: World) -> None:
    world.merge(2, 1)

    answers = {asked(answer): answer.id for answer in world.registry.fetch(everything(world), {})}

    assert answers[world.id(2)] == answers[world.id(1)] == world.id(1)


def test_what_it_fetches_it_can_read(world: World) -> None:
    for answer in world.registry.fetch(everything(world), {}):
        assert isinstance(answer, RawRecord)
        trial = world.registry.parse(answer.raw)
        assert (trial.registry, trial.id, trial.title) == (world.registry.name, answer.id, "A Title")


def test_content_is_the_same_in_another_release_and_differs_where_the_record_does(world: World) -> None:
    first, second = (next(iter(world.registry.fetch([world.id(1)], {}))) for _ in range(2))
    world.publish(3, 1, title="Another Title")
    third = next(iter(world.registry.fetch([world.id(1)], {})))

    assert world.registry.content(first.raw) == world.registry.content(second.raw)
    assert world.registry.content(first.raw) != world.registry.content(third.raw)


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b"{}", b'{"id": 7}', b"\xff", b'"' * 10, b"[" * 10_000])
def test_what_is_no_record_is_an_error_for_good(world: World, raw: bytes) -> None:
    for read in (world.registry.parse, world.registry.content):
        with pytest.raises(RegistryError) as refusal:
            read(raw)
        assert refusal.value.permanent


def test_where_it_is_down_the_error_says_so_in_one_line(world: World) -> None:
    world.go_down()

    for ask in (
        world.registry.release,
        lambda: list(world.registry.fetch(everything(world), {})),
        lambda: list(world.registry.search(world.query)),
        lambda: world.registry.versions(world.id(1)),
        lambda: world.registry.version(world.id(1), 0),
    ):
        with pytest.raises(RegistryError) as refusal:
            ask()
        assert str(refusal.value)
        assert "\n" not in str(refusal.value)
        assert not refusal.value.permanent


def test_going_down_in_the_middle_leaves_no_id_without_an_answer(world: World) -> None:
    answers = iter(world.registry.fetch(everything(world), {}))
    got = [next(answers)]
    world.go_down()
    got += answers

    assert sorted(map(asked, got)) == sorted(everything(world))
    assert {answer.reason for answer in got if isinstance(answer, NotAnswered)} == {"not fetched"}


def test_a_search_finds_ids_and_each_once(world: World) -> None:
    assert sorted(world.registry.search(world.query)) == everything(world)


def test_a_search_parameter_it_does_not_know_is_named(world: World) -> None:
    with pytest.raises(ValueError, match="no\\.such\\.thing"):
        world.registry.search({**world.query, "no.such.thing": "x"})


def test_it_lists_the_past_of_a_record_and_gives_each_version_of_it(world: World) -> None:
    world.remember(3, "A First Title", "Another Title")

    listed = world.registry.versions(world.id(3))
    read = [world.registry.parse(world.registry.version(world.id(3), each.number)) for each in listed]

    assert [each.number for each in listed] == [0, 1, 2]
    assert all(len(each.date) == 10 for each in listed)
    assert [trial.title for trial in read] == ["A First Title", "Another Title", "A Title"]
    assert {trial.id for trial in read} == {world.id(3)}


def test_past_versions_are_told_apart_by_their_content(world: World) -> None:
    world.remember(3, "A First Title", "Another Title")

    versions = [world.registry.version(world.id(3), number) for number in (0, 1, 1)]
    contents = [world.registry.content(each) for each in versions]

    assert contents[0] != contents[1]
    assert contents[1] == contents[2]


def test_a_version_that_nobody_is_given_is_an_error_for_good(world: World) -> None:
    world.remember(3, "A First Title")
    world.lose(3, 0)

    with pytest.raises(RegistryError) as refusal:
        world.registry.version(world.id(3), 0)

    assert refusal.value.permanent
    assert world.id(3) in str(refusal.value)


def test_the_past_of_a_record_that_is_not_listed_is_an_error_for_good(world: World) -> None:
    with pytest.raises(RegistryError) as refusal:
        world.registry.versions(world.id(404))

    assert refusal.value.permanent


def test_every_request_takes_a_turn(world: World) -> None:
    before = world.turn.granted
    world.registry.release()
    list(world.registry.fetch(everything(world), {}))
    list(world.registry.search(world.query))
    world.registry.versions(world.id(1))
    world.registry.version(world.id(1), 0)

    assert world.turn.granted - before == 7


def test_a_person_may_write_an_id_in_many_ways(world: World) -> None:
    record = world.id(7)

    for text in (record, f"  {record.lower()}\n", world.address(7), world.registry.url(record)):
        assert world.registry.normalise_id(text) == record


@pytest.mark.parametrize("text", ["", "no id", "https://example.org/", "🙂"])
def test_what_is_no_id_is_named(world: World, text: str) -> None:
    with pytest.raises(ValueError, match=r".+") as refusal:
        world.registry.normalise_id(text)

    assert repr(text) in str(refusal.value)


def test_a_record_has_an_address_for_people(world: World) -> None:
    assert world.registry.url(world.id(7)).startswith("https://")
    assert world.id(7) in world.registry.url(world.id(7))
