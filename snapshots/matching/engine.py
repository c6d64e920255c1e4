"""Who is who between two lists whose items have no id: one to one, in passes, deterministic.

A pass looks only at what no earlier pass has matched. Within a pass the more alike come first, and equal candidates
are taken in record order. What no pass matches is gone (of the old list) or new (of the new list).
"""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import compress, product
from typing import Any, Generic, TypeVar

from msgspec import Struct

Item = TypeVar("Item")
Pair = tuple[int, int]
Indexes = list[int]


class ByKey(Struct, Generic[Item], frozen=True, kw_only=True):
    """A pass that matches items with equal keys, as multisets: two old and three new of one key are two pairs.

    `key(item)` is None where the item takes no part. Where a key has several candidates, `prefer` decides: those equal
    under all of these keys first, a difference in an earlier one weighing more than any in the later ones. With
    `only`, a key counts where exactly one old and one new item have it; `fits(old, new)` may refuse such a pair. Two
    items that both have an `exclusive` trait (not None) match only where it is the same: site numbers, for example.
    """

    key: Callable[[Item], Hashable | None]
    prefer: tuple[Callable[[Item], Hashable], ...] = ()
    only: bool = False
    fits: Callable[[Item, Item], bool] | None = None
    exclusive: Callable[[Item], Hashable | None] | None = None


class ByLikeness(Struct, Generic[Item], frozen=True, kw_only=True):
    """A pass that matches the most alike first.

    `likeness(old, new)` is None where the two are not alike, else how alike they are: any values that compare among
    each other (numbers, or tuples of one shape), the greater the more alike. Only items that share one of their
    `blocks` are compared; by default every old item with every new one, which is for short lists. Where no blocks
    tell which are worth comparing, `candidates(old, new)` may: pairs of indexes into the two lists it is given.
    """

    likeness: Callable[[Item, Item], Any]
    blocks: Callable[[Item], Iterable[Hashable]] = lambda _: (None,)
    candidates: Callable[[Sequence[Item], Sequence[Item]], Iterable[tuple[int, int]]] | None = None


Pass = ByKey[Item] | ByLikeness[Item]


class Matched(Struct, Generic[Item], frozen=True):
    """`pairs` of (old, new) in the new list's order, `removed` in the old list's order, `added` in the new list's."""

    pairs: tuple[tuple[Item, Item], ...]
    removed: tuple[Item, ...]
    added: tuple[Item, ...]


def match(old: Sequence[Item], new: Sequence[Item], passes: Iterable[Pass[Item]]) -> Matched[Item]:
    """Matches `old` and `new` one to one; every item is in exactly one place of the answer."""
    left = _Left(old, new)
    pairs: list[Pair] = []
    for one_pass in passes:
        if not (left.old_indexes and left.new_indexes):
            break
        found = list(_by_key(one_pass, left) if isinstance(one_pass, ByKey) else _by_likeness(one_pass, left))
        left.take(found)
        pairs += found
    pairs.sort(key=lambda pair: pair[1])
    return Matched(
        tuple((old[i], new[j]) for i, j in pairs),
        tuple(old[i] for i in left.old_indexes),
        tuple(new[j] for j in left.new_indexes),
    )


class _Left(Generic[Item]):
    """What no pass has matched yet, by index, in record order."""

    def __init__(self, old: Sequence[Item], new: Sequence[Item]) -> None:
        self.old, self.new = old, new
        self.old_indexes, self.new_indexes = list(range(len(old))), list(range(len(new)))

    def take(self, pairs: Sequence[Pair]) -> None:
        if pairs:
            self.old_indexes = _without(self.old_indexes, {i for i, _ in pairs})
            self.new_indexes = _without(self.new_indexes, {j for _, j in pairs})


def _without(indexes: Indexes, taken: set[int]) -> Indexes:
    return [index for index in indexes if index not in taken]


# --- passes by key ----------------------------------------------------------------------------------------------------


def _by_key(one_pass: ByKey[Item], left: _Left[Item]) -> Iterator[Pair]:
    old_buckets = _buckets(left.old, left.old_indexes, one_pass.key)
    new_buckets = _buckets(left.new, left.new_indexes, one_pass.key)
    for key, old_bucket in old_buckets.items():
        new_bucket = new_buckets.get(key)
        if new_bucket is None or (one_pass.only and not len(old_bucket) == len(new_bucket) == 1):
            continue
        if len(old_bucket) == len(new_bucket) == 1:
            yield from _in_record_order(one_pass, left, old_bucket, new_bucket)
        else:
            yield from _preferred_first(one_pass, left, old_bucket, new_bucket)


def _buckets(
    items: Sequence[Item], indexes: Indexes, key: Callable[[Item], Hashable | None]
) -> dict[Hashable, Indexes]:
    buckets: dict[Hashable, Indexes] = defaultdict(list)
    for index in indexes:
        value = key(items[index])
        if value is not None:
            buckets[value].append(index)
    return buckets


def _preferred_first(
    one_pass: ByKey[Item], left: _Left[Item], old_bucket: Indexes, new_bucket: Indexes
) -> Iterator[Pair]:
    """Rounds over a bucket: equal under all preferences, then under all but the last, and so on to none of them."""
    traits = [_Trait(trait, left, old_bucket, new_bucket) for trait in one_pass.prefer]
    deciding = [trait for trait in traits if trait.decides()]
    old_traits = {i: [trait.old[i] for trait in deciding] for i in old_bucket}
    new_traits = {j: [trait.new[j] for trait in deciding] for j in new_bucket}
    for counting in product((True, False), repeat=len(deciding)):
        some_old = _by_traits(old_traits, old_bucket, counting)
        some_new = _by_traits(new_traits, new_bucket, counting)
        found = [
            pair
            for traits in some_old.keys() & some_new.keys()
            for pair in _in_record_order(one_pass, left, some_old[traits], some_new[traits])
        ]
        yield from found
        old_bucket = _without(old_bucket, {i for i, _ in found})
        new_bucket = _without(new_bucket, {j for _, j in found})
        if not (old_bucket and new_bucket):
            return


class _Trait(Generic[Item]):
    """The values of one preference within a bucket."""

    def __init__(
        self, trait: Callable[[Item], Hashable], left: _Left[Item], old_bucket: Indexes, new_bucket: Indexes
    ) -> None:
        self.old = {i: trait(left.old[i]) for i in old_bucket}
        self.new = {j: trait(left.new[j]) for j in new_bucket}

    def decides(self) -> bool:
        """Whether some pairs are equal under it and some are not: else a round more for it changes nothing."""
        before, after = set(self.old.values()), set(self.new.values())
        return len(before | after) > 1 and not before.isdisjoint(after)


def _by_traits(
    traits: Mapping[int, Sequence[Hashable]], bucket: Indexes, counting: Sequence[bool]
) -> dict[Hashable, Indexes]:
    alike: dict[Hashable, Indexes] = defaultdict(list)
    for index in bucket:
        alike[tuple(compress(traits[index], counting))].append(index)
    return alike


def _in_record_order(one_pass: ByKey[Item], left: _Left[Item], some_old: Indexes, some_new: Indexes) -> Iterator[Pair]:
    exclusive = one_pass.exclusive
    pairs: Iterable[Pair]
    if exclusive is None:
        pairs = zip(some_old, some_new, strict=False)
    else:
        old_traits = {i: exclusive(left.old[i]) for i in some_old}
        pairs = _not_excluded(old_traits, {j: exclusive(left.new[j]) for j in some_new})
    fits = one_pass.fits
    yield from (pair for pair in pairs if fits is None or fits(left.old[pair[0]], left.new[pair[1]]))


def _not_excluded(old: Mapping[int, Hashable | None], new: Mapping[int, Hashable | None]) -> Iterator[Pair]:
    """Each old index with the first free new one of the same trait, or where one of the two has no trait."""
    by_trait: dict[Hashable | None, deque[int]] = defaultdict(deque)
    for j, trait in new.items():
        by_trait[trait].append(j)
    anybody, taken = deque(new), set[int]()
    for i, trait in old.items():
        queues = [anybody] if trait is None else [by_trait[trait], by_trait[None]]
        for queue in queues:
            while queue and queue[0] in taken:
                queue.popleft()
        first = min((queue[0] for queue in queues if queue), default=None)
        if first is not None:
            taken.add(first)
            yield i, first


# --- passes by likeness -----------------------------------------------------------------------------------------------


def _by_likeness(one_pass: ByLikeness[Item], left: _Left[Item]) -> Iterator[Pair]:
    scored = []
    for i, j in _worth_comparing(one_pass, left):
        likeness = one_pass.likeness(left.old[i], left.new[j])
        if likeness is not None:
            scored.append((likeness, i, j))
    # a stable sort, also in reverse: what is equally alike stays in record order
    scored.sort(key=lambda candidate: candidate[0], reverse=True)
    taken_old: set[int] = set()
    taken_new: set[int] = set()
    for _, i, j in scored:
        if i not in taken_old and j not in taken_new:
            taken_old.add(i)
            taken_new.add(j)
            yield i, j


def _worth_comparing(one_pass: ByLikeness[Item], left: _Left[Item]) -> Iterator[Pair]:
    """Pairs of indexes, each once, in record order."""
    if one_pass.candidates is None:
        yield from _sharing_a_block(one_pass.blocks, left)
        return
    old, new = [left.old[i] for i in left.old_indexes], [left.new[j] for j in left.new_indexes]
    for i, j in sorted(set(one_pass.candidates(old, new))):
        yield left.old_indexes[i], left.new_indexes[j]


def _sharing_a_block(blocks: Callable[[Item], Iterable[Hashable]], left: _Left[Item]) -> Iterator[Pair]:
    sharing: dict[Hashable, Indexes] = defaultdict(list)
    for j in left.new_indexes:
        for block in dict.fromkeys(blocks(left.new[j])):
            sharing[block].append(j)
    for i in left.old_indexes:
        for j in sorted({j for block in blocks(left.old[i]) for j in sharing.get(block, ())}):
            yield i, j
