"""A set of ids behaves as a set of strings does, and takes next to no room."""

from hypothesis import given
from hypothesis import strategies as st

from snapshots.id_set import IdSet, in_portions

IDS = st.one_of(
    st.integers(0, 99_999_999).map(lambda number: f"NCT{number:08d}"),
    st.integers(0, 99).map(lambda number: f"ISRCTN{number}"),
    st.text(alphabet="AB01９-", max_size=12),
)
MANY = st.lists(IDS, max_size=40)


@given(MANY, MANY)
def test_it_is_a_set(some: list[str], others: list[str]) -> None:
    mine, yours = IdSet(some), IdSet(others)

    assert set(mine) == set(some)
    assert len(mine) == len(set(some)) == len(list(mine))
    assert set(mine - yours) == set(some) - set(others)
    assert set(mine & yours) == set(some) & set(others)
    assert len(mine - yours) == len(set(some) - set(others))
    assert all((each in mine) == (each in some) for each in others)
    assert set(mine) == set(some), "the others changed it"


@given(MANY)
def test_what_is_put_in_is_new_once(ids: list[str]) -> None:
    made = IdSet()

    assert sum(made.add(each) for each in ids + ids) == len(set(ids))


def test_ids_of_one_registry_come_in_their_order() -> None:
    ids = [f"NCT{number:08d}" for number in (7, 600_000, 65_536, 32_767, 32_768, 1)]

    assert list(IdSet(ids)) == sorted(ids)


def test_a_portion_holds_so_many() -> None:
    assert list(in_portions("ABCDE", 2)) == [["A", "B"], ["C", "D"], ["E"]]


@given(st.lists(st.one_of(IDS, st.integers(0, 40).map(lambda number: f"NCT{number:08d}")), max_size=60))
def test_many_at_once_are_put_in_as_they_are_one_by_one(ids: list[str]) -> None:
    one_by_one, at_once = IdSet(), IdSet(ids)
    for each in ids:
        one_by_one.add(each)

    assert list(at_once) == list(one_by_one)
    assert len(at_once) == len(one_by_one) == len(set(ids))
