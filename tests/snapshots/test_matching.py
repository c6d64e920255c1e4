"""The matcher of lists without ids: one to one, in passes, deterministic, whatever the order of the lists."""

import random

from hypothesis import given
from hypothesis import strategies as st

from snapshots.matching import ByKey, ByLikeness, Matched, match

LETTERS = st.lists(st.text("abc", max_size=3), max_size=12)
FIRST_LETTER: ByKey[str] = ByKey(key=lambda word: word[:1] or None)
SAME_WORD: ByKey[str] = ByKey(key=lambda word: word)


def letters_in_common(old: str, new: str) -> int | None:
    return len(set(old) & set(new)) or None


PASSES = (SAME_WORD, ByKey(key=lambda word: word[:1] or None, prefer=(len,)), ByLikeness(likeness=letters_in_common))


@given(LETTERS, LETTERS)
def test_every_item_is_in_exactly_one_place(old: list[str], new: list[str]) -> None:
    matched = match(list(enumerate(old)), list(enumerate(new)), (ByKey(key=lambda item: item[1][:1] or None),))

    assert sorted([one for one, _ in matched.pairs] + list(matched.removed)) == list(enumerate(old))
    assert sorted([other for _, other in matched.pairs] + list(matched.added)) == list(enumerate(new))


@given(LETTERS, LETTERS)
def test_the_same_lists_are_always_matched_alike(old: list[str], new: list[str]) -> None:
    assert match(old, new, PASSES) == match(list(old), list(new), PASSES)


@given(LETTERS, st.randoms(use_true_random=False))
def test_a_shuffled_list_is_matched_whole_with_itself(items: list[str], chance: random.Random) -> None:
    matched = match(items, chance.sample(items, len(items)), (SAME_WORD,))

    assert all(old == new for old, new in matched.pairs)
    assert not matched.removed and not matched.added


@given(st.sets(st.text("abcd", min_size=1, max_size=3)), st.sets(st.text("abcd", min_size=1)), st.randoms())
def test_passes_by_key_do_not_depend_on_the_order_of_lists(old: set[str], new: set[str], chance: random.Random) -> None:
    passes = (SAME_WORD, ByKey[str](key=lambda word: word[:1], only=True))
    matched = match(sorted(old), sorted(new), passes)

    again = match(chance.sample(sorted(old), len(old)), chance.sample(sorted(new), len(new)), passes)

    assert sets_of(again) == sets_of(matched)


def sets_of(matched: Matched[str]) -> tuple[set[tuple[str, str]], set[str], set[str]]:
    return set(matched.pairs), set(matched.removed), set(matched.added)


def test_equal_keys_are_a_multiset() -> None:
    matched = match(["ant", "ape"], ["asp", "auk", "aye"], (FIRST_LETTER,))

    assert matched.pairs == (("ant", "asp"), ("ape", "auk"))
    assert matched.added == ("aye",)


def test_an_item_without_a_key_takes_no_part() -> None:
    assert match([""], [""], (FIRST_LETTER,)).pairs == ()


def test_an_earlier_preference_weighs_more_than_the_later_ones_together() -> None:
    passes = (ByKey[str](key=lambda _: 1, prefer=(lambda word: word[0], lambda word: word[1], lambda word: word[2])),)

    matched = match(["abc"], ["xbc", "ayz"], passes)

    assert matched.pairs == (("abc", "ayz"),)


def test_what_is_preferred_comes_before_the_order_of_the_record() -> None:
    matched = match(["a1", "a2"], ["a2", "a1"], (ByKey[str](key=lambda word: word[0], prefer=(lambda word: word[1],)),))

    assert set(matched.pairs) == {("a1", "a1"), ("a2", "a2")}


def test_the_only_one_of_a_key_is_matched_and_several_are_not() -> None:
    only_one = ByKey[str](key=lambda word: word[0], only=True)

    matched = match(["ant", "bee", "bat"], ["ape", "bug"], (only_one,))

    assert matched.pairs == (("ant", "ape"),)
    assert matched.removed == ("bee", "bat")


def test_two_different_exclusive_traits_never_match_and_an_absent_one_matches_any() -> None:
    numbered = ByKey[str](key=lambda word: word[0], exclusive=lambda word: word[1:] or None)

    assert match(["a1"], ["a2"], (numbered,)).pairs == ()
    assert match(["a1", "a"], ["a2", "a1"], (numbered,)).pairs == (("a", "a2"), ("a1", "a1"))


@given(
    st.lists(st.sampled_from(["a", "a1", "a2"]), max_size=8), st.lists(st.sampled_from(["a", "a1", "a2"]), max_size=8)
)
def test_no_pair_ever_has_two_different_exclusive_traits(old: list[str], new: list[str]) -> None:
    numbered = ByKey[str](key=lambda word: word[0], exclusive=lambda word: word[1:] or None)

    pairs = match(old, new, (numbered,)).pairs

    assert not {("a1", "a2"), ("a2", "a1")} & set(pairs)


def test_the_more_alike_are_matched_first() -> None:
    matched = match(["abc", "ab"], ["abx", "abc"], (ByLikeness(likeness=letters_in_common),))

    assert set(matched.pairs) == {("abc", "abc"), ("ab", "abx")}


def test_equally_alike_candidates_are_taken_in_record_order() -> None:
    matched = match(["ax", "ay"], ["a1", "a2"], (ByLikeness(likeness=letters_in_common),))

    assert matched.pairs == (("ax", "a1"), ("ay", "a2"))


def test_only_items_that_share_a_block_are_compared() -> None:
    by_last_letter = ByLikeness(likeness=letters_in_common, blocks=lambda word: word[-1:])

    assert match(["ab"], ["ac"], (by_last_letter,)).pairs == ()


def test_an_earlier_pass_takes_precedence() -> None:
    matched = match(["ab", "abc"], ["abc"], (SAME_WORD, FIRST_LETTER))

    assert matched.pairs == (("abc", "abc"),)
    assert matched.removed == ("ab",)
