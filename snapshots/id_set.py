"""Which of very many records? Ids by the hundred thousand, in about a bit each."""

import re
from collections.abc import Callable, Iterable, Iterator

_NUMBERED = re.compile(r"(\D*)([0-9]{1,9})")
_BLOCK = 1 << 15
"""Numbers that stand in one piece of memory, which is there once one of them is."""

Series = tuple[str, int]


class IdSet:
    """A set of ids. Those that are letters and up to nine digits ("NCT01234567") take a bit in the block of their
    numbers, all others a place in an ordinary set.
    """

    def __init__(self, ids: Iterable[str] = ()) -> None:
        self._series: dict[Series, dict[int, bytearray]] = {}
        self._others: set[str] = set()
        self._count = 0
        for each in ids:
            self.add(each)

    def add(self, record_id: str) -> bool:
        """Put it in; whether it was not there."""
        place = _NUMBERED.fullmatch(record_id)
        if place is None:
            is_new = record_id not in self._others
            self._others.add(record_id)
        else:
            prefix, digits = place.groups()
            is_new = self._set(self._series.setdefault((prefix, len(digits)), {}), int(digits))
        self._count += is_new
        return is_new

    def update(self, ids: Iterable[str]) -> None:
        """Put all of these in."""
        for each in ids:
            self.add(each)

    def __contains__(self, record_id: str) -> bool:
        place = _NUMBERED.fullmatch(record_id)
        if place is None:
            return record_id in self._others
        prefix, digits = place.groups()
        blocks = self._series.get((prefix, len(digits)))
        block = blocks.get(int(digits) // _BLOCK) if blocks else None
        number = int(digits) % _BLOCK
        return block is not None and bool(block[number >> 3] & 1 << (number & 7))

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        """In order of prefix and number, then those of another form in their order."""
        for (prefix, width), blocks in sorted(self._series.items()):
            for start in sorted(blocks):
                yield from (f"{prefix}{start * _BLOCK + each:0{width}d}" for each in _bits(blocks[start]))
        yield from sorted(self._others)

    def __sub__(self, other: "IdSet") -> "IdSet":
        return self._combined(other, lambda mine, yours: mine & ~yours, self._others - other._others)

    def __and__(self, other: "IdSet") -> "IdSet":
        return self._combined(other, lambda mine, yours: mine & yours, self._others & other._others)

    def _combined(self, other: "IdSet", operation: Callable[[int, int], int], others: set[str]) -> "IdSet":
        made = IdSet()
        for series, blocks in self._series.items():
            theirs = other._series.get(series, {})
            for number, block in blocks.items():
                bits = operation(_integer(block), _integer(theirs.get(number, b"")))
                if bits:
                    made._series.setdefault(series, {})[number] = bytearray(bits.to_bytes(_BLOCK // 8, "little"))
                    made._count += bits.bit_count()
        made._others = others
        made._count += len(others)
        return made

    @staticmethod
    def _set(blocks: dict[int, bytearray], number: int) -> bool:
        block = blocks.get(number // _BLOCK)
        if block is None:
            block = blocks[number // _BLOCK] = bytearray(_BLOCK // 8)
        at, bit = (number % _BLOCK) >> 3, 1 << (number & 7)
        is_new = not block[at] & bit
        block[at] |= bit
        return is_new


def in_portions(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    """These ids, so many at once."""
    portion: list[str] = []
    for each in ids:
        portion.append(each)
        if len(portion) == size:
            yield portion
            portion = []
    if portion:
        yield portion


def _integer(block: bytes | bytearray) -> int:
    return int.from_bytes(block, "little")


def _bits(block: bytearray) -> Iterator[int]:
    for at, byte in enumerate(block):
        if byte:
            yield from (at * 8 + bit for bit in range(8) if byte & 1 << bit)
